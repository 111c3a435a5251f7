/*
 * An event loop on epoll: descriptors, deadlines and work sent by other threads. One thread runs
 * it and owns everything added to it; only loop_post and loop_stop may be called from elsewhere.
 *
 * Descriptors are watched edge-triggered: `ready` must go on until the system says EAGAIN or
 * remember that it has not. Whoever takes part embeds the structures here in its own and finds
 * itself by offset.
 *
 * A structure with a descriptor may be mentioned again later in the batch of events that led to
 * its end: take it out with loop_remove at once, and free it in a task given to loop_later.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

typedef struct loop loop;

typedef struct loop_io {
	int fd; /* -1 after loop_remove */
	void (*ready)(struct loop_io *, uint32_t events);
} loop_io;

/* Each task is in at most one queue at a time. */
typedef struct loop_task {
	struct loop_task *next;
	void (*run)(struct loop_task *);
} loop_task;

/* Deadlines are kept to about LOOP_TICK_MS; moving one further away costs a store. */
typedef struct loop_timer {
	struct loop_timer *next, *before;
	int64_t at_ms; /* monotonic; 0: not set */
	int slot;
	void (*fire)(struct loop_timer *);
} loop_timer;
#define LOOP_TICK_MS 64

/* NULL when the system refuses (errno says why). */
loop *loop_open(void);
void loop_close(loop *l);
/* Until loop_stop. */
void loop_run(loop *l);
void loop_stop(loop *l);
/* The loop that the calling thread runs, or NULL. */
loop *loop_current(void);
/* Monotonic milliseconds when the current batch began. */
int64_t loop_now_ms(const loop *l);

bool loop_add(loop *l, loop_io *io, uint32_t events);
void loop_remove(loop *l, loop_io *io);

/* From any thread: runs the task on the loop's, in the order in which tasks came. false: the loop
 * has ended and the task will not run. */
bool loop_post(loop *l, loop_task *t);
/* After the current batch of events, a few at a time between two batches. On the loop's thread only. */
void loop_later(loop *l, loop_task *t);

void loop_timer_set(loop *l, loop_timer *t, int64_t at_ms);
void loop_timer_clear(loop *l, loop_timer *t);

#define LOOP_OWNER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
