/*
 * X-Ray: segments by trace, kept as the JSON they came in. What summaries, filters and graphs ask is read
 * from the documents when it is asked (a view); nothing is computed twice.
 */
#pragma once
#include "base/json.h"
#include "gen/xray.h"

/* A segment or subsegment, with its parent before it. Strings live in the view's arena. */
typedef struct part {
	struct part *next;
	const struct part *owner;  /* the segment that this subsegment lies in; NULL for segments */
	str id, parent, name, type, user, arn, zone, instance;
	str url, method, agent, ip;
	int64_t status;            /* HTTP; 0: none */
	double start, end;         /* seconds since 1970; of one in progress end == start */
	bool fault, error, throttle, progress, inferred;
	const json_value *annotations;
	const json_value *document; /* of segments */
} part;

typedef struct view {
	str id;
	part *parts;               /* segments in the order of their ids, each followed by what is in it */
	const part *root;          /* the segment that nothing called; never NULL */
	size_t n_segments;
	double start, end;
	bool partial;
} view;

/* NULL when the trace is not there. */
view *view_load(const txn *tx, arena *mem, str account, str region, str id);
/* What stands in one document; the fault names what is wrong (ParseError, MissingId ..), NULL is good. */
const char *segment_check(arena *mem, str document, str *trace, str *id, bool *progress);

/*
 * Who called whom: every segment is called once, by a segment of the trace or by a client, and so is what a
 * subsegment calls outside of the trace. `by` tells how the caller saw it: a subsegment where there is one.
 */
typedef struct view_call {
	const part *from; /* a segment; NULL: a client */
	const part *to, *by;
} view_call;
size_t view_calls(const view *v, arena *mem, view_call **out);

typedef struct filter filter;
/* InvalidRequestException when it cannot be read. An empty expression fits every trace. */
err filter_read(req *rq, str expression, filter **out);
bool filter_takes(const filter *f, const view *v);
/* An entity selector: whether service("..") or edge("..", "..") means this call. An empty one means all. */
bool filter_selects(const filter *f, const view_call *c);

/* The expression of a group by name or ARN; STR_NONE when none is named. */
err group_filter(req *rq, const txn *tx, str name, str arn, str *expression);
/* The rule that applies when no other does. */
xray_SamplingRule sampling_default(req *rq);
