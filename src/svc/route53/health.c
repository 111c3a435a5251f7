/* Health checks: what they are, and what has been seen of their endpoints. health_probe.c looks at these. */
#include "cloud/call.h"
#include "cloud/meter.h"
#include "gen/cloudwatch.h"
#include "health.h"
#include "sys/rand.h"

str health_arn(arena *mem, str id)
{
	return arena_fmt(mem, "arn:aws:route53:::healthcheck/%.*s", STR_ARG(id));
}

bool health_kind_is(const route53_HealthCheckConfig *c, const char *part)
{
	return str_starts(c->Type, str_c(part));
}

route53_health *health_any(const txn *tx, arena *mem, str id)
{
	route53_health_owner *o = route53_health_owner_get(tx, mem, id);
	return o ? route53_health_get(tx, mem, o->Account, id) : NULL;
}

err health_find(req *rq, const txn *tx, str id, route53_health **h)
{
	*h = route53_health_get(tx, rq->mem, rq->who.account, id);
	return *h ? OK : fail(rq, &route53_NoSuchHealthCheck, "No health check exists with the specified ID %.*s",
	                      STR_ARG(id));
}

/* Of a metric's check: the alarm's state. STR_NONE: there is no such alarm. */
static str alarm_state(const txn *tx, arena *mem, const route53_health *h, cloudwatch_MetricAlarm **alarm)
{
	const route53_AlarmIdentifier *a = h->It->HealthCheckConfig->AlarmIdentifier;
	req *rq = req_internal(mem, txn_store(tx), "route53.amazonaws.com", h->Account, a->Region);
	str name = a->Name;
	cloudwatch_DescribeAlarms_in in = { .AlarmNames = { &name, 1 } };
	cloudwatch_DescribeAlarms_out *out = arena_new(mem, cloudwatch_DescribeAlarms_out);
	if (call_read(rq, tx, "cloudwatch", "DescribeAlarms", &in, out) || !out->MetricAlarms.n)
		return STR_NONE;
	*alarm = &out->MetricAlarms.v[0];
	return (*alarm)->StateValue;
}

static bool health_seen(const txn *tx, arena *mem, const route53_health *h, int deep)
{
	const route53_HealthCheckConfig *c = h->It->HealthCheckConfig;
	bool good = h->Healthy;
	if (c->Disabled.v)
		return true;
	if (health_kind_is(c, "CALCULATED")) {
		int64_t well = 0;
		for (size_t i = 0; deep < HEALTH_DEEP && i < c->ChildHealthChecks.n; i++) {
			route53_health *child = health_any(tx, mem, c->ChildHealthChecks.v[i]);
			well += !child || health_seen(tx, mem, child, deep + 1);
		}
		good = well >= c->HealthThreshold.v;
	} else if (health_kind_is(c, "CLOUDWATCH")) {
		cloudwatch_MetricAlarm *alarm;
		str state = alarm_state(tx, mem, h, &alarm);
		good = str_eq(state, S("OK")) ||
		       (!str_eq(state, S("ALARM")) &&
		        !str_eq(c->InsufficientDataHealthStatus, route53_InsufficientDataHealthStatus_Unhealthy));
	}
	return good != c->Inverted.v;
}

bool health_ok(const txn *tx, arena *mem, str id)
{
	route53_health *h = health_any(tx, mem, id);
	return !h || health_seen(tx, mem, h, 0);
}

static int64_t options_of(const route53_HealthCheckConfig *c)
{
	return health_kind_is(c, "HTTPS") + str_ends(c->Type, S("STR_MATCH")) + (c->RequestInterval.v == 10) +
	       c->MeasureLatency.v;
}

void health_charge(txn *tx, const route53_health *h, int64_t now, bool exists)
{
	arena *mem = txn_arena(tx);
	str arn = health_arn(mem, h->Id), region = str_c(route53_service.global_region), name;
	const route53_HealthCheckConfig *c = h->It->HealthCheckConfig;
	bool endpoint = !health_kind_is(c, "CALCULATED") && !health_kind_is(c, "CLOUDWATCH");
	bool ours = !endpoint || (str_is(c->FullyQualifiedDomainName) &&
	                          !name_clean(mem, c->FullyQualifiedDomainName, &name) && alias_of_ours(name));
	resident_set(tx, h->Account, region, now, &ROUTE53_HEALTH_AWS, arn, exists && ours ? QTY(1) : 0);
	resident_set(tx, h->Account, region, now, &ROUTE53_HEALTH_OTHER, arn, exists && !ours ? QTY(1) : 0);
	int64_t options = exists && endpoint ? options_of(c) : 0;
	resident_set(tx, h->Account, region, now, &ROUTE53_OPTION_AWS, arn, ours ? QTY(options) : 0);
	resident_set(tx, h->Account, region, now, &ROUTE53_OPTION_OTHER, arn, ours ? 0 : QTY(options));
}

