/*
 * Inside tools/apifile*.c: the parser's state while the files of one service are read one after
 * another. Lines are cut in place, so the texts live as long as the tables.
 */
#pragma once
#include "tools/apifile.h"
#include "base/map.h"

#define FIELDS_MAX 256

typedef enum api_layer { LAYER_API, LAYER_PATCH, LAYER_DEF } api_layer;

typedef struct api_op {
	operation operation;
	struct api_op *next;
} api_op;

typedef struct parser {
	arena *mem;
	apifile *api;
	const char *file;
	int line;
	api_layer layer;
	char **words;
	size_t n_words, next_word, words_capacity;
	map names; /* str -> api_shape */
	map ops;   /* str -> api_op */
	api_op *first_op, **last_op;
	size_t n_ops;
	api_shape **last_shape;
	api_shape *structure; /* whose members are being read, or NULL */
	shape_member *members;
	size_t n_members, members_capacity;
	api_record *record, **last_record;
	api_field *fields;
	int n_fields;
	api_meter **last_meter;
	api_limit **last_limit;
} parser;

err apifile_parse(parser *p, const char *file, char *text, api_layer layer);
/* When all files are read: references, defaults and layouts. */
err apifile_finish(parser *p);
