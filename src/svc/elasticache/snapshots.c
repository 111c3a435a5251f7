#include "base/time.h"
#include "cache.h"
#include "run/postgres.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"

#define NAME_MOST 255
#define RETRY_MS 2000

err cache_snapshot_find(req *rq, const txn *tx, str name, elasticache_snapshot **out)
{
	*out = elasticache_snapshot_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, name));
	if (!*out)
		return fail(rq, &elasticache_SnapshotNotFoundFault, "Snapshot %.*s not found.", STR_ARG(name));
	return OK;
}

static elasticache_NodeSnapshot of_node(arena *mem, const elasticache_cluster *c, const elasticache_group *g)
{
	elasticache_NodeSnapshot n = { .CacheClusterId = c->Id,
		                           .CacheNodeId = S("0001"),
		                           .CacheNodeCreateTime = c->It->CacheClusterCreateTime };
	if (!g)
		return n;
	n.NodeGroupId = c->NodeGroup;
	for (size_t i = 0; i < g->It->NodeGroups.n && g->It->ClusterEnabled.v; i++)
		if (str_eq(g->It->NodeGroups.v[i].NodeGroupId, c->NodeGroup)) {
			n.NodeGroupConfiguration = arena_new(mem, elasticache_NodeGroupConfiguration);
			n.NodeGroupConfiguration->Slots = g->It->NodeGroups.v[i].Slots;
		}
	return n;
}

static str folder_new(arena *mem)
{
	return arena_concat(mem, S("snapshot-"), rand_text(mem, 16, S("abcdefghijklmnopqrstuvwxyz0123456789")));
}

/* A row in state creating of what stands alone or of a group, with all that a new one needs to be like it. */
static elasticache_snapshot *snapshot_new(const txn *tx, arena *mem, str name, const char *source,
                                          const elasticache_cluster *c, const elasticache_group *g)
{
	elasticache_cluster **all;
	size_t n = g ? cache_group_members(tx, mem, g, &all) : 0;
	for (size_t i = 0; g && i < n && !c; i++)
		c = all[i]->Primary ? all[i] : NULL;
	elasticache_snapshot *s = arena_new(mem, elasticache_snapshot);
	const elasticache_CacheCluster *like = c->It;
	*s = (elasticache_snapshot){ .Account = c->Account, .Region = c->Region, .Name = name };
	s->Unit = g ? g->It->ARN : like->ARN;
	s->Folder = folder_new(mem);
	s->It = arena_new(mem, elasticache_Snapshot);
	*s->It = (elasticache_Snapshot){
		.SnapshotName = name,
		.ReplicationGroupId = g ? g->Id : STR_NONE,
		.ReplicationGroupDescription = g ? g->It->Description : STR_NONE,
		.CacheClusterId = g && g->It->ClusterEnabled.v ? STR_NONE : c->Id,
		.SnapshotStatus = S("creating"),
		.SnapshotSource = str_c(source),
		.CacheNodeType = like->CacheNodeType,
		.Engine = like->Engine,
		.EngineVersion = like->EngineVersion,
		.NumCacheNodes = I64(1),
		.PreferredAvailabilityZone = like->PreferredAvailabilityZone,
		.CacheClusterCreateTime = like->CacheClusterCreateTime,
		.PreferredMaintenanceWindow = like->PreferredMaintenanceWindow,
		.TopicArn = like->NotificationConfiguration ? like->NotificationConfiguration->TopicArn : STR_NONE,
		.Port = like->CacheNodes.v[0].Endpoint->Port,
		.CacheParameterGroupName = like->CacheParameterGroup->CacheParameterGroupName,
		.CacheSubnetGroupName = like->CacheSubnetGroupName,
		.AutoMinorVersionUpgrade = like->AutoMinorVersionUpgrade,
		.SnapshotRetentionLimit = g ? g->It->SnapshotRetentionLimit : like->SnapshotRetentionLimit,
		.SnapshotWindow = g ? g->It->SnapshotWindow : like->SnapshotWindow,
		.NumNodeGroups = g ? I64((int64_t)g->It->NodeGroups.n) : (opt_i64){ 0 },
		.AutomaticFailover = g ? g->It->AutomaticFailover : S("disabled"),
		.ARN = arena_fmt(mem, "arn:aws:elasticache:%.*s:%.*s:snapshot:%.*s", STR_ARG(c->Region),
		                 STR_ARG(c->Account), STR_ARG(name)),
		.DataTiering = S("disabled"),
	};
	s->It->NodeSnapshots.v = arena_array(mem, elasticache_NodeSnapshot, n + 1);
	if (!g)
		s->It->NodeSnapshots.v[s->It->NodeSnapshots.n++] = of_node(mem, c, NULL);
	for (size_t i = 0; i < n; i++)
		if (all[i]->Primary)
			s->It->NodeSnapshots.v[s->It->NodeSnapshots.n++] = of_node(mem, all[i], g);
	return s;
}

