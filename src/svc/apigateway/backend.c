/*
 * HTTP integrations. HTTP_PROXY hands over the request and the answer as they are, HTTP what the mappings say
 * of both. Mapping templates are texts: VTL in them is refused when the integration is put.
 */
#include "base/text.h"
#include "sys/clock.h"
#include "visit.h"
#include "wire/http_client.h"
#include "wire/pattern.h"

#define URL_MAX ((size_t)64 << 10)
#define TIMEOUT_MS 29000

/* 'text' or method.request.. */
static str mapped(const visit *v, str value)
{
	if (value.n >= 2 && str_starts(value, S("'")) && str_ends(value, S("'")))
		return str_sub(value, 1, value.n - 1);
	return visit_mapped(v, value);
}

/* The value that the integration gives to integration.request.PLACE.NAME. */
static str given(const visit *v, const apigateway_Integration *i, const char *place, str name)
{
	str value = map_find(&i->requestParameters, arena_fmt(v->mem, "integration.request.%s.%.*s", place,
	                                                      STR_ARG(name)));
	return str_is(value) ? mapped(v, value) : STR_NONE;
}

/* The URI with {name} replaced by the path's parameters, and the query. */
static str url_of(const visit *v, const apigateway_Integration *i, bool proxy)
{
	str uri = front_substitute(v->mem, i->uri, &v->variables), prefix = S("integration.request.querystring.");
	buf b = buf_in(v->mem, uri.n + 256, URL_MAX);
	while (uri.n) {
		size_t at = str_find_char(uri, '{');
		buf_put(&b, str_sub(uri, 0, at));
		if (at == SIZE_MAX)
			break;
		uri = str_sub(uri, at + 1, uri.n);
		str name = str_cut(&uri, '}'), value = given(v, i, "path", name);
		if (str_is(value))
			buf_put(&b, percent_encode(v->mem, value, true));
		uri = str_is(uri) ? uri : S("");
	}
	char before = str_find_char(buf_str(&b), '?') == SIZE_MAX ? '?' : '&';
	if (proxy && v->x->in.query.n) {
		buf_c(&b, before);
		buf_put(&b, v->x->in.query);
		before = '&';
	}
	for (size_t k = 0; k < i->requestParameters.n; k++) {
		str name = i->requestParameters.v[k].key, value = mapped(v, i->requestParameters.v[k].value);
		if (!str_starts(name, prefix) || !str_is(value))
			continue;
		buf_c(&b, before);
		buf_put(&b, percent_encode(v->mem, str_sub(name, prefix.n, name.n), false));
		buf_c(&b, '=');
		buf_put(&b, percent_encode(v->mem, value, false));
		before = '&';
	}
	return buf_str(&b);
}

/* With the body: a template's text for its type, or what came. */
static void fill(const visit *v, const apigateway_Integration *i, bool proxy, wire_message *m)
{
	const wire_message *in = &v->x->in;
	str prefix = S("integration.request.header."), type = wire_header(in, S("content-type"));
	str text = map_find(&i->requestTemplates, str_is(type) ? str_trim(str_cut(&type, ';'))
	                                                       : S("application/json"));
	m->method = i->httpMethod.n && !str_eq(i->httpMethod, S("ANY")) ? i->httpMethod : in->method;
	m->body = !proxy && str_is(text) ? template_filled(v, text, in->body) : in->body;
	for (size_t k = 0; k < in->n_headers; k++) {
		str name = in->headers[k].name;
		bool passes = proxy ? !front_of_connection(name)
		                    : str_eq_nocase(name, S("content-type")) || str_eq_nocase(name, S("accept"));
		if (passes && !str_is(given(v, i, "header", name)))
			wire_header_add(m, name, in->headers[k].value);
	}
	for (size_t k = 0; k < i->requestParameters.n; k++) {
		str name = i->requestParameters.v[k].key, value = mapped(v, i->requestParameters.v[k].value);
		if (str_starts(name, prefix) && str_is(value))
			wire_header_add(m, str_sub(name, prefix.n, name.n), value);
	}
	wire_header_add(m, S("X-Amzn-Trace-Id"), v->trace_id);
	wire_header_add(m, S("x-amzn-apigateway-api-id"), v->api->id);
}

static bool selects(arena *mem, str expression, int status)
{
	const pattern *p = pattern_compile(mem, expression);
	return p && pattern_matches(p, mem, arena_fmt(mem, "%d", status));
}

/* The first response whose pattern the status fits, or the one without a pattern. */
static const apigateway_IntegrationResponse *response_for(const visit *v, const apigateway_Integration *i,
                                                          int status)
{
	const apigateway_IntegrationResponse *usual = NULL;
	for (size_t k = 0; k < i->integrationResponses.n; k++) {
		const apigateway_IntegrationResponse *r = &i->integrationResponses.v[k].value;
		if (!r->selectionPattern.n)
			usual = r;
		else if (selects(v->mem, r->selectionPattern, status))
			return r;
	}
	return usual;
}

/* 'text' or integration.response.header.X of what the backend answered. */
static str answered(const wire_message *answer, str value)
{
	str prefix = S("integration.response.header.");
	if (value.n >= 2 && str_starts(value, S("'")) && str_ends(value, S("'")))
		return str_sub(value, 1, value.n - 1);
	return str_starts(value, prefix) ? wire_header(answer, str_sub(value, prefix.n, value.n)) : STR_NONE;
}

static void translate(visit *v, const apigateway_Integration *i, const wire_message *answer)
{
	str prefix = S("method.response.header."), type = wire_header(answer, S("content-type"));
	const apigateway_IntegrationResponse *r = response_for(v, i, answer->status);
	str text = r ? map_find(&r->responseTemplates, S("application/json")) : STR_NONE;
	if (!r || template_has_directives(text) || !visit_status(v, r->statusCode)) {
		visit_refuse(v, &refuse_configuration);
		return;
	}
	wire_header_add(&v->out, S("Content-Type"), str_is(type) ? type : S("application/json"));
	for (size_t k = 0; k < r->responseParameters.n; k++) {
		str name = r->responseParameters.v[k].key, value = answered(answer, r->responseParameters.v[k].value);
		if (str_starts(name, prefix) && str_is(value))
			wire_header_add(&v->out, str_sub(name, prefix.n, name.n), value);
	}
	v->out.body = text.n ? template_filled(v, text, answer->body) : answer->body;
	visit_send(v);
}

void visit_forward(visit *v, const apigateway_Integration *i)
{
	bool proxy = str_eq(i->type, S("HTTP_PROXY"));
	wire_message m = { .mem = v->mem }, answer = { .mem = v->mem };
	http_client_options o = { .body_max = REST_BODY_MAX,
		.total_ms = (int)(i->timeoutInMillis.set ? i->timeoutInMillis.v : TIMEOUT_MS) };
	fill(v, i, proxy, &m);
	int64_t before = clock_mono_us();
	err failed = http_call(v->mem, url_of(v, i, proxy), &m, &o, &answer);
	v->integration_us = clock_mono_us() - before;
	if (failed) {
		visit_refuse(v, v->integration_us / 1000 >= o.total_ms ? &refuse_timeout : &refuse_unreachable);
		return;
	}
	if (!proxy) {
		translate(v, i, &answer);
		return;
	}
	front_hand_back(&answer, &v->out);
	visit_remap(v);
	visit_send(v);
}
