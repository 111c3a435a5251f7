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
/* An absent value takes it away. */
void topic_attribute_set(arena *mem, sns_topic *t, str name, str value);
/* The policy set, or the one every topic has. */
str topic_policy_text(arena *mem, const sns_topic *t);
bool topic_is_fifo(const sns_topic *t);
bool topic_flag(const sns_topic *t, str name);
/* Whether it is an ARN of SNS in the request's region. */
struct arn_parts;
err sns_arn_check(req *rq, const char *parameter, str arn, struct arn_parts *a);
/* InvalidParameter when it is no ARN, NotFound when there is no such topic. */
err topic_find(req *rq, const txn *tx, str arn, sns_topic **t);
err sns_tags_check(req *rq, const sns_TagList *tags);
/* A request that is no publishing. */
void topic_metered(req *rq, str arn);

str subscription_arn(arena *mem, const sns_sub *s);
str subscription_attribute(const sns_sub *s, str name);
err subscription_find(req *rq, const txn *tx, str arn, sns_topic **t, sns_sub **s);
/* The subscription's place in the topic's counts and indexes goes too. */
void subscription_drop(txn *tx, sns_topic *t, const sns_sub *s);

/* Signatures made before the transaction, where they hold nobody up: by what the message says. */
typedef struct signed_text {
	struct signed_text *next;
	str message, version, signature;
} signed_text;
/* What is read and written once for all subscribers: what filter policies look at, and the envelopes around
 * the subscription's id: of queues and endpoints, of functions. */
typedef struct notice_views {
	struct said {
		str message, before, after;
	} said[2];
	const struct json_value *attributes, *body;
	bool attributes_read, body_read;
	str message; /* whose body it is */
} notice_views;

typedef struct notice {
	str id, message, subject, structure, group, dedup, trace;
	const sns_MessageAttributeMap *attributes;
	int64_t sequence, when;
	signed_text *signatures;
	notice_views *views;
} notice;

/* What the message says to a protocol. */
str message_for(arena *mem, const notice *n, str protocol);
/* Signs what the topic's subscribers will be sent. */
void notice_sign(req *rq, const txn *tx, const sns_topic *t, notice *n);

/* To everybody who is subscribed and wants it. */
void fan_out(req *rq, txn *tx, const sns_topic *t, const notice *n);
/* To one of them, if it wants it. */
void tell_subscriber(req *rq, txn *tx, const sns_topic *t, const sns_sub *s, const notice *n);
/* archive.c: STR_NONE, or why it is no archive policy of the topic, no replay policy of its subscriptions. */
str topic_archive_wrong(arena *mem, const sns_topic *t, str policy);
str replay_policy_wrong(arena *mem, const sns_topic *t, str policy);
/* The topic's policy has been set; an empty one ends the archive and what is in it. */
void topic_archive_set(req *rq, txn *tx, sns_topic *t, str policy);
void topic_archive_keep(txn *tx, const sns_topic *t, const notice *n);
/* A replay begins in the subscription's row, or ends with an empty policy. */
void replay_set(req *rq, txn *tx, sns_sub *s, str policy);
/* What is published now comes to the subscription out of the archive, when what went before has come. */
bool replay_will_tell(const sns_topic *t, const sns_sub *s);
bool filter_wants(arena *mem, const sns_sub *s, const notice *n, str message);
/* What AWS says of a text that is no JSON. */
str json_unreadable(arena *mem, str text);
/* STR_NONE, or why it is no filter policy. */
str filter_wrong(arena *mem, str policy, str scope);
/* The ARN of the subscription's dead-letter queue, or STR_NONE. */
str dead_letters_of(arena *mem, const sns_sub *s);
/* What a subscriber gets: AWS's JSON around the message. */
str envelope(arena *mem, const txn *tx, const sns_topic *t, const sns_sub *s, const notice *n, str message,
             bool for_function);
/* The request to confirm a subscription, as a task. */
void confirmation_send(req *rq, txn *tx, const sns_topic *t, const sns_sub *s);
/* The same when the subscription has been taken away. */
void farewell_send(req *rq, txn *tx, const sns_topic *t, const sns_sub *s);
void put_text(buf *b, const char *key, str value); /* ,"key":"value" */
/* A line about a delivery into CloudWatch Logs, where the topic's feedback attributes ask for it. */
typedef struct delivery_report {
	const char *protocol; /* HTTP, SQS, Lambda: as in the attributes' names */
	str message_id, message, destination, answer;
	int64_t when, status, dwell_ms;
	bool delivered;
} delivery_report;
void feedback(arena *mem, const sns_topic *t, const delivery_report *r);
/* A text message: into the outbox. */
err sms_put(req *rq, str id, str number, str text, int64_t when);
bool phone_number(str s);
/* platform.c: the endpoints of mobile devices. */
bool is_endpoint(str arn);
/* GCM, APNS ..: how messages name it. */
str endpoint_platform(str arn);
/* Whether it is there and takes pushes. */
err endpoint_check(req *rq, const txn *tx, const char *parameter, str arn);
/* A push: into the outbox. */
err push_put(req *rq, str id, str arn, str subject, str text, int64_t when);
err publish_push(req *rq, const sns_Publish_in *in, str arn, const char *parameter, str *id);
/* STR_NONE, or why it is no delivery policy; `of_topic`: it stands below http.defaultHealthyRetryPolicy. */
str delivery_policy_wrong(arena *mem, str text, bool of_topic);
/* As AWS shows what was set. */
str delivery_policy_kept(arena *mem, str text, bool of_topic);
/* What a subscription's HTTP deliveries obey: its own policy, else the topic's, else AWS's. */
typedef struct delivery_policy {
	int64_t min_delay, max_delay, retries, at_once, at_min, at_max; /* seconds; numbers of tries */
	str backoff, content_type;
	str throttle; /* JSON, shown and without effect; STR_NONE: none */
	bool fixed;   /* subscriptions have none of their own */
} delivery_policy;
delivery_policy delivery_policy_of(arena *mem, const sns_topic *t, const sns_sub *s);
/* As GetSubscriptionAttributes shows it. */
str delivery_policy_text(arena *mem, const delivery_policy *p, bool of_topic);
/* Until the next try after this many have failed, in milliseconds; -1: there is none. */
int64_t delivery_delay(const delivery_policy *p, int64_t tries);

/* The server's signing key, made when there is none. */
void signer_ready(txn *tx);
/* Base64; `version` "1" or "2". STR_NONE without a key. */
str signature_of(arena *mem, const txn *tx, str text, str version);
str signing_certificate_url(arena *mem, const txn *tx);
