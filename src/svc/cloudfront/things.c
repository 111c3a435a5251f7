/* Policies, access controls, identities, keys: finding, naming, changing and listing what is alike in them.
 */
#include "cdn.h"
#include "base/text.h"
#include "sys/rand.h"

typedef struct sort {
	const char *name; /* in keys */
	const fault_kind *missing, *exists, *in_use, *too_many;
	const char *missing_text, *exists_text, *in_use_text, *too_many_text;
	size_t most;
	bool uuid;        /* its ids are UUIDs */
} sort;

#define POLICY(word) \
	"The specified " word " policy does not exist.", \
		"A " word \
		" policy with this name already exists. You must provide a unique name. To modify an existing " word \
		" policy, use the update operation.", \
		"Cannot delete the " word " policy because it is attached to one or more cache behaviors.", \
		"You have reached the maximum number of " word " policies for this AWS account.", CF_POLICIES_MAX, \
		true

static const sort sorts[CF_KINDS] = {
	[CF_CACHE] = { "cache", &cloudfront_NoSuchCachePolicy, &cloudfront_CachePolicyAlreadyExists,
		&cloudfront_CachePolicyInUse, &cloudfront_TooManyCachePolicies, POLICY("cache") },
	[CF_REQUEST] = { "request", &cloudfront_NoSuchOriginRequestPolicy,
		&cloudfront_OriginRequestPolicyAlreadyExists, &cloudfront_OriginRequestPolicyInUse,
		&cloudfront_TooManyOriginRequestPolicies, POLICY("origin request") },
	[CF_RESPONSE] = { "response", &cloudfront_NoSuchResponseHeadersPolicy,
		&cloudfront_ResponseHeadersPolicyAlreadyExists, &cloudfront_ResponseHeadersPolicyInUse,
		&cloudfront_TooManyResponseHeadersPolicies, POLICY("response headers") },
	[CF_CONTROL] = { "control", &cloudfront_NoSuchOriginAccessControl,
		&cloudfront_OriginAccessControlAlreadyExists, &cloudfront_OriginAccessControlInUse,
		&cloudfront_TooManyOriginAccessControls, "The specified origin access control does not exist.",
		"An origin access control with the same name already exists.",
		"Cannot delete the origin access control because it's in use by one or more distributions.",
		"The number of origin access controls in your AWS account exceeds the maximum allowed.",
		CF_ACCESS_CONTROLS_MAX, false },
	[CF_IDENTITY] = { "identity", &cloudfront_NoSuchCloudFrontOriginAccessIdentity,
		&cloudfront_CloudFrontOriginAccessIdentityAlreadyExists,
		&cloudfront_CloudFrontOriginAccessIdentityInUse,
		&cloudfront_TooManyCloudFrontOriginAccessIdentities,
		"The specified origin access identity does not exist.",
		"If the CallerReference is a value you already sent in a previous request to create an identity, "
		"but the content of the CloudFrontOriginAccessIdentityConfig is different from the original "
		"request, CloudFront returns a CloudFrontOriginAccessIdentityAlreadyExists error.",
		"The Origin Access Identity specified is already in use.",
		"Processing your request would cause you to exceed the maximum number of origin access identities "
		"allowed.", CF_IDENTITIES_MAX, false },
	[CF_KEY] = { "key", &cloudfront_NoSuchPublicKey, &cloudfront_PublicKeyAlreadyExists,
		&cloudfront_PublicKeyInUse, &cloudfront_TooManyPublicKeys, "The specified public key does not exist.",
		"The specified public key already exists.", "The specified public key is in use.",
		"The maximum number of public keys for field-level encryption have been created. To create a new "
		"public key, delete one of the existing keys.", CF_PUBLIC_KEYS_MAX, false },
	[CF_GROUP] = { "group", &cloudfront_NoSuchResource, &cloudfront_KeyGroupAlreadyExists,
		&cloudfront_ResourceInUse, &cloudfront_TooManyKeyGroups, "The specified resource does not exist.",
		"A key group with this name already exists. You must provide a unique name. To modify an existing "
		"key group, use UpdateKeyGroup.",
		"Cannot delete this resource because it is in use.",
		"You have reached the maximum number of key groups for this AWS account.", CF_KEY_GROUPS_MAX, true },
};

