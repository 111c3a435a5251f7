/*
 * A task's life, on a thread of its own: pull, secrets, containers in the order of what they depend on, load
 * balancers, running, and the way back. The row is written at each step; what others want of the task is
 * read from
 * it when they wake the thread.
 */
#include "runner.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "container.h"
#include "balancer.h"
#include "run/container.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define US INT64_C(1000000)
#define LOOK_MS 500
#define STOP_S 30
#define STACK ((size_t)512 << 10)
#define START_WAIT_US (120 * US)

/* In an arena of its own, which ends with its thread. */
typedef struct run {
	struct run *next;
	arena *mem;
	store *store;
	const ecs_task *task;          /* as it was when it began */
	const ecs_TaskDefinition *d;
	box *boxes;
	size_t n;
	unsigned user;
	int wake;
	bool asked;                    /* to stop, by its row */
	bool registered;
	str status;                    /* last written */
	int64_t minute, cpu_ms;        /* of the last metrics */
} run;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	run *first;
	store *store;
	arena *mem;
	str folder;
	bool closing;
} runs = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

str ecs_data_folder(void) { return runs.folder; }

str ecs_task_folder(arena *mem, str id)
{
	return path_join(mem, path_join(mem, runs.folder, S("ecs")), id);
}

static bool closing(void)
{
	pthread_mutex_lock(&runs.lock);
	bool c = runs.closing;
	pthread_mutex_unlock(&runs.lock);
	return c;
}

typedef struct change {
	run *r;
	str status;       /* NONE: as it is */
	str code, reason; /* why it stops; NONE: it does not */
	bool pulled, healthy;
} change;

static void containers_follow(const run *r, ecs_task *t)
{
	str whole = S("HEALTHY");
	bool any = false;
	for (size_t i = 0; i < r->n && i < t->It->containers.n; i++) {
		const box *b = &r->boxes[i];
		ecs_Container *c = &t->It->containers.v[i];
		c->lastStatus = b->state == BOX_WAITS ? S("PENDING") : b->state == BOX_RUNS ? S("RUNNING")
			: S("STOPPED");
		c->imageDigest = b->image.digest;
		if (b->state != BOX_WAITS)
			c->runtimeId = b->runtime_id;
		if (b->state == BOX_ENDED)
			c->exitCode = I64(b->exit_code);
		c->reason = b->reason;
		c->healthStatus = given(b->health) ? b->health : S("UNKNOWN");
		if (b->d->healthCheck && b->d->essential.v) {
			any = true;
			if (!str_eq(c->healthStatus, S("HEALTHY")) && !str_eq(whole, S("UNHEALTHY")))
				whole = c->healthStatus;
		}
	}
	t->It->healthStatus = any ? whole : S("UNKNOWN");
}

static bool apply(void *context, txn *tx)
{
	const change *c = context;
	const ecs_task *k = c->r->task;
	int64_t now = clock_now();
	ecs_task *t = ecs_task_get(tx, txn_arena(tx), k->Account, k->Region, k->Cluster, k->Id);
	if (!t || ecs_task_ended(t))
		return true;
	containers_follow(c->r, t);
	if (str_is(c->code) && !given(t->It->stopCode)) {
		t->It->desiredStatus = S("STOPPED");
		t->It->stopCode = c->code;
		t->It->stoppedReason = c->reason;
		t->It->stoppingAt = TIME(now);
	}
	if (str_is(c->status))
		t->It->lastStatus = c->status;
	if (str_eq(c->status, S("PENDING"))) {
		t->It->pullStartedAt = TIME(now);
		for (size_t i = 0; i < t->It->attachments.n; i++)
			t->It->attachments.v[i].status = S("ATTACHED");
	}
	if (c->pulled)
		t->It->pullStoppedAt = TIME(now);
	if (str_eq(c->status, S("RUNNING")))
		t->It->startedAt = TIME(now);
	if (str_eq(c->status, S("DEPROVISIONING")))
		t->It->executionStoppedAt = TIME(now);
	t->Counted = c->healthy;
	if (str_eq(c->status, S("STOPPED"))) {
		ecs_task_finish(tx, t, now);
		return true;
	}
	ecs_task_changed(tx, t, now);
	if (given(t->Service))
		ecs_service_look(tx, t->Account, t->Region, t->Cluster, t->Service, now);
	return true;
}

