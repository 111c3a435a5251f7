#include "base/json.h"
#include "cmd/cmd.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define DOWN_MS 60000
#define DOWN_POLL_MS 20

static bool read_data(arena *mem, int argc, char **argv, str *data, str *rest, size_t *n_rest)
{
	option o = { .name = "data", .takes_value = true };
	if (!options_read(&o, 1, argc, argv, rest, n_rest))
		return false;
	*data = o.given ? o.value : default_data(mem);
	return true;
}

static int not_running(str data)
{
	return complain("no server runs on %.*s. Start one with: farthing up", STR_ARG(data));
}

static bool stop_and_wait(const running *r)
{
	kill((pid_t)r->pid, SIGTERM);
	/* By the clock: where memory is short, a nap takes much longer than it was to. */
	int64_t until = clock_mono_us() + (int64_t)DOWN_MS * 1000;
	for (;;) {
		if (kill((pid_t)r->pid, 0) && errno == ESRCH)
			return true;
		if (clock_mono_us() >= until)
			return false;
		clock_sleep_ms(DOWN_POLL_MS);
	}
}

static int down_run(arena *mem, int argc, char **argv)
{
	str data, *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	running r;
	if (!read_data(mem, argc, argv, &data, rest, &n_rest))
		return 2;
	if (!running_find(mem, data, &r))
		return not_running(data);
	if (!stop_and_wait(&r))
		return complain("process %lld does not stop", (long long)r.pid);
	printf("Stopped. What it kept is in %.*s\n", STR_ARG(data));
	return 0;
}
VERB(down, "down [--data DIR]", "Stop it; nothing is lost", down_run);

static int status_run(arena *mem, int argc, char **argv)
{
	str data, body, *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	running r;
	if (!read_data(mem, argc, argv, &data, rest, &n_rest))
		return 2;
	if (!running_find(mem, data, &r))
		return not_running(data);
	if (running_ask(mem, &r, S("GET"), S("/_farthing/status?form=text"), &body) != 200)
		return complain("process %lld runs but does not answer on %.*s", (long long)r.pid,
		                STR_ARG(r.endpoint));
	printf("%.*s", STR_ARG(body));
	return 0;
}
VERB(status, "status [--data DIR]", "Say what runs", status_run);

static int reset_run(arena *mem, int argc, char **argv)
{
	enum { DATA, YES, N };
	option o[N] = { { .name = "data", .takes_value = true }, { .name = "yes" } };
	str *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	running r;
	if (!options_read(o, N, argc, argv, rest, &n_rest))
		return 2;
	str data = o[DATA].given ? o[DATA].value : default_data(mem);
	if (running_find(mem, data, &r))
		return complain("a server runs on %.*s. Stop it first: farthing down", STR_ARG(data));
	if (!file_exists(path_join(mem, data, S("store"))))
		return complain("%.*s holds nothing of Farthing's", STR_ARG(data));
	if (!o[YES].given)
		return complain("this deletes everything in %.*s. Say it with: farthing reset --yes%s%.*s",
		                STR_ARG(data), o[DATA].given ? " --data " : "",
		                STR_ARG(o[DATA].given ? data : S("")));
	err e = dir_remove(mem, data);
	if (e)
		return complain_fault(e);
	printf("%.*s is gone.\n", STR_ARG(data));
	return 0;
}
VERB(reset, "reset --yes [--data DIR]", "Delete everything it keeps", reset_run);
