#include "base/time.h"
#include "calculator.h"
#include "sys/rand.h"

err estimate_find(req *rq, const txn *tx, str id, estimate_row **out)
{
	*out = bcm_pricing_calculator_estimate_get(tx, rq->mem, rq->who.account, id);
	return *out ? OK : calculator_missing(rq, "Workload Estimate", id);
}

/* The same members in every answer that shows an estimate. */
#define SHOW(rq, tx, e, out)                                                     \
	do {                                                                         \
		priced_estimate priced_ = estimate_price(rq, tx, (e)->Id);               \
		(out)->id = (e)->Id;                                                     \
		(out)->name = (e)->Name;                                                 \
		(out)->createdAt = TIME((e)->Created);                                   \
		(out)->expiresAt = TIME((e)->Expires);                                   \
		(out)->rateType = (e)->RateType;                                         \
		(out)->rateTimestamp = TIME((e)->RateTime);                              \
		(out)->status = priced_.valid ? S("VALID") : S("ACTION_NEEDED");         \
		(out)->totalCost = estimate_number(rq, priced_.total, MONEY_DIGITS);     \
		(out)->costCurrency = S("USD");                                          \
		if (!priced_.valid)                                                      \
			(out)->failureMessage = S("A usage line has no price in the price book in use."); \
	} while (0)

static size_t estimates_kept(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = bcm_pricing_calculator_estimate_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	while (bcm_pricing_calculator_estimate_next(&s))
		n++;
	cursor_close(&s.at);
	return n;
}

static estimate_row *told_before(req *rq, const txn *tx, str token)
{
	str id = calculator_told(rq, tx, "", token);
	return str_is(id) ? bcm_pricing_calculator_estimate_get(tx, rq->mem, rq->who.account, id) : NULL;
}

err bcm_pricing_calculator_CreateWorkloadEstimate(req *rq, txn *tx,
                                                  const bcm_pricing_calculator_CreateWorkloadEstimate_in *in,
                                                  bcm_pricing_calculator_CreateWorkloadEstimate_out *out)
{
	estimate_row *e = told_before(rq, tx, in->clientToken);
	str rates = str_is(in->rateType) ? in->rateType : S("BEFORE_DISCOUNTS");
	if (!str_eq(rates, S("BEFORE_DISCOUNTS")))
		return fail(rq, &aws_NotImplemented, "Rates after discounts are not implemented: there are none.");
	if (!e) {
		TRY(calculator_room(rq, estimates_kept(rq, tx), "Workload Estimate"));
		e = arena_new(rq->mem, estimate_row);
		*e = (estimate_row){
			.Account = rq->who.account, .Id = rand_uuid(rq->mem), .Name = in->name, .Created = rq->now,
			.Expires = rq->now + CALCULATOR_DAYS_KEPT * MS_DAY, .RateType = rates,
			.RateTime = rq->now, .Tags = in->tags,
		};
		bcm_pricing_calculator_estimate_put(tx, e);
		calculator_tell(rq, tx, "", in->clientToken, e->Id);
	}
	SHOW(rq, tx, e, out);
	return OK;
}

err bcm_pricing_calculator_GetWorkloadEstimate(req *rq, const txn *tx,
                                               const bcm_pricing_calculator_GetWorkloadEstimate_in *in,
                                               bcm_pricing_calculator_GetWorkloadEstimate_out *out)
{
	estimate_row *e;
	TRY(estimate_find(rq, tx, in->identifier, &e));
	SHOW(rq, tx, e, out);
	return OK;
}

err bcm_pricing_calculator_UpdateWorkloadEstimate(req *rq, txn *tx,
                                                  const bcm_pricing_calculator_UpdateWorkloadEstimate_in *in,
                                                  bcm_pricing_calculator_UpdateWorkloadEstimate_out *out)
{
	estimate_row *e;
	TRY(estimate_find(rq, tx, in->identifier, &e));
	if (in->expiresAt.set && in->expiresAt.v <= rq->now)
		return fail(rq, &bcm_pricing_calculator_ValidationException, "expiresAt must be in the future");
	if (str_is(in->name))
		e->Name = in->name;
	if (in->expiresAt.set)
		e->Expires = in->expiresAt.v;
	bcm_pricing_calculator_estimate_put(tx, e);
	SHOW(rq, tx, e, out);
	return OK;
}

err bcm_pricing_calculator_DeleteWorkloadEstimate(req *rq, txn *tx,
                                                  const bcm_pricing_calculator_DeleteWorkloadEstimate_in *in,
                                                  bcm_pricing_calculator_DeleteWorkloadEstimate_out *out)
{
	(void)out;
	priced_estimate e = estimate_price(rq, tx, in->identifier);
	for (size_t i = 0; i < e.n; i++)
		bcm_pricing_calculator_line_delete(tx, rq->who.account, in->identifier, e.lines[i].row->Id);
	bcm_pricing_calculator_estimate_delete(tx, rq->who.account, in->identifier);
	return OK;
}

#define SHOW_LISTED(e, out) SHOW(rq, tx, e, out)

err bcm_pricing_calculator_ListWorkloadEstimates(req *rq, const txn *tx,
                                                 const bcm_pricing_calculator_ListWorkloadEstimates_in *in,
                                                 bcm_pricing_calculator_ListWorkloadEstimates_out *out)
{
	estimate_row *e;
	record_scan scan = bcm_pricing_calculator_estimate_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	CALCULATOR_LIST(rq, in, out, scan, e, bcm_pricing_calculator_estimate_next, SHOW_LISTED,
	                CALCULATOR_FILTERED);
	return OK;
}
