#include "graph.h"
#include <math.h>

typedef struct edge {
	struct edge *next;
	struct node *to;
	stats stats;
} edge;

typedef struct node {
	struct node *next;
	str name, type;
	bool root, client, own; /* own: of this account, not seen from outside */
	int64_t reference;
	stats stats;
	edge *edges, **last_edge;
} node;

struct graph {
	arena *mem;
	str account;
	node *nodes, **last;
	int64_t n;
};

graph *graph_new(arena *mem, str account)
{
	graph *g = arena_new(mem, graph);
	*g = (graph){ .mem = mem, .account = account, .last = &g->nodes };
	return g;
}

void stats_add(stats *s, const part *p)
{
	double took = p->end - p->start, value = round(took * 1000) / 1000;
	s->first = !s->total || p->start < s->first ? p->start : s->first;
	s->last = !s->total || p->end > s->last ? p->end : s->last;
	s->total++;
	s->seconds += took;
	s->faults += p->fault;
	s->throttles += !p->fault && p->throttle;
	s->errors += !p->fault && !p->throttle && p->error;
	struct slot **at = &s->slots;
	while (*at && (*at)->value < value)
		at = &(*at)->next;
	if (!*at || (*at)->value > value) {
		struct slot *fresh = arena_new(s->mem, struct slot);
		*fresh = (struct slot){ value, 0, *at };
		*at = fresh;
	}
	(*at)->count++;
}

static node *node_of(graph *g, str name, str type, bool client)
{
	for (node *n = g->nodes; n; n = n->next)
		if (n->client == client && str_eq(n->name, name) && str_eq(n->type, type))
			return n;
	node *n = arena_new(g->mem, node);
	*n = (node){ .name = name, .type = type, .client = client, .reference = g->n++, .stats.mem = g->mem,
		     .last_edge = &n->edges };
	*g->last = n;
	g->last = &n->next;
	return n;
}

static edge *edge_of(graph *g, node *from, node *to)
{
	for (edge *e = from->edges; e; e = e->next)
		if (e->to == to)
			return e;
	edge *e = arena_new(g->mem, edge);
	*e = (edge){ .to = to, .stats.mem = g->mem };
	*from->last_edge = e;
	from->last_edge = &e->next;
	return e;
}

void graph_add(graph *g, const view *v)
{
	view_call *calls;
	size_t n = view_calls(v, g->mem, &calls);
	for (size_t i = 0; i < n; i++) {
		const view_call *c = &calls[i];
		node *to = node_of(g, c->to->name, c->to->type, false);
		to->own = to->own || !c->to->owner;
		to->root = to->root || !c->from;
		stats_add(&to->stats, c->to);
		node *from = c->from ? node_of(g, c->from->name, c->from->type, false) :
				       node_of(g, c->to->name, S("client"), true);
		stats_add(&edge_of(g, from, to)->stats, c->by);
		if (!c->from)
			stats_add(&from->stats, c->by);
	}
}

static xray_ErrorStatistics *errors_of(const stats *s)
{
	xray_ErrorStatistics *e = arena_new(s->mem, xray_ErrorStatistics);
	*e = (xray_ErrorStatistics){ I64(s->throttles), I64(s->errors), I64(s->throttles + s->errors) };
	return e;
}

static xray_FaultStatistics *faults_of(const stats *s)
{
	xray_FaultStatistics *f = arena_new(s->mem, xray_FaultStatistics);
	*f = (xray_FaultStatistics){ I64(s->faults), I64(s->faults) };
	return f;
}

xray_ServiceStatistics *stats_of_service(const stats *s)
{
	xray_ServiceStatistics *out = arena_new(s->mem, xray_ServiceStatistics);
	*out = (xray_ServiceStatistics){ .OkCount = I64(s->total - s->faults - s->throttles - s->errors),
		                         .ErrorStatistics = errors_of(s), .FaultStatistics = faults_of(s),
		                         .TotalCount = I64(s->total), .TotalResponseTime = F64(s->seconds) };
	return out;
}

xray_EdgeStatistics *stats_of_edge(const stats *s)
{
	xray_EdgeStatistics *out = arena_new(s->mem, xray_EdgeStatistics);
	*out = (xray_EdgeStatistics){ .OkCount = I64(s->total - s->faults - s->throttles - s->errors),
		                      .ErrorStatistics = errors_of(s), .FaultStatistics = faults_of(s),
		                      .TotalCount = I64(s->total), .TotalResponseTime = F64(s->seconds) };
	return out;
}

xray_Histogram stats_histogram(const stats *s)
{
	size_t n = 0;
	for (const struct slot *x = s->slots; x; x = x->next)
		n++;
	xray_Histogram h = { arena_array(s->mem, xray_HistogramEntry, n + 1), 0 };
	for (const struct slot *x = s->slots; x; x = x->next)
		h.v[h.n++] = (xray_HistogramEntry){ F64(x->value), I64(x->count) };
	return h;
}

static opt_time moment(double seconds)
{
	return (opt_time)TIME((int64_t)(seconds * 1000));
}

static xray_Edge described_edge(const edge *e)
{
	return (xray_Edge){ .ReferenceId = I64(e->to->reference), .StartTime = moment(e->stats.first),
		            .EndTime = moment(e->stats.last), .SummaryStatistics = stats_of_edge(&e->stats),
		            .ResponseTimeHistogram = stats_histogram(&e->stats),
		            .Aliases = { arena_new(e->stats.mem, xray_Alias), 0 } };
}

static xray_Service described(const graph *g, const node *n)
{
	xray_Service s = { .ReferenceId = I64(n->reference), .Name = n->name, .Type = n->type,
		           .AccountId = n->own ? g->account : STR_NONE, .State = n->own ? S("active") : S("unknown"),
		           .StartTime = moment(n->stats.first), .EndTime = moment(n->stats.last),
		           .SummaryStatistics = stats_of_service(&n->stats),
		           .ResponseTimeHistogram = stats_histogram(&n->stats),
		           .DurationHistogram = stats_histogram(&n->stats) };
	size_t edges = 0;
	if (n->root)
		s.Root = BOOL(true);
	s.Names.v = arena_new(g->mem, str);
	s.Names.v[s.Names.n++] = n->name;
	for (const edge *e = n->edges; e; e = e->next)
		edges++;
	s.Edges.v = arena_array(g->mem, xray_Edge, edges + 1);
	for (const edge *e = n->edges; e; e = e->next)
		s.Edges.v[s.Edges.n++] = described_edge(e);
	return s;
}

void graph_services(const graph *g, xray_ServiceList *out)
{
	*out = (xray_ServiceList){ arena_array(g->mem, xray_Service, (size_t)g->n + 1), 0 };
	for (const node *n = g->nodes; n; n = n->next)
		out->v[out->n++] = described(g, n);
}
