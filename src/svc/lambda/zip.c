#include "zip.h"
#include "base/digest.h"
#include <zlib.h>

#define END_RECORD 22
#define ENTRY_HEAD 46
#define LOCAL_HEAD 30
#define ENTRIES_MAX 65534
#define LINK_FORMAT 0120000
#define FORMAT_MASK 0170000

static uint32_t u16(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] | (uint32_t)u[1] << 8;
}

static uint32_t u32(const char *p)
{
	return u16(p) | u16(p + 2) << 16;
}

bool zip_open(arena *mem, str b, zip_archive *out)
{
	/* The end record stands before a comment of at most 64 KiB. */
	if (b.n < END_RECORD)
		return false;
	size_t least = b.n > END_RECORD + 65535 ? b.n - END_RECORD - 65535 : 0;
	for (size_t at = b.n - END_RECORD + 1; at-- > least;) {
		const char *p = b.p + at;
		if (u32(p) != 0x06054b50 || at + END_RECORD + u16(p + 20) > b.n)
			continue;
		size_t n = u16(p + 10), size = u32(p + 12), offset = u32(p + 16);
		if (u16(p + 4) || u16(p + 6) || n > ENTRIES_MAX || offset > at || size > at - offset)
			return false;
		*out = (zip_archive){ .mem = mem, .bytes = str_sub(b, 0, at), .n = n, .at = offset };
		return true;
	}
	return false;
}

/* A relative path that stays where it is put. */
static bool name_ok(str name)
{
	if (name.n == 0 || name.n > 4000 || memchr(name.p, '\0', name.n))
		return false;
	str rest = name;
	if (name.p[name.n - 1] == '/')
		rest.n--;
	while (str_is(rest)) {
		str part = str_cut(&rest, '/');
		if (part.n == 0 || part.n > 255 || str_eq(part, S("..")))
			return false;
	}
	return true;
}

/* "./a//b" as some tools write it. */
static str name_clean(arena *mem, str name)
{
	buf b = buf_in(mem, name.n + 1, name.n + 1);
	bool folder = name.n && name.p[name.n - 1] == '/';
	for (str rest = name; str_is(rest);) {
		str part = str_cut(&rest, '/');
		if (part.n == 0 || str_eq(part, S(".")))
			continue;
		if (b.n)
			buf_c(&b, '/');
		buf_put(&b, part);
	}
	if (folder && b.n)
		buf_c(&b, '/');
	return buf_str(&b);
}

int zip_next(zip_archive *z, zip_entry *out)
{
	if (z->next == z->n)
		return 0;
	if (z->at > z->bytes.n || z->bytes.n - z->at < ENTRY_HEAD)
		return -1;
	const char *p = z->bytes.p + z->at;
	size_t name_n = u16(p + 28), whole = ENTRY_HEAD + name_n + u16(p + 30) + u16(p + 32);
	if (u32(p) != 0x02014b50 || whole > z->bytes.n - z->at)
		return -1;
	uint32_t attributes = u32(p + 38) >> 16;
	bool unix_made = (unsigned char)p[5] == 3;
	str name = str_of(p + ENTRY_HEAD, name_n);
	/* Some Windows tools write '\'; as on AWS such a name stays one file's. */
	if (name.n && name.p[0] == '/')
		return -1;
	*out = (zip_entry){
		.name = name_clean(z->mem, name), .mode = unix_made ? attributes & 07777 : 0,
		.link = unix_made && (attributes & FORMAT_MASK) == LINK_FORMAT,
		.size = u32(p + 24), .packed = u32(p + 20), .crc = u32(p + 16),
		.method = (int)u16(p + 10), .offset = u32(p + 42),
	};
	out->folder = out->name.n == 0 || out->name.p[out->name.n - 1] == '/';
	bool encrypted = u16(p + 8) & 1;
	if (encrypted || (out->method != 0 && out->method != 8) || (out->name.n && !name_ok(out->name)) ||
	    (out->method == 0 && out->size != out->packed) || out->offset > z->bytes.n)
		return -1;
	z->at += whole;
	z->next++;
	return 1;
}

static bool stored(str data, const zip_entry *e, bool (*put)(void *, const char *, size_t), void *context)
{
	return crc32_of(0, data.p, data.n) == e->crc && put(context, data.p, data.n);
}

static bool inflated(str data, const zip_entry *e, bool (*put)(void *, const char *, size_t), void *context)
{
	char piece[32768];
	z_stream z = { .next_in = (Bytef *)data.p, .avail_in = (uInt)data.n };
	uint32_t crc = 0;
	uint64_t total = 0;
	int state = Z_OK;
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return false;
	while (state == Z_OK && total <= e->size) {
		z.next_out = (Bytef *)piece;
		z.avail_out = sizeof piece;
		state = inflate(&z, Z_NO_FLUSH);
		size_t n = sizeof piece - z.avail_out;
		if ((state != Z_OK && state != Z_STREAM_END) || (n && !put(context, piece, n)))
			break;
		crc = crc32_of(crc, piece, n);
		total += n;
		if (n == 0 && state == Z_OK)
			break;
	}
	inflateEnd(&z);
	return state == Z_STREAM_END && total == e->size && crc == e->crc;
}

bool zip_content(const zip_archive *z, const zip_entry *e, bool (*put)(void *context, const char *p,
                                                                       size_t n),
                 void *context)
{
	if (z->bytes.n - e->offset < LOCAL_HEAD || u32(z->bytes.p + e->offset) != 0x04034b50)
		return false;
	const char *p = z->bytes.p + e->offset;
	size_t start = e->offset + LOCAL_HEAD + u16(p + 26) + u16(p + 28);
	if (start > z->bytes.n || e->packed > z->bytes.n - start)
		return false;
	str data = str_sub(z->bytes, start, start + e->packed);
	return e->method == 0 ? stored(data, e, put, context) : inflated(data, e, put, context);
}

int64_t zip_unpacked_size(arena *mem, str bytes)
{
	zip_archive z;
	zip_entry e;
	int64_t total = 0;
	int state;
	if (!zip_open(mem, bytes, &z))
		return -1;
	while ((state = zip_next(&z, &e)) > 0)
		total += e.size;
	return state < 0 ? -1 : total;
}
