#include "cache.h"
#include "sys/clock.h"

#define PATIENCE_MS 120000
#define LOOK_MS 20
#define SLOTS 16384
#define HOLD(m) ((m)->c->Folder)

static bool leaving(const cache_member *m) { return str_eq(m->c->It->CacheClusterStatus, S("deleting")); }

static str text(arena *a, int64_t v) { return arena_fmt(a, "%lld", (long long)v); }

static err info(arena *a, const cache_member *m, str section, str *out)
{
	redis_reply r;
	TRY(CACHE_ASK(a, HOLD(m), &r, S("INFO"), section));
	*out = r.text;
	return OK;
}

static err follow(arena *a, const cache_member *m, const cache_member *primary)
{
	str now;
	TRY(info(a, m, S("replication"), &now));
	bool slave = str_eq(redis_info_value(now, "role"), S("slave"));
	if (!primary)
		return slave ? CACHE_ASK(a, HOLD(m), NULL, S("REPLICAOF"), S("NO"), S("ONE")) : OK;
	if (slave && str_eq(redis_info_value(now, "master_host"), primary->c->Address))
		return OK;
	return CACHE_ASK(a, HOLD(m), NULL, S("REPLICAOF"), primary->c->Address, text(a, primary->spec.port));
}

/* Until `look` says yes of it. */
static err wait_for(arena *a, const cache_member *m, bool (*look)(arena *a, const cache_member *m),
                    const char *what)
{
	for (int64_t until = clock_mono_us() + (int64_t)PATIENCE_MS * 1000; clock_mono_us() < until;) {
		arena *mem = arena_open(4096);
		bool yes = look(mem, m);
		arena_close(mem);
		if (yes)
			return OK;
		clock_sleep_ms(LOOK_MS);
	}
	return fault_new(a, &fault_system, "%.*s: %s", STR_ARG(m->c->Id), what);
}

static bool has_all(arena *a, const cache_member *m)
{
	str now;
	return !info(a, m, S("replication"), &now)
		&& str_eq(redis_info_value(now, "master_link_status"), S("up"));
}

static err replicas_follow(arena *a, const cache_member *m, size_t n)
{
	const cache_member *primary = NULL;
	for (size_t i = 0; i < n; i++)
		if (m[i].c->Primary && !leaving(&m[i]))
			primary = &m[i];
	if (!primary)
		return fault_new(a, &fault_system, "the group has no primary");
	TRY(follow(a, primary, NULL));
	for (size_t i = 0; i < n; i++)
		if (&m[i] != primary && !leaving(&m[i]))
			TRY(follow(a, &m[i], primary));
	for (size_t i = 0; i < n; i++)
		if (&m[i] != primary && !leaving(&m[i]))
			TRY(wait_for(a, &m[i], has_all, "the replica does not get the primary's data"));
	return OK;
}

static err id_of(arena *a, const cache_member *m, str *id)
{
	redis_reply r;
	TRY(CACHE_ASK(a, HOLD(m), &r, S("CLUSTER"), S("MYID")));
	*id = r.text;
	return OK;
}

/* FROM-TO of the node group, as the row has it. */
static str slots_of(const elasticache_group *g, str node_group)
{
	for (size_t i = 0; i < g->It->NodeGroups.n; i++)
		if (str_eq(g->It->NodeGroups.v[i].NodeGroupId, node_group))
			return g->It->NodeGroups.v[i].Slots;
	return STR_NONE;
}

static err take_slots(arena *a, const elasticache_group *g, const cache_member *m)
{
	redis_reply r;
	TRY(CACHE_ASK(a, HOLD(m), &r, S("CLUSTER"), S("INFO")));
	bool some = !str_eq(redis_info_value(r.text, "cluster_slots_assigned"), S("0"));
	for (str rest = slots_of(g, m->c->NodeGroup); str_is(rest) && !some;) {
		str to = str_cut(&rest, ','), from = str_cut(&to, '-');
		TRY(CACHE_ASK(a, HOLD(m), NULL, S("CLUSTER"), S("ADDSLOTSRANGE"), from, str_is(to) ? to : from));
	}
	return OK;
}

static bool is_whole(arena *a, const cache_member *m)
{
	redis_reply r;
	return !CACHE_ASK(a, HOLD(m), &r, S("CLUSTER"), S("INFO"))
		&& str_eq(redis_info_value(r.text, "cluster_state"), S("ok"))
		&& str_eq(redis_info_value(r.text, "cluster_slots_ok"), text(a, SLOTS));
}

/* Whether it knows the node of this id. */
static bool knows(arena *a, const cache_member *m, str id)
{
	redis_reply r;
	return !CACHE_ASK(a, HOLD(m), &r, S("CLUSTER"), S("NODES")) && str_find(r.text, id) != SIZE_MAX;
}

