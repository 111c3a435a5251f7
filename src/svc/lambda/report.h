/*
 * What Lambda tells of an invocation: the platform's log lines, usage, metrics.
 */
#pragma once
#include "pool.h"

void report_init_start(environment *e, const target *t);
/* An initialisation that failed; `phase` is init or invoke. */
void report_init(environment *e, const function_result *init, const char *phase);
void report_start(environment *e, const target *t, const invocation *i);
void report_timeout(environment *e, const invocation *i, int64_t timeout_s);
/* END and REPORT. `init` is that of a cold start, else NULL. */
void report_end(environment *e, const target *t, const invocation *i, const function_result *r,
                const function_result *init);
/* Meters and metrics. */
void report_usage(const target *t, const environment *e, const function_result *r,
                  const function_result *init);
/* Bytes of an answer that went out as a stream: what comes after the first 6 MB costs. */
void report_streamed(const target *t, size_t bytes);
void report_throttle(const target *t);
/* An invocation that a loop would have made. */
void report_loop(const target *t);
/* Milliseconds that are paid for: initialisation included, rounded up together. */
int64_t billed_ms(const function_result *r, const function_result *init);
