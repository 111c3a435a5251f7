#include "base/text.h"
#include "visit.h"
#include <arpa/inet.h>

static bool any_of(arena *mem, const elbv2_ListOfString *patterns, str value)
{
	str low = arena_lower(mem, value);
	for (size_t i = 0; i < patterns->n; i++)
		if (str_glob(arena_lower(mem, patterns->v[i]), low))
			return true;
	return false;
}

static bool header_matches(const visit *v, const elbv2_HttpHeaderConditionConfig *c)
{
	const wire_message *m = &v->x->in;
	for (size_t i = 0; i < m->n_headers; i++)
		if (str_eq_nocase(m->headers[i].name, c->HttpHeaderName) &&
		    any_of(v->mem, &c->Values, m->headers[i].value))
			return true;
	return false;
}

static bool path_matches(const visit *v, const elbv2_ListOfString *patterns)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (str_glob(patterns->v[i], v->x->in.path))
			return true;
	return false;
}

static bool pair_matches(const visit *v, const elbv2_QueryStringKeyValuePair *p)
{
	str wanted_key = arena_lower(v->mem, p->Key), wanted = arena_lower(v->mem, p->Value);
	for (str rest = v->x->in.query; str_is(rest);) {
		str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
		bool named = !p->Key.n || str_glob(wanted_key, arena_lower(v->mem, key));
		if (named && str_glob(wanted, str_is(value) ? arena_lower(v->mem, value) : S("")))
			return true;
	}
	return false;
}

static bool within(const visit *v, str cidr)
{
	struct in_addr net, peer;
	int64_t bits;
	str rest = cidr, address = str_cut(&rest, '/');
	if (inet_pton(AF_INET, arena_str(v->mem, address).p, &net) != 1 || !str_to_i64(rest, &bits) ||
	    inet_pton(AF_INET, arena_str(v->mem, v->x->peer).p, &peer) != 1)
		return false;
	uint32_t mask = bits > 0 ? htonl(UINT32_MAX << (32 - bits)) : 0;
	return (net.s_addr & mask) == (peer.s_addr & mask);
}

static bool holds(const visit *v, const elbv2_RuleCondition *c)
{
	bool any = false;
	if (str_eq(c->Field, S("host-header")))
		return any_of(v->mem, &c->Values, v->host);
	if (str_eq(c->Field, S("path-pattern")))
		return path_matches(v, &c->Values);
	if (c->HttpHeaderConfig)
		return header_matches(v, c->HttpHeaderConfig);
	for (size_t i = 0; c->HttpRequestMethodConfig && i < c->HttpRequestMethodConfig->Values.n; i++)
		any = any || str_eq(c->HttpRequestMethodConfig->Values.v[i], v->x->in.method);
	for (size_t i = 0; c->QueryStringConfig && i < c->QueryStringConfig->Values.n; i++)
		any = any || pair_matches(v, &c->QueryStringConfig->Values.v[i]);
	for (size_t i = 0; c->SourceIpConfig && i < c->SourceIpConfig->Values.n; i++)
		any = any || within(v, c->SourceIpConfig->Values.v[i]);
	return any;
}

bool elb_matches(const visit *v, const elbv2_RuleConditionList *conditions)
{
	for (size_t i = 0; i < conditions->n; i++)
		if (!holds(v, &conditions->v[i]))
			return false;
	return true;
}

static str fill_in(const visit *v, str text)
{
	str path = v->x->in.path, query = v->x->in.query;
	struct { str name, value; } words[] = {
		{ S("#{protocol}"), str_eq(v->l->It->Protocol, S("HTTPS")) ? S("https") : S("http") },
		{ S("#{host}"), v->host },
		{ S("#{port}"), arena_fmt(v->mem, "%lld", (long long)v->l->It->Port.v) },
		{ S("#{path}"), str_starts(path, S("/")) ? str_sub(path, 1, path.n) : path },
		{ S("#{query}"), str_is(query) ? query : S("") },
	};
	buf b = buf_in(v->mem, text.n + path.n + 64, 65536);
	while (text.n) {
		size_t hash = str_find(text, S("#{")), which = 0, n = sizeof words / sizeof *words;
		buf_put(&b, str_sub(text, 0, hash));
		if (hash == SIZE_MAX)
			break;
		text = str_sub(text, hash, text.n);
		while (which < n && !str_starts(text, words[which].name))
			which++;
		buf_put(&b, which < n ? words[which].value : S("#{"));
		text = str_sub(text, which < n ? words[which].name.n : 2, text.n);
	}
	return buf_str(&b);
}

str elb_location(const visit *v, const elbv2_RedirectActionConfig *r)
{
	str query = fill_in(v, r->Query), scheme = arena_lower(v->mem, fill_in(v, r->Protocol));
	return arena_fmt(v->mem, "%.*s://%.*s:%.*s%.*s%s%.*s", STR_ARG(scheme), STR_ARG(fill_in(v, r->Host)),
	                 STR_ARG(fill_in(v, r->Port)), STR_ARG(fill_in(v, r->Path)), query.n ? "?" : "",
	                 STR_ARG(query));
}
