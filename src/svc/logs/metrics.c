/*
 * Metric filters. Events that fit give values; a batch's values leave as one PutMetricData, by a durable
 * task, so that they are in CloudWatch when the events are on disk, also across a crash.
 */
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "logs.h"
#include "store/due.h"
#include "sys/clock.h"

#define PAGE 50
#define DIMENSIONS_MAX 3
#define VALUES_MAX 500
#define EXTRACTED_MAX 100
#define PAYLOAD_MAX ((size_t)900 << 10)

TASK(logs_metric)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '), out;
	req *rq = req_internal(mem, s, "logs.amazonaws.com", account, region);
	if (!call_possible("cloudwatch", "PutMetricData"))
		return TASK_DONE;
	/* Values of metric filters are no API requests of the user's: what the call meters is not settled. */
	err e = call_json(rq, NULL, "cloudwatch", "PutMetricData", rest, &out);
	return e && e->kind->server && attempt < 10 ? clock_now() + MS_SECOND * attempt : TASK_DONE;
}

/* An event that fits (or not: the default value), and the filter that said so. */
typedef struct matched {
	const filter *filter;
	str message;      /* of the event, as the filter sees it */
	int64_t when;
	bool fits;
} matched;

/* What a selector picks from the event, or what stands there itself. */
static str value_of(arena *mem, const matched *m, str said)
{
	if (!str_starts(said, S("$")))
		return said;
	return m->fits ? filter_value(mem, m->filter, m->message, said) : STR_NONE;
}

static bool put_dimensions(buf *b, const matched *m, const logs_MetricTransformation *t)
{
	buf_put(b, S(",\"Dimensions\":["));
	for (size_t i = 0; i < t->dimensions.n; i++) {
		str value = value_of(b->mem, m, t->dimensions.v[i].value);
		if (!value.n)
			return false;
		buf_put(b, i ? S(",{\"Name\":") : S("{\"Name\":"));
		json_put_string(b, t->dimensions.v[i].key);
		buf_put(b, S(",\"Value\":"));
		json_put_string(b, value);
		buf_c(b, '}');
	}
	buf_c(b, ']');
	return true;
}

/* One datum; nothing when the event has no such number. */
static bool put_value(buf *b, const matched *m, const logs_MetricTransformation *t)
{
	double d = t->defaultValue.v;
	int64_t when = m->when;
	buf one = buf_in(b->mem, 256, 65536);
	if (m->fits && !str_to_f64(value_of(b->mem, m, t->metricValue), &d))
		return false;
	buf_put(&one, b->n ? S(",{\"MetricName\":") : S("{\"MetricName\":"));
	json_put_string(&one, t->metricName);
	buf_fmt(&one, ",\"Timestamp\":%lld.%03lld,\"Value\":", (long long)(when / 1000),
	        (long long)(when % 1000));
	json_put_double(&one, d);
	if (str_is(t->unit)) {
		buf_put(&one, S(",\"Unit\":"));
		json_put_string(&one, t->unit);
	}
	if (t->dimensions.n && !put_dimensions(&one, m, t))
		return false;
	buf_c(&one, '}');
	if (one.full)
		return false;
	buf_put(b, buf_str(&one));
	return !b->full;
}

static void send(txn *tx, const logs_group *g, const logs_MetricTransformation *t, const buf *data)
{
	if (!data->n || data->full)
		return;
	buf b = buf_in(txn_arena(tx), data->n + 512, PAYLOAD_MAX + 4096);
	buf_fmt(&b, "%.*s %.*s {\"Namespace\":", STR_ARG(g->Account), STR_ARG(g->Region));
	json_put_string(&b, t->metricNamespace);
	buf_put(&b, S(",\"MetricData\":["));
	buf_put(&b, buf_str(data));
	buf_put(&b, S("]}"));
	task_add(tx, "logs_metric", buf_str(&b), 0);
}

static void make_values(txn *tx, const logs_group *g, const filter *f, const logs_metricfilter *of,
                        const logs_MetricTransformation *t, const event_in *events, size_t n,
                        int64_t *defaulted)
{
	arena *mem = txn_arena(tx);
	buf data = buf_in(mem, 512, PAYLOAD_MAX);
	size_t values = 0;
	for (size_t i = 0; i < n; i++) {
		str message = event_filtered(&events[i], of->OnTransformed);
		matched m = { f, message, events[i].when, filter_fits(mem, f, message) };
		int64_t minute = events[i].when / MS_MINUTE;
		bool last = i + 1 == n || events[i + 1].when / MS_MINUTE != minute;
		if (m.fits && minute > *defaulted)
			*defaulted = minute;
		/* The default stands for a minute in which nothing fits. */
		if (!m.fits && (!t->defaultValue.set || !last || minute <= *defaulted))
			continue;
		if (!m.fits)
			*defaulted = minute;
		values += put_value(&data, &m, t);
		if (values == VALUES_MAX) {
			send(tx, g, t, &data);
			data = buf_in(mem, 512, PAYLOAD_MAX);
			values = 0;
		}
	}
	send(tx, g, t, &data);
}

