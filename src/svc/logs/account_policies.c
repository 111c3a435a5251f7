/*
 * Policies of the account that hold for its groups, present and future: data protection, a subscription,
 * field indexes. Which groups it is say the selection criteria.
 */
#include "base/json.h"
#include "index.h"
#include "protection.h"

#define PREFIX_POLICIES_MAX 20

/* LogGroupName NOT IN ["a", "b"], LogGroupNamePrefix = "a", LogGroupNamePrefix IN ["a"]: what it speaks of,
 * its texts, whether it excludes them. */
typedef struct criteria {
	bool prefix, exclude;
	const json_value *texts;
} criteria;

static bool word_off(str *s, str word)
{
	*s = str_trim(*s);
	if (!str_eq_nocase(str_sub(*s, 0, word.n), word))
		return false;
	*s = str_trim(str_sub(*s, word.n, s->n));
	return true;
}

static bool criteria_read(arena *mem, str text, criteria *c)
{
	*c = (criteria){ .prefix = word_off(&text, S("LogGroupNamePrefix")) };
	if (!c->prefix && !word_off(&text, S("LogGroupName")))
		return false;
	c->exclude = word_off(&text, S("NOT IN"));
	if (!c->exclude && !word_off(&text, S("IN")) && (word_off(&text, S("==")) || word_off(&text, S("="))))
		text = arena_fmt(mem, "[%.*s]", STR_ARG(text));
	c->texts = json_parse(mem, text);
	if (!c->texts || c->texts->kind != JSON_ARRAY || !c->texts->first)
		return false;
	for (const json_value *v = c->texts->first; v; v = v->next)
		if (v->kind != JSON_STRING)
			return false;
	return true;
}

bool account_policy_holds(arena *mem, const logs_accountpolicy *p, str group)
{
	criteria c;
	if (!p->Criteria.n)
		return true;
	if (!criteria_read(mem, p->Criteria, &c))
		return false;
	bool named = false;
	for (const json_value *v = c.texts->first; v; v = v->next)
		named = named || (c.prefix ? str_starts(group, v->text) : str_eq(group, v->text));
	return named != c.exclude;
}

logs_accountpolicy *account_policy_only(const txn *tx, arena *mem, str account, str region, str type)
{
	record_scan s = logs_accountpolicy_scan(tx, mem, 3, account, region, type, STR_NONE);
	logs_accountpolicy *p = logs_accountpolicy_next(&s);
	cursor_close(&s.at);
	return p;
}

static logs_AccountPolicy shown(const req *rq, const logs_accountpolicy *p)
{
	return (logs_AccountPolicy){ .policyName = p->Name, .policyDocument = p->Document,
		.lastUpdatedTime = I64(p->Updated), .policyType = p->Type, .scope = logs_Scope_ALL,
		.selectionCriteria = p->Criteria, .accountId = rq->who.account };
}

static err check_criteria(req *rq, const logs_PutAccountPolicy_in *in, bool prefix)
{
	criteria c;
	if (!in->selectionCriteria.n)
		return OK;
	if (!criteria_read(rq->mem, in->selectionCriteria, &c))
		return fail(rq, &logs_InvalidParameterException, "Invalid selection criteria: %.*s",
		            STR_ARG(in->selectionCriteria));
	if (c.prefix != prefix || c.exclude == prefix)
		return fail(rq, &logs_InvalidParameterException,
		            "The selection criteria of a policy of the type %.*s are %s.", STR_ARG(in->policyType),
		            prefix ? "LogGroupNamePrefix" : "LogGroupName NOT IN []");
	return OK;
}

/* {"DestinationArn": .., "FilterPattern": .., "Distribution": ..} */
static err check_subscription(req *rq, const logs_PutAccountPolicy_in *in)
{
	const json_value *v = json_parse(rq->mem, in->policyDocument);
	logs_subscription s;
	if (!v || v->kind != JSON_OBJECT || !subscription_of_policy(v, &s))
		return fail(rq, &logs_InvalidParameterException,
		            "The policy document of a subscription has a DestinationArn and a FilterPattern.");
	TRY(check_criteria(rq, in, false));
	return subscription_check(rq, S("*"), &s);
}

