/*
 * What the operations are called in policies, and on which groups and streams they act. What acts on a group
 * as a whole has the resource log-group:NAME:log-stream: with nothing behind it, so that NAME:* fits; tags
 * are on log-group:NAME.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "logs.h"

static str group_arn_of(req *rq, str given)
{
	str arn = str_starts(given, S("arn:")) ? given :
		  req_arn(rq, "logs", "log-group:%.*s", STR_ARG(given));
	if (str_ends(arn, S(":*")))
		arn = str_sub(arn, 0, arn.n - 2);
	return arena_concat(rq->mem, arn, S(":log-stream:"));
}

static str group_given(req *rq, const void *in)
{
	static const char *const members[] = { "logGroupName", "logGroupIdentifier", "logGroupNamePrefix",
		                                     "resourceIdentifier" };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		str given = access_member(rq, in, str_c(members[i]));
		if (str_is(given))
			return given;
	}
	return S("");
}

/* Who wants to see what is masked needs another permission. */
static size_t and_unmask(req *rq, const void *in, str *arns)
{
	if (!str_eq(access_member(rq, in, S("unmask")), S("true")))
		return 1;
	arns[1] = arena_concat(rq->mem, S("logs:Unmask "), arns[0]);
	return 2;
}

static size_t the_group(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_array(rq->mem, str, 2);
	**arns = group_arn_of(rq, group_given(rq, in));
	return and_unmask(rq, in, *arns);
}

static size_t the_stream(req *rq, const txn *tx, const void *in, str **arns)
{
	the_group(rq, tx, in, arns);
	**arns = arena_concat(rq->mem, **arns, access_member(rq, in, S("logStreamName")));
	return and_unmask(rq, in, *arns);
}

static size_t the_record(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_array(rq->mem, str, 2);
	**arns = S("*");
	return and_unmask(rq, in, *arns);
}

static size_t tailed(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const logs_StartLiveTail_in *in = in_;
	*arns = arena_array(rq->mem, str, in->logGroupIdentifiers.n + 1);
	for (size_t i = 0; i < in->logGroupIdentifiers.n; i++)
		(*arns)[i] = group_arn_of(rq, in->logGroupIdentifiers.v[i]);
	return in->logGroupIdentifiers.n;
}

static size_t queried(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const logs_StartQuery_in *in = in_;
	size_t n = 0;
	*arns = arena_array(rq->mem, str, in->logGroupNames.n + in->logGroupIdentifiers.n + 1);
	if (str_is(in->logGroupName))
		(*arns)[n++] = group_arn_of(rq, in->logGroupName);
	for (size_t i = 0; i < in->logGroupNames.n; i++)
		(*arns)[n++] = group_arn_of(rq, in->logGroupNames.v[i]);
	for (size_t i = 0; i < in->logGroupIdentifiers.n; i++)
		(*arns)[n++] = group_arn_of(rq, in->logGroupIdentifiers.v[i]);
	/* The query's SOURCE names them: it may be any. */
	if (!n)
		(*arns)[n++] = group_arn_of(rq, S("*"));
	return n;
}

