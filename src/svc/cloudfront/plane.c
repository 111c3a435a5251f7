/*
 * Distributions: LABEL.cloudfront.localhost (or .net, or the id in place of the label), their aliases, and
 * /_cloudfront/ID/.. for clients that do not resolve such names.
 */
#include "visit.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/metrics.h"
#include "signed.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define PATH_FORM "/_cloudfront/"
#define HOPS_MAX 5

static bool of_distributions(str domain)
{
	return str_eq(domain, S("cloudfront.localhost")) || str_eq(domain, S("cloudfront.net"));
}

/* Which distribution it is the host says all the same: one that is no alias is refused. */
static bool named(str name)
{
	str_cut(&name, '.');
	return of_distributions(str_sub(name, 0, str_find_char(name, ':')));
}

/* The name under which a distribution is kept: label, id or alias; STR_NONE for what cannot be one's. */
static str name_of(const http_exchange *x, str *path)
{
	*path = x->in.path;
	if (str_starts(x->in.path, S(PATH_FORM))) {
		str rest = str_sub(x->in.path, sizeof PATH_FORM - 1, x->in.path.n), id = str_cut(&rest, '/');
		*path = str_is(rest) ? str_sub(x->in.path, sizeof PATH_FORM - 1 + id.n, x->in.path.n) : S("/");
		return arena_lower(x->mem, id);
	}
	str host = arena_lower(x->mem, str_sub(x->host, 0, str_find_char(x->host, ':')));
	str rest = host, label = str_cut(&rest, '.');
	if (of_distributions(rest))
		return label;
	if (cf_host_known(host))
		return host;
	/* *.example.com stands for one label. */
	str wild = str_is(rest) ? arena_concat(x->mem, S("*."), rest) : STR_NONE;
	return str_is(wild) && cf_host_known(wild) ? wild : STR_NONE;
}

static bool match(const http_exchange *x)
{
	str path;
	return str_is(name_of(x, &path));
}

static bool find(visit *v)
{
	str name = name_of(v->x, &v->path);
	const txn *tx = store_read(v->s);
	cloudfront_host *h = name.n && name.n < 256 ? cloudfront_host_get(tx, v->mem, name) : NULL;
	v->d = h ? cloudfront_dist_get(tx, v->mem, h->Account, h->Id) : NULL;
	if (v->d && v->d->Config->WebACLId.n)
		v->wall = firewall_of(tx, v->mem, v->d->Config->WebACLId);
	store_read_end(v->s, tx);
	return v->d != NULL;
}

