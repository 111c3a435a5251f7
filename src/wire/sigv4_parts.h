/*
 * What the files of wire/sigv4.h share.
 */
#pragma once
#include "wire/sigv4.h"

#define SIGV4_SKEW_MS INT64_C(900000)

/* S3 and its kin encode the path once, do not normalise it, and sign the payload hash they were sent. */
bool sigv4_is_s3(str name);
/* The decoded value of a query parameter; STR_NONE when absent. */
str sigv4_query_value(const wire_message *m, str name);
/* The signing key, from the thread's cache when it was derived before. */
void sigv4_key(const sigv4 *s, str secret, unsigned char key[32]);
void sigv4_hex32(const unsigned char raw[32], char hex[64]);
/* "20261121/us-east-1/s3/aws4_request" */
void sigv4_put_scope(buf *b, const sigv4 *s);
sigv4_verdict sigv4_verify_v2(arena *a, const sigv4 *s, const wire_message *m, str host, str secret,
                              int64_t now, str *string_to_sign);
