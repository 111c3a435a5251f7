#include "base/time.h"
#include "calculator.h"
#include "cloud/meter.h"
#include "sys/rand.h"

err bill_find(req *rq, const txn *tx, str id, bill_row **out)
{
	*out = bcm_pricing_calculator_bill_get(tx, rq->mem, rq->who.account, id);
	return *out ? OK : calculator_missing(rq, "Bill Estimate", id);
}

/* The same members in every answer that shows a bill estimate. */
#define SHOW(b, out)                           \
	do {                                       \
		(out)->id = (b)->Id;                   \
		(out)->name = (b)->Name;               \
		(out)->status = S("COMPLETE");         \
		(out)->billInterval = (b)->Interval;   \
		(out)->createdAt = TIME((b)->Created); \
		(out)->expiresAt = TIME((b)->Expires); \
	} while (0)
#define SHOW_WHOLE(b, out)                \
	do {                                  \
		SHOW(b, out);                     \
		(out)->costSummary = (b)->Costs;  \
		if ((b)->Sharing.n)               \
			(out)->groupSharingPreference = (b)->Sharing; \
		if ((b)->Category.n)              \
			(out)->costCategoryGroupSharingPreferenceArn = (b)->Category; \
	} while (0)

typedef struct making {
	const bcm_pricing_calculator_CreateBillEstimate_in *in;
	bill_row bill;
	change_row **changes;
	size_t n_changes;
	priced_bill priced;
} making;

static size_t bills_kept(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = bcm_pricing_calculator_bill_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	while (bcm_pricing_calculator_bill_next(&s))
		n++;
	cursor_close(&s.at);
	return n;
}

static err estimate_in(req *rq, const txn *tx, making *m)
{
	scenario_row *s;
	TRY(scenario_find(rq, tx, m->in->billScenarioId, &s));
	m->bill = (bill_row){
		.Account = rq->who.account, .Id = rand_uuid(rq->mem), .Name = m->in->name, .Created = rq->now,
		.Expires = rq->now + CALCULATOR_DAYS_KEPT * MS_DAY, .Tags = m->in->tags, .Interval = s->Interval,
		.Sharing = s->Sharing, .Category = s->Category,
	};
	m->changes = changes_of(rq, tx, s->Id, &m->n_changes);
	TRY(bill_price(rq, tx, s->Interval, m->changes, m->n_changes, &m->priced));
	m->bill.Costs = m->priced.costs;
	return OK;
}

/* Its lines and what it was made with are its own, whatever becomes of the scenario. */
static err keep(req *rq, txn *tx, void *context)
{
	making *m = context;
	str id = calculator_told(rq, tx, "bill", m->in->clientToken);
	bill_row *told = str_is(id) ? bcm_pricing_calculator_bill_get(tx, rq->mem, rq->who.account, id) : NULL;
	if (told) {
		m->bill = *told;
		return OK;
	}
	TRY(calculator_room(rq, bills_kept(rq, tx), "Bill Estimate"));
	bcm_pricing_calculator_bill_put(tx, &m->bill);
	for (size_t i = 0; i < m->n_changes; i++) {
		change_row copy = *m->changes[i];
		copy.Owner = m->bill.Id;
		bcm_pricing_calculator_change_put(tx, &copy);
	}
	for (size_t i = 0; i < m->priced.n; i++)
		bcm_pricing_calculator_billline_put(tx, &(bcm_pricing_calculator_billline){
			.Account = m->bill.Account, .Bill = m->bill.Id, .Number = (int64_t)i + 1,
			.It = &m->priced.lines[i] });
	calculator_tell(rq, tx, "bill", m->in->clientToken, m->bill.Id);
	return OK;
}

/* Waits, because pricing a large month takes longer than the writer may. */
err bcm_pricing_calculator_CreateBillEstimate(req *rq, const bcm_pricing_calculator_CreateBillEstimate_in *in,
                                              bcm_pricing_calculator_CreateBillEstimate_out *out)
{
	making m = { .in = in };
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	err e = estimate_in(rq, tx, &m);
	req_read_end(rq, tx);
	TRY(e);
	TRY(req_write(rq, keep, &m));
	SHOW_WHOLE(&m.bill, out);
	return OK;
}

err bcm_pricing_calculator_GetBillEstimate(req *rq, const txn *tx,
                                           const bcm_pricing_calculator_GetBillEstimate_in *in,
                                           bcm_pricing_calculator_GetBillEstimate_out *out)
{
	bill_row *b;
	TRY(bill_find(rq, tx, in->identifier, &b));
	SHOW_WHOLE(b, out);
	return OK;
}

err bcm_pricing_calculator_UpdateBillEstimate(req *rq, txn *tx,
                                              const bcm_pricing_calculator_UpdateBillEstimate_in *in,
                                              bcm_pricing_calculator_UpdateBillEstimate_out *out)
{
	bill_row *b;
	TRY(bill_find(rq, tx, in->identifier, &b));
	if (in->expiresAt.set && in->expiresAt.v <= rq->now)
		return fail(rq, &bcm_pricing_calculator_ValidationException, "expiresAt must be in the future");
	b->Name = str_is(in->name) ? in->name : b->Name;
	b->Expires = in->expiresAt.set ? in->expiresAt.v : b->Expires;
	bcm_pricing_calculator_bill_put(tx, b);
	SHOW_WHOLE(b, out);
	return OK;
}

