/*
 * Keys: the kind's name, 0x00, then the parts. A string has 0x00 written as 0x00 0xFF and ends with
 * 0x00 0x01, so that a prefix sorts first and no part runs into the next; a number is eight bytes,
 * big-endian, its sign bit turned. Values: a CBOR map from field number to value, where a shape
 * stands as its own CBOR inside a byte string, so that a reader can step over what it does not
 * know.
 */
#include "cloud/record.h"
#include "base/buf.h"
#include "cloud/req.h"
#include "wire/codec.h"

#define KEY_MAX ((size_t)4096)
#define VALUE_MAX ((size_t)1 << 30)

enum { CBOR_UINT = 0, CBOR_NEGATIVE = 1, CBOR_BYTES = 2, CBOR_MAP = 5, CBOR_SIMPLE = 7 };
enum { CBOR_FALSE = 20, CBOR_TRUE = 21 };

static const void *at(const void *row, const record_field *f)
{
	return (const char *)row + f->offset;
}

static void put_i64_part(buf *b, int64_t v)
{
	uint64_t bits = (uint64_t)v ^ (UINT64_C(1) << 63);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_c(b, (char)(bits >> shift));
}

static void put_str_part(buf *b, str s)
{
	for (size_t zero; (zero = str_find_char(s, 0)) != SIZE_MAX; s = str_sub(s, zero + 1, s.n)) {
		buf_put(b, str_sub(s, 0, zero));
		buf_put(b, str_of("\0\xff", 2));
	}
	buf_put(b, s);
	buf_put(b, str_of("\0\1", 2));
}

static void put_part(buf *b, const record_field *f, const void *row)
{
	if (f->type == RECORD_I64)
		put_i64_part(b, *(const int64_t *)at(row, f));
	else
		put_str_part(b, *(const str *)at(row, f));
}

/* STR_NONE when it would be longer than the store's keys may be. */
static str key_of(arena *a, const record_kind *kind, int parts, const void *row)
{
	ensure(parts >= 0 && parts <= kind->n_keys);
	buf b = buf_in(a, 128, KEY_MAX);
	buf_put(&b, str_c(kind->name));
	buf_c(&b, 0);
	for (int i = 0; i < parts; i++)
		put_part(&b, &kind->fields[i], row);
	return b.full ? STR_NONE : buf_str(&b);
}

str record_key(arena *a, const record_kind *kind, const void *key)
{
	return key_of(a, kind, kind->n_keys, key);
}

static void put_head(buf *b, unsigned major, uint64_t v)
{
	unsigned char head[9];
	size_t bytes = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
	static const unsigned char extra[] = { [1] = 24, [2] = 25, [4] = 26, [8] = 27 };
	head[0] = (unsigned char)(major << 5 | (bytes ? extra[bytes] : (unsigned)v));
	for (size_t i = 0; i < bytes; i++)
		head[1 + i] = (unsigned char)(v >> (8 * (bytes - 1 - i)));
	buf_put(b, str_of((const char *)head, 1 + bytes));
}

/* Where the value of a shape field stands: a structure behind its pointer, all else in the row.
 * NULL: absent. */
static const void *shape_value(const record_field *f, const void *row)
{
	const void *p = at(row, f);
	switch ((shape_kind)f->shape->kind) {
	case SHAPE_STRUCT:
		return *(const void *const *)p;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return ((const opt_i64 *)p)->set ? p : NULL;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return ((const opt_f64 *)p)->set ? p : NULL;
	case SHAPE_BOOLEAN:
		return ((const opt_bool *)p)->set ? p : NULL;
	case SHAPE_TIMESTAMP:
		return ((const opt_time *)p)->set ? p : NULL;
	default: /* strings, lists and maps begin with their pointer */
		return *(const void *const *)p ? p : NULL;
	}
}

static bool present(const record_field *f, const void *row)
{
	switch ((record_type)f->type) {
	case RECORD_STR:
		return str_is(*(const str *)at(row, f));
	case RECORD_I64:
		return *(const int64_t *)at(row, f) != 0;
	case RECORD_BOOL:
		return *(const bool *)at(row, f);
	default:
		return shape_value(f, row) != NULL;
	}
}

/* The length is known only afterwards: room for the longest head, closed up when a shorter one
 * does. */
static void put_shape(buf *b, const record_field *f, const void *row)
{
	enum { ROOM = 5 };
	size_t start = b->n;
	buf_put(b, str_of("\0\0\0\0\0", ROOM));
	cbor_encode_value(b, f->shape, shape_value(f, row));
	ensure(!b->full);
	size_t n = b->n - start - ROOM;
	b->n = start;
	put_head(b, CBOR_BYTES, n);
	memmove(b->p + b->n, b->p + start + ROOM, n);
	b->n += n;
}

