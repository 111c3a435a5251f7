/*
 * Uploads in parts. Each part is content of its own until the upload is completed; then the parts are put
 * together, in the order of their numbers, into one.
 */
#pragma once
#include "object.h"

/* Removes an upload and what was uploaded: aborted, expired, or its bucket is going. */
void multipart_forget(txn *tx, arena *mem, const s3_bucket *b, const s3_upload *u);
/* A part from an object's bytes. */
err multipart_put_copy(req *rq, str bucket, str key, str id, int64_t number, const content *from,
                       int64_t offset, int64_t length, s3_StoredPart *out, s3_upload **up);
