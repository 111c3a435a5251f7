/* What of a viewer's request makes the cache key, what the origin gets of it, and how long answers are kept.
 */
#include "visit.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/gateway_front.h"

typedef enum choice { TAKE_NONE, TAKE_LISTED, TAKE_OTHERS, TAKE_ALL } choice;

typedef struct chosen {
	choice how;
	const str *v;
	size_t n;
	bool case_matters;
} chosen;

static bool takes(const chosen *c, str name)
{
	bool listed = false;
	if (c->how == TAKE_NONE || c->how == TAKE_ALL)
		return c->how == TAKE_ALL;
	for (size_t i = 0; i < c->n; i++)
		listed |= c->case_matters ? str_glob(c->v[i], name) : str_eq_nocase(c->v[i], name);
	return listed == (c->how == TAKE_LISTED);
}

static choice named(str behavior)
{
	return str_eq(behavior, S("whitelist")) ? TAKE_LISTED : str_eq(behavior, S("allExcept")) ? TAKE_OTHERS :
	       str_eq(behavior, S("all")) ? TAKE_ALL : TAKE_NONE;
}

#define CHOSEN(behavior, list, matters) \
	{ named(behavior), (list) ? (list)->Items.v : NULL, (list) ? (list)->Items.n : 0, (matters) }

static const cloudfront_ParametersInCacheKeyAndForwardedToOrigin *in_key(const visit *v)
{
	return v->cache ? v->cache->ParametersInCacheKeyAndForwardedToOrigin : NULL;
}

static chosen key_headers(const visit *v)
{
	const cloudfront_ParametersInCacheKeyAndForwardedToOrigin *p = in_key(v);
	const cloudfront_ForwardedValues *f = v->b->ForwardedValues;
	if (p)
		return (chosen)CHOSEN(p->HeadersConfig->HeaderBehavior, p->HeadersConfig->Headers, false);
	return f && f->Headers ? (chosen){ TAKE_LISTED, f->Headers->Items.v, f->Headers->Items.n, false } :
				 (chosen){ 0 };
}

static chosen key_cookies(const visit *v)
{
	const cloudfront_ParametersInCacheKeyAndForwardedToOrigin *p = in_key(v);
	const cloudfront_ForwardedValues *f = v->b->ForwardedValues;
	if (p)
		return (chosen)CHOSEN(p->CookiesConfig->CookieBehavior, p->CookiesConfig->Cookies, true);
	return f ? (chosen)CHOSEN(f->Cookies->Forward, f->Cookies->WhitelistedNames, true) : (chosen){ 0 };
}

static chosen key_query(const visit *v)
{
	const cloudfront_ParametersInCacheKeyAndForwardedToOrigin *p = in_key(v);
	const cloudfront_ForwardedValues *f = v->b->ForwardedValues;
	if (p)
		return (chosen)CHOSEN(p->QueryStringsConfig->QueryStringBehavior, p->QueryStringsConfig->QueryStrings,
		                      true);
	if (!f || !f->QueryString.v)
		return (chosen){ 0 };
	const cloudfront_QueryStringCacheKeys *k = f->QueryStringCacheKeys;
	return k && k->Items.n ? (chosen){ TAKE_LISTED, k->Items.v, k->Items.n, true }
						   : (chosen){ .how = TAKE_ALL };
}

static chosen sent_cookies(const visit *v)
{
	return v->request ? (chosen)CHOSEN(v->request->CookiesConfig->CookieBehavior,
	                                   v->request->CookiesConfig->Cookies, true) : (chosen){ 0 };
}

static chosen sent_query(const visit *v)
{
	if (v->b->ForwardedValues)
		return (chosen){ .how = v->b->ForwardedValues->QueryString.v ? TAKE_ALL : TAKE_NONE };
	return v->request ? (chosen)CHOSEN(v->request->QueryStringsConfig->QueryStringBehavior,
	                                   v->request->QueryStringsConfig->QueryStrings, true) : (chosen){ 0 };
}

