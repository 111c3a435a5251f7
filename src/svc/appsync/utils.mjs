/* What resolvers import from @aws-appsync/utils. What is not here is refused by name. */
import { randomBytes, randomUUID } from 'node:crypto';

export class AppSyncError extends Error {
	constructor(message, type, data, info) {
		super(message === undefined || message === null ? '' : String(message));
		this.type = type === undefined || type === null ? 'Custom' : String(type);
		this.data = data === undefined ? null : data;
		this.info = info === undefined ? null : info;
	}
}

export class EarlyReturn {
	constructor(value, skipTo) {
		this.value = value === undefined ? null : value;
		this.skipTo = skipTo;
	}
}

let errors = [], now = Date.now(), auth = null, filter = null, headers = null;

export function begin(event) {
	errors = [];
	filter = null;
	headers = null;
	now = event.now;
	auth = event.auth || null;
}

export function finish() {
	return { errors, filter, headers };
}

function missing(name) {
	return () => {
		throw new AppSyncError(`${name} is not implemented by Farthing.`, 'NotImplemented');
	};
}

/* Anything asked of it that it does not have is refused. */
function known(name, members) {
	return new Proxy(members, {
		get(target, key) {
			if (key in target || typeof key === 'symbol' || key === 'then' || key === 'toJSON')
				return target[key];
			return missing(`${name}.${String(key)}`);
		},
	});
}

const two = (n, width = 2) => String(n).padStart(width, '0');

/* The wall clock in a zone: an offset (+02:00) or a name (Europe/Berlin). */
function zoned(ms, zone) {
	if (!zone || zone === 'UTC' || zone === 'Z')
		return { date: new Date(ms), offset: 0 };
	const fixed = /^([+-])(\d\d):?(\d\d)(?::?(\d\d))?$/.exec(zone);
	let offset;
	if (fixed) {
		offset = (fixed[1] === '-' ? -1 : 1) * (fixed[2] * 3600 + fixed[3] * 60 + Number(fixed[4] || 0));
	} else {
		const parts = Object.fromEntries(new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23',
			year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric',
			second: 'numeric' }).formatToParts(new Date(ms)).map((p) => [p.type, p.value]));
		const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
		offset = Math.round((wall - Math.floor(ms / 1000) * 1000) / 1000);
	}
	return { date: new Date(ms + offset * 1000), offset };
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
	'October', 'November', 'December'];

function offsetText(offset, colon, z) {
	if (!offset && z)
		return 'Z';
	const n = Math.abs(offset), hours = two(Math.floor(n / 3600)), minutes = two(Math.floor(n / 60) % 60);
	return (offset < 0 ? '-' : '+') + hours + (colon ? ':' : '') + minutes;
}

/* Letters as Java's DateTimeFormatter has them. */
function formatted(ms, pattern, zone) {
	const { date: d, offset } = zoned(ms, zone);
	const put = (letters) => {
		const n = letters.length, hour = d.getUTCHours();
		switch (letters[0]) {
		case 'y': case 'u': return n === 2 ? two(d.getUTCFullYear() % 100) : two(d.getUTCFullYear(), n);
		case 'M': case 'L': return n > 3 ? MONTHS[d.getUTCMonth()] : n === 3 ? MONTHS[d.getUTCMonth()].slice(0, 3)
			: two(d.getUTCMonth() + 1, n);
		case 'd': return two(d.getUTCDate(), n);
		case 'E': return n > 3 ? DAYS[d.getUTCDay()] : DAYS[d.getUTCDay()].slice(0, 3);
		case 'H': return two(hour, n);
		case 'h': return two(hour % 12 || 12, n);
		case 'a': return hour < 12 ? 'AM' : 'PM';
		case 'm': return two(d.getUTCMinutes(), n);
		case 's': return two(d.getUTCSeconds(), n);
		case 'S': return two(d.getUTCMilliseconds(), 3).padEnd(n, '0').slice(0, n);
		case 'X': return offsetText(offset, n > 2, true);
		case 'x': case 'Z': return offsetText(offset, n > 2 && letters[0] === 'x', false);
		default: return missing(`util.time's pattern letter ${letters[0]}`)();
		}
	};
	return pattern.replace(/'([^']*)'|([A-Za-z])\2*/g, (all, quoted, letter) => (letter ? put(all)
		: quoted === '' ? "'" : quoted));
}

const NUMBERS = { y: '(\\d{4})', u: '(\\d{4})', M: '(\\d{1,2})', d: '(\\d{1,2})', H: '(\\d{1,2})',
	m: '(\\d{1,2})', s: '(\\d{1,2})', S: '(\\d+)', X: '(Z|[+-]\\d\\d:?\\d{0,2})', x: '([+-]\\d\\d:?\\d{0,2})',
	Z: '([+-]\\d\\d:?\\d{0,2})' };

