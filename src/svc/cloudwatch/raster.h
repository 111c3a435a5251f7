/*
 * A small rasteriser: anti-aliased strokes, areas, sectors and text on a canvas, and the canvas as a PNG.
 * A shape is first drawn as coverage, so that its own parts do not darken each other, then painted in a
 * colour. Coordinates are pixels, with whole numbers between pixels; what lies outside is cut off.
 */
#pragma once
#include "base/arena.h"

typedef struct colour {
	uint8_t r, g, b, a; /* a: 255 hides what is below */
} colour;
#define COLOUR(hex) ((colour){ (uint8_t)((hex) >> 16), (uint8_t)((hex) >> 8), (uint8_t)(hex), 255 })

typedef struct point {
	double x, y;
} point;

typedef struct canvas {
	arena *mem;
	int width, height;
	uint8_t *rgb;
	uint8_t *coverage; /* of the shape at hand */
	int left, top, right, bottom; /* where the coverage is not 0 */
} canvas;

canvas *canvas_new(arena *mem, int width, int height, colour ground);
/* The coverage so far is painted and forgotten. */
void canvas_paint(canvas *c, colour with);

void draw_line(canvas *c, point from, point to, double width, colour with);
/* One stroke through all points. */
void draw_path(canvas *c, const point *p, size_t n, double width, colour with);
/* Between two lines over the same x: upper[i] and lower[i] have equal x, which grow. */
void fill_between(canvas *c, const point *upper, const point *lower, size_t n, colour with);
void fill_box(canvas *c, double left, double top, double right, double bottom, colour with);
void fill_dot(canvas *c, point at, double radius, colour with);
/* Of a ring from radius `inner` to `outer`; turns are parts of a circle from the top, clockwise. */
void fill_sector(canvas *c, point at, double inner, double outer, double from_turn, double to_turn,
                 colour with);

/* Text stands on `at.y`. `size` is the height of capitals. */
typedef enum text_place { TEXT_LEFT, TEXT_CENTRE, TEXT_RIGHT } text_place;
double text_width(str text, double size);
void draw_text(canvas *c, str text, point at, double size, double weight, text_place place, colour with);
/* From bottom to top, around `at`. */
void draw_text_upwards(canvas *c, str text, point at, double size, colour with);
/* `text`, or its beginning with ".." when it is wider. */
str text_fitted(arena *mem, str text, double size, double width);

/* Coverage of a stroke, for what makes its own shapes of them. */
void cover_segment(canvas *c, point from, point to, double width);

str canvas_png(const canvas *c);
