/* What a distribution may not be, in AWS's words: origins, names, certificates, errors. */
#include "cdn.h"
#include "cloud/firewall.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/target.h"

static err walk(req *rq, const shape *s, const char *v);

static err walk_struct(req *rq, const shape *s, const char *v)
{
	const opt_i64 *quantity = NULL;
	const size_t *count = NULL;
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const char *at = v + m->offset;
		if (strcmp(m->name, "Quantity") == 0 && m->shape->kind == SHAPE_INTEGER)
			quantity = (const opt_i64 *)(const void *)at;
		if (strcmp(m->name, "Items") == 0 && m->shape->kind == SHAPE_LIST)
			count = &((const cloudfront_AliasList *)(const void *)at)->n;
		const char *inside = at;
		if (m->shape->kind == SHAPE_STRUCT)
			inside = *(const char *const *)(const void *)at;
		if (inside && (m->shape->kind == SHAPE_STRUCT || m->shape->kind == SHAPE_LIST))
			TRY(walk(rq, m->shape, inside));
	}
	if (quantity && count && quantity->v != (int64_t)*count)
		return fail(rq, &cloudfront_InconsistentQuantities,
		            "The value of Quantity and the size of Items do not match.");
	return OK;
}

static err walk(req *rq, const shape *s, const char *v)
{
	if (s->kind == SHAPE_STRUCT)
		return walk_struct(rq, s, v);
	const cloudfront_OriginList *l = (const cloudfront_OriginList *)(const void *)v;
	if (s->element->kind != SHAPE_STRUCT)
		return OK;
	for (size_t i = 0; i < l->n; i++)
		TRY(walk(rq, s->element, (const char *)l->v + i * s->element->size));
	return OK;
}

err cf_quantities(req *rq, const shape *s, const void *value)
{
	return value ? walk(rq, s, value) : OK;
}

str cf_bucket_of(str domain)
{
	if (!str_ends(domain, S(".amazonaws.com")))
		return STR_NONE;
	domain = str_sub(domain, 0, domain.n - 14);
	size_t dot = SIZE_MAX;
	/* The last ".s3", with a region behind a dot or a hyphen or with nothing behind it. */
	for (size_t i = 1; i + 3 <= domain.n; i++)
		if (memcmp(domain.p + i, ".s3", 3) == 0 &&
		    (i + 3 == domain.n || domain.p[i + 3] == '.' || domain.p[i + 3] == '-'))
			dot = i;
	if (dot == SIZE_MAX || str_starts(str_sub(domain, dot, domain.n), S(".s3-website")) ||
	    str_find(domain, S(".s3-website")) != SIZE_MAX)
		return STR_NONE;
	return str_sub(domain, 0, dot);
}

/* Our own addresses have a port: fn.lambda-url.us-east-1.localhost:4566. */
static str without_port(str s)
{
	str port = s, host = str_cut(&port, ':');
	int64_t n;
	bool local = str_ends(host, S(".localhost")) || str_eq(host, S("localhost"));
	return local && str_to_i64(port, &n) && n > 0 && n < 65536 ? host : s;
}

static bool is_address(str s)
{
	bool digits = s.n > 0;
	for (size_t i = 0; i < s.n; i++)
		digits &= (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.';
	return digits || str_find_char(s, ':') != SIZE_MAX;
}

static bool is_domain(str s)
{
	bool ok = s.n > 0 && s.n <= 253 && s.p[0] != '.' && s.p[0] != '-' && s.p[s.n - 1] != '.';
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		ok &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		      c == '-' || c == '_';
	}
	return ok && str_find(s, S("..")) == SIZE_MAX;
}

static err bad(req *rq, const char *text)
{
	return fail(rq, &cloudfront_InvalidArgument, "%s", text);
}

static err check_custom(req *rq, const cloudfront_CustomOriginConfig *c)
{
	bool ports = true;
	const int64_t given[] = { c->HTTPPort.v, c->HTTPSPort.v };
	for (int i = 0; i < 2; i++)
		ports &= given[i] == 80 || given[i] == 443 || (given[i] >= 1024 && given[i] <= 65535);
	if (!ports)
		return bad(rq, "The parameter HTTPPort or HTTPSPort is not valid: 80, 443 and 1024 to 65535 are.");
	if (c->OriginReadTimeout.set && (c->OriginReadTimeout.v < 1 || c->OriginReadTimeout.v > 120))
		return fail(rq, &cloudfront_InvalidOriginReadTimeout,
		            "The parameter Origin Read Timeout is not valid: 1 to 120 seconds are.");
	if (c->OriginKeepaliveTimeout.set
	    && (c->OriginKeepaliveTimeout.v < 1 || c->OriginKeepaliveTimeout.v > 120))
		return fail(rq, &cloudfront_InvalidOriginKeepaliveTimeout,
		            "The parameter Origin Keepalive Timeout is not valid: 1 to 120 seconds are.");
	return OK;
}

