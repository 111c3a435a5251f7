/* What a Contributor Insights rule has counted, worked out from the log. */
#include "base/map.h"
#include "cloud/call.h"
#include "gen/logs.h"
#include "insight.h"
#include <math.h>
#include <stdlib.h>

#define GROUPS_MAX 1000
#define CONTRIBUTORS_DEFAULT 10
#define CONTRIBUTORS_MAX 100
#define MEMORY_MAX ((size_t)512 << 20)

typedef struct part {
	size_t bucket;
	double value;
} part;

typedef struct contributor {
	str keys[INSIGHT_KEYS_MAX];
	double total, greatest; /* of one bucket */
	part *parts; /* the buckets in which it has something */
	size_t n, capacity;
	struct contributor *next;
} contributor;

typedef struct bucket {
	double samples, sum, least, most, unique, top;
} bucket;

typedef struct report {
	req *rq;
	const cloudwatch_GetInsightRuleReport_in *in;
	const cloudwatch_insight *row;
	insight_rule *rule;
	int64_t start, period_ms;
	size_t n;
	bucket *buckets;
	map by_key;
	contributor *all;
	size_t contributors;
	double total;
} report;

static contributor *contributor_of(report *r, arena *mem, const str *keys)
{
	buf b = buf_in(mem, 128, 1 << 20);
	for (size_t i = 0; i < r->rule->n_keys; i++)
		buf_fmt(&b, "%zu:%.*s", keys[i].n, STR_ARG(keys[i]));
	contributor *c = map_get(&r->by_key, buf_str(&b));
	if (c)
		return c;
	c = arena_new(r->rq->mem, contributor);
	*c = (contributor){ .next = r->all };
	for (size_t i = 0; i < r->rule->n_keys; i++)
		c->keys[i] = arena_str(r->rq->mem, keys[i]);
	map_put(&r->by_key, arena_str(r->rq->mem, buf_str(&b)), c);
	r->all = c;
	r->contributors++;
	return c;
}

static void contribute(report *r, contributor *c, size_t at, double value)
{
	size_t i = c->n;
	while (i && c->parts[i - 1].bucket != at)
		i--;
	if (!i && c->n == c->capacity) {
		size_t capacity = c->capacity ? c->capacity * 2 : 4;
		part *more = arena_array(r->rq->mem, part, capacity);
		if (c->n)
			memcpy(more, c->parts, c->n * sizeof *more);
		c->parts = more;
		c->capacity = capacity;
	}
	if (i)
		c->parts[i - 1].value += value;
	else
		c->parts[c->n++] = (part){ at, value };
	c->total += value;
}

/* AWS counts an event as it comes in. */
static bool counted(const cloudwatch_insight *row, int64_t came)
{
	for (size_t i = 0; i < row->Spans.n; i++)
		if (came >= row->Spans.v[i].From.v && (!row->Spans.v[i].To.set || came < row->Spans.v[i].To.v))
			return true;
	return false;
}

static void look(report *r, arena *mem, const logs_FilteredLogEvent *e)
{
	str keys[INSIGHT_KEYS_MAX];
	double value;
	size_t at = (size_t)((e->timestamp.v - r->start) / r->period_ms);
	if (e->timestamp.v < r->start || at >= r->n || !counted(r->row, e->ingestionTime.v)
	    || !insight_match(mem, r->rule, e->message, keys, &value))
		return;
	bucket *b = &r->buckets[at];
	b->least = b->samples > 0 ? fmin(b->least, value) : value;
	b->most = b->samples > 0 ? fmax(b->most, value) : value;
	b->samples++;
	b->sum += value;
	r->total += value;
	contribute(r, contributor_of(r, mem, keys), at, value);
}

/* In CloudWatch's own name: the rule's owner need not be who asks for the report. */
static req *own(report *r, arena *mem)
{
	return req_internal(mem, r->rq->store, "cloudwatch.amazonaws.com", r->rq->who.account, r->rq->region);
}

static err read_page(report *r, arena *mem, str group, str *token)
{
	logs_FilterLogEvents_in ask = { .logGroupName = group,
		                            .startTime = I64(r->start),
		                            .endTime = I64(r->in->EndTime.v - 1),
		                            .nextToken = *token };
	logs_FilterLogEvents_out got = { 0 };
	TRY(call(own(r, mem), NULL, "logs", "FilterLogEvents", &ask, &got));
	for (size_t i = 0; i < got.events.n; i++)
		look(r, mem, &got.events.v[i]);
	*token = str_is(got.nextToken) ? arena_str(r->rq->mem, got.nextToken) : STR_NONE;
	if (arena_used(r->rq->mem) > MEMORY_MAX)
		return fail(r->rq, &cloudwatch_InvalidParameterValueException,
		            "The rule has more contributors in this time than a report can tell.");
	return OK;
}

static err read_group(report *r, str group)
{
	str token = STR_NONE;
	do {
		arena *scratch = arena_open(0);
		err e = read_page(r, scratch, group, &token);
		if (e) /* the group went meanwhile, or the page is the log's to refuse */
			e = fail(r->rq, &cloudwatch_InvalidParameterValueException, "%.*s", STR_ARG(e->message));
		arena_close(scratch);
		TRY(e);
	} while (str_is(token));
	return OK;
}

