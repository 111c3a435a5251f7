#include "budgets.h"

#define PAGE 100

static err no_alert(req *rq, str budget)
{
	return fail(rq, &budgets_NotFoundException,
	            "Unable to get the notification: it doesn't exist in budget %.*s.", STR_ARG(budget));
}

static err alert_find(req *rq, const txn *tx, str account, str budget, const budgets_Notification *n,
                      budgets_alert **out)
{
	budgets_budget *row;
	TRY(budget_find(rq, tx, account, budget, &row));
	*out = budgets_alert_get(tx, rq->mem, account, budget, alert_id(rq->mem, n));
	return *out ? OK : no_alert(rq, budget);
}

/* There must be a budget for what is to be done with a notification. */
static err budget_for(req *rq, const txn *tx, str account, str budget, const char *what)
{
	TRY(budget_own_account(rq, account));
	if (budgets_budget_get(tx, rq->mem, account, budget))
		return OK;
	return fail(rq, &budgets_NotFoundException, "Unable to %s notification - the budget doesn't exist.",
	            what);
}

static bool same_subscriber(const budgets_Subscriber *a, const budgets_Subscriber *b)
{
	return str_eq(a->SubscriptionType, b->SubscriptionType) && str_eq(a->Address, b->Address);
}

err alert_subscribers_check(req *rq, const budgets_Subscribers *to)
{
	size_t mails = 0, topics = 0;
	for (size_t i = 0; i < to->n; i++) {
		const budgets_Subscriber *s = &to->v[i];
		bool mail = str_eq(s->SubscriptionType, S("EMAIL"));
		mails += mail;
		topics += !mail;
		if (mail && str_find_char(s->Address, '@') == SIZE_MAX)
			return fail(rq, &budgets_InvalidParameterException, "%.*s is not an e-mail address.",
			            STR_ARG(s->Address));
		if (!mail && !str_starts(s->Address, S("arn:aws:sns:")))
			return fail(rq, &budgets_InvalidParameterException, "%.*s is not the ARN of a topic.",
			            STR_ARG(s->Address));
		for (size_t j = 0; j < i; j++)
			if (same_subscriber(s, &to->v[j]))
				return fail(rq, &budgets_DuplicateRecordException,
				            "The subscriber stands there twice.");
	}
	if (mails > BUDGETS_MAILS_MAX || topics > BUDGETS_TOPICS_MAX)
		return fail(rq, &budgets_CreationLimitExceededException,
		            "A notification can have at most %d e-mail addresses and %d topic.", BUDGETS_MAILS_MAX,
		            BUDGETS_TOPICS_MAX);
	return OK;
}

err alert_put(req *rq, txn *tx, str budget, const budgets_Notification *n, const budgets_Subscribers *to)
{
	str id = alert_id(rq->mem, n);
	if (id.n == 0)
		return fail(rq, &budgets_InvalidParameterException, "The threshold is not a number.");
	if (budgets_alert_get(tx, rq->mem, rq->who.account, budget, id))
		return fail(rq, &budgets_DuplicateRecordException, "Error creating notification: it exists already.");
	TRY(alert_subscribers_check(rq, to));
	const budgets_budget *of = budgets_budget_get(tx, rq->mem, rq->who.account, budget);
	TRY(budget_forecast_check(rq, of->It->Budget, n->NotificationType));
	budgets_Notification whole = *n;
	if (!str_is(whole.ThresholdType))
		whole.ThresholdType = S("PERCENTAGE");
	whole.NotificationState = STR_NONE;
	budgets_Alert it = { .Notification = &whole, .Subscribers = *to };
	budgets_alert row = { .Account = rq->who.account, .Budget = budget, .Id = id, .It = &it };
	budgets_alert_put(tx, &row);
	return OK;
}

static size_t alerts_of(req *rq, const txn *tx, str budget)
{
	size_t n = 0;
	record_scan scan = budgets_alert_scan(tx, rq->mem, 2, rq->who.account, budget, STR_NONE);
	while (budgets_alert_next(&scan))
		n++;
	return n;
}

err budgets_CreateNotification(req *rq, txn *tx, const budgets_CreateNotification_in *in,
                               budgets_CreateNotification_out *out)
{
	(void)out;
	TRY(budget_for(rq, tx, in->AccountId, in->BudgetName, "create"));
	if (alerts_of(rq, tx, in->BudgetName) >= BUDGETS_ALERTS_MAX)
		return fail(rq, &budgets_CreationLimitExceededException,
		            "A budget can have at most %d notifications.", BUDGETS_ALERTS_MAX);
	TRY(alert_put(rq, tx, in->BudgetName, in->Notification, &in->Subscribers));
	alerts_arm(tx, rq->now);
	return OK;
}

err budgets_UpdateNotification(req *rq, txn *tx, const budgets_UpdateNotification_in *in,
                               budgets_UpdateNotification_out *out)
{
	(void)out;
	budgets_alert *a;
	TRY(alert_find(rq, tx, in->AccountId, in->BudgetName, in->OldNotification, &a));
	budgets_alert_delete(tx, a->Account, a->Budget, a->Id);
	return alert_put(rq, tx, in->BudgetName, in->NewNotification, &a->It->Subscribers);
}

err budgets_DeleteNotification(req *rq, txn *tx, const budgets_DeleteNotification_in *in,
                               budgets_DeleteNotification_out *out)
{
	(void)out;
	budgets_alert *a;
	TRY(budget_for(rq, tx, in->AccountId, in->BudgetName, "delete"));
	TRY(alert_find(rq, tx, in->AccountId, in->BudgetName, in->Notification, &a));
	budgets_alert_delete(tx, a->Account, a->Budget, a->Id);
	return OK;
}

