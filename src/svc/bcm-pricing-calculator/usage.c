#include "calculator.h"
#include "sys/rand.h"

/* The same members of a line in every answer. */
#define SHOW_LINE(rq, l, out) \
	do { \
		const line_row *row_ = (l)->row; \
		(out)->serviceCode = row_->Service; \
		(out)->usageType = row_->UsageType; \
		(out)->operation = row_->Operation; \
		(out)->location = book_location(price_book(), (l)->region); \
		(out)->id = row_->Id; \
		(out)->usageAccountId = row_->UsageAccount; \
		if (row_->Group.n) \
			(out)->group = row_->Group; \
		(out)->quantity = arena_new((rq)->mem, bcm_pricing_calculator_WorkloadEstimateUsageQuantity); \
		(out)->quantity->amount = estimate_number(rq, row_->Amount, QTY_DIGITS); \
		(out)->quantity->unit = (l)->name ? (l)->name->unit : S(""); \
		(out)->cost = estimate_number(rq, (l)->cost, MONEY_DIGITS); \
		(out)->currency = S("USD"); \
		(out)->status = (l)->item ? S("VALID") : S("INVALID"); \
	} while (0)

typedef struct refusal {
	str code, message;
} refusal;

static refusal refused(str code, str message)
{
	return (refusal){ code, message };
}

/* Why a line cannot be added; its code is STR_NONE when it can. */
static refusal line_check(req *rq, const bcm_pricing_calculator_BatchCreateWorkloadEstimateUsageEntry *u,
                          size_t kept)
{
	int64_t amount;
	str region;
	if (u->historicalUsage)
		return refused(S("BAD_REQUEST"), S("Historical usage is not implemented; give the amount."));
	if (!estimate_amount(u->amount.v, &amount))
		return refused(S("BAD_REQUEST"), S("The amount must be a number from 0 to 9,000,000,000,000."));
	if (kept == CALCULATOR_LINES_MAX)
		return refused(S("BAD_REQUEST"), S("The estimate has as many usage lines as it can have."));
	if (book_find_usage(price_book(), u->serviceCode, u->usageType, u->operation, &region, NULL))
		return refused(STR_NONE, S(""));
	return refused(S("NOT_FOUND"),
	               arena_fmt(rq->mem,
	                         "No product of %.*s has the usage type %.*s and the "
	                         "operation '%.*s'.",
	                         STR_ARG(u->serviceCode), STR_ARG(u->usageType), STR_ARG(u->operation)));
}

static priced_line *line_with(priced_estimate *e, str id)
{
	for (size_t i = 0; i < e->n; i++)
		if (str_eq(e->lines[i].row->Id, id))
			return &e->lines[i];
	return NULL;
}

static str add_line(req *rq, txn *tx, estimate_row *e,
                    const bcm_pricing_calculator_BatchCreateWorkloadEstimateUsageEntry *u)
{
	line_row row = {
		.Account = e->Account, .Estimate = e->Id, .Id = rand_uuid(rq->mem), .Number = ++e->LastLine,
		.Service = u->serviceCode, .UsageType = u->usageType, .Operation = u->operation,
		.UsageAccount = u->usageAccountId, .Group = str_is(u->group) ? u->group : S(""),
	};
	ensure(estimate_amount(u->amount.v, &row.Amount));
	bcm_pricing_calculator_line_put(tx, &row);
	return row.Id;
}

err bcm_pricing_calculator_BatchCreateWorkloadEstimateUsage(
	req *rq, txn *tx, const bcm_pricing_calculator_BatchCreateWorkloadEstimateUsage_in *in,
	bcm_pricing_calculator_BatchCreateWorkloadEstimateUsage_out *out)
{
	estimate_row *e;
	TRY(estimate_find(rq, tx, in->workloadEstimateId, &e));
	priced_estimate all = estimate_price(rq, tx, e->Id);
	str *ids = arena_array(rq->mem, str, in->usage.n);
	size_t kept = all.n;
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchCreateWorkloadEstimateUsageError, in->usage.n);
	out->items.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchCreateWorkloadEstimateUsageItem, in->usage.n);
	for (size_t i = 0; i < in->usage.n; i++) {
		refusal no = line_check(rq, &in->usage.v[i], kept);
		ids[i] = STR_NONE;
		if (str_is(no.code)) {
			bcm_pricing_calculator_BatchCreateWorkloadEstimateUsageError *bad =
				&out->errors.v[out->errors.n++];
			bad->key = in->usage.v[i].key;
			bad->errorCode = no.code;
			bad->errorMessage = no.message;
			continue;
		}
		ids[i] = add_line(rq, tx, e, &in->usage.v[i]);
		kept++;
	}
	bcm_pricing_calculator_estimate_put(tx, e);
	all = estimate_price(rq, tx, e->Id);
	for (size_t i = 0; i < in->usage.n; i++) {
		priced_line *l = str_is(ids[i]) ? line_with(&all, ids[i]) : NULL;
		if (!l)
			continue;
		bcm_pricing_calculator_BatchCreateWorkloadEstimateUsageItem *item = &out->items.v[out->items.n++];
		SHOW_LINE(rq, l, item);
		item->key = in->usage.v[i].key;
	}
	return OK;
}

