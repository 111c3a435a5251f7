#include "url_event.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#define EVENT_MAX ((size_t)16 << 20)
#define HEADERS_MAX 128

static void put_pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

/* JSON must be UTF-8; headers and paths need not be. */
static str as_utf8(arena *mem, str s)
{
	if (utf8_valid(s))
		return s;
	buf b = buf_in(mem, s.n * 2, s.n * 2 + 1);
	for (size_t i = 0; i < s.n; i++)
		utf8_put(&b, (unsigned char)s.p[i]);
	return buf_str(&b);
}

static bool skip_header(str name)
{
	return str_eq_nocase(name, S("cookie")) || str_eq_nocase(name, S("connection")) ||
	       str_eq_nocase(name, S("transfer-encoding")) || str_eq_nocase(name, S("x-forwarded-for")) ||
	       str_eq_nocase(name, S("x-forwarded-proto")) || str_eq_nocase(name, S("x-forwarded-port")) ||
	       str_eq_nocase(name, S("x-amzn-trace-id"));
}

/* Lower-case names, each once, values of the same name joined with commas. */
static void put_headers(buf *b, const url_request *r)
{
	const wire_message *m = &r->x->in;
	buf_put(b, S("\"headers\":{"));
	for (size_t i = 0; i < m->n_headers; i++) {
		str name = m->headers[i].name;
		bool again = skip_header(name);
		for (size_t k = 0; k < i && !again; k++)
			again = str_eq_nocase(m->headers[k].name, name);
		if (again)
			continue;
		buf value = buf_in(b->mem, 64, EVENT_MAX);
		for (size_t k = i; k < m->n_headers; k++)
			if (str_eq_nocase(m->headers[k].name, name)) {
				if (k > i)
					buf_c(&value, ',');
				buf_put(&value, m->headers[k].value);
			}
		json_put_string(b, as_utf8(b->mem, arena_lower(b->mem, name)));
		buf_c(b, ':');
		json_put_string(b, as_utf8(b->mem, buf_str(&value)));
		buf_c(b, ',');
	}
	str before = wire_header(m, S("x-forwarded-for"));
	put_pair(b, "x-forwarded-for", str_is(before)
	         ? arena_fmt(b->mem, "%.*s, %.*s", STR_ARG(as_utf8(b->mem, before)),
	                     STR_ARG(r->x->peer)) : r->x->peer);
	str proto = wire_header(m, S("x-forwarded-proto")), port = wire_header(m, S("x-forwarded-port"));
	bool tls = str_is(proto) ? str_eq(proto, S("https")) : r->x->tls;
	buf_c(b, ',');
	put_pair(b, "x-forwarded-proto", tls ? S("https") : S("http"));
	buf_c(b, ',');
	put_pair(b, "x-forwarded-port", str_is(port) ? as_utf8(b->mem, port) : tls ? S("443") : S("80"));
	buf_c(b, ',');
	put_pair(b, "x-amzn-trace-id", r->trace_id);
	buf_c(b, '}');
}

static void put_cookies(buf *b, const wire_message *m)
{
	bool any = false;
	for (size_t i = 0; i < m->n_headers; i++) {
		if (!str_eq_nocase(m->headers[i].name, S("cookie")))
			continue;
		for (str rest = m->headers[i].value; str_is(rest);) {
			str one = str_trim(str_cut(&rest, ';'));
			if (one.n == 0)
				continue;
			buf_put(b, any ? S(",") : S("\"cookies\":["));
			json_put_string(b, as_utf8(b->mem, one));
			any = true;
		}
	}
	if (any)
		buf_put(b, S("],"));
}

typedef struct query_pair { str name, value; } query_pair;

