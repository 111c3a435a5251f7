/* What a cache behaviour may not be, in AWS's words. */
#include "cdn.h"

void cf_from_default(const cloudfront_DefaultCacheBehavior *d, cloudfront_CacheBehavior *b)
{
	*b = (cloudfront_CacheBehavior){ .PathPattern = S("*"), .TargetOriginId = d->TargetOriginId,
		.TrustedSigners = d->TrustedSigners, .TrustedKeyGroups = d->TrustedKeyGroups,
		.ViewerProtocolPolicy = d->ViewerProtocolPolicy, .AllowedMethods = d->AllowedMethods,
		.SmoothStreaming = d->SmoothStreaming, .Compress = d->Compress,
		.LambdaFunctionAssociations = d->LambdaFunctionAssociations,
		.FunctionAssociations = d->FunctionAssociations,
		.FieldLevelEncryptionId = d->FieldLevelEncryptionId,
		.RealtimeLogConfigArn = d->RealtimeLogConfigArn, .CachePolicyId = d->CachePolicyId,
		.OriginRequestPolicyId = d->OriginRequestPolicyId,
		.ResponseHeadersPolicyId = d->ResponseHeadersPolicyId, .GrpcConfig = d->GrpcConfig,
		.ForwardedValues = d->ForwardedValues, .MinTTL = d->MinTTL, .DefaultTTL = d->DefaultTTL,
		.MaxTTL = d->MaxTTL };
}

void cf_to_default(const cloudfront_CacheBehavior *b, cloudfront_DefaultCacheBehavior *d)
{
	*d = (cloudfront_DefaultCacheBehavior){ .TargetOriginId = b->TargetOriginId,
		.TrustedSigners = b->TrustedSigners, .TrustedKeyGroups = b->TrustedKeyGroups,
		.ViewerProtocolPolicy = b->ViewerProtocolPolicy, .AllowedMethods = b->AllowedMethods,
		.SmoothStreaming = b->SmoothStreaming, .Compress = b->Compress,
		.LambdaFunctionAssociations = b->LambdaFunctionAssociations,
		.FunctionAssociations = b->FunctionAssociations,
		.FieldLevelEncryptionId = b->FieldLevelEncryptionId,
		.RealtimeLogConfigArn = b->RealtimeLogConfigArn, .CachePolicyId = b->CachePolicyId,
		.OriginRequestPolicyId = b->OriginRequestPolicyId,
		.ResponseHeadersPolicyId = b->ResponseHeadersPolicyId, .GrpcConfig = b->GrpcConfig,
		.ForwardedValues = b->ForwardedValues, .MinTTL = b->MinTTL, .DefaultTTL = b->DefaultTTL,
		.MaxTTL = b->MaxTTL };
}

size_t cf_behaviors(arena *mem, const cloudfront_DistributionConfig *c, const cloudfront_CacheBehavior **out)
{
	size_t n = c->CacheBehaviors ? c->CacheBehaviors->Items.n : 0;
	cloudfront_CacheBehavior *v = arena_array(mem, cloudfront_CacheBehavior, n + 1);
	for (size_t i = 0; i < n; i++)
		v[i] = c->CacheBehaviors->Items.v[i];
	cf_from_default(c->DefaultCacheBehavior, &v[n]);
	*out = v;
	return n + 1;
}

static bool has_origin(const cloudfront_DistributionConfig *c, str id)
{
	bool there = false;
	for (size_t i = 0; i < c->Origins->Items.n; i++)
		there |= str_eq(c->Origins->Items.v[i].Id, id);
	for (size_t i = 0; c->OriginGroups && i < c->OriginGroups->Items.n; i++)
		there |= str_eq(c->OriginGroups->Items.v[i].Id, id);
	return there;
}

static err must_be(req *rq, const txn *tx, cf_kind kind, str id)
{
	cloudfront_thing *t;
	return id.n ? cf_find(rq, tx, kind, id, &t) : OK;
}

static err check_methods(req *rq, const cloudfront_AllowedMethods *m)
{
	unsigned seen = 0;
	static const char *const names[] = { "GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE" };
	if (!m)
		return OK;
	for (size_t i = 0; i < m->Items.n; i++)
		for (unsigned k = 0; k < 7; k++)
			if (str_eq(m->Items.v[i], str_c(names[k])))
				seen |= 1u << k;
	if (seen != 3 && seen != 7 && seen != 127)
		return fail(rq, &cloudfront_InvalidArgument,
		            "The parameter AllowedMethods cannot include these methods: GET and HEAD; GET, HEAD and "
		            "OPTIONS; or all seven are allowed.");
	for (size_t i = 0; m->CachedMethods && i < m->CachedMethods->Items.n; i++) {
		str name = m->CachedMethods->Items.v[i];
		bool cached = str_eq(name, S("GET")) || str_eq(name, S("HEAD")) || str_eq(name, S("OPTIONS"));
		if (!cached || (str_eq(name, S("OPTIONS")) && seen == 3))
			return fail(
				rq, &cloudfront_InvalidArgument,
				"The parameter CachedMethods cannot include methods that are not allowed or cannot be "
				"cached.");
	}
	return OK;
}