static void update_refused(bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsageErrors *errors, str id,
                           str code, str why)
{
	bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsageError *bad = &errors->v[errors->n++];
	bad->id = id;
	bad->errorCode = code;
	bad->errorMessage = why;
}

err bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsage(
	req *rq, txn *tx, const bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsage_in *in,
	bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsage_out *out)
{
	estimate_row *e;
	TRY(estimate_find(rq, tx, in->workloadEstimateId, &e));
	priced_estimate all = estimate_price(rq, tx, e->Id);
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsageError, in->usage.n);
	out->items.v = arena_array(rq->mem, bcm_pricing_calculator_WorkloadEstimateUsageItem, in->usage.n);
	for (size_t i = 0; i < in->usage.n; i++) {
		const bcm_pricing_calculator_BatchUpdateWorkloadEstimateUsageEntry *u = &in->usage.v[i];
		priced_line *l = line_with(&all, u->id);
		int64_t amount = l ? l->row->Amount : 0;
		if (!l)
			update_refused(&out->errors, u->id, S("NOT_FOUND"), S("The estimate has no such usage line."));
		else if (u->amount.set && !estimate_amount(u->amount.v, &amount))
			update_refused(&out->errors, u->id, S("BAD_REQUEST"),
			               S("The amount must be a number from 0 to 9,000,000,000,000."));
		else {
			l->row->Amount = amount;
			l->row->Group = str_is(u->group) ? u->group : l->row->Group;
			bcm_pricing_calculator_line_put(tx, l->row);
		}
	}
	all = estimate_price(rq, tx, e->Id);
	for (size_t i = 0, bad = 0; i < in->usage.n; i++) {
		if (bad < out->errors.n && str_eq(out->errors.v[bad].id, in->usage.v[i].id)) {
			bad++;
			continue;
		}
		SHOW_LINE(rq, line_with(&all, in->usage.v[i].id), &out->items.v[out->items.n]);
		out->items.n++;
	}
	return OK;
}

err bcm_pricing_calculator_BatchDeleteWorkloadEstimateUsage(
	req *rq, txn *tx, const bcm_pricing_calculator_BatchDeleteWorkloadEstimateUsage_in *in,
	bcm_pricing_calculator_BatchDeleteWorkloadEstimateUsage_out *out)
{
	estimate_row *e;
	TRY(estimate_find(rq, tx, in->workloadEstimateId, &e));
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchDeleteWorkloadEstimateUsageError, in->ids.n);
	for (size_t i = 0; i < in->ids.n; i++) {
		if (bcm_pricing_calculator_line_delete(tx, e->Account, e->Id, in->ids.v[i]))
			continue;
		bcm_pricing_calculator_BatchDeleteWorkloadEstimateUsageError *bad = &out->errors.v[out->errors.n++];
		bad->id = in->ids.v[i];
		bad->errorCode = S("NOT_FOUND");
		bad->errorMessage = S("The estimate has no such usage line.");
	}
	return OK;
}

/* STR_NONE: lines have no such thing here. */
static str filter_value(const priced_line *l, str name)
{
	return str_eq(name, S("USAGE_ACCOUNT_ID"))  ? l->row->UsageAccount
	       : str_eq(name, S("SERVICE_CODE"))    ? l->row->Service
	       : str_eq(name, S("USAGE_TYPE"))      ? l->row->UsageType
	       : str_eq(name, S("OPERATION"))       ? l->row->Operation
	       : str_eq(name, S("LOCATION"))        ? book_location(price_book(), l->region)
	       : str_eq(name, S("USAGE_GROUP"))     ? l->row->Group
	                                            : STR_NONE;
}

static bool line_fits(const priced_line *l, const bcm_pricing_calculator_ListUsageFilters *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		const bcm_pricing_calculator_ListUsageFilter *f = &filters->v[i];
		if (!calculator_fits(f->matchOption, filter_value(l, f->name), f->values.v, f->values.n))
			return false;
	}
	return true;
}

err bcm_pricing_calculator_ListWorkloadEstimateUsage(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListWorkloadEstimateUsage_in *in,
	bcm_pricing_calculator_ListWorkloadEstimateUsage_out *out)
{
	estimate_row *e;
	size_t most = in->maxResults.set ? (size_t)in->maxResults.v : CALCULATOR_LINES_PAGE;
	int64_t after = 0, last = 0;
	TRY(estimate_find(rq, tx, in->workloadEstimateId, &e));
	TRY(calculator_page(rq, in->nextToken, &after));
	priced_estimate all = estimate_price(rq, tx, e->Id);
	out->items.v = arena_array(rq->mem, bcm_pricing_calculator_WorkloadEstimateUsageItem, most);
	for (size_t i = 0; i < all.n; i++) {
		priced_line *l = &all.lines[i];
		if (l->row->Number <= after || !line_fits(l, &in->filters))
			continue;
		if (out->items.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)last));
			break;
		}
		SHOW_LINE(rq, l, &out->items.v[out->items.n]);
		out->items.n++;
		last = l->row->Number;
	}
	return OK;
}
