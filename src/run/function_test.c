#include "run/function.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
	CHECK(str_starts(r.payload, S("{\"n\": 1, \"twice\": 42, \"left\": true, \"pid\": 2, "
	                              "\"memory\": \"128\"")));
	r = invoke(&b, "{\"x\": \"a\"}", 3 * SECOND);
	CHECK(str_starts(r.payload, S("{\"n\": 2, \"twice\": \"aa\"")));
	CHECK(r.peak_bytes > 0 && r.peak_bytes <= 128 << 20);
	CHECK_STR(buf_str(&b.log.text), S("loaded|one|two|one|two|"));
	finish(&b);
}

TEST(function_python_faults)
{
	bench b = prepare(mem, "python3.11", "app.handler");
	code(&b, "app.py",
	     "import os, time\n"
	     "def handler(event, context):\n"
	     "    if event == 'raise': raise KeyError('body')\n"
	     "    if event == 'slow': time.sleep(9)\n"
	     "    os._exit(3)\n", 0644);
	start(&b);
	function_result r = invoke(&b, "\"raise\"", 3 * SECOND);
	CHECK_I64(r.outcome, FUNCTION_ERROR);
	CHECK_STR(r.error_type, S("KeyError"));
	CHECK(!r.ended);
	CHECK(str_starts(buf_str(&b.log.text), S("[ERROR] KeyError: 'body'\nTraceback (most recent "
	                                         "call last):\n")));
	r = invoke(&b, "1", 3 * SECOND);
	CHECK_I64(r.outcome, FUNCTION_EXITED);
	CHECK(r.ended);
	CHECK_STR(r.payload, S("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: "
	                       "8476a536-e9f4-11e8-"
	                       "9739-2dfe598c3fcd Error: Runtime exited with error: exit status 3\"}"));
	r = invoke(&b, "1", 3 * SECOND);
	CHECK_I64(r.outcome, FUNCTION_GONE);
	function_stop(b.env);
	start(&b);
	int64_t begun = clock_mono_us();
	r = invoke(&b, "\"slow\"", SECOND / 5);
	CHECK_I64(r.outcome, FUNCTION_TIMEOUT);
	CHECK(clock_mono_us() - begun < 2 * SECOND);
	finish(&b);
}

TEST(function_init_failures)
{
	bench b = prepare(mem, "python3.11", "app.handler");
	code(&b, "app.py", "import not_there\n", 0644);
	start(&b);
	CHECK(!b.env);
	CHECK_I64(b.init.outcome, FUNCTION_ERROR);
	CHECK_STR(b.init.error_type, S("Runtime.ImportModuleError"));
	code(&b, "app.py", "import time\ntime.sleep(9)\n", 0644);
	b.spec.log_context = &b.log;
	CHECK_OK(function_start(mem, &b.spec, SECOND / 5, &b.env, &b.init));
	CHECK_I64(b.init.outcome, FUNCTION_TIMEOUT);
	finish(&b);
}

TEST(function_memory_limit)
{
	bench b = prepare(mem, "python3.11", "app.handler");
	code(&b, "app.py",
	     "def handler(event, context):\n"
	     "    if event == 'tmp':\n"
	     "        with open('/tmp/x', 'wb') as f:\n"
	     "            for _ in range(300): f.write(bytes(1 << 20))\n"
	     "        return 'written'\n"
	     "    kept = []\n"
	     "    while True: kept.append(bytearray(1 << 20))\n", 0644);
	b.spec.memory_mb = 192;
	start(&b);
	CHECK_I64(b.init.outcome, FUNCTION_OK);
	function_result r = invoke(&b, "\"tmp\"", 100 * SECOND);
	CHECK_I64(r.outcome, FUNCTION_OK);
	CHECK_STR(r.payload, S("\"written\""));
	r = invoke(&b, "1", 100 * SECOND);
	CHECK_I64(r.outcome, FUNCTION_OUT_OF_MEMORY);
	finish(&b);
}

TEST(function_reaches_what_it_is_given)
{
	bench b = prepare(mem, "python3.11", "app.handler");
	if (!sandbox_probe().private_network)
		SKIP("functions share the machine's network here");
	code(&b, "app.py",
	     "import socket\n"
	     "def handler(port, context):\n"
	     "    def tried(address):\n"
	     "        try: s = socket.create_connection(address, 2)\n"
	     "        except OSError as e: return type(e).__name__\n"
	     "        return 'outside' if s.getpeername() == address else 'elsewhere'\n"
	     "    inside = socket.create_server(('127.0.0.1', 8080))\n"
	     "    return [tried(('127.9.8.7', port)), tried(('127.0.0.1', 8080)), tried(('192.0.2.1', "
	     "80))]\n", 0644);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f090807) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 4) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	const char *port = arena_fmt(mem, "%d", ntohs(a.sin_port)).p;
	start(&b);
	CHECK_STR(invoke(&b, port, 9 * SECOND).payload,
	          S("[\"ConnectionRefusedError\", \"outside\", \"OSError\"]"));
	function_stop(b.env);
	b.spec.reach = REACH_LOOPBACK;
	start(&b);
	CHECK_STR(invoke(&b, port, 9 * SECOND).payload, S("[\"outside\", \"outside\", \"OSError\"]"));
	close(fd);
	finish(&b);
}

/* What the judge of the next test has been told; the connection's own thread tells it. */
static struct {
	_Atomic int64_t sent, received;
} told;

