#include "plan/model.h"
#include "base/map.h"
#include "plan/yaml.h"

#define MODULES_DEEP 32
#define VARIABLES_DEEP 16

/* One module of the configuration, with the call that made it. */
typedef struct module {
	const json_value *config;
	const json_value *arguments;  /* what the call passes; NULL for the root */
	str prefix;                   /* "module.a.module.b." */
	const struct module *outer;
} module;

/* An expression that a reference has led through. */
typedef struct passed {
	const json_value *expression;
	struct passed *next;
} passed;

typedef struct reader {
	plan *p;
	map references;               /* a configuration's address to its plan_reference */
	const json_value *providers, *variables;
	map regions;                  /* a configuration's address to its region */
	bool known;                   /* the document says in which region the rest is */
	passed *passed;               /* of the path that is being read */
} reader;

typedef struct reference_list {
	plan_reference *first;
} reference_list;

/* aws_x.y["a.b"].id: behind the next part, dots within brackets passed over. */
static size_t part_end(str s, size_t from)
{
	bool quoted = false, bracket = false;
	for (size_t i = from; i < s.n; i++) {
		char c = s.p[i];
		if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == ']'))
			bracket = c == '[';
		else if (c == '.' && !quoted && !bracket)
			return i;
	}
	return s.n;
}

/* Without what stands in brackets. */
static str without_indexes(arena *mem, str s)
{
	if (str_find_char(s, '[') == SIZE_MAX)
		return s;
	buf b = buf_in(mem, s.n, s.n);
	bool quoted = false, bracket = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '"' && bracket)
			quoted = !quoted;
		else if (c == '[' && !quoted)
			bracket = true;
		else if (!bracket)
			buf_c(&b, c);
		if (c == ']' && !quoted)
			bracket = false;
	}
	return buf_str(&b);
}

/* aws_x.y of aws_x.y["a"], and the index itself. */
static str without_last_index(str s, str *index)
{
	size_t from = 0, end = part_end(s, 0);
	while (end < s.n) {
		from = end + 1;
		end = part_end(s, from);
	}
	size_t open = str_find_char(str_sub(s, from, s.n), '[');
	*index = open == SIZE_MAX ? STR_NONE : str_sub(s, from + open, s.n);
	return open == SIZE_MAX ? s : str_sub(s, 0, from + open);
}

static void refer(reader *r, str address, str path, str target)
{
	reference_list *list = map_get(&r->references, address);
	if (!list) {
		list = arena_new(r->p->mem, reference_list);
		map_put(&r->references, address, list);
	}
	plan_reference one = { .path = path }, **at = &list->first;
	str name = without_last_index(target, &one.index);
	one.target = name.n ? without_indexes(r->p->mem, name) : target;
	for (; *at; at = &(*at)->next)
		if (str_eq((*at)->path, path) && str_eq((*at)->target, one.target) &&
		    str_eq((*at)->index, one.index))
			return;
	*at = arena_new(r->p->mem, plan_reference);
	**at = one;
}

static void refer_all(reader *r, const module *m, str address, str path, const json_value *names, int deep);

/* An expression of another module: what it refers to there. Once is enough, or the ways would multiply. */
static void refer_through(reader *r, const module *m, str address, str path, const json_value *expression,
                          int deep)
{
	for (const passed *one = r->passed; one; one = one->next)
		if (one->expression == expression)
			return;
	if (!expression || deep >= VARIABLES_DEEP)
		return;
	passed *now = arena_new(r->p->mem, passed);
	*now = (passed){ expression, r->passed };
	r->passed = now;
	refer_all(r, m, address, path, json_get(expression, S("references")), deep + 1);
}

static void refer_to_output(reader *r, const module *m, str address, str path, str name, int deep)
{
	size_t first = part_end(name, 7);
	str called = str_sub(name, 7, first), rest = str_sub(name, first + 1, name.n), index;
	called = without_last_index(called, &index);
	str output = str_sub(rest, 0, part_end(rest, 0));
	const json_value *call = json_get(json_get(m->config, S("module_calls")), called);
	const json_value *config = json_get(call, S("module"));
	if (!config || !output.n)
		return;
	module inner = { .config = config, .arguments = json_get(call, S("expressions")), .outer = m,
		         .prefix = arena_fmt(r->p->mem, "%.*smodule.%.*s.", STR_ARG(m->prefix), STR_ARG(called)) };
	const json_value *o = json_get(json_get(config, S("outputs")), output);
	refer_through(r, &inner, address, path, json_get(o, S("expression")), deep);
}

