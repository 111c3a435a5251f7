#include "wire/rest.h"
#include "base/json.h"
#include "base/text.h"

const shape_member *rest_payload(const shape *s)
{
	return s->payload ? shape_member_find(s, str_c(s->payload)) : NULL;
}

bool rest_has_body(const shape *s)
{
	for (unsigned i = 0; i < s->n_members; i++)
		if (s->members[i].place == IN_BODY)
			return true;
	return false;
}

static err bad_value(const wire_message *m, const shape_member *member, str text)
{
	str shown = str_sub(text, 0, 200);
	return fault_new(m->mem, &fault_syntax, "The value '%.*s' of %s is not valid", STR_ARG(shown),
	                 member->name);
}

static bool read_label(const wire_message *m, const shape *input, str label, str raw, err *e, void *in)
{
	for (unsigned i = 0; i < input->n_members; i++) {
		const shape_member *member = &input->members[i];
		if (member->place != IN_PATH || !name_is(member->wire_name, label))
			continue;
		str text = percent_decode(m->mem, raw, false);
		if (!text_read(m->mem, member->shape, text, (char *)in + member->offset))
			*e = bad_value(m, member, text);
		return true;
	}
	return false;
}

/* Walks the operation's path and the request's together; routing has made sure that they agree. */
static err read_labels(const wire_message *m, const operation *op, void *in)
{
	str pattern = str_c(op->uri), path = m->path;
	err e = OK;
	pattern = str_sub(pattern, 0, str_find_char(pattern, '?'));
	while (pattern.n && path.n && !e) {
		if (pattern.p[0] == '/' && path.p[0] == '/') {
			pattern = str_sub(pattern, 1, pattern.n);
			path = str_sub(path, 1, path.n);
			continue;
		}
		size_t end = str_find_char(pattern, '/'), stop = str_find_char(path, '/');
		str segment = str_sub(pattern, 0, end), raw = str_sub(path, 0, stop);
		if (segment.n > 2 && segment.p[0] == '{') {
			bool greedy = segment.p[segment.n - 2] == '+';
			str rest = end == SIZE_MAX ? S("") : str_sub(pattern, end, pattern.n);
			if (greedy)
				raw = str_sub(path, 0, str_ends(path, rest) ? path.n - rest.n : path.n);
			read_label(m, op->input, str_sub(segment, 1, segment.n - 1 - greedy), raw, &e, in);
		}
		pattern = str_sub(pattern, segment.n, pattern.n);
		path = str_sub(path, raw.n, path.n);
	}
	return e;
}

/* Whether the operation's own path fixes this query key. */
static bool fixed_key(const operation *op, str key)
{
	str uri = str_c(op->uri), rest;
	size_t at = str_find_char(uri, '?');
	if (at == SIZE_MAX)
		return false;
	rest = str_sub(uri, at + 1, uri.n);
	while (str_is(rest)) {
		str pair = str_cut(&rest, '&');
		if (str_eq(str_cut(&pair, '='), key))
			return true;
	}
	return false;
}

/* A map in the query takes every key that nothing else claims. */
static bool add_to_map(const room *r, const shape *s, str key, str text, value_list *map)
{
	char *entry = NULL;
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(*(str *)(void *)(map->v + i * s->entry_size), key))
			entry = map->v + i * s->entry_size;
	if (entry && s->element->kind != SHAPE_LIST)
		return true;
	if (!entry && !(entry = list_append(r, map, s->entry_size)))
		return false;
	*(str *)(void *)entry = key;
	void *value = entry + s->value_offset;
	if (s->element->kind != SHAPE_LIST)
		return text_read(r->mem, s->element, text, value);
	void *element = list_append(r, value, s->element->element->size);
	return element && text_read(r->mem, s->element->element, text, element);
}

static err read_query_pair(const wire_message *m, const operation *op, const room *r, str key, str text,
                           void *in)
{
	const shape *input = op->input;
	const shape_member *map = NULL;
	for (unsigned i = 0; i < input->n_members; i++) {
		const shape_member *member = &input->members[i];
		void *slot = (char *)in + member->offset;
		if (member->place != IN_QUERY)
			continue;
		if (member->shape->kind == SHAPE_MAP) {
			map = member;
			continue;
		}
		if (!name_is(member->wire_name, key))
			continue;
		const shape *s = member->shape;
		/* max-keys= says nothing. */
		if (!text.n && (s->kind == SHAPE_INTEGER || s->kind == SHAPE_LONG))
			return OK;
		if (s->kind == SHAPE_LIST) {
			s = s->element;
			slot = list_append(r, slot, s->size);
		}
		return slot && text_read(m->mem, s, text, slot) ? OK : bad_value(m, member, text);
	}
	if (map && !fixed_key(op, key)
	    && !add_to_map(r, map->shape, key, text, (value_list *)(void *)((char *)in + map->offset)))
		return bad_value(m, map, text);
	return OK;
}

