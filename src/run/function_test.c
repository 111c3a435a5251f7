#include "run/function.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)

typedef struct log_lines {
	arena *mem;
	buf text;
} log_lines;

static void note(void *context, str line)
{
	log_lines *l = context;
	buf_put(&l->text, line);
	buf_c(&l->text, '|');
}

typedef struct bench {
	arena *mem;
	str folder;
	log_lines log;
	function_spec spec;
	function_env *env;
	function_result init;
} bench;

static bench prepare(arena *mem, const char *runtime, const char *handler)
{
	char name[] = "/tmp/farthing-function-XXXXXX";
	if (!sandbox_probe().possible)
		SKIP("this machine gives us no namespaces");
	ensure(mkdtemp(name));
	chmod(name, 0755);
	bench b = { .mem = mem, .folder = arena_str(mem, str_c(name)) };
	CHECK_OK(interpreter_start(path_join(mem, b.folder, S("runtime"))));
	str code = path_join(mem, b.folder, S("code"));
	CHECK_OK(dir_make(mem, code, 0755));
	b.log.text = buf_in(mem, 1024, 1 << 20);
	b.spec = (function_spec){
		.runtime = str_c(runtime), .handler = str_c(handler), .name = S("f"), .version = S("$LATEST"),
		.region = S("us-east-1"), .log_group = S("/aws/lambda/f"), .log_stream = S("s"), .code = code,
		.memory_mb = 128, .tmp_mb = 512, .reach = REACH_NOTHING, .log = note,
	};
	if (interpreter_find(mem, b.spec.runtime, &b.spec.interpreter))
		SKIP("the interpreter is not installed");
	return b;
}

static void code(bench *b, const char *name, const char *text, unsigned mode)
{
	CHECK_OK(file_write(b->mem, path_join(b->mem, b->spec.code, str_c(name)), str_c(text), mode));
}

static void start(bench *b)
{
	b->spec.log_context = &b->log;
	CHECK_OK(function_start(b->mem, &b->spec, 10 * SECOND, &b->env, &b->init));
}

static function_result invoke(bench *b, const char *payload, int64_t limit_us)
{
	function_result r;
	bool ended;
	rapi_event e = { .request_id = S("8476a536-e9f4-11e8-9739-2dfe598c3fcd"), .payload = str_c(payload),
		.arn = S("arn:aws:lambda:us-east-1:000000000000:function:f"),
		.deadline_ms = clock_real() + limit_us / 1000 };
	function_invoke(b->env, b->mem, &e, clock_mono_us() + limit_us, &r);
	if (!r.ended)
		CHECK(function_rest(b->env, SECOND, &ended));
	return r;
}

static void finish(bench *b)
{
	function_stop(b->env);
	sandbox_drain();
	CHECK_OK(dir_remove(b->mem, b->folder));
}

TEST(function_python_answers)
{
	bench b = prepare(mem, "python3.11", "app.handler");
	code(&b, "app.py",
	     "import os\n"
	     "print('loaded')\n"
	     "n = 0\n"
	     "def handler(event, context):\n"
	     "    global n\n"
	     "    n += 1\n"
	     "    print('one\\ntwo')\n"
	     "    left = context.get_remaining_time_in_millis()\n"
	     "    return {'n': n, 'twice': event['x'] * 2, 'left': 0 < left <= 3000, 'pid': os.getpid(),\n"
	     "            'memory': context.memory_limit_in_mb, 'uid': os.getuid(), 'cwd': os.getcwd()}\n", 0644);
	start(&b);
	CHECK_I64(b.init.outcome, FUNCTION_OK);
	function_result r = invoke(&b, "{\"x\": 21}", 3 * SECOND);
	CHECK_I64(r.outcome, FUNCTION_OK);
	CHECK(str_starts(r.payload, S("{\"n\": 1, \"twice\": 42, \"left\": true, \"pid\": 2, \"memory\": \"128\"")));
	r = invoke(&b, "{\"x\": \"a\"}", 3 * SECOND);
	CHECK(str_starts(r.payload, S("{\"n\": 2, \"twice\": \"aa\"")));
	CHECK(r.peak_bytes > 0 && r.peak_bytes <= 128 << 20);
	CHECK_STR(buf_str(&b.log.text), S("loaded|one|two|one|two|"));
	finish(&b);
}
