/* To a function: the request as an event, its answer as HTTP. */
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/gateway_front.h"
#include "sys/clock.h"
#include "visit.h"

#define BODY_MOST ((size_t)1 << 20)
#define EVENT_MOST ((size_t)8 << 20)

static void put_key(buf *b, bool *first, str name)
{
	if (!*first)
		buf_c(b, ',');
	*first = false;
	json_put_string(b, name);
	buf_c(b, ':');
}

typedef struct header_list {
	http_header *v;
	size_t n;
} header_list;

/* One value a name, the last one; or all of them. Names appear in the order of their first. */
static void put_pairs(buf *b, const header_list *l, bool several)
{
	bool first = true;
	buf_c(b, '{');
	for (size_t i = 0; i < l->n; i++) {
		bool seen = false;
		str last = l->v[i].value;
		for (size_t k = 0; k < i && !seen; k++)
			seen = str_eq(l->v[k].name, l->v[i].name);
		if (seen)
			continue;
		put_key(b, &first, l->v[i].name);
		if (several)
			buf_c(b, '[');
		size_t n = 0;
		for (size_t k = i; k < l->n; k++) {
			if (!str_eq(l->v[k].name, l->v[i].name))
				continue;
			last = l->v[k].value;
			if (several) {
				if (n++)
					buf_c(b, ',');
				json_put_string(b, last);
			}
		}
		if (several)
			buf_c(b, ']');
		else
			json_put_string(b, last);
	}
	buf_c(b, '}');
}

static str text_of(arena *mem, str s)
{
	if (utf8_valid(s))
		return s.p ? s : S("");
	buf b = buf_in(mem, s.n * 2, s.n * 2 + 1);
	for (size_t i = 0; i < s.n; i++)
		utf8_put(&b, (unsigned char)s.p[i]);
	return buf_str(&b);
}

static bool is_ours(str name)
{
	return front_of_connection(name) || str_starts(name, S("x-forwarded-")) ||
	       str_eq(name, S("x-amzn-trace-id"));
}

static header_list headers_of(visit *v)
{
	const wire_message *in = &v->x->in;
	header_list l = { arena_array(v->mem, http_header, in->n_headers + 4), 0 };
	for (size_t i = 0; i < in->n_headers; i++) {
		str name = arena_lower(v->mem, in->headers[i].name);
		if (!is_ours(name) || str_eq(name, S("host")))
			l.v[l.n++] = (http_header){ name, text_of(v->mem, in->headers[i].value) };
	}
	str from = wire_header(in, S("x-forwarded-for"));
	l.v[l.n++] =
		(http_header){ S("x-amzn-trace-id"), front_trace(v->mem, wire_header(in, S("x-amzn-trace-id"))) };
	l.v[l.n++] = (http_header){ S("x-forwarded-for"),
		str_is(from) ? arena_fmt(v->mem, "%.*s, %.*s", STR_ARG(text_of(v->mem, from)), STR_ARG(v->x->peer))
		             : v->x->peer };
	l.v[l.n++] =
		(http_header){ S("x-forwarded-port"), arena_fmt(v->mem, "%lld", (long long)v->l->It->Port.v) };
	l.v[l.n++] = (http_header){ S("x-forwarded-proto"),
		str_eq(v->l->It->Protocol, S("HTTPS")) ? S("https") : S("http") };
	return l;
}

/* As they came: load balancers do not decode. */
static header_list query_of(visit *v)
{
	str query = v->x->in.query;
	header_list l = { arena_array(v->mem, http_header, query.n + 1), 0 };
	while (str_is(query) && query.n) {
		str value = str_cut(&query, '&'), name = str_cut(&value, '=');
		l.v[l.n++] = (http_header){ text_of(v->mem, name), text_of(v->mem, str_is(value) ? value : S("")) };
	}
	return l;
}

static bool is_text(const wire_message *m)
{
	str type = wire_header(m, S("content-type")), name = str_trim(str_cut(&type, ';'));
	if (str_is(wire_header(m, S("content-encoding"))) || !utf8_valid(m->body))
		return false;
	return !m->body.n || str_starts(name, S("text/")) || str_eq_nocase(name, S("application/json")) ||
	       str_eq_nocase(name, S("application/javascript")) || str_eq_nocase(name, S("application/xml"));
}

static str event_of(visit *v)
{
	const wire_message *in = &v->x->in;
	bool several = str_eq(elb_group_attribute(v->g, "lambda.multi_value_headers.enabled"), S("true"));
	header_list headers = headers_of(v), query = query_of(v);
	buf b = buf_in(v->mem, 4096 + in->body.n, EVENT_MOST);
	buf_put(&b, S("{\"requestContext\":{\"elb\":{\"targetGroupArn\":"));
	json_put_string(&b, v->g->It->TargetGroupArn);
	buf_put(&b, S("}},\"httpMethod\":"));
	json_put_string(&b, in->method);
	buf_put(&b, S(",\"path\":"));
	json_put_string(&b, text_of(v->mem, in->path));
	buf_put(&b, several ? S(",\"multiValueQueryStringParameters\":") : S(",\"queryStringParameters\":"));
	put_pairs(&b, &query, several);
	buf_put(&b, several ? S(",\"multiValueHeaders\":") : S(",\"headers\":"));
	put_pairs(&b, &headers, several);
	bool text = is_text(in);
	buf_put(&b, S(",\"body\":"));
	json_put_string(&b, text ? (in->body.p ? in->body : S("")) : base64_encode(v->mem, in->body));
	buf_put(&b, text ? S(",\"isBase64Encoded\":false}") : S(",\"isBase64Encoded\":true}"));
	return buf_str(&b);
}

void elb_invoke(visit *v)
{
	str payload;
	if (v->x->in.body.n > BODY_MOST) {
		elb_refuse(v, 413);
		return;
	}
	req *rq = req_internal(v->mem, v->s, "elasticloadbalancing.amazonaws.com", v->b->Account, v->b->Region);
	int64_t before = clock_mono_us();
	front_outcome done = front_invoke(rq, v->t->Id, v->g->It->TargetGroupArn, event_of(v), &payload);
	v->target_us = clock_mono_us() - before;
	usage_settle_later(rq);
	v->out.mem = v->mem;
	bool shaped = done == FRONT_OK && payload.n <= BODY_MOST && http_answer_1(v->mem, payload, true, &v->out);
	if (!shaped || v->out.status < 200) {
		elb_refuse(v, 502);
		return;
	}
	v->target_status = v->out.status;
	elb_stick(v, &v->out);
	elb_answer(v);
}