err bcm_pricing_calculator_DeleteBillEstimate(req *rq, txn *tx,
                                              const bcm_pricing_calculator_DeleteBillEstimate_in *in,
                                              bcm_pricing_calculator_DeleteBillEstimate_out *out)
{
	(void)out;
	/* An identifier of a scenario is none here: what that adds stays. */
	if (!bcm_pricing_calculator_bill_delete(tx, rq->who.account, in->identifier))
		return OK;
	changes_drop(rq, tx, in->identifier);
	for (int64_t n = 1; bcm_pricing_calculator_billline_delete(tx, rq->who.account, in->identifier, n);)
		n++;
	return OK;
}

err bcm_pricing_calculator_ListBillEstimates(req *rq, const txn *tx,
                                             const bcm_pricing_calculator_ListBillEstimates_in *in,
                                             bcm_pricing_calculator_ListBillEstimates_out *out)
{
	bill_row *b;
	record_scan scan = bcm_pricing_calculator_bill_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	CALCULATOR_LIST(rq, in, out, scan, b, bcm_pricing_calculator_bill_next, SHOW, CALCULATOR_FILTERED);
	return OK;
}

static bool line_fits(const bcm_pricing_calculator_BillEstimateLineItemSummary *l,
                      const bcm_pricing_calculator_ListBillEstimateLineItemsFilters *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		const bcm_pricing_calculator_ListBillEstimateLineItemsFilter *f = &filters->v[i];
		str have = str_eq(f->name, S("USAGE_ACCOUNT_ID")) ? l->usageAccountId
		           : str_eq(f->name, S("SERVICE_CODE"))   ? l->serviceCode
		           : str_eq(f->name, S("USAGE_TYPE"))     ? l->usageType
		           : str_eq(f->name, S("OPERATION"))      ? l->operation
		           : str_eq(f->name, S("LOCATION"))       ? l->location
		                                                  : l->lineItemType;
		if (!calculator_fits(f->matchOption, have, f->values.v, f->values.n))
			return false;
	}
	return true;
}

err bcm_pricing_calculator_ListBillEstimateLineItems(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListBillEstimateLineItems_in *in,
	bcm_pricing_calculator_ListBillEstimateLineItems_out *out)
{
	bill_row *b;
	size_t most = in->maxResults.set ? (size_t)in->maxResults.v : CALCULATOR_PAGE;
	int64_t after, last = 0;
	TRY(bill_find(rq, tx, in->billEstimateId, &b));
	TRY(calculator_page(rq, in->nextToken, &after));
	record_scan scan = bcm_pricing_calculator_billline_scan(tx, rq->mem, 2, b->Account, b->Id, 0);
	if (after)
		record_scan_after(&scan, arena_fmt(rq->mem, "%lld", (long long)after));
	out->items.v = arena_array(rq->mem, bcm_pricing_calculator_BillEstimateLineItemSummary, most);
	for (bcm_pricing_calculator_billline *l; (l = bcm_pricing_calculator_billline_next(&scan));) {
		if (!line_fits(l->It, &in->filters))
			continue;
		if (out->items.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)last));
			break;
		}
		out->items.v[out->items.n++] = *l->It;
		last = l->Number;
	}
	cursor_close(&scan.at);
	return OK;
}

err bcm_pricing_calculator_ListBillEstimateInputUsageModifications(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListBillEstimateInputUsageModifications_in *in,
	bcm_pricing_calculator_ListBillEstimateInputUsageModifications_out *out)
{
	bill_row *b;
	size_t n, most = in->maxResults.set ? (size_t)in->maxResults.v : CALCULATOR_CHANGES_PAGE;
	int64_t after, last = 0;
	TRY(bill_find(rq, tx, in->billEstimateId, &b));
	TRY(calculator_page(rq, in->nextToken, &after));
	change_row **all = changes_of(rq, tx, b->Id, &n);
	out->items.v =
		arena_array(rq->mem, bcm_pricing_calculator_BillEstimateInputUsageModificationSummary, most);
	for (size_t i = 0; i < n; i++) {
		const change_item *c = all[i]->It;
		if (all[i]->Number <= after || !change_fits(c, &in->filters))
			continue;
		if (out->items.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)last));
			break;
		}
		out->items.v[out->items.n++] = (bcm_pricing_calculator_BillEstimateInputUsageModificationSummary){
			.serviceCode = c->serviceCode, .usageType = c->usageType, .operation = c->operation,
			.location = c->location, .availabilityZone = c->availabilityZone, .id = c->id,
			.group = c->group, .usageAccountId = c->usageAccountId, .quantities = c->quantities };
		last = all[i]->Number;
	}
	return OK;
}
