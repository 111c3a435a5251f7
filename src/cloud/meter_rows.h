/*
 * How usage lies in the store; for the meter's own files only.
 *
 *     $usage/ account 00 hour(8, big-endian) region 00 meter 00 resource  ->  by requests(8), by residents(8)
 *     $resident/ account 00 region 00 meter 00 resource                   ->  rate(8), since(8), rest(8)
 *
 * Hours stand before the rest, so a month of an account is one range and lines come in order of time, in
 * which tiers fill up. Numbers in values are little-endian.
 */
#pragma once
#include "cloud/meter.h"

#define METER_USAGE S("$usage/")
#define METER_RESIDENT S("$resident/")
#define METER_PART_MAX 256
#define METER_RESOURCE_MAX 2048
#define METER_KEY_MAX (3 * (METER_PART_MAX + 1) + METER_RESOURCE_MAX + 64)

typedef struct meter_place {
	str account, region, meter, resource;
} meter_place;

typedef struct resident_row {
	qty rate;
	int64_t since, rest; /* rest: used since `since` but less than one part, in rate x milliseconds */
} resident_row;

static inline int64_t meter_hour(int64_t ms)
{
	return ms - (ms % 3600000 + 3600000) % 3600000;
}

/* Keys are built in `out` (METER_KEY_MAX bytes); over-long parts are cut. */
str usage_key(char *out, str account, int64_t hour, str region, str meter, str resource);
str resident_key(char *out, const meter_place *at);
str resident_prefix(char *out, str account);
/* After every key of this account. */
str meter_account_end(char *out, str prefix, str account);

/* Adds to the row; sums stop at the largest number rather than wrap. */
void usage_row_add(txn *tx, str key, qty by_requests, qty by_residents);
bool usage_row_read(str key, str value, usage_line *l, qty *by_requests, qty *by_residents);

bool resident_row_read(str value, resident_row *row);
void resident_row_write(txn *tx, str key, const resident_row *row);
bool resident_key_read(str key, usage_line *l);
/* What is used until `end`; moves `since` there and carries what is less than one part. */
qty resident_use(resident_row *row, int64_t end);
