/* The parts of a request that a statement looks at, as they came. */
#include "waf.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/text.h"

#define VALUES_MAX 200 /* as many headers and cookies AWS looks at */
#define KEYS_BYTES_MAX 8192

static void one(look *l, values *out, str v)
{
	out->v = arena_new(l->mem, str);
	out->v[0] = v;
	out->n = str_is(v) ? 1 : 0;
}

values field_headers(look *l, str name)
{
	const wire_message *in = &l->x->in;
	values all = { arena_array(l->mem, str, in->n_headers + 1), 0, 0 };
	for (size_t i = 0; i < in->n_headers; i++)
		if (str_eq_nocase(in->headers[i].name, name))
			all.v[all.n++] = in->headers[i].value;
	return all;
}

str field_joined(look *l, str name, str between)
{
	values all = field_headers(l, name);
	if (all.n < 2)
		return all.n ? all.v[0] : STR_NONE;
	size_t bytes = 0;
	for (size_t i = 0; i < all.n; i++)
		bytes += all.v[i].n + between.n;
	buf b = buf_in(l->mem, bytes, bytes);
	for (size_t i = 0; i < all.n; i++) {
		buf_put(&b, i ? between : S(""));
		buf_put(&b, all.v[i]);
	}
	return buf_str(&b);
}

/* So many arguments a query has: none may be hidden behind many others. */
static size_t arguments(str query)
{
	size_t n = 1;
	for (size_t i = 0; i < query.n; i++)
		n += query.p[i] == '&';
	return n;
}

values field_arguments(look *l)
{
	str rest = l->x->in.query;
	values all = { arena_array(l->mem, str, arguments(rest)), 0, 0 };
	while (str_is(rest)) {
		str value = str_cut(&rest, '&');
		str name = str_cut(&value, '=');
		all.v[all.n++] = str_is(value) ? value : name;
	}
	return all;
}

/* What is beyond the limit is not looked at; `handling` says what becomes of such a request. */
static bool oversize(values *out, bool over, str handling)
{
	if (over && str_eq(handling, wafv2_OversizeHandling_MATCH))
		out->certain = 1;
	else if (over && str_eq(handling, wafv2_OversizeHandling_NO_MATCH))
		out->certain = -1;
	return out->certain != 0;
}

static bool listed(const wafv2_HeaderNames *names, str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq_nocase(names->v[i], name))
			return true;
	return false;
}

static void pair(values *out, str scope, str key, str value)
{
	if (!str_eq(scope, wafv2_MapMatchScope_VALUE))
		out->v[out->n++] = key;
	if (!str_eq(scope, wafv2_MapMatchScope_KEY))
		out->v[out->n++] = value;
}

static void headers(look *l, const wafv2_Headers *h, values *out)
{
	const wafv2_HeaderMatchPattern *p = h->MatchPattern;
	size_t bytes = 0, n = l->x->in.n_headers;
	out->v = arena_array(l->mem, str, 2 * VALUES_MAX);
	for (size_t i = 0; i < n && i < VALUES_MAX; i++) {
		const http_header *one_ = &l->x->in.headers[i];
		bytes += one_->name.n + one_->value.n;
		if (bytes > KEYS_BYTES_MAX)
			break;
		if (p->All || (p->IncludedHeaders.n && listed(&p->IncludedHeaders, one_->name)) ||
		    (p->ExcludedHeaders.n && !listed(&p->ExcludedHeaders, one_->name)))
			pair(out, h->MatchScope, one_->name, one_->value);
	}
	oversize(out, n > VALUES_MAX || bytes > KEYS_BYTES_MAX, h->OversizeHandling);
}

static bool cookie_listed(const wafv2_CookieNames *names, str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], name))
			return true;
	return false;
}

static void cookies(look *l, const wafv2_Cookies *c, values *out)
{
	const wafv2_CookieMatchPattern *p = c->MatchPattern;
	str rest = field_joined(l, S("cookie"), S("; "));
	bool over = rest.n > KEYS_BYTES_MAX;
	size_t n = 0;
	rest = str_sub(rest, 0, KEYS_BYTES_MAX);
	out->v = arena_array(l->mem, str, 2 * VALUES_MAX);
	for (; str_is(rest) && rest.n && n < VALUES_MAX; n++) {
		str value = str_trim(str_cut(&rest, ';')), name = str_cut(&value, '=');
		if (p->All || (p->IncludedCookies.n && cookie_listed(&p->IncludedCookies, name)) ||
		    (p->ExcludedCookies.n && !cookie_listed(&p->ExcludedCookies, name)))
			pair(out, c->MatchScope, name, str_is(value) ? value : S(""));
	}
	oversize(out, over || n == VALUES_MAX, c->OversizeHandling);
}

