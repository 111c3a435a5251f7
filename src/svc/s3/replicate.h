/*
 * Replication to other buckets on this machine. The transaction that makes a version says PENDING and adds a
 * durable task; the task copies the version, under the same id, to each bucket that a rule names, and then
 * says COMPLETED or FAILED. A version keeps its sequence number too, so versions stand in the same order.
 */
#pragma once
#include "object.h"

/* Before object_place: whether rules want it elsewhere, and if so its status. */
void replicate_mark(txn *tx, arena *mem, const s3_bucket *b, str key, object *o);
/* After the version has its id, or when its tags or lock have changed: does nothing where none is wanted. */
void replicate_later(txn *tx, arena *mem, const s3_bucket *b, str key, const object *o);
