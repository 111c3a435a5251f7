#include "math_inside.h"
#include <math.h>
#include <stdlib.h>

/* Sum, mean and so on of some values; NaN ones are not there. `of`: how many there would be. */
static double summary(str name, const double *v, size_t n)
{
	double sum = 0, least = NAN, most = NAN, squares = 0, count = 0;
	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i]))
			continue;
		count++;
		sum += v[i];
		least = isnan(least) || v[i] < least ? v[i] : least;
		most = isnan(most) || v[i] > most ? v[i] : most;
	}
	if (str_eq(name, S("DATAPOINT_COUNT")))
		return count;
	if (str_eq(name, S("SUM")))
		return sum;
	if (str_eq(name, S("MIN")) || str_eq(name, S("MAX")))
		return str_eq(name, S("MIN")) ? least : most;
	double mean = count ? sum / count : NAN;
	if (str_eq(name, S("AVG")))
		return mean;
	for (size_t i = 0; i < n; i++)
		squares += isnan(v[i]) ? 0 : (v[i] - mean) * (v[i] - mean);
	return count ? sqrt(squares / count) : NAN;
}

static void one_series(math_value *out, const math_scope *s, line l)
{
	*out = (math_value){ .kind = MATH_SERIES, .n = 1, .lines = arena_new(s->rq->mem, line) };
	out->lines[0] = l;
}

/* SUM(m1) is a number, SUM([m1, m2]) a series. In an array's mean a missing value is 0. */
static err summarise(const math_scope *s, str name, const math_value *a, math_value *out)
{
	if (a->kind == MATH_SCALAR) {
		*out = (math_value){ .scalar = summary(name, &a->scalar, 1) };
		return OK;
	}
	if (a->kind == MATH_SERIES) {
		*out = (math_value){ .scalar = summary(name, a->lines[0].v, s->at.n) };
		return OK;
	}
	line l = line_new(s->rq->mem, s->at.n, NAN);
	double *column = arena_array(s->rq->mem, double, a->n + 1);
	for (size_t i = 0; i < s->at.n; i++) {
		size_t there = 0;
		for (size_t k = 0; k < a->n; k++) {
			column[k] = a->lines[k].v[i];
			there += !isnan(column[k]);
		}
		for (size_t k = 0; k < a->n && there && str_eq(name, S("AVG")); k++)
			column[k] = isnan(column[k]) ? 0 : column[k];
		if (there)
			l.v[i] = summary(name, column, a->n);
	}
	one_series(out, s, l);
	return OK;
}

typedef struct walk {
	double before, sum;
	int64_t moment; /* of the value before, in seconds */
} walk;

static double step_of(str name, walk *w, double x, int64_t moment)
{
	double before = w->before, seconds = (double)(moment - w->moment);
	w->before = x;
	w->moment = moment;
	w->sum += x;
	return str_eq(name, S("ABS"))        ? fabs(x)
		: str_eq(name, S("CEIL"))        ? ceil(x)
		: str_eq(name, S("FLOOR"))       ? floor(x)
		: str_eq(name, S("LOG"))         ? log(x)
		: str_eq(name, S("LOG10"))       ? log10(x)
		: str_eq(name, S("EXP"))         ? exp(x)
		: str_eq(name, S("RUNNING_SUM")) ? w->sum
		: isnan(before)                  ? NAN
		: str_eq(name, S("DIFF"))        ? x - before
		: str_eq(name, S("DIFF_TIME"))   ? seconds
										 : (x - before) / seconds;
}

/* What is done to each series for itself, value by value. */
static err pointwise(const math_scope *s, str name, const math_value *a, math_value *out)
{
	walk w = { .before = NAN };
	*out = *a;
	if (a->kind == MATH_SCALAR) {
		out->scalar = step_of(name, &w, a->scalar, 0);
		return OK;
	}
	out->lines = arena_array(s->rq->mem, line, a->n + 1);
	for (size_t k = 0; k < a->n; k++) {
		out->lines[k] = a->lines[k];
		out->lines[k].v = line_new(s->rq->mem, s->at.n, NAN).v;
		w = (walk){ .before = NAN };
		for (size_t i = 0; i < s->at.n; i++) {
			double x = a->lines[k].v[i];
			if (isnan(x))
				continue;
			x = step_of(name, &w, x, (s->at.start + (int64_t)i * s->at.period_ms) / 1000);
			out->lines[k].v[i] = isfinite(x) ? x : NAN;
		}
	}
	return OK;
}

