#include "base/time.h"
#include "parameters.h"
#include "run/postgres.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <sys/stat.h>

#define TRIES 3
#define RETRY_MS 2000

void cache_cluster_job(txn *tx, elasticache_cluster *c, str status, str job)
{
	arena *mem = txn_arena(tx);
	c->It->CacheClusterStatus = status;
	c->Job = job;
	elasticache_cluster_put(tx, c);
	task_add(tx, "elasticache_job",
	         arena_fmt(mem, "c %.*s", STR_ARG(cache_place(mem, c->Account, c->Region, c->Id))), 0);
}

void cache_group_job(txn *tx, elasticache_group *g, str status, str job)
{
	arena *mem = txn_arena(tx);
	g->It->Status = status;
	g->Job = job;
	elasticache_group_put(tx, g);
	task_add(tx, "elasticache_job",
	         arena_fmt(mem, "g %.*s", STR_ARG(cache_place(mem, g->Account, g->Region, g->Id))), 0);
}

/* What is at hand while a job runs. */
typedef struct work {
	store *store;
	arena *mem;
	elasticache_group *g; /* or it is one that stands alone */
	elasticache_snapshot *take, *from;
	cache_member *members; /* primaries first */
	size_t n;
	str job;
	elasticache_cluster *next; /* after a failover */
	int64_t bytes;
	err failed;
} work;

static bool leaving(const elasticache_cluster *c) { return str_eq(c->It->CacheClusterStatus, S("deleting")); }

static str rdb(work *w, const elasticache_snapshot *s, str node_group)
{
	return arena_fmt(w->mem, "%.*s/%.*s/%.*s.rdb", STR_ARG(cache_root()), STR_ARG(s->Folder),
	                 STR_ARG(str_empty(node_group) ? S("0001") : node_group));
}

/* What it listens on besides its own address comes from another node that has to let go of it first. */
static err listen_on(arena *a, const cache_member *m, bool all)
{
	redis_reply now;
	TRY(CACHE_ASK(a, m->c->Folder, &now, S("CONFIG"), S("GET"), S("bind")));
	if (now.n == 2 && str_eq(now.items[1].text, m->spec.addresses))
		return OK;
	return CACHE_ASK(a, m->c->Folder, NULL, S("CONFIG"), S("SET"), S("bind"),
	                 all ? m->spec.addresses : m->spec.address);
}

static err apply(arena *a, const cache_member *m)
{
	TRY(redis_configure(a, &m->spec));
	TRY(listen_on(a, m, true));
	return cache_users_apply(a, m->c->Folder, m->spec.users);
}

static void remove_node(work *w, const elasticache_cluster *c)
{
	cache_node_stop(c->Folder, false);
	postgres_remove(w->mem, cache_root(), c->Folder);
}

static err start_node(work *w, const cache_member *m)
{
	const elasticache_cluster *c = m->c;
	bool fresh = !c->It->CacheClusterCreateTime.set;
	if (fresh && w->from && c->Primary)
		TRY(redis_fill(w->mem, cache_root(), c->Folder, rdb(w, w->from, c->NodeGroup)));
	return cache_node_start(w->mem, &m->spec, c);
}

/* One that falls comes back following a replica of its own, which has what it had: then the watcher sees that
 * the group has no primary. */
static err prepare_for_falls(work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const cache_member *m = &w->members[i];
		redis_spec spec = m->spec;
		if (leaving(m->c) || !m->c->Primary || spec.cluster)
			continue;
		for (size_t k = 0; k < w->n && str_empty(spec.primary); k++)
			if (k != i && !leaving(w->members[k].c))
				spec.primary = w->members[k].c->Address;
		if (!str_empty(spec.primary))
			TRY(redis_configure(w->mem, &spec));
	}
	return OK;
}

static err settle_nodes(work *w)
{
	bool restart = str_eq(w->job, S("restart"));
	for (size_t i = 0; i < w->n; i++) {
		cache_member *m = &w->members[i];
		if (leaving(m->c))
			remove_node(w, m->c);
		else if (m->c->Empty || restart)
			cache_node_stop(m->c->Folder, !m->c->Empty);
	}
	for (size_t i = 0; i < w->n; i++)
		if (cache_node_runs(w->members[i].c->Folder))
			TRY(listen_on(w->mem, &w->members[i], false));
	for (size_t i = 0; i < w->n; i++) {
		cache_member *m = &w->members[i];
		if (!leaving(m->c) && cache_node_runs(m->c->Folder))
			TRY(apply(w->mem, m));
		else if (!leaving(m->c))
			TRY(start_node(w, m));
	}
	if (!w->g)
		return OK;
	TRY(cache_form(w->mem, w->g, w->members, w->n));
	return prepare_for_falls(w);
}

