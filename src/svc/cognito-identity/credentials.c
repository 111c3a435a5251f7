/*
 * Temporary credentials: the role that the pool has for an identity, by its settings and by what the token
 * says, if the role's trust policy lets Cognito's identities of this pool in.
 */
#include "base/text.h"
#include "base/time.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/credential.h"
#include "gen/iam.h"
#include "identity.h"

#define FEDERATOR "cognito-identity.amazonaws.com"
#define SESSION "CognitoIdentityCredentials"

typedef struct visit {
	const cognito_identity_GetCredentialsForIdentity_in *in;
	cognito_identity_GetCredentialsForIdentity_out *out;
	id_pool *p;
	id_identity *i;
	id_login *logins;
	size_t n;
	str role;
} visit;

static err forbidden(req *rq, const visit *v)
{
	return fail(rq, &cognito_identity_NotAuthorizedException, "Access to Identity '%.*s' is forbidden.",
	            STR_ARG(v->i->Id));
}

static err misconfigured(req *rq)
{
	return fail(rq, &cognito_identity_InvalidIdentityPoolConfigurationException,
	            "Invalid identity pool configuration. Check assigned IAM roles for this pool.");
}

/* With a login of its own, or none where it has none. A login that nobody has yet becomes the identity's. */
static err link_logins(req *rq, txn *tx, void *context)
{
	visit *v = context;
	id_identity *i;
	bool own = false;
	TRY(id_identity_find(rq, tx, v->in->IdentityId, &i));
	for (size_t k = 0; k < v->n; k++) {
		const cognito_identity_login *l =
			cognito_identity_login_get(tx, rq->mem, i->Pool, v->logins[k].provider, v->logins[k].subject);
		if (l && !str_eq(l->Identity, i->Id))
			return fail(rq, &cognito_identity_ResourceConflictException,
			            "Logins don't match. Please include at "
			            "least one valid login for this identity or identity pool.");
		own |= l != NULL;
	}
	if (i->Closed || (i->Logins.n && !own))
		return forbidden(rq, v);
	cognito_identity_LoginsMap_entry *all =
		arena_array(rq->mem, cognito_identity_LoginsMap_entry, i->Logins.n + v->n + 1);
	if (i->Logins.n)
		memcpy(all, i->Logins.v, i->Logins.n * sizeof *all);
	size_t before = i->Logins.n;
	for (size_t k = 0; k < v->n; k++) {
		str provider = v->logins[k].provider, subject = v->logins[k].subject;
		if (cognito_identity_login_get(tx, rq->mem, i->Pool, provider, subject))
			continue;
		cognito_identity_login l = {
			.Pool = i->Pool, .Provider = provider, .Subject = subject, .Identity = i->Id
		};
		cognito_identity_login_put(tx, &l);
		all[i->Logins.n++] = (cognito_identity_LoginsMap_entry){ provider, subject };
	}
	i->Logins.v = all;
	if (i->Logins.n == before)
		return OK;
	i->Changed = rq->now;
	cognito_identity_identity_put(tx, i);
	return OK;
}

static str text_of(const json_value *v, str name)
{
	const json_value *m = json_get(v, name);
	return m && (m->kind == JSON_STRING || m->kind == JSON_NUMBER) ? m->text
		: m && m->kind == JSON_TRUE                                ? S("true")
		: m && m->kind == JSON_FALSE                               ? S("false")
																   : STR_NONE;
}

static bool rule_fits(const cognito_identity_MappingRule *r, const json_value *claims)
{
	const json_value *list = json_get(claims, r->Claim);
	bool many = list && list->kind == JSON_ARRAY, fits = false;
	for (const json_value *one = many ? list->first : NULL; one; one = one->next)
		fits |= str_eq(r->MatchType, S("Contains")) && str_find(one->text, r->Value) != SIZE_MAX;
	if (many)
		return fits;
	str value = text_of(claims, r->Claim);
	if (!str_is(value))
		return false;
	return str_eq(r->MatchType, S("Equals"))    ? str_eq(value, r->Value)
		: str_eq(r->MatchType, S("Contains"))   ? str_find(value, r->Value) != SIZE_MAX
		: str_eq(r->MatchType, S("StartsWith")) ? str_starts(value, r->Value)
												: !str_eq(value, r->Value);
}

