/* A widget's own members: size, times, axes, annotations. */
#include "widget.h"
#include <math.h>

#define SIDE_MAX 2000
#define PIXELS_MAX 2000000

err widget_wrong(req *rq, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str why = arena_vfmt(rq->mem, format, args);
	va_end(args);
	return fail(rq, &aws_ValidationException, "Invalid MetricWidget: %.*s", STR_ARG(why));
}

double widget_number(const json_value *of, str name, double otherwise)
{
	const json_value *v = json_get(of, name);
	double out;
	return v && v->kind == JSON_NUMBER && str_to_f64(v->text, &out) ? out : otherwise;
}

str widget_text(const json_value *of, str name)
{
	const json_value *v = json_get(of, name);
	return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

bool widget_true(const json_value *of, str name, bool otherwise)
{
	const json_value *v = json_get(of, name);
	return v && (v->kind == JSON_TRUE || v->kind == JSON_FALSE) ? v->kind == JSON_TRUE : otherwise;
}

static int hex_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
		: c >= 'a' && c <= 'f'  ? c - 'a' + 10
		: c >= 'A' && c <= 'F'  ? c - 'A' + 10
								: -1;
}

bool widget_colour(str text, colour *out)
{
	int d[6];
	if ((text.n != 4 && text.n != 7) || text.p[0] != '#')
		return false;
	for (size_t i = 0; i < 6; i++) {
		d[i] = hex_of(text.p[1 + (text.n == 4 ? i / 2 : i)]);
		if (d[i] < 0)
			return false;
	}
	*out = (colour){ (uint8_t)(d[0] * 16 + d[1]), (uint8_t)(d[2] * 16 + d[3]), (uint8_t)(d[4] * 16 + d[5]),
		             255 };
	return true;
}

/* P1DT2H30M in milliseconds; false when it is none. */
static bool duration(str text, int64_t *out)
{
	static const struct {
		char letter;
		bool time;
		int64_t ms;
	} units[] = {
		{ 'Y', false, 365 * MS_DAY }, { 'M', false, 30 * MS_DAY }, { 'W', false, 7 * MS_DAY },
		{ 'D', false, MS_DAY },       { 'H', true, MS_HOUR },      { 'M', true, MS_MINUTE },
		{ 'S', true, MS_SECOND },
	};
	bool time = false;
	size_t from = 1;
	*out = 0;
	if (!str_starts(text, S("P")))
		return false;
	for (size_t i = 1; i < text.n; i++) {
		int64_t n;
		bool found = false;
		if (text.p[i] == 'T') {
			time = true;
			from = i + 1;
			continue;
		}
		if (text.p[i] >= '0' && text.p[i] <= '9')
			continue;
		for (size_t k = 0; k < sizeof units / sizeof *units; k++)
			if (units[k].letter == text.p[i] && units[k].time == time
			    && str_to_i64(str_sub(text, from, i), &n)) {
				*out += n * units[k].ms;
				found = true;
			}
		if (!found)
			return false;
		from = i + 1;
	}
	return true;
}

static bool moment(str text, int64_t now, int64_t *out)
{
	bool before = str_starts(text, S("-"));
	if (duration(before ? str_sub(text, 1, text.n) : text, out)) {
		*out = now + (before ? -*out : *out);
		return true;
	}
	return time_parse(text, out);
}

static err times(req *rq, const json_value *v, chart *c)
{
	str start = widget_text(v, S("start")), end = widget_text(v, S("end"));
	c->end = rq->now;
	c->start = rq->now - 3 * MS_HOUR;
	if (end.n && !moment(end, rq->now, &c->end))
		return widget_wrong(rq, "end is not a time");
	if (start.n && !moment(start, rq->now, &c->start))
		return widget_wrong(rq, "start is not a time");
	return c->start < c->end ? OK : widget_wrong(rq, "start must be before end");
}

static void one_axis(const json_value *v, chart_axis *a)
{
	*a = (chart_axis){ widget_text(v, S("label")), widget_number(v, S("min"), NAN),
		               widget_number(v, S("max"), NAN) };
}