/* Walks a document; `paths` NULL: everything of it. */
static void gather(look *l, const json_value *v, str key, str scope, values *out, int depth)
{
	bool keys = !str_eq(scope, wafv2_JsonMatchScope_VALUE), texts = !str_eq(scope, wafv2_JsonMatchScope_KEY);
	if (keys && key.n && out->n < l->body_max)
		out->v[out->n++] = key;
	if (texts && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) && out->n < l->body_max)
		out->v[out->n++] = v->text;
	for (const json_value *m = v->first; m && depth < JSON_DEPTH_MAX; m = m->next)
		gather(l, m, m->key, scope, out, depth + 1);
}

/* A JSON pointer. */
static const json_value *pointed(look *l, const json_value *v, str path)
{
	if (path.n && path.p[0] == '/')
		path = str_sub(path, 1, path.n);
	while (v && str_is(path)) {
		str part = str_cut(&path, '/');
		buf name = buf_in(l->mem, part.n + 1, part.n + 1);
		for (size_t i = 0; i < part.n; i++) {
			bool escape = part.p[i] == '~' && i + 1 < part.n;
			buf_c(&name, !escape ? part.p[i] : part.p[++i] == '1' ? '/' : '~');
		}
		int64_t at;
		if (v->kind == JSON_ARRAY && str_to_i64(buf_str(&name), &at)) {
			const json_value *m = v->first;
			for (; m && at > 0; at--)
				m = m->next;
			v = m;
		} else {
			v = json_get(v, buf_str(&name));
		}
	}
	return v;
}

static void json_body(look *l, const wafv2_JsonBody *j, values *out)
{
	str body = l->x->in.body;
	bool over = body.n > l->body_max;
	if (oversize(out, over, j->OversizeHandling))
		return;
	body = str_sub(body, 0, l->body_max);
	const json_value *v = json_parse(l->mem, body);
	if (!v && body.n && !over) {
		if (str_eq(j->InvalidFallbackBehavior, wafv2_BodyParsingFallbackBehavior_MATCH))
			out->certain = 1;
		else if (str_eq(j->InvalidFallbackBehavior, wafv2_BodyParsingFallbackBehavior_NO_MATCH))
			out->certain = -1;
	}
	if (!v) {
		one(l, out, body);
		return;
	}
	out->v = arena_array(l->mem, str, l->body_max);
	if (j->MatchPattern->All)
		gather(l, v, S(""), j->MatchScope, out, 0);
	for (size_t i = 0; i < j->MatchPattern->IncludedPaths.n; i++) {
		const json_value *at = pointed(l, v, j->MatchPattern->IncludedPaths.v[i]);
		if (at)
			gather(l, at, at->key, j->MatchScope, out, 0);
	}
}

static void argument(look *l, str wanted, values *out)
{
	str rest = l->x->in.query;
	out->v = arena_array(l->mem, str, arguments(rest));
	while (str_is(rest)) {
		str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
		if (str_eq_nocase(percent_decode(l->mem, name, true), wanted))
			out->v[out->n++] = str_is(value) ? value : S("");
	}
}

static void order(look *l, values *out)
{
	buf b = buf_in(l->mem, 256, KEYS_BYTES_MAX);
	for (size_t i = 0; i < l->x->in.n_headers; i++) {
		if (i)
			buf_c(&b, ':');
		buf_put(&b, l->x->in.headers[i].name);
	}
	one(l, out, buf_str(&b));
}

void field_values(look *l, const wafv2_FieldToMatch *f, values *out)
{
	*out = (values){ 0 };
	if (f->SingleHeader) {
		*out = field_headers(l, f->SingleHeader->Name);
	} else if (f->SingleQueryArgument) {
		argument(l, f->SingleQueryArgument->Name, out);
	} else if (f->AllQueryArguments) {
		*out = field_arguments(l);
	} else if (f->UriPath) {
		one(l, out, l->path);
	} else if (f->QueryString) {
		one(l, out, str_is(l->x->in.query) ? l->x->in.query : S(""));
	} else if (f->Method) {
		one(l, out, l->x->in.method);
	} else if (f->Body) {
		bool over = l->x->in.body.n > l->body_max;
		one(l, out, str_is(l->x->in.body) ? str_sub(l->x->in.body, 0, l->body_max) : S(""));
		oversize(out, over, f->Body->OversizeHandling);
	} else if (f->JsonBody) {
		json_body(l, f->JsonBody, out);
	} else if (f->Headers) {
		headers(l, f->Headers, out);
	} else if (f->Cookies) {
		cookies(l, f->Cookies, out);
	} else if (f->HeaderOrder) {
		order(l, out);
	}
}

str field_forwarded(look *l, str header, bool last)
{
	str rest = field_joined(l, header, S(", ")), found = STR_NONE;
	while (str_is(rest)) {
		found = str_trim(str_cut(&rest, ','));
		if (!last)
			break;
	}
	return found;
}
