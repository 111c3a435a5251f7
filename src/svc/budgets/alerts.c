#include "base/json.h"
#include "base/time.h"
#include "budgets.h"
#include "cloud/call.h"
#include "cloud/looker.h"
#include "cloud/meter.h"
#include "cloud/outbox.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"

#define LOOKS_A_DAY 3
#define LOOK_MS 1000       /* real time between looks at whether something was written */
#define REST_FACTOR 20     /* a look that takes long is followed by a rest this many times as long */
#define TRIES_MAX 5
#define TRY_AGAIN_MS (60 * MS_SECOND)
#define PAYLOAD_MAX ((size_t)1 << 20)
#define ACCOUNTS_MAX 256

static str amount_text(arena *mem, const budget_spend *s, i128 amount)
{
	int exact = decimal_digits(amount, s->scale);
	int digits = exact < 2 ? 2 : exact < 6 ? exact : 6;
	str number = decimal_print(mem, amount, s->scale, digits, true);
	return str_eq(s->unit, S("USD")) ? arena_concat(mem, S("$"), number)
	                                 : arena_fmt(mem, "%.*s %.*s", STR_ARG(number), STR_ARG(s->unit));
}

str alert_text(arena *mem, str account, const budgets_Budget *b, const budgets_Notification *n,
               const budget_spend *s)
{
	i128 threshold;
	bool forecast = str_eq(n->NotificationType, S("FORECASTED"));
	alert_crossed(n, s, &threshold);
	const char *than = str_eq(n->ComparisonOperator, S("GREATER_THAN")) ? ">"
	                   : str_eq(n->ComparisonOperator, S("LESS_THAN"))  ? "<"
	                                                                    : "=";
	str day = str_sub(time_iso(mem, clock_now()), 0, 10);
	return arena_fmt(mem,
	                 "AWS Budget Notification %.*s\nAWS Account %.*s\n\n"
	                 "Budget Name: %.*s\nBudget Type: %.*s\nBudgeted Amount: %.*s\nAlert Type: %.*s\n"
	                 "Alert Threshold: %s %.*s\n%.*s Amount: %.*s\n",
	                 STR_ARG(day), STR_ARG(account), STR_ARG(b->BudgetName),
	                 STR_ARG(str_eq(b->BudgetType, S("COST")) ? S("Cost") : S("Usage")),
	                 STR_ARG(amount_text(mem, s, s->limit)), STR_ARG(n->NotificationType), than,
	                 STR_ARG(amount_text(mem, s, threshold)), STR_ARG(n->NotificationType),
	                 STR_ARG(amount_text(mem, s, forecast ? s->forecast : s->actual)));
}

static void put_member(buf *b, const char *key, str value)
{
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', key);
	json_put_string(b, value);
}

static void deliver_later(txn *tx, const budgets_alert *a, const budgets_Subscriber *to, str text)
{
	buf b = buf_in(txn_arena(tx), 1024, PAYLOAD_MAX);
	put_member(&b, "account", a->Account);
	put_member(&b, "budget", a->Budget);
	put_member(&b, "type", to->SubscriptionType);
	put_member(&b, "address", to->Address);
	put_member(&b, "text", text);
	buf_c(&b, '}');
	task_add(tx, "budgets_deliver", buf_str(&b), 0);
}

static str member(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m ? m->text : S("");
}

static err publish(store *s, arena *mem, const json_value *v, str subject)
{
	str out, arn = member(v, S("address")), rest = arn;
	for (int i = 0; i < 3; i++)
		str_cut(&rest, ':');
	req *rq = req_internal(mem, s, "budgets.amazonaws.com", member(v, S("account")), str_cut(&rest, ':'));
	req_become_service(rq, "budgets.amazonaws.com",
	                   arena_fmt(mem, "arn:aws:budgets::%.*s:budget/%.*s", STR_ARG(member(v, S("account"))),
	                             STR_ARG(member(v, S("budget")))));
	buf b = buf_in(mem, 1024, PAYLOAD_MAX);
	put_member(&b, "TopicArn", arn);
	put_member(&b, "Subject", subject);
	put_member(&b, "Message", member(v, S("text")));
	buf_c(&b, '}');
	err e = call_json(rq, NULL, "sns", "Publish", buf_str(&b), &out);
	usage_settle_later(rq);
	return e;
}

static err mail(arena *mem, const json_value *v, str subject, uint64_t id)
{
	str to = member(v, S("address"));
	outbox_mail m = {
		.id = arena_fmt(mem, "budgets-%llu", (unsigned long long)id),
		.from = S("budgets@costalerts.amazonaws.com"),
		.subject = subject, .body = member(v, S("text")), .to = &to, .n_to = 1, .when = clock_now(),
	};
	return outbox_put(mem, &m);
}

