#include "cloud/server.h"
#include "cloud/auth.h"
#include "cloud/event_log.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/page.h"
#include "cloud/trail.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define WORKERS_MAX 1100 /* AWS's thousand concurrent functions, and some for everything else */
#define STOP_GRACE_MS 3000

extern const server_part *const __start_farthing_parts[] __attribute__((weak));
extern const server_part *const __stop_farthing_parts[] __attribute__((weak));

struct server {
	dispatcher dispatch;
	http_server *http;
	str data;
	const server_part *const *started; /* one past the last part that has started */
};

static char endpoint[64];
static bool is_strict, enforces_iam;

bool server_is_strict(void)
{
	return is_strict;
}

bool server_enforces_iam(void)
{
	return enforces_iam;
}

str server_endpoint(void)
{
	return str_c(endpoint);
}

static bool is_loopback(str address)
{
	return str_starts(address, S("127.")) || str_eq(address, S("::1")) ||
	       str_eq(address, S("localhost"));
}

void server_advance(server *s, int64_t to)
{
	for (const server_part *const *p = __start_farthing_parts; p < __stop_farthing_parts; p++)
		if ((*p)->leap)
			(*p)->leap();
	metric_send();
	due_advance(s->dispatch.store, to, NULL, NULL);
}

err server_speed(server *s, int64_t speed)
{
	return due_speed(s->dispatch.store, speed);
}

static err start_parts(server *s)
{
	s->started = __start_farthing_parts;
	for (; s->started < __stop_farthing_parts; s->started++)
		TRY((*s->started)->start(s->dispatch.store, s->data));
	return OK;
}

static void stop_parts(server *s)
{
	while (s->started && s->started > __start_farthing_parts)
		(*--s->started)->stop();
}

static void halt_parts(const server *s)
{
	for (const server_part *const *p = s->started; p && p > __start_farthing_parts;)
		if ((*--p)->halt)
			(*p)->halt();
}

static err listen_on(arena *a, const server_options *o, server *s)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	http_options h = {
		.address = o->address,
		.port = o->port,
		.loops = o->loops ? o->loops : processors < 4 ? (int)processors : 4,
		.certificate_path = path_join(a, o->data, S("tls.pem")),
	};
	http_app app = dispatch_app;
	app.context = &s->dispatch;
	TRY(http_serve(a, &h, &app, &s->http));
	snprintf(endpoint, sizeof endpoint, "http://%.*s:%d", STR_ARG(o->address), http_port(s->http));
	return OK;
}

err server_start(arena *a, const server_options *o, server **out)
{
	server *s = arena_new(a, server);
	signal(SIGPIPE, SIG_IGN);
	s->data = arena_str(a, o->data);
	store_options so = { .path = path_join(a, o->data, S("store")), .format = SERVER_FORMAT };
	TRY(dir_make(a, s->data, 0700));
	TRY(store_open(a, &so, &s->dispatch.store));
	store *st = s->dispatch.store;
	due_restore_clock(st);
	TRY(page_start(st));
	TRY(auth_start(a, st));
	s->dispatch.workers = pool_open(WORKERS_MAX);
	s->dispatch.strict = o->strict || !is_loopback(o->address);
	s->dispatch.enforce_iam = o->enforce_iam;
	is_strict = s->dispatch.strict;
	enforces_iam = o->enforce_iam;
	trail_start(o->request_log, o->quiet);
	meter_start(st);
	log_start(st);
	metric_start(st);
	/* The first request must find every part ready; where we listen, parts ask when they need it. */
	err e = start_parts(s);
	if (!e)
		e = listen_on(a, o, s);
	if (e) {
		server_stop(s);
		return e;
	}
	due_start(st, s->dispatch.workers);
	*out = s;
	return OK;
}

void server_stop(server *s)
{
	if (s->http)
		http_stop(s->http, STOP_GRACE_MS);
	halt_parts(s);
	due_stop(s->dispatch.store);
	stop_parts(s);
	pool_close(s->dispatch.workers);
	log_stop();
	metric_stop();
	meter_stop();
	store_close(s->dispatch.store);
	trail_stop();
	endpoint[0] = 0;
}

int server_port(const server *s)
{
	return http_port(s->http);
}

store *server_store(const server *s)
{
	return s->dispatch.store;
}

bool server_strict(const server *s)
{
	return s->dispatch.strict;
}

str server_data(const server *s)
{
	return s->data;
}
