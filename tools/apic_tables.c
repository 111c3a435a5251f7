/* gen/NAME.c: the tables of a service and the wrappers of its handlers; gen/registry.c. */
#include "tools/apic.h"

static void text_field(buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_fmt(b, ", .%s = ", name);
	apic_literal(b, value);
}

static void flag_field(buf *b, const char *name, bool value)
{
	if (value)
		buf_fmt(b, ", .%s = true", name);
}

static void member_table(buf *b, const apic_service *s, const shape *t)
{
	static const char *const places[] = {
		"IN_BODY", "IN_HEADER", "IN_HEADERS", "IN_QUERY", "IN_PATH", "IN_STATUS",
	};
	str type = apic_type(b->mem, s, t);
	buf_fmt(b, "static const shape_member members_%s[] = {\n", t->name);
	for (size_t i = 0; i < t->n_members; i++) {
		const shape_member *m = &t->members[i];
		buf_fmt(b, "\t{ \"%s\", ", m->name);
		apic_literal(b, m->wire_name);
		buf_fmt(b, ", .shape = &%s_%s_shape, .offset = offsetof(%.*s, %s)", s->prefix,
		        m->shape->name, STR_ARG(type), apic_name(b->mem, m->name));
		text_field(b, "query_name", m->query_name);
		if (m->place)
			buf_fmt(b, ", .place = %s", places[m->place]);
		if (m->time_format)
			buf_fmt(b, ", .time_format = %d", m->time_format);
		flag_field(b, "required", m->required);
		flag_field(b, "flattened", m->flattened);
		flag_field(b, "xml_attribute", m->xml_attribute);
		flag_field(b, "host_label", m->host_label);
		flag_field(b, "idempotency_token", m->idempotency_token);
		flag_field(b, "event_header", m->event_header);
		flag_field(b, "event_payload", m->event_payload);
		text_field(b, "xml_prefix", m->xml_prefix);
		text_field(b, "xml_uri", m->xml_uri);
		buf_put(b, S(" },\n"));
	}
	buf_put(b, S("};\n"));
}

static void value_table(buf *b, const shape *t, const char *what, const char *const *values)
{
	buf_fmt(b, "static const char *const %s_%s[] = {\n", what, t->name);
	for (size_t i = 0; i < t->n_values; i++) {
		buf_c(b, '\t');
		apic_literal(b, values[i]);
		buf_put(b, S(",\n"));
	}
	buf_put(b, S("};\n"));
}

static void collection_fields(buf *b, const apic_service *s, const shape *t)
{
	if (t->element)
		buf_fmt(b, ", .element = &%s_%s_shape", s->prefix, t->element->name);
	text_field(b, "element_name", t->element_name);
	if (t->kind == SHAPE_MAP) {
		str type = apic_type(b->mem, s, t);
		buf_fmt(b,
		        ", .entry_size = sizeof(%.*s_entry), .value_offset = offsetof(%.*s_entry, value)",
		        STR_ARG(type), STR_ARG(type));
		buf_fmt(b, ", .key = &%s_%s_shape", s->prefix, t->key->name);
		text_field(b, "key_name", t->key_name);
	}
}

