#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/charges.h"
#include "cloud/outbox.h"
#include "cloud/server.h"
#include "cmd/admin.h"
#include "cmd/cmd.h"
#include "cmd/prices.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_PORT 4566
#define READY_MS 120000

typedef struct up_options {
	server_options server;
	bool detach;
} up_options;

enum { DATA, PORT, ADDRESS, DETACH, STRICT, IAM, QUIET, LOOPS, PRICES, SMTP, DELAY, N_OPTIONS };

static int read_options(arena *mem, int argc, char **argv, up_options *up)
{
	option o[N_OPTIONS] = {
		[DATA] = { .name = "data", .takes_value = true },
		[PORT] = { .name = "port", .takes_value = true },
		[ADDRESS] = { .name = "address", .takes_value = true },
		[DETACH] = { .name = "detach" },
		[STRICT] = { .name = "strict" },
		[IAM] = { .name = "iam", .takes_value = true },
		[QUIET] = { .name = "quiet" },
		[LOOPS] = { .name = "loops", .takes_value = true },
		[PRICES] = { .name = "prices", .takes_value = true },
		[SMTP] = { .name = "smtp", .takes_value = true },
		[DELAY] = { .name = "billing-delay", .takes_value = true },
	};
	str *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	int64_t port = DEFAULT_PORT, loops = 0, delay = 0;
	if (!options_read(o, N_OPTIONS, argc, argv, rest, &n_rest))
		return 2;
	if (n_rest)
		return usage_error("up", "\"%.*s\" is not expected", STR_ARG(rest[0]));
	if (o[PORT].given && (!str_to_i64(o[PORT].value, &port) || port < 0 || port > 65535))
		return usage_error("up", "--port is a number from 0 (any free port) to 65535");
	if (o[LOOPS].given && (!str_to_i64(o[LOOPS].value, &loops) || loops < 1 || loops > 64))
		return usage_error("up", "--loops is a number of threads from 1 to 64");
	if (o[IAM].given && !str_eq(o[IAM].value, S("enforce")) && !str_eq(o[IAM].value, S("off")))
		return usage_error("up", "--iam is enforce or off");
	if (o[DELAY].given && (!str_to_i64(o[DELAY].value, &delay) || delay < 0 || delay > 72))
		return usage_error("up", "--billing-delay is a number of hours from 0 to 72");
	charges_set_delay(delay * MS_HOUR);
	if (o[SMTP].given && str_find_char(o[SMTP].value, ':') == SIZE_MAX)
		return usage_error("up", "--smtp is HOST:PORT");
	outbox_send_to(o[SMTP].given ? o[SMTP].value : S(""));
	err e = o[PRICES].given ? prices_use(mem, o[PRICES].value) : OK;
	if (e)
		return complain_fault(e);
	up->detach = o[DETACH].given;
	up->server = (server_options){
		.data = path_absolute(mem, o[DATA].given ? o[DATA].value : default_data(mem)),
		.address = o[ADDRESS].given ? o[ADDRESS].value : S("127.0.0.1"),
		.port = (int)port,
		.loops = (int)loops,
		.strict = o[STRICT].given,
		.enforce_iam = str_eq(o[IAM].value, S("enforce")),
		.quiet = o[QUIET].given,
	};
	return 0;
}

static void banner(arena *mem, const server *s, const running *r)
{
	str key, secret;
	printf("Farthing %s is up.\n\n", FARTHING_VERSION);
	printf("  endpoint   %.*s  (HTTP and HTTPS)\n", STR_ARG(r->endpoint));
	printf("  data       %.*s\n", STR_ARG(server_data(s)));
	if (server_strict(s)) {
		printf("  mode       strict: every request must be signed by a key that Farthing issued\n");
		if (!auth_root_key(mem, server_store(s), &key, &secret))
			printf("  root key   AWS_ACCESS_KEY_ID=%.*s AWS_SECRET_ACCESS_KEY=%.*s\n", STR_ARG(key),
			       STR_ARG(secret));
	} else {
		printf("  mode       open: any credentials will do; a 12-digit access key chooses the account\n");
	}
	printf("\n  export AWS_ENDPOINT_URL=%.*s\n", STR_ARG(r->endpoint));
	if (!server_strict(s))
		printf("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1\n");
	printf("  aws sts get-caller-identity      or: farthing aws sts get-caller-identity\n\n");
	fflush(stdout);
}

static void wait_for_signal(void)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	int signals = signalfd(-1, &stop, SFD_CLOEXEC);
	struct signalfd_siginfo got;
	ensure(read(signals, &got, sizeof got) == sizeof got);
	close(signals);
}

