#include "wire/value_xml.h"

typedef struct reader {
	xml x;
	room room;
	bool body_only;
	str why;
} reader;

static bool malformed(reader *r)
{
	if (!str_is(r->why))
		r->why = S(XML_MALFORMED);
	return false;
}

static bool too_large(reader *r)
{
	r->why = S("The request takes more memory than its size allows");
	return false;
}

static bool read_element(reader *r, const shape *s, void *out);

static const shape_member *find_member(const reader *r, const shape *s, unsigned *guess)
{
	unsigned n = s->n_members, i = *guess;
	bool filter = r->body_only && r->x.depth == 2;
	for (unsigned k = 0; k < n; k++) {
		if (i >= n)
			i = 0;
		const shape_member *m = &s->members[i];
		const char *own = member_is_flat(m) ? flat_element_name(m) : NULL;
		if ((name_is(m->wire_name, r->x.name) || (own && name_is(own, r->x.name))) &&
		    !m->xml_attribute && (!filter || m->place == IN_BODY)) {
			*guess = i;
			return m;
		}
		i++;
	}
	return NULL;
}

static bool read_attributes(reader *r, const shape *s, void *out)
{
	str rest = r->x.attributes, name, value;
	while (xml_attribute(&r->x, &rest, &name, &value))
		for (unsigned i = 0; i < s->n_members; i++) {
			const shape_member *m = &s->members[i];
			if (m->xml_attribute && name_is(m->wire_name, name) &&
			    !text_read(r->room.mem, m->shape, value, (char *)out + m->offset))
				return malformed(r);
		}
	return r->x.kind != XML_ERROR || malformed(r);
}

/* One <entry> of a map, or one occurrence of a flattened map. */
static bool read_entry(reader *r, const shape *s, value_list *out)
{
	char *entry = list_append(&r->room, out, s->entry_size);
	str *key = (str *)(void *)entry;
	if (!entry)
		return too_large(r);
	for (;;) {
		xml_kind kind = xml_next(&r->x);
		if (kind == XML_CLOSE)
			return str_is(*key) || malformed(r);
		if (kind == XML_TEXT)
			continue;
		if (kind != XML_OPEN)
			return malformed(r);
		bool ok = name_is(s->key_name, r->x.name) ? xml_content(&r->x, key)
		          : name_is(s->element_name, r->x.name)
		                  ? read_element(r, s->element, entry + s->value_offset)
		                  : xml_skip(&r->x);
		if (!ok)
			return malformed(r);
	}
}

static bool read_item(reader *r, const shape *s, value_list *out)
{
	void *value = list_append(&r->room, out, s->element->size);
	return value ? read_element(r, s->element, value) : too_large(r);
}

/* What stands inside the element of a list or map that is not flattened. */
static bool read_items(reader *r, const shape *s, value_list *out)
{
	const char *wanted = s->kind == SHAPE_MAP ? "entry" : s->element_name ? s->element_name : "member";
	*out = (value_list){ value_nothing, 0 };
	for (;;) {
		xml_kind kind = xml_next(&r->x);
		if (kind == XML_CLOSE)
			return true;
		if (kind == XML_TEXT)
			continue;
		if (kind != XML_OPEN)
			return malformed(r);
		bool ok = !name_is(wanted, r->x.name) ? xml_skip(&r->x)
		          : s->kind == SHAPE_MAP      ? read_entry(r, s, out)
		                                      : read_item(r, s, out);
		if (!ok)
			return malformed(r);
	}
}

static bool read_member(reader *r, const shape_member *m, void *in)
{
	void *value = member_make(&r->room, m, in);
	if (!value)
		return too_large(r);
	if (!member_is_flat(m) || (m->shape->kind != SHAPE_LIST && m->shape->kind != SHAPE_MAP))
		return read_element(r, m->shape, value);
	list_open(value);
	return m->shape->kind == SHAPE_MAP ? read_entry(r, m->shape, value) : read_item(r, m->shape, value);
}

static bool read_struct(reader *r, const shape *s, void *out)
{
	unsigned guess = 0;
	if (r->x.attributes.n && !read_attributes(r, s, out))
		return false;
	for (;;) {
		xml_kind kind = xml_next(&r->x);
		if (kind == XML_CLOSE)
			return true;
		if (kind == XML_TEXT)
			continue;
		if (kind != XML_OPEN)
			return malformed(r);
		const shape_member *m = find_member(r, s, &guess);
		if (m ? !read_member(r, m, out) : !xml_skip(&r->x))
			return malformed(r);
	}
}

static bool read_element(reader *r, const shape *s, void *out)
{
	str text;
	if (s->kind == SHAPE_STRUCT)
		return read_struct(r, s, out);
	if (s->kind == SHAPE_LIST || s->kind == SHAPE_MAP)
		return read_items(r, s, out);
	if (!xml_content(&r->x, &text) || !text_read(r->room.mem, s, text, out))
		return malformed(r);
	return true;
}

bool xml_read(arena *a, const shape *s, str text, bool body_only, void *value, str *why)
{
	reader r = { .x = xml_of(a, text), .room = room_for(a, text.n), .body_only = body_only };
	bool ok = xml_next(&r.x) == XML_OPEN && read_element(&r, s, value) && xml_next(&r.x) == XML_END;
	if (!ok)
		malformed(&r);
	*why = r.why;
	return ok;
}

