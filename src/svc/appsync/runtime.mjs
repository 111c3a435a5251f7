/*
 * Runs one step of a resolver or function: its request or its response handler. An event brings the code, the
 * context, and for a response what the data source gave; the answer is what the handler returned, what it left
 * in the stash, and the call that the data source is to be asked. Code is a module of its own, imported once.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { begin, finish, AppSyncError, EarlyReturn } from '@aws-appsync/utils';
import { callOf, resultOf } from '@aws-appsync/utils/dynamodb';

const FOLDER = '/tmp/code';
const MODULES_MAX = 2000;
const known = new Map();

mkdirSync(FOLDER, { recursive: true });
symlinkSync('/var/task/node_modules', `${FOLDER}/node_modules`);

function checkImports(code) {
	const wrong = /\b(?:import|export)\b[^;'"]*?['"]([^'"]+)['"]/g;
	for (let found; (found = wrong.exec(code));)
		if (!/^@aws-appsync\/utils(\/dynamodb)?$/.test(found[1]) && /\bfrom\b|^import\s*['"]/.test(found[0]))
			throw new SyntaxError(`Unable to import ${found[1]}.`);
}

async function load(code) {
	const name = createHash('sha256').update(code).digest('hex');
	if (known.has(name))
		return known.get(name);
	if (known.size >= MODULES_MAX)
		process.exit(0);
	checkImports(code);
	const file = `${FOLDER}/${name}.mjs`;
	writeFileSync(file, code);
	const module = await import(pathToFileURL(file).href);
	known.set(name, module);
	return module;
}

function plain(value) {
	if (value && typeof value.then === 'function')
		throw new TypeError('Handlers cannot be asynchronous.');
	return value === undefined ? null : value;
}

function faultOf(e) {
	if (e instanceof AppSyncError)
		return { message: e.message, type: e.type, data: e.data, info: e.info };
	return { message: String(e && e.message !== undefined ? e.message : e), type: 'Code' };
}

/* What another service gave, as the handler is to see it. */
function received(event, ctx) {
	const { source, request, output, failure } = event;
	ctx.prev = event.context.prev;
	ctx.result = null;
	ctx.error = null;
	if (failure)
		ctx.error = failure;
	if (source === 'AMAZON_DYNAMODB')
		ctx.result = resultOf(request, output, failure, event.table);
	else if (source === 'AWS_LAMBDA' && request && request.operation === 'BatchInvoke' && Array.isArray(output)) {
		const one = output[0] || {};
		ctx.result = one && typeof one === 'object' && ('data' in one || 'errorMessage' in one) ? one.data : one;
		if (one && one.errorMessage)
			ctx.error = { message: one.errorMessage, type: one.errorType || 'Lambda:Unhandled' };
	} else if (source === 'NONE')
		ctx.result = request === null || request === undefined ? null : 'payload' in request ? request.payload : null;
	else
		ctx.result = output;
}

function contextOf(event) {
	const ctx = event.context;
	ctx.args = ctx.arguments;
	ctx.stash = ctx.stash || {};
	ctx.outErrors = [];
	return ctx;
}

async function step(event) {
	const answer = {};
	if (event.step === 'check') {
		const module = await load(event.code);
		for (const name of event.handlers)
			if (typeof module[name] !== 'function')
				throw new SyntaxError(`The code has no function ${name}.`);
		return answer;
	}
	const ctx = contextOf(event);
	begin(event);
	try {
		if (event.step === 'response' && event.result === undefined)
			received(event, ctx);
		else if (event.result !== undefined)
			ctx.result = event.result;
		if (event.code) {
			const module = await load(event.code);
			answer.value = plain(module[event.handler](ctx));
		} else {
			/* Without code: the payload of a direct invocation, and its result. */
			answer.value = event.step === 'request' ? null : ctx.result;
		}
		if (event.step === 'request' && event.source === 'AMAZON_DYNAMODB')
			answer.call = callOf(answer.value, event.table);
	} catch (e) {
		if (e instanceof EarlyReturn)
			answer.early = { value: e.value, skipTo: e.skipTo };
		else
			answer.error = faultOf(e);
	}
	answer.stash = ctx.stash;
	const left = finish();
	if (left.errors.length)
		answer.errors = left.errors;
	if (left.filter)
		answer.filter = left.filter;
	if (left.headers)
		answer.headers = left.headers;
	return answer;
}

export async function handler(event) {
	try {
		return await step(event);
	} catch (e) {
		return { error: faultOf(e) };
	}
}
