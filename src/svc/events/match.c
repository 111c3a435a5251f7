/*
 * The rules and archives of a bus, compiled: rules that name their sources exactly are found by the event's
 * source, the others are asked each time. Kept in memory by bus until one of them changes; only the writer
 * thread is here.
 */
#include "base/map.h"
#include "bus.h"
#include "cloud/event_pattern.h"

#define SLOTS 64

typedef struct compiled_rule {
	const event_pattern *pattern;
	str name;
} compiled_rule;

typedef struct rule_link {
	const struct rule_link *next;
	const compiled_rule *rule;
} rule_link;

typedef struct compiled_bus {
	arena *mem;
	str arn;
	int64_t version;
	map by_source;         /* text -> rule_link */
	const rule_link *rest;
	const rule_link *archives; /* named by archive; a pattern of NULL wants everything */
} compiled_bus;

static compiled_bus slots[SLOTS];

static void add(compiled_bus *c, const compiled_rule *rule)
{
	str *sources;
	size_t n;
	if (!event_pattern_exact(rule->pattern, c->mem, S("source"), &sources, &n)) {
		rule_link *l = arena_new(c->mem, rule_link);
		*l = (rule_link){ c->rest, rule };
		c->rest = l;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const rule_link *first = map_get(&c->by_source, sources[i]);
		if (first && first->rule == rule)
			continue; /* named twice */
		rule_link *l = arena_new(c->mem, rule_link);
		*l = (rule_link){ first, rule };
		map_put(&c->by_source, sources[i], l);
	}
}

static void add_archives(compiled_bus *c, const txn *tx, arena *rows, const bus_name *b)
{
	str why;
	record_scan s = events_archive_scan(tx, rows, 2, b->account, b->region, STR_NONE);
	for (const events_archive *a; (a = events_archive_next(&s));) {
		if (!str_eq(a->Bus, c->arn))
			continue;
		compiled_rule *one = arena_new(c->mem, compiled_rule);
		one->name = arena_str(c->mem, a->Name);
		one->pattern = a->Pattern.n ? event_pattern_parse(c->mem, a->Pattern, &why) : NULL;
		rule_link *l = arena_new(c->mem, rule_link);
		*l = (rule_link){ c->archives, one };
		c->archives = l;
	}
}

static void compile(compiled_bus *c, const txn *tx, const bus_name *b, str arn, int64_t version)
{
	str why;
	arena *rows = arena_open(1 << 14);
	if (!c->mem)
		c->mem = arena_open(1 << 14);
	arena_reset(c->mem);
	c->arn = arena_str(c->mem, arn);
	c->version = version;
	c->by_source = map_in(c->mem, 64);
	c->rest = c->archives = NULL;
	record_scan s = events_rule_scan(tx, rows, 3, b->account, b->region, b->name, STR_NONE);
	for (events_rule *r; (r = events_rule_next(&s));) {
		if (!r->Pattern.n || !rule_enabled(r))
			continue;
		compiled_rule *rule = arena_new(c->mem, compiled_rule);
		*rule = (compiled_rule){ event_pattern_parse(c->mem, r->Pattern, &why), arena_str(c->mem, r->Name) };
		if (rule->pattern)
			add(c, rule);
	}
	add_archives(c, tx, rows, b);
	arena_close(rows);
}

/* NULL when the bus has neither rules nor archives. */
static const compiled_bus *compiled_of(const txn *tx, const bus_name *b)
{
	arena *mem = txn_arena(tx);
	const events_bus *bus = bus_get(tx, mem, b);
	if (!bus || !bus->Rules)
		return NULL;
	str arn = bus_arn(mem, b);
	compiled_bus *c = &slots[str_hash(arn) % SLOTS];
	if (!str_eq(c->arn, arn) || c->version != bus->Rules)
		compile(c, tx, b, arn, bus->Rules);
	return c;
}

void archives_matching(const txn *tx, const bus_name *b, const one_event *e,
                       void (*each)(void *context, str archive_name), void *context)
{
	const compiled_bus *c = compiled_of(tx, b);
	if (!c || !c->archives)
		return;
	const json_value *event = event_pattern_event(txn_arena(tx), json_parse(txn_arena(tx), e->json));
	for (const rule_link *l = c->archives; l; l = l->next)
		if (!l->rule->pattern || event_pattern_match(l->rule->pattern, event))
			each(context, l->rule->name);
}

void rules_matching(const txn *tx, const bus_name *b, const one_event *e,
                    void (*each)(void *context, str rule_name), void *context)
{
	const compiled_bus *c = compiled_of(tx, b);
	if (!c)
		return;
	const json_value *event = event_pattern_event(txn_arena(tx), json_parse(txn_arena(tx), e->json));
	const rule_link *lists[] = { map_get(&c->by_source, e->source), c->rest };
	for (size_t i = 0; i < 2; i++)
		for (const rule_link *l = lists[i]; l; l = l->next)
			if (event_pattern_match(l->rule->pattern, event))
				each(context, l->rule->name);
}
