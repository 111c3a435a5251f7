/* AWS/SQS metrics. A queue's gauges are read each minute while it is in use, and six hours longer. */
#include "base/time.h"
#include "cloud/metrics.h"
#include "queue.h"
#include "store/due.h"

#define IN_USE_MS (6 * MS_HOUR)

void queue_metric(const sqs_queue *q, const char *name, const char *unit, double value, int64_t when)
{
	metric_point p = { .account = q->Account, .region = q->Region, .name_space = S("AWS/SQS"),
		           .name = str_c(name), .unit = str_c(unit), .n_dimensions = 1,
		           .dimensions = { { S("QueueName"), q->Name } }, .when = when, .value = value };
	metric_later(&p);
}

static void again(txn *tx, const sqs_queue *q, int64_t now, int64_t until)
{
	arena *mem = txn_arena(tx);
	str place = arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(q->Account), STR_ARG(q->Region), STR_ARG(q->Name));
	timer_set(tx, "sqs_gauge", place, now - now % MS_MINUTE + MS_MINUTE,
	          arena_fmt(mem, "%lld %.*s", (long long)until, STR_ARG(place)));
}

void queue_in_use(txn *tx, const sqs_queue *q, int64_t now)
{
	const sqs_tally *t = sqs_tally_get(tx, txn_arena(tx), q->Id);
	if (!t || t->Counted / MS_MINUTE == now / MS_MINUTE)
		return;
	sqs_tally seen = *t;
	seen.Counted = now;
	sqs_tally_put(tx, &seen);
	again(tx, q, now, now + IN_USE_MS);
}

/* Of the oldest message that is not in flight; a queue in order of arrival has it first. */
static double age_of_oldest(const txn *tx, arena *mem, const sqs_queue *q, int64_t now)
{
	double age = 0;
	record_scan s = sqs_message_scan(tx, mem, 1, q->Id, 0);
	const sqs_message *m = sqs_message_next(&s);
	if (m)
		age = (double)((now - m->Sent) / MS_SECOND);
	cursor_close(&s.at);
	return age;
}

TIMER(sqs_gauge)
{
	arena *mem = txn_arena(tx);
	int64_t until;
	str rest = payload, number = str_cut(&rest, ' ');
	ensure(str_is(rest) && str_to_i64(number, &until));
	str account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const sqs_queue *q = sqs_queue_get(tx, mem, account, region, rest);
	if (!q)
		return;
	queue_count c = queue_counted(tx, mem, q->Id, due);
	queue_metric(q, "ApproximateNumberOfMessagesVisible", "Count", (double)c.visible, due);
	queue_metric(q, "ApproximateNumberOfMessagesNotVisible", "Count", (double)c.flying, due);
	queue_metric(q, "ApproximateNumberOfMessagesDelayed", "Count", (double)c.delayed, due);
	queue_metric(q, "ApproximateAgeOfOldestMessage", "Seconds", age_of_oldest(tx, mem, q, due), due);
	if (due < until)
		again(tx, q, due, until);
}
