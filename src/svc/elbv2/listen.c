/*
 * The ports of listeners on this machine: 127.0.0.1, where names below localhost lead. Load balancers that
 * listen on the same port share it, and the name of the host says which one is meant; a network load
 * balancer's port is its own. A port that somebody else has, or that only root may open, stays closed and is
 * tried again.
 */
#include "run/engine_relay.h"
#include "sys/pool.h"
#include "visit.h"

#define PORTS 256
#define WORKERS 64
#define HOME "127.0.0.1"
#define GRACE_MS 1000

typedef struct door {
	int port;
	http_server *server;
	relay *relay;
	str about; /* of a network load balancer's: ACCOUNT REGION PATH-OF-LISTENER */
	bool wanted;
} door;

static struct {
	store *s;
	pool *workers;
	arena *mem;
	door doors[PORTS];
	size_t n;
} all;

typedef struct errand {
	http_exchange *x;
	int port;
} errand;

static void run(void *argument)
{
	errand *e = argument;
	elb_visit(e->x, all.s, e->port);
}

static bool head(void *context, http_exchange *x)
{
	(void)context;
	x->body_max = (size_t)256 << 20;
	return true;
}

static void request(void *context, http_exchange *x)
{
	errand *e = arena_new(x->mem, errand);
	*e = (errand){ x, (int)(intptr_t)context };
	pool_run(all.workers, run, e);
}

static bool choose_target(const char *about, char address[RELAY_ADDRESS], int *port)
{
	arena *mem = arena_open(4096);
	str rest = str_c(about), account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	visit v = { .s = all.s, .mem = mem };
	const txn *tx = store_read(all.s);
	v.l = elb_listener_at(tx, mem, account, region, rest);
	v.b = v.l ? elb_balancer_at(tx, mem, account, region, v.l->Balancer) : NULL;
	store_read_end(all.s, tx);
	bool found = v.b && v.l->It->DefaultActions.n && v.l->It->DefaultActions.v[0].ForwardConfig &&
	             elb_pick_raw(&v, &v.l->It->DefaultActions.v[0]);
	if (found) {
		str to = elb_target_address(v.mem, v.t);
		found = to.n && to.n < RELAY_ADDRESS;
		if (found) {
			memcpy(address, to.p, to.n);
			address[to.n] = 0;
			*port = (int)elb_target_port(v.g, v.t);
		}
	}
	arena_close(mem);
	return found;
}

static void open_door(door *d)
{
	http_app app = { .context = (void *)(intptr_t)d->port, .head = head, .request = request };
	http_options o = { .address = S(HOME), .port = d->port, .loops = 1 };
	if (d->about.n)
		(void)relay_open(all.mem, S(HOME), d->port, d->about, choose_target, &d->relay);
	else
		(void)http_serve(all.mem, &o, &app, &d->server);
}

static void close_door(door *d)
{
	if (d->server)
		http_stop(d->server, GRACE_MS);
	if (d->relay)
		relay_close(d->relay);
	d->server = NULL;
	d->relay = NULL;
}

static void want(int port, str about)
{
	size_t i = 0;
	while (i < all.n && all.doors[i].port != port)
		i++;
	if (i == PORTS)
		return;
	door *d = &all.doors[i];
	if (i == all.n) {
		*d = (door){ .port = port, .about = arena_str(all.mem, about) };
		all.n++;
	}
	if (str_eq(d->about, about))
		d->wanted = true;
}

static void wanted_by_rows(arena *mem)
{
	const txn *tx = store_read(all.s);
	record_scan s = elbv2_listener_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (elbv2_listener *l; (l = elbv2_listener_next(&s));) {
		elbv2_balancer *b = elb_balancer_at(tx, mem, l->Account, l->Region, l->Balancer);
		if (!b || !str_eq(b->It->State->Code, S("active")))
			continue;
		bool network = elb_is_network(b->It);
		want((int)l->It->Port.v, network ? arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(l->Account),
		                                             STR_ARG(l->Region), STR_ARG(elb_listener_path(mem, l)))
		                                 : S(""));
	}
	cursor_close(&s.at);
	store_read_end(all.s, tx);
}

void elb_listen_look(void)
{
	arena *mem = arena_open(4096);
	for (size_t i = 0; i < all.n; i++)
		all.doors[i].wanted = false;
	wanted_by_rows(mem);
	arena_close(mem);
	for (size_t i = 0; i < all.n;) {
		door *d = &all.doors[i];
		if (!d->wanted) {
			close_door(d);
			*d = all.doors[--all.n];
			continue;
		}
		if (!d->server && !d->relay)
			open_door(d);
		i++;
	}
}

void elb_listen_start(store *s)
{
	all.s = s;
	all.mem = arena_open(4096);
	all.workers = pool_open(WORKERS);
}

void elb_listen_stop(void)
{
	while (all.n)
		close_door(&all.doors[--all.n]);
	pool_close(all.workers);
	arena_close(all.mem);
}