/* Farthing was killed while the job was under way: the node is down, with what it had on its disk. */
static err wake(work *w, const cache_member *m)
{
	return m->c->It->CacheClusterCreateTime.set ? cache_node_start(w->mem, &m->spec, m->c) : OK;
}

static err wake_all(work *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!cache_node_runs(w->members[i].c->Folder))
			return settle_nodes(w);
	return OK;
}

/* A file that is there is whole, and may be all that is left: of a delete that was begun before. */
static err save(work *w)
{
	struct stat st;
	if (!w->take)
		return fault_new(w->mem, &fault_system, "the snapshot has gone");
	TRY(dir_make(w->mem, path_join(w->mem, cache_root(), w->take->Folder), 0700));
	for (size_t i = 0; i < w->n; i++) {
		const elasticache_cluster *c = w->members[i].c;
		str path = rdb(w, w->take, c->NodeGroup);
		int64_t bytes = 0;
		if (!c->Primary)
			continue;
		if (stat(arena_str(w->mem, path).p, &st) == 0) {
			bytes = (int64_t)st.st_size;
		} else {
			TRY(wake(w, &w->members[i]));
			TRY(cache_node_save(w->mem, c->Folder, path, &bytes));
		}
		w->bytes += bytes;
	}
	return OK;
}

static err delete_all(work *w)
{
	if (w->take)
		TRY(save(w));
	for (size_t i = 0; i < w->n; i++)
		remove_node(w, w->members[i].c);
	return OK;
}

/* The primary of the node group goes; the first replica has what it had and takes over; it comes back as a
 * replica. */
static err fail_over(work *w)
{
	cache_member *old = NULL, *next = NULL;
	for (size_t i = 0; i < w->n; i++) {
		cache_member *m = &w->members[i];
		str wanted = w->g->Wanted, of = str_cut(&wanted, ' ');
		if (!str_eq(m->c->NodeGroup, of) || leaving(m->c))
			continue;
		if (m->c->Primary)
			old = m;
		else if (str_empty(wanted) ? !next : str_eq(wanted, m->c->Id))
			next = m;
	}
	if (!old || !next)
		return fault_new(w->mem, &fault_system, "there is no replica to take over");
	TRY(wake(w, next));
	cache_node_stop(old->c->Folder, false);
	TRY(cache_promote(w->mem, w->g, next));
	w->next = next->c;
	return OK;
}

static err perform(work *w)
{
	if (str_eq(w->job, S("delete")))
		return delete_all(w);
	if (str_eq(w->job, S("snapshot"))) {
		TRY(wake_all(w));
		return save(w);
	}
	if (str_eq(w->job, S("failover")))
		return fail_over(w);
	return settle_nodes(w);
}

static elasticache_snapshot *snapshot_of(const txn *tx, work *w, str account, str region, str name)
{
	return str_empty(name) ? NULL : elasticache_snapshot_get(tx, w->mem, account, region, name);
}

static void add(const txn *tx, work *w, elasticache_cluster *c)
{
	cache_member m = { .c = c };
	cache_spec_of(tx, w->mem, c, &m.spec);
	w->members[w->n++] = m;
}

/* KIND ACCOUNT REGION ID */
static bool gather(work *w, str payload)
{
	str rest = payload, kind = str_cut(&rest, ' '), account = str_cut(&rest, ' '),
		region = str_cut(&rest, ' ');
	const txn *tx = store_read(w->store);
	if (str_eq(kind, S("c"))) {
		elasticache_cluster *c = elasticache_cluster_get(tx, w->mem, account, region, rest);
		w->members = arena_new(w->mem, cache_member);
		if (c) {
			w->job = c->Job;
			w->take = snapshot_of(tx, w, account, region, c->Snapshot);
			w->from = snapshot_of(tx, w, account, region, c->From);
			add(tx, w, c);
		}
	} else if ((w->g = elasticache_group_get(tx, w->mem, account, region, rest))) {
		elasticache_cluster **all;
		size_t n = cache_group_members(tx, w->mem, w->g, &all);
		w->job = w->g->Job;
		w->take = snapshot_of(tx, w, account, region, w->g->Snapshot);
		w->from = snapshot_of(tx, w, account, region, w->g->From);
		w->members = arena_array(w->mem, cache_member, n ? n : 1);
		for (int primary = 1; primary >= 0; primary--)
			for (size_t i = 0; i < n; i++)
				if (all[i]->Primary == (primary == 1))
					add(tx, w, all[i]);
	}
	store_read_end(w->store, tx);
	return w->n || w->g;
}

