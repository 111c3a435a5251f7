#include "sys/loop.h"
#include "base/err.h"
#include "sys/clock.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLOTS 1024 /* of LOOP_TICK_MS: 65 seconds; what is due later goes round again */
#define BATCH 128
#define NO_SLOT (-1)
#define LATER_AT_ONCE 4 /* tasks between two looks at the descriptors */

struct loop {
	int epoll, event;
	_Atomic(loop_task *) posted; /* newest first; CLOSED after the end */
	atomic_int posters;          /* inside loop_post: the loop must not be freed under them */
	atomic_bool asleep;          /* a poster must ring */
	atomic_bool stopping;
	loop_task *later, **later_last;
	int64_t now_ms, tick;        /* tick: the last slot looked at, counted from zero */
	uint64_t used[SLOTS / 64];   /* bit per slot: has timers */
	loop_timer *slots[SLOTS];
};

static loop_task closed_mark;
#define CLOSED (&closed_mark)

static _Thread_local loop *current;

loop *loop_open(void)
{
	loop *l = calloc(1, sizeof *l);
	ensure(l != NULL);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->later_last = &l->later;
	l->now_ms = clock_mono_us() / 1000;
	l->tick = l->now_ms / LOOP_TICK_MS;
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };
	if (l->epoll >= 0 && l->event >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->event, &e) == 0)
		return l;
	int why = errno;
	loop_close(l);
	errno = why;
	return NULL;
}

void loop_close(loop *l)
{
	if (!l)
		return;
	/* Who has posted the last task may still be about to ring. */
	while (atomic_load(&l->posters))
		clock_sleep_ms(1);
	if (l->epoll >= 0)
		close(l->epoll);
	if (l->event >= 0)
		close(l->event);
	free(l);
}

loop *loop_current(void)
{
	return current;
}

int64_t loop_now_ms(const loop *l)
{
	return l->now_ms;
}

bool loop_add(loop *l, loop_io *io, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = io };
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, io->fd, &e) == 0;
}

void loop_remove(loop *l, loop_io *io)
{
	if (io->fd >= 0)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	io->fd = -1;
}

