#include "alarm.h"
#include "test/test.h"

/* Oldest first: 0 ok, X breaching, - missing. */
static str state(const char *points, size_t m, size_t n, const char *missing)
{
	point_state p[16];
	size_t count = strlen(points);
	for (size_t i = 0; i < count; i++)
		p[i] = points[i] == 'X' ? POINT_BREACHING : points[i] == '0' ? POINT_OK : POINT_MISSING;
	return alarm_state(p, count, m, n, str_c(missing), S("RETAIN"));
}

/* The table of AWS's guide: how missing points are treated, with five points in the range. */
TEST(alarm_missing_data)
{
	static const struct { const char *points; size_t m; const char *states[4]; } rows[] = {
		{ "0-X-X", 3, { "OK", "OK", "OK", "OK" } },
		{ "0----", 3, { "OK", "OK", "OK", "OK" } },
		{ "-----", 3, { "INSUFFICIENT_DATA", "RETAIN", "ALARM", "OK" } },
		{ "0XX-X", 3, { "ALARM", "ALARM", "ALARM", "ALARM" } },
		{ "--X--", 3, { "ALARM", "RETAIN", "ALARM", "OK" } },
		{ "0-X-X", 2, { "ALARM", "ALARM", "ALARM", "ALARM" } },
		{ "00X0X", 2, { "ALARM", "ALARM", "ALARM", "ALARM" } },
		{ "0-X--", 2, { "OK", "OK", "ALARM", "OK" } },
		{ "----0", 2, { "OK", "OK", "ALARM", "OK" } },
		{ "---X-", 2, { "ALARM", "RETAIN", "ALARM", "OK" } },
	};
	static const char *const missing[4] = { "missing", "ignore", "breaching", "notBreaching" };
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
		for (size_t i = 0; i < 4; i++)
			CHECK_STR(state(rows[r].points, rows[r].m, 3, missing[i]), str_c(rows[r].states[i]));
}
