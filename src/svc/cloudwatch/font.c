/*
 * The letters of pictures, drawn with strokes. A glyph is its width and its strokes, each a run of points (x
 * and y, a character each in base 36) on a grid where capitals stand between 0 and 14, small letters begin at
 * 4 and tails end at 18. A stroke that begins with ~ is a curve drawn into its polygon.
 */
#include "raster.h"
#include <math.h>

#define CAPITAL 14.0
#define GAP 3.6
#define POINTS_MAX 128
#define ROUNDS 2

static const char *const glyphs[] = {
	"5",
	"2 101a 1d1e",
	"4 0004 4044",
	"9 2f50 6f90 0595 0a9a",
	"8 ~84804000040747 ~47878b8e4e0e0a 4g4f 404f",
	"c ~305053563606030030 ~98b8bbbe9e7e7b7898 b01e",
	"b be34 ~3422204060635437 ~37080b0e3e8ea8",
	"1 1014",
	"4 ~3004070a3g",
	"4 ~1044474a1g",
	"8 414b 1478 7418",
	"8 454d 0989",
	"2 1d0h",
	"6 0969",
	"2 1d1e",
	"6 700g",
	"8 ~4080878e4e0e070040",
	"8 14505e",
	"8 ~0400408084870e 0e8e",
	"8 ~03004080838636 ~36868a8e4e0e0b",
	"8 6e600a8a",
	"8 701006 ~061545858a8e4e0e0b",
	"8 ~716020050a0e4e8e8a8646060a",
	"8 00803e",
	"8 ~408083864606030040 ~46868a8e4e0e0a0646",
	"8 ~1d2e6e89848040000408488884",
	"2 1516 1d1e",
	"2 1516 1d0h",
	"7 74097e",
	"8 0787 0b8b",
	"7 04790e",
	"7 ~03004070737536393a 3d3e",
	"d ~9a956545494d6d9d9a ~9a9dddd7d07000070g7gbg",
	"a 0e50ae 2989",
	"9 000e 0050 ~5090939757 5707 ~57979a9e5e 5e0e",
	"9 ~94905000070e5e9e9a",
	"9 000e 0040 ~4090979e4e 4e0e",
	"8 80000e8e 0777",
	"8 80000e 0777",
	"9 ~94905000070e5e9e99 9858 989e",
	"9 000e 909e 0797",
	"2 101e",
	"7 ~707a7e3e0e0a",
	"9 000e 9008 359e",
	"8 000e8e",
	"a 0e0058a0ae",
	"9 0e009e90",
	"a ~50a0a7ae5e0e070050",
	"9 0e00 0050 ~5090949858 5808",
	"a ~50a0a7ae5e0e070050 6abg",
	"9 0e00 0050 ~5090949858 5808 489e",
	"9 ~93905000030757979b9e5e0e0b",
	"a 00a0 505e",
	"9 0009 ~090e5e9e99 9990",
	"a 005ea0",
	"c 003e629ec0",
	"9 009e 900e",
	"a 0057a0 575e",
	"9 00900e9e",
	"4 40000g4g",
	"6 007g",
	"4 00404g0g",
	"8 044084",
	"8 0h8h",
	"4 0033",
	"8 ~87844404090e4e8e8b 848e",
	"8 000e ~07044484898e4e0e0b",
	"7 ~77744404090e4e7e7b",
	"8 808e ~87844404090e4e8e8b",
	"8 0989 ~89844404090e4e8e8b",
	"5 ~602024 242e 0454",
	"8 ~87844404090e4e8e8b 848d ~8d8i4i0i0h",
	"8 000e ~0804448488 888e",
	"2 141e 1011",
	"3 242e ~2e2i0i 2021",
	"7 000e 740a 387e",
	"2 101e",
	"c 040e ~0804346468 686e ~686494c4c8 c8ce",
	"8 040e ~0804448488 888e",
	"8 ~4484898e4e0e090444",
	"8 040i ~07044484898e4e0e0b",
	"8 848i ~87844404090e4e8e8b",
	"5 040e ~08042454",
	"7 ~76744404060949797c7e4e0e0c",
	"5 202a ~2a2e5e 0454",
	"8 040a ~0a0e4e8e8a 848e",
	"8 044e84",
	"c 043e659ec4",
	"7 047e 740e",
	"8 044e 843h0i",
	"7 04740e7e",
	"5 ~5020242808 ~08282c2g5g",
	"2 101i",
	"5 ~0030343858 ~58383c3g0g",
	"9 ~0a0737597b9b98",
};

