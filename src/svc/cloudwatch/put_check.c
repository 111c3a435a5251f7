#include "put_check.h"
#include "base/json.h"
#include <math.h>

#define TOO_OLD_MS (14 * MS_DAY)
#define TOO_NEW_MS (2 * MS_HOUR)
#define MISSING_MAX 8000

/* AWS keeps values between -2^360 and 2^360, and none but 0 that is nearer to 0 than 2^-360. */
#define VALUE_MAX 0x1p360
#define VALUE_MIN 0x1p-360

static err wrong(req *rq, const char *format, ...) __attribute__((format(printf, 2, 3)));
static err wrong(req *rq, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str text = arena_vfmt(rq->mem, format, args);
	va_end(args);
	return fail(rq, &cloudwatch_InvalidParameterValueException, "%.*s", STR_ARG(text));
}

/* A number as AWS's Java repeats it: no exponent, thousands apart, at most three decimals. */
static str said(arena *mem, double v)
{
	const char *sign = signbit(v) ? "-" : "";
	if (isnan(v))
		return S("NaN");
	if (isinf(v))
		return arena_fmt(mem, "%s\u221e", sign);
	if (fabs(v) < VALUE_MIN)
		return arena_fmt(mem, "%s0", sign);
	buf shortest = buf_in(mem, 32, 64), out = buf_in(mem, 512, 1024);
	json_put_double(&shortest, fabs(v));
	str digits = buf_str(&shortest), exponent = digits;
	digits = str_cut(&exponent, 'e');
	int64_t e = 0;
	if (str_is(exponent))
		str_to_i64(exponent, &e);
	size_t point = str_find_char(digits, '.'), whole = (point == SIZE_MAX ? digits.n : point) + (size_t)e;
	buf_put(&out, str_c(sign));
	for (size_t i = 0, at = 0; i < whole; i++) {
		at += at == point;
		if (i && (whole - i) % 3 == 0)
			buf_c(&out, ',');
		buf_c(&out, at < digits.n ? digits.p[at++] : '0');
	}
	return buf_str(&out);
}

static err number_check(req *rq, double v, const char *what, size_t i)
{
	if (isfinite(v) && fabs(v) <= VALUE_MAX && (v == 0 || fabs(v) >= VALUE_MIN))
		return OK;
	str text = said(rq->mem, v);
	return wrong(rq, "The value %.*s for parameter MetricData.member.%zu.%s is invalid.", STR_ARG(text),
	             i + 1, what);
}

static void missing(buf *b, bool there, size_t i, const char *what)
{
	if (!there)
		buf_fmt(b, "%sThe parameter MetricData.member.%zu.%s is required.", b->n ? "\n" : "", i + 1, what);
}

static err missing_check(req *rq, const cloudwatch_MetricData *data)
{
	buf b = buf_in(rq->mem, 256, MISSING_MAX);
	for (size_t i = 0; i < data->n; i++) {
		const cloudwatch_MetricDatum *d = &data->v[i];
		const cloudwatch_StatisticSet *set = d->StatisticValues;
		missing(&b, d->MetricName.n, i, "MetricName");
		for (size_t j = 0; j < d->Dimensions.n; j++) {
			const cloudwatch_PutDimension *pair = &d->Dimensions.v[j];
			missing(&b, pair->Name.n, i, arena_fmt(rq->mem, "Dimensions.member.%zu.Name", j + 1).p);
			missing(&b, pair->Value.n, i, arena_fmt(rq->mem, "Dimensions.member.%zu.Value", j + 1).p);
		}
		if (!set)
			continue;
		missing(&b, set->SampleCount.set, i, "StatisticValues.SampleCount");
		missing(&b, set->Sum.set, i, "StatisticValues.Sum");
		missing(&b, set->Minimum.set, i, "StatisticValues.Minimum");
		missing(&b, set->Maximum.set, i, "StatisticValues.Maximum");
	}
	return b.n ? fail(rq, &cloudwatch_MissingRequiredParameterException, "%.*s", (int)b.n, b.p) : OK;
}

static err text_check(req *rq, str text, size_t most, size_t i, const char *what)
{
	if (text.n > most)
		return wrong(rq, "The parameter MetricData.member.%zu.%s must be shorter than %zu characters.", i + 1,
		             what, most + 1);
	for (size_t k = 0; k < text.n; k++)
		if ((unsigned char)text.p[k] > 126 || (unsigned char)text.p[k] < 32)
			return wrong(rq, "The value %.*s for parameter MetricData.member.%zu.%s contains non-ASCII "
			             "characters.", STR_ARG(text), i + 1, what);
	return OK;
}

static err dimensions_check(req *rq, const cloudwatch_PutDimensions *given, size_t i)
{
	if (given->n > CW_DIMENSIONS_MAX)
		return wrong(rq, "The collection MetricData.member.%zu.Dimensions must not have a size greater than "
		             "%d.", i + 1, CW_DIMENSIONS_MAX);
	for (size_t j = 0; j < given->n; j++) {
		str name = given->v[j].Name, what = arena_fmt(rq->mem, "Dimensions.member.%zu.Name", j + 1);
		TRY(text_check(rq, name, 255, i, what.p));
		if (name.p[0] == ':')
			return wrong(rq, "The value %.*s for parameter MetricData.member.%zu.%.*s is invalid.",
			             STR_ARG(name), i + 1, STR_ARG(what));
		TRY(text_check(rq, given->v[j].Value, 1024, i,
		               arena_fmt(rq->mem, "Dimensions.member.%zu.Value", j + 1).p));
		for (size_t k = 0; k < j; k++)
			if (str_eq(name, given->v[k].Name))
				return wrong(rq, "The parameter MetricData.member.%zu.Dimensions must not contain a name "
				             "twice.", i + 1);
	}
	return OK;
}

