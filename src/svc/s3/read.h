/*
 * Reading objects: what GET and HEAD, copies and the website have in common.
 */
#pragma once
#include "object.h"

typedef struct read_request {
	str match, none_match, range;
	opt_time modified_since, unmodified_since;
	opt_i64 part_number;
} read_request;

typedef struct read_slice {
	int64_t first, length;
	bool part; /* 206 */
} read_slice;

/* Bucket, object, permission. */
err read_open(req *rq, const txn *tx, str bucket, str key, str version, const char *action, s3_bucket **b,
              object_at *at);
err read_conditions(req *rq, const object *o, const read_request *r);
bool read_range(str text, int64_t size, int64_t *first, int64_t *length, bool *part);
err read_slice_of(req *rq, const txn *tx, const object *o, const read_request *r, read_slice *s);
/* *out: the key that opens the bytes, or NULL. */
err read_customer_key(req *rq, const object *o, str algorithm, str key, str md5, const seal_key **out);
/* InvalidObjectState when the bytes are in an archive. */
err read_archived(req *rq, const object *o);
/* The value of x-amz-restore, or STR_NONE. */
str read_restore(arena *mem, const object *o, int64_t now);
/* lifecycle.c: the value of x-amz-expiration, or STR_NONE. */
str lifecycle_expiration(req *rq, const txn *tx, const s3_bucket *b, str key, const object *o);
