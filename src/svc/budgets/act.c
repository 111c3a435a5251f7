/* When actions are due, and doing them. */
#include "actions.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/notice.h"
#include "store/due.h"
#include "sys/clock.h"

#define PAYLOAD_MAX ((size_t)1 << 16)
#define HISTORY_KEPT (60 * MS_DAY)

/* The threshold as an alert's, which crosses likewise. */
static budgets_Notification threshold_of(const budgets_Action *a)
{
	return (budgets_Notification){
		.NotificationType = a->NotificationType, .ComparisonOperator = S("GREATER_THAN"),
		.Threshold = a->ActionThreshold->ActionThresholdValue,
		.ThresholdType = a->ActionThreshold->ActionThresholdType,
	};
}

static bool is(const budgets_action *a, const char *status)
{
	return str_eq(a->It->Status, str_c(status));
}

/* One that has rung in an earlier period waits anew. */
static bool begins_anew(const budgets_action *a, int64_t period)
{
	return a->Period < period && !is(a, "STANDBY") && !is(a, "EXECUTION_IN_PROGRESS") &&
	       !is(a, "REVERSE_IN_PROGRESS") && !is(a, "RESET_IN_PROGRESS");
}

action_change *actions_due(arena *mem, const txn *tx, const budgets_budget *b, const budget_spend *s,
                           action_change *list)
{
	i128 threshold;
	record_scan scan = budgets_action_scan(tx, mem, 2, b->Account, b->Name, STR_NONE);
	for (budgets_action *a; (a = budgets_action_next(&scan));) {
		budgets_Notification n = threshold_of(a->It);
		bool crossed = is(a, "STANDBY") && alert_crossed(&n, s, &threshold);
		if (!crossed && !begins_anew(a, s->period.from))
			continue;
		action_change *c = arena_new(mem, action_change);
		*c = (action_change){ .action = a, .period = s->period.from, .crossed = crossed, .next = list };
		if (crossed)
			c->text = alert_text(mem, a->Account, b->It->Budget, &n, s);
		list = c;
	}
	return list;
}

static void tell(txn *tx, const budgets_action *a, str text)
{
	arena *mem = txn_arena(tx);
	bool asks = str_eq(a->It->ApprovalModel, S("MANUAL"));
	text = arena_fmt(mem, "%.*s\nThe action %.*s (%.*s) of the budget %s.\n", STR_ARG(text), STR_ARG(a->Id),
	                 STR_ARG(a->It->ActionType), asks ? "waits for your approval" : "is being executed");
	for (size_t i = 0; i < a->It->Subscribers.n; i++) {
		const budgets_Subscriber *to = &a->It->Subscribers.v[i];
		notice n = {
			.principal = "budgets.amazonaws.com", .account = a->Account,
			.source_arn = budget_arn(mem, a->Account, a->Budget),
			.topic = str_eq(to->SubscriptionType, S("SNS")), .address = to->Address,
			.from = S("budgets@costalerts.amazonaws.com"), .text = text,
			.subject = arena_fmt(mem, "AWS Budgets action: %.*s", STR_ARG(a->Budget)),
		};
		notice_send(tx, &n);
	}
}

/* The row may have changed since we looked. */
void actions_write(txn *tx, int64_t now, const action_change *list)
{
	for (const action_change *c = list; c; c = c->next) {
		budgets_action *a =
			budgets_action_get(tx, txn_arena(tx), c->action->Account, c->action->Budget, c->action->Id);
		if (!a || (c->crossed ? !is(a, "STANDBY") : !begins_anew(a, c->period)))
			continue;
		/* One that has failed may have attached to the first of its targets. */
		bool attached = a->It->Definition->IamActionDefinition &&
			!is(a, "REVERSE_SUCCESS") && !is(a, "PENDING");
		a->Period = c->period;
		if (!c->crossed && attached) {
			action_start(tx, now, a, "reset", S("SYSTEM"));
		} else if (!c->crossed) {
			action_set(tx, now, a, S("STANDBY"), S("SYSTEM"), S("A new budget period has begun."));
		} else if (str_eq(a->It->ApprovalModel, S("AUTOMATIC"))) {
			action_start(tx, now, a, "execute", S("SYSTEM"));
			tell(tx, a, c->text);
		} else {
			action_set(tx, now, a, S("PENDING"), S("SYSTEM"), S("The threshold has been exceeded."));
			tell(tx, a, c->text);
		}
	}
}