static bool all_ready(const run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->boxes[i].d->essential.v && !r->boxes[i].ready)
			return false;
	return true;
}

/* A disk that refuses is asked again: what happened must be told. */
static void write_down(run *r, change c)
{
	c.r = r;
	c.healthy = str_eq(r->status, S("RUNNING")) || str_eq(c.status, S("RUNNING")) ? all_ready(r) : false;
	if (str_is(c.status))
		r->status = c.status;
	while (store_write(r->store, apply, &c) && !closing())
		clock_sleep_ms(LOOK_MS);
}

static void fail_task(run *r, str code, str reason)
{
	r->asked = true;
	write_down(r, (change){ .code = code, .reason = reason });
}

static void read_wish(run *r)
{
	eventfd_t count;
	arena *mem = arena_open(4096);
	const ecs_task *k = r->task;
	eventfd_read(r->wake, &count);
	const txn *tx = store_read(r->store);
	ecs_task *t = ecs_task_get(tx, mem, k->Account, k->Region, k->Cluster, k->Id);
	if (!t || str_eq(t->It->desiredStatus, S("STOPPED")))
		r->asked = true;
	store_read_end(r->store, tx);
	arena_close(mem);
}

static req *in_role(run *r, str role)
{
	req *rq = req_internal(r->mem, r->store, ECS_PRINCIPAL, r->task->Account, r->task->Region);
	req_become_service(rq, ECS_PRINCIPAL, r->task->It->taskArn);
	/* A role that may not be used leaves the service's own rights, which the callee refuses. */
	if (given(role) && req_become_role(rq, NULL, role))
		return NULL;
	return rq;
}

static err pull(run *r, req *own)
{
	for (size_t i = 0; i < r->n; i++) {
		box *b = &r->boxes[i];
		TRY(ecs_image_find(own, b->d->image, &b->image));
	}
	for (size_t i = 0; i < r->n; i++) {
		box *b = &r->boxes[i];
		err e = container_root(r->mem, b->root, b->image.layers, b->image.n_layers, r->user);
		if (e)
			return fault_new(r->mem, &fault_syntax, "CannotPullContainerError: %.*s: %.*s",
				STR_ARG(b->d->image),
			                 STR_ARG(e->message));
		if (closing() || r->asked)
			return OK;
	}
	return OK;
}

static err prepare(run *r, req *own)
{
	TRY(pull(r, own));
	write_down(r, (change){ .pulled = true });
	for (size_t i = 0; i < r->n; i++) {
		TRY(box_secrets(own, &r->boxes[i]));
		TRY(box_log_open(own, &r->boxes[i]));
	}
	return OK;
}

static bool met(const run *r, const ecs_ContainerDependency *w)
{
	for (size_t i = 0; i < r->n; i++) {
		const box *b = &r->boxes[i];
		if (!str_eq(b->d->name, w->containerName))
			continue;
		if (str_eq(w->condition, S("START")))
			return b->state != BOX_WAITS;
		if (str_eq(w->condition, S("HEALTHY")))
			return str_eq(b->health, S("HEALTHY"));
		return b->state == BOX_ENDED && (str_eq(w->condition, S("COMPLETE")) || b->exit_code == 0);
	}
	return true;
}

/* Whose turn it is. true: something has begun. */
static bool start_next(run *r, err *failed)
{
	for (size_t i = 0; i < r->n; i++) {
		box *b = &r->boxes[i];
		bool may = b->state == BOX_WAITS;
		for (size_t k = 0; may && k < b->d->dependsOn.n; k++)
			may = met(r, &b->d->dependsOn.v[k]);
		if (!may)
			continue;
		*failed = box_start(r->mem, b, r->d);
		return *failed == OK;
	}
	return false;
}

static bool all_begun(const run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->boxes[i].state == BOX_WAITS)
			return false;
	return true;
}

