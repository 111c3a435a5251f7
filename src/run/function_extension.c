/*
 * The Extensions API: programs beside the runtime that hear of every invocation and of the end. They register
 * before the runtime starts; an environment rests when all of them have asked for their next event.
 */
#include "run/function_parts.h"
#include "base/json.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <stdlib.h>
#include <sys/wait.h>

#define EVENT_BYTES ((size_t)16 << 10)

static extension *by_id(const function_env *env, const char *id)
{
	for (int i = 0; env->ext && i < env->ext->n; i++)
		if (strcmp(env->ext->v[i].id, id) == 0)
			return &env->ext->v[i];
	return NULL;
}

static void put(buf *b, const char *name, str value)
{
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', name);
	json_put_string(b, value);
}

/* "events" of its registration. False: there is one that it cannot have. */
static bool read_events(function_env *env, connection *c, extension *x)
{
	const json_value *events = json_get(json_parse(env->mem, buf_str(&c->body)), S("events"));
	for (const json_value *e = events ? events->first : NULL; e; e = e->next) {
		if (str_eq(e->text, S("INVOKE")))
			x->invoke = true;
		else if (str_eq(e->text, S("SHUTDOWN")) && !x->internal)
			x->shutdown = true;
		else
			return false;
	}
	return true;
}

static void register_one(function_env *env, connection *c, int64_t until_us)
{
	extensions *all = env->ext;
	/* The first may be a part of the runtime: there was nothing to be started. */
	if (!all)
		all = env->ext = calloc(1, sizeof *all);
	ensure(all);
	if (!env->mem || !c->id[0] || all->n == SANDBOX_EXTRA_MAX * 2 || env->initialised) {
		function_refuse(env, c, 403, "Extension.InvalidExtensionState", "Extension cannot register now",
		                until_us);
		return;
	}
	extension *x = &all->v[all->n];
	*x = (extension){ .internal = all->external == all->expected };
	if (!read_events(env, c, x)) {
		function_refuse(env, c, 400, "Extension.InvalidEventType", "Invalid event type", until_us);
		return;
	}
	memcpy(x->name, c->id, sizeof x->name - 1);
	str id = rand_uuid(env->scratch);
	memcpy(x->id, id.p, sizeof x->id - 1);
	all->n++;
	all->external += !x->internal;
	buf body = buf_in(env->scratch, 512, EVENT_BYTES), b = buf_in(env->scratch, 1024, EVENT_BYTES);
	put(&body, "functionName", str_c(all->function));
	put(&body, "functionVersion", str_c(all->version));
	put(&body, "handler", str_c(all->handler));
	buf_c(&body, '}');
	rapi_put_json(&b, "Lambda-Extension-Identifier", str_c(x->id), buf_str(&body));
	function_send(env, c, &b, until_us);
}

static void set_error(extensions *x, const char *type)
{
	size_t n = strlen(type);
	n = n < sizeof x->error_type ? n : sizeof x->error_type - 1;
	memcpy(x->error_type, type, n);
	x->error_type[n] = '\0';
}

static void report_failure(function_env *env, connection *c, const char *type, int64_t until_us)
{
	buf b = buf_in(env->scratch, 512, EVENT_BYTES);
	if (!env->ext->leaving) {
		set_error(env->ext, c->error_type[0] ? c->error_type : type);
		env->ended = true;
	}
	rapi_put_accepted(&b);
	function_send(env, c, &b, until_us);
}

