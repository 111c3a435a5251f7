/* What a request changes reaches the name servers a moment later: until then the change is PENDING. */
#include "base/time.h"
#include "route53.h"
#include "store/due.h"

#define SPREAD_MS MS_SECOND
#define KEPT_MS (30 * MS_DAY)

static str place(arena *mem, str account, str id)
{
	return arena_fmt(mem, "%.*s %.*s", STR_ARG(account), STR_ARG(id));
}

static route53_ChangeInfo *shown(arena *mem, const route53_change *c)
{
	route53_ChangeInfo *info = arena_new(mem, route53_ChangeInfo);
	*info = (route53_ChangeInfo){ .Id = arena_fmt(mem, "/change/%.*s", STR_ARG(c->Id)),
		.Status = c->Done ? route53_ChangeStatus_INSYNC : route53_ChangeStatus_PENDING,
		.SubmittedAt = TIME(c->Submitted), .Comment = c->Comment };
	return info;
}

/* Twice: when it has spread, and when nobody asks any more. */
TIMER(route53_change)
{
	str rest = payload, account = str_cut(&rest, ' ');
	arena *mem = txn_arena(tx);
	route53_change *c = route53_change_get(tx, mem, account, rest);
	if (!c)
		return;
	if (c->Done) {
		route53_change_delete(tx, c->Account, c->Id);
		return;
	}
	c->Done = true;
	route53_change_put(tx, c);
	timer_set(tx, "route53_change", payload, due + KEPT_MS, payload);
}

route53_ChangeInfo *change_begin(req *rq, txn *tx, str comment)
{
	route53_change c = { .Account = rq->who.account, .Id = id_new(rq->mem, 'C'), .Submitted = rq->now,
		                 .Comment = comment };
	str at = place(rq->mem, c.Account, c.Id);
	route53_change_put(tx, &c);
	timer_set(tx, "route53_change", at, rq->now + SPREAD_MS, at);
	return shown(rq->mem, &c);
}

err route53_GetChange(req *rq, const txn *tx, const route53_GetChange_in *in, route53_GetChange_out *out)
{
	str id = id_bare(in->Id);
	route53_change *c = route53_change_get(tx, rq->mem, rq->who.account, id);
	if (!c)
		return fail(rq, &route53_NoSuchChange, "Could not find resource with ID: %.*s", STR_ARG(id));
	out->ChangeInfo = shown(rq->mem, c);
	return OK;
}
