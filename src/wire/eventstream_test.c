#include "base/text.h"
#include "test/test.h"
#include "wire/codec.h"

/* The frames that AWS's own encoders are tested with. */
TEST(event_frames_have_known_bytes)
{
	http_header type = { S("content-type"), S("application/json") };
	buf b = buf_in(mem, 0, 1000);
	event_frame(&b, NULL, 0, S(""));
	CHECK_STR(hex_encode(mem, buf_str(&b)), S("000000100000000005c248eb7d98c8ff"));
	b.n = 0;
	event_frame(&b, NULL, 0, S("{'foo':'bar'}"));
	CHECK_STR(hex_encode(mem, buf_str(&b)),
	          S("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936"));
	b.n = 0;
	event_frame(&b, &type, 1, S("{'foo':'bar'}"));
	CHECK_STR(hex_encode(mem, buf_str(&b)),
	          S("0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e"
	            "7b27666f6f273a27626172277d8d9c08b1"));
}

TEST(event_frames_follow_each_other)
{
	buf b = buf_in(mem, 0, 40);
	event_frame(&b, NULL, 0, S("1"));
	event_frame(&b, NULL, 0, S("2"));
	CHECK_I64(b.n, 34);
	CHECK(!b.full);
	event_frame(&b, NULL, 0, S("3"));
	CHECK(b.full && b.n == 34);
}
