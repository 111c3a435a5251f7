/*
 * Schedules: a target, and when it is called. The next moment of each is a timer; every invocation is a task
 * that tries again, except that queues and log groups have it in the transaction in which it falls due.
 */
#pragma once
#include "gen/scheduler.h"

#define DEFAULT_GROUP "default"

str schedule_arn(arena *mem, const scheduler_schedule *s);
err schedule_find(req *rq, const txn *tx, str group, str name, scheduler_schedule **s);
err schedule_group_find(req *rq, const txn *tx, str name, scheduler_group **g);
err kept_check(req *rq, const scheduler_Kept *k);
/* Sets or takes away the timer; `after`: the moment that has been dealt with. False: nothing is to come. */
bool schedule_arm(txn *tx, arena *mem, const scheduler_schedule *s, int64_t after);
void schedule_drop(txn *tx, arena *mem, const scheduler_schedule *s);
