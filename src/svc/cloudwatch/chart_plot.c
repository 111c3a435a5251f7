/* Lines over time, with their axes. */
#include "base/buf.h"
#include "base/time.h"
#include "chart.h"
#include <math.h>

#define TICKS_MAX 12
#define TICK_PIXELS 42.0
#define TIME_PIXELS 76.0
#define STROKE 1.7

typedef struct axis {
	bool there;
	double least, most, step;
} axis;

typedef struct plot {
	paper *p;
	axis left, right;
	double **stack; /* of each line: what it stands on; NULL when lines are not stacked */
} plot;

static double nice_step(double span, double wanted)
{
	double rough = span / wanted, unit = pow(10, floor(log10(rough))), part = rough / unit;
	return unit * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 2.5 ? 2.5 : part <= 5 ? 5 : 10);
}

static void widen(double v, double *least, double *most)
{
	if (isnan(v))
		return;
	*least = isnan(*least) || v < *least ? v : *least;
	*most = isnan(*most) || v > *most ? v : *most;
}

static axis axis_of(const plot *g, bool right, double pixels)
{
	const chart *c = g->p->c;
	const chart_axis *asked = right ? &c->right : &c->left;
	double least = NAN, most = NAN;
	axis a = { .there = !right };
	for (size_t i = 0; i < c->n_lines; i++) {
		const chart_line *l = &c->lines[i];
		a.there = a.there || l->right == right;
		for (size_t k = 0; k < l->n && l->right == right; k++) {
			double below = g->stack ? g->stack[i][k] : 0;
			widen(l->v[k] + below, &least, &most);
		}
	}
	for (size_t i = 0; i < c->n_marks; i++)
		if (!c->marks[i].vertical && c->marks[i].right == right) {
			widen(c->marks[i].value, &least, &most);
			widen(c->marks[i].to, &least, &most);
		}
	least = isnan(least) ? 0 : least;
	most = isnan(most) ? 1 : most;
	/* From nothing on, unless that would press the lines together. */
	if (least > 0 && (g->stack || least < most / 2 || least == most))
		least = 0;
	if (most < 0 && (most > least / 2 || least == most))
		most = 0;
	least = isnan(asked->least) ? least : asked->least;
	most = isnan(asked->most) ? most : asked->most;
	if (!(most > least))
		most = least + 1;
	a.step = nice_step(most - least, fmax(2, fmin(TICKS_MAX, pixels / TICK_PIXELS)));
	a.least = isnan(asked->least) ? floor(least / a.step + 1e-9) * a.step : least;
	a.most = isnan(asked->most) ? ceil(most / a.step - 1e-9) * a.step : most;
	return a;
}

static double y_of(const plot *g, bool right, double v)
{
	const axis *a = right ? &g->right : &g->left;
	double part = (v - a->least) / (a->most - a->least);
	return g->p->bottom - fmin(1.5, fmax(-0.5, part)) * (g->p->bottom - g->p->top);
}

static double x_of(const plot *g, int64_t when)
{
	const chart *c = g->p->c;
	return g->p->left + (double)(when - c->start) / (double)(c->end - c->start) * (g->p->right - g->p->left);
}

static double axis_width(const plot *g, const axis *a)
{
	double most = 0;
	for (double v = a->least; v <= a->most + a->step / 2; v += a->step)
		most = fmax(most, text_width(number_short(g->p->mem, v, 4), TEXT_SIZE));
	return most + 8;
}

static void draw_axis(const plot *g, const axis *a, bool right)
{
	paper *p = g->p;
	for (double v = a->least; v <= a->most + a->step / 1000; v += a->step) {
		double y = floor(y_of(g, right, v)) + 0.5;
		if (!right)
			draw_line(p->on, (point){ p->left, y }, (point){ p->right, y }, 1, p->grid);
		draw_text(p->on, number_short(p->mem, v, 4), (point){ right ? p->right + 6 : p->left - 6, y + 4.5 },
		          TEXT_SIZE, TEXT_WEIGHT, right ? TEXT_LEFT : TEXT_RIGHT, p->faint);
	}
}

