#include "cloud/tags.h"
#include "cache.h"

/* What bears tags, by its ARN. */
typedef struct tagged {
	elasticache_cluster *cluster;
	elasticache_group *group;
	elasticache_subnet_group *subnets;
	elasticache_parameter_group *parameters;
	elasticache_snapshot *snapshot;
	elasticache_user *user;
	elasticache_user_group *user_group;
	elasticache_reserved *reserved;
	elasticache_TagList *tags;
} tagged;

static const tag_rules rules = {
	.most = CACHE_TAGS_MAX,
	.too_many = { &elasticache_TagQuotaPerResourceExceeded,
	              "The request cannot be processed because it would cause the resource to have more than the "
	              "allowed number of tags. The maximum number of tags permitted on a resource is 50." },
	.twice = { &elasticache_InvalidParameterValueException, "Duplicate tag keys are not allowed." },
	.reserved = { &elasticache_InvalidParameterValueException, "Tag keys must not begin with aws:" },
};

err cache_tags_check(req *rq, const elasticache_TagList *given)
{
	return tags_check(rq, &rules, TAGS(given, Key));
}

#define LOOK(row_, member_) \
	do { \
		t->member_ = row_(tx, rq->mem, account, region, name); \
		t->tags = t->member_ ? &t->member_->Tags : NULL; \
	} while (0)

static err missing(req *rq, str kind, str name)
{
	if (str_eq(kind, S("cluster")))
		return fail(rq, &elasticache_CacheClusterNotFoundFault,
		            "%.*s is either not present or not available.", STR_ARG(name));
	if (str_eq(kind, S("replicationgroup")))
		return fail(rq, &elasticache_ReplicationGroupNotFoundFault, "ReplicationGroup %.*s not found.",
		            STR_ARG(name));
	if (str_eq(kind, S("subnetgroup")))
		return fail(rq, &elasticache_CacheSubnetGroupNotFoundFault, "Cache Subnet Group %.*s does not exist.",
		            STR_ARG(name));
	if (str_eq(kind, S("parametergroup")))
		return fail(rq, &elasticache_CacheParameterGroupNotFoundFault, "CacheParameterGroup not found: %.*s",
		            STR_ARG(name));
	if (str_eq(kind, S("snapshot")))
		return fail(rq, &elasticache_SnapshotNotFoundFault, "Snapshot %.*s not found.", STR_ARG(name));
	if (str_eq(kind, S("user")))
		return fail(rq, &elasticache_UserNotFoundFault, "User %.*s not found.", STR_ARG(name));
	if (str_eq(kind, S("usergroup")))
		return fail(rq, &elasticache_UserGroupNotFoundFault, "User group %.*s not found.", STR_ARG(name));
	return fail(rq, &elasticache_ReservedCacheNodeNotFoundFault, "Reserved cache node %.*s not found.",
	            STR_ARG(name));
}

static err find(req *rq, const txn *tx, str arn, tagged *t)
{
	static const char *const kinds[] = { "cluster",        "replicationgroup", "subnetgroup",
		                                 "parametergroup", "snapshot",         "user",
		                                 "usergroup",      "reserved-instance" };
	str prefix = req_arn(rq, "elasticache", "%s", ""), account = rq->who.account, region = rq->region;
	str name = str_starts(arn, prefix) ? str_sub(arn, prefix.n, arn.n) : STR_NONE, kind = str_cut(&name, ':');
	size_t which = 0, n = sizeof kinds / sizeof *kinds;
	*t = (tagged){ 0 };
	while (which < n && !str_eq(kind, str_c(kinds[which])))
		which++;
	if (which == n || !str_is(name))
		return fail(rq, &elasticache_InvalidARNFault,
		            "The requested Amazon Resource Name (ARN) does not refer to an "
		            "existing resource.");
	switch (which) {
	case 0:
		LOOK(elasticache_cluster_get, cluster);
		break;
	case 1:
		LOOK(elasticache_group_get, group);
		break;
	case 2:
		LOOK(elasticache_subnet_group_get, subnets);
		break;
	case 3:
		LOOK(elasticache_parameter_group_get, parameters);
		break;
	case 4:
		LOOK(elasticache_snapshot_get, snapshot);
		break;
	case 5:
		LOOK(elasticache_user_get, user);
		break;
	case 6:
		LOOK(elasticache_user_group_get, user_group);
		break;
	default:
		LOOK(elasticache_reserved_get, reserved);
	}
	return t->tags ? OK : missing(rq, kind, name);
}

static void keep(txn *tx, const tagged *t)
{
	if (t->cluster)
		elasticache_cluster_put(tx, t->cluster);
	if (t->group)
		elasticache_group_put(tx, t->group);
	if (t->subnets)
		elasticache_subnet_group_put(tx, t->subnets);
	if (t->parameters)
		elasticache_parameter_group_put(tx, t->parameters);
	if (t->snapshot)
		elasticache_snapshot_put(tx, t->snapshot);
	if (t->user)
		elasticache_user_put(tx, t->user);
	if (t->user_group)
		elasticache_user_group_put(tx, t->user_group);
	if (t->reserved)
		elasticache_reserved_put(tx, t->reserved);
}

err elasticache_ListTagsForResource(req *rq, const txn *tx, const elasticache_ListTagsForResource_in *in,
                                    elasticache_ListTagsForResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceName, &t));
	tags_shown(rq, TAGS(t.tags, Key));
	out->TagList = *t.tags;
	return OK;
}

err elasticache_AddTagsToResource(req *rq, txn *tx, const elasticache_AddTagsToResource_in *in,
                                  elasticache_AddTagsToResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceName, &t));
	TRY(tags_add(rq, &rules, TAGS(t.tags, Key), TAGS(&in->Tags, Key)));
	keep(tx, &t);
	out->TagList = *t.tags;
	return OK;
}

err elasticache_RemoveTagsFromResource(req *rq, txn *tx, const elasticache_RemoveTagsFromResource_in *in,
                                       elasticache_RemoveTagsFromResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceName, &t));
	tags_drop(TAGS(t.tags, Key), in->TagKeys.v, in->TagKeys.n);
	keep(tx, &t);
	tags_shown(rq, TAGS(t.tags, Key));
	out->TagList = *t.tags;
	return OK;
}
