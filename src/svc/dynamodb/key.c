/*
 * A row's key: "Di", table (8 bytes), index (2), hash of the partition key (8), the partition key,
 * the sort key if there is one, and in an index the item's own key, so that entries differ. Where several
 * attributes make the partition key, it is their sort keys one after another.
 *
 * Strings and binary: 00 becomes 00 FF and the end is 00 01, so that bytes order as the values do
 * and no key runs into the next. Partition keys are only compared for equality, so a long one
 * stands as its SHA-256; so does the item's own key in an index. The longest key is 2.9 KB; the
 * store takes 4 KB.
 */
#include "base/digest.h"
#include "svc/dynamodb/ddb.h"

#define PLAIN_MAX 255       /* bytes of a partition key that stand as they are */
#define OWN_KEY_MAX 512     /* bytes of an item's key in an index entry */
#define INDEX_PREFIX 12     /* "Di", table, index */
#define ROW_KEY_AT 20       /* after the hash */
enum { PLAIN = 1, DIGEST = 2 };

static void put_be(buf *b, uint64_t v, int bytes)
{
	char out[8];
	for (int i = 0; i < bytes; i++)
		out[i] = (char)(v >> (8 * (bytes - 1 - i)));
	buf_put(b, str_of(out, (size_t)bytes));
}

static void put_escaped(buf *b, str s)
{
	while (s.n) {
		const char *zero = memchr(s.p, 0, s.n);
		size_t run = zero ? (size_t)(zero - s.p) : s.n;
		buf_put(b, str_of(s.p, run));
		if (zero)
			buf_put(b, str_of("\0\xff", 2));
		s = str_sub(s, run + (zero != NULL), s.n);
	}
}

void ddb_put_sort_prefix(buf *b, value range)
{
	put_escaped(b, value_text(range));
}

void ddb_put_sort(buf *b, value range)
{
	unsigned char bytes[NUMBER_KEY_MAX];
	number n;
	if (value_number(range, &n)) {
		buf_put(b, str_of((const char *)bytes, number_key(n, bytes)));
		return;
	}
	put_escaped(b, value_text(range));
	buf_put(b, str_of("\0\1", 2));
}

