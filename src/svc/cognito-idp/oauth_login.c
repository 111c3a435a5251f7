/* A browser signs in: the page, the password, and the way back with a code or, with the implicit flow,
 * tokens. */
#include "base/digest.h"
#include "base/text.h"
#include "oauth.h"
#include "store/due.h"
#include "sys/rand.h"

#define CODE_MS (5 * MS_MINUTE)

static void put_html(buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		buf_put(b,
		        c == '<'        ? S("&lt;")
		            : c == '>'  ? S("&gt;")
		            : c == '&'  ? S("&amp;")
		            : c == '"'  ? S("&quot;")
		            : c == '\'' ? S("&#39;")
		                        : str_of(&s.p[i], 1));
	}
}

static void page(idp_oauth_visit *v, int status, const char *says)
{
	static const char *const kept[] = {
		"client_id", "redirect_uri", "response_type",  "scope",
		"state",     "nonce",        "code_challenge", "code_challenge_method"
	};
	buf b = buf_in(v->mem, 4096, 262144);
	const txn *tx = store_read(v->s);
	const cognito_idp_ui *look =
		!v->client ? NULL : cognito_idp_ui_get(tx, v->mem, v->pool->Id, v->client->Id);
	look = look ? look : cognito_idp_ui_get(tx, v->mem, v->pool->Id, S("ALL"));
	store_read_end(v->s, tx);
	buf_put(&b,
	        S("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signin</title><style>"));
	if (look && str_find(look->It->CSS, S("</")) == SIZE_MAX)
		buf_put(&b, look->It->CSS);
	buf_put(&b, S("</style></head><body class=\"background-customizable\">"));
	if (says) {
		buf_put(&b, S("<p id=\"loginErrorMessage\" class=\"errorMessage-customizable\">"));
		put_html(&b, str_c(says));
		buf_put(&b, S("</p>"));
	}
	if (v->client) {
		buf_put(&b, S("<form name=\"cognitoSignInForm\" action=\"/login\" method=\"post\">"));
		for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
			buf_fmt(&b, "<input type=\"hidden\" name=\"%s\" value=\"", kept[i]);
			put_html(&b, idp_oauth_given(v, kept[i]));
			buf_put(&b, S("\">"));
		}
		buf_put(
			&b,
			S("<label>Username <input name=\"username\" autocomplete=\"username\"></label> "
		      "<label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\">"
		      "</label> <input type=\"submit\" name=\"signInSubmitButton\" value=\"Sign in\" "
		      "class=\"submitButton-customizable\"></form>"));
	}
	buf_put(&b, S("</body></html>"));
	idp_oauth_reply(v, status, "text/html; charset=UTF-8", buf_str(&b));
}

/* Who asks, and where the answer may go; what is wrong here is told on the page and goes nowhere. */
static const char *asker_fault(idp_oauth_visit *v)
{
	if (!idp_oauth_given(v, "client_id").n)
		return "Required String parameter 'client_id' is not present";
	if (!idp_oauth_client(v, idp_oauth_given(v, "client_id")))
		return "Client does not exist.";
	const cognito_idp_UserPoolClientType *t = v->client->It;
	bool known = idp_listed(t->CallbackURLs.v, t->CallbackURLs.n, idp_oauth_given(v, "redirect_uri"));
	if (!known) {
		v->client = NULL;
		return "redirect_mismatch";
	}
	return NULL;
}

/* redirect_uri with what is said behind it. */
static str back(const idp_oauth_visit *v, char mark, str said)
{
	str to = idp_oauth_given(v, "redirect_uri"), state = idp_oauth_given(v, "state");
	bool more = mark == '?' && str_find_char(to, '?') != SIZE_MAX;
	str end =
		state.n ? arena_fmt(v->mem, "&state=%.*s", STR_ARG(percent_encode(v->mem, state, false))) : S("");
	return arena_fmt(v->mem, "%.*s%c%.*s%.*s", STR_ARG(to), more ? '&' : mark, STR_ARG(said), STR_ARG(end));
}

/* What is wrong with the rest goes back to the asker. */
static const char *request_fault(idp_oauth_visit *v, str *scopes)
{
	const cognito_idp_UserPoolClientType *t = v->client->It;
	str kind = idp_oauth_given(v, "response_type"), how = idp_oauth_given(v, "code_challenge_method");
	str flow = str_eq(kind, S("code")) ? S("code") : str_eq(kind, S("token")) ? S("implicit") : STR_NONE;
	if (!str_is(flow))
		return "invalid_request";
	if (!t->AllowedOAuthFlowsUserPoolClient.v
	    || !idp_listed(t->AllowedOAuthFlows.v, t->AllowedOAuthFlows.n, flow))
		return "unauthorized_client";
	if (!idp_oauth_scopes(v, idp_oauth_given(v, "scope"), scopes))
		return "invalid_scope";
	if (how.n && !str_eq(how, S("S256")))
		return "invalid_request";
	return NULL;
}

