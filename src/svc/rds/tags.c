#include "cloud/tags.h"
#include "rds.h"

/* Whatever has tags, by its ARN: arn:aws:rds:REGION:ACCOUNT:KIND:NAME. */
typedef struct tagged {
	rds_TagList *tags;
	rds_instance *instance;
	rds_cluster *cluster;
	rds_snapshot *snapshot;
	rds_cluster_snapshot *cluster_snapshot;
	rds_subnet_group *subnets;
	rds_parameter_group *parameters;
	rds_proxy *proxy;
	rds_proxy_endpoint *endpoint;
	rds_reserved *reserved;
	rds_subscription *subscription;
	rds_option_group *options;
	rds_cluster_endpoint *custom;
} tagged;

/* Their ARNs have an id that is not their name. */
static void look_for_proxy(req *rq, const txn *tx, str kind, str name, tagged *t)
{
	str end = arena_fmt(rq->mem, ":%.*s", STR_ARG(name));
	if (str_eq(kind, S("db-proxy"))) {
		record_scan s = rds_proxy_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
		for (rds_proxy *p; !t->proxy && (p = rds_proxy_next(&s));)
			t->proxy = str_ends(p->It->DBProxyArn, end) ? p : NULL;
		cursor_close(&s.at);
		t->tags = t->proxy ? &t->proxy->Tags : NULL;
		return;
	}
	record_scan s = rds_proxy_endpoint_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	for (rds_proxy_endpoint *e; !t->endpoint && (e = rds_proxy_endpoint_next(&s));)
		t->endpoint = str_ends(e->It->DBProxyEndpointArn, end) ? e : NULL;
	cursor_close(&s.at);
	t->tags = t->endpoint ? &t->endpoint->Tags : NULL;
}

static bool look(req *rq, const txn *tx, str kind, str name, tagged *t)
{
	str account = rq->who.account, region = rq->region;
	if (str_eq(kind, S("db"))) {
		t->instance = rds_instance_get(tx, rq->mem, account, region, name);
		t->tags = t->instance ? &t->instance->It->TagList : NULL;
	} else if (str_eq(kind, S("cluster"))) {
		t->cluster = rds_cluster_get(tx, rq->mem, account, region, name);
		t->tags = t->cluster ? &t->cluster->It->TagList : NULL;
	} else if (str_eq(kind, S("snapshot"))) {
		t->snapshot = rds_snapshot_get(tx, rq->mem, account, region, name);
		t->tags = t->snapshot ? &t->snapshot->It->TagList : NULL;
	} else if (str_eq(kind, S("cluster-snapshot"))) {
		t->cluster_snapshot = rds_cluster_snapshot_get(tx, rq->mem, account, region, name);
		t->tags = t->cluster_snapshot ? &t->cluster_snapshot->It->TagList : NULL;
	} else if (str_eq(kind, S("subgrp"))) {
		t->subnets = rds_subnet_group_get(tx, rq->mem, account, region, name);
		t->tags = t->subnets ? &t->subnets->Tags : NULL;
	} else if (str_eq(kind, S("pg")) || str_eq(kind, S("cluster-pg"))) {
		t->parameters = rds_parameter_group_get(tx, rq->mem, account, region, kind, name);
		t->tags = t->parameters ? &t->parameters->Tags : NULL;
	} else if (str_eq(kind, S("ri"))) {
		t->reserved = rds_reserved_get(tx, rq->mem, account, region, name);
		t->tags = t->reserved ? &t->reserved->Tags : NULL;
	} else if (str_eq(kind, S("es"))) {
		t->subscription = rds_subscription_get(tx, rq->mem, account, region, name);
		t->tags = t->subscription ? &t->subscription->Tags : NULL;
	} else if (str_eq(kind, S("og"))) {
		t->options = rds_option_group_get(tx, rq->mem, account, region, name);
		t->tags = t->options ? &t->options->Tags : NULL;
	} else if (str_eq(kind, S("cluster-endpoint"))) {
		t->custom = rds_cluster_endpoint_get(tx, rq->mem, account, region, name);
		t->tags = t->custom ? &t->custom->Tags : NULL;
	} else if (str_starts(kind, S("db-proxy"))) {
		look_for_proxy(rq, tx, kind, name, t);
	} else if (str_eq(kind, S("target-group"))) {
		t->tags = arena_new(rq->mem, rds_TagList); /* has none of its own */
	}
	return t->tags;
}