/* Decoded; values of the same name joined with commas. */
static void put_query(buf *b, str query)
{
	query_pair *pairs = arena_array(b->mem, query_pair, HEADERS_MAX);
	size_t n = 0;
	for (str rest = query; str_is(rest);) {
		str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
		if (name.n == 0)
			continue;
		name = as_utf8(b->mem, percent_decode(b->mem, name, true));
		value = as_utf8(b->mem, percent_decode(b->mem, str_is(value) ? value : S(""), true));
		size_t at = 0;
		while (at < n && !str_eq(pairs[at].name, name))
			at++;
		if (at < n)
			pairs[at].value = arena_fmt(b->mem, "%.*s,%.*s", STR_ARG(pairs[at].value), STR_ARG(value));
		else if (n < HEADERS_MAX)
			pairs[n++] = (query_pair){ name, value };
	}
	if (!n)
		return;
	buf_put(b, S("\"queryStringParameters\":{"));
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_c(b, ',');
		json_put_string(b, pairs[i].name);
		buf_c(b, ':');
		json_put_string(b, pairs[i].value);
	}
	buf_put(b, S("},"));
}

static void put_context(buf *b, const url_request *r)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const wire_message *m = &r->x->in;
	civil c = time_civil(r->now);
	str agent = wire_header(m, S("user-agent"));
	buf_put(b, S("\"requestContext\":{"));
	put_pair(b, "accountId", str_is(r->who.account) ? r->who.account : S("anonymous"));
	buf_c(b, ',');
	put_pair(b, "apiId", r->id);
	if (str_is(r->who.account)) {
		buf_put(b, S(",\"authorizer\":{\"iam\":{"));
		put_pair(b, "accessKey", r->who.access_key);
		buf_c(b, ',');
		put_pair(b, "accountId", r->who.account);
		buf_c(b, ',');
		put_pair(b, "callerId", r->who.user_id);
		buf_put(b, S(",\"cognitoIdentity\":null,\"principalOrgId\":null,"));
		put_pair(b, "userArn", r->who.arn);
		buf_c(b, ',');
		put_pair(b, "userId", r->who.user_id);
		buf_put(b, S("}}"));
	}
	buf_c(b, ',');
	put_pair(b, "domainName", r->domain);
	buf_c(b, ',');
	put_pair(b, "domainPrefix", r->id);
	buf_put(b, S(",\"http\":{"));
	put_pair(b, "method", as_utf8(b->mem, m->method));
	buf_c(b, ',');
	put_pair(b, "path", as_utf8(b->mem, r->path));
	buf_put(b, S(",\"protocol\":\"HTTP/1.1\","));
	put_pair(b, "sourceIp", r->x->peer);
	buf_c(b, ',');
	put_pair(b, "userAgent", str_is(agent) ? as_utf8(b->mem, agent) : S(""));
	buf_put(b, S("},"));
	put_pair(b, "requestId", r->request_id);
	buf_fmt(b, ",\"routeKey\":\"$default\",\"stage\":\"$default\",\"time\":\"%02d/%.3s/%04d:%02d:%02d:%02d "
	        "+0000\",\"timeEpoch\":%lld},", c.day, months + 3 * (c.month - 1), c.year, c.hour, c.minute,
	        c.second, (long long)r->now);
}

/* Whether a body of this type is given to the function as text. */
static bool is_text(str type)
{
	str name = str_trim(str_cut(&type, ';'));
	return str_sub(name, 0, 5).n == 5 &&
	       (str_eq_nocase(str_sub(name, 0, 5), S("text/")) || str_eq_nocase(name, S("application/json")) ||
	        str_eq_nocase(name, S("application/xml")) || str_eq_nocase(name, S("application/javascript")) ||
	        str_eq_nocase(name, S("application/x-www-form-urlencoded")) || str_ends(name, S("+json")) ||
	        str_ends(name, S("+xml")));
}

static void put_body(buf *b, const wire_message *m)
{
	str type = wire_header(m, S("content-type"));
	bool text = (!str_is(type) || is_text(type)) && utf8_valid(m->body);
	if (m->body.n) {
		buf_put(b, S("\"body\":"));
		json_put_string(b, text ? m->body : base64_encode(b->mem, m->body));
		buf_c(b, ',');
	}
	buf_fmt(b, "\"isBase64Encoded\":%s}", m->body.n && !text ? "true" : "false");
}

