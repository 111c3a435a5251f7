#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "cache.h"
#include "sys/rand.h"

#define ID_MOST 50
#define SECRET_BYTES 24
#define PORT 6379
#define ZONES 6
#define TOKEN_MIN 16
#define TOKEN_MAX 128

err cache_cluster_find(req *rq, const txn *tx, str id, elasticache_cluster **out)
{
	*out = elasticache_cluster_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, id));
	if (!*out)
		return fail(rq, &elasticache_CacheClusterNotFoundFault, "CacheCluster not found: %.*s", STR_ARG(id));
	return OK;
}

err cache_cluster_ready(req *rq, const elasticache_cluster *c)
{
	if (str_eq(c->It->CacheClusterStatus, S("available")))
		return OK;
	return fail(rq, &elasticache_InvalidCacheClusterStateFault,
	            "Cache cluster %.*s is not in available state.", STR_ARG(c->Id));
}

elasticache_CacheCluster *cache_cluster_shown(req *rq, const elasticache_cluster *c, bool nodes)
{
	elasticache_CacheCluster *it = arena_new(rq->mem, elasticache_CacheCluster);
	*it = *c->It;
	bool made = it->CacheClusterCreateTime.set;
	if (!nodes || !made)
		it->CacheNodes.n = 0;
	if (!made)
		it->PreferredAvailabilityZone = STR_NONE;
	if (nodes && made) {
		it->CacheNodes.v = arena_new(rq->mem, elasticache_CacheNode);
		*it->CacheNodes.v = *c->It->CacheNodes.v;
		it->CacheNodes.v->CacheNodeStatus = it->CacheClusterStatus;
		it->CacheNodes.v->CacheNodeCreateTime = it->CacheClusterCreateTime;
		it->CacheNodes.v->ParameterGroupStatus = it->CacheParameterGroup->ParameterApplyStatus;
	}
	return it;
}

err cache_node_quota(req *rq, const txn *tx, size_t more)
{
	size_t n = 0;
	record_scan s = elasticache_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (elasticache_cluster_next(&s))
		n++;
	if (n + more > CACHE_NODES_MAX)
		return fail(rq, &elasticache_NodeQuotaForCustomerExceededFault,
		            "The request cannot be processed because it would exceed the allowed number of cache "
		            "nodes per customer.");
	return OK;
}

/* Zones by turns where nobody names one. */
static str zone_of(req *rq, str given, str id)
{
	if (str_is(given) && !str_empty(given))
		return given;
	return arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + str_hash(id) % ZONES));
}

static elasticache_CacheNodeList one_node(req *rq, str address, int64_t port, str zone)
{
	elasticache_CacheNode *n = arena_new(rq->mem, elasticache_CacheNode);
	elasticache_Endpoint *e = arena_new(rq->mem, elasticache_Endpoint);
	*e = (elasticache_Endpoint){ address, I64(port) };
	*n = (elasticache_CacheNode){ .CacheNodeId = S("0001"), .Endpoint = e, .CustomerAvailabilityZone = zone };
	return (elasticache_CacheNodeList){ n, 1 };
}

static elasticache_CacheParameterGroupStatus *group_status(req *rq, str name)
{
	elasticache_CacheParameterGroupStatus *s = arena_new(rq->mem, elasticache_CacheParameterGroupStatus);
	*s = (elasticache_CacheParameterGroupStatus){ .CacheParameterGroupName = name,
		                                          .ParameterApplyStatus = S("in-sync") };
	s->CacheNodeIdsToReboot.v = arena_new(rq->mem, str);
	return s;
}

