/*
 * The codecs behind a pipe, so that a driver with a model of its own (test/wire/wire.py:
 * botocore's) can try them on any service's tables. A frame is a count and that many strings, each
 * with its length; numbers are four bytes, little-endian. Every request frame is answered by one.
 *
 *   load PATH                                             -> name | error
 *   decode SERVICE PROTOCOL METHOD PATH QUERY BODY (NAME VALUE)..  -> operation error json
 *   violations
 *   encode SERVICE PROTOCOL OPERATION JSON                -> status body (NAME VALUE)..
 *   fault SERVICE PROTOCOL OPERATION SHAPE MESSAGE JSON   -> status body (NAME VALUE)..
 *   pattern EXPRESSION TEXT..                             -> one of 1 0 ? for each text
 *   quit
 */
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "tools/apifile.h"
#include "wire/codec.h"
#include "wire/pattern.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAME_MAX ((uint32_t)64 << 20)
#define DUMP_MAX ((size_t)256 << 20)

static const str request_id = S("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");

typedef struct frame {
	str *fields;
	size_t n, capacity;
} frame;

static bool read_number(uint32_t *out)
{
	unsigned char b[4];
	if (fread(b, 1, 4, stdin) != 4)
		return false;
	*out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	return true;
}

static bool read_frame(arena *a, frame *f)
{
	uint32_t n, length;
	if (!read_number(&n) || n > 100000)
		return false;
	*f = (frame){ .fields = arena_array(a, str, n + 8), .n = n, .capacity = n + 8 };
	for (uint32_t i = 0; i < n; i++) {
		if (!read_number(&length) || length > FRAME_MAX)
			return false;
		/* Exactly as long as the text, so that a sanitizer sees every byte read beyond it. */
		char *p = malloc(length ? length : 1);
		if (fread(p, 1, length, stdin) != length) {
			free(p);
			return false;
		}
		arena_hook(a, free, p);
		f->fields[i] = str_of(p, length);
	}
	return true;
}

