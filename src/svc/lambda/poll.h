/*
 * Event source mappings at work: one thread for each enabled mapping of a queue, one for each lane of a
 * mapping of a stream. A poller reads its mapping's row before every step and leaves when the row has
 * changed; the keeper then starts its successor, so that two never handle the same stream.
 *
 * Nothing is lost by a crash: a queue's messages come back when nobody deletes them, a stream's progress is a
 * row that is written after the function has had the records.
 */
#pragma once
#include "base/json.h"
#include "cloud/event_pattern.h"
#include "lambda.h"

#define MAPPING_RESULT_NONE "No records processed"
#define MAPPING_RESULT_GOOD "OK"
#define MAPPING_RESULT_BAD "PROBLEM: Function call failed"

typedef struct poller {
	struct poller *next;
	arena *mem;             /* its own */
	store *store;
	str account, region, uuid;
	int64_t generation, lane, lanes;
	/* of queues */
	int batches;            /* under way */
	int64_t grown_us;
	int most;               /* that may be */
} poller;

void poll_start(store *s);
/* No batch is begun any more. */
void poll_halt(void);
void poll_stop(void);
/* After the commit, mappings are looked through. */
void poll_changed(txn *tx);

/* The mapping as long as this poller is its poller, else NULL. */
lambda_mapping *poller_mapping(const poller *p, arena *mem);
/* Sleeps; false: the server stops. */
bool poller_sleep(int ms);
/* The version that the mapping's function stands for now; false: there is none. */
bool poller_target(const poller *p, arena *mem, const lambda_mapping *m, target *t);
req *poller_request(const poller *p, arena *mem);
/* A batch has begun or ended; `begin` waits for a free place. */
void poller_begin(poller *p, int most);
void poller_end(poller *p);

/* poll_queue.c, poll_stream.c: until the mapping changes or the server stops. */
void poll_queue(poller *p);
void poll_stream(poller *p);

/* poll_filter.c */
typedef struct filters {
	const event_pattern **v;
	size_t n;
} filters;
filters mapping_filters(arena *mem, const lambda_mapping *m);
bool mapping_filters_match(const filters *f, const json_value *event);
/* What AWS says of a pattern that is none. */
err mapping_filters_check(req *rq, const lambda_FilterCriteria *c);

/* The answer of a function that reports which items failed. */
typedef enum report_kind { REPORT_ALL_GOOD, REPORT_SOME, REPORT_ALL_FAILED } report_kind;
/* `failed[i]` is set for those of the `n` ids that it names; an unknown one fails all. */
report_kind failures_read(arena *mem, const lambda_mapping *m, const answer *a, const str *ids, size_t n,
                          bool *failed);
/* A number for CloudWatch, when the mapping asks for EventCount. */
void mapping_metric(const lambda_mapping *m, const char *name, size_t count);
