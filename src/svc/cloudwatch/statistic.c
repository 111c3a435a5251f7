#include "statistic.h"
#include <math.h>

static const struct { const char *name; statistic_kind kind; } simple[] = {
	{ "Average", STAT_AVERAGE }, { "Sum", STAT_SUM }, { "Minimum", STAT_MINIMUM },
	{ "Maximum", STAT_MAXIMUM }, { "SampleCount", STAT_COUNT },
};

static const struct { const char *name; statistic_kind kind; } parts[] = {
	{ "tm", STAT_TRIMMED_MEAN },  { "wm", STAT_WINSORISED_MEAN }, { "tc", STAT_TRIMMED_COUNT },
	{ "ts", STAT_TRIMMED_SUM },   { "pr", STAT_PERCENTILE_RANK },
};

static bool percent(str text, double *out)
{
	return text.n > 0 && text.n <= 14 && text.p[0] >= '0' && text.p[0] <= '9' && str_to_f64(text, out) &&
		*out >= 0 && *out <= 100;
}

/* One side of LOW:HIGH; empty is no bound. */
static bool bound(str text, double none, bool *by_value, bool *by_percent, double *out)
{
	*out = none;
	if (!text.n)
		return true;
	bool is_percent = text.p[text.n - 1] == '%';
	*(is_percent ? by_percent : by_value) = true;
	return is_percent ? percent(str_sub(text, 0, text.n - 1), out) : str_to_f64(text, out) && isfinite(*out);
}

static statistic part_named(statistic_kind kind, str rest)
{
	statistic s = { .kind = kind, .low = 0 };
	if (percent(rest, &s.high))
		return kind == STAT_PERCENTILE_RANK ? (statistic){ 0 } : s;
	if (!str_starts(rest, S("(")) || !str_ends(rest, S(")")) || str_find_char(rest, ':') == SIZE_MAX)
		return (statistic){ 0 };
	str high = str_sub(rest, 1, rest.n - 1), low = str_cut(&high, ':');
	bool by_value = false, by_percent = false;
	if (!(low.n + high.n) || !bound(str_trim(low), -INFINITY, &by_value, &by_percent, &s.low) ||
	    !bound(str_trim(high), INFINITY, &by_value, &by_percent, &s.high) || by_value == by_percent ||
	    (kind == STAT_PERCENTILE_RANK && by_percent) || s.low >= s.high)
		return (statistic){ 0 };
	s.by_value = by_value;
	return s;
}

statistic statistic_named(str name)
{
	for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
		if (str_eq(name, str_c(simple[i].name)))
			return (statistic){ .kind = simple[i].kind };
	if (str_eq_nocase(name, S("IQM")))
		return (statistic){ .kind = STAT_TRIMMED_MEAN, .low = 25, .high = 75 };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (name.n > 2 && str_eq_nocase(str_sub(name, 0, 2), str_c(parts[i].name)))
			return part_named(parts[i].kind, str_sub(name, 2, name.n));
	statistic s = { .kind = STAT_PERCENTILE };
	if (name.n > 1 && name.p[0] == 'p' && percent(str_sub(name, 1, name.n), &s.high))
		return s;
	return (statistic){ 0 };
}

/* Interpolated between the two values at whose ranks the percentile stands. */
static double percentile(const cloudwatch_Bucket *b, double p)
{
	double rank = p / 100 * (b->Samples.v - 1), seen = 0;
	for (size_t i = 0; i < b->Values.n; i++) {
		double last = seen + b->Values.v[i].Count.v - 1;
		if (rank <= last || i + 1 == b->Values.n)
			return b->Values.v[i].Value.v;
		if (rank < last + 1) {
			double low = b->Values.v[i].Value.v, high = b->Values.v[i + 1].Value.v;
			return low + (high - low) * (rank - last);
		}
		seen = last + 1;
	}
	return b->Maximum.v;
}

typedef struct inside {
	double count, sum, least, most, below, above; /* below, above: samples outside the bounds */
} inside;

/* The samples within the bounds: ranks may cut a value's samples in two. */
static inside inside_of(const cloudwatch_Bucket *b, const statistic *s)
{
	inside in = { .least = NAN, .most = NAN };
	double from = s->low / 100 * b->Samples.v, to = s->high / 100 * b->Samples.v, seen = 0;
	for (size_t i = 0; i < b->Values.n; i++) {
		double v = b->Values.v[i].Value.v, n = b->Values.v[i].Count.v, low, high;
		if (s->by_value) {
			low = v <= s->low ? n : 0;
			high = v > s->high ? n : 0;
		} else {
			low = fmin(n, fmax(0, from - seen));
			high = fmin(n, fmax(0, seen + n - to));
		}
		double taken = n - low - high;
		seen += n;
		in.below += low;
		in.above += high;
		if (taken <= 0)
			continue;
		in.least = isnan(in.least) ? v : in.least;
		in.most = v;
		in.count += taken;
		in.sum += v * taken;
	}
	return in;
}

static bool of_part(const cloudwatch_Bucket *b, const statistic *s, double *out)
{
	inside in = inside_of(b, s);
	switch (s->kind) {
	case STAT_TRIMMED_COUNT: *out = in.count; return true;
	case STAT_TRIMMED_SUM: *out = in.sum; return true;
	case STAT_PERCENTILE_RANK: *out = in.count / b->Samples.v * 100; return true;
	case STAT_WINSORISED_MEAN: {
		/* What lies outside counts as the bound itself. */
		double low = s->by_value && isfinite(s->low) ? s->low : in.least;
		double high = s->by_value && isfinite(s->high) ? s->high : in.most;
		if (in.count <= 0 && !s->by_value)
			return false;
		*out = (in.sum + (in.below > 0 ? in.below * low : 0) + (in.above > 0 ? in.above * high : 0)) /
			b->Samples.v;
		return isfinite(*out);
	}
	default:
		*out = in.sum / in.count;
		return in.count > 0;
	}
}

bool statistic_of(const cloudwatch_Bucket *b, str name, double *out)
{
	statistic s = statistic_named(name);
	if (s.kind >= STAT_PERCENTILE && !b->Values.n)
		return false;
	switch (s.kind) {
	case STAT_NONE: return false;
	case STAT_SUM: *out = b->Sum.v; return true;
	case STAT_MINIMUM: *out = b->Minimum.v; return true;
	case STAT_MAXIMUM: *out = b->Maximum.v; return true;
	case STAT_COUNT: *out = b->Samples.v; return true;
	case STAT_AVERAGE: *out = b->Sum.v / b->Samples.v; return b->Samples.v != 0;
	case STAT_PERCENTILE: *out = percentile(b, s.high); return true;
	default: return of_part(b, &s, out);
	}
}

double statistic_samples_wanted(str name)
{
	statistic s = statistic_named(name);
	double p = s.high / 100;
	if (s.kind != STAT_PERCENTILE || p <= 0 || p >= 1)
		return 0;
	return p >= 0.5 ? 10 / (1 - p) : 10 / p;
}
