/*
 * Elastic Container Service on Fargate: clusters, task definitions, tasks that run in sandboxes, and services
 * that keep as many of them as are wanted.
 *
 * Rows say what is to be; a running task has a thread (runner.h) that makes it so and writes back what
 * became of it. Between the two goes one durable job a task, ecs_task: whoever changes a task's desired
 * status
 * adds it in the same transaction.
 */
#pragma once
#include "base/json.h"
#include "cloud/req.h"
#include "gen/ecs.h"

#define ECS_PRINCIPAL "ecs-tasks.amazonaws.com"

/* One more at the end: ECS_ADD(mem, &list, (ecs_Tag){ .. }). */
#define ECS_ADD(mem_, list_, ...) ({ \
	__auto_type to_ = (list_); \
	__typeof__(to_->v) wider_ = arena_alloc((mem_), sizeof *wider_ * (to_->n + 1)); \
	if (to_->n) \
		memcpy(wider_, to_->v, to_->n * sizeof *wider_); \
	wider_[to_->n] = (__VA_ARGS__); \
	to_->v = wider_; \
	to_->n++; \
})
/* A list that is there, be it empty. */
#define ECS_SHOWN(mem_, list_) ({ \
	__auto_type shown_ = (list_); \
	if (!shown_->v) \
		shown_->v = arena_alloc((mem_), sizeof *shown_->v); \
})

static inline bool given(str s) { return s.n > 0; }

/* What stands behind the last slash, or all of it. */
str ecs_last(str arn);
/* The name of a cluster that was given by name or ARN, or not at all. */
str ecs_cluster_name(str given);
bool ecs_word(str s);
/* NULL and OK: there is none that is not INACTIVE. */
err ecs_cluster_of(req *rq, const txn *tx, str given, ecs_cluster **out);
str ecs_cluster_arn(const req *rq, str name);
/* 32 hexadecimal digits. */
str ecs_id(arena *mem);
err ecs_tags_check(req *rq, const ecs_Tags *tags);
/* Begins after `token`; at most this many (100 where nothing is said). */
typedef struct ecs_page {
	str after;
	size_t most;
} ecs_page;
err ecs_page_of(req *rq, opt_i64 most, str token, ecs_page *out);
/* Whether a scan that nobody has begun would show as many rows. */
bool ecs_as_many(record_scan *s, int64_t most);
/* The setting's value for the caller. */
str ecs_setting_of(req *rq, const txn *tx, str name);

/* FAMILY, FAMILY:REVISION or an ARN. NULL when there is none; the newest ACTIVE one where no revision is
 * named. */
ecs_definition *ecs_definition_find(req *rq, const txn *tx, str name);
/* What RunTask and services may use, for the launch type. */
err ecs_definition_usable(req *rq, const txn *tx, str name, ecs_definition **out);
err ecs_definition_check(req *rq, ecs_TaskDefinition *d);
/* Whether Fargate has a size like this; both become plain numbers. */
err ecs_size_check(req *rq, str *cpu, str *memory);
const ecs_ContainerDefinition *ecs_container_named(const ecs_TaskDefinition *d, str name);

typedef struct ecs_order {
	const ecs_definition *definition;
	const ecs_cluster *cluster;
	const ecs_NetworkConfiguration *network;
	const ecs_TaskOverride *overrides;
	str group, started_by, provider, service, deployment, platform;
	ecs_Tags tags;
	bool exec;
} ecs_order;
/* FARGATE or a clear no. `provider`: of the strategy, or none. */
err ecs_launch_check(req *rq, const ecs_cluster *c, str launch_type, const ecs_CapacityProviderStrategy *s,
                     str *provider);
err ecs_network_check(req *rq, txn *tx, const ecs_definition *d, const ecs_NetworkConfiguration *n);
ecs_task *ecs_task_new(req *rq, txn *tx, const ecs_order *o);
/* Is told to stop. */
void ecs_task_stop(txn *tx, ecs_task *t, int64_t now, str code, str reason);
bool ecs_task_ended(const ecs_task *t);
/* Its state has changed: keeps it, tells EventBridge, and what it costs follows. */
void ecs_task_changed(txn *tx, ecs_task *t, int64_t now);
/* Is over: costs nothing, and is forgotten in an hour. */
void ecs_task_finish(txn *tx, ecs_task *t, int64_t now);
/* DATA/ecs/ID */
str ecs_task_folder(arena *mem, str id);

/* Starts and stops tasks as its deployments want, and notes what has come of it. */
void ecs_service_look(txn *tx, str account, str region, str cluster, str name, int64_t now);
/* A task of it has ended: `ran` says whether it had been up. */
void ecs_service_lost(txn *tx, const ecs_task *t, bool ran, int64_t now);
void ecs_service_event(txn *tx, ecs_Service *s, int64_t now, str message);
void ecs_service_counts(const txn *tx, arena *mem, ecs_svc *s);
