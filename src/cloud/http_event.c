#include "cloud/http_event.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#define EVENT_MAX ((size_t)32 << 20)
#define PAIRS_MAX 256

void event_put_pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

/* JSON must be UTF-8; headers and paths need not be. */
static str as_utf8(arena *mem, str s)
{
	if (utf8_valid(s))
		return s.p ? s : S("");
	buf b = buf_in(mem, s.n * 2, s.n * 2 + 1);
	for (size_t i = 0; i < s.n; i++)
		utf8_put(&b, (unsigned char)s.p[i]);
	return buf_str(&b);
}

str event_time(arena *mem, int64_t now)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	civil c = time_civil(now);
	return arena_fmt(mem, "%02d/%.3s/%04d:%02d:%02d:%02d +0000", c.day, months + 3 * (c.month - 1), c.year,
	                 c.hour, c.minute, c.second);
}

/* What the gateway says itself, and what belongs to the connection. */
static bool is_ours(str name, bool cookies)
{
	static const char *const names[] = { "connection", "transfer-encoding", "x-forwarded-for",
		"x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq_nocase(name, str_c(names[i])))
			return true;
	return cookies && str_eq_nocase(name, S("cookie"));
}

typedef struct header_list {
	http_header *v;
	size_t n;
} header_list;

static void add(header_list *l, str name, str value)
{
	l->v[l->n++] = (http_header){ name, value };
}

/* The client's headers and the gateway's own. */
static header_list headers_of(arena *mem, const http_exchange *x, bool keep_case, bool no_cookies, str trace)
{
	const wire_message *m = &x->in;
	header_list l = { arena_array(mem, http_header, m->n_headers + 4), 0 };
	for (size_t i = 0; i < m->n_headers; i++)
		if (!is_ours(m->headers[i].name, no_cookies)) {
			str name = as_utf8(mem, m->headers[i].name);
			add(&l, keep_case ? name : arena_lower(mem, name), as_utf8(mem, m->headers[i].value));
		}
	str before = wire_header(m, S("x-forwarded-for")), proto = wire_header(m, S("x-forwarded-proto"));
	str port = wire_header(m, S("x-forwarded-port"));
	if (!str_is(proto))
		proto = x->tls ? S("https") : S("http");
	if (!str_is(port))
		port = str_eq(proto, S("https")) ? S("443") : S("80");
	add(&l, keep_case ? S("X-Forwarded-For") : S("x-forwarded-for"),
	    str_is(before) ? arena_fmt(mem, "%.*s, %.*s", STR_ARG(as_utf8(mem, before)),
	                               STR_ARG(x->peer)) : x->peer);
	add(&l, keep_case ? S("X-Forwarded-Proto") : S("x-forwarded-proto"), as_utf8(mem, proto));
	add(&l, keep_case ? S("X-Forwarded-Port") : S("x-forwarded-port"), as_utf8(mem, port));
	add(&l, keep_case ? S("X-Amzn-Trace-Id") : S("x-amzn-trace-id"), trace);
	return l;
}

typedef enum several { JOINED, LAST, LISTED } several;

/* Pairs whose names repeat, as one object. */
static void put_pairs(buf *b, const http_header *v, size_t n, several how, bool nocase)
{
	bool first = true;
	buf_c(b, '{');
	for (size_t i = 0; i < n; i++) {
		bool again = false;
		for (size_t k = 0; k < i && !again; k++)
			again = nocase ? str_eq_nocase(v[k].name, v[i].name) : str_eq(v[k].name, v[i].name);
		if (again)
			continue;
		buf value = buf_in(b->mem, 64, EVENT_MAX);
		for (size_t k = i; k < n; k++) {
			if (nocase ? !str_eq_nocase(v[k].name, v[i].name) : !str_eq(v[k].name, v[i].name))
				continue;
			if (how == LAST)
				value.n = 0;
			if (k > i && how != LAST)
				buf_c(&value, ',');
			if (how == LISTED)
				json_put_string(&value, v[k].value);
			else
				buf_put(&value, v[k].value);
		}
		if (!first)
			buf_c(b, ',');
		first = false;
		json_put_string(b, v[i].name);
		buf_c(b, ':');
		if (how == LISTED)
			buf_fmt(b, "[%.*s]", STR_ARG(buf_str(&value)));
		else
			json_put_string(b, buf_str(&value));
	}
	buf_c(b, '}');
}

void event_put_headers_1(buf *b, const http_exchange *x, bool keep_case, str trace_id)
{
	header_list l = headers_of(b->mem, x, keep_case, false, trace_id);
	buf_put(b, S("\"headers\":"));
	put_pairs(b, l.v, l.n, LAST, true);
	buf_put(b, S(",\"multiValueHeaders\":"));
	put_pairs(b, l.v, l.n, LISTED, true);
	buf_c(b, ',');
}

static header_list query_of(arena *mem, str query)
{
	header_list l = { arena_array(mem, http_header, PAIRS_MAX), 0 };
	for (str rest = query; str_is(rest) && l.n < PAIRS_MAX;) {
		str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
		if (name.n)
			add(&l, as_utf8(mem, percent_decode(mem, name, true)),
			    as_utf8(mem, percent_decode(mem, str_is(value) ? value : S(""), true)));
	}
	return l;
}

void event_put_query_1(buf *b, str query)
{
	header_list l = query_of(b->mem, query);
	buf_put(b, S("\"queryStringParameters\":"));
	if (l.n)
		put_pairs(b, l.v, l.n, LAST, false);
	else
		buf_put(b, S("null"));
	buf_put(b, S(",\"multiValueQueryStringParameters\":"));
	if (l.n)
		put_pairs(b, l.v, l.n, LISTED, false);
	else
		buf_put(b, S("null"));
	buf_c(b, ',');
}

void event_put_map(buf *b, const event_pairs *pairs)
{
	buf_c(b, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		if (i)
			buf_c(b, ',');
		json_put_string(b, as_utf8(b->mem, pairs->v[i].name));
		buf_c(b, ':');
		json_put_string(b, as_utf8(b->mem, pairs->v[i].value));
	}
	buf_c(b, '}');
}

static void put_cookies(buf *b, const wire_message *m)
{
	bool any = false;
	for (size_t i = 0; i < m->n_headers; i++)
		for (str rest = str_eq_nocase(m->headers[i].name, S("cookie")) ? m->headers[i].value : STR_NONE;
		     str_is(rest);) {
			str one = str_trim(str_cut(&rest, ';'));
			if (one.n == 0)
				continue;
			buf_put(b, any ? S(",") : S("\"cookies\":["));
			json_put_string(b, as_utf8(b->mem, one));
			any = true;
		}
	if (any)
		buf_put(b, S("],"));
}

static bool text_type(str type)
{
	str name = str_trim(str_cut(&type, ';'));
	return str_eq_nocase(str_sub(name, 0, 5), S("text/")) || str_eq_nocase(name, S("application/json")) ||
	       str_eq_nocase(name, S("application/xml")) || str_eq_nocase(name, S("application/javascript")) ||
	       str_eq_nocase(name, S("application/x-www-form-urlencoded")) || str_ends(name, S("+json")) ||
	       str_ends(name, S("+xml"));
}

static bool body_is_text(const http_event *e)
{
	const wire_message *m = &e->x->in;
	str type = wire_header(m, S("content-type"));
	if (e->rest)
		return !e->binary && utf8_valid(m->body);
	return (!str_is(type) || text_type(type)) && utf8_valid(m->body);
}

/* `none`: what stands for no body. */
static void put_body(buf *b, const http_event *e, bool null_when_none)
{
	const wire_message *m = &e->x->in;
	bool text = body_is_text(e);
	if (m->body.n) {
		buf_put(b, S("\"body\":"));
		json_put_string(b, text ? m->body : base64_encode(b->mem, m->body));
		buf_c(b, ',');
	} else if (null_when_none) {
		buf_put(b, S("\"body\":null,"));
	}
	buf_fmt(b, "\"isBase64Encoded\":%s}", m->body.n && !text ? "true" : "false");
}

static str prefix_of(str domain)
{
	return str_cut(&domain, '.');
}

static void put_context_2(buf *b, const http_event *e)
{
	const wire_message *m = &e->x->in;
	buf_put(b, S("\"requestContext\":{"));
	event_put_pair(b, "accountId", e->account);
	buf_c(b, ',');
	event_put_pair(b, "apiId", e->api);
	if (str_is(e->authorizer))
		buf_fmt(b, ",\"authorizer\":%.*s", STR_ARG(e->authorizer));
	buf_c(b, ',');
	event_put_pair(b, "domainName", e->domain);
	buf_c(b, ',');
	event_put_pair(b, "domainPrefix", str_is(e->prefix) ? e->prefix : prefix_of(e->domain));
	buf_put(b, S(",\"http\":{"));
	event_put_pair(b, "method", as_utf8(b->mem, m->method));
	buf_c(b, ',');
	event_put_pair(b, "path", as_utf8(b->mem, e->path));
	buf_put(b, S(",\"protocol\":\"HTTP/1.1\","));
	event_put_pair(b, "sourceIp", e->x->peer);
	buf_c(b, ',');
	event_put_pair(b, "userAgent", as_utf8(b->mem, wire_header(m, S("user-agent"))));
	buf_put(b, S("},"));
	event_put_pair(b, "requestId", e->request_id);
	buf_c(b, ',');
	event_put_pair(b, "routeKey", e->route_key);
	buf_c(b, ',');
	event_put_pair(b, "stage", e->stage);
	buf_c(b, ',');
	event_put_pair(b, "time", event_time(b->mem, e->now));
	buf_fmt(b, ",\"timeEpoch\":%lld},", (long long)e->now);
}

str http_event_2(arena *mem, const http_event *e)
{
	const wire_message *m = &e->x->in;
	buf b = buf_in(mem, 4096 + m->body.n, EVENT_MAX);
	buf_put(&b, S("{\"version\":\"2.0\","));
	event_put_pair(&b, "routeKey", e->route_key);
	buf_c(&b, ',');
	event_put_pair(&b, "rawPath", as_utf8(mem, e->path));
	buf_c(&b, ',');
	event_put_pair(&b, "rawQueryString", as_utf8(mem, m->query));
	buf_c(&b, ',');
	put_cookies(&b, m);
	header_list l = headers_of(mem, e->x, false, true, e->trace_id);
	buf_put(&b, S("\"headers\":"));
	put_pairs(&b, l.v, l.n, JOINED, true);
	buf_c(&b, ',');
	l = query_of(mem, m->query);
	if (l.n) {
		buf_put(&b, S("\"queryStringParameters\":"));
		put_pairs(&b, l.v, l.n, JOINED, false);
		buf_c(&b, ',');
	}
	put_context_2(&b, e);
	if (e->path_parameters.n) {
		buf_put(&b, S("\"pathParameters\":"));
		event_put_map(&b, &e->path_parameters);
		buf_c(&b, ',');
	}
	if (e->stage_variables.n) {
		buf_put(&b, S("\"stageVariables\":"));
		event_put_map(&b, &e->stage_variables);
		buf_c(&b, ',');
	}
	put_body(&b, e, false);
	return buf_str(&b);
}

void event_put_or_null(buf *b, str name, str value)
{
	json_put_string(b, name);
	buf_c(b, ':');
	if (str_is(value))
		json_put_string(b, value);
	else
		buf_put(b, S("null"));
}

static void put_identity(buf *b, const http_event *e)
{
	const event_pair pairs[] = {
		{ S("cognitoIdentityPoolId"), STR_NONE }, { S("accountId"), e->signer.account },
		{ S("cognitoIdentityId"), STR_NONE }, { S("caller"), e->signer.id },
		{ S("accessKey"), e->signer.key }, { S("cognitoAuthenticationType"), STR_NONE },
		{ S("cognitoAuthenticationProvider"), STR_NONE }, { S("userArn"), e->signer.arn },
		{ S("user"), e->signer.id }, { S("principalOrgId"), STR_NONE },
	};
	buf_put(b, S("\"identity\":{"));
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		event_put_or_null(b, pairs[i].name, pairs[i].value);
		buf_c(b, ',');
	}
	event_put_pair(b, "sourceIp", e->x->peer);
	buf_c(b, ',');
	event_put_pair(b, "userAgent", as_utf8(b->mem, wire_header(&e->x->in, S("user-agent"))));
	if (str_is(e->api_key)) {
		buf_c(b, ',');
		event_put_pair(b, "apiKey", e->api_key);
		buf_c(b, ',');
		event_put_pair(b, "apiKeyId", e->api_key_id);
	}
	buf_put(b, S("},"));
}