static err check_access(req *rq, const txn *tx, const cloudfront_Origin *o)
{
	arena *mem = rq->mem;
	str control = o->OriginAccessControlId, prefix = S("origin-access-identity/cloudfront/");
	str identity = o->S3OriginConfig ? o->S3OriginConfig->OriginAccessIdentity : S("");
	if (control.n && identity.n)
		return fail(rq, &cloudfront_IllegalOriginAccessConfiguration,
		            "Illegal origin access configuration. Cannot use both OriginAccessControl and "
		            "OriginAccessIdentity on the same origin.");
	if (identity.n
	    && (!str_starts(identity, prefix)
	        || !cf_named(mem, tx, rq->who.account, CF_IDENTITY, str_sub(identity, prefix.n, identity.n))))
		return fail(rq, &cloudfront_InvalidOriginAccessIdentity,
		            "The specified origin access identity does not exist or is not valid.");
	cloudfront_thing *t = control.n ? cf_named(mem, tx, rq->who.account, CF_CONTROL, control) : NULL;
	if (control.n && !t)
		return fail(rq, &cloudfront_InvalidOriginAccessControl,
		            "The specified origin access control does not exist or is not valid.");
	if (t && !str_eq(t->Control->OriginAccessControlOriginType, S("s3")))
		return fail(rq, &aws_NotImplemented, "Origin access control for %.*s origins is not implemented.",
		            STR_ARG(t->Control->OriginAccessControlOriginType));
	if (t && o->CustomOriginConfig)
		return fail(rq, &cloudfront_InvalidDomainNameForOriginAccessControl,
		            "The domain name of an origin with an S3 origin access control must be a bucket's.");
	return OK;
}

static err check_headers(req *rq, const cloudfront_CustomHeaders *h)
{
	static const char *const refused[] = {
		"Cache-Control", "Connection", "Content-Length", "Cookie", "Host", "If-Match", "If-Modified-Since",
		"If-None-Match", "If-Range", "If-Unmodified-Since", "Max-Forwards", "Pragma", "Proxy-Authenticate",
		"Proxy-Authorization", "Proxy-Connection", "Range", "Request-Range", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Via", "X-Real-Ip",
	};
	if (!h)
		return OK;
	if (h->Items.n > CF_CUSTOM_HEADERS_MAX)
		return fail(rq, &cloudfront_TooManyOriginCustomHeaders,
		            "Your request contains too many origin custom headers.");
	for (size_t i = 0; i < h->Items.n; i++) {
		str name = h->Items.v[i].HeaderName;
		bool no = !name.n || str_starts(arena_lower(rq->mem, name), S("x-edge-")) ||
		          str_starts(arena_lower(rq->mem, name), S("x-amz-"));
		for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
			no |= str_eq_nocase(name, str_c(refused[k]));
		for (size_t k = 0; k < name.n; k++)
			no |= name.p[k] <= ' ' || name.p[k] == ':' || name.p[k] >= 0x7f;
		for (size_t k = 0; k < h->Items.v[i].HeaderValue.n; k++)
			no |= (unsigned char)h->Items.v[i].HeaderValue.p[k] < ' ';
		if (no)
			return fail(rq, &cloudfront_InvalidArgument,
			            "The parameter HeaderName %.*s is not valid: CloudFront cannot add this header.",
			            STR_ARG(name));
	}
	return OK;
}

