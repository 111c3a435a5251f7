#include "wire/value_json.h"
#include "base/json_scan.h"
#include "base/text.h"
#include "base/time.h"
#include "wire/codec.h"
#include <math.h>

typedef struct reader {
	json j;
	room room;
	json_names names;
	json_words words;
	bool body_only; /* the outermost struct is an operation's: what travels elsewhere is not here */
	str why;
} reader;

static bool refuse(reader *r, str why)
{
	if (!str_is(r->why))
		r->why = why;
	return false;
}

static bool too_large(reader *r)
{
	return refuse(r, S("The request takes more memory than its size allows"));
}

static bool malformed(reader *r)
{
	return refuse(r, r->words == JSON_WORDS_DYNAMODB ? S("") : S("Unexpected token received from parser"));
}

static const char *java_type(const shape *s)
{
	switch ((shape_kind)s->kind) {
	case SHAPE_INTEGER: return "Integer";
	case SHAPE_LONG: return "Long";
	case SHAPE_FLOAT: return "Float";
	case SHAPE_DOUBLE: return "Double";
	case SHAPE_BOOLEAN: return "Boolean";
	case SHAPE_BLOB: return "Blob";
	default: return "String";
	}
}

static const char *token_name(const json *j)
{
	switch (j->kind) {
	case JSON_STRING: return "STRING_VALUE";
	case JSON_TRUE: return "TRUE_VALUE";
	case JSON_FALSE: return "FALSE_VALUE";
	default: return "NUMBER_VALUE";
	}
}

/* DynamoDB's words for a value of the wrong type. */
static bool mismatch_dynamodb(reader *r, const shape *s)
{
	const json *j = &r->j;
	bool fraction = j->kind == JSON_NUMBER && str_find_char(j->text, '.') != SIZE_MAX;
	if (j->kind == JSON_OBJECT)
		return refuse(r, S("Start of structure or map found where not expected"));
	if (j->kind == JSON_ARRAY && s->kind == SHAPE_STRUCT)
		return refuse(r, arena_fmt(r->room.mem, "Unrecognized collection type class "
		                           "com.amazonaws.dynamodb.v20120810.%s", s->name));
	if (j->kind == JSON_ARRAY && s->kind == SHAPE_MAP)
		return refuse(r, arena_fmt(r->room.mem, "Unrecognized collection type java.util.Map<"
		                           "java.lang.String, %s%s>",
		                           s->element->kind == SHAPE_STRUCT
		                                   ? "com.amazonaws.dynamodb.v20120810." : "java.lang.",
		                           s->element->kind == SHAPE_STRUCT ? s->element->name
		                                                            : java_type(s->element)));
	if (j->kind == JSON_ARRAY)
		return refuse(r, s->kind == SHAPE_BLOB
		                         ? S("Unrecognized collection type class java.nio.ByteBuffer")
		                         : arena_fmt(r->room.mem, "Unrecognized collection type class "
		                                     "java.lang.%s", java_type(s)));
	if (s->kind == SHAPE_STRUCT || s->kind == SHAPE_LIST || s->kind == SHAPE_MAP)
		return refuse(r, S("Unexpected field type"));
	if (s->kind == SHAPE_BLOB)
		return refuse(r, S("only base-64-encoded strings are convertible to bytes"));
	if (s->kind == SHAPE_BOOLEAN && j->kind == JSON_STRING)
		return refuse(r, S("Unexpected token received from parser"));
	return refuse(r, arena_fmt(r->room.mem, "%s cannot be converted to %s",
	                           fraction ? "DECIMAL_VALUE" : token_name(j), java_type(s)));
}

/* A value of another type than the model wants. */
static bool mismatch(reader *r, const shape *s)
{
	const json *j = &r->j;
	if (j->kind == JSON_ERROR || j->kind == JSON_END)
		return malformed(r);
	if (r->words == JSON_WORDS_DYNAMODB)
		return mismatch_dynamodb(r, s);
	if (j->kind == JSON_OBJECT)
		return refuse(r, S("Start of structure or map found where not expected."));
	if (j->kind == JSON_ARRAY)
		return refuse(r, S("Start of list found where not expected"));
	if (s->kind == SHAPE_STRUCT)
		return refuse(r, S("Expected null"));
	if (s->kind == SHAPE_LIST)
		return refuse(r, S("Expected list or null"));
	if (s->kind == SHAPE_MAP)
		return refuse(r, S("Expected map or null"));
	if (s->kind == SHAPE_TIMESTAMP)
		return refuse(r, arena_fmt(r->room.mem, "%s can not be converted to milliseconds since epoch",
		                           token_name(j)));
	bool an = s->kind == SHAPE_INTEGER;
	return refuse(r, arena_fmt(r->room.mem, "%s can not be converted to %s %s", token_name(j),
	                           an ? "an" : "a", java_type(s)));
}

