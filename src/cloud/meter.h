/*
 * The meter: what was used, by whom, when, how much. One usage line is
 * (account, region, hour, meter, resource) -> quantity in millionths of the meter's unit; lines are sums,
 * so a million requests in an hour are one line.
 *
 * Meters are declared in a service's .def and generated as constants:
 *     usage DYNAMODB_WRU AmazonDynamoDB dynamodb.wru "on-demand write request units"
 * The unit is that of the price row (data/prices). Where a millionth of it is too coarse, the declaration
 * says into how many parts the unit is counted instead, so that no request is rounded:
 *     usage CW_LOGS_INGEST AmazonCloudWatch cw.logs.ingest "log ingestion" per=1073741824   (bytes of a GB)
 *     usage LAMBDA_X86_GB_SECOND AWSLambda lambda.x86.gb_second "duration" per=1024000      (MB x ms)
 * A unit that ends in "month" is counted in hours of it (GB-month: GB-hours, or byte-hours with per=2^30);
 * pricing divides by the hours of the calendar month, as AWS does. What is charged for a whole month at once
 * (a hosted zone) adds meter_month_hours(when) hours.
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
	int64_t per;          /* parts of one unit in which quantities are given; 0: a million */
} meter_kind;

/* One part of the unit: a millionth, unless the meter says otherwise. */
typedef int64_t qty;
#define QTY(units) ((qty)(units) * 1000000)

/*
 * The meter of a price that is chosen by data (ec2.linux.t3.micro): there are hundreds, so they are not
 * declared. Lives as long as the process; the same one for the same sku. At most 8,192 different ones.
 */
const meter_kind *meter_for(const char *product, str sku);
/* The declared meter of this name, or NULL. Any other name is its own sku, in millionths. */
const meter_kind *meter_named(str name);
/* Hours of the calendar month (UTC) that `when` lies in. */
int64_t meter_month_hours(int64_t when);

void meter(req *rq, const meter_kind *kind, qty quantity, str resource);
static inline void meter_one(req *rq, const meter_kind *kind, str resource)
{
	meter(rq, kind, QTY(1), resource);
}

/* What a request has used so far: a list in its arena, newest first (rq->usage). */
typedef struct usage {
	struct usage *next;
	const meter_kind *kind;
	str account, region, resource;
	int64_t when;
	qty quantity;
} usage;
/* The dispatcher's: writes rq->usage into the transaction, or hands it to the batch. */
void usage_settle(txn *tx, const req *rq);
void usage_settle_later(const req *rq);

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
/* Ends it. What has had its present rate for less than `least_ms` is charged for that long, in this hour. */
void resident_end(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource,
                  int64_t least_ms);
/* The same by a difference: for what grows and shrinks (bytes in a bucket). Never falls below 0. */
void resident_add(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource,
                  qty rate_change);
/* 0 when there is none. */
qty resident_rate(const txn *tx, str account, str region, const meter_kind *kind, str resource);

/* Walks usage lines by account (empty: all of them) of the hours in [from, to); after an account's stored
 * lines come its residents' hours, accrued up to `now` on the fly. A line may appear in two parts. */
typedef struct usage_line {
	str account, region, meter, resource;
	int64_t hour; /* milliseconds, on the hour */
	qty quantity;
	bool resident; /* accrued by existing, not by a request */
} usage_line;
void usage_each(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                void (*line)(void *context, const usage_line *l), void *context);
/* The same, but a resident's hours come as one line, of the first of them. */
void usage_sums(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                void (*line)(void *context, const usage_line *l), void *context);
/* What exists now and costs by the hour; empty account: everywhere. A callback here and above may not write:
 * the line's texts lie in the store's rows. */
void resident_each(const txn *tx, str account,
                   void (*line)(void *context, const usage_line *rate_per_hour), void *context);
/* Accounts that have any usage or resident, in order. */
void usage_accounts(const txn *tx, void (*each)(void *context, str account), void *context);

/* The batch's thread: started with the server; stopping writes what waits. */
void meter_start(store *s);
void meter_stop(void);
/* Waits until everything handed to usage_later so far is on disk: before reading a bill. */
err meter_flush(void);
/* Lines that were given up because the disk refused them for too long. */
uint64_t meter_lost(void);