static void metric(const run *r, const char *name, double value)
{
	metric_point p = { .account = r->task->Account, .region = r->task->Region, .name_space = S("AWS/ECS"),
		.name = str_c(name), .unit = S("Percent"), .when = clock_now(), .value = value, .n_dimensions = 1 };
	p.dimensions[0] = (metric_dimension){ S("ClusterName"), r->task->Cluster };
	metric_later(&p);
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("ServiceName"), r->task->Service };
	metric_later(&p);
}

/* Services have these two, each minute of Farthing's clock, from each of their tasks. */
static void measure(run *r)
{
	int64_t minute = clock_now() / MS_MINUTE, cpu = 0, memory = 0, units = 1, mib = 1;
	if (minute == r->minute || !given(r->task->Service))
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->boxes[i].state == BOX_RUNS) {
			cpu += sandbox_cpu_ms(r->boxes[i].sb);
			memory += sandbox_memory(r->boxes[i].sb);
		}
	int64_t used = cpu > r->cpu_ms ? cpu - r->cpu_ms : 0;
	str_to_i64(r->task->It->cpu, &units);
	str_to_i64(r->task->It->memory, &mib);
	if (r->minute) {
		metric(r, "CPUUtilization", (double)used * 100 * 1024 / ((double)units * MS_MINUTE));
		metric(r, "MemoryUtilization", (double)memory * 100 / ((double)mib * 1048576));
	}
	r->minute = minute;
	r->cpu_ms = cpu;
}

static void wait_a_while(run *r)
{
	struct pollfd p[1 + 3 * ECS_CONTAINERS_MAX] = { { .fd = r->wake, .events = POLLIN } };
	nfds_t n = 1;
	for (size_t i = 0; i < r->n; i++) {
		box *b = &r->boxes[i];
		if (b->state != BOX_RUNS)
			continue;
		p[n++] = (struct pollfd){ .fd = b->output, .events = POLLIN };
		p[n++] = (struct pollfd){ .fd = sandbox_end_fd(b->sb), .events = POLLIN };
		p[n++] = (struct pollfd){ .fd = sandbox_oom_fd(b->sb), .events = (short)sandbox_oom_events(b->sb) };
	}
	int many = poll(p, n, LOOK_MS);
	if (many > 0 && p[0].revents)
		read_wish(r);
	/* An output whose writers have all gone would wake us for ever. */
	for (nfds_t i = 1; many > 0 && i < n; i += 3)
		for (size_t k = 0; k < r->n; k++)
			if (r->boxes[k].output == p[i].fd && (p[i].revents & (POLLHUP | POLLERR)) && p[i].fd >= 0) {
				box_read(&r->boxes[k]);
				close(r->boxes[k].output);
				r->boxes[k].output = -1;
			}
}

/* What has happened in the containers; true: the row is to be told. */
static bool look(run *r)
{
	bool told = false;
	arena *scratch = arena_open(16384);
	for (size_t i = 0; i < r->n; i++) {
		box *b = &r->boxes[i];
		box_state before = b->state;
		box_read(b);
		box_look(b);
		told |= box_check_health(scratch, b, clock_mono_us());
		told |= b->state != before;
	}
	arena_close(scratch);
	return told;
}

/* Why the task must end, or NONE. */
static str fallen(const run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const box *b = &r->boxes[i];
		if (!b->d->essential.v)
			continue;
		if (b->state == BOX_ENDED)
			return str_starts(given(b->reason) ? b->reason : S(""), S("CannotStart")) ? b->reason
				: S("Essential container in task exited");
		if (str_eq(given(b->health) ? b->health : S(""), S("UNHEALTHY")))
			return S("Task failed container health checks");
	}
	return STR_NONE;
}

