/*
 * The policy simulator: the evaluator's answers without a request, for policies given or those of a user,
 * group or role.
 */
#include "cloud/authorise.h"
#include "entity.h"
#include "source.h"

typedef struct simulation {
	req *rq;
	named_policy *policies;
	size_t n;
	const policy *boundary;      /* asked when has_boundary */
	named_policy *boundaries;
	size_t n_boundaries;
	bool has_boundary;
	const policy *resource_policy;
	str owner;                   /* account of the resource; STR_NONE: the caller's */
	policy_principal who;
	policy_key *keys;
} simulation;

/* The parts SimulateCustomPolicy and SimulatePrincipalPolicy have in common. */
typedef struct question {
	const iam_SimulationPolicyListType *policies, *boundaries;
	const iam_ActionNameListType *actions;
	const iam_ResourceNameListType *resources;
	const iam_ContextEntryListType *context;
	str resource_policy, owner, caller;
	str marker;
	opt_i64 most;
} question;

static err parse_list(simulation *s, const iam_SimulationPolicyListType *texts, const char *name,
                      named_policy **out, size_t *n)
{
	str wrong;
	named_policy *v = arena_array(s->rq->mem, named_policy, texts->n + *n + 1);
	if (*n)
		memcpy(v, *out, *n * sizeof *v);
	for (size_t i = 0; i < texts->n; i++) {
		policy *p = policy_parse(s->rq->mem, texts->v[i], POLICY_IDENTITY, &wrong);
		if (!p)
			return fail(s->rq, &iam_InvalidInputException, "Invalid Entity in Policy %s.%zu: %.*s", name,
			            i + 1, STR_ARG(wrong));
		v[(*n)++] = (named_policy){ p, arena_fmt(s->rq->mem, "%s.%zu", name, i + 1) };
	}
	*out = v;
	return OK;
}

static void add_context(simulation *s, const iam_ContextEntryListType *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		const iam_ContextEntry *e = &entries->v[i];
		s->keys = policy_key_add(s->rq->mem, s->keys, e->ContextKeyName, STR_NONE);
		s->keys->v = e->ContextKeyValues.v;
		s->keys->n = e->ContextKeyValues.n;
		s->keys->multivalued = str_ends(e->ContextKeyType, S("List"));
	}
}