static bool fill_of(str text, fill *out)
{
	static const char *const names[] = { "none", "above", "below", "between", "before", "after" };
	*out = FILL_NONE;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(text, str_c(names[i]))) {
			*out = (fill)i;
			return true;
		}
	return !str_is(text);
}

/* An annotation is an object, or two of them for a band. */
static err mark_of(req *rq, const json_value *v, bool vertical, chart_mark *m)
{
	const json_value *first = v->kind == JSON_ARRAY ? v->first : v,
					 *second = v->kind == JSON_ARRAY && first ? first->next : NULL;
	*m = (chart_mark){ .vertical = vertical,
		               .to = NAN,
		               .value = widget_number(first, S("value"), NAN),
		               .label = widget_text(first, S("label")),
		               .colour = COLOUR(vertical ? 0x687078 : 0xd13212),
		               .right = str_eq(widget_text(first, S("yAxis")), S("right")) };
	if (!fill_of(widget_text(first, S("fill")), &m->fill))
		return widget_wrong(rq, "an annotation's fill is not known");
	widget_colour(widget_text(first, S("color")), &m->colour);
	bool good = vertical ? time_parse(widget_text(first, S("value")), &m->when) : !isnan(m->value);
	if (second) {
		m->fill = FILL_BETWEEN;
		m->to = widget_number(second, S("value"), NAN);
		good = good && (vertical ? time_parse(widget_text(second, S("value")), &m->until) : !isnan(m->to));
	}
	return good ? OK : widget_wrong(rq, "an annotation has no value");
}

static err marks(req *rq, const json_value *v, chart *c)
{
	const json_value *lists[] = { json_get(v, S("horizontal")), json_get(v, S("vertical")) };
	size_t n = (lists[0] ? lists[0]->n : 0) + (lists[1] ? lists[1]->n : 0);
	c->marks = arena_array(rq->mem, chart_mark, n + 1);
	for (size_t i = 0; i < 2; i++)
		for (const json_value *m = lists[i] ? lists[i]->first : NULL; m; m = m->next)
			if (widget_true(m, S("visible"), true))
				TRY(mark_of(rq, m, i == 1, &c->marks[c->n_marks++]));
	return OK;
}

static err view_of(req *rq, str text, chart_view *out)
{
	static const char *const names[] = { "timeSeries", "singleValue", "bar", "pie", "gauge" };
	*out = VIEW_LINES;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(text, str_c(names[i]))) {
			*out = (chart_view)i;
			return OK;
		}
	return str_is(text) ? widget_wrong(rq, "view %.*s is not known", STR_ARG(text)) : OK;
}

err widget_read(req *rq, str text, widget *out)
{
	const json_value *v = json_parse(rq->mem, text);
	if (!v || v->kind != JSON_OBJECT)
		return widget_wrong(rq, "it is not a JSON object");
	double width = widget_number(v, S("width"), 600), height = widget_number(v, S("height"), 400);
	if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX)
		return widget_wrong(rq, "width and height must be between 1 and %d", SIDE_MAX);
	const json_value *axes = json_get(v, S("yAxis")), *legend = json_get(v, S("legend"));
	str place = widget_text(legend, S("position"));
	*out = (widget){ .zone = widget_text(v, S("timezone")) };
	out->chart = (chart){
		.width = (int)width,
		.height = (int)height,
		.title = widget_text(v, S("title")),
		.stacked = widget_true(v, S("stacked"), false),
		.dark = str_eq(widget_text(v, S("theme")), S("dark")),
		.legend = str_eq(place, S("right")) ? LEGEND_RIGHT
			: str_eq(place, S("hidden"))    ? LEGEND_HIDDEN
											: LEGEND_BOTTOM,
		.zone_ms = query_zone_ms(out->zone),
	};
	one_axis(json_get(axes, S("left")), &out->chart.left);
	one_axis(json_get(axes, S("right")), &out->chart.right);
	TRY(view_of(rq, widget_text(v, S("view")), &out->chart.view));
	TRY(times(rq, v, &out->chart));
	TRY(marks(rq, json_get(v, S("annotations")), &out->chart));
	const json_value *rows = json_get(v, S("metrics"));
	return !rows && out->chart.n_marks ? OK : widget_metrics(rq, rows, v, out);
}