#define ALPHABET S("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")

str cf_id(req *rq)
{
	return arena_concat(rq->mem, S("E"), rand_text(rq->mem, 13, ALPHABET));
}

str cf_etag(req *rq)
{
	return cf_id(rq);
}

str cf_location(req *rq, const char *path, str id)
{
	return arena_fmt(rq->mem, "https://cloudfront.amazonaws.com/2020-05-31/%s/%.*s", path, STR_ARG(id));
}

bool cf_is_managed(const cloudfront_thing *t)
{
	return str_eq(t->Account, S("managed"));
}

static str kind_of(cf_kind kind)
{
	return str_c(sorts[kind].name);
}

cloudfront_thing *cf_named(arena *mem, const txn *tx, str account, cf_kind kind, str id)
{
	cloudfront_thing *t = cf_managed(mem, kind, id);
	return t || id.n > 64 ? t : cloudfront_thing_get(tx, mem, account, kind_of(kind), id);
}

err cf_find(req *rq, const txn *tx, cf_kind kind, str id, cloudfront_thing **out)
{
	*out = cf_named(rq->mem, tx, rq->who.account, kind, id);
	return *out ? OK : fail(rq, sorts[kind].missing, "%s", sorts[kind].missing_text);
}

cloudfront_thing *cf_by_name(req *rq, const txn *tx, cf_kind kind, str name)
{
	record_scan s = cloudfront_thing_scan(tx, rq->mem, 2, rq->who.account, kind_of(kind), STR_NONE);
	for (cloudfront_thing *t; (t = cloudfront_thing_next(&s));)
		if (str_eq(t->Name, name))
			return t;
	return NULL;
}

static err taken(req *rq, cf_kind kind)
{
	return fail(rq, sorts[kind].exists, "%s", sorts[kind].exists_text);
}

err cf_new(req *rq, const txn *tx, cf_kind kind, str name, cloudfront_thing **out)
{
	size_t n = 0;
	record_scan s = cloudfront_thing_scan(tx, rq->mem, 2, rq->who.account, kind_of(kind), STR_NONE);
	for (cloudfront_thing *t; (t = cloudfront_thing_next(&s)); n++)
		if (str_eq(t->Name, name))
			return taken(rq, kind);
	if (n >= sorts[kind].most)
		return fail(rq, sorts[kind].too_many, "%s", sorts[kind].too_many_text);
	cloudfront_thing *t = arena_new(rq->mem, cloudfront_thing);
	t->Account = rq->who.account;
	t->Kind = kind_of(kind);
	t->Id = sorts[kind].uuid ? rand_uuid(rq->mem) : cf_id(rq);
	if (kind == CF_KEY)
		t->Id = arena_concat(rq->mem, S("K"), str_sub(t->Id, 1, t->Id.n));
	t->ETag = cf_etag(rq);
	t->Created = t->Modified = rq->now;
	t->Name = name;
	*out = t;
	return OK;
}

/* What cannot be an ETag of ours is not valid, as is none. */
err cf_match_given(req *rq, str given)
{
	if (given.n == 14 && given.p[0] == 'E')
		return OK;
	return fail(rq, &cloudfront_InvalidIfMatchVersion,
	            "The If-Match version is missing or not valid for the resource.");
}

err cf_match(req *rq, str given, str etag)
{
	TRY(cf_match_given(rq, given));
	if (str_eq(given, etag))
		return OK;
	return fail(rq, &cloudfront_PreconditionFailed,
	            "The request failed because it didn't meet the preconditions in one or more request-header "
	            "fields.");
}

