/*
 * How many records hourly or resource-level data would have, and tags carried back to earlier months.
 */
#include "base/map.h"
#include "base/time.h"
#include "ce.h"

#define BACKFILL_MONTHS 12
#define PAGE 1000

typedef struct counter {
	req *rq;
	const ce_GetApproximateUsageRecords_in *in;
	map seen;
	ce_ApproximateUsageRecordsPerService list;
	size_t room;
	int64_t total;
} counter;

static bool wanted(const counter *c, str name)
{
	for (size_t i = 0; i < c->in->Services.n; i++)
		if (str_eq(c->in->Services.v[i], name))
			return true;
	return c->in->Services.n == 0;
}

static void count_one(counter *c, str name)
{
	c->total++;
	for (size_t i = 0; i < c->list.n; i++)
		if (str_eq(c->list.v[i].key, name)) {
			c->list.v[i].value.v++;
			return;
		}
	if (c->list.n == c->room) {
		size_t wider = c->room ? 2 * c->room : 32;
		ce_ApproximateUsageRecordsPerService_entry *v =
			arena_array(c->rq->mem, ce_ApproximateUsageRecordsPerService_entry, wider);
		if (c->list.n)
			memcpy(v, c->list.v, c->list.n * sizeof *v);
		c->list.v = v;
		c->room = wider;
	}
	c->list.v[c->list.n].key = name;
	c->list.v[c->list.n++].value = I64(1);
}

/* A record is of an hour or a day, a usage type and operation, and a resource when those are asked for. */
static void add_row(void *context, const ce_row *row, size_t period)
{
	counter *c = context;
	static char there;
	arena *mem = c->rq->mem;
	bool resources = str_eq(c->in->ApproximationDimension, S("RESOURCE"));
	str name = ce_dimension(c->rq, row, S("SERVICE"));
	if (!wanted(c, name))
		return;
	str key = arena_fmt(mem, "%zu\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", period, STR_ARG(name),
	                    STR_ARG(ce_dimension(c->rq, row, S("USAGE_TYPE"))),
	                    STR_ARG(ce_dimension(c->rq, row, S("OPERATION"))), STR_ARG(row->record_type),
	                    STR_ARG(resources ? ce_dimension(c->rq, row, S("RESOURCE_ID")) : S("")));
	if (map_get(&c->seen, key))
		return;
	map_put(&c->seen, key, &there);
	count_one(c, arena_str(mem, name));
}

err ce_GetApproximateUsageRecords(req *rq, const ce_GetApproximateUsageRecords_in *in,
                                  ce_GetApproximateUsageRecords_out *out)
{
	meter_one(rq, &CE_REQUEST, S(""));
	if (str_eq(in->Granularity, S("MONTHLY")))
		return fail(rq, &aws_ValidationException, "Only HOURLY and DAILY granularity is supported");
	int64_t today = rq->now - rq->now % MS_DAY;
	int64_t step = str_eq(in->Granularity, S("HOURLY")) ? MS_HOUR : MS_DAY;
	ce_period p = { .from = today - CE_HOURLY_DAYS * MS_DAY, .to = today,
		        .unit = step == MS_DAY ? 'D' : 'H' };
	p.n = (size_t)((p.to - p.from) / step);
	counter c = { .rq = rq, .in = in, .seen = map_in(rq->mem, 256) };
	TRY(ce_rows(rq, &p, NULL, NULL, rq->now, add_row, &c));
	if (!c.list.v)
		c.list.v = arena_array(rq->mem, ce_ApproximateUsageRecordsPerService_entry, 1);
	out->Services = c.list;
	out->TotalRecords = I64(c.total);
	ce_period whole = { .from = p.from, .to = p.to, .unit = 'D', .n = 1 };
	out->LookbackPeriod = ce_interval(rq, &whole, 0);
	return OK;
}

static ce_CostAllocationTagBackfillRequest *shown(req *rq, const ce_backfill *b)
{
	str at = b->Requested;
	ce_CostAllocationTagBackfillRequest *o = arena_new(rq->mem, ce_CostAllocationTagBackfillRequest);
	*o = (ce_CostAllocationTagBackfillRequest){ .BackfillFrom = b->From, .RequestedAt = at, .CompletedAt = at,
		                                    .LastUpdatedAt = at, .BackfillStatus = S("SUCCEEDED") };
	return o;
}

/* Which tags are active counts for all usage already, so a backfill is done as soon as it is asked for. */
err ce_StartCostAllocationTagBackfill(req *rq, txn *tx, const ce_StartCostAllocationTagBackfill_in *in,
                                      ce_StartCostAllocationTagBackfill_out *out)
{
	int64_t from = 0, now = rq->now - rq->now % MS_SECOND;
	meter_one(rq, &CE_REQUEST, S(""));
	if (!time_parse(in->BackfillFrom, &from) || from != month_of(from) || from > rq->now ||
	    from < month_after(month_of(rq->now), -BACKFILL_MONTHS))
		return fail(rq, &aws_ValidationException,
		            "BackfillFrom must be the first day of one of the past %d months", BACKFILL_MONTHS);
	record_scan scan = ce_backfill_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	record_scan_reverse(&scan);
	ce_backfill *latest = ce_backfill_next(&scan);
	if (latest && str_cmp(latest->Requested, time_iso(rq->mem, now - MS_DAY)) > 0)
		return fail(rq, &ce_BackfillLimitExceededException,
		            "A backfill can be requested once every 24 hours");
	ce_backfill row = { .Account = rq->who.account, .Requested = time_iso(rq->mem, now),
		            .From = in->BackfillFrom };
	ce_backfill_put(tx, &row);
	out->BackfillRequest = shown(rq, &row);
	return OK;
}

err ce_ListCostAllocationTagBackfillHistory(req *rq, const txn *tx,
                                            const ce_ListCostAllocationTagBackfillHistory_in *in,
                                            ce_ListCostAllocationTagBackfillHistory_out *out)
{
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : PAGE;
	str before = S("");
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->NextToken.n && !page_position(rq, in->NextToken, &before))
		return fail(rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	record_scan scan = ce_backfill_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	record_scan_reverse(&scan);
	ce_CostAllocationTagBackfillRequestList *list = &out->BackfillRequests;
	list->v = arena_array(rq->mem, ce_CostAllocationTagBackfillRequest, most + 1);
	for (ce_backfill *b; (b = ce_backfill_next(&scan));) {
		if (before.n && str_cmp(b->Requested, before) >= 0)
			continue;
		if (list->n == most) {
			out->NextToken = page_token(rq, list->v[most - 1].RequestedAt);
			break;
		}
		list->v[list->n++] = *shown(rq, b);
	}
	return OK;
}
