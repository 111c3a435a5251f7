/*
 * What the fuzz targets of the codecs share: the tables of a few services, loaded from their facts, and what
 * must hold of anything that a decoder accepted. The first two bytes of an input choose the operation.
 */
#pragma once
#include "base/json.h"
#include "tools/apifile.h"
#include "wire/codec.h"

/* A decoder may take this much, and so much more for each byte of the message. */
#define TAKEN_MAX ((size_t)16 << 20)
#define TAKEN_PER_BYTE ((size_t)512)

typedef struct fuzz {
	arena *mem;
	const service *service;
	const operation *op;
	str rest; /* of the input, copied so that every byte read beyond it is noticed */
} fuzz;

static inline const service *fuzz_service(const char *path)
{
	err why;
	service *s = apifile_load(arena_open(1 << 20), str_c(path), &why);
	ensure(s);
	return s;
}

static inline bool fuzz_begin(fuzz *f, const service *s, const uint8_t *data, size_t size)
{
	static arena *mem;
	if (!mem)
		mem = arena_open(1 << 16);
	arena_reset(mem);
	if (size < 2)
		return false;
	unsigned choice = (unsigned)data[0] << 8 | data[1];
	char *copy = arena_bytes(mem, size - 2);
	if (size > 2)
		memcpy(copy, data + 2, size - 2);
	*f = (fuzz){ mem, s, &s->operations[choice % s->n_operations], str_of(copy, size - 2) };
	return f->op->input && f->op->input->kind == SHAPE_STRUCT;
}

static inline str fuzz_dump(arena *a, const shape *s, const void *value)
{
	buf b = buf_in(a, 256, (size_t)256 << 20);
	json_encode_value(&b, s, value);
	return buf_str(&b);
}

/* Decodes `m`; what comes out must survive a copy, the store's form, and its own text. */
static inline void fuzz_decode(const fuzz *f, const codec *c, const wire_message *m)
{
	size_t before = arena_used(f->mem);
	const shape *s = f->op->input;
	void *in = arena_alloc(f->mem, s->size);
	err e = c->decode(m, f->op, in);
	ensure(arena_used(f->mem) - before <= TAKEN_MAX + f->rest.n * TAKEN_PER_BYTE);
	if (e) {
		wire_message out = { .mem = f->mem };
		ensure(e->kind == &fault_syntax);
		c->encode_fault(&out, f->service, f->op, e, S("id"));
		return;
	}
	str text = fuzz_dump(f->mem, s, in);
	void *copy = arena_alloc(f->mem, s->size), *stored = arena_alloc(f->mem, s->size);
	shape_copy(f->mem, s, in, copy);
	ensure(str_eq(fuzz_dump(f->mem, s, copy), text));
	buf b = buf_in(f->mem, 256, (size_t)256 << 20);
	cbor_encode_value(&b, s, copy);
	ensure(!cbor_decode_value(f->mem, s, buf_str(&b), stored));
	ensure(str_eq(fuzz_dump(f->mem, s, stored), text));
	validate(f->mem, s, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