static bool read_value(reader *r, const shape *s, void *out);

static const char *member_name(const reader *r, const shape_member *m)
{
	return r->names == JSON_WIRE_NAMES ? m->wire_name : m->name;
}

static const shape_member *find_member(const reader *r, const shape *s, str key, unsigned *guess)
{
	unsigned n = s->n_members, i = *guess;
	for (unsigned k = 0; k < n; k++) {
		if (i >= n)
			i = 0;
		const shape_member *m = &s->members[i++];
		if (name_is(member_name(r, m), key) && (!r->body_only || r->j.depth > 1 || m->place == IN_BODY)) {
			*guess = i;
			return m;
		}
	}
	return NULL;
}

static bool read_struct(reader *r, const shape *s, void *out)
{
	json *j = &r->j;
	unsigned guess = 0;
	if (j->kind != JSON_OBJECT)
		return mismatch(r, s);
	for (;;) {
		json_kind kind = json_next_member(j);
		if (kind == JSON_OBJECT_END)
			return true;
		if (kind == JSON_ERROR)
			return malformed(r);
		const shape_member *m = find_member(r, s, j->key, &guess);
		if (!m) {
			json_skip(j);
			continue;
		}
		if (kind == JSON_NULL && m->shape->kind != SHAPE_DOCUMENT)
			continue;
		void *value = member_make(&r->room, m, out);
		if (!value)
			return too_large(r);
		if (!read_value(r, m->shape, value))
			return false;
	}
}

/* Of a list or a map, at its first token: a null leaves it empty. */
static bool read_element(reader *r, const shape *element, json_kind kind, void *out)
{
	if (kind == JSON_NULL && element->kind != SHAPE_DOCUMENT)
		return true;
	if (r->words == JSON_WORDS_DYNAMODB && element->kind == SHAPE_STRUCT && kind != JSON_OBJECT &&
	    kind != JSON_ARRAY)
		return refuse(r, S("Unexpected value type in payload"));
	return read_value(r, element, out);
}

static bool read_list(reader *r, const shape *s, value_list *out)
{
	json *j = &r->j;
	const shape *element = s->element;
	value_list list = { value_nothing, 0 };
	if (j->kind != JSON_ARRAY)
		return mismatch(r, s);
	for (;;) {
		json_kind kind = json_next_element(j);
		if (kind == JSON_ARRAY_END)
			break;
		if (kind == JSON_ERROR)
			return malformed(r);
		void *value = list_append(&r->room, &list, element->size);
		if (!value)
			return too_large(r);
		if (!read_element(r, element, kind, value))
			return false;
	}
	*out = list;
	return true;
}

static bool read_map(reader *r, const shape *s, value_list *out)
{
	json *j = &r->j;
	const shape *element = s->element;
	value_list list = { value_nothing, 0 };
	if (j->kind != JSON_OBJECT)
		return mismatch(r, s);
	for (;;) {
		json_kind kind = json_next_member(j);
		if (kind == JSON_OBJECT_END)
			break;
		if (kind == JSON_ERROR)
			return malformed(r);
		char *entry = list_append(&r->room, &list, s->entry_size);
		if (!entry)
			return too_large(r);
		*(str *)(void *)entry = j->key;
		if (!read_element(r, element, kind, entry + s->value_offset))
			return false;
	}
	*out = list;
	return true;
}

static bool read_blob(reader *r, const shape *s, str *out)
{
	str text = r->j.text;
	arena *a = r->room.mem;
	if (r->j.kind != JSON_STRING)
		return mismatch(r, s);
	bool odd = text.n % 4 != 0;
	if (!(odd && r->words == JSON_WORDS_DYNAMODB) && base64_decode(a, text, out))
		return true;
	if (r->words == JSON_WORDS_DYNAMODB)
		return refuse(r, odd ? arena_fmt(a, "Base64 encoded length is expected a multiple of 4 bytes "
		                                 "but found: %zu", text.n)
		                     : S("Invalid last non-pad Base64 character dectected"));
	str shown = str_sub(text, 0, 200);
	if (odd)
		return refuse(r, arena_fmt(a, "'%.*s' can not be converted to a Blob: Base64 encoded length is "
		                           "expected a multiple of 4 bytes but found: %zu",
		                           STR_ARG(shown), text.n));
	return refuse(r, arena_fmt(a, "'%.*s' can not be converted to a Blob: Invalid Base64 character",
	                           STR_ARG(shown)));
}

