/* Resource policies: what lets other services write into the groups of an account, or of one group. */
#include "base/json.h"
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "logs.h"
#include "sys/rand.h"

#define DOCUMENTS_MAX ((size_t)1 << 20)

static logs_ResourcePolicy *shown(req *rq, const logs_policy *p)
{
	logs_ResourcePolicy *r = arena_new(rq->mem, logs_ResourcePolicy);
	*r = (logs_ResourcePolicy){ .policyDocument = p->Document, .lastUpdatedTime = I64(p->Updated),
		.policyScope = p->Resource.n ? logs_PolicyScope_RESOURCE : logs_PolicyScope_ACCOUNT };
	if (p->Resource.n) {
		r->resourceArn = p->Resource;
		r->revisionId = p->Revision;
	} else {
		r->policyName = p->Name;
	}
	return r;
}

/* A policy is named, or it is that of a resource. */
static err policy_key_of(req *rq, const txn *tx, str name, str resource, logs_policy *key)
{
	logs_group *g;
	if (str_is(name) == str_is(resource))
		return fail(rq, &logs_InvalidParameterException,
		            "Either policyName or resourceArn must be given, and not both.");
	if (str_is(resource))
		TRY(group_find(rq, tx, STR_NONE, resource, &g));
	*key = (logs_policy){ .Account = rq->who.account, .Region = rq->region,
		                  .Resource = str_is(resource) ? group_arn(rq, g->Name) : S(""),
		                  .Name = str_is(name) ? name : S("") };
	return OK;
}

static err revision_check(req *rq, const logs_policy *before, str expected)
{
	if (!str_is(expected) || (before && str_eq(before->Revision, expected)))
		return OK;
	return fail(rq, &logs_OperationAbortedException, "The policy's revision is not the expected one.");
}

err logs_PutResourcePolicy(req *rq, txn *tx, const logs_PutResourcePolicy_in *in,
                           logs_PutResourcePolicy_out *out)
{
	logs_policy p;
	str wrong;
	TRY(policy_key_of(rq, tx, in->policyName, in->resourceArn, &p));
	if (!str_is(in->policyDocument))
		return fail(rq, &logs_InvalidParameterException, "policyDocument cannot be empty");
	if (!policy_parse(rq->mem, in->policyDocument, POLICY_RESOURCE, &wrong))
		return fail(rq, &logs_InvalidParameterException, "%.*s", STR_ARG(wrong));
	const logs_policy *before = logs_policy_get(tx, rq->mem, p.Account, p.Region, p.Resource, p.Name);
	TRY(revision_check(rq, before, in->expectedRevisionId));
	size_t others = 0;
	record_scan s = logs_policy_scan(tx, rq->mem, 3, p.Account, p.Region, p.Resource, STR_NONE);
	while (logs_policy_next(&s))
		others++;
	if (!before && others >= LOGS_POLICIES_MAX)
		return fail(rq, &logs_LimitExceededException, "Resource limit exceeded.");
	p.Document = in->policyDocument;
	p.Updated = rq->now;
	p.Revision = rand_uuid(rq->mem);
	logs_policy_put(tx, &p);
	out->resourcePolicy = shown(rq, &p);
	if (p.Resource.n)
		out->revisionId = p.Revision;
	return OK;
}

err logs_DeleteResourcePolicy(req *rq, txn *tx, const logs_DeleteResourcePolicy_in *in,
                              logs_DeleteResourcePolicy_out *out)
{
	logs_policy p;
	TRY(policy_key_of(rq, tx, in->policyName, in->resourceArn, &p));
	const logs_policy *before = logs_policy_get(tx, rq->mem, p.Account, p.Region, p.Resource, p.Name);
	if (!before)
		return fail(rq, &logs_ResourceNotFoundException, "Policy with name [%.*s] does not exist.",
		            STR_ARG(p.Resource.n ? p.Resource : p.Name));
	TRY(revision_check(rq, before, in->expectedRevisionId));
	logs_policy_delete(tx, p.Account, p.Region, p.Resource, p.Name);
	return OK;
}

err logs_DescribeResourcePolicies(req *rq, const txn *tx, const logs_DescribeResourcePolicies_in *in,
                                  logs_DescribeResourcePolicies_out *out)
{
	size_t page = in->limit.set ? (size_t)in->limit.v : LOGS_POLICIES_MAX;
	str resource = S("");
	logs_group *g;
	if (str_is(in->resourceArn)) {
		TRY(group_find(rq, tx, STR_NONE, in->resourceArn, &g));
		resource = group_arn(rq, g->Name);
	} else if (str_eq(in->policyScope, logs_PolicyScope_RESOURCE)) {
		return fail(rq, &logs_InvalidParameterException, "resourceArn must be given for the scope RESOURCE.");
	}
	record_scan s = logs_policy_scan(tx, rq->mem, 3, rq->who.account, rq->region, resource, STR_NONE);
	TRY(scan_goes_on(rq, in->nextToken, &s));
	out->resourcePolicies.v = arena_array(rq->mem, logs_ResourcePolicy, page);
	str last = STR_NONE;
	for (logs_policy *p; (p = logs_policy_next(&s)); last = p->Name) {
		if (out->resourcePolicies.n == page) {
			out->nextToken = page_token(rq, last);
			break;
		}
		out->resourcePolicies.v[out->resourcePolicies.n++] = *shown(rq, p);
	}
	cursor_close(&s.at);
	return OK;
}

void policies_drop(txn *tx, arena *mem, const logs_group *g, str arn)
{
	record_scan s = logs_policy_scan(tx, mem, 3, g->Account, g->Region, arn, STR_NONE);
	for (logs_policy *p; (p = logs_policy_next(&s));)
		logs_policy_delete(tx, p->Account, p->Region, p->Resource, p->Name);
}

static void put_statements(buf *b, const txn *tx, arena *mem, const arn_parts *a, str resource)
{
	record_scan s = logs_policy_scan(tx, mem, 3, a->account, a->region, resource, STR_NONE);
	for (logs_policy *p; (p = logs_policy_next(&s));) {
		const json_value *all = json_get(json_parse(mem, p->Document), S("Statement"));
		bool list = all && all->kind == JSON_ARRAY;
		for (const json_value *v = list ? all->first : all; v; v = list ? v->next : NULL) {
			if (b->n && b->p[b->n - 1] != '[')
				buf_c(b, ',');
			json_write(b, v);
		}
	}
}

/* All that speak of a group, as one document. */
static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return STR_NONE;
	buf b = buf_in(mem, 1024, DOCUMENTS_MAX);
	str rest = a.resource, kind = str_cut(&rest, ':'), name = str_is(rest) ? str_cut(&rest, ':') : S("");
	buf_put(&b, S("{\"Version\":\"2012-10-17\",\"Statement\":["));
	size_t empty = b.n;
	put_statements(&b, tx, mem, &a, S(""));
	if (str_eq(kind, S("log-group")))
		put_statements(&b, tx, mem, &a, arena_fmt(mem, "arn:aws:logs:%.*s:%.*s:log-group:%.*s",
		                                          STR_ARG(a.region), STR_ARG(a.account), STR_ARG(name)));
	if (b.n == empty || b.full)
		return STR_NONE;
	buf_put(&b, S("]}"));
	return buf_str(&b);
}
RESOURCE_POLICY(logs, policy_of, false);
