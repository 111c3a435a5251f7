/* gen/NAME.h: what handlers see of a service. */
#include "tools/apic.h"
#include <ctype.h>

/* The name itself, or with as many '_' behind it as make it new. */
static str unique(apic_service *s, str name)
{
	static char taken;
	while (map_get(&s->taken, name))
		name = arena_fmt(s->taken.mem, "%.*s_", STR_ARG(name));
	map_put(&s->taken, name, &taken);
	return name;
}

static bool has_type(const api_shape *t)
{
	return t->wanted && (t->shape.kind == SHAPE_STRUCT || t->shape.kind == SHAPE_LIST
	                     || t->shape.kind == SHAPE_MAP);
}

static void typedefs(buf *b, apic_service *s)
{
	for (const api_shape *t = s->api->shapes; t; t = t->next) {
		if (!has_type(t))
			continue;
		str type = unique(s, apic_type(b->mem, s, &t->shape));
		buf_fmt(b, "typedef struct %.*s %.*s;\n", STR_ARG(type), STR_ARG(type));
		if (t->shape.kind == SHAPE_MAP) {
			str entry = unique(s, arena_fmt(b->mem, "%.*s_entry", STR_ARG(type)));
			buf_fmt(b, "typedef struct %.*s %.*s;\n", STR_ARG(entry), STR_ARG(entry));
		}
	}
	buf_c(b, '\n');
}

static void collections(buf *b, const apic_service *s)
{
	for (const api_shape *t = s->api->shapes; t; t = t->next) {
		if (!has_type(t) || t->shape.kind == SHAPE_STRUCT)
			continue;
		str type = apic_type(b->mem, s, &t->shape), of;
		if (t->shape.kind == SHAPE_MAP)
			of = arena_fmt(b->mem, "%.*s_entry", STR_ARG(type));
		else
			of = apic_type(b->mem, s, t->shape.element);
		buf_fmt(b, "struct %.*s { %.*s *v; size_t n; };\n", STR_ARG(type), STR_ARG(of));
	}
	buf_c(b, '\n');
}

static void structures(buf *b, const apic_service *s)
{
	for (const api_shape *t = s->api->shapes; t; t = t->next) {
		if (!has_type(t) || t->shape.kind != SHAPE_STRUCT)
			continue;
		str type = apic_type(b->mem, s, &t->shape);
		buf_fmt(b, "struct %.*s {\n", STR_ARG(type));
		for (size_t i = 0; i < t->shape.n_members; i++) {
			const shape_member *m = &t->shape.members[i];
			str of = apic_type(b->mem, s, m->shape);
			buf_fmt(b, "\t%.*s %s%s;%s\n", STR_ARG(of), m->shape->kind == SHAPE_STRUCT ? "*" : "",
			        apic_name(b->mem, m->name), m->required ? " /* required */" : "");
		}
		if (t->shape.n_members == 0)
			buf_put(b, S("\tchar unused;\n"));
		buf_put(b, S("};\n"));
	}
	for (const api_shape *t = s->api->shapes; t; t = t->next) {
		if (!has_type(t) || t->shape.kind != SHAPE_MAP)
			continue;
		str type = apic_type(b->mem, s, &t->shape), of = apic_type(b->mem, s, t->shape.element);
		buf_fmt(b, "struct %.*s_entry { str key; %.*s value; };\n", STR_ARG(type), STR_ARG(of));
	}
	buf_c(b, '\n');
}

/* Identifiers that an enum's constant could look like. */
static void reserve(buf *b, apic_service *s)
{
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (t->wanted) {
			unique(s, arena_fmt(b->mem, "%s_%s_shape", s->prefix, t->shape.name));
			if (t->shape.fault)
				unique(s, arena_fmt(b->mem, "%s_%s", s->prefix, t->shape.name));
		}
	for (size_t i = 0; i < s->api->service.n_operations; i++) {
		const char *name = s->api->service.operations[i].name;
		unique(s, arena_fmt(b->mem, "%s_%s", s->prefix, name));
		unique(s, arena_fmt(b->mem, "%s_%s_in", s->prefix, name));
		unique(s, arena_fmt(b->mem, "%s_%s_out", s->prefix, name));
	}
}

