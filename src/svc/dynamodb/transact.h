/*
 * Several writes, all or none: for TransactWriteItems and for PartiQL's transactions. An action is added when
 * its table is known, its change prepared, then its row noted; what is wrong with one action alone cancels
 * all of them with a reason for each. Lives as long as the request.
 */
#pragma once
#include "base/map.h"
#include "svc/dynamodb/ddb.h"

#define TRANSACTION_ACTIONS_MAX 100

typedef struct ddb_action {
	str table, return_values;
	ddb_change change;
	bool insert; /* fails as a duplicate */
	ddb_writer *w;
	err fault;   /* why this action cancels the transaction */
} ddb_action;

typedef struct ddb_transaction {
	ddb_action *v;
	size_t n;
	ddb_writer *writers[TRANSACTION_ACTIONS_MAX];
	size_t n_writers;
	map seen;
	size_t bytes;
} ddb_transaction;

ddb_transaction ddb_transaction_of(req *rq, size_t n);
/* Sets a->w. */
err ddb_transaction_table(req *rq, txn *tx, ddb_transaction *x, ddb_action *a);
/* Refuses the second action on an item. Nothing when the action has a fault. */
err ddb_transaction_row(req *rq, ddb_transaction *x, ddb_action *a);
/* Writes all, or says why not. */
err ddb_transaction_write(req *rq, ddb_transaction *x, str wanted,
                          dynamodb_ConsumedCapacityMultiple *consumed);
/* TransactionCanceledException with the reason of each action. */
err ddb_transaction_canceled(req *rq, const ddb_transaction *x);
/* Whether the token was used for the very same request (`digest`) in the last ten minutes. */
err ddb_token_known(req *rq, const txn *tx, str token, str digest, bool *known);
void ddb_token_keep(req *rq, txn *tx, str token, str digest);
/* The digest of a request's actions, the operation's input member `name`. */
str ddb_token_digest(req *rq, const char *name, const void *actions);
/* ItemCollectionSizeLimitExceededException as a reason has no Exception; a ValidationException is a
 * ValidationError. */
str ddb_reason_code(err why);
/* Reads of a transaction: each table's units in one line. */
typedef struct ddb_spent {
	ddb_table *t;
	ddb_units units;
} ddb_spent;
void ddb_spend(ddb_spent *list, size_t *n, ddb_table *t, qty units);
void ddb_spent_out(req *rq, const ddb_spent *list, size_t n, str wanted,
                   dynamodb_ConsumedCapacityMultiple *out);
