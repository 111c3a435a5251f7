/*
 * Filters: a name picks members of the structure, a value may hold * and ?. Most names are the member's wire
 * name with hyphens (instance-type of instanceType); kinds.c lists the others.
 */
#include "base/time.h"
#include "faults.h"
#include "kinds.h"

#define NAME_MAX_BYTES 128
#define FILTERS_MAX 50
#define VALUES_MAX 200 /* of all filters together */

typedef struct wanted {
	arena *mem;
	const ec2_ValueStringList *values; /* NULL: `exact`, which is no pattern */
	str exact;
} wanted;

static bool value_fits(const wanted *w, str text)
{
	if (!w->values)
		return str_eq(w->exact, text);
	for (size_t i = 0; i < w->values->n; i++)
		if (str_glob(w->values->v[i], text))
			return true;
	return false;
}

static bool scalar_fits(const wanted *w, const shape *s, const void *at)
{
	switch (s->kind) {
	case SHAPE_STRING:
	case SHAPE_ENUM:
		return str_is(*(const str *)at) && value_fits(w, *(const str *)at);
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return ((const opt_i64 *)at)->set &&
		       value_fits(w, arena_fmt(w->mem, "%lld", (long long)((const opt_i64 *)at)->v));
	case SHAPE_BOOLEAN:
		return value_fits(w, ((const opt_bool *)at)->v ? S("true") : S("false"));
	case SHAPE_TIMESTAMP:
		return ((const opt_time *)at)->set && value_fits(w, time_iso_ms(w->mem, ((const opt_time *)at)->v));
	default:
		return false;
	}
}

static const shape_member *member_by_wire(const shape *s, str wire)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (str_eq(str_c(s->members[i].wire_name), wire))
			return &s->members[i];
	return NULL;
}

/* `at` is where a member of the shape stands: a structure by pointer, a list by value. */
static bool path_fits(const wanted *w, const shape *s, const void *at, str path)
{
	if (s->kind == SHAPE_LIST) {
		const struct { const char *v; size_t n; } *list = at;
		for (size_t i = 0; i < list->n; i++) {
			const void *element = list->v + i * s->element->size;
			if (s->element->kind == SHAPE_STRUCT ? path_fits(w, s->element, &element, path) :
			                                       path_fits(w, s->element, element, path))
				return true;
		}
		return false;
	}
	if (s->kind != SHAPE_STRUCT)
		return scalar_fits(w, s, at);
	const char *it = *(const char *const *)at;
	const shape_member *m = it ? member_by_wire(s, str_cut(&path, '.')) : NULL;
	return m && path_fits(w, m->shape, it + m->offset, str_is(path) ? path : S(""));
}

bool path_is(arena *mem, const shape *s, const void *it, const char *path, str text)
{
	wanted w = { .mem = mem, .exact = text };
	return path_fits(&w, s, &it, str_c(path));
}

/* instance-type: instanceType */
static str camel(arena *mem, str name)
{
	char *p = arena_bytes(mem, name.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < name.n; i++) {
		bool up = name.p[i] == '-' && i + 1 < name.n;
		i += up;
		p[n++] = up && name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] - 32) : name.p[i];
	}
	return (str){ p, n };
}

static str path_of(arena *mem, const resource_kind *k, str name)
{
	for (const filter_path *p = k->filters; p->filter; p++)
		if (str_eq(name, str_c(p->filter)))
			return str_c(p->path);
	str wire = camel(mem, name);
	return member_by_wire(k->shape, wire) ? wire : STR_NONE;
}

static bool tag_fits(const wanted *w, const resource_kind *k, const void *it, str key)
{
	const shape_member *m = tags_member(k->shape);
	const ec2_TagList *tags = m ? (const ec2_TagList *)((const char *)it + m->offset) : NULL;
	for (size_t i = 0; tags && i < tags->n; i++)
		if (str_is(key) ? str_eq(tags->v[i].Key, key) && value_fits(w, tags->v[i].Value) :
		                  value_fits(w, tags->v[i].Key))
			return true;
	return false;
}

/* Each is held against every resource: AWS bounds them. */
static err check_limits(req *rq, const ec2_FilterList *filters)
{
	size_t values = 0;
	bool fits = filters->n <= FILTERS_MAX;
	for (size_t i = 0; fits && i < filters->n; i++)
		values += filters->v[i].Values.n;
	return fits && values <= VALUES_MAX ? OK : fail(rq, &ec2_FilterLimitExceeded, "The maximum number of "
	                                                "filters or filter values has been exceeded.");
}

err filters_pass(req *rq, const resource_kind *k, const ec2_FilterList *filters, const void *it, bool *passes)
{
	*passes = true;
	if (filters)
		TRY(check_limits(rq, filters));
	for (size_t i = 0; filters && i < filters->n; i++) {
		str name = filters->v[i].Name;
		wanted w = { .mem = rq->mem, .values = &filters->v[i].Values };
		bool fits;
		if (str_starts(name, S("tag:"))) {
			fits = tag_fits(&w, k, it, str_sub(name, 4, name.n));
		} else if (str_eq(name, S("tag-key"))) {
			fits = tag_fits(&w, k, it, STR_NONE);
		} else {
			str path = str_is(name) && name.n <= NAME_MAX_BYTES ? path_of(rq->mem, k, name) : STR_NONE;
			if (!str_is(path))
				return fail(rq, &ec2_InvalidParameterValue, "The filter '%.*s' is invalid", STR_ARG(name));
			fits = path_fits(&w, k->shape, &it, path);
		}
		*passes = *passes && fits;
	}
	return OK;
}
