/* Cache policies, origin request policies and response headers policies. */
#include "cdn.h"

/* What decides whether a request is answered from the cache. */
static err check_cache(req *rq, cloudfront_CachePolicyConfig *c)
{
	TRY(cf_quantities(rq, &cloudfront_CachePolicyConfig_shape, c));
	cloudfront_ParametersInCacheKeyAndForwardedToOrigin *p = c->ParametersInCacheKeyAndForwardedToOrigin;
	if (!c->DefaultTTL.set)
		c->DefaultTTL = I64(c->MinTTL.v > 86400 ? c->MinTTL.v : 86400);
	if (!c->MaxTTL.set)
		c->MaxTTL = I64(c->DefaultTTL.v > 31536000 ? c->DefaultTTL.v : 31536000);
	if (c->MaxTTL.v > CF_TTL_MAX)
		return fail(rq, &cloudfront_InvalidArgument, "The parameter MaxTTL is too big.");
	if (c->MinTTL.v < 0 || c->MinTTL.v > c->DefaultTTL.v || c->DefaultTTL.v > c->MaxTTL.v)
		return fail(rq, &cloudfront_InvalidArgument,
		            "The parameter MinTTL is greater than DefaultTTL or DefaultTTL is greater than MaxTTL.");
	if (!p)
		return OK;
	bool whole = !str_eq(p->HeadersConfig->HeaderBehavior, S("none")) ||
	             !str_eq(p->CookiesConfig->CookieBehavior, S("none")) ||
	             !str_eq(p->QueryStringsConfig->QueryStringBehavior, S("none")) ||
	             p->EnableAcceptEncodingGzip.v || p->EnableAcceptEncodingBrotli.v;
	if (c->MaxTTL.v == 0 && whole)
		return fail(rq, &cloudfront_InvalidArgument,
		            "The parameter HeaderBehavior is invalid for policy with caching disabled.");
	if (str_eq(p->HeadersConfig->HeaderBehavior, S("whitelist")) && p->HeadersConfig->Headers &&
	    p->HeadersConfig->Headers->Items.n > 10)
		return fail(rq, &cloudfront_TooManyHeadersInCachePolicy,
		            "The number of headers in the cache policy exceeds the maximum.");
	return OK;
}

static void show_cache(req *rq, const cloudfront_thing *t, cloudfront_CachePolicy **out)
{
	*out = arena_new(rq->mem, cloudfront_CachePolicy);
	**out = (cloudfront_CachePolicy){ .Id = t->Id,
		                              .LastModifiedTime = TIME(t->Modified),
		                              .CachePolicyConfig = t->Cache };
}

err cloudfront_CreateCachePolicy(req *rq, txn *tx, const cloudfront_CreateCachePolicy_in *in,
                         cloudfront_CreateCachePolicy_out *out)
{
	cloudfront_thing *t;
	TRY(check_cache(rq, in->CachePolicyConfig));
	TRY(cf_new(rq, tx, CF_CACHE, in->CachePolicyConfig->Name, &t));
	t->Cache = in->CachePolicyConfig;
	cloudfront_thing_put(tx, t);
	show_cache(rq, t, &out->CachePolicy);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "cache-policy", t->Id);
	return OK;
}

err cloudfront_GetCachePolicy(req *rq, const txn *tx, const cloudfront_GetCachePolicy_in *in,
                      cloudfront_GetCachePolicy_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_CACHE, in->Id, &t));
	show_cache(rq, t, &out->CachePolicy);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetCachePolicyConfig(req *rq, const txn *tx, const cloudfront_GetCachePolicyConfig_in *in,
                            cloudfront_GetCachePolicyConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_CACHE, in->Id, &t));
	out->CachePolicyConfig = t->Cache;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdateCachePolicy(req *rq, txn *tx, const cloudfront_UpdateCachePolicy_in *in,
                         cloudfront_UpdateCachePolicy_out *out)
{
	cloudfront_thing *t;
	TRY(check_cache(rq, in->CachePolicyConfig));
	TRY(cf_change(rq, tx, CF_CACHE, in->Id, in->IfMatch, in->CachePolicyConfig->Name, &t));
	t->Cache = in->CachePolicyConfig;
	cloudfront_thing_put(tx, t);
	show_cache(rq, t, &out->CachePolicy);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeleteCachePolicy(req *rq, txn *tx, const cloudfront_DeleteCachePolicy_in *in,
                         cloudfront_DeleteCachePolicy_out *out)
{
	return cf_remove(rq, tx, CF_CACHE, in->Id, in->IfMatch);
}

err cloudfront_ListCachePolicies(req *rq, const txn *tx, const cloudfront_ListCachePolicies_in *in,
                          cloudfront_ListCachePolicies_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_CACHE, in->Type, in->Marker, in->MaxItems, &p));
	cloudfront_CachePolicyList *l = out->CachePolicyList = arena_new(rq->mem, cloudfront_CachePolicyList);
	*l = (cloudfront_CachePolicyList){ .NextMarker = p.next,
		                               .MaxItems = I64(p.most),
		                               .Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_CachePolicySummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		l->Items.v[i].Type = cf_is_managed(p.v[i]) ? S("managed") : S("custom");
		show_cache(rq, p.v[i], &l->Items.v[i].CachePolicy);
	}
	return OK;
}

