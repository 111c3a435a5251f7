#include "base/gzip.h"
#include "base/buf.h"
#include "base/err.h"
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, PIECE = 16384 };

str gzip_pack(arena *a, str plain)
{
	z_stream z = { 0 };
	ensure(plain.n <= UINT32_MAX);
	ensure(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
	                    Z_DEFAULT_STRATEGY) == Z_OK);
	size_t most = deflateBound(&z, plain.n);
	char *out = arena_alloc(a, most);
	z.next_in = (Bytef *)plain.p;
	z.avail_in = (uInt)plain.n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)most;
	ensure(deflate(&z, Z_FINISH) == Z_STREAM_END);
	size_t n = z.total_out;
	deflateEnd(&z);
	return (str){ out, n };
}

bool gzip_unpack(arena *a, str packed, size_t max, str *out)
{
	z_stream z = { 0 };
	if (packed.n > UINT32_MAX || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return false;
	buf b = buf_in(a, PIECE, max);
	char piece[PIECE];
	int state = Z_OK;
	z.next_in = (Bytef *)packed.p;
	z.avail_in = (uInt)packed.n;
	while (state == Z_OK && !b.full) {
		z.next_out = (Bytef *)piece;
		z.avail_out = sizeof piece;
		state = inflate(&z, Z_NO_FLUSH);
		buf_put(&b, (str){ piece, sizeof piece - z.avail_out });
		/* Members one behind the other are one text. */
		if (state == Z_STREAM_END && z.avail_in && inflateReset(&z) == Z_OK)
			state = Z_OK;
	}
	inflateEnd(&z);
	*out = buf_str(&b);
	return state == Z_STREAM_END && !b.full;
}

struct gunzip {
	z_stream z;
	bool whole, pending;
};

static void gunzip_close(void *subject)
{
	gunzip *g = subject;
	inflateEnd(&g->z);
}

gunzip *gunzip_open(arena *a)
{
	gunzip *g = arena_new(a, gunzip);
	ensure(inflateInit2(&g->z, GZIP_WINDOW) == Z_OK);
	arena_hook(a, gunzip_close, g);
	return g;
}

bool gunzip_some(gunzip *g, str *packed, buf *out, size_t most)
{
	char piece[PIECE];
	int state = Z_OK;
	ensure(packed->n <= UINT32_MAX);
	while ((packed->n || g->pending) && out->n < most && state == Z_OK) {
		/* Members one behind the other are one text. */
		if (g->whole && packed->n)
			inflateReset(&g->z);
		size_t room = most - out->n < sizeof piece ? most - out->n : sizeof piece;
		g->z.next_in = (Bytef *)packed->p;
		g->z.avail_in = (uInt)packed->n;
		g->z.next_out = (Bytef *)piece;
		g->z.avail_out = (uInt)room;
		state = inflate(&g->z, Z_NO_FLUSH);
		buf_put(out, (str){ piece, room - g->z.avail_out });
		*packed = str_sub(*packed, packed->n - g->z.avail_in, packed->n);
		g->whole = state == Z_STREAM_END;
		g->pending = !g->whole && !g->z.avail_out;
		/* With nothing to go on, there was nothing more to come. */
		if (g->whole || state == Z_BUF_ERROR)
			state = Z_OK;
	}
	return state == Z_OK && !out->full;
}

bool gunzip_pending(const gunzip *g)
{
	return g->pending;
}

bool gunzip_whole(const gunzip *g)
{
	return g->whole;
}
