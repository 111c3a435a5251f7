#include "wire/value_cbor.h"
#include "base/text.h"
#include "wire/codec.h"
#include <math.h>

typedef struct reader {
	cbor c;
	room room;
	unsigned depth;
	bool checked;
	str why;
} reader;

static bool refuse(reader *r, str why)
{
	if (!str_is(r->why))
		r->why = why;
	return false;
}

static bool malformed(reader *r)
{
	return refuse(r, S("The request body is not valid CBOR"));
}

static bool mismatch(reader *r, const shape *s)
{
	return refuse(r, arena_fmt(r->room.mem, "The value of a member has not the type of %s", s->name));
}

static bool too_large(reader *r)
{
	return refuse(r, S("The request takes more memory than its size allows"));
}

static bool read_value(reader *r, const shape *s, const cbor_item *item, void *out);

static bool read_text(reader *r, const cbor_item *item, str *out)
{
	if (item->major != CBOR_TEXT || !cbor_string(&r->c, item, out))
		return false;
	return !r->checked || utf8_valid(*out);
}

/* Whether another element follows; counts down definite ones. */
static bool more(reader *r, const cbor_item *item, uint64_t *left)
{
	if (item->indefinite)
		return !cbor_break(&r->c);
	return (*left)-- > 0;
}

static const shape_member *find_member(const shape *s, str key, unsigned *guess)
{
	unsigned n = s->n_members, i = *guess;
	for (unsigned k = 0; k < n; k++) {
		if (i >= n)
			i = 0;
		const shape_member *m = &s->members[i++];
		if (name_is(m->name, key)) {
			*guess = i;
			return m;
		}
	}
	return NULL;
}

static bool read_struct(reader *r, const shape *s, const cbor_item *item, void *out)
{
	uint64_t left = item->n;
	unsigned guess = 0;
	if (item->major != CBOR_MAP)
		return mismatch(r, s);
	while (more(r, item, &left)) {
		cbor_item head;
		str key;
		if (!cbor_next(&r->c, &head) || !read_text(r, &head, &key) || !cbor_next(&r->c, &head))
			return malformed(r);
		const shape_member *m = find_member(s, key, &guess);
		if (!m || cbor_is_null(&head)) {
			if (!cbor_skip(&r->c, &head, VALUE_DEPTH_MAX - r->depth))
				return malformed(r);
			continue;
		}
		void *value = member_make(&r->room, m, out);
		if (!value)
			return too_large(r);
		if (!read_value(r, m->shape, &head, value))
			return false;
	}
	return true;
}

static bool read_list(reader *r, const shape *s, const cbor_item *item, value_list *out)
{
	uint64_t left = item->n;
	value_list list = { value_nothing, 0 };
	if (item->major != CBOR_ARRAY)
		return mismatch(r, s);
	while (more(r, item, &left)) {
		cbor_item head;
		if (!cbor_next(&r->c, &head))
			return malformed(r);
		void *value = list_append(&r->room, &list, s->element->size);
		if (!value)
			return too_large(r);
		if (!cbor_is_null(&head) && !read_value(r, s->element, &head, value))
			return false;
	}
	*out = list;
	return true;
}

static bool read_map(reader *r, const shape *s, const cbor_item *item, value_list *out)
{
	uint64_t left = item->n;
	value_list list = { value_nothing, 0 };
	if (item->major != CBOR_MAP)
		return mismatch(r, s);
	while (more(r, item, &left)) {
		cbor_item head;
		str key;
		if (!cbor_next(&r->c, &head) || !read_text(r, &head, &key) || !cbor_next(&r->c, &head))
			return malformed(r);
		char *entry = list_append(&r->room, &list, s->entry_size);
		if (!entry)
			return too_large(r);
		*(str *)(void *)entry = key;
		if (!cbor_is_null(&head) && !read_value(r, s->element, &head, entry + s->value_offset))
			return false;
	}
	*out = list;
	return true;
}

static bool read_integer(reader *r, const shape *s, const cbor_item *item, int64_t *out)
{
	double d;
	if (item->major == CBOR_UINT && item->n <= INT64_MAX)
		*out = (int64_t)item->n;
	else if (item->major == CBOR_NEGATIVE && item->n <= INT64_MAX)
		*out = -1 - (int64_t)item->n;
	else if (cbor_is_float(item) && (d = cbor_float(item)) > -9.2e18 && d < 9.2e18)
		*out = (int64_t)d;
	else
		return mismatch(r, s);
	return integer_in_range(s, *out) || mismatch(r, s);
}

static bool read_double(reader *r, const shape *s, const cbor_item *item, double *out)
{
	if (cbor_is_float(item))
		*out = cbor_float(item);
	else if (item->major == CBOR_UINT)
		*out = (double)item->n;
	else if (item->major == CBOR_NEGATIVE)
		*out = -1.0 - (double)item->n;
	else
		return mismatch(r, s);
	return true;
}

static bool read_time(reader *r, const shape *s, const cbor_item *tagged, int64_t *out)
{
	cbor_item item = *tagged;
	double seconds;
	if (item.major == CBOR_TAG && (item.n != 1 || !cbor_next(&r->c, &item)))
		return mismatch(r, s);
	if (item.major == CBOR_UINT && item.n < INT64_MAX / 1000) {
		*out = (int64_t)item.n * 1000;
		return true;
	}
	if (!read_double(r, s, &item, &seconds))
		return false;
	if (!(seconds > -9e12 && seconds < 9e12))
		return mismatch(r, s);
	*out = llround(seconds * 1000);
	return true;
}

