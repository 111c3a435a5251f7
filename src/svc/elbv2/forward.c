/* To a target over HTTP. What it answers goes on piece by piece: memory does not grow with it. */
#include "cloud/gateway_front.h"
#include "sys/clock.h"
#include "visit.h"
#include "wire/http_client.h"
#include "wire/http_proxy.h"
#include "wire/websocket.h"
#include <arpa/inet.h>

#define HELD ((int64_t)256 << 10) /* answers up to this size leave in one go, with their length */
#define CONNECT_MS 10000

static bool is_forwarding(str name)
{
	return str_eq_nocase(name, S("x-forwarded-for")) || str_eq_nocase(name, S("x-forwarded-proto")) ||
	       str_eq_nocase(name, S("x-forwarded-port")) || str_eq_nocase(name, S("x-amzn-trace-id"));
}

/* Letters, digits and hyphens. */
static bool is_plain(str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (c != '-' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return true;
}

static void came_from(visit *v, wire_message *m)
{
	str way = elb_balancer_attribute(v->b, "routing.http.xff_header_processing.mode");
	buf b = buf_in(v->mem, 256, 65536);
	for (size_t i = 0; !str_eq(way, S("remove")) && i < v->x->in.n_headers; i++)
		if (str_eq_nocase(v->x->in.headers[i].name, S("x-forwarded-for"))) {
			if (b.n)
				buf_put(&b, S(", "));
			buf_put(&b, v->x->in.headers[i].value);
		}
	if (str_eq(way, S("append"))) {
		if (b.n)
			buf_put(&b, S(", "));
		buf_put(&b, v->x->peer);
	}
	if (b.n)
		wire_header_add(m, S("X-Forwarded-For"), buf_str(&b));
}

/* Network load balancers neither add nor drop anything. */
static void request_as_it_is(visit *v, wire_message *m)
{
	const wire_message *in = &v->x->in;
	*m = (wire_message){ .mem = v->mem, .method = in->method, .body = in->body };
	for (size_t i = 0; i < in->n_headers; i++)
		if (str_eq_nocase(in->headers[i].name, S("host")) || !front_of_connection(in->headers[i].name))
			wire_header_add(m, in->headers[i].name, in->headers[i].value);
}

static void request_of(visit *v, wire_message *m)
{
	const wire_message *in = &v->x->in;
	bool drop =
		str_eq(elb_balancer_attribute(v->b, "routing.http.drop_invalid_header_fields.enabled"), S("true"));
	*m = (wire_message){ .mem = v->mem, .method = in->method, .body = in->body };
	came_from(v, m);
	wire_header_add(m, S("X-Forwarded-Proto"),
	                str_eq(v->l->It->Protocol, S("HTTPS")) ? S("https") : S("http"));
	wire_header_add(m, S("X-Forwarded-Port"), arena_fmt(v->mem, "%lld", (long long)v->l->It->Port.v));
	wire_header_add(m, S("X-Amzn-Trace-Id"), front_trace(v->mem, wire_header(in, S("x-amzn-trace-id"))));
	for (size_t i = 0; i < in->n_headers; i++) {
		str name = in->headers[i].name;
		bool host = str_eq_nocase(name, S("host"));
		if (is_forwarding(name) || (!host && front_of_connection(name)) || (drop && !is_plain(name)))
			continue;
		wire_header_add(m, name, in->headers[i].value);
	}
}

static bool is_late(int64_t before, int64_t idle_ms)
{
	return clock_mono_us() - before >= idle_ms * 1000 - 50000;
}

/* The connection to the target closes first: with the reply the arena goes, and `from` in it. */
static void hand_on(visit *v, http_answer *from, const wire_message *answer)
{
	str piece;
	int more = 0;
	int64_t length = http_answer_length(from);
	v->out.status = answer->status;
	for (size_t i = 0; i < answer->n_headers; i++) {
		str name = answer->headers[i].name;
		if (!front_of_connection(name) || str_eq_nocase(name, S("content-length")))
			wire_header_add(&v->out, name, answer->headers[i].value);
	}
	elb_stick(v, answer);
	if (length >= 0 && length <= HELD) {
		buf b = buf_in(v->mem, (size_t)length, (size_t)HELD);
		while ((more = http_answer_next(from, &piece)) > 0)
			buf_put(&b, piece);
		v->out.body = buf_str(&b);
		http_answer_close(from);
		if (more < 0)
			elb_refuse(v, 502);
		else
			elb_answer(v);
		return;
	}
	http_stream_begin(v->x, &v->out);
	bool there = true;
	while (there && (more = http_answer_next(from, &piece)) > 0) {
		v->bytes += piece.n;
		there = http_stream_write(v->x, piece);
	}
	http_answer_close(from);
	elb_tell(v, answer->status);
	if (more < 0)
		http_stream_break(v->x);
	else
		http_stream_end(v->x);
}

str elb_target_address(arena *a, const elbv2_target *t)
{
	struct in_addr ip;
	return inet_pton(AF_INET, arena_str(a, t->Id).p, &ip) == 1 ? t->Id : t->Address;
}

void elb_forward(visit *v)
{
	int64_t idle = 60, before = clock_mono_us();
	str_to_i64(elb_balancer_attribute(v->b, "idle_timeout.timeout_seconds"), &idle);
	wire_message m, answer = { .mem = v->mem };
	http_answer *from;
	if (websocket_asked(v->x)) {
		elb_refuse(v, 501);
		return;
	}
	bool network = elb_is_network(v->b->It);
	if (network)
		request_as_it_is(v, &m);
	else
		request_of(v, &m);
	bool tls = network ? v->x->tls : str_eq(v->g->It->Protocol, S("HTTPS"));
	const wire_message *in = &v->x->in;
	str url = arena_fmt(v->mem, "%s://%.*s:%lld%.*s%s%.*s", tls ? "https" : "http",
	                    STR_ARG(elb_target_address(v->mem, v->t)), (long long)elb_target_port(v->g, v->t),
	                    STR_ARG(in->path), str_is(in->query) ? "?" : "", STR_ARG(in->query));
	http_client_options o = { .total_ms = (int)idle * 1000, .connect_ms = CONNECT_MS, .trust_all = true,
		                      .end = &elb_ends };
	err failed = http_open(v->mem, url, &m, &o, &answer, &from);
	v->target_us = clock_mono_us() - before;
	if (failed) {
		bool no_link =
			str_starts(failed->message, S("no connection")) && v->target_us >= CONNECT_MS * INT64_C(1000);
		elb_refuse(v, no_link || is_late(before, idle * 1000) ? 504 : 502);
		return;
	}
	v->target_status = answer.status;
	hand_on(v, from, &answer);
}
