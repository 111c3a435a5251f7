#include "lambda.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/credential.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "cloud/trace.h"
#include "cloud/vpc_path.h"
#include "pool.h"
#include "report.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include "traced.h"
#include <sys/stat.h>

#define INIT_LIMIT_US (INT64_C(10) * 1000000)
#define SESSION_MS (12 * MS_HOUR)
#define SAME_TRIES 3
#define READY_US (INT64_C(5) * 1000000)

/* Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1 */
str trace_header(arena *mem, str given)
{
	unsigned char r[20];
	if (given.n && given.n < 512)
		return given;
	rand_bytes(r, sizeof r);
	str root = hex_encode(mem, str_of((char *)r, 12)), parent = hex_encode(mem, str_of((char *)r + 12, 8));
	return arena_fmt(mem, "Root=1-%08llx-%.*s;Parent=%.*s;Sampled=0",
	                 (unsigned long long)(clock_now() / 1000), STR_ARG(root), STR_ARG(parent));
}

typedef struct session {
	arena *mem;
	const target *t;
	credential c;
} session;

static bool put_session(void *context, txn *tx)
{
	session *s = context;
	credential_put_session(tx, &s->c);
	return true;
}

/* The role's temporary credentials, as Lambda gives them to each environment. */
static err assume(arena *mem, store *s, const target *t, credential *out)
{
	const lambda_version *v = t->version;
	str role = v->Config->Role, rest = role, name = role;
	while (str_is(rest))
		name = str_cut(&rest, '/');
	int64_t now = clock_now();
	session made = { mem, t, {
		.AccessKey = access_key_new(mem, "ASIA", v->Account), .Secret = secret_key_new(mem),
		.Token = session_token_new(mem), .Account = v->Account, .Role = role, .Created = now,
		.Expires = now + SESSION_MS,
		.Arn = arena_fmt(mem, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR_ARG(v->Account), STR_ARG(name),
		                 STR_ARG(v->Name)),
		.UserId = arena_fmt(mem, "%.*s:%.*s", STR_ARG(unique_id_new(mem, "AROA")), STR_ARG(v->Name)),
	} };
	*out = made.c;
	return store_write(s, put_session, &made);
}

static void log_line(void *context, str line)
{
	environment_log(context, line);
}

static void daemon_document(void *context, str document)
{
	const environment *e = context;
	trace_segment_later(e->account, e->region, document);
}

static err layer_folders(arena *mem, const lambda_version *v, function_spec *spec)
{
	for (size_t i = 0; i < v->LayerCodes.n && spec->n_layers < SANDBOX_LAYERS_MAX; i++)
		TRY(code_folder(mem, v->LayerCodes.v[i], &spec->layers[spec->n_layers++]));
	return OK;
}

/* Programs in the extensions folders of what becomes /opt, by name; a later layer's replaces an earlier
 * one's. */
static err extension_programs(arena *mem, function_spec *spec)
{
	str folders[SANDBOX_LAYERS_MAX + 1], *list = arena_array(mem, str, SANDBOX_EXTRA_MAX);
	int n = 0, found = 0;
	if (spec->image)
		folders[n++] = path_join(mem, spec->code, S("opt/extensions"));
	for (int i = 0; i < spec->n_layers; i++)
		folders[n++] = path_join(mem, spec->layers[i], S("extensions"));
	for (int i = 0; i < n; i++) {
		str *names;
		size_t count;
		if (!file_exists(folders[i]) || dir_list(mem, folders[i], &names, &count))
			continue;
		for (size_t k = 0; k < count; k++) {
			struct stat st;
			str inside = arena_concat(mem, S("/opt/extensions/"), names[k]);
			bool known = false;
			for (int j = 0; j < found; j++)
				known = known || str_eq(list[j], inside);
			if (known || lstat(path_join(mem, folders[i], names[k]).p, &st) || !S_ISREG(st.st_mode))
				continue;
			if (found == SANDBOX_EXTRA_MAX)
				return fault_new(mem, &fault_syntax, "a function can have %d extensions", SANDBOX_EXTRA_MAX);
			list[found++] = inside;
		}
	}
	spec->extensions = list;
	spec->n_extensions = found;
	return OK;
}

