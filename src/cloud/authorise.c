#include "cloud/authorise.h"
#include "cloud/auth.h"
#include "cloud/credential.h"
#include "cloud/policy_cache.h"

extern const identity_source *const __start_farthing_identities[] __attribute__((weak));
extern const identity_source *const __stop_farthing_identities[] __attribute__((weak));
extern const resource_owner *const __start_farthing_resource_owners[] __attribute__((weak));
extern const resource_owner *const __stop_farthing_resource_owners[] __attribute__((weak));
extern const resource_policy *const __start_farthing_resource_policies[] __attribute__((weak));
extern const resource_policy *const __stop_farthing_resource_policies[] __attribute__((weak));

typedef struct court {
	asking a;
	decision d;
} court;

/* What several policies say together, and which of them. */
typedef struct verdict {
	policy_answer says;
	str denied_by, allowed_by;
} verdict;

static str statement_name(court *c, str policy_name, const policy_statement *s)
{
	arena *mem = c->a.rq->mem;
	if (s->sid.n)
		return arena_fmt(mem, "%.*s, statement %.*s", STR_ARG(policy_name), STR_ARG(s->sid));
	return arena_fmt(mem, "%.*s, statement %zu", STR_ARG(policy_name), s->index + 1);
}

static decision denied_by(court *c, const verdict *v, const char *kind)
{
	c->d.denied = true;
	c->d.why = arena_fmt(c->a.rq->mem, "with an explicit deny in %s", kind);
	c->d.by = statement_name(c, v->denied_by, v->says.denied);
	return c->d;
}

static decision not_allowed(court *c, const char *kind)
{
	c->d.why = arena_fmt(c->a.rq->mem, "because no %s allows the %.*s action", kind,
	                     STR_ARG(c->a.q.action));
	return c->d;
}

static decision allowed(court *c, const verdict *v)
{
	c->d.allowed = true;
	c->d.why = S("root");
	if (v->says.allowed) {
		c->d.by = statement_name(c, v->allowed_by, v->says.allowed);
		c->d.why = arena_fmt(c->a.rq->mem, "%.*s allows", STR_ARG(c->d.by));
	}
	return c->d;
}

static void ask(court *c, const policy *p, str name, verdict *all)
{
	policy_answer one = policy_ask(c->a.rq->mem, p, &c->a.q);
	if (!all->says.denied && one.denied) {
		all->says.denied = one.denied;
		all->denied_by = name;
	}
	if (!all->says.allowed && one.allowed) {
		all->says.allowed = one.allowed;
		all->says.naming = one.naming;
		all->allowed_by = name;
	}
}

