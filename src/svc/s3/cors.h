/*
 * Cross-origin rules: which header a browser's request is answered with, here and in the preflight plane.
 */
#pragma once
#include "gen/s3.h"
#include "store/store.h"

/* The first rule that admits the origin, the method and the asked headers; in `mem`. */
const s3_CORSRule *cors_rule(const txn *tx, arena *mem, str bucket, str origin, str method, str headers);
/* Whether the bucket has rules at all. */
bool cors_any_rule(const txn *tx, arena *mem, str bucket);
/* The rule names no origin but "*". */
bool cors_any_origin(const s3_CORSRule *r);
/* a, b, c */
str cors_join(arena *mem, const str *v, size_t n);