static void fill_between(double *v, size_t n, bool repeat)
{
	size_t before = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(v[i])) {
			for (size_t k = before + 1; !repeat && before != SIZE_MAX && k < i; k++)
				v[k] = v[before] + (v[i] - v[before]) * (double)(k - before) / (double)(i - before);
			before = i;
		} else if (repeat && before != SIZE_MAX) {
			v[i] = v[before];
		}
	}
}

static err fill(const math_scope *s, const math_value *a, math_value *out)
{
	const math_value *with = &a[1];
	bool repeat = with->kind == MATH_WORD && str_eq(with->text, S("REPEAT"));
	bool between = with->kind == MATH_WORD && str_eq(with->text, S("LINEAR"));
	if (with->kind > MATH_SERIES && !repeat && !between)
		return math_wrong(s->rq, s->name, "Invalid filler of type %s for function FILL", math_type(with));
	*out = a[0];
	out->lines = arena_array(s->rq->mem, line, a->n + 1);
	for (size_t k = 0; k < a->n; k++) {
		out->lines[k] = a->lines[k];
		out->lines[k].v = line_new(s->rq->mem, s->at.n, NAN).v;
		for (size_t i = 0; i < s->at.n; i++) {
			double x = a->lines[k].v[i];
			if (isnan(x) && with->kind == MATH_SCALAR)
				x = with->scalar;
			else if (isnan(x) && with->kind == MATH_SERIES)
				x = with->lines[0].v[i];
			out->lines[k].v[i] = x;
		}
		if (repeat || between)
			fill_between(out->lines[k].v, s->at.n, repeat);
	}
	return OK;
}

static double at(const math_value *v, size_t i)
{
	return v->kind == MATH_SCALAR ? v->scalar : v->lines[0].v[i];
}

/* True without a value is 0, false without one is dropped, and so is a condition that is not there. */
static err choose(const math_scope *s, const math_value *a, size_t n, math_value *out)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].kind > MATH_SERIES)
			return math_wrong(s->rq, s->name, "Unsupported argument of type %s for function IF",
			                  math_type(&a[i]));
	if (a[0].kind == MATH_SCALAR && a[1].kind == MATH_SCALAR && (n == 2 || a[2].kind == MATH_SCALAR)) {
		*out = (math_value){ .scalar = a[0].scalar != 0 ? a[1].scalar : n == 3 ? a[2].scalar : NAN };
		return OK;
	}
	line l = line_new(s->rq->mem, s->at.n, NAN);
	const math_value *origin = a[1].kind == MATH_SERIES ? &a[1] : &a[0];
	if (origin->kind == MATH_SERIES) {
		l.label = origin->lines[0].label;
		l.metric = origin->lines[0].metric;
		l.stat = origin->lines[0].stat;
	}
	for (size_t i = 0; i < s->at.n; i++) {
		double c = at(&a[0], i);
		if (isnan(c))
			continue;
		double x = c != 0 ? at(&a[1], i) : n == 3 ? at(&a[2], i) : NAN;
		l.v[i] = c != 0 && isnan(x) && a[0].kind == MATH_SERIES ? 0 : x;
	}
	one_series(out, s, l);
	return OK;
}

static double of_moment(str name, int64_t ms)
{
	civil c = time_civil(ms);
	return str_eq(name, S("MINUTE")) ? c.minute
		: str_eq(name, S("HOUR"))    ? c.hour
		: str_eq(name, S("DAY"))     ? (c.weekday + 6) % 7 + 1
		: str_eq(name, S("DATE"))    ? c.day
		: str_eq(name, S("MONTH"))   ? c.month
		: str_eq(name, S("YEAR"))    ? c.year
									 : (double)(ms / 1000);
}

static err moments(const math_scope *s, str name, math_value *out)
{
	line l = line_new(s->rq->mem, s->at.n, NAN);
	for (size_t i = 0; i < s->at.n; i++)
		l.v[i] = of_moment(name, s->at.start + (int64_t)i * s->at.period_ms);
	one_series(out, s, l);
	return OK;
}

typedef struct ranked {
	double by;
	size_t place;
} ranked;

static int ascending(const void *x, const void *y)
{
	const ranked *a = x, *b = y;
	/* Series without data come last either way. */
	if (isnan(a->by) || isnan(b->by))
		return isnan(a->by) - isnan(b->by);
	return a->by < b->by ? -1 : a->by > b->by ? 1 : a->place < b->place ? -1 : 1;
}

static int descending(const void *x, const void *y)
{
	const ranked *a = x, *b = y;
	if (isnan(a->by) || isnan(b->by) || a->by == b->by)
		return ascending(x, y);
	return a->by > b->by ? -1 : 1;
}

