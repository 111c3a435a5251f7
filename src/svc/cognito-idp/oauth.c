#include "oauth.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/meter.h"

/* PREFIX.auth.REGION.amazoncognito.com or .localhost. */
static bool domain_of(const http_exchange *x, str *domain, str *region)
{
	str host = x->host, name = str_cut(&host, ':'), rest = name;
	*domain = str_cut(&rest, '.');
	if (!str_is(rest) || !str_eq(str_cut(&rest, '.'), S("auth")) || !str_is(rest))
		return false;
	*region = str_cut(&rest, '.');
	return str_is(rest) && (str_eq(rest, S("amazoncognito.com")) || str_eq(rest, S("localhost")));
}

typedef struct page {
	const char *path;
	void (*serve)(idp_oauth_visit *v);
} page;

static const page pages[] = {
	{ "/oauth2/authorize", idp_oauth_authorize }, { "/login", idp_oauth_login },
	{ "/oauth2/token", idp_oauth_token },         { "/oauth2/revoke", idp_oauth_revoke },
	{ "/oauth2/userInfo", idp_oauth_user_info },  { "/logout", idp_oauth_logout },
};

static const page *page_of(str path)
{
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (str_eq(path, str_c(pages[i].path)))
			return &pages[i];
	return NULL;
}

static bool match(const http_exchange *x)
{
	str domain, region;
	return domain_of(x, &domain, &region);
}

str idp_oauth_given(const idp_oauth_visit *v, const char *name)
{
	str value = query_value(v->mem, v->form, str_c(name));
	return str_is(value) ? percent_decode(v->mem, value, true) : S("");
}

void idp_oauth_reply(idp_oauth_visit *v, int status, const char *type, str body)
{
	v->out.status = status;
	wire_header_add(&v->out, S("Content-Type"), str_c(type));
	wire_header_add(&v->out, S("Cache-Control"), S("no-cache, no-store, max-age=0, must-revalidate"));
	wire_header_add(&v->out, S("Access-Control-Allow-Origin"), S("*"));
	v->out.body = body;
	if (v->rq) /* its memory goes with the reply */
		usage_settle_later(v->rq);
	http_reply(v->x, &v->out, NULL);
}

void idp_oauth_redirect(idp_oauth_visit *v, str to)
{
	wire_header_add(&v->out, S("Location"), to);
	idp_oauth_reply(v, 302, "text/html; charset=UTF-8", S(""));
}

void idp_oauth_error(idp_oauth_visit *v, int status, const char *error)
{
	idp_oauth_reply(v, status, "application/json;charset=UTF-8",
	                arena_fmt(v->mem, "{\"error\":\"%s\"}", error));
}

bool idp_oauth_scopes(const idp_oauth_visit *v, str asked, str *scopes)
{
	const cognito_idp_ScopeListType *may = &v->client->It->AllowedOAuthScopes;
	buf b = buf_in(v->mem, 256, 65536);
	for (size_t i = 0; !asked.n && i < may->n; i++)
		buf_fmt(&b, "%s%.*s", i ? " " : "", STR_ARG(may->v[i]));
	for (str rest = asked; asked.n && str_is(rest);) {
		str one = str_cut(&rest, ' ');
		if (!one.n)
			continue;
		if (!idp_listed(may->v, may->n, one))
			return false;
		buf_fmt(&b, "%s%.*s", b.n ? " " : "", STR_ARG(one));
	}
	*scopes = buf_str(&b);
	return true;
}

bool idp_oauth_client(idp_oauth_visit *v, str id)
{
	const txn *tx = store_read(v->s);
	v->client = id.n ? cognito_idp_client_get(tx, v->mem, v->pool->Id, id) : NULL;
	store_read_end(v->s, tx);
	return v->client;
}

static bool find_pool(idp_oauth_visit *v)
{
	str domain, region;
	domain_of(v->x, &domain, &region);
	const txn *tx = store_read(v->s);
	const cognito_idp_domain *d = cognito_idp_domain_get(tx, v->mem, domain);
	bool ok = d && str_eq(d->Region, region);
	v->pool = ok ? cognito_idp_pool_get(tx, v->mem, d->It->UserPoolId) : NULL;
	store_read_end(v->s, tx);
	return v->pool;
}

static void serve(http_exchange *x, store *s)
{
	idp_oauth_visit v = { .x = x, .s = s, .mem = x->mem, .out = { .mem = x->mem } };
	const page *p = page_of(x->in.path);
	v.form = str_eq(x->in.method, S("POST")) ? x->in.body : str_is(x->in.query) ? x->in.query : S("");
	if (!find_pool(&v) || !p) {
		idp_oauth_reply(
			&v, v.pool ? 404 : 400, "text/html; charset=UTF-8",
			v.pool ? S("<html><body>This page does not exist.</body></html>")
				   : S("<html><body>Login pages unavailable: no user pool has this domain.</body></html>"));
		return;
	}
	v.rq = req_internal(x->mem, s, "cognito-idp.amazonaws.com", v.pool->Account, v.pool->Region);
	p->serve(&v);
}
PLANE(cognito_idp_pages, match, serve);