err cache_cluster_new(req *rq, const txn *tx, const cache_facts *f, elasticache_cluster **out)
{
	if (elasticache_cluster_get(tx, rq->mem, rq->who.account, rq->region, f->id))
		return fail(rq, &elasticache_CacheClusterAlreadyExistsFault, "Cache cluster already exists.");
	str zone = zone_of(rq, f->zone, f->id);
	if (!str_starts(zone, rq->region))
		return fail(rq, &elasticache_InvalidParameterValueException, "%.*s is not a valid availability zone.",
		            STR_ARG(zone));
	elasticache_cluster *c = arena_new(rq->mem, elasticache_cluster);
	*c = (elasticache_cluster){ .Account = rq->who.account,
		                        .Region = rq->region,
		                        .Id = f->id,
		                        .Folder = rand_text(rq->mem, 16, S("abcdefghijklmnopqrstuvwxyz0123456789")),
		                        .Address = cache_address_new(rq, tx, (int)f->port),
		                        .Secret = f->secret,
		                        .NodeGroup = f->node_group,
		                        .Primary = f->primary };
	c->It = arena_new(rq->mem, elasticache_CacheCluster);
	*c->It = (elasticache_CacheCluster){
		.CacheClusterId = f->id,
		.ClientDownloadLandingPage = S("https://console.aws.amazon.com/elasticache/home#client-download:"),
		.CacheNodeType = f->node_type,
		.Engine = f->engine,
		.EngineVersion = str_c(f->version->number),
		.CacheClusterStatus = S("creating"),
		.NumCacheNodes = I64(1),
		.PreferredAvailabilityZone = zone,
		.PendingModifiedValues = arena_new(rq->mem, elasticache_PendingModifiedValues),
		.CacheParameterGroup = group_status(rq, f->parameter_group),
		.CacheSubnetGroupName = str_is(f->subnet_group) ? f->subnet_group : S("default"),
		.CacheNodes = one_node(rq, c->Address, f->port, zone),
		.AutoMinorVersionUpgrade = BOOL(!f->auto_minor.set || f->auto_minor.v),
		.SecurityGroups = cache_security_groups(rq, f->groups),
		.ReplicationGroupId = f->group,
		.AuthTokenEnabled = BOOL(f->token),
		.TransitEncryptionEnabled = BOOL(f->tls),
		.AtRestEncryptionEnabled = BOOL(f->at_rest),
		.ARN = req_arn(rq, "elasticache", "cluster:%.*s", STR_ARG(f->id)),
		.ReplicationGroupLogDeliveryEnabled = BOOL(false),
		.NetworkType = S("ipv4"),
		.IpDiscovery = S("ipv4"),
		.TransitEncryptionMode = f->tls ? S("required") : STR_NONE,
	};
	c->It->CacheSecurityGroups.v = arena_new(rq->mem, elasticache_CacheSecurityGroupMembership);
	*out = c;
	return OK;
}

str cache_secret_new(arena *a)
{
	unsigned char bytes[SECRET_BYTES];
	rand_bytes(bytes, sizeof bytes);
	return hex_encode(a, str_of((const char *)bytes, sizeof bytes));
}

err cache_check_token(req *rq, str token, bool tls)
{
	bool good = token.n >= TOKEN_MIN && token.n <= TOKEN_MAX;
	for (size_t i = 0; i < token.n; i++)
		good = good && token.p[i] > ' ' && token.p[i] <= '~' && !strchr("@\"/", token.p[i]);
	if (!tls)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "The AUTH token is only supported when encryption-in-transit is enabled");
	if (!good)
		return fail(rq, &elasticache_InvalidParameterValueException, "Invalid AuthToken provided. ");
	return OK;
}

err cache_subnet_group_check(req *rq, const txn *tx, str *name)
{
	if (!str_is(*name) || str_eq(*name, S("default")))
		return OK;
	*name = cache_lowered(rq, *name);
	if (!elasticache_subnet_group_get(tx, rq->mem, rq->who.account, rq->region, *name))
		return fail(rq, &elasticache_CacheSubnetGroupNotFoundFault, "Cache Subnet Group %.*s does not exist.",
		            STR_ARG(*name));
	return OK;
}

err cache_topic_set(req *rq, str arn, str status, elasticache_NotificationConfiguration **out)
{
	if (str_is(arn) && !str_empty(arn)) {
		if (!str_starts(arn, S("arn:aws:sns:")))
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "Invalid notification topic ARN: %.*s", STR_ARG(arn));
		*out = arena_new(rq->mem, elasticache_NotificationConfiguration);
		**out = (elasticache_NotificationConfiguration){ arn, S("active") };
	}
	if (*out && str_is(status))
		(*out)->TopicStatus = status;
	return OK;
}

static err unsupported(req *rq, const elasticache_CreateCacheCluster_in *in)
{
	const char *what = str_is(in->PreferredOutpostArn) || str_is(in->OutpostMode) ? "Outposts"
		: in->LogDeliveryConfigurations.n                                         ? "Log delivery"
		: in->SnapshotArns.n ? "Seeding a cache from files in S3"
		: (str_is(in->NetworkType) && !str_eq(in->NetworkType, S("ipv4")))
			|| (str_is(in->IpDiscovery) && !str_eq(in->IpDiscovery, S("ipv4")))
		? "IPv6"
		: NULL;
	if (what)
		return fail(rq, &aws_NotImplemented, "%s is not implemented for cache clusters.", what);
	if (in->CacheSecurityGroupNames.n)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Use of cache security groups is not permitted in this API version for your account.");
	return OK;
}