static err check_origin(req *rq, const txn *tx, const cloudfront_Origin *o)
{
	if (o->VpcOriginConfig)
		return fail(rq, &aws_NotImplemented, "VPC origins are not implemented.");
	if (!o->Id.n || o->Id.n > 128)
		return bad(rq, "The parameter Origin Id is not valid.");
	str domain = without_port(o->DomainName);
	if (is_address(domain))
		return bad(rq, "The parameter origin name cannot be an IP address.");
	if (!is_domain(domain))
		return bad(rq, "The parameter origin name must be a domain name.");
	bool bucket = str_is(cf_bucket_of(o->DomainName));
	if (o->S3OriginConfig && o->CustomOriginConfig)
		return fail(rq, &cloudfront_InvalidOrigin,
		            "The specified origin server does not exist or is not valid.");
	if (!o->S3OriginConfig && !o->CustomOriginConfig)
		return fail(rq, &cloudfront_InvalidOrigin,
		            "The specified origin server does not exist or is not valid.");
	if (o->S3OriginConfig && !bucket)
		return bad(rq, "The parameter Origin DomainName does not refer to a valid S3 bucket.");
	if (o->OriginPath.n
	    && (o->OriginPath.p[0] != '/' || str_ends(o->OriginPath, S("/")) || o->OriginPath.n > 255))
		return bad(rq, "The parameter OriginPath must start with a / and must not end with one.");
	if (o->CustomOriginConfig)
		TRY(check_custom(rq, o->CustomOriginConfig));
	if (o->ConnectionAttempts.set && (o->ConnectionAttempts.v < 1 || o->ConnectionAttempts.v > 3))
		return bad(rq, "The parameter ConnectionAttempts is not valid: 1 to 3 are.");
	if (o->ConnectionTimeout.set && (o->ConnectionTimeout.v < 1 || o->ConnectionTimeout.v > 10))
		return bad(rq, "The parameter ConnectionTimeout is not valid: 1 to 10 seconds are.");
	TRY(check_headers(rq, o->CustomHeaders));
	return check_access(rq, tx, o);
}

static err check_origins(req *rq, const txn *tx, const cloudfront_DistributionConfig *c)
{
	const cloudfront_OriginList *l = &c->Origins->Items;
	if (!l->n)
		return bad(rq, "The parameter Origins must contain at least one origin.");
	if (l->n > CF_ORIGINS_MAX)
		return fail(rq, &cloudfront_TooManyOrigins,
		            "You cannot create more origins for the distribution.");
	for (size_t i = 0; i < l->n; i++) {
		TRY(check_origin(rq, tx, &l->v[i]));
		for (size_t k = 0; k < i; k++)
			if (str_eq(l->v[i].Id, l->v[k].Id))
				return bad(rq, "The parameter Origins contains duplicate origin ids.");
	}
	if (!c->OriginGroups)
		return OK;
	const cloudfront_OriginGroupList *g = &c->OriginGroups->Items;
	if (g->n > CF_ORIGIN_GROUPS_MAX)
		return fail(rq, &cloudfront_TooManyOriginGroupsPerDistribution,
		            "Processing your request would cause you to exceed the maximum number of origin groups "
		            "allowed.");
	for (size_t i = 0; i < g->n; i++) {
		if (g->v[i].Members->Items.n != 2)
			return bad(rq, "The parameter Origin Group Members must contain exactly two origins.");
		for (size_t m = 0; m < 2; m++) {
			bool there = false;
			for (size_t k = 0; k < l->n; k++)
				there |= str_eq(l->v[k].Id, g->v[i].Members->Items.v[m].OriginId);
			if (!there)
				return fail(rq, &cloudfront_NoSuchOrigin,
				            "One or more of your origins or origin groups do not exist.");
		}
		const cloudfront_StatusCodeList *codes = &g->v[i].FailoverCriteria->StatusCodes->Items;
		for (size_t k = 0; k < codes->n; k++) {
			int64_t code = codes->v[k].v;
			if (code != 403 && code != 404 && code != 416 && code != 429 && code != 500 && code != 502 &&
			    code != 503 && code != 504)
				return bad(rq, "The parameter Failover Status Codes contains invalid status codes.");
		}
	}
	return OK;
}

/* What this server answers to in its own right. */
static bool is_of_aws(str name)
{
	static const char *const ends[] = { "amazonaws.com", "cloudfront.net", "on.aws", "cloudfront.localhost" };
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (str_ends(name, str_c(ends[i])))
			return true;
	return false;
}

