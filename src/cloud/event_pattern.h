/*
 * Event patterns: the JSON language in which rules, filter policies and pipes say which events they want.
 *
 *     { "source": ["shop"], "detail": { "price": [{ "numeric": [">", 10] }], "$or": [{ .. }, { .. }] } }
 *
 * A pattern is compiled once and matched often; it is constant afterwards and lives in the arena it was
 * compiled into. Matching allocates nothing. Fields below one array must be found in the same element, as
 * AWS demands. The alternatives of $or are multiplied out, at most 1,000 of them; where one names a
 * field that
 * stands outside too, the later of the two in the text counts.
 */
#pragma once
#include "base/json.h"

typedef struct event_pattern event_pattern;

/* NULL, and the reason in AWS's words, when it is no pattern. `text` need not outlive the call. */
const event_pattern *event_pattern_parse(arena *mem, str text, str *why);
bool event_pattern_match(const event_pattern *p, const json_value *event);
/* The event as patterns see it, whose names with dots lead on like those in patterns ("a.b": 1 is "a": {"b":
 * 1}); itself when it has none. Before the first match. */
const json_value *event_pattern_event(arena *mem, const json_value *event);
/* The texts that the top-level field must have one of; false when it may be something else. For an index
 * over many patterns. */
bool event_pattern_exact(const event_pattern *p, arena *mem, str field, str **texts, size_t *n);
