/*
 * Metric streams send metrics to Firehose, which is not here: none can be made, so there are none. Nor are
 * metrics enriched for OpenTelemetry.
 */
#include "metric.h"

err cloudwatch_ListMetricStreams(req *rq, const txn *tx, const cloudwatch_ListMetricStreams_in *in,
                                 cloudwatch_ListMetricStreams_out *out)
{
	if (str_is(in->NextToken))
		return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
	out->Entries.v = arena_new(rq->mem, cloudwatch_MetricStreamEntry);
	return OK;
}

err cloudwatch_GetMetricStream(req *rq, const txn *tx, const cloudwatch_GetMetricStream_in *in,
                               cloudwatch_GetMetricStream_out *out)
{
	return fail(rq, &cloudwatch_ResourceNotFoundException, "Metric stream %.*s does not exist",
	            STR_ARG(in->Name));
}

err cloudwatch_GetOTelEnrichment(req *rq, const txn *tx, const cloudwatch_GetOTelEnrichment_in *in,
                                 cloudwatch_GetOTelEnrichment_out *out)
{
	out->Status = cloudwatch_OTelEnrichmentStatus_Stopped;
	return OK;
}
