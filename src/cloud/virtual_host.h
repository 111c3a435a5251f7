/*
 * S3 names a bucket in the host or in the path. bucket.s3.us-east-1.amazonaws.com, bucket.s3.localhost:4566
 * and, where the request is signed for S3, bucket.localhost:4566 become /bucket/.. in the message's path; the
 * signature is checked against the target as it came. A bucket named like a domain is also found by a CNAME
 * of that name to S3: then the host is its name.
 */
#pragma once
#include "wire/http.h"

/* The bucket that the host names, or STR_NONE. Lives as long as `host`. */
str virtual_host_bucket(str host);
/* S3 Control shares S3's signing name and has the account in front of its host's name; its requests say the
 * account in a header, too. */
bool virtual_host_is_control(const wire_message *m);
/* Rewrites x->in.path when the host names a bucket. `leads`: where DNS leads the host, or STR_NONE. */
void virtual_host_apply(http_exchange *x, str leads);
