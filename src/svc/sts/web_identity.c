/*
 * AssumeRoleWithWebIdentity: a JSON Web Token from an identity provider that IAM knows, verified with keys
 * that the provider publishes below its address (cloud/jwt.h). When a token ends is judged by the time in
 * which its issuer lives; the session ends on Farthing's clock.
 */
#include "base/text.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "cloud/jwt.h"
#include "session.h"

#define ANSWER_MS 5000

typedef struct token {
	jwt t;
	str issuer, host;            /* host: the issuer without its scheme */
	str audience, subject;
} token;

static err read_token(req *rq, str text, token *t)
{
	*t = (token){ 0 };
	if (!jwt_read(rq->mem, text, &t->t))
		return fail(rq, &sts_InvalidIdentityTokenException,
		            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access "
		            "Token)");
	t->issuer = jwt_text(t->t.claims, S("iss"));
	t->subject = jwt_text(t->t.claims, S("sub"));
	if (!str_is(t->issuer) || !str_is(t->subject))
		return fail(rq, &sts_InvalidIdentityTokenException, "The ID Token lacks the claim %s.",
		            str_is(t->issuer) ? "sub" : "iss");
	size_t at = str_find(t->issuer, S("://"));
	t->host = at == SIZE_MAX ? t->issuer : str_sub(t->issuer, at + 3, t->issuer.n);
	if (str_ends(t->host, S("/")))
		t->host = str_sub(t->host, 0, t->host.n - 1);
	return OK;
}

static err in_time(req *rq, const token *t)
{
	int64_t now = jwt_now(t->issuer), ends = jwt_seconds(t->t.claims, S("exp"));
	int64_t from = jwt_seconds(t->t.claims, S("nbf"));
	if (now >= ends)
		return fail(rq, &sts_ExpiredTokenException,
		            "Token expired: current date/time %lld must be before the expiration date/time %lld",
		            (long long)now, (long long)ends);
	if (from > now + 300)
		return fail(rq, &sts_InvalidIdentityTokenException, "The ID Token is not valid before %lld.",
		            (long long)from);
	return OK;
}

static bool is_client(const iam_GetOpenIDConnectProvider_out *p, str id)
{
	for (size_t i = 0; i < p->ClientIDList.n; i++)
		if (str_eq(p->ClientIDList.v[i], id))
			return true;
	return false;
}

/* The audience must be one of the provider's client ids. */
static err check_audience(req *rq, const iam_GetOpenIDConnectProvider_out *p, token *t)
{
	const json_value *aud = json_get(t->t.claims, S("aud"));
	str party = jwt_text(t->t.claims, S("azp"));
	if (aud && aud->kind == JSON_STRING)
		t->audience = aud->text;
	for (const json_value *v = aud && aud->kind == JSON_ARRAY ? aud->first : NULL; v; v = v->next)
		if (!str_is(t->audience) || is_client(p, v->text))
			t->audience = v->text;
	if (str_is(party))
		t->audience = party;
	return str_is(t->audience) && is_client(p, t->audience) ? OK :
		fail(rq, &sts_InvalidIdentityTokenException, "Incorrect token audience");
}

static err verify_token(req *rq, const token *t)
{
	jwt_proof p = jwt_prove_by(rq->store, rq->mem, &t->t, t->issuer,
	                           (jwt_way){ .fresh = true, .wait_ms = ANSWER_MS });
	return p == JWT_PROVED ? OK : fail(rq, &sts_InvalidIdentityTokenException, "%s",
	            p == JWT_FORGED ? "The signature of the ID Token is not of any key of its issuer." :
		          "Couldn't retrieve verification key from your identity provider,  please reference "
		          "AssumeRoleWithWebIdentity documentation for requirements");
}

typedef struct visit {
	const sts_AssumeRoleWithWebIdentity_in *in;
	sts_AssumeRoleWithWebIdentity_out *out;
	token t;
	str account, provider_arn;
} visit;

