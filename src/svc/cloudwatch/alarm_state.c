#include "alarm.h"

#define ALARM S("ALARM")

static str by_counts(size_t breaching, size_t to_alarm)
{
	return breaching >= to_alarm ? ALARM : S("OK");
}

str alarm_state(const point_state *points, size_t n, size_t to_alarm, size_t periods, str missing, str before)
{
	size_t existing = 0, breaching = 0, oldest = n;
	/* The newest N that exist decide alone when there are so many. */
	for (size_t i = n; i-- > 0 && existing < periods;) {
		if (points[i] == POINT_MISSING)
			continue;
		existing++;
		breaching += points[i] == POINT_BREACHING;
		oldest = i;
	}
	if (existing >= periods || breaching >= to_alarm)
		return by_counts(breaching, to_alarm);
	if (str_eq(missing, S("breaching")))
		return by_counts(breaching + periods - existing, to_alarm);
	if (str_eq(missing, S("notBreaching")))
		return S("OK");
	if (breaching < existing)
		return S("OK");
	if (str_eq(missing, S("ignore")))
		return before;
	if (existing == 0)
		return S("INSUFFICIENT_DATA");
	/* Premature ALARM: all that exist breach, and the oldest is at least M periods old. */
	return n - oldest >= to_alarm ? ALARM : before;
}
