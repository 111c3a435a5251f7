/*
 * A service's facts in memory: NAME.api, amended by NAME.patch and extended by NAME.def beside it
 * (grammar: docs/definitions.md), as the tables of wire/shape.h. Layouts (sizes, offsets) are
 * computed as gcc lays out the structs that apic generates, so tables loaded here and generated
 * ones describe the same memory.
 *
 * Everything lives in the arena it was loaded into. Faults have kind fault_syntax and a message
 * that begins with FILE:LINE.
 */
#pragma once
#include "wire/shape.h"

/* A shape and where it was declared. A `const shape *` of a loaded service points at one of
 * these. */
typedef struct api_shape {
	shape shape;        /* first, so that one pointer is both */
	bool declared, own; /* own: from the .def */
	bool wanted;        /* apic: reached by something implemented */
	const char *file;
	int line;           /* of the declaration, or of the first mention */
	struct api_shape *next; /* in the order of first mention */
} api_shape;

typedef enum api_type { API_STR, API_I64, API_BOOL, API_SHAPE } api_type;

typedef struct api_field {
	const char *name;
	int number;         /* 0 for key parts */
	api_type type;
	api_shape *shape;   /* API_SHAPE */
	int line;
} api_field;

typedef struct api_record {
	const char *name;
	int line, n_keys, n_fields; /* fields: the key parts first */
	api_field *fields;
	struct api_record *next;
} api_record;

typedef struct api_meter {
	const char *constant, *service, *name, *sku, *title;
	int64_t per; /* parts of a unit in which it is counted; 0: a million */
	int line;
	struct api_meter *next;
} api_meter;

typedef struct api_limit {
	const char *constant;
	int64_t value;
	int line;
	struct api_limit *next;
} api_limit;

typedef struct apifile {
	service service;
	api_shape *shapes;
	api_record *records;
	api_meter *meters;
	api_limit *limits;
	const char *def_file; /* NULL: none */
} apifile;

/* `path` is NAME.api; NAME.patch and NAME.def are looked for beside it. */
err apifile_open(arena *a, str path, apifile **out);
/* The same without .def, when the tables are all that is wanted. NULL and *why on failure. */
service *apifile_load(arena *a, str path, err *why);
