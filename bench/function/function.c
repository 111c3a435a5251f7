/*
 * What running a function costs, in one run and one sandbox: the bare interpreter from clone to its end,
 * a cold start from nothing to the first request for an event, a warm invocation with freezing, and the
 * kernel's part of that (thaw and freeze alone).
 *
 *     build/bench-function [COLD [WARM]]
 */
#include "run/function.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)
#define MOST 200000

static int64_t samples[MOST];

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static int64_t show(const char *what, int64_t n)
{
	qsort(samples, (size_t)n, sizeof *samples, by_size);
	printf("  %-46s %8lld %8lld %8lld\n", what, (long long)samples[0], (long long)samples[n / 2],
	       (long long)samples[n * 99 / 100]);
	return samples[n / 2];
}

static void must(err e)
{
	if (e) {
		fprintf(stderr, "%.*s\n", STR_ARG(e->message));
		exit(1);
	}
}

/* The interpreter alone, doing nothing, from clone to its end. */
static int64_t bare(arena *mem, const interpreter *it, const char *code, int64_t n)
{
	const char *python[] = { it->path.p, "-c", "pass", NULL }, *node[] = { it->path.p, "-e", "0", NULL };
	const char *env[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL };
	for (int i = 0; i < n; i++) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
		sandbox_spec s = { .argv = it->python ? python : node, .env = env, .directory = "/",
			.memory_bytes = 512 << 20, .tmp_bytes = 512 << 20, .pids = 100, .files = 1024, .output = null };
		s.binds[s.n_binds++] = (sandbox_bind){ code, "/var/task" };
		if (it->prefix.n)
			s.binds[s.n_binds++] = (sandbox_bind){ it->prefix.p, it->prefix.p };
		sandbox *sb;
		int64_t begun = clock_mono_us();
		must(sandbox_open(mem, &s, &sb));
		while (!sandbox_ended(sb, &status))
			poll(&(struct pollfd){ sandbox_end_fd(sb), POLLIN, 0 }, 1, -1);
		samples[i] = clock_mono_us() - begun;
		sandbox_close(sb);
		sandbox_drain();
		close(null);
	}
	return show("bare interpreter in the sandbox, to its end", n);
}

static void drop(void *context, str line)
{
	(void)context;
	(void)line;
}

static function_env *cold(arena *mem, const function_spec *spec, int64_t n, int64_t against)
{
	function_env *env = NULL;
	function_result init;
	for (int i = 0; i < n; i++) {
		function_stop(env);
		sandbox_drain();
		must(function_start(mem, spec, 10 * SECOND, &env, &init));
		if (!env) {
			fprintf(stderr, "%.*s\n", STR_ARG(init.payload));
			exit(1);
		}
		samples[i] = init.duration_us;
	}
	int64_t p50 = show("cold start, to the first request for an event", n);
	printf("  %-46s %8s %5lld.%02lld\n", "  against the bare interpreter", "", (long long)(p50 / against),
	       (long long)(p50 * 100 / against % 100));
	return env;
}

static void warm(function_env *env, int64_t n)
{
	arena *mem = arena_open(65536);
	for (int i = 0; i < n; i++) {
		rapi_event e = { .request_id = S("8476a536-e9f4-11e8-9739-2dfe598c3fcd"), .payload = S("{\"x\": 1}"),
			.arn = S("arn:aws:lambda:us-east-1:000000000000:function:f"),
			.deadline_ms = clock_real() + 3000 };
		function_result r;
		bool ended;
		int64_t begun = clock_mono_us();
		function_invoke(env, mem, &e, begun + 3 * SECOND, &r);
		samples[i] = clock_mono_us() - begun;
		if (r.outcome != FUNCTION_OK || !function_rest(env, SECOND, &ended)) {
			fprintf(stderr, "%.*s\n", STR_ARG(r.payload));
			exit(1);
		}
		arena_reset(mem);
	}
	show("warm invocation, thaw to answer", n);
}

static void language(arena *mem, const char *runtime, const char *file, const char *text,
                     int64_t n_cold, int64_t n_warm)
{
	char name[] = "/tmp/farthing-bench-XXXXXX";
	ensure(mkdtemp(name));
	chmod(name, 0755);
	str folder = arena_str(mem, str_c(name)), code = path_join(mem, folder, S("code"));
	must(interpreter_start(path_join(mem, folder, S("run"))));
	must(dir_make(mem, code, 0755));
	must(file_write(mem, path_join(mem, code, str_c(file)), str_c(text), 0644));
	function_spec spec = { .runtime = str_c(runtime), .handler = S("app.handler"), .name = S("f"),
		.version = S("$LATEST"), .region = S("us-east-1"), .code = code, .memory_mb = 1769, .tmp_mb = 512,
		.log = drop };
	must(interpreter_find(mem, spec.runtime, &spec.interpreter));
	printf("%s (%.*s), microseconds%26s %8s %8s\n", runtime, STR_ARG(spec.interpreter->version), "least",
	       "median", "p99");
	int64_t against = bare(mem, spec.interpreter, code.p, n_cold);
	function_env *env = cold(mem, &spec, n_cold, against);
	warm(env, n_warm);
	function_stop(env);
	sandbox_drain();
	must(dir_remove(mem, folder));
}

int main(int argc, char **argv)
{
	int64_t n_cold = 40, n_warm = 4000;
	if ((argc > 1 && !str_to_i64(str_c(argv[1]), &n_cold)) || (argc > 2 &&
	                                                           !str_to_i64(str_c(argv[2]), &n_warm)))
		return 2;
	arena *mem = arena_open(65536);
	if (n_cold < 1 || n_warm < 1 || n_cold > MOST || n_warm > MOST)
		return 2;
	printf("%s\n%s\n", sandbox_probe().namespaces, cgroup_describe());
	language(mem, "python3.11", "app.py", "def handler(event, context):\n    return event\n", n_cold, n_warm);
	language(mem, "nodejs20.x", "app.js", "exports.handler = async (event) => event;\n", n_cold, n_warm);
	arena_close(mem);
	return 0;
}
