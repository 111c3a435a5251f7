#include "cloud/authorise.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/credential.h"
#include "sys/clock.h"
#include "wire/http.h"

extern const identity_source *const __start_farthing_identities[] __attribute__((weak));
extern const identity_source *const __stop_farthing_identities[] __attribute__((weak));
extern const resource_policy *const __start_farthing_resource_policies[] __attribute__((weak));
extern const resource_policy *const __stop_farthing_resource_policies[] __attribute__((weak));

policy_principal principal_of(const caller *who)
{
	policy_principal p = { .account = who->account, .arn = who->arn, .anonymous = who->anonymous };
	if (who->internal)
		p.service = who->arn;
	if (who->key)
		p.role = who->key->Role;
	return p;
}

static str principal_type(const caller *who)
{
	if (who->anonymous)
		return S("Anonymous");
	if (who->root)
		return S("Account");
	if (who->internal)
		return S("Service");
	return str_find(who->arn, S(":assumed-role/")) != SIZE_MAX ? S("AssumedRole") :
	       str_find(who->arn, S(":federated-user/")) != SIZE_MAX ? S("FederatedUser") : S("User");
}

static str text_of_bool(bool b)
{
	return b ? S("true") : S("false");
}

static policy_key *caller_keys(req *rq, policy_key *k)
{
	const caller *who = &rq->who;
	arena *a = rq->mem;
	k = policy_key_add(a, k, S("aws:PrincipalType"), principal_type(who));
	k = policy_key_add(a, k, S("aws:PrincipalIsAWSService"), text_of_bool(who->internal));
	if (who->anonymous)
		return k;
	if (who->internal)
		return policy_key_add(a, k, S("aws:PrincipalServiceName"), who->arn);
	k = policy_key_add(a, k, S("aws:PrincipalAccount"), who->account);
	k = policy_key_add(a, k, S("aws:userid"), who->user_id);
	str arn = who->key && str_is(who->key->Role) ? who->key->Role : who->arn;
	k = policy_key_add(a, k, S("aws:PrincipalArn"), arn);
	size_t user = str_find(who->arn, S(":user/"));
	if (user != SIZE_MAX) {
		str name = str_sub(who->arn, user + 6, who->arn.n);
		while (str_find_char(name, '/') != SIZE_MAX)
			str_cut(&name, '/');
		k = policy_key_add(a, k, S("aws:username"), name);
	}
	if (who->key && str_is(who->key->Token)) {
		k = policy_key_add(a, k, S("aws:MultiFactorAuthPresent"), text_of_bool(who->key->MfaPresent));
		k = policy_key_add(a, k, S("aws:TokenIssueTime"), time_iso(a, who->key->Created));
		if (str_is(who->key->SourceIdentity))
			k = policy_key_add(a, k, S("aws:SourceIdentity"), who->key->SourceIdentity);
	}
	return k;
}

policy_key *request_keys(req *rq, policy_key *more)
{
	arena *a = rq->mem;
	policy_key *k = caller_keys(rq, more);
	k = policy_key_add(a, k, S("aws:CurrentTime"), time_iso(a, rq->now));
	k = policy_key_add(a, k, S("aws:EpochTime"), arena_fmt(a, "%lld", (long long)(rq->now / MS_SECOND)));
	k = policy_key_add(a, k, S("aws:RequestedRegion"), rq->region);
	k = policy_key_add(a, k, S("aws:ViaAWSService"), text_of_bool(rq->parent != NULL));
	const req *outer = rq;
	while (outer->parent)
		outer = outer->parent;
	if (!outer->exchange || rq->parent)
		return k;
	k = policy_key_add(a, k, S("aws:SourceIp"), outer->exchange->peer);
	k = policy_key_add(a, k, S("aws:SecureTransport"), text_of_bool(outer->exchange->tls));
	str agent = wire_header(outer->http, S("user-agent")), referer = wire_header(outer->http, S("referer"));
	if (str_is(agent))
		k = policy_key_add(a, k, S("aws:UserAgent"), agent);
	if (str_is(referer))
		k = policy_key_add(a, k, S("aws:Referer"), referer);
	return k;
}