static bool read_float(reader *r, const shape *s, opt_f64 *out)
{
	double v;
	if (r->j.kind == JSON_NUMBER && number_to_f64(r->room.mem, r->j.text, &v)) {
		*out = F64(v);
		return true;
	}
	str t = r->j.text;
	bool named = r->j.kind == JSON_STRING && (str_eq(t, S("NaN")) || str_eq(t, S("Infinity")) ||
	                                          str_eq(t, S("-Infinity")));
	return named ? text_read(r->room.mem, s, t, out) : mismatch(r, s);
}

/* DynamoDB takes some words for a boolean. */
static bool read_boolean_word(reader *r, const shape *s, opt_bool *out)
{
	static const char *const words[] = { "true", "1", "yes", "false", "0", "no" };
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		if (!str_eq_nocase(r->j.text, str_c(words[i])))
			continue;
		*out = BOOL(i < 3);
		return true;
	}
	return mismatch(r, s);
}

static bool read_boolean(reader *r, const shape *s, opt_bool *out)
{
	json_kind kind = r->j.kind;
	if (kind == JSON_TRUE || kind == JSON_FALSE) {
		*out = BOOL(kind == JSON_TRUE);
		return true;
	}
	if (kind == JSON_STRING && r->words == JSON_WORDS_DYNAMODB)
		return read_boolean_word(r, s, out);
	bool yes = str_eq_nocase(r->j.text, S("true"));
	if (kind == JSON_STRING &&
	    (yes || str_eq_nocase(r->j.text, S("false")))) {
		*out = BOOL(yes);
		return true;
	}
	return mismatch(r, s);
}

static bool read_time(reader *r, const shape *s, opt_time *out)
{
	int64_t ms;
	bool ok = r->j.kind == JSON_NUMBER ? epoch_read(r->j.text, &ms)
	                                   : r->j.kind == JSON_STRING && time_parse(r->j.text, &ms);
	if (!ok)
		return mismatch(r, s);
	*out = TIME(ms);
	return true;
}

static bool read_value(reader *r, const shape *s, void *out)
{
	json *j = &r->j;
	int64_t i;
	switch ((shape_kind)s->kind) {
	case SHAPE_STRING:
	case SHAPE_ENUM:
		if (j->kind != JSON_STRING)
			return mismatch(r, s);
		*(str *)out = j->text;
		return true;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		if (j->kind != JSON_NUMBER || !number_to_i64(j->text, &i) || !integer_in_range(s, i))
			return mismatch(r, s);
		*(opt_i64 *)out = I64(i);
		return true;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return read_float(r, s, out);
	case SHAPE_BOOLEAN:
		return read_boolean(r, s, out);
	case SHAPE_BLOB:
		return read_blob(r, s, out);
	case SHAPE_TIMESTAMP:
		return read_time(r, s, out);
	case SHAPE_STRUCT:
		return read_struct(r, s, out);
	case SHAPE_LIST:
		return read_list(r, s, out);
	case SHAPE_MAP:
		return read_map(r, s, out);
	case SHAPE_DOCUMENT:
		*(str *)out = json_raw(j);
		return j->kind == JSON_ERROR ? malformed(r) : true;
	}
	return false;
}

static bool read_whole(reader *r, const shape *s, void *value)
{
	json_kind kind = json_next(&r->j);
	if (kind == JSON_NULL && s->kind == SHAPE_STRUCT)
		return json_next(&r->j) == JSON_END || malformed(r);
	if (!read_value(r, s, value))
		return false;
	return json_next(&r->j) == JSON_END || malformed(r);
}

bool json_read(arena *a, const shape *s, str text, json_names names, json_words words, bool body_only,
               void *value, str *why)
{
	reader r = { .j = json_of(a, text), .room = room_for(a, text.n), .names = names, .words = words,
	             .body_only = body_only };
	if (str_trim(text).n == 0 && s->kind == SHAPE_STRUCT)
		return true;
	bool ok = read_whole(&r, s, value);
	*why = r.why;
	return ok;
}

err json_decode_value(arena *a, const shape *s, str text, void *value)
{
	reader r = { .j = json_of(a, text), .room = room_for(a, text.n) };
	if (read_whole(&r, s, value))
		return OK;
	return fault_new(a, &fault_syntax, "%.*s", STR_ARG(r.why));
}

/* Room in the common case, without a call. */
static inline char *room_now(buf *b, size_t bytes)
{
	return b->capacity - b->n >= bytes ? b->p + b->n : buf_room(b, bytes);
}

static inline void put(buf *b, char c)
{
	char *p = room_now(b, 1);
	if (p) {
		*p = c;
		b->n++;
	}
}

static void write_value(buf *b, const shape *s, uint8_t format, json_names names,
                        const void *value);