static err unit_check(req *rq, str unit, size_t i)
{
	buf b = buf_in(rq->mem, 512, 1024);
	if (!str_is(unit))
		return OK;
	for (size_t k = 0; str_is(unit_ranked(k)); k++) {
		if (str_eq(unit, unit_ranked(k)))
			return OK;
		buf_fmt(&b, "%s%.*s", k ? ", " : "", STR_ARG(unit_ranked(k)));
	}
	return wrong(rq, "The parameter MetricData.member.%zu.Unit must be a value in the set [ %.*s ].", i + 1,
	             (int)b.n, b.p);
}

static err set_check(req *rq, const cloudwatch_StatisticSet *set, size_t i)
{
	TRY(number_check(rq, set->SampleCount.v, "StatisticValues.SampleCount", i));
	TRY(number_check(rq, set->Sum.v, "StatisticValues.Sum", i));
	TRY(number_check(rq, set->Minimum.v, "StatisticValues.Minimum", i));
	TRY(number_check(rq, set->Maximum.v, "StatisticValues.Maximum", i));
	if (set->SampleCount.v <= 0)
		return wrong(rq, "The parameter MetricData.member.%zu.StatisticValues.SampleCount must be greater "
		             "than 0.", i + 1);
	if (set->Minimum.v > set->Maximum.v)
		return wrong(rq, "The parameter MetricData.member.%zu.StatisticValues.Maximum must be greater than "
		             "MetricData.member.%zu.StatisticValues.Minimum.", i + 1, i + 1);
	return OK;
}

static err values_check(req *rq, const cloudwatch_MetricDatum *d, size_t i)
{
	const cloudwatch_StatisticSet *set = d->StatisticValues;
	/* AWS takes Values beside StatisticValues; the values count. */
	if (d->Value.set && (set || d->Values.n))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "The parameters MetricData.member.%zu.Value and MetricData.member.%zu.%s are mutually "
		            "exclusive and you have specified both.",
		            i + 1, i + 1, d->Values.n ? "Values" : "StatisticValues");
	if (!d->Value.set && !set && !d->Values.n)
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "At least one of the parameters must be specified.");
	if (d->Value.set)
		TRY(number_check(rq, d->Value.v, "Value", i));
	for (size_t j = 0; j < d->Values.n; j++)
		TRY(number_check(rq, d->Values.v[j].v, arena_fmt(rq->mem, "Values.member.%zu", j + 1).p, i));
	for (size_t j = 0; j < d->Counts.n; j++)
		TRY(number_check(rq, d->Counts.v[j].v, arena_fmt(rq->mem, "Counts.member.%zu", j + 1).p, i));
	for (size_t j = 0; j < d->Counts.n; j++)
		if (d->Counts.v[j].v < 0)
			return wrong(rq, "The parameter MetricData.member.%zu.Counts must not have negative members.",
			             i + 1);
	if (d->Values.n > CW_VALUES_MAX)
		return wrong(rq, "The collection MetricData.member.%zu.Values must not have a size greater than %d.",
		             i + 1, CW_VALUES_MAX);
	if (d->Counts.n && d->Counts.n != d->Values.n)
		return wrong(rq, "The parameters MetricData.member.%zu.Values and MetricData.member.%zu.Counts must "
		             "be of the same size.", i + 1, i + 1);
	return set ? set_check(rq, set, i) : OK;
}

static err datum_check(req *rq, const cloudwatch_MetricDatum *d, size_t i)
{
	TRY(text_check(rq, d->MetricName, 255, i, "MetricName"));
	TRY(dimensions_check(rq, &d->Dimensions, i));
	TRY(unit_check(rq, d->Unit, i));
	TRY(values_check(rq, d, i));
	if (d->Timestamp.set && d->Timestamp.v < rq->now - TOO_OLD_MS)
		return wrong(rq, "The parameter MetricData.member.%zu.Timestamp must specify a time no more than two "
		             "weeks in the past.", i + 1);
	if (d->Timestamp.set && d->Timestamp.v > rq->now + TOO_NEW_MS)
		return wrong(rq, "The parameter MetricData.member.%zu.Timestamp must specify a time no more than two "
		             "hours in the future.", i + 1);
	if (d->StorageResolution.set && d->StorageResolution.v != 1 && d->StorageResolution.v != 60)
		return wrong(rq, "The parameter MetricData.member.%zu.StorageResolution must be 1 or 60.", i + 1);
	return OK;
}

err data_check(req *rq, const cloudwatch_MetricData *data)
{
	TRY(missing_check(rq, data));
	for (size_t i = 0; i < data->n; i++)
		TRY(datum_check(rq, &data->v[i], i));
	return OK;
}

err namespace_check(req *rq, str name_space)
{
	if (!name_space.n)
		return fail(rq, &cloudwatch_MissingRequiredParameterException,
		            "The parameter Namespace is required.");
	if (name_space.n > 255)
		return wrong(rq, "The parameter Namespace must be shorter than 256 characters.");
	if (str_starts(name_space, S("AWS/")) || name_space.p[0] == ':')
		return wrong(rq, "The value %.*s for parameter Namespace is invalid.",
		             STR_ARG(name_space.p[0] == ':' ? name_space : S("AWS/")));
	return OK;
}
