/*
 * Records: the rows a service keeps, declared in its .def and generated as structs with typed
 * functions.
 *
 *     record param key Account Region Name      in ssm.def, then numbered fields
 *
 * gives, in gen/ssm.h:
 *     typedef struct ssm_param { str Account, Region, Name; int64_t Version; ... } ssm_param;
 *     ssm_param *ssm_param_get(const txn *tx, arena *mem, str Account, str Region, str Name);
 *     void ssm_param_put(txn *tx, const ssm_param *r);
 *     bool ssm_param_delete(txn *tx, str Account, str Region, str Name);
 *     record_scan ssm_param_scan(const txn *tx, arena *mem, int parts, str Account, str Region,
 *                                str Name);
 *     ssm_param *ssm_param_next(record_scan *s);
 *
 * Key parts are strings or i64 and sort naturally (strings by bytes, numbers by value); scan fixes
 * the first `parts` of them, the rest may be STR_NONE / 0. A scan that starts after a position
 * (pagination) sets it with record_scan_after(&s, part value of the next part). A key is at most
 * 4,096 bytes (a zero byte in a string counts twice): reading a longer one finds nothing, putting
 * one fails the job with a ValidationException. A handler that bounds what the model does not has AWS's
 * words for it.
 *
 * Fields are stored by their number, so fields may be added, renamed and dropped (never
 * renumbered); a field that an old row lacks reads as zero. Copies: everything `get` returns is in
 * `mem`.
 *
 * Field types: str, i64, bool, time (int64_t ms), blob (str), and any shape of the service's .api,
 * which has in C the type it has as a member (struct pointer, list or map by value).
 */
#pragma once
#include "store/store.h"
#include "wire/shape.h"

typedef enum record_type { RECORD_STR, RECORD_I64, RECORD_BOOL, RECORD_SHAPE } record_type;

typedef struct record_field {
	uint16_t number, offset;
	uint8_t type;        /* record_type */
	const shape *shape;  /* RECORD_SHAPE */
	const char *name;
} record_field;

typedef struct record_kind {
	const char *name;    /* ssm.param: the prefix of its keys */
	uint32_t size;
	uint8_t n_keys;      /* the first n_keys fields are the key */
	uint16_t n_fields;
	const record_field *fields;
} record_kind;

typedef struct record_scan {
	const record_kind *kind;
	const txn *tx;
	arena *mem;
	cursor at;
	str prefix, after;
	int parts;
	bool started, reverse;
} record_scan;

/* What the generated functions call. `key` is a struct of the kind with the key fields set. */
void *record_get(const txn *tx, arena *mem, const record_kind *kind, const void *key);
void record_put(txn *tx, const record_kind *kind, const void *row);
bool record_delete(txn *tx, const record_kind *kind, const void *key);
record_scan record_scan_open(const txn *tx, arena *mem, const record_kind *kind, int parts,
                             const void *key);
void *record_scan_next(record_scan *s);
/* Starts after this value of the first part that is not fixed (a number as decimal text); in a
 * reverse scan, before it. Before the first next. */
void record_scan_after(record_scan *s, str value);
/* Newest first. Before the first next. */
void record_scan_reverse(record_scan *s);
/* The ordered key of a row: for timers and cross references. STR_NONE when it is too long. */
str record_key(arena *a, const record_kind *kind, const void *key);
/* A row as what the store keeps under its key, and back into a zeroed struct of the kind whose
 * strings point into `key` (unescaped in place) and `value`. false: these bytes are no row of this
 * kind. */
str record_value(arena *a, const record_kind *kind, const void *row);
bool record_parse(arena *mem, const record_kind *kind, char *key, size_t key_bytes, str value,
                  void *row);