static err missing(req *rq, str kind, str name, str arn)
{
	if (str_eq(kind, S("db")))
		return fail(rq, &rds_DBInstanceNotFoundFault, "DBInstance %.*s not found.", STR_ARG(name));
	if (str_eq(kind, S("cluster")))
		return fail(rq, &rds_DBClusterNotFoundFault, "DBCluster %.*s not found.", STR_ARG(name));
	if (str_ends(kind, S("snapshot")))
		return fail(rq, &rds_DBSnapshotNotFoundFault, "DBSnapshot %.*s not found.", STR_ARG(name));
	if (str_eq(kind, S("subgrp")))
		return fail(rq, &rds_DBSubnetGroupNotFoundFault, "DB subnet group '%.*s' does not exist.",
		            STR_ARG(name));
	if (str_starts(kind, S("db-proxy")))
		return fail(rq, &rds_DBProxyNotFoundFault, "DBProxy not found with name: %.*s", STR_ARG(name));
	if (str_eq(kind, S("cluster-endpoint")))
		return fail(rq, &rds_DBClusterEndpointNotFoundFault, "DB cluster endpoint %.*s not found.",
		            STR_ARG(name));
	if (str_eq(kind, S("es")))
		return fail(rq, &rds_SubscriptionNotFoundFault, "Event subscription %.*s not found.", STR_ARG(name));
	if (str_eq(kind, S("og")))
		return fail(rq, &rds_OptionGroupNotFoundFault, "Specified OptionGroupName: %.*s not found.",
		            STR_ARG(name));
	if (str_ends(kind, S("pg")))
		return fail(rq, &rds_DBParameterGroupNotFoundFault, "DBParameterGroup not found: %.*s",
		            STR_ARG(name));
	return fail(rq, &rds_InvalidParameterValue, "Invalid resource name: %.*s", STR_ARG(arn));
}

static err find(req *rq, const txn *tx, str arn, tagged *t)
{
	str prefix = req_arn(rq, "rds", "%s", "");
	if (!str_starts(arn, prefix))
		return fail(rq, &rds_InvalidParameterValue, "Invalid resource name: %.*s", STR_ARG(arn));
	str rest = str_sub(arn, prefix.n, arn.n), kind = str_cut(&rest, ':');
	*t = (tagged){ 0 };
	return str_is(rest) && look(rq, tx, kind, rest, t) ? OK : missing(rq, kind, rest, arn);
}

static void keep(txn *tx, const tagged *t)
{
	if (t->instance)
		rds_instance_put(tx, t->instance);
	if (t->cluster)
		rds_cluster_put(tx, t->cluster);
	if (t->snapshot)
		rds_snapshot_put(tx, t->snapshot);
	if (t->cluster_snapshot)
		rds_cluster_snapshot_put(tx, t->cluster_snapshot);
	if (t->subnets)
		rds_subnet_group_put(tx, t->subnets);
	if (t->parameters)
		rds_parameter_group_put(tx, t->parameters);
	if (t->proxy)
		rds_proxy_put(tx, t->proxy);
	if (t->endpoint)
		rds_proxy_endpoint_put(tx, t->endpoint);
	if (t->reserved)
		rds_reserved_put(tx, t->reserved);
	if (t->subscription)
		rds_subscription_put(tx, t->subscription);
	if (t->options)
		rds_option_group_put(tx, t->options);
	if (t->custom)
		rds_cluster_endpoint_put(tx, t->custom);
}

static const tag_rules rules = {
	.most = RDS_TAGS_MAX,
	.too_many = { &rds_InvalidParameterValue, "At most 50 tags per resource are allowed." },
	.reserved = { &rds_InvalidParameterValue, "Tag keys must not begin with aws:" },
};

err rds_ListTagsForResource(req *rq, const txn *tx, const rds_ListTagsForResource_in *in,
                            rds_ListTagsForResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceName, &t));
	tags_shown(rq, TAGS(t.tags, Key));
	out->TagList = *t.tags;
	return OK;
}

err rds_AddTagsToResource(req *rq, txn *tx, const rds_AddTagsToResource_in *in,
                          rds_AddTagsToResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceName, &t));
	TRY(tags_add(rq, &rules, TAGS(t.tags, Key), TAGS(&in->Tags, Key)));
	keep(tx, &t);
	return OK;
}

err rds_RemoveTagsFromResource(req *rq, txn *tx, const rds_RemoveTagsFromResource_in *in,
                               rds_RemoveTagsFromResource_out *out)
{
	tagged t;
	TRY(find(rq, tx, in->ResourceName, &t));
	tags_drop(TAGS(t.tags, Key), in->TagKeys.v, in->TagKeys.n);
	keep(tx, &t);
	return OK;
}
