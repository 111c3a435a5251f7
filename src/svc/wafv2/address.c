/* IP addresses and ranges of them. */
#include "waf.h"
#include <arpa/inet.h>

bool address_read(str text, address *a)
{
	char c[64];
	str rest = text, name = str_cut(&rest, '/');
	int64_t bits = -1;
	if (name.n >= sizeof c || (str_is(rest) && !str_to_i64(rest, &bits)))
		return false;
	memcpy(c, name.p, name.n);
	c[name.n] = 0;
	*a = (address){ .family = AF_INET };
	if (inet_pton(AF_INET, c, a->bytes) != 1) {
		a->family = AF_INET6;
		if (inet_pton(AF_INET6, c, a->bytes) != 1)
			return false;
	}
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (a->family == AF_INET6 && !str_is(rest) && memcmp(a->bytes, mapped, sizeof mapped) == 0) {
		memmove(a->bytes, a->bytes + 12, 4);
		a->family = AF_INET;
	}
	int most = a->family == AF_INET ? 32 : 128;
	if (str_is(rest) && (bits < 1 || bits > most))
		return false;
	a->bits = str_is(rest) ? (int)bits : most;
	return true;
}

bool address_within(const address *a, const address *range)
{
	if (a->family != range->family)
		return false;
	int whole = range->bits / 8, left = range->bits % 8;
	if (memcmp(a->bytes, range->bytes, (size_t)whole) != 0)
		return false;
	return !left || !((a->bytes[whole] ^ range->bytes[whole]) >> (8 - left));
}
