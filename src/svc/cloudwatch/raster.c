#include "raster.h"
#include "base/buf.h"
#include "base/err.h"
#include <math.h>
#include <zlib.h>

#define SECTOR_GRID 4

canvas *canvas_new(arena *mem, int width, int height, colour ground)
{
	canvas *c = arena_new(mem, canvas);
	size_t n = (size_t)width * (size_t)height;
	*c = (canvas){ .mem = mem,
		           .width = width,
		           .height = height,
		           .rgb = arena_alloc(mem, n * 3),
		           .coverage = arena_alloc(mem, n),
		           .left = width,
		           .top = height };
	for (size_t i = 0; i < n; i++) {
		c->rgb[i * 3] = ground.r;
		c->rgb[i * 3 + 1] = ground.g;
		c->rgb[i * 3 + 2] = ground.b;
	}
	return c;
}

static void cover(canvas *c, int x, int y, double part)
{
	if (x < 0 || y < 0 || x >= c->width || y >= c->height || part <= 0)
		return;
	uint8_t *at = &c->coverage[y * c->width + x], value = (uint8_t)(part >= 1 ? 255 : part * 255);
	*at = value > *at ? value : *at;
	c->left = x < c->left ? x : c->left;
	c->right = x >= c->right ? x + 1 : c->right;
	c->top = y < c->top ? y : c->top;
	c->bottom = y >= c->bottom ? y + 1 : c->bottom;
}

static uint8_t mixed(uint8_t below, uint8_t above, unsigned share)
{
	return (uint8_t)((below * (65025 - share) + above * share + 32512) / 65025);
}

void canvas_paint(canvas *c, colour with)
{
	for (int y = c->top; y < c->bottom; y++)
		for (int x = c->left; x < c->right; x++) {
			size_t i = (size_t)y * (size_t)c->width + (size_t)x;
			unsigned share = (unsigned)c->coverage[i] * with.a;
			c->coverage[i] = 0;
			c->rgb[i * 3] = mixed(c->rgb[i * 3], with.r, share);
			c->rgb[i * 3 + 1] = mixed(c->rgb[i * 3 + 1], with.g, share);
			c->rgb[i * 3 + 2] = mixed(c->rgb[i * 3 + 2], with.b, share);
		}
	c->left = c->width;
	c->top = c->height;
	c->right = c->bottom = 0;
}

static int clipped(double v, int most) { return v < 0 ? 0 : v > most ? most : (int)v; }

/* A pixel is covered by how far its middle is from the stroke's middle. */
void cover_segment(canvas *c, point from, point to, double width)
{
	double dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy, half = width / 2;
	int left = clipped(fmin(from.x, to.x) - half - 1, c->width);
	int right = clipped(fmax(from.x, to.x) + half + 2, c->width);
	int top = clipped(fmin(from.y, to.y) - half - 1, c->height);
	int bottom = clipped(fmax(from.y, to.y) + half + 2, c->height);
	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++) {
			double px = x + 0.5 - from.x, py = y + 0.5 - from.y;
			double t = length > 0 ? fmin(1, fmax(0, (px * dx + py * dy) / length)) : 0;
			cover(c, x, y, half + 0.5 - hypot(px - t * dx, py - t * dy));
		}
}

void draw_path(canvas *c, const point *p, size_t n, double width, colour with)
{
	for (size_t i = 1; i < n; i++)
		cover_segment(c, p[i - 1], p[i], width);
	canvas_paint(c, with);
}

void draw_line(canvas *c, point from, point to, double width, colour with)
{
	cover_segment(c, from, to, width);
	canvas_paint(c, with);
}

static void cover_column(canvas *c, int x, double top, double bottom, double part)
{
	int from = clipped(floor(top), c->height), to = clipped(ceil(bottom), c->height);
	for (int y = from; y < to; y++)
		cover(c, x, y, (fmin(bottom, y + 1) - fmax(top, y)) * part);
}