/* The sizes are also those that tools/apifile.c computes: tests that load tables rely on it. */
static void shape_table(buf *b, const apic_service *s, const shape *t)
{
	static const char *const kinds[] = {
		"STRING",  "ENUM",      "BLOB",   "INTEGER", "LONG", "FLOAT",    "DOUBLE",
		"BOOLEAN", "TIMESTAMP", "STRUCT", "LIST",    "MAP",  "DOCUMENT",
	};
	if (t->n_members)
		member_table(b, s, t);
	if (t->n_values)
		value_table(b, t, "values", t->values);
	if (t->shown)
		value_table(b, t, "shown", t->shown);
	str type = apic_type(b->mem, s, t);
	if (t->kind == SHAPE_STRUCT)
		buf_fmt(b, "_Static_assert(sizeof(%.*s) == %u, \"layout\");\n", STR_ARG(type), t->size);
	if (t->kind == SHAPE_MAP)
		buf_fmt(b, "_Static_assert(sizeof(%.*s_entry) == %u, \"layout\");\n", STR_ARG(type),
		        t->entry_size);
	buf_fmt(b, "const shape %s_%s_shape = { \"%s\", SHAPE_%s, .size = sizeof(%.*s)", s->prefix,
	        t->name, t->name, kinds[t->kind], STR_ARG(type));
	if (t->n_members)
		buf_fmt(b, ", .n_members = %d, .members = members_%s", t->n_members, t->name);
	if (t->n_values)
		buf_fmt(b, ", .n_values = %d, .values = values_%s", t->n_values, t->name);
	if (t->shown)
		buf_fmt(b, ", .shown = shown_%s", t->name);
	if (t->time_format)
		buf_fmt(b, ", .time_format = %d", t->time_format);
	if (t->has_min)
		buf_fmt(b, ", .has_min = true, .min = INT64_C(%lld)", (long long)t->min);
	if (t->has_max)
		buf_fmt(b, ", .has_max = true, .max = INT64_C(%lld)", (long long)t->max);
	flag_field(b, "or_arn", t->or_arn);
	flag_field(b, "flattened", t->flattened);
	flag_field(b, "is_union", t->is_union);
	flag_field(b, "streaming", t->streaming);
	flag_field(b, "event_stream", t->event_stream);
	flag_field(b, "sensitive", t->sensitive);
	flag_field(b, "required_length", t->required_length);
	collection_fields(b, s, t);
	text_field(b, "pattern", t->pattern);
	text_field(b, "says", t->says);
	text_field(b, "payload", t->payload);
	text_field(b, "xml_name", t->xml_name);
	text_field(b, "xml_prefix", t->xml_prefix);
	text_field(b, "xml_uri", t->xml_uri);
	if (t->fault)
		buf_fmt(b, ", .fault = &%s_%s", s->prefix, t->name);
	buf_put(b, S(" };\n"));
}

static void fault_table(buf *b, const apic_service *s, const shape *t)
{
	buf_fmt(b, "const fault_kind %s_%s = { \"%s\", ", s->prefix, t->name, t->name);
	apic_literal(b, t->fault->code);
	buf_put(b, S(", "));
	apic_literal(b, t->fault->query_code);
	buf_fmt(b, ", %d, %s, &%s_%s_shape };\n", t->fault->status, t->fault->server ? "true" : "false",
	        s->prefix, t->name);
}

static void wrapper(buf *b, const apic_service *s, const operation *o, apic_kind kind)
{
	static const char *const kinds[] = {
		[KIND_WRITE] = "write", [KIND_READ] = "read", [KIND_WAIT] = "wait",
	};
	static const char *const constants[] = {
		[KIND_WRITE] = "HANDLER_WRITE", [KIND_READ] = "HANDLER_READ", [KIND_WAIT] = "HANDLER_WAIT",
	};
	static const char *const parameters[] = {
		[KIND_WRITE] = "txn *tx, ", [KIND_READ] = "const txn *tx, ", [KIND_WAIT] = "",
	};
	buf_fmt(b, "static err run_%s(req *rq, %sconst void *in, void *out)\n{\n", o->name,
	        parameters[kind]);
	buf_fmt(b, "\treturn %s_%s(rq, %sin, out);\n}\n", s->prefix, o->name,
	        kind == KIND_WAIT ? "" : "tx, ");
	buf_fmt(b, "static const handler handler_%s = { %s, .%s = run_%s };\n", o->name,
	        constants[kind], kinds[kind], o->name);
	if (!o->errors)
		return;
	buf_fmt(b, "static const shape *const errors_%s[] = { ", o->name);
	for (const shape *const *e = o->errors; *e; e++)
		buf_fmt(b, "&%s_%s_shape, ", s->prefix, (*e)->name);
	buf_put(b, S("NULL };\n"));
}