function parsed(text, pattern, zone) {
	const order = [];
	const source = pattern.replace(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']/g, (all, quoted, letter) => {
		if (!letter)
			return (quoted === undefined ? all : quoted || "'").replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
		if (!NUMBERS[letter])
			missing(`util.time's pattern letter ${letter}`)();
		order.push(letter);
		return NUMBERS[letter];
	});
	const found = new RegExp(`^${source}$`).exec(text);
	if (!found)
		throw new AppSyncError(`Unable to parse ${text} with ${pattern}`, 'Code');
	const p = { y: 1970, M: 1, d: 1, H: 0, m: 0, s: 0, S: '0' };
	order.forEach((letter, i) => { p[letter === 'u' ? 'y' : letter] = found[i + 1]; });
	const wall = Date.UTC(p.y, p.M - 1, p.d, p.H, p.m, p.s, Number(String(p.S).padEnd(3, '0').slice(0, 3)));
	const where = p.X || p.x || p.Z || zone;
	return wall - zoned(wall, where === undefined ? 'UTC' : where).offset * 1000;
}

const iso = (ms) => new Date(ms).toISOString();

const time = known('util.time', {
	nowISO8601: () => iso(now),
	nowEpochSeconds: () => Math.floor(now / 1000),
	nowEpochMilliSeconds: () => now,
	nowFormatted: (pattern, zone) => formatted(now, pattern, zone),
	parseISO8601ToEpochMilliSeconds: (text) => {
		const ms = Date.parse(text);
		if (Number.isNaN(ms))
			throw new AppSyncError(`Unable to parse ${text}`, 'Code');
		return ms;
	},
	parseFormattedToEpochMilliSeconds: parsed,
	epochMilliSecondsToSeconds: (ms) => Math.floor(ms / 1000),
	epochMilliSecondsToISO8601: iso,
	epochMilliSecondsToFormatted: formatted,
});

const set = (kind, of) => (list) => (list === null || list === undefined ? null : { [kind]: list.map(of) });
const one = (kind, of) => (v) => (v === null || v === undefined ? { NULL: null } : { [kind]: of(v) });

export function toDynamoDB(v) {
	if (v === null || v === undefined)
		return { NULL: null };
	if (typeof v === 'string')
		return { S: v };
	if (typeof v === 'number' || typeof v === 'bigint')
		return { N: v };
	if (typeof v === 'boolean')
		return { BOOL: v };
	if (Array.isArray(v))
		return { L: v.map(toDynamoDB) };
	return { M: toMapValues(v) };
}

function toMapValues(map) {
	return Object.fromEntries(Object.entries(map || {}).map(([k, v]) => [k, toDynamoDB(v)]));
}

const dynamodb = known('util.dynamodb', {
	toDynamoDB, toMapValues,
	toString: one('S', String), toNumber: one('N', (n) => n), toBinary: one('B', String),
	toBoolean: one('BOOL', Boolean), toNull: () => ({ NULL: null }),
	toList: (list) => ({ L: list.map(toDynamoDB) }), toMap: (map) => ({ M: toMapValues(map) }),
	toStringSet: set('SS', String), toNumberSet: set('NS', (n) => n), toBinarySet: set('BS', String),
});

const COMPARE = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' };

/* A word for an attribute in expressions; of two attributes it is never one. */
export const wordOf = (name) => name.replace(/\W/g, (c) => `_${c.codePointAt(0).toString(16)}_`);

/* {title: {contains: "x"}, or: [..]} as an expression of DynamoDB. */
function expression(condition) {
	const names = {}, values = {}, counts = {};
	const value = (key, op, v) => {
		const at = `:${wordOf(key)}_${op}${counts[key + op] ? `_${counts[key + op]}` : ''}`;
		counts[key + op] = (counts[key + op] || 0) + 1;
		values[at] = toDynamoDB(v);
		return at;
	};
	const test = (key, op, v) => {
		const name = `#${wordOf(key)}`;
		names[name] = key;
		if (COMPARE[op])
			return `(${name} ${COMPARE[op]} ${value(key, op, v)})`;
		if (op === 'between')
			return `(${name} BETWEEN ${value(key, op, v[0])} AND ${value(key, op, v[1])})`;
		if (op === 'in')
			return `(${name} IN (${v.map((w) => value(key, op, w)).join(', ')}))`;
		if (op === 'contains')
			return `contains(${name}, ${value(key, op, v)})`;
		if (op === 'notContains')
			return `(NOT contains(${name}, ${value(key, op, v)}))`;
		if (op === 'beginsWith')
			return `begins_with(${name}, ${value(key, op, v)})`;
		if (op === 'attributeExists')
			return v ? `attribute_exists(${name})` : `attribute_not_exists(${name})`;
		if (op === 'attributeType')
			return `attribute_type(${name}, ${value(key, op, v)})`;
		if (op === 'size')
			return Object.entries(v).map(([o, w]) => `(size(${name}) ${COMPARE[o]} ${value(key, `size${o}`, w)})`)
				.join(' AND ');
		throw new AppSyncError(`Unknown operator ${op}`, 'Code');
	};
	const walk = (c) => Object.entries(c).map(([key, v]) => {
		if (key === 'and' || key === 'or')
			return `(${v.map(walk).join(key === 'and' ? ' AND ' : ' OR ')})`;
		if (key === 'not')
			return `(NOT ${walk(v)})`;
		return Object.entries(v).map(([op, w]) => test(key, op, w)).join(' AND ');
	}).join(' AND ');
	return { expression: walk(condition), expressionNames: names, expressionValues: values };
}

