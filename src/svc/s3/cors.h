/*
 * Cross-origin rules: which header a browser's request is answered with, here and in the preflight plane.
 */
#pragma once
#include "gen/s3.h"
#include "store/store.h"
#include "wire/codec.h"

/* The first rule that admits the origin, the method and the asked headers; in `mem`. */
const s3_CORSRule *cors_rule(const txn *tx, arena *mem, str bucket, str origin, str method, str headers);
/* Whether the bucket has rules at all. */
bool cors_any_rule(const txn *tx, arena *mem, str bucket);
/* What a request is answered with that the rule admits: returns how many. */
#define CORS_HEADERS 7
size_t cors_headers(arena *mem, const s3_CORSRule *r, const wire_message *asked,
                    http_header out[CORS_HEADERS]);
