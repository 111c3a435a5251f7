/* The managed policies: their ids are AWS's and the same in every account. */
#include "cdn.h"

typedef struct managed {
	cf_kind kind;
	const char *id, *name, *comment;
	const char *json; /* the members of the configuration besides name and comment */
} managed;

#define NONE_COOKIES "\"CookiesConfig\":{\"CookieBehavior\":\"none\"}"
#define ALL_COOKIES "\"CookiesConfig\":{\"CookieBehavior\":\"all\"}"
#define NONE_QUERY "\"QueryStringsConfig\":{\"QueryStringBehavior\":\"none\"}"
#define ALL_QUERY "\"QueryStringsConfig\":{\"QueryStringBehavior\":\"all\"}"
#define HEADERS(behavior, n, items) \
	"\"HeadersConfig\":{\"HeaderBehavior\":\"" behavior "\",\"Headers\":{\"Quantity\":" #n \
	",\"Items\":[" items "]}}"
#define NONE_HEADERS "\"HeadersConfig\":{\"HeaderBehavior\":\"none\"}"
#define TTL(least, usual, most) "\"MinTTL\":" #least ",\"DefaultTTL\":" #usual ",\"MaxTTL\":" #most ","
#define KEYS(gzip, brotli, rest) \
	"\"ParametersInCacheKeyAndForwardedToOrigin\":{\"EnableAcceptEncodingGzip\":" #gzip \
	",\"EnableAcceptEncodingBrotli\":" #brotli "," rest "}"
#define ORIGIN_CACHE_HEADERS \
	HEADERS("whitelist", 5, "\"Host\",\"Origin\",\"X-HTTP-Method-Override\",\"X-HTTP-Method\"," \
	        "\"X-Method-Override\"")
#define CLOUDFRONT_HEADERS \
	"\"CloudFront-Forwarded-Proto\",\"CloudFront-Is-Android-Viewer\",\"CloudFront-Is-Desktop-Viewer\"," \
	"\"CloudFront-Is-IOS-Viewer\",\"CloudFront-Is-Mobile-Viewer\",\"CloudFront-Is-SmartTV-Viewer\"," \
	"\"CloudFront-Is-Tablet-Viewer\",\"CloudFront-Viewer-Address\",\"CloudFront-Viewer-ASN\"," \
	"\"CloudFront-Viewer-City\",\"CloudFront-Viewer-Country\",\"CloudFront-Viewer-Country-Name\"," \
	"\"CloudFront-Viewer-Country-Region\",\"CloudFront-Viewer-Country-Region-Name\"," \
	"\"CloudFront-Viewer-Http-Version\",\"CloudFront-Viewer-Latitude\",\"CloudFront-Viewer-Longitude\"," \
	"\"CloudFront-Viewer-Metro-Code\",\"CloudFront-Viewer-Postal-Code\",\"CloudFront-Viewer-Time-Zone\"," \
	"\"CloudFront-Viewer-TLS\""
#define ANY(member) "\"" member "\":{\"Quantity\":1,\"Items\":[\"*\"]},"
#define CORS_REST "\"AccessControlAllowCredentials\":false,\"OriginOverride\":false}"
#define SIMPLE_CORS \
	"\"CorsConfig\":{" ANY("AccessControlAllowOrigins") ANY("AccessControlAllowHeaders") \
	"\"AccessControlAllowMethods\":{\"Quantity\":2,\"Items\":[\"HEAD\",\"GET\"]}," CORS_REST
#define PREFLIGHT_CORS \
	"\"CorsConfig\":{" ANY("AccessControlAllowOrigins") ANY("AccessControlAllowHeaders") \
	ANY("AccessControlExposeHeaders") \
	"\"AccessControlAllowMethods\":{\"Quantity\":7,\"Items\":[\"DELETE\",\"GET\",\"HEAD\",\"OPTIONS\"," \
	"\"PATCH\",\"POST\",\"PUT\"]}," CORS_REST
#define SECURITY \
	"\"SecurityHeadersConfig\":{\"XSSProtection\":{\"Override\":false,\"Protection\":true," \
	"\"ModeBlock\":true},\"FrameOptions\":{\"Override\":false,\"FrameOption\":\"SAMEORIGIN\"}," \
	"\"ReferrerPolicy\":{\"Override\":false,\"ReferrerPolicy\":\"strict-origin-when-cross-origin\"}," \
	"\"ContentTypeOptions\":{\"Override\":true},\"StrictTransportSecurity\":{\"Override\":false," \
	"\"IncludeSubdomains\":false,\"Preload\":false,\"AccessControlMaxAgeSec\":31536000}}"