static void put_field(buf *b, const record_field *f, const void *row)
{
	put_head(b, CBOR_UINT, f->number);
	if (f->type == RECORD_STR) {
		str s = *(const str *)at(row, f);
		put_head(b, CBOR_BYTES, s.n);
		buf_put(b, s);
	} else if (f->type == RECORD_I64) {
		int64_t v = *(const int64_t *)at(row, f);
		put_head(b, v < 0 ? CBOR_NEGATIVE : CBOR_UINT, (uint64_t)(v < 0 ? -1 - v : v));
	} else if (f->type == RECORD_BOOL) {
		put_head(b, CBOR_SIMPLE, CBOR_TRUE);
	} else {
		put_shape(b, f, row);
	}
}

str record_value(arena *a, const record_kind *kind, const void *row)
{
	buf b = buf_in(a, 256, VALUE_MAX);
	uint64_t n = 0;
	for (size_t i = kind->n_keys; i < kind->n_fields; i++)
		n += present(&kind->fields[i], row);
	put_head(&b, CBOR_MAP, n);
	for (size_t i = kind->n_keys; i < kind->n_fields; i++)
		if (present(&kind->fields[i], row))
			put_field(&b, &kind->fields[i], row);
	ensure(!b.full);
	return buf_str(&b);
}

/* Reads one head and, of a byte string, its bytes. */
static bool take_item(str *rest, unsigned *major, uint64_t *v, str *bytes)
{
	if (rest->n == 0)
		return false;
	const unsigned char *p = (const unsigned char *)rest->p;
	unsigned low = *p & 31;
	size_t extra = low < 24 ? 0 : low < 28 ? (size_t)1 << (low - 24) : SIZE_MAX;
	if (extra > rest->n - 1)
		return false;
	*major = *p >> 5;
	*v = extra ? 0 : low;
	for (size_t i = 0; i < extra; i++)
		*v = *v << 8 | p[1 + i];
	*rest = str_of(rest->p + 1 + extra, rest->n - 1 - extra);
	if (*major != CBOR_BYTES)
		return *major <= CBOR_NEGATIVE || *major == CBOR_MAP || *major == CBOR_SIMPLE;
	if (*v > rest->n)
		return false;
	*bytes = str_of(rest->p, (size_t)*v);
	*rest = str_of(rest->p + *v, rest->n - (size_t)*v);
	return true;
}

static bool take_shape(arena *mem, const record_field *f, str bytes, void *slot)
{
	void *value = slot;
	if (f->shape->kind == SHAPE_STRUCT) {
		value = arena_alloc(mem, f->shape->size);
		*(void **)slot = value;
	}
	return cbor_decode_value(mem, f->shape, bytes, value) == OK;
}

static bool take_field(arena *mem, const record_field *f, str *rest, void *row)
{
	void *slot = (char *)row + f->offset;
	unsigned major;
	uint64_t v;
	str bytes = STR_NONE;
	if (!take_item(rest, &major, &v, &bytes))
		return false;
	switch ((record_type)f->type) {
	case RECORD_STR:
		*(str *)slot = bytes;
		return major == CBOR_BYTES;
	case RECORD_I64:
		if (major > CBOR_NEGATIVE || v > INT64_MAX)
			return false;
		*(int64_t *)slot = major == CBOR_NEGATIVE ? -1 - (int64_t)v : (int64_t)v;
		return true;
	case RECORD_BOOL:
		*(bool *)slot = v == CBOR_TRUE;
		return major == CBOR_SIMPLE && (v == CBOR_TRUE || v == CBOR_FALSE);
	default:
		return major == CBOR_BYTES && take_shape(mem, f, bytes, slot);
	}
}

/* Fields come in the order in which they were declared: the search goes on where it last was. */
static const record_field *field_numbered(const record_kind *kind, uint64_t number, size_t *hint)
{
	size_t n = kind->n_fields;
	for (size_t i = kind->n_keys; i < n; i++, ++*hint) {
		if (*hint >= n)
			*hint = kind->n_keys;
		if (kind->fields[*hint].number == number)
			return &kind->fields[*hint];
	}
	return NULL;
}

static bool parse_value(arena *mem, const record_kind *kind, str value, void *row)
{
	unsigned major;
	uint64_t n, number, ignored;
	str bytes;
	size_t hint = kind->n_keys;
	if (!take_item(&value, &major, &n, &bytes) || major != CBOR_MAP || n > value.n)
		return false;
	while (n--) {
		if (!take_item(&value, &major, &number, &bytes) || major != CBOR_UINT)
			return false;
		const record_field *f = field_numbered(kind, number, &hint);
		bool good = f ? take_field(mem, f, &value, row)
		              : take_item(&value, &major, &ignored, &bytes) && major != CBOR_MAP;
		if (!good)
			return false;
	}
	return value.n == 0;
}