/* A topic that is gone or does not let us in is tried a few times, as AWS does, and then given up. */
TASK(budgets_deliver)
{
	const json_value *v = json_parse(mem, payload);
	ensure(v != NULL);
	str subject = arena_fmt(mem, "AWS Budgets: %.*s", STR_ARG(member(v, S("budget"))));
	err e = str_eq(member(v, S("type")), S("SNS")) ? publish(s, mem, v, subject) : mail(mem, v, subject, id);
	if (e && attempt < TRIES_MAX)
		return clock_now() + TRY_AGAIN_MS;
	return TASK_DONE;
}

typedef struct change {
	budgets_alert *alert;
	bool ringing;
	str text;          /* to be sent; STR_NONE: nothing */
	int64_t period;
	struct change *next;
} change;

/* What the alert's row should be; NULL when it is so already. */
static change *change_of(arena *mem, const budgets_budget *b, budgets_alert *a, const budget_spend *s)
{
	i128 threshold;
	const budgets_Notification *n = a->It->Notification;
	bool crossed = alert_crossed(n, s, &threshold);
	bool rang = a->Ringing && a->Period == s->period.from;
	bool forecast = str_eq(n->NotificationType, S("FORECASTED"));
	bool ringing = forecast ? crossed : crossed || rang;
	if (ringing == rang && a->Period == s->period.from)
		return NULL;
	change *c = arena_new(mem, change);
	*c = (change){ .alert = a, .ringing = ringing, .period = s->period.from };
	if (ringing && !rang)
		c->text = alert_text(mem, a->Account, b->It->Budget, n, s);
	return c;
}

static change *changes_of(arena *mem, const txn *tx, const budgets_budget *b, int64_t now, change *list)
{
	budget_spend s;
	const budgets_Budget *it = b->It->Budget;
	record_scan scan = budgets_alert_scan(tx, mem, 2, b->Account, b->Name, STR_NONE);
	budgets_alert *a = budgets_alert_next(&scan);
	if (!a || budget_spend_of(mem, tx, b->Account, it, budget_period_of(it, now), now, true, &s))
		return list;
	for (; a; a = budgets_alert_next(&scan)) {
		change *c = change_of(mem, b, a, &s);
		if (c) {
			c->next = list;
			list = c;
		}
	}
	return list;
}

/* The row may have changed since we looked: what rang in between is not rung again. */
static bool write_changes(void *context, txn *tx)
{
	arena *mem = txn_arena(tx);
	for (const change *c = context; c; c = c->next) {
		budgets_alert *a = budgets_alert_get(tx, mem, c->alert->Account, c->alert->Budget, c->alert->Id);
		if (!a || (a->Period == c->period && a->Ringing == c->ringing))
			continue;
		a->Period = c->period;
		a->Ringing = c->ringing;
		budgets_alert_put(tx, a);
		for (size_t i = 0; str_is(c->text) && i < a->It->Subscribers.n; i++)
			deliver_later(tx, a, &a->It->Subscribers.v[i], c->text);
	}
	return true;
}

static void evaluate(store *s, arena *mem)
{
	change *changes = NULL;
	int64_t now = clock_now();
	if (meter_flush())
		return;
	const txn *tx = store_read(s);
	record_scan scan = budgets_budget_scan(tx, mem, 0, STR_NONE, STR_NONE);
	for (budgets_budget *b; (b = budgets_budget_next(&scan));)
		changes = changes_of(mem, tx, b, now, changes);
	store_read_end(s, tx);
	if (changes)
		store_write(s, write_changes, changes);
}

TASK(budgets_evaluate)
{
	evaluate(s, mem);
	return TASK_DONE;
}

static int64_t next_look(int64_t now)
{
	int64_t step = MS_DAY / LOOKS_A_DAY;
	return now - now % step + step;
}

void alerts_arm(txn *tx, int64_t now)
{
	timer_set(tx, "budgets_look", S("all"), next_look(now), S(""));
}

static bool any_budget(const txn *tx, arena *mem)
{
	record_scan scan = budgets_budget_scan(tx, mem, 0, STR_NONE, STR_NONE);
	return budgets_budget_next(&scan) != NULL;
}

TIMER(budgets_look)
{
	if (!any_budget(tx, txn_arena(tx)))
		return;
	task_add(tx, "budgets_evaluate", S(""), 0);
	alerts_arm(tx, due);
}

static void look(store *s)
{
	arena *mem = arena_open(1 << 14);
	const txn *tx = store_read(s);
	bool any = any_budget(tx, mem);
	store_read_end(s, tx);
	if (any)
		evaluate(s, mem);
	arena_close(mem);
}

static looker *watching;

static err start(store *s, str data_folder)
{
	(void)data_folder;
	watching = looker_start(s, LOOK_MS, REST_FACTOR, look);
	return OK;
}

static void stop(void)
{
	looker_stop(watching);
}
SERVER_PART(budgets, start, stop);