/* Another of the rule's names has all groups that this one has. */
static bool is_covered(const insight_rule *r, size_t i)
{
	str own = r->groups[i];
	str base = str_ends(own, S("*")) ? str_sub(own, 0, own.n - 1) : own;
	for (size_t k = 0; k < r->n_groups; k++) {
		str other = r->groups[k];
		bool all = str_ends(other, S("*")) && str_starts(base, str_sub(other, 0, other.n - 1));
		if (str_eq(own, other) ? k < i : all)
			return true;
	}
	return false;
}

/* The log groups of the rule, each once: the names that are asked for have none in common. */
static err groups_of(report *r, str *names, size_t *n)
{
	for (size_t i = 0; i < r->rule->n_groups && *n < GROUPS_MAX; i++) {
		str wanted = r->rule->groups[i];
		bool many = str_ends(wanted, S("*"));
		if (is_covered(r->rule, i))
			continue;
		logs_DescribeLogGroups_in ask = { .logGroupNamePrefix = str_sub(wanted, 0, wanted.n - many) };
		ask.logGroupNamePrefix = ask.logGroupNamePrefix.n ? ask.logGroupNamePrefix : STR_NONE;
		do {
			logs_DescribeLogGroups_out got = { 0 };
			TRY(call(own(r, r->rq->mem), NULL, "logs", "DescribeLogGroups", &ask, &got));
			for (size_t k = 0; k < got.logGroups.n && *n < GROUPS_MAX; k++)
				if (insight_group(r->rule, i, got.logGroups.v[k].logGroupName))
					names[(*n)++] = got.logGroups.v[k].logGroupName;
			ask.nextToken = many ? got.nextToken : STR_NONE; /* the name itself is the first that begins so */
		} while (str_is(ask.nextToken) && *n < GROUPS_MAX);
	}
	return OK;
}

static int by_total(const void *a, const void *b)
{
	const contributor *x = *(contributor *const *)a, *y = *(contributor *const *)b;
	return x->total != y->total ? (x->total < y->total ? 1 : -1) : str_cmp(x->keys[0], y->keys[0]);
}

static int by_greatest(const void *a, const void *b)
{
	const contributor *x = *(contributor *const *)a, *y = *(contributor *const *)b;
	return x->greatest != y->greatest ? (x->greatest < y->greatest ? 1 : -1) : by_total(a, b);
}

static int by_bucket(const void *a, const void *b)
{
	size_t x = ((const part *)a)->bucket, y = ((const part *)b)->bucket;
	return x < y ? -1 : x > y;
}

static cloudwatch_InsightRuleContributor told(report *r, contributor *c)
{
	cloudwatch_InsightRuleContributor out = { .ApproximateAggregateValue = F64(c->total) };
	out.Keys.v = arena_array(r->rq->mem, str, r->rule->n_keys);
	for (size_t i = 0; i < r->rule->n_keys; i++)
		out.Keys.v[out.Keys.n++] = c->keys[i];
	qsort(c->parts, c->n, sizeof *c->parts, by_bucket);
	out.Datapoints.v = arena_array(r->rq->mem, cloudwatch_InsightRuleContributorDatapoint, c->n + 1);
	for (size_t i = 0; i < c->n; i++)
		out.Datapoints.v[out.Datapoints.n++] = (cloudwatch_InsightRuleContributorDatapoint){
			TIME(r->start + (int64_t)c->parts[i].bucket * r->period_ms), F64(c->parts[i].value)
		};
	return out;
}

static void put_contributors(report *r, cloudwatch_InsightRuleContributors *out)
{
	size_t n = 0,
		   most = r->in->MaxContributorCount.set ? (size_t)r->in->MaxContributorCount.v
												 : CONTRIBUTORS_DEFAULT;
	contributor **all = arena_array(r->rq->mem, contributor *, r->contributors + 1);
	for (contributor *c = r->all; c; c = c->next) {
		for (size_t i = 0; i < c->n; i++) {
			bucket *b = &r->buckets[c->parts[i].bucket];
			b->top = b->unique > 0 ? fmax(b->top, c->parts[i].value) : c->parts[i].value;
			b->unique++;
			c->greatest = i ? fmax(c->greatest, c->parts[i].value) : c->parts[i].value;
		}
		all[n++] = c;
	}
	qsort(all, n, sizeof *all, str_eq(r->in->OrderBy, S("Maximum")) ? by_greatest : by_total);
	out->v = arena_array(r->rq->mem, cloudwatch_InsightRuleContributor, most);
	for (size_t i = 0; i < n && i < most; i++)
		out->v[out->n++] = told(r, all[i]);
}