static err check_document(req *rq, const txn *tx, const logs_PutAccountPolicy_in *in)
{
	if (str_eq(in->policyType, logs_PolicyType_DATA_PROTECTION_POLICY)) {
		if (in->selectionCriteria.n)
			return fail(rq, &logs_InvalidParameterException,
			            "A data protection policy has no selection criteria.");
		return protection_check(rq, tx, in->policyDocument);
	}
	if (str_eq(in->policyType, logs_PolicyType_FIELD_INDEX_POLICY)) {
		TRY(check_criteria(rq, in, true));
		return index_check(rq, in->policyDocument);
	}
	return OK;
}

static err keep(req *rq, txn *tx, void *context)
{
	const logs_PutAccountPolicy_in *in = context;
	size_t others = 0;
	TRY(check_document(rq, tx, in));
	record_scan s = logs_accountpolicy_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->policyType,
	                                        STR_NONE);
	for (logs_accountpolicy *p; (p = logs_accountpolicy_next(&s));)
		others += !str_eq(p->Name, in->policyName);
	bool several = str_eq(in->policyType, logs_PolicyType_FIELD_INDEX_POLICY);
	if (others >= (several ? PREFIX_POLICIES_MAX : 1))
		return fail(rq, &logs_LimitExceededException, "Resource limit exceeded.");
	logs_accountpolicy_put(tx, &(logs_accountpolicy){ .Account = rq->who.account, .Region = rq->region,
		.Type = in->policyType, .Name = in->policyName, .Document = in->policyDocument, .Updated = rq->now,
		.Criteria = in->selectionCriteria });
	return OK;
}

err logs_PutAccountPolicy(req *rq, const logs_PutAccountPolicy_in *in, logs_PutAccountPolicy_out *out)
{
	if (!in->policyName.n || in->policyName.n > 256)
		return fail(rq, &logs_InvalidParameterException, "A policy's name has 1 to 256 characters.");
	if (str_eq(in->policyType, logs_PolicyType_TRANSFORMER_POLICY) ||
	    str_eq(in->policyType, logs_PolicyType_METRIC_EXTRACTION_POLICY))
		return fail(rq, &aws_NotImplemented, "Account policies of the type %.*s are not implemented.",
		            STR_ARG(in->policyType));
	if (str_eq(in->policyType, logs_PolicyType_SUBSCRIPTION_FILTER_POLICY))
		TRY(check_subscription(rq, in));
	TRY(req_write(rq, keep, (void *)(uintptr_t)in));
	out->accountPolicy = arena_new(rq->mem, logs_AccountPolicy);
	*out->accountPolicy = shown(rq, &(logs_accountpolicy){ .Type = in->policyType, .Name = in->policyName,
		.Document = in->policyDocument, .Updated = rq->now, .Criteria = in->selectionCriteria });
	return OK;
}

err logs_DeleteAccountPolicy(req *rq, txn *tx, const logs_DeleteAccountPolicy_in *in,
                             logs_DeleteAccountPolicy_out *out)
{
	if (!logs_accountpolicy_delete(tx, rq->who.account, rq->region, in->policyType, in->policyName))
		return fail(rq, &logs_ResourceNotFoundException, "Policy with name [%.*s] does not exist.",
		            STR_ARG(in->policyName));
	return OK;
}

err logs_DescribeAccountPolicies(req *rq, const txn *tx, const logs_DescribeAccountPolicies_in *in,
                                 logs_DescribeAccountPolicies_out *out)
{
	for (size_t i = 0; i < in->accountIdentifiers.n; i++)
		if (!str_eq(in->accountIdentifiers.v[i], rq->who.account))
			return fail(rq, &aws_NotImplemented, "Policies of other accounts are not implemented.");
	if (str_is(in->nextToken))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
	out->accountPolicies.v = arena_array(rq->mem, logs_AccountPolicy, PREFIX_POLICIES_MAX);
	record_scan s = logs_accountpolicy_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->policyType,
	                                        STR_NONE);
	for (logs_accountpolicy *p; (p = logs_accountpolicy_next(&s));)
		if (!str_is(in->policyName) || str_eq(p->Name, in->policyName))
			out->accountPolicies.v[out->accountPolicies.n++] = shown(rq, p);
	if (str_is(in->policyName) && !out->accountPolicies.n)
		return fail(rq, &logs_ResourceNotFoundException, "Policy with name [%.*s] does not exist.",
		            STR_ARG(in->policyName));
	return OK;
}
