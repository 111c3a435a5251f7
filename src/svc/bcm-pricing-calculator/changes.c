#include "base/time.h"
#include "calculator.h"
#include "sys/rand.h"
#include <stdlib.h>

/* What a bill scenario adds to the month's usage. */

static int by_number(const void *a, const void *b)
{
	const change_row *x = *(change_row *const *)a, *y = *(change_row *const *)b;
	return (x->Number > y->Number) - (x->Number < y->Number);
}

change_row **changes_of(req *rq, const txn *tx, str owner, size_t *n)
{
	change_row **all = arena_array(rq->mem, change_row *, CALCULATOR_LINES_MAX + 1);
	record_scan s = bcm_pricing_calculator_change_scan(tx, rq->mem, 2, rq->who.account, owner, STR_NONE);
	*n = 0;
	for (change_row *r; *n < CALCULATOR_LINES_MAX && (r = bcm_pricing_calculator_change_next(&s));)
		all[(*n)++] = r;
	cursor_close(&s.at);
	qsort(all, *n, sizeof *all, by_number);
	return all;
}

void changes_drop(req *rq, txn *tx, str owner)
{
	size_t n;
	change_row **all = changes_of(rq, tx, owner, &n);
	for (size_t i = 0; i < n; i++)
		bcm_pricing_calculator_change_delete(tx, rq->who.account, owner, all[i]->Id);
}

typedef bcm_pricing_calculator_BatchCreateBillScenarioUsageModificationEntry entry;
typedef bcm_pricing_calculator_UsageAmounts amount_list;

static int64_t hours_of(const scenario_row *s)
{
	return (s->Interval->end.v - s->Interval->start.v) / MS_HOUR;
}

/* A sentence when the amounts cannot be used, or NULL. */
static const char *amounts_wrong(const scenario_row *s, const price_item *item,
                                 const amount_list *amounts)
{
	int64_t quantity;
	if (amounts->n == 0 || amounts->n > CALCULATOR_AMOUNTS_MAX)
		return "There must be an amount, and not more than one for each hour.";
	for (size_t i = 0; i < amounts->n; i++) {
		const bcm_pricing_calculator_UsageAmount *a = &amounts->v[i];
		if (a->startHour.v < s->Interval->start.v || a->startHour.v >= s->Interval->end.v)
			return "The startHour of an amount must lie in the bill interval.";
		if (!bill_quantity_of(item, a->amount.v, hours_of(s), &quantity))
			return "The amount must be a number from 0 to 9,000,000,000,000.";
	}
	return NULL;
}

static bcm_pricing_calculator_UsageQuantities quantities_of(req *rq, const price_name *name,
                                                            const amount_list *amounts)
{
	bcm_pricing_calculator_UsageQuantities q = {
		.v = arena_array(rq->mem, bcm_pricing_calculator_UsageQuantity, amounts->n), .n = amounts->n };
	for (size_t i = 0; i < amounts->n; i++)
		q.v[i] = (bcm_pricing_calculator_UsageQuantity){ .startHour = amounts->v[i].startHour,
			.amount = amounts->v[i].amount, .unit = name ? name->unit : STR_NONE };
	return q;
}

/* "": added. Else the code of the refusal, and why. */
static str add(req *rq, txn *tx, scenario_row *s, const entry *u, size_t kept, change_item **added, str *why)
{
	str region;
	const price_name *name = NULL;
	const price_item *item =
		book_find_usage(price_book(), u->serviceCode, u->usageType, u->operation, &region, &name);
	*why = S("Historical usage is not implemented; give the amounts.");
	if (u->historicalUsage)
		return S("BAD_REQUEST");
	*why = arena_fmt(rq->mem, "No product of %.*s has the usage type %.*s and the operation '%.*s'.",
	                 STR_ARG(u->serviceCode), STR_ARG(u->usageType), STR_ARG(u->operation));
	if (!item)
		return S("NOT_FOUND");
	const char *wrong = kept == CALCULATOR_LINES_MAX ? "The scenario has as much usage as it can have."
	                                                 : amounts_wrong(s, item, &u->amounts);
	*why = wrong ? str_c(wrong) : S("");
	if (wrong)
		return S("BAD_REQUEST");
	*added = arena_new(rq->mem, change_item);
	**added = (change_item){
		.serviceCode = u->serviceCode, .usageType = u->usageType, .operation = u->operation,
		.location = book_location(price_book(), region), .availabilityZone = u->availabilityZone,
		.id = rand_uuid(rq->mem), .group = u->group, .usageAccountId = u->usageAccountId,
		.quantities = quantities_of(rq, name, &u->amounts),
	};
	bcm_pricing_calculator_change_put(tx, &(change_row){ .Account = s->Account, .Owner = s->Id,
		.Id = (*added)->id, .Number = ++s->LastChange, .It = *added });
	return S("");
}

