/*
 * Any text as a filter pattern against any event: a line of pattern, a selector, then the event. What is read
 * is asked twice and answers the same; values are only picked from events that fit.
 */
#include "base/err.h"
#include "svc/logs/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void seen(void *context, str name, str value)
{
	size_t *total = context;
	*total += name.n + value.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	arena *mem = arena_open(1 << 14);
	req rq = { .mem = mem };
	str event = str_of((const char *)data, n), pattern = str_cut(&event, '\n'),
		selector = str_cut(&event, '\n');
	filter *f = NULL;
	if (!filter_parse(&rq, pattern, &f)) {
		bool fits = filter_fits(mem, f, event);
		ensure(fits == filter_fits(mem, f, event));
		size_t total = 0;
		if (fits) {
			filter_value(mem, f, event, selector);
			filter_values(mem, f, event, seen, &total);
		}
	}
	arena_close(mem);
	return 0;
}