void fill_box(canvas *c, double left, double top, double right, double bottom, colour with)
{
	int from = clipped(floor(left), c->width), to = clipped(ceil(right), c->width);
	for (int x = from; x < to; x++)
		cover_column(c, x, top, bottom, fmin(right, x + 1) - fmax(left, x));
	canvas_paint(c, with);
}

void fill_between(canvas *c, const point *upper, const point *lower, size_t n, colour with)
{
	for (size_t i = 1; i < n; i++) {
		double span = upper[i].x - upper[i - 1].x;
		int from = clipped(floor(upper[i - 1].x), c->width), to = clipped(ceil(upper[i].x), c->width);
		for (int x = from; x < to && span > 0; x++) {
			double t = fmin(1, fmax(0, (x + 0.5 - upper[i - 1].x) / span));
			double top = upper[i - 1].y + t * (upper[i].y - upper[i - 1].y);
			double bottom = lower[i - 1].y + t * (lower[i].y - lower[i - 1].y);
			double part = fmin(upper[i].x, x + 1) - fmax(upper[i - 1].x, x);
			/* Between two pieces a pixel belongs to both. */
			cover_column(c, x, fmin(top, bottom), fmax(top, bottom), part > 0.5 ? 1 : part * 2);
		}
	}
	canvas_paint(c, with);
}

void fill_dot(canvas *c, point at, double radius, colour with)
{
	cover_segment(c, at, at, radius * 2);
	canvas_paint(c, with);
}

void fill_sector(canvas *c, point at, double inner, double outer, double from_turn, double to_turn,
                 colour with)
{
	int left = clipped(at.x - outer - 1, c->width), right = clipped(at.x + outer + 2, c->width);
	int top = clipped(at.y - outer - 1, c->height), bottom = clipped(at.y + outer + 2, c->height);
	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++) {
			int inside = 0;
			for (int k = 0; k < SECTOR_GRID * SECTOR_GRID; k++) {
				double px = x + (k % SECTOR_GRID + 0.5) / SECTOR_GRID - at.x;
				double py = y + (k / SECTOR_GRID + 0.5) / SECTOR_GRID - at.y;
				double r = hypot(px, py), turn = atan2(px, -py) / (2 * M_PI);
				turn += turn < from_turn ? 1 : 0;
				inside += r >= inner && r <= outer && turn >= from_turn && turn <= to_turn;
			}
			cover(c, x, y, (double)inside / (SECTOR_GRID * SECTOR_GRID));
		}
	canvas_paint(c, with);
}

static void put_u32(buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_c(b, (char)(v >> shift));
}

static void put_chunk(buf *b, const char *type, str data)
{
	put_u32(b, (uint32_t)data.n);
	size_t from = b->n;
	buf_put(b, str_c(type));
	buf_put(b, data);
	put_u32(b, (uint32_t)crc32(0, (const Bytef *)b->p + from, (uInt)(b->n - from)));
}

str canvas_png(const canvas *c)
{
	size_t row = (size_t)c->width * 3 + 1, n = row * (size_t)c->height;
	uLongf packed = compressBound(n);
	Bytef *plain = arena_alloc(c->mem, n), *out = arena_alloc(c->mem, packed);
	for (int y = 0; y < c->height; y++) {
		plain[(size_t)y * row] = 0; /* no filter: areas of one colour pack best as they are */
		memcpy(plain + (size_t)y * row + 1, c->rgb + (size_t)y * (row - 1), row - 1);
	}
	ensure(compress2(out, &packed, plain, n, 9) == Z_OK);
	buf b = buf_in(c->mem, packed + 128, packed + 1024), head = buf_in(c->mem, 16, 16);
	buf_put(&b, S("\x89PNG\r\n\x1a\n"));
	put_u32(&head, (uint32_t)c->width);
	put_u32(&head, (uint32_t)c->height);
	buf_put(&head, S("\x08\x02\0\0\0"));
	put_chunk(&b, "IHDR", buf_str(&head));
	put_chunk(&b, "IDAT", str_of((const char *)out, packed));
	put_chunk(&b, "IEND", S(""));
	return buf_str(&b);
}