static chosen sent_headers(const visit *v)
{
	if (!v->request)
		return (chosen){ 0 };
	const cloudfront_OriginRequestPolicyHeadersConfig *h = v->request->HeadersConfig;
	chosen c = CHOSEN(h->HeaderBehavior, h->Headers, false);
	if (str_starts(h->HeaderBehavior, S("allViewer")))
		c.how = TAKE_ALL;
	return c;
}

static str query_of(visit *v, const chosen *a, const chosen *b)
{
	str rest = v->query;
	buf out = buf_in(v->mem, rest.n + 1, rest.n + 1);
	while (str_is(rest)) {
		str pair = str_cut(&rest, '&');
		str name = percent_decode(v->mem, str_sub(pair, 0, str_find_char(pair, '=')), true);
		if (!pair.n || !(takes(a, name) || (b && takes(b, name))))
			continue;
		if (out.n)
			buf_c(&out, '&');
		buf_put(&out, pair);
	}
	return out.n ? buf_str(&out) : STR_NONE;
}

static str cookies_of(visit *v, const chosen *a, const chosen *b)
{
	size_t most = 1;
	for (size_t i = 0; i < v->x->in.n_headers; i++)
		if (str_eq_nocase(v->x->in.headers[i].name, S("cookie")))
			most += v->x->in.headers[i].value.n * 2 + 2;
	buf out = buf_in(v->mem, most, most);
	for (size_t i = 0; i < v->x->in.n_headers; i++) {
		str rest = v->x->in.headers[i].value;
		if (!str_eq_nocase(v->x->in.headers[i].name, S("cookie")))
			continue;
		while (str_is(rest)) {
			str pair = str_trim(str_cut(&rest, ';')), name = str_sub(pair, 0, str_find_char(pair, '='));
			if (!pair.n || !(takes(a, name) || (b && takes(b, name))))
				continue;
			if (out.n)
				buf_put(&out, S("; "));
			buf_put(&out, pair);
		}
	}
	return buf_str(&out);
}

str forward_query(visit *v)
{
	chosen a = key_query(v), b = sent_query(v);
	return query_of(v, &a, &b);
}

bool forward_cookies(const visit *v)
{
	return key_cookies(v).how != TAKE_NONE || sent_cookies(v).how != TAKE_NONE;
}

static bool agent_has(const visit *v, str word)
{
	return str_find(wire_header(&v->x->in, S("user-agent")), word) != SIZE_MAX;
}

/* What CloudFront says of the viewer. One machine is in one country. */
static str of_viewer(const visit *v, str name)
{
	bool tablet = agent_has(v, S("iPad")) || agent_has(v, S("Tablet"));
	bool mobile = !tablet && agent_has(v, S("Mobile"));
	const struct { const char *name; str value; } known[] = {
		{ "CloudFront-Viewer-Country", S("US") }, { "CloudFront-Viewer-Country-Name", S("United States") },
		{ "CloudFront-Forwarded-Proto", v->x->tls ? S("https") : S("http") },
		{ "CloudFront-Viewer-Http-Version", S("1.1") },
		{ "CloudFront-Viewer-Address", arena_fmt(v->mem, "%.*s:0", STR_ARG(v->x->peer)) },
		{ "CloudFront-Is-Mobile-Viewer", mobile ? S("true") : S("false") },
		{ "CloudFront-Is-Tablet-Viewer", tablet ? S("true") : S("false") },
		{ "CloudFront-Is-Desktop-Viewer", mobile || tablet ? S("false") : S("true") },
		{ "CloudFront-Is-SmartTV-Viewer", S("false") },
		{ "CloudFront-Is-Android-Viewer", agent_has(v, S("Android")) ? S("true") : S("false") },
		{ "CloudFront-Is-IOS-Viewer", agent_has(v, S("iPhone")) || tablet ? S("true") : S("false") },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq_nocase(str_c(known[i].name), name))
			return known[i].value;
	return STR_NONE;
}

