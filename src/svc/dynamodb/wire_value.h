/*
 * Between the API's AttributeValue and stored values. What comes in is checked as AWS checks it;
 * what goes out points into the stored bytes, which must outlive the reply.
 */
#pragma once
#include "gen/dynamodb.h"
#include "svc/dynamodb/value.h"

/* Values of one request are never larger than its body. */
#define WIRE_BYTES_MAX (32u << 20)

/* An item on its way: a map and the bytes AWS counts for it. */
typedef struct ddb_item {
	value map; /* absent: there is no item */
	size_t size;
} ddb_item;

/* Each returns AWS's sentence about what is wrong, or STR_NONE. */
str wire_value_put(buf *b, const dynamodb_AttributeValue *v);
str wire_value_in(arena *mem, const dynamodb_AttributeValue *v, value *out);
str wire_map_in(arena *mem, const dynamodb_AttributeMap *m, value *out);

void wire_value_out(arena *mem, value v, dynamodb_AttributeValue *out);
dynamodb_AttributeMap wire_map_out(arena *mem, value of);
/* The same as JSON text (MAP_AS_TEXT), which points nowhere: for answers that are JSON. */
dynamodb_AttributeMap wire_map_text(arena *mem, value of);
/* Whichever of the two suits the request's answer; copies in any case (change.c). */
struct req;
dynamodb_AttributeMap ddb_map_out(struct req *rq, value of);