/* ---- the decision ---- */

typedef struct court {
	req *rq;
	policy_question q;
	policy_principal who;
	decision d;
} court;

static str policy_name(const policy_statement *s)
{
	return str_is(s->policy->name) ? s->policy->name : S("a policy");
}

static decision denied_by(court *c, const policy_statement *s, const char *kind)
{
	c->d.statement = s;
	c->d.why = arena_fmt(c->rq->mem, "with an explicit deny in %s", kind);
	return c->d;
}

static decision not_allowed(court *c, const char *kind)
{
	c->d.why = arena_fmt(c->rq->mem, "because no %s allows the %.*s action", kind, STR_ARG(c->q.action));
	return c->d;
}

static decision allowed(court *c, const policy_statement *s)
{
	c->d.allowed = true;
	c->d.statement = s;
	c->d.why = S("root");
	if (s)
		c->d.why = arena_fmt(c->rq->mem, "%.*s, statement %zu allows", STR_ARG(policy_name(s)), s->index + 1);
	return c->d;
}

static policy_answer ask_one(court *c, const policy *p)
{
	return policy_ask(c->rq->mem, p, &c->q);
}

static policy_answer ask_all(court *c, policy *const *policies, size_t n)
{
	policy_answer all = { 0 };
	for (size_t i = 0; i < n; i++) {
		policy_answer one = ask_one(c, policies[i]);
		if (!all.denied)
			all.denied = one.denied;
		if (!all.allowed)
			all.allowed = one.allowed;
	}
	return all;
}

/* Session policies are documents one after another, one a line; each kind counts as one policy set. */
static policy_answer ask_session(court *c, str documents, bool *any)
{
	policy_answer all = { 0 };
	*any = false;
	while (str_is(documents)) {
		str wrong, text = str_cut(&documents, '\n');
		policy *p = text.n ? policy_parse(c->rq->mem, text, POLICY_IDENTITY, &wrong) : NULL;
		if (!p)
			continue;
		*any = true;
		policy_answer one = ask_one(c, p);
		if (!all.denied)
			all.denied = one.denied;
		if (!all.allowed)
			all.allowed = one.allowed;
	}
	return all;
}

static str arn_part(str arn, int part)
{
	for (int i = 0; i < part && str_is(arn); i++)
		str_cut(&arn, ':');
	return str_is(arn) ? str_cut(&arn, ':') : STR_NONE;
}

static const resource_policy *resource_source(str arn)
{
	str name = arn_part(arn, 2);
	const resource_policy *const *end = __stop_farthing_resource_policies;
	for (const resource_policy *const *r = __start_farthing_resource_policies; r < end; r++)
		if (str_eq(str_c((*r)->service), name))
			return *r;
	return NULL;
}

/* *decisive: the resource has a policy without which nothing is allowed. */
static policy_answer ask_resource(court *c, const txn *tx, bool *decisive)
{
	const resource_policy *source = resource_source(c->q.resource);
	str wrong, document = source ? source->find(tx, c->rq->mem, c->q.action, c->q.resource) : STR_NONE;
	*decisive = document.n && source->decisive;
	policy *p = document.n ? policy_parse(c->rq->mem, document, POLICY_RESOURCE, &wrong) : NULL;
	if (!p)
		return (policy_answer){ 0 };
	p->name = S("the resource's policy");
	return ask_one(c, p);
}

static void find_identity(court *c, const txn *tx, identity_policies *out)
{
	if (c->rq->who.root || c->rq->who.anonymous || c->rq->who.internal)
		return;
	const identity_source *const *end = __stop_farthing_identities;
	for (const identity_source *const *s = __start_farthing_identities; s < end; s++)
		(*s)->find(tx, c->rq->mem, &c->rq->who, out);
}

/* A grant by the resource's own policy that needs nothing from the caller's side. */
static bool direct_grant(const court *c, const policy_answer *resource)
{
	if (!resource->allowed || resource->naming <= NAMED_ACCOUNT)
		return false;
	bool session = str_is(c->who.role);
	return !session || resource->naming == NAMED_ITSELF;
}