static bool needs_no_escape(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

/* For the patterns alone, which nobody gets around by writing a path in another way: what needs no escape has
 * none, and no part is . or .. (RFC 3986). The origin gets it as it came. */
static str plain_path(arena *mem, str path)
{
	buf b = buf_in(mem, path.n + 1, path.n + 1), out = buf_in(mem, path.n + 1, path.n + 1);
	str byte, rest;
	for (size_t i = 0; i < path.n; i++) {
		bool plain = path.p[i] == '%' && i + 2 < path.n &&
		             hex_decode(mem, str_sub(path, i + 1, i + 3), &byte) && needs_no_escape(byte.p[0]);
		buf_c(&b, plain ? byte.p[0] : path.p[i]);
		i += plain ? 2 : 0;
	}
	for (rest = str_sub(buf_str(&b), 1, b.n); str_is(rest);) {
		str part = str_cut(&rest, '/');
		bool up = str_eq(part, S("..")), stays = up || str_eq(part, S("."));
		while (up && out.n && out.p[--out.n] != '/')
			;
		if (!stays || !str_is(rest))
			buf_c(&out, '/');
		if (!stays)
			buf_put(&out, part);
	}
	return buf_str(&out);
}

static bool pattern_takes(str pattern, str path)
{
	if (!str_starts(pattern, S("/")) && !str_starts(pattern, S("*")))
		path = str_sub(path, 1, path.n);
	return str_glob(pattern, path);
}

static void take_policies(visit *v, const txn *tx)
{
	const cloudfront_CacheBehavior *b = v->b;
	str account = v->d->Account;
	cloudfront_thing *t =
		b->CachePolicyId.n ? cf_named(v->mem, tx, account, CF_CACHE, b->CachePolicyId) : NULL;
	v->cache = t ? t->Cache : NULL;
	t = b->OriginRequestPolicyId.n ? cf_named(v->mem, tx, account, CF_REQUEST, b->OriginRequestPolicyId)
								   : NULL;
	v->request = t ? t->Request : NULL;
	t = b->ResponseHeadersPolicyId.n ? cf_named(v->mem, tx, account, CF_RESPONSE, b->ResponseHeadersPolicyId)
									 : NULL;
	v->response = t ? t->Response : NULL;
}

/* "gzip" or "*", unless it has the weight 0. */
static bool takes_gzip(visit *v)
{
	str rest = wire_header(&v->x->in, S("accept-encoding"));
	while (str_is(rest)) {
		str weight = str_cut(&rest, ','), name = str_trim(str_cut(&weight, ';'));
		double q = 1;
		weight = str_trim(weight);
		if (str_starts(weight, S("q=")))
			str_to_f64(str_sub(weight, 2, weight.n), &q);
		if ((str_eq_nocase(name, S("gzip")) || str_eq(name, S("*"))) && q > 0)
			return true;
	}
	return false;
}

static void take_behavior(visit *v)
{
	str path = plain_path(v->mem, v->path);
	for (size_t i = 0; i < v->n_all; i++) {
		v->b = &v->all[i];
		if (i + 1 == v->n_all || pattern_takes(v->b->PathPattern, path))
			break;
	}
	const txn *tx = store_read(v->s);
	take_policies(v, tx);
	store_read_end(v->s, tx);
	const cloudfront_ParametersInCacheKeyAndForwardedToOrigin *p =
		v->cache ? v->cache->ParametersInCacheKeyAndForwardedToOrigin : NULL;
	bool gives = v->cache ? p && p->EnableAcceptEncodingGzip.v : true;
	v->gzip = v->b->Compress.v && gives && takes_gzip(v);
}

static bool has_method(const str *l, size_t n, str method)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(l[i], method))
			return true;
	return false;
}

static void metric(visit *v, const char *name, const char *unit, double value)
{
	metric_point p = { .account = v->d->Account, .region = S("us-east-1"), .name_space = S("AWS/CloudFront"),
		.name = str_c(name), .unit = str_c(unit), .n_dimensions = 2, .when = v->now, .value = value,
		.dimensions = { { S("DistributionId"), v->d->Id }, { S("Region"), S("Global") } } };
	metric_later(&p);
}

static void account(visit *v, int status, int64_t bytes)
{
	str arn = cf_arn(v->mem, v->d);
	usage_later(v->d->Account, S("us-east-1"), v->now, v->x->tls ? &CLOUDFRONT_HTTPS : &CLOUDFRONT_HTTP, arn,
	            QTY(1));
	usage_later(v->d->Account, S("us-east-1"), v->now, &CLOUDFRONT_OUT, arn, bytes);
	metric(v, "Requests", "None", 1);
	metric(v, "BytesDownloaded", "None", (double)bytes);
	metric(v, "BytesUploaded", "None", (double)v->x->in.body.n);
	metric(v, "4xxErrorRate", "Percent", status >= 400 && status < 500 ? 100 : 0);
	metric(v, "5xxErrorRate", "Percent", status >= 500 ? 100 : 0);
	metric(v, "TotalErrorRate", "Percent", status >= 400 ? 100 : 0);
}