void action_note(txn *tx, int64_t now, const budgets_action *a, str event, str message)
{
	arena *mem = txn_arena(tx);
	budgets_Action shown = *a->It;
	budgets_ActionHistoryDetails details = { .Message = message, .Action = &shown };
	budgets_ActionHistory it = { .Timestamp = TIME(now), .Status = a->It->Status, .EventType = event,
		                     .ActionHistoryDetails = &details };
	record_scan scan = budgets_history_scan(tx, mem, 3, a->Account, a->Budget, a->Id, STR_NONE);
	record_scan_reverse(&scan);
	budgets_history *last = budgets_history_next(&scan);
	int64_t n = 0;
	if (last)
		str_to_i64(last->Order, &n);
	budgets_history row = { .Account = a->Account, .Budget = a->Budget, .Action = a->Id,
		                .Order = arena_fmt(mem, "%012lld", (long long)n + 1), .It = &it };
	budgets_history_put(tx, &row);
	scan = budgets_history_scan(tx, mem, 3, a->Account, a->Budget, a->Id, STR_NONE);
	budgets_history *oldest = budgets_history_next(&scan);
	if (oldest && oldest->It->Timestamp.v < now - HISTORY_KEPT)
		budgets_history_delete(tx, oldest->Account, oldest->Budget, oldest->Action, oldest->Order);
}

void action_set(txn *tx, int64_t now, budgets_action *a, str status, str event, str message)
{
	a->It->Status = status;
	budgets_action_put(tx, a);
	action_note(tx, now, a, event, message);
}

static void put_member(buf *b, const char *key, str value)
{
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', key);
	json_put_string(b, value);
}

void action_start(txn *tx, int64_t now, budgets_action *a, const char *what, str event)
{
	buf b = buf_in(txn_arena(tx), 256, PAYLOAD_MAX);
	bool execute = str_eq(str_c(what), S("execute"));
	put_member(&b, "account", a->Account);
	put_member(&b, "budget", a->Budget);
	put_member(&b, "action", a->Id);
	put_member(&b, "what", str_c(what));
	buf_c(&b, '}');
	task_add(tx, "budgets_act", buf_str(&b), 0);
	action_set(tx, now, a, execute ? S("EXECUTION_IN_PROGRESS") :
		   str_eq(str_c(what), S("reset")) ? S("RESET_IN_PROGRESS") : S("REVERSE_IN_PROGRESS"),
	           event, execute ? S("The action is being executed.") : S("The action is being taken back."));
}

void actions_metered(txn *tx, str account, str budget, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan scan = budgets_action_scan(tx, mem, 2, account, budget, STR_NONE);
	bool any = budgets_action_next(&scan) != NULL;
	/* A day of the budget's is 24 of its hours. */
	resident_set(tx, account, PRICE_HOME_REGION, now, &BUDGET_ACTION, budget_arn(mem, account, budget),
	             any ? QTY(1) : 0);
}

static str member(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m ? m->text : S("");
}

static err ask(req *rq, const char *whom, const char *what, buf *b)
{
	str out;
	buf_c(b, '}');
	return call_json(rq, NULL, whom, what, buf_str(b), &out);
}

/* One kind of target after another; the first that refuses ends it, and what is done stays done. To be taken
 * back is what is still attached: it may be the second try, or somebody was there before us. */
static err attach(req *rq, const char *what, const char *key, const str *names, size_t n, str policy)
{
	bool detach = str_starts(str_c(what), S("Detach"));
	for (size_t i = 0; i < n; i++) {
		buf b = buf_in(rq->mem, 256, PAYLOAD_MAX);
		put_member(&b, key, names[i]);
		put_member(&b, "PolicyArn", policy);
		err e = ask(rq, "iam", what, &b);
		if (e && !(detach && str_eq(str_c(e->kind->code), S("NoSuchEntityException"))))
			return e;
	}
	return OK;
}

