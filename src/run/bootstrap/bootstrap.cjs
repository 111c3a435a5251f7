'use strict';
/*
 * Runs a Node.js handler behind the Lambda Runtime API, over one raw socket: the answer to an event and the
 * request for the next one leave together. Log events travel on standard output, framed, so that one with
 * line breaks stays one.
 */
const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');
const { pathToFileURL } = require('url');

const API = '/2018-06-01/runtime';
const FRAME = 0xa55a0001;
const env = process.env;
const host = env.AWS_LAMBDA_RUNTIME_API;
const jsonLogs = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
let requestId = '';

function writeAll(data) {
	for (let at = 0; at < data.length;) {
		try {
			at += fs.writeSync(1, data, at);
		} catch (e) {
			if (e.code !== 'EAGAIN')
				throw e;
		}
	}
}

/* One log event, whole. */
function emit(text) {
	const body = Buffer.from(text, 'utf8');
	const data = Buffer.allocUnsafe(8 + body.length);
	data.writeUInt32BE(FRAME, 0);
	data.writeUInt32BE(body.length, 4);
	body.copy(data, 8);
	writeAll(data);
}

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const leastLevel = LEVELS[env.AWS_LAMBDA_LOG_LEVEL] || 0;

function logEntry(level, args) {
	const time = new Date().toISOString();
	if (!jsonLogs)
		return `${time}\t${requestId || 'undefined'}\t${level}\t${util.format(...args)}`;
	const entry = { timestamp: time, level, requestId: requestId || undefined };
	const error = args.find((a) => a instanceof Error);
	entry.message = args.length === 1 && typeof args[0] === 'object' && !error ? args[0] : util.format(...args);
	if (error) {
		entry.errorType = error.name;
		entry.errorMessage = error.message;
		entry.stackTrace = stackOf(error);
	}
	try {
		return JSON.stringify(entry);
	} catch {
		return JSON.stringify({ ...entry, message: util.format(...args) });
	}
}

function patchConsole() {
	const names = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN',
		error: 'ERROR', fatal: 'FATAL' };
	for (const [name, level] of Object.entries(names))
		console[name] = (...args) => {
			if (LEVELS[level] >= leastLevel)
				emit(logEntry(level, args));
		};
}

function stackOf(error) {
	return String(error.stack || error).split('\n');
}

/* AWS's error object. */
function faultOf(error) {
	if (!(error instanceof Error) && !util.types.isNativeError(error))
		return { errorType: typeof error, errorMessage: String(error), trace: [] };
	return { errorType: String(error.name).replace(/\x7f/g, '%7F'),
		errorMessage: String(error.message).replace(/\x7f/g, '%7F'), trace: stackOf(error) };
}

function logFault(title, error) {
	const f = faultOf(error);
	const shown = { errorType: f.errorType, errorMessage: f.errorMessage };
	if (error && error.code !== undefined)
		shown.code = error.code;
	for (const [k, v] of Object.entries(error && typeof error === 'object' ? error : {}))
		if (!(k in shown) && k !== 'stack')
			shown[k] = v;
	shown.stack = f.trace;
	let text;
	try {
		text = JSON.stringify(shown);
	} catch {
		text = util.inspect(shown);
	}
	emit(`${new Date().toISOString()}\t${requestId || 'undefined'}\tERROR\t${title} \t${text}`);
}

class RuntimeError extends Error {
	constructor(name, message) {
		super(message);
		this.name = name;
	}
}

let socket, received = [], receivedBytes = 0, need = 0, postsOpen = 0;