static int64_t time_step(const plot *g)
{
	static const int64_t minutes[] = { 1,   2,   5,   10,   15,   30,    60,    120,
		                               180, 360, 720, 1440, 2880, 10080, 20160, 43200 };
	const chart *c = g->p->c;
	double most = fmax(1, (g->p->right - g->p->left) / TIME_PIXELS);
	size_t last = sizeof minutes / sizeof *minutes - 1;
	for (size_t i = 0; i < last; i++)
		if ((double)(c->end - c->start) / (double)(minutes[i] * MS_MINUTE) <= most)
			return minutes[i] * MS_MINUTE;
	return minutes[last] * MS_MINUTE;
}

static void draw_times(const plot *g)
{
	paper *p = g->p;
	const chart *c = p->c;
	int64_t step = time_step(g), local = c->start + c->zone_ms, first = local - local % step;
	for (int64_t t = first < local ? first + step : first; t <= c->end + c->zone_ms; t += step) {
		civil when = time_civil(t);
		double x = floor(x_of(g, t - c->zone_ms)) + 0.5;
		str text = step >= MS_DAY || (!when.hour && !when.minute)
			? arena_fmt(p->mem, "%02d/%02d", when.month, when.day)
			: arena_fmt(p->mem, "%02d:%02d", when.hour, when.minute);
		double half = text_width(text, TEXT_SIZE) / 2;
		draw_line(p->on, (point){ x, p->bottom }, (point){ x, p->bottom + 4 }, 1, p->faint);
		if (x - half >= 0 && x + half <= c->width)
			draw_text(p->on, text, (point){ x, p->bottom + 16 }, TEXT_SIZE, TEXT_WEIGHT, TEXT_CENTRE,
			          p->faint);
	}
	draw_line(p->on, (point){ p->left, floor(p->bottom) + 0.5 }, (point){ p->right, floor(p->bottom) + 0.5 },
	          1, p->faint);
}

/* What of a line lies without a gap: [from, to). */
static bool run_next(const chart_line *l, size_t *from, size_t *to)
{
	for (*from = *to; *from < l->n && isnan(l->v[*from]); ++*from)
		;
	for (*to = *from; *to < l->n && !isnan(l->v[*to]); ++*to)
		;
	return *from < *to;
}

static void draw_series(const plot *g, size_t which)
{
	const chart_line *l = &g->p->c->lines[which];
	canvas *on = g->p->on;
	colour shade = l->colour;
	shade.a = 110;
	for (size_t from, to = 0; run_next(l, &from, &to);) {
		size_t n = to - from;
		point *top = arena_array(g->p->mem, point, n), *foot = arena_array(g->p->mem, point, n);
		for (size_t i = 0; i < n; i++) {
			double below = g->stack ? g->stack[which][from + i] : 0;
			top[i].x = foot[i].x = x_of(g, l->start + (int64_t)(from + i) * l->period_ms);
			top[i].y = y_of(g, l->right, l->v[from + i] + below);
			foot[i].y = y_of(g, l->right, below);
		}
		if (g->stack)
			fill_between(on, top, foot, n, shade);
		if (n == 1)
			fill_dot(on, top[0], 2.4, l->colour);
		else
			draw_path(on, top, n, STROKE, l->colour);
	}
}

/* A label stays legible over lines: it stands on the ground's colour. */
static void draw_label(const plot *g, str text, double x, double y, colour with)
{
	colour ground = g->p->ground;
	ground.a = 200;
	if (!text.n)
		return;
	fill_box(g->p->on, x - 2, y - 10, x + text_width(text, TEXT_SIZE) + 2, y + 3, ground);
	draw_text(g->p->on, text, (point){ x, y }, TEXT_SIZE, 1.2, TEXT_LEFT, with);
}