static void send(visit *v, wire_message *m, const http_reply_body *body, const char *x_cache)
{
	int64_t bytes = 0;
	header_set(m, S("X-Cache"), str_c(x_cache));
	respond_policy(v, m);
	header_set(m, S("Via"), arena_fmt(v->mem, "1.1 %.*s.cloudfront.net (CloudFront)",
	                                  v->d ? (int)v->d->Label.n : 9, v->d ? v->d->Label.p : "farthing0"));
	header_set(m, S("X-Amz-Cf-Pop"), S("IAD89-P1"));
	header_set(m, S("X-Amz-Cf-Id"), v->id);
	for (size_t i = 0; i < m->n_headers; i++)
		bytes += (int64_t)(m->headers[i].name.n + m->headers[i].value.n + 4);
	if (!v->x->head_only)
		bytes += body ? body->length : (int64_t)m->body.n;
	if (v->d)
		account(v, m->status, bytes);
	http_reply(v->x, m, body);
}

static void refuse(visit *v, int status, const char *why)
{
	wire_message m = { .mem = v->mem };
	respond_page(v, &m, status, why);
	send(v, &m, NULL, "Error from cloudfront");
}

static void to_https(visit *v)
{
	wire_message m = { .mem = v->mem };
	respond_page(v, &m, 301, "Moved permanently.");
	bool query = str_is(v->x->in.query);
	wire_header_add(&m, S("Location"), arena_fmt(v->mem, "https://%.*s%.*s%s%.*s", STR_ARG(v->x->host),
	                                             STR_ARG(v->x->in.path), query ? "?" : "",
	                                             STR_ARG(v->x->in.query)));
	send(v, &m, NULL, "Redirect from cloudfront");
}

/* One machine is in one country: the United States, where us-east-1 is. */
static bool from_here(const visit *v)
{
	const cloudfront_GeoRestriction *g = v->d->Config->Restrictions->GeoRestriction;
	bool listed = has_method(g->Items.v, g->Items.n, S("US"));
	return str_eq(g->RestrictionType, S("none")) || listed == str_eq(g->RestrictionType, S("whitelist"));
}

static bool permitted(visit *v)
{
	const cloudfront_TrustedKeyGroups *g = v->b->TrustedKeyGroups;
	if (!g || !g->Enabled.v || !g->Items.n)
		return true;
	const txn *tx = store_read(v->s);
	cf_pass pass = cf_signed(v->x, tx, v->d, g, v->path, v->now, &v->query);
	store_read_end(v->s, tx);
	static const char *const says[][2] = {
		[CF_NO_KEY] = { "MissingKey", "Missing Key-Pair-Id query parameter or cookie value" },
		[CF_UNKNOWN_KEY] = { "InvalidKey", "Unknown Key" },
		[CF_DENIED] = { "AccessDenied", "Access denied" },
		[CF_MALFORMED] = { "AccessDenied", "Access denied" },
	};
	if (pass == CF_PASSED)
		return true;
	wire_message m = { .mem = v->mem, .status = 403 };
	m.body = arena_fmt(v->mem, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code><Message>%s"
	                           "</Message></Error>", says[pass][0], says[pass][1]);
	wire_header_add(&m, S("Server"), S("CloudFront"));
	wire_header_add(&m, S("Content-Type"), S("text/xml"));
	send(v, &m, NULL, "Error from cloudfront");
	return false;
}

/* Around in circles: an origin that is a distribution again. */
static bool circles(const visit *v)
{
	str via = wire_header(&v->x->in, S("via"));
	for (int hops = 0; str_is(via); hops++) {
		size_t at = str_find(via, S("(CloudFront)"));
		if (at == SIZE_MAX)
			return false;
		via = str_sub(via, at + 12, via.n);
		if (hops >= HOPS_MAX)
			return true;
	}
	return false;
}

