/*
 * Service graphs: nodes for services, edges for who calls whom, with counts and response times. Built by
 * adding traces; a client stands before every service that a trace begins with.
 */
#pragma once
#include "xray.h"

typedef struct graph graph;

graph *graph_new(arena *mem, str account);
void graph_add(graph *g, const view *v);
void graph_services(const graph *g, xray_ServiceList *out);

/* Counts and times of some calls. */
typedef struct stats {
	arena *mem;
	int64_t total, errors, throttles, faults;
	double seconds;
	struct slot {
		double value;
		int64_t count;
		struct slot *next;
	} * slots;
	double first, last;
} stats;

void stats_add(stats *s, const part *p);
xray_ServiceStatistics *stats_of_service(const stats *s);
xray_EdgeStatistics *stats_of_edge(const stats *s);
xray_Histogram stats_histogram(const stats *s);
