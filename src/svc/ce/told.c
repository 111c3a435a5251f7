/* Subscriptions to anomalies: every midnight of Farthing's clock those that ended the day before are told. */
#include "anomaly.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/notice.h"
#include "store/due.h"
#include "sys/clock.h"

#define TRIES_MAX 20
#define AGAIN_MS (60 * MS_SECOND)
#define MONDAY 4 /* days after the epoch, a Thursday */

void anomalies_arm(txn *tx, int64_t now)
{
	timer_set(tx, "ce_anomalies", S("all"), now - now % MS_DAY + MS_DAY, S(""));
}

/* Impact in USD and in percent, as ThresholdExpression compares them; anything else fits. */
static bool beyond(arena *mem, const anomaly *a, const ce_Expression *e)
{
	for (size_t i = 0; i < e->And.n; i++)
		if (!beyond(mem, a, &e->And.v[i]))
			return false;
	for (size_t i = 0; i < e->Or.n; i++)
		if (beyond(mem, a, &e->Or.v[i]))
			return true;
	if (e->Or.n || !e->Dimensions || e->Dimensions->Values.n == 0)
		return e->Or.n == 0;
	int64_t least = 0;
	bool percent = str_eq(e->Dimensions->Key, S("ANOMALY_TOTAL_IMPACT_PERCENTAGE"));
	int64_t have = percent ? anomaly_percent(a) * QTY_ONE : a->actual - a->expected;
	return decimal_parse_i64(e->Dimensions->Values.v[0], QTY_DIGITS, &least) && have >= least;
}

static bool wants(arena *mem, const ce_AnomalySubscription *s, const anomaly *a)
{
	bool mine = false;
	for (size_t i = 0; i < s->MonitorArnList.n; i++)
		mine |= str_eq(s->MonitorArnList.v[i], a->monitor);
	if (!mine)
		return false;
	if (s->ThresholdExpression)
		return beyond(mem, a, s->ThresholdExpression);
	return (double)(a->actual - a->expected) / 1e6 >= s->Threshold.v;
}

static str text_of(arena *mem, const ce_AnomalySubscription *s, const anomaly *a)
{
	str impact = decimal_print(mem, a->actual - a->expected, QTY_DIGITS, 2, true);
	str spend = decimal_print(mem, a->actual, QTY_DIGITS, 2, true);
	return arena_fmt(mem, "AWS Cost Anomaly Detection\n\nSubscription: %.*s\nMonitor: %.*s\nAnomaly: %.*s\n"
	                      "Dimension value: %.*s\nStart date: %.*s\nLast detected: %.*s\n"
	                      "Total cost impact: $%.*s\nActual spend: $%.*s\n",
	                 STR_ARG(s->SubscriptionName), STR_ARG(a->monitor), STR_ARG(a->id),
	                 STR_ARG(a->value.n ? a->value : S("all")),
	                 STR_ARG(str_sub(time_iso(mem, a->from), 0, 10)),
	                 STR_ARG(str_sub(time_iso(mem, a->to), 0, 10)), STR_ARG(impact), STR_ARG(spend));
}

typedef struct telling {
	const ce_subscription *to;
	const anomaly *about;
} telling;

/* Once for each subscription, whatever is started anew in between. */
static bool tell(void *context, txn *tx)
{
	const telling *t = context;
	arena *mem = txn_arena(tx);
	if (ce_told_get(tx, mem, t->to->Account, t->to->Id, t->about->id))
		return true;
	ce_told_put(tx, &(ce_told){ .Account = t->to->Account, .Subscription = t->to->Id,
		                    .Anomaly = t->about->id, .When = clock_now() });
	for (size_t i = 0; i < t->to->It->Subscribers.n; i++) {
		const ce_Subscriber *s = &t->to->It->Subscribers.v[i];
		notice n = {
			.principal = "costalerts.amazonaws.com", .account = t->to->Account,
			.source_arn = t->to->It->SubscriptionArn, .topic = str_eq(s->Type, S("SNS")),
			.address = s->Address, .from = S("no-reply@costalerts.amazonaws.com"),
			.subject = S("AWS Cost Anomaly Detection"), .text = text_of(mem, t->to->It, t->about),
		};
		notice_send(tx, &n);
	}
	return true;
}

/* Those whose day it is: of a week, Monday. */
static err look(store *s, arena *mem, const ce_subscription *to, int64_t midnight)
{
	bool weekly = str_eq(to->It->Frequency, S("WEEKLY"));
	if (weekly && (midnight / MS_DAY) % 7 != MONDAY)
		return OK;
	int64_t since = midnight - (weekly ? 7 : 1) * MS_DAY;
	req *rq = req_internal(mem, s, "ce.amazonaws.com", to->Account, PRICE_HOME_REGION);
	err failed = OK;
	rq->now = midnight;
	for (size_t i = 0; i < to->It->MonitorArnList.n; i++) {
		str id;
		anomaly *all = NULL;
		const txn *tx = store_read(s);
		ce_monitor *m = ce_arn_id(rq, to->It->MonitorArnList.v[i], "anomalymonitor", &id) ?
			ce_monitor_get(tx, mem, to->Account, id) : NULL;
		store_read_end(s, tx);
		if (!m)
			continue;
		/* One monitor that cannot be read hides no other. */
		err e = anomalies_of(rq, m->It, &all);
		for (const anomaly *a = all; a && !e; a = a->next)
			if (a->to >= since && wants(mem, to->It, a))
				e = store_write(s, tell, &(telling){ to, a });
		failed = failed ? failed : e;
	}
	return failed;
}

typedef struct found {
	ce_subscription *it;
	struct found *next;
} found;

/* Where the disk refuses, the whole is looked at again: nobody is told twice. */
TASK(ce_look)
{
	int64_t midnight;
	found *all = NULL;
	err failed = OK;
	ensure(str_to_i64(payload, &midnight));
	const txn *tx = store_read(s);
	record_scan scan = ce_subscription_scan(tx, mem, 0, STR_NONE, STR_NONE);
	for (ce_subscription *row; (row = ce_subscription_next(&scan));) {
		found *f = arena_new(mem, found);
		*f = (found){ row, all };
		all = f;
	}
	store_read_end(s, tx);
	for (const found *f = all; f; f = f->next) {
		err e = look(s, mem, f->it, midnight);
		failed = failed ? failed : e;
	}
	return failed && attempt < TRIES_MAX ? clock_now() + AGAIN_MS : TASK_DONE;
}

TIMER(ce_anomalies)
{
	arena *mem = txn_arena(tx);
	record_scan scan = ce_subscription_scan(tx, mem, 0, STR_NONE, STR_NONE);
	if (!ce_subscription_next(&scan))
		return;
	task_add(tx, "ce_look", arena_fmt(mem, "%lld", (long long)due), 0);
	anomalies_arm(tx, due);
}