static bool may_have(const json_value *claims, str role)
{
	const json_value *roles = json_get(claims, S("cognito:roles"));
	for (const json_value *one = roles && roles->kind == JSON_ARRAY ? roles->first : NULL; one;
	     one = one->next)
		if (str_eq(one->text, role))
			return true;
	return false;
}

/* What the mapping of the login's provider and client says; STR_NONE: nothing. */
static str mapped(req *rq, const visit *v, const cognito_identity_RoleMapping **m)
{
	const id_login *l = &v->logins[0];
	str name = arena_fmt(rq->mem, "%.*s:%.*s", STR_ARG(l->provider), STR_ARG(text_of(l->claims, S("aud"))));
	*m = NULL;
	for (size_t i = 0; i < v->p->Mappings.n; i++)
		if (str_eq(v->p->Mappings.v[i].key, name))
			*m = &v->p->Mappings.v[i].value;
	if (!*m)
		return STR_NONE;
	if (str_eq((*m)->Type, S("Rules"))) {
		for (size_t i = 0; i < (*m)->RulesConfiguration->Rules.n; i++)
			if (rule_fits(&(*m)->RulesConfiguration->Rules.v[i], l->claims))
				return (*m)->RulesConfiguration->Rules.v[i].RoleARN;
		return STR_NONE;
	}
	if (str_is(v->in->CustomRoleArn))
		return may_have(l->claims, v->in->CustomRoleArn) ? v->in->CustomRoleArn : STR_NONE;
	str preferred = text_of(l->claims, S("cognito:preferred_role"));
	const json_value *roles = json_get(l->claims, S("cognito:roles"));
	return str_is(preferred) ? preferred : roles && roles->n == 1 ? roles->first->text : STR_NONE;
}

static str role_named(const id_pool *p, str name)
{
	for (size_t i = 0; i < p->Roles.n; i++)
		if (str_eq(p->Roles.v[i].key, name))
			return p->Roles.v[i].value;
	return STR_NONE;
}

static err choose(req *rq, visit *v)
{
	const cognito_identity_RoleMapping *m = NULL;
	v->role = v->n ? mapped(rq, v, &m) : STR_NONE;
	if (!str_is(v->role) && m && str_eq(m->AmbiguousRoleResolution, S("Deny")))
		return fail(rq, &cognito_identity_NotAuthorizedException,
		            "No role could be resolved for this identity: the pool's role mapping denies.");
	if (!str_is(v->role))
		v->role = role_named(v->p, v->n ? S("authenticated") : S("unauthenticated"));
	return str_is(v->role) ? OK : misconfigured(rq);
}

static err trusted(req *rq, const txn *tx, const visit *v, const iam_Role *role)
{
	asking a;
	str wrong, document = percent_decode(rq->mem, role->AssumeRolePolicyDocument, false);
	const policy *trust = policy_parse(rq->mem, document, POLICY_TRUST, &wrong);
	const policy_key *k = policy_key_add(rq->mem, NULL, S(FEDERATOR ":aud"), v->p->Id);
	k = policy_key_add(rq->mem, k, S(FEDERATOR ":sub"), v->i->Id);
	k = policy_key_add(rq->mem, k, S("sts:RoleSessionName"), S(SESSION));
	k = policy_key_add(rq->mem, k, S("aws:FederatedProvider"), S(FEDERATOR));
	policy_key *amr = policy_key_add(rq->mem, k, S(FEDERATOR ":amr"), STR_NONE);
	str *values = arena_array(rq->mem, str, v->n + 1);
	values[0] = v->n ? S("authenticated") : S("unauthenticated");
	for (size_t i = 0; i < v->n; i++)
		values[i + 1] = v->logins[i].provider;
	amr->v = values;
	amr->n = v->n + 1;
	amr->multivalued = true;
	asking_open(&a, rq, tx, S("sts:AssumeRoleWithWebIdentity"), role->Arn, amr);
	a.who = (policy_principal){ .account = S("federated"), .arn = v->i->Id, .federated = S(FEDERATOR) };
	policy_answer answer = trust ? policy_ask(rq->mem, trust, &a.q) : (policy_answer){ 0 };
	return answer.allowed && !answer.denied ? OK : misconfigured(rq);
}

