/* The account's plan, as its profile has it (cloud/charges.h): the credits profile is the free plan. */
#pragma once
#include "cloud/charges.h"
#include "gen/freetier.h"

bill_query freetier_account(req *rq, const txn *tx);
freetier_MonetaryAmount *freetier_dollars(req *rq, money m);
