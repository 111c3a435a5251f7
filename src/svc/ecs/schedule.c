/*
 * What services do by themselves: keep as many tasks as are wanted, take a new deployment in the place of the
 * old one within minimumHealthyPercent and maximumPercent, and give up on one that cannot start.
 */
#include "base/time.h"
#include "cloud/call.h"
#include "ecs.h"
#include "store/due.h"
#include "sys/rand.h"

#define FEW_FAILURES 3 /* from here on it waits before the next task */
#define WAIT_MS (10 * MS_SECOND)
#define WAIT_MAX_MS (15 * MS_MINUTE)
#define SHORT_LIFE_MS MS_MINUTE
#define START_MAX 10 /* at once: each of them brings us back here, for the others */

typedef struct view {
	txn *tx;
	arena *mem;
	ecs_svc *s;
	int64_t now;
	ecs_task **tasks; /* that are to run */
	size_t n, stopping;
	int64_t desired, primary, primary_good, good; /* tasks of the newest deployment; ready ones */
} view;

void ecs_service_event(txn *tx, ecs_Service *s, int64_t now, str message)
{
	arena *mem = txn_arena(tx);
	size_t n = s->events.n < ECS_EVENTS_MAX ? s->events.n : ECS_EVENTS_MAX - 1;
	ecs_ServiceEvent *v = arena_array(mem, ecs_ServiceEvent, n + 1);
	v[0] = (ecs_ServiceEvent){ .id = rand_uuid(mem), .createdAt = TIME(now), .message = message };
	if (n)
		memcpy(v + 1, s->events.v, n * sizeof *v);
	s->events.v = v;
	s->events.n = n + 1;
}

static str place_of(const view *v)
{
	return arena_fmt(v->mem, "%.*s %.*s %.*s %.*s", STR_ARG(v->s->Account), STR_ARG(v->s->Region),
	                 STR_ARG(v->s->Cluster), STR_ARG(v->s->Name));
}

static void say(view *v, const char *text, str what)
{
	ecs_service_event(v->tx, v->s->It, v->now,
	                  arena_fmt(v->mem, "(service %.*s) %.*s%s", STR_ARG(v->s->Name), STR_ARG(what), text));
}

static bool good(const ecs_task *t)
{
	if (!str_eq(t->It->lastStatus, S("RUNNING")))
		return false;
	for (size_t i = 0; i < t->It->containers.n; i++)
		if (str_eq(t->It->containers.v[i].healthStatus, S("UNHEALTHY")))
			return false;
	return !str_eq(t->It->healthStatus, S("UNHEALTHY")) && t->Counted;
}

static ecs_Deployment *primary_of(const view *v) { return &v->s->It->deployments.v[0]; }

static void gather(view *v)
{
	size_t room = 0;
	v->n = v->stopping = 0;
	v->primary = v->primary_good = v->good = 0;
	record_scan s = ecs_task_scan(v->tx, v->mem, 3, v->s->Account, v->s->Region, v->s->Cluster, STR_NONE);
	for (ecs_task *t; (t = ecs_task_next(&s));) {
		if (!str_eq(t->Service, v->s->Name) || ecs_task_ended(t))
			continue;
		if (str_eq(t->It->desiredStatus, S("STOPPED"))) {
			v->stopping++;
			continue;
		}
		if (v->n == room) {
			room = room ? room * 2 : 8;
			ecs_task **more = arena_array(v->mem, ecs_task *, room);
			if (v->n)
				memcpy(more, v->tasks, v->n * sizeof *more);
			v->tasks = more;
		}
		v->tasks[v->n++] = t;
		bool newest = str_eq(t->Deployment, primary_of(v)->id);
		v->primary += newest;
		v->primary_good += newest && good(t);
		v->good += good(t);
	}
}

static int64_t percent(opt_i64 given_, int64_t fallback) { return given_.set ? given_.v : fallback; }

static str scaling(const view *v)
{
	return arena_fmt(v->mem, "Scaling activity initiated by (deployment %.*s)", STR_ARG(primary_of(v)->id));
}

