#include "base/json.h"
#include "base/time.h"
#include "bus.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "sys/rand.h"

#define TIME_BYTES 14

typedef struct matching {
	req *rq;
	txn *tx;
	const bus_name *bus;
	const one_event *event;
	size_t n;
} matching;

static bool named(const events_ReplayDestinationFilters *list, str arn)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], arn))
			return true;
	return false;
}

static void archived(void *context, str archive_name)
{
	const matching *m = context;
	archive_keep(m->rq, m->tx, m->bus, archive_name, m->event);
}

static void matched(void *context, str rule_name)
{
	matching *m = context;
	const events_rule *r = events_rule_get(m->tx, m->rq->mem, m->bus->account, m->bus->region, m->bus->name,
	                                       rule_name);
	ensure(r != NULL);
	if (m->event->only && !named(m->event->only, rule_arn(m->rq->mem, r)))
		return;
	m->n++;
	rule_fire(m->rq, m->tx, r, m->event);
}

void event_put(req *rq, txn *tx, const bus_name *b, const one_event *e)
{
	matching m = { rq, tx, b, e, 0 };
	if (!str_is(e->replay))
		archives_matching(tx, b, e, archived, &m);
	rules_matching(tx, b, e, matched, &m);
	if (!m.n)
		return;
	metric_point p = { .account = b->account, .region = b->region, .name_space = S("AWS/Events"),
		               .name = S("MatchedEvents"), .unit = S("Count"), .n_dimensions = 1,
		               .dimensions = { { S("EventBusName"), b->name } }, .when = e->ingested,
		               .value = (double)m.n };
	metric_later(&p);
}

static size_t size_of(const events_PutEventsRequestEntry *e)
{
	size_t n = (e->Time.set ? TIME_BYTES : 0) + e->Source.n + e->DetailType.n + e->Detail.n;
	for (size_t i = 0; i < e->Resources.n; i++)
		n += e->Resources.v[i].n;
	return n;
}

static str event_json(req *rq, const bus_name *b, const events_PutEventsRequestEntry *e, str id)
{
	int64_t when = e->Time.set ? e->Time.v : rq->now;
	buf j = buf_in(rq->mem, 512 + e->Detail.n, 4 * EVENTS_ENTRY_MAX);
	buf_fmt(&j, "{\"version\":\"0\",\"id\":\"%.*s\",\"detail-type\":", STR_ARG(id));
	json_put_string(&j, e->DetailType);
	buf_put(&j, S(",\"source\":"));
	json_put_string(&j, e->Source);
	buf_fmt(&j, ",\"account\":\"%.*s\",\"time\":\"%.*s\",\"region\":\"%.*s\",\"resources\":[",
	        STR_ARG(rq->who.account), STR_ARG(time_iso(rq->mem, when - when % MS_SECOND)),
			STR_ARG(b->region));
	for (size_t i = 0; i < e->Resources.n; i++) {
		if (i)
			buf_c(&j, ',');
		json_put_string(&j, e->Resources.v[i]);
	}
	buf_put(&j, S("],\"detail\":"));
	buf_put(&j, str_trim(e->Detail));
	buf_c(&j, '}');
	return buf_str(&j);
}

/* Code and message of an entry that is refused; false: it is good. */
static bool refused(req *rq, const events_PutEventsRequestEntry *e, events_PutEventsResultEntry *out)
{
	const char *missing = !e->Source.n       ? "Source"
	                      : !e->DetailType.n ? "DetailType"
	                      : !e->Detail.n     ? "Detail"
	                                         : NULL;
	*out = (events_PutEventsResultEntry){ .ErrorCode = S("InvalidArgument") };
	if (missing)
		out->ErrorMessage = arena_fmt(rq->mem,
				"Parameter %s is not valid. Reason: %s is a required argument.",
		                              missing, missing);
	const json_value *detail = missing ? NULL : json_parse(rq->mem, e->Detail);
	if (!missing && (!detail || detail->kind != JSON_OBJECT))
		*out = (events_PutEventsResultEntry){ .ErrorCode = S("MalformedDetail"),
			                                  .ErrorMessage = S("Detail is malformed.") };
	else if (!missing && str_starts(e->Source, S("aws.")) && !rq->who.internal && !rq->parent)
		*out = (events_PutEventsResultEntry){ .ErrorCode = S("NotAuthorizedForSourceException"),
			                                  .ErrorMessage = S("Not authorized for the source.") };
	return str_is(out->ErrorMessage);
}

err events_PutEvents(req *rq, txn *tx, const events_PutEvents_in *in, events_PutEvents_out *out)
{
	size_t total = 0, failed = 0;
	for (size_t i = 0; i < in->Entries.n; i++)
		total += size_of(&in->Entries.v[i]);
	if (total > EVENTS_ENTRY_MAX)
		return fail(rq, &aws_ValidationException,
				"Total size of the entries in the request is over the limit.");
	out->Entries.v = arena_array(rq->mem, events_PutEventsResultEntry, in->Entries.n);
	out->Entries.n = in->Entries.n;
	for (size_t i = 0; i < in->Entries.n; i++) {
		const events_PutEventsRequestEntry *e = &in->Entries.v[i];
		bus_name b = bus_named(rq, e->EventBusName);
		if (refused(rq, e, &out->Entries.v[i])) {
			failed++;
			continue;
		}
		one_event one = { .id = rand_uuid(rq->mem), .source = e->Source, .ingested = rq->now };
		out->Entries.v[i] = (events_PutEventsResultEntry){ .EventId = one.id };
		one.json = event_json(rq, &b, e, one.id);
		if (!str_starts(e->Source, S("aws.")))
			meter(rq, &EVENTS_CUSTOM,
					QTY((int64_t)((size_of(e) + EVENTS_CHUNK_BYTES - 1) / EVENTS_CHUNK_BYTES)),
			      bus_arn(rq->mem, &b));
		event_put(rq, tx, &b, &one);
	}
	out->FailedEntryCount = I64((int64_t)failed);
	return OK;
}
