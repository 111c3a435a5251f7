#include "cloud/socket_table.h"
#include "sys/clock.h"
#include <pthread.h>

/* Everything that changes is under the one lock; sending is done outside it. */
struct socket_entry {
	arena *mem;
	socket_facts f;
	websocket *w;
	socket_entry *next;
	int64_t active_us, active_at;
	size_t references;
	bool left;
};

#define BUCKETS 4096
static socket_entry *buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t attached = PTHREAD_COND_INITIALIZER;

static socket_entry **bucket_of(str id)
{
	return &buckets[str_hash(id) % BUCKETS];
}

socket_entry *socket_enter(const socket_facts *f)
{
	arena *mem = arena_open(1024);
	socket_entry *e = arena_new(mem, socket_entry);
	*e = (socket_entry){ .mem = mem, .f = *f, .references = 1, .active_us = clock_mono_us(),
		.active_at = clock_now() };
	str *strings[] = { &e->f.id, &e->f.api, &e->f.stage, &e->f.domain, &e->f.account, &e->f.region,
		&e->f.ip, &e->f.agent, &e->f.authorizer };
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		*strings[i] = arena_str(mem, *strings[i]);
	pthread_mutex_lock(&lock);
	e->next = *bucket_of(e->f.id);
	*bucket_of(e->f.id) = e;
	pthread_mutex_unlock(&lock);
	return e;
}

void socket_attach(socket_entry *e, websocket *w)
{
	pthread_mutex_lock(&lock);
	e->w = w;
	bool last = e->references == 0; /* it ended before it was attached */
	pthread_cond_broadcast(&attached);
	pthread_mutex_unlock(&lock);
	if (last) {
		websocket_release(w);
		arena_close(e->mem);
	}
}

socket_entry *socket_hold(socket_entry *e)
{
	pthread_mutex_lock(&lock);
	e->references++;
	pthread_mutex_unlock(&lock);
	return e;
}

void socket_put(socket_entry *e)
{
	pthread_mutex_lock(&lock);
	bool last = --e->references == 0 && e->w; /* without one, socket_attach is still to come */
	pthread_mutex_unlock(&lock);
	if (last) {
		websocket_release(e->w);
		arena_close(e->mem);
	}
}

void socket_leave(socket_entry *e)
{
	pthread_mutex_lock(&lock);
	e->left = true;
	for (socket_entry **at = bucket_of(e->f.id); *at; at = &(*at)->next)
		if (*at == e) {
			*at = e->next;
			break;
		}
	pthread_mutex_unlock(&lock);
	socket_put(e);
}

socket_entry *socket_find(str id)
{
	pthread_mutex_lock(&lock);
	socket_entry *e = *bucket_of(id);
	while (e && !str_eq(e->f.id, id))
		e = e->next;
	if (e)
		e->references++;
	pthread_mutex_unlock(&lock);
	return e;
}

const socket_facts *socket_facts_of(const socket_entry *e)
{
	return &e->f;
}

static void touch(socket_entry *e)
{
	e->active_us = clock_mono_us();
	e->active_at = clock_now();
}

void socket_touch(socket_entry *e)
{
	pthread_mutex_lock(&lock);
	touch(e);
	pthread_mutex_unlock(&lock);
}

int64_t socket_last_active(socket_entry *e)
{
	pthread_mutex_lock(&lock);
	int64_t at = e->active_at;
	pthread_mutex_unlock(&lock);
	return at;
}

/* The websocket of an entry that is held, once it is there; NULL when the connection has ended. */
static websocket *ready(socket_entry *e)
{
	pthread_mutex_lock(&lock);
	while (!e->w && !e->left)
		pthread_cond_wait(&attached, &lock);
	websocket *w = e->left ? NULL : e->w;
	touch(e);
	pthread_mutex_unlock(&lock);
	return w;
}

bool socket_say(socket_entry *e, bool text, str bytes)
{
	websocket *w = ready(e);
	return w && websocket_send(w, text, bytes);
}

void socket_close(socket_entry *e, int code, str reason)
{
	websocket *w = ready(e);
	if (w)
		websocket_close(w, code, reason);
}

/* One that is due, held; the walk begins again after each, for the lock is given up in between. */
static socket_entry *due(int64_t idle_us, int64_t life_us)
{
	int64_t now = clock_mono_us();
	socket_entry *found = NULL;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < BUCKETS && !found; i++)
		for (socket_entry *e = buckets[i]; e && !found; e = e->next)
			if (e->w && (now - e->active_us > idle_us || now - e->f.began_us > life_us)) {
				found = e;
				e->references++;
				e->active_us = e->f.began_us = now; /* closed once */
			}
	pthread_mutex_unlock(&lock);
	return found;
}

void socket_expire(int64_t idle_us, int64_t life_us)
{
	for (socket_entry *e; (e = due(idle_us, life_us));) {
		socket_close(e, 1001, S("Going away"));
		socket_put(e);
	}
}
