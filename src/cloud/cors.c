#include "cloud/cors.h"

static bool listed(cors_list list, str wanted)
{
	for (size_t i = 0; i < list.n; i++)
		if (str_eq_nocase(list.v[i], wanted) || str_eq(list.v[i], S("*")) ||
		    (str_find_char(list.v[i], '*') != SIZE_MAX && str_glob(list.v[i], wanted)))
			return true;
	return false;
}

static void add(arena *mem, wire_message *m, str name, cors_list list)
{
	buf b = buf_in(mem, 64, 65536);
	for (size_t i = 0; i < list.n; i++) {
		if (i)
			buf_c(&b, ',');
		buf_put(&b, list.v[i]);
	}
	if (list.n)
		wire_header_add(m, name, buf_str(&b));
}

static void drop_own(wire_message *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_headers; i++)
		if (!str_eq_nocase(str_sub(m->headers[i].name, 0, 15), S("access-control-")))
			m->headers[n++] = m->headers[i];
	m->n_headers = n;
}

bool cors_is_preflight(const wire_message *request)
{
	return str_eq(request->method, S("OPTIONS")) && str_is(wire_header(request, S("origin"))) &&
	       str_is(wire_header(request, S("access-control-request-method")));
}

static void answer_preflight(arena *mem, const cors_rules *r, const wire_message *request, wire_message *m)
{
	str method = wire_header(request, S("access-control-request-method"));
	if (r->only_listed_methods && r->methods.n && !listed(r->methods, method))
		return;
	add(mem, m, S("access-control-allow-methods"), r->methods);
	add(mem, m, S("access-control-allow-headers"), r->headers);
	if (r->max_age.set && r->max_age.v >= 0)
		wire_header_add(m, S("access-control-max-age"), arena_fmt(mem, "%lld", (long long)r->max_age.v));
}

void cors_apply(arena *mem, const cors_rules *r, const wire_message *request, wire_message *m)
{
	str origin = wire_header(request, S("origin"));
	drop_own(m);
	if (!str_is(origin) || !listed(r->origins, origin))
		return;
	bool any = !r->credentials && r->origins.n == 1 && str_eq(r->origins.v[0], S("*"));
	wire_header_add(m, S("access-control-allow-origin"), any ? S("*") : origin);
	if (!any)
		wire_header_add(m, S("vary"), S("Origin"));
	if (r->credentials)
		wire_header_add(m, S("access-control-allow-credentials"), S("true"));
	if (cors_is_preflight(request))
		answer_preflight(mem, r, request, m);
	else
		add(mem, m, S("access-control-expose-headers"), r->exposed);
}
