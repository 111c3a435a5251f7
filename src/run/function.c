#include "run/function_parts.h"
#include "base/json.h"
#include "sys/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_PIPE_BYTES (256 << 10)
#define RSS_CHECK_US 20000
#define VCPU_MB 1769 /* AWS: at this memory a function has the equivalent of one vCPU */
#define SCRATCH_BYTES 2048
#define SHUTDOWN_US 2000000
#define SHORT_US 2000
#define MEASURE_US 20000
#define MEASURES_FIRST 4
#define FIXED 6 /* descriptors that every environment waits for */

/* Readable from when the server stops. */
static struct {
	pthread_once_t once;
	int fd;
} halting = { PTHREAD_ONCE_INIT, -1 };

static void open_halting(void)
{
	halting.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ensure(halting.fd >= 0);
}

void function_halt(bool halt)
{
	eventfd_t count;
	pthread_once(&halting.once, open_halting);
	if (halt)
		eventfd_write(halting.fd, 1);
	else
		eventfd_read(halting.fd, &count);
}

static bool waits_for_event(const function_env *env)
{
	for (int i = 0; i < env->n; i++)
		if (env->connections[i].fd >= 0 && env->connections[i].waits && !env->connections[i].extension)
			return function_extensions_rest(env);
	return false;
}

static void check_memory(function_env *env)
{
	if (sandbox_memory_ok(env->sb))
		return;
	env->out_of_memory = true;
}

/* Without a notification, sizes are looked at from time to time. */
static int64_t rss_check(function_env *env, int64_t now)
{
	if (sandbox_oom_fd(env->sb) >= 0)
		return INT64_MAX;
	if (now - env->rss_checked_us >= RSS_CHECK_US) {
		env->rss_checked_us = now;
		check_memory(env);
	}
	return env->rss_checked_us + RSS_CHECK_US;
}

static void note_end(function_env *env)
{
	bool ended = sandbox_ended(env->sb, &env->status);
	if (env->ext && env->ext->leaving)
		return;
	if (function_extension_failed(env))
		env->ended = true;
	if (!env->ended && ended) {
		env->ended = true;
		/* The kernel's own killer, where it was faster than we. */
		if (WIFSIGNALED(env->status) && WTERMSIG(env->status) == SIGKILL)
			check_memory(env);
	}
}

/* One round of waiting and doing. False when the time is up. */
static bool pump(function_env *env, int64_t until_us)
{
	struct pollfd p[CONNECTIONS_MAX + FIXED];
	int64_t now = clock_mono_us(), check = rss_check(env, now);
	int64_t wake = check < until_us ? check : until_us;
	if (now >= until_us)
		return false;
	nfds_t n = 0;
	p[n++] = (struct pollfd){ sandbox_listener(env->sb), POLLIN, 0 };
	p[n++] = (struct pollfd){ env->log.fd, POLLIN, 0 };
	p[n++] = (struct pollfd){ sandbox_end_fd(env->sb), POLLIN, 0 };
	p[n++] = (struct pollfd){ sandbox_oom_fd(env->sb), (short)sandbox_oom_events(env->sb), 0 };
	p[n++] = (struct pollfd){ sandbox_datagrams(env->sb), POLLIN, 0 };
	/* Who takes leave has its time all the same. */
	p[n++] = (struct pollfd){ env->ext && env->ext->leaving ? -1 : halting.fd, POLLIN, 0 };
	for (int i = 0; i < env->n; i++)
		p[n++] = (struct pollfd){ env->connections[i].fd, POLLIN, 0 };
	struct timespec wait = { (wake - now) / 1000000, (wake - now) % 1000000 * 1000 };
	if (ppoll(p, n, &wait, NULL) <= 0)
		return true;
	/* What it said comes before what it did next. */
	if (p[1].revents)
		function_log_drain(&env->log);
	if (p[4].revents)
		function_trace_drain(env);
	for (int i = 0; i < (int)n - FIXED; i++)
		if (p[i + FIXED].revents && env->connections[i].fd >= 0)
			function_readable(env, &env->connections[i], until_us);
	if (p[0].revents)
		function_accept(env);
	if (p[3].revents)
		check_memory(env);
	if (p[2].revents)
		note_end(env);
	if (p[5].revents)
		env->halted = env->ended = true;
	return true;
}

