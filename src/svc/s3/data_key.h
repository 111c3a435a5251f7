/*
 * Keys of objects under SSE-KMS. Bytes are sealed (seal.h) with a random key, and that with a data key which
 * KMS generates under the key that the request or the bucket names; both sealed keys are kept with the
 * object, and reading asks KMS to decrypt its one. So a KMS key that is disabled or gone locks its objects,
 * and its requests are metered.
 *
 * With a bucket key one data key serves a bucket for some minutes, and KMS is not asked meanwhile.
 */
#pragma once
#include "object.h"

/* A random key, or the one that a bucket key holds; any thread, quick. */
const seal_key *data_key_make(req *rq, const s3_bucket *b, bool bucket_key);
/* Has it encrypted under `master` (empty: the account's aws/s3): sets KmsKey and WrappedKey. Off the
 * writer. */
err data_key_wrap(req *rq, const s3_bucket *b, str key, str master, const seal_key *data, object *o);
/* The key of an object's bytes; NULL where it has none. */
err data_key_open(req *rq, const txn *tx, const s3_bucket *b, str key, const object *o, const seal_key **out);
