#include "cloud/meter.h"
#include "xray.h"

#define PAGE 100
#define SCAN_MAX 2000
#define IDS_MAX 5

err xray_BatchGetTraces(req *rq, const txn *tx, const xray_BatchGetTraces_in *in,
                        xray_BatchGetTraces_out *out)
{
	if (in->TraceIds.n > IDS_MAX)
		return fail(rq, &xray_InvalidRequestException, "At most %d trace IDs can be asked for", IDS_MAX);
	out->Traces.v = arena_array(rq->mem, xray_Trace, in->TraceIds.n + 1);
	out->UnprocessedTraceIds.v = arena_array(rq->mem, str, in->TraceIds.n + 1);
	for (size_t k = 0; k < in->TraceIds.n; k++) {
		view *v = view_load(tx, rq->mem, rq->who.account, rq->region, in->TraceIds.v[k]);
		if (!v)
			continue;
		xray_Trace t = { .Id = v->id, .Duration = F64(v->end - v->start), .LimitExceeded = BOOL(false) };
		t.Segments.v = arena_array(rq->mem, xray_Segment, v->n_segments);
		for (const part *p = v->parts; p; p = p->next) {
			if (p->owner)
				continue;
			xray_segment *row = xray_segment_get(tx, rq->mem, rq->who.account, rq->region, v->id, p->id);
			if (row)
				t.Segments.v[t.Segments.n++] = (xray_Segment){ p->id, row->Document };
		}
		out->Traces.v[out->Traces.n++] = t;
		meter_one(rq, &XRAY_RETRIEVED, S("traces"));
	}
	return OK;
}

static xray_ServiceId service_of(req *rq, const part *p)
{
	xray_ServiceId s = { .Name = p->name, .AccountId = p->inferred ? STR_NONE : rq->who.account,
		             .Type = p->type };
	s.Names.v = arena_new(rq->mem, str);
	s.Names.v[0] = p->name;
	s.Names.n = 1;
	return s;
}

static void add_services(req *rq, const view *v, size_t n, xray_TraceSummary *t)
{
	t->ServiceIds.v = arena_array(rq->mem, xray_ServiceId, n);
	for (const part *p = v->parts; p; p = p->next) {
		bool had = p->owner && !p->inferred;
		for (size_t i = 0; i < t->ServiceIds.n; i++)
			had = had || (str_eq(t->ServiceIds.v[i].Name, p->name) &&
			              str_eq(t->ServiceIds.v[i].Type, p->type));
		if (!had)
			t->ServiceIds.v[t->ServiceIds.n++] = service_of(rq, p);
	}
}

static xray_AnnotationValue *value_of(req *rq, const json_value *a)
{
	xray_AnnotationValue *v = arena_new(rq->mem, xray_AnnotationValue);
	double d;
	if (a->kind == JSON_NUMBER && str_to_f64(a->text, &d))
		v->NumberValue = F64(d);
	else if (a->kind == JSON_TRUE || a->kind == JSON_FALSE)
		v->BooleanValue = BOOL(a->kind == JSON_TRUE);
	else
		v->StringValue = a->text;
	return v;
}

static void add_annotation(req *rq, const part *p, const json_value *a, xray_TraceSummary *t)
{
	xray_Annotations *all = &t->Annotations;
	xray_Annotations_entry *e = NULL;
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].key, a->key))
			e = &all->v[i];
	if (!e) {
		e = &all->v[all->n++];
		e->key = a->key;
	}
	xray_ValueWithServiceIds *values = arena_array(rq->mem, xray_ValueWithServiceIds, e->value.n + 1);
	for (size_t i = 0; i < e->value.n; i++)
		values[i] = e->value.v[i];
	xray_ValueWithServiceIds *mine = &values[e->value.n];
	mine->AnnotationValue = value_of(rq, a);
	mine->ServiceIds.v = arena_new(rq->mem, xray_ServiceId);
	mine->ServiceIds.v[0] = service_of(rq, p->owner ? p->owner : p);
	mine->ServiceIds.n = 1;
	e->value.v = values;
	e->value.n++;
}

static void add_annotations(req *rq, const view *v, xray_TraceSummary *t)
{
	size_t n = 0;
	for (const part *p = v->parts; p; p = p->next)
		n += p->annotations ? p->annotations->n : 0;
	t->Annotations.v = arena_array(rq->mem, xray_Annotations_entry, n + 1);
	for (const part *p = v->parts; p; p = p->next)
		for (const json_value *a = p->annotations ? p->annotations->first : NULL; a; a = a->next)
			add_annotation(rq, p, a, t);
}