static void put_context_1(buf *b, const http_event *e)
{
	const event_pair pairs[] = {
		{ S("resourceId"), e->rest ? e->resource_id : e->route_key }, { S("resourcePath"), e->resource },
		{ S("httpMethod"), e->x->in.method }, { S("extendedRequestId"), e->extended_id },
		{ S("requestTime"), event_time(b->mem, e->now) }, { S("path"), e->full_path },
		{ S("accountId"), e->account }, { S("protocol"), S("HTTP/1.1") }, { S("stage"), e->stage },
		{ S("domainPrefix"), prefix_of(e->domain) }, { S("requestId"), e->request_id },
		{ S("domainName"), e->domain }, { S("apiId"), e->api },
	};
	buf_put(b, S("\"requestContext\":{"));
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		json_put_string(b, pairs[i].name);
		buf_c(b, ':');
		json_put_string(b, as_utf8(b->mem, pairs[i].value));
		buf_c(b, ',');
	}
	put_identity(b, e);
	if (str_is(e->deployment)) {
		event_put_pair(b, "deploymentId", e->deployment);
		buf_c(b, ',');
	}
	if (str_is(e->authorizer))
		buf_fmt(b, "\"authorizer\":%.*s,", STR_ARG(e->authorizer));
	buf_fmt(b, "\"requestTimeEpoch\":%lld},", (long long)e->now);
}

static void put_map_or_null(buf *b, const char *name, const event_pairs *pairs)
{
	buf_fmt(b, "\"%s\":", name);
	if (pairs->n)
		event_put_map(b, pairs);
	else
		buf_put(b, S("null"));
	buf_c(b, ',');
}

str http_event_1(arena *mem, const http_event *e)
{
	const wire_message *m = &e->x->in;
	buf b = buf_in(mem, 4096 + m->body.n, EVENT_MAX);
	buf_put(&b, e->rest ? S("{") : S("{\"version\":\"1.0\","));
	event_put_pair(&b, "resource", e->resource);
	buf_c(&b, ',');
	event_put_pair(&b, "path", as_utf8(mem, e->path));
	buf_c(&b, ',');
	event_put_pair(&b, "httpMethod", as_utf8(mem, m->method));
	buf_c(&b, ',');
	event_put_headers_1(&b, e->x, e->rest, e->trace_id);
	event_put_query_1(&b, m->query);
	put_map_or_null(&b, "pathParameters", &e->path_parameters);
	put_map_or_null(&b, "stageVariables", &e->stage_variables);
	put_context_1(&b, e);
	put_body(&b, e, true);
	return buf_str(&b);
}
