/* Any schedule expression: parsing ends, and what it yields lies ahead. */
#include "base/err.h"
#include "cloud/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	schedule s;
	int64_t at = 1795000000000;
	if (!schedule_parse(str_of((const char *)data, n), &s))
		return 0;
	for (int i = 0; i < 3 && at != INT64_MAX; i++) {
		int64_t next = schedule_next(&s, 1795000000000, at);
		ensure(next > at);
		at = next;
	}
	return 0;
}