static bool refused(idp_oauth_visit *v, str *scopes)
{
	const char *wrong = asker_fault(v);
	if (wrong) {
		page(v, 400, wrong);
		return true;
	}
	wrong = request_fault(v, scopes);
	if (wrong)
		idp_oauth_redirect(v, back(v, '?', arena_fmt(v->mem, "error=%s", wrong)));
	return wrong;
}

void idp_oauth_authorize(idp_oauth_visit *v)
{
	str scopes;
	if (!refused(v, &scopes))
		idp_oauth_redirect(v, arena_fmt(v->mem, "/login?%.*s", STR_ARG(v->form)));
}

static err keep_code(req *rq, txn *tx, void *context)
{
	const cognito_idp_authcode *c = context;
	(void)rq;
	cognito_idp_authcode_put(tx, c);
	timer_set(tx, "cognito_idp_authcode", c->Id, c->End, c->Id);
	return OK;
}

TIMER(cognito_idp_authcode) { cognito_idp_authcode_delete(tx, payload); }

static void give_code(idp_oauth_visit *v, const idp_user *u, str scopes)
{
	str code = rand_uuid(v->mem);
	cognito_idp_authcode c = { .Id = sha256_hex(v->mem, code),
		                       .Pool = v->pool->Id,
		                       .Client = v->client->Id,
		                       .Name = u->Name,
		                       .Redirect = idp_oauth_given(v, "redirect_uri"),
		                       .Scope = scopes,
		                       .Nonce = idp_oauth_given(v, "nonce"),
		                       .Challenge = idp_oauth_given(v, "code_challenge"),
		                       .End = v->rq->now + CODE_MS };
	if (req_write(v->rq, keep_code, &c))
		page(v, 500, "The code could not be kept.");
	else
		idp_oauth_redirect(v, back(v, '?', arena_fmt(v->mem, "code=%.*s", STR_ARG(code))));
}

static err keep_tokens(req *rq, txn *tx, void *context)
{
	return idp_tokens_keep(rq, tx, context);
}

static void give_tokens(idp_oauth_visit *v, idp_user *u, str scopes)
{
	idp_issue i = { .pool = v->pool,
		            .client = v->client,
		            .user = u,
		            .source = "TokenGeneration_HostedAuth",
		            .scope = scopes,
		            .nonce = idp_oauth_given(v, "nonce"),
		            .hosted = true };
	i.grant = idp_grant_new(v->rq, v->pool, v->client, u, scopes);
	err e = idp_tokens_make(v->rq, &i);
	e = e ? e : req_write(v->rq, keep_tokens, &i);
	if (e) {
		page(v, 400, arena_str(v->mem, e->message).p);
		return;
	}
	str id = i.id_token.n ? arena_fmt(v->mem, "id_token=%.*s&", STR_ARG(i.id_token)) : S("");
	idp_oauth_redirect(v,
	                   back(v, '#',
	                        arena_fmt(v->mem, "%.*saccess_token=%.*s&token_type=Bearer&expires_in=%lld",
	                                  STR_ARG(id), STR_ARG(i.access_token), (long long)i.seconds)));
}

static err sign_in(idp_oauth_visit *v, idp_user **out)
{
	idp_auth a = {
		.pool = v->pool, .client = v->client, .given = idp_oauth_given(v, "username"), .metadata = NULL
	};
	TRY(idp_auth_password(v->rq, &a, idp_oauth_given(v, "password")));
	*out = a.user;
	if (str_eq(a.user->Status, IDP_TEMPORARY))
		return fail(v->rq, &aws_NotImplemented,
		            "A new password is required; it cannot be set on this page, but by "
		            "RespondToAuthChallenge.");
	if (idp_mfa_wanted(v->pool, a.user))
		return fail(v->rq, &aws_NotImplemented,
		            "A second factor is required; it cannot be given on this page, but "
		            "by RespondToAuthChallenge.");
	return idp_auth_tell(v->rq, &a);
}

void idp_oauth_login(idp_oauth_visit *v)
{
	str scopes;
	idp_user *u;
	if (refused(v, &scopes))
		return;
	if (!str_eq(v->x->in.method, S("POST"))) {
		page(v, 200, NULL);
		return;
	}
	err e = sign_in(v, &u);
	if (e)
		page(v, 400, arena_str(v->mem, e->message).p);
	else if (str_eq(idp_oauth_given(v, "response_type"), S("code")))
		give_code(v, u, scopes);
	else
		give_tokens(v, u, scopes);
}

/* There is no session of the browser's to end: each sign-in asks for the password. */
void idp_oauth_logout(idp_oauth_visit *v)
{
	if (!idp_oauth_client(v, idp_oauth_given(v, "client_id"))) {
		page(v, 400, "Client does not exist.");
		return;
	}
	const cognito_idp_LogoutURLsListType *l = &v->client->It->LogoutURLs;
	str to = idp_oauth_given(v, "logout_uri");
	if (to.n && idp_listed(l->v, l->n, to))
		idp_oauth_redirect(v, to);
	else if (!to.n && idp_oauth_given(v, "redirect_uri").n)
		idp_oauth_redirect(v, arena_fmt(v->mem, "/login?%.*s", STR_ARG(v->form)));
	else
		page(v, 400, "Required String parameter 'redirect_uri' is not present");
}
