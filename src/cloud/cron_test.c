#include "cloud/cron.h"
#include "base/time.h"
#include "test/test.h"

static const struct row {
	const char *expression, *after, *next;
} rows[] = {
	{ "cron(0 12 * * ? *)", "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z" },
	{ "cron(0/15 * * * ? *)", "2026-11-21T12:01:30Z", "2026-11-21T12:15:00Z" },
	{ "cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00:00Z", "2026-11-23T18:00:00Z" },
	{ "cron(0 8 1 * ? *)", "2026-11-21T00:00:00Z", "2026-12-01T08:00:00Z" },
	{ "cron(0 0 L * ? *)", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z" },
	{ "cron(0 9 1W * ? *)", "2026-10-31T10:00:00Z", "2026-11-02T09:00:00Z" },
	{ "cron(0 9 LW * ? *)", "2026-10-01T10:00:00Z", "2026-10-30T09:00:00Z" },
	{ "cron(0 9 ? * 6#3 *)", "2026-11-01T00:00:00Z", "2026-11-20T09:00:00Z" },
	{ "cron(0 9 ? * 6L *)", "2026-11-01T00:00:00Z", "2026-11-27T09:00:00Z" },
	{ "cron(0 9 ? * FRI-MON *)", "2026-11-24T00:00:00Z", "2026-11-27T09:00:00Z" },
	{ "cron(30 4 29 FEB ? 2028)", "2026-11-24T00:00:00Z", "2028-02-29T04:30:00Z" },
	{ "cron(0 0 1 1 ? 2020)", "2026-11-24T00:00:00Z", NULL },
	{ "rate(5 minutes)", "2026-11-24T00:00:00Z", "2026-11-24T00:05:00Z" },
	{ "at(2026-11-24T00:00:01)", "2026-11-24T00:00:00Z", "2026-11-24T00:00:01Z" },
};

static const char *const wrong[] = {
	"cron(0 12 * * * *)", "cron(0 12 ? * ? *)", "cron(60 12 * * ? *)", "cron(0 12 * * ?)", "rate(5 minute)",
	"rate( 10 minutes )", " rate(10 minutes)", "rate(1 minutes)", "rate(0 minutes)",
	"cron(5-1 * * * ? *)", "cron(a * * * ? *)", "at(yesterday)", "x(1)",
	"cron(0 0 ? * 8 *)", "cron(0 0 ? * 2#6 *)", "", "rate(5)",
};

TEST(schedule_next_rows)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		schedule s;
		int64_t after, next;
		CHECK(time_parse(str_c(rows[i].after), &after));
		if (!schedule_parse(str_c(rows[i].expression), &s))
			test_failed(__FILE__, __LINE__, "refused: %s", rows[i].expression);
		next = schedule_next(&s, after, after);
		if (rows[i].next)
			CHECK_STR(time_iso(mem, next), str_c(rows[i].next));
		else
			CHECK_I64(next, INT64_MAX);
	}
}

TEST(schedule_refused)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		schedule s;
		if (schedule_parse(str_c(wrong[i]), &s))
			test_failed(__FILE__, __LINE__, "taken: %s", wrong[i]);
	}
}