static str value_of(const visit *v, str name)
{
	if (str_starts(arena_lower(v->mem, name), S("cloudfront-")))
		return of_viewer(v, name);
	return str_eq_nocase(name, S("host")) ? v->x->host : wire_header(&v->x->in, name);
}

str forward_key(visit *v)
{
	chosen h = key_headers(v), c = key_cookies(v), q = key_query(v);
	buf b = buf_in(v->mem, 512, (size_t)256 << 10);
	buf_put(&b, v->path);
	buf_c(&b, '?');
	buf_put(&b, query_of(v, &q, NULL));
	for (size_t i = 0; i < h.n; i++) {
		str value = value_of(v, h.v[i]);
		buf_fmt(&b, "\n%.*s%s", STR_ARG(arena_lower(v->mem, h.v[i])), str_is(value) ? ":" : "");
		buf_put(&b, value);
	}
	buf_put(&b, S("\n;"));
	buf_put(&b, cookies_of(v, &c, NULL));
	if (v->gzip)
		buf_put(&b, S("\ngzip"));
	return buf_str(&b);
}

static bool has_body(const visit *v)
{
	return !str_eq(v->method, S("GET")) && !str_eq(v->method, S("HEAD"));
}

/* Those that CloudFront makes itself, and those that it takes away unless they are asked for. */
static bool is_own(str name)
{
	static const char *const names[] = {
		"host",
		"content-length",
		"expect",
		"via",
		"x-forwarded-for",
		"x-amz-cf-id",
		"cookie",
		"accept-encoding",
		"if-none-match",
		"if-modified-since",
		"if-match",
		"if-unmodified-since",
		"if-range",
		"range",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq_nocase(name, str_c(names[i])))
			return true;
	return front_of_connection(name);
}

static bool by_default(const visit *v, str name)
{
	static const char *const taken[] = { "accept",    "accept-charset",   "accept-language",
		                                 "referer",   "user-agent",       "authorization",
		                                 "x-real-ip", "x-forwarded-proto" };
	if (str_eq_nocase(name, S("authorization")) || str_starts(arena_lower(v->mem, name), S("content-")))
		return has_body(v);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (str_eq_nocase(name, str_c(taken[i])))
			return false;
	return v->b->ForwardedValues != NULL;
}

static bool star(const chosen *c)
{
	return c->how == TAKE_LISTED && c->n == 1 && str_eq(c->v[0], S("*"));
}

static void viewers_own(visit *v, const chosen *key, const chosen *sent, wire_message *to)
{
	for (size_t i = 0; i < v->x->in.n_headers; i++) {
		const http_header *h = &v->x->in.headers[i];
		if (!is_own(h->name) && (star(key) || takes(key, h->name) || takes(sent, h->name) ||
		                         by_default(v, h->name)))
			wire_header_add(to, h->name, h->value);
	}
	/* What CloudFront knows of the viewer goes along when it is named. */
	const chosen *lists[] = { key, sent };
	for (int l = 0; l < 2; l++)
		for (size_t i = 0; lists[l]->how != TAKE_OTHERS && i < lists[l]->n; i++) {
			str value = of_viewer(v, lists[l]->v[i]);
			if (str_is(value))
				header_set(to, lists[l]->v[i], value);
		}
}

