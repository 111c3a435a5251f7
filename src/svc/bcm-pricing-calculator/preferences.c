#include "calculator.h"

static str before_discounts = { "BEFORE_DISCOUNTS", 16 };

static bcm_pricing_calculator_RateTypes rates_of(bcm_pricing_calculator_RateTypes kept)
{
	return kept.n ? kept : (bcm_pricing_calculator_RateTypes){ .v = &before_discounts, .n = 1 };
}

static bcm_pricing_calculator_preferences *kept_of(req *rq, const txn *tx)
{
	bcm_pricing_calculator_preferences *p =
		bcm_pricing_calculator_preferences_get(tx, rq->mem, rq->who.account);
	if (!p) {
		p = arena_new(rq->mem, bcm_pricing_calculator_preferences);
		*p = (bcm_pricing_calculator_preferences){ .Account = rq->who.account };
	}
	p->Management = rates_of(p->Management);
	p->Member = rates_of(p->Member);
	p->Standalone = rates_of(p->Standalone);
	return p;
}

err bcm_pricing_calculator_GetPreferences(req *rq, const txn *tx,
                                          const bcm_pricing_calculator_GetPreferences_in *in,
                                          bcm_pricing_calculator_GetPreferences_out *out)
{
	const bcm_pricing_calculator_preferences *p = kept_of(rq, tx);
	(void)in;
	out->managementAccountRateTypeSelections = p->Management;
	out->memberAccountRateTypeSelections = p->Member;
	out->standaloneAccountRateTypeSelections = p->Standalone;
	return OK;
}

err bcm_pricing_calculator_UpdatePreferences(req *rq, txn *tx,
                                             const bcm_pricing_calculator_UpdatePreferences_in *in,
                                             bcm_pricing_calculator_UpdatePreferences_out *out)
{
	bcm_pricing_calculator_preferences *p = kept_of(rq, tx);
	if (in->managementAccountRateTypeSelections.n)
		p->Management = in->managementAccountRateTypeSelections;
	if (in->memberAccountRateTypeSelections.n)
		p->Member = in->memberAccountRateTypeSelections;
	if (in->standaloneAccountRateTypeSelections.n)
		p->Standalone = in->standaloneAccountRateTypeSelections;
	bcm_pricing_calculator_preferences_put(tx, p);
	out->managementAccountRateTypeSelections = p->Management;
	out->memberAccountRateTypeSelections = p->Member;
	out->standaloneAccountRateTypeSelections = p->Standalone;
	return OK;
}