static err check_aliases(req *rq, const txn *tx, str id, const cloudfront_DistributionConfig *c)
{
	if (!c->Aliases)
		return OK;
	const cloudfront_AliasList *l = &c->Aliases->Items;
	if (l->n > CF_ALIASES_MAX)
		return fail(rq, &cloudfront_TooManyDistributionCNAMEs,
		            "Your request contains more CNAMEs than are allowed per distribution.");
	for (size_t i = 0; i < l->n; i++) {
		str name = l->v[i], plain = str_starts(name, S("*.")) ? str_sub(name, 2, name.n) : name;
		if (!is_domain(plain) || str_find_char(plain, '.') == SIZE_MAX || is_address(plain) ||
		    is_of_aws(arena_lower(rq->mem, plain)))
			return bad(rq, "The parameter CNAME contains one or more parameters that are not valid.");
		const cloudfront_host *h = cloudfront_host_get(tx, rq->mem, arena_lower(rq->mem, name));
		if (h && !str_eq(h->Id, id))
			return fail(rq, &cloudfront_CNAMEAlreadyExists,
			            "One or more of the CNAMEs you provided are already associated with a different "
			            "resource.");
		for (size_t k = 0; k < i; k++)
			if (str_eq_nocase(l->v[k], name))
				return bad(rq, "The parameter CNAME contains one or more parameters that are not valid.");
	}
	return OK;
}

#define NO_CERTIFICATE \
	"To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted " \
	"certificate " \
	"that validates your authorization to use the domain name. For more details, see: " \
	"https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html" \
	"#alternate-domain-names-requirements"
#define BAD_CERTIFICATE \
	"The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't " \
	"include a " \
	"valid certificate chain."

static err bad_certificate(req *rq)
{
	return fail(rq, &cloudfront_InvalidViewerCertificate, BAD_CERTIFICATE);
}

/* Whether a certificate's name covers a domain: *.x covers one label. */
static bool covers(str name, str domain)
{
	if (str_eq_nocase(name, domain))
		return true;
	if (!str_starts(name, S("*.")))
		return false;
	size_t dot = str_find_char(domain, '.');
	return dot != SIZE_MAX && str_eq_nocase(str_sub(name, 2, name.n), str_sub(domain, dot + 1, domain.n));
}

/* Of AWS Certificate Manager, where it is part of this build: issued, and for every alias. */
static err check_issued(req *rq, const txn *tx, str arn, const cloudfront_DistributionConfig *c)
{
	str answer;
	if (!call_possible("acm", "DescribeCertificate"))
		return OK;
	buf b = buf_in(rq->mem, 256, 4096);
	buf_put(&b, S("{\"CertificateArn\":"));
	json_put_string(&b, arn);
	buf_c(&b, '}');
	if (call_json(rq, (txn *)(uintptr_t)tx, "acm", "DescribeCertificate", buf_str(&b), &answer))
		return bad_certificate(rq);
	const json_value *it = json_get(json_parse(rq->mem, answer), S("Certificate"));
	const json_value *status = json_get(it, S("Status")), *names = json_get(it, S("SubjectAlternativeNames"));
	const json_value *own = json_get(it, S("DomainName"));
	if (!status || !str_eq(status->text, S("ISSUED")))
		return bad_certificate(rq);
	for (size_t i = 0; c->Aliases && i < c->Aliases->Items.n; i++) {
		bool ok = own && covers(own->text, c->Aliases->Items.v[i]);
		for (const json_value *n = names ? names->first : NULL; n; n = n->next)
			ok |= covers(n->text, c->Aliases->Items.v[i]);
		if (!ok)
			return fail(
				rq, &cloudfront_InvalidViewerCertificate,
				"The certificate that is attached to your distribution doesn't cover the alternate domain "
				"name (CNAME) that you're trying to add. For more details, see: "
				"https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html"
				"#alternate-domain-names-requirements");
	}
	return OK;
}

err cf_check_certificate(req *rq, const txn *tx, const cloudfront_DistributionConfig *c)
{
	const cloudfront_ViewerCertificate *v = c->ViewerCertificate;
	bool own = v && (v->ACMCertificateArn.n || v->IAMCertificateId.n);
	arn_parts a;
	if (!own)
		return c->Aliases && c->Aliases->Items.n ?
			fail(rq, &cloudfront_InvalidViewerCertificate, NO_CERTIFICATE) : OK;
	if (!v->SSLSupportMethod.n)
		return fail(rq, &cloudfront_InvalidViewerCertificate,
		            "The parameter SSLSupportMethod is required when a certificate is specified.");
	if (!v->ACMCertificateArn.n)
		return OK;
	if (!arn_split(v->ACMCertificateArn, &a) || !str_eq(a.service, S("acm")) ||
	    !str_eq(a.region, S("us-east-1")) || !str_starts(a.resource, S("certificate/")))
		return bad_certificate(rq);
	return check_issued(rq, tx, v->ACMCertificateArn, c);
}