#define ON_GROUP(operation) { operation, NULL, NULL, the_group }
#define ON_STREAM(operation) { operation, NULL, NULL, the_stream }
#define ON_TAGS(operation) { operation, NULL, "log-group:{logGroupName}", NULL }
#define ON_ARN(operation) { operation, NULL, "{resourceArn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(logs, "logs", NULL,
	ON_GROUP("CreateLogGroup"), ON_GROUP("DeleteLogGroup"), ON_GROUP("PutRetentionPolicy"),
	ON_GROUP("DeleteRetentionPolicy"), ON_GROUP("DescribeLogStreams"), ON_GROUP("FilterLogEvents"),
	ON_GROUP("PutMetricFilter"), ON_GROUP("DeleteMetricFilter"), ON_GROUP("DescribeMetricFilters"),
	ON_GROUP("PutSubscriptionFilter"), ON_GROUP("DeleteSubscriptionFilter"),
	ON_GROUP("DescribeSubscriptionFilters"), ON_GROUP("DescribeLogGroups"), ON_GROUP("CreateLogStream"),
	ON_GROUP("AssociateKmsKey"), ON_GROUP("DisassociateKmsKey"), { "StartQuery", NULL, NULL, queried },
	ON_GROUP("GetLogGroupFields"), ON_GROUP("CreateExportTask"), ON_GROUP("PutLogGroupDeletionProtection"),
	{ "StartLiveTail", NULL, NULL, tailed }, ON_STREAM("DeleteLogStream"), ON_STREAM("PutLogEvents"),
	ON_STREAM("GetLogEvents"), ON_TAGS("TagLogGroup"), ON_TAGS("UntagLogGroup"),
	ON_TAGS("ListTagsLogGroup"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"), ON_ALL("TestMetricFilter"), ON_ALL("GetQueryResults"),
	ON_ALL("StopQuery"), ON_ALL("DescribeQueries"), { "GetLogRecord", NULL, NULL, the_record },
	ON_ALL("PutQueryDefinition"),
	ON_ALL("DescribeQueryDefinitions"), ON_ALL("DeleteQueryDefinition"), ON_ALL("DescribeExportTasks"),
	ON_ALL("CancelExportTask"), ON_ALL("PutResourcePolicy"), ON_ALL("DescribeResourcePolicies"),
	ON_ALL("DeleteResourcePolicy"), ON_ALL("ListLogGroups"), ON_ALL("DescribeDestinations"),
	{ "PutDestination", NULL, "destination:{destinationName}", NULL },
	{ "PutDestinationPolicy", NULL, "destination:{destinationName}", NULL },
	{ "DeleteDestination", NULL, "destination:{destinationName}", NULL },
	ON_ALL("AssociateSourceToS3TableIntegration"), ON_ALL("CancelImportTask"), ON_ALL("CreateDelivery"),
	ON_ALL("CreateImportTask"), ON_ALL("CreateLogAnomalyDetector"), ON_ALL("CreateLookupTable"),
	ON_ALL("CreateScheduledQuery"), ON_ALL("DeleteAccountPolicy"),
	ON_GROUP("DeleteDataProtectionPolicy"), ON_ALL("DeleteDelivery"),
	ON_ALL("DeleteDeliveryDestination"), ON_ALL("DeleteDeliveryDestinationPolicy"),
	ON_ALL("DeleteDeliverySource"), ON_GROUP("DeleteIndexPolicy"), ON_ALL("DeleteIntegration"),
	ON_ALL("DeleteLogAnomalyDetector"), ON_ALL("DeleteLookupTable"), ON_ALL("DeleteScheduledQuery"),
	ON_GROUP("DeleteTransformer"), ON_ALL("DescribeAccountPolicies"),
	ON_ALL("DescribeConfigurationTemplates"), ON_ALL("DescribeDeliveries"),
	ON_ALL("DescribeDeliveryDestinations"), ON_ALL("DescribeDeliverySources"),
	ON_ALL("DescribeFieldIndexes"), ON_ALL("DescribeImportTaskBatches"), ON_ALL("DescribeImportTasks"),
	ON_ALL("DescribeIndexPolicies"), ON_ALL("DescribeLookupTables"),
	ON_ALL("DisassociateSourceFromS3TableIntegration"), ON_GROUP("GetDataProtectionPolicy"),
	ON_ALL("GetDelivery"), ON_ALL("GetDeliveryDestination"), ON_ALL("GetDeliveryDestinationPolicy"),
	ON_ALL("GetDeliverySource"), ON_ALL("GetIntegration"), ON_ALL("GetLogAnomalyDetector"),
	ON_ALL("GetLogFields"), ON_ALL("GetLogObject"), ON_ALL("GetLookupTable"),
	ON_ALL("GetScheduledQuery"), ON_ALL("GetScheduledQueryHistory"), ON_GROUP("GetTransformer"),
	ON_ALL("ListAggregateLogGroupSummaries"), ON_ALL("ListAnomalies"), ON_ALL("ListIntegrations"),
	ON_ALL("ListLogAnomalyDetectors"), ON_ALL("ListLogGroupsForQuery"), ON_ALL("ListScheduledQueries"),
	ON_ALL("ListSourcesForS3TableIntegration"), ON_ALL("PutAccountPolicy"),
	ON_GROUP("PutBearerTokenAuthentication"), ON_GROUP("PutDataProtectionPolicy"),
	ON_ALL("PutDeliveryDestination"), ON_ALL("PutDeliveryDestinationPolicy"),
	ON_ALL("PutDeliverySource"), ON_GROUP("PutIndexPolicy"), ON_ALL("PutIntegration"),
	ON_GROUP("PutTransformer"), ON_ALL("TestTransformer"), ON_ALL("UpdateAnomaly"),
	ON_ALL("UpdateDeliveryConfiguration"), ON_ALL("UpdateLogAnomalyDetector"),
	ON_ALL("UpdateLookupTable"), ON_ALL("UpdateScheduledQuery"));

static const policy_key *find_key(asking *a, str name)
{
	return str_eq_nocase(name, S("logs:DestinationArn")) ?
		       asking_value(a, name, asking_member(a, "destinationArn")) : NULL;
}
ACCESS_KEYS(logs, "logs", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str rest = a.resource;
	str_cut(&rest, ':');
	str name = str_is(rest) ? str_cut(&rest, ':') : S("");
	logs_group *g = name.n ? logs_group_get(tx, mem, a.account, a.region, name) : NULL;
	return g ? RESOURCE_TAG_KEYS(mem, g->Tags, key, value) : NULL;
}
RESOURCE_TAGS(logs, tags_of);
