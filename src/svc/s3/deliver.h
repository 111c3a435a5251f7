/*
 * Objects that S3 itself writes into buckets: reports of any length, made piece by piece.
 */
#pragma once
#include "base/digest.h"
#include "content.h"
#include "object.h"

typedef struct report {
	store *s;
	arena *mem;
	content_writer to;
	digest *md5, *crc;
} report;

/* Lives in `mem`. */
report *s3_report_open(store *s, arena *mem);
err s3_report_add(report *r, const char *p, size_t n);
/* Makes it an object of the bucket, on behalf of `principal`; *md5: hexadecimal. */
err s3_report_end(report *r, const char *principal, str bucket, str key, str type, str *md5);