static void refer_to(reader *r, const module *m, str address, str path, str name, int deep)
{
	arena *mem = r->p->mem;
	size_t first = part_end(name, 0);
	str head = str_sub(name, 0, first), rest = str_sub(name, first + 1, name.n);
	if (str_eq(head, S("var"))) {
		str variable = str_sub(rest, 0, part_end(rest, 0)), index;
		if (m->outer)
			refer_through(r, m->outer, address, path,
			              json_get(m->arguments, without_last_index(variable, &index)), deep);
	} else if (str_eq(head, S("module")) && m->config && rest.n) {
		refer_to_output(r, m, address, path, name, deep);
	} else if (str_eq(head, S("count")) || str_eq(head, S("each"))) {
		refer(r, address, path, S("[]"));
	} else if (rest.n && str_find_char(head, '_') != SIZE_MAX) {
		str target = str_sub(name, 0, first + 1 + part_end(rest, 0));
		refer(r, address, path, m->prefix.n ? arena_concat(mem, m->prefix, target) : target);
	} else if (str_eq(head, S("module"))) {
		/* Without a configuration, an address of a resource within a module. */
		refer(r, address, path, name);
	}
}

static void refer_all(reader *r, const module *m, str address, str path, const json_value *names, int deep)
{
	for (const json_value *n = names ? names->first : NULL; n; n = n->next)
		if (n->kind == JSON_STRING)
			refer_to(r, m, address, path, n->text, deep);
}

/* The expressions of a block, at any depth. */
static void read_expressions(reader *r, const module *m, str address, str path, const json_value *v)
{
	const json_value *names = json_get(v, S("references"));
	r->passed = NULL;
	if (names && names->kind == JSON_ARRAY)
		refer_all(r, m, address, path, names, 0);
	if (!v || (v->kind != JSON_OBJECT && v->kind != JSON_ARRAY))
		return;
	for (const json_value *c = v->first; c; c = c->next) {
		if (c->kind != JSON_OBJECT && c->kind != JSON_ARRAY)
			continue;
		bool named = v->kind == JSON_OBJECT && !(c == names);
		str inner = !named ? path : path.n
			? arena_fmt(r->p->mem, "%.*s.%.*s", STR_ARG(path), STR_ARG(c->key)) : c->key;
		if (c != names)
			read_expressions(r, m, address, inner, c);
	}
}

/* The region that a provider's configuration says, by itself or by a variable of the root. */
static str provider_region(const reader *r, str key)
{
	const json_value *e = json_get(json_get(json_get(r->providers, key), S("expressions")), S("region"));
	const json_value *said = json_get(e, S("constant_value")), *names = json_get(e, S("references"));
	if (!said && names && names->first && str_starts(names->first->text, S("var."))) {
		str name = str_sub(names->first->text, 4, names->first->text.n);
		said = json_get(json_get(r->variables, name), S("value"));
	}
	return said && said->kind == JSON_STRING ? said->text : STR_NONE;
}

static void read_config(reader *r, const module *m, int deep)
{
	arena *mem = r->p->mem;
	const json_value *list = json_get(m->config, S("resources"));
	const json_value *calls = json_get(m->config, S("module_calls"));
	for (const json_value *c = list ? list->first : NULL; c; c = c->next) {
		const json_value *name = json_get(c, S("address")), *key = json_get(c, S("provider_config_key"));
		if (!name || name->kind != JSON_STRING)
			continue;
		str address = m->prefix.n ? arena_concat(mem, m->prefix, name->text) : name->text;
		str region = key ? provider_region(r, key->text) : STR_NONE;
		if (region.n) {
			str *kept = arena_new(mem, str);
			*kept = region;
			map_put(&r->regions, address, kept);
		}
		read_expressions(r, m, address, S(""), json_get(c, S("expressions")));
	}
	for (const json_value *c = calls ? calls->first : NULL; c && deep < MODULES_DEEP; c = c->next) {
		module inner = { .config = json_get(c, S("module")), .arguments = json_get(c, S("expressions")),
			         .outer = m,
			         .prefix = arena_fmt(mem, "%.*smodule.%.*s.", STR_ARG(m->prefix),
			                             STR_ARG(c->key)) };
		read_config(r, &inner, deep + 1);
	}
}

