/*
 * The request log: one structured line per request, written by a thread of its own so that a slow terminal
 * never slows a reply.
 *
 *     2026-11-21T06:14:12.123Z dynamodb.PutItem 200 412us 000000000000 root 1.2KB dynamodb.wru=1 id=...
 */
#pragma once
#include "base/arena.h"

/* To this file (appended); empty: standard error. */
void trail_start(str path, bool quiet);
void trail_stop(void);
/* Any thread. Lines that do not fit into a full buffer are dropped and counted. */
void trail_line(str line);