static void operation_row(buf *b, const apic_service *s, const operation *o, bool implemented)
{
	buf_fmt(b, "\t{ \"%s\", &%s_service, \"%s\", .uri = ", o->name, s->prefix, o->method);
	apic_literal(b, o->uri);
	if (o->status)
		buf_fmt(b, ", .status = %d", o->status);
	if (implemented) {
		if (o->input)
			buf_fmt(b, ", .input = &%s_%s_shape", s->prefix, o->input->name);
		if (o->output)
			buf_fmt(b, ", .output = &%s_%s_shape", s->prefix, o->output->name);
		if (o->errors)
			buf_fmt(b, ", .errors = errors_%s", o->name);
		buf_fmt(b, ", .handler = &handler_%s", o->name);
	}
	text_field(b, "result_wrapper", o->result_wrapper);
	text_field(b, "host_prefix", o->host_prefix);
	flag_field(b, "no_auth", o->no_auth);
	flag_field(b, "unsigned_payload", o->unsigned_payload);
	flag_field(b, "checksum_required", o->checksum_required);
	flag_field(b, "input_streams", o->input_streams);
	flag_field(b, "output_streams", o->output_streams);
	buf_put(b, S(" },\n"));
}

static void service_table(buf *b, const apic_service *s)
{
	const service *v = &s->api->service;
	buf_fmt(b, "const service %s_service = {\n\t\"%s\"", s->prefix, v->name);
	text_field(b, "service_id", v->service_id);
	text_field(b, "title", v->title);
	text_field(b, "endpoint", v->endpoint);
	text_field(b, "signing_name", v->signing_name);
	text_field(b, "target_prefix", v->target_prefix);
	text_field(b, "api_version", v->api_version);
	text_field(b, "json_version", v->json_version);
	text_field(b, "xml_uri", v->xml_uri);
	text_field(b, "global_region", v->global_region);
	text_field(b, "invalid_fault", v->invalid_fault);
	flag_field(b, "query_compatible", v->query_compatible);
	buf_fmt(b, ",\n\t.protocol = %d, .protocols = 0x%x", v->protocol, v->protocols);
	buf_fmt(b, ", .operations = operations, .n_operations = %d,\n};\n", v->n_operations);
}

void apic_tables(buf *b, apic_service *s)
{
	const service *v = &s->api->service;
	buf_fmt(b, "/* Made by tools/apic from src/svc/%s. */\n#include \"gen/%s.h\"\n", s->folder,
	        s->folder);
	buf_put(b, S("#include \"cloud/handler.h\"\n#include <stddef.h>\n\n"));
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (t->wanted)
			shape_table(b, s, &t->shape);
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (t->wanted && t->shape.fault)
			fault_table(b, s, &t->shape);
	for (size_t i = 0; i < v->n_operations; i++)
		if (s->handlers[i].kind)
			wrapper(b, s, &v->operations[i], s->handlers[i].kind);
	buf_put(b, S("static const operation operations[] = {\n"));
	for (size_t i = 0; i < v->n_operations; i++)
		operation_row(b, s, &v->operations[i], s->handlers[i].kind != KIND_NONE);
	buf_put(b, S("};\n"));
	service_table(b, s);
	for (const api_meter *m = s->api->meters; m; m = m->next) {
		buf_fmt(b, "const meter_kind %s = { \"%s\", \"%s\", \"%s\", ", m->constant, m->name,
		        m->service, m->sku);
		apic_literal(b, m->title);
		buf_fmt(b, ", %lld };\n", (long long)m->per);
	}
	apic_records_code(b, s);
}

void apic_registry(buf *b, apic_service *const *services, size_t n)
{
	size_t n_meters = 0;
	buf_put(b, S("/* Made by tools/apic. */\n#include \"cloud/handler.h\"\n"
	             "#include \"cloud/meter.h\"\n\n"));
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "extern const service %s_service;\n", services[i]->prefix);
	buf_put(b, S("const service *const cloud_services[] = {\n"));
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "\t&%s_service,\n", services[i]->prefix);
	buf_fmt(b, "\tNULL,\n};\nconst size_t cloud_n_services = %zu;\n\n", n);
	for (size_t i = 0; i < n; i++)
		for (const api_meter *m = services[i]->api->meters; m; m = m->next)
			buf_fmt(b, "extern const meter_kind %s;\n", m->constant);
	buf_put(b, S("const meter_kind *const cloud_meters[] = {\n"));
	for (size_t i = 0; i < n; i++)
		for (const api_meter *m = services[i]->api->meters; m; m = m->next, n_meters++)
			buf_fmt(b, "\t&%s,\n", m->constant);
	buf_fmt(b, "\tNULL,\n};\nconst size_t cloud_n_meters = %zu;\n", n_meters);
}
