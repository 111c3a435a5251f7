/* Opens a service's files and, when they are read, resolves references and computes layouts. */
#include "tools/apifile.h"
#include "tools/apifile_parse.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A file of facts is far below this; larger is a mistake. */
#define FILE_MAX (64L << 20)

/* *text is NULL when there is no such file. */
static err read_file(arena *a, str path, char **text)
{
	*text = NULL;
	FILE *f = fopen(arena_str(a, path).p, "rb");
	if (!f && errno == ENOENT)
		return OK;
	if (!f)
		return fault_new(a, &fault_system, "%.*s: %s", STR_ARG(path), strerror(errno));
	err e = OK;
	long n = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
	if (n < 0 || n > FILE_MAX || fseek(f, 0, SEEK_SET) != 0) {
		e = fault_new(a, &fault_system, "%.*s: not a file of facts", STR_ARG(path));
	} else {
		char *p = arena_bytes(a, (size_t)n + 1);
		size_t got = fread(p, 1, (size_t)n, f);
		p[got] = 0;
		if (got != (size_t)n)
			e = fault_new(a, &fault_system, "%.*s: short read", STR_ARG(path));
		*text = p;
	}
	fclose(f);
	return e;
}

static str sibling(arena *a, str path, const char *suffix)
{
	return arena_fmt(a, "%.*s%s", (int)(path.n - (sizeof ".api" - 1)), path.p, suffix);
}

static err open_files(arena *a, str path, bool with_def, apifile **out)
{
	apifile *api = arena_new(a, apifile);
	parser p = { .mem = a, .api = api, .names = map_in(a, 256), .ops = map_in(a, 64),
	             .last_shape = &api->shapes, .last_record = &api->records,
	             .last_meter = &api->meters, .last_limit = &api->limits };
	p.last_op = &p.first_op;
	char *text;
	if (!str_ends(path, S(".api")))
		return fault_new(a, &fault_syntax, "%.*s: not an .api file", STR_ARG(path));
	TRY(read_file(a, path, &text));
	if (!text)
		return fault_new(a, &fault_system, "%.*s: no such file", STR_ARG(path));
	TRY(apifile_parse(&p, arena_str(a, path).p, text, LAYER_API));
	str patch = sibling(a, path, ".patch"), def = sibling(a, path, ".def");
	TRY(read_file(a, patch, &text));
	if (text)
		TRY(apifile_parse(&p, patch.p, text, LAYER_PATCH));
	if (with_def) {
		TRY(read_file(a, def, &text));
		if (text) {
			api->def_file = def.p;
			TRY(apifile_parse(&p, def.p, text, LAYER_DEF));
		}
	}
	if (!api->service.name)
		return fault_new(a, &fault_syntax, "%.*s:1: no service line", STR_ARG(path));
	TRY(apifile_finish(&p));
	*out = api;
	return OK;
}

err apifile_open(arena *a, str path, apifile **out)
{
	return open_files(a, path, true, out);
}

service *apifile_load(arena *a, str path, err *why)
{
	apifile *api;
	*why = open_files(a, path, false, &api);
	return *why ? NULL : &api->service;
}

/* Size and alignment of a value of this shape where it stands by value (lists, maps). */
static size_t value_align(const shape *s)
{
	if (s->kind == SHAPE_BOOLEAN)
		return _Alignof(opt_bool);
	if (s->kind == SHAPE_STRUCT && s->n_members == 0)
		return 1;
	if (s->kind == SHAPE_STRUCT) {
		for (size_t i = 0; i < s->n_members; i++)
			if (s->members[i].shape->kind != SHAPE_BOOLEAN)
				return _Alignof(str);
		return _Alignof(opt_bool);
	}
	return _Alignof(str);
}

static uint32_t plain_size(const shape *s)
{
	switch ((shape_kind)s->kind) {
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return sizeof(opt_i64);
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return sizeof(opt_f64);
	case SHAPE_BOOLEAN:
		return sizeof(opt_bool);
	case SHAPE_TIMESTAMP:
		return sizeof(opt_time);
	case SHAPE_LIST:
	case SHAPE_MAP:
		return sizeof(struct { void *v; size_t n; });
	case SHAPE_STRUCT:
		return 0;
	default:
		return sizeof(str);
	}
}

