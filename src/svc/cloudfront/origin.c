/* Asking origins: buckets, our own hosts (function URLs, APIs, websites) and anything that speaks HTTP. */
#include "visit.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/gateway_front.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "wire/http_client.h"

/* Hosts that this very server answers to, whatever their names resolve to. */
static bool is_ours(str host)
{
	str name = str_sub(host, 0, str_find_char(host, ':'));
	return str_ends(name, S(".amazonaws.com")) || str_ends(name, S(".on.aws")) ||
	       str_ends(name, S(".cloudfront.net")) ||
	       (str_ends(name, S(".localhost")) && str_find(name, S(".lambda-url.")) != SIZE_MAX) ||
	       (str_ends(name, S(".localhost")) && str_find(name, S(".execute-api.")) != SIZE_MAX) ||
	       (str_ends(name, S(".localhost")) && str_find(name, S(".s3")) != SIZE_MAX);
}

static str url_of(visit *v, const cloudfront_Origin *o)
{
	const cloudfront_CustomOriginConfig *c = o->CustomOriginConfig;
	str query = forward_query(v);
	str target = arena_fmt(v->mem, "%.*s%.*s%s%.*s", STR_ARG(o->OriginPath), STR_ARG(v->path),
	                       str_is(query) ? "?" : "", STR_ARG(query));
	if (!c || is_ours(o->DomainName))
		return arena_concat(v->mem, server_endpoint(), target);
	bool tls = str_eq(c->OriginProtocolPolicy, S("https-only")) ||
	           (str_eq(c->OriginProtocolPolicy, S("match-viewer")) && v->x->tls);
	if (str_find_char(o->DomainName, ':') != SIZE_MAX)
		return arena_fmt(v->mem, "%s://%.*s%.*s", tls ? "https" : "http", STR_ARG(o->DomainName),
		                 STR_ARG(target));
	return arena_fmt(v->mem, "%s://%.*s:%lld%.*s", tls ? "https" : "http", STR_ARG(o->DomainName),
	                 (long long)(tls ? c->HTTPSPort.v : c->HTTPPort.v), STR_ARG(target));
}

static void failed(visit *v, answer *a, bool late)
{
	*a = (answer){ .m = { .mem = v->mem }, .failed = true };
	respond_page(v, &a->m, late ? 504 : 502,
	             late ? "CloudFront attempted to establish a connection with the origin, but either the "
	                    "attempt failed or "
	                    "the origin closed the connection."
	                  : "CloudFront wasn't able to connect to the origin.");
}

/* What is of the connection to the origin stays there. */
static void take(visit *v, const wire_message *from, bool head, answer *a)
{
	a->m.status = from->status;
	a->m.body = from->body;
	for (size_t i = 0; i < from->n_headers; i++) {
		str name = from->headers[i].name;
		bool length = str_eq_nocase(name, S("content-length"));
		if ((length && !head) || front_of_connection(name))
			continue;
		wire_header_add(&a->m, name, from->headers[i].value);
	}
}

static void conditions(const cache_entry *had, wire_message *ask)
{
	str etag = had ? wire_header(&had->answer, S("etag")) : STR_NONE;
	str modified = had ? wire_header(&had->answer, S("last-modified")) : STR_NONE;
	/* Weak because it was packed here. */
	if (str_starts(etag, S("W/")))
		etag = str_sub(etag, 2, etag.n);
	if (etag.n)
		wire_header_add(ask, S("If-None-Match"), etag);
	if (modified.n)
		wire_header_add(ask, S("If-Modified-Since"), modified);
}

static void over_http(visit *v, const cloudfront_Origin *o, const cache_entry *had, answer *a)
{
	wire_message ask, got;
	const cloudfront_CustomOriginConfig *c = o->CustomOriginConfig;
	http_client_options how = { .total_ms = (int)((c ? c->OriginReadTimeout.v : 30) * 1000),
		.connect_ms = (int)(o->ConnectionTimeout.v * 1000), .body_max = ORIGIN_ANSWER_BYTES };
	str url = url_of(v, o);
	err e = OK;
	int64_t began = 0;
	forward_request(v, o, &ask);
	conditions(had, &ask);
	if (ask.body.n)
		usage_later(v->d->Account, S("us-east-1"), v->now, &CLOUDFRONT_ORIGIN, cf_arn(v->mem, v->d),
		            (qty)ask.body.n);
	/* A connection is tried again; a request that may have reached the origin is not. */
	for (int64_t i = 0; i < o->ConnectionAttempts.v; i++) {
		began = clock_mono_us();
		got = (wire_message){ .mem = v->mem };
		e = http_call(v->mem, url, &ask, &how, &got);
		if (!e || !str_starts(e->message, S("no connection")))
			break;
	}
	if (e) {
		failed(v, a, clock_mono_us() - began >= (int64_t)(how.connect_ms < how.total_ms ? how.connect_ms :
		                                                   how.total_ms) * 1000);
		return;
	}
	take(v, &got, str_eq(v->method, S("HEAD")), a);
}

static void ask(visit *v, const cloudfront_Origin *o, const cache_entry *had, answer *a)
{
	str bucket = o->CustomOriginConfig ? STR_NONE : cf_bucket_of(o->DomainName);
	*a = (answer){ .m = { .mem = v->mem } };
	if (!str_is(bucket) || !bucket_ask(v, o, bucket, v->method, had, a))
		over_http(v, o, had, a);
}

static const cloudfront_Origin *origin_named(const visit *v, str id)
{
	const cloudfront_OriginList *l = &v->d->Config->Origins->Items;
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].Id, id))
			return &l->v[i];
	return NULL;
}

static const cloudfront_OriginGroup *group_named(const visit *v, str id)
{
	const cloudfront_OriginGroupList *l = &v->d->Config->OriginGroups->Items;
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].Id, id))
			return &l->v[i];
	return NULL;
}

static bool fails_over(const visit *v, const cloudfront_OriginGroup *g, int status)
{
	const cloudfront_StatusCodeList *codes = &g->FailoverCriteria->StatusCodes->Items;
	bool reads =
		str_eq(v->method, S("GET")) || str_eq(v->method, S("HEAD")) || str_eq(v->method, S("OPTIONS"));
	for (size_t i = 0; reads && i < codes->n; i++)
		if (codes->v[i].v == status)
			return true;
	return false;
}

void origin_ask(visit *v, const cache_entry *had, answer *a)
{
	const cloudfront_Origin *o = origin_named(v, v->b->TargetOriginId);
	const cloudfront_OriginGroup *g = o ? NULL : group_named(v, v->b->TargetOriginId);
	if (g)
		o = origin_named(v, g->Members->Items.v[0].OriginId);
	ask(v, o, had, a);
	if (g && (fails_over(v, g, a->m.status) || (a->failed && fails_over(v, g, 502))))
		ask(v, origin_named(v, g->Members->Items.v[1].OriginId), NULL, a);
}