/* What a member says, or else `otherwise`. */
static str text_or(const json_value *v, str key, str otherwise)
{
	const json_value *said = json_get(v, key);
	return said && said->kind == JSON_STRING && said->text.n ? said->text : otherwise;
}

static plan_resource *add(plan *p, str address, str type, const json_value *values)
{
	plan_resource *r = arena_new(p->mem, plan_resource);
	*r = (plan_resource){ .address = address, .type = type, .region = p->region, .values = values,
		              .config = without_indexes(p->mem, address) };
	without_last_index(address, &r->index);
	if (p->last)
		p->last->next = r;
	else
		p->first = r;
	p->last = r;
	p->n++;
	return r;
}

/* arn:aws:rds:eu-west-1:...: empty for what is in no region, and for what is no ARN. */
static str region_of_arn(str arn)
{
	str part = S("");
	if (!str_starts(arn, S("arn:")))
		return part;
	for (int i = 0; i < 4; i++)
		part = str_is(arn) ? str_cut(&arn, ':') : S("");
	return part;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* us-east-1 of us-east-1a, us-west-2 of us-west-2-lax-1a: up to its first number. */
static str region_of_zone(str zone)
{
	size_t n = 0;
	while (n < zone.n && !is_digit(zone.p[n]))
		n++;
	while (n < zone.n && is_digit(zone.p[n]))
		n++;
	return n < zone.n ? str_sub(zone, 0, n) : S("");
}

/* What a resource itself says, or else its provider, or else the zone that it is in. */
static str region_of(reader *r, const plan_resource *one)
{
	const str *configured = map_get(&r->regions, one->config);
	str said = text_or(one->values, S("region"), region_of_arn(text_or(one->values, S("arn"), S(""))));
	if (!said.n && configured)
		said = *configured;
	if (!said.n && !r->known)
		said = region_of_zone(text_or(one->values, S("availability_zone"), S("")));
	r->p->guessed |= !said.n && !r->known && str_starts(one->type, S("aws_"));
	return said.n ? said : r->p->region;
}

/* False: it is none. */
static bool read_resource(reader *r, const json_value *v)
{
	const json_value *address = json_get(v, S("address")), *type = json_get(v, S("type"));
	const json_value *mode = json_get(v, S("mode"));
	if (mode && !str_eq(mode->text, S("managed")))
		return true;
	if (!address || address->kind != JSON_STRING || !type || type->kind != JSON_STRING)
		return false;
	plan_resource *one = add(r->p, address->text, type->text, json_get(v, S("values")));
	const reference_list *refs = map_get(&r->references, one->config);
	if (!refs)
		refs = map_get(&r->references, address->text);
	one->references = refs ? refs->first : NULL;
	one->region = region_of(r, one);
	return true;
}

static err read_resources(reader *r, const json_value *list)
{
	size_t i = 0;
	if (list && list->kind != JSON_ARRAY)
		return fault_new(r->p->mem, &fault_syntax, "resources is no list");
	for (const json_value *v = list ? list->first : NULL; v; v = v->next, i++)
		if (!read_resource(r, v))
			return fault_new(r->p->mem, &fault_syntax, "resource %zu of %zu has no address or no type",
			                 i + 1, list->n);
	return OK;
}

static err read_module(reader *r, const json_value *m, int deep)
{
	const json_value *children = json_get(m, S("child_modules"));
	if (deep > MODULES_DEEP)
		return fault_new(r->p->mem, &fault_syntax, "modules are nested more than %d deep", MODULES_DEEP);
	TRY(read_resources(r, json_get(m, S("resources"))));
	for (const json_value *c = children ? children->first : NULL; c; c = c->next)
		TRY(read_module(r, c, deep + 1));
	return OK;
}

/* "module.a[0].module.b." of an address within modules. */
static str module_prefix(str address)
{
	size_t from = 0, end;
	while (str_starts(str_sub(address, from, address.n), S("module.")) &&
	       (end = part_end(address, from + 7)) < address.n)
		from = end + 1;
	return str_sub(address, 0, from);
}

/* {address: {path: [address, ...]}}; names within a module may be the module's own. */
static void read_references(reader *r, const json_value *all)
{
	module root = { .prefix = S("") };
	for (const json_value *one = all && all->kind == JSON_OBJECT ? all->first : NULL; one; one = one->next) {
		module own = { .prefix = without_indexes(r->p->mem, module_prefix(one->key)) };
		for (const json_value *p = one->kind == JSON_OBJECT ? one->first : NULL; p; p = p->next) {
			str path = without_indexes(r->p->mem, p->key);
			refer_all(r, &root, one->key, path, p, 0);
			if (own.prefix.n)
				refer_all(r, &own, one->key, path, p, 0);
		}
	}
}

err plan_read(arena *mem, str text, str region, plan **out)
{
	const json_value *all = json_parse(mem, text);
	if (!all || all->kind != JSON_OBJECT)
		return fault_new(mem, &fault_syntax,
		                 "this is no JSON object: make one with terraform show -json PLAN");
	plan *p = arena_new(mem, plan);
	*p = (plan){ .mem = mem, .region = text_or(all, S("region"), region),
		     .usage = json_get(all, S("usage")), .type_usage = json_get(all, S("type_usage")) };
	reader r = { .p = p, .references = map_in(mem, 64), .regions = map_in(mem, 64) };
	const json_value *config = json_get(all, S("configuration")), *list = json_get(all, S("resources"));
	const json_value *planned = json_get(all, S("planned_values"));
	if (!planned)
		planned = json_get(all, S("values"));
	if (!list && !planned)
		return fault_new(mem, &fault_syntax, "no planned_values and no resources in it: make it with "
		                 "terraform plan -out=PLAN; terraform show -json PLAN");
	if (!list && planned->kind != JSON_OBJECT)
		return fault_new(mem, &fault_syntax, "planned_values is no object");
	r.providers = json_get(config, S("provider_config"));
	r.variables = json_get(all, S("variables"));
	module root = { .config = json_get(config, S("root_module")), .prefix = S("") };
	str own = provider_region(&r, S("aws"));
	r.known = own.n || json_get(all, S("region"));
	p->region = own.n ? own : p->region;
	read_config(&r, &root, 0);
	read_references(&r, json_get(all, S("references")));
	*out = p;
	return list ? read_resources(&r, list) : read_module(&r, json_get(planned, S("root_module")), 0);
}

err plan_read_usage(plan *p, str text)
{
	bool is_json = str_starts(str_trim(text), S("{")) || str_starts(str_trim(text), S("["));
	const json_value *all = is_json ? json_parse(p->mem, text) : NULL;
	if (!is_json)
		TRY(yaml_read(p->mem, text, &all));
	if (!all || all->kind != JSON_OBJECT)
		return fault_new(p->mem, &fault_syntax, "the usage is no JSON object of addresses");
	const json_value *own = json_get(all, S("resource_usage")), *types;
	types = json_get(all, S("resource_type_default_usage"));
	if (!own && !types) {
		own = json_get(all, S("usage"));
		types = json_get(all, S("type_usage"));
	}
	p->usage = own || types ? own : all;
	p->type_usage = types;
	return OK;
}

plan_resource *plan_add(plan *p, str address)
{
	str rest = address;
	return add(p, address, str_cut(&rest, '.'), NULL);
}

value pval_member(value v, str name)
{
	if (v.kind == VALUE_LIST)
		v = pval_at(v, 0);
	if (v.kind == VALUE_RESOURCE)
		return pval_of_json(json_get(v.resource->values, name));
	if (v.kind != VALUE_JSON)
		return NOTHING;
	/* A block that is written once is a list of one. */
	return pval_of_json(json_get(v.json->kind == JSON_ARRAY ? v.json->first : v.json, name));
}

value plan_value(const plan_resource *r, str path)
{
	value v = { .kind = VALUE_RESOURCE, .resource = r };
	while (str_is(path) && v.kind != VALUE_NONE)
		v = pval_member(v, str_cut(&path, '.'));
	return v;
}

const plan_resource *plan_find(const plan *p, str address)
{
	for (const plan_resource *r = p->first; r; r = r->next)
		if (str_eq(r->address, address))
			return r;
	return NULL;
}

typedef struct gathered {
	arena *mem;
	value *items;
	size_t n, capacity;
} gathered;

static void gather(gathered *g, const plan_resource *r)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].resource == r)
			return;
	if (g->n == g->capacity) {
		value *more = arena_array(g->mem, value, g->capacity = g->capacity * 2 + 8);
		if (g->n)
			memcpy(more, g->items, g->n * sizeof *more);
		g->items = more;
	}
	g->items[g->n++] = (value){ .kind = VALUE_RESOURCE, .resource = r };
}