static err check(req *rq, const elasticache_CreateCacheCluster_in *in, str id)
{
	TRY(cache_check_name(rq, id, "CacheClusterId", ID_MOST));
	TRY(unsupported(rq, in));
	TRY(cache_check_port(rq, in->Port));
	TRY(cache_check_retention(rq, in->SnapshotRetentionLimit));
	if (!str_is(in->Engine) || str_empty(in->Engine))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter Engine must be provided and must not be blank.");
	TRY(cache_check_node_type(rq, in->CacheNodeType));
	if (!in->NumCacheNodes.set)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter NumCacheNodes must be provided and must not be null.");
	return OK;
}

/* Creating alone; into a group it is a replica (group_scale.c). */
static err create_alone(req *rq, txn *tx, const elasticache_CreateCacheCluster_in *in, str id,
                        elasticache_cluster **out)
{
	const cache_version *v;
	elasticache_snapshot *from = NULL;
	str engine = cache_lowered(rq, in->Engine), parameters, subnets = in->CacheSubnetGroupName;
	bool tls = in->TransitEncryptionEnabled.v;
	TRY(check(rq, in, id));
	TRY(cache_version_find(rq, engine, in->EngineVersion, &v));
	if (in->NumCacheNodes.v != 1)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Cannot create a %s cluster with a NumCacheNodes parameter greater than 1.",
		            str_eq(engine, S("redis")) ? "Redis" : "Valkey");
	if (str_eq(in->AZMode, S("cross-az")))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Cannot use cross-az mode with a single cache node.");
	TRY(cache_subnet_group_check(rq, tx, &subnets));
	TRY(cache_parameter_group_for(rq, tx, in->CacheParameterGroupName, v, false, &parameters));
	if (cache_parameter_group_clustered(tx, rq->mem, rq->who.account, rq->region, parameters))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Cannot create a cache cluster with cluster mode enabled; create a replication group.");
	if (str_is(in->AuthToken))
		TRY(cache_check_token(rq, in->AuthToken, tls));
	if (str_is(in->SnapshotName))
		TRY(cache_snapshot_find(rq, tx, in->SnapshotName, &from));
	TRY(cache_node_quota(rq, tx, 1));
	cache_facts f = { .id = id,
		              .engine = engine,
		              .node_type = in->CacheNodeType,
		              .zone = in->PreferredAvailabilityZone,
		              .subnet_group = subnets,
		              .parameter_group = parameters,
		              .version = v,
		              .port = in->Port.set ? in->Port.v : PORT,
		              .groups = &in->SecurityGroupIds,
		              .auto_minor = in->AutoMinorVersionUpgrade,
		              .tls = tls,
		              .token = str_is(in->AuthToken),
		              .primary = true,
		              .secret = cache_secret_new(rq->mem) };
	TRY(cache_cluster_new(rq, tx, &f, out));
	elasticache_cluster *c = *out;
	if (from) {
		if (from->It->NodeSnapshots.n != 1)
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "The snapshot %.*s is of a cluster with several shards and cannot be restored into a "
			            "single cache cluster.",
			            STR_ARG(from->Name));
		c->From = from->Name;
	}
	if (str_is(in->AuthToken))
		c->Tokens = sha256_hex(rq->mem, in->AuthToken);
	TRY(cache_windows_set(rq, in->SnapshotWindow, in->PreferredMaintenanceWindow, &c->It->SnapshotWindow,
	                      &c->It->PreferredMaintenanceWindow));
	c->It->SnapshotRetentionLimit = in->SnapshotRetentionLimit.set ? in->SnapshotRetentionLimit : I64(0);
	return cache_topic_set(rq, in->NotificationTopicArn, STR_NONE, &c->It->NotificationConfiguration);
}

err elasticache_CreateCacheCluster(req *rq, txn *tx, const elasticache_CreateCacheCluster_in *in,
                                   elasticache_CreateCacheCluster_out *out)
{
	elasticache_cluster *c;
	str id = cache_lowered(rq, in->CacheClusterId);
	TRY(cache_tags_check(rq, &in->Tags));
	if (str_is(in->ReplicationGroupId)) {
		TRY(cache_group_join(rq, tx, in, id, &c));
		c->Tags = in->Tags;
		elasticache_cluster_put(tx, c);
		out->CacheCluster = cache_cluster_shown(rq, c, false);
		return OK;
	}
	TRY(create_alone(rq, tx, in, id, &c));
	c->Tags = in->Tags;
	cache_cluster_job(tx, c, S("creating"), S("create"));
	out->CacheCluster = cache_cluster_shown(rq, c, false);
	return OK;
}

