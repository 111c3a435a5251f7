/*
 * Threads for work that waits: invoking a function, starting a database, long polling. The pool
 * grows by need up to its maximum and shrinks when idle. Jobs start in the order in which they
 * came.
 */
#pragma once
#include <stdbool.h>

typedef struct pool pool;
pool *pool_open(int max_threads);
/* Its threads leave the processors to others: for work that nobody waits for alone. */
pool *pool_open_humble(int max_threads);
/* Waits for running jobs. */
void pool_close(pool *p);
void pool_run(pool *p, void (*job)(void *argument), void *argument);
