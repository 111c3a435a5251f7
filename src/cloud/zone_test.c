#include "base/time.h"
#include "test/test.h"
#include "cloud/zone.h"

static const struct row {
	const char *zone, *expression, *after, *next;
} rows[] = {
	{ "America/New_York", "cron(0 9 * * ? *)", "2026-01-10T00:00:00Z", "2026-01-10T14:00:00Z" },
	{ "America/New_York", "cron(0 9 * * ? *)", "2026-07-10T00:00:00Z", "2026-07-10T13:00:00Z" },
	/* Half past two does not happen on the day on which clocks go forward. */
	{ "America/New_York", "cron(30 2 * * ? *)", "2026-03-07T12:00:00Z", "2026-03-09T06:30:00Z" },
	/* Half past one happens twice in November; once is enough. */
	{ "America/New_York", "cron(30 1 * * ? *)", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z" },
	{ "America/New_York", "cron(30 1 * * ? *)", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z" },
	/* Years that only the rule knows. */
	{ "Europe/Berlin", "cron(0 12 * * ? *)", "2090-07-01T11:00:00Z", "2090-07-02T10:00:00Z" },
	{ "Europe/Berlin", "cron(0 12 * * ? *)", "2090-01-01T00:00:00Z", "2090-01-01T11:00:00Z" },
	{ "Australia/Sydney", "cron(0 0 * * ? *)", "2050-01-01T00:00:00Z", "2050-01-01T13:00:00Z" },
	{ "Asia/Kolkata", "cron(0 0 * * ? *)", "2026-05-01T00:00:00Z", "2026-05-01T18:30:00Z" },
	{ "Asia/Tokyo", "at(2026-05-01T09:00:00)", "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z" },
	{ "UTC", "cron(0 9 * * ? *)", "2026-01-10T00:00:00Z", "2026-01-10T09:00:00Z" },
	{ "America/New_York", "rate(1 hour)", "2026-01-10T00:30:00Z", "2026-01-10T01:00:00Z" },
};

TEST(schedules_in_time_zones)
{
	int64_t start, after;
	if (!zone_load(mem, S("Asia/Tokyo")))
		SKIP("no zoneinfo on this machine");
	CHECK(time_parse(S("2026-01-01T00:00:00Z"), &start));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		schedule s;
		const zone *z = zone_load(mem, str_c(rows[i].zone));
		CHECK(z && schedule_parse(str_c(rows[i].expression), &s));
		CHECK(time_parse(str_c(rows[i].after), &after));
		CHECK_STR(time_iso(mem, zone_schedule_next(z, &s, start, after)), str_c(rows[i].next));
	}
	CHECK(!zone_load(mem, S("Mars/Base")) && !zone_load(mem, S("../../../etc/passwd")));
	CHECK(!zone_load(mem, S("/etc/passwd")));
}
