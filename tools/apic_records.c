/* The typed face of cloud/record.h for each record of a .def. */
#include "tools/apic.h"

/* Strings of the model keep their place as plain strings in a row. */
static bool plain_string(const api_field *f)
{
	if (f->type != API_SHAPE)
		return f->type == API_STR;
	shape_kind k = (shape_kind)f->shape->shape.kind;
	return k == SHAPE_STRING || k == SHAPE_ENUM || k == SHAPE_BLOB || k == SHAPE_DOCUMENT;
}

static str field_type(buf *b, const apic_service *s, const api_field *f)
{
	if (plain_string(f))
		return S("str ");
	if (f->type == API_I64)
		return S("int64_t ");
	if (f->type == API_BOOL)
		return S("bool ");
	str type = apic_type(b->mem, s, &f->shape->shape);
	return arena_fmt(b->mem, "%.*s %s", STR_ARG(type),
	                 f->shape->shape.kind == SHAPE_STRUCT ? "*" : "");
}

static void key_parameters(buf *b, const apic_service *s, const api_record *r)
{
	for (int i = 0; i < r->n_keys; i++) {
		str type = field_type(b, s, &r->fields[i]);
		buf_fmt(b, ", %.*s%s", STR_ARG(type), apic_name(b->mem, r->fields[i].name));
	}
	buf_c(b, ')');
}

static void prototype(buf *b, const apic_service *s, const api_record *r, int which)
{
	const char *p = s->prefix, *n = r->name;
	if (which == 0) {
		buf_fmt(b, "%s_%s *%s_%s_get(const txn *tx, arena *mem", p, n, p, n);
	} else if (which == 1) {
		buf_fmt(b, "bool %s_%s_delete(txn *tx", p, n);
	} else {
		buf_fmt(b, "record_scan %s_%s_scan(const txn *tx, arena *mem, int parts", p, n);
	}
	key_parameters(b, s, r);
}

void apic_records_header(buf *b, const apic_service *s)
{
	const char *p = s->prefix;
	for (const api_record *r = s->api->records; r; r = r->next) {
		buf_fmt(b, "typedef struct %s_%s {\n", p, r->name);
		for (int i = 0; i < r->n_fields; i++) {
			str type = field_type(b, s, &r->fields[i]);
			buf_fmt(b, "\t%.*s%s;\n", STR_ARG(type), apic_name(b->mem, r->fields[i].name));
		}
		buf_fmt(b, "} %s_%s;\nextern const record_kind %s_%s_record;\n", p, r->name, p, r->name);
		for (int i = 0; i < 3; i++) {
			prototype(b, s, r, i);
			buf_put(b, S(";\n"));
		}
		buf_fmt(b, "static inline void %s_%s_put(txn *tx, const %s_%s *r)\n{\n", p, r->name, p,
		        r->name);
		buf_fmt(b, "\trecord_put(tx, &%s_%s_record, r);\n}\n", p, r->name);
		buf_fmt(b, "static inline %s_%s *%s_%s_next(record_scan *s)\n{\n", p, r->name, p, r->name);
		buf_put(b, S("\treturn record_scan_next(s);\n}\n\n"));
	}
}

static void field_table(buf *b, const apic_service *s, const api_record *r)
{
	buf_fmt(b, "static const record_field fields_%s[] = {\n", r->name);
	for (int i = 0; i < r->n_fields; i++) {
		const api_field *f = &r->fields[i];
		buf_fmt(b, "\t{ %d, offsetof(%s_%s, %s), ", f->number, s->prefix, r->name,
		        apic_name(b->mem, f->name));
		if (plain_string(f))
			buf_put(b, S("RECORD_STR, NULL"));
		else if (f->type == API_I64)
			buf_put(b, S("RECORD_I64, NULL"));
		else if (f->type == API_BOOL)
			buf_put(b, S("RECORD_BOOL, NULL"));
		else
			buf_fmt(b, "RECORD_SHAPE, &%s_%s_shape", s->prefix, f->shape->shape.name);
		buf_fmt(b, ", \"%s\" },\n", f->name);
	}
	buf_put(b, S("};\n"));
}

void apic_records_code(buf *b, const apic_service *s)
{
	static const char *const calls[] = {
		"record_get(tx, mem, ", "record_delete(tx, ", "record_scan_open(tx, mem, ",
	};
	const char *p = s->prefix;
	for (const api_record *r = s->api->records; r; r = r->next) {
		field_table(b, s, r);
		buf_fmt(b, "const record_kind %s_%s_record = { \"%s.%s\", ", p, r->name, s->folder,
		        r->name);
		buf_fmt(b, "sizeof(%s_%s), %d, %d, fields_%s };\n", p, r->name, r->n_keys, r->n_fields,
		        r->name);
		for (int i = 0; i < 3; i++) {
			prototype(b, s, r, i);
			buf_fmt(b, "\n{\n\tconst %s_%s key = { ", p, r->name);
			for (int k = 0; k < r->n_keys; k++) {
				const char *part = apic_name(b->mem, r->fields[k].name);
				buf_fmt(b, "%s.%s = %s", k ? ", " : "", part, part);
			}
			buf_put(b, S(" };\n"));
			buf_fmt(b, "\treturn %s&%s_%s_record, %s&key);\n}\n", calls[i], p, r->name,
			        i == 2 ? "parts, " : "");
		}
	}
}