static str exit_message(arena *mem, const function_env *env, str id)
{
	if (env->out_of_memory || WIFSIGNALED(env->status)) {
		int number = env->out_of_memory ? SIGKILL : WTERMSIG(env->status);
		const char *name = number == SIGKILL ? "killed" : strsignal(number);
		str text = arena_lower(mem, str_c(name));
		return arena_fmt(mem, "RequestId: %.*s Error: Runtime exited with error: signal: %.*s%s", STR_ARG(id),
		                 STR_ARG(text), !env->out_of_memory && WCOREDUMP(env->status) ? " "
		                 "(core dumped)" : "");
	}
	int code = WEXITSTATUS(env->status);
	if (code == 0)
		return arena_fmt(mem, "RequestId: %.*s Error: Runtime exited without providing a "
		                 "reason", STR_ARG(id));
	return arena_fmt(mem, "RequestId: %.*s Error: Runtime exited with error: exit status %d",
	                 STR_ARG(id), code);
}

/* The program itself could not be started. */
static str start_message(arena *mem, const function_env *env, str id, str *type)
{
	const char *what;
	int status, number = sandbox_start_error(env->sb, &what);
	if (!number && env->ext && env->ext->error_type[0]) {
		*type = str_c(env->ext->error_type);
		sandbox_extra_ended(env->sb, &status);
		return arena_fmt(mem, "RequestId: %.*s Error: exit status %d", STR_ARG(id), WEXITSTATUS(status));
	}
	if (!number)
		return STR_NONE;
	/* An image's folder or program; which, the sandbox says by its name alone. */
	bool folder = env->directory[0] && strncmp(what, env->directory, sizeof env->directory - 1) == 0;
	*type = folder ? S("Runtime.InvalidWorkingDir") : str_starts(str_c(what), S("/opt/extensions/"))
		? S("Extension.LaunchError") : S("Runtime.InvalidEntrypoint");
	str why = arena_lower(mem, str_c(strerror(number)));
	return arena_fmt(mem, "RequestId: %.*s Error: %s %s: %.*s", STR_ARG(id), folder ? "chdir" : "fork/exec",
	                 what, STR_ARG(why));
}

static str error_object(arena *mem, str type, str message)
{
	buf b = buf_in(mem, 256, 8192);
	buf_put(&b, S("{\"errorType\":"));
	json_put_string(&b, type);
	buf_put(&b, S(",\"errorMessage\":"));
	json_put_string(&b, message);
	buf_c(&b, '}');
	return buf_str(&b);
}

/* Reading it costs as much as a short handler does; what is over in no time has hardly taken any. */
static int64_t memory_peak(function_env *env, int64_t duration_us)
{
	int64_t now = clock_mono_us();
	if (duration_us >= SHORT_US || env->measures < MEASURES_FIRST || now - env->measured_us >= MEASURE_US ||
	    env->ended || env->out_of_memory || env->timed_out) {
		env->peak_bytes = sandbox_memory_peak(env->sb);
		env->measured_us = now;
		env->measures += env->measures < MEASURES_FIRST;
	}
	return env->peak_bytes;
}

