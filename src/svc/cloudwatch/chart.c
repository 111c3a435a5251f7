#include "chart.h"
#include "base/buf.h"
#include "base/time.h"
#include <math.h>

#define MARGIN 12.0
#define LEGEND_ROW 16.0
#define SWATCH 9.0
#define LEGEND_ROWS_MAX 4

str number_short(arena *mem, double v, int digits)
{
	static const struct { double unit; const char *suffix; } units[] = {
		{ 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" },
	};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (fabs(v) >= units[i].unit * 0.9999999)
			return arena_fmt(mem, "%.*g%s", digits, v / units[i].unit, units[i].suffix);
	return fabs(v) < 1e-9 ? S("0") : arena_fmt(mem, "%.*g", digits, v);
}

double line_last(const chart_line *l)
{
	for (size_t i = l->n; i-- > 0;)
		if (!isnan(l->v[i]))
			return l->v[i];
	return NAN;
}

static void legend_entry(paper *p, const chart_line *l, double x, double y, double width)
{
	fill_box(p->on, x, y - SWATCH, x + SWATCH, y, l->colour);
	str text = text_fitted(p->mem, l->label, TEXT_SIZE, width - SWATCH - 5);
	draw_text(p->on, text, (point){ x + SWATCH + 5, y }, TEXT_SIZE, TEXT_WEIGHT, TEXT_LEFT, p->ink);
}

static double entry_width(const chart_line *l)
{
	return text_width(l->label, TEXT_SIZE) + SWATCH + 22;
}

/* Below the plot, as many in a row as fit. */
static void legend_below(paper *p)
{
	double all = p->c->width - 2 * MARGIN, x = 0;
	int row = 0, rows = 1;
	for (size_t i = 0; i < p->c->n_lines; i++) {
		double w = fmin(entry_width(&p->c->lines[i]), all);
		if (x > 0 && x + w > all) {
			rows++;
			x = 0;
		}
		x += w;
	}
	rows = rows < LEGEND_ROWS_MAX ? rows : LEGEND_ROWS_MAX;
	double y = p->c->height - MARGIN + 2 - (rows - 1) * LEGEND_ROW;
	p->bottom = y - SWATCH - 8;
	x = 0;
	for (size_t i = 0; i < p->c->n_lines; i++) {
		double w = fmin(entry_width(&p->c->lines[i]), all);
		if (x > 0 && x + w > all) {
			x = 0;
			if (++row == rows)
				return;
		}
		legend_entry(p, &p->c->lines[i], MARGIN + x, y + row * LEGEND_ROW, w - 17);
		x += w;
	}
}

static void legend_beside(paper *p)
{
	double width = fmin(180, p->c->width * 0.35), y = p->top + SWATCH + 2;
	p->right = p->c->width - width - MARGIN;
	for (size_t i = 0; i < p->c->n_lines && y < p->c->height - MARGIN; i++, y += LEGEND_ROW)
		legend_entry(p, &p->c->lines[i], p->right + 10, y, width - 10);
}

str chart_png(arena *mem, const chart *c)
{
	colour ground = c->dark ? COLOUR(0x2a2e33) : COLOUR(0xffffff);
	paper p = { .mem = mem, .c = c, .on = canvas_new(mem, c->width, c->height, ground), .ground = ground,
		    .ink = c->dark ? COLOUR(0xd5dbdb) : COLOUR(0x333f48),
		    .faint = c->dark ? COLOUR(0x95a5a6) : COLOUR(0x687078),
		    .grid = c->dark ? COLOUR(0x3e454c) : COLOUR(0xe6e9eb),
		    .left = MARGIN, .top = MARGIN, .right = c->width - MARGIN, .bottom = c->height - MARGIN };
	if (c->title.n) {
		str title = text_fitted(mem, c->title, 10, c->width - 2 * MARGIN);
		draw_text(p.on, title, (point){ c->width / 2.0, MARGIN + 11 }, 10, 1.4, TEXT_CENTRE, p.ink);
		p.top += 24;
	}
	bool legend = c->n_lines && c->view != VIEW_NUMBER && c->view != VIEW_GAUGE && c->height >= 100;
	if (legend && c->legend == LEGEND_BOTTOM)
		legend_below(&p);
	else if (legend && c->legend == LEGEND_RIGHT)
		legend_beside(&p);
	switch (c->view) {
	case VIEW_NUMBER: paper_numbers(&p); break;
	case VIEW_BAR: paper_bars(&p); break;
	case VIEW_PIE: paper_pie(&p); break;
	case VIEW_GAUGE: paper_gauge(&p); break;
	default: paper_plot(&p);
	}
	return canvas_png(p.on);
}