void xml_put_open(buf *b, const char *name)
{
	buf_c(b, '<');
	buf_put(b, str_c(name));
	buf_c(b, '>');
}

void xml_put_close(buf *b, const char *name)
{
	buf_put(b, S("</"));
	buf_put(b, str_c(name));
	buf_c(b, '>');
}

void xml_put_element(buf *b, const char *name, str text)
{
	xml_put_open(b, name);
	xml_put_text(b, text);
	xml_put_close(b, name);
}

static void put_namespace(buf *b, const char *prefix, const char *uri)
{
	if (!uri)
		return;
	buf_put(b, S(" xmlns"));
	if (prefix) {
		buf_c(b, ':');
		buf_put(b, str_c(prefix));
	}
	buf_put(b, S("=\""));
	xml_put_text(b, str_c(uri));
	buf_c(b, '"');
}

static void put_scalar(buf *b, const shape *s, uint8_t format, const void *value)
{
	if (s->kind == SHAPE_STRING || s->kind == SHAPE_ENUM || s->kind == SHAPE_DOCUMENT)
		xml_put_text(b, *(const str *)value);
	else
		text_write(b, s, format, value);
}

static void put_attributes(buf *b, const shape *s, const void *value)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const void *v = m->xml_attribute ? member_value(m, value) : NULL;
		if (!v)
			continue;
		buf_c(b, ' ');
		buf_put(b, str_c(m->wire_name));
		buf_put(b, S("=\""));
		put_scalar(b, m->shape, time_format_of(m, m->shape, TIME_ISO), v);
		buf_c(b, '"');
	}
}

static void write_value(buf *b, const shape *s, const xml_style *style, const char *name, uint8_t format,
                        const void *value);

static uint8_t format_of(const xml_style *style, const shape_member *m, const shape *s)
{
	uint8_t format = time_format_of(m, s, TIME_ISO);
	return format == TIME_ISO && style->milliseconds ? TIME_ISO_MS : format;
}

static void write_items(buf *b, const shape *s, const xml_style *style, const char *name,
                        const value_list *l)
{
	const shape *element = s->element;
	uint8_t format = format_of(style, NULL, element);
	for (size_t i = 0; i < l->n; i++) {
		if (s->kind == SHAPE_LIST) {
			write_value(b, element, style, name, format, l->v + i * element->size);
			continue;
		}
		const char *entry = l->v + i * s->entry_size;
		xml_put_open(b, name);
		xml_put_element(b, s->key_name, *(const str *)(const void *)entry);
		write_value(b, element, style, s->element_name, format, entry + s->value_offset);
		xml_put_close(b, name);
	}
}

void xml_write_struct(buf *b, const shape *s, const xml_style *style, const char *name, const char *uri,
                      bool body_only, const void *value)
{
	buf_c(b, '<');
	buf_put(b, str_c(name));
	put_namespace(b, NULL, s->xml_prefix ? uri : s->xml_uri ? s->xml_uri : uri);
	if (s->xml_prefix)
		put_namespace(b, s->xml_prefix, s->xml_uri);
	put_attributes(b, s, value);
	buf_c(b, '>');
	xml_write_members(b, s, style, body_only, value, NULL);
	xml_put_close(b, name);
}

static void write_value(buf *b, const shape *s, const xml_style *style, const char *name, uint8_t format,
                        const void *value)
{
	if (s->kind == SHAPE_STRUCT) {
		xml_write_struct(b, s, style, name, NULL, false, value);
		return;
	}
	xml_put_open(b, name);
	if (s->kind == SHAPE_LIST)
		write_items(b, s, style, s->element_name ? s->element_name : "member", value);
	else if (s->kind == SHAPE_MAP)
		write_items(b, s, style, "entry", value);
	else if (!value_absent(s, value))
		put_scalar(b, s, format, value);
	xml_put_close(b, name);
}

static void write_member(buf *b, const shape_member *m, const xml_style *style, const void *value)
{
	const shape *s = m->shape;
	const char *name = style->query_names && m->query_name ? m->query_name : m->wire_name;
	const char *own = flat_element_name(m);
	if ((s->kind == SHAPE_LIST || s->kind == SHAPE_MAP) && member_is_flat(m)) {
		write_items(b, s, style, own ? own : name, value);
		return;
	}
	if (s->kind == SHAPE_STRUCT || !m->xml_uri) {
		write_value(b, s, style, name, format_of(style, m, s), value);
		return;
	}
	buf_c(b, '<');
	buf_put(b, str_c(name));
	put_namespace(b, m->xml_prefix, m->xml_uri);
	buf_c(b, '>');
	if (s->kind == SHAPE_LIST)
		write_items(b, s, style, s->element_name ? s->element_name : "member", value);
	else if (s->kind == SHAPE_MAP)
		write_items(b, s, style, "entry", value);
	else
		put_scalar(b, s, format_of(style, m, s), value);
	xml_put_close(b, name);
}

void xml_write_members(buf *b, const shape *s, const xml_style *style, bool body_only, const void *value,
                       const shape_member *skip)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const void *v = m == skip || m->xml_attribute ? NULL : member_value(m, value);
		if (v && (!body_only || (m->place == IN_BODY && !m->shape->event_stream)))
			write_member(b, m, style, v);
	}
}
