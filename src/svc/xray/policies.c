/* Resource policies: kept and told, each with the number of its revision. */
#include "cloud/policy.h"
#include "xray.h"

static xray_ResourcePolicy shown(req *rq, const xray_policy *p)
{
	return (xray_ResourcePolicy){ p->Name, p->Document, arena_fmt(rq->mem, "%lld", (long long)p->Revision),
		                          TIME(p->Updated) };
}

/* What was read before must be what is there; "0" stands for nothing. */
static err revision_check(req *rq, const xray_policy *old, str given)
{
	str now = old ? arena_fmt(rq->mem, "%lld", (long long)old->Revision) : S("0");
	if (!str_is(given) || str_eq(given, now))
		return OK;
	return fail(rq, &xray_InvalidPolicyRevisionIdException,
	            "The policy revision id %.*s does not match the latest revision.", STR_ARG(given));
}

static size_t policies(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = xray_policy_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (xray_policy_next(&s))
		n++;
	return n;
}

err xray_PutResourcePolicy(req *rq, txn *tx, const xray_PutResourcePolicy_in *in,
                           xray_PutResourcePolicy_out *out)
{
	const xray_policy *old =
		xray_policy_get(tx, rq->mem, rq->who.account, rq->region, in->PolicyName);
	str wrong;
	if (in->PolicyDocument.n > XRAY_POLICY_BYTES)
		return fail(rq, &xray_PolicySizeLimitExceededException,
		            "A resource policy must not be larger than %d bytes.", XRAY_POLICY_BYTES);
	if (!policy_parse(rq->mem, in->PolicyDocument, POLICY_RESOURCE, &wrong))
		return fail(rq, &xray_MalformedPolicyDocumentException, "%.*s", STR_ARG(wrong));
	TRY(revision_check(rq, old, in->PolicyRevisionId));
	if (!old && policies(rq, tx) >= XRAY_POLICIES_MAX)
		return fail(rq, &xray_PolicyCountLimitExceededException,
		            "An account must not have more than %d resource policies.", XRAY_POLICIES_MAX);
	xray_policy p = { rq->who.account,    rq->region,
		              in->PolicyName,     in->PolicyDocument,
		              old ? old->Revision + 1 : 1, rq->now };
	xray_policy_put(tx, &p);
	out->ResourcePolicy = arena_new(rq->mem, xray_ResourcePolicy);
	*out->ResourcePolicy = shown(rq, &p);
	return OK;
}

/* There are few enough for one page. */
err xray_ListResourcePolicies(req *rq, const txn *tx, const xray_ListResourcePolicies_in *in,
                              xray_ListResourcePolicies_out *out)
{
	if (str_is(in->NextToken))
		return fail(rq, &xray_InvalidRequestException, "Invalid NextToken");
	out->ResourcePolicies.v = arena_array(rq->mem, xray_ResourcePolicy, XRAY_POLICIES_MAX);
	record_scan s = xray_policy_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (xray_policy *p; (p = xray_policy_next(&s));)
		out->ResourcePolicies.v[out->ResourcePolicies.n++] = shown(rq, p);
	return OK;
}

err xray_DeleteResourcePolicy(req *rq, txn *tx, const xray_DeleteResourcePolicy_in *in,
                              xray_DeleteResourcePolicy_out *out)
{
	TRY(revision_check(rq, xray_policy_get(tx, rq->mem, rq->who.account, rq->region, in->PolicyName),
	                   in->PolicyRevisionId));
	xray_policy_delete(tx, rq->who.account, rq->region, in->PolicyName);
	return OK;
}