static err read_query(const wire_message *m, const operation *op, void *in)
{
	str rest = m->query;
	room r = room_for(m->mem, m->query.n);
	while (str_is(rest)) {
		str pair = str_cut(&rest, '&'), value = pair;
		if (!pair.n)
			continue;
		str key = percent_decode(m->mem, str_cut(&value, '='), true);
		str text = str_is(value) ? percent_decode(m->mem, value, true) : S("");
		TRY(read_query_pair(m, op, &r, key, text, in));
	}
	return OK;
}

/* The next element of a list in a header: quoted with backslashes, or up to a comma. HTTP dates have a
 * comma of their own. */
static str cut_element(arena *a, str *rest, bool dates)
{
	str s = str_trim(*rest);
	if (s.n && s.p[0] == '"') {
		buf b = buf_in(a, s.n, s.n);
		size_t i = 1;
		for (; i < s.n && s.p[i] != '"'; i++) {
			if (s.p[i] == '\\' && i + 1 < s.n)
				i++;
			buf_c(&b, s.p[i]);
		}
		str after = str_sub(s, i + 1, s.n);
		str_cut(&after, ',');
		*rest = after;
		return buf_str(&b);
	}
	str element = str_cut(&s, ',');
	if (dates && str_is(s) && element.n == 3) {
		str more = str_cut(&s, ',');
		element = str_of(element.p, (size_t)(more.p + more.n - element.p));
	}
	*rest = s;
	return str_trim(element);
}

/* Headers hold bytes: where they are no UTF-8 they are Latin-1. */
static str header_as_text(arena *a, str text)
{
	if (utf8_valid(text))
		return text;
	buf b = buf_in(a, text.n * 2, text.n * 2);
	for (size_t i = 0; i < text.n; i++)
		utf8_put(&b, (unsigned char)text.p[i]);
	return buf_str(&b);
}

static err read_header(const wire_message *m, const shape_member *member, str text, void *in)
{
	const shape *s = member->shape;
	void *slot = (char *)in + member->offset;
	room r = room_for(m->mem, text.n);
	text = header_as_text(m->mem, text);
	if (s->kind == SHAPE_LIST) {
		list_open(slot);
		while (str_is(text) && str_trim(text).n) {
			str element = cut_element(m->mem, &text, s->element->kind == SHAPE_TIMESTAMP);
			void *value = list_append(&r, slot, s->element->size);
			if (!value || !text_read(m->mem, s->element, element, value))
				return bad_value(m, member, element);
		}
		return OK;
	}
	if (s->kind == SHAPE_DOCUMENT && base64_decode(m->mem, text, slot))
		return json_valid(*(str *)slot) ? OK : bad_value(m, member, text);
	return text_read(m->mem, s, text, slot) ? OK : bad_value(m, member, text);
}

static err read_prefixed(const wire_message *m, const shape_member *member, void *in)
{
	str prefix = str_c(member->wire_name);
	value_list *map = (value_list *)(void *)((char *)in + member->offset);
	room r = room_for(m->mem, m->n_headers * 64);
	for (size_t i = 0; i < m->n_headers; i++) {
		str name = m->headers[i].name;
		if (name.n < prefix.n || !str_eq_nocase(str_sub(name, 0, prefix.n), prefix))
			continue;
		char *entry = list_append(&r, map, member->shape->entry_size);
		if (!entry)
			return bad_value(m, member, name);
		*(str *)(void *)entry = str_sub(name, prefix.n, name.n);
		str text = header_as_text(m->mem, m->headers[i].value);
		if (!text_read(m->mem, member->shape->element, text, entry + member->shape->value_offset))
			return bad_value(m, member, text);
	}
	return OK;
}

