/*
 * XML as bytes: a reader that yields one event at a time, and escaping for writers. What AWS's clients send
 * is read: elements, attributes, text, CDATA, comments, processing instructions, the five entities and
 * character references, in UTF-8. A document type is refused, so nothing expands. Names are local (what
 * follows a prefix's colon); end tags must match. Nesting is limited to 64 levels.
 *
 * An empty element <a/> yields XML_OPEN and XML_CLOSE. Text is decoded; it may come in several pieces.
 */
#pragma once
#include "base/buf.h"

typedef enum xml_kind { XML_END, XML_ERROR, XML_OPEN, XML_CLOSE, XML_TEXT } xml_kind;

#define XML_DEPTH_MAX 64

typedef struct xml {
	arena *mem;
	const char *p, *end;
	xml_kind kind;
	str name;        /* XML_OPEN, XML_CLOSE: without its prefix */
	str text;        /* XML_TEXT */
	str attributes;  /* XML_OPEN: raw, see xml_attribute */
	unsigned depth;  /* open elements, this one included */
	bool empty, seen_root;
	str open[XML_DEPTH_MAX];
} xml;

xml xml_of(arena *a, str text);
/* The next event. After XML_ERROR it stays so. */
xml_kind xml_next(xml *x);
/* Skips the rest of the element that XML_OPEN has just opened, its end included. */
bool xml_skip(xml *x);
/* All the text of the element just opened, to its end. Elements inside are refused. */
bool xml_content(xml *x, str *out);
/* Cuts one attribute from x->attributes; false when none is left. The name keeps its prefix. */
bool xml_attribute(xml *x, str *rest, str *name, str *value);

/* &, <, > and carriage returns; quotes too, so that it suits attributes. */
void xml_put_text(buf *b, str s);