static void snapshot_settled(txn *tx, work *w)
{
	elasticache_snapshot *s = w->take
		? elasticache_snapshot_get(tx, w->mem, w->take->Account, w->take->Region, w->take->Name)
		: NULL;
	if (!s)
		return;
	s->It->SnapshotStatus = w->failed ? S("failed") : S("available");
	s->Bytes = w->bytes;
	for (size_t i = 0; i < s->It->NodeSnapshots.n; i++) {
		s->It->NodeSnapshots.v[i].SnapshotCreateTime = TIME(clock_now());
		s->It->NodeSnapshots.v[i].CacheSize =
			arena_fmt(w->mem, "%lld MB", (long long)((w->bytes + (1 << 20) - 1) >> 20));
	}
	elasticache_snapshot_put(tx, s);
	cache_bill_snapshots(tx, s->Account, s->Region, clock_now());
}

static void node_gone(txn *tx, elasticache_cluster *c)
{
	cache_bill_cluster(tx, c, false, clock_now());
	timer_cancel(tx, "elasticache_maintain", cache_place(txn_arena(tx), c->Account, c->Region, c->Id));
	cache_event_add(tx, c->Account, c->Region, "cache-cluster", c->Id, S("Cache cluster deleted"));
	elasticache_cluster_delete(tx, c->Account, c->Region, c->Id);
}

static void node_settled(txn *tx, work *w, elasticache_cluster *c)
{
	const char *said = NULL;
	bool fresh = !c->It->CacheClusterCreateTime.set;
	if (fresh)
		c->It->CacheClusterCreateTime = TIME(clock_now());
	if (fresh)
		said = "Cache cluster created";
	else if (c->Empty)
		said = "Cache node 0001 restarted";
	if (fresh || c->Empty || str_eq(w->job, S("restart")))
		c->It->CacheParameterGroup->ParameterApplyStatus = S("in-sync");
	c->It->CacheClusterStatus = S("available");
	c->Job = c->From = c->Snapshot = STR_NONE;
	c->Empty = false;
	cache_bill_cluster(tx, c, true, clock_now());
	elasticache_cluster_put(tx, c);
	if (said)
		cache_event_add(tx, c->Account, c->Region, "cache-cluster", c->Id, str_c(said));
	if (fresh && !w->g)
		cache_daily_set(
			tx, arena_fmt(w->mem, "c %.*s", STR_ARG(cache_place(w->mem, c->Account, c->Region, c->Id))),
			c->It->SnapshotWindow, c->It->SnapshotRetentionLimit.v, clock_now());
}

static void node_failed(txn *tx, work *w, elasticache_cluster *c)
{
	bool made = c->It->CacheClusterCreateTime.set;
	c->It->CacheClusterStatus = made ? S("available")
		: w->from                    ? S("restore-failed")
									 : S("incompatible-network");
	c->Job = c->Snapshot = STR_NONE;
	elasticache_cluster_put(tx, c);
	cache_event_add(tx, c->Account, c->Region, "cache-cluster", c->Id, w->failed->message);
}

static void group_gone(txn *tx, work *w, elasticache_group *g)
{
	str unit = arena_fmt(w->mem, "g %.*s", STR_ARG(cache_place(w->mem, g->Account, g->Region, g->Id)));
	cache_daily_set(tx, unit, STR_NONE, 0, 0);
	cache_event_add(tx, g->Account, g->Region, "replication-group", g->Id, S("Replication group deleted"));
	elasticache_group_delete(tx, g->Account, g->Region, g->Id);
}

static void group_settled(txn *tx, work *w, elasticache_group *g)
{
	bool fresh = !g->It->ReplicationGroupCreateTime.set;
	str unit = arena_fmt(w->mem, "g %.*s", STR_ARG(cache_place(w->mem, g->Account, g->Region, g->Id)));
	if (fresh)
		g->It->ReplicationGroupCreateTime = TIME(clock_now());
	g->It->Status = S("available");
	g->It->PendingModifiedValues = arena_new(w->mem, elasticache_ReplicationGroupPendingModifiedValues);
	g->Job = g->From = g->Snapshot = STR_NONE;
	g->Formed = true;
	if (str_eq(w->job, S("failover"))) {
		g->Wanted = STR_NONE;
		cache_event_add(tx, g->Account, g->Region, "replication-group", g->Id,
		                arena_fmt(w->mem, "Failover to replica node %.*s completed", STR_ARG(w->next->Id)));
		/* The others follow the new primary from now on, and the old one comes back. */
		cache_group_job(tx, g, S("modifying"), S("settle"));
		return;
	}
	elasticache_group_put(tx, g);
	if (fresh) {
		cache_event_add(tx, g->Account, g->Region, "replication-group", g->Id,
		                S("Replication group created"));
		cache_daily_set(tx, unit, g->It->SnapshotWindow, g->It->SnapshotRetentionLimit.v, clock_now());
	}
}

