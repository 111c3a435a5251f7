/*
 * Requests of DynamoDB data sources: the helpers that resolvers import, and what AppSync makes of a request
 * before it asks DynamoDB, and of the answer before the response handler sees it.
 */
import { AppSyncError, conditionOf, toDynamoDB, util, wordOf } from '@aws-appsync/utils';

const toMapValues = util.dynamodb.toMapValues;

/* As DynamoDB's JSON wants it: numbers are texts, NULL is true. */
function wire(v) {
	const [kind, value] = Object.entries(v || { NULL: true })[0] || ['NULL', true];
	if (kind === 'N')
		return { N: String(value) };
	if (kind === 'NS')
		return { NS: value.map(String) };
	if (kind === 'NULL')
		return { NULL: true };
	if (kind === 'L')
		return { L: value.map(wire) };
	if (kind === 'M')
		return { M: wireMap(value) };
	return { [kind]: value };
}

function wireMap(map) {
	return map && Object.fromEntries(Object.entries(map).map(([k, v]) => [k, wire(v)]));
}

function plain(v) {
	const [kind, value] = Object.entries(v)[0];
	if (kind === 'N')
		return Number(value);
	if (kind === 'NS')
		return value.map(Number);
	if (kind === 'NULL')
		return null;
	if (kind === 'L')
		return value.map(plain);
	if (kind === 'M')
		return plainMap(value);
	return value;
}

function plainMap(map) {
	return map ? Object.fromEntries(Object.entries(map).map(([k, v]) => [k, plain(v)])) : null;
}

const filled = (o) => (o && Object.keys(o).length ? o : undefined);

/* Puts an expression with its names and values into an input, beside what is there. */
function add(input, member, e) {
	if (!e || !e.expression)
		return;
	input[member] = e.expression;
	input.ExpressionAttributeNames = filled({ ...input.ExpressionAttributeNames, ...e.expressionNames });
	input.ExpressionAttributeValues = filled({ ...input.ExpressionAttributeValues,
		...wireMap(e.expressionValues || {}) });
}

function project(input, projection) {
	if (!projection || !projection.expression)
		return;
	input.ProjectionExpression = projection.expression;
	input.ExpressionAttributeNames = filled({ ...input.ExpressionAttributeNames, ...projection.expressionNames });
}

const token = (key) => (key ? Buffer.from(JSON.stringify(key)).toString('base64') : null);
function position(text) {
	try {
		return text ? JSON.parse(Buffer.from(text, 'base64').toString()) : undefined;
	} catch {
		throw new AppSyncError('Invalid pagination token given.', 'BadRequest');
	}
}

function many(r) {
	const input = { IndexName: r.index || undefined, Limit: r.limit || undefined,
		ExclusiveStartKey: position(r.nextToken), ConsistentRead: r.consistentRead,
		Select: r.select || undefined };
	add(input, 'FilterExpression', r.filter);
	project(input, r.projection);
	return input;
}

function ofTable(t, r) {
	const item = { TableName: t };
	if (r.key)
		item.Key = wireMap(r.key);
	add(item, 'ConditionExpression', r.condition);
	if (r.operation === 'PutItem') {
		delete item.Key;
		item.Item = { ...wireMap(r.key), ...wireMap(r.attributeValues) };
	} else if (r.operation === 'UpdateItem') {
		add(item, 'UpdateExpression', r.update);
	}
	return item;
}

const WRITES = { PutItem: 'Put', UpdateItem: 'Update', DeleteItem: 'Delete', ConditionCheck: 'ConditionCheck' };

function batch(tables, of) {
	return Object.fromEntries(Object.entries(tables).map(([name, list]) => [name, of(list)]));
}