static err check_request(req *rq, const cloudfront_OriginRequestPolicyConfig *c)
{
	TRY(cf_quantities(rq, &cloudfront_OriginRequestPolicyConfig_shape, c));
	if (str_eq(c->HeadersConfig->HeaderBehavior, S("whitelist")) && c->HeadersConfig->Headers &&
	    c->HeadersConfig->Headers->Items.n > 10)
		return fail(rq, &cloudfront_TooManyHeadersInOriginRequestPolicy,
		            "The number of headers in the origin request policy exceeds the maximum.");
	return OK;
}

static void show_request(req *rq, const cloudfront_thing *t, cloudfront_OriginRequestPolicy **out)
{
	*out = arena_new(rq->mem, cloudfront_OriginRequestPolicy);
	**out = (cloudfront_OriginRequestPolicy){ .Id = t->Id,
		                                      .LastModifiedTime = TIME(t->Modified),
		                                      .OriginRequestPolicyConfig = t->Request };
}

err cloudfront_CreateOriginRequestPolicy(req *rq, txn *tx, const cloudfront_CreateOriginRequestPolicy_in *in,
                         cloudfront_CreateOriginRequestPolicy_out *out)
{
	cloudfront_thing *t;
	TRY(check_request(rq, in->OriginRequestPolicyConfig));
	TRY(cf_new(rq, tx, CF_REQUEST, in->OriginRequestPolicyConfig->Name, &t));
	t->Request = in->OriginRequestPolicyConfig;
	cloudfront_thing_put(tx, t);
	show_request(rq, t, &out->OriginRequestPolicy);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "origin-request-policy", t->Id);
	return OK;
}

err cloudfront_GetOriginRequestPolicy(req *rq, const txn *tx, const cloudfront_GetOriginRequestPolicy_in *in,
                      cloudfront_GetOriginRequestPolicy_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_REQUEST, in->Id, &t));
	show_request(rq, t, &out->OriginRequestPolicy);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetOriginRequestPolicyConfig(req *rq, const txn *tx,
                                            const cloudfront_GetOriginRequestPolicyConfig_in *in,
                                            cloudfront_GetOriginRequestPolicyConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_REQUEST, in->Id, &t));
	out->OriginRequestPolicyConfig = t->Request;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdateOriginRequestPolicy(req *rq, txn *tx, const cloudfront_UpdateOriginRequestPolicy_in *in,
                         cloudfront_UpdateOriginRequestPolicy_out *out)
{
	cloudfront_thing *t;
	TRY(check_request(rq, in->OriginRequestPolicyConfig));
	TRY(cf_change(rq, tx, CF_REQUEST, in->Id, in->IfMatch, in->OriginRequestPolicyConfig->Name, &t));
	t->Request = in->OriginRequestPolicyConfig;
	cloudfront_thing_put(tx, t);
	show_request(rq, t, &out->OriginRequestPolicy);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeleteOriginRequestPolicy(req *rq, txn *tx, const cloudfront_DeleteOriginRequestPolicy_in *in,
                         cloudfront_DeleteOriginRequestPolicy_out *out)
{
	return cf_remove(rq, tx, CF_REQUEST, in->Id, in->IfMatch);
}

err cloudfront_ListOriginRequestPolicies(req *rq, const txn *tx,
                                         const cloudfront_ListOriginRequestPolicies_in *in,
                                         cloudfront_ListOriginRequestPolicies_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_REQUEST, in->Type, in->Marker, in->MaxItems, &p));
	cloudfront_OriginRequestPolicyList *l = out->OriginRequestPolicyList =
		arena_new(rq->mem, cloudfront_OriginRequestPolicyList);
	*l = (cloudfront_OriginRequestPolicyList){ .NextMarker = p.next,
		                                       .MaxItems = I64(p.most),
		                                       .Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_OriginRequestPolicySummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		l->Items.v[i].Type = cf_is_managed(p.v[i]) ? S("managed") : S("custom");
		show_request(rq, p.v[i], &l->Items.v[i].OriginRequestPolicy);
	}
	return OK;
}

