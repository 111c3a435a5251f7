/*
 * A chart: what a metric widget shows, ready to be drawn. Lines share a grid; the picture is made of a title,
 * a plot with axes (or numbers, bars, slices, a gauge) and a legend.
 */
#pragma once
#include "raster.h"

typedef enum chart_view { VIEW_LINES, VIEW_NUMBER, VIEW_BAR, VIEW_PIE, VIEW_GAUGE } chart_view;
typedef enum legend_place { LEGEND_BOTTOM, LEGEND_RIGHT, LEGEND_HIDDEN } legend_place;

typedef struct chart_line {
	str label;
	colour colour;
	bool right; /* its values are read at the right axis */
	size_t n;
	const double *v; /* NaN: no value */
	int64_t start, period_ms;
} chart_line;

typedef struct chart_axis {
	str label;
	double least, most; /* NaN: from the data */
} chart_axis;

typedef enum fill { FILL_NONE, FILL_ABOVE, FILL_BELOW, FILL_BETWEEN, FILL_BEFORE, FILL_AFTER } fill;

/* A line across at a value, or down at a moment; `to` is the other edge of a band. */
typedef struct chart_mark {
	bool vertical, right;
	double value, to;
	int64_t when, until;
	fill fill;
	str label;
	colour colour;
} chart_mark;

typedef struct chart {
	int width, height;
	str title;
	chart_view view;
	bool stacked, dark;
	legend_place legend;
	int64_t start, end, zone_ms;
	chart_axis left, right;
	chart_line *lines;
	size_t n_lines;
	chart_mark *marks;
	size_t n_marks;
} chart;

/* The picture as PNG. */
str chart_png(arena *mem, const chart *c);

/* What the parts of the drawing share. */
typedef struct paper {
	arena *mem;
	const chart *c;
	canvas *on;
	colour ink, faint, grid, ground;
	double left, top, right, bottom; /* what is left for the plot */
} paper;

#define TEXT_SIZE 8.0
#define TEXT_WEIGHT 1.05

void paper_plot(paper *p);
void paper_numbers(paper *p);
void paper_bars(paper *p);
void paper_pie(paper *p);
void paper_gauge(paper *p);
/* 1.2k, 35M, 0.004: short, for axes; with `digits` significant ones. */
str number_short(arena *mem, double v, int digits);
double line_last(const chart_line *l);
