/* Charts of the newest values: numbers, bars, slices, a gauge. */
#include "chart.h"
#include <math.h>

static str value_text(const paper *p, double v) { return isnan(v) ? S("--") : number_short(p->mem, v, 3); }

/* In rows of equal cells. */
void paper_numbers(paper *p)
{
	size_t n = p->c->n_lines;
	if (!n)
		return;
	double width = p->right - p->left, height = p->bottom - p->top;
	size_t columns = (size_t)fmax(1, fmin((double)n, floor(width / 120))), rows = (n + columns - 1) / columns;
	double cell = width / (double)columns, row = height / (double)rows;
	for (size_t i = 0; i < n; i++) {
		const chart_line *l = &p->c->lines[i];
		double x = p->left + ((double)(i % columns) + 0.5) * cell,
			   y = p->top + ((double)(i / columns) + 0.5) * row;
		str text = value_text(p, line_last(l));
		double size = fmin(30, row * 0.35);
		while (size > 8 && text_width(text, size) > cell - 16)
			size--;
		draw_text(p->on, text, (point){ x, y + size / 4 }, size, fmax(1.4, size / 11), TEXT_CENTRE, p->ink);
		str label = text_fitted(p->mem, l->label, TEXT_SIZE, cell - 30);
		double from = x - (text_width(label, TEXT_SIZE) + 14) / 2, foot = y + size / 4 + 18;
		fill_box(p->on, from, foot - 9, from + 9, foot, l->colour);
		draw_text(p->on, label, (point){ from + 14, foot }, TEXT_SIZE, TEXT_WEIGHT, TEXT_LEFT, p->faint);
	}
}

void paper_bars(paper *p)
{
	size_t n = p->c->n_lines;
	double most = p->c->left.most, least = isnan(p->c->left.least) ? 0 : p->c->left.least;
	for (size_t i = 0; i < n && isnan(p->c->left.most); i++) {
		double v = line_last(&p->c->lines[i]);
		most = isnan(most) || v > most ? v : most;
	}
	most = most > least ? most : least + 1;
	p->bottom -= 4;
	p->top += 16;
	double width = (p->right - p->left) / (double)(n ? n : 1), bar = fmin(70, width * 0.7);
	for (size_t i = 0; i < n; i++) {
		double v = line_last(&p->c->lines[i]), x = p->left + ((double)i + 0.5) * width;
		double part = isnan(v) ? 0 : fmin(1, fmax(0, (v - least) / (most - least)));
		double y = p->bottom - part * (p->bottom - p->top);
		fill_box(p->on, x - bar / 2, y, x + bar / 2, p->bottom, p->c->lines[i].colour);
		draw_text(p->on, value_text(p, v), (point){ x, y - 4 }, TEXT_SIZE, TEXT_WEIGHT, TEXT_CENTRE, p->ink);
	}
	double foot = floor(p->bottom) + 0.5;
	draw_line(p->on, (point){ p->left, foot }, (point){ p->right, foot }, 1, p->faint);
}

void paper_pie(paper *p)
{
	size_t n = p->c->n_lines;
	double all = 0, turn = 0, radius = fmin(p->right - p->left, p->bottom - p->top) / 2 - 6;
	point at = { (p->left + p->right) / 2, (p->top + p->bottom) / 2 };
	for (size_t i = 0; i < n; i++)
		all += fmax(0, isnan(line_last(&p->c->lines[i])) ? 0 : line_last(&p->c->lines[i]));
	if (!(all > 0)) {
		fill_sector(p->on, at, radius * 0.55, radius, 0, 1, p->grid);
		draw_text(p->on, S("--"), (point){ at.x, at.y + 5 }, 10, 1.4, TEXT_CENTRE, p->faint);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		double v = line_last(&p->c->lines[i]), part = isnan(v) || v <= 0 ? 0 : v / all;
		if (!(part > 0))
			continue;
		fill_sector(p->on, at, radius * 0.55, radius, turn, turn + part, p->c->lines[i].colour);
		double middle = (turn + part / 2) * 2 * M_PI, r = radius * 0.78;
		if (part >= 0.06)
			draw_text(p->on, arena_fmt(p->mem, "%.0f%%", part * 100),
			          (point){ at.x + r * sin(middle), at.y - r * cos(middle) + 4 }, TEXT_SIZE, 1.3,
			          TEXT_CENTRE, COLOUR(0xffffff));
		turn += part;
	}
	draw_text(p->on, number_short(p->mem, all, 3), (point){ at.x, at.y + 7 }, 14, 1.8, TEXT_CENTRE, p->ink);
}

/* Three quarters of a circle between the axis's ends. */
void paper_gauge(paper *p)
{
	const chart_axis *axis = &p->c->left;
	double least = isnan(axis->least) ? 0 : axis->least, most = isnan(axis->most) ? 100 : axis->most;
	double radius = fmin(p->right - p->left, p->bottom - p->top) / 2 - 10;
	point at = { (p->left + p->right) / 2, (p->top + p->bottom) / 2 + radius * 0.12 };
	const chart_line *l = p->c->n_lines ? &p->c->lines[0] : NULL;
	double v = l ? line_last(l) : NAN, part = isnan(v) ? 0 : fmin(1, fmax(0, (v - least) / (most - least)));
	fill_sector(p->on, at, radius * 0.74, radius, 0.625, 1.375, p->grid);
	if (part > 0)
		fill_sector(p->on, at, radius * 0.74, radius, 0.625, 0.625 + 0.75 * part, l->colour);
	double size = fmax(9, fmin(30, radius * 0.36));
	draw_text(p->on, value_text(p, v), (point){ at.x, at.y + size / 2 }, size, fmax(1.4, size / 11),
	          TEXT_CENTRE, p->ink);
	if (l)
		draw_text(p->on, text_fitted(p->mem, l->label, TEXT_SIZE, radius * 1.6),
		          (point){ at.x, at.y + radius * 0.6 }, TEXT_SIZE, TEXT_WEIGHT, TEXT_CENTRE, p->faint);
	double foot = at.y + radius * 0.707 + 14, out = radius * 0.62;
	draw_text(p->on, number_short(p->mem, least, 3), (point){ at.x - out, foot }, TEXT_SIZE, TEXT_WEIGHT,
	          TEXT_CENTRE, p->faint);
	draw_text(p->on, number_short(p->mem, most, 3), (point){ at.x + out, foot }, TEXT_SIZE, TEXT_WEIGHT,
	          TEXT_CENTRE, p->faint);
}
