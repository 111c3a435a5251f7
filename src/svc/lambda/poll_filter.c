/* What pollers of queues and streams share: filters, reports of failed items, metrics. */
#include "base/time.h"
#include "cloud/metrics.h"
#include "poll.h"
#include "sys/clock.h"

#define FILTERS_MAX 10

filters mapping_filters(arena *mem, const lambda_mapping *m)
{
	const lambda_FilterCriteria *c = m->It->FilterCriteria;
	filters f = { NULL, 0 };
	if (!c || !c->Filters.n)
		return f;
	f.v = arena_array(mem, const event_pattern *, c->Filters.n);
	for (size_t i = 0; i < c->Filters.n; i++) {
		str why;
		const event_pattern *p = event_pattern_parse(mem, c->Filters.v[i].Pattern, &why);
		if (p)
			f.v[f.n++] = p;
	}
	return f;
}

bool mapping_filters_match(const filters *f, const json_value *event)
{
	for (size_t i = 0; i < f->n; i++)
		if (event_pattern_match(f->v[i], event))
			return true;
	return f->n == 0;
}

err mapping_filters_check(req *rq, const lambda_FilterCriteria *c)
{
	if (c && c->Filters.n > FILTERS_MAX)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The number of filters must be less than or equal to %d.", FILTERS_MAX);
	for (size_t i = 0; c && i < c->Filters.n; i++) {
		str why;
		if (!event_pattern_parse(rq->mem, c->Filters.v[i].Pattern, &why))
			return fail(rq, &lambda_InvalidParameterValueException, "Invalid filter pattern definition.");
	}
	return OK;
}

/* One entry; false: it names none of the batch's items. */
static bool name_failed(const json_value *entry, const str *ids, size_t n, bool *failed)
{
	const json_value *id = json_get(entry, S("itemIdentifier"));
	if (!id || id->kind != JSON_STRING || !id->text.n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(ids[i], id->text)) {
			failed[i] = true;
			return true;
		}
	return false;
}

report_kind failures_read(arena *mem, const lambda_mapping *m, const answer *a, const str *ids, size_t n,
                          bool *failed)
{
	memset(failed, 0, n * sizeof *failed);
	if (a->refused != TAKEN || a->failed)
		return REPORT_ALL_FAILED;
	if (!m->It->FunctionResponseTypes.n)
		return REPORT_ALL_GOOD;
	const json_value *v = json_parse(mem, a->payload);
	if (!v || v->kind == JSON_NULL || (v->kind == JSON_STRING && !v->text.n))
		return REPORT_ALL_GOOD;
	const json_value *list = json_get(v, S("batchItemFailures"));
	if (!list || list->kind == JSON_NULL)
		return REPORT_ALL_GOOD;
	if (list->kind != JSON_ARRAY)
		return REPORT_ALL_FAILED;
	for (const json_value *e = list->first; e; e = e->next)
		if (!name_failed(e, ids, n, failed))
			return REPORT_ALL_FAILED;
	return list->first ? REPORT_SOME : REPORT_ALL_GOOD;
}

void mapping_metric(const lambda_mapping *m, const char *name, size_t count)
{
	const lambda_EventSourceMappingMetricsConfig *c = m->It->MetricsConfig;
	bool wanted = false;
	for (size_t i = 0; c && i < c->Metrics.n; i++)
		wanted = wanted || str_eq(c->Metrics.v[i], lambda_EventSourceMappingMetric_EventCount);
	if (!wanted || !count)
		return;
	metric_point p = { .account = m->Account, .region = m->Region, .name_space = S("AWS/Lambda"),
		.name = str_c(name), .unit = S("Count"), .when = clock_now(), .value = (double)count,
		.n_dimensions = 1 };
	p.dimensions[0] = (metric_dimension){ S("EventSourceMappingUUID"), m->Uuid };
	metric_later(&p);
}