static size_t count(const txn *tx, arena *mem, str account, str region)
{
	size_t n = 0;
	record_scan s = elasticache_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	while (elasticache_snapshot_next(&s))
		n++;
	return n;
}

static err new_name(req *rq, const txn *tx, str name, const char *parameter)
{
	TRY(cache_check_name(rq, name, parameter, NAME_MOST));
	if (elasticache_snapshot_get(tx, rq->mem, rq->who.account, rq->region, name))
		return fail(rq, &elasticache_SnapshotAlreadyExistsFault,
		            "Snapshot with specified name already exists.");
	if (count(tx, rq->mem, rq->who.account, rq->region) >= CACHE_SNAPSHOTS_MAX)
		return fail(
			rq, &elasticache_SnapshotQuotaExceededFault,
			"The request cannot be processed because it would exceed the maximum number of snapshots.");
	return OK;
}

err cache_snapshot_begin(req *rq, txn *tx, str name, const char *source, elasticache_cluster *c,
                         elasticache_group *g, elasticache_snapshot **out)
{
	TRY(new_name(rq, tx, name, "SnapshotName"));
	*out = snapshot_new(tx, rq->mem, name, source, c, g);
	elasticache_snapshot_put(tx, *out);
	return OK;
}

err elasticache_CreateSnapshot(req *rq, txn *tx, const elasticache_CreateSnapshot_in *in,
                               elasticache_CreateSnapshot_out *out)
{
	elasticache_cluster *c = NULL;
	elasticache_group *g = NULL;
	elasticache_snapshot *s;
	str name = cache_lowered(rq, in->SnapshotName);
	if (str_is(in->CacheClusterId) == str_is(in->ReplicationGroupId))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Exactly one of CacheClusterId and ReplicationGroupId must be provided.");
	TRY(cache_tags_check(rq, &in->Tags));
	if (str_is(in->CacheClusterId)) {
		TRY(cache_cluster_find(rq, tx, in->CacheClusterId, &c));
		TRY(cache_cluster_ready(rq, c));
		if (str_is(c->It->ReplicationGroupId))
			TRY(cache_group_find(rq, tx, c->It->ReplicationGroupId, &g));
	} else {
		TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	}
	if (g)
		TRY(cache_group_ready(rq, g));
	TRY(cache_snapshot_begin(rq, tx, name, "manual", g ? NULL : c, g, &s));
	s->Tags = in->Tags;
	s->It->KmsKeyId = in->KmsKeyId;
	elasticache_snapshot_put(tx, s);
	if (g) {
		g->Snapshot = name;
		cache_group_job(tx, g, S("snapshotting"), S("snapshot"));
	} else {
		c->Snapshot = name;
		cache_cluster_job(tx, c, S("snapshotting"), S("snapshot"));
	}
	out->Snapshot = s->It;
	return OK;
}

