/*
 * Looking at what health checks check: one thread finds those whose time has come on Farthing's clock, others
 * connect. By real time no check is made more than twice a second, so that a leap of the clock, or a fast
 * one, is not a flood.
 */
#include "base/time.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "health.h"
#include "sys/clock.h"
#include "sys/pool.h"
#include "wire/http_client.h"
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUND_MS 500
#define STEP_MS 50
#define AT_ONCE 32
#define TOTAL_MS 6000
#define CONNECT_MS 4000
#define TCP_MS 10000
#define SEARCHED 5120

typedef struct probe {
	struct probe *next;
	arena *mem;
	route53_health *h;
	int64_t now;
	bool good;
	str status;
} probe;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t quiet;
	pthread_t thread;
	store *store;
	pool *workers;
	size_t under_way;
	bool started, stop;
} prober = { .lock = PTHREAD_MUTEX_INITIALIZER, .quiet = PTHREAD_COND_INITIALIZER };

static bool stopping(void)
{
	pthread_mutex_lock(&prober.lock);
	bool stop = prober.stop;
	pthread_mutex_unlock(&prober.lock);
	return stop;
}

/* The address that the zones know for a name; STR_NONE: they do not know it. `ours`: Farthing answers. */
static str looked_up(probe *p, str name, bool *ours)
{
	str clean, found = STR_NONE;
	dns_answer a = { 0 };
	*ours = false;
	if (name_clean(p->mem, name, &clean))
		return STR_NONE;
	if (alias_of_ours(clean) && !str_ends(clean, S(".localhost."))) {
		*ours = true;
		return STR_NONE;
	}
	const txn *tx = store_read(prober.store);
	route53_zone *z = zone_above(tx, p->mem, clean);
	if (z)
		dns_ask(tx, p->mem, z, clean, S("A"), STR_NONE, &a);
	for (size_t i = 0; i < a.n && !str_is(found); i++)
		if (str_eq(a.v[i].type, S("A")))
			found = arena_str(p->mem, a.v[i].value);
	store_read_end(prober.store, tx);
	*ours = a.free_ && str_is(found);
	return found;
}

/* In short steps, because the server may want to stop. */
static bool connected(int fd)
{
	int wrong = 0;
	socklen_t n = sizeof wrong;
	for (int waited = 0; waited < TCP_MS && !stopping(); waited += STEP_MS) {
		struct pollfd look = { fd, POLLOUT, 0 };
		if (poll(&look, 1, STEP_MS) == 1)
			return getsockopt(fd, SOL_SOCKET, SO_ERROR, &wrong, &n) == 0 && !wrong;
	}
	return false;
}

static bool connects(str host, int64_t port)
{
	struct addrinfo how = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char number[16], name[256];
	bool good = false;
	if (host.n >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", STR_ARG(host));
	snprintf(number, sizeof number, "%d", (int)port);
	if (getaddrinfo(name, number, &how, &found))
		return false;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		good = connect(fd, found->ai_addr, found->ai_addrlen) == 0 || connected(fd);
		close(fd);
	}
	freeaddrinfo(found);
	return good;
}

static void look_http(probe *p, str host, bool ours)
{
	const route53_HealthCheckConfig *c = p->h->It->HealthCheckConfig;
	bool https = health_kind_is(c, "HTTPS"), six = str_find_char(host, ':') != SIZE_MAX;
	str path = c->ResourcePath.n ? c->ResourcePath : S("/");
	str root = ours ? arena_str(p->mem, server_endpoint()) :
		arena_fmt(p->mem, "%s://%s%.*s%s:%lld", https ? "https" : "http", six ? "[" : "", STR_ARG(host),
	              six ? "]" : "", (long long)c->Port.v);
	str named = c->FullyQualifiedDomainName.n ? c->FullyQualifiedDomainName : host;
	wire_message m = { .mem = p->mem, .method = S("GET") }, answer = { .mem = p->mem };
	http_client_options o = { .total_ms = TOTAL_MS, .connect_ms = CONNECT_MS, .trust_all = true };
	bool usual = c->Port.v == (https ? 443 : 80);
	wire_header_add(&m, S("Host"), usual ? named : arena_fmt(p->mem, "%.*s:%lld", STR_ARG(named),
	                                                         (long long)c->Port.v));
	wire_header_add(&m, S("User-Agent"), S("Amazon-Route53-Health-Check-Service (Farthing)"));
	err e = http_call(p->mem, arena_fmt(p->mem, "%.*s%s%.*s", STR_ARG(root), path.p[0] == '/' ? "" : "/",
	                                    STR_ARG(path)), &m, &o, &answer);
	if (e) {
		p->status = arena_fmt(p->mem, "Failure: %.*s", STR_ARG(e->message));
		return;
	}
	p->good = answer.status >= 200 && answer.status < 400;
	p->status = arena_fmt(p->mem, "%s: HTTP Status Code %d", p->good ? "Success" : "Failure", answer.status);
	if (p->good && c->SearchString.n &&
	    str_find(str_sub(answer.body, 0, SEARCHED), c->SearchString) == SIZE_MAX) {
		p->good = false;
		p->status = S("Failure: The search string was not found in the response body.");
	}
}

