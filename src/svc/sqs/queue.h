/*
 * Queues and what is in them. A message is one row in the order of arrival, and one row in the index `ready`,
 * which is ordered by the moment from which it may be received: receiving walks that index from its start, so
 * an idle or a long queue costs the same. In a FIFO queue messages of a group come in order of arrival, and
 * a group waits while one of its messages is in flight.
 */
#pragma once
#include "gen/sqs.h"

/* Attributes of a queue, read: AWS's defaults where the user set none. Seconds and bytes. */
typedef struct queue_settings {
	int64_t delay, visibility, retention, wait, body_max;
	bool fifo, content_dedup, group_dedup;
	str redrive_target; /* ARN; STR_NONE: none */
	int64_t redrive_after;
} queue_settings;

str queue_attribute(const sqs_queue *q, str name); /* STR_NONE when unset */
queue_settings queue_settings_of(arena *mem, const sqs_queue *q);
str queue_arn(const req *rq, const sqs_queue *q);
str queue_url(req *rq, const sqs_queue *q);
/* QueueDoesNotExist when there is none. */
err queue_find(req *rq, const txn *tx, str url, sqs_queue **q);
sqs_queue *queue_by_arn(const txn *tx, arena *mem, str arn);
/* A request's cost: one per 64 KB. */
void queue_metered(req *rq, const sqs_queue *q, size_t bytes);

typedef struct message_in {
	str body, group, dedup;
	opt_i64 delay;
	const sqs_MessageBodyAttributeMap *attributes;
	const sqs_MessageBodySystemAttributeMap *system;
} message_in;
typedef struct message_out {
	str message_id, md5_body, md5_attributes, md5_system, sequence;
} message_out;
/* One message into a queue: all of SendMessage but the metering. */
err message_send(req *rq, txn *tx, const sqs_queue *q, const message_in *in, message_out *out);

/* MD5 over attributes as AWS's clients compute it; STR_NONE for none. */
str attributes_md5(arena *mem, const sqs_MessageBodyAttributeMap *a);

/* Moves a message's place in `ready`. */
void message_reschedule(txn *tx, sqs_message *m, int64_t visible_at);
/* Removes a message, and its group's claim. */
void message_remove(txn *tx, arena *mem, const sqs_message *m);
/* Removes up to `most` messages; how many it was. */
size_t messages_drop(txn *tx, int64_t queue_id, size_t most);
/* The number of messages after it. */
int64_t tally_add(txn *tx, int64_t queue_id, int64_t change);

/* Long polls of this queue look again after the commit. */
void queue_wake(txn *tx, int64_t queue_id);
/* Waits for a wake since `seen`, at most `ms`; the new count. */
uint64_t queue_wait(int64_t queue_id, uint64_t seen, int64_t ms);
uint64_t queue_wakes(int64_t queue_id);
