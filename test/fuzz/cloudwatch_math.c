/*
 * Any text as a metric math expression over two series, an array and nothing: a value has as many points as
 * the grid, and an expression that can be read is evaluated or refused.
 */
#include "base/err.h"
#include "svc/cloudwatch/math.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define POINTS 12

static err series_of(arena *mem, size_t n, math_value *out)
{
	*out = (math_value){ .kind = n == 1 ? MATH_SERIES : MATH_ARRAY,
		                 .lines = arena_array(mem, line, n + 1),
		                 .n = n };
	for (size_t i = 0; i < n; i++) {
		out->lines[i] = line_new(mem, POINTS, (double)i);
		out->lines[i].v[3] = -1.5;
	}
	return OK;
}

static err lookup(void *context, str id, math_value *out, bool *found)
{
	*found = str_eq(id, S("m1")) || str_eq(id, S("m2"));
	return *found ? series_of(context, 1, out) : OK;
}

static err metrics(void *context, str part, math_value *out)
{
	return series_of(context, part.n % 3, out);
}

static err search(void *context, str expression, str stat, math_value *out)
{
	return series_of(context, 2, out);
}

static err band(void *context, const line *of, double deviations, math_value *out)
{
	return series_of(context, 2, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 2048)
		return 0;
	arena *mem = arena_open(1 << 14);
	req rq = { .mem = mem };
	math_node *node = NULL;
	if (!math_parse(&rq, S("e1"), str_of((const char *)data, n), &node)) {
		size_t position = 0, ids = 0;
		for (str id; math_mentions(node, &position, &id);)
			ensure(++ids <= n);
		math_scope scope = { .rq = &rq, .at = { 0, 60000, POINTS }, .name = S("e1"), .context = mem,
			             .lookup = lookup, .metrics = metrics, .search = search, .band = band };
		math_value v;
		if (!math_evaluate(&scope, node, &v)) {
			double sum = 0;
			for (size_t i = 0; i < v.n && v.kind <= MATH_ARRAY; i++)
				for (size_t p = 0; v.lines && p < POINTS; p++)
					sum += v.lines[i].v[p];
			ensure(sum != sum || sum <= 1e308 * 10 || v.n);
		}
	}
	arena_close(mem);
	return 0;
}