static err health_shown(req *rq, const txn *tx, const route53_health *h, route53_HealthCheck **out)
{
	*out = arena_new(rq->mem, route53_HealthCheck);
	**out = *h->It;
	cloudwatch_MetricAlarm *a;
	if (!h->It->HealthCheckConfig->AlarmIdentifier || !str_is(alarm_state(tx, rq->mem, h, &a)))
		return OK;
	route53_CloudWatchAlarmConfiguration *c = arena_new(rq->mem, route53_CloudWatchAlarmConfiguration);
	*c = (route53_CloudWatchAlarmConfiguration){ .EvaluationPeriods = a->EvaluationPeriods,
		.Threshold = a->Threshold, .ComparisonOperator = a->ComparisonOperator, .Period = a->Period,
		.MetricName = a->MetricName, .Namespace = a->Namespace, .Statistic = a->Statistic };
	c->Dimensions.v = arena_array(rq->mem, route53_Dimension, a->Dimensions.n + 1);
	for (size_t i = 0; i < a->Dimensions.n; i++)
		c->Dimensions.v[c->Dimensions.n++] =
			(route53_Dimension){ a->Dimensions.v[i].Name, a->Dimensions.v[i].Value };
	(*out)->CloudWatchAlarmConfiguration = c;
	return OK;
}

/* The same request again is the same check. */
static err made_before(req *rq, const txn *tx, const route53_CreateHealthCheck_in *in, str id,
                       const route53_HealthCheckConfig *config, route53_CreateHealthCheck_out *out)
{
	route53_health *h = route53_health_get(tx, rq->mem, rq->who.account, id);
	if (!h || !health_config_same(h->It->HealthCheckConfig, config))
		return fail(rq, &route53_HealthCheckAlreadyExists,
		            "The health check you're attempting to create already exists: a health check with caller "
		            "reference %.*s has other settings.", STR_ARG(in->CallerReference));
	out->Location = arena_fmt(rq->mem, "https://route53.amazonaws.com/2013-04-01/healthcheck/%.*s",
	                          STR_ARG(id));
	return health_shown(rq, tx, h, &out->HealthCheck);
}

err route53_CreateHealthCheck(req *rq, txn *tx, const route53_CreateHealthCheck_in *in,
                              route53_CreateHealthCheck_out *out)
{
	size_t n = 0;
	route53_HealthCheckConfig config = *in->HealthCheckConfig;
	TRY(health_config_complete(rq, tx, &config));
	route53_reference *before =
		route53_reference_get(tx, rq->mem, rq->who.account, S("health"), in->CallerReference);
	if (before)
		return made_before(rq, tx, in, before->Id, &config, out);
	record_scan s = route53_health_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	while (route53_health_next(&s))
		n++;
	if (n >= ROUTE53_HEALTH_MAX)
		return fail(rq, &route53_TooManyHealthChecks,
		            "Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER - Cannot create more health checks.");
	route53_HealthCheck it = { .Id = rand_uuid(rq->mem), .CallerReference = in->CallerReference,
		                       .HealthCheckConfig = &config, .HealthCheckVersion = I64(1) };
	route53_health h = { .Account = rq->who.account, .Id = it.Id, .It = &it, .Healthy = true,
		                 .Created = rq->now };
	route53_health_put(tx, &h);
	route53_health_owner_put(tx, &(route53_health_owner){ h.Id, h.Account });
	route53_reference_put(tx, &(route53_reference){ h.Account, S("health"), in->CallerReference, h.Id });
	health_charge(tx, &h, rq->now, true);
	out->Location = arena_fmt(rq->mem, "https://route53.amazonaws.com/2013-04-01/healthcheck/%.*s",
	                          STR_ARG(h.Id));
	TRY(health_shown(rq, tx, &h, &out->HealthCheck));
	out->HealthCheck->HealthCheckConfig = arena_new(rq->mem, route53_HealthCheckConfig);
	*out->HealthCheck->HealthCheckConfig = config;
	return OK;
}

err route53_GetHealthCheck(req *rq, const txn *tx, const route53_GetHealthCheck_in *in,
                           route53_GetHealthCheck_out *out)
{
	route53_health *h;
	TRY(health_find(rq, tx, in->HealthCheckId, &h));
	return health_shown(rq, tx, h, &out->HealthCheck);
}

err route53_UpdateHealthCheck(req *rq, txn *tx, const route53_UpdateHealthCheck_in *in,
                              route53_UpdateHealthCheck_out *out)
{
	route53_health *h;
	TRY(health_find(rq, tx, in->HealthCheckId, &h));
	if (in->HealthCheckVersion.set && in->HealthCheckVersion.v != h->It->HealthCheckVersion.v)
		return fail(rq, &route53_HealthCheckVersionMismatch,
		            "The value of HealthCheckVersion in the request doesn't match the value of "
		            "HealthCheckVersion in the health check.");
	TRY(health_config_update(rq, tx, in, h->It->HealthCheckConfig));
	h->It->HealthCheckVersion.v++;
	route53_health_put(tx, h);
	health_charge(tx, h, rq->now, true);
	return health_shown(rq, tx, h, &out->HealthCheck);
}

