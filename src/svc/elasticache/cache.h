/*
 * What the files of this service share. A cache cluster is one node: a row and, while it runs, a Redis in the
 * table of nodes.c. Handlers only change rows; what has an effect outside is a job, a durable task that makes
 * what runs be what the rows say and then writes the new state (jobs.c). A unit is what has jobs: a cache
 * cluster that stands alone, or a replication group with its members. It has one job at a time; the status
 * says so to users.
 */
#pragma once
#include "cloud/meter.h"
#include "cloud/req.h"
#include "gen/elasticache.h"
#include "run/redis.h"

/* node_types.c: those whose prices are known. */
typedef struct node_type {
	const char *name; /* cache.t3.micro */
	int vcpu, memory_mib;
	int64_t maxmemory; /* what the engine may have of it before a part is reserved */
} node_type;
extern const node_type cache_node_types[];
extern const size_t cache_node_types_n;
const node_type *cache_node_type_find(str name);
err cache_check_node_type(req *rq, str name);

/* versions.c */
typedef struct cache_version {
	const char *engine, *asked, *number, *family; /* redis 7.1 7.1.0 redis7 */
	bool usual; /* what its engine has when none is asked for */
} cache_version;
extern const cache_version cache_versions[];
extern const size_t cache_versions_n;
err cache_version_find(req *rq, str engine, str asked, const cache_version **out);
const cache_version *cache_version_of(str engine, str number); /* of a row */
bool cache_family_known(str family);

/* check.c: AWS's rules for what users give, and what all lists have in common. */
str cache_lowered(req *rq, str s);
err cache_check_name(req *rq, str value, const char *parameter, size_t most);
err cache_check_port(req *rq, opt_i64 port);
err cache_check_retention(req *rq, opt_i64 days);
typedef struct cache_page {
	str after;
	size_t most;
} cache_page;
err cache_page_of(req *rq, opt_i64 max_records, str marker, cache_page *out);
/* Checks and keeps what is given; what is not is chosen. */
err cache_windows_set(req *rq, str snapshot, str maintenance, str *snapshot_at, str *maintenance_at);
elasticache_SecurityGroupMembershipList cache_security_groups(req *rq,
                                                              const elasticache_SecurityGroupIdsList *g);
/* The next time that a daily window opens after `now`; the next maintenance. */
int64_t cache_window_next(str window, int64_t now);
int64_t cache_maintenance_next(str window, int64_t now);
str cache_place(arena *a, str account, str region, str id);

/* address.c: a loopback address that no row of ours has and nobody listens on. */
str cache_address_new(req *rq, const txn *tx, int port);

/* parameters.c */
err cache_parameter_group_find(req *rq, const txn *tx, str name, elasticache_parameter_group **out);
/* The group for such a version: the one that is named, or the default one. */
err cache_parameter_group_for(req *rq, const txn *tx, str name, const cache_version *v, bool cluster,
                              str *out);
bool cache_parameter_group_clustered(const txn *tx, arena *mem, str account, str region, str name);
/* Lines of redis.conf; databases and memory are in it too. */
str cache_parameter_lines(const txn *tx, arena *mem, const elasticache_cluster *c);

/* clusters.c */
err cache_cluster_find(req *rq, const txn *tx, str id, elasticache_cluster **out);
err cache_cluster_ready(req *rq, const elasticache_cluster *c);
elasticache_CacheCluster *cache_cluster_shown(req *rq, const elasticache_cluster *c, bool nodes);
/* A row with what creating alone and in a group have in common; refuses an id in use; not yet written. */
typedef struct cache_facts {
	str id, engine, node_type, zone, subnet_group, parameter_group, group, node_group;
	const cache_version *version;
	int64_t port;
	const elasticache_SecurityGroupIdsList *groups;
	opt_bool auto_minor;
	bool tls, token, at_rest, primary;
	str secret;
} cache_facts;
err cache_cluster_new(req *rq, const txn *tx, const cache_facts *f, elasticache_cluster **out);
err cache_node_quota(req *rq, const txn *tx, size_t more);

str cache_secret_new(arena *a);
err cache_check_token(req *rq, str token, bool tls);
err cache_subnet_group_check(req *rq, const txn *tx, str *name);
err cache_topic_set(req *rq, str arn, str status, elasticache_NotificationConfiguration **out);

/* tags.c: AWS's rules for the tags of something new. */
err cache_tags_check(req *rq, const elasticache_TagList *given);

/* group_scale.c: one more replica, as a cache cluster; one less. */
err cache_group_join(req *rq, txn *tx, const elasticache_CreateCacheCluster_in *in, str id,
                     elasticache_cluster **out);
