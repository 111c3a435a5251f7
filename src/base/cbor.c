#include "base/cbor.h"
#include <math.h>

cbor cbor_of(arena *a, str bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	return (cbor){ .mem = a, .p = p, .end = p + bytes.n };
}

bool cbor_next(cbor *c, cbor_item *item)
{
	if (c->p >= c->end)
		return false;
	unsigned char first = *c->p++;
	unsigned info = first & 31, major = first >> 5;
	*item = (cbor_item){ .major = (uint8_t)major, .info = (uint8_t)info, .n = info };
	if (info < 24)
		return true;
	if (info == 31) {
		item->indefinite = true;
		item->n = 0;
		return major >= CBOR_BYTES && major <= CBOR_MAP;
	}
	size_t bytes = info <= 27 ? (size_t)1 << (info - 24) : 0;
	if (!bytes || (size_t)(c->end - c->p) < bytes)
		return false;
	uint64_t n = 0;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | c->p[i];
	c->p += bytes;
	item->n = n;
	/* Every byte of a string, and every element, takes at least a byte of what is left. */
	if (major >= CBOR_BYTES && major <= CBOR_MAP && n > (uint64_t)(c->end - c->p))
		return false;
	return true;
}

bool cbor_break(cbor *c)
{
	if (c->p >= c->end || *c->p != 0xff)
		return false;
	c->p++;
	return true;
}

bool cbor_string(cbor *c, const cbor_item *item, str *out)
{
	if (!item->indefinite) {
		if (item->n > (uint64_t)(c->end - c->p))
			return false;
		*out = str_of((const char *)c->p, (size_t)item->n);
		c->p += item->n;
		return true;
	}
	size_t max = (size_t)(c->end - c->p);
	buf joined = buf_in(c->mem, 0, max ? max : 1);
	while (!cbor_break(c)) {
		cbor_item chunk;
		str part;
		if (!cbor_next(c, &chunk) || chunk.major != item->major || chunk.indefinite ||
		    !cbor_string(c, &chunk, &part))
			return false;
		buf_put(&joined, part);
	}
	*out = buf_str(&joined);
	return true;
}

static bool skip_one(cbor *c, unsigned depth)
{
	cbor_item item;
	return cbor_next(c, &item) && cbor_skip(c, &item, depth);
}

bool cbor_skip(cbor *c, const cbor_item *item, unsigned depth)
{
	uint64_t n = item->n;
	switch ((cbor_major)item->major) {
	case CBOR_UINT:
	case CBOR_NEGATIVE:
	case CBOR_SIMPLE:
		return true;
	case CBOR_BYTES:
	case CBOR_TEXT:
		if (item->indefinite) {
			while (!cbor_break(c)) {
				cbor_item chunk;
				if (!cbor_next(c, &chunk) || chunk.major != item->major || chunk.indefinite ||
				    !cbor_skip(c, &chunk, depth))
					return false;
			}
			return true;
		}
		if (n > (uint64_t)(c->end - c->p))
			return false;
		c->p += n;
		return true;
	case CBOR_TAG:
		return depth > 0 && skip_one(c, depth - 1);
	case CBOR_ARRAY:
	case CBOR_MAP:
		break;
	}
	if (depth == 0)
		return false;
	uint64_t each = item->major == CBOR_MAP ? 2 : 1;
	if (item->indefinite) {
		while (!cbor_break(c))
			for (uint64_t k = 0; k < each; k++)
				if (!skip_one(c, depth - 1))
					return false;
		return true;
	}
	for (uint64_t i = 0; i < n; i++)
		for (uint64_t k = 0; k < each; k++)
			if (!skip_one(c, depth - 1))
				return false;
	return true;
}

static double half_float(uint64_t bits)
{
	int exponent = (int)(bits >> 10 & 31), mantissa = (int)(bits & 1023);
	double v = exponent == 0    ? ldexp(mantissa, -24)
	           : exponent == 31 ? (mantissa ? NAN : INFINITY)
	                            : ldexp(mantissa + 1024, exponent - 25);
	return bits & 0x8000 ? -v : v;
}

double cbor_float(const cbor_item *item)
{
	if (item->info == 25)
		return half_float(item->n);
	if (item->info == 26) {
		uint32_t bits = (uint32_t)item->n;
		float f;
		memcpy(&f, &bits, sizeof f);
		return (double)f;
	}
	double d;
	memcpy(&d, &item->n, sizeof d);
	return d;
}

void cbor_put_head(buf *b, cbor_major major, uint64_t n)
{
	unsigned bytes = n < 24 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : n < 0x100000000 ? 4 : 8;
	unsigned info = bytes == 0 ? (unsigned)n : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;
	char *p = buf_room(b, 9);
	if (!p)
		return;
	*p++ = (char)((unsigned)major << 5 | info);
	for (unsigned i = bytes; i-- > 0;)
		*p++ = (char)(n >> (8 * i));
	b->n += 1 + bytes;
}

void cbor_put_i64(buf *b, int64_t v)
{
	if (v < 0)
		cbor_put_head(b, CBOR_NEGATIVE, (uint64_t)(-1 - v));
	else
		cbor_put_head(b, CBOR_UINT, (uint64_t)v);
}

void cbor_put_text(buf *b, str s)
{
	cbor_put_head(b, CBOR_TEXT, s.n);
	buf_put(b, s);
}

void cbor_put_bytes(buf *b, str s)
{
	cbor_put_head(b, CBOR_BYTES, s.n);
	buf_put(b, s);
}

void cbor_put_bool(buf *b, bool v)
{
	buf_c(b, (char)(v ? 0xf5 : 0xf4));
}

void cbor_put_null(buf *b)
{
	buf_c(b, (char)0xf6);
}

void cbor_put_double(buf *b, double v)
{
	float f = (float)v;
	char *p = buf_room(b, 9);
	if (!p)
		return;
	unsigned bytes = (double)f == v ? 4 : 8;
	uint64_t bits = 0;
	uint32_t small;
	if (bytes == 4) {
		memcpy(&small, &f, sizeof small);
		bits = small;
	} else {
		memcpy(&bits, &v, sizeof bits);
	}
	*p++ = (char)(bytes == 4 ? 0xfa : 0xfb);
	for (unsigned i = bytes; i-- > 0;)
		*p++ = (char)(bits >> (8 * i));
	b->n += 1 + bytes;
}