/* What became of it, when it was not the runtime that said so. */
static void conclude(function_env *env, arena *mem, str id, function_result *out)
{
	out->peak_bytes = memory_peak(env, out->duration_us);
	for (int i = 0; i < env->n; i++) { /* the arena of the answer is the caller's, and so is the sink */
		env->connections[i].keep = env->connections[i].streams = false;
		env->connections[i].body = env->connections[i].trailers = (buf){ 0 };
		env->connections[i].request.body.trailers = NULL;
	}
	env->sink = NULL;
	env->running = false;
	env->result = NULL;
	env->mem = NULL;
	out->ended = env->ended || env->out_of_memory || env->timed_out;
	if (env->answered)
		return;
	out->ended = true;
	if (env->halted) {
		out->outcome = FUNCTION_HALTED;
		return;
	}
	if (env->timed_out) {
		out->outcome = FUNCTION_TIMEOUT;
		out->error_type = S("Sandbox.Timedout");
		return; /* the message names the function's timeout, which the caller knows */
	}
	out->outcome = env->out_of_memory ? FUNCTION_OUT_OF_MEMORY : FUNCTION_EXITED;
	out->error_type = env->out_of_memory ? S("Runtime.OutOfMemory") : S("Runtime.ExitError");
	str type = S("Runtime.ExitError"), message = start_message(mem, env, id, &type);
	if (str_is(message))
		out->error_type = type;
	out->payload = error_object(mem, type, str_is(message) ? message : exit_message(mem, env, id));
}

static void copy_name(char *to, size_t size, str from)
{
	size_t n = from.n < size ? from.n : size - 1;
	memcpy(to, from.p ? from.p : "", n);
	to[n] = '\0';
}

static void expect_extensions(function_env *env, const function_spec *spec)
{
	/* Lives as long as the environment. */
	extensions *x = env->ext = calloc(1, sizeof *x);
	ensure(x);
	x->expected = spec->n_extensions;
	copy_name(x->function, sizeof x->function, spec->name);
	copy_name(x->version, sizeof x->version, spec->version);
	copy_name(x->handler, sizeof x->handler, spec->handler);
}

static err open_env(arena *mem, const function_spec *spec, function_env **out)
{
	int log[2];
	pthread_once(&halting.once, open_halting);
	if (pipe2(log, O_CLOEXEC | O_NONBLOCK))
		return fault_new(mem, &fault_system, "function: %s", strerror(errno));
	/* The function's end waits when it is full; ours never does. */
	fcntl(log[1], F_SETFL, fcntl(log[1], F_GETFL) & ~O_NONBLOCK);
	fcntl(log[1], F_SETPIPE_SZ, LOG_PIPE_BYTES);
	/* An environment outlives the request that started it: it has no arena. */
	function_env *env = calloc(1, sizeof *env);
	ensure(env);
	env->log.sink = spec->log;
	env->log.context = spec->log_context;
	env->segment = spec->segment;
	if (spec->n_extensions)
		expect_extensions(env, spec);
	if (spec->image && spec->image->directory.n)
		memcpy(env->directory, spec->image->directory.p, spec->image->directory.n < sizeof env->directory
		       ? spec->image->directory.n : sizeof env->directory - 1);
	function_log_open(&env->log, log[0]);
	env->scratch = arena_open(SCRATCH_BYTES);
	err failed = function_sandbox(mem, spec, log[1], &env->sb);
	close(log[1]);
	if (failed) {
		function_log_close(&env->log);
		arena_close(env->scratch);
		free(env->ext);
		free(env);
		return failed;
	}
	*out = env;
	return OK;
}

static int64_t cpu_share(int64_t memory_mb)
{
	return memory_mb * 1000 / VCPU_MB;
}

err function_start(arena *mem, const function_spec *spec, int64_t limit_us, function_env **out,
                   function_result *init)
{
	function_env *env = NULL;
	int64_t begun = clock_mono_us();
	*out = NULL;
	*init = (function_result){ .outcome = FUNCTION_OK };
	str no_entry = function_no_entry(mem, spec);
	if (str_is(no_entry)) {
		init->outcome = FUNCTION_ERROR;
		init->ended = true;
		init->error_type = S("Runtime.InvalidEntrypoint");
		init->payload = error_object(mem, init->error_type,
		                             arena_fmt(mem, "RequestId: %.*s Error: %.*s", STR_ARG(spec->request_id),
		                                       STR_ARG(no_entry)));
		return OK;
	}
	TRY(open_env(mem, spec, &env));
	env->mem = mem;
	env->result = init;
	/* Extensions first: the runtime may count on them. */
	while (!function_extensions_registered(env) && !env->ended && !env->timed_out)
		env->timed_out = !pump(env, begun + limit_us);
	if (spec->n_extensions && !env->ended && !env->timed_out) {
		err failed = sandbox_go(mem, env->sb);
		if (failed) {
			function_stop(env);
			return failed;
		}
		note_end(env);
	}
	while (!waits_for_event(env) && !env->answered && !env->ended && !env->out_of_memory && !env->timed_out)
		if (!pump(env, begun + limit_us)) {
			env->timed_out = true;
			break;
		}
	function_log_drain(&env->log);
	init->duration_us = clock_mono_us() - begun;
	if (waits_for_event(env) && !env->ended) {
		/* Initialisation has all the CPU there is, as on AWS; from here on it is by memory. */
		sandbox_set_cpu(env->sb, cpu_share(spec->memory_mb));
		env->result = NULL;
		env->mem = NULL;
		init->peak_bytes = memory_peak(env, init->duration_us);
		*out = env;
		return OK;
	}
	conclude(env, mem, spec->request_id, init);
	function_stop(env);
	return OK;
}

