/*
 * Contributor Insights: a rule says of the events of some log groups whose they are (the contributor: up to
 * four of an event's fields) and what they count for. A report is worked out from the log when it is asked
 * for, of what came in while the rule was enabled.
 */
#pragma once
#include "metric.h"

#define INSIGHT_KEYS_MAX 4

typedef struct insight_field {
	str name; /* as the definition says it */
	size_t place; /* of a log in common format: the field's number, from 1 */
} insight_field;

typedef struct insight_filter insight_filter;
typedef struct insight_rule {
	bool common, sum; /* common log format; what is counted is `value_of` */
	insight_field keys[INSIGHT_KEYS_MAX], value_of;
	size_t n_keys;
	insight_filter *filters;
	str *groups; /* names; behind a prefix stands * */
	size_t n_groups;
} insight_rule;

/* Reads a definition, or says what is wrong with it. */
err insight_read(req *rq, str definition, insight_rule **out);
/* What an event is to a rule: the contributor's fields and what it counts for; false: nothing. */
bool insight_match(arena *mem, const insight_rule *r, str message, str keys[INSIGHT_KEYS_MAX],
                   double *value);
bool insight_group(const insight_rule *r, size_t i, str name);
err insight_find(req *rq, const txn *tx, str name, cloudwatch_insight **out);