static decision weigh(court *c, const identity_policies *own, policy_answer resource, bool decisive)
{
	const caller *who = &c->rq->who;
	bool any_session = false;
	policy_answer identity = ask_all(c, own->policies, own->n);
	policy_answer boundary = own->boundary ? ask_one(c, own->boundary) : (policy_answer){ 0 };
	policy_answer session = { 0 };
	if (who->key && str_is(who->key->SessionPolicy))
		session = ask_session(c, who->key->SessionPolicy, &any_session);
	if (identity.denied)
		return denied_by(c, identity.denied, "an identity-based policy");
	if (resource.denied)
		return denied_by(c, resource.denied, "a resource-based policy");
	if (boundary.denied)
		return denied_by(c, boundary.denied, "a permissions boundary");
	if (session.denied)
		return denied_by(c, session.denied, "a session policy");

	str owner = arn_part(c->q.resource, 4);
	bool foreign = owner.n == 12 && !str_eq(owner, who->account);
	if (who->anonymous || who->internal)
		return resource.allowed && resource.naming > NAMED_ACCOUNT ?
			       allowed(c, resource.allowed) : not_allowed(c, "resource-based policy");
	if (foreign || decisive) {
		if (!resource.allowed)
			return not_allowed(c, "resource-based policy");
		if (!foreign && direct_grant(c, &resource))
			return allowed(c, resource.allowed);
	}
	if (who->root)
		return allowed(c, resource.allowed);
	if (!foreign && direct_grant(c, &resource))
		return allowed(c, resource.allowed);
	bool granted = !foreign && resource.allowed && resource.naming > NAMED_ACCOUNT;
	if (!identity.allowed && !granted)
		return not_allowed(c, "identity-based policy");
	if (own->boundary && !boundary.allowed)
		return not_allowed(c, "permissions boundary");
	if (any_session && !session.allowed)
		return not_allowed(c, "session policy");
	return allowed(c, identity.allowed ? identity.allowed : resource.allowed);
}

static policy_key *tag_keys(court *c, policy_key *k, const identity_policies *own)
{
	for (const policy_key *t = own->tags; t; t = t->next)
		k = policy_key_add(c->rq->mem, k, t->name, t->v[0]);
	const json_value *tags = c->rq->who.key && str_is(c->rq->who.key->SessionTags) ?
					 json_parse(c->rq->mem, c->rq->who.key->SessionTags) : NULL;
	for (const json_value *t = tags ? tags->first : NULL; t; t = t->next)
		k = policy_key_add(c->rq->mem, k,
		                   arena_fmt(c->rq->mem, "aws:PrincipalTag/%.*s", STR_ARG(t->key)), t->text);
	return k;
}

decision decide(req *rq, const txn *tx, str action, str resource, policy_key *more)
{
	court c = { .rq = rq, .who = principal_of(&rq->who) };
	identity_policies own = { 0 };
	c.d = (decision){ .action = action, .resource = resource };
	c.q = (policy_question){ .action = action, .resource = resource, .who = &c.who };
	find_identity(&c, tx, &own);
	str owner = arn_part(resource, 4);
	if (owner.n == 12)
		more = policy_key_add(rq->mem, more, S("aws:ResourceAccount"), owner);
	c.q.keys = tag_keys(&c, request_keys(rq, more), &own);
	bool decisive;
	policy_answer by_resource = ask_resource(&c, tx, &decisive);
	if (own.gone)
		return not_allowed(&c, "identity-based policy");
	return weigh(&c, &own, by_resource, decisive);
}

err authorise(req *rq, const txn *tx, str action, str resource, policy_key *more, decision *d)
{
	*d = decide(rq, tx, action, resource, more);
	if (d->allowed)
		return OK;
	return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
	            "User: %.*s is not authorized to perform: %.*s on resource: %.*s %.*s", STR_ARG(rq->who.arn),
	            STR_ARG(action), STR_ARG(resource), STR_ARG(d->why));
}