static size_t rounded(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static void structure_layout(shape *s)
{
	size_t at = 0;
	shape_member *members = (shape_member *)(uintptr_t)s->members;
	for (size_t i = 0; i < s->n_members; i++) {
		const shape *t = members[i].shape;
		bool pointer = t->kind == SHAPE_STRUCT;
		at = rounded(at, pointer ? _Alignof(void *) : value_align(t));
		members[i].offset = (uint16_t)at;
		at += pointer ? sizeof(void *) : plain_size(t);
	}
	ensure(at <= UINT16_MAX);
	s->size = s->n_members ? (uint32_t)rounded(at, value_align(s)) : 1;
}

/* `{ str key; T value; }` */
static void map_layout(shape *s)
{
	size_t align = value_align(s->element);
	size_t at = rounded(sizeof(str), align);
	s->value_offset = (uint32_t)at;
	s->entry_size = (uint32_t)rounded(at + s->element->size, _Alignof(str));
}

/* EC2 capitalises the names of request members that have a wire name. */
static const char *ec2_name(arena *a, const shape_member *m)
{
	if (m->query_name || m->place != IN_BODY || strcmp(m->wire_name, m->name) == 0)
		return m->query_name;
	str name = arena_str(a, str_c(m->wire_name));
	char *first = (char *)(uintptr_t)name.p;
	if (*first >= 'a' && *first <= 'z')
		*first = (char)(*first - 'a' + 'A');
	return strcmp(name.p, m->wire_name) == 0 ? NULL : name.p;
}

static void shape_defaults(parser *p, shape *s)
{
	if (s->kind == SHAPE_LIST && !s->element_name && !s->flattened)
		s->element_name = "member";
	if (s->kind == SHAPE_MAP) {
		s->key_name = s->key_name ? s->key_name : "key";
		s->element_name = s->element_name ? s->element_name : "value";
	}
	shape_member *members = (shape_member *)(uintptr_t)s->members;
	if (p->api->service.protocol == PROTOCOL_EC2)
		for (size_t i = 0; i < s->n_members; i++)
			members[i].query_name = ec2_name(p->mem, &members[i]);
}

static bool payload_streams(const shape *s)
{
	if (!s || !s->payload)
		return false;
	const shape_member *m = shape_member_find(s, str_c(s->payload));
	return m && m->shape->kind == SHAPE_BLOB && m->shape->streaming;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const operation *)a)->name, ((const operation *)b)->name);
}

static err check_shape(parser *p, const api_shape *s)
{
	const shape *t = &s->shape;
	if (!s->declared)
		return fault_new(p->mem, &fault_syntax, "%s:%d: %s is not declared", s->file, s->line,
		                 t->name);
	if (t->kind == SHAPE_MAP && t->key->kind != SHAPE_STRING && t->key->kind != SHAPE_ENUM)
		return fault_new(p->mem, &fault_syntax, "%s:%d: the keys of %s are not strings", s->file,
		                 s->line, t->name);
	if (t->payload && !shape_member_find(t, str_c(t->payload)))
		return fault_new(p->mem, &fault_syntax, "%s:%d: %s has no member %s", s->file, s->line,
		                 t->name, t->payload);
	return OK;
}

static err operations_finish(parser *p)
{
	service *s = &p->api->service;
	operation *all = arena_array(p->mem, operation, p->n_ops + 1);
	size_t n = 0;
	bool query = s->protocols & (1u << PROTOCOL_QUERY);
	for (api_op *op = p->first_op; op; op = op->next) {
		operation *o = &op->operation;
		if ((o->input && o->input->kind != SHAPE_STRUCT)
		    || (o->output && o->output->kind != SHAPE_STRUCT))
			return fault_new(p->mem, &fault_syntax, "%s:1: %s: what travels is no struct", p->file,
			                 o->name);
		for (const shape *const *e = o->errors; e && *e; e++)
			if (!(*e)->fault)
				return fault_new(p->mem, &fault_syntax, "%s:1: %s: %s is no error", p->file,
				                 o->name, (*e)->name);
		if (query && o->output && !o->result_wrapper)
			o->result_wrapper = arena_fmt(p->mem, "%sResult", o->name).p;
		o->input_streams = payload_streams(o->input);
		o->output_streams = payload_streams(o->output);
		all[n++] = *o;
	}
	qsort(all, n, sizeof *all, by_name);
	s->operations = all;
	s->n_operations = (uint16_t)n;
	return OK;
}

err apifile_finish(parser *p)
{
	service *s = &p->api->service;
	if (!s->protocols)
		s->protocols = (uint8_t)(1u << s->protocol);
	for (api_shape *t = p->api->shapes; t; t = t->next)
		TRY(check_shape(p, t));
	for (api_shape *t = p->api->shapes; t; t = t->next) {
		shape_defaults(p, &t->shape);
		t->shape.size = plain_size(&t->shape);
		if (t->shape.kind == SHAPE_STRUCT)
			structure_layout(&t->shape);
	}
	for (api_shape *t = p->api->shapes; t; t = t->next)
		if (t->shape.kind == SHAPE_MAP)
			map_layout(&t->shape);
	return operations_finish(p);
}