err cf_change(req *rq, const txn *tx, cf_kind kind, str id, str match, str name, cloudfront_thing **out)
{
	TRY(cf_match_given(rq, match));
	TRY(cf_find(rq, tx, kind, id, out));
	if (cf_is_managed(*out))
		return fail(rq, &cloudfront_IllegalUpdate, "You cannot update a managed policy.");
	TRY(cf_match(rq, match, (*out)->ETag));
	cloudfront_thing *other = str_eq(name, (*out)->Name) ? NULL : cf_by_name(rq, tx, kind, name);
	if (other)
		return taken(rq, kind);
	(*out)->Name = name;
	(*out)->ETag = cf_etag(rq);
	(*out)->Modified = rq->now;
	return OK;
}

/* A key that is in a group of keys. */
static bool in_group(req *rq, const txn *tx, str id)
{
	record_scan s = cloudfront_thing_scan(tx, rq->mem, 2, rq->who.account, kind_of(CF_GROUP), STR_NONE);
	for (cloudfront_thing *t; (t = cloudfront_thing_next(&s));)
		for (size_t i = 0; i < t->Group->Items.n; i++)
			if (str_eq(t->Group->Items.v[i], id))
				return true;
	return false;
}

err cf_remove(req *rq, txn *tx, cf_kind kind, str id, str match)
{
	cloudfront_thing *t;
	TRY(cf_match_given(rq, match));
	TRY(cf_find(rq, tx, kind, id, &t));
	if (cf_is_managed(t))
		return fail(rq, &cloudfront_IllegalDelete, "You cannot delete a managed policy.");
	TRY(cf_match(rq, match, t->ETag));
	if (kind == CF_KEY ? in_group(rq, tx, id) : cf_used(rq, tx, kind, id))
		return fail(rq, sorts[kind].in_use, "%s", sorts[kind].in_use_text);
	cloudfront_thing_delete(tx, t->Account, t->Kind, t->Id);
	return OK;
}

err cf_most(req *rq, str text, int64_t *most)
{
	*most = 100;
	if (!text.n)
		return OK;
	if (!str_to_i64(text, most) || *most < 1)
		return fail(rq, &cloudfront_InvalidArgument, "The parameter MaxItems is not valid.");
	*most = *most > 1000 ? 1000 : *most;
	return OK;
}

/* false: the page is full, and there is more. */
static bool take(req *rq, cf_page *p, cloudfront_thing *t)
{
	if ((int64_t)p->n == p->most) {
		p->next = p->v[p->n - 1]->Id;
		return false;
	}
	p->v[p->n++] = t;
	return true;
}

static bool has_managed(cf_kind kind)
{
	return kind == CF_CACHE || kind == CF_REQUEST || kind == CF_RESPONSE;
}

err cf_page_of(req *rq, const txn *tx, cf_kind kind, str type, str marker, str most, cf_page *out)
{
	*out = (cf_page){ .after = marker.n ? marker : S(""), .next = STR_NONE };
	TRY(cf_most(rq, most, &out->most));
	out->v = arena_array(rq->mem, cloudfront_thing *, (size_t)out->most);
	/* The managed ones come first: a marker that is one of them is looked for among them. */
	bool past = !out->after.n || !has_managed(kind) || !cf_managed(rq->mem, kind, marker);
	bool skip = past && out->after.n;
	if (has_managed(kind) && !str_eq(type, S("custom")) && !skip)
		for (size_t i = 0;; i++) {
			cloudfront_thing *t = cf_managed_at(rq->mem, kind, i);
			if (!t)
				break;
			if (past && !take(rq, out, t))
				return OK;
			past |= str_eq(t->Id, marker);
		}
	if (str_eq(type, S("managed")))
		return OK;
	record_scan s = cloudfront_thing_scan(tx, rq->mem, 2, rq->who.account, kind_of(kind), STR_NONE);
	if (skip)
		record_scan_after(&s, marker);
	for (cloudfront_thing *t; (t = cloudfront_thing_next(&s));)
		if (!take(rq, out, t))
			return OK;
	return OK;
}
