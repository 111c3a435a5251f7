/* VPCs that see a private zone. */
#include "cloud/call.h"
#include "gen/ec2.h"
#include "route53.h"

static bool same_vpc(const route53_VPC *a, const route53_VPC *b)
{
	return str_eq(a->VPCId, b->VPCId) && str_eq(a->VPCRegion, b->VPCRegion);
}

static bool vpcs_have(const route53_VPCs *all, const route53_VPC *v)
{
	for (size_t i = 0; i < all->n; i++)
		if (same_vpc(&all->v[i], v))
			return true;
	return false;
}

static void vpcs_drop(route53_VPCs *all, const route53_VPC *v)
{
	size_t kept = 0;
	route53_VPC gone = *v;
	for (size_t i = 0; i < all->n; i++)
		if (!same_vpc(&all->v[i], &gone))
			all->v[kept++] = all->v[i];
	all->n = kept;
}

static void vpcs_add(arena *mem, route53_VPCs *all, const route53_VPC *v)
{
	route53_VPC *more = arena_array(mem, route53_VPC, all->n + 1);
	for (size_t i = 0; i < all->n; i++)
		more[i] = all->v[i];
	more[all->n] = *v;
	all->v = more;
	all->n++;
}

err vpc_check(req *rq, txn *tx, const route53_VPC *v)
{
	str id = v->VPCId;
	req there = *rq;
	there.region = v->VPCRegion;
	ec2_DescribeVpcs_in in = { .VpcIds = { &id, 1 } };
	ec2_DescribeVpcs_out out = { 0 };
	if (!str_is(v->VPCId) || !str_is(v->VPCRegion))
		return fail(rq, &route53_InvalidInput, "Both VPCId and VPCRegion are required.");
	err e = call(&there, tx, "ec2", "DescribeVpcs", &in, &out);
	if (!e && out.Vpcs.n)
		return OK;
	if (e && e->kind->status >= 500)
		return e;
	return fail(rq, &route53_InvalidVPCId, "The VPC: %.*s in region %.*s that you provided is not a valid "
		"VPC",
	            STR_ARG(v->VPCId), STR_ARG(v->VPCRegion));
}

err vpc_join(req *rq, txn *tx, route53_zone *z, const route53_VPC *v)
{
	str order = name_order(rq->mem, z->It->Name);
	record_scan s = route53_zone_vpc_scan(tx, rq->mem, 1, v->VPCId, STR_NONE);
	for (route53_zone_vpc *other; (other = route53_zone_vpc_next(&s));)
		if (str_eq(other->Order, order)) {
			cursor_close(&s.at);
			return fail(rq, &route53_ConflictingDomainExists,
			            "The VPC %.*s in region %.*s has already been associated with the hosted zone %.*s "
			            "with "
			            "the same domain name.",
			            STR_ARG(v->VPCId), STR_ARG(v->VPCRegion), STR_ARG(other->Id));
		}
	if (z->VPCs.n >= ROUTE53_ZONE_VPCS_MAX)
		return fail(rq, &route53_LimitsExceeded,
		            "Limits Exceeded: MAX_VPCS_ASSOCIATED_BY_ZONE - Cannot associate more VPCs with the "
		            "hosted "
		            "zone.");
	vpcs_add(rq->mem, &z->VPCs, v);
	route53_zone_vpc_put(tx, &(route53_zone_vpc){ v->VPCId, z->Id, z->Account, order });
	return OK;
}

void vpc_leave(txn *tx, route53_zone *z, const route53_VPC *v)
{
	route53_zone_vpc_delete(tx, v->VPCId, z->Id);
	vpcs_drop(&z->VPCs, v);
}

/* A zone of the caller's or, when its owner allows this VPC, another's. */
static err zone_for_vpc(req *rq, const txn *tx, str id, const route53_VPC *v, bool joining, route53_zone **z)
{
	id = id_bare(id);
	*z = zone_any(tx, rq->mem, id);
	if (!*z)
		return fail(rq, &route53_NoSuchHostedZone, "No hosted zone found with ID: %.*s", STR_ARG(id));
	if (str_eq((*z)->Account, rq->who.account) ||
	    (joining ? vpcs_have(&(*z)->Authorized, v) : vpcs_have(&(*z)->VPCs, v)))
		return OK;
	return fail(rq, &route53_NotAuthorizedException,
	            "The VPC: %.*s has not authorized to associate with your hosted zone.", STR_ARG(v->VPCId));
}