err elasticache_DescribeSnapshots(req *rq, const txn *tx, const elasticache_DescribeSnapshots_in *in,
                                  elasticache_DescribeSnapshots_out *out)
{
	cache_page p;
	elasticache_snapshot *s;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	if (str_is(in->SnapshotName))
		TRY(cache_snapshot_find(rq, tx, in->SnapshotName, &s));
	str source = str_eq(in->SnapshotSource, S("system")) ? S("automated")
		: str_eq(in->SnapshotSource, S("user"))          ? S("manual")
														 : STR_NONE;
	if (str_is(in->SnapshotSource) && !str_is(source))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Invalid snapshot source: %.*s. It must be system or user.", STR_ARG(in->SnapshotSource));
	out->Snapshots.v = arena_array(rq->mem, elasticache_Snapshot, p.most);
	record_scan scan = elasticache_snapshot_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&scan, p.after);
	while ((s = elasticache_snapshot_next(&scan))) {
		const elasticache_Snapshot *it = s->It;
		if ((str_is(in->SnapshotName) && !str_eq_nocase(in->SnapshotName, s->Name))
		    || (str_is(source) && !str_eq(source, it->SnapshotSource))
		    || (str_is(in->CacheClusterId) && !str_eq_nocase(in->CacheClusterId, it->CacheClusterId))
		    || (str_is(in->ReplicationGroupId)
		        && !str_eq_nocase(in->ReplicationGroupId, it->ReplicationGroupId)))
			continue;
		if (out->Snapshots.n == p.most) {
			out->Marker = page_token(rq, out->Snapshots.v[p.most - 1].SnapshotName);
			break;
		}
		out->Snapshots.v[out->Snapshots.n] = *it;
		for (size_t i = 0; i < it->NodeSnapshots.n && !in->ShowNodeGroupConfig.v; i++)
			it->NodeSnapshots.v[i].NodeGroupConfiguration = NULL;
		out->Snapshots.n++;
	}
	cursor_close(&scan.at);
	return OK;
}

/* The copy: a row like its source, whose files a task copies. */
err elasticache_CopySnapshot(req *rq, txn *tx, const elasticache_CopySnapshot_in *in,
                             elasticache_CopySnapshot_out *out)
{
	elasticache_snapshot *from;
	str name = cache_lowered(rq, in->TargetSnapshotName);
	TRY(cache_snapshot_find(rq, tx, in->SourceSnapshotName, &from));
	if (str_is(in->TargetBucket) && !str_empty(in->TargetBucket))
		return fail(rq, &aws_NotImplemented, "Exporting a snapshot to a bucket is not implemented.");
	if (!str_eq(from->It->SnapshotStatus, S("available")))
		return fail(rq, &elasticache_InvalidSnapshotStateFault, "Snapshot %.*s is not in available state.",
		            STR_ARG(from->Name));
	TRY(new_name(rq, tx, name, "TargetSnapshotName"));
	TRY(cache_tags_check(rq, &in->Tags));
	elasticache_snapshot s = *from;
	str source = from->Folder;
	s.Name = name;
	s.Folder = folder_new(rq->mem);
	s.Bytes = 0;
	s.Tags = in->Tags;
	s.It->SnapshotName = name;
	s.It->SnapshotStatus = S("creating");
	s.It->SnapshotSource = S("manual");
	s.It->KmsKeyId = in->KmsKeyId;
	s.It->ARN = req_arn(rq, "elasticache", "snapshot:%.*s", STR_ARG(name));
	elasticache_snapshot_put(tx, &s);
	task_add(tx, "elasticache_copy",
	         arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(source),
	                   STR_ARG(cache_place(rq->mem, s.Account, s.Region, s.Name))),
	         0);
	out->Snapshot = s.It;
	return OK;
}

typedef struct copying {
	arena *mem;
	str account, region, name;
	int64_t bytes;
	err failed;
} copying;

static bool copied(void *context, txn *tx)
{
	copying *c = context;
	elasticache_snapshot *s = elasticache_snapshot_get(tx, c->mem, c->account, c->region, c->name);
	if (!s)
		return true;
	s->Bytes = c->bytes;
	s->It->SnapshotStatus = c->failed ? S("failed") : S("available");
	elasticache_snapshot_put(tx, s);
	cache_bill_snapshots(tx, s->Account, s->Region, clock_now());
	return true;
}

static err copy_files(arena *mem, str from, str to, int64_t *bytes)
{
	str *names, one = path_join(mem, cache_root(), from), other = path_join(mem, cache_root(), to);
	size_t n;
	TRY(dir_make(mem, other, 0700));
	TRY(dir_list(mem, one, &names, &n));
	for (size_t i = 0; i < n; i++)
		TRY(redis_copy(mem, path_join(mem, one, names[i]), path_join(mem, other, names[i]), bytes));
	return OK;
}

TASK(elasticache_copy)
{
	copying c = { .mem = mem };
	str rest = payload, source = str_cut(&rest, ' ');
	c.account = str_cut(&rest, ' ');
	c.region = str_cut(&rest, ' ');
	c.name = rest;
	const txn *tx = store_read(s);
	elasticache_snapshot *to = elasticache_snapshot_get(tx, mem, c.account, c.region, c.name);
	store_read_end(s, tx);
	if (!to)
		return TASK_DONE;
	c.failed = copy_files(mem, source, to->Folder, &c.bytes);
	return store_write(s, copied, &c) ? clock_now() + RETRY_MS : TASK_DONE;
}

