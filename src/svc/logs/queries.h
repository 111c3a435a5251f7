/*
 * Queries of Insights as they are kept: StartQuery writes one with a durable task (query_run.c), whose rows
 * are written piece by piece beside it. All of it goes after seven days.
 */
#pragma once
#include "insights.h"

#define QUERY_CHUNK 500 /* rows in a row of the store */

logs_query *query_find(const txn *tx, arena *mem, str account, str region, str id);
/* Whether it is still to be done. */
bool query_goes_on(const logs_query *q);
/* Fields of an event as results have them, with its pointer. */
str query_pointer(arena *mem, str group, int64_t when, int64_t seq);
bool query_pointer_read(arena *mem, str pointer, str *group, place *p);
/* An event as queries see it. */
iq_row query_row(arena *mem, const txn *tx, const logs_group *g, const logs_event *e);
