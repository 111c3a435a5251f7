/* What becomes of a task's row: what it costs, who is told, and when it is forgotten. */
#include "balancer.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/charges_zone.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "ecs.h"
#include "runner.h"
#include "store/due.h"
#include "sys/clock.h"

#define KEPT_MS MS_HOUR
#define LEAST_MS MS_MINUTE
#define EVENT_MAX ((size_t)256 << 10)

static str place_of(arena *mem, const ecs_task *t)
{
	return arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(t->Account), STR_ARG(t->Region), STR_ARG(t->Cluster),
	                 STR_ARG(t->Id));
}

static ecs_task *task_at(const txn *tx, arena *mem, str payload)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	str cluster = str_cut(&rest, ' ');
	return ecs_task_get(tx, mem, account, region, cluster, rest);
}

bool ecs_task_ended(const ecs_task *t)
{
	return str_eq(t->It->lastStatus, S("STOPPED"));
}

/* Without EventBridge in the build there is nobody to tell. */
static void tell(txn *tx, const ecs_task *t)
{
	arena *mem = txn_arena(tx);
	str answer;
	if (!call_possible("events", "PutEvents"))
		return;
	buf detail = buf_in(mem, 4096, EVENT_MAX), b = buf_in(mem, 4096, EVENT_MAX);
	json_encode_value(&detail, &ecs_Task_shape, t->It);
	buf_put(&b, S("{\"Entries\":[{\"Source\":\"aws.ecs\",\"DetailType\":\"ECS Task State "
		"Change\",\"Resources\":["));
	json_put_string(&b, t->It->taskArn);
	buf_put(&b, S("],\"Detail\":"));
	json_put_string(&b, buf_str(&detail));
	buf_put(&b, S("}]}"));
	req *rq = req_internal(mem, txn_store(tx), "ecs.amazonaws.com", t->Account, t->Region);
	/* A refusal is EventBridge's to count; the task is as it is all the same. */
	call_json(rq, tx, "events", "PutEvents", buf_str(&b), &answer);
	usage_settle(tx, rq);
}

typedef struct rate {
	const meter_kind *kind;
	qty an_hour;
} rate;

/* vCPUs and GB by the thousandth and less, in millionths of an hour's unit. */
static size_t rates_of(const ecs_task *t, rate *r)
{
	int64_t cpu = 0, memory = 0, disk = t->It->ephemeralStorage ? t->It->ephemeralStorage->sizeInGiB.v : 20;
	str_to_i64(t->It->cpu, &cpu);
	str_to_i64(t->It->memory, &memory);
	r[0] = (rate){ t->Arm ? &FARGATE_ARM_VCPU : &FARGATE_VCPU, QTY(cpu) / 1024 };
	r[1] = (rate){ t->Arm ? &FARGATE_ARM_GB : &FARGATE_GB, QTY(memory) / 1024 };
	size_t n = 2;
	if (disk > 20)
		r[n++] = (rate){ &FARGATE_EPHEMERAL, QTY(disk - 20) };
	if (t->PublicIp)
		r[n++] = (rate){ meter_for("AmazonVPC", S("vpc.ipv4.in_use")), QTY(1) };
	return n;
}

static void meter_follow(txn *tx, ecs_task *t, int64_t now)
{
	rate r[4];
	bool ended = ecs_task_ended(t), costs = t->It->pullStartedAt.set && !ended;
	size_t n = rates_of(t, r);
	if (costs)
		charges_zone_put(tx, t->Account, t->It->taskArn, t->It->availabilityZone);
	for (size_t i = 0; i < n && costs != t->Meter; i++)
		if (costs)
			resident_set(tx, t->Account, t->Region, now, r[i].kind, t->It->taskArn, r[i].an_hour);
		else
			resident_end(tx, t->Account, t->Region, now, r[i].kind, t->It->taskArn, LEAST_MS);
	t->Meter = costs;
}

void ecs_task_changed(txn *tx, ecs_task *t, int64_t now)
{
	t->It->version.v++;
	meter_follow(tx, t, now);
	ecs_task_put(tx, t);
	tell(tx, t);
	if (!ecs_task_ended(t) && (str_eq(t->It->lastStatus, S("PROVISIONING")) ||
	                           str_eq(t->It->desiredStatus, S("STOPPED"))))
		task_add(tx, "ecs_task", place_of(txn_arena(tx), t), 0);
}

