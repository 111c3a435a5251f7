#include "links.h"
#include "sys/clock.h"
#include <pthread.h>

#define LIFE_US (INT64_C(86400) * 1000000)
#define ALIVE_US (INT64_C(60) * 1000000)

/* Everything that changes is under the one lock; sending is done outside it. */
struct subscriber {
	arena *mem;
	link_facts f;
	websocket *w;
	subscriber *next;
	subscription *subscriptions;
	size_t n, bytes, references;
	waiting *first, **last;
	int n_waiting;
	bool read;           /* somebody reads what waits */
	int64_t began_us, alive_us;
	bool left;
};

static subscriber *all;
static size_t n_all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t attached = PTHREAD_COND_INITIALIZER;

subscriber *link_enter(const link_facts *f)
{
	arena *mem = arena_open(1024);
	subscriber *l = arena_new(mem, subscriber);
	*l = (subscriber){ .mem = mem, .references = 1, .began_us = clock_mono_us() };
	l->alive_us = l->began_us;
	l->last = &l->first;
	l->f = (link_facts){ f->s, arena_str(mem, f->api), arena_str(mem, f->account), arena_str(mem, f->region),
		arena_str(mem, f->peer) };
	pthread_mutex_lock(&lock);
	bool room = n_all < LINKS_MAX;
	if (room) {
		l->next = all;
		all = l;
		n_all++;
	}
	pthread_mutex_unlock(&lock);
	if (!room)
		arena_close(mem);
	return room ? l : NULL;
}

static void end(subscriber *l)
{
	websocket_release(l->w);
	arena_close(l->mem);
}

void link_attach(subscriber *l, websocket *w)
{
	pthread_mutex_lock(&lock);
	l->w = w;
	bool last = l->references == 0; /* it ended before it was attached */
	pthread_cond_broadcast(&attached);
	pthread_mutex_unlock(&lock);
	if (last)
		end(l);
}

const link_facts *link_facts_of(const subscriber *l)
{
	return &l->f;
}

subscriber *link_hold(subscriber *l)
{
	pthread_mutex_lock(&lock);
	l->references++;
	pthread_mutex_unlock(&lock);
	return l;
}

void link_put(subscriber *l)
{
	pthread_mutex_lock(&lock);
	bool last = --l->references == 0 && l->w; /* without one, link_attach is still to come */
	pthread_mutex_unlock(&lock);
	if (last)
		end(l);
}

static void subscription_put(subscription *s)
{
	pthread_mutex_lock(&lock);
	bool last = --s->references == 0;
	pthread_mutex_unlock(&lock);
	if (last)
		arena_close(s->mem);
}

int64_t link_leave(subscriber *l)
{
	int64_t minutes = (clock_mono_us() - l->began_us + 59999999) / 60000000;
	pthread_mutex_lock(&lock);
	l->left = true;
	for (subscriber **at = &all; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			n_all--;
			break;
		}
	subscription *gone = l->subscriptions;
	l->subscriptions = NULL;
	pthread_cond_broadcast(&attached);
	pthread_mutex_unlock(&lock);
	for (subscription *next; gone; gone = next) {
		next = gone->next;
		subscription_put(gone);
	}
	link_put(l);
	return minutes > 0 ? minutes : 1;
}

bool link_wait(subscriber *l, waiting *w, bool *first)
{
	pthread_mutex_lock(&lock);
	bool few = l->n_waiting < WAITING_MAX;
	*first = few && !l->read;
	if (few) {
		w->next = NULL;
		*l->last = w;
		l->last = &w->next;
		l->n_waiting++;
		l->read = true;
	}
	pthread_mutex_unlock(&lock);
	return few;
}

waiting *link_next(subscriber *l)
{
	pthread_mutex_lock(&lock);
	waiting *w = l->first;
	if (w) {
		l->first = w->next;
		l->n_waiting--;
	}
	if (!l->first)
		l->last = &l->first;
	l->read = w != NULL;
	pthread_mutex_unlock(&lock);
	return w;
}

