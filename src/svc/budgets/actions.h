/*
 * Actions of a budget: what is done in a role's name when a threshold is crossed: policies attached to users,
 * groups and roles, instances and databases stopped. One waits (STANDBY) until its threshold is crossed; it
 * is then done, or asks first (PENDING); at the start of the budget's next period what was attached is taken
 * back and it waits again.
 */
#pragma once
#include "budgets.h"

/* A change of state with its place in the history. */
void action_note(txn *tx, int64_t now, const budgets_action *a, str event, str message);
void action_set(txn *tx, int64_t now, budgets_action *a, str status, str event, str message);
/* Durably later: "execute", "reverse" or "reset". The state says that it is under way. */
void action_start(txn *tx, int64_t now, budgets_action *a, const char *what, str event);

/* What actions of a budget are due, given what has been spent. */
typedef struct action_change {
	budgets_action *action;
	int64_t period;
	bool crossed;
	str text;            /* to its subscribers */
	struct action_change *next;
} action_change;
action_change *actions_due(arena *mem, const txn *tx, const budgets_budget *b, const budget_spend *s,
                           action_change *list);
void actions_write(txn *tx, int64_t now, const action_change *list);
/* With the budget; not while one is under way. */
err actions_delete(req *rq, txn *tx, str account, str budget);
/* A budget is charged for its actions, two of an account being free. */
void actions_metered(txn *tx, str account, str budget, int64_t now);
