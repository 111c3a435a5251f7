/*
 * The builder: facts (tools/apifile.h) and sources in, C out. For each folder src/svc/NAME it
 * writes include/gen/NAME.h (structs, enums, prototypes, records, meters) and gen/NAME.c (tables),
 * and once gen/registry.c and COVERAGE.md.
 *
 * Everything lives in one arena until the program ends. Identifiers of a service begin with
 * `prefix`.
 */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "tools/apifile.h"

typedef enum apic_kind { KIND_NONE, KIND_WRITE, KIND_READ, KIND_WAIT } apic_kind;

/* Where an operation is defined. */
typedef struct apic_handler {
	apic_kind kind;
	bool refuses; /* does nothing but say that it is not implemented: not counted */
	const char *file;
	int line;
} apic_handler;

typedef struct apic_service {
	const char *folder, *prefix; /* rds-data, rds_data */
	apifile *api;
	apic_handler *handlers;      /* one per operation of api->service, in its order */
	size_t n_implemented;
	bool known_only;             /* no source at all */
	map taken;                   /* identifiers given out */
} apic_service;

/* Fills handlers from the .c files in `dir`. */
err apic_scan(arena *a, apic_service *s, str dir);
/* Marks what is reached from implemented operations, records, errors and shapes of ours. */
err apic_mark(arena *a, apic_service *s);

void apic_header(buf *b, apic_service *s);
void apic_tables(buf *b, apic_service *s);
void apic_records_header(buf *b, const apic_service *s);
void apic_records_code(buf *b, const apic_service *s);
void apic_registry(buf *b, apic_service *const *services, size_t n);
void apic_coverage(buf *b, apic_service *const *services, size_t n);

/* The C type of a value: `str`, `opt_i64`, `ssm_Tag`. */
str apic_type(arena *a, const apic_service *s, const shape *t);
/* A model's name as a C identifier: a keyword gets a '_'. */
const char *apic_name(arena *a, const char *name);
/* A C string literal, with quotes. */
void apic_literal(buf *b, const char *text);

err apic_read(arena *a, str path, str *out);
/* Leaves the file alone when it has these bytes already. */
err apic_write(arena *a, str path, str bytes);
/* Names in a folder, sorted, without those that begin with a dot. */
err apic_list(arena *a, str path, const char ***names, size_t *n);
