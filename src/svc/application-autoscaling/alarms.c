/*
 * The alarms of a target tracking policy. A table's watch the units consumed, so their thresholds follow its
 * capacity; the others watch a utilisation or a metric of the customer's, whose target stays.
 */
#include "cloud/call.h"
#include "scaling.h"
#include "sys/rand.h"

#define ALARMS_MAX 4
#define BODY_MAX ((size_t)64 << 10)
#define DYNAMODB_GAP 20 /* percent below the target at which a table is too large */
#define LOW_SHARE 0.9   /* of the target, for the rest */
#define MINUTE 60
#define CHECK 300       /* seconds between looks at what is provisioned */
#define UUID_TEXT 36


typedef struct alarm_plan {
	const char *part, *comparison, *statistic;
	int64_t period, periods;
	double threshold;
	bool provisioned; /* watches the capacity itself */
} alarm_plan;

static void put_text(buf *b, const char *name, str value)
{
	buf_fmt(b, ",\"%s\":", name);
	json_put_string(b, value);
}

static void put_dimension(buf *b, const char *name, str value)
{
	buf_fmt(b, "%s{\"Name\":\"%s\",\"Value\":", b->p[b->n - 1] == '[' ? "" : ",", name);
	json_put_string(b, value);
	buf_c(b, '}');
}

/* table/NAME, table/NAME/index/NAME, function:NAME:QUALIFIER, service/CLUSTER/NAME, cluster:NAME */
static void put_dimensions(buf *b, scaling_place p)
{
	str rest = p.resource;
	buf_put(b, S(",\"Dimensions\":["));
	if (str_eq(p.namespace, S("dynamodb"))) {
		str_cut(&rest, '/');
		put_dimension(b, "TableName", str_cut(&rest, '/'));
		if (str_starts(rest, S("index/")))
			put_dimension(b, "GlobalSecondaryIndexName", str_sub(rest, 6, rest.n));
	} else if (str_eq(p.namespace, S("lambda"))) {
		str_cut(&rest, ':');
		str resource = rest;
		put_dimension(b, "FunctionName", str_cut(&rest, ':'));
		put_dimension(b, "Resource", resource);
	} else if (str_eq(p.namespace, S("ecs"))) {
		str_cut(&rest, '/');
		put_dimension(b, "ClusterName", str_cut(&rest, '/'));
		put_dimension(b, "ServiceName", rest);
	} else {
		str_cut(&rest, ':');
		put_dimension(b, "DBClusterIdentifier", rest);
		put_dimension(b, "Role", S("READER"));
	}
	buf_c(b, ']');
}

static const char *predefined_metric(str type)
{
	static const struct { const char *type, *name; } names[] = {
		{ "LambdaProvisionedConcurrencyUtilization", "ProvisionedConcurrencyUtilization" },
		{ "ECSServiceAverageCPUUtilization", "CPUUtilization" },
		{ "ECSServiceAverageMemoryUtilization", "MemoryUtilization" },
		{ "RDSReaderAverageCPUUtilization", "CPUUtilization" },
		{ "RDSReaderAverageDatabaseConnections", "DatabaseConnections" },
	};
	size_t i = 0;
	while (i + 1 < sizeof names / sizeof *names && !str_eq(type, str_c(names[i].type)))
		i++;
	return names[i].name;
}

static void put_units(buf *b, scaling_place p, bool provisioned)
{
	bool reads = str_ends(p.dimension, S("ReadCapacityUnits"));
	put_text(b, "Namespace", S("AWS/DynamoDB"));
	buf_fmt(b, ",\"MetricName\":\"%s%sCapacityUnits\"", provisioned ? "Provisioned" : "Consumed",
	        reads ? "Read" : "Write");
	put_dimensions(b, p);
}

static void put_predefined(buf *b, scaling_place p, str type)
{
	put_text(b, "Namespace", str_eq(p.namespace, S("lambda")) ? S("AWS/Lambda")
	         : str_eq(p.namespace, S("ecs")) ? S("AWS/ECS") : S("AWS/RDS"));
	buf_fmt(b, ",\"MetricName\":\"%s\"", predefined_metric(type));
	put_dimensions(b, p);
}