static void mark_down(const plot *g, const chart_mark *m, colour shade)
{
	paper *p = g->p;
	double x = floor(x_of(g, m->when)) + 0.5,
		   other = m->fill == FILL_BEFORE ? p->left
		: m->fill == FILL_AFTER           ? p->right
		: m->fill == FILL_BETWEEN         ? x_of(g, m->until)
										  : x;
	fill_box(p->on, fmin(x, other), p->top, fmax(x, other), p->bottom, shade);
	draw_line(p->on, (point){ x, p->top }, (point){ x, p->bottom }, 1, m->colour);
	draw_label(g, m->label, x + 5, p->top + 11, m->colour);
}

static void mark_across(const plot *g, const chart_mark *m, colour shade)
{
	paper *p = g->p;
	double y = floor(y_of(g, m->right, m->value)) + 0.5,
		   other = m->fill == FILL_ABOVE ? p->top
		: m->fill == FILL_BELOW          ? p->bottom
		: m->fill == FILL_BETWEEN        ? y_of(g, m->right, m->to)
										 : y;
	fill_box(p->on, p->left, fmin(y, other), p->right, fmax(y, other), shade);
	draw_line(p->on, (point){ p->left, y }, (point){ p->right, y }, 1, m->colour);
	if (m->fill == FILL_BETWEEN)
		draw_line(p->on, (point){ p->left, other }, (point){ p->right, other }, 1, m->colour);
	draw_label(g, m->label, p->right - 4 - text_width(m->label, TEXT_SIZE), y - 4, m->colour);
}

static void draw_mark(const plot *g, const chart_mark *m)
{
	colour shade = m->colour;
	shade.a = m->fill == FILL_NONE ? 0 : 38;
	if (m->vertical)
		mark_down(g, m, shade);
	else
		mark_across(g, m, shade);
}

/* Each line stands on those before it that are read at the same axis. */
static double **stacked(const paper *p)
{
	const chart *c = p->c;
	double **out = arena_array(p->mem, double *, c->n_lines + 1);
	for (size_t i = 0; i < c->n_lines; i++) {
		out[i] = arena_array(p->mem, double, c->lines[i].n + 1);
		for (size_t k = 0; k < c->lines[i].n; k++) {
			int64_t when = c->lines[i].start + (int64_t)k * c->lines[i].period_ms;
			for (size_t j = 0; j < i; j++) {
				const chart_line *l = &c->lines[j];
				int64_t at = (when - l->start) / l->period_ms;
				if (l->right == c->lines[i].right && at >= 0 && (size_t)at < l->n && !isnan(l->v[at]))
					out[i][k] += l->v[at];
			}
		}
	}
	return out;
}

void paper_plot(paper *p)
{
	const chart *c = p->c;
	plot g = { .p = p, .stack = c->stacked ? stacked(p) : NULL };
	p->bottom -= 20;
	p->top += 4;
	g.left = axis_of(&g, false, p->bottom - p->top);
	g.right = axis_of(&g, true, p->bottom - p->top);
	if (c->left.label.n) {
		draw_text_upwards(p->on, c->left.label, (point){ p->left + 5, (p->top + p->bottom) / 2 }, TEXT_SIZE,
		                  p->faint);
		p->left += 14;
	}
	if (c->right.label.n && g.right.there) {
		draw_text_upwards(p->on, c->right.label, (point){ p->right - 5, (p->top + p->bottom) / 2 }, TEXT_SIZE,
		                  p->faint);
		p->right -= 14;
	}
	p->left += axis_width(&g, &g.left);
	p->right -= g.right.there ? axis_width(&g, &g.right) : 4;
	draw_axis(&g, &g.left, false);
	if (g.right.there)
		draw_axis(&g, &g.right, true);
	draw_times(&g);
	for (size_t i = 0; i < c->n_lines; i++)
		draw_series(&g, i);
	for (size_t i = 0; i < c->n_marks; i++)
		draw_mark(&g, &c->marks[i]);
	if (!c->n_lines)
		draw_text(p->on, S("No data available"),
		          (point){ (p->left + p->right) / 2, (p->top + p->bottom) / 2 }, TEXT_SIZE, TEXT_WEIGHT,
		          TEXT_CENTRE, p->faint);
}