static err change_subscribers(req *rq, txn *tx, budgets_alert *a, const budgets_Subscribers *to)
{
	budgets_Alert it = { .Notification = a->It->Notification, .Subscribers = *to };
	TRY(alert_subscribers_check(rq, to));
	a->It = &it;
	budgets_alert_put(tx, a);
	return OK;
}

/* The list without `gone` and with `come`; either may be NULL. *found: `gone` was there. */
static budgets_Subscribers changed(req *rq, const budgets_Subscribers *old, const budgets_Subscriber *gone,
                                   const budgets_Subscriber *come, bool *found)
{
	budgets_Subscribers to = { .v = arena_array(rq->mem, budgets_Subscriber, old->n + 1) };
	*found = gone == NULL;
	for (size_t i = 0; i < old->n; i++)
		if (gone && same_subscriber(&old->v[i], gone))
			*found = true;
		else
			to.v[to.n++] = old->v[i];
	if (come)
		to.v[to.n++] = *come;
	return to;
}

static err replace(req *rq, txn *tx, budgets_alert *a, const budgets_Subscriber *gone,
                   const budgets_Subscriber *come)
{
	bool found;
	budgets_Subscribers to = changed(rq, &a->It->Subscribers, gone, come, &found);
	if (!found)
		return fail(rq, &budgets_NotFoundException, "The subscriber doesn't exist.");
	if (to.n == 0)
		return fail(rq, &budgets_InvalidParameterException, "A notification needs a subscriber.");
	return change_subscribers(rq, tx, a, &to);
}

err budgets_CreateSubscriber(req *rq, txn *tx, const budgets_CreateSubscriber_in *in,
                             budgets_CreateSubscriber_out *out)
{
	(void)out;
	budgets_alert *a;
	TRY(alert_find(rq, tx, in->AccountId, in->BudgetName, in->Notification, &a));
	return replace(rq, tx, a, NULL, in->Subscriber);
}

err budgets_UpdateSubscriber(req *rq, txn *tx, const budgets_UpdateSubscriber_in *in,
                             budgets_UpdateSubscriber_out *out)
{
	(void)out;
	budgets_alert *a;
	TRY(alert_find(rq, tx, in->AccountId, in->BudgetName, in->Notification, &a));
	return replace(rq, tx, a, in->OldSubscriber, in->NewSubscriber);
}

err budgets_DeleteSubscriber(req *rq, txn *tx, const budgets_DeleteSubscriber_in *in,
                             budgets_DeleteSubscriber_out *out)
{
	(void)out;
	budgets_alert *a;
	TRY(alert_find(rq, tx, in->AccountId, in->BudgetName, in->Notification, &a));
	return replace(rq, tx, a, in->Subscriber, NULL);
}

err budgets_DescribeSubscribersForNotification(req *rq, const txn *tx,
                                               const budgets_DescribeSubscribersForNotification_in *in,
                                               budgets_DescribeSubscribersForNotification_out *out)
{
	budgets_alert *a;
	TRY(alert_find(rq, tx, in->AccountId, in->BudgetName, in->Notification, &a));
	out->Subscribers = a->It->Subscribers;
	return OK;
}

/* A state is of a period: a new one begins quiet. */
static void show(req *rq, const budgets_budget *b, const budgets_alert *a, budgets_Notification *out)
{
	*out = *a->It->Notification;
	bool ringing = a->Ringing && a->Period == budget_period_of(b->It->Budget, rq->now).from;
	out->NotificationState = ringing ? S("ALARM") : S("OK");
}

static budgets_Notifications alerts_shown(req *rq, const txn *tx, const budgets_budget *b)
{
	budgets_Notifications out = { .v = arena_array(rq->mem, budgets_Notification, BUDGETS_ALERTS_MAX) };
	record_scan scan = budgets_alert_scan(tx, rq->mem, 2, b->Account, b->Name, STR_NONE);
	for (budgets_alert *a; out.n < BUDGETS_ALERTS_MAX && (a = budgets_alert_next(&scan));)
		show(rq, b, a, &out.v[out.n++]);
	return out;
}

err budgets_DescribeNotificationsForBudget(req *rq, const txn *tx,
                                           const budgets_DescribeNotificationsForBudget_in *in,
                                           budgets_DescribeNotificationsForBudget_out *out)
{
	budgets_budget *b;
	TRY(budget_find(rq, tx, in->AccountId, in->BudgetName, &b));
	out->Notifications = alerts_shown(rq, tx, b);
	return OK;
}

err budgets_DescribeBudgetNotificationsForAccount(req *rq, const txn *tx,
                                                  const budgets_DescribeBudgetNotificationsForAccount_in *in,
                                                  budgets_DescribeBudgetNotificationsForAccount_out *out)
{
	size_t most = in->MaxResults.set && in->MaxResults.v < PAGE ? (size_t)in->MaxResults.v : PAGE;
	record_scan scan = budgets_budget_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	str after;
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &budgets_InvalidNextTokenException, "The token is not valid.");
		record_scan_after(&scan, after);
	}
	budgets_BudgetNotificationsForAccountList *list = &out->BudgetNotificationsForAccount;
	list->v = arena_array(rq->mem, budgets_BudgetNotificationsForAccount, most);
	for (budgets_budget *b; (b = budgets_budget_next(&scan));) {
		if (list->n == most) {
			out->NextToken = page_token(rq, list->v[most - 1].BudgetName);
			break;
		}
		budgets_BudgetNotificationsForAccount *o = &list->v[list->n++];
		o->BudgetName = b->Name;
		o->Notifications = alerts_shown(rq, tx, b);
	}
	return OK;
}
