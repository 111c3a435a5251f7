/*
 * Values as XML, in both directions: bodies of REST-XML, replies of the query protocols. Elements are known
 * by their local names; flattened lists and maps may be spread among their siblings.
 */
#pragma once
#include "base/xml.h"
#include "wire/value.h"

typedef struct xml_style {
	bool query_names; /* a member's query name where it has one (SQS as a query service) */
	bool milliseconds; /* timestamps always have three digits of fraction */
} xml_style;

/* What AWS answers to any document it cannot use. */
#define XML_MALFORMED \
	"The XML you provided was not well-formed or did not validate against our published schema"

/* Reads a document whose root is the struct `s`, whatever the root is called. `body_only` as in json_read. */
bool xml_read(arena *a, const shape *s, str text, bool body_only, void *value, str *why);

/* The members of a struct as elements, without `skip`; with `body_only` those of headers are left out. */
void xml_write_members(buf *b, const shape *s, const xml_style *style, bool body_only, const void *value,
                       const shape_member *skip);
/* `s` as an element `name` with its attributes; `uri` NULL or the default namespace. */
void xml_write_struct(buf *b, const shape *s, const xml_style *style, const char *name, const char *uri,
                      bool body_only, const void *value);
void xml_put_open(buf *b, const char *name);
void xml_put_close(buf *b, const char *name);
void xml_put_element(buf *b, const char *name, str text);