/* Session policies are documents one after another, one a line; together they count as one policy set. */
static verdict ask_session(court *c, str documents, bool *any)
{
	verdict all = { 0 };
	*any = false;
	while (str_is(documents)) {
		str text = str_cut(&documents, '\n');
		const policy *p = text.n ? policy_cached(c->a.rq->mem, text, POLICY_IDENTITY) : NULL;
		if (!p)
			continue;
		*any = true;
		ask(c, p, S("the session policy"), &all);
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

/* STR_NONE: nobody's in particular. */
static str owner_of(court *c)
{
	str arn = c->a.q.resource, owner = arn_part(arn, 4), name = arn_part(arn, 2);
	if (owner.n == 12)
		return owner;
	const resource_owner *const *end = __stop_farthing_resource_owners;
	for (const resource_owner *const *o = __start_farthing_resource_owners; o < end && str_is(name); o++)
		if (str_eq(str_c((*o)->service), name))
			return (*o)->find(c->a.tx, c->a.rq->mem, arn);
	return STR_NONE;
}

/* *decisive: the resource has a policy without which nothing is allowed. */
static verdict ask_resource(court *c, bool *decisive)
{
	arena *mem = c->a.rq->mem;
	verdict v = { 0 };
	const resource_policy *source = resource_source(c->a.q.resource);
	str document = source ? source->find(c->a.tx, mem, c->a.q.action, c->a.q.resource) : STR_NONE;
	*decisive = document.n && source->decisive;
	const policy *p = document.n ? policy_cached(mem, document, POLICY_RESOURCE) : NULL;
	if (p)
		ask(c, p, S("the resource's policy"), &v);
	return v;
}

/* Root, services and strangers have none of their own. */
static bool has_policies(const caller *who)
{
	return !who->root && !who->anonymous && !who->internal;
}

static const identity_policies *find_identity(court *c)
{
	static const identity_policies none;
	const caller *who = &c->a.rq->who;
	if (!has_policies(who))
		return &none;
	ensure(__stop_farthing_identities - __start_farthing_identities == 1);
	return identity_cached(__start_farthing_identities[0], c->a.tx, who);
}

/* A grant by the resource's own policy that needs nothing from the caller's side. */
static bool direct_grant(const court *c, const verdict *resource)
{
	if (!resource->says.allowed || resource->says.naming <= NAMED_ACCOUNT)
		return false;
	bool is_session = str_is(c->a.who.role);
	return !is_session || resource->says.naming == NAMED_ITSELF;
}

typedef struct opinions {
	verdict identity, resource, boundary, session;
	bool bounded, narrowed; /* there is a boundary; there are session policies */
	bool decisive;          /* the resource's policy */
} opinions;

static void hear(court *c, const identity_policies *own, opinions *o)
{
	const caller *who = &c->a.rq->who;
	for (size_t i = 0; i < own->n; i++)
		ask(c, own->policies[i].it, own->policies[i].name, &o->identity);
	o->bounded = own->boundary != NULL;
	if (o->bounded)
		ask(c, own->boundary, S("the permissions boundary"), &o->boundary);
	if (who->key && str_is(who->key->SessionPolicy))
		o->session = ask_session(c, who->key->SessionPolicy, &o->narrowed);
	o->resource = ask_resource(c, &o->decisive);
}

static decision weigh(court *c, const opinions *o)
{
	const caller *who = &c->a.rq->who;
	if (o->identity.says.denied)
		return denied_by(c, &o->identity, "an identity-based policy");
	if (o->resource.says.denied)
		return denied_by(c, &o->resource, "a resource-based policy");
	if (o->boundary.says.denied)
		return denied_by(c, &o->boundary, "a permissions boundary");
	if (o->session.says.denied)
		return denied_by(c, &o->session, "a session policy");

	str owner = owner_of(c);
	bool foreign = str_is(owner) && !str_eq(owner, who->account);
	bool direct = direct_grant(c, &o->resource);
	if (who->anonymous || who->internal)
		return direct ? allowed(c, &o->resource) : not_allowed(c, "resource-based policy");
	if ((foreign || o->decisive) && !o->resource.says.allowed)
		return not_allowed(c, "resource-based policy");
	if (who->root || (!foreign && direct))
		return allowed(c, &o->resource);
	/* A policy that names the session's role grants like one of the role's own: what bounds it counts. */
	bool granted = !foreign && o->resource.says.allowed && o->resource.says.naming > NAMED_ACCOUNT;
	if (!o->identity.says.allowed && !granted)
		return not_allowed(c, "identity-based policy");
	if (o->bounded && !o->boundary.says.allowed)
		return not_allowed(c, "permissions boundary");
	if (o->narrowed && !o->session.says.allowed)
		return not_allowed(c, "session policy");
	return allowed(c, o->identity.says.allowed ? &o->identity : &o->resource);
}

/* The identity's tags; a session's own hide the role's. */
static void take_tags(asking *a, const identity_policies *own)
{
	const policy_key *k = own->tags;
	arena *mem = a->rq->mem;
	const credential *key = a->rq->who.key;
	const json_value *tags = key && str_is(key->SessionTags) ? json_parse(mem, key->SessionTags) : NULL;
	for (const json_value *t = tags ? tags->first : NULL; t; t = t->next)
		k = policy_key_add(mem, k, arena_fmt(mem, "aws:PrincipalTag/%.*s", STR_ARG(t->key)), t->text);
	a->tags = k;
	a->tags_known = true;
}

void asking_tags(asking *a)
{
	identity_policies own = { 0 };
	const caller *who = &a->rq->who;
	const identity_source *s = __start_farthing_identities[0];
	if (a->tx && has_policies(who))
		s->find(a->tx, a->rq->mem, who->account, s->subject(who), &own);
	take_tags(a, &own);
}

static decision decide_on(req *rq, const txn *tx, str action, str resource, const void *in,
                          const policy_key *more)
{
	court c = { .d = { .action = action, .resource = resource } };
	opinions o = { 0 };
	asking_open(&c.a, rq, tx, action, resource, more);
	c.a.in = in;
	policy_cache_hold();
	const identity_policies *own = find_identity(&c);
	take_tags(&c.a, own);
	if (own->gone) {
		not_allowed(&c, "identity-based policy");
	} else {
		hear(&c, own, &o);
		weigh(&c, &o);
	}
	policy_cache_release();
	return c.d;
}

decision decide(req *rq, const txn *tx, str action, str resource, const policy_key *more)
{
	return decide_on(rq, tx, action, resource, NULL, more);
}

/* S3 quotes the resource; nobody else does. */
str denial_text(req *rq, const decision *d)
{
	bool s3 = str_starts(d->action, S("s3:"));
	const char *quote = s3 ? "\"" : "";
	return arena_fmt(rq->mem, "User: %.*s is not authorized to perform: %.*s on resource: %s%.*s%s %.*s",
	                 STR_ARG(rq->who.arn), STR_ARG(d->action), quote, STR_ARG(d->resource), quote,
	                 STR_ARG(d->why));
}

static err judged(req *rq, const decision *d)
{
	if (d->allowed)
		return OK;
	const fault_kind *kind = auth_fault_kind(rq, AUTH_DENIED);
	str text = denial_text(rq, d);
	if (strcmp(kind->code, "UnauthorizedOperation") != 0)
		return fail(rq, kind, "%.*s", STR_ARG(text));
	return fail(rq, kind,
	            "You are not authorized to perform this operation. %.*s. Encoded authorization failure "
	            "message: %.*s", STR_ARG(text), STR_ARG(denial_sealed(rq, d)));
}

err authorise(req *rq, const txn *tx, str action, str resource, const policy_key *more, decision *d)
{
	*d = decide(rq, tx, action, resource, more);
	return judged(rq, d);
}

err authorise_input(req *rq, const txn *tx, str action, str resource, const void *in, decision *d)
{
	*d = decide_on(rq, tx, action, resource, in, NULL);
	return judged(rq, d);
}
