/*
 * A thread that looks whenever something has been written: for what follows from the whole of the store and
 * need not be known in the write itself. After a look that takes long it rests long, so that it costs a small
 * share of a CPU at most.
 */
#pragma once
#include "store/store.h"

typedef struct looker looker;
/* At most every `every_ms` of real time, only after commits, resting `rest_factor` times what a look took. */
looker *looker_start(store *s, int64_t every_ms, int rest_factor, void (*look)(store *s));
void looker_stop(looker *l);