/* A function in a VPC reaches what the rules there let it reach. */
static void place_in_vpc(arena *mem, const target *t, function_spec *spec)
{
	const lambda_VpcConfigResponse *v = t->version->Config->VpcConfig;
	if (!v || !v->SubnetIds.n)
		return;
	vpc_side side = { .account = t->version->Account, .region = t->version->Region,
		.subnets = v->SubnetIds.v, .n_subnets = v->SubnetIds.n, .groups = v->SecurityGroupIds.v,
		.n_groups = v->SecurityGroupIds.n, .resource = t->version->Config->FunctionArn };
	spec->judge = &vpc_judge;
	spec->about = vpc_about(mem, &side);
}

static err spec_of(arena *mem, store *s, const target *t, environment *e, function_spec *spec)
{
	const lambda_FunctionConfiguration *c = t->version->Config;
	credential role;
	*spec = (function_spec){
		.runtime = c->Runtime, .handler = c->Handler, .name = t->version->Name, .version = c->Version,
		.region = t->version->Region, .log_group = e->group, .log_stream = e->stream,
		.endpoint = server_endpoint(), .initialization = e->initialization, .memory_mb = c->MemorySize.v,
		.tmp_mb = c->EphemeralStorage->Size.v,
		.reach = REACH_LOOPBACK, .log = log_line, .segment = daemon_document, .log_context = e,
	};
	if (!t->version->Image)
		TRY(interpreter_find(mem, c->Runtime, &spec->interpreter));
	place_in_vpc(mem, t, spec);
	TRY(assume(mem, s, t, &role));
	spec->access_key = role.AccessKey;
	spec->secret_key = role.Secret;
	spec->session_token = role.Token;
	e->credentials_until = role.Expires;
	if (t->version->Image) {
		function_image *image = arena_new(mem, function_image);
		image_run(mem, t->version, image);
		spec->image = image;
		TRY(image_folder(mem, t->version, &spec->code));
	} else {
		TRY(code_folder(mem, t->version->Code, &spec->code));
	}
	TRY(layer_folders(mem, t->version, spec));
	TRY(extension_programs(mem, spec));
	size_t n = c->Environment ? c->Environment->Variables.n : 0;
	function_pair *pairs = arena_array(mem, function_pair, n + 3);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (function_pair){ c->Environment->Variables.v[i].key,
		                           c->Environment->Variables.v[i].value };
	if (e->json_log) {
		pairs[n++] = (function_pair){ S("AWS_LAMBDA_LOG_FORMAT"), S("JSON") };
		pairs[n++] = (function_pair){ S("AWS_LAMBDA_LOG_LEVEL"), c->LoggingConfig->ApplicationLogLevel };
	}
	spec->variables = pairs;
	spec->n_variables = n;
	return OK;
}

/*
 * Starts it. AWS gives initialisation ten seconds; when it takes longer or fails, it is begun once more
 * inside the invocation, with the function's own timeout.
 */
static err begin(arena *mem, store *s, const target *t, str request_id, environment *e, function_result *init)
{
	function_spec spec;
	TRY(spec_of(mem, s, t, e, &spec));
	report_init_start(e, t);
	TRY(function_start(mem, &spec, INIT_LIMIT_US, &e->fe, init));
	if (init->outcome == FUNCTION_OK)
		return OK;
	if (init->outcome == FUNCTION_HALTED)
		return OK;
	report_init(e, init, "init");
	if (e->provisioned)
		return OK; /* there is no invocation yet */
	spec.request_id = request_id;
	TRY(function_start(mem, &spec, t->version->Config->Timeout.v * 1000000, &e->fe, init));
	if (init->outcome != FUNCTION_OK)
		report_init(e, init, "invoke");
	return OK;
}

/* What AWS says of a timeout. */
static str timeout_payload(arena *mem, str id, int64_t timeout_s)
{
	return arena_fmt(mem, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: %.*s "
	                 "Error: Task "
	                 "timed out after %lld.00 seconds\"}", STR_ARG(id), (long long)timeout_s);
}

static void one_event(arena *mem, const target *t, const invocation *i, environment *e, function_result *r)
{
	int64_t limit_us = t->version->Config->Timeout.v * 1000000;
	rapi_event event = { .request_id = i->request_id, .arn = t->invoked_arn,
		.trace_id = traced_begin(mem, t, i, e), .client_context = i->client_context,
		.cognito_identity = STR_NONE, .payload = i->payload,
		.deadline_ms = clock_real() + limit_us / 1000 };
	report_start(e, t, i);
	function_stream_to(e->fe, i->sink);
	function_invoke(e->fe, mem, &event, clock_mono_us() + limit_us, r);
}

