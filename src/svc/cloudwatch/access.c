/* What the operations are called in policies, and on which alarms and dashboards they act. */
#include "cloud/authorise.h"
#include "gen/cloudwatch.h"

#define DASHBOARD "arn:aws:cloudwatch::{account}:dashboard/"

static size_t each_alarm(req *rq, const str *names, size_t n, str **arns)
{
	*arns = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++)
		(*arns)[i] = req_arn(rq, "cloudwatch", "alarm:%.*s", STR_ARG(names[i]));
	if (n)
		return n;
	(*arns)[0] = req_arn(rq, "cloudwatch", "alarm:*");
	return 1;
}

static size_t described(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const cloudwatch_DescribeAlarms_in *in = in_;
	return each_alarm(rq, in->AlarmNames.v, in->AlarmNames.n, arns);
}

/* DeleteAlarms, EnableAlarmActions and DisableAlarmActions take the same list and nothing else. */
typedef struct alarm_names { cloudwatch_AlarmNames AlarmNames; } alarm_names;
_Static_assert(offsetof(cloudwatch_DeleteAlarms_in, AlarmNames) == 0 &&
	       offsetof(cloudwatch_EnableAlarmActions_in, AlarmNames) == 0 &&
	       offsetof(cloudwatch_DisableAlarmActions_in, AlarmNames) == 0, "AlarmNames stands first");
static size_t listed(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const alarm_names *in = in_;
	return each_alarm(rq, in->AlarmNames.v, in->AlarmNames.n, arns);
}

static size_t dashboards(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const cloudwatch_DeleteDashboards_in *in = in_;
	*arns = arena_array(rq->mem, str, in->DashboardNames.n + 1);
	for (size_t i = 0; i < in->DashboardNames.n; i++)
		(*arns)[i] = arena_fmt(rq->mem, "arn:aws:cloudwatch::%.*s:dashboard/%.*s",
		                       STR_ARG(rq->who.account), STR_ARG(in->DashboardNames.v[i]));
	return in->DashboardNames.n;
}

/* The rule, and the alarms that it is to mute. */
static size_t muting(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const cloudwatch_PutAlarmMuteRule_in *in = in_;
	cloudwatch_MuteTargetAlarmNameList names = { 0 };
	if (in->MuteTargets)
		names = in->MuteTargets->AlarmNames;
	*arns = arena_array(rq->mem, str, names.n + 1);
	for (size_t i = 0; i < names.n; i++)
		(*arns)[i] = req_arn(rq, "cloudwatch", "alarm:%.*s", STR_ARG(names.v[i]));
	(*arns)[names.n] = req_arn(rq, "cloudwatch", "alarm-mute-rule:%.*s", STR_ARG(in->Name));
	return names.n + 1;
}

/* DeleteInsightRules, EnableInsightRules and DisableInsightRules take the same list. */
typedef struct insight_names { cloudwatch_InsightRuleNames RuleNames; } insight_names;
_Static_assert(offsetof(cloudwatch_DeleteInsightRules_in, RuleNames) == 0 &&
	       offsetof(cloudwatch_EnableInsightRules_in, RuleNames) == 0 &&
	       offsetof(cloudwatch_DisableInsightRules_in, RuleNames) == 0, "RuleNames stands first");
static size_t insights(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const insight_names *in = in_;
	*arns = arena_array(rq->mem, str, in->RuleNames.n + 1);
	for (size_t i = 0; i < in->RuleNames.n; i++)
		(*arns)[i] = req_arn(rq, "cloudwatch", "insight-rule/%.*s", STR_ARG(in->RuleNames.v[i]));
	return in->RuleNames.n;
}

#define ON_INSIGHT(operation) { operation, NULL, "insight-rule/{RuleName}", NULL }
#define ON_MUTE(operation, name) { operation, NULL, "alarm-mute-rule:" name, NULL }
#define ON_ALARM(operation) { operation, NULL, "alarm:{AlarmName}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
ACCESS(cloudwatch, "cloudwatch", "cloudwatch",
	ON_ALARM("PutMetricAlarm"), ON_ALARM("PutCompositeAlarm"), ON_ALARM("SetAlarmState"),
	ON_ALARM("DescribeAlarmHistory"), { "DescribeAlarms", NULL, NULL, described },
	{ "DeleteAlarms", NULL, NULL, listed }, { "EnableAlarmActions", NULL, NULL, listed },
	{ "DisableAlarmActions", NULL, NULL, listed }, ON_ALL("DescribeAlarmsForMetric"),
	{ "PutDashboard", NULL, DASHBOARD "{DashboardName}", NULL },
	{ "GetDashboard", NULL, DASHBOARD "{DashboardName}", NULL },
	{ "DeleteDashboards", NULL, NULL, dashboards }, ON_ALL("ListDashboards"), ON_ALL("PutMetricData"),
	ON_ALL("GetMetricData"), ON_ALL("GetMetricStatistics"), ON_ALL("ListMetrics"),
	ON_ALL("GetMetricWidgetImage"), ON_ALL("PutAnomalyDetector"), ON_ALL("DescribeAnomalyDetectors"),
	ON_ALL("DeleteAnomalyDetector"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"),
	ON_MUTE("DeleteAlarmMuteRule", "{AlarmMuteRuleName}"),
	{ "DeleteInsightRules", NULL, NULL, insights }, ON_ALL("DeleteMetricStream"),
	ON_ALL("DescribeAlarmContributors"), ON_ALL("DescribeInsightRules"),
	{ "DisableInsightRules", NULL, NULL, insights },
	{ "EnableInsightRules", NULL, NULL, insights },
	ON_MUTE("GetAlarmMuteRule", "{AlarmMuteRuleName}"),
	ON_INSIGHT("GetInsightRuleReport"),
	ON_ALL("GetMetricStream"), ON_ALL("GetOTelEnrichment"), ON_ALL("ListAlarmMuteRules"),
	ON_ALL("ListManagedInsightRules"), ON_ALL("ListMetricStreams"),
	{ "PutAlarmMuteRule", NULL, NULL, muting },
	ON_INSIGHT("PutInsightRule"), ON_ALL("PutManagedInsightRules"), ON_ALL("PutMetricStream"),
	ON_ALL("StartMetricStreams"), ON_ALL("StartOTelEnrichment"), ON_ALL("StopMetricStreams"),
	ON_ALL("StopOTelEnrichment"));

static const policy_key *find_key(asking *a, str name)
{
	bool put = strcmp(a->rq->op->name, "PutMetricData") == 0;
	if (put && str_eq_nocase(name, S("cloudwatch:namespace")))
		return asking_value(a, name, asking_member(a, "Namespace"));
	if (a->in && strcmp(a->rq->op->name, "PutMetricAlarm") == 0 &&
	    str_eq_nocase(name, S("cloudwatch:AlarmActions"))) {
		const cloudwatch_PutMetricAlarm_in *in = a->in;
		return asking_values(a, name, in->AlarmActions.v, in->AlarmActions.n);
	}
	return NULL;
}
ACCESS_KEYS(cloudwatch, "cloudwatch", find_key);