/* Unescapes in place; *rest moves behind the part. */
static bool take_str_part(char **rest, char *end, str *out)
{
	char *from = *rest, *in = from, *to = from;
	while (end - in >= 2) {
		if (*in) {
			*to++ = *in++;
			continue;
		}
		if (in[1] == '\1') {
			*out = str_of(from, (size_t)(to - from));
			*rest = in + 2;
			return true;
		}
		if (in[1] != '\xff')
			return false;
		*to++ = 0;
		in += 2;
	}
	return false;
}

static bool take_i64_part(char **rest, const char *end, int64_t *out)
{
	if (end - *rest < 8)
		return false;
	uint64_t bits = 0;
	for (int i = 0; i < 8; i++)
		bits = bits << 8 | (unsigned char)(*rest)[i];
	*out = (int64_t)(bits ^ UINT64_C(1) << 63);
	*rest += 8;
	return true;
}

static bool parse_key(const record_kind *kind, char *key, size_t key_bytes, void *row)
{
	size_t prefix = strlen(kind->name) + 1;
	char *end = key + key_bytes;
	if (key_bytes < prefix || memcmp(key, kind->name, prefix) != 0)
		return false;
	key += prefix;
	for (size_t i = 0; i < kind->n_keys; i++) {
		const record_field *f = &kind->fields[i];
		void *slot = (char *)row + f->offset;
		if (f->type == RECORD_I64 ? !take_i64_part(&key, end, slot)
		                          : !take_str_part(&key, end, slot))
			return false;
	}
	return key == end;
}

bool record_parse(arena *mem, const record_kind *kind, char *key, size_t key_bytes, str value,
                  void *row)
{
	return parse_key(kind, key, key_bytes, row) && parse_value(mem, kind, value, row);
}

/* A row of the store, copied. A row that cannot be read is a bug or a damaged disk: nothing to go
 * on with. */
static void *read_row(arena *mem, const record_kind *kind, str key, str value)
{
	char *bytes = arena_bytes(mem, key.n + value.n);
	memcpy(bytes, key.p, key.n);
	if (value.n)
		memcpy(bytes + key.n, value.p, value.n);
	void *row = arena_alloc(mem, kind->size);
	bool readable = record_parse(mem, kind, bytes, key.n, str_of(bytes + key.n, value.n), row);
	ensure(readable);
	return row;
}

void *record_get(const txn *tx, arena *mem, const record_kind *kind, const void *key)
{
	str k = record_key(mem, kind, key);
	str value = str_is(k) ? txn_get(tx, k) : STR_NONE;
	return str_is(value) ? read_row(mem, kind, k, value) : NULL;
}

void record_put(txn *tx, const record_kind *kind, const void *row)
{
	arena *a = txn_arena(tx);
	static const fault too_long = { .kind = &aws_ValidationException,
		                            .message = S("A name in the request is too long to be kept.") };
	str key = record_key(a, kind, row);
	if (str_is(key))
		txn_put(tx, key, record_value(a, kind, row));
	else
		txn_refuse(tx, &too_long);
}

bool record_delete(txn *tx, const record_kind *kind, const void *key)
{
	str k = record_key(txn_arena(tx), kind, key);
	return str_is(k) && txn_delete(tx, k);
}

record_scan record_scan_open(const txn *tx, arena *mem, const record_kind *kind, int parts,
                             const void *key)
{
	return (record_scan){ .kind = kind, .tx = tx, .mem = mem, .parts = parts,
	                      .prefix = key_of(mem, kind, parts, key) };
}

void record_scan_after(record_scan *s, str value)
{
	ensure(!s->started && s->parts < s->kind->n_keys);
	if (!str_is(s->prefix))
		return;
	buf b = buf_in(s->mem, 128, KEY_MAX);
	buf_put(&b, s->prefix);
	int64_t number = 0;
	if (s->kind->fields[s->parts].type != RECORD_I64)
		put_str_part(&b, value);
	else if (str_to_i64(value, &number))
		put_i64_part(&b, number);
	/* A position that is too long for a key, or no number, is none of ours: no row stands there. */
	s->after = b.full ? s->prefix : buf_str(&b);
}

void record_scan_reverse(record_scan *s)
{
	ensure(!s->started);
	s->reverse = true;
}

static void start(record_scan *s)
{
	str from = s->prefix, to = key_after_prefix(s->mem, s->prefix);
	if (str_is(s->after) && s->reverse)
		to = s->after;
	else if (str_is(s->after))
		from = key_after_prefix(s->mem, s->after);
	s->at = txn_scan(s->tx, from, to, s->reverse);
	s->started = true;
}

void *record_scan_next(record_scan *s)
{
	if (!str_is(s->prefix))
		return NULL;
	if (!s->started)
		start(s);
	return cursor_next(&s->at) ? read_row(s->mem, s->kind, s->at.key, s->at.value) : NULL;
}
