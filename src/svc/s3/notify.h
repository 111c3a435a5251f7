/*
 * Events of objects, for Lambda, SQS, SNS and EventBridge. The transaction that changes the object adds one
 * durable task for each target that a rule names; the task delivers it after the commit.
 */
#pragma once
#include "object.h"

/* `name` without s3: and as the record has it: ObjectCreated:Put. */
void notify(req *rq, txn *tx, const s3_bucket *b, str key, const object *o, const char *name);

/* For notify_config.c: one delivery to a target's ARN (or "bus"), and a field of an ARN. */
void notify_post(req *rq, txn *tx, const s3_bucket *b, str target, str text);
str notify_arn_part(str arn, int part);
