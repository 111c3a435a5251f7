#include "cloud/meter.h"
#include "freetier.h"

bill_query freetier_account(req *rq, const txn *tx)
{
	return charges_query(rq->mem, tx, rq->who.account, rq->now, rq->now);
}

freetier_MonetaryAmount *freetier_dollars(req *rq, money m)
{
	double dollars = 0;
	freetier_MonetaryAmount *out = arena_new(rq->mem, freetier_MonetaryAmount);
	str_to_f64(money_print(rq->mem, m, 2), &dollars);
	*out = (freetier_MonetaryAmount){ .amount = F64(dollars), .unit = S("USD") };
	return out;
}

/* An upgraded account keeps its credits, until they expire, and has a plan without an end. */
err freetier_GetAccountPlanState(req *rq, const freetier_GetAccountPlanState_in *in,
                                 freetier_GetAccountPlanState_out *out)
{
	(void)in;
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	bill_query q = freetier_account(rq, tx);
	bill *b = charges_bill(rq->mem, tx, &q);
	req_read_end(rq, tx);
	out->accountId = rq->who.account;
	out->accountPlanType = S("PAID");
	out->accountPlanStatus = S("ACTIVE");
	if (q.profile != PROFILE_CREDITS)
		return OK;
	bool over = b->credits_end || rq->now >= bill_credits_expire(&q);
	money left = over ? 0 : b->credits_before - b->credits_used;
	out->accountPlanRemainingCredits = freetier_dollars(rq, left);
	if (q.upgraded)
		return OK;
	int64_t end = date_after(q.opened, FREETIER_PLAN_MONTHS);
	out->accountPlanType = S("FREE");
	if (left <= 0 || rq->now >= end)
		out->accountPlanStatus = S("EXPIRED");
	out->accountPlanExpirationDate = TIME(end);
	return OK;
}

err freetier_UpgradeAccountPlan(req *rq, txn *tx, const freetier_UpgradeAccountPlan_in *in,
                                freetier_UpgradeAccountPlan_out *out)
{
	bill_query q = freetier_account(rq, tx);
	if (!str_eq(in->accountPlanType, S("PAID")))
		return fail(rq, &freetier_ValidationException, "An account can be upgraded to the plan PAID only.");
	if (q.profile != PROFILE_CREDITS || q.upgraded)
		return fail(rq, &freetier_ValidationException, "The account is on the plan PAID already.");
	q.upgraded = true;
	charges_keep_profile(tx, &q);
	*out = (freetier_UpgradeAccountPlan_out){ .accountId = rq->who.account, .accountPlanType = S("PAID"),
		                                  .accountPlanStatus = S("ACTIVE") };
	return OK;
}