err route53_AssociateVPCWithHostedZone(req *rq, txn *tx, const route53_AssociateVPCWithHostedZone_in *in,
                                       route53_AssociateVPCWithHostedZone_out *out)
{
	route53_zone *z;
	TRY(zone_for_vpc(rq, tx, in->HostedZoneId, in->VPC, true, &z));
	if (!zone_private(z))
		return fail(rq, &route53_PublicZoneVPCAssociation,
		            "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't "
		            "support "
		            "associating a VPC with a public hosted zone.");
	TRY(vpc_check(rq, tx, in->VPC));
	TRY(vpc_join(rq, tx, z, in->VPC));
	route53_zone_put(tx, z);
	out->ChangeInfo = change_begin(rq, tx, in->Comment);
	return OK;
}

err route53_DisassociateVPCFromHostedZone(req *rq, txn *tx,
                                          const route53_DisassociateVPCFromHostedZone_in *in,
                                          route53_DisassociateVPCFromHostedZone_out *out)
{
	route53_zone *z;
	TRY(zone_for_vpc(rq, tx, in->HostedZoneId, in->VPC, false, &z));
	if (!vpcs_have(&z->VPCs, in->VPC))
		return fail(rq, &route53_VPCAssociationNotFound,
		            "The specified VPC and hosted zone are not currently associated.");
	if (z->VPCs.n == 1)
		return fail(rq, &route53_LastVPCAssociation, "Cannot remove last VPC association for the private "
			"zone");
	vpc_leave(tx, z, in->VPC);
	route53_zone_put(tx, z);
	out->ChangeInfo = change_begin(rq, tx, in->Comment);
	return OK;
}

err route53_CreateVPCAssociationAuthorization(req *rq, txn *tx,
                                              const route53_CreateVPCAssociationAuthorization_in *in,
                                              route53_CreateVPCAssociationAuthorization_out *out)
{
	route53_zone *z;
	TRY(zone_find(rq, tx, in->HostedZoneId, &z));
	if (!str_is(in->VPC->VPCId) || !str_is(in->VPC->VPCRegion))
		return fail(rq, &route53_InvalidInput, "Both VPCId and VPCRegion are required.");
	if (!vpcs_have(&z->Authorized, in->VPC)) {
		if (z->Authorized.n >= ROUTE53_ZONE_VPCS_MAX)
			return fail(rq, &route53_TooManyVPCAssociationAuthorizations,
			            "You've created the maximum number of authorizations that can be created for the "
			            "specified hosted zone.");
		vpcs_add(rq->mem, &z->Authorized, in->VPC);
		route53_zone_put(tx, z);
	}
	out->HostedZoneId = z->Id;
	out->VPC = in->VPC;
	return OK;
}

err route53_DeleteVPCAssociationAuthorization(req *rq, txn *tx,
                                              const route53_DeleteVPCAssociationAuthorization_in *in,
                                              route53_DeleteVPCAssociationAuthorization_out *out)
{
	route53_zone *z;
	(void)out;
	TRY(zone_find(rq, tx, in->HostedZoneId, &z));
	if (!vpcs_have(&z->Authorized, in->VPC))
		return fail(rq, &route53_VPCAssociationAuthorizationNotFound,
		            "The VPC that you specified is not authorized to be associated with the hosted zone.");
	vpcs_drop(&z->Authorized, in->VPC);
	route53_zone_put(tx, z);
	return OK;
}

err route53_ListVPCAssociationAuthorizations(req *rq, const txn *tx,
                                             const route53_ListVPCAssociationAuthorizations_in *in,
                                             route53_ListVPCAssociationAuthorizations_out *out)
{
	route53_zone *z;
	int64_t most, from = 0;
	str at;
	TRY(zone_find(rq, tx, in->HostedZoneId, &z));
	TRY(page_size(rq, in->MaxResults, 50, &most));
	if (str_is(in->NextToken) && (!page_position(rq, in->NextToken, &at) || !str_to_i64(at, &from)))
		return fail(rq, &route53_InvalidPaginationToken, "The pagination token is not valid.");
	size_t begin = from < 0 || (size_t)from > z->Authorized.n ? z->Authorized.n : (size_t)from;
	out->HostedZoneId = z->Id;
	out->VPCs = (route53_VPCs){ z->Authorized.v ? z->Authorized.v + begin : arena_new(rq->mem, route53_VPC),
		                        z->Authorized.n - begin };
	if (out->VPCs.n > (size_t)most) {
		out->VPCs.n = (size_t)most;
		out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(from + most)));
	}
	return OK;
}
