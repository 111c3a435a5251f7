/* Name servers, and sets of them that several zones share. */
#include "route53.h"
#include "sys/rand.h"

#define EACH 512

route53_DelegationSetNameServers servers_new(arena *mem)
{
	static const char *const ends[] = { "com", "net", "org", "co.uk" };
	route53_DelegationSetNameServers all = { arena_array(mem, str, 4), 0 };
	size_t first = (size_t)rand_below(4);
	for (size_t i = 0; i < 4; i++) {
		size_t k = (first + i) % 4;
		int number = (int)(k * EACH + rand_below(EACH));
		all.v[all.n++] = arena_fmt(mem, "ns-%d.awsdns-%02d.%s", number, (number % EACH) / 8, ends[k]);
	}
	return all;
}

err delegation_find(req *rq, const txn *tx, str id, route53_delegation_set **d)
{
	id = id_bare(id);
	*d = route53_delegation_set_get(tx, rq->mem, rq->who.account, id);
	return *d ? OK : fail(rq, &route53_NoSuchDelegationSet, "A delegation set with the specified ID does "
		"not exist.");
}

static void delegation_shown(req *rq, const route53_delegation_set *d, route53_DelegationSet *out)
{
	*out = *d->It;
	out->Id = arena_fmt(rq->mem, "/delegationset/%.*s", STR_ARG(d->Id));
}

err route53_CreateReusableDelegationSet(req *rq, txn *tx, const route53_CreateReusableDelegationSet_in *in,
                                        route53_CreateReusableDelegationSet_out *out)
{
	route53_zone *z = NULL;
	size_t n = 0;
	if (route53_reference_get(tx, rq->mem, rq->who.account, S("delegation"), in->CallerReference))
		return fail(rq, &route53_DelegationSetAlreadyCreated,
		            "A delegation set with the same owner and caller reference combination has already been "
		            "created.");
	if (str_is(in->HostedZoneId)) {
		z = route53_zone_get(tx, rq->mem, rq->who.account, id_bare(in->HostedZoneId));
		if (!z)
			return fail(rq, &route53_HostedZoneNotFound, "The specified HostedZone can't be found.");
		if (str_is(z->DelegationSet))
			return fail(rq, &route53_DelegationSetAlreadyReusable,
			            "The specified delegation set has already been marked as reusable.");
		if (zone_private(z))
			return fail(rq, &route53_InvalidArgument,
			            "A private hosted zone has no delegation set that could be reused.");
	}
	record_scan s = route53_delegation_set_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	while (route53_delegation_set_next(&s))
		n++;
	if (n >= ROUTE53_DELEGATION_SETS_MAX)
		return fail(rq, &route53_LimitsExceeded,
		            "Limits Exceeded: MAX_REUSABLE_DELEGATION_SETS_BY_OWNER - Cannot create more reusable "
		            "delegation sets.");
	route53_DelegationSet it = { .CallerReference = in->CallerReference,
		                         .NameServers = z ? z->Servers : servers_new(rq->mem) };
	route53_delegation_set d = { .Account = rq->who.account, .Id = id_new(rq->mem, 'N'), .It = &it };
	delegation_shown(rq, &d, &it);
	route53_delegation_set_put(tx, &d);
	route53_reference_put(tx, &(route53_reference){ d.Account, S("delegation"), in->CallerReference, d.Id });
	if (z) {
		z->DelegationSet = d.Id;
		route53_zone_put(tx, z);
	}
	out->DelegationSet = arena_new(rq->mem, route53_DelegationSet);
	*out->DelegationSet = it;
	out->Location = arena_fmt(rq->mem, "https://route53.amazonaws.com/2013-04-01/delegationset/%.*s",
	                          STR_ARG(d.Id));
	return OK;
}

err route53_GetReusableDelegationSet(req *rq, const txn *tx, const route53_GetReusableDelegationSet_in *in,
                                     route53_GetReusableDelegationSet_out *out)
{
	route53_delegation_set *d;
	TRY(delegation_find(rq, tx, in->Id, &d));
	out->DelegationSet = d->It;
	return OK;
}

static int64_t zones_on(req *rq, const txn *tx, str id)
{
	int64_t n = 0;
	record_scan s = route53_zone_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (route53_zone *z; (z = route53_zone_next(&s));)
		n += str_eq(z->DelegationSet, id);
	return n;
}

err route53_DeleteReusableDelegationSet(req *rq, txn *tx, const route53_DeleteReusableDelegationSet_in *in,
                                        route53_DeleteReusableDelegationSet_out *out)
{
	route53_delegation_set *d;
	(void)out;
	TRY(delegation_find(rq, tx, in->Id, &d));
	if (zones_on(rq, tx, d->Id))
		return fail(rq, &route53_DelegationSetInUse,
		            "The specified delegation contains associated hosted zones which must be deleted "
		            "before the "
		            "reusable delegation set can be deleted.");
	route53_reference_delete(tx, d->Account, S("delegation"), d->It->CallerReference);
	route53_delegation_set_delete(tx, d->Account, d->Id);
	return OK;
}

err route53_ListReusableDelegationSets(req *rq, const txn *tx,
                                       const route53_ListReusableDelegationSets_in *in,
                                       route53_ListReusableDelegationSets_out *out)
{
	int64_t most;
	TRY(page_size(rq, in->MaxItems, ROUTE53_PAGE_ZONES, &most));
	str marker = str_is(in->Marker) ? id_bare(in->Marker) : STR_NONE;
	out->DelegationSets.v = arena_array(rq->mem, route53_DelegationSet, (size_t)most);
	out->IsTruncated = BOOL(false);
	record_scan s = route53_delegation_set_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (route53_delegation_set *d; (d = route53_delegation_set_next(&s));) {
		if (str_is(marker) && str_cmp(d->Id, marker) < 0)
			continue;
		if (out->DelegationSets.n == (size_t)most) {
			out->NextMarker = d->Id;
			out->IsTruncated = BOOL(true);
			cursor_close(&s.at);
			break;
		}
		out->DelegationSets.v[out->DelegationSets.n++] = *d->It;
	}
	out->Marker = in->Marker;
	out->MaxItems = arena_fmt(rq->mem, "%lld", (long long)most);
	return OK;
}

err route53_GetReusableDelegationSetLimit(req *rq, const txn *tx,
                                          const route53_GetReusableDelegationSetLimit_in *in,
                                          route53_GetReusableDelegationSetLimit_out *out)
{
	route53_delegation_set *d;
	TRY(delegation_find(rq, tx, in->DelegationSetId, &d));
	out->Limit = arena_new(rq->mem, route53_ReusableDelegationSetLimit);
	*out->Limit = (route53_ReusableDelegationSetLimit){ .Type = in->Type,
		.Value = I64(ROUTE53_SET_ZONES_MAX) };
	out->Count = I64(zones_on(rq, tx, d->Id));
	return OK;
}
