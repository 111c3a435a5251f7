/*
 * Transformers: processors that make a JSON document of an event, one after another. The first one parses the
 * event; an event that it cannot parse, or that would become too large, is not transformed. What a processor
 * does not find it leaves alone.
 */
#pragma once
#include "logs.h"
#include "regex.h"

#define TRANSFORM_ENTRIES_MAX 10

typedef struct transform {
	const logs_Processors *all;
	/* By processor: grok's; of substituteString by entry. */
	const regex *(*expressions)[TRANSFORM_ENTRIES_MAX];
	str account, region, group, stream;   /* of the events: for copyValue */
} transform;

/* NULL: it can be used; else what is wrong with it. *unknown: it is AWS's, and not implemented here. */
const char *transform_read(arena *mem, const logs_Processors *all, transform *t, bool *unknown);
/* STR_NONE: the event is not transformed. */
str transform_apply(arena *mem, const transform *t, str message);

/* Paths are keys divided by points. A node that is not there is made when `make` says so. */
json_value *tree_get(json_value *root, str path);
json_value *tree_put(arena *mem, json_value *root, str path, const json_value *value, bool overwrite);
json_value *tree_take(json_value *root, str path);
/* Keys as they stand, whatever was there; there may be very many of them. */
void tree_merge(arena *mem, json_value *object, const json_value *from);
/* Another value under the same key. */
json_value *tree_become(json_value *at, const json_value *value);
json_value *tree_copy(arena *mem, const json_value *v);
json_value *tree_text(arena *mem, str text);

bool parse_pairs(arena *mem, const logs_ParseKeyValue *p, str text, json_value *into);
bool parse_csv(arena *mem, const logs_CSV *p, str text, json_value *into);
/* NULL: it cannot be read, or names a pattern that is not known here. */
const regex *grok_read(arena *mem, str match);
bool parse_grok(arena *mem, const regex *expression, str text, json_value *into);

bool date_pattern_known(str pattern);
/* UTC, or an offset. */
bool date_zone(str zone, int64_t *offset_ms);
bool date_read(str pattern, str text, int64_t zone_ms, int64_t *when);
str date_write(arena *mem, str pattern, int64_t when, int64_t zone_ms);