/* Meters and logs what has run, and fills in the answer. */
static void settle(arena *mem, const target *t, const invocation *i, environment *e, function_result *r,
                   const function_result *init, answer *out)
{
	int64_t timeout_s = t->version->Config->Timeout.v;
	if (r->outcome == FUNCTION_TIMEOUT) {
		r->payload = timeout_payload(mem, i->request_id, timeout_s);
		r->duration_us = timeout_s * 1000000;
		report_timeout(e, i, timeout_s);
	}
	report_end(e, t, i, r, init);
	report_usage(t, e, r, init);
	traced_end(mem, t, i, e, r, init);
	out->failed = r->outcome != FUNCTION_OK;
	out->payload = r->payload;
	out->content_type = r->content_type;
	out->streamed = r->streamed;
	out->duration_us = r->duration_us;
	out->log = e->tail ? arena_str(mem, str_of(e->tail, e->tail_n)) : STR_NONE;
	e->tail = NULL;
	e->tail_n = 0;
}

environment *environment_ready(arena *mem, store *s, const target *t, const char *initialization,
                               bool provisioned, str *why)
{
	function_result init;
	bool ended = true;
	environment *e = pool_make(t, initialization);
	e->provisioned = provisioned;
	err failed = begin(mem, s, t, S(""), e, &init);
	if (!failed && init.outcome == FUNCTION_OK && function_rest(e->fe, READY_US, &ended))
		return e;
	*why = failed ? failed->message : init.payload;
	e->provisioned = false;
	pool_drop(e);
	return NULL;
}

static void halted(environment *e, answer *out)
{
	out->refused = BROKEN;
	out->why = S("the server is stopping.");
	e->tail = NULL;
	pool_drop(e);
}

static bool cold(arena *mem, store *s, const target *t, const invocation *i, environment *e, answer *out)
{
	function_result init;
	err failed = begin(mem, s, t, i->request_id, e, &init);
	if (failed) {
		out->refused = BROKEN;
		out->why = failed->message;
		pool_drop(e);
		return false;
	}
	if (init.outcome == FUNCTION_HALTED) {
		halted(e, out);
		return false;
	}
	if (init.outcome != FUNCTION_OK) {
		/* The invocation ends with what initialisation said. */
		function_result r = init;
		r.ended = true;
		report_start(e, t, i);
		settle(mem, t, i, e, &r, NULL, out);
		pool_drop(e);
		return false;
	}
	function_result r;
	one_event(mem, t, i, e, &r);
	if (r.outcome == FUNCTION_HALTED) {
		halted(e, out);
		return false;
	}
	settle(mem, t, i, e, &r, &init, out);
	pool_give(e, r.ended);
	return true;
}

static void run(arena *mem, store *s, const target *t, const invocation *i, answer *out)
{
	char *tail = i->tail ? arena_bytes(mem, TAIL_BYTES) : NULL;
	environment *e;
	for (int tries = 0; tries < SAME_TRIES && (e = pool_take(t)); tries++) {
		function_result r;
		e->tail = tail;
		e->tail_n = 0;
		one_event(mem, t, i, e, &r);
		if (r.outcome == FUNCTION_GONE) { /* it died in its sleep; nobody has seen the event */
			e->tail = NULL;
			pool_drop(e);
			continue;
		}
		if (r.outcome == FUNCTION_HALTED) {
			halted(e, out);
			return;
		}
		settle(mem, t, i, e, &r, NULL, out);
		pool_give(e, r.ended);
		return;
	}
	e = pool_make(t, "on-demand");
	e->tail = tail;
	cold(mem, s, t, i, e, out);
}

void invoke_run(arena *mem, store *s, const target *t, const invocation *i, answer *out)
{
	invocation next = *i;
	*out = (answer){ .refused = RECURSIVE, .log = STR_NONE };
	if (lineage_loops(mem, t, i->trace_id)) {
		report_loop(t);
		return;
	}
	out->refused = pool_enter(t);
	if (out->refused != TAKEN) {
		report_throttle(t);
		return;
	}
	next.trace_id = lineage_next(mem, t, i->trace_id);
	run(mem, s, t, &next, out);
	pool_leave(t);
}

