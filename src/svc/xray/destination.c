/*
 * Where segments go, and how many of those in CloudWatch Logs are indexed. Segments go to X-Ray here; the one
 * indexing rule is kept for when they do not.
 */
#include "xray.h"

/* What AWS indexes for nothing. */
#define PERCENTAGE_AT_FIRST 1

err xray_GetTraceSegmentDestination(req *rq, const txn *tx, const xray_GetTraceSegmentDestination_in *in,
                                    xray_GetTraceSegmentDestination_out *out)
{
	out->Destination = xray_TraceSegmentDestination_XRay;
	out->Status = xray_TraceSegmentDestinationStatus_ACTIVE;
	return OK;
}

err xray_UpdateTraceSegmentDestination(req *rq, const txn *tx,
                                       const xray_UpdateTraceSegmentDestination_in *in,
                                       xray_UpdateTraceSegmentDestination_out *out)
{
	if (str_eq(in->Destination, xray_TraceSegmentDestination_CloudWatchLogs))
		return fail(rq, &aws_NotImplemented,
		            "Farthing keeps segments in X-Ray; it has no Transaction Search in CloudWatch Logs.");
	out->Destination = xray_TraceSegmentDestination_XRay;
	out->Status = xray_TraceSegmentDestinationStatus_ACTIVE;
	return OK;
}

static xray_IndexingRule *rule_of(req *rq, xray_ProbabilisticRuleValue *value, int64_t modified)
{
	xray_IndexingRule *rule = arena_new(rq->mem, xray_IndexingRule);
	xray_IndexingRuleValue *of = arena_new(rq->mem, xray_IndexingRuleValue);
	*of = (xray_IndexingRuleValue){ .Probabilistic = value };
	*rule = (xray_IndexingRule){ S("Default"), TIME(modified), of };
	return rule;
}

err xray_GetIndexingRules(req *rq, const txn *tx, const xray_GetIndexingRules_in *in,
                          xray_GetIndexingRules_out *out)
{
	const xray_indexing *kept = xray_indexing_get(tx, rq->mem, rq->who.account, rq->region);
	xray_ProbabilisticRuleValue *value = arena_new(rq->mem, xray_ProbabilisticRuleValue);
	*value = (xray_ProbabilisticRuleValue){ F64(PERCENTAGE_AT_FIRST), F64(PERCENTAGE_AT_FIRST) };
	out->IndexingRules.v = rule_of(rq, kept ? kept->Value : value, kept ? kept->Modified : 0);
	out->IndexingRules.n = 1;
	return OK;
}

err xray_UpdateIndexingRule(req *rq, txn *tx, const xray_UpdateIndexingRule_in *in,
                            xray_UpdateIndexingRule_out *out)
{
	if (!str_eq(in->Name, S("Default")))
		return fail(rq, &xray_ResourceNotFoundException, "Indexing rule %.*s does not exist.",
		            STR_ARG(in->Name));
	opt_f64 wanted =
		in->Rule->Probabilistic ? in->Rule->Probabilistic->DesiredSamplingPercentage : (opt_f64){ 0 };
	if (!wanted.set || !(wanted.v >= 0 && wanted.v <= 100))
		return fail(rq, &xray_InvalidRequestException,
		            "DesiredSamplingPercentage must be between 0 and 100.");
	xray_ProbabilisticRuleValue *value = arena_new(rq->mem, xray_ProbabilisticRuleValue);
	*value = (xray_ProbabilisticRuleValue){ wanted, wanted };
	xray_indexing_put(tx, &(xray_indexing){ rq->who.account, rq->region, value, rq->now });
	out->IndexingRule = rule_of(rq, value, rq->now);
	return OK;
}