static bool read_nested(reader *r, const shape *s, const cbor_item *item, void *out)
{
	if (r->depth == VALUE_DEPTH_MAX)
		return refuse(r, S("The request body is nested too deeply"));
	r->depth++;
	bool ok = s->kind == SHAPE_STRUCT ? read_struct(r, s, item, out)
	          : s->kind == SHAPE_LIST ? read_list(r, s, item, out)
	                                  : read_map(r, s, item, out);
	r->depth--;
	return ok;
}

static bool read_value(reader *r, const shape *s, const cbor_item *item, void *out)
{
	int64_t i;
	double d;
	switch ((shape_kind)s->kind) {
	case SHAPE_STRING:
	case SHAPE_ENUM:
	case SHAPE_DOCUMENT:
		if (item->major != CBOR_TEXT)
			return mismatch(r, s);
		return read_text(r, item, out) || malformed(r);
	case SHAPE_BLOB:
		if (item->major != CBOR_BYTES)
			return mismatch(r, s);
		return cbor_string(&r->c, item, out) || malformed(r);
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		if (!read_integer(r, s, item, &i))
			return false;
		*(opt_i64 *)out = I64(i);
		return true;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		if (!read_double(r, s, item, &d))
			return false;
		*(opt_f64 *)out = F64(d);
		return true;
	case SHAPE_BOOLEAN:
		if (item->major != CBOR_SIMPLE || (item->info != 20 && item->info != 21))
			return mismatch(r, s);
		*(opt_bool *)out = BOOL(item->info == 21);
		return true;
	case SHAPE_TIMESTAMP:
		if (!read_time(r, s, item, &i))
			return false;
		*(opt_time *)out = TIME(i);
		return true;
	case SHAPE_STRUCT:
	case SHAPE_LIST:
	case SHAPE_MAP:
		return read_nested(r, s, item, out);
	}
	return false;
}

bool cbor_read(arena *a, const shape *s, str bytes, bool checked, void *value, str *why)
{
	reader r = { .c = cbor_of(a, bytes), .room = room_for(a, bytes.n), .checked = checked };
	cbor_item item;
	bool ok = cbor_next(&r.c, &item) ? read_value(&r, s, &item, value) : malformed(&r);
	if (ok && r.c.p != r.c.end)
		ok = malformed(&r);
	*why = r.why;
	return ok;
}

err cbor_decode_value(arena *a, const shape *s, str bytes, void *value)
{
	str why;
	if (cbor_read(a, s, bytes, false, value, &why))
		return OK;
	return fault_new(a, &fault_syntax, "%.*s", STR_ARG(why));
}

static void write_time(buf *b, int64_t ms)
{
	cbor_put_head(b, CBOR_TAG, 1);
	if (ms % 1000 == 0)
		cbor_put_i64(b, ms / 1000);
	else
		cbor_put_double(b, (double)ms / 1000.0);
}

static void write_list(buf *b, const shape *s, const value_list *l)
{
	cbor_put_head(b, CBOR_ARRAY, l->n);
	for (size_t i = 0; i < l->n; i++)
		cbor_encode_value(b, s->element, l->v + i * s->element->size);
}

static void write_map(buf *b, const shape *s, const value_list *l)
{
	cbor_put_head(b, CBOR_MAP, l->n);
	for (size_t i = 0; i < l->n; i++) {
		const char *entry = l->v + i * s->entry_size;
		cbor_put_text(b, *(const str *)(const void *)entry);
		cbor_encode_value(b, s->element, entry + s->value_offset);
	}
}

size_t cbor_count_members(const shape *s, const void *value, const shape_member *skip)
{
	size_t n = 0;
	for (unsigned i = 0; i < s->n_members; i++)
		n += &s->members[i] != skip && member_value(&s->members[i], value) != NULL;
	return n;
}

void cbor_write_members(buf *b, const shape *s, const void *value, const shape_member *skip)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const void *v = m == skip ? NULL : member_value(m, value);
		if (!v)
			continue;
		cbor_put_text(b, str_c(m->name));
		cbor_encode_value(b, m->shape, v);
	}
}

void cbor_encode_value(buf *b, const shape *s, const void *value)
{
	if (value_absent(s, value)) {
		cbor_put_null(b);
		return;
	}
	switch ((shape_kind)s->kind) {
	case SHAPE_STRING:
	case SHAPE_ENUM:
	case SHAPE_DOCUMENT:
		cbor_put_text(b, *(const str *)value);
		return;
	case SHAPE_BLOB:
		cbor_put_bytes(b, *(const str *)value);
		return;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		cbor_put_i64(b, ((const opt_i64 *)value)->v);
		return;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		cbor_put_double(b, ((const opt_f64 *)value)->v);
		return;
	case SHAPE_BOOLEAN:
		cbor_put_bool(b, ((const opt_bool *)value)->v);
		return;
	case SHAPE_TIMESTAMP:
		write_time(b, ((const opt_time *)value)->v);
		return;
	case SHAPE_STRUCT:
		cbor_put_head(b, CBOR_MAP, cbor_count_members(s, value, NULL));
		cbor_write_members(b, s, value, NULL);
		return;
	case SHAPE_LIST:
		write_list(b, s, value);
		return;
	case SHAPE_MAP:
		write_map(b, s, value);
		return;
	}
}
