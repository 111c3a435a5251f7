/*
 * Queues and what is in them. A message is one row in the order of arrival, and one row in the index `ready`,
 * which is ordered by the moment from which it may be received: receiving walks that index from its start, so
 * an idle or a long queue costs the same.
 *
 * In a FIFO queue the messages of a group stand in `member` in their order, and a group that may be asked has
 * one row in `turn`, at the moment from which its first message may go: a group waits while one of its
 * messages is in flight, and does not hold up the others. A group's messages that have been received and are
 * still there are its first ones, ten at most.
 */
#pragma once
#include "gen/sqs.h"

/* Attributes of a queue, read: AWS's defaults where the user set none. Seconds and bytes. */
typedef struct queue_settings {
	int64_t delay, visibility, retention, wait, body_max;
	bool fifo, content_dedup, group_dedup;
	bool fast; /* FIFO with high throughput: limits count for each group */
	str redrive_target; /* ARN; STR_NONE: none */
	int64_t redrive_after;
} queue_settings;

str queue_attribute(const sqs_queue *q, str name); /* STR_NONE when unset */
queue_settings queue_settings_of(arena *mem, const sqs_queue *q);
bool queue_is_fifo(const sqs_queue *q);
str queue_arn(const req *rq, const sqs_queue *q);
str queue_url(req *rq, const sqs_queue *q);
/* QueueDoesNotExist when there is none. An absent URL is the request's own path. */
err queue_find(req *rq, const txn *tx, str url, sqs_queue **q);
err no_such_queue(req *rq);
sqs_queue *queue_by_arn(const txn *tx, arena *mem, str arn);
/* A request's cost: one per 64 KB. */
void queue_metered(req *rq, const sqs_queue *q, size_t bytes);
err missing(req *rq, const char *parameter);
/* A-Z a-z 0-9 - _, at most 80 characters. */
bool plain_name(str s);

/* Throttled: a FIFO queue takes no more calls of this kind just now; no more messages of the group. */
err queue_rate(req *rq, const sqs_queue *q, const queue_settings *s, const char *kind);
err queue_group_rate(req *rq, const sqs_queue *q, const queue_settings *s, str group);

/* Whether a queue may have these; `old` is what there is, or NULL for a new one called `name`. */
err attributes_check(req *rq, const txn *tx, const sqs_queue *old, str name,
                     const sqs_QueueAttributeMap *new);
/* The value as it is stored and shown. */
str attribute_kept(arena *mem, str name, str value);
/* An empty value takes a text attribute back. */
void attributes_merge(arena *mem, sqs_QueueAttributeMap *to, const sqs_QueueAttributeMap *more);
/* The value that counts: the one set, or AWS's default. STR_NONE when the queue has no such attribute. */
str attribute_effective(arena *mem, const sqs_queue *q, str name);
/* Whether the dead-letter queue's RedriveAllowPolicy lets messages of `source` in. */
bool redrive_allowed(arena *mem, const sqs_queue *dead, str source_arn);

typedef struct message_in {
	str body, group, dedup;
	opt_i64 delay;
	const sqs_MessageBodyAttributeMap *attributes;
	const sqs_MessageBodySystemAttributeMap *system;
} message_in;
typedef struct message_out {
	str message_id, md5_body, md5_attributes, md5_system, sequence;
} message_out;
size_t message_bytes(const message_in *in);
/* What the queue's kind demands of a message, which fails a whole batch; then all the rest. */
err message_kind_check(req *rq, const queue_settings *s, const message_in *in);
err message_check(req *rq, const queue_settings *s, const message_in *in);
/* One checked message into a queue: all of SendMessage but the metering. */
void message_send(req *rq, txn *tx, const sqs_queue *q, const queue_settings *s, const message_in *in,
                  message_out *out);
str sequence_of(arena *mem, int64_t seq);

/* MD5 over attributes as AWS's clients compute it; STR_NONE for none. */
str attributes_md5(arena *mem, const sqs_MessageBodyAttributeMap *a);

/* A new message's rows; its row number is set already. */
void message_place(txn *tx, const sqs_queue *q, const sqs_message *m);
/* Moves a message's place; `flying`: by having been received. */
void message_reschedule(txn *tx, sqs_message *m, int64_t visible_at, bool flying);
/* Removes a message, and what its group was waiting for. */
void message_remove(txn *tx, const sqs_message *m);
/* The message goes on in another queue, at its end, at `when`. */
void message_move(txn *tx, sqs_message *m, const sqs_queue *to, str source_arn, int64_t when);
/* The retention has been changed: expire what is due now. */
void queue_expiry_again(txn *tx, const sqs_queue *q, int64_t now);
/* Removes up to `most` messages; how many it was. */
size_t messages_drop(txn *tx, int64_t queue_id, size_t most);

typedef struct queue_count {
	int64_t visible, flying, delayed;
} queue_count;
queue_count queue_counted(const txn *tx, arena *mem, int64_t queue_id, int64_t now);
/* Whether 120,000 messages are in flight. */
bool queue_flying_full(const txn *tx, arena *mem, int64_t queue_id, int64_t now);

/* What an earlier receive with this attempt id got: ReceiveRequestAttemptId. STR_NONE: nothing remembered. */
str attempt_recall(const txn *tx, arena *mem, int64_t queue_id, str attempt, int64_t now);
void attempt_remember(txn *tx, int64_t queue_id, str attempt, str got, int64_t now);

/* What every batch obeys: one to ten entries with distinct, valid ids. */
err batch_check(req *rq, const str *ids, size_t n);
sqs_BatchResultErrorEntry batch_failure(str id, err why);
/* An empty list of failures is left out. */
void failures_end(sqs_BatchResultErrorEntryList *f);

/* AWS/SQS metrics: one of a request's, and the gauges of a queue that is in use. */
void queue_metric(const sqs_queue *q, const char *name, const char *unit, double value, int64_t when);
void queue_in_use(txn *tx, const sqs_queue *q, int64_t now);

/* Long polls of this queue look again after the commit. */
void queue_wake(txn *tx, int64_t queue_id);
/* Waits for a wake since `seen`, at most `ms`; the new count. */
uint64_t queue_wait(int64_t queue_id, uint64_t seen, int64_t ms);
uint64_t queue_wakes(int64_t queue_id);
