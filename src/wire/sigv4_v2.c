/*
 * Presigned S3 URLs of version 2: the string to sign is a few headers, the expiry and the resource with
 * the sub-resources that count, signed with HMAC-SHA1.
 */
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "wire/sigv4_parts.h"
#include <stdlib.h>

#define TO_SIGN_MAX ((size_t)128 << 10)

typedef struct pair { str name, value; } pair;

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const pair *)x)->name, ((const pair *)y)->name);
}

static size_t parameters(const wire_message *m)
{
	size_t n = 1;
	for (size_t i = 0; i < m->query.n; i++)
		n += m->query.p[i] == '&';
	return n;
}

/* x-amz- headers, wherever they are: signers move them into the query string. */
static void put_amz_headers(buf *b, const wire_message *m)
{
	pair *p = arena_array(b->mem, pair, m->n_headers + parameters(m));
	size_t n = 0;
	for (size_t i = 0; i < m->n_headers; i++) {
		str name = arena_lower(b->mem, m->headers[i].name);
		if (str_starts(name, S("x-amz-")))
			p[n++] = (pair){ name, str_trim(m->headers[i].value) };
	}
	str rest = m->query;
	while (str_is(rest)) {
		str value = str_cut(&rest, '&'), name = arena_lower(b->mem, str_cut(&value, '='));
		if (str_starts(name, S("x-amz-")))
			p[n++] = (pair){ name, percent_decode(b->mem, value, false) };
	}
	qsort(p, n, sizeof *p, by_name);
	for (size_t i = 0; i < n; i++) {
		if (i && str_eq(p[i].name, p[i - 1].name)) {
			b->n -= b->n && !b->full; /* over the line's end */
			buf_c(b, ',');
		} else {
			buf_put(b, p[i].name);
			buf_c(b, ':');
		}
		buf_put(b, p[i].value);
		buf_c(b, '\n');
	}
}

static bool counts(str name)
{
	static const char *const sub_resources[] = {
		"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory",
		"lifecycle", "location", "logging", "metrics", "notification", "object-lock", "partNumber",
		"policy", "replication", "requestPayment", "response-cache-control",
		"response-content-disposition", "response-content-encoding", "response-content-language",
		"response-content-type", "response-expires", "restore", "select", "select-type",
		"storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
		"versions", "website",
	};
	for (size_t i = 0; i < sizeof sub_resources / sizeof *sub_resources; i++)
		if (str_eq(name, str_c(sub_resources[i])))
			return true;
	return false;
}

static void put_resource(buf *b, const wire_message *m, str host)
{
	/* bucket.s3.us-east-1.localhost: the bucket stands in front of the path. */
	size_t at = str_find(host, S(".s3."));
	if (at == SIZE_MAX)
		at = str_find(host, S(".s3-"));
	if (at != SIZE_MAX) {
		buf_c(b, '/');
		buf_put(b, str_sub(host, 0, at));
	}
	buf_put(b, m->path.n ? m->path : S("/"));
	pair *p = arena_array(b->mem, pair, parameters(m));
	size_t n = 0;
	str rest = m->query;
	while (str_is(rest)) {
		str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
		if (counts(name))
			p[n++] = (pair){ name, str_is(value) ? percent_decode(b->mem, value, false) : value };
	}
	qsort(p, n, sizeof *p, by_name);
	for (size_t i = 0; i < n; i++) {
		buf_c(b, i ? '&' : '?');
		buf_put(b, p[i].name);
		if (p[i].value.n) {
			buf_c(b, '=');
			buf_put(b, p[i].value);
		}
	}
}

static void put_header(buf *b, const wire_message *m, str name)
{
	str value = wire_header(m, name);
	if (!str_is(value))
		value = sigv4_query_value(m, name);
	buf_put(b, str_trim(value));
	buf_c(b, '\n');
}

sigv4_verdict sigv4_verify_v2(arena *a, const sigv4 *s, const wire_message *m, str host, str secret,
                              int64_t now, str *string_to_sign)
{
	if (sigv4_timely(s, now) != SIG_OK)
		return SIG_EXPIRED;
	buf b = buf_in(a, 512, TO_SIGN_MAX);
	buf_put(&b, m->method);
	buf_c(&b, '\n');
	put_header(&b, m, S("content-md5"));
	put_header(&b, m, S("content-type"));
	buf_i64(&b, s->expires_ms / MS_SECOND);
	buf_c(&b, '\n');
	put_amz_headers(&b, m);
	put_resource(&b, m, host);
	if (b.full)
		return SIG_MISMATCH;
	unsigned char raw[20];
	*string_to_sign = buf_str(&b);
	hmac_sha1(secret, *string_to_sign, raw);
	return secret_eq(s->signature, base64_encode(a, str_of((char *)raw, sizeof raw))) ? SIG_OK :
											     SIG_MISMATCH;
}
