/*
 * AssumeRoleWithWebIdentity: a JSON Web Token from an identity provider that IAM knows, verified with keys
 * that the provider publishes below its address. When a token ends is judged by the real time, in which its
 * issuer lives; the session ends on Farthing's clock.
 */
#include "base/json.h"
#include "base/keypair.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "session.h"
#include "sys/clock.h"
#include "wire/http_client.h"

#define ANSWER_MS 5000
#define ANSWER_MAX ((size_t)1 << 20)

typedef struct token {
	str signed_part, signature;
	const json_value *head, *claims;
	str issuer, host;            /* host: the issuer without its scheme */
	str audience, subject;
} token;

/* ---- the token ---- */

static bool base64_url(arena *mem, str text, str *out)
{
	char *p = arena_bytes(mem, text.n + 1);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
	return base64_decode(mem, str_of(p, text.n), out);
}

static str text_of(const json_value *v, str name)
{
	const json_value *m = json_get(v, name);
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

static int64_t seconds_of(const json_value *v, str name)
{
	const json_value *m = json_get(v, name);
	double seconds;
	return m && m->kind == JSON_NUMBER && str_to_f64(m->text, &seconds) && seconds > 0 && seconds < 1e11 ?
		       (int64_t)seconds : 0;
}

static err read_token(req *rq, str text, token *t)
{
	str rest = text, head, claims;
	str first = str_cut(&rest, '.'), second = str_is(rest) ? str_cut(&rest, '.') : STR_NONE;
	*t = (token){ .signed_part = str_sub(text, 0, first.n + 1 + second.n) };
	bool ok = str_is(second) && str_is(rest) && base64_url(rq->mem, first, &head) &&
		  base64_url(rq->mem, second, &claims) && base64_url(rq->mem, rest, &t->signature) &&
		  (t->head = json_parse(rq->mem, head)) && (t->claims = json_parse(rq->mem, claims));
	if (!ok)
		return fail(rq, &sts_InvalidIdentityTokenException,
		            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access "
		            "Token)");
	t->issuer = text_of(t->claims, S("iss"));
	t->subject = text_of(t->claims, S("sub"));
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
	int64_t now = clock_real() / MS_SECOND, ends = seconds_of(t->claims, S("exp"));
	int64_t from = seconds_of(t->claims, S("nbf"));
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
	const json_value *aud = json_get(t->claims, S("aud"));
	str party = text_of(t->claims, S("azp"));
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

/* ---- the provider's keys ---- */

static const json_value *fetch(req *rq, str url)
{
	http_client_options o = { .total_ms = ANSWER_MS, .body_max = ANSWER_MAX };
	wire_message ask = { .mem = rq->mem, .method = S("GET") }, answer = { .mem = rq->mem };
	if (http_call(rq->mem, url, &ask, &o, &answer) != OK || answer.status != 200)
		return NULL;
	return json_parse(rq->mem, answer.body);
}

static bool key_of(arena *mem, const json_value *jwk, str *public_der)
{
	str kind = text_of(jwk, S("kty")), a, b;
	if (str_eq(kind, S("RSA")))
		return base64_url(mem, text_of(jwk, S("n")), &a) && base64_url(mem, text_of(jwk, S("e")), &b) &&
		       keypair_from_rsa(mem, a, b, public_der);
	str curve = text_of(jwk, S("crv"));
	int bits = str_eq(curve, S("P-256")) ? 256 : str_eq(curve, S("P-384")) ? 384 :
		str_eq(curve, S("P-521")) ? 521 : 0;
	return str_eq(kind, S("EC")) && bits && base64_url(mem, text_of(jwk, S("x")), &a) &&
	       base64_url(mem, text_of(jwk, S("y")), &b) && keypair_from_point(mem, bits, a, b, public_der);
}

static bool fits(req *rq, const token *t, str public_der)
{
	static const struct { str name, how; } ways[] = {
		{ S("RS256"), S("RSASSA_PKCS1_V1_5_SHA_256") }, { S("RS384"), S("RSASSA_PKCS1_V1_5_SHA_384") },
		{ S("RS512"), S("RSASSA_PKCS1_V1_5_SHA_512") }, { S("ES256"), S("ECDSA_SHA_256") },
		{ S("ES384"), S("ECDSA_SHA_384") }, { S("ES512"), S("ECDSA_SHA_512") },
	};
	str name = text_of(t->head, S("alg")), signature = t->signature;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (str_eq(ways[i].name, name)) {
			if (str_starts(name, S("ES")) && !keypair_signature_from_pair(rq->mem, signature, &signature))
				return false;
			return keypair_verify(public_der, ways[i].how, false, t->signed_part, signature);
		}
	return false;
}

static err verify_token(req *rq, const token *t)
{
	str end = str_ends(t->issuer, S("/")) ? S(".well-known/openid-configuration") :
						 S("/.well-known/openid-configuration");
	const json_value *about = fetch(rq, arena_concat(rq->mem, t->issuer, end));
	const json_value *set = about ? fetch(rq, text_of(about, S("jwks_uri"))) : NULL;
	const json_value *keys = set ? json_get(set, S("keys")) : NULL;
	str wanted = text_of(t->head, S("kid")), public_der;
	bool any = false;
	for (const json_value *jwk = keys ? keys->first : NULL; jwk; jwk = jwk->next) {
		str id = text_of(jwk, S("kid"));
		if ((str_is(wanted) && str_is(id) && !str_eq(id, wanted)) || !key_of(rq->mem, jwk, &public_der))
			continue;
		any = true;
		if (fits(rq, t, public_der))
			return OK;
	}
	return fail(rq, &sts_InvalidIdentityTokenException, "%s",
	            any ? "The signature of the ID Token is not of any key of its issuer." :
		          "Couldn't retrieve verification key from your identity provider,  please reference "
		          "AssumeRoleWithWebIdentity documentation for requirements");
}

/* ---- the role ---- */

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
		str value = text_of(v->t.claims, names[i]);
		if (str_is(value))
			k =
				policy_key_add(mem, k, arena_fmt(mem, "%.*s:%.*s", STR_ARG(v->t.host), STR_ARG(names[i])),
				               value);
	}
	const json_value *amr = json_get(v->t.claims, S("amr"));
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
	c.SourceIdentity = text_of(v->t.claims, S("https://aws.amazon.com/source_identity"));
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