static void group_failed(txn *tx, work *w, elasticache_group *g)
{
	g->It->Status = g->It->ReplicationGroupCreateTime.set ? S("available") : S("create-failed");
	g->Job = g->Snapshot = g->Wanted = STR_NONE;
	elasticache_group_put(tx, g);
	cache_event_add(tx, g->Account, g->Region, "replication-group", g->Id, w->failed->message);
}

static void roles_settled(work *w, elasticache_cluster *c)
{
	if (w->next && str_eq(c->NodeGroup, w->next->NodeGroup))
		c->Primary = str_eq(c->Id, w->next->Id);
}

static bool settled(void *context, txn *tx)
{
	work *w = context;
	bool gone = !w->failed && str_eq(w->job, S("delete"));
	for (size_t i = 0; i < w->n; i++) {
		const elasticache_cluster *was = w->members[i].c;
		elasticache_cluster *c = elasticache_cluster_get(tx, w->mem, was->Account, was->Region, was->Id);
		if (!c)
			continue;
		roles_settled(w, c);
		if (gone || (!w->failed && leaving(c)))
			node_gone(tx, c);
		else if (w->failed)
			node_failed(tx, w, c);
		else
			node_settled(tx, w, c);
		if (gone && !w->g)
			cache_daily_set(
				tx, arena_fmt(w->mem, "c %.*s", STR_ARG(cache_place(w->mem, c->Account, c->Region, c->Id))),
				STR_NONE, 0, 0);
	}
	snapshot_settled(tx, w);
	elasticache_group *g =
		w->g ? elasticache_group_get(tx, w->mem, w->g->Account, w->g->Region, w->g->Id) : NULL;
	if (g && gone)
		group_gone(tx, w, g);
	else if (g && w->failed)
		group_failed(tx, w, g);
	else if (g)
		group_settled(tx, w, g);
	if (w->n)
		cache_bill_all(tx, w->members[0].c->Account, w->members[0].c->Region, clock_now());
	return true;
}

static int64_t do_job(store *s, arena *mem, str payload, unsigned attempt)
{
	work w = { .store = s, .mem = mem };
	if (!gather(&w, payload) || str_empty(w.job))
		return TASK_DONE;
	w.failed = perform(&w);
	if (w.failed && attempt < TRIES)
		return clock_now() + RETRY_MS;
	return store_write(s, settled, &w) ? clock_now() + RETRY_MS : TASK_DONE;
}

TASK(elasticache_job)
{
	cache_unit_take(mem, payload);
	int64_t again = do_job(s, mem, payload, attempt);
	cache_unit_leave(payload);
	return again;
}

/* After a start of the server: what the rows say runs again, with what it had. */
static int64_t resume(store *s, arena *mem, str payload, unsigned attempt)
{
	work w = { .store = s, .mem = mem };
	if (!gather(&w, payload) || !str_empty(w.job))
		return TASK_DONE;
	w.job = S("resume");
	for (size_t i = 0; i < w.n; i++)
		if (!w.members[i].c->It->CacheClusterCreateTime.set)
			return TASK_DONE;
	return settle_nodes(&w) && attempt < TRIES ? clock_now() + RETRY_MS : TASK_DONE;
}

TASK(elasticache_resume)
{
	cache_unit_take(mem, payload);
	int64_t again = resume(s, mem, payload, attempt);
	cache_unit_leave(payload);
	return again;
}

/* ACCOUNT REGION ID of a node; false: it does not run. */
static bool apply_wanted(store *s, arena *mem, str payload, cache_member *m, cache_pair *pairs, size_t *n)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const txn *tx = store_read(s);
	m->c = elasticache_cluster_get(tx, mem, account, region, rest);
	if (m->c) {
		cache_spec_of(tx, mem, m->c, &m->spec);
		*n = cache_parameter_pairs(tx, mem, m->c, pairs);
	}
	store_read_end(s, tx);
	return m->c && cache_node_runs(m->c->Folder);
}

/* What a parameter group says now, or who gets in now; what only a start changes waits for it. What it is to
 * be at its next start is written by jobs. */
TASK(elasticache_apply)
{
	cache_member m = { 0 };
	cache_pair pairs[CACHE_PAIRS_MAX];
	size_t n = 0;
	if (!apply_wanted(s, mem, payload, &m, pairs, &n))
		return TASK_DONE;
	for (size_t i = 0; i < n; i++)
		if (!pairs[i].reboot) {
			err refused =
				CACHE_ASK(mem, m.c->Folder, NULL, S("CONFIG"), S("SET"), pairs[i].name, pairs[i].value);
			(void)refused; /* it goes on with what it has */
		}
	err e = cache_users_apply(mem, m.c->Folder, m.spec.users);
	return e && attempt < TRIES ? clock_now() + RETRY_MS : TASK_DONE;
}