static void put_metrics(report *r, cloudwatch_InsightRuleMetricDatapoints *out)
{
	const cloudwatch_InsightRuleMetricList *asked = &r->in->Metrics;
	out->v = arena_array(r->rq->mem, cloudwatch_InsightRuleMetricDatapoint, r->n + 1);
	for (size_t i = 0; asked->n && i < r->n; i++) {
		const bucket *b = &r->buckets[i];
		cloudwatch_InsightRuleMetricDatapoint *d = &out->v[out->n++];
		*d = (cloudwatch_InsightRuleMetricDatapoint){ .Timestamp =
			                                              TIME(r->start + (int64_t)i * r->period_ms) };
		const struct {
			const char *name;
			opt_f64 *to;
			double value;
		} all[] = {
			{ "UniqueContributors", &d->UniqueContributors, b->unique },
			{ "MaxContributorValue", &d->MaxContributorValue, b->top },
			{ "SampleCount", &d->SampleCount, b->samples },
			{ "Sum", &d->Sum, b->sum },
			{ "Average", &d->Average, b->samples > 0 ? b->sum / b->samples : 0 },
			{ "Minimum", &d->Minimum, b->least },
			{ "Maximum", &d->Maximum, b->most },
		};
		for (size_t k = 0; k < asked->n; k++)
			for (size_t j = 0; j < sizeof all / sizeof *all; j++)
				if (str_eq(asked->v[k], str_c(all[j].name)))
					*all[j].to = F64(all[j].value);
	}
}

static err wrong(req *rq, const char *parameter, str value)
{
	return fail(rq, &cloudwatch_InvalidParameterValueException, "The value %.*s for parameter %s is invalid.",
	            STR_ARG(value), parameter);
}

static err request_check(req *rq, const cloudwatch_GetInsightRuleReport_in *in)
{
	static const char *const metrics = " UniqueContributors MaxContributorValue SampleCount Sum Average "
									   "Minimum Maximum ";
	if (in->StartTime.v >= in->EndTime.v)
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The parameter StartTime must be less than the parameter EndTime.");
	if (in->Period.v % 60)
		return wrong(rq, "Period", arena_fmt(rq->mem, "%lld", (long long)in->Period.v));
	if (in->MaxContributorCount.set
	    && (in->MaxContributorCount.v < 1 || in->MaxContributorCount.v > CONTRIBUTORS_MAX))
		return wrong(rq, "MaxContributorCount",
		             arena_fmt(rq->mem, "%lld", (long long)in->MaxContributorCount.v));
	if (str_is(in->OrderBy) && !str_eq(in->OrderBy, S("Sum")) && !str_eq(in->OrderBy, S("Maximum")))
		return wrong(rq, "OrderBy", in->OrderBy);
	for (size_t i = 0; i < in->Metrics.n; i++)
		if (str_find(str_c(metrics), arena_fmt(rq->mem, " %.*s ", STR_ARG(in->Metrics.v[i]))) == SIZE_MAX)
			return wrong(rq, "Metrics", in->Metrics.v[i]);
	if ((in->EndTime.v - in->StartTime.v) / (in->Period.v * MS_SECOND) > CW_STATISTICS_MAX)
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The time range must not have more than %d periods.", CW_STATISTICS_MAX);
	return OK;
}

static err rule_of(report *r)
{
	cloudwatch_insight *row;
	const txn *tx = req_read(r->rq);
	err e = insight_find(r->rq, tx, r->in->RuleName, &row);
	r->row = row;
	req_read_end(r->rq, tx);
	return e ? e : insight_read(r->rq, r->row->Definition, &r->rule);
}

err cloudwatch_GetInsightRuleReport(req *rq, const cloudwatch_GetInsightRuleReport_in *in,
                                    cloudwatch_GetInsightRuleReport_out *out)
{
	report r = { .rq = rq, .in = in, .period_ms = in->Period.v * MS_SECOND, .by_key = map_in(rq->mem, 64) };
	str *groups = arena_array(rq->mem, str, GROUPS_MAX);
	size_t n = 0;
	TRY(request_check(rq, in));
	TRY(rule_of(&r));
	r.start = in->StartTime.v - in->StartTime.v % r.period_ms;
	r.n = (size_t)((in->EndTime.v - r.start + r.period_ms - 1) / r.period_ms);
	r.buckets = arena_array(rq->mem, bucket, r.n);
	memset(r.buckets, 0, r.n * sizeof *r.buckets);
	if (!call_possible("logs", "FilterLogEvents"))
		return fail(rq, &aws_NotImplemented, "Contributor Insights reads the log, which is not here.");
	TRY(groups_of(&r, groups, &n));
	for (size_t i = 0; i < n; i++)
		TRY(read_group(&r, groups[i]));
	out->KeyLabels.v = arena_array(rq->mem, str, r.rule->n_keys);
	for (size_t i = 0; i < r.rule->n_keys; i++)
		out->KeyLabels.v[out->KeyLabels.n++] = r.rule->keys[i].name;
	out->AggregationStatistic = r.rule->sum ? S("Sum") : S("SampleCount");
	out->AggregateValue = F64(r.total);
	out->ApproximateUniqueCount = I64((int64_t)r.contributors);
	put_contributors(&r, &out->Contributors);
	put_metrics(&r, &out->MetricDatapoints);
	meter(rq, &CW_GETMETRICDATA, QTY(in->Metrics.n ? in->Metrics.n : 1), in->RuleName);
	return OK;
}
