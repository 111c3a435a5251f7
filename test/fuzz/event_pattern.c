/*
 * Any pattern against any event: a line of pattern, then the event. Compiling and matching end, and what
 * matches as a whole also matches itself again.
 */
#include "base/err.h"
#include "cloud/event_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	arena *mem = arena_open(1 << 14);
	str rest = str_of((const char *)data, n), why, pattern = str_cut(&rest, '\n');
	const event_pattern *p = event_pattern_parse(mem, pattern, &why);
	ensure(p || why.n);
	const json_value *event = json_parse(mem, str_is(rest) ? rest : S("{}"));
	if (p && event) {
		str *texts;
		size_t count;
		bool matched = event_pattern_match(p, event);
		ensure(matched == event_pattern_match(p, event));
		/* An index by exact texts must not lose a match. */
		const json_value *a = json_get(event, S("a"));
		if (matched && event_pattern_exact(p, mem, S("a"), &texts, &count))
			ensure(a != NULL);
	}
	arena_close(mem);
	return 0;
}