static err replicate(arena *a, const cache_member *m, const cache_member *primary)
{
	str id, now;
	TRY(id_of(a, primary, &id));
	for (int64_t until = clock_mono_us() + (int64_t)PATIENCE_MS * 1000;
	     !knows(a, m, id) && clock_mono_us() < until;)
		clock_sleep_ms(LOOK_MS);
	TRY(info(a, m, S("replication"), &now));
	if (str_eq(redis_info_value(now, "master_host"), primary->c->Address))
		return OK;
	return CACHE_ASK(a, HOLD(m), NULL, S("CLUSTER"), S("REPLICATE"), id);
}

static const cache_member *primary_of(const cache_member *m, size_t n, str node_group)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].c->Primary && !leaving(&m[i]) && str_eq(m[i].c->NodeGroup, node_group))
			return &m[i];
	return NULL;
}

/* How many replicas it knows. */
static size_t replicas_known(arena *a, const cache_member *m)
{
	redis_reply r;
	size_t n = 0;
	if (CACHE_ASK(a, HOLD(m), &r, S("CLUSTER"), S("NODES")))
		return 0;
	for (str rest = r.text; str_is(rest);) {
		str line = str_cut(&rest, '\n');
		n += str_find(line, S("slave")) != SIZE_MAX;
	}
	return n;
}

/* Clients get the same answer everywhere from now on. */
static err all_know(arena *a, const cache_member *m, size_t n)
{
	size_t replicas = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		replicas += !m[i].c->Primary && !leaving(&m[i]);
	for (int64_t until = clock_mono_us() + (int64_t)PATIENCE_MS * 1000; at < n && clock_mono_us() < until;) {
		arena *mem = arena_open(4096);
		if (leaving(&m[at]) || replicas_known(mem, &m[at]) == replicas)
			at++;
		else
			clock_sleep_ms(LOOK_MS);
		arena_close(mem);
	}
	return at == n ? OK : fault_new(a, &fault_system, "%.*s does not know all nodes", STR_ARG(m[at].c->Id));
}

static err shards_meet(arena *a, const elasticache_group *g, const cache_member *m, size_t n)
{
	const cache_member *first = primary_of(m, n, S("0001"));
	if (!first)
		return fault_new(a, &fault_system, "the group has no primary");
	for (size_t i = 0; i < n; i++) {
		str id;
		if (leaving(&m[i]))
			continue;
		TRY(id_of(a, &m[i], &id));
		if (m[i].c->Primary)
			TRY(take_slots(a, g, &m[i]));
		if (&m[i] != first && !knows(a, first, id))
			TRY(CACHE_ASK(a, HOLD(first), NULL, S("CLUSTER"), S("MEET"), m[i].c->Address,
			              text(a, m[i].spec.port)));
	}
	for (size_t i = 0; i < n; i++)
		if (m[i].c->Primary && !leaving(&m[i]))
			TRY(wait_for(a, &m[i], is_whole, "the shards do not find each other"));
	for (size_t i = 0; i < n; i++) {
		const cache_member *primary = primary_of(m, n, m[i].c->NodeGroup);
		if (m[i].c->Primary || leaving(&m[i]) || !primary)
			continue;
		TRY(replicate(a, &m[i], primary));
		TRY(wait_for(a, &m[i], has_all, "the replica does not get the primary's data"));
	}
	return all_know(a, m, n);
}

static err forget_leaving(arena *a, const cache_member *m, size_t n)
{
	/* They are down: the others find out by themselves, and forget them. */
	for (size_t i = 0; i < n; i++) {
		redis_reply r;
		if (leaving(&m[i]))
			continue;
		TRY(CACHE_ASK(a, HOLD(&m[i]), &r, S("CLUSTER"), S("NODES")));
		for (str rest = r.text; str_is(rest);) {
			str line = str_cut(&rest, '\n'), id = line;
			id = str_cut(&line, ' ');
			bool wanted = false;
			for (size_t k = 0; k < n; k++)
				wanted = wanted
					|| (!leaving(&m[k]) && str_starts(line, arena_fmt(a, "%.*s:", STR_ARG(m[k].c->Address))));
			if (!wanted && id.n) {
				err e = CACHE_ASK(a, HOLD(&m[i]), NULL, S("CLUSTER"), S("FORGET"), id);
				(void)e; /* it has forgotten it already */
			}
		}
	}
	return OK;
}

err cache_form(arena *a, const elasticache_group *g, const cache_member *m, size_t n)
{
	if (!cache_group_clustered(g))
		return replicas_follow(a, m, n);
	TRY(forget_leaving(a, m, n));
	return shards_meet(a, g, m, n);
}

err cache_promote(arena *a, const elasticache_group *g, const cache_member *to)
{
	if (cache_group_clustered(g))
		return CACHE_ASK(a, HOLD(to), NULL, S("CLUSTER"), S("FAILOVER"), S("TAKEOVER"));
	return CACHE_ASK(a, HOLD(to), NULL, S("REPLICAOF"), S("NO"), S("ONE"));
}