/* Ports of the last digit: 1 is dropped, 2 asked, 3 counted. */
static sandbox_verdict judged(const char *about, const char *address, int port, char path[SANDBOX_PATH_MAX])
{
	ensure(str_eq(str_c(about), S("who")) && str_eq(str_c(address), S("127.9.8.7")));
	strcpy(path, "way");
	return port % 10 == 1 ? PATH_DROPPED : port % 10 == 2 ? PATH_ASKED : PATH_COUNTED;
}

static sandbox_verdict heard(const char *about, const char *bytes, size_t n, bool is_all,
                             char path[SANDBOX_PATH_MAX])
{
	(void)about, (void)is_all, (void)path;
	return n < 4 ? PATH_ASKED : bytes[0] == 'g' ? PATH_COUNTED : PATH_DROPPED;
}

static void carried(const char *path, int64_t sent, int64_t received)
{
	ensure(str_eq(str_c(path), S("way")));
	told.sent += sent;
	told.received += received;
}

/* A listener whose port ends in this digit, which answers "yes" to all that come until it is closed. */
static int listening(int digit, int *port)
{
	for (int p = 20000 + digit; p < 30000; p += 10) {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f090807),
			.sin_port = htons((uint16_t)p) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 4) == 0) {
			*port = p;
			return fd;
		}
		close(fd);
	}
	return -1;
}

static void *say_yes(void *listener)
{
	char bytes[64];
	for (int fd; (fd = accept(*(int *)listener, NULL, NULL)) >= 0; close(fd)) {
		while (read(fd, bytes, sizeof bytes) > 0)
			;
		ensure(write(fd, "yes", 3) == 3);
	}
	return NULL;
}

TEST(function_is_judged)
{
	static const sandbox_judge judge = { judged, heard, carried };
	bench b = prepare(mem, "python3.11", "app.handler");
	int fds[3], ports[3];
	pthread_t threads[3];
	if (!sandbox_probe().private_network)
		SKIP("functions share the machine's network here");
	code(&b, "app.py",
	     "import socket\n"
	     "def handler(ports, context):\n"
	     "    def said(port, text, wait):\n"
	     "        try:\n"
	     "            s = socket.create_connection(('127.9.8.7', port), wait)\n"
	     "            for c in text: s.sendall(c.encode())\n"
	     "            s.shutdown(socket.SHUT_WR)\n"
	     "            return s.recv(9).decode()\n"
	     "        except OSError as e: return type(e).__name__\n"
	     "    return [said(ports[0], 'x', .3), said(ports[1], 'bad!', .3), said(ports[1], 'good', 60),\n"
	     "            said(ports[2], '12345', 60)]\n", 0644);
	for (int i = 0; i < 3; i++) {
		fds[i] = listening(i + 1, &ports[i]);
		CHECK(fds[i] >= 0 && pthread_create(&threads[i], NULL, say_yes, &fds[i]) == 0);
	}
	b.spec.reach = REACH_LOOPBACK;
	b.spec.judge = &judge;
	b.spec.about = "who";
	told.sent = told.received = 0;
	start(&b);
	str event = arena_fmt(mem, "[%d,%d,%d]", ports[0], ports[1], ports[2]);
	CHECK_STR(invoke(&b, event.p, 200 * SECOND).payload,
	          S("[\"TimeoutError\", \"TimeoutError\", \"yes\", \"yes\"]"));
	finish(&b);
	for (int i = 0; i < 600 && told.received < 6; i++)
		clock_sleep_ms(100);
	CHECK_I64(told.sent, 9);
	CHECK_I64(told.received, 6);
	for (int i = 0; i < 3; i++) {
		shutdown(fds[i], SHUT_RDWR);
		pthread_join(threads[i], NULL);
		close(fds[i]);
	}
}

TEST(function_node_answers)
{
	bench b = prepare(mem, "nodejs20.x", "index.handler");
	code(&b, "index.js",
	     "exports.handler = (event, context, callback) => {\n"
	     "  console.log('one\\ntwo');\n"
	     "  setTimeout(() => callback(null, {twice: event.x * 2}), 5);\n"
	     "};\n", 0644);
	start(&b);
	CHECK_I64(b.init.outcome, FUNCTION_OK);
	CHECK_STR(invoke(&b, "{\"x\":21}", 3 * SECOND).payload, S("{\"twice\":42}"));
	CHECK(str_ends(buf_str(&b.log.text), S("\tINFO\tone\ntwo|")));
	finish(&b);
}

TEST(function_without_entry)
{
	bench b = prepare(mem, "provided.al2023", "x");
	start(&b);
	CHECK_STR(b.init.error_type, S("Runtime.InvalidEntrypoint"));
	code(&b, "bootstrap", "#!/bin/sh\nexit 7\n", 0755);
	start(&b);
	CHECK_I64(b.init.outcome, FUNCTION_EXITED);
	CHECK(str_ends(b.init.payload, S("exit status 7\"}")));
	finish(&b);
}

TEST(function_children_do_not_stay)
{
	bench b = prepare(mem, "provided.al2023", "x");
	code(&b, "bootstrap", "#!/bin/sh\nsleep 1234 &\nsleep 4321\n", 0755);
	b.spec.log_context = &b.log;
	CHECK_OK(function_start(mem, &b.spec, SECOND / 3, &b.env, &b.init));
	CHECK_I64(b.init.outcome, FUNCTION_TIMEOUT);
	sandbox_drain();
	CHECK(system("ps ax | grep -q '[s]leep 1234'") != 0);
	finish(&b);
}
