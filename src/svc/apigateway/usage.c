#include "plans.h"
#include "base/text.h"
#include "base/time.h"

#define DAYS_MAX 366

int64_t quota_from(const apigateway_QuotaSettings *q, int64_t day)
{
	if (str_eq(q->period, S("DAY")))
		return day;
	if (str_eq(q->period, S("WEEK"))) /* the first of January 1970 was a Thursday; weeks begin on Sunday */
		return day - (day + 4 - q->offset.v + 7) % 7;
	civil c = time_civil(day * MS_DAY);
	int64_t since = c.day - 1 - q->offset.v;
	if (since >= 0)
		return day - since;
	civil before = time_civil((day - c.day) * MS_DAY);
	return day - c.day - before.day + 1 + q->offset.v;
}

int64_t quota_used(const txn *tx, arena *mem, str plan, str key, int64_t from, int64_t to)
{
	int64_t n = 0;
	record_scan s = apigateway_used_scan(tx, mem, 2, plan, key, 0);
	record_scan_after(&s, arena_fmt(mem, "%lld", (long long)from - 1));
	for (apigateway_used *u; (u = apigateway_used_next(&s)) && u->Day <= to;)
		n += u->Count;
	cursor_close(&s.at);
	return n;
}

static err day_of(req *rq, str text, int64_t *day)
{
	int64_t ms;
	if (text.n != 10 || !time_parse(arena_concat(rq->mem, text, S("T00:00:00Z")), &ms))
		return fail(rq, &apigateway_BadRequestException, "Usage Plan start and end dates must be of the form "
		            "YYYY-MM-DD");
	*day = ms / MS_DAY;
	return OK;
}

/* [used, remaining] of each day. */
static apigateway_ListOfUsage days_of(req *rq, const txn *tx, const apigateway_UsagePlan *p, str key,
                                      int64_t from, int64_t to)
{
	apigateway_ListOfUsage l = { arena_array(rq->mem, apigateway_ListOfLong, (size_t)(to - from + 1)), 0 };
	for (int64_t day = from; day <= to; day++) {
		apigateway_ListOfLong *one = &l.v[l.n++];
		int64_t used = quota_used(tx, rq->mem, p->id, key, day, day), left = 0;
		if (p->quota)
			left = p->quota->limit.v - quota_used(tx, rq->mem, p->id, key, quota_from(p->quota, day), day);
		one->v = arena_array(rq->mem, opt_i64, 2);
		one->n = 2;
		one->v[0] = I64(used);
		one->v[1] = I64(left > 0 ? left : 0);
	}
	return l;
}

static err usage_of(req *rq, const txn *tx, const apigateway_GetUsage_in *in, apigateway_GetUsage_out *out)
{
	int64_t from, to;
	size_t most, n = 0;
	const apigateway_plan *p = apigateway_plan_get(tx, rq->mem, rq->who.account, rq->region, in->usagePlanId);
	if (!p)
		return fail(rq, &apigateway_NotFoundException, "Invalid Usage Plan ID specified");
	TRY(day_of(rq, in->startDate, &from));
	TRY(day_of(rq, in->endDate, &to));
	if (from > to || to - from >= DAYS_MAX)
		return fail(rq, &apigateway_BadRequestException,
		            "Usage Plan end date must not be before its start date, nor "
		            "a year behind it");
	out->usagePlanId = in->usagePlanId;
	out->startDate = in->startDate;
	out->endDate = in->endDate;
	record_scan s = apigateway_plankey_scan(tx, rq->mem, 3, p->Account, p->Region, p->Id, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_MapOfKeyUsages_entry, most);
	for (apigateway_plankey *k; (k = apigateway_plankey_next(&s));) {
		if (in->keyId.n && !str_eq(in->keyId, k->Key))
			continue;
		if (n == most) {
			out->position = page_token(rq, out->items.v[most - 1].key);
			break;
		}
		out->items.v[n].key = k->Key;
		out->items.v[n++].value = days_of(rq, tx, p->It, k->Key, from, to);
	}
	cursor_close(&s.at);
	out->items.n = n;
	return OK;
}

/* In the pool: many keys and days are many rows. */
err apigateway_GetUsage(req *rq, const apigateway_GetUsage_in *in, apigateway_GetUsage_out *out)
{
	const txn *tx = req_read(rq);
	err e = usage_of(rq, tx, in, out);
	req_read_end(rq, tx);
	return e;
}