static const managed table[] = {
	{ CF_CACHE, "08627262-05a9-4f76-9ded-b50ca2e3a84f", "Managed-Elemental-MediaPackage",
	  "Policy for Elemental MediaPackage Origin",
	  TTL(0, 86400, 31536000)
	      KEYS(true, false,
	           HEADERS("whitelist", 1,
	                   "\"origin\"") "," NONE_COOKIES ","
	                                 "\"QueryStringsConfig\":{\"QueryStringBehavior\":\"whitelist\","
	                                 "\"QueryStrings\":{\"Quantity\":4,"
	                                 "\"Items\":[\"aws.manifestfilter\",\"start\",\"end\",\"m\"]}}") },
	{ CF_CACHE, "2e54312d-136d-493c-8eb9-b001f22f67d2", "Managed-Amplify", "Policy for Amplify Origin",
	  TTL(2, 2, 600) KEYS(true, true,
	                      HEADERS("whitelist", 3,
	                              "\"Authorization\","
	                              "\"CloudFront-Viewer-Country\",\"Host\"") "," ALL_COOKIES "," ALL_QUERY) },
	{ CF_CACHE, "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "Managed-CachingDisabled",
	  "Policy with caching disabled",
	  TTL(0, 0, 0) KEYS(false, false, NONE_HEADERS "," NONE_COOKIES "," NONE_QUERY) },
	{ CF_CACHE, "4cc15a8a-d715-48a4-82b8-cc0b614638fe", "Managed-UseOriginCacheControlHeaders-QueryStrings",
	  "Policy for origins that return Cache-Control headers and serve different content based on values "
	  "present in "
	  "the query string.",
	  TTL(0, 0, 31536000) KEYS(true, true, ORIGIN_CACHE_HEADERS "," ALL_COOKIES "," ALL_QUERY) },
	{ CF_CACHE, "658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingOptimized",
	  "Policy with caching enabled. Supports Gzip and Brotli compression.",
	  TTL(1, 86400, 31536000) KEYS(true, true, NONE_HEADERS "," NONE_COOKIES "," NONE_QUERY) },
	{ CF_CACHE, "83da9c7e-98b4-4e11-a168-04f0df8e2c65", "Managed-UseOriginCacheControlHeaders",
	  "Policy for origins that return Cache-Control headers. Query strings are not included in the cache "
	  "key.",
	  TTL(0, 0, 31536000) KEYS(true, true, ORIGIN_CACHE_HEADERS "," ALL_COOKIES "," NONE_QUERY) },
	{ CF_CACHE, "b2884449-e4de-46a7-ac36-70bc7f1ddd6d", "Managed-CachingOptimizedForUncompressedObjects",
	  "Default policy when compression is disabled",
	  TTL(1, 86400, 31536000) KEYS(false, false, NONE_HEADERS "," NONE_COOKIES "," NONE_QUERY) },
	{ CF_REQUEST, "216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewer",
	  "Policy to forward all parameters in viewer requests",
	  "\"HeadersConfig\":{\"HeaderBehavior\":\"allViewer\"}," ALL_COOKIES "," ALL_QUERY },
	{ CF_REQUEST, "33f36d7e-f396-46d9-90e0-52428a34d9dc", "Managed-AllViewerAndCloudFrontHeaders-2022-06",
	  "Policy to forward all parameters in viewer requests and all CloudFront headers that were released "
	  "through "
	  "June 2022",
	  HEADERS("allViewerAndWhitelistCloudFront", 21, CLOUDFRONT_HEADERS) "," ALL_COOKIES "," ALL_QUERY },
	{ CF_REQUEST, "59781a5b-3903-41f3-afcb-af62929ccde1", "Managed-CORS-CustomOrigin",
	  "Policy for CORS with a custom origin",
	  HEADERS("whitelist", 1, "\"origin\"") "," NONE_COOKIES "," NONE_QUERY },
	{ CF_REQUEST, "775133bc-15f2-49f9-abea-afb2e0bf67d2",
	  "Managed-Elemental-MediaTailor-PersonalizedManifests", "Policy for Elemental MediaTailor Origin",
	  HEADERS("whitelist", 5,
	          "\"origin\",\"access-control-request-headers\",\"x-forwarded-for\","
	          "\"access-control-request-method\",\"user-agent\"") "," NONE_COOKIES "," ALL_QUERY },
	{ CF_REQUEST, "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "Managed-CORS-S3Origin",
	  "Policy for S3 origin with CORS",
	  HEADERS("whitelist", 3,
	          "\"origin\","
	          "\"access-control-request-headers\",\"access-control-request-method\"") "," NONE_COOKIES
	                                                                                  "," NONE_QUERY },
	{ CF_REQUEST, "acba4595-bd28-49b8-b9fe-13317c0390fa", "Managed-UserAgentRefererHeaders",
	  "Policy to forward user-agent and referer headers to origin",
	  HEADERS("whitelist", 2, "\"user-agent\",\"referer\"") "," NONE_COOKIES "," NONE_QUERY },
	{ CF_REQUEST, "b689b0a8-53d0-40ab-baf2-68738e2966ac", "Managed-AllViewerExceptHostHeader",
	  "Policy to forward all parameters in viewer requests except for the Host header",
	  HEADERS("allExcept", 1, "\"host\"") "," ALL_COOKIES "," ALL_QUERY },
	{ CF_REQUEST, "bf0718e1-ba1e-49d1-88b1-f726733018ae", "Managed-HostHeaderOnly",
	  "Policy to forward Host header only",
	  HEADERS("whitelist", 1, "\"host\"") "," NONE_COOKIES "," NONE_QUERY },
	{ CF_RESPONSE, "5cc3b908-e619-4b99-88e5-2cf7f45965bd", "Managed-CORS-With-Preflight",
	  "Allows all origins for CORS requests, including preflight requests", PREFLIGHT_CORS },
	{ CF_RESPONSE, "60669652-455b-4ae9-85a4-c4c02393f86c", "Managed-SimpleCORS",
	  "Allows all origins for simple CORS requests", SIMPLE_CORS },
	{ CF_RESPONSE, "67f7725c-6f97-4210-82d7-5512b31e9d03", "Managed-SecurityHeadersPolicy",
	  "Adds a set of security headers to every response", SECURITY },
	{ CF_RESPONSE, "e61eb60c-9c35-4d20-a928-2b84e02af89c", "Managed-CORS-and-SecurityHeadersPolicy",
	  "Allows all origins for simple CORS requests and adds security headers", SIMPLE_CORS "," SECURITY },
	{ CF_RESPONSE, "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
	  "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
	  "Allows all origins for CORS requests, including preflight requests, and adds security headers",
	  PREFLIGHT_CORS "," SECURITY },
};