static err check_ttl(req *rq, const cloudfront_CacheBehavior *b)
{
	if (b->CachePolicyId.n) {
		if (b->ForwardedValues || b->MinTTL.set || b->DefaultTTL.set || b->MaxTTL.set)
			return fail(
				rq, &cloudfront_InvalidArgument,
				"The parameter ForwardedValues cannot be used when a cache policy is associated to the "
				"cache behavior.");
		return OK;
	}
	if (!b->ForwardedValues)
		return fail(rq, &cloudfront_InvalidArgument,
		            "The parameter ForwardedValues is required.");
	int64_t least = b->MinTTL.v, usual = b->DefaultTTL.set ? b->DefaultTTL.v : least > 86400 ? least : 86400;
	int64_t most = b->MaxTTL.set ? b->MaxTTL.v : usual > 31536000 ? usual : 31536000;
	if (most > CF_TTL_MAX)
		return fail(rq, &cloudfront_InvalidArgument, "The parameter MaxTTL is too big.");
	if (least < 0 || least > usual || usual > most)
		return fail(
			rq, &cloudfront_InvalidTTLOrder,
			"The order of TTL values is not valid: MinTTL must not exceed DefaultTTL, and DefaultTTL must "
			"not exceed MaxTTL.");
	const cloudfront_CookiePreference *k = b->ForwardedValues->Cookies;
	bool names = k->WhitelistedNames && k->WhitelistedNames->Items.n;
	if (str_eq(k->Forward, S("whitelist")) != names)
		return fail(
			rq, &cloudfront_InvalidForwardCookies,
			"Your request contains forward cookies option which doesn't match with the expectation for "
			"the whitelisted list of cookie names.");
	return OK;
}

static err check_signers(req *rq, const txn *tx, const cloudfront_CacheBehavior *b)
{
	const cloudfront_TrustedKeyGroups *g = b->TrustedKeyGroups;
	if (b->TrustedSigners && b->TrustedSigners->Enabled.v)
		return fail(
			rq, &aws_NotImplemented,
			"Trusted signers with the keys of an account are not implemented: use trusted key groups.");
	for (size_t i = 0; g && i < g->Items.n; i++)
		if (!cf_named(rq->mem, tx, rq->who.account, CF_GROUP, g->Items.v[i]))
			return fail(rq, &cloudfront_TrustedKeyGroupDoesNotExist,
			            "The specified key group does not exist.");
	return OK;
}

/* What changes requests on their way, and is not here. */
static err check_functions(req *rq, const cloudfront_CacheBehavior *b)
{
	if (b->LambdaFunctionAssociations && b->LambdaFunctionAssociations->Items.n)
		return fail(rq, &aws_NotImplemented, "Lambda@Edge is not implemented.");
	if (b->FunctionAssociations && b->FunctionAssociations->Items.n)
		return fail(rq, &aws_NotImplemented, "CloudFront Functions are not implemented.");
	if (b->FieldLevelEncryptionId.n)
		return fail(rq, &aws_NotImplemented, "Field-level encryption is not implemented.");
	if (b->RealtimeLogConfigArn.n)
		return fail(rq, &aws_NotImplemented, "Real-time logs are not implemented.");
	if (b->SmoothStreaming.v)
		return fail(rq, &aws_NotImplemented, "Smooth Streaming is not implemented.");
	if (b->GrpcConfig && b->GrpcConfig->Enabled.v)
		return fail(rq, &aws_NotImplemented, "gRPC is not implemented.");
	return OK;
}

static err check_behavior(req *rq, const txn *tx, const cloudfront_DistributionConfig *c,
                          const cloudfront_CacheBehavior *b)
{
	if (!b->PathPattern.n || b->PathPattern.n > 255)
		return fail(rq, &cloudfront_InvalidArgument, "The parameter PathPattern is too big or empty.");
	if (!has_origin(c, b->TargetOriginId))
		return fail(rq, &cloudfront_NoSuchOrigin,
		            "One or more of your origins or origin groups do not exist.");
	TRY(check_methods(rq, b->AllowedMethods));
	TRY(must_be(rq, tx, CF_CACHE, b->CachePolicyId));
	TRY(must_be(rq, tx, CF_REQUEST, b->OriginRequestPolicyId));
	TRY(must_be(rq, tx, CF_RESPONSE, b->ResponseHeadersPolicyId));
	TRY(check_ttl(rq, b));
	TRY(check_signers(rq, tx, b));
	return check_functions(rq, b);
}

err cf_check_behaviors(req *rq, const txn *tx, const cloudfront_DistributionConfig *c)
{
	const cloudfront_CacheBehavior *v;
	size_t n = cf_behaviors(rq->mem, c, &v);
	if (n - 1 > CF_BEHAVIORS_MAX)
		return fail(rq, &cloudfront_TooManyCacheBehaviors,
		            "You cannot create more cache behaviors for the distribution.");
	for (size_t i = 0; i < n; i++) {
		TRY(check_behavior(rq, tx, c, &v[i]));
		for (size_t k = 0; k < i && i + 1 < n; k++)
			if (str_eq(v[i].PathPattern, v[k].PathPattern))
				return fail(rq, &cloudfront_InvalidArgument,
				            "The parameter PathPattern contains duplicate values.");
	}
	return OK;
}
