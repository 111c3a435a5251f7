#include "base/time.h"
#include "calculator.h"
#include "sys/rand.h"

err scenario_find(req *rq, const txn *tx, str id, scenario_row **out)
{
	*out = bcm_pricing_calculator_scenario_get(tx, rq->mem, rq->who.account, id);
	return *out ? OK : calculator_missing(rq, "Bill Scenario", id);
}

/* The same members in every answer that shows a scenario. */
#define SHOW(s, out)                                       \
	do {                                                   \
		(out)->id = (s)->Id;                               \
		(out)->name = (s)->Name;                           \
		(out)->billInterval = (s)->Interval;               \
		(out)->status = S("READY");                        \
		(out)->createdAt = TIME((s)->Created);             \
		(out)->expiresAt = TIME((s)->Expires);             \
		(out)->groupSharingPreference = shown((s)->Sharing); \
		(out)->costCategoryGroupSharingPreferenceArn = shown((s)->Category); \
	} while (0)

static str shown(str text)
{
	return text.n ? text : STR_NONE;
}

static size_t scenarios_kept(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = bcm_pricing_calculator_scenario_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	while (bcm_pricing_calculator_scenario_next(&s))
		n++;
	cursor_close(&s.at);
	return n;
}

/* The last month that is over. */
static bcm_pricing_calculator_BillInterval *last_month(req *rq)
{
	bcm_pricing_calculator_BillInterval *i = arena_new(rq->mem, bcm_pricing_calculator_BillInterval);
	i->end = TIME(month_of(rq->now));
	i->start = TIME(month_after(month_of(rq->now), -1));
	return i;
}

err bcm_pricing_calculator_CreateBillScenario(req *rq, txn *tx,
                                              const bcm_pricing_calculator_CreateBillScenario_in *in,
                                              bcm_pricing_calculator_CreateBillScenario_out *out)
{
	str told = calculator_told(rq, tx, "scenario", in->clientToken);
	scenario_row *s =
		str_is(told) ? bcm_pricing_calculator_scenario_get(tx, rq->mem, rq->who.account, told) : NULL;
	if (!s) {
		TRY(calculator_room(rq, scenarios_kept(rq, tx), "Bill Scenario"));
		s = arena_new(rq->mem, scenario_row);
		*s = (scenario_row){
			.Account = rq->who.account, .Id = rand_uuid(rq->mem), .Name = in->name, .Created = rq->now,
			.Expires = rq->now + CALCULATOR_DAYS_KEPT * MS_DAY, .Tags = in->tags,
			.Interval = last_month(rq), .Sharing = in->groupSharingPreference,
			.Category = in->costCategoryGroupSharingPreferenceArn,
		};
		bcm_pricing_calculator_scenario_put(tx, s);
		calculator_tell(rq, tx, "scenario", in->clientToken, s->Id);
	}
	SHOW(s, out);
	return OK;
}

err bcm_pricing_calculator_GetBillScenario(req *rq, const txn *tx,
                                           const bcm_pricing_calculator_GetBillScenario_in *in,
                                           bcm_pricing_calculator_GetBillScenario_out *out)
{
	scenario_row *s;
	TRY(scenario_find(rq, tx, in->identifier, &s));
	SHOW(s, out);
	return OK;
}

err bcm_pricing_calculator_UpdateBillScenario(req *rq, txn *tx,
                                              const bcm_pricing_calculator_UpdateBillScenario_in *in,
                                              bcm_pricing_calculator_UpdateBillScenario_out *out)
{
	scenario_row *s;
	TRY(scenario_find(rq, tx, in->identifier, &s));
	if (in->expiresAt.set && in->expiresAt.v <= rq->now)
		return fail(rq, &bcm_pricing_calculator_ValidationException, "expiresAt must be in the future");
	s->Name = str_is(in->name) ? in->name : s->Name;
	s->Expires = in->expiresAt.set ? in->expiresAt.v : s->Expires;
	s->Sharing = str_is(in->groupSharingPreference) ? in->groupSharingPreference : s->Sharing;
	if (str_is(in->costCategoryGroupSharingPreferenceArn))
		s->Category = in->costCategoryGroupSharingPreferenceArn;
	bcm_pricing_calculator_scenario_put(tx, s);
	SHOW(s, out);
	return OK;
}

/* The bill estimates that were made from it stay. */
err bcm_pricing_calculator_DeleteBillScenario(req *rq, txn *tx,
                                              const bcm_pricing_calculator_DeleteBillScenario_in *in,
                                              bcm_pricing_calculator_DeleteBillScenario_out *out)
{
	(void)out;
	/* An identifier of a bill estimate is none here: what that was made with stays. */
	if (bcm_pricing_calculator_scenario_delete(tx, rq->who.account, in->identifier))
		changes_drop(rq, tx, in->identifier);
	return OK;
}

static bool summary_fits(const bcm_pricing_calculator_ListBillScenarios_in *in,
                         const bcm_pricing_calculator_BillScenarioSummary *s)
{
	for (size_t i = 0; i < in->filters.n; i++) {
		const bcm_pricing_calculator_ListBillScenariosFilter *f = &in->filters.v[i];
		str have = str_eq(f->name, S("NAME"))                       ? s->name
		           : str_eq(f->name, S("STATUS"))                   ? s->status
		           : str_eq(f->name, S("GROUP_SHARING_PREFERENCE"))
		           ? s->groupSharingPreference
		           : s->costCategoryGroupSharingPreferenceArn;
		if (!calculator_fits(f->matchOption, have, f->values.v, f->values.n))
			return false;
	}
	return calculator_time_fits(in->createdAtFilter, s->createdAt.v) &&
	       calculator_time_fits(in->expiresAtFilter, s->expiresAt.v);
}

err bcm_pricing_calculator_ListBillScenarios(req *rq, const txn *tx,
                                             const bcm_pricing_calculator_ListBillScenarios_in *in,
                                             bcm_pricing_calculator_ListBillScenarios_out *out)
{
	scenario_row *s;
	record_scan scan = bcm_pricing_calculator_scenario_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	CALCULATOR_LIST(rq, in, out, scan, s, bcm_pricing_calculator_scenario_next, SHOW, summary_fits);
	return OK;
}