static bool admitted(visit *v)
{
	const cloudfront_AllowedMethods *m = v->b->AllowedMethods;
	if (!from_here(v)) {
		refuse(v, 403, "The Amazon CloudFront distribution is configured to block access from your country.");
		return false;
	}
	if (!v->x->tls && str_eq(v->b->ViewerProtocolPolicy, S("https-only"))) {
		refuse(v, 403, "Bad request. This distribution takes HTTPS only.");
		return false;
	}
	if (!v->x->tls && str_eq(v->b->ViewerProtocolPolicy, S("redirect-to-https"))) {
		to_https(v);
		return false;
	}
	if (!has_method(m->Items.v, m->Items.n, v->method)) {
		refuse(v, 403,
		       "This distribution is not configured to allow the HTTP request method that was used for this "
		       "request. The distribution supports only cachable requests.");
		return false;
	}
	return permitted(v);
}

/* A web ACL blocks it. */
static bool filtered(visit *v)
{
	wall_answer a;
	if (!v->wall || firewall_passes(v->wall, v->x, v->path, cf_arn(v->mem, v->d), &a))
		return false;
	if (a.custom)
		send(v, &a.out, NULL, "Error from cloudfront");
	else
		refuse(v, 403,
		       "Request blocked. We can't connect to the server for this app or website at this time.");
	return true;
}

static bool is_error(int status)
{
	static const int codes[] = { 400, 403, 404, 405, 410, 412, 414, 415, 416, 500, 501, 502, 503, 504 };
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i] == status)
			return true;
	return false;
}

static bool is_kept(int status)
{
	return status == 200 || status == 203 || status == 204 || status == 300 || status == 301 || status == 302
		|| status == 307 || status == 308 || is_error(status);
}

typedef struct fetched {
	answer a;
	const char *from; /* Hit, Miss, RefreshHit */
} fetched;

static void aged(visit *v, const cache_entry *e, wire_message *m)
{
	m->status = e->answer.status;
	m->body = e->answer.body;
	for (size_t i = 0; i < e->answer.n_headers; i++)
		wire_header_add(m, e->answer.headers[i].name, e->answer.headers[i].value);
	int64_t age = v->now > e->stored ? (v->now - e->stored) / MS_SECOND : 0;
	header_set(m, S("Age"), arena_fmt(v->mem, "%lld", (long long)age));
}

static void keep(visit *v, str key, const answer *a, uint64_t generation)
{
	int64_t ttl = a->has_body || !is_kept(a->m.status) ? 0 : ttl_of(v, &a->m);
	if (ttl <= 0)
		return;
	cache_new n = { .dist = v->d->Id, .key = key, .answer = &a->m, .now = v->now, .expires = v->now + ttl,
		        .generation = generation };
	n.path = str_is(v->query) ? arena_fmt(v->mem, "%.*s?%.*s", STR_ARG(v->path), STR_ARG(v->query)) : v->path;
	cache_keep(&n);
}

static void fetch(visit *v, fetched *f)
{
	const cloudfront_CachedMethods *c = v->b->AllowedMethods->CachedMethods;
	bool head = str_eq(v->method, S("HEAD"));
	bool caches = has_method(c->Items.v, c->Items.n, v->method);
	str key = forward_key(v), own = caches && !str_eq(v->method, S("GET")) ?
		arena_fmt(v->mem, "%.*s\n%.*s", STR_ARG(key), STR_ARG(v->method)) : key;
	cache_entry *had = caches ? cache_find(v->mem, v->d->Id, own) : NULL;
	if (!had && caches && head)
		had = cache_find(v->mem, v->d->Id, key);
	*f = (fetched){ .a = { .m = { .mem = v->mem } }, .from = "Hit" };
	if (had && v->now < had->expires) {
		aged(v, had, &f->a.m);
		return;
	}
	f->from = "Miss";
	uint64_t generation = cache_generation();
	origin_ask(v, had, &f->a);
	if (had && f->a.m.status == 304) {
		int64_t ttl = ttl_of(v, str_is(wire_header(&f->a.m, S("cache-control"))) ? &f->a.m : &had->answer);
		cache_renew(had, v->now, v->now + ttl);
		had->stored = v->now;
		f->a = (answer){ .m = { .mem = v->mem } };
		aged(v, had, &f->a.m);
		header_drop(&f->a.m, S("age"));
		f->from = "RefreshHit";
		return;
	}
	/* What was good once is better than an origin that does not answer. */
	if (had && f->a.failed && had->answer.status < 400) {
		f->a = (answer){ .m = { .mem = v->mem } };
		aged(v, had, &f->a.m);
		f->from = "Hit";
		return;
	}
	if (!forward_cookies(v))
		header_drop(&f->a.m, S("set-cookie"));
	respond_pack(v, &f->a.m);
	if (caches)
		keep(v, own, &f->a, generation);
}