void forward_request(visit *v, const cloudfront_Origin *o, wire_message *to)
{
	chosen key = key_headers(v), sent = sent_headers(v), c = key_cookies(v), sc = sent_cookies(v);
	bool host = takes(&key, S("host")) || takes(&sent, S("host")) || star(&key);
	*to = (wire_message){ .mem = v->mem, .method = v->method, .body = has_body(v) ? v->x->in.body : S("") };
	wire_header_add(to, S("Host"), host ? v->x->host : o->DomainName);
	viewers_own(v, &key, &sent, to);
	if (!str_is(wire_header(to, S("user-agent"))))
		wire_header_add(to, S("User-Agent"), S("Amazon CloudFront"));
	str cookies = cookies_of(v, &c, &sc);
	if (cookies.n)
		wire_header_add(to, S("Cookie"), cookies);
	if (v->gzip)
		wire_header_add(to, S("Accept-Encoding"), S("gzip"));
	str before = wire_header(&v->x->in, S("x-forwarded-for"));
	wire_header_add(
		to, S("X-Forwarded-For"),
		arena_fmt(v->mem, "%.*s%s%.*s", STR_ARG(before), before.n ? ", " : "", STR_ARG(v->x->peer)));
	wire_header_add(to, S("X-Amz-Cf-Id"), v->id);
	str via = wire_header(&v->x->in, S("via"));
	wire_header_add(to, S("Via"),
	                arena_fmt(v->mem, "%.*s%s1.1 %.*s.cloudfront.net (CloudFront)", STR_ARG(via),
	                          via.n ? ", " : "", STR_ARG(v->d->Label)));
	for (size_t i = 0; i < o->CustomHeaders->Items.n; i++)
		header_set(to, o->CustomHeaders->Items.v[i].HeaderName, o->CustomHeaders->Items.v[i].HeaderValue);
}

typedef struct said {
	bool no_store, no_cache, is_private;
	int64_t age, shared; /* -1: not said */
} said;

static int64_t seconds(str value)
{
	int64_t n;
	value = str_trim(value);
	if (value.n > 1 && value.p[0] == '"')
		value = str_sub(value, 1, value.n - 1);
	return str_to_i64(value, &n) && n >= 0 ? (n > 3153600000 ? 3153600000 : n) : -1;
}

static said control_of(visit *v, const wire_message *m)
{
	said s = { .age = -1, .shared = -1 };
	for (size_t i = 0; i < m->n_headers; i++) {
		str rest = m->headers[i].value;
		if (!str_eq_nocase(m->headers[i].name, S("cache-control")))
			continue;
		while (str_is(rest)) {
			str value = str_cut(&rest, ','), name = arena_lower(v->mem, str_trim(str_cut(&value, '=')));
			s.no_store |= str_eq(name, S("no-store"));
			s.no_cache |= str_eq(name, S("no-cache")) && !str_is(value);
			s.is_private |= str_eq(name, S("private")) && !str_is(value);
			if (str_eq(name, S("max-age")))
				s.age = seconds(value);
			if (str_eq(name, S("s-maxage")))
				s.shared = seconds(value);
		}
	}
	return s;
}

static int64_t error_ttl(const visit *v, int status)
{
	const cloudfront_CustomErrorResponseList *l = &v->d->Config->CustomErrorResponses->Items;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].ErrorCode.v == status && l->v[i].ErrorCachingMinTTL.set)
			return l->v[i].ErrorCachingMinTTL.v;
	return 10;
}

int64_t ttl_of(visit *v, const wire_message *m)
{
	const cloudfront_ForwardedValues *f = v->b->ForwardedValues;
	chosen h = key_headers(v);
	if (f && star(&h))
		return 0;
	int64_t least = v->cache ? v->cache->MinTTL.v : v->b->MinTTL.v;
	int64_t usual = v->cache ? v->cache->DefaultTTL.v : v->b->DefaultTTL.v;
	int64_t most = v->cache ? v->cache->MaxTTL.v : v->b->MaxTTL.v, ttl = usual, expires;
	said s = control_of(v, m);
	str at = wire_header(m, S("expires"));
	if (s.shared >= 0)
		ttl = s.shared;
	else if (s.age >= 0)
		ttl = s.age;
	else if (str_is(at))
		ttl = time_parse(str_trim(at), &expires) && expires > v->now ? (expires - v->now) / MS_SECOND : 0;
	if (s.no_store || s.no_cache || s.is_private)
		ttl = 0;
	bool said_so = s.shared >= 0 || s.age >= 0 || str_is(at);
	if (m->status >= 400)
		return MS_SECOND * (said_so && ttl > error_ttl(v, m->status) ? ttl : error_ttl(v, m->status));
	if (str_find(wire_header(m, S("vary")), S("*")) != SIZE_MAX && least == 0)
		return 0;
	return MS_SECOND * (ttl < least ? least : ttl > most ? most : ttl);
}
