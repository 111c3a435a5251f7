/*
 * What the parts of CloudFront share. Everything but distributions is kept as a "thing" of one of seven
 * kinds, which differ in the configuration they hold and in AWS's words for what is wrong.
 *
 * CloudFront has no regions: its rows are of an account. AWS's managed policies are in the program
 * (managed.c) and found beside an account's own.
 */
#pragma once
#include "cloud/call.h"
#include "cloud/meter.h"
#include "gen/cloudfront.h"

typedef enum cf_kind {
	CF_CACHE, CF_REQUEST, CF_RESPONSE, CF_CONTROL, CF_IDENTITY, CF_KEY, CF_GROUP, CF_KINDS,
} cf_kind;

/* The fault of its kind when there is none. Managed ones are found, too. */
err cf_find(req *rq, const txn *tx, cf_kind kind, str id, cloudfront_thing **out);
/* NULL when there is none; for what another resource names. */
cloudfront_thing *cf_named(arena *mem, const txn *tx, str account, cf_kind kind, str id);
/* A row that is not written yet, or the fault that the name is taken or the limit reached. */
err cf_new(req *rq, const txn *tx, cf_kind kind, str name, cloudfront_thing **out);
/* For a change; sets a new ETag and time. The new name must be free. */
err cf_change(req *rq, const txn *tx, cf_kind kind, str id, str match, str name, cloudfront_thing **out);
err cf_remove(req *rq, txn *tx, cf_kind kind, str id, str match);
/* The row of this kind with this name, or NULL. */
cloudfront_thing *cf_by_name(req *rq, const txn *tx, cf_kind kind, str name);

typedef struct cf_page {
	str after;          /* the marker */
	int64_t most;
	cloudfront_thing **v;
	size_t n;
	str next;           /* STR_NONE on the last page */
} cf_page;
/* `type`: managed, custom, or absent for both. */
err cf_page_of(req *rq, const txn *tx, cf_kind kind, str type, str marker, str most, cf_page *out);
/* MaxItems as its text says; 100 unless given. */
err cf_most(req *rq, str text, int64_t *most);
/* If-Match: whether it was sent at all comes before whether there is what it is of. */
err cf_match_given(req *rq, str given);
err cf_match(req *rq, str given, str etag);
str cf_etag(req *rq);
str cf_id(req *rq);
str cf_location(req *rq, const char *path, str id);
bool cf_is_managed(const cloudfront_thing *t);

/* NULL: no managed policy of this kind has the id. By number, too: NULL after the last. */
cloudfront_thing *cf_managed(arena *mem, cf_kind kind, str id);
cloudfront_thing *cf_managed_at(arena *mem, cf_kind kind, size_t i);

/* That every Quantity is what its Items are. */
err cf_quantities(req *rq, const shape *s, const void *value);
/* What a distribution may not be. `id` STR_NONE: it is new. */
err cf_check(req *rq, const txn *tx, str id, const cloudfront_DistributionConfig *c);
err cf_check_behaviors(req *rq, const txn *tx, const cloudfront_DistributionConfig *c);
err cf_check_certificate(req *rq, const txn *tx, const cloudfront_DistributionConfig *c);
/* S3's REST endpoint of a bucket: its name, else STR_NONE. */
str cf_bucket_of(str domain);

/* Puts in what AWS shows where nothing was said. */
void cf_complete(arena *mem, cloudfront_DistributionConfig *c);

str cf_arn(arena *mem, const cloudfront_dist *d);
str cf_domain(arena *mem, const cloudfront_dist *d);
const char *cf_status(const cloudfront_dist *d, int64_t now);
err cf_dist(req *rq, const txn *tx, str id, cloudfront_dist **out);
/* Whether a distribution of the account uses it. */
bool cf_used(req *rq, const txn *tx, cf_kind kind, str id);
bool cf_uses(const cloudfront_DistributionConfig *c, cf_kind kind, str id);
/* Invalidations of it that are under way. */
int64_t cf_in_progress(req *rq, const txn *tx, str id);

/* All behaviours, the default one last, as if each were one with a pattern. */
size_t cf_behaviors(arena *mem, const cloudfront_DistributionConfig *c, const cloudfront_CacheBehavior **v);
void cf_from_default(const cloudfront_DefaultCacheBehavior *d, cloudfront_CacheBehavior *out);
void cf_to_default(const cloudfront_CacheBehavior *b, cloudfront_DefaultCacheBehavior *out);

/* For the data plane, which looks at a request's head without the store: may be one of ours. */
void cf_host_remember(str name);
bool cf_host_known(str name);