static void refuse_telemetry(function_env *env, connection *c, int64_t until_us)
{
	str why = S("{\"errorMessage\":\"Telemetry API is not "
	            "supported\",\"errorType\":\"Telemetry.NotSupported\"}");
	buf b = buf_in(env->scratch, 512, EVENT_BYTES);
	buf_fmt(&b, "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	        why.n);
	buf_put(&b, why);
	function_send(env, c, &b, until_us);
}

bool function_extension_act(function_env *env, connection *c, int64_t until_us)
{
	rapi_kind kind = c->request.kind;
	if (kind == RAPI_REGISTER) {
		register_one(env, c, until_us);
		return true;
	}
	if (kind != RAPI_EXTENSION_NEXT && kind != RAPI_EXTENSION_INIT_ERROR &&
	    kind != RAPI_EXTENSION_EXIT_ERROR &&
	    kind != RAPI_TELEMETRY)
		return false;
	extension *x = by_id(env, c->id);
	if (!x) {
		function_refuse(env, c, 403, "Extension.UnknownExtensionIdentifier", "Unknown extension", until_us);
	} else if (kind == RAPI_TELEMETRY) {
		/* As AWS's own tools for running functions locally answer. */
		refuse_telemetry(env, c, until_us);
	} else if (kind == RAPI_EXTENSION_NEXT) {
		c->waits = true;
		c->extension = (int)(x - env->ext->v) + 1;
	} else {
		report_failure(env, c, kind == RAPI_EXTENSION_INIT_ERROR ? "Extension.InitError"
		               : "Extension.ExitError",
		               until_us);
	}
	return true;
}

static bool asks(const function_env *env, int number)
{
	for (int i = 0; i < env->n; i++)
		if (env->connections[i].fd >= 0 && env->connections[i].waits &&
		    env->connections[i].extension == number)
			return true;
	return false;
}

bool function_extensions_registered(const function_env *env)
{
	return !env->ext || env->ext->external >= env->ext->expected;
}

bool function_extensions_rest(const function_env *env)
{
	for (int i = 0; env->ext && i < env->ext->n; i++)
		if (!asks(env, i + 1))
			return false;
	return function_extensions_registered(env);
}

bool function_extension_failed(function_env *env)
{
	int status;
	if (!env->ext || env->ext->leaving)
		return false;
	if (!env->ext->error_type[0] && sandbox_extra_ended(env->sb, &status))
		set_error(env->ext, "Extension.Crash");
	return env->ext->error_type[0] != 0;
}

static void send_event(function_env *env, int number, const buf *body, int64_t until_us)
{
	for (int i = 0; i < env->n; i++) {
		connection *c = &env->connections[i];
		if (c->fd < 0 || !c->waits || c->extension != number)
			continue;
		buf b = buf_in(env->scratch, 2048, EVENT_BYTES * 2);
		rapi_put_json(&b, "Lambda-Extension-Event-Identifier", rand_uuid(env->scratch), buf_str(body));
		c->waits = false;
		c->extension = 0;
		if (!function_send(env, c, &b, until_us))
			function_disconnect(c);
		return;
	}
}

void function_extensions_invoke(function_env *env, const rapi_event *e, int64_t until_us)
{
	for (int i = 0; env->ext && i < env->ext->n; i++) {
		if (!env->ext->v[i].invoke)
			continue;
		buf b = buf_in(env->mem, 1024, EVENT_BYTES);
		put(&b, "eventType", S("INVOKE"));
		buf_fmt(&b, ",\"deadlineMs\":%lld", (long long)e->deadline_ms);
		put(&b, "requestId", e->request_id);
		put(&b, "invokedFunctionArn", e->arn);
		buf_put(&b, S(",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":"));
		json_put_string(&b, e->trace_id);
		buf_put(&b, S("}}"));
		send_event(env, i + 1, &b, until_us);
	}
}

bool function_extensions_shutdown(function_env *env, const char *reason, int64_t until_us)
{
	bool nobody = true;
	env->ext->leaving = true;
	for (int i = 0; i < env->ext->n; i++) {
		if (!env->ext->v[i].shutdown)
			continue;
		arena *mem = arena_open(1024);
		buf b = buf_in(mem, 256, EVENT_BYTES);
		put(&b, "eventType", S("SHUTDOWN"));
		put(&b, "shutdownReason", str_c(reason));
		buf_fmt(&b, ",\"deadlineMs\":%lld}", (long long)(clock_real() + (until_us - clock_mono_us()) / 1000));
		send_event(env, i + 1, &b, until_us);
		arena_close(mem);
		nobody = false;
	}
	return nobody;
}