static bool is_word(const math_value *v, const char *words)
{
	str rest = str_c(words);
	while (v->kind == MATH_WORD && str_is(rest))
		if (str_eq(str_cut(&rest, ' '), v->text))
			return true;
	return false;
}

static err sort(const math_scope *s, const math_value *a, size_t n, math_value *out)
{
	if (!is_word(&a[1], "AVG MIN MAX SUM") || !is_word(&a[2], "ASC DESC")
	    || (n == 4 && a[3].kind != MATH_SCALAR))
		return math_wrong(s->rq, s->name,
		                  "SORT takes an array, AVG, MIN, MAX or SUM, ASC or DESC, and a number");
	ranked *r = arena_array(s->rq->mem, ranked, a->n + 1);
	for (size_t i = 0; i < a->n; i++)
		r[i] = (ranked){ summary(a[1].text, a->lines[i].v, s->at.n), i };
	qsort(r, a->n, sizeof *r, str_eq(a[2].text, S("ASC")) ? ascending : descending);
	*out = *a;
	out->kind = MATH_ARRAY;
	if (n == 4 && a[3].scalar >= 0 && a[3].scalar < (double)a->n)
		out->n = (size_t)a[3].scalar;
	out->lines = arena_array(s->rq->mem, line, a->n + 1);
	for (size_t i = 0; i < out->n; i++)
		out->lines[i] = a->lines[r[i].place];
	return OK;
}

static err slice(const math_scope *s, const math_value *a, size_t n, math_value *out)
{
	if (a[1].kind != MATH_SCALAR || (n == 3 && a[2].kind != MATH_SCALAR) || a[1].scalar < 0)
		return math_wrong(s->rq, s->name, "SLICE takes an array and one or two numbers");
	size_t from = a[1].scalar < (double)a->n ? (size_t)a[1].scalar : a->n, to = a->n;
	if (n == 3 && a[2].scalar < (double)to)
		to = a[2].scalar > (double)from ? (size_t)a[2].scalar : from;
	*out = *a;
	out->kind = MATH_ARRAY;
	out->lines = a->lines + from;
	out->n = to - from;
	return OK;
}

static err remove_empty(const math_scope *s, const math_value *a, math_value *out)
{
	*out = (math_value){ .kind = MATH_ARRAY, .lines = arena_array(s->rq->mem, line, a->n + 1) };
	for (size_t i = 0; i < a->n; i++)
		if (summary(S("DATAPOINT_COUNT"), a->lines[i].v, s->at.n) > 0)
			out->lines[out->n++] = a->lines[i];
	return OK;
}

static err end_of(const math_scope *s, str name, const math_value *a, math_value *out)
{
	if (!a->n) {
		one_series(out, s, line_new(s->rq->mem, s->at.n, NAN));
		return OK;
	}
	one_series(out, s, a->lines[str_eq(name, S("FIRST")) ? 0 : a->n - 1]);
	return OK;
}

static err of_text(const math_scope *s, str name, const math_value *a, size_t n, math_value *out)
{
	if (str_eq(name, S("METRICS")))
		return s->metrics(s->context, n ? a[0].text : S(""), out);
	if (n == 3 && a[2].kind != MATH_SCALAR)
		return math_wrong(s->rq, s->name, "The period of SEARCH must be a number");
	return s->search(s->context, a[0].text, a[1].text, out);
}

typedef enum wants { ANY, NUMBER, SERIES, SEVERAL, TEXT } wants;

static const struct {
	const char *name;
	size_t least, most;
	wants first;
} functions[] = {
	{ "ABS", 1, 1, ANY },
	{ "CEIL", 1, 1, ANY },
	{ "FLOOR", 1, 1, ANY },
	{ "LOG", 1, 1, ANY },
	{ "LOG10", 1, 1, ANY },
	{ "EXP", 1, 1, ANY },
	{ "RUNNING_SUM", 1, 1, ANY },
	{ "DIFF", 1, 1, ANY },
	{ "DIFF_TIME", 1, 1, ANY },
	{ "RATE", 1, 1, ANY },
	{ "SUM", 1, 1, ANY },
	{ "AVG", 1, 1, ANY },
	{ "MIN", 1, 1, ANY },
	{ "MAX", 1, 1, ANY },
	{ "STDDEV", 1, 1, ANY },
	{ "DATAPOINT_COUNT", 1, 1, ANY },
	{ "FILL", 2, 2, SEVERAL },
	{ "IF", 2, 3, ANY },
	{ "SORT", 3, 4, SEVERAL },
	{ "SLICE", 2, 3, SEVERAL },
	{ "REMOVE_EMPTY", 1, 1, SEVERAL },
	{ "FIRST", 1, 1, SEVERAL },
	{ "LAST", 1, 1, SEVERAL },
	{ "METRIC_COUNT", 1, 1, SEVERAL },
	{ "TIME_SERIES", 1, 1, NUMBER },
	{ "PERIOD", 1, 1, SERIES },
	{ "MINUTE", 1, 1, SERIES },
	{ "HOUR", 1, 1, SERIES },
	{ "DAY", 1, 1, SERIES },
	{ "DATE", 1, 1, SERIES },
	{ "MONTH", 1, 1, SERIES },
	{ "YEAR", 1, 1, SERIES },
	{ "EPOCH", 1, 1, SERIES },
	{ "METRICS", 0, 1, TEXT },
	{ "SEARCH", 2, 3, TEXT },
	{ "ANOMALY_DETECTION_BAND", 1, 2, SERIES },
};
#define N_SIMPLE 10
#define N_SUMMARY 16

