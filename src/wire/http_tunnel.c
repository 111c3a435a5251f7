/* Connections that a reply of 101 has turned into something else. */
#include "wire/http_queue.h"
#include <stdlib.h>

/* The connection, the application and each posted task hold a reference. */
struct http_tunnel {
	http_queue q;
	loop_task task;
	loop *loop;
	http_tunnel_app app;
	http_connection *c; /* the loop's; NULL after the end */
	atomic_int references;
	/* under q.lock */
	bool posted, ending, paused;
	uint64_t sent;
};

void http_tunnel_release(http_tunnel *t)
{
	if (atomic_fetch_sub(&t->references, 1) != 1)
		return;
	http_queue_done(&t->q);
	free(t);
}

static void tunnel_posted(loop_task *task)
{
	http_tunnel *t = LOOP_OWNER(task, http_tunnel, task);
	pthread_mutex_lock(&t->q.lock);
	t->posted = false;
	pthread_mutex_unlock(&t->q.lock);
	if (t->c)
		http_connection_advance(t->c);
	http_tunnel_release(t);
}

/* With the lock held, and only while the connection is there: so is its loop. */
static void post(http_tunnel *t)
{
	if (t->posted || t->q.gone)
		return;
	t->posted = true;
	t->task.run = tunnel_posted;
	atomic_fetch_add(&t->references, 1);
	if (!loop_post(t->loop, &t->task)) {
		t->posted = false;
		atomic_fetch_sub(&t->references, 1);
	}
}

static bool send_bytes(http_tunnel *t, str bytes, bool wait)
{
	http_block *b = http_block_of(bytes.n);
	memcpy(b->bytes, bytes.p, bytes.n);
	b->n = bytes.n;
	pthread_mutex_lock(&t->q.lock);
	bool room = wait || t->q.behind <= HTTP_BEHIND_MAX;
	bool taken = room && !t->ending && http_queue_put(&t->q, b, wait);
	if (taken)
		post(t);
	pthread_mutex_unlock(&t->q.lock);
	if (!taken)
		free(b);
	return taken;
}

bool http_tunnel_send(http_tunnel *t, str bytes)
{
	return send_bytes(t, bytes, loop_current() == NULL);
}

bool http_tunnel_offer(http_tunnel *t, str bytes)
{
	return send_bytes(t, bytes, false);
}

void http_tunnel_pause(http_tunnel *t, bool paused)
{
	pthread_mutex_lock(&t->q.lock);
	t->paused = paused;
	if (!paused)
		post(t);
	pthread_mutex_unlock(&t->q.lock);
}

void http_tunnel_close(http_tunnel *t)
{
	pthread_mutex_lock(&t->q.lock);
	t->ending = true;
	post(t);
	pthread_mutex_unlock(&t->q.lock);
}

http_tunnel *http_upgrade(http_exchange *x, const wire_message *out, const http_tunnel_app *app)
{
	exchange *e = (exchange *)x;
	ensure(!e->replied && e->body_whole && out->status == 101);
	http_tunnel *t = calloc(1, sizeof *t);
	ensure(t != NULL);
	http_queue_init(&t->q);
	t->app = *app;
	t->loop = e->c->l->loop;
	atomic_store(&t->references, 2);
	e->tunnel = t;
	http_reply(x, out, NULL);
	return t;
}

void http_tunnel_start(http_connection *c, http_tunnel *t)
{
	c->tunnel = t;
	t->c = c;
	c->phase = PHASE_TUNNEL;
	c->eof = false;
}

void http_tunnel_ended(http_tunnel *t)
{
	t->c = NULL;
	pthread_mutex_lock(&t->q.lock);
	http_queue_cut(&t->q);
	pthread_mutex_unlock(&t->q.lock);
	if (t->app.closed)
		t->app.closed(t->app.context, t);
	http_tunnel_release(t);
}

static void received(http_connection *c, str bytes)
{
	http_tunnel *t = c->tunnel;
	/* The tunnel may be closed in the callback, and freed after it. */
	atomic_fetch_add(&t->references, 1);
	c->in_app = true;
	t->app.received(t->app.context, t, bytes);
	c->in_app = false;
	http_tunnel_release(t);
}

static bool is_paused(http_tunnel *t)
{
	pthread_mutex_lock(&t->q.lock);
	bool paused = t->paused || t->ending;
	pthread_mutex_unlock(&t->q.lock);
	return paused;
}

/* What came behind the request is the tunnel's too. */
static bool receive_buffered(http_connection *c)
{
	if (c->in_start == c->in_end)
		return false;
	str bytes = { c->in + c->in_start, c->in_end - c->in_start };
	c->in_start = c->in_end;
	received(c, bytes);
	return true;
}

static bool receive_some(http_connection *c)
{
	if (is_paused(c->tunnel))
		return false;
	if (receive_buffered(c))
		return true;
	if (!c->readable)
		return false;
	ssize_t n = http_receive(c, c->l->scratch, HTTP_SCRATCH);
	if (n < 0) {
		http_connection_close(c);
		return false;
	}
	if (n > 0)
		received(c, (str){ c->l->scratch, (size_t)n });
	return n > 0;
}

bool http_tunnel_more(http_connection *c)
{
	http_tunnel *t = c->tunnel;
	bool more = receive_some(c);
	if (c->phase != PHASE_TUNNEL)
		return false;
	http_flush f = http_queue_send(c, &t->q, &t->sent);
	c->blocked = f == FLUSH_BLOCKED;
	if (f == FLUSH_BROKEN) {
		http_connection_close(c);
		return false;
	}
	pthread_mutex_lock(&t->q.lock);
	bool over = f == FLUSHED && t->ending && !t->q.first;
	pthread_mutex_unlock(&t->q.lock);
	if (over) {
		c->linger = true;
		c->phase = PHASE_DRAIN;
		c->tunnel = NULL;
		http_tunnel_ended(t);
		return true;
	}
	return more || f == FLUSH_MORE;
}
