/* Which route of an HTTP API is meant by a method and a path. */
#include "visit.h"
#include "base/text.h"

#define SEGMENTS_MAX 64

/* Ranks of two matches are compared from the left: text before {name} before {name+}. */
typedef struct match {
	apigatewayv2_Route *route;
	unsigned char rank[SEGMENTS_MAX + 2];
	size_t n;
	event_pair parameters[SEGMENTS_MAX];
	size_t n_parameters;
} match;

enum { RANK_GREEDY = 1, RANK_NAMED = 2, RANK_TEXT = 3 };

/* Routes with a greedy variable come after all that match in full. */
static bool path_fits(arena *mem, str pattern, str path, match *m)
{
	m->n = 1;
	m->rank[0] = 1;
	pattern = str_sub(pattern, 1, pattern.n);
	path = str_sub(path, 1, path.n);
	if (pattern.n == 0 || path.n == 0)
		return pattern.n == path.n;
	while (str_is(pattern) && m->n < SEGMENTS_MAX) {
		if (!str_is(path))
			return false;
		str want = str_cut(&pattern, '/');
		if (str_starts(want, S("{")) && str_ends(want, S("+}"))) {
			if (path.n == 0)
				return false;
			m->rank[0] = 0;
			m->rank[m->n++] = RANK_GREEDY;
			m->parameters[m->n_parameters++] = (event_pair){ str_sub(want, 1, want.n - 2),
				percent_decode(mem, path, false) };
			return !str_is(pattern);
		}
		str got = str_cut(&path, '/');
		if (str_starts(want, S("{")) && str_ends(want, S("}"))) {
			if (got.n == 0)
				return false;
			m->rank[m->n++] = RANK_NAMED;
			m->parameters[m->n_parameters++] = (event_pair){ str_sub(want, 1, want.n - 1),
				percent_decode(mem, got, false) };
		} else if (str_eq(want, got)) {
			m->rank[m->n++] = RANK_TEXT;
		} else {
			return false;
		}
	}
	return !str_is(pattern) && !str_is(path);
}

static bool better(const match *a, const match *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int c = memcmp(a->rank, b->rank, n);
	return c > 0 || (c == 0 && a->n > b->n);
}

apigatewayv2_Route *route_for(visit *v, str method, str path)
{
	match best = { 0 };
	for (size_t i = 0; i < v->serves->Routes.n; i++) {
		apigatewayv2_Route *r = &v->serves->Routes.v[i];
		str pattern = r->RouteKey, wanted = str_cut(&pattern, ' ');
		match m = { .route = r };
		bool exact = str_eq(wanted, method);
		if (!str_is(pattern) || (!exact && !str_eq(wanted, S("ANY"))) ||
		    !path_fits(v->mem, pattern, path, &m))
			continue;
		m.rank[m.n++] = exact;
		if (!best.route || better(&m, &best))
			best = m;
	}
	if (!best.route)
		return route_with_key(v, S("$default"));
	v->parameters.v = arena_array(v->mem, event_pair, best.n_parameters + 1);
	v->parameters.n = best.n_parameters;
	for (size_t i = 0; i < best.n_parameters; i++)
		v->parameters.v[i] = best.parameters[i];
	return best.route;
}