static void add_people_and_places(req *rq, const view *v, size_t n, xray_TraceSummary *t)
{
	t->Users.v = arena_array(rq->mem, xray_TraceUser, n);
	t->ResourceARNs.v = arena_array(rq->mem, xray_ResourceARNDetail, n);
	for (const part *p = v->parts; p; p = p->next) {
		if (p->user.n) {
			xray_TraceUser *u = &t->Users.v[t->Users.n++];
			u->UserName = p->user;
			u->ServiceIds.v = arena_new(rq->mem, xray_ServiceId);
			u->ServiceIds.v[0] = service_of(rq, p->owner ? p->owner : p);
			u->ServiceIds.n = 1;
		}
		if (p->arn.n)
			t->ResourceARNs.v[t->ResourceARNs.n++].ARN = p->arn;
	}
}

static xray_TraceSummary summary(req *rq, const view *v)
{
	const part *r = v->root;
	size_t n = 0;
	xray_TraceSummary t = {
		.Id = v->id, .StartTime = TIME((int64_t)(v->start * 1000)), .Duration = F64(v->end - v->start),
		.ResponseTime = F64(r->end - r->start), .HasFault = BOOL(r->fault), .HasError = BOOL(r->error),
		.HasThrottle = BOOL(r->throttle), .IsPartial = BOOL(v->partial), .Revision = I64(1),
		.MatchedEventTime = TIME((int64_t)(v->start * 1000)),
	};
	for (const part *p = v->parts; p; p = p->next)
		n++;
	t.Http = arena_new(rq->mem, xray_Http);
	*t.Http = (xray_Http){ .HttpURL = r->url, .HttpMethod = r->method, .UserAgent = r->agent,
		               .ClientIp = r->ip };
	if (r->status)
		t.Http->HttpStatus = I64(r->status);
	t.EntryPoint = arena_new(rq->mem, xray_ServiceId);
	*t.EntryPoint = service_of(rq, r);
	add_services(rq, v, n, &t);
	add_annotations(rq, v, &t);
	add_people_and_places(rq, v, n, &t);
	return t;
}

/* Token: the time and id of the last trace looked at. */
static err begin_after(req *rq, str token, int64_t *when, str *id)
{
	str position;
	if (!str_is(token))
		return OK;
	if (!page_position(rq, token, &position))
		return fail(rq, &xray_InvalidRequestException, "Invalid NextToken");
	str first = str_cut(&position, ' ');
	*id = position;
	return str_to_i64(first, when) ? OK : fail(rq, &xray_InvalidRequestException, "Invalid NextToken");
}

err xray_GetTraceSummaries(req *rq, const txn *tx, const xray_GetTraceSummaries_in *in,
                           xray_GetTraceSummaries_out *out)
{
	filter *f;
	int64_t from = in->StartTime.v, seen = 0;
	str after = STR_NONE;
	TRY(filter_read(rq, in->FilterExpression, &f));
	if (in->EndTime.v < from || in->EndTime.v - from > INT64_C(24) * 3600 * 1000)
		return fail(rq, &xray_InvalidRequestException,
		            "The time range is at most 24 hours, and EndTime is not before StartTime");
	TRY(begin_after(rq, in->NextToken, &from, &after));
	out->TraceSummaries.v = arena_array(rq->mem, xray_TraceSummary, PAGE);
	record_scan s = xray_bytime_scan(tx, rq->mem, 2, rq->who.account, rq->region, 0, STR_NONE);
	/* Ids say whole seconds: a trace of the range's first second belongs to it. */
	record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)(from - from % 1000 - 1)));
	for (xray_bytime *t; (t = xray_bytime_next(&s)) && t->When <= in->EndTime.v;) {
		if (after.n && t->When == from && str_cmp(t->Id, after) <= 0)
			continue;
		view *v = view_load(tx, rq->mem, rq->who.account, rq->region, t->Id);
		seen++;
		meter_one(rq, &XRAY_RETRIEVED, S("traces"));
		if (v && filter_takes(f, v))
			out->TraceSummaries.v[out->TraceSummaries.n++] = summary(rq, v);
		if (out->TraceSummaries.n == PAGE || seen == SCAN_MAX) {
			out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld %.*s", (long long)t->When,
			                                          STR_ARG(t->Id)));
			break;
		}
	}
	cursor_close(&s.at);
	out->TracesProcessedCount = I64(seen);
	out->ApproximateTime = TIME(rq->now);
	return OK;
}