err elasticache_DescribeCacheClusters(req *rq, const txn *tx, const elasticache_DescribeCacheClusters_in *in,
                                      elasticache_DescribeCacheClusters_out *out)
{
	cache_page p;
	elasticache_cluster *c;
	bool nodes = in->ShowCacheNodeInfo.v, alone = in->ShowCacheClustersNotInReplicationGroups.v;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->CacheClusters.v = arena_array(rq->mem, elasticache_CacheCluster, p.most);
	if (str_is(in->CacheClusterId) && !str_empty(in->CacheClusterId)) {
		TRY(cache_cluster_find(rq, tx, in->CacheClusterId, &c));
		out->CacheClusters.v[out->CacheClusters.n++] = *cache_cluster_shown(rq, c, nodes);
		return OK;
	}
	record_scan s = elasticache_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((c = elasticache_cluster_next(&s))) {
		if (alone && str_is(c->It->ReplicationGroupId))
			continue;
		if (out->CacheClusters.n == p.most) {
			out->Marker = page_token(rq, out->CacheClusters.v[p.most - 1].CacheClusterId);
			break;
		}
		out->CacheClusters.v[out->CacheClusters.n++] = *cache_cluster_shown(rq, c, nodes);
	}
	cursor_close(&s.at);
	return OK;
}

err elasticache_RebootCacheCluster(req *rq, txn *tx, const elasticache_RebootCacheCluster_in *in,
                                   elasticache_RebootCacheCluster_out *out)
{
	elasticache_cluster *c;
	TRY(cache_cluster_find(rq, tx, in->CacheClusterId, &c));
	TRY(cache_cluster_ready(rq, c));
	if (!in->CacheNodeIdsToReboot.n)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter CacheNodeIdsToReboot must be provided and must not be blank.");
	for (size_t i = 0; i < in->CacheNodeIdsToReboot.n; i++)
		if (!str_eq(in->CacheNodeIdsToReboot.v[i], S("0001")))
			return fail(rq, &elasticache_InvalidParameterValueException, "Invalid CacheNodeId: %.*s",
			            STR_ARG(in->CacheNodeIdsToReboot.v[i]));
	c->Empty = true; /* what is in memory is gone */
	if (str_is(c->It->ReplicationGroupId)) {
		elasticache_group *g;
		TRY(cache_group_find(rq, tx, c->It->ReplicationGroupId, &g));
		TRY(cache_group_ready(rq, g));
		if (cache_group_clustered(g))
			return fail(rq, &elasticache_InvalidParameterCombinationException,
			            "Rebooting a cache cluster of a replication group with cluster mode enabled is not "
			            "supported.");
		c->It->CacheClusterStatus = S("rebooting cluster nodes");
		elasticache_cluster_put(tx, c);
		cache_group_job(tx, g, S("modifying"), S("settle"));
	} else {
		cache_cluster_job(tx, c, S("rebooting cluster nodes"), S("settle"));
	}
	out->CacheCluster = cache_cluster_shown(rq, c, false);
	return OK;
}

err elasticache_DeleteCacheCluster(req *rq, txn *tx, const elasticache_DeleteCacheCluster_in *in,
                                   elasticache_DeleteCacheCluster_out *out)
{
	elasticache_cluster *c;
	TRY(cache_cluster_find(rq, tx, in->CacheClusterId, &c));
	if (str_is(c->It->ReplicationGroupId)) {
		TRY(cache_group_leave(rq, tx, c));
		out->CacheCluster = cache_cluster_shown(rq, c, false);
		return OK;
	}
	if (!str_empty(c->Job))
		return fail(rq, &elasticache_InvalidCacheClusterStateFault,
		            "Cache cluster %.*s is not in a valid state to be deleted.", STR_ARG(c->Id));
	if (str_is(in->FinalSnapshotIdentifier)) {
		str name = cache_lowered(rq, in->FinalSnapshotIdentifier);
		elasticache_snapshot *s;
		TRY(cache_snapshot_begin(rq, tx, name, "manual", c, NULL, &s));
		c->Snapshot = name;
	}
	cache_cluster_job(tx, c, S("deleting"), S("delete"));
	out->CacheCluster = cache_cluster_shown(rq, c, false);
	return OK;
}
