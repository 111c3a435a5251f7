/*
 * Uploads in parts. Each part is content of its own and stays so: completing an upload makes the list of its
 * parts' contents the object's.
 */
#pragma once
#include "object.h"

/* Removes an upload and what was uploaded: aborted, expired, or its bucket is going. */
void multipart_forget(txn *tx, arena *mem, const s3_bucket *b, const s3_upload *u, int64_t now);
/* A part from an object's bytes. */
typedef struct copied_part {
	str bucket, key, upload;
	int64_t number;
	const content_list *from;
	int64_t offset, length;
	struct { str algorithm, key, md5; } customer;
} copied_part;
err multipart_put_copy(req *rq, const copied_part *from, s3_StoredPart *out, s3_upload **up);