static value gathered_list(const gathered *g)
{
	return (value){ .kind = VALUE_LIST, .items = g->items, .n = g->n };
}

/* `index`: which of several, where the path itself goes by an index. */
static bool is_target(const plan_reference *ref, const plan_resource *r, str index)
{
	str wanted = ref->index.n ? ref->index : index;
	return str_eq(ref->target, r->config) && (!wanted.n || !r->index.n || str_eq(wanted, r->index));
}

/* The resource's own index when the path says count.index or each.key, else empty. */
static str own_index(const plan_resource *r, str path)
{
	for (const plan_reference *ref = r->references; ref && r->index.n; ref = ref->next)
		if (str_eq(ref->target, S("[]")) && str_glob(path, ref->path))
			return r->index;
	return S("");
}

static bool has_value(const plan_resource *r, str key, str text)
{
	const json_value *v = json_get(r->values, key);
	return v && v->kind == JSON_STRING && v->text.n && str_eq(v->text, text);
}

static void gather_by_value(gathered *g, const plan *p, const plan_resource *self, value v)
{
	for (size_t i = 0; i < pval_count(v); i++) {
		value one = pval_at(v, i);
		for (const plan_resource *r = p->first; r && one.kind == VALUE_TEXT; r = r->next)
			if (r != self && (has_value(r, S("id"), one.text) || has_value(r, S("arn"), one.text) ||
			                  has_value(r, S("name"), one.text)))
				gather(g, r);
	}
}

