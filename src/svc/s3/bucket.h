/*
 * What every operation begins with: the bucket, and whether the caller may. And what belongs to buckets:
 * owners, configurations (one row each, kept in the shape in which they came), request meters.
 *
 * Owners' own users are the dispatcher's business (cloud/authorise.h). Here the two kinds of callers are
 * looked at that only S3 knows what to do with: nobody in particular, and other accounts. They are let in by
 * the bucket's policy or by ACLs, as far as the public access block lets these count.
 */
#pragma once
#include "cloud/meter.h"
#include "content.h"
#include "faults.h"

/* NoSuchBucket, AccessDenied or OK. `action` s3:GetObject; `key` STR_NONE for the bucket itself. */
err bucket_open(req *rq, const txn *tx, str name, const char *action, str key, s3_bucket **out);
/* The same without asking whether the caller may: for what is asked object by object. */
err bucket_find(req *rq, const txn *tx, str name, s3_bucket **out);
/* Whether the caller may do this with this object, whose own ACL counts too; `o` may be NULL. */
err bucket_allows(req *rq, const txn *tx, const s3_bucket *b, const char *action, str key,
                  const s3_StoredObject *o);
/* bucket_open for what exists before it may be asked: no permission is looked at. */
s3_bucket *bucket_get(req *rq, const txn *tx, str name);

static inline bool bucket_versions(const s3_bucket *b)
{
	return str_eq(b->Versioning, S("Enabled"));
}
/* Whether version ids are shown: versioning is on or was. */
static inline bool bucket_versioned(const s3_bucket *b)
{
	return b->Versioning.n != 0;
}
/* Ownership controls BucketOwnerEnforced: ACLs do not exist. */
bool bucket_without_acls(const s3_bucket *b);
bool bucket_policy_is_public(arena *mem, str document);
/* Its public access block and its account's: what either blocks. `tx` NULL: on a snapshot. */
s3_PublicAccessBlockConfiguration bucket_block(req *rq, const txn *tx, const s3_bucket *b);

/* 64 hexadecimal digits that stand for an account. */
str canonical_id(arena *mem, str account);
s3_Owner *owner_of(arena *mem, str account);

/* Configurations: `kind` is ours (cors, website), `id` S3's where a bucket may have several. */
bool config_get(const txn *tx, arena *mem, str bucket, str kind, str id, const shape *s, void *out);
void config_put(txn *tx, arena *mem, str bucket, str kind, str id, const shape *s, const void *value);
bool config_delete(txn *tx, str bucket, str kind, str id);

/* Any meter of a bucket, for whoever pays its requests. */
void meter_bucket(req *rq, const s3_bucket *b, const meter_kind *k, qty quantity);
/* PUT, COPY, POST and LIST cost more than the rest. Requests that are refused cost too, on AWS only when
 * the owner makes them; these two are called where the bucket is known. */
void meter_write(req *rq, const s3_bucket *b, str storage_class);
void meter_read(req *rq, const s3_bucket *b, str storage_class);
/* Bytes that are read of a class that asks for it. */
void meter_retrieved(req *rq, const s3_bucket *b, str storage_class, int64_t bytes);
/* Bytes that leave: free to what runs inside, as roles do. */
void meter_out(req *rq, const s3_bucket *b, int64_t bytes);

/* cors.c: adds the Access-Control-* headers when the request has an Origin that a rule admits. */
void cors_answer(req *rq, const txn *tx, const s3_bucket *b);