err cache_group_leave(req *rq, txn *tx, elasticache_cluster *c);

/* groups.c: replication groups. */
err cache_group_find(req *rq, const txn *tx, str id, elasticache_group **out);
err cache_group_ready(req *rq, const elasticache_group *g);
#define CACHE_MEMBERS_MAX 500
/* Its members in order of their names. */
size_t cache_group_members(const txn *tx, arena *mem, const elasticache_group *g, elasticache_cluster ***out);
elasticache_ReplicationGroup *cache_group_shown(req *rq, const txn *tx, const elasticache_group *g);
bool cache_group_clustered(const elasticache_group *g);

/* jobs.c. Jobs: create, settle (what runs becomes what the rows say), restart (the same with all nodes
 * started anew, keeping their data), failover, snapshot, delete. */
void cache_cluster_job(txn *tx, elasticache_cluster *c, str status, str job);
void cache_group_job(txn *tx, elasticache_group *g, str status, str job);
/* form.c: the nodes of a group find each other; returns when replicas have all that their primaries have. */
typedef struct cache_member {
	elasticache_cluster *c;
	redis_spec spec;
} cache_member;
err cache_form(arena *a, const elasticache_group *g, const cache_member *m, size_t n);
err cache_promote(arena *a, const elasticache_group *g, const cache_member *to);

/* events.c */
void cache_event_add(txn *tx, str account, str region, const char *type, str id, str message);

/* nodes.c: what runs. Any thread. */
str cache_root(void);
typedef struct cache_node cache_node;
err cache_node_start(arena *a, const redis_spec *spec, const elasticache_cluster *c);
/* keep: what it has is there at its next start. */
void cache_node_stop(str folder, bool keep);
bool cache_node_runs(str folder);
err cache_node_ask(arena *a, str folder, const str *words, size_t n, redis_reply *out);
#define CACHE_ASK(a, folder, out, ...) \
	cache_node_ask(a, folder, (const str[]){ __VA_ARGS__ }, \
	               sizeof((const str[]){ __VA_ARGS__ }) / sizeof(str), out)
err cache_node_save(arena *a, str folder, str path, int64_t *bytes);
/* Tasks take the unit (c or g, ACCOUNT REGION ID) that they change; whoever comes meanwhile waits. */
void cache_unit_take(arena *mem, str unit);
void cache_unit_leave(str unit);
/* What the watcher keeps of each, and its walk while none of them can be stopped. */
typedef struct cache_counts {
	int64_t hits, misses, evicted, expired, in, out, connections;
} cache_counts;
typedef struct cache_seen {
	str folder, account, region, id;
	cache_counts before;
	int64_t minute, cpu_ms, at_us, at;
} cache_seen;
void cache_nodes_each(void (*look)(void *context, cache_seen *s, engine_process *e), void *context);

/* spec.c: what a node is to be, by its rows. */
void cache_spec_of(const txn *tx, arena *a, const elasticache_cluster *c, redis_spec *out);
/* The primary of its node group; NULL: none. */
elasticache_cluster *cache_primary_of(const txn *tx, arena *a, const elasticache_cluster *c);

/* users.c */
/* Lines of redis.conf: who gets in. */
str cache_user_lines(const txn *tx, arena *a, const elasticache_cluster *c, const elasticache_group *g);

/* The same for one that runs: others lose their way in. */
err cache_users_apply(arena *a, str folder, str lines);

/* bill.c: what a row costs from now on. */
void cache_bill_cluster(txn *tx, elasticache_cluster *c, bool runs, int64_t now);
/* reserved.c: whether a reservation covers its hours. */
bool cache_reserved_covers(const txn *tx, arena *mem, const elasticache_cluster *c);
/* All nodes of a region: a reservation has come or gone, or a node that one may cover. */
void cache_bill_all(txn *tx, str account, str region, int64_t now);
void cache_bill_snapshots(txn *tx, str account, str region, int64_t now);

/* snapshots.c */
err cache_snapshot_find(req *rq, const txn *tx, str name, elasticache_snapshot **out);
err cache_snapshot_begin(req *rq, txn *tx, str name, const char *source, elasticache_cluster *c,
                         elasticache_group *g, elasticache_snapshot **out);
/* A unit's daily snapshots as its retention says. */
void cache_daily_set(txn *tx, str unit, str window, int64_t retention, int64_t now);

/* watch.c: looks at what runs each second: metrics, and primaries that fell. */
void cache_watch_start(store *s);
void cache_watch_stop(void);
