#include "base/time.h"
#include "test/test.h"
#include <time.h>

TEST(time_against_the_c_library)
{
	for (int64_t day = -200000; day < 200000; day += 97) {
		int64_t ms = day * MS_DAY + 45296789; /* 12:34:56.789 */
		time_t seconds = (time_t)(day * 86400 + 45296);
		struct tm tm;
		gmtime_r(&seconds, &tm);
		civil c = time_civil(ms);
		CHECK(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday);
		CHECK(c.hour == 12 && c.minute == 34 && c.second == 56 && c.ms == 789);
		CHECK(c.weekday == tm.tm_wday);
		CHECK_I64(time_from_civil(c), ms);
	}
}

TEST(time_as_text)
{
	int64_t ms = INT64_C(1795241652000);
	CHECK_STR(time_iso(mem, ms), S("2026-11-21T06:14:12Z"));
	CHECK_STR(time_iso(mem, ms + 7), S("2026-11-21T06:14:12.007Z"));
	CHECK_STR(time_iso_ms(mem, ms), S("2026-11-21T06:14:12.000Z"));
	CHECK_STR(time_http(mem, ms), S("Sat, 21 Nov 2026 06:14:12 GMT"));
	CHECK_STR(time_basic(mem, ms), S("20261121T061412Z"));
	CHECK_STR(time_iso(mem, -1), S("1969-12-31T23:59:59.999Z"));
}

TEST(time_from_text)
{
	static const struct { str text; int64_t ms; } good[] = {
		{ S("2026-11-21T06:14:12Z"), 1795241652000 }, { S("2026-11-21T06:14:12.5Z"), 1795241652500 },
		{ S("2026-11-21T06:14:12.123456789Z"), 1795241652123 },
		{ S("2026-11-21T07:14:12+01:00"), 1795241652000 }, { S("2026-11-21T01:14:12-0500"), 1795241652000 },
		{ S("2026-11-21 06:14:12"), 1795241652000 }, { S("2026-11-21"), 1795219200000 },
		{ S("20261121T061412Z"), 1795241652000 }, { S("Sat, 21 Nov 2026 06:14:12 GMT"), 1795241652000 },
		{ S("2024-02-29"), 1709164800000 }, { S("1970-01-01T00:00:00Z"), 0 },
	};
	static const str bad[] = {
		S(""), S("now"), S("2026-13-01"), S("2026-00-01"), S("2026-02-30"), S("2023-02-29"), S("2100-02-29"),
		S("2026-11-21T24:00:00Z"), S("2026-11-21T06:60:00Z"), S("2026-11-21T06:14:12X"),
		S("2026-11-21T06:14:12+1"), S("2026-11-21T"), S("20261121T0614"), S("20261121T061412ZZ"),
		S("Sat, 21 Foo 2026 06:14:12 GMT"), S("Sat, 21 Nov 2026 06:14:12 UTC"), S("2026-11-2"),
	};
	int64_t ms = 0;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!time_parse(good[i].text, &ms))
			test_failed(__FILE__, __LINE__, "refused: %.*s", STR_ARG(good[i].text));
		CHECK_I64(ms, good[i].ms);
	}
	ms = 42;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (time_parse(bad[i], &ms))
			test_failed(__FILE__, __LINE__, "accepted: %.*s", STR_ARG(bad[i]));
	CHECK_I64(ms, 42);
}

TEST(time_round_trips)
{
	int64_t back;
	for (int64_t ms = -5000000000000; ms < 5000000000000; ms += 97303007001) {
		CHECK(time_parse(time_iso_ms(mem, ms), &back) && back == ms);
		int64_t second = ms - ((ms % MS_SECOND) + MS_SECOND) % MS_SECOND;
		CHECK(time_parse(time_http(mem, ms), &back) && back == second);
		CHECK(time_parse(time_basic(mem, ms), &back) && back == second);
	}
}