/* FNV-1a, then mixed so that neighbours are far apart. Tables of old have it: it can never change. */
static uint64_t hash_of_old(str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/* The order in which AWS scans, and by which it divides segments. */
static uint64_t hash_of_aws(str text, bool is_number)
{
	unsigned char bytes[NUMBER_HASHED_MAX], sum[MD5_BYTES];
	number n;
	if (is_number && number_parse(text, &n) == NUMBER_OK)
		text = str_of((const char *)bytes, number_hashed(n, bytes));
	const str pieces[] = { S("Outliers"), text };
	md5_of(pieces, 2, sum);
	uint64_t h = 0;
	for (size_t i = 0; i < sizeof h; i++)
		h = h << 8 | sum[i];
	return h;
}

static void put_digest(buf *b, str bytes)
{
	unsigned char hash[32];
	sha256(bytes, hash);
	buf_c(b, DIGEST);
	buf_put(b, str_of((const char *)hash, sizeof hash));
}

static void put_index_prefix(buf *b, uint64_t table, uint16_t index)
{
	buf_put(b, S("Di"));
	put_be(b, table, 8);
	put_be(b, index, 2);
}

static void put_partition(buf *b, const ddb_table *t, const ddb_index *ix, str text)
{
	ddb_attr first = ix ? ix->key.v[0] : t->hash;
	bool is_number = first.type == VALUE_N && !(ix && ix->key.hashes > 1);
	put_index_prefix(b, t->id, ix ? ix->id : 0);
	put_be(b, t->id & DDB_ORDER_OF_AWS ? hash_of_aws(text, is_number) : hash_of_old(text), 8);
	if (text.n > PLAIN_MAX) {
		put_digest(b, text);
		return;
	}
	buf_c(b, PLAIN);
	put_escaped(b, text);
	buf_put(b, str_of("\0\1", 2));
}

str ddb_index_prefix(arena *mem, uint64_t table, uint16_t index)
{
	buf b = buf_in(mem, INDEX_PREFIX, INDEX_PREFIX);
	put_index_prefix(&b, table, index);
	return buf_str(&b);
}

str ddb_hash_from(arena *mem, uint64_t table, uint16_t index, uint64_t hash)
{
	buf b = buf_in(mem, ROW_KEY_AT, ROW_KEY_AT);
	put_index_prefix(&b, table, index);
	put_be(&b, hash, 8);
	return buf_str(&b);
}

str ddb_partition_prefix(arena *mem, const ddb_table *t, const ddb_index *ix, str partition)
{
	buf b = buf_in(mem, 128, 4096);
	put_partition(&b, t, ix, partition);
	return buf_str(&b);
}

str ddb_row_key(arena *mem, const ddb_table *t, value item)
{
	buf b = buf_in(mem, 128, 4096);
	put_partition(&b, t, NULL, value_text(value_member(item, t->hash.name)));
	if (str_is(t->range.name))
		ddb_put_sort(&b, value_member(item, t->range.name));
	ensure(!b.full);
	return buf_str(&b);
}

static bool has_attr(value item, ddb_attr a, value *out)
{
	*out = value_member(item, a.name);
	return value_tag_of(*out) == a.type && value_text(*out).n > 0;
}

str ddb_partition_text(arena *mem, const value *v, size_t n)
{
	if (n == 1)
		return value_text(*v);
	size_t room = 128; /* a query may ask for what no item may have */
	for (size_t i = 0; i < n; i++)
		room += 2 * value_text(v[i]).n + NUMBER_KEY_MAX + 2;
	buf b = buf_in(mem, 128, room);
	for (size_t i = 0; i < n; i++)
		ddb_put_sort(&b, v[i]);
	ensure(!b.full);
	return buf_str(&b);
}

str ddb_index_key(arena *mem, const ddb_table *t, const ddb_index *ix, value item, str row_key)
{
	const ddb_schema *s = &ix->key;
	value v[2 * DDB_KEY_PARTS_MAX];
	for (size_t i = 0; i < s->n; i++)
		if (!has_attr(item, s->v[i], &v[i]))
			return STR_NONE;
	buf b = buf_in(mem, 256, 4096);
	put_partition(&b, t, ix, ddb_partition_text(mem, v, s->hashes));
	for (size_t i = s->hashes; i < s->n; i++)
		ddb_put_sort(&b, v[i]);
	str own = str_sub(row_key, ROW_KEY_AT, row_key.n);
	if (own.n > OWN_KEY_MAX) {
		put_digest(&b, own);
	} else {
		buf_c(&b, PLAIN);
		buf_put(&b, own);
	}
	ensure(!b.full);
	return buf_str(&b);
}

#define EXPIRY_SECOND_AT 14 /* "De", table, generation */
#define EXPIRY_ROW_AT 22

str ddb_expiry_prefix(arena *mem, const ddb_table *t)
{
	buf b = buf_in(mem, EXPIRY_SECOND_AT, EXPIRY_SECOND_AT);
	buf_put(&b, S("De"));
	put_be(&b, t->id, 8);
	put_be(&b, t->ttl_generation, 4);
	return buf_str(&b);
}

str ddb_expiry_key(arena *mem, const ddb_table *t, int64_t second, str row_key)
{
	buf b = buf_in(mem, EXPIRY_ROW_AT + row_key.n, 4096);
	buf_put(&b, ddb_expiry_prefix(mem, t));
	put_be(&b, (uint64_t)second, 8);
	buf_put(&b, str_sub(row_key, INDEX_PREFIX, row_key.n));
	ensure(!b.full);
	return buf_str(&b);
}

int64_t ddb_expiry_second(str key)
{
	uint64_t v = 0;
	for (size_t i = EXPIRY_SECOND_AT; i < EXPIRY_ROW_AT; i++)
		v = v << 8 | (unsigned char)key.p[i];
	return (int64_t)v;
}

str ddb_expiry_row(arena *mem, const ddb_table *t, str key)
{
	return arena_concat(mem, ddb_index_prefix(mem, t->id, 0),
	                    str_sub(key, EXPIRY_ROW_AT, key.n));
}

str ddb_collection_key(arena *mem, const ddb_table *t, value hash)
{
	buf b = buf_in(mem, 128, 4096);
	buf_put(&b, S("Dk"));
	put_be(&b, t->id, 8);
	if (value_is(hash))
		buf_put(&b, str_sub(ddb_partition_prefix(mem, t, NULL, value_text(hash)), INDEX_PREFIX, SIZE_MAX));
	return buf_str(&b);
}

str ddb_tally_key(arena *mem, uint64_t table)
{
	buf b = buf_in(mem, 10, 10);
	buf_put(&b, S("Dc"));
	put_be(&b, table, 8);
	return buf_str(&b);
}