static err check_errors(req *rq, const cloudfront_CustomErrorResponses *e)
{
	static const int64_t codes[] = { 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504 };
	for (size_t i = 0; e && i < e->Items.n; i++) {
		const cloudfront_CustomErrorResponse *r = &e->Items.v[i];
		bool known = false;
		int64_t response = 0;
		for (size_t k = 0; k < sizeof codes / sizeof *codes; k++)
			known |= codes[k] == r->ErrorCode.v;
		if (!known)
			return fail(rq, &cloudfront_InvalidErrorCode,
			            "An invalid error code was specified.");
		if (r->ErrorCachingMinTTL.v < 0 || r->ErrorCachingMinTTL.v > CF_TTL_MAX)
			return bad(rq, "The parameter ErrorCachingMinTTL is not valid.");
		if ((r->ResponsePagePath.n > 0) != (r->ResponseCode.n > 0))
			return bad(rq, "If you specify a value for ResponsePagePath, you must also specify a value for "
			               "ResponseCode.");
		if (r->ResponsePagePath.n && r->ResponsePagePath.p[0] != '/')
			return fail(
				rq, &cloudfront_InvalidRelativePath,
				"The relative path is too big, is not URL-encoded, or does not begin with a slash (/).");
		if (r->ResponseCode.n
		    && (!str_to_i64(r->ResponseCode, &response) || response < 200 || response > 599))
			return fail(rq, &cloudfront_InvalidResponseCode,
			            "A response code specified in the response body is not valid.");
	}
	return OK;
}

static err check_geo(req *rq, const cloudfront_Restrictions *r)
{
	if (!r)
		return OK;
	const cloudfront_GeoRestriction *g = r->GeoRestriction;
	bool none = str_eq(g->RestrictionType, S("none"));
	if (none != (g->Items.n == 0))
		return fail(rq, &cloudfront_InvalidGeoRestrictionParameter,
		            "The specified geo restriction parameter is not valid.");
	for (size_t i = 0; i < g->Items.n; i++) {
		str c = g->Items.v[i];
		if (c.n != 2 || c.p[0] < 'A' || c.p[0] > 'Z' || c.p[1] < 'A' || c.p[1] > 'Z')
			return fail(rq, &cloudfront_InvalidLocationCode, "The location code specified is not valid.");
	}
	return OK;
}

err cf_check(req *rq, const txn *tx, str id, const cloudfront_DistributionConfig *c)
{
	TRY(cf_quantities(rq, &cloudfront_DistributionConfig_shape, c));
	if (!c->CallerReference.n || c->CallerReference.n > 128)
		return bad(rq, "The parameter CallerReference is too big or empty.");
	if (c->Comment.n > 128)
		return bad(rq, "The parameter Comment is too long.");
	if (str_starts(c->DefaultRootObject, S("/")) || c->DefaultRootObject.n > 255)
		return fail(rq, &cloudfront_InvalidDefaultRootObject,
		            "The default root object file name is too big or contains an invalid character.");
	if (c->Staging.v || c->ContinuousDeploymentPolicyId.n)
		return fail(rq, &aws_NotImplemented,
		            "Continuous deployment (staging distributions) is not implemented.");
	if (c->TenantConfig || str_eq(c->ConnectionMode, S("tenant-only")))
		return fail(rq, &aws_NotImplemented, "Distributions with tenants are not implemented.");
	if (c->AnycastIpListId.n || c->ViewerMtlsConfig || c->ConnectionFunctionAssociation || c->CacheTagConfig)
		return fail(rq, &aws_NotImplemented,
		            "Anycast addresses, viewers' certificates, connection functions and cache tags are not "
		            "implemented.");
	if (c->WebACLId.n && !firewall_usable(tx, rq->mem, rq->who.account, c->WebACLId))
		return fail(rq, &cloudfront_InvalidWebACLId, "Web ACL is not accessible by the requester.");
	if (c->Logging && c->Logging->Enabled.v)
		return fail(rq, &aws_NotImplemented, "Access logs to S3 are not implemented.");
	TRY(check_origins(rq, tx, c));
	TRY(check_aliases(rq, tx, id, c));
	TRY(cf_check_certificate(rq, tx, c));
	TRY(check_errors(rq, c->CustomErrorResponses));
	TRY(check_geo(rq, c->Restrictions));
	return cf_check_behaviors(rq, tx, c);
}
