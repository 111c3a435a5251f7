/*
 * How much of a usage plan's quota a key has used. Counted by the day; a period is a day, a week or a month,
 * and begins on the day that the quota's offset says.
 */
#pragma once
#include "rest.h"

/* Days since 1970: the first of the period that the day lies in. */
int64_t quota_from(const apigateway_QuotaSettings *q, int64_t day);
/* What was used on these days. */
int64_t quota_used(const txn *tx, arena *mem, str plan, str key, int64_t from, int64_t to);