const transform = known('util.transform', {
	toDynamoDBFilterExpression: (c) => JSON.stringify(expression(c)),
	toDynamoDBConditionExpression: (c) => JSON.stringify(expression(c)),
});

export const conditionOf = expression;

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
function ulid() {
	let text = '', ms = now;
	for (let i = 0; i < 10; i++) {
		text = CROCKFORD[ms % 32] + text;
		ms = Math.floor(ms / 32);
	}
	for (const b of randomBytes(16))
		text += CROCKFORD[b & 31];
	return text;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
function ksuid() {
	const bytes = Buffer.alloc(20);
	bytes.writeUInt32BE(Math.floor(now / 1000) - 1400000000, 0);
	randomBytes(16).copy(bytes, 4);
	let n = BigInt(`0x${bytes.toString('hex')}`), text = '';
	for (let i = 0; i < 27; i++) {
		text = BASE62[Number(n % 62n)] + text;
		n /= 62n;
	}
	return text;
}

const isNull = (v) => v === null || v === undefined;
const isBlank = (v) => isNull(v) || String(v).trim() === '';

export const util = known('util', {
	error: (message, type, data, info) => { throw new AppSyncError(message, type, data, info); },
	appendError: (message, type, data, info) => {
		const e = new AppSyncError(message, type, data, info);
		if (errors.length < 100)
			errors.push({ message: e.message, type: e.type, data: e.data, info: e.info });
	},
	unauthorized: () => { throw new AppSyncError('Unauthorized', 'Unauthorized'); },
	authType: () => auth,
	autoId: () => randomUUID(), autoUlid: ulid, autoKsuid: ksuid,
	isNull, isNullOrEmpty: (v) => isNull(v) || v === '', isNullOrBlank: isBlank,
	defaultIfNull: (v, d) => (isNull(v) ? d : v),
	defaultIfNullOrEmpty: (v, d) => (isNull(v) || v === '' ? d : v),
	defaultIfNullOrBlank: (v, d) => (isBlank(v) ? d : v),
	isString: (v) => typeof v === 'string', isNumber: (v) => typeof v === 'number',
	isBoolean: (v) => typeof v === 'boolean', isList: Array.isArray,
	isMap: (v) => !isNull(v) && typeof v === 'object' && !Array.isArray(v),
	typeOf: (v) => (isNull(v) ? 'Null' : Array.isArray(v) ? 'List' : { string: 'String', number: 'Number',
		boolean: 'Boolean' }[typeof v] || 'Map'),
	matches: (pattern, text) => new RegExp(pattern).test(text),
	validate: (ok, message, type, data) => {
		if (!ok)
			throw new AppSyncError(message, type || 'CustomTemplateException', data);
	},
	urlEncode: (s) => encodeURIComponent(s).replace(/%20/g, '+'),
	urlDecode: (s) => decodeURIComponent(String(s).replace(/\+/g, '%20')),
	base64Encode: (s) => Buffer.from(String(s), 'utf8').toString('base64'),
	base64Decode: (s) => Buffer.from(String(s), 'base64').toString('utf8'),
	escapeJavaScript: (s) => JSON.stringify(String(s)).slice(1, -1).replace(/'/g, "\\'").replace(/\//g, '\\/'),
	parseJson: JSON.parse, toJson: JSON.stringify,
	time, dynamodb, transform,
	http: known('util.http', {
		copyHeaders: (h) => Object.fromEntries(Object.entries(h || {}).filter(([name]) => ![
			'transfer-encoding', 'connection', 'host', 'expect', 'keep-alive', 'upgrade', 'proxy-authenticate',
			'proxy-authorization', 'te', 'trailer', 'content-length', 'trailers'].includes(name.toLowerCase()))),
		addResponseHeader: (name, value) => { headers = { ...headers, [name]: String(value) }; },
		addResponseHeaders: (h) => { headers = { ...headers, ...h }; },
	}),
	str: known('util.str', {
		toUpper: (s) => s.toUpperCase(), toLower: (s) => s.toLowerCase(),
		toReplace: (s, a, b) => s.split(a).join(b), normalize: (s, form) => s.normalize(form.toUpperCase()),
	}),
	math: known('util.math', {
		roundNum: (n) => Math.round(n), minVal: (a, b) => Math.min(a, b), maxVal: (a, b) => Math.max(a, b),
		randomDouble: () => Math.random(),
		randomWithinRange: (a, b) => Math.floor(Math.random() * (b - a)) + a,
	}),
});

export const runtime = known('runtime', {
	earlyReturn: (value, options) => { throw new EarlyReturn(value, options && options.skipTo); },
});

export const extensions = known('extensions', {});
