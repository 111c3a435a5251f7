#include "calculator.h"

/* What estimates of both kinds and scenarios have in common. */

static str without_blanks(arena *mem, const char *kind)
{
	str rest = str_c(kind), first = str_cut(&rest, ' ');
	return str_is(rest) ? arena_concat(mem, first, rest) : first;
}

err calculator_missing(req *rq, const char *kind, str id)
{
	bcm_pricing_calculator_ResourceNotFoundException_error *detail =
		arena_new(rq->mem, bcm_pricing_calculator_ResourceNotFoundException_error);
	detail->resourceId = id;
	detail->resourceType = without_blanks(rq->mem, kind);
	detail->message = arena_fmt(rq->mem, "%s %.*s not found", kind, STR_ARG(id));
	return fail_with(rq, &bcm_pricing_calculator_ResourceNotFoundException, detail, "%.*s",
	                 STR_ARG(detail->message));
}

err calculator_room(req *rq, size_t kept, const char *kind)
{
	if (kept < CALCULATOR_ESTIMATES_MAX)
		return OK;
	bcm_pricing_calculator_ServiceQuotaExceededException_error *detail =
		arena_new(rq->mem, bcm_pricing_calculator_ServiceQuotaExceededException_error);
	detail->resourceId = rq->who.account;
	detail->resourceType = without_blanks(rq->mem, kind);
	detail->message = arena_fmt(rq->mem, "The number of resources of type %.*s has reached its quota.",
	                            STR_ARG(detail->resourceType));
	return fail_with(rq, &bcm_pricing_calculator_ServiceQuotaExceededException, detail, "%.*s",
	                 STR_ARG(detail->message));
}

/* Those of workload estimates are kept as they are. */
static str token_of(req *rq, const char *kind, str token)
{
	return arena_fmt(rq->mem, "%s%s%.*s", kind, *kind ? " " : "", STR_ARG(token));
}

str calculator_told(req *rq, const txn *tx, const char *kind, str token)
{
	if (!str_is(token))
		return STR_NONE;
	str key = token_of(rq, kind, token);
	const bcm_pricing_calculator_token *t =
		bcm_pricing_calculator_token_get(tx, rq->mem, rq->who.account, key);
	return t ? t->Estimate : STR_NONE;
}

void calculator_tell(req *rq, txn *tx, const char *kind, str token, str id)
{
	if (str_is(token))
		bcm_pricing_calculator_token_put(tx, &(bcm_pricing_calculator_token){
			.Account = rq->who.account, .Token = token_of(rq, kind, token), .Estimate = id });
}

bool calculator_time_fits(const bcm_pricing_calculator_FilterTimestamp *f, int64_t when)
{
	return !f || ((!f->afterTimestamp.set || when > f->afterTimestamp.v) &&
	              (!f->beforeTimestamp.set || when < f->beforeTimestamp.v));
}

static bool one_fits(str option, str have, str want)
{
	return str_eq(option, S("STARTS_WITH")) ? str_starts(have, want)
	       : str_eq(option, S("CONTAINS"))  ? str_find(have, want) != SIZE_MAX
	                                        : str_eq(have, want);
}

bool calculator_fits(str option, str have, const str *want, size_t n)
{
	for (size_t i = 0; i < n && str_is(have); i++)
		if (one_fits(option, have, want[i]))
			return true;
	return false;
}

err calculator_page(req *rq, str token, int64_t *after)
{
	str position;
	*after = 0;
	if (token.n && (!page_position(rq, token, &position) || !str_to_i64(position, after)))
		return fail(rq, &bcm_pricing_calculator_ValidationException, "Invalid nextToken");
	return OK;
}

err calculator_list(req *rq, record_scan *scan, str token, opt_i64 wanted, size_t *most)
{
	str after;
	*most = wanted.set ? (size_t)wanted.v : CALCULATOR_PAGE;
	if (!token.n)
		return OK;
	if (!page_position(rq, token, &after)) {
		cursor_close(&scan->at);
		return fail(rq, &bcm_pricing_calculator_ValidationException, "Invalid nextToken");
	}
	record_scan_after(scan, after);
	return OK;
}
