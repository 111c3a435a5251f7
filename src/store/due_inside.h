/*
 * Rows of timers and tasks, below the byte 1, where no folder of records lies:
 *
 *     01 'T' position         a timer: kind NUL key length (2 bytes) key payload
 *     01 'I' kind NUL key     the position of the timer with this key
 *     01 'U' position         a timer of a kind that nobody registers; like 'T'
 *     01 'K' id8              a task: not before (8 bytes), attempts begun (4), kind NUL payload
 *     01 'S' not before, id8  it waits
 *     01 'R' id8              it runs: an attempt was begun
 *     01 'V' id8              it is of a kind that nobody registers
 *     01 'C'                  the course of Farthing's clock: real, Farthing's, speed (8 bytes each)
 *     01 'N' name             counters (txn_next)
 *
 * A position is the moment, then the transaction and the place in it: timers of one moment fire in
 * the order in which they were set, and no counter needs writing for that. Numbers are big-endian,
 * moments with the sign bit turned, so that they sort.
 */
#pragma once
#include "store/due.h"
#include "store/inside.h"

#define POSITION 20
#define TASKS_MAX 1024 /* handed to the pool at once */

typedef struct due_work {
	store *s;
	struct pool *workers;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;  /* the thread: there is something to look at */
	pthread_cond_t rest;  /* others: the thread has ended a step, a task has ended */
	bool kicked, stopping, advancing, stepping, full;
	int64_t planned;      /* the thread sleeps until then; INT64_MAX while it looks */
	uint64_t tasks[TASKS_MAX]; /* handed to the pool, sorted */
	size_t n_tasks;
	int64_t earliest;     /* writer only: the earliest moment that this transaction has set */
} due_work;

typedef struct timer_row {
	str kind, key, payload;
} timer_row;

typedef struct task_row {
	int64_t not_before;
	unsigned attempts;
	str kind, payload;
} task_row;

const timer_kind *timer_kind_of(str name);
const task_kind *task_kind_of(str name);

void moment_put(void *p, int64_t moment);
int64_t moment_get(const void *p);
timer_row timer_read(str value);
bool task_read(const txn *tx, uint64_t id, task_row *t);
void task_write(txn *tx, uint64_t id, const task_row *t);

/* Keys of rows: 01, the letter, then the bytes. `to` has room for 2 + n. */
str row_key(char *to, char letter, const void *bytes, size_t n);
str task_key(char to[10], char letter, uint64_t id);
str wait_key(char to[18], int64_t not_before, uint64_t id);

/* The earliest timer and the earliest waiting task; INT64_MAX when there is none. */
int64_t timer_first(const txn *tx);
int64_t task_first(const txn *tx);
/* Fires the earliest timer: its row goes, its function runs. */
void timer_fire(txn *tx);
/* The rows of a crashed or newly composed server: interrupted tasks wait again, kinds that have
 * come back leave their place aside, those that are gone go there when they fall due. */
void due_recover(txn *tx);
/* After the commit the thread looks whether it must wake by then. */
void due_announce(txn *tx, int64_t moment);
bool due_stopping(due_work *d);

/* due_task.c: gives the task to the pool, unless it is there. false: no room. */
bool task_hand(due_work *d, uint64_t id);
