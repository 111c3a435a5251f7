/*
 * Environments for JavaScript: one Node.js each, which is given one step of a resolver at a time. Code of two
 * APIs never meets in one. What has not been used for ten minutes ends.
 */
#include "appsync.h"
#include "base/embed.h"
#include "cloud/server.h"
#include "run/function.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "sys/rand.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#define LIVE_MAX 48
#define IDLE_US (INT64_C(600) * 1000000)
#define START_US (INT64_C(30) * 1000000)
#define STEP_US (INT64_C(10) * 1000000)
#define REST_US (INT64_C(2) * 1000000)

EMBED(appsync_runtime, "src/svc/appsync/runtime.mjs");
EMBED(appsync_utils, "src/svc/appsync/utils.mjs");
EMBED(appsync_dynamodb, "src/svc/appsync/dynamodb.mjs");

typedef struct script {
	struct script *next;
	arena *mem;
	str api;
	function_env *env;
	int64_t idle_since_us;
} script;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t fewer;
	script *idle;
	int live;
	bool running;
	str folder;
	arena *mem;
	pool *watcher;
} scripts = { .lock = PTHREAD_MUTEX_INITIALIZER, .fewer = PTHREAD_COND_INITIALIZER };

static void end(script *s)
{
	if (s->env)
		function_stop(s->env);
	arena_close(s->mem);
	pthread_mutex_lock(&scripts.lock);
	scripts.live--;
	pthread_cond_broadcast(&scripts.fewer);
	pthread_mutex_unlock(&scripts.lock);
}

static void end_all(script *list)
{
	for (script *next; list; list = next) {
		next = list->next;
		end(list);
	}
}

/* Holds the lock. Takes out what is of the API (STR_NONE: of all) and was idle before `before_us`. */
static script *cut(str api, int64_t before_us, bool first)
{
	script *out = NULL;
	for (script **at = &scripts.idle; *at;) {
		script *s = *at;
		if ((str_is(api) && !str_eq(s->api, api)) || s->idle_since_us > before_us) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		s->next = out;
		out = s;
		if (first)
			return out;
	}
	return out;
}

static void nothing(void *context, str line)
{
	(void)context;
	(void)line;
}

static bool begin(script *s, arena *mem, const req *rq, str *why)
{
	static const char *const versions[] = { "nodejs22.x", "nodejs20.x", "nodejs18.x", "nodejs24.x" };
	function_spec spec = { .runtime = S("nodejs20.x"), .handler = S("runtime.handler"), .name = S("appsync"),
		.version = S("$LATEST"), .region = rq->region, .log_group = S("/aws/appsync"),
		.log_stream = S("appsync"), .access_key = S(""), .secret_key = S(""), .session_token = S(""),
		.endpoint = S(""), .code = scripts.folder, .memory_mb = 256, .tmp_mb = 64, .reach = REACH_NOTHING,
		.log = nothing };
	function_result init;
	err failed = NULL;
	for (size_t i = 0; i < sizeof versions / sizeof *versions && !spec.interpreter; i++)
		failed = interpreter_find(mem, str_c(versions[i]), &spec.interpreter);
	if (spec.interpreter)
		failed = function_start(mem, &spec, START_US, &s->env, &init);
	bool ended;
	if (!failed && init.outcome == FUNCTION_OK && function_rest(s->env, REST_US, &ended))
		return true;
	*why = failed ? failed->message : init.outcome == FUNCTION_OK ? S("Node.js does not come to rest.")
		: init.payload;
	return false;
}

/* One that is idle, or a new one. NULL: there are too many, and none ended in time. */
static script *take(str api, int64_t until_us)
{
	script *s = NULL;
	pthread_mutex_lock(&scripts.lock);
	while (scripts.running && !s) {
		if ((s = cut(api, INT64_MAX, true)))
			break;
		if (scripts.live >= LIVE_MAX && scripts.idle) { /* of another API: it makes room */
			script *other = cut(STR_NONE, INT64_MAX, true);
			pthread_mutex_unlock(&scripts.lock);
			end(other);
			pthread_mutex_lock(&scripts.lock);
		} else if (scripts.live < LIVE_MAX) {
			arena *mem = arena_open(1024);
			s = arena_new(mem, script);
			s->mem = mem;
			s->api = arena_str(mem, api);
			scripts.live++;
		} else if (clock_mono_us() > until_us) {
			break;
		} else {
			int64_t at = clock_real() + 200;
			struct timespec until = { at / 1000, at % 1000 * 1000000 };
			pthread_cond_timedwait(&scripts.fewer, &scripts.lock, &until);
		}
	}
	pthread_mutex_unlock(&scripts.lock);
	return s;
}

static void give(script *s, bool ended)
{
	if (!ended && function_rest(s->env, REST_US, &ended) && !ended) {
		s->idle_since_us = clock_mono_us();
		pthread_mutex_lock(&scripts.lock);
		bool kept = scripts.running;
		if (kept) {
			s->next = scripts.idle;
			scripts.idle = s;
			pthread_cond_broadcast(&scripts.fewer);
		}
		pthread_mutex_unlock(&scripts.lock);
		if (kept)
			return;
	}
	end(s);
}