static void put_customized(buf *b, const application_autoscaling_CustomizedMetricSpecification *c)
{
	if (c->Metrics.n) {
		buf_put(b, S(",\"Metrics\":"));
		size_t from = b->n;
		json_encode_value(b, &application_autoscaling_TargetTrackingMetricDataQueries_shape, &c->Metrics);
		/* Every metric of theirs is by the minute, which is what the field they lack would say. */
		str text = arena_str(b->mem, str_of(b->p + from, b->n - from));
		b->n = from;
		for (size_t at; (at = str_find(text, S("\"Stat\":"))) != SIZE_MAX;) {
			buf_put(b, str_sub(text, 0, at));
			buf_fmt(b, "\"Period\":%d,\"Stat\":", MINUTE);
			text = str_sub(text, at + 7, text.n);
		}
		buf_put(b, text);
		return;
	}
	put_text(b, "Namespace", c->Namespace);
	put_text(b, "MetricName", c->MetricName);
	buf_put(b, S(",\"Dimensions\":["));
	for (size_t i = 0; i < c->Dimensions.n; i++) {
		buf_put(b, i ? S(",{\"Name\":") : S("{\"Name\":"));
		json_put_string(b, c->Dimensions.v[i].Name);
		put_text(b, "Value", c->Dimensions.v[i].Value);
		buf_c(b, '}');
	}
	buf_c(b, ']');
	if (c->Unit.n)
		put_text(b, "Unit", c->Unit);
}

static bool of_table(const tracking *t)
{
	return t->PredefinedMetricSpecification &&
		str_starts(t->PredefinedMetricSpecification->PredefinedMetricType, S("DynamoDB"));
}

static size_t plan(const tracking *t, int64_t capacity, alarm_plan *plans)
{
	double minute = (double)(capacity * MINUTE), share = t->TargetValue.v * minute / 100;
	double low = (t->TargetValue.v - DYNAMODB_GAP) * minute / 100;
	str stat = t->CustomizedMetricSpecification && t->CustomizedMetricSpecification->Statistic.n
		? t->CustomizedMetricSpecification->Statistic : S("Average");
	const char *own = str_eq(stat, S("Sum")) ? "Sum" : str_eq(stat, S("Minimum")) ? "Minimum"
		: str_eq(stat, S("Maximum")) ? "Maximum" : str_eq(stat, S("SampleCount")) ? "SampleCount" : "Average";
	size_t n = 0;
	if (!of_table(t)) {
		plans[n++] = (alarm_plan){ "AlarmHigh", "GreaterThanThreshold", own, MINUTE, 3, t->TargetValue.v,
			                       false };
		plans[n++] = (alarm_plan){ "AlarmLow", "LessThanThreshold", own, MINUTE, 15,
			                       t->TargetValue.v * LOW_SHARE, false };
		return n;
	}
	plans[n++] = (alarm_plan){ "AlarmHigh", "GreaterThanThreshold", "Sum", MINUTE, 2, share, false };
	plans[n++] = (alarm_plan){ "AlarmLow", "LessThanThreshold", "Sum", MINUTE, 15, low, false };
	plans[n++] = (alarm_plan){ "ProvisionedCapacityHigh", "GreaterThanThreshold", "Average", CHECK, 3,
		                       (double)capacity, true };
	plans[n++] = (alarm_plan){ "ProvisionedCapacityLow", "LessThanThreshold", "Average", CHECK, 3,
		                       (double)capacity, true };
	return n;
}

static void put_metric(buf *b, scaling_place p, const tracking *t, const alarm_plan *a)
{
	if (of_table(t))
		put_units(b, p, a->provisioned);
	else if (t->PredefinedMetricSpecification)
		put_predefined(b, p, t->PredefinedMetricSpecification->PredefinedMetricType);
	else
		put_customized(b, t->CustomizedMetricSpecification);
	if (t->CustomizedMetricSpecification && t->CustomizedMetricSpecification->Metrics.n)
		return;
	buf_fmt(b, ",\"Statistic\":\"%s\",\"Period\":%lld", a->statistic, (long long)a->period);
}