err route53_DeleteHealthCheck(req *rq, txn *tx, const route53_DeleteHealthCheck_in *in,
                              route53_DeleteHealthCheck_out *out)
{
	route53_health *h;
	(void)out;
	TRY(health_find(rq, tx, in->HealthCheckId, &h));
	health_charge(tx, h, rq->now, false);
	route53_reference_delete(tx, h->Account, S("health"), h->It->CallerReference);
	route53_health_owner_delete(tx, h->Id);
	route53_health_delete(tx, h->Account, h->Id);
	return OK;
}

err route53_ListHealthChecks(req *rq, const txn *tx, const route53_ListHealthChecks_in *in,
                             route53_ListHealthChecks_out *out)
{
	int64_t most;
	TRY(page_size(rq, in->MaxItems, ROUTE53_PAGE_ZONES, &most));
	if (str_is(in->Marker) && !route53_health_get(tx, rq->mem, rq->who.account, in->Marker))
		return fail(rq, &route53_InvalidInput, "The specified marker is not valid: %.*s",
			STR_ARG(in->Marker));
	out->HealthChecks.v = arena_array(rq->mem, route53_HealthCheck, (size_t)most);
	out->IsTruncated = BOOL(false);
	record_scan s = route53_health_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (route53_health *h; (h = route53_health_next(&s));) {
		route53_HealthCheck *shown;
		if (str_is(in->Marker) && str_cmp(h->Id, in->Marker) < 0)
			continue;
		if (out->HealthChecks.n == (size_t)most) {
			out->NextMarker = h->Id;
			out->IsTruncated = BOOL(true);
			cursor_close(&s.at);
			break;
		}
		TRY(health_shown(rq, tx, h, &shown));
		out->HealthChecks.v[out->HealthChecks.n++] = *shown;
	}
	out->Marker = in->Marker;
	out->MaxItems = arena_fmt(rq->mem, "%lld", (long long)most);
	return OK;
}

err route53_GetHealthCheckCount(req *rq, const txn *tx, const route53_GetHealthCheckCount_in *in,
                                route53_GetHealthCheckCount_out *out)
{
	(void)in;
	int64_t n = 0;
	record_scan s = route53_health_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	while (route53_health_next(&s))
		n++;
	out->HealthCheckCount = I64(n);
	return OK;
}

/* One observation for each Region that looks: they are all we, on this machine. */
static err observed(req *rq, const route53_health *h, str what, int64_t when,
                    route53_HealthCheckObservations *out)
{
	static const str all[] = { S("us-east-1"), S("us-west-1"), S("us-west-2"), S("eu-west-1"),
		                       S("ap-southeast-1"), S("ap-southeast-2"), S("ap-northeast-1"),
		                       S("sa-east-1") };
	const route53_HealthCheckRegionList *some = &h->It->HealthCheckConfig->Regions;
	size_t n = some->n ? some->n : sizeof all / sizeof *all;
	out->v = arena_array(rq->mem, route53_HealthCheckObservation, n);
	for (size_t i = 0; when && i < n; i++) {
		route53_StatusReport *report = arena_new(rq->mem, route53_StatusReport);
		*report = (route53_StatusReport){ .Status = what, .CheckedTime = TIME(when) };
		out->v[out->n++] = (route53_HealthCheckObservation){ .Region = some->n ? some->v[i] : all[i],
			.IPAddress = S("127.0.0.1"), .StatusReport = report };
	}
	return OK;
}

static err health_probed(req *rq, const txn *tx, str id, route53_health **h)
{
	TRY(health_find(rq, tx, id, h));
	const route53_HealthCheckConfig *c = (*h)->It->HealthCheckConfig;
	if (health_kind_is(c, "CALCULATED") || health_kind_is(c, "CLOUDWATCH"))
		return fail(rq, &route53_InvalidInput,
		            "You can't get the status of a health check of type %.*s.", STR_ARG(c->Type));
	return OK;
}

err route53_GetHealthCheckStatus(req *rq, const txn *tx, const route53_GetHealthCheckStatus_in *in,
                                 route53_GetHealthCheckStatus_out *out)
{
	route53_health *h;
	TRY(health_probed(rq, tx, in->HealthCheckId, &h));
	return observed(rq, h, h->Status, h->Checked, &out->HealthCheckObservations);
}

err route53_GetHealthCheckLastFailureReason(req *rq, const txn *tx,
                                            const route53_GetHealthCheckLastFailureReason_in *in,
                                            route53_GetHealthCheckLastFailureReason_out *out)
{
	route53_health *h;
	TRY(health_probed(rq, tx, in->HealthCheckId, &h));
	return observed(rq, h, h->Failure, h->Failed, &out->HealthCheckObservations);
}