void metrics_of(txn *tx, const logs_group *g, const event_in *events, size_t n, int64_t now)
{
	arena *mem = txn_arena(tx);
	(void)now;
	record_scan s = logs_metricfilter_scan(tx, mem, 1, g->Id, STR_NONE);
	req *rq = NULL;
	for (logs_metricfilter *m; (m = logs_metricfilter_next(&s));) {
		filter *f;
		if (!rq)
			rq = req_internal(mem, txn_store(tx), "logs.amazonaws.com", g->Account, g->Region);
		int64_t defaulted = m->DefaultMinute;
		if (!filter_parse(rq, m->Pattern, &f))
			for (size_t i = 0; i < m->Transformations.n; i++)
				make_values(tx, g, f, m, &m->Transformations.v[i], events, n, &defaulted);
		bool has_default = m->Transformations.n && m->Transformations.v[0].defaultValue.set;
		if (has_default && defaulted != m->DefaultMinute) {
			m->DefaultMinute = defaulted;
			logs_metricfilter_put(tx, m);
		}
	}
	cursor_close(&s.at);
}

int64_t metric_filters_count(const txn *tx, arena *mem, const logs_group *g)
{
	int64_t n = 0;
	record_scan s = logs_metricfilter_scan(tx, mem, 1, g->Id, STR_NONE);
	while (logs_metricfilter_next(&s))
		n++;
	return n;
}

void metric_filters_drop(txn *tx, arena *mem, const logs_group *g)
{
	record_scan s = logs_metricfilter_scan(tx, mem, 1, g->Id, STR_NONE);
	for (logs_metricfilter *m; (m = logs_metricfilter_next(&s));)
		logs_metricfilter_delete(tx, g->Id, m->Name);
}

err logs_PutMetricFilter(req *rq, txn *tx, const logs_PutMetricFilter_in *in, logs_PutMetricFilter_out *out)
{
	logs_group *g;
	filter *f;
	double d;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	TRY(group_standard(rq, g));
	TRY(filter_parse(rq, in->filterPattern, &f));
	const logs_MetricTransformation *t = &in->metricTransformations.v[0];
	if (!str_starts(t->metricValue, S("$")) && !str_to_f64(t->metricValue, &d))
		return fail(rq, &logs_InvalidParameterException,
		            "Invalid metric transformation: the value is a "
		            "number or a property of the event, $.name or $field");
	if (str_starts(t->metricNamespace, S("AWS/")))
		return fail(rq, &logs_InvalidParameterException, "Namespaces that begin with AWS/ are reserved.");
	if (t->dimensions.n && !filter_has_parts(f))
		return fail(rq, &logs_InvalidParameterException,
		            "The specified filter pattern does not support dimensions");
	if (t->dimensions.n > DIMENSIONS_MAX)
		return fail(rq, &logs_InvalidParameterException,
		            "Invalid metric transformation: a metric has at most %d dimensions.", DIMENSIONS_MAX);
	if (t->dimensions.n && t->defaultValue.set)
		return fail(rq, &logs_InvalidParameterException,
		            "Invalid metric transformation: dimensions and default value are mutually exclusive "
		            "properties.");
	if (!logs_metricfilter_get(tx, rq->mem, g->Id, in->filterName) &&
	    metric_filters_count(tx, rq->mem, g) >= LOGS_METRIC_FILTERS_MAX)
		return fail(rq, &logs_LimitExceededException, "Resource limit exceeded.");
	logs_metricfilter_put(tx, &(logs_metricfilter){ .GroupId = g->Id, .Name = in->filterName,
		.Pattern = in->filterPattern, .Transformations = in->metricTransformations, .Created = rq->now,
		.Group = g->Name, .Account = g->Account, .Region = g->Region,
		.OnTransformed = in->applyOnTransformedLogs.v });
	return OK;
}

err logs_DeleteMetricFilter(req *rq, txn *tx, const logs_DeleteMetricFilter_in *in,
                            logs_DeleteMetricFilter_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	if (!logs_metricfilter_delete(tx, g->Id, in->filterName))
		return fail(rq, &logs_ResourceNotFoundException, "The specified metric filter does not exist.");
	return OK;
}