/* The websocket of a link that is held, once it is there; NULL when the connection has ended. */
static websocket *ready(subscriber *l)
{
	pthread_mutex_lock(&lock);
	while (!l->w && !l->left)
		pthread_cond_wait(&attached, &lock);
	websocket *w = l->left ? NULL : l->w;
	pthread_mutex_unlock(&lock);
	return w;
}

bool link_say(subscriber *l, str text)
{
	websocket *w = ready(l);
	return w && websocket_offer(w, true, text);
}

static void copy(arena *mem, subscription *to, const subscription *from)
{
	*to = (subscription){ NULL, mem, 1, 0, arena_str(mem, from->id), arena_str(mem, from->field),
		arena_str(mem, from->query), arena_str(mem, from->operation), arena_str(mem, from->variables),
		arena_str(mem, from->arguments), from->mode, arena_str(mem, from->groups),
		arena_str(mem, from->denied) };
	to->bytes = arena_used(mem);
}

bool link_subscribe(subscriber *l, const subscription *s)
{
	arena *mem = arena_open(1024);
	subscription *kept = arena_new(mem, subscription);
	copy(mem, kept, s);
	pthread_mutex_lock(&lock);
	bool good = !l->left && l->n < SUBSCRIPTIONS_MAX && l->bytes + kept->bytes <= SUBSCRIPTIONS_BYTES;
	for (subscription *m = l->subscriptions; m; m = m->next)
		good = good && !str_eq(m->id, s->id);
	if (good) {
		kept->next = l->subscriptions;
		l->subscriptions = kept;
		l->n++;
		l->bytes += kept->bytes;
	}
	pthread_mutex_unlock(&lock);
	if (!good)
		arena_close(mem);
	return good;
}

bool link_unsubscribe(subscriber *l, str id)
{
	subscription *gone = NULL;
	pthread_mutex_lock(&lock);
	for (subscription **at = &l->subscriptions; *at && !gone; at = &(*at)->next)
		if (str_eq((*at)->id, id)) {
			gone = *at;
			*at = gone->next;
			l->n--;
			l->bytes -= gone->bytes;
			break;
		}
	pthread_mutex_unlock(&lock);
	if (gone)
		subscription_put(gone);
	return gone != NULL;
}

listener *link_listeners(arena *mem, str api, str field)
{
	listener *first = NULL;
	pthread_mutex_lock(&lock);
	for (subscriber *l = all; l; l = l->next)
		for (subscription *s = l->subscriptions; s; s = s->next) {
			if (!str_eq(l->f.api, api) || !str_eq(s->field, field))
				continue;
			listener *one = arena_new(mem, listener);
			one->l = l;
			one->s = s;
			l->references++;
			s->references++;
			one->next = first;
			first = one;
		}
	pthread_mutex_unlock(&lock);
	return first;
}

void listener_put(listener one)
{
	subscription_put(one.s);
	link_put(one.l);
}

/* One that is due, held; the walk begins again after each, for the lock is given up in between. */
static subscriber *due(int64_t now)
{
	subscriber *found = NULL;
	pthread_mutex_lock(&lock);
	for (subscriber *l = all; l && !found; l = l->next)
		if (l->w && now - l->alive_us > ALIVE_US) {
			found = l;
			l->references++;
			l->alive_us = now;
		}
	pthread_mutex_unlock(&lock);
	return found;
}

void link_keep_alive(void)
{
	int64_t now = clock_mono_us();
	for (subscriber *l; (l = due(now));) {
		websocket *w = ready(l);
		if (w && now - l->began_us > LIFE_US)
			websocket_close(w, 1001, S("Going away"));
		else if (w)
			websocket_offer(w, true, S("{\"type\":\"ka\"}"));
		link_put(l);
	}
}
