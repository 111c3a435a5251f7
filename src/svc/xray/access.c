/* What the operations are called in policies, and on which groups and rules they act. */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "gen/xray.h"

/* A group's ARN ends in an id that its name does not tell. */
static size_t of_group(req *rq, const txn *tx, const void *in, str **arns)
{
	str arn = access_member(rq, in, S("GroupARN")), name = access_member(rq, in, S("GroupName"));
	xray_group *g = str_is(name) ? xray_group_get(tx, rq->mem, rq->who.account, rq->region, name) : NULL;
	*arns = arena_new(rq->mem, str);
	**arns = str_is(arn) ? arn :
		 req_arn(rq, "xray", "group/%.*s/%.*s", STR_ARG(name), STR_ARG(g ? g->Id : S("*")));
	return 1;
}

static size_t of_rule(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str arn = access_member(rq, in, S("RuleARN")), name = access_member(rq, in, S("RuleName"));
	if (strcmp(rq->op->name, "CreateSamplingRule") == 0) {
		const xray_SamplingRule *r = ((const xray_CreateSamplingRule_in *)in)->SamplingRule;
		arn = r->RuleARN;
		name = r->RuleName;
	} else if (strcmp(rq->op->name, "UpdateSamplingRule") == 0) {
		const xray_SamplingRuleUpdate *r = ((const xray_UpdateSamplingRule_in *)in)->SamplingRuleUpdate;
		arn = r->RuleARN;
		name = r->RuleName;
	}
	*arns = arena_new(rq->mem, str);
	**arns = str_is(arn) ? arn : req_arn(rq, "xray", "sampling-rule/%.*s", STR_ARG(name));
	return 1;
}

#define ON_GROUP(operation) { operation, NULL, NULL, of_group }
#define ON_RULE(operation) { operation, NULL, NULL, of_rule }
#define ON_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(xray, "xray", NULL,
	ON_GROUP("CreateGroup"), ON_GROUP("GetGroup"), ON_GROUP("UpdateGroup"), ON_GROUP("DeleteGroup"),
	ON_RULE("CreateSamplingRule"), ON_RULE("UpdateSamplingRule"), ON_RULE("DeleteSamplingRule"),
	ON_ARN("TagResource"), ON_ARN("UntagResource"), ON_ARN("ListTagsForResource"),
	ON_ALL("GetGroups"), ON_ALL("GetSamplingRules"), ON_ALL("GetSamplingTargets"),
	ON_ALL("GetSamplingStatisticSummaries"), ON_ALL("PutEncryptionConfig"), ON_ALL("GetEncryptionConfig"),
	ON_ALL("PutTraceSegments"), ON_ALL("PutTelemetryRecords"), ON_ALL("BatchGetTraces"),
	ON_ALL("GetTraceSummaries"), ON_ALL("GetServiceGraph"), ON_ALL("GetTraceGraph"),
	ON_ALL("GetTimeSeriesServiceStatistics"), ON_ALL("GetInsight"), ON_ALL("GetInsightSummaries"),
	ON_ALL("PutResourcePolicy"), ON_ALL("ListResourcePolicies"), ON_ALL("DeleteResourcePolicy"),
	ON_ALL("CancelTraceRetrieval"), ON_ALL("GetIndexingRules"), ON_ALL("GetInsightEvents"),
	ON_ALL("GetInsightImpactGraph"), ON_ALL("GetRetrievedTracesGraph"),
	ON_ALL("GetTraceSegmentDestination"), ON_ALL("ListRetrievedTraces"), ON_ALL("StartTraceRetrieval"),
	ON_ALL("UpdateIndexingRule"), ON_ALL("UpdateTraceSegmentDestination"));

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str rest = a.resource, kind = str_cut(&rest, '/');
	str name = str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	if (str_eq(kind, S("group"))) {
		xray_group *g = xray_group_get(tx, mem, a.account, a.region, name);
		return g ? RESOURCE_TAG_KEYS(mem, g->Tags, Key, Value) : NULL;
	}
	xray_rule *r = xray_rule_get(tx, mem, a.account, a.region, name);
	return r ? RESOURCE_TAG_KEYS(mem, r->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(xray, tags_of);
