/* What an account and its zones may have, and have. */
#include "cloud/quota.h"
#include "route53.h"

#define COUNT(kind_) ({ \
	int64_t n_ = 0; \
	record_scan s_ = route53_##kind_##_scan(tx, rq->mem, 1, rq->who.account, STR_NONE); \
	while (route53_##kind_##_next(&s_)) \
		n_++; \
	n_; \
})

err route53_GetAccountLimit(req *rq, const txn *tx, const route53_GetAccountLimit_in *in,
                            route53_GetAccountLimit_out *out)
{
	int64_t limit = ROUTE53_ZONES_MAX, count = 0;
	if (str_eq(in->Type, route53_AccountLimitType_MAX_HOSTED_ZONES_BY_OWNER)) {
		count = COUNT(zone);
	} else if (str_eq(in->Type, route53_AccountLimitType_MAX_HEALTH_CHECKS_BY_OWNER)) {
		limit = ROUTE53_HEALTH_MAX;
		count = COUNT(health);
	} else if (str_eq(in->Type, route53_AccountLimitType_MAX_REUSABLE_DELEGATION_SETS_BY_OWNER)) {
		limit = ROUTE53_DELEGATION_SETS_MAX;
		count = COUNT(delegation_set);
	} else {
		limit = str_eq(in->Type, route53_AccountLimitType_MAX_TRAFFIC_POLICIES_BY_OWNER) ?
			ROUTE53_POLICIES_MAX : ROUTE53_INSTANCES_MAX;
	}
	out->Limit = arena_new(rq->mem, route53_AccountLimit);
	*out->Limit = (route53_AccountLimit){ .Type = in->Type, .Value = I64(limit) };
	out->Count = I64(count);
	return OK;
}

err route53_GetHostedZoneLimit(req *rq, const txn *tx, const route53_GetHostedZoneLimit_in *in,
                               route53_GetHostedZoneLimit_out *out)
{
	route53_zone *z;
	TRY(zone_find(rq, tx, in->HostedZoneId, &z));
	bool vpcs = str_eq(in->Type, route53_HostedZoneLimitType_MAX_VPCS_ASSOCIATED_BY_ZONE);
	if (vpcs && !zone_private(z))
		return fail(rq, &route53_HostedZoneNotPrivate, "The specified hosted zone is a public hosted zone.");
	out->Limit = arena_new(rq->mem, route53_HostedZoneLimit);
	*out->Limit = (route53_HostedZoneLimit){ .Type = in->Type,
		.Value = I64(vpcs ? ROUTE53_ZONE_VPCS_MAX : ROUTE53_SETS_MAX) };
	out->Count = I64(vpcs ? (int64_t)z->VPCs.n : z->Sets);
	return OK;
}

QUOTAS(route53, "route53", "Amazon Route 53", true,
	{ "L-4EA4796A", "Hosted zones", ROUTE53_ZONES_MAX, true, NULL },
	{ "L-E209CC9F", "Records per hosted zone", ROUTE53_SETS_MAX, true, NULL },
	{ "L-ACB674F3", "Health checks", ROUTE53_HEALTH_MAX, true, NULL },
	{ "L-A72C7724", "Reusable delegation sets", ROUTE53_DELEGATION_SETS_MAX, true, NULL });