static err put_one(req *rq, txn *tx, const policy_row *p, const alarm_plan *a, str name)
{
	const tracking *t = p->It->TargetTrackingScalingPolicyConfiguration;
	str answer;
	buf b = buf_in(rq->mem, 2048, BODY_MAX);
	buf_put(&b, S("{\"AlarmName\":"));
	json_put_string(&b, name);
	put_text(&b, "AlarmDescription",
	         arena_fmt(rq->mem, "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy %.*s.",
	                   STR_ARG(p->It->PolicyARN)));
	put_metric(&b, PLACE_OF(p), t, a);
	buf_fmt(&b, ",\"ComparisonOperator\":\"%s\",\"EvaluationPeriods\":%lld,\"Threshold\":", a->comparison,
	        (long long)a->periods);
	json_put_double(&b, a->threshold);
	buf_put(&b, S(",\"ActionsEnabled\":true,\"AlarmActions\":["));
	json_put_string(&b, p->It->PolicyARN);
	buf_put(&b, S("]}"));
	err e = call_json(rq, tx, "cloudwatch", "PutMetricAlarm", buf_str(&b), &answer);
	if (!e || e->kind != &aws_AccessDenied)
		return e;
	return fail(rq, &application_autoscaling_FailedResourceAccessException, "%.*s", STR_ARG(e->message));
}

/* Whether the name ends in -PART-UUID: what is before may be anything, a table's name with the part in it. */
static bool is_part(str name, str part)
{
	size_t end = name.n > UUID_TEXT ? name.n - UUID_TEXT : 0;
	str before = str_sub(name, 0, end);
	return end > part.n + 1 && before.p[end - 1] == '-' && before.p[end - part.n - 2] == '-' &&
		str_eq(str_sub(before, end - part.n - 1, end - 1), part);
}

str scaling_alarm_named(const policy_row *p, const char *part)
{
	for (size_t i = 0; i < p->It->Alarms.n; i++)
		if (is_part(p->It->Alarms.v[i].AlarmName, str_c(part)))
			return p->It->Alarms.v[i].AlarmName;
	return STR_NONE;
}

err scaling_alarms_put(req *rq, txn *tx, policy_row *p, int64_t capacity)
{
	alarm_plan plans[ALARMS_MAX];
	const tracking *t = p->It->TargetTrackingScalingPolicyConfiguration;
	size_t n = plan(t, capacity, plans);
	application_autoscaling_Alarms all = { arena_array(rq->mem, application_autoscaling_Alarm, n), 0 };
	for (size_t i = 0; i < n; i++) {
		str name = scaling_alarm_named(p, plans[i].part);
		if (!str_is(name))
			name = arena_fmt(rq->mem, "TargetTracking-%.*s-%s-%.*s", STR_ARG(p->Resource), plans[i].part,
			                 STR_ARG(rand_uuid(rq->mem)));
		TRY(put_one(rq, tx, p, &plans[i], name));
		all.v[all.n++] = (application_autoscaling_Alarm){ name,
			req_arn(rq, "cloudwatch", "alarm:%.*s", STR_ARG(name)) };
	}
	p->It->Alarms = all;
	return OK;
}

void scaling_alarms_delete(req *rq, txn *tx, const policy_row *p)
{
	for (size_t i = 0; i < p->It->Alarms.n; i++) {
		str answer;
		buf b = buf_in(rq->mem, 512, BODY_MAX);
		buf_put(&b, S("{\"AlarmNames\":["));
		json_put_string(&b, p->It->Alarms.v[i].AlarmName);
		buf_put(&b, S("]}"));
		/* The customer may have deleted it. */
		call_json(rq, tx, "cloudwatch", "DeleteAlarms", buf_str(&b), &answer);
	}
}

bool scaling_alarm_is_low(const policy_row *p, str alarm)
{
	str low = scaling_alarm_named(p, "AlarmLow");
	return str_is(low) && str_eq(low, alarm);
}