static void be_up(run *r)
{
	int64_t until = clock_mono_us() + START_WAIT_US;
	while (!r->asked && !closing()) {
		err failed = OK;
		bool told = look(r);
		while (start_next(r, &failed))
			told = true;
		str why = fallen(r);
		if (failed) {
			fail_task(r, ecs_TaskStopCode_TaskFailedToStart, failed->message);
			return;
		}
		if (given(why)) {
			bool start = str_starts(why, S("CannotStart"));
			fail_task(r, start ? ecs_TaskStopCode_TaskFailedToStart
				: ecs_TaskStopCode_EssentialContainerExited, why);
			return;
		}
		if (all_begun(r) && !str_eq(r->status, S("RUNNING"))) {
			write_down(r, (change){ .status = S("ACTIVATING") });
			r->registered = ecs_balancers_register(r->mem, r->store, r->task, true);
			write_down(r, (change){ .status = S("RUNNING") });
			told = false;
		} else if (!all_begun(r) && clock_mono_us() > until) {
			fail_task(r, ecs_TaskStopCode_TaskFailedToStart, S("Task failed to start"));
			return;
		}
		if (told)
			write_down(r, (change){ 0 });
		measure(r);
		wait_a_while(r);
	}
}

static bool any_up(const run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->boxes[i].state == BOX_RUNS)
			return true;
	return false;
}

static void stop_boxes(run *r)
{
	int64_t now = clock_mono_us();
	for (size_t i = 0; i < r->n; i++)
		if (r->boxes[i].state == BOX_RUNS) {
			r->boxes[i].stopping_us = now;
			sandbox_signal(r->boxes[i].sb, SIGTERM);
		}
	while (any_up(r) && !closing()) {
		wait_a_while(r);
		look(r);
		for (size_t i = 0; i < r->n; i++) {
			const box *b = &r->boxes[i];
			int64_t patience = (b->d->stopTimeout.set ? b->d->stopTimeout.v : STOP_S) * US;
			if (b->state == BOX_RUNS && clock_mono_us() - b->stopping_us >= patience)
				sandbox_signal(b->sb, SIGKILL);
		}
	}
}

static bool drains(const run *r)
{
	arena *scratch = arena_open(4096);
	bool still = ecs_balancers_drain(scratch, r->store, r->task);
	arena_close(scratch);
	return still;
}

static void go_down(run *r)
{
	if (str_eq(r->status, S("RUNNING")))
		write_down(r, (change){ .status = S("DEACTIVATING") });
	if (r->registered) {
		ecs_balancers_register(r->mem, r->store, r->task, false);
		while (!closing() && any_up(r) && drains(r)) {
			wait_a_while(r);
			look(r);
		}
	}
	write_down(r, (change){ .status = S("STOPPING") });
	stop_boxes(r);
	if (closing())
		return;
	write_down(r, (change){ .status = S("DEPROVISIONING") });
}

static const ecs_ContainerOverride *override_of(const ecs_task *t, str name)
{
	const ecs_TaskOverride *o = t->It->overrides;
	for (size_t i = 0; o && i < o->containerOverrides.n; i++)
		if (str_eq(o->containerOverrides.v[i].name, name))
			return &o->containerOverrides.v[i];
	return NULL;
}

/* As Fargate names them: the task and a number. */
static str runtime_id(const run *r, size_t i)
{
	return arena_fmt(r->mem, "%.*s-%010llu", STR_ARG(r->task->Id),
	                 (unsigned long long)(str_hash(r->d->containerDefinitions.v[i].name) % 10000000000ull));
}

static void make_boxes(run *r)
{
	r->n = r->d->containerDefinitions.n;
	r->boxes = arena_array(r->mem, box, r->n + 1);
	r->user = sandbox_new_user();
	for (size_t i = 0; i < r->n; i++) {
		const ecs_ContainerDefinition *d = &r->d->containerDefinitions.v[i];
		r->boxes[i] = (box){ .mem = r->mem, .task = r->task, .d = d, .o = override_of(r->task, d->name),
			.user = r->user, .output = -1, .runtime_id = runtime_id(r, i),
			.root = path_join(r->mem, ecs_task_folder(r->mem, r->task->Id),
			                  arena_concat(r->mem, S("root-"), d->name)) };
	}
}