/* Old ones first, then what does not run yet, then the youngest. */
static ecs_task *next_to_stop(const view *v, bool old_only)
{
	ecs_task *best = NULL;
	int best_rank = -1;
	for (size_t i = 0; i < v->n; i++) {
		ecs_task *t = v->tasks[i];
		bool old = !str_eq(t->Deployment, primary_of(v)->id);
		int rank = old * 2 + !good(t);
		if (str_eq(t->It->desiredStatus, S("STOPPED")) || (old_only && !old))
			continue;
		if (rank > best_rank || (rank == best_rank && t->It->createdAt.v > best->It->createdAt.v)) {
			best = t;
			best_rank = rank;
		}
	}
	return best;
}

/* Stops up to `most`; of those that work no more than `spare`. */
static void stop_some(view *v, int64_t most, int64_t spare, bool old_only)
{
	buf b = buf_in(v->mem, 256, 65536);
	int64_t n = 0;
	for (ecs_task *t; n < most && (t = next_to_stop(v, old_only));) {
		if (good(t) && spare-- <= 0)
			break;
		ecs_task_stop(v->tx, t, v->now, ecs_TaskStopCode_ServiceSchedulerInitiated, scaling(v));
		buf_fmt(&b, " (task %.*s)", STR_ARG(t->Id));
		n++;
	}
	if (!n)
		return;
	v->s->Steady = false;
	say(v, ".", arena_fmt(v->mem, "has stopped %lld running tasks:%.*s", (long long)n, STR_ARG(buf_str(&b))));
}

static void start_some(view *v, int64_t most)
{
	arena *mem = v->mem;
	ecs_Service *it = v->s->It;
	req *rq = req_internal(mem, txn_store(v->tx), "ecs.amazonaws.com", v->s->Account, v->s->Region);
	ecs_cluster *c = ecs_cluster_get(v->tx, mem, v->s->Account, v->s->Region, v->s->Cluster);
	ecs_definition *d = ecs_definition_find(rq, v->tx, primary_of(v)->taskDefinition);
	if (!c || !d || most <= 0)
		return;
	most = most < START_MAX ? most : START_MAX;
	ecs_order o = { .definition = d, .cluster = c, .network = primary_of(v)->networkConfiguration,
		.group = arena_concat(mem, S("service:"), v->s->Name), .started_by = primary_of(v)->id,
		.service = v->s->Name, .deployment = primary_of(v)->id, .exec = it->enableExecuteCommand.v };
	if (primary_of(v)->capacityProviderStrategy.n)
		o.provider = primary_of(v)->capacityProviderStrategy.v[0].capacityProvider;
	if (str_eq(it->propagateTags, S("SERVICE")))
		o.tags = it->tags;
	if (str_eq(it->propagateTags, S("TASK_DEFINITION")))
		o.tags = d->Tags;
	if (it->enableECSManagedTags.v) {
		ECS_ADD(mem, &o.tags, (ecs_Tag){ S("aws:ecs:clusterName"), v->s->Cluster });
		ECS_ADD(mem, &o.tags, (ecs_Tag){ S("aws:ecs:serviceName"), v->s->Name });
	}
	buf b = buf_in(mem, 256, 65536);
	for (int64_t i = 0; i < most; i++)
		buf_fmt(&b, " (task %.*s)", STR_ARG(ecs_task_new(rq, v->tx, &o)->Id));
	v->s->Steady = false;
	say(v, ".", arena_fmt(mem, "has started %lld tasks:%.*s", (long long)most, STR_ARG(buf_str(&b))));
}

static void wait_until(view *v, int64_t when)
{
	timer_set(v->tx, "ecs_look", place_of(v), when, place_of(v));
}

/* An earlier deployment without tasks is no more: those that never come up must not gather. */
static void forget_old(view *v)
{
	ecs_Deployments *all = &v->s->It->deployments;
	size_t kept = 1;
	for (size_t i = 1; i < all->n; i++) {
		bool used = false;
		for (size_t k = 0; k < v->n && !used; k++)
			used = str_eq(v->tasks[k]->Deployment, all->v[i].id);
		if (used)
			all->v[kept++] = all->v[i];
	}
	all->n = kept;
}