static uint8_t format_of(json_names names, const shape_member *m, const shape *s)
{
	return names == JSON_CANONICAL ? TIME_EPOCH : time_format_of(m, s, TIME_EPOCH);
}

static inline void put_string(buf *b, str s)
{
	char *p = s.n < 256 ? room_now(b, s.n + 2) : NULL;
	if (!p || (s.n && json_plain_run(s.p, s.p + s.n) != s.p + s.n)) {
		json_put_string(b, s);
		return;
	}
	p[0] = '"';
	if (s.n)
		memcpy(p + 1, s.p, s.n);
	p[s.n + 1] = '"';
	b->n += s.n + 2;
}

static void write_name(buf *b, const char *name)
{
	char *p = room_now(b, 64), *to = p;
	if (p) {
		*to++ = '"';
		while (*name && to < p + 60)
			*to++ = *name++;
	}
	if (!p || *name) { /* too long a name, or a full buffer: what was copied is written again */
		name -= p ? to - p - 1 : 0;
		put(b, '"');
		buf_put(b, str_c(name));
		buf_put(b, S("\":"));
		return;
	}
	*to++ = '"';
	*to++ = ':';
	b->n += (size_t)(to - p);
}

static bool write_members(buf *b, const shape *s, json_names names, const void *value, bool body_only,
                          const shape_member *skip)
{
	bool some = false;
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const void *v = member_value(m, value);
		if (!v || m == skip || (body_only && (m->place != IN_BODY || m->shape->event_stream)))
			continue;
		if (some)
			put(b, ',');
		some = true;
		write_name(b, names == JSON_WIRE_NAMES ? m->wire_name : m->name);
		write_value(b, m->shape, format_of(names, m, m->shape), names, v);
	}
	return some;
}

static void write_list(buf *b, const shape *s, json_names names, const value_list *l)
{
	const shape *element = s->element;
	put(b, '[');
	for (size_t i = 0; i < l->n; i++) {
		const void *v = l->v + i * element->size;
		if (i)
			put(b, ',');
		write_value(b, element, format_of(names, NULL, element), names, v);
	}
	put(b, ']');
}

static void write_map(buf *b, const shape *s, json_names names, const value_list *l)
{
	const shape *element = s->element;
	if (l->n == MAP_AS_TEXT) {
		buf_put(b, *(const str *)(const void *)l->v);
		return;
	}
	put(b, '{');
	for (size_t i = 0; i < l->n; i++) {
		const char *entry = l->v + i * s->entry_size;
		if (i)
			put(b, ',');
		put_string(b, *(const str *)(const void *)entry);
		put(b, ':');
		write_value(b, element, format_of(names, NULL, element), names,
		            entry + s->value_offset);
	}
	put(b, '}');
}

static void write_quoted(buf *b, const shape *s, uint8_t format, const void *value)
{
	put(b, '"');
	text_write(b, s, format, value);
	put(b, '"');
}

static void write_value(buf *b, const shape *s, uint8_t format, json_names names,
                        const void *value)
{
	if (value_absent(s, value)) {
		buf_put(b, S("null"));
		return;
	}
	switch ((shape_kind)s->kind) {
	case SHAPE_STRING:
	case SHAPE_ENUM:
		put_string(b, *(const str *)value);
		return;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		buf_i64(b, ((const opt_i64 *)value)->v);
		return;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		json_put_double(b, ((const opt_f64 *)value)->v);
		return;
	case SHAPE_BLOB:
		write_quoted(b, s, format, value);
		return;
	case SHAPE_TIMESTAMP:
		if (format == TIME_EPOCH)
			text_write(b, s, format, value);
		else
			write_quoted(b, s, format, value);
		return;
	case SHAPE_BOOLEAN:
		buf_put(b, ((const opt_bool *)value)->v ? S("true") : S("false"));
		return;
	case SHAPE_DOCUMENT:
		buf_put(b, *(const str *)value);
		return;
	case SHAPE_STRUCT:
		put(b, '{');
		write_members(b, s, names, value, false, NULL);
		put(b, '}');
		return;
	case SHAPE_LIST:
		write_list(b, s, names, value);
		return;
	case SHAPE_MAP:
		write_map(b, s, names, value);
		return;
	}
}

void json_write_value(buf *b, const shape *s, json_names names, const void *value)
{
	write_value(b, s, time_format_of(NULL, s, TIME_EPOCH), names, value);
}

bool json_write_members(buf *b, const shape *s, json_names names, const void *value,
                        const shape_member *skip)
{
	return write_members(b, s, names, value, true, skip);
}

void json_encode_value(buf *b, const shape *s, const void *value)
{
	write_value(b, s, TIME_EPOCH, JSON_CANONICAL, value);
}