void function_stream_to(function_env *env, const function_sink *sink)
{
	env->sink = sink;
}

void function_invoke(function_env *env, arena *mem, const rapi_event *e, int64_t until_us,
                     function_result *out)
{
	*out = (function_result){ .outcome = FUNCTION_GONE, .ended = true };
	sandbox_thaw(env->sb);
	connection *c = NULL;
	for (int i = 0; i < env->n && !c; i++)
		if (env->connections[i].fd >= 0 && env->connections[i].waits && !env->connections[i].extension)
			c = &env->connections[i];
	if (!c || e->request_id.n >= sizeof env->id)
		return;
	int64_t begun = clock_mono_us();
	memcpy(env->id, e->request_id.p, e->request_id.n);
	env->id[e->request_id.n] = '\0';
	env->mem = mem;
	env->result = out;
	env->running = true;
	env->answered = env->timed_out = false;
	function_extensions_invoke(env, e, until_us);
	if (!function_send_event(env, c, e, until_us)) {
		/* It may have died while it rested; then nobody has seen the event. */
		note_end(env);
		env->timed_out = !env->ended && clock_mono_us() >= until_us;
		if (!env->timed_out) {
			env->running = false;
			return;
		}
	}
	while (!env->answered && !env->ended && !env->out_of_memory && !env->timed_out)
		env->timed_out = !pump(env, until_us);
	function_log_drain(&env->log);
	function_trace_drain(env);
	out->duration_us = clock_mono_us() - begun;
	conclude(env, mem, e->request_id, out);
}

bool function_rest(function_env *env, int64_t wait_us, bool *ended)
{
	int64_t until = clock_mono_us() + wait_us;
	while (!waits_for_event(env) && !env->ended && !env->out_of_memory)
		if (!pump(env, until))
			break;
	function_log_drain(&env->log);
	*ended = env->ended || env->out_of_memory;
	if (*ended || !waits_for_event(env))
		return false;
	sandbox_freeze(env->sb);
	return true;
}

bool function_alive(function_env *env)
{
	note_end(env);
	return !env->ended;
}

/* They have until then to finish; what they write is still taken. */
static void take_leave(function_env *env)
{
	int64_t until = clock_mono_us() + SHUTDOWN_US;
	const char *reason = env->timed_out ? "timeout" : env->ended || env->out_of_memory ? "failure"
		: "spindown";
	sandbox_thaw(env->sb);
	bool nobody = function_extensions_shutdown(env, reason, until);
	int status;
	while (!nobody && pump(env, until)) {
		bool killed = sandbox_ended(env->sb, &env->status) && WIFSIGNALED(env->status);
		nobody = killed || sandbox_extra_ended(env->sb, &status) >= env->ext->expected;
	}
	function_log_drain(&env->log);
}

void function_stop(function_env *env)
{
	if (!env)
		return;
	if (env->ext && env->ext->n && !env->halted)
		take_leave(env);
	for (int i = 0; i < env->n; i++)
		function_disconnect(&env->connections[i]);
	sandbox_close(env->sb);
	function_log_close(&env->log);
	arena_close(env->scratch);
	free(env->ext);
	free(env);
}