static bool fits(wants w, const math_value *v)
{
	return w == TEXT   ? v->kind == MATH_TEXT
		: w == NUMBER  ? v->kind == MATH_SCALAR
		: w == SERIES  ? v->kind == MATH_SERIES || (v->kind == MATH_ARRAY && v->n == 1)
		: w == SEVERAL ? v->kind == MATH_SERIES || v->kind == MATH_ARRAY
					   : v->kind <= MATH_ARRAY;
}

static err checked(const math_scope *s, str name, const math_value *a, size_t n, size_t *which)
{
	static const char *const refused = "INSIGHT_RULE_METRIC DB_PERF_INSIGHTS SERVICE_QUOTA LAMBDA";
	str rest = str_c(refused);
	for (*which = 0; *which < sizeof functions / sizeof *functions; ++*which)
		if (str_eq(str_c(functions[*which].name), name))
			break;
	while (str_is(rest))
		if (str_eq(str_cut(&rest, ' '), name))
			return math_wrong(s->rq, s->name, "Farthing does not have the function %.*s", STR_ARG(name));
	if (*which == sizeof functions / sizeof *functions)
		return math_wrong(s->rq, s->name, "Unknown function '%.*s'", STR_ARG(name));
	if (n < functions[*which].least || n > functions[*which].most)
		return math_wrong(s->rq, s->name, "Invalid number of arguments for function %.*s: %zu", STR_ARG(name),
		                  n);
	if (n && !fits(functions[*which].first, &a[0]))
		return math_wrong(s->rq, s->name, "Invalid argument of type %s for function %.*s", math_type(&a[0]),
		                  STR_ARG(name));
	return OK;
}

err math_function(const math_scope *s, const math_node *call, math_value *a, size_t n, math_value *out)
{
	size_t which;
	str name = call->text;
	TRY(checked(s, name, a, n, &which));
	if (which < N_SIMPLE)
		return pointwise(s, name, &a[0], out);
	if (which < N_SUMMARY)
		return summarise(s, name, &a[0], out);
	if (functions[which].first == TEXT)
		return of_text(s, name, a, n, out);
	if (str_eq(name, S("FILL")))
		return fill(s, a, out);
	if (str_eq(name, S("IF")))
		return choose(s, a, n, out);
	if (str_eq(name, S("SORT")))
		return sort(s, a, n, out);
	if (str_eq(name, S("SLICE")))
		return slice(s, a, n, out);
	if (str_eq(name, S("REMOVE_EMPTY")))
		return remove_empty(s, a, out);
	if (str_eq(name, S("FIRST")) || str_eq(name, S("LAST")))
		return end_of(s, name, a, out);
	if (str_eq(name, S("ANOMALY_DETECTION_BAND"))) {
		if (n == 2 && a[1].kind != MATH_SCALAR)
			return math_wrong(s->rq, s->name, "The width of the band must be a number");
		return s->band(s->context, &a[0].lines[0], n == 2 ? a[1].scalar : 2, out);
	}
	if (str_eq(name, S("TIME_SERIES"))) {
		one_series(out, s, line_new(s->rq->mem, s->at.n, a[0].scalar));
		return OK;
	}
	if (str_eq(name, S("PERIOD")) || str_eq(name, S("METRIC_COUNT"))) {
		bool period = str_eq(name, S("PERIOD"));
		*out = (math_value){ .scalar = period ? (double)s->at.period_ms / 1000 : (double)a[0].n };
		return OK;
	}
	return moments(s, name, out);
}