/* What is said of a step that has not ended well. */
static str failure(function_outcome o)
{
	switch (o) {
	case FUNCTION_TIMEOUT:
		return S("Code evaluation timed out.");
	case FUNCTION_OUT_OF_MEMORY:
		return S("Code evaluation used too much memory.");
	case FUNCTION_TOO_LARGE:
		return S("The result of the code is too large.");
	case FUNCTION_HALTED:
		return S("The server is stopping.");
	default:
		return S("Code evaluation failed.");
	}
}

bool script_run(arena *mem, const req *rq, str api, str event, int64_t until_us, str *answer, str *why)
{
	for (int tries = 0; tries < 3; tries++) {
		script *s = take(api, until_us);
		if (!s) {
			*why = S("Too many resolvers run at once.");
			return false;
		}
		if (!s->env && !begin(s, mem, rq, why)) {
			end(s);
			return false;
		}
		int64_t now = clock_mono_us(), until = until_us - now < STEP_US ? until_us : now + STEP_US;
		rapi_event e = { .request_id = rand_uuid(mem), .arn = S("arn:aws:lambda:us-east-1:000000000000:"
		                 "function:appsync"), .trace_id = S("Root=1-00000000-000000000000000000000000"),
			.client_context = STR_NONE, .cognito_identity = STR_NONE, .payload = event,
			.deadline_ms = clock_real() + STEP_US / 1000 };
		function_result r;
		function_invoke(s->env, mem, &e, until > now ? until : now + 1, &r);
		give(s, r.ended || r.outcome != FUNCTION_OK);
		if (r.outcome == FUNCTION_GONE)
			continue;
		*answer = r.payload;
		*why = failure(r.outcome);
		return r.outcome == FUNCTION_OK;
	}
	*why = S("Node.js ends at once.");
	return false;
}

typedef struct forgetting {
	arena *mem;
	str api;
} forgetting;

static void forget(void *context)
{
	forgetting *f = context;
	pthread_mutex_lock(&scripts.lock);
	script *gone = cut(f->api, INT64_MAX, false);
	pthread_mutex_unlock(&scripts.lock);
	end_all(gone);
	arena_close(f->mem);
}

void script_forget(txn *tx, str api)
{
	arena *mem = arena_open(256);
	forgetting *f = arena_new(mem, forgetting);
	*f = (forgetting){ mem, arena_str(mem, api) };
	txn_on_commit(tx, forget, f);
}

static void watch(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&scripts.lock);
	while (scripts.running) {
		int64_t at = clock_real() + 5000;
		struct timespec until = { at / 1000, at % 1000 * 1000000 };
		pthread_cond_timedwait(&scripts.fewer, &scripts.lock, &until);
		script *gone = cut(STR_NONE, clock_mono_us() - IDLE_US, false);
		pthread_mutex_unlock(&scripts.lock);
		end_all(gone);
		pthread_mutex_lock(&scripts.lock);
	}
	pthread_mutex_unlock(&scripts.lock);
}

static err put_file(arena *mem, str folder, const char *name, str bytes)
{
	return file_write(mem, path_join(mem, folder, str_c(name)), bytes, 0644);
}

/* What the sandbox sees as its code: ours, and the modules that resolvers import. */
static err write_code(arena *mem, str folder)
{
	str modules = path_join(mem, folder, S("node_modules/@aws-appsync/utils"));
	TRY(dir_remove(mem, folder));
	TRY(dir_make(mem, modules, 0755));
	TRY(put_file(mem, folder, "runtime.mjs", EMBED_STR(appsync_runtime)));
	TRY(put_file(mem, modules, "package.json", S("{\"name\":\"@aws-appsync/utils\",\"type\":\"module\","
	             "\"exports\":{\".\":\"./index.mjs\",\"./dynamodb\":\"./dynamodb.mjs\"}}")));
	TRY(put_file(mem, modules, "index.mjs", EMBED_STR(appsync_utils)));
	return put_file(mem, modules, "dynamodb.mjs", EMBED_STR(appsync_dynamodb));
}

static err start(store *s, str data_folder)
{
	(void)s;
	scripts.mem = arena_open(1024);
	scripts.folder = path_join(scripts.mem, data_folder, S("appsync"));
	arena *mem = arena_open(4096);
	err failed = write_code(mem, scripts.folder);
	if (failed)
		return failed; /* its message lives in `mem` */
	arena_close(mem);
	scripts.running = true;
	scripts.watcher = pool_open(1);
	pool_run(scripts.watcher, watch, NULL);
	return OK;
}

static void stop(void)
{
	pthread_mutex_lock(&scripts.lock);
	scripts.running = false;
	script *all = cut(STR_NONE, INT64_MAX, false);
	pthread_cond_broadcast(&scripts.fewer);
	pthread_mutex_unlock(&scripts.lock);
	end_all(all);
	pool_close(scripts.watcher);
	sandbox_drain();
	arena_close(scripts.mem);
}
SERVER_PART(appsync_scripts, start, stop);