/* The operation of DynamoDB and its input. */
export function callOf(r, table) {
	if (r === null || typeof r !== 'object' || !r.operation)
		throw new AppSyncError('The request has no operation.', 'MappingTemplate');
	const input = { TableName: table };
	switch (r.operation) {
	case 'GetItem':
		input.Key = wireMap(r.key);
		input.ConsistentRead = r.consistentRead;
		project(input, r.projection);
		return { operation: 'GetItem', input };
	case 'PutItem':
		return { operation: 'PutItem', input: ofTable(table, r) };
	case 'UpdateItem':
		return { operation: 'UpdateItem', input: { ...ofTable(table, r), ReturnValues: 'ALL_NEW' } };
	case 'DeleteItem':
		return { operation: 'DeleteItem', input: { ...ofTable(table, r), ReturnValues: 'ALL_OLD' } };
	case 'Query':
		Object.assign(input, many(r));
		input.ScanIndexForward = r.scanIndexForward;
		add(input, 'KeyConditionExpression', r.query);
		return { operation: 'Query', input };
	case 'Scan':
		Object.assign(input, many(r), { Segment: r.segment, TotalSegments: r.totalSegments });
		return { operation: 'Scan', input };
	case 'BatchGetItem':
		return { operation: 'BatchGetItem', input: { RequestItems: batch(r.tables, (t) => {
			const of = { Keys: (t.keys || t).map(wireMap), ConsistentRead: t.consistentRead };
			project(of, t.projection);
			return of;
		}) } };
	case 'BatchPutItem':
		return { operation: 'BatchWriteItem', input: { RequestItems: batch(r.tables, (list) =>
			list.map((item) => ({ PutRequest: { Item: wireMap(item) } }))) } };
	case 'BatchDeleteItem':
		return { operation: 'BatchWriteItem', input: { RequestItems: batch(r.tables, (list) =>
			list.map((key) => ({ DeleteRequest: { Key: wireMap(key) } }))) } };
	case 'TransactGetItems':
		return { operation: 'TransactGetItems', input: { TransactItems: r.transactItems.map((i) => {
			const get = { TableName: i.table, Key: wireMap(i.key) };
			project(get, i.projection);
			return { Get: get };
		}) } };
	case 'TransactWriteItems':
		return { operation: 'TransactWriteItems', input: { TransactItems: r.transactItems.map((i) => {
			if (!WRITES[i.operation])
				throw new AppSyncError(`Unsupported operation '${i.operation}'.`, 'MappingTemplate');
			return { [WRITES[i.operation]]: ofTable(i.table, i) };
		}) } };
	default:
		throw new AppSyncError(`Unsupported operation '${r.operation}'.`, 'MappingTemplate');
	}
}

/* ctx.result of a DynamoDB data source. */
export function resultOf(r, output, failure) {
	if (failure || !output)
		return null;
	switch (r.operation) {
	case 'GetItem':
		return plainMap(output.Item);
	case 'PutItem':
		return plainMap({ ...wireMap(r.key), ...wireMap(r.attributeValues) });
	case 'UpdateItem':
	case 'DeleteItem':
		return plainMap(output.Attributes);
	case 'Query':
	case 'Scan':
		return { items: (output.Items || []).map(plainMap), nextToken: token(output.LastEvaluatedKey),
			scannedCount: output.ScannedCount };
	case 'BatchGetItem':
		return { data: batch(output.Responses || {}, (items) => items.map(plainMap)),
			unprocessedKeys: batch(output.UnprocessedKeys || {}, (k) => (k.Keys || []).map(plainMap)) };
	case 'BatchPutItem':
		return { data: batch(r.tables, (items) => items.map((i) => plainMap(wireMap(i)))),
			unprocessedItems: {} };
	case 'BatchDeleteItem':
		return { data: batch(r.tables, (keys) => keys.map((k) => plainMap(wireMap(k)))), unprocessedKeys: {} };
	case 'TransactGetItems':
		return { items: (output.Responses || []).map((i) => (i.Item ? plainMap(i.Item) : null)),
			cancellationReasons: null };
	default:
		return { keys: r.transactItems.map((i) => plainMap(wireMap(i.key))), cancellationReasons: null };
	}
}

/* ---- helpers ---- */

const cond = (c) => (c ? conditionOf(c) : undefined);
const projection = (list) => (list && list.length ? { expression: list.map((n) => `#${wordOf(n)}`).join(', '),
	expressionNames: Object.fromEntries(list.map((n) => [`#${wordOf(n)}`, n])) } : undefined);
const clean = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));

export const get = ({ key, consistentRead, projection: p }) => clean({ operation: 'GetItem',
	key: toMapValues(key), consistentRead, projection: projection(p) });
export const put = ({ key, item, condition }) => clean({ operation: 'PutItem', key: toMapValues(key),
	attributeValues: toMapValues(item), condition: cond(condition) });