static void put_number(uint32_t v)
{
	unsigned char b[4] = { (unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
		               (unsigned char)(v >> 24) };
	fwrite(b, 1, 4, stdout);
}

static void write_frame(const frame *f)
{
	put_number((uint32_t)f->n);
	for (size_t i = 0; i < f->n; i++) {
		put_number((uint32_t)f->fields[i].n);
		if (f->fields[i].n)
			fwrite(f->fields[i].p, 1, f->fields[i].n, stdout);
	}
	fflush(stdout);
}

static void add(arena *a, frame *f, str s)
{
	if (f->n == f->capacity) {
		size_t capacity = f->capacity ? f->capacity * 2 : 16;
		str *fields = arena_array(a, str, capacity);
		if (f->n)
			memcpy(fields, f->fields, f->n * sizeof *fields);
		f->fields = fields;
		f->capacity = capacity;
	}
	f->fields[f->n++] = s;
}

static str field(const frame *f, size_t i)
{
	return i < f->n ? f->fields[i] : S("");
}

static str dump(arena *a, const shape *s, const void *value)
{
	buf b = buf_in(a, 1024, DUMP_MAX);
	json_encode_value(&b, s, value);
	return buf_str(&b);
}

/* What the store and the log do to values must change nothing in them. */
static const char *round_trips(arena *a, const shape *s, const void *value, str before)
{
	void *copy = arena_alloc(a, s->size), *stored = arena_alloc(a, s->size);
	void *read = arena_alloc(a, s->size);
	shape_copy(a, s, value, copy);
	if (!str_eq(dump(a, s, copy), before))
		return "a copy differs";
	buf b = buf_in(a, 1024, DUMP_MAX);
	cbor_encode_value(&b, s, value);
	if (cbor_decode_value(a, s, buf_str(&b), stored) || !str_eq(dump(a, s, stored), before))
		return "CBOR and back differs";
	if (json_decode_value(a, s, before, read) || !str_eq(dump(a, s, read), before))
		return "JSON and back differs";
	return NULL;
}

static str action_of(arena *a, str form)
{
	while (str_is(form)) {
		str value = str_cut(&form, '&');
		if (str_eq(str_cut(&value, '='), S("Action")))
			return percent_decode(a, value, true);
	}
	return S("");
}

static str after(str s, char c)
{
	str rest = s;
	while (str_is(rest))
		s = str_cut(&rest, c);
	return s;
}

static const operation *identify(const service *s, uint8_t spoken, const wire_message *m)
{
	switch ((protocol)spoken) {
	case PROTOCOL_JSON: return operation_find(s, after(wire_header(m, S("X-Amz-Target")), '.'));
	case PROTOCOL_CBOR: return operation_find(s, after(m->path, '/'));
	case PROTOCOL_QUERY:
	case PROTOCOL_EC2: return operation_find(s, action_of(m->mem, m->body));
	default: return rest_route_message(s, m);
	}
}

static void decode(arena *a, const service *s, const codec *c, const frame *in, frame *out)
{
	wire_message m = {
		.mem = a, .method = field(in, 3), .path = field(in, 4), .body = field(in, 6)
	};
	m.query = field(in, 5).n ? field(in, 5) : STR_NONE;
	for (size_t i = 7; i + 1 < in->n; i += 2)
		wire_header_add(&m, in->fields[i], in->fields[i + 1]);
	const operation *op = identify(s, c->protocol, &m);
	add(a, out, op ? str_c(op->name) : S(""));
	if (!op)
		return;
	void *value = arena_alloc(a, op->input ? op->input->size : 1);
	err e = c->decode(&m, op, value);
	if (e) {
		add(a, out, e->message.n ? e->message : S("(no message)"));
		return;
	}
	str text = op->input ? dump(a, op->input, value) : S("{}");
	const char *differs = op->input ? round_trips(a, op->input, value, text) : NULL;
	str violations = op->input ? validate(a, op->input, value) : STR_NONE;
	add(a, out, differs ? str_c(differs) : S(""));
	add(a, out, text);
	add(a, out, str_is(violations) ? violations : S(""));
}

static void put_message(arena *a, const wire_message *m, frame *out)
{
	add(a, out, arena_fmt(a, "%d", m->status));
	add(a, out, m->body);
	for (size_t i = 0; i < m->n_headers; i++) {
		add(a, out, m->headers[i].name);
		add(a, out, m->headers[i].value);
	}
}

static void encode(arena *a, const service *s, const codec *c, const frame *in, frame *out)
{
	wire_message m = { .mem = a };
	const operation *op = operation_find(s, field(in, 3));
	void *value = op && op->output ? arena_alloc(a, op->output->size) : NULL;
	if (!op || (value && json_decode_value(a, op->output, field(in, 4), value))) {
		add(a, out, S("0"));
		return;
	}
	c->encode(&m, op, value, request_id);
	put_message(a, &m, out);
}

static void encode_fault(arena *a, const service *s, const codec *c, const frame *in, frame *out)
{
	wire_message m = { .mem = a };
	const operation *op = operation_find(s, field(in, 3));
	const shape *kind = NULL;
	for (const shape *const *e = op ? op->errors : NULL; e && *e; e++)
		if (str_eq(str_c((*e)->name), field(in, 4)))
			kind = *e;
	void *detail = kind ? arena_alloc(a, kind->size) : NULL;
	if (!kind || json_decode_value(a, kind, field(in, 6), detail)) {
		add(a, out, S("0"));
		return;
	}
	c->encode_fault(&m, s, op, &(fault){ kind->fault, field(in, 5), detail }, request_id);
	put_message(a, &m, out);
}

static void patterns(arena *a, const frame *in, frame *out)
{
	const pattern *p = pattern_compile(a, field(in, 1));
	for (size_t i = 2; i < in->n; i++)
		add(a, out, !p ? S("?") : pattern_matches(p, a, in->fields[i]) ? S("1") : S("0"));
}

static void load(arena *a, map *services, const frame *in, frame *out)
{
	err why;
	service *s = apifile_load(services->mem, arena_str(services->mem, field(in, 1)), &why);
	if (!s) {
		add(a, out, arena_fmt(a, "error: %.*s", STR_ARG(why->message)));
		return;
	}
	map_put(services, str_c(s->name), s);
	add(a, out, str_c(s->name));
}

static const codec *codec_named(str name)
{
	for (uint8_t i = PROTOCOL_JSON; i <= PROTOCOL_CBOR; i++)
		if (str_eq(str_c(codec_for(i)->name), name))
			return codec_for(i);
	return NULL;
}

int main(void)
{
	arena *for_ever = arena_open(1 << 20), *a = arena_open(1 << 16);
	map services = map_in(for_ever, 64);
	frame in;
	while (arena_reset(a), read_frame(a, &in)) {
		frame out = { 0 };
		str verb = field(&in, 0);
		const service *s = map_get(&services, field(&in, 1));
		const codec *c = codec_named(field(&in, 2));
		if (str_eq(verb, S("quit")))
			break;
		if (str_eq(verb, S("load")))
			load(a, &services, &in, &out);
		else if (str_eq(verb, S("pattern")))
			patterns(a, &in, &out);
		else if (!s || !c)
			add(a, &out, S("error: no such service or protocol"));
		else if (str_eq(verb, S("decode")))
			decode(a, s, c, &in, &out);
		else if (str_eq(verb, S("encode")))
			encode(a, s, c, &in, &out);
		else if (str_eq(verb, S("fault")))
			encode_fault(a, s, c, &in, &out);
		else
			add(a, &out, S("error: no such verb"));
		write_frame(&out);
	}
	arena_close(a);
	arena_close(for_ever);
	return 0;
}
