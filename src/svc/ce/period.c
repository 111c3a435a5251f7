#include "base/time.h"
#include "ce.h"

#define DAY_LENGTH 10

static bool moment_of(req *rq, str text, int64_t *ms)
{
	return text.n == DAY_LENGTH ? time_parse(arena_concat(rq->mem, text, S("T00:00:00Z")), ms)
	                            : time_parse(text, ms);
}

/* A time of day may stand only where hours are asked for. */
static err moment_in(req *rq, str text, const char *which, char unit, int64_t *ms)
{
	if ((unit == 'H' || text.n == DAY_LENGTH) && moment_of(rq, text, ms))
		return OK;
	return fail(rq, &aws_ValidationException, "%s time %.*s is invalid. Valid format is: yyyy-MM-dd%s.",
	            which, STR_ARG(text), unit == 'H' ? " or yyyy-MM-ddThh:mm:ssZ" : "");
}

static int months_between(int64_t from, int64_t to)
{
	civil a = time_civil(from), b = time_civil(to);
	return (b.year - a.year) * 12 + b.month - a.month;
}

static size_t count(const ce_period *p)
{
	int64_t length = p->to - p->from;
	if (p->unit == 'M')
		return (size_t)months_between(p->from, p->to - 1) + 1;
	int64_t step = p->unit == 'D' ? MS_DAY : MS_HOUR;
	return (size_t)((length + step - 1) / step);
}

err ce_period_of(req *rq, const ce_DateInterval *in, str granularity, bool forecast, ce_period *out)
{
	ce_period p = { .unit = granularity.p[0] };
	TRY(moment_in(rq, in->Start, "Start", p.unit, &p.from));
	TRY(moment_in(rq, in->End, "End", p.unit, &p.to));
	if (p.from >= p.to && forecast)
		return fail(rq, &aws_ValidationException,
		            "Requested Start: %.*s must be before requested End: %.*s", STR_ARG(in->Start),
		            STR_ARG(in->End));
	if (p.from >= p.to)
		return fail(rq, &aws_ValidationException,
		            "Start date (and hour) should be before end date (and hour)");
	if (!forecast && p.from < month_after(month_of(rq->now), -CE_MONTHS_BACK))
		return fail(rq, &aws_ValidationException,
		            "You haven't enabled historical data beyond %d months.", CE_MONTHS_BACK);
	if (!forecast && p.to > month_after(month_of(rq->now), 1))
		return fail(rq, &aws_ValidationException, "end date past the beginning of next month");
	if (!forecast && p.unit == 'H' && p.from < rq->now - rq->now % MS_DAY - CE_HOURLY_DAYS * MS_DAY)
		return fail(rq, &aws_ValidationException,
		            "Hourly data is available for the past %d days only", CE_HOURLY_DAYS);
	p.n = count(&p);
	*out = p;
	return OK;
}

size_t ce_period_at(const ce_period *p, int64_t when)
{
	if (when < p->from || when >= p->to)
		return SIZE_MAX;
	if (p->unit == 'M')
		return (size_t)months_between(p->from, when);
	return (size_t)((when - p->from) / (p->unit == 'D' ? MS_DAY : MS_HOUR));
}

int64_t ce_period_from(const ce_period *p, size_t i)
{
	if (p->unit == 'M')
		return i ? month_after(month_of(p->from), (int)i) : p->from;
	return p->from + (int64_t)i * (p->unit == 'D' ? MS_DAY : MS_HOUR);
}

int64_t ce_period_to(const ce_period *p, size_t i)
{
	return i + 1 < p->n ? ce_period_from(p, i + 1) : p->to;
}

static str moment_text(req *rq, const ce_period *p, int64_t ms)
{
	str iso = time_iso(rq->mem, ms);
	return p->unit == 'H' ? iso : str_sub(iso, 0, DAY_LENGTH);
}

ce_DateInterval *ce_interval(req *rq, const ce_period *p, size_t i)
{
	ce_DateInterval *d = arena_new(rq->mem, ce_DateInterval);
	d->Start = moment_text(rq, p, ce_period_from(p, i));
	d->End = moment_text(rq, p, ce_period_to(p, i));
	return d;
}
