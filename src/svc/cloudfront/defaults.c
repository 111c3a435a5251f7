/* What AWS shows of a distribution where nothing was said, so that what was made reads back whole. */
#include "cdn.h"

/* A structure that was not given. */
#define FILL(mem, place, ...) \
	do { \
		if (!(place)) { \
			(place) = arena_new((mem), typeof(*(place))); \
			*(place) = (typeof(*(place)))__VA_ARGS__; \
		} \
	} while (0)
#define NOTHING { .Quantity = I64(0) }

static void text(str *s, const char *otherwise)
{
	if (!str_is(*s))
		*s = str_c(otherwise);
}

static void flag(opt_bool *b, bool otherwise)
{
	if (!b->set)
		*b = BOOL(otherwise);
}

static void number(opt_i64 *n, int64_t otherwise)
{
	if (!n->set)
		*n = I64(otherwise);
}

static void methods(arena *mem, cloudfront_CacheBehavior *b)
{
	if (!b->AllowedMethods) {
		cloudfront_AllowedMethods *m = b->AllowedMethods = arena_new(mem, cloudfront_AllowedMethods);
		m->Quantity = I64(2);
		m->Items.n = 2;
		m->Items.v = arena_array(mem, str, 2);
		m->Items.v[0] = S("HEAD");
		m->Items.v[1] = S("GET");
	}
	if (!b->AllowedMethods->CachedMethods) {
		cloudfront_CachedMethods *m = arena_new(mem, cloudfront_CachedMethods);
		b->AllowedMethods->CachedMethods = m;
		m->Quantity = I64(2);
		m->Items.n = 2;
		m->Items.v = arena_array(mem, str, 2);
		m->Items.v[0] = S("HEAD");
		m->Items.v[1] = S("GET");
	}
}

static void behavior(arena *mem, cloudfront_CacheBehavior *b)
{
	FILL(mem, b->TrustedSigners, { .Enabled = BOOL(false), .Quantity = I64(0) });
	FILL(mem, b->TrustedKeyGroups, { .Enabled = BOOL(false), .Quantity = I64(0) });
	FILL(mem, b->LambdaFunctionAssociations, NOTHING);
	FILL(mem, b->FunctionAssociations, NOTHING);
	FILL(mem, b->GrpcConfig, { .Enabled = BOOL(false) });
	flag(&b->SmoothStreaming, false);
	flag(&b->Compress, false);
	text(&b->FieldLevelEncryptionId, "");
	methods(mem, b);
	cloudfront_ForwardedValues *f = b->ForwardedValues;
	if (!f)
		return;
	FILL(mem, f->Headers, NOTHING);
	FILL(mem, f->QueryStringCacheKeys, NOTHING);
	number(&b->MinTTL, 0);
	number(&b->DefaultTTL, b->MinTTL.v > 86400 ? b->MinTTL.v : 86400);
	number(&b->MaxTTL, b->DefaultTTL.v > 31536000 ? b->DefaultTTL.v : 31536000);
}

static void protocols(arena *mem, cloudfront_CustomOriginConfig *c)
{
	static const char *const names[] = { "TLSv1", "TLSv1.1", "TLSv1.2" };
	if (c->OriginSslProtocols)
		return;
	c->OriginSslProtocols = arena_new(mem, cloudfront_OriginSslProtocols);
	c->OriginSslProtocols->Quantity = I64(3);
	c->OriginSslProtocols->Items.n = 3;
	c->OriginSslProtocols->Items.v = arena_array(mem, str, 3);
	for (size_t i = 0; i < 3; i++)
		c->OriginSslProtocols->Items.v[i] = str_c(names[i]);
}

static void origin(arena *mem, cloudfront_Origin *o)
{
	text(&o->OriginPath, "");
	FILL(mem, o->CustomHeaders, NOTHING);
	number(&o->ConnectionAttempts, 3);
	number(&o->ConnectionTimeout, 10);
	FILL(mem, o->OriginShield, { .Enabled = BOOL(false) });
	text(&o->OriginAccessControlId, "");
	if (!o->CustomOriginConfig)
		return;
	number(&o->CustomOriginConfig->OriginReadTimeout, 30);
	number(&o->CustomOriginConfig->OriginKeepaliveTimeout, 5);
	protocols(mem, o->CustomOriginConfig);
}

static void certificate(arena *mem, cloudfront_ViewerCertificate **at)
{
	FILL(mem, *at, { .CloudFrontDefaultCertificate = BOOL(true) });
	cloudfront_ViewerCertificate *v = *at;
	if (str_is(v->ACMCertificateArn)) {
		v->Certificate = v->ACMCertificateArn;
		v->CertificateSource = S("acm");
	} else if (str_is(v->IAMCertificateId)) {
		v->Certificate = v->IAMCertificateId;
		v->CertificateSource = S("iam");
	} else {
		v->SSLSupportMethod = S("vip");
		v->MinimumProtocolVersion = S("TLSv1");
		v->CertificateSource = S("cloudfront");
	}
	flag(&v->CloudFrontDefaultCertificate, v->CertificateSource.n == 10);
	text(&v->MinimumProtocolVersion, "TLSv1");
}

void cf_complete(arena *mem, cloudfront_DistributionConfig *c)
{
	FILL(mem, c->Aliases, NOTHING);
	FILL(mem, c->OriginGroups, NOTHING);
	FILL(mem, c->CacheBehaviors, NOTHING);
	FILL(mem, c->CustomErrorResponses, NOTHING);
	text(&c->DefaultRootObject, "");
	FILL(mem, c->Logging, { .Enabled = BOOL(false) });
	flag(&c->Logging->Enabled, false);
	flag(&c->Logging->IncludeCookies, false);
	text(&c->Logging->Bucket, "");
	text(&c->Logging->Prefix, "");
	text(&c->PriceClass, "PriceClass_All");
	certificate(mem, &c->ViewerCertificate);
	if (!c->Restrictions) {
		c->Restrictions = arena_new(mem, cloudfront_Restrictions);
		c->Restrictions->GeoRestriction = arena_new(mem, cloudfront_GeoRestriction);
		*c->Restrictions->GeoRestriction =
			(cloudfront_GeoRestriction){ .RestrictionType = S("none"), .Quantity = I64(0) };
	}
	text(&c->WebACLId, "");
	text(&c->HttpVersion, "http2");
	flag(&c->IsIPV6Enabled, true);
	text(&c->ContinuousDeploymentPolicyId, "");
	flag(&c->Staging, false);
	for (size_t i = 0; i < c->Origins->Items.n; i++)
		origin(mem, &c->Origins->Items.v[i]);
	for (size_t i = 0; i < c->CacheBehaviors->Items.n; i++)
		behavior(mem, &c->CacheBehaviors->Items.v[i]);
	cloudfront_CacheBehavior b;
	cf_from_default(c->DefaultCacheBehavior, &b);
	behavior(mem, &b);
	cf_to_default(&b, c->DefaultCacheBehavior);
}
