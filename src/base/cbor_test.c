#include "base/cbor.h"
#include "base/text.h"
#include "test/test.h"
#include <math.h>

static str bytes_of(arena *mem, const char *hex)
{
	str out;
	ensure(hex_decode(mem, str_c(hex), &out));
	return out;
}

/* Examples from RFC 8949, appendix A. */
TEST(cbor_heads)
{
	static const struct { const char *hex; uint8_t major; uint64_t n; } cases[] = {
		{ "00", CBOR_UINT, 0 }, { "17", CBOR_UINT, 23 }, { "1818", CBOR_UINT, 24 },
		{ "1903e8", CBOR_UINT, 1000 }, { "1a000f4240", CBOR_UINT, 1000000 },
		{ "1bffffffffffffffff", CBOR_UINT, UINT64_MAX }, { "20", CBOR_NEGATIVE, 0 },
		{ "3903e7", CBOR_NEGATIVE, 999 }, { "c1", CBOR_TAG, 1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		str bytes = bytes_of(mem, cases[i].hex);
		cbor c = cbor_of(mem, bytes);
		cbor_item item;
		CHECK(cbor_next(&c, &item));
		CHECK(item.major == cases[i].major && item.n == cases[i].n);
		CHECK(c.p == c.end);
		if (item.major > CBOR_NEGATIVE)
			continue;
		buf b = buf_in(mem, 0, 100);
		cbor_put_head(&b, item.major, item.n);
		CHECK_STR(buf_str(&b), bytes);
	}
}

static double float_of(arena *mem, const char *hex)
{
	cbor c = cbor_of(mem, bytes_of(mem, hex));
	cbor_item item;
	CHECK(cbor_next(&c, &item) && cbor_is_float(&item));
	return cbor_float(&item);
}

TEST(cbor_floats)
{
	CHECK(float_of(mem, "f93c00") == 1.0);
	CHECK(float_of(mem, "f93e00") == 1.5);
	CHECK(float_of(mem, "f97bff") == 65504.0);
	CHECK(float_of(mem, "f90001") == 5.960464477539063e-8);
	CHECK(float_of(mem, "f9c400") == -4.0);
	CHECK(isinf(float_of(mem, "f97c00")));
	CHECK(isnan(float_of(mem, "f97e00")));
	CHECK(float_of(mem, "fa47c35000") == 100000.0);
	CHECK(float_of(mem, "fb3ff199999999999a") == 1.1);
	buf b = buf_in(mem, 0, 100);
	cbor_put_double(&b, 1.1);
	cbor_put_double(&b, 100000.0);
	CHECK_STR(buf_str(&b), bytes_of(mem, "fb3ff199999999999afa47c35000"));
}

TEST(cbor_strings_in_chunks)
{
	cbor c = cbor_of(mem, bytes_of(mem, "7f657374726561646d696e67ff"));
	cbor_item item;
	str s;
	CHECK(cbor_next(&c, &item) && cbor_string(&c, &item, &s));
	CHECK_STR(s, S("streaming"));
	c = cbor_of(mem, bytes_of(mem, "7f6573747265614161ff"));
	CHECK(cbor_next(&c, &item) && !cbor_string(&c, &item, &s));
}

TEST(cbor_skips_and_bounds)
{
	cbor c = cbor_of(mem, bytes_of(mem, "bf61610161629f0203ffff01"));
	cbor_item item;
	CHECK(cbor_next(&c, &item) && cbor_skip(&c, &item, 4));
	CHECK(cbor_next(&c, &item) && item.n == 1);
	CHECK(!cbor_next(&c, &item));
	static const char *const bad[] = { "", "18", "1900", "5a7fffffff00", "9b7fffffffffffffff", "1c",
		                           "3f", "ff", "83", "a101", "7f", "9f01" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		c = cbor_of(mem, bytes_of(mem, bad[i]));
		CHECK(!cbor_next(&c, &item) || !cbor_skip(&c, &item, 4));
	}
	c = cbor_of(mem, bytes_of(mem, "818181818100"));
	CHECK(cbor_next(&c, &item) && !cbor_skip(&c, &item, 4));
}