/* A deployment that has done its work stands alone. */
static void conclude(view *v)
{
	ecs_Deployment *p = primary_of(v);
	ecs_Service *it = v->s->It;
	bool whole = v->primary_good == v->desired && (size_t)v->primary == v->n && v->primary == v->desired;
	if (!whole)
		return;
	if (str_eq(p->rolloutState, S("IN_PROGRESS"))) {
		p->rolloutState = S("COMPLETED");
		p->rolloutStateReason = arena_fmt(v->mem, "ECS deployment %.*s completed.", STR_ARG(p->id));
		p->updatedAt = TIME(v->now);
		v->s->Good = p->taskDefinition;
		say(v, " deployment completed.", arena_fmt(v->mem, "(deployment %.*s)", STR_ARG(p->id)));
	}
	it->deployments.n = 1;
	if (!v->s->Steady)
		say(v, "has reached a steady state.", S(""));
	v->s->Steady = true;
}

/* The newest deployment in the first place, the others behind it. */
static void deploy_again(view *v, str definition)
{
	ecs_Deployment *old = primary_of(v), fresh = *old;
	old->status = S("ACTIVE");
	fresh.id = arena_fmt(v->mem, "ecs-svc/%019llu", (unsigned long long)(rand_u64() >> 1));
	fresh.taskDefinition = definition;
	fresh.failedTasks = I64(0);
	fresh.createdAt = fresh.updatedAt = TIME(v->now);
	fresh.rolloutState = S("IN_PROGRESS");
	fresh.rolloutStateReason = arena_fmt(v->mem, "ECS deployment circuit breaker: rolling back to "
		"deploymentId "
	                                     "%.*s.", STR_ARG(fresh.id));
	size_t n = v->s->It->deployments.n;
	ecs_Deployment *all = arena_array(v->mem, ecs_Deployment, n + 1);
	memcpy(all + 1, v->s->It->deployments.v, n * sizeof *all);
	all[0] = fresh;
	v->s->It->deployments.v = all;
	v->s->It->deployments.n = n + 1;
	v->s->It->taskDefinition = definition;
	say(v, ".", arena_fmt(v->mem, "rolling back to deployment %.*s", STR_ARG(fresh.id)));
}

static void circuit_break(view *v)
{
	ecs_Deployment *p = primary_of(v);
	const ecs_DeploymentConfiguration *c = v->s->It->deploymentConfiguration;
	const ecs_DeploymentCircuitBreaker *b = c ? c->deploymentCircuitBreaker : NULL;
	int64_t most = (v->desired + 1) / 2;
	most = most < 3 ? 3 : most > 200 ? 200 : most;
	if (!b || !b->enable.v || !str_eq(p->rolloutState, S("IN_PROGRESS")) || p->failedTasks.v < most)
		return;
	p->rolloutState = S("FAILED");
	p->rolloutStateReason = S("ECS deployment circuit breaker: tasks failed to start.");
	p->updatedAt = TIME(v->now);
	say(v, " deployment failed: tasks failed to start.",
	    arena_fmt(v->mem, "(deployment %.*s)", STR_ARG(p->id)));
	v->s->Failures = v->s->NotBefore = 0;
	if (b->rollback.v && given(v->s->Good) && !str_eq(v->s->Good, p->taskDefinition))
		deploy_again(v, v->s->Good);
}

static void go(view *v)
{
	ecs_Service *it = v->s->It;
	const ecs_DeploymentConfiguration *c = it->deploymentConfiguration;
	int64_t most = v->desired * percent(c ? c->maximumPercent : (opt_i64){ 0 }, 200) / 100;
	int64_t least = (v->desired * percent(c ? c->minimumHealthyPercent : (opt_i64){ 0 }, 100) + 99) / 100;
	int64_t room = most - (int64_t)v->n, missing = v->desired - v->primary;
	if (missing > room)
		missing = room;
	bool broken = str_eq(primary_of(v)->rolloutState, S("FAILED"));
	if (missing > 0 && !broken && v->s->NotBefore > v->now)
		wait_until(v, v->s->NotBefore);
	else if (missing > 0 && !broken)
		start_some(v, missing);
	int64_t old = (int64_t)v->n - v->primary;
	if (old > 0 && !broken)
		stop_some(v, old, v->good - least, true);
	if (v->primary > v->desired)
		stop_some(v, v->primary - v->desired, v->primary - v->desired, false);
	forget_old(v);
	conclude(v);
}

