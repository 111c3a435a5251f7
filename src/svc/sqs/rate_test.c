#include "rate.h"
#include "test/test.h"

static int taken(str key, int64_t now, int64_t per_second, int tries)
{
	int n = 0;
	for (int i = 0; i < tries; i++)
		n += rate_take(key, now, per_second);
	return n;
}

TEST(sqs_rate)
{
	CHECK(taken(S("a"), 1000, 300, 1000) == 300);
	CHECK(taken(S("a"), 1000, 300, 10) == 0);
	CHECK(taken(S("b"), 1000, 300, 10) == 10);
	CHECK(taken(S("a"), 1010, 300, 10) == 3);
	CHECK(taken(S("a"), 1013, 300, 10) == 0);
	CHECK(taken(S("a"), 1014, 300, 10) == 1);
	CHECK(taken(S("a"), 1500, 300, 1000) == 146);
	CHECK(taken(S("a"), 9000, 300, 1000) == 300);
	CHECK(taken(S("c"), 9000, 70000, 80000) == 70000);
}