static err open_session(req *rq, txn *tx, void *context)
{
	visit *v = context;
	str name = str_sub(v->role, str_find(v->role, S(":role/")) + 6, v->role.n);
	for (size_t at; (at = str_find_char(name, '/')) != SIZE_MAX;)
		name = str_sub(name, at + 1, name.n);
	req own = *rq;
	own.who = (caller){ .account = v->p->Account, .arn = S(FEDERATOR), .internal = true };
	iam_GetRole_in ask = { .RoleName = name };
	iam_GetRole_out got;
	if (call(&own, tx, "iam", "GetRole", &ask, &got) || !str_eq(got.Role->Arn, v->role))
		return misconfigured(rq);
	TRY(trusted(rq, tx, v, got.Role));
	credential c = {
		.AccessKey = access_key_new(rq->mem, "ASIA", v->p->Account),
		.Secret = secret_key_new(rq->mem),
		.Token = session_token_new(rq->mem),
		.Account = v->p->Account,
		.Role = v->role,
		.Created = rq->now,
		.Arn = arena_fmt(rq->mem, "arn:aws:sts::%.*s:assumed-role/%.*s/" SESSION, STR_ARG(v->p->Account),
		                 STR_ARG(name)),
		.UserId = arena_fmt(rq->mem, "%.*s:" SESSION, STR_ARG(got.Role->RoleId)),
		.Provider = S(FEDERATOR),
		.Expires = (rq->now + COGNITO_IDENTITY_SECONDS * MS_SECOND) / MS_SECOND * MS_SECOND,
	};
	credential_put_session(tx, &c);
	cognito_identity_Credentials *out = arena_new(rq->mem, cognito_identity_Credentials);
	*out = (cognito_identity_Credentials){ .AccessKeyId = c.AccessKey,
		                                   .SecretKey = c.Secret,
		                                   .SessionToken = c.Token,
		                                   .Expiration = TIME(c.Expires) };
	v->out->IdentityId = v->i->Id;
	v->out->Credentials = out;
	return OK;
}

err cognito_identity_GetCredentialsForIdentity(req *rq,
                                               const cognito_identity_GetCredentialsForIdentity_in *in,
                                               cognito_identity_GetCredentialsForIdentity_out *out)
{
	visit v = { .in = in, .out = out };
	const txn *tx = req_read(rq);
	err e = id_identity_find(rq, tx, in->IdentityId, &v.i);
	e = e ? e : id_pool_enter(rq, tx, v.i->Pool, &v.p);
	req_read_end(rq, tx);
	TRY(e);
	if (v.i->Closed || (!in->Logins.n && v.i->Logins.n))
		return forbidden(rq, &v);
	if (!in->Logins.n && !v.p->It->AllowUnauthenticatedIdentities.v)
		return fail(rq, &cognito_identity_NotAuthorizedException,
		            "Unauthenticated access is not supported for this identity pool.");
	TRY(id_logins_check(rq, v.p, &in->Logins, &v.logins, &v.n));
	TRY(req_write(rq, link_logins, &v));
	TRY(choose(rq, &v));
	return req_write(rq, open_session, &v);
}
