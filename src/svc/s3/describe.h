/*
 * What a request that makes an object says of it besides its bytes. The inputs of PutObject, CopyObject and
 * CreateMultipartUpload are different structs with the same members, so they are read by their shapes.
 */
#pragma once
#include "object.h"

/* The key that the new bytes are to be sealed with: the customer's, or one for KMS to encrypt; or NULL. */
err describe_seal(req *rq, const s3_bucket *b, const void *in, const seal_key **key);
/* Everything but content, digests and versions. KMS is asked to encrypt `data`: not inside a transaction. */
err describe(req *rq, const s3_bucket *b, const void *in, const seal_key *data, object *o);
/* The text of a member of the request's input; STR_NONE when it is absent or not in this input. */
str describe_text(const req *rq, const void *in, const char *member);
/* Only the parts, for copies that keep the rest. */
err describe_tags(req *rq, str header, s3_TagSet *out);
err describe_tag_set(req *rq, const s3_TagSet *tags, size_t max);
err describe_lock(req *rq, const s3_bucket *b, const void *in, object *o);
err describe_encryption(req *rq, const s3_bucket *b, const void *in, const seal_key *data, object *o);
err describe_class(req *rq, const void *in, object *o);
/* Refuses a customer's key that is not the object's; both absent is well. */
err describe_customer_key(req *rq, str algorithm, str key, str md5, str *md5_out, const seal_key **key_out);
/* If-Match and If-None-Match of writes, against what stands there. */
err describe_conditions(req *rq, const txn *tx, const s3_bucket *b, str key, str match, str none_match);
