/*
 * Durable timers and tasks: rows that make something happen later.
 *
 * A timer runs a writing function inside a transaction when its time comes on Farthing's clock; the
 * row goes in the same transaction, so it happens exactly once. A task runs a waiting function
 * (invoke, start a database, deliver) on the pool after the commit that added it; the row goes when
 * the function says it is done, so it happens at least once, also across a crash.
 *
 * Kinds register themselves where they are defined:
 *
 *     TIMER(ssm_expire) { ... uses tx, payload, due ... }
 *     TASK(lambda_async) { ... uses s, id, payload; return TASK_DONE, or task_retry_at(ms) ... }
 */
#pragma once
#include "store/store.h"

typedef struct timer_kind {
	const char *name;
	void (*run)(txn *tx, str payload, int64_t due);
} timer_kind;
#define TIMER(id) \
	static void timer_##id(txn *tx, str payload, int64_t due); \
	static const timer_kind timer_kind_##id = { #id, timer_##id }; \
	__attribute__((section("farthing_timers"), \
	               used)) static const timer_kind *const timer_entry_##id = &timer_kind_##id; \
	static void timer_##id(__attribute__((unused)) txn *tx, __attribute__((unused)) str payload, \
	                       __attribute__((unused)) int64_t due)

/* A later call with the same kind and key replaces the earlier one; key may be empty for "another
 * one". */
void timer_set(txn *tx, const char *kind, str key, int64_t due, str payload);
void timer_cancel(txn *tx, const char *kind, str key);
/* The next beginning of a period of so many milliseconds, counted from 1970: for timers that do their work
 * and set themselves again. By its place among the periods: one that fell due while nothing ran still
 * fires. */
void timer_every(txn *tx, const char *kind, int64_t period, int64_t after);

#define TASK_DONE INT64_C(0)
typedef struct task_kind {
	const char *name;
	/* On the pool. TASK_DONE, or the moment (Farthing's clock) at which to try again. `attempt` is
	 * 1 the first time; one that a crash interrupted counts. */
	int64_t (*run)(store *s, arena *mem, uint64_t id, str payload, unsigned attempt);
} task_kind;
#define TASK(id_) \
	static int64_t task_##id_(store *s, arena *mem, uint64_t id, str payload, unsigned attempt); \
	static const task_kind task_kind_##id_ = { #id_, task_##id_ }; \
	__attribute__((section("farthing_tasks"), \
	               used)) static const task_kind *const task_entry_##id_ = &task_kind_##id_; \
	static int64_t task_##id_( \
		__attribute__((unused)) store *s, __attribute__((unused)) arena *mem, \
		__attribute__((unused)) uint64_t id, __attribute__((unused)) str payload, \
		__attribute__((unused)) unsigned attempt)

/* Any thread: the server is stopping. A task that works in many transactions asks between them, returns the
 * present moment and runs again after the next start. */
bool task_should_stop(store *s);

/* not_before 0: at once. Returns the task's id. */
uint64_t task_add(txn *tx, const char *kind, str payload, int64_t not_before);
void task_cancel(txn *tx, uint64_t id);

/* Sets Farthing's clock as it stood: before anything asks what time it is. */
void due_restore_clock(store *s);

struct pool;
/* Starts the thread that fires timers and hands tasks to the pool; sets the clock as
 * due_advance and due_speed kept it. Interrupted tasks begin again. */
void due_start(store *s, struct pool *workers);
/* Waits for the tasks that run. */
void due_stop(store *s);
/* The clock was turned: look again. */
void due_wake(store *s);
/* Turns the clock forward to `to` (Farthing's time), firing every timer at its own time and in
 * order, and running tasks that fall due to their end before time goes on. The clock's offset is
 * kept in the store together with what has happened by it. `progress` may be NULL. When the disk
 * fails it stops on the way: look at the clock. Not from a task, which would wait for itself. */
void due_advance(store *s, int64_t to, void (*progress)(void *context, int64_t now), void *context);

/* From now on Farthing's clock runs this many times (1 to CLOCK_SPEED_MAX) as fast as the real one, also
 * while the server is down. Kept in the store. */
err due_speed(store *s, int64_t speed);

/* Rows of kinds that nobody registers (a service was removed) stay aside and come back with their
 * kind. How many have fallen due so far, and of which kinds. */
size_t due_unknown(store *s, arena *mem, str *kinds);