err invoke_refused(req *rq, const answer *a)
{
	lambda_TooManyRequestsException_error *detail = arena_new(rq->mem, lambda_TooManyRequestsException_error);
	if (a->refused == BROKEN)
		return fail(rq, &lambda_ServiceException, "The function could not be started: %.*s", STR_ARG(a->why));
	if (a->refused == RECURSIVE)
		return fail(rq, &lambda_RecursiveInvocationException,
		            "Lambda has detected your function being invoked in a recursive loop with other AWS "
		            "resources and stopped your function's invocation.");
	detail->Reason = a->refused == THROTTLED_RESERVED ? S("ReservedFunctionConcurrentInvocationLimitExceeded")
		: S("ConcurrentInvocationLimitExceeded");
	return fail_with(rq, &lambda_TooManyRequestsException, detail, "Rate Exceeded.");
}

err invoke_check(req *rq, str payload, bool async)
{
	size_t most = async ? LAMBDA_ASYNC_BYTES : LAMBDA_EVENT_BYTES;
	if (payload.n > most)
		return fail(rq, &lambda_RequestTooLargeException,
		            "%zu byte payload is too large for the %s invocation type (limit %zu bytes)", payload.n,
		            async ? "Event" : "RequestResponse", most);
	if (payload.n && !json_valid(payload))
		return fail(rq, &lambda_InvalidRequestContentException,
		            "Could not parse request body into json: Could not parse payload into json: "
		            "Unexpected character or end of input");
	return OK;
}

err invoke_context(req *rq, str encoded, str *out)
{
	*out = STR_NONE;
	if (!encoded.n)
		return OK;
	const json_value *v = base64_decode(rq->mem, encoded, out) ? json_parse(rq->mem, *out) : NULL;
	if (!v || v->kind != JSON_OBJECT)
		return fail(rq, &lambda_InvalidRequestContentException,
		            "Client context must be a valid Base64-encoded JSON object.");
	return OK;
}

err lambda_Invoke(req *rq, const lambda_Invoke_in *in, lambda_Invoke_out *out)
{
	target t;
	bool async = str_eq(in->InvocationType, S("Event"));
	const txn *tx = req_read(rq);
	err missing = target_find(rq, tx, in->FunctionName, in->Qualifier, &t);
	req_read_end(rq, tx);
	TRY(missing);
	TRY(invoke_check(rq, in->Payload, async));
	str payload = in->Payload.n ? in->Payload : S("{}");
	out->ExecutedVersion = t.version->Config->Version;
	if (str_eq(in->InvocationType, S("DryRun"))) {
		out->StatusCode = I64(204);
		return OK;
	}
	str trace = req_trace(rq);
	if (async) {
		TRY(async_take(rq, &t, payload, in->ClientContext, trace));
		out->StatusCode = I64(202);
		out->ExecutedVersion = STR_NONE;
		return OK;
	}
	invocation i = { .request_id = rq->id, .payload = payload, .client_context = STR_NONE,
		.trace_id = trace_header(rq->mem, trace), .tail = str_eq(in->LogType, S("Tail")) };
	TRY(invoke_context(rq, in->ClientContext, &i.client_context));
	answer a;
	invoke_run(rq->mem, rq->store, &t, &i, &a);
	if (a.refused != TAKEN)
		return invoke_refused(rq, &a);
	out->StatusCode = I64(200);
	out->ContentType = S("application/json");
	out->Payload = a.payload;
	if (a.failed)
		out->FunctionError = S("Unhandled");
	if (str_is(a.log))
		out->LogResult = base64_encode(rq->mem, a.log);
	return OK;
}

/* The oldest way to have a function run later: what Invoke does with the type Event. */
err lambda_InvokeAsync(req *rq, const lambda_InvokeAsync_in *in, lambda_InvokeAsync_out *out)
{
	target t;
	const txn *tx = req_read(rq);
	err missing = target_find(rq, tx, in->FunctionName, STR_NONE, &t);
	req_read_end(rq, tx);
	TRY(missing);
	TRY(invoke_check(rq, in->InvokeArgs, true));
	TRY(async_take(rq, &t, in->InvokeArgs.n ? in->InvokeArgs : S("{}"), STR_NONE, req_trace(rq)));
	out->Status = I64(202);
	return OK;
}