static void look(probe *p)
{
	const route53_HealthCheckConfig *c = p->h->It->HealthCheckConfig;
	bool ours = false;
	str host = c->IPAddress, known;
	if (!host.n) {
		known = looked_up(p, c->FullyQualifiedDomainName, &ours);
		host = str_is(known) ? known : c->FullyQualifiedDomainName;
	}
	if (health_kind_is(c, "HTTP")) {
		look_http(p, host, ours);
		return;
	}
	p->good = connects(ours ? S("127.0.0.1") : host, c->Port.v);
	p->status = p->good ? S("Success: TCP connection established") : S("Failure: TCP connection failed");
}

static bool keep(void *context, txn *tx)
{
	probe *p = context;
	route53_health *h = route53_health_get(tx, txn_arena(tx), p->h->Account, p->h->Id);
	if (!h || h->It->HealthCheckVersion.v != p->h->It->HealthCheckVersion.v)
		return true;
	h->Checked = p->now;
	h->Status = p->status;
	if (!p->good) {
		h->Failure = p->status;
		h->Failed = p->now;
	}
	h->Times = p->good == h->Healthy ? 0 : h->Times + 1;
	if (h->Times >= h->It->HealthCheckConfig->FailureThreshold.v) {
		h->Healthy = p->good;
		h->Times = 0;
	}
	route53_health_put(tx, h);
	return true;
}

static void work(void *argument)
{
	probe *p = argument;
	metric_point point = { .account = p->h->Account, .region = S("us-east-1"), .name_space = S("AWS/Route53"),
		                   .name = S("HealthCheckStatus"), .unit = S("None"), .n_dimensions = 1,
		                   .when = p->now };
	if (!stopping()) {
		look(p);
		store_write(prober.store, keep, p);
		const txn *tx = store_read(prober.store);
		point.value = health_ok(tx, p->mem, p->h->Id);
		store_read_end(prober.store, tx);
		point.dimensions[0] = (metric_dimension){ S("HealthCheckId"), p->h->Id };
		metric_later(&point);
	}
	arena_close(p->mem);
	pthread_mutex_lock(&prober.lock);
	if (--prober.under_way == 0)
		pthread_cond_signal(&prober.quiet);
	pthread_mutex_unlock(&prober.lock);
}

static void begin(const route53_health *h, int64_t now)
{
	arena *mem = arena_open(8192);
	probe *p = arena_new(mem, probe);
	const txn *tx = store_read(prober.store);
	*p = (probe){ .mem = mem, .now = now, .h = route53_health_get(tx, mem, h->Account, h->Id) };
	store_read_end(prober.store, tx);
	if (!p->h) {
		arena_close(mem);
		return;
	}
	pthread_mutex_lock(&prober.lock);
	prober.under_way++;
	pthread_mutex_unlock(&prober.lock);
	pool_run(prober.workers, work, p);
}

static void look_round(arena *mem)
{
	int64_t now = clock_now();
	size_t n = 0, room = ROUTE53_HEALTH_MAX;
	route53_health **due = arena_array(mem, route53_health *, room);
	const txn *tx = store_read(prober.store);
	record_scan s = route53_health_scan(tx, mem, 0, STR_NONE, STR_NONE);
	for (route53_health *h; n < room && (h = route53_health_next(&s));) {
		const route53_HealthCheckConfig *c = h->It->HealthCheckConfig;
		bool endpoint = health_kind_is(c, "HTTP") || health_kind_is(c, "TCP");
		if (endpoint && !c->Disabled.v && (!h->Checked ||
			h->Checked + c->RequestInterval.v * MS_SECOND <= now))
			due[n++] = h;
	}
	cursor_close(&s.at);
	store_read_end(prober.store, tx);
	for (size_t i = 0; i < n; i++)
		begin(due[i], now);
	pthread_mutex_lock(&prober.lock);
	while (prober.under_way)
		pthread_cond_wait(&prober.quiet, &prober.lock);
	pthread_mutex_unlock(&prober.lock);
}

static void *run(void *nothing)
{
	arena *mem = arena_open(8192);
	(void)nothing;
	while (!stopping()) {
		for (int waited = 0; waited < ROUND_MS && !stopping(); waited += STEP_MS)
			clock_sleep_ms(STEP_MS);
		if (!stopping() && server_endpoint().n)
			look_round(mem);
		arena_reset(mem);
	}
	arena_close(mem);
	return NULL;
}

static err probe_start(store *s, str data)
{
	(void)data;
	prober.store = s;
	prober.stop = false;
	prober.workers = pool_open(AT_ONCE);
	prober.started = pthread_create(&prober.thread, NULL, run, NULL) == 0;
	return OK;
}

static void probe_halt(void)
{
	pthread_mutex_lock(&prober.lock);
	prober.stop = true;
	pthread_mutex_unlock(&prober.lock);
}

static void probe_stop(void)
{
	probe_halt();
	if (prober.started)
		pthread_join(prober.thread, NULL);
	prober.started = false;
	if (prober.workers)
		pool_close(prober.workers);
	prober.workers = NULL;
}
SERVER_PART_HALT(route53_health, probe_start, probe_stop, probe_halt);
