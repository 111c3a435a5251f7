/*
 * CloudWatch Logs: groups, streams and events. Events are kept once, by group and time, with an index by
 * stream; every event has a sequence number of its own, which with the time is its id.
 */
#pragma once
#include "base/json.h"
#include "filter.h"
#include "gen/logs.h"

/* ResourceNotFoundException when there is none. `name` or `identifier` (name or ARN); one is given. */
err group_find(req *rq, const txn *tx, str name, str identifier, logs_group **group);
/* The same of operations that take either; both are refused. */
err group_either(req *rq, const txn *tx, str name, str identifier, logs_group **group);
/* InvalidOperationException when its class does not know what is asked. */
err group_standard(req *rq, const logs_group *g);
err group_tags_check(req *rq, const logs_Tags *given);
err stream_find(req *rq, const txn *tx, const logs_group *g, str name, logs_stream **stream);
/* The name in an identifier: a name, arn:aws:logs:R:A:log-group:NAME, or the same with :* behind it. */
str group_name_of(str identifier);
/* Behind where the last page ended; a token may be absent. */
err scan_goes_on(req *rq, str token, record_scan *s);
str group_arn(const req *rq, str name);
/* Whether a key may protect the group. */
err key_check(req *rq, txn *tx, str key, str group);
void policies_drop(txn *tx, arena *mem, const logs_group *g, str arn);
logs_group *group_make(txn *tx, arena *mem, str account, str region, str name, int64_t now);
logs_stream *stream_make(txn *tx, arena *mem, const logs_group *g, str name, int64_t now);
/* A stream is gone: its events go piece by piece. */
void stream_drop(txn *tx, const logs_group *g, const logs_stream *s, int64_t now);
/* Removes up to `most` events older than `before`; how many it was. */
size_t events_expire(txn *tx, logs_group *g, int64_t before, size_t most, int64_t now);

/* A batch into one stream: keeps the counters of stream and group, meters. */
typedef struct event_in {
	int64_t when;
	str message;
	/* Given by events_add: */
	int64_t seq;
	str masks, shown, transformed; /* transformed: STR_NONE when it is not */
} event_in;
/* What a filter looks at. */
static inline str event_filtered(const event_in *e, bool on_transformed)
{
	return on_transformed && str_is(e->transformed) ? e->transformed : e->shown;
}
void events_add(txn *tx, logs_group *g, logs_stream *s, event_in *events, size_t n, int64_t now);
/* The same without looking for sensitive data. */
void events_put(txn *tx, logs_group *g, logs_stream *s, event_in *events, size_t n, int64_t now);
/* The message as it is shown: with asterisks where a policy says so. */
str event_shown(arena *mem, str message, str masks);
/* An event's id: its time and its number. */
str event_id(arena *mem, int64_t when, int64_t seq);

/* The account's policy of a type of which there is one, or NULL. */
logs_accountpolicy *account_policy_only(const txn *tx, arena *mem, str account, str region, str type);
/* Whether its selection criteria mean the group. */
bool account_policy_holds(arena *mem, const logs_accountpolicy *p, str group);

/* By the group's transformer, when it has one. */
void transformed(txn *tx, const logs_group *g, const logs_stream *s, event_in *events, size_t n);
void transformer_drop(txn *tx, const logs_group *g);

/* What came, for AWS/Logs. */
void incoming_note(txn *tx, const logs_group *g, size_t events, int64_t bytes, int64_t now);

/* Metric filters: what fits becomes values in CloudWatch, by a task of the same transaction. */
void metrics_of(txn *tx, const logs_group *g, const event_in *events, size_t n, int64_t now);
int64_t metric_filters_count(const txn *tx, arena *mem, const logs_group *g);
void metric_filters_drop(txn *tx, arena *mem, const logs_group *g);

/* Subscription filters: what fits goes to their destinations, by a task of the same transaction. */
void subscriptions_of(txn *tx, const logs_group *g, const logs_stream *s, const event_in *events, size_t n);
void subscriptions_drop(txn *tx, arena *mem, const logs_group *g);
/* Whether events of the group ("*": of any) may be sent there. On the pool. */
err subscription_check(req *rq, str group, const logs_subscription *s);
/* false: a policy of the account that is none of subscriptions. */
bool subscription_of_policy(const json_value *document, logs_subscription *s);