static void drain(view *v)
{
	stop_some(v, (int64_t)v->n, (int64_t)v->n, false);
	if (v->n || v->stopping)
		return;
	v->s->It->status = S("INACTIVE");
	v->s->It->deployments.n = 0;
}

void ecs_service_look(txn *tx, str account, str region, str cluster, str name, int64_t now)
{
	arena *mem = txn_arena(tx);
	view v = { .tx = tx, .mem = mem, .now = now, .s = ecs_svc_get(tx, mem, account, region, cluster, name) };
	if (!v.s || str_eq(v.s->It->status, S("INACTIVE")) || !v.s->It->deployments.n)
		return;
	v.desired = v.s->It->desiredCount.v;
	gather(&v);
	if (str_eq(v.s->It->status, S("DRAINING"))) {
		drain(&v);
	} else {
		circuit_break(&v);
		gather(&v);
		go(&v);
	}
	ecs_svc_put(tx, v.s);
}

TIMER(ecs_look)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	str cluster = str_cut(&rest, ' ');
	ecs_service_look(tx, account, region, cluster, rest, due);
}

/* Whoever falls again and again is started again less and less often. */
void ecs_service_lost(txn *tx, const ecs_task *t, bool ran, int64_t now)
{
	arena *mem = txn_arena(tx);
	ecs_svc *s = ecs_svc_get(tx, mem, t->Account, t->Region, t->Cluster, t->Service);
	str code = t->It->stopCode;
	bool own = str_eq(code, S("TaskFailedToStart")) || str_eq(code, S("EssentialContainerExited"));
	if (!s)
		return;
	bool brief = ran && now - t->It->startedAt.v < SHORT_LIFE_MS;
	if (own && (!ran || brief)) {
		s->Failures++;
		for (size_t i = 0; i < s->It->deployments.n; i++)
			if (str_eq(s->It->deployments.v[i].id, t->Deployment))
				s->It->deployments.v[i].failedTasks = I64(s->It->deployments.v[i].failedTasks.v + 1);
		int64_t wait = 0;
		for (int64_t i = FEW_FAILURES; i <= s->Failures && wait < WAIT_MAX_MS; i++)
			wait = wait ? wait * 2 : WAIT_MS;
		s->NotBefore = now + (wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS);
		if (s->Failures == FEW_FAILURES)
			ecs_service_event(tx, s->It, now, arena_fmt(mem, "(service %.*s) is unable to consistently start "
			                  "tasks successfully. For more information, see the Troubleshooting section.",
			                  STR_ARG(s->Name)));
	} else if (ran) {
		s->Failures = s->NotBefore = 0;
	}
	s->Steady = false;
	ecs_svc_put(tx, s);
	ecs_service_look(tx, t->Account, t->Region, t->Cluster, t->Service, now);
}

void ecs_service_counts(const txn *tx, arena *mem, ecs_svc *s)
{
	ecs_Service *it = s->It;
	int64_t running = 0, pending = 0;
	for (size_t i = 0; i < it->deployments.n; i++) {
		it->deployments.v[i].runningCount = it->deployments.v[i].pendingCount = I64(0);
		it->deployments.v[i].desiredCount = I64(i ? 0 : it->desiredCount.v);
	}
	record_scan scan = ecs_task_scan(tx, mem, 3, s->Account, s->Region, s->Cluster, STR_NONE);
	for (ecs_task *t; (t = ecs_task_next(&scan));) {
		bool up = str_eq(t->It->lastStatus, S("RUNNING"));
		bool to_be = !up && !ecs_task_ended(t) && str_eq(t->It->desiredStatus, S("RUNNING"));
		if (!str_eq(t->Service, s->Name))
			continue;
		running += up;
		pending += to_be;
		for (size_t i = 0; i < it->deployments.n; i++) {
			ecs_Deployment *d = &it->deployments.v[i];
			if (!str_eq(d->id, t->Deployment))
				continue;
			d->runningCount.v += up;
			d->pendingCount.v += to_be;
			if (i && (up || to_be))
				d->desiredCount.v++;
		}
	}
	it->runningCount = I64(running);
	it->pendingCount = I64(pending);
}
