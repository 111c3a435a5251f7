/*
 * Event buses, their rules and targets. An event is put, matched and handed to its targets in one
 * transaction: queues and log groups have it when PutEvents answers; the rest is called by tasks that try
 * again.
 *
 * A bus's rules are compiled once and kept in memory (match.c) until one of them changes.
 */
#pragma once
#include "gen/events.h"

#define DEFAULT_BUS "default"

typedef struct bus_name {
	str account, region, name;
} bus_name;
/* Of a name, an ARN, or nothing: the default bus. */
bus_name bus_named(req *rq, str name_or_arn);
str bus_arn(arena *mem, const bus_name *b);
/* NULL when there is none; the default one always is. */
events_bus *bus_get(const txn *tx, arena *mem, const bus_name *b);
err bus_find(req *rq, const txn *tx, str name_or_arn, bus_name *name, events_bus **b);
/* After every change of a rule. */
void bus_rules_changed(txn *tx, arena *mem, const bus_name *b);

str rule_arn(arena *mem, const events_rule *r);
err rule_find(req *rq, const txn *tx, const bus_name *b, str name, events_rule **r);
bool rule_enabled(const events_rule *r);
/* Sets the timer of a rule with a schedule, or takes it away. */
void rule_arm(txn *tx, arena *mem, const events_rule *r, int64_t after);
void rule_disarm(txn *tx, arena *mem, const events_rule *r);

typedef struct one_event {
	str id, json, source;
	int64_t ingested;
	bool forwarded; /* by a rule of another bus: it goes to no further one */
	str replay;     /* the replay that puts it again; it is not archived once more */
	const events_ReplayDestinationFilters *only; /* the rules that it is put to; NULL: all */
} one_event;
/* Archives of the bus that want it, called in turn. Writer thread only. */
void archives_matching(const txn *tx, const bus_name *b, const one_event *e,
                       void (*each)(void *context, str archive_name), void *context);
/* Into one archive. */
void archive_keep(req *rq, txn *tx, const bus_name *b, str name, const one_event *e);
/* From "arn:..:KIND/name"; STR_NONE when it is no such ARN. */
str name_in_arn(str arn, str kind);
/* Rules of the bus whose patterns want it, called in turn. Writer thread only. */
void rules_matching(const txn *tx, const bus_name *b, const one_event *e,
                    void (*each)(void *context, str rule_name), void *context);
void event_put(req *rq, txn *tx, const bus_name *b, const one_event *e);
/* To every target of the rule. */
void rule_fire(req *rq, txn *tx, const events_rule *r, const one_event *e);

/* What a target gets of an event: Input, InputPath, InputTransformer or all of it. */
str target_input(arena *mem, const events_rule *r, const events_Target *t, const one_event *e);
err target_input_check(req *rq, const events_Target *t);
/* The target with what its HTTP parameters take out of the event put in. */
const events_Target *target_http_filled(arena *mem, const events_Target *t, const one_event *e);

/* deliver.c: whether the ARN is of an event bus. */
bool is_bus(str arn);
/* connections.c */
bool is_api_destination(str arn);
events_connection *connection_by_arn(const txn *tx, arena *mem, str account, str region, str arn);
/* All that a connection was given, out of its secret. */
err connection_secrets(req *rq, const events_connection *c,
                       events_CreateConnectionAuthRequestParameters **out);
/* destinations.c: when one more call of the destination may go (its rate), taken; 0: at once. */
int64_t api_destination_slot(txn *tx, arena *mem, str account, str region, str arn, int64_t now);
/* One call of an API destination, by a task. */
err api_destination_call(req *rq, const events_Target *t, str payload);
/* A bearer token of the connection's authorization server, and how many seconds it holds: 0 when it says
 * none. */
err oauth_token(req *rq, const events_CreateConnectionOAuthRequestParameters *o, str *token,
                int64_t *seconds);
/* tokens.c: the one that there is; STR_NONE: none. Holding it for no time forgets it. */
str token_held(arena *mem, const events_connection *c);
void token_hold(arena *mem, const events_connection *c, str token, int64_t seconds);