static err refuse(req *rq)
{
	return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
	            "Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

static err find_provider(req *rq, visit *v)
{
	str owner = STR_NONE, rest = v->in->RoleArn;
	for (int i = 0; i < 5 && str_is(rest); i++)
		owner = str_cut(&rest, ':');
	v->account = owner;
	v->provider_arn = arena_fmt(rq->mem, "arn:aws:iam::%.*s:oidc-provider/%.*s", STR_ARG(owner),
	                            STR_ARG(v->t.host));
	req there = *rq;
	there.who = (caller){ .account = owner, .arn = S("sts.amazonaws.com"), .internal = true };
	iam_GetOpenIDConnectProvider_in in = { .OpenIDConnectProviderArn = v->provider_arn };
	iam_GetOpenIDConnectProvider_out out;
	const txn *tx = req_read(rq);
	err e = call_read(&there, tx, "iam", "GetOpenIDConnectProvider", &in, &out);
	err wrong = e ? OK : check_audience(rq, &out, &v->t);
	req_read_end(rq, tx);
	if (e)
		return fail(rq, &sts_InvalidIdentityTokenException,
		            "No OpenIDConnect provider found in your account for %.*s", STR_ARG(v->t.issuer));
	return wrong;
}

static const policy_key *claim_keys(req *rq, const visit *v)
{
	static const str names[] = { S("sub"), S("email"), S("jti"), S("oaud") };
	arena *mem = rq->mem;
	const policy_key *k = policy_key_add(
		mem, NULL, arena_fmt(mem, "%.*s:aud", STR_ARG(v->t.host)), v->t.audience);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		str value = jwt_text(v->t.t.claims, names[i]);
		if (str_is(value))
			k =
				policy_key_add(mem, k, arena_fmt(mem, "%.*s:%.*s", STR_ARG(v->t.host), STR_ARG(names[i])),
				               value);
	}
	const json_value *amr = json_get(v->t.t.claims, S("amr"));
	if (amr && amr->kind == JSON_ARRAY && amr->n) {
		policy_key *list = policy_key_add(mem, k, arena_fmt(mem, "%.*s:amr", STR_ARG(v->t.host)), STR_NONE);
		str *values = arena_array(mem, str, amr->n);
		size_t n = 0;
		for (const json_value *item = amr->first; item; item = item->next)
			values[n++] = item->text;
		list->v = values;
		list->n = amr->n;
		list->multivalued = true;
		k = list;
	}
	k = policy_key_add(mem, k, S("sts:RoleSessionName"), v->in->RoleSessionName);
	return policy_key_add(mem, k, S("aws:FederatedProvider"), v->provider_arn);
}

static err trusted(req *rq, const txn *tx, const visit *v, const iam_Role *role)
{
	str wrong, document = percent_decode(rq->mem, role->AssumeRolePolicyDocument, false);
	const policy *trust = policy_parse(rq->mem, document, POLICY_TRUST, &wrong);
	asking a;
	asking_open(&a, rq, tx, S("sts:AssumeRoleWithWebIdentity"), role->Arn, claim_keys(rq, v));
	a.who =
		(policy_principal){ .account = S("federated"), .arn = v->t.subject, .federated = v->provider_arn };
	policy_answer answer = trust ? policy_ask(rq->mem, trust, &a.q) : (policy_answer){ 0 };
	return answer.allowed && !answer.denied ? OK : refuse(rq);
}

static err open_session(req *rq, txn *tx, void *context)
{
	visit *v = context;
	str account;
	int64_t seconds, percent = 0;
	const iam_Role *role = role_at(rq, tx, v->in->RoleArn, &account);
	if (!role)
		return refuse(rq);
	TRY(trusted(rq, tx, v, role));
	TRY(role_duration(rq, v->in->DurationSeconds, role, &seconds));
	credential c = role_session(rq, role, account, v->in->RoleSessionName);
	c.Provider = v->provider_arn;
	c.SourceIdentity = jwt_text(v->t.t.claims, S("https://aws.amazon.com/source_identity"));
	TRY(session_policy(rq, tx, v->in->Policy, &v->in->PolicyArns, account, &c.SessionPolicy, &percent));
	sts_AssumeRoleWithWebIdentity_out *out = v->out;
	out->Credentials = session_open(rq, tx, &c, seconds);
	out->AssumedRoleUser = assumed_user(rq->mem, &c);
	out->SubjectFromWebIdentityToken = v->t.subject;
	out->Audience = v->t.audience;
	out->Provider = v->provider_arn;
	out->SourceIdentity = c.SourceIdentity;
	if (percent)
		out->PackedPolicySize = I64(percent);
	return OK;
}

err sts_AssumeRoleWithWebIdentity(req *rq, const sts_AssumeRoleWithWebIdentity_in *in,
                                  sts_AssumeRoleWithWebIdentity_out *out)
{
	visit v = { .in = in, .out = out };
	TRY(read_token(rq, in->WebIdentityToken, &v.t));
	TRY(find_provider(rq, &v));
	TRY(in_time(rq, &v.t));
	TRY(verify_token(rq, &v.t));
	return req_write(rq, open_session, &v);
}
