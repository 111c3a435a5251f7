/*
 * Environments made ready before anyone asks: provisioned concurrency, kept at its number by a thread of its
 * own, and the one that publishing a version with SnapStart leaves warm.
 */
#pragma once
#include "pool.h"

void provision_start(store *s);
void provision_stop(void);
/* Something may be missing, or too much: looked at soon. Any thread. */
void provision_look(void);
/* Before environments are ended: what ends now has not failed. */
void provision_halt(void);
/* The function's versions or aliases have changed: what hangs on them follows. */
void provision_follow(req *rq, txn *tx, lambda_function *fn);
/* With the function. */
void provision_drop_all(req *rq, txn *tx, lambda_function *fn);