static err check_response(req *rq, const cloudfront_ResponseHeadersPolicyConfig *c)
{
	TRY(cf_quantities(rq, &cloudfront_ResponseHeadersPolicyConfig_shape, c));
	if (!c->CorsConfig && !c->SecurityHeadersConfig && !c->ServerTimingHeadersConfig &&
	    !(c->CustomHeadersConfig && c->CustomHeadersConfig->Items.n) &&
	    !(c->RemoveHeadersConfig && c->RemoveHeadersConfig->Items.n))
		return fail(rq, &cloudfront_InvalidArgument,
		            "The response headers policy must contain at least one header configuration.");
	if (c->CustomHeadersConfig && c->CustomHeadersConfig->Items.n > 10)
		return fail(rq, &cloudfront_TooManyCustomHeadersInResponseHeadersPolicy,
		            "The number of custom headers in the response headers policy exceeds the maximum.");
	if (c->RemoveHeadersConfig && c->RemoveHeadersConfig->Items.n > 10)
		return fail(rq, &cloudfront_TooManyRemoveHeadersInResponseHeadersPolicy,
		            "The number of headers in RemoveHeadersConfig in the response headers policy exceeds the "
		            "maximum.");
	return OK;
}

static void show_response(req *rq, const cloudfront_thing *t, cloudfront_ResponseHeadersPolicy **out)
{
	*out = arena_new(rq->mem, cloudfront_ResponseHeadersPolicy);
	**out = (cloudfront_ResponseHeadersPolicy){ .Id = t->Id,
		                                        .LastModifiedTime = TIME(t->Modified),
		                                        .ResponseHeadersPolicyConfig = t->Response };
}

err cloudfront_CreateResponseHeadersPolicy(req *rq, txn *tx,
                                           const cloudfront_CreateResponseHeadersPolicy_in *in,
                                           cloudfront_CreateResponseHeadersPolicy_out *out)
{
	cloudfront_thing *t;
	TRY(check_response(rq, in->ResponseHeadersPolicyConfig));
	TRY(cf_new(rq, tx, CF_RESPONSE, in->ResponseHeadersPolicyConfig->Name, &t));
	t->Response = in->ResponseHeadersPolicyConfig;
	cloudfront_thing_put(tx, t);
	show_response(rq, t, &out->ResponseHeadersPolicy);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "response-headers-policy", t->Id);
	return OK;
}

err cloudfront_GetResponseHeadersPolicy(req *rq, const txn *tx,
                                        const cloudfront_GetResponseHeadersPolicy_in *in,
                                        cloudfront_GetResponseHeadersPolicy_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_RESPONSE, in->Id, &t));
	show_response(rq, t, &out->ResponseHeadersPolicy);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetResponseHeadersPolicyConfig(req *rq, const txn *tx,
                                              const cloudfront_GetResponseHeadersPolicyConfig_in *in,
                                              cloudfront_GetResponseHeadersPolicyConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_RESPONSE, in->Id, &t));
	out->ResponseHeadersPolicyConfig = t->Response;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdateResponseHeadersPolicy(req *rq, txn *tx,
                                           const cloudfront_UpdateResponseHeadersPolicy_in *in,
                                           cloudfront_UpdateResponseHeadersPolicy_out *out)
{
	cloudfront_thing *t;
	TRY(check_response(rq, in->ResponseHeadersPolicyConfig));
	TRY(cf_change(rq, tx, CF_RESPONSE, in->Id, in->IfMatch, in->ResponseHeadersPolicyConfig->Name, &t));
	t->Response = in->ResponseHeadersPolicyConfig;
	cloudfront_thing_put(tx, t);
	show_response(rq, t, &out->ResponseHeadersPolicy);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeleteResponseHeadersPolicy(req *rq, txn *tx,
                                           const cloudfront_DeleteResponseHeadersPolicy_in *in,
                                           cloudfront_DeleteResponseHeadersPolicy_out *out)
{
	return cf_remove(rq, tx, CF_RESPONSE, in->Id, in->IfMatch);
}

err cloudfront_ListResponseHeadersPolicies(req *rq, const txn *tx,
                                           const cloudfront_ListResponseHeadersPolicies_in *in,
                                           cloudfront_ListResponseHeadersPolicies_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_RESPONSE, in->Type, in->Marker, in->MaxItems, &p));
	cloudfront_ResponseHeadersPolicyList *l = out->ResponseHeadersPolicyList =
		arena_new(rq->mem, cloudfront_ResponseHeadersPolicyList);
	*l = (cloudfront_ResponseHeadersPolicyList){ .NextMarker = p.next,
		                                         .MaxItems = I64(p.most),
		                                         .Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_ResponseHeadersPolicySummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		l->Items.v[i].Type = cf_is_managed(p.v[i]) ? S("managed") : S("custom");
		show_response(rq, p.v[i], &l->Items.v[i].ResponseHeadersPolicy);
	}
	return OK;
}
