#include "run/pgbouncer_lane.h"
#include "base/buf.h"
#include "run/postgres_wire.h"

#define HEAD 5 /* a message's kind and length */
#define WHOLE ((size_t)16384) /* up to so long they are held until they are there: PgBouncer refuses parts of
                               * messages while a client logs in */
#define WAITING_MAX (STATEMENTS_MESSAGE_MAX * 3) /* one about statements comes with another's text */

struct lane {
	statements *known;
	bool from_client;
	char head[HEAD];
	size_t n_head;
	size_t left; /* of the message that flows */
	bool dropped;
	/* The message that is held. */
	arena *held_in;
	char *held;
	size_t n_held, of_held;
	bool holding;
	/* What waits. */
	arena *out_in;
	buf out;
	size_t sent;
	arena *mem;
};

lane *lane_open(statements *known, bool from_client)
{
	arena *mem = arena_open(sizeof(lane) + 64);
	lane *l = arena_new(mem, lane);
	l->mem = mem;
	l->known = known;
	l->from_client = from_client;
	return l;
}

static void let_go(lane *l)
{
	if (l->held_in)
		arena_close(l->held_in);
	l->held_in = NULL;
	l->holding = false;
}

static void emptied(lane *l)
{
	if (l->out_in)
		arena_close(l->out_in);
	l->out_in = NULL;
	l->out = (buf){ 0 };
	l->sent = 0;
}

void lane_close(lane *l)
{
	let_go(l);
	emptied(l);
	arena_close(l->mem);
}

str lane_waiting(const lane *l)
{
	return l->out_in ? str_sub(buf_str(&l->out), l->sent, l->out.n) : STR_NONE;
}

void lane_sent(lane *l, size_t n)
{
	l->sent += n;
	if (l->out_in && l->sent == l->out.n)
		emptied(l);
}

static bool put(lane *l, str bytes)
{
	if (!l->out_in) {
		l->out_in = arena_open(bytes.n + 1024);
		l->out = buf_in(l->out_in, bytes.n + 512, WAITING_MAX);
	} else if (l->sent >= LANE_FULL) { /* what has gone makes room, also when it never goes entirely */
		memmove(l->out.p, l->out.p + l->sent, l->out.n - l->sent);
		l->out.n -= l->sent;
		l->sent = 0;
	}
	buf_put(&l->out, bytes);
	return !l->out.full;
}

/* Whether and how a message goes on, when its head is there. */
static bool begin(lane *l)
{
	size_t n = postgres_u32(l->head + 1);
	char kind = l->head[0];
	if (n < 4)
		return false;
	n -= 4;
	bool looked = l->from_client && statements_look(kind);
	l->dropped = !l->from_client && !statements_answer(l->known, kind);
	if (l->from_client && !looked && !statements_pass(l->known, kind))
		return false;
	if (looked && n > STATEMENTS_MESSAGE_MAX)
		return false;
	if (!looked && (n > WHOLE || l->dropped)) {
		l->left = n;
		l->n_head = n ? HEAD : 0;
		return l->dropped || put(l, str_of(l->head, HEAD));
	}
	l->held_in = arena_open(n + 1024);
	l->held = arena_bytes(l->held_in, n + 1);
	l->of_held = n;
	l->n_held = 0;
	l->holding = true;
	return true;
}

static bool finish_held(lane *l)
{
	str body = str_of(l->held, l->n_held);
	bool good;
	if (l->from_client && statements_look(l->head[0])) {
		str send = statements_ask(l->held_in, l->known, l->head[0], body);
		good = str_is(send) && put(l, send);
	} else {
		good = put(l, str_of(l->head, HEAD)) && put(l, body);
	}
	let_go(l);
	l->n_head = 0;
	return good;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

bool lane_feed(lane *l, str bytes)
{
	while (bytes.n || (l->holding && l->n_held == l->of_held)) {
		size_t k;
		if (l->holding) {
			k = least(bytes.n, l->of_held - l->n_held);
			memcpy(l->held + l->n_held, bytes.p, k);
			l->n_held += k;
			if (l->n_held == l->of_held && !finish_held(l))
				return false;
		} else if (l->left) {
			k = least(bytes.n, l->left);
			if (!l->dropped && !put(l, str_sub(bytes, 0, k)))
				return false;
			l->left -= k;
			l->n_head = l->left ? HEAD : 0;
		} else {
			k = least(bytes.n, HEAD - l->n_head);
			memcpy(l->head + l->n_head, bytes.p, k);
			l->n_head += k;
			if (l->n_head == HEAD && !begin(l))
				return false;
		}
		bytes = str_sub(bytes, k, bytes.n);
	}
	return true;
}