static bool wanted(const logs_DescribeMetricFilters_in *in, const logs_metricfilter *m)
{
	const logs_MetricTransformation *t = m->Transformations.n ? m->Transformations.v : NULL;
	return str_starts(m->Name, in->filterNamePrefix) &&
	       (!str_is(in->metricName) || (t && str_eq(t->metricName, in->metricName))) &&
	       (!str_is(in->metricNamespace) || (t && str_eq(t->metricNamespace, in->metricNamespace)));
}

/* A page of filters. Its position is a group and a filter, divided by a blank. */
typedef struct filter_page {
	logs_MetricFilters *into;
	size_t most;
	str group, after; /* where it goes on */
} filter_page;

/* false: the page is full. */
static bool add_filters(req *rq, const txn *tx, const logs_group *g, const logs_DescribeMetricFilters_in *in,
                        const filter_page *p)
{
	record_scan s = logs_metricfilter_scan(tx, rq->mem, 1, g->Id, STR_NONE);
	if (str_is(p->after) && str_eq(p->group, g->Name))
		record_scan_after(&s, p->after);
	for (logs_metricfilter *m; (m = logs_metricfilter_next(&s));) {
		if (!wanted(in, m))
			continue;
		if (p->into->n == p->most) {
			cursor_close(&s.at);
			return false;
		}
		p->into->v[p->into->n++] = (logs_MetricFilter){ .filterName = m->Name, .filterPattern = m->Pattern,
			.metricTransformations = m->Transformations, .creationTime = I64(m->Created),
			.logGroupName = g->Name, .applyOnTransformedLogs = BOOL(m->OnTransformed) };
	}
	return true;
}

err logs_DescribeMetricFilters(req *rq, const txn *tx, const logs_DescribeMetricFilters_in *in,
                               logs_DescribeMetricFilters_out *out)
{
	logs_group *g;
	bool all = true;
	filter_page p = { .into = &out->metricFilters, .most = in->limit.set ? (size_t)in->limit.v : PAGE };
	if (str_is(in->metricName) != str_is(in->metricNamespace))
		return fail(rq, &logs_InvalidParameterException,
		            "metricName and metricNamespace must be given together.");
	if (str_is(in->nextToken)) {
		if (!page_position(rq, in->nextToken, &p.after))
			return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
		p.group = str_cut(&p.after, ' ');
	}
	p.into->v = arena_array(rq->mem, logs_MetricFilter, p.most);
	if (str_is(in->logGroupName)) {
		TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
		all = add_filters(rq, tx, g, in, &p);
	} else {
		record_scan s = logs_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
		while (all && (g = logs_group_next(&s)))
			if (!str_is(p.group) || str_cmp(g->Name, p.group) >= 0)
				all = add_filters(rq, tx, g, in, &p);
		cursor_close(&s.at);
	}
	const logs_MetricFilter *last = p.into->n ? &p.into->v[p.into->n - 1] : NULL;
	if (!all && last)
		out->nextToken = page_token(rq, arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(last->logGroupName),
		                                          STR_ARG(last->filterName)));
	return OK;
}

typedef struct extracted {
	logs_ExtractedValues *into;
	size_t capacity;
} extracted;

static void keep_value(void *context, str name, str value)
{
	extracted *e = context;
	if (e->into->n < e->capacity)
		e->into->v[e->into->n++] = (logs_ExtractedValues_entry){ name, value };
}

err logs_TestMetricFilter(req *rq, const txn *tx, const logs_TestMetricFilter_in *in,
                          logs_TestMetricFilter_out *out)
{
	filter *f;
	TRY(filter_parse(rq, in->filterPattern, &f));
	out->matches.v = arena_array(rq->mem, logs_MetricFilterMatchRecord, in->logEventMessages.n + 1);
	for (size_t i = 0; i < in->logEventMessages.n; i++) {
		str message = in->logEventMessages.v[i];
		if (!filter_fits(rq->mem, f, message))
			continue;
		logs_MetricFilterMatchRecord *m = &out->matches.v[out->matches.n++];
		*m = (logs_MetricFilterMatchRecord){ .eventNumber = I64((int64_t)i + 1), .eventMessage = message };
		extracted e = { &m->extractedValues, EXTRACTED_MAX };
		m->extractedValues.v = arena_array(rq->mem, logs_ExtractedValues_entry, EXTRACTED_MAX);
		filter_values(rq->mem, f, message, keep_value, &e);
	}
	return OK;
}