void ecs_task_stop(txn *tx, ecs_task *t, int64_t now, str code, str reason)
{
	if (str_eq(t->It->desiredStatus, S("STOPPED")))
		return;
	t->It->desiredStatus = S("STOPPED");
	t->It->stopCode = code;
	t->It->stoppedReason = reason;
	t->It->stoppingAt = TIME(now);
	ecs_task_changed(tx, t, now);
}

void ecs_task_finish(txn *tx, ecs_task *t, int64_t now)
{
	bool ran = t->It->startedAt.set;
	t->It->desiredStatus = t->It->lastStatus = S("STOPPED");
	t->It->stoppingAt = t->It->stoppingAt.set ? t->It->stoppingAt : TIME(now);
	t->It->executionStoppedAt = t->It->executionStoppedAt.set ? t->It->executionStoppedAt : TIME(now);
	t->It->stoppedAt = TIME(now);
	for (size_t i = 0; i < t->It->containers.n; i++)
		t->It->containers.v[i].lastStatus = S("STOPPED");
	for (size_t i = 0; i < t->It->attachments.n; i++)
		t->It->attachments.v[i].status = S("DELETED");
	ecs_key_delete(tx, t->Key);
	ecs_task_changed(tx, t, now);
	str place = place_of(txn_arena(tx), t);
	timer_set(tx, "ecs_forget", place, now + KEPT_MS, place);
	if (given(t->Service))
		ecs_service_lost(tx, t, ran, now);
}

TIMER(ecs_forget)
{
	ecs_task *t = task_at(tx, txn_arena(tx), payload);
	if (t && ecs_task_ended(t))
		ecs_task_delete(tx, t->Account, t->Region, t->Cluster, t->Id);
}

static bool finish_unstarted(void *context, txn *tx)
{
	ecs_task *t = task_at(tx, txn_arena(tx), *(const str *)context);
	if (t && !ecs_task_ended(t))
		ecs_task_finish(tx, t, clock_now());
	return true;
}

/* Something is to be done about a task: start it, or let its thread look. */
TASK(ecs_task)
{
	const txn *tx = store_read(s);
	ecs_task *t = task_at(tx, mem, payload);
	store_read_end(s, tx);
	if (!t || ecs_task_ended(t) || ecs_runner_wake(t->Id))
		return TASK_DONE;
	if (str_eq(t->It->desiredStatus, S("STOPPED")))
		return store_write(s, finish_unstarted, &payload) ? clock_now() + MS_SECOND : TASK_DONE;
	return ecs_runner_start(s, t) ? TASK_DONE : clock_now() + MS_SECOND;
}

typedef struct sweep {
	const char *why;
} sweep;

/* What ran has ended with the server that ran it; what had only been asked for begins now. Its job may have
 * been done before its thread had written anything. */
static bool end_all(void *context, txn *tx)
{
	const sweep *w = context;
	record_scan s = ecs_task_scan(tx, txn_arena(tx), 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (ecs_task *t; (t = ecs_task_next(&s));) {
		if (ecs_task_ended(t))
			continue;
		if (str_eq(t->It->lastStatus, S("PROVISIONING"))) {
			task_add(tx, "ecs_task", place_of(txn_arena(tx), t), 0);
			continue;
		}
		ecs_balancers_leave(tx, t);
		if (!given(t->It->stopCode)) {
			t->It->stopCode = ecs_TaskStopCode_TerminationNotice;
			t->It->stoppedReason = str_c(w->why);
		}
		ecs_task_finish(tx, t, clock_now());
	}
	return true;
}

static struct {
	store *store;
} part;

static err start(store *s, str data_folder)
{
	sweep w = { "The host on which the task ran was terminated." };
	part.store = s;
	TRY(ecs_runner_open(s, data_folder));
	return store_write(s, end_all, &w);
}

static void halt(void)
{
	ecs_runner_halt();
}

static void stop(void)
{
	sweep w = { "The host on which the task ran was shut down." };
	ecs_runner_close();
	/* A disk that refuses now is asked again when the server starts. */
	if (part.store)
		store_write(part.store, end_all, &w);
	part.store = NULL;
}
SERVER_PART_HALT(ecs, start, stop, halt);