static cloudfront_thing *made(arena *mem, const managed *m)
{
	cloudfront_thing *t = arena_new(mem, cloudfront_thing);
	*t = (cloudfront_thing){ .Account = S("managed"), .Id = str_c(m->id), .ETag = S("E23ZP02F085DFQ"),
		                 .Name = str_c(m->name), .Modified = INT64_C(1609459200000) };
	str json = arena_fmt(mem, "{\"Name\":\"%s\",\"Comment\":\"%s\",%s}", m->name, m->comment, m->json);
	const shape *s;
	void *config;
	if (m->kind == CF_CACHE) {
		s = &cloudfront_CachePolicyConfig_shape;
		config = t->Cache = arena_new(mem, cloudfront_CachePolicyConfig);
	} else if (m->kind == CF_REQUEST) {
		s = &cloudfront_OriginRequestPolicyConfig_shape;
		config = t->Request = arena_new(mem, cloudfront_OriginRequestPolicyConfig);
	} else {
		s = &cloudfront_ResponseHeadersPolicyConfig_shape;
		config = t->Response = arena_new(mem, cloudfront_ResponseHeadersPolicyConfig);
	}
	ensure(!json_decode_value(mem, s, json, config));
	return t;
}

cloudfront_thing *cf_managed(arena *mem, cf_kind kind, str id)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].kind == kind && str_eq(str_c(table[i].id), id))
			return made(mem, &table[i]);
	return NULL;
}

cloudfront_thing *cf_managed_at(arena *mem, cf_kind kind, size_t i)
{
	for (size_t k = 0; k < sizeof table / sizeof *table; k++)
		if (table[k].kind == kind && i-- == 0)
			return made(mem, &table[k]);
	return NULL;
}
