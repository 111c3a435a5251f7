#include "base/time.h"
#include "actions.h"
#include "cloud/looker.h"
#include "cloud/meter.h"
#include "cloud/notice.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"

#define LOOKS_A_DAY 3
#define LOOK_MS 1000       /* real time between looks at whether something was written */
#define REST_FACTOR 20     /* a look that takes long is followed by a rest this many times as long */

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
	                 STR_ARG(budget_of_commitments(b)            ? b->BudgetType
	                         : str_eq(b->BudgetType, S("COST")) ? S("Cost")
	                                                             : S("Usage")),
	                 STR_ARG(amount_text(mem, s, s->limit)), STR_ARG(n->NotificationType), than,
	                 STR_ARG(amount_text(mem, s, threshold)), STR_ARG(n->NotificationType),
	                 STR_ARG(amount_text(mem, s, forecast ? s->forecast : s->actual)));
}

static void deliver_later(txn *tx, const budgets_alert *a, const budgets_Subscriber *to, str text)
{
	arena *mem = txn_arena(tx);
	notice n = {
		.principal = "budgets.amazonaws.com", .account = a->Account,
		.source_arn = budget_arn(mem, a->Account, a->Budget),
		.topic = str_eq(to->SubscriptionType, S("SNS")), .address = to->Address,
		.from = S("budgets@costalerts.amazonaws.com"), .text = text,
		.subject = arena_fmt(mem, "AWS Budgets: %.*s", STR_ARG(a->Budget)),
	};
	notice_send(tx, &n);
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

typedef struct changes {
	change *alerts;
	action_change *actions;
	int64_t now;
} changes;

static void look_at(arena *mem, const txn *tx, const budgets_budget *b, changes *to)
{
	budget_spend s;
	const budgets_Budget *it = b->It->Budget;
	record_scan scan = budgets_alert_scan(tx, mem, 2, b->Account, b->Name, STR_NONE);
	record_scan actions = budgets_action_scan(tx, mem, 2, b->Account, b->Name, STR_NONE);
	budgets_alert *a = budgets_alert_next(&scan);
	if (!a && !budgets_action_next(&actions))
		return;
	if (budget_spend_of(mem, tx, b->Account, it, budget_period_of(it, to->now), to->now, true, &s))
		return;
	for (; a; a = budgets_alert_next(&scan)) {
		change *c = change_of(mem, b, a, &s);
		if (c) {
			c->next = to->alerts;
			to->alerts = c;
		}
	}
	to->actions = actions_due(mem, tx, b, &s, to->actions);
}

/* The row may have changed since we looked: what rang in between is not rung again. */
static bool write_changes(void *context, txn *tx)
{
	arena *mem = txn_arena(tx);
	const changes *all = context;
	actions_write(tx, all->now, all->actions);
	for (const change *c = all->alerts; c; c = c->next) {
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
	changes all = { .now = clock_now() };
	if (meter_flush())
		return;
	const txn *tx = store_read(s);
	record_scan scan = budgets_budget_scan(tx, mem, 0, STR_NONE, STR_NONE);
	for (budgets_budget *b; (b = budgets_budget_next(&scan));)
		look_at(mem, tx, b, &all);
	store_read_end(s, tx);
	if (all.alerts || all.actions)
		store_write(s, write_changes, &all);
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