err rest_read(const wire_message *m, const operation *op, void *in)
{
	const shape *input = op->input;
	bool query = false;
	TRY(read_labels(m, op, in));
	for (unsigned i = 0; i < input->n_members; i++) {
		const shape_member *member = &input->members[i];
		query |= member->place == IN_QUERY;
		if (member->place == IN_HEADERS)
			TRY(read_prefixed(m, member, in));
		if (member->place != IN_HEADER)
			continue;
		str text = wire_header(m, str_c(member->wire_name));
		if (str_is(text))
			TRY(read_header(m, member, text, in));
	}
	return query ? read_query(m, op, in) : OK;
}

bool rest_read_raw(const wire_message *m, const shape_member *payload, void *in)
{
	uint8_t kind = payload->shape->kind;
	if (kind != SHAPE_BLOB && kind != SHAPE_STRING && kind != SHAPE_ENUM && kind != SHAPE_DOCUMENT)
		return payload->shape->event_stream;
	str *slot = (str *)(void *)((char *)in + payload->offset);
	if (m->body.n)
		*slot = m->body;
	else if (payload->shape->streaming)
		*slot = S("");
	return true;
}

bool rest_write_raw(wire_message *m, const shape_member *payload, const void *out)
{
	uint8_t kind = payload->shape->kind;
	if (payload->shape->event_stream) {
		if (!str_is(wire_header(m, S("Content-Type"))))
			wire_header_add(m, S("Content-Type"), S("application/vnd.amazon.eventstream"));
		return true;
	}
	if (kind != SHAPE_BLOB && kind != SHAPE_STRING && kind != SHAPE_ENUM && kind != SHAPE_DOCUMENT)
		return false;
	const str *value = out ? member_value(payload, out) : NULL;
	m->body = value ? *value : S("");
	if (!str_is(wire_header(m, S("Content-Type"))))
		wire_header_add(m, S("Content-Type"), kind == SHAPE_BLOB       ? S("application/octet-stream")
		                                      : kind == SHAPE_DOCUMENT ? S("application/json")
		                                                               : S("text/plain"));
	return true;
}

/* A header cannot hold control characters: what would start another one becomes a space. */
static str header_text(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t')
			((char *)(uintptr_t)s.p)[i] = ' ';
	return s;
}

static void put_list_element(buf *b, const shape *s, uint8_t format, const void *value)
{
	str text = s->kind == SHAPE_STRING || s->kind == SHAPE_ENUM ? *(const str *)value : S("");
	if (str_find_char(text, ',') == SIZE_MAX && str_find_char(text, '"') == SIZE_MAX) {
		text_write(b, s, format, value);
		return;
	}
	buf_c(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_c(b, '\\');
		buf_c(b, text.p[i]);
	}
	buf_c(b, '"');
}

static void write_header(wire_message *m, const shape_member *member, const void *value)
{
	const shape *s = member->shape;
	buf b = buf_in(m->mem, 64, 1 << 20);
	if (s->kind == SHAPE_LIST) {
		const value_list *l = value;
		for (size_t i = 0; i < l->n; i++) {
			if (i)
				buf_put(&b, S(", "));
			put_list_element(&b, s->element, time_format_of(NULL, s->element, TIME_HTTP),
			                 l->v + i * s->element->size);
		}
		if (l->n == 0)
			return;
	} else if (s->kind == SHAPE_DOCUMENT) {
		buf_put(&b, base64_encode(m->mem, *(const str *)value));
	} else {
		text_write(&b, s, time_format_of(member, s, TIME_HTTP), value);
	}
	wire_header_add(m, str_c(member->wire_name), header_text(buf_str(&b)));
}

static void write_prefixed(wire_message *m, const shape_member *member, const value_list *map)
{
	const shape *s = member->shape;
	for (size_t i = 0; i < map->n; i++) {
		const char *entry = map->v + i * s->entry_size;
		str name = arena_concat(m->mem, str_c(member->wire_name), *(const str *)(const void *)entry);
		buf b = buf_in(m->mem, 64, 1 << 20);
		if (!value_absent(s->element, entry + s->value_offset))
			text_write(&b, s->element, TIME_HTTP, entry + s->value_offset);
		wire_header_add(m, header_text(name), header_text(buf_str(&b)));
	}
}

void rest_write(wire_message *m, const shape *s, const void *value)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *member = &s->members[i];
		const void *v = member->place == IN_BODY ? NULL : member_value(member, value);
		if (!v)
			continue;
		if (member->place == IN_STATUS)
			m->status = (int)((const opt_i64 *)v)->v;
		else if (member->place == IN_HEADERS)
			write_prefixed(m, member, v);
		else if (member->place == IN_HEADER)
			write_header(m, member, v);
	}
}
