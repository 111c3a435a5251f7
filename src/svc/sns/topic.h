/*
 * Topics, their subscriptions, and how a message gets from one to the others.
 *
 * A message for a queue is written into it in the transaction that publishes it: it arrives once and
 * in order.
 * Functions, HTTP endpoints and mail are delivered by tasks, which try again as AWS does; what cannot be
 * delivered goes into the subscription's dead-letter queue, if it has one.
 */
#pragma once
#include "gen/sns.h"

str topic_arn(arena *mem, const sns_topic *t);
str topic_attribute(const sns_topic *t, str name); /* STR_NONE when unset */
bool topic_is_fifo(const sns_topic *t);
bool topic_flag(const sns_topic *t, str name);
/* InvalidParameter when it is no ARN, NotFound when there is no such topic. */
err topic_find(req *rq, const txn *tx, str arn, sns_topic **t);
/* A request that is no publishing. */
void topic_metered(req *rq, str arn);

str subscription_arn(arena *mem, const sns_sub *s);
str subscription_attribute(const sns_sub *s, str name);
err subscription_find(req *rq, const txn *tx, str arn, sns_topic **t, sns_sub **s);
/* The subscription's place in the topic's counts and indexes goes too. */
void subscription_drop(txn *tx, sns_topic *t, const sns_sub *s);

typedef struct notice {
	str id, message, subject, structure, group, dedup;
	const sns_MessageAttributeMap *attributes;
	int64_t sequence, when;
} notice;

/* To everybody who is subscribed and wants it. */
void fan_out(req *rq, txn *tx, const sns_topic *t, const notice *n);
bool filter_wants(arena *mem, const sns_sub *s, const notice *n, str message);
/* STR_NONE, or why it is no filter policy. */
str filter_wrong(arena *mem, str policy, str scope);
/* What a subscriber gets: AWS's JSON around the message. */
str envelope(arena *mem, const txn *tx, const sns_topic *t, const sns_sub *s, const notice *n, str message,
             bool for_function);
/* The request to confirm a subscription, as a task. */
void confirmation_send(req *rq, txn *tx, const sns_topic *t, const sns_sub *s);
void put_text(buf *b, const char *key, str value); /* ,"key":"value" */

/* The server's signing key, made when there is none. */
void signer_ready(txn *tx);
/* Base64; `version` "1" or "2". STR_NONE without a key. */
str signature_of(arena *mem, const txn *tx, str text, str version);
str signing_certificate_url(arena *mem, const txn *tx);