str url_event(arena *mem, const url_request *r)
{
	const wire_message *m = &r->x->in;
	buf b = buf_in(mem, 2048 + m->body.n, EVENT_MAX * 2);
	buf_put(&b, S("{\"version\":\"2.0\",\"routeKey\":\"$default\","));
	put_pair(&b, "rawPath", as_utf8(mem, r->path));
	buf_c(&b, ',');
	put_pair(&b, "rawQueryString", str_is(m->query) ? as_utf8(mem, m->query) : S(""));
	buf_c(&b, ',');
	put_cookies(&b, m);
	put_headers(&b, r);
	buf_c(&b, ',');
	put_query(&b, m->query);
	put_context(&b, r);
	put_body(&b, m);
	return buf_str(&b);
}

/* What the server itself says about the connection. */
static bool our_header(str name)
{
	return str_eq_nocase(name, S("content-length")) || str_eq_nocase(name, S("connection")) ||
	       str_eq_nocase(name, S("transfer-encoding")) || str_eq_nocase(name, S("keep-alive"));
}

static bool header_ok(str s, bool name)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < ' ' || c == 127 || (name && (c <= ' ' || c >= 127 || strchr("()<>@,;:\\\"/[]?={}", c))))
			return false;
	}
	return s.n > 0 || !name;
}

static str scalar(const json_value *v)
{
	return v->kind == JSON_STRING || v->kind == JSON_NUMBER ? v->text
		: v->kind == JSON_TRUE ? S("true") : v->kind == JSON_FALSE ? S("false") : STR_NONE;
}

static void add_headers(wire_message *out, const json_value *headers)
{
	for (const json_value *h = headers &&
	     headers->kind == JSON_OBJECT ? headers->first : NULL; h; h = h->next) {
		str value = scalar(h);
		if (str_is(value) && header_ok(h->key, true) && header_ok(value, false) && !our_header(h->key))
			wire_header_add(out, h->key, value);
	}
}

static void add_cookies(wire_message *out, const json_value *cookies)
{
	for (const json_value *c = cookies && cookies->kind == JSON_ARRAY ? cookies->first : NULL; c; c = c->next)
		if (c->kind == JSON_STRING && header_ok(c->text, false))
			wire_header_add(out, S("set-cookie"), c->text);
}

/* statusCode, headers, cookies of an answer that is an object with a status. */
static bool head_of(const json_value *v, wire_message *out)
{
	int64_t status;
	const json_value *code = json_get(v, S("statusCode"));
	if ((code->kind != JSON_NUMBER && code->kind != JSON_STRING) || !str_to_i64(code->text, &status) ||
	    status < 100 || status > 599)
		return false;
	out->status = (int)status;
	add_headers(out, json_get(v, S("headers")));
	add_cookies(out, json_get(v, S("cookies")));
	return true;
}

bool url_answer(arena *mem, str payload, wire_message *out)
{
	json_value *v = json_parse(mem, payload);
	if (!v)
		return false;
	const json_value *code = json_get(v, S("statusCode"));
	if (!code) {
		out->status = 200;
		wire_header_add(out, S("content-type"), S("application/json"));
		out->body = payload;
		return true;
	}
	const json_value *body = json_get(v, S("body")), *encoded = json_get(v, S("isBase64Encoded"));
	if (!head_of(v, out) || (body && body->kind != JSON_STRING && body->kind != JSON_NULL))
		return false;
	if (!str_is(wire_header(out, S("content-type"))))
		wire_header_add(out, S("content-type"), S("application/json"));
	out->body = body && body->kind == JSON_STRING ? body->text : S("");
	if (encoded && encoded->kind == JSON_TRUE)
		return base64_decode(mem, out->body, &out->body);
	return true;
}

bool url_streamed(arena *mem, str payload, str content_type, wire_message *out)
{
	out->status = 200;
	out->body = payload;
	if (!str_eq(content_type, PRELUDE_TYPE)) {
		wire_header_add(out, S("content-type"),
		                content_type.n ? content_type : S("application/octet-stream"));
		return true;
	}
	size_t end = str_find(payload, str_of("\0\0\0\0\0\0\0\0", 8));
	json_value *v = end == SIZE_MAX ? NULL : json_parse(mem, str_sub(payload, 0, end));
	if (!v)
		return false;
	out->body = str_sub(payload, end + 8, payload.n);
	if (json_get(v, S("statusCode")))
		return head_of(v, out);
	add_headers(out, json_get(v, S("headers")));
	add_cookies(out, json_get(v, S("cookies")));
	return true;
}
