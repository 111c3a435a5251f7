/* Load balancers of services: what a task listens on goes into their target groups, and out again. */
#pragma once
#include "ecs.h"

/* true: there are any. Faults are told as the service's events. */
bool ecs_balancers_register(arena *mem, store *s, const ecs_task *t, bool in);
/* The same for a task that has ended without a word. */
void ecs_balancers_leave(txn *tx, const ecs_task *t);
/* Whether one still sends it what was under way. */
bool ecs_balancers_drain(arena *mem, store *s, const ecs_task *t);
