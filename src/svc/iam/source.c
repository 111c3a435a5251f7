/*
 * What the evaluator (cloud/authorise.h) wants to know from IAM: which policies a caller has, and whom a role
 * trusts.
 */
#include "cloud/authorise.h"
#include "cloud/credential.h"
#include "entity.h"
#include "source.h"

typedef struct gathered {
	const txn *tx;
	arena *mem;
	str account;
	named_policy *v;
	size_t n, room;
} gathered;

static void gather(gathered *g, str name, str document)
{
	str wrong;
	const policy *p = policy_parse(g->mem, document, POLICY_IDENTITY, &wrong);
	if (!p)
		return;
	if (g->n == g->room) {
		size_t room = g->room ? g->room * 2 : 16;
		named_policy *wider = arena_array(g->mem, named_policy, room);
		if (g->n)
			memcpy(wider, g->v, g->n * sizeof *wider);
		g->v = wider;
		g->room = room;
	}
	g->v[g->n++] = (named_policy){ p, name };
}

static void gather_holder(gathered *g, const iam_attachedPoliciesListType *attached,
                          const iam_policyDetailListType *inlined)
{
	managed m;
	for (size_t i = 0; i < attached->n; i++)
		if (iam_policy_of(g->tx, g->mem, g->account, attached->v[i].PolicyArn, &m))
			gather(g, m.it->Arn, m.document);
	for (size_t i = 0; i < inlined->n; i++)
		gather(g, inlined->v[i].PolicyName, inlined->v[i].PolicyDocument);
}

static const policy *boundary_of(gathered *g, const iam_AttachedPermissionsBoundary *b)
{
	managed m;
	if (!b)
		return NULL;
	bool there = iam_policy_of(g->tx, g->mem, g->account, b->PermissionsBoundaryArn, &m);
	str wrong;
	const policy *p = there ? policy_parse(g->mem, m.document, POLICY_IDENTITY, &wrong) : NULL;
	return p ? p : arena_new(g->mem, policy); /* a boundary that is gone bounds everything */
}

static policy_key *tags_of(arena *mem, const iam_tagListType *tags)
{
	policy_key *keys = NULL;
	for (size_t i = 0; i < tags->n; i++)
		keys = policy_key_add(mem, keys,
		                      arena_fmt(mem, "aws:PrincipalTag/%.*s", STR_ARG(tags->v[i].Key)),
		                      tags->v[i].Value);
	return keys;
}

static void of_user(gathered *g, str name, identity_policies *out)
{
	iam_user *user = iam_user_get(g->tx, g->mem, g->account, iam_key(g->mem, name));
	if (!user) {
		out->gone = true;
		return;
	}
	gather_holder(g, &user->Attached, &user->Inline);
	record_scan s = iam_membership_scan(g->tx, g->mem, 2, g->account, user->Key, STR_NONE);
	for (iam_membership *m; (m = iam_membership_next(&s));) {
		iam_group *group = iam_group_get(g->tx, g->mem, g->account, m->Group);
		if (group)
			gather_holder(g, &group->Attached, &group->Inline);
	}
	out->boundary = boundary_of(g, user->It->PermissionsBoundary);
	out->tags = tags_of(g->mem, &user->It->Tags);
}

/* Nobody calls as a group; the simulator asks. */
static void of_group(gathered *g, str name, identity_policies *out)
{
	iam_group *group = iam_group_get(g->tx, g->mem, g->account, iam_key(g->mem, name));
	out->gone = !group;
	if (group)
		gather_holder(g, &group->Attached, &group->Inline);
}

static void of_role(gathered *g, str arn, identity_policies *out)
{
	iam_role *role = iam_role_get(g->tx, g->mem, g->account, iam_key(g->mem, iam_arn_name(arn)));
	if (!role || !str_eq(role->It->Arn, arn)) {
		out->gone = true;
		return;
	}
	gather_holder(g, &role->Attached, &role->Inline);
	out->boundary = boundary_of(g, role->It->PermissionsBoundary);
	out->tags = tags_of(g->mem, &role->It->Tags);
}

void iam_identity(const txn *tx, arena *mem, str account, str arn, identity_policies *out)
{
	gathered g = { .tx = tx, .mem = mem, .account = account };
	size_t user = str_find(arn, S(":user/"));
	if (user != SIZE_MAX)
		of_user(&g, iam_arn_name(arn), out);
	else if (str_find(arn, S(":role/")) != SIZE_MAX)
		of_role(&g, arn, out);
	else if (str_find(arn, S(":group/")) != SIZE_MAX)
		of_group(&g, iam_arn_name(arn), out);
	else if (!str_ends(arn, S(":root")))
		out->gone = true;
	out->policies = g.v;
	out->n = g.n;
}

/* A session acts with its role's policies, a federated user with those of whoever federated it. */
static str subject_of(const caller *who)
{
	if (who->key && str_is(who->key->Role))
		return who->key->Role;
	return who->key && str_is(who->key->Federator) ? who->key->Federator : who->arn;
}
IDENTITY_SOURCE(iam, iam_version, subject_of, iam_identity);

static str trust_of(const txn *tx, arena *mem, str action, str arn)
{
	str rest = arn, account = STR_NONE;
	if (str_find(arn, S(":role/")) == SIZE_MAX || action.n < 4 ||
	    !str_eq_nocase(str_sub(action, 0, 4), S("sts:")))
		return STR_NONE;
	for (int i = 0; i < 5 && str_is(rest); i++)
		account = str_cut(&rest, ':');
	iam_role *role = iam_role_get(tx, mem, account, iam_key(mem, iam_arn_name(arn)));
	return role && str_eq(role->It->Arn, arn) ? role->It->AssumeRolePolicyDocument : STR_NONE;
}
RESOURCE_POLICY(iam, trust_of, true);
