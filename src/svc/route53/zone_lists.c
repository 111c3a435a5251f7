/* Lists of hosted zones: by id, by name, by VPC. */
#include "route53.h"

static bool wanted(const route53_zone *z, const route53_ListHostedZones_in *in)
{
	if (str_is(in->HostedZoneType) && !zone_private(z))
		return false;
	return !str_is(in->DelegationSetId) || str_eq(z->DelegationSet, id_bare(in->DelegationSetId));
}

err route53_ListHostedZones(req *rq, const txn *tx, const route53_ListHostedZones_in *in,
                            route53_ListHostedZones_out *out)
{
	int64_t most;
	route53_delegation_set *d;
	TRY(page_size(rq, in->MaxItems, ROUTE53_PAGE_ZONES, &most));
	if (str_is(in->DelegationSetId))
		TRY(delegation_find(rq, tx, in->DelegationSetId, &d));
	str marker = str_is(in->Marker) ? id_bare(in->Marker) : STR_NONE;
	if (str_is(marker) && !route53_zone_get(tx, rq->mem, rq->who.account, marker))
		return fail(rq, &route53_InvalidInput, "The specified marker is not valid: %.*s",
			STR_ARG(in->Marker));
	out->HostedZones.v = arena_array(rq->mem, route53_HostedZone, (size_t)most);
	out->IsTruncated = BOOL(false);
	record_scan s = route53_zone_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (route53_zone *z; (z = route53_zone_next(&s));) {
		if ((str_is(marker) && str_cmp(z->Id, marker) < 0) || !wanted(z, in))
			continue;
		if (out->HostedZones.n == (size_t)most) {
			out->NextMarker = z->Id;
			out->IsTruncated = BOOL(true);
			cursor_close(&s.at);
			break;
		}
		out->HostedZones.v[out->HostedZones.n++] = zone_shown(rq, z);
	}
	out->Marker = in->Marker;
	out->MaxItems = arena_fmt(rq->mem, "%lld", (long long)most);
	return OK;
}

err route53_ListHostedZonesByName(req *rq, const txn *tx, const route53_ListHostedZonesByName_in *in,
                                  route53_ListHostedZonesByName_out *out)
{
	int64_t most;
	str from = STR_NONE, name, from_id = str_is(in->HostedZoneId) ? id_bare(in->HostedZoneId) : STR_NONE;
	TRY(page_size(rq, in->MaxItems, ROUTE53_PAGE_ZONES, &most));
	if (str_is(from_id) && !str_is(in->DNSName))
		return fail(rq, &route53_InvalidInput, "Missing DNSName parameter");
	if (in->DNSName.n) {
		const char *wrong = name_clean(rq->mem, in->DNSName, &name);
		if (wrong)
			return fail(rq, &route53_InvalidDomainName, "%s encountered with '%.*s'", wrong,
			            STR_ARG(in->DNSName));
		from = name_order(rq->mem, name);
	}
	out->HostedZones.v = arena_array(rq->mem, route53_HostedZone, (size_t)most);
	out->IsTruncated = BOOL(false);
	record_scan s = route53_zone_name_scan(tx, rq->mem, 0, STR_NONE, STR_NONE);
	for (route53_zone_name *n; (n = route53_zone_name_next(&s));) {
		int order = str_is(from) ? str_cmp(n->Order, from) : 1;
		if (!str_eq(n->Account, rq->who.account) || order < 0 ||
		    (order == 0 && str_is(from_id) && str_cmp(n->Id, from_id) < 0))
			continue;
		route53_zone *z = route53_zone_get(tx, rq->mem, n->Account, n->Id);
		if (out->HostedZones.n == (size_t)most) {
			out->NextDNSName = z->It->Name;
			out->NextHostedZoneId = z->Id;
			out->IsTruncated = BOOL(true);
			cursor_close(&s.at);
			break;
		}
		out->HostedZones.v[out->HostedZones.n++] = zone_shown(rq, z);
	}
	out->DNSName = in->DNSName;
	out->HostedZoneId = in->HostedZoneId;
	out->MaxItems = arena_fmt(rq->mem, "%lld", (long long)most);
	return OK;
}

err route53_ListHostedZonesByVPC(req *rq, const txn *tx, const route53_ListHostedZonesByVPC_in *in,
                                 route53_ListHostedZonesByVPC_out *out)
{
	int64_t most;
	str after = STR_NONE;
	TRY(page_size(rq, in->MaxItems, ROUTE53_PAGE_ZONES, &most));
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &route53_InvalidPaginationToken, "The pagination token is not valid.");
	out->HostedZoneSummaries.v = arena_array(rq->mem, route53_HostedZoneSummary, (size_t)most);
	record_scan s = route53_zone_vpc_scan(tx, rq->mem, 1, in->VPCId, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	str last = STR_NONE;
	for (route53_zone_vpc *v; (v = route53_zone_vpc_next(&s));) {
		route53_zone *z = zone_any(tx, rq->mem, v->Id);
		if (!z)
			continue;
		if (out->HostedZoneSummaries.n == (size_t)most) {
			out->NextToken = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		route53_HostedZoneOwner *owner = arena_new(rq->mem, route53_HostedZoneOwner);
		owner->OwningAccount = z->Account;
		out->HostedZoneSummaries.v[out->HostedZoneSummaries.n++] =
			(route53_HostedZoneSummary){ .HostedZoneId = z->Id, .Name = z->It->Name, .Owner = owner };
		last = v->Id;
	}
	out->MaxItems = arena_fmt(rq->mem, "%lld", (long long)most);
	return OK;
}