export const remove = ({ key, condition }) => clean({ operation: 'DeleteItem', key: toMapValues(key),
	condition: cond(condition) });
export const query = ({ query: q, filter, index, limit, nextToken, scanIndexForward, consistentRead, select,
	projection: p }) => clean({ operation: 'Query', query: conditionOf(q), filter: cond(filter), index, limit,
	nextToken, scanIndexForward, consistentRead, select, projection: projection(p) });
export const scan = ({ filter, index, limit, nextToken, consistentRead, select, segment, totalSegments,
	projection: p } = {}) => clean({ operation: 'Scan', filter: cond(filter), index, limit, nextToken,
	consistentRead, select, segment, totalSegments, projection: projection(p) });
const keyed = (tables, of) => Object.fromEntries(Object.entries(tables).map(([t, v]) => [t, of(v)]));
export const batchGet = ({ tables }) => ({ operation: 'BatchGetItem', tables: keyed(tables, (t) => clean({
	keys: t.keys.map(toMapValues), consistentRead: t.consistentRead, projection: projection(t.projection) })) });
export const batchPut = ({ tables }) => ({ operation: 'BatchPutItem',
	tables: keyed(tables, (list) => list.map(toMapValues)) });
export const batchDelete = ({ tables }) => ({ operation: 'BatchDeleteItem',
	tables: keyed(tables, (list) => list.map(toMapValues)) });
export const transactGet = ({ items }) => ({ operation: 'TransactGetItems', transactItems: items.map((i) => clean({
	table: i.table, key: toMapValues(i.key), projection: projection(i.projection) })) });
export const transactWrite = ({ items }) => ({ operation: 'TransactWriteItems', transactItems: items.map((i) => {
	if (i.putItem)
		return { table: i.putItem.table, ...put(i.putItem) };
	if (i.updateItem)
		return { table: i.updateItem.table, ...update(i.updateItem) };
	if (i.deleteItem)
		return { table: i.deleteItem.table, ...remove(i.deleteItem) };
	return { table: i.conditionCheck.table, operation: 'ConditionCheck', key: toMapValues(i.conditionCheck.key),
		condition: cond(i.conditionCheck.condition) };
}) });

class Operation {
	constructor(kind, values) {
		this.kind = kind;
		this.values = values;
	}
}
const of = (kind) => (...values) => new Operation(kind, values);
export const operations = { increment: of('increment'), decrement: of('decrement'), add: of('add'),
	remove: of('remove'), replace: of('add'), append: of('append'), prepend: of('prepend'),
	updateListItem: of('updateListItem') };

export function update({ key, update: fields, condition }) {
	const sets = [], removes = [], names = {}, values = {};
	for (const [name, v] of Object.entries(fields)) {
		const id = wordOf(name), n = `#${id}`, at = `:${id}`;
		names[n] = name;
		const kind = v instanceof Operation ? v.kind : 'add', given = v instanceof Operation ? v.values[0] : v;
		if (kind === 'remove' || given === undefined) {
			removes.push(n);
			continue;
		}
		if (kind === 'increment' || kind === 'decrement') {
			sets.push(`${n} = if_not_exists(${n}, :zero_) ${kind === 'increment' ? '+' : '-'} ${at}`);
			values[':zero_'] = toDynamoDB(0);
		} else if (kind === 'append' || kind === 'prepend') {
			const old = `if_not_exists(${n}, :empty_)`;
			sets.push(`${n} = list_append(${kind === 'append' ? `${old}, ${at}` : `${at}, ${old}`})`);
			values[':empty_'] = toDynamoDB([]);
		} else if (kind === 'updateListItem') {
			sets.push(`${n}[${Number(v.values[1])}] = ${at}`);
		} else {
			sets.push(`${n} = ${at}`);
		}
		values[at] = toDynamoDB(given);
	}
	const expression = [sets.length ? `SET ${sets.join(', ')}` : '', removes.length ? `REMOVE ${removes.join(', ')}`
		: ''].filter(Boolean).join(' ');
	return clean({ operation: 'UpdateItem', key: toMapValues(key), update: clean({ expression,
		expressionNames: filled(names), expressionValues: filled(values) }), condition: cond(condition) });
}
