/* A function's answer to API Gateway's events and to a function URL's. */
#include "base/json.h"
#include "base/text.h"
#include "cloud/http_event.h"

static bool of_connection(str name)
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

static void add(wire_message *out, str name, const json_value *v)
{
	str value = scalar(v);
	if (str_is(value) && header_ok(name, true) && header_ok(value, false) && !of_connection(name))
		wire_header_add(out, name, value);
}

static const json_value *members(const json_value *v, json_kind kind)
{
	return v && v->kind == kind ? v->first : NULL;
}

/* multiValueHeaders win over headers of the same name. A status that was set may be left out. One that begins
 * with 1 is no answer: its receiver would wait for another. */
static bool head_of(const json_value *v, wire_message *out, bool multi)
{
	int64_t status = out->status;
	const json_value *code = json_get(v, S("statusCode"));
	if (!code && !status)
		return false;
	if (code && ((code->kind != JSON_NUMBER && code->kind != JSON_STRING) ||
	    !str_to_i64(code->text, &status) || status < 200 || status > 599))
		return false;
	const json_value *headers = json_get(v, S("headers"));
	const json_value *lists = multi ? json_get(v, S("multiValueHeaders")) : NULL;
	if ((headers && headers->kind != JSON_OBJECT && headers->kind != JSON_NULL) ||
	    (lists && lists->kind != JSON_OBJECT && lists->kind != JSON_NULL))
		return false;
	out->status = (int)status;
	for (const json_value *h = members(headers, JSON_OBJECT); h; h = h->next)
		if (!json_get(lists, h->key))
			add(out, h->key, h);
	for (const json_value *h = members(lists, JSON_OBJECT); h; h = h->next)
		for (const json_value *one = members(h, JSON_ARRAY); one; one = one->next)
			add(out, h->key, one);
	if (!multi)
		for (const json_value *c = members(json_get(v, S("cookies")), JSON_ARRAY); c; c = c->next)
			add(out, S("set-cookie"), c);
	return true;
}

static bool body_of(arena *mem, const json_value *v, wire_message *out, bool decode)
{
	const json_value *body = json_get(v, S("body")), *encoded = json_get(v, S("isBase64Encoded"));
	if (body && body->kind != JSON_STRING && body->kind != JSON_NULL)
		return false;
	out->body = body && body->kind == JSON_STRING ? body->text : S("");
	return !decode || !encoded || encoded->kind != JSON_TRUE || base64_decode(mem, out->body, &out->body);
}

bool http_answer_2(arena *mem, str payload, wire_message *out)
{
	json_value *v = json_parse(mem, payload);
	if (!v)
		return false;
	if (!json_get(v, S("statusCode"))) {
		out->status = 200;
		wire_header_add(out, S("content-type"), S("application/json"));
		out->body = v->kind == JSON_STRING ? v->text : payload;
		return true;
	}
	if (!head_of(v, out, false) || !body_of(mem, v, out, true))
		return false;
	if (!str_is(wire_header(out, S("content-type"))))
		wire_header_add(out, S("content-type"), S("text/plain;charset=UTF-8"));
	return true;
}

bool http_answer_url(arena *mem, str payload, wire_message *out)
{
	json_value *v = json_parse(mem, payload);
	if (!v)
		return false;
	bool whole = json_get(v, S("statusCode")) != NULL;
	if (whole && (!head_of(v, out, false) || !body_of(mem, v, out, true)))
		return false;
	if (!whole) {
		out->status = 200;
		out->body = payload;
	}
	if (!str_is(wire_header(out, S("content-type"))))
		wire_header_add(out, S("content-type"), S("application/json"));
	return true;
}

bool http_answer_streamed(arena *mem, str payload, str content_type, wire_message *out)
{
	out->status = 200;
	out->body = payload;
	if (!str_eq(content_type, HTTP_PRELUDE_TYPE)) {
		wire_header_add(out, S("content-type"),
		                content_type.n ? content_type : S("application/octet-stream"));
		return true;
	}
	size_t end = str_find(payload, str_of("\0\0\0\0\0\0\0\0", 8));
	json_value *v = end == SIZE_MAX ? NULL : json_parse(mem, str_sub(payload, 0, end));
	if (!v)
		return false;
	out->body = str_sub(payload, end + 8, payload.n);
	return head_of(v, out, false);
}

bool http_answer_1(arena *mem, str payload, bool decode, wire_message *out)
{
	json_value *v = json_parse(mem, payload);
	if (!v || v->kind != JSON_OBJECT || !head_of(v, out, true) || !body_of(mem, v, out, decode))
		return false;
	if (!str_is(wire_header(out, S("content-type"))))
		wire_header_add(out, S("content-type"), S("application/json"));
	return true;
}
