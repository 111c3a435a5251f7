/*
 * The meter: what was used, by whom, when, how much. One usage line is
 * (account, region, hour, meter, resource) -> quantity in millionths of the meter's unit; lines are sums,
 * so a million requests in an hour are one line.
 *
 * Meters are declared in a service's .def and generated as constants:
 *     usage DYNAMODB_WRU AmazonDynamoDB dynamodb.wru "on-demand write request units"
 *
 * A writing handler's usage is written in its own transaction (also when the handler fails after it
 * metered: AWS bills a failed condition; usage belongs to the request). Reading and waiting handlers'
 * usage is gathered and written in a batch at most 100 ms later.
 */
#pragma once
#include "cloud/req.h"

typedef struct meter_kind {
	const char *name;     /* dynamodb.wru: also the key in the store */
	const char *service;  /* AmazonDynamoDB */
	const char *sku;      /* key in the price book; usually the name */
	const char *title;
} meter_kind;

/* One millionth of the unit. */
typedef int64_t qty;
#define QTY(units) ((qty)(units) * 1000000)

void meter(req *rq, const meter_kind *kind, qty quantity, str resource);
static inline void meter_one(req *rq, const meter_kind *kind, str resource)
{
	meter(rq, kind, QTY(1), resource);
}

/* Straight into a transaction: for timers, tasks and data planes, which have no request. */
void usage_add(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource, qty q);
/* Within 100 ms; any thread. For data planes whose reply does not wait for a commit. */
void usage_later(str account, str region, int64_t when, const meter_kind *kind, str resource, qty q);

/*
 * Something that costs by the hour for as long as it exists (a stored byte, an alarm, an instance).
 * `rate` is in millionths of the unit per hour, 0 ends it. Accrues by the hour in which it changes, to the
 * millisecond; reading the bill brings it up to date. One per (account, region, meter, resource).
 */
void resident_set(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource,
                  qty rate_per_hour);

/* Walks usage lines in order of account; residents are accrued up to `now` on the fly. */
typedef struct usage_line {
	str account, region, meter, resource;
	int64_t hour; /* milliseconds, on the hour */
	qty quantity;
} usage_line;
void usage_each(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                void (*line)(void *context, const usage_line *l), void *context);