value plan_refers(const plan *p, const plan_resource *r, str path, value by_value)
{
	gathered g = { .mem = p->mem };
	str index = own_index(r, path);
	for (const plan_reference *ref = r->references; ref; ref = ref->next)
		for (const plan_resource *t = str_glob(path, ref->path) ? p->first : NULL; t; t = t->next)
			if (is_target(ref, t, index))
				gather(&g, t);
	if (g.n == 0)
		gather_by_value(&g, p, r, by_value);
	return gathered_list(&g);
}

value plan_referrers(const plan *p, const plan_resource *r, str type, str path)
{
	gathered g = { .mem = p->mem };
	for (const plan_resource *one = p->first; one; one = one->next) {
		if (!str_glob(type, one->type))
			continue;
		for (const plan_reference *ref = one->references; ref; ref = ref->next)
			if (str_glob(path, ref->path) && is_target(ref, r, own_index(one, ref->path)))
				gather(&g, one);
	}
	return gathered_list(&g);
}

value plan_all(const plan *p, str type)
{
	gathered g = { .mem = p->mem };
	for (const plan_resource *one = p->first; one; one = one->next)
		if (str_glob(type, one->type))
			gather(&g, one);
	return gathered_list(&g);
}

value plan_siblings(const plan *p, const plan_resource *r, str type)
{
	gathered g = { .mem = p->mem };
	str own = module_prefix(r->address);
	for (const plan_resource *one = p->first; one; one = one->next)
		if (str_glob(type, one->type) && str_eq(module_prefix(one->address), own))
			gather(&g, one);
	return gathered_list(&g);
}

/* What is said under a key with stars, module.m[*].aws_x.y[*]: by the first that fits and knows it. */
static const json_value *starred_usage(const plan *p, str address, str key)
{
	const json_value *u = p->usage && p->usage->kind == JSON_OBJECT ? p->usage->first : NULL, *v = NULL;
	for (; u && !v; u = u->next)
		if (str_find_char(u->key, '*') != SIZE_MAX && str_glob(u->key, address))
			v = json_get(u, key);
	return v;
}

const json_value *plan_usage(const plan *p, const plan_resource *r, str key)
{
	const json_value *v = json_get(json_get(p->usage, r->address), key);
	if (!v)
		v = starred_usage(p, r->address, key);
	if (!v)
		v = json_get(json_get(p->usage, r->type), key);
	return v ? v : json_get(json_get(p->type_usage, r->type), key);
}

bool plan_usage_fits(const plan *p, str key)
{
	bool starred = str_find_char(key, '*') != SIZE_MAX;
	for (const plan_resource *r = p->first; r; r = r->next)
		if (str_eq(r->address, key) || str_eq(r->type, key) || (starred && str_glob(key, r->address)))
			return true;
	return false;
}
