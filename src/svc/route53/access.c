/* What the operations are called in policies, and on what they act. */
#include "cloud/authorise.h"
#include "route53.h"

/* The last part of an id, which may have come with its path. */
static size_t named(req *rq, const void *in, const char *kind, const char *member, str **arns)
{
	str id = access_member(rq, in, str_c(member));
	*arns = arena_new(rq->mem, str);
	**arns = str_is(id) ? arena_fmt(rq->mem, "arn:aws:route53:::%s/%.*s", kind, STR_ARG(id_bare(id))) :
		S("*");
	return 1;
}

static size_t zone_id(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return named(rq, in, "hostedzone", "Id", arns);
}

static size_t zone_named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return named(rq, in, "hostedzone", "HostedZoneId", arns);
}

static size_t check_named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return named(rq, in, "healthcheck", "HealthCheckId", arns);
}

static size_t change_named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return named(rq, in, "change", "Id", arns);
}

static size_t set_named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return named(rq, in, "delegationset", "Id", arns);
}

static size_t set_limited(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return named(rq, in, "delegationset", "DelegationSetId", arns);
}

static size_t tagged(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str type = access_member(rq, in, S("ResourceType"));
	return named(rq, in, arena_str(rq->mem, type).p, "ResourceId", arns);
}

static size_t several_tagged(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	const route53_ListTagsForResources_in *i = in;
	*arns = arena_array(rq->mem, str, i->ResourceIds.n + 1);
	for (size_t k = 0; k < i->ResourceIds.n; k++)
		(*arns)[k] = arena_fmt(rq->mem, "arn:aws:route53:::%.*s/%.*s", STR_ARG(i->ResourceType),
		                       STR_ARG(id_bare(i->ResourceIds.v[k])));
	return i->ResourceIds.n;
}

#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(route53, "route53", NULL,
	ON_ALL("CreateHostedZone"), { "GetHostedZone", NULL, NULL, zone_id }, { "DeleteHostedZone", NULL, NULL,
		zone_id },
	{ "UpdateHostedZoneComment", NULL, NULL, zone_id }, ON_ALL("GetHostedZoneCount"),
		ON_ALL("ListHostedZones"),
	ON_ALL("ListHostedZonesByName"), ON_ALL("ListHostedZonesByVPC"),
	{ "ChangeResourceRecordSets", NULL, NULL, zone_named }, { "ListResourceRecordSets", NULL, NULL,
		zone_named },
	{ "GetChange", NULL, NULL, change_named }, ON_ALL("TestDNSAnswer"),
	{ "AssociateVPCWithHostedZone", NULL, NULL, zone_named },
	{ "DisassociateVPCFromHostedZone", NULL, NULL, zone_named },
	{ "CreateVPCAssociationAuthorization", NULL, NULL, zone_named },
	{ "DeleteVPCAssociationAuthorization", NULL, NULL, zone_named },
	{ "ListVPCAssociationAuthorizations", NULL, NULL, zone_named },
	ON_ALL("CreateReusableDelegationSet"), { "GetReusableDelegationSet", NULL, NULL, set_named },
	{ "DeleteReusableDelegationSet", NULL, NULL, set_named }, ON_ALL("ListReusableDelegationSets"),
	{ "GetReusableDelegationSetLimit", NULL, NULL, set_limited }, ON_ALL("GetAccountLimit"),
	{ "GetHostedZoneLimit", NULL, NULL, zone_named }, ON_ALL("CreateHealthCheck"),
	{ "GetHealthCheck", NULL, NULL, check_named }, { "UpdateHealthCheck", NULL, NULL, check_named },
	{ "DeleteHealthCheck", NULL, NULL, check_named }, ON_ALL("ListHealthChecks"),
		ON_ALL("GetHealthCheckCount"),
	{ "GetHealthCheckStatus", NULL, NULL, check_named },
	{ "GetHealthCheckLastFailureReason", NULL, NULL, check_named },
	{ "ChangeTagsForResource", NULL, NULL, tagged }, { "ListTagsForResource", NULL, NULL, tagged },
	{ "ListTagsForResources", NULL, NULL, several_tagged });

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	str id = id_bare(arn);
	route53_zone *z = zone_any(tx, mem, id);
	if (z)
		return RESOURCE_TAG_KEYS(mem, z->Tags, Key, Value);
	route53_health *h = health_any(tx, mem, id);
	return h ? RESOURCE_TAG_KEYS(mem, h->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(route53, tags_of);