static err apply_policy(req *rq, const budgets_IamActionDefinition *d, bool on)
{
	TRY(attach(rq, on ? "AttachUserPolicy" : "DetachUserPolicy", "UserName", d->Users.v, d->Users.n,
	           d->PolicyArn));
	TRY(attach(rq, on ? "AttachGroupPolicy" : "DetachGroupPolicy", "GroupName", d->Groups.v, d->Groups.n,
	           d->PolicyArn));
	return attach(rq, on ? "AttachRolePolicy" : "DetachRolePolicy", "RoleName", d->Roles.v, d->Roles.n,
	              d->PolicyArn);
}

/* EC2 stops what is stopped once more; RDS refuses. */
static bool stopped_already(req *rq, str database)
{
	str out;
	buf b = buf_in(rq->mem, 256, PAYLOAD_MAX);
	put_member(&b, "DBInstanceIdentifier", database);
	buf_c(&b, '}');
	if (call_json(rq, NULL, "rds", "DescribeDBInstances", buf_str(&b), &out))
		return false;
	const json_value *list = json_get(json_parse(rq->mem, out), S("DBInstances"));
	str status = list && list->first ? member(list->first, S("DBInstanceStatus")) : S("");
	return str_eq(status, S("stopping")) || str_eq(status, S("stopped"));
}

static err stop_instances(req *rq, const budgets_SsmActionDefinition *d)
{
	bool databases = str_eq(d->ActionSubType, S("STOP_RDS_INSTANCES"));
	for (size_t i = 0; i < d->InstanceIds.n; i++) {
		buf b = buf_in(rq->mem, 256, PAYLOAD_MAX);
		if (databases)
			put_member(&b, "DBInstanceIdentifier", d->InstanceIds.v[i]);
		else {
			buf_put(&b, S("{\"InstanceIds\":["));
			json_put_string(&b, d->InstanceIds.v[i]);
			buf_c(&b, ']');
		}
		err e = databases ? ask(rq, "rds", "StopDBInstance", &b) : ask(rq, "ec2", "StopInstances", &b);
		if (e && !(databases && stopped_already(rq, d->InstanceIds.v[i])))
			return e;
	}
	return OK;
}

static err act(store *s, arena *mem, const budgets_action *a, bool on)
{
	const budgets_Definition *d = a->It->Definition;
	str region = d->SsmActionDefinition ? d->SsmActionDefinition->Region : PRICE_HOME_REGION;
	req *rq = req_internal(mem, s, "budgets.amazonaws.com", a->Account, region);
	req_become_service(rq, "budgets.amazonaws.com", budget_arn(mem, a->Account, a->Budget));
	err e = req_become_role(rq, NULL, a->It->ExecutionRoleArn);
	if (!e && d->IamActionDefinition)
		e = apply_policy(rq, d->IamActionDefinition, on);
	else if (!e && on)
		e = stop_instances(rq, d->SsmActionDefinition);
	usage_settle_later(rq);
	return e;
}

typedef struct outcome {
	const budgets_action *action;
	str status, message;
} outcome;

static bool write_outcome(void *context, txn *tx)
{
	const outcome *o = context;
	budgets_action *a =
		budgets_action_get(tx, txn_arena(tx), o->action->Account, o->action->Budget, o->action->Id);
	if (a)
		action_set(tx, clock_now(), a, o->status, S("SYSTEM"), o->message);
	return true;
}

/* An action that a crash interrupts is done again: attaching what is attached, stopping what is stopped. */
TASK(budgets_act)
{
	const json_value *v = json_parse(mem, payload);
	if (!v)
		return TASK_DONE;
	str what = member(v, S("what"));
	bool on = str_eq(what, S("execute"));
	const txn *tx = store_read(s);
	budgets_action *a =
		budgets_action_get(tx, mem, member(v, S("account")), member(v, S("budget")), member(v, S("action")));
	store_read_end(s, tx);
	if (!a)
		return TASK_DONE;
	err e = act(s, mem, a, on);
	outcome o = { .action = a, .message = e ? e->message : S("Done.") };
	if (on)
		o.status = e ? S("EXECUTION_FAILURE") : S("EXECUTION_SUCCESS");
	else if (str_eq(what, S("reset")))
		o.status = e ? S("RESET_FAILURE") : S("STANDBY");
	else
		o.status = e ? S("REVERSE_FAILURE") : S("REVERSE_SUCCESS");
	return store_write(s, write_outcome, &o) ? clock_now() + MS_SECOND : TASK_DONE;
}