static str new_token(arena *mem)
{
	char raw[24];
	rand_bytes(raw, sizeof raw);
	return hex_encode(mem, str_of(raw, sizeof raw));
}

/* Whoever waits for the end of our output must not wait for the server's. Last words go into server.log. */
static void leave_terminal(arena *mem, str data)
{
	str last_words = path_join(mem, data, S("server.log"));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = open(last_words.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	fflush(NULL);
	dup2(null, 0);
	dup2(null, 1);
	dup2(log >= 0 ? log : null, 2);
}

/* Runs until told to stop. `ready` is a pipe to the process that waits for us, or -1. */
static int serve(arena *mem, const up_options *up, int ready)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL); /* before any thread exists */
	server *s = NULL;
	err e = server_start(mem, &up->server, &s);
	if (e && str_ends(e->message, S("Address already in use")))
		return complain("port %d is in use. Choose another with --port N, or --port 0 for any free one",
		                up->server.port);
	if (e)
		return complain_fault(e);
	running r = { .pid = getpid(), .port = server_port(s), .address = up->server.address,
		      .endpoint = server_endpoint(), .token = new_token(mem), .strict = server_strict(s) };
	admin_start(s, r.token);
	e = running_write(mem, up->server.data, &r);
	if (e)
		complain_fault(e);
	banner(mem, s, &r);
	/* Whoever has stopped waiting has said that there is no server: then there must be none. */
	bool heard = ready < 0 || write(ready, "+", 1) == 1;
	if (ready >= 0) {
		close(ready);
		leave_terminal(mem, up->server.data);
	}
	if (heard)
		wait_for_signal();
	if (!up->detach)
		fputs("\nStopping.\n", stderr);
	running_remove(mem, up->server.data);
	server_stop(s);
	return 0;
}

/* The child serves; we leave when it is ready, or say what it said. */
static int detach(arena *mem, up_options *up)
{
	int ready[2];
	err e = dir_make(mem, up->server.data, 0700);
	if (e)
		return complain_fault(e);
	if (pipe2(ready, O_CLOEXEC))
		return complain("no pipe to the server's process");
	up->server.request_log = path_join(mem, up->server.data, S("requests.log"));
	fflush(NULL);
	pid_t child = fork();
	if (child < 0)
		return complain("the server's process cannot be started");
	if (child == 0) {
		close(ready[0]);
		setsid();
		int status = serve(mem, up, ready[1]);
		fflush(NULL);
		_exit(status);
	}
	close(ready[1]);
	struct pollfd p = { .fd = ready[0], .events = POLLIN };
	char plus = 0;
	bool answered = poll(&p, 1, READY_MS) > 0;
	if (answered && read(ready[0], &plus, 1) == 1) {
		printf("It runs in the background (process %d). Requests are logged in %.*s\n"
		       "Stop it with: farthing down%s%.*s\n",
		       child, STR_ARG(up->server.request_log),
		       str_eq(up->server.data, default_data(mem)) ? "" : " --data ",
		       STR_ARG(str_eq(up->server.data, default_data(mem)) ? S("") : up->server.data));
		return 0;
	}
	if (!answered)
		return complain("the server is not ready after %d s", READY_MS / 1000);
	waitpid(child, NULL, 0); /* it has said why */
	return 1;
}

static int up_run(arena *mem, int argc, char **argv)
{
	up_options up;
	int wrong = read_options(mem, argc, argv, &up);
	if (wrong)
		return wrong;
	running already;
	if (running_find(mem, up.server.data, &already))
		return complain("a server already runs on %.*s (process %lld, %.*s). Stop it with: farthing down,"
		                " or choose another folder with --data",
		                STR_ARG(up.server.data), (long long)already.pid, STR_ARG(already.endpoint));
	return up.detach ? detach(mem, &up) : serve(mem, &up, -1);
}

VERB(up, "up [--data DIR] [--port N] [--address A] [--detach] [--strict] [--iam enforce|off] [--quiet]\n"
     "                   [--prices FILE|FOLDER] [--smtp HOST:PORT] [--billing-delay HOURS]\n\n"
     "  --billing-delay  how late Cost Explorer and Budgets are: up to 24 on AWS, 0 unless said\n"
     "  --smtp    where mails go besides the maildir in the data folder\n"
     "  --prices  prices to lay over the built-in ones: tables like data/prices/us-east-1.csv,\n"
     "            or AWS's own price list files (JSON or CSV)",
     "Start the cloud", up_run);