static const char unknown[] = "8 000e8e8000";

static int grid(char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

/* The next character's glyph; what is not ASCII is a box. */
static const char *glyph_next(str *text)
{
	unsigned char c = (unsigned char)text->p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	*text = str_sub(*text, n, text->n);
	return c >= 32 && c < 127 ? glyphs[c - 32] : unknown;
}

double text_width(str text, double size)
{
	double units = 0;
	while (text.n)
		units += grid(glyph_next(&text)[0]) + GAP;
	return units > 0 ? (units - GAP) * size / CAPITAL : 0;
}

/* Each corner is cut, twice: a polygon becomes a curve between its ends, or all around. */
static size_t rounded(point *p, size_t n)
{
	point old[POINTS_MAX];
	bool closed = p[0].x == p[n - 1].x && p[0].y == p[n - 1].y;
	for (int round = 0; round < ROUNDS && n * 2 <= POINTS_MAX; round++) {
		size_t k = 0;
		memcpy(old, p, n * sizeof *p);
		if (!closed)
			p[k++] = old[0];
		for (size_t i = 0; i + 1 < n; i++) {
			double from = !closed && i == 0 ? 0.5 : 0.25, to = !closed && i + 2 == n ? 0.5 : 0.75;
			if (from == 0.25 || n == 2)
				p[k++] = (point){ old[i].x + (old[i + 1].x - old[i].x) * from,
					              old[i].y + (old[i + 1].y - old[i].y) * from };
			if (to == 0.75 || n == 2)
				p[k++] = (point){ old[i].x + (old[i + 1].x - old[i].x) * to,
					              old[i].y + (old[i + 1].y - old[i].y) * to };
		}
		p[k++] = closed ? p[0] : old[n - 1];
		n = k;
	}
	return n;
}

/* Where the grid lies: an origin, and what a unit is to the right and down. */
typedef struct frame {
	point origin, right, down;
} frame;

static point placed(const frame *f, point p)
{
	return (point){ f->origin.x + p.x * f->right.x + p.y * f->down.x,
		            f->origin.y + p.x * f->right.y + p.y * f->down.y };
}

static void cover_glyph(canvas *c, const char *glyph, const frame *f, double weight)
{
	str rest = str_c(glyph);
	str_cut(&rest, ' ');
	while (str_is(rest)) {
		str stroke = str_cut(&rest, ' ');
		bool curve = str_starts(stroke, S("~"));
		point p[POINTS_MAX] = { 0 };
		size_t n = 0;
		for (size_t i = curve; i + 1 < stroke.n; i += 2)
			p[n++] = (point){ grid(stroke.p[i]), grid(stroke.p[i + 1]) };
		if (curve && n > 1)
			n = rounded(p, n);
		for (size_t i = 1; i < n; i++)
			cover_segment(c, placed(f, p[i - 1]), placed(f, p[i]), weight);
	}
}

static void text_along(canvas *c, str text, frame f, double weight, colour with)
{
	while (text.n) {
		const char *glyph = glyph_next(&text);
		double advance = grid(glyph[0]) + GAP;
		cover_glyph(c, glyph, &f, weight);
		f.origin.x += f.right.x * advance;
		f.origin.y += f.right.y * advance;
	}
	canvas_paint(c, with);
}

void draw_text(canvas *c, str text, point at, double size, double weight, text_place place, colour with)
{
	double unit = size / CAPITAL, width = text_width(text, size);
	at.x -= place == TEXT_CENTRE ? width / 2 : place == TEXT_RIGHT ? width : 0;
	/* Feet on the middle of a row of pixels are sharp. */
	frame f = { { at.x, floor(at.y) - 0.5 - size }, { unit, 0 }, { 0, unit } };
	text_along(c, text, f, weight, with);
}

void draw_text_upwards(canvas *c, str text, point at, double size, colour with)
{
	double unit = size / CAPITAL;
	frame f = { { floor(at.x) - 0.5 - size / 2, at.y + text_width(text, size) / 2 },
		        { 0, -unit },
		        { unit, 0 } };
	text_along(c, text, f, 1.05, with);
}

str text_fitted(arena *mem, str text, double size, double width)
{
	size_t n = text.n;
	if (text_width(text, size) <= width)
		return text;
	while (n && text_width(str_sub(text, 0, n), size) + text_width(S(".."), size) > width)
		for (n--; n && ((unsigned char)text.p[n] & 0xc0) == 0x80; n--)
			;
	return arena_fmt(mem, "%.*s..", (int)n, text.p);
}