err bcm_pricing_calculator_BatchCreateBillScenarioUsageModification(
	req *rq, txn *tx, const bcm_pricing_calculator_BatchCreateBillScenarioUsageModification_in *in,
	bcm_pricing_calculator_BatchCreateBillScenarioUsageModification_out *out)
{
	scenario_row *s;
	size_t kept, n = in->usageModifications.n;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	changes_of(rq, tx, s->Id, &kept);
	out->items.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchCreateBillScenarioUsageModificationItem, n);
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchCreateBillScenarioUsageModificationError, n);
	for (size_t i = 0; i < n; i++) {
		const entry *u = &in->usageModifications.v[i];
		change_item *c;
		str why, code = add(rq, tx, s, u, kept, &c, &why);
		if (code.n) {
			out->errors.v[out->errors.n++] =
				(bcm_pricing_calculator_BatchCreateBillScenarioUsageModificationError){
					.key = u->key, .errorCode = code, .errorMessage = why };
			continue;
		}
		kept++;
		out->items.v[out->items.n++] = (bcm_pricing_calculator_BatchCreateBillScenarioUsageModificationItem){
			.serviceCode = c->serviceCode, .usageType = c->usageType, .operation = c->operation,
			.location = c->location, .availabilityZone = c->availabilityZone, .id = c->id,
			.group = c->group, .usageAccountId = c->usageAccountId, .quantities = c->quantities,
			.key = u->key };
	}
	bcm_pricing_calculator_scenario_put(tx, s);
	return OK;
}

/* "": changed. */
static str change(req *rq, txn *tx, scenario_row *s,
                  const bcm_pricing_calculator_BatchUpdateBillScenarioUsageModificationEntry *u,
                  change_row **out, str *why)
{
	str region;
	const price_name *name = NULL;
	change_row *r = *out = bcm_pricing_calculator_change_get(tx, rq->mem, s->Account, s->Id, u->id);
	*why = S("The scenario has no such usage.");
	if (!r)
		return S("NOT_FOUND");
	const price_item *item = book_find_usage(price_book(), r->It->serviceCode, r->It->usageType,
	                                         r->It->operation, &region, &name);
	const char *wrong = !u->amounts.v ? NULL
	                    : !item       ? "The price book in use has no such product any more."
	                                  : amounts_wrong(s, item, &u->amounts);
	*why = wrong ? str_c(wrong) : S("");
	if (wrong)
		return S("BAD_REQUEST");
	if (u->amounts.v)
		r->It->quantities = quantities_of(rq, name, &u->amounts);
	if (str_is(u->group))
		r->It->group = u->group;
	bcm_pricing_calculator_change_put(tx, r);
	return S("");
}

err bcm_pricing_calculator_BatchUpdateBillScenarioUsageModification(
	req *rq, txn *tx, const bcm_pricing_calculator_BatchUpdateBillScenarioUsageModification_in *in,
	bcm_pricing_calculator_BatchUpdateBillScenarioUsageModification_out *out)
{
	scenario_row *s;
	size_t n = in->usageModifications.n;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	out->items.v = arena_array(rq->mem, change_item, n);
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchUpdateBillScenarioUsageModificationError, n);
	for (size_t i = 0; i < n; i++) {
		change_row *r;
		str why, code = change(rq, tx, s, &in->usageModifications.v[i], &r, &why);
		if (code.n)
			out->errors.v[out->errors.n++] =
				(bcm_pricing_calculator_BatchUpdateBillScenarioUsageModificationError){
					.id = in->usageModifications.v[i].id, .errorCode = code, .errorMessage = why };
		else
			out->items.v[out->items.n++] = *r->It;
	}
	return OK;
}

err bcm_pricing_calculator_BatchDeleteBillScenarioUsageModification(
	req *rq, txn *tx, const bcm_pricing_calculator_BatchDeleteBillScenarioUsageModification_in *in,
	bcm_pricing_calculator_BatchDeleteBillScenarioUsageModification_out *out)
{
	scenario_row *s;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchDeleteBillScenarioUsageModificationError, in->ids.n);
	for (size_t i = 0; i < in->ids.n; i++)
		if (!bcm_pricing_calculator_change_delete(tx, s->Account, s->Id, in->ids.v[i]))
			out->errors.v[out->errors.n++] =
				(bcm_pricing_calculator_BatchDeleteBillScenarioUsageModificationError){
					.id = in->ids.v[i], .errorCode = S("BAD_REQUEST"),
					.errorMessage = S("The scenario has no such usage.") };
	return OK;
}

bool change_fits(const change_item *c, const bcm_pricing_calculator_ListUsageFilters *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		const bcm_pricing_calculator_ListUsageFilter *f = &filters->v[i];
		str have = str_eq(f->name, S("USAGE_ACCOUNT_ID")) ? c->usageAccountId
		           : str_eq(f->name, S("SERVICE_CODE"))   ? c->serviceCode
		           : str_eq(f->name, S("USAGE_TYPE"))     ? c->usageType
		           : str_eq(f->name, S("OPERATION"))      ? c->operation
		           : str_eq(f->name, S("LOCATION"))       ? c->location
		           : str_eq(f->name, S("USAGE_GROUP"))    ? c->group
		                                                  : STR_NONE;
		if (!calculator_fits(f->matchOption, have, f->values.v, f->values.n))
			return false;
	}
	return true;
}

err bcm_pricing_calculator_ListBillScenarioUsageModifications(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListBillScenarioUsageModifications_in *in,
	bcm_pricing_calculator_ListBillScenarioUsageModifications_out *out)
{
	scenario_row *s;
	size_t n, most = in->maxResults.set ? (size_t)in->maxResults.v : CALCULATOR_CHANGES_PAGE;
	int64_t after, last = 0;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	TRY(calculator_page(rq, in->nextToken, &after));
	change_row **all = changes_of(rq, tx, s->Id, &n);
	out->items.v = arena_array(rq->mem, change_item, most);
	for (size_t i = 0; i < n; i++) {
		if (all[i]->Number <= after || !change_fits(all[i]->It, &in->filters))
			continue;
		if (out->items.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)last));
			break;
		}
		out->items.v[out->items.n++] = *all[i]->It;
		last = all[i]->Number;
	}
	return OK;
}
