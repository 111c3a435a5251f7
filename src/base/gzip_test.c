#include "base/buf.h"
#include "base/gzip.h"
#include "test/test.h"

TEST(gzip_there_and_back)
{
	buf b = buf_in(mem, 1024, 1 << 20);
	for (int i = 0; i < 20000; i++)
		buf_fmt(&b, "line %d\n", i);
	str packed = gzip_pack(mem, buf_str(&b)), out;
	CHECK(packed.n < b.n / 3);
	CHECK(gzip_unpack(mem, packed, b.n, &out));
	CHECK(str_eq(out, buf_str(&b)));
	CHECK(!gzip_unpack(mem, packed, b.n - 1, &out));
	CHECK(!gzip_unpack(mem, str_sub(packed, 0, packed.n / 2), b.n, &out));
	CHECK(!gzip_unpack(mem, S("no gzip at all"), b.n, &out));
	CHECK(gzip_unpack(mem, gzip_pack(mem, S("")), 10, &out) && out.n == 0);
}