static const cloudfront_CustomErrorResponse *page_for(const visit *v, int status)
{
	const cloudfront_CustomErrorResponseList *l = &v->d->Config->CustomErrorResponses->Items;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].ErrorCode.v == status && l->v[i].ResponsePagePath.n)
			return &l->v[i];
	return NULL;
}

static bool own_page(const visit *v, int status, fetched *f)
{
	const cloudfront_CustomErrorResponse *p = page_for(v, status);
	int64_t code;
	if (!p)
		return false;
	visit other = *v;
	other.path = p->ResponsePagePath;
	other.query = STR_NONE;
	other.method = str_eq(v->method, S("HEAD")) ? S("HEAD") : S("GET");
	take_behavior(&other);
	fetched page;
	fetch(&other, &page);
	if (page.a.m.status != 200 || page.a.has_body || !str_to_i64(p->ResponseCode, &code))
		return false;
	*f = page;
	f->a.m.status = (int)code;
	return true;
}

static void answer_with(visit *v, fetched *f)
{
	int status = f->a.m.status;
	bool error = is_error(status), paged = error && own_page(v, status, f);
	if (error || paged) {
		header_drop(&f->a.m, S("age"));
		send(v, &f->a.m, NULL, "Error from cloudfront");
		return;
	}
	if (f->a.has_body) {
		send(v, &f->a.m, &f->a.body, "Miss from cloudfront");
		return;
	}
	respond_part(v, &f->a.m);
	if (v->x->head_only && f->a.m.body.n)
		header_set(&f->a.m, S("Content-Length"), arena_fmt(v->mem, "%zu", f->a.m.body.n));
	send(v, &f->a.m, NULL, arena_fmt(v->mem, "%s from cloudfront", f->from).p);
}

static void serve(http_exchange *x, store *s)
{
	visit v = {
		.x = x, .s = s, .mem = x->mem, .method = x->in.method, .query = x->in.query, .now = clock_now()
	};
	fetched f;
	v.id = arena_concat(x->mem, rand_text(x->mem, 54, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                                                    "0123456789-_")), S("=="));
	v.rq = req_internal(x->mem, s, "cloudfront.amazonaws.com", S("000000000000"), S("us-east-1"));
	if (!find(&v) || !v.d->Config->Enabled.v) {
		v.d = NULL;
		refuse(&v, 403, "Bad request. We can't connect to the server for this app or website at this time.");
		return;
	}
	if (circles(&v)) {
		refuse(&v, 403, "Bad request. The origins lead back to this distribution.");
		return;
	}
	if (filtered(&v))
		return;
	if (str_eq(v.path, S("/")) && v.d->Config->DefaultRootObject.n)
		v.path = arena_concat(x->mem, S("/"), v.d->Config->DefaultRootObject);
	v.n_all = cf_behaviors(x->mem, v.d->Config, &v.all);
	take_behavior(&v);
	if (!admitted(&v))
		return;
	fetch(&v, &f);
	answer_with(&v, &f);
}
PLANE_NAMED(cloudfront, match, serve, NULL, named);