static iam_Position *position(arena *mem, str text, size_t offset)
{
	iam_Position *p = arena_new(mem, iam_Position);
	int64_t line = 1, column = 1;
	for (size_t i = 0; i < offset && i < text.n; i++) {
		column++;
		if (text.p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	*p = (iam_Position){ .Line = I64(line), .Column = I64(column) };
	return p;
}

static void match(simulation *s, iam_StatementListType *list, const policy_statement *st, str name, str type)
{
	if (!st)
		return;
	list->v[list->n++] = (iam_Statement){
		.SourcePolicyId = name,
		.SourcePolicyType = type,
		.StartPosition = position(s->rq->mem, st->policy->text, st->start),
		.EndPosition = position(s->rq->mem, st->policy->text, st->end),
	};
}

static void missing_keys(simulation *s, const policy *p, iam_ContextKeyNamesResultListType *out)
{
	str *names;
	size_t n = policy_context_keys(s->rq->mem, p, &names);
	str *v = arena_array(s->rq->mem, str, out->n + n + 1);
	if (out->n)
		memcpy(v, out->v, out->n * sizeof *v);
	for (size_t i = 0; i < n; i++) {
		bool known = policy_key_find(s->keys, names[i]) != NULL;
		for (size_t k = 0; k < out->n && !known; k++)
			known = str_eq_nocase(v[k], names[i]);
		if (!known)
			v[out->n++] = names[i];
	}
	out->v = v;
}

typedef struct tally {
	bool denied, identity, boundary, resource, direct;
} tally;

static tally ask_everybody(simulation *s, const policy_question *q, iam_EvaluationResult *out)
{
	tally t = { .boundary = !s->has_boundary };
	arena *mem = s->rq->mem;
	for (size_t i = 0; i < s->n; i++) {
		policy_answer a = policy_ask(mem, s->policies[i].it, q);
		t.denied |= a.denied != NULL;
		t.identity |= a.allowed != NULL;
		match(s, &out->MatchedStatements, a.denied ? a.denied : a.allowed, s->policies[i].name,
		      S("IAM Policy"));
		missing_keys(s, s->policies[i].it, &out->MissingContextValues);
	}
	for (size_t i = 0; i < s->n_boundaries; i++) {
		policy_answer a = policy_ask(mem, s->boundaries[i].it, q);
		t.denied |= a.denied != NULL;
		t.boundary |= a.allowed != NULL;
	}
	if (s->boundary) {
		policy_answer a = policy_ask(mem, s->boundary, q);
		t.denied |= a.denied != NULL;
		t.boundary |= a.allowed != NULL;
	}
	if (s->resource_policy) {
		policy_answer a = policy_ask(mem, s->resource_policy, q);
		t.denied |= a.denied != NULL;
		t.resource = a.allowed != NULL;
		t.direct = a.allowed && a.naming > NAMED_ACCOUNT;
		match(s, &out->MatchedStatements, a.denied ? a.denied : a.allowed, S("ResourcePolicy"),
		      S("Resource Policy"));
	}
	return t;
}

static void evaluate(simulation *s, str action, str resource, iam_EvaluationResult *out)
{
	policy_question q = { .action = action, .resource = resource, .who = &s->who, .keys = s->keys };
	arena *mem = s->rq->mem;
	*out = (iam_EvaluationResult){ .EvalActionName = action, .EvalResourceName = resource };
	out->MatchedStatements.v = arena_array(mem, iam_Statement, s->n + 1);
	out->MissingContextValues.v = arena_array(mem, str, 1);
	tally t = ask_everybody(s, &q, out);
	bool foreign = str_is(s->owner) && !str_eq(s->owner, s->who.account);
	bool allowed = foreign ? t.identity && t.resource && t.boundary :
				 t.direct || (t.identity && t.boundary);
	out->EvalDecision = t.denied ? iam_PolicyEvaluationDecisionType_explicitDeny :
			    allowed ? iam_PolicyEvaluationDecisionType_allowed :
				      iam_PolicyEvaluationDecisionType_implicitDeny;
	if (s->has_boundary) {
		out->PermissionsBoundaryDecisionDetail = arena_new(mem, iam_PermissionsBoundaryDecisionDetail);
		out->PermissionsBoundaryDecisionDetail->AllowedByPermissionsBoundary = BOOL(t.boundary);
	}
}

static str account_of(str arn)
{
	str part = STR_NONE;
	for (int i = 0; i < 5 && str_is(arn); i++)
		part = str_cut(&arn, ':');
	return part.n == 12 ? part : STR_NONE;
}

static err prepare(simulation *s, const question *q)
{
	str wrong;
	TRY(parse_list(s, q->policies, "PolicyInputList", &s->policies, &s->n));
	TRY(parse_list(s, q->boundaries, "PermissionsBoundaryPolicyInputList", &s->boundaries,
	               &s->n_boundaries));
	s->has_boundary = s->boundary || s->n_boundaries;
	if (str_is(q->resource_policy)) {
		policy *p = policy_parse(s->rq->mem, q->resource_policy, POLICY_RESOURCE, &wrong);
		if (!p)
			return fail(s->rq, &iam_InvalidInputException, "Invalid Entity in Policy ResourcePolicy: %.*s",
			            STR_ARG(wrong));
		s->resource_policy = p;
	}
	if (str_is(q->caller))
		s->who.arn = q->caller;
	s->who.account = str_is(account_of(s->who.arn)) ? account_of(s->who.arn) : s->rq->who.account;
	s->owner = account_of(q->owner);
	size_t user = str_find(s->who.arn, S(":user/"));
	if (user != SIZE_MAX)
		s->keys = policy_key_add(s->rq->mem, s->keys, S("aws:username"), iam_arn_name(s->who.arn));
	add_context(s, q->context);
	return OK;
}

static err simulate(simulation *s, const question *q, iam_EvaluationResultsListType *out, str *marker,
                    opt_bool *truncated)
{
	static const str anything = { "*", 1 };
	page_of page;
	int64_t first = 0;
	TRY(page_open(s->rq, q->marker, q->most, &page));
	TRY(prepare(s, q));
	if (str_is(page.after) && str_to_i64(page.after, &first))
		first++;
	size_t n_resources = q->resources->n ? q->resources->n : 1, total = q->actions->n * n_resources;
	size_t room = total < page.most ? total : page.most;
	out->v = arena_array(s->rq->mem, iam_EvaluationResult, room + 1);
	for (size_t i = (size_t)first; i < total; i++) {
		if (!page_take(&page, arena_fmt(s->rq->mem, "%zu", i)))
			break;
		str resource = q->resources->n ? q->resources->v[i % n_resources] : anything;
		evaluate(s, q->actions->v[i / n_resources], resource, &out->v[out->n++]);
	}
	page_close(s->rq, &page, marker, truncated);
	return OK;
}

err iam_SimulateCustomPolicy(req *rq, const txn *tx, const iam_SimulateCustomPolicy_in *in,
                             iam_SimulateCustomPolicy_out *out)
{
	simulation s = { .rq = rq, .who = { .account = rq->who.account, .arn = rq->who.arn } };
	question q = {
		.policies = &in->PolicyInputList, .boundaries = &in->PermissionsBoundaryPolicyInputList,
		.actions = &in->ActionNames, .resources = &in->ResourceArns, .context = &in->ContextEntries,
		.resource_policy = in->ResourcePolicy, .owner = in->ResourceOwner, .caller = in->CallerArn,
		.marker = in->Marker, .most = in->MaxItems,
	};
	return simulate(&s, &q, &out->EvaluationResults, &out->Marker, &out->IsTruncated);
}

err iam_SimulatePrincipalPolicy(req *rq, const txn *tx, const iam_SimulatePrincipalPolicy_in *in,
                                iam_SimulatePrincipalPolicy_out *out)
{
	identity_policies own = { 0 };
	iam_identity(tx, rq->mem, rq->who.account, in->PolicySourceArn, &own);
	if (own.gone)
		return fail(rq, &iam_NoSuchEntityException, "The entity %.*s cannot be found.",
		            STR_ARG(in->PolicySourceArn));
	simulation s = { .rq = rq, .who = { .account = rq->who.account, .arn = in->PolicySourceArn },
		         .boundary = own.boundary };
	s.policies = arena_array(rq->mem, named_policy, own.n + 1);
	if (own.n)
		memcpy(s.policies, own.policies, own.n * sizeof *s.policies);
	s.n = own.n;
	for (const policy_key *t = own.tags; t; t = t->next)
		s.keys = policy_key_add(rq->mem, s.keys, t->name, t->v[0]);
	question q = {
		.policies = &in->PolicyInputList, .boundaries = &in->PermissionsBoundaryPolicyInputList,
		.actions = &in->ActionNames, .resources = &in->ResourceArns, .context = &in->ContextEntries,
		.resource_policy = in->ResourcePolicy, .owner = in->ResourceOwner, .caller = in->CallerArn,
		.marker = in->Marker, .most = in->MaxItems,
	};
	return simulate(&s, &q, &out->EvaluationResults, &out->Marker, &out->IsTruncated);
}

err iam_GetContextKeysForCustomPolicy(req *rq, const txn *tx,
                                      const iam_GetContextKeysForCustomPolicy_in *in,
                                      iam_GetContextKeysForCustomPolicy_out *out)
{
	simulation s = { .rq = rq };
	iam_ContextKeyNamesResultListType names = { arena_array(rq->mem, str, 1), 0 };
	TRY(parse_list(&s, &in->PolicyInputList, "PolicyInputList", &s.policies, &s.n));
	for (size_t i = 0; i < s.n; i++)
		missing_keys(&s, s.policies[i].it, &names);
	out->ContextKeyNames = names;
	return OK;
}

err iam_GetContextKeysForPrincipalPolicy(req *rq, const txn *tx,
                                         const iam_GetContextKeysForPrincipalPolicy_in *in,
                                         iam_GetContextKeysForPrincipalPolicy_out *out)
{
	identity_policies own = { 0 };
	simulation s = { .rq = rq };
	iam_ContextKeyNamesResultListType names = { arena_array(rq->mem, str, 1), 0 };
	iam_identity(tx, rq->mem, rq->who.account, in->PolicySourceArn, &own);
	if (own.gone)
		return fail(rq, &iam_NoSuchEntityException, "The entity %.*s cannot be found.",
		            STR_ARG(in->PolicySourceArn));
	TRY(parse_list(&s, &in->PolicyInputList, "PolicyInputList", &s.policies, &s.n));
	for (size_t i = 0; i < own.n; i++)
		missing_keys(&s, own.policies[i].it, &names);
	for (size_t i = 0; i < s.n; i++)
		missing_keys(&s, s.policies[i].it, &names);
	out->ContextKeyNames = names;
	return OK;
}
