/*
 * One viewer's request on its way through a distribution: plane.c decides and answers, forward.c says what
 * the cache key and the origin get of it, origin.c and bucket.c ask origins, respond.c finishes what leaves.
 */
#pragma once
#include "cache.h"
#include "cdn.h"
#include "cloud/firewall.h"
#include "cloud/plane.h"

/* Answers of other origins than buckets are held in memory, up to this. */
#define ORIGIN_ANSWER_BYTES ((size_t)64 << 20)

typedef struct visit {
	http_exchange *x;
	store *s;
	arena *mem;
	req *rq;
	cloudfront_dist *d;
	wall *wall; /* a web ACL in front of it, or NULL */
	const cloudfront_CacheBehavior *all;  /* behaviours, the default one last */
	size_t n_all;
	const cloudfront_CacheBehavior *b;    /* the one that takes this request */
	const cloudfront_CachePolicyConfig *cache;    /* NULL: the behaviour has ForwardedValues */
	const cloudfront_OriginRequestPolicyConfig *request;
	const cloudfront_ResponseHeadersPolicyConfig *response;
	str method, path, query;              /* path from '/', raw; query without a signature's parameters */
	bool gzip;                            /* the viewer takes it and the behaviour gives it */
	str id;                               /* X-Amz-Cf-Id */
	int64_t now;
} visit;

typedef struct answer {
	wire_message m;
	http_reply_body body;     /* when has_body: too large for memory */
	bool has_body;
	bool failed;              /* of ours: the origin did not answer */
} answer;

/* Cache key and origin request. */
str forward_key(visit *v);
void forward_request(visit *v, const cloudfront_Origin *o, wire_message *to);
/* The query that the origin gets, STR_NONE for none. */
str forward_query(visit *v);
/* Whether the behaviour forwards cookies: Set-Cookie is taken out of answers otherwise. */
bool forward_cookies(const visit *v);
/* How long the answer may be kept, in milliseconds; 0: not at all. */
int64_t ttl_of(visit *v, const wire_message *answer);

/* `had`: what is in the cache and has expired, or NULL. Origin groups fail over. */
void origin_ask(visit *v, const cache_entry *had, answer *a);
/* false: a method for which the bucket is asked over HTTP. */
bool bucket_ask(visit *v, const cloudfront_Origin *o, str bucket, str method, const cache_entry *had,
                answer *a);

/* An error page of CloudFront's own. */
void respond_page(visit *v, wire_message *m, int status, const char *why);
void respond_policy(visit *v, wire_message *m);
/* Packs what is worth it, in place. */
void respond_pack(visit *v, wire_message *m);
/* Conditions and ranges of the viewer's, on a whole answer. */
void respond_part(visit *v, wire_message *m);
/* false: not a single range of bytes, which is answered as if there were none. One that begins behind the end
 * has no length. */
bool respond_range(str text, int64_t size, int64_t *first, int64_t *last);
void header_drop(wire_message *m, str name);
void header_set(wire_message *m, str name, str value);
