#include "cidr.h"
#include <arpa/inet.h>

static bool whole(str text, int64_t most, int64_t *out)
{
	bool digits = text.n > 0 && text.n <= 3;
	for (size_t i = 0; i < text.n; i++)
		digits = digits && text.p[i] >= '0' && text.p[i] <= '9';
	return digits && str_to_i64(text, out) && *out <= most;
}

bool address4_parse(str text, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		int64_t part;
		if (!whole(str_cut(&text, '.'), 255, &part) || str_is(text) != (i < 3))
			return false;
		*out = *out << 8 | (uint32_t)part;
	}
	return true;
}

str address4_text(arena *mem, uint32_t a)
{
	return arena_fmt(mem, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static uint32_t mask(int bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

bool cidr4_parse(str text, cidr4 *out)
{
	int64_t bits;
	str address = str_cut(&text, '/');
	if (!address4_parse(address, &out->base) || !str_is(text) || !whole(text, 32, &bits))
		return false;
	out->bits = (int)bits;
	out->base &= mask(out->bits);
	return true;
}

str cidr4_text(arena *mem, cidr4 c)
{
	return arena_fmt(mem, "%.*s/%d", STR_ARG(address4_text(mem, c.base)), c.bits);
}

bool cidr4_within(cidr4 inner, cidr4 outer)
{
	return inner.bits >= outer.bits && (inner.base & mask(outer.bits)) == outer.base;
}

bool cidr4_overlap(cidr4 a, cidr4 b)
{
	return cidr4_within(a, b) || cidr4_within(b, a);
}

static void cut6(cidr6 *c, int bits)
{
	for (int i = 0; i < 16; i++) {
		int keep = bits - i * 8;
		c->address[i] = (uint8_t)(c->address[i] & (keep >= 8 ? 0xff : keep <= 0 ? 0 : 0xff << (8 - keep)));
	}
}

bool cidr6_parse(str text, cidr6 *out)
{
	char zeroed[INET6_ADDRSTRLEN];
	int64_t bits;
	str address = str_cut(&text, '/');
	if (address.n >= sizeof zeroed || !str_is(text) || !whole(text, 128, &bits))
		return false;
	memcpy(zeroed, address.p, address.n);
	zeroed[address.n] = 0;
	if (inet_pton(AF_INET6, zeroed, out->address) != 1)
		return false;
	out->bits = (int)bits;
	cut6(out, out->bits);
	return true;
}

str cidr6_text(arena *mem, const cidr6 *c)
{
	char text[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, c->address, text, sizeof text);
	return arena_fmt(mem, "%s/%d", text, c->bits);
}

bool cidr6_within(const cidr6 *inner, const cidr6 *outer)
{
	cidr6 cut = *inner;
	cut6(&cut, outer->bits);
	return inner->bits >= outer->bits && !memcmp(cut.address, outer->address, 16);
}

bool cidr_canonical(arena *mem, str text, str *out)
{
	cidr4 four;
	cidr6 six;
	if (cidr4_parse(text, &four))
		*out = cidr4_text(mem, four);
	else if (cidr6_parse(text, &six))
		*out = cidr6_text(mem, &six);
	else
		return false;
	return true;
}