const GET_NEXT = `GET ${API}/invocation/next HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

function postHead(target, length, extra) {
	postsOpen++;
	return `POST ${API}${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${extra}` +
		`Content-Length: ${length}\r\n\r\n`;
}

function errorHeader(f) {
	return `Lambda-Runtime-Function-Error-Type: ${f.errorType.replace(/[^\x20-\x7e]/g, '?')}\r\n`;
}

/* Takes whole responses off what has been received. */
function onData(data) {
	received.push(data);
	receivedBytes += data.length;
	while (receivedBytes && receivedBytes >= need) {
		const buffer = received.length === 1 ? received[0] : Buffer.concat(received);
		received = [buffer];
		const end = buffer.indexOf('\r\n\r\n');
		if (end < 0)
			return;
		const headers = {};
		for (const line of buffer.latin1Slice(0, end).split('\r\n').slice(1)) {
			const colon = line.indexOf(':');
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
		need = end + 4 + Number(headers['content-length'] || 0);
		if (buffer.length < need)
			return;
		const body = buffer.utf8Slice(end + 4, need), rest = buffer.subarray(need);
		received = rest.length ? [rest] : [];
		receivedBytes = rest.length;
		need = 0;
		if (postsOpen)
			postsOpen--;
		else
			onEvent(headers, body);
	}
}

function fatal(target, error, code) {
	const f = faultOf(error), body = JSON.stringify(f);
	socket.end(postHead(target, Buffer.byteLength(body), errorHeader(f)) + body, () => process.exit(code));
	socket.on('close', () => process.exit(code));
	socket.ref();
}

let handler, current = null;

function settle(invocation, target, body, extra) {
	if (current !== invocation)
		return;
	current = null;
	const bytes = Buffer.from(body, 'utf8');
	socket.ref();
	socket.cork();
	socket.write(postHead(`/invocation/${invocation.id}${target}`, bytes.length, extra));
	socket.write(bytes);
	socket.write(GET_NEXT);
	socket.uncork();
}

function succeed(invocation, result) {
	let body;
	try {
		body = JSON.stringify(result === undefined ? null : result);
		if (body === undefined)
			body = 'null';
	} catch (e) {
		failWith(invocation, new Error('Unable to stringify response body'));
		return;
	}
	settle(invocation, '/response', body, '');
}

function failWith(invocation, error) {
	if (current !== invocation)
		return;
	logFault('Invoke Error', error);
	if (invocation.stream && invocation.stream.begun) {
		invocation.stream.fail(error);
		return;
	}
	const f = faultOf(error);
	settle(invocation, '/error', JSON.stringify(f), errorHeader(f));
}

/* ---- streamed answers ---- */

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const PRELUDE = 'application/vnd.awslambda.http-integration-response';
let streamClass;

/* What a streaming handler writes to: the body of one chunked post, which begins with the first write. */
function responseStream(invocation) {
	if (!streamClass) {
		const { Writable } = require('stream');
		streamClass = class ResponseStream extends Writable {
			constructor(of) {
				super({ highWaterMark: 65536 });
				this.of = of;
				this.begun = false;
				this.type = 'application/octet-stream';
				this.prelude = null;
			}
			setContentType(type) {
				if (!this.begun)
					this.type = String(type).replace(/[^\x20-\x7e]/g, '');
			}
			begin() {
				if (this.begun)
					return;
				this.begun = true;
				postsOpen++;
				socket.ref();
				socket.write(`POST ${API}/invocation/${this.of.id}/response HTTP/1.1\r\nHost: ${host}\r\n` +
					`Content-Type: ${this.type}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n` +
					'Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, ' +
					'Lambda-Runtime-Function-Error-Body\r\n\r\n');
				if (this.prelude !== null)
					this.chunk(Buffer.concat([Buffer.from(this.prelude, 'utf8'), Buffer.alloc(8)]));
			}
			chunk(bytes, done) {
				socket.cork();
				socket.write(`${bytes.length.toString(16)}\r\n`);
				socket.write(bytes);
				socket.write('\r\n', done);
				socket.uncork();
			}
			_write(bytes, encoding, done) {
				if (current !== this.of) {
					done(new Error('the invocation is over'));
					return;
				}
				this.begin();
				if (bytes.length)
					this.chunk(bytes, done);
				else
					done();
			}
			_final(done) {
				this.finish('');
				done();
			}
			/* The end of the post and the request for the next event. */
			finish(trailers) {
				if (current !== this.of)
					return;
				this.begin();
				current = null;
				socket.ref();
				socket.write(`0\r\n${trailers}\r\n${GET_NEXT}`);
			}
			fail(error) {
				const f = faultOf(error);
				this.finish(errorHeader(f) + 'Lambda-Runtime-Function-Error-Body: ' +
					`${Buffer.from(JSON.stringify(f)).toString('base64')}\r\n`);
			}
		};
	}
	return new streamClass(invocation);
}

globalThis.awslambda = {
	streamifyResponse(streaming, options) {
		streaming[STREAMING] = 'response';
		if (options && options.highWaterMark !== undefined)
			streaming[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark;
		return streaming;
	},
	HttpResponseStream: class HttpResponseStream {
		static from(stream, metadata) {
			stream.setContentType(PRELUDE);
			stream.prelude = JSON.stringify(metadata);
			return stream;
		}
	},
};

function contextOf(headers, invocation) {
	const deadline = Number(headers['lambda-runtime-deadline-ms']);
	const parsed = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
	const done = (error, result) => {
		const act = () => (error !== undefined && error !== null ? failWith(invocation, error)
			: succeed(invocation, result));
		if (invocation.waits)
			invocation.atRest = act;
		else
			setImmediate(act);
	};
	invocation.done = done;
	return {
		get callbackWaitsForEmptyEventLoop() { return invocation.waits; },
		set callbackWaitsForEmptyEventLoop(v) { invocation.waits = Boolean(v); },
		functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
		functionName: env.AWS_LAMBDA_FUNCTION_NAME,
		memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
		logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
		logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
		clientContext: parsed('lambda-runtime-client-context'),
		identity: parsed('lambda-runtime-cognito-identity'),
		invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
		awsRequestId: invocation.id,
		getRemainingTimeInMillis: () => deadline - Date.now(),
		done,
		succeed: (result) => done(null, result),
		fail: (error) => done(error === undefined || error === null ? 'handled' : error),
	};
}

function onEvent(headers, body) {
	const invocation = { id: headers['lambda-runtime-aws-request-id'], waits: true, atRest: null };
	requestId = invocation.id;
	if (headers['lambda-runtime-trace-id'])
		env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
	current = invocation;
	/* From here on only what the handler has begun keeps the event loop alive. */
	socket.unref();
	try {
		const context = contextOf(headers, invocation);
		if (handler[STREAMING]) {
			const stream = invocation.stream = responseStream(invocation);
			Promise.resolve(handler(JSON.parse(body), stream, context))
				.catch((error) => failWith(invocation, error));
			return;
		}
		const result = handler(JSON.parse(body), context, (error, value) => invocation.done(error, value));
		if (result && typeof result.then === 'function')
			result.then((value) => succeed(invocation, value), (error) => failWith(invocation, error));
	} catch (error) {
		failWith(invocation, error);
	}
}

/* Nothing is left to do: a callback that waited for this is answered now. */
process.on('beforeExit', () => {
	const invocation = current;
	if (!invocation)
		return;
	if (invocation.stream)
		invocation.stream.end();
	else if (invocation.atRest)
		invocation.atRest();
	else
		succeed(invocation, null);
});

process.on('uncaughtException', (error) => {
	logFault('Uncaught Exception', error);
	fatal(current ? `/invocation/${current.id}/error` : '/init/error', error, 129);
	current = null;
});

process.on('unhandledRejection', (reason) => {
	const error = new RuntimeError('Runtime.UnhandledPromiseRejection', String(reason));
	if (reason instanceof Error)
		error.stack = `${error.name}: ${error.message}\n${reason.stack}`;
	logFault('Unhandled Promise Rejection', error);
	fatal(current ? `/invocation/${current.id}/error` : '/init/error', error, 128);
	current = null;
});

function isModulePackage(file) {
	for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
		const manifest = path.join(dir, 'package.json');
		if (fs.existsSync(manifest)) {
			try {
				return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module';
			} catch {
				return false;
			}
		}
		if (dir === path.dirname(dir))
			return false;
	}
}

async function loadModule(root, moduleRoot, name) {
	const base = path.resolve(root, moduleRoot, name);
	for (const extension of ['', '.js', '.mjs', '.cjs']) {
		const file = base + extension;
		if (!fs.existsSync(file) || !fs.statSync(file).isFile())
			continue;
		if (extension === '.mjs' || (extension === '.js' && isModulePackage(file)))
			return import(pathToFileURL(file).href);
		return require(file);
	}
	return require(require.resolve(name, { paths: [root, path.resolve(root, moduleRoot)] }));
}

async function loadHandler(root, name) {
	const base = path.basename(name), moduleRoot = name.slice(0, name.length - base.length);
	const parts = /^([^.]*)\.(.*)$/.exec(base);
	if (!parts || name.includes('..'))
		throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler');
	let found;
	try {
		found = await loadModule(root, moduleRoot, parts[1]);
	} catch (e) {
		if (e instanceof SyntaxError)
			throw Object.assign(new RuntimeError('Runtime.UserCodeSyntaxError', String(e)), { stack: e.stack });
		if (e && (e.code === 'MODULE_NOT_FOUND' || e.code === 'ERR_MODULE_NOT_FOUND'))
			throw Object.assign(new RuntimeError('Runtime.ImportModuleError', String(e)), { stack: e.stack });
		throw e;
	}
	const pick = (from) => parts[2].split('.').reduce((value, key) => (value ? value[key] : undefined), from);
	const value = pick(found) || pick(found.default);
	if (!value)
		throw new RuntimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
	if (typeof value !== 'function')
		throw new RuntimeError('Runtime.HandlerNotFound', `${name} is not a function`);
	return value;
}

function main() {
	const colon = host.lastIndexOf(':');
	patchConsole();
	socket = net.connect({ host: host.slice(0, colon), port: Number(host.slice(colon + 1)), noDelay: true });
	socket.on('data', onData);
	socket.on('end', () => process.exit(0));
	socket.on('error', () => process.exit(1));
	loadHandler(env.LAMBDA_TASK_ROOT || '/var/task', env._HANDLER).then((found) => {
		handler = found;
		socket.write(GET_NEXT);
	}, (error) => {
		logFault('Uncaught Exception', error);
		fatal('/init/error', error, 1);
	});
}

main();