static void ring(loop *l)
{
	uint64_t one = 1;
	/* A full counter rings as well. */
	while (write(l->event, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static bool push(loop *l, loop_task *t)
{
	loop_task *head = atomic_load(&l->posted);
	do {
		if (head == CLOSED)
			return false;
		t->next = head;
	} while (!atomic_compare_exchange_weak(&l->posted, &head, t));
	return true;
}

bool loop_post(loop *l, loop_task *t)
{
	atomic_fetch_add(&l->posters, 1);
	bool taken = push(l, t);
	/* Only who finds the loop asleep pays for the system call, and only one of many. A loop
	 * that goes to sleep says so before it looks at the queue for the last time. */
	if (taken && atomic_load(&l->asleep) && atomic_exchange(&l->asleep, false))
		ring(l);
	atomic_fetch_sub(&l->posters, 1);
	return taken;
}

void loop_stop(loop *l)
{
	atomic_store(&l->stopping, true);
	ring(l);
}

void loop_later(loop *l, loop_task *t)
{
	t->next = NULL;
	*l->later_last = t;
	l->later_last = &t->next;
}

static void run_later(loop *l)
{
	/* Those who have much to do come here again and again: what is new need not wait for all of them. */
	for (int i = 0; i < LATER_AT_ONCE && l->later; i++) {
		loop_task *t = l->later;
		l->later = t->next;
		if (!l->later)
			l->later_last = &l->later;
		t->run(t);
	}
}

static void run_posted(loop *l, loop_task *instead)
{
	loop_task *newest = atomic_exchange(&l->posted, instead), *t = NULL;
	while (newest) {
		loop_task *next = newest->next;
		newest->next = t;
		t = newest;
		newest = next;
	}
	while (t) {
		loop_task *next = t->next;
		t->run(t);
		t = next;
	}
}

static void unlink_timer(loop *l, loop_timer *t)
{
	if (t->before)
		t->before->next = t->next;
	else
		l->slots[t->slot] = t->next;
	if (t->next)
		t->next->before = t->before;
	if (!l->slots[t->slot])
		l->used[t->slot / 64] &= ~(UINT64_C(1) << t->slot % 64);
	t->next = t->before = NULL;
	t->slot = NO_SLOT;
}

static void link_timer(loop *l, loop_timer *t)
{
	/* Rounded up: never early. At most one round ahead. */
	int64_t tick = (t->at_ms + LOOP_TICK_MS - 1) / LOOP_TICK_MS;
	if (tick <= l->tick)
		tick = l->tick + 1;
	if (tick > l->tick + SLOTS - 1)
		tick = l->tick + SLOTS - 1;
	t->slot = (int)(tick % SLOTS);
	t->before = NULL;
	t->next = l->slots[t->slot];
	if (t->next)
		t->next->before = t;
	l->slots[t->slot] = t;
	l->used[t->slot / 64] |= UINT64_C(1) << t->slot % 64;
}

static bool linked(const loop *l, const loop_timer *t)
{
	/* A zeroed timer says slot 0; it is there only if the lists say so too. */
	return t->slot != NO_SLOT && (t->before || t->next || l->slots[t->slot] == t);
}

void loop_timer_set(loop *l, loop_timer *t, int64_t at_ms)
{
	ensure(at_ms > 0);
	bool is_linked = linked(l, t);
	/* Further away than before: the old slot comes first, finds it not due and moves it. */
	bool stays = is_linked && t->at_ms != 0 && at_ms >= t->at_ms;
	t->at_ms = at_ms;
	if (stays)
		return;
	if (is_linked)
		unlink_timer(l, t);
	link_timer(l, t);
}

void loop_timer_clear(loop *l, loop_timer *t)
{
	if (linked(l, t))
		unlink_timer(l, t);
	t->at_ms = 0;
}

static void run_slot(loop *l, int slot)
{
	/* Whatever a firing timer does to the others, the list is read from its head. Those that
	 * are not due go into other slots: link_timer never chooses the slot of the current tick. */
	while (l->slots[slot]) {
		loop_timer *t = l->slots[slot];
		unlink_timer(l, t);
		if (t->at_ms > l->now_ms) {
			link_timer(l, t);
			continue;
		}
		t->at_ms = 0;
		t->fire(t);
	}
}

static void run_timers(loop *l)
{
	int64_t now = l->now_ms / LOOP_TICK_MS;
	if (now - l->tick > SLOTS)
		l->tick = now - SLOTS;
	while (l->tick < now) {
		l->tick++;
		run_slot(l, (int)(l->tick % SLOTS));
	}
}

/* Milliseconds until the next slot with timers; -1 when there is none. */
static int timeout_ms(const loop *l)
{
	for (int64_t tick = l->tick + 1; tick < l->tick + SLOTS;) {
		int slot = (int)(tick % SLOTS);
		uint64_t bits = l->used[slot / 64] >> slot % 64;
		if (bits) {
			tick += __builtin_ctzll(bits);
			int64_t ms = tick * LOOP_TICK_MS - clock_mono_us() / 1000;
			return ms < 0 ? 0 : (int)ms;
		}
		tick += 64 - slot % 64;
	}
	return -1;
}

static void dispatch(loop *l, struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		loop_io *io = events[i].data.ptr;
		if (!io) {
			uint64_t rung;
			while (read(l->event, &rung, sizeof rung) < 0 && errno == EINTR)
				;
		} else if (io->fd >= 0) {
			io->ready(io, events[i].events);
		}
	}
}

static void wait_and_dispatch(loop *l)
{
	struct epoll_event events[BATCH];
	atomic_store(&l->asleep, true);
	bool work = atomic_load(&l->posted) || l->later;
	int n = epoll_wait(l->epoll, events, BATCH, work ? 0 : timeout_ms(l));
	atomic_store(&l->asleep, false);
	ensure(n >= 0 || errno == EINTR);
	l->now_ms = clock_mono_us() / 1000;
	dispatch(l, events, n);
}

void loop_run(loop *l)
{
	ensure(!current);
	current = l;
	while (!atomic_load(&l->stopping)) {
		wait_and_dispatch(l);
		run_posted(l, NULL);
		run_later(l);
		run_timers(l);
	}
	run_posted(l, CLOSED);
	/* Freeing may give rise to freeing. */
	while (l->later)
		run_later(l);
	current = NULL;
}
