/*
 * Filter patterns: which events are meant, and what stands in them. Four languages, told by the first
 * character:
 *
 *     ERROR -debug                       terms: all, none of
 *     ?"one of" ?these                   one of them; ignored beside terms of the first kind
 *     %4[0-9]{2}%                        a regular expression somewhere in the event (also among terms)
 *     [ip, ..., status = 4*, bytes]      the event's fields, between blanks; "..." and [...] are one field
 *     { $.a.b = "x*" && $.c[*] > 3 }     the event as JSON
 *
 * A parsed filter lives in the arena of the request that parsed it and may be used by any thread.
 */
#pragma once
#include "cloud/req.h"

typedef struct filter filter;
/* InvalidParameterException when it cannot be read. An empty pattern fits everything. */
err filter_parse(req *rq, str pattern, filter **out);
/* Whether it names parts of an event, which only fields and JSON have. */
bool filter_has_parts(const filter *f);
bool filter_fits(arena *mem, const filter *f, str message);
/* What a selector ($.a.b of JSON, $name of fields) picks from an event that fits; STR_NONE: nothing. */
str filter_value(arena *mem, const filter *f, str message, str selector);
/* All that the pattern itself names, with the event's values. */
void filter_values(arena *mem, const filter *f, str message,
                   void (*each)(void *context, str name, str value), void *context);
