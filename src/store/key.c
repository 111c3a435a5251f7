#include "store/inside.h"

void be64_put(void *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
}

uint64_t be64_get(const void *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

size_t space_prefix(char *bytes, uint64_t id)
{
	if (!id)
		return 0;
	bytes[0] = 0;
	bytes[1] = 'L';
	be64_put(bytes + 2, id);
	return PREFIX;
}

/* A key that begins with 0 or 1, or is empty, stands behind a byte 1. */
static bool shifted(str key)
{
	return key.n == 0 || (unsigned char)key.p[0] < 2;
}

size_t key_length(str key)
{
	return key.n + shifted(key);
}

void key_part(char *to, str key, size_t from, size_t n)
{
	if (shifted(key)) {
		if (from == 0) {
			if (n == 0)
				return;
			*to++ = 1;
			n--;
		} else {
			from--;
		}
	}
	if (n)
		memcpy(to, key.p + from, n);
}

MDB_val pointer_of(const place *p, str key, unsigned depth, char bytes[PREFIX + CHUNK + 1])
{
	size_t n = space_prefix(bytes, depth ? p->ids[depth - 1] : 0);
	key_part(bytes + n, key, (size_t)depth * CHUNK, CHUNK);
	bytes[n + CHUNK] = 0;
	return (MDB_val){ n + CHUNK + 1, bytes };
}

static uint64_t space_make(txn *tx, MDB_val pointer)
{
	static char name[2] = { 0, 'I' };
	MDB_val counter = { sizeof(name), name }, last;
	uint64_t id = row_get(tx, counter, &last) && last.mv_size == 8 ? be64_get(last.mv_data) + 1 : 1;
	char bytes[8];
	be64_put(bytes, id);
	row_put(tx, counter, (MDB_val){ 8, bytes });
	row_put(tx, pointer, (MDB_val){ 8, bytes });
	return id;
}

bool place_of(txn *tx, str key, bool make, place *p)
{
	size_t length = key_length(key), at = 0;
	uint64_t id = 0;
	p->depth = 0;
	while (length - at > CHUNK) {
		ensure(p->depth < LEVELS);
		MDB_val pointer = pointer_of(p, key, p->depth, p->bytes), to;
		if (row_get(tx, pointer, &to) && to.mv_size == 8)
			id = be64_get(to.mv_data);
		else if (make && !tx->fault)
			id = space_make(tx, pointer);
		else
			return false;
		p->ids[p->depth++] = id;
		at += CHUNK;
	}
	size_t n = space_prefix(p->bytes, id);
	key_part(p->bytes + n, key, at, length - at);
	p->key = (MDB_val){ n + length - at, p->bytes };
	return true;
}
