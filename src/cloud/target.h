/*
 * What an event is delivered to, by its ARN: queues, topics, functions, log groups, state machines, tasks.
 * The target is called in its own account and region, through cloud/call.h like everything else.
 *
 * Some targets only write (target_is_written): with a transaction they are part of it, so the event arrives
 * exactly once and in order. The rest wait and are called from a task, without one.
 */
#pragma once
#include "cloud/req.h"

typedef struct target_call {
	str arn, payload;
	str group, dedup;   /* FIFO queues and topics */
	str attributes;     /* queues, topics: message attributes as a JSON object; STR_NONE: none */
	str parameters;     /* what the service of the target needs besides: EcsParameters as JSON .. */
	str name;           /* state machines: of the execution, so that a second try starts no second one */
	str role;           /* what the service was given for it; STR_NONE: the target's own policy decides */
} target_call;

typedef struct arn_parts {
	str service, region, account, resource;
} arn_parts;
bool arn_split(str arn, arn_parts *out);

bool target_is_written(str arn);
/* Whether what it names is of a kind that is delivered to. */
bool target_is_known(str arn);
err target_call_now(req *rq, txn *tx, const target_call *t);
/* One of an SDK's operations, as EventBridge Scheduler names it:
   arn:aws:scheduler:::aws-sdk:sqs:sendMessage */
err target_call_sdk(req *rq, str arn, str input);
/* Whether trying again may help: throttled, or the server's own fault. */
bool target_worth_retrying(err e);
/* An event that could not be delivered goes into a queue with the reason. */
err target_dead_letter(req *rq, txn *tx, str queue_arn, str payload, const http_header *why, size_t n);