static void enums(buf *b, apic_service *s)
{
	reserve(b, s);
	for (const api_shape *t = s->api->shapes; t; t = t->next) {
		if (!t->wanted || t->shape.kind != SHAPE_ENUM)
			continue;
		for (size_t i = 0; i < t->shape.n_values; i++) {
			str name = arena_fmt(b->mem, "%s_%s_%s", s->prefix, t->shape.name, t->shape.values[i]);
			for (char *c = (char *)(uintptr_t)name.p; *c; c++)
				if (!isalnum((unsigned char)*c))
					*c = '_';
			name = unique(s, name);
			buf_fmt(b, "#define %.*s S(", STR_ARG(name));
			apic_literal(b, t->shape.values[i]);
			buf_put(b, S(")\n"));
		}
	}
	buf_c(b, '\n');
}

/* Tables of single shapes, for codecs called by hand, and the kinds of fault. */
static void shapes_and_faults(buf *b, const apic_service *s)
{
	const char *p = s->prefix;
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (t->wanted)
			buf_fmt(b, "extern const shape %s_%s_shape;\n", p, t->shape.name);
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (t->wanted && t->shape.fault)
			buf_fmt(b, "extern const fault_kind %s_%s;\n", p, t->shape.name);
	buf_c(b, '\n');
}

static void operation_type(buf *b, const apic_service *s, const operation *o, const shape *t,
                           const char *suffix)
{
	if (t) {
		str type = apic_type(b->mem, s, t);
		buf_fmt(b, "typedef %.*s %s_%s_%s;\n", STR_ARG(type), s->prefix, o->name, suffix);
	} else {
		buf_fmt(b, "typedef struct %s_%s_%s { char unused; } %s_%s_%s;\n", s->prefix, o->name,
		        suffix, s->prefix, o->name, suffix);
	}
}

static void operations(buf *b, const apic_service *s)
{
	static const char *const transaction[] = {
		[KIND_WRITE] = "txn *tx, ", [KIND_READ] = "const txn *tx, ", [KIND_WAIT] = "",
	};
	for (size_t i = 0; i < s->api->service.n_operations; i++) {
		const operation *o = &s->api->service.operations[i];
		const apic_handler *h = &s->handlers[i];
		if (!h->kind)
			continue;
		operation_type(b, s, o, o->input, "in");
		operation_type(b, s, o, o->output, "out");
		buf_fmt(b, "err %s_%s(req *rq, %sconst %s_%s_in *in, %s_%s_out *out);\n", s->prefix,
		        o->name, transaction[h->kind], s->prefix, o->name, s->prefix, o->name);
	}
	buf_c(b, '\n');
}

static void meters_and_limits(buf *b, const apic_service *s)
{
	for (const api_meter *m = s->api->meters; m; m = m->next)
		buf_fmt(b, "extern const meter_kind %s;\n", m->constant);
	for (const api_limit *l = s->api->limits; l; l = l->next)
		if (l->value >= INT32_MIN && l->value <= INT32_MAX)
			buf_fmt(b, "#define %s %lld\n", l->constant, (long long)l->value);
		else
			buf_fmt(b, "#define %s INT64_C(%lld)\n", l->constant, (long long)l->value);
}

void apic_header(buf *b, apic_service *s)
{
	buf_fmt(b, "/* Made by tools/apic from src/svc/%s. */\n#pragma once\n", s->folder);
	buf_put(b, S("#include \"wire/shape.h\"\n#include \"cloud/req.h\"\n"
	             "#include \"cloud/record.h\"\n#include \"cloud/meter.h\"\n\n"));
	buf_fmt(b, "extern const service %s_service;\n\n", s->prefix);
	typedefs(b, s);
	collections(b, s);
	structures(b, s);
	enums(b, s);
	shapes_and_faults(b, s);
	operations(b, s);
	apic_records_header(b, s);
	meters_and_limits(b, s);
}