static void drop(txn *tx, elasticache_snapshot *s)
{
	elasticache_snapshot_delete(tx, s->Account, s->Region, s->Name);
	task_add(tx, "elasticache_remove", s->Folder, 0);
	cache_bill_snapshots(tx, s->Account, s->Region, clock_now());
}

TASK(elasticache_remove)
{
	postgres_remove(mem, cache_root(), payload);
	return TASK_DONE;
}

static err ready(req *rq, const elasticache_snapshot *s)
{
	if (str_eq(s->It->SnapshotStatus, S("available")) || str_eq(s->It->SnapshotStatus, S("failed")))
		return OK;
	return fail(rq, &elasticache_InvalidSnapshotStateFault, "Snapshot %.*s is not in available state.",
	            STR_ARG(s->Name));
}

err elasticache_DeleteSnapshot(req *rq, txn *tx, const elasticache_DeleteSnapshot_in *in,
                               elasticache_DeleteSnapshot_out *out)
{
	elasticache_snapshot *s;
	TRY(cache_snapshot_find(rq, tx, in->SnapshotName, &s));
	TRY(ready(rq, s));
	drop(tx, s);
	s->It->SnapshotStatus = S("deleting");
	out->Snapshot = s->It;
	return OK;
}

/* The unit: c or g, ACCOUNT REGION ID. At each opening of the window a snapshot; what is older than the
 * retention goes. */
void cache_daily_set(txn *tx, str unit, str window, int64_t retention, int64_t now)
{
	if (retention > 0)
		timer_set(tx, "elasticache_daily", unit, cache_window_next(window, now), unit);
	else
		timer_cancel(tx, "elasticache_daily", unit);
}

static void expire(txn *tx, arena *mem, str account, str region, str arn, int64_t before)
{
	record_scan s = elasticache_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	for (elasticache_snapshot *r; (r = elasticache_snapshot_next(&s));) {
		bool old = r->It->NodeSnapshots.n && r->It->NodeSnapshots.v[0].SnapshotCreateTime.set
			&& r->It->NodeSnapshots.v[0].SnapshotCreateTime.v <= before;
		if (old && str_eq(r->It->SnapshotSource, S("automated")) && str_eq(r->Unit, arn))
			drop(tx, r);
	}
	cursor_close(&s.at);
}

TIMER(elasticache_daily)
{
	arena *mem = txn_arena(tx);
	str rest = payload, kind = str_cut(&rest, ' '), account = str_cut(&rest, ' '),
		region = str_cut(&rest, ' ');
	bool grouped = str_eq(kind, S("g"));
	elasticache_group *g = grouped ? elasticache_group_get(tx, mem, account, region, rest) : NULL;
	elasticache_cluster *c = grouped ? NULL : elasticache_cluster_get(tx, mem, account, region, rest);
	if (!g && !c)
		return;
	civil at = time_civil(due);
	str name = arena_fmt(mem, "automatic.%.*s-%04d-%02d-%02d-%02d-%02d", STR_ARG(rest), at.year, at.month,
	                     at.day, at.hour, at.minute);
	int64_t retention = g ? g->It->SnapshotRetentionLimit.v : c->It->SnapshotRetentionLimit.v;
	bool free_now = str_empty(g ? g->Job : c->Job)
		&& !elasticache_snapshot_get(tx, mem, account, region, name)
		&& str_eq(g ? g->It->Status : c->It->CacheClusterStatus, S("available"));
	expire(tx, mem, account, region, g ? g->It->ARN : c->It->ARN, due - retention * MS_DAY);
	if (free_now) {
		elasticache_snapshot *s = snapshot_new(tx, mem, name, "automated", c, g);
		elasticache_snapshot_put(tx, s);
		if (g)
			g->Snapshot = name;
		else
			c->Snapshot = name;
		if (g)
			cache_group_job(tx, g, S("snapshotting"), S("snapshot"));
		else
			cache_cluster_job(tx, c, S("snapshotting"), S("snapshot"));
	}
	cache_daily_set(tx, payload, g ? g->It->SnapshotWindow : c->It->SnapshotWindow, retention, due);
}
