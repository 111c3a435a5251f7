/*
 * What is idle has no metric, and no data wakes an alarm. AWS's own metrics count zeros there, so that the
 * alarm for too little goes off; here somebody looks every quarter of an hour, as long as there is anything
 * to take away.
 */
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "scaling.h"
#include "store/due.h"

#define LOOK_MS (15 * MS_MINUTE)
#define LOOK_MAX_MS MS_DAY /* after what is gone */
#define BODY_MAX ((size_t)4 << 10)

static void look_again(txn *tx, arena *mem, const policy_row *p, int64_t now, int64_t wait)
{
	str key = scaling_payload(mem, p->Account, p->Region, PLACE_OF(p), p->Name);
	timer_set(tx, "scaling_idle", key, now - now % MS_MINUTE + wait + MS_MINUTE,
	          arena_fmt(mem, "%.*s\n%lld", STR_ARG(key), (long long)wait));
}

void scaling_idle_watch(txn *tx, arena *mem, const policy_row *p, int64_t now)
{
	look_again(tx, mem, p, now, LOOK_MS);
}

void scaling_idle_watch_all(txn *tx, req *rq, scaling_place at)
{
	record_scan s = application_autoscaling_policy_scan(tx, rq->mem, 5, rq->who.account, rq->region,
		at.namespace, at.resource, at.dimension, STR_NONE);
	for (const policy_row *p; (p = application_autoscaling_policy_next(&s));)
		if (p->It->TargetTrackingScalingPolicyConfiguration)
			scaling_idle_watch(tx, rq->mem, p, rq->now);
}

/* Its alarm takes the state that zeros would have given it, and acts by that; or, in it already, again. */
static void too_little(req *rq, txn *tx, const policy_row *p, str alarm, const scaling_metric *m)
{
	str answer;
	buf b = buf_in(rq->mem, 512, BODY_MAX);
	if (str_eq(m->state, S("ALARM"))) {
		task_add(tx, "scaling_again",
		         scaling_payload(rq->mem, p->Account, p->Region, PLACE_OF(p), p->Name), 0);
		return;
	}
	buf_put(&b, S("{\"AlarmName\":"));
	json_put_string(&b, alarm);
	buf_put(&b, S(",\"StateValue\":\"ALARM\",\"StateReason\":"));
	json_put_string(&b, arena_fmt(rq->mem, "Threshold Crossed: 15 datapoints were less than the threshold "
	                              "(%g).", m->threshold));
	buf_c(&b, '}');
	call_json(rq, tx, "cloudwatch", "SetAlarmState", buf_str(&b), &answer);
}

TIMER(scaling_idle)
{
	scaling_subject at = scaling_subject_of(payload);
	str waited = at.name;
	int64_t wait = LOOK_MS;
	at.name = str_cut(&waited, '\n');
	const scaling_kind *k = scaling_kind_named(at.place.dimension);
	req *rq = req_internal(txn_arena(tx), txn_store(tx), k->principal, at.account, at.region);
	rq->now = due;
	int64_t capacity;
	scaling_metric m;
	const target_row *t = scaling_target(tx, rq, at.place);
	const policy_row *p = scaling_policy(tx, rq, at.place, at.name);
	str alarm = p ? scaling_alarm_named(p, "AlarmLow") : STR_NONE;
	if (!t || !str_is(alarm))
		return;
	/* What is gone may be there again the next time, and is less and less likely to be. */
	bool unknown = k->get(rq, tx, at.place.resource, &capacity) != OK;
	if (!unknown && capacity <= t->Min)
		return;
	if (unknown && str_is(waited) && str_to_i64(waited, &wait))
		wait = wait < LOOK_MAX_MS / 2 ? wait * 2 : LOOK_MAX_MS;
	look_again(tx, rq->mem, p, due, unknown ? wait : LOOK_MS);
	if (!unknown && !scaling_metric_of(rq, tx, alarm, &m) && m.highest < m.threshold)
		too_little(rq, tx, p, alarm, &m);
	usage_settle(tx, rq);
}

TASK(scaling_again)
{
	scaling_subject at = scaling_subject_of(payload);
	req *rq = req_internal(mem, s, scaling_kind_named(at.place.dimension)->principal, at.account, at.region);
	const txn *tx = req_read(rq);
	policy_row *p = scaling_policy(tx, rq, at.place, at.name);
	req_read_end(rq, tx);
	if (p)
		scaling_triggered(rq, p, scaling_alarm_named(p, "AlarmLow"));
	usage_settle_later(rq);
	return TASK_DONE;
}