static void leave(run *r)
{
	pthread_mutex_lock(&runs.lock);
	for (run **at = &runs.first; *at; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			break;
		}
	pthread_cond_broadcast(&runs.left);
	pthread_mutex_unlock(&runs.lock);
}

static void *live(void *context)
{
	run *r = context;
	const ecs_TaskOverride *over = r->task->It->overrides;
	make_boxes(r);
	write_down(r, (change){ .status = S("PENDING") });
	req *own = in_role(r, over && given(over->executionRoleArn) ? over->executionRoleArn
		: r->d->executionRoleArn);
	err e = own ? prepare(r, own) : fault_new(r->mem, &fault_syntax, "ResourceInitializationError: unable "
		"to pull "
		"secrets or registry auth: the execution role cannot be assumed");
	if (own)
		usage_settle_later(own);
	read_wish(r);
	if (e)
		fail_task(r, ecs_TaskStopCode_TaskFailedToStart, e->message);
	else
		be_up(r);
	if (!closing())
		go_down(r);
	for (size_t i = 0; i < r->n; i++)
		box_close(&r->boxes[i]);
	sandbox_drain();
	dir_remove(r->mem, ecs_task_folder(r->mem, r->task->Id));
	bool down = !closing();
	if (down)
		write_down(r, (change){ .status = S("STOPPED") });
	int wake = r->wake;
	arena *mem = r->mem;
	leave(r);
	close(wake);
	arena_close(mem);
	return NULL;
}

err ecs_runner_open(store *s, str data_folder)
{
	pthread_mutex_lock(&runs.lock);
	runs.mem = arena_open(512);
	runs.folder = arena_str(runs.mem, data_folder);
	runs.store = s;
	runs.closing = false;
	pthread_mutex_unlock(&runs.lock);
	/* What a killed server has left. */
	return dir_remove(runs.mem, path_join(runs.mem, runs.folder, S("ecs")));
}

void ecs_runner_halt(void)
{
	pthread_mutex_lock(&runs.lock);
	runs.closing = true;
	for (run *r = runs.first; r; r = r->next)
		eventfd_write(r->wake, 1);
	pthread_mutex_unlock(&runs.lock);
}

void ecs_runner_close(void)
{
	ecs_runner_halt();
	pthread_mutex_lock(&runs.lock);
	while (runs.first)
		pthread_cond_wait(&runs.left, &runs.lock);
	if (runs.mem)
		arena_close(runs.mem);
	runs.mem = NULL;
	pthread_mutex_unlock(&runs.lock);
}

/* Under the lock. */
static run *running(str id)
{
	run *r = runs.first;
	while (r && !str_eq(r->task->Id, id))
		r = r->next;
	return r;
}

bool ecs_runner_wake(str id)
{
	pthread_mutex_lock(&runs.lock);
	run *r = running(id);
	if (r)
		eventfd_write(r->wake, 1);
	pthread_mutex_unlock(&runs.lock);
	return r != NULL;
}

static bool spawn(run *r)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK);
	bool good = pthread_create(&thread, &attributes, live, r) == 0;
	pthread_attr_destroy(&attributes);
	return good;
}

bool ecs_runner_start(store *s, const ecs_task *t)
{
	arena *mem = arena_open(65536);
	run *r = arena_new(mem, run);
	*r = (run){ .mem = mem, .store = s, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	const txn *tx = store_read(s);
	r->task = ecs_task_get(tx, r->mem, t->Account, t->Region, t->Cluster, t->Id);
	ecs_definition *d = ecs_definition_get(tx, r->mem, t->Account, t->Region, t->Family, t->Revision);
	store_read_end(s, tx);
	r->d = d ? d->It : arena_new(r->mem, ecs_TaskDefinition);
	pthread_mutex_lock(&runs.lock);
	bool there = running(t->Id), may = !there && !runs.closing && r->task && r->wake >= 0;
	if (may) {
		r->next = runs.first;
		runs.first = r;
	}
	pthread_mutex_unlock(&runs.lock);
	if (may && spawn(r))
		return true;
	if (may)
		leave(r);
	if (r->wake >= 0)
		close(r->wake);
	arena_close(mem);
	return there;
}
