/* Dates in the patterns of Java, as far as letters of numbers, months' names and zones go. */
#include "base/time.h"
#include "transform.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

/* The next run of one letter, a quoted text, or one byte that stands for itself (letter 0). */
typedef struct piece {
	char letter;
	size_t n;
	str text;
} piece;

static bool next_piece(str *pattern, piece *p)
{
	if (!pattern->n)
		return false;
	char c = pattern->p[0];
	size_t n = 1;
	*p = (piece){ 0, 1, str_sub(*pattern, 0, 1) };
	if (c == '\'') {
		size_t end = str_find_char(str_sub(*pattern, 1, pattern->n), '\'');
		end = end == SIZE_MAX ? pattern->n - 1 : end;
		p->text = end ? str_sub(*pattern, 1, end + 1) : S("'");
		n = end + 2;
	} else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		while (n < pattern->n && pattern->p[n] == c)
			n++;
		*p = (piece){ c, n, STR_NONE };
	}
	*pattern = str_sub(*pattern, n, pattern->n);
	return true;
}

bool date_pattern_known(str pattern)
{
	piece p;
	while (next_piece(&pattern, &p))
		if (p.letter && (!strchr("yuMdHhmsSaEXZ", p.letter) || (p.letter == 'M' && p.n > 3) ||
		                 (p.letter == 'E' && p.n > 3)))
			return false;
	return true;
}

bool date_zone(str zone, int64_t *offset_ms)
{
	int64_t hours, minutes = 0;
	*offset_ms = 0;
	if (!zone.n || str_eq(zone, S("UTC")) || str_eq(zone, S("GMT")) || str_eq(zone, S("Z")) ||
	    str_eq(zone, S("Etc/UTC")))
		return true;
	if (str_starts(zone, S("UTC")) || str_starts(zone, S("GMT")))
		zone = str_sub(zone, 3, zone.n);
	if (zone.n < 3 || (zone.p[0] != '+' && zone.p[0] != '-') || !str_to_i64(str_sub(zone, 1, 3), &hours))
		return false;
	str rest = str_sub(zone, 3, zone.n);
	if (str_starts(rest, S(":")))
		rest = str_sub(rest, 1, rest.n);
	if (rest.n && (rest.n != 2 || !str_to_i64(rest, &minutes)))
		return false;
	*offset_ms = (hours * MS_HOUR + minutes * MS_MINUTE) * (zone.p[0] == '-' ? -1 : 1);
	return true;
}

static bool number(str *text, size_t most, int *out)
{
	size_t n = 0;
	*out = 0;
	for (; n < most && n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++)
		*out = *out * 10 + (text->p[n] - '0');
	*text = str_sub(*text, n, text->n);
	return n;
}

static int named(str *text, const char *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(str_sub(*text, 0, 3), str_of(names + 3 * i, 3))) {
			*text = str_sub(*text, 3, text->n);
			return (int)i;
		}
	return -1;
}

static bool read_zone(str *text, int64_t *zone)
{
	size_t n = str_starts(*text, S("Z")) ? 1 : 0;
	while (n < text->n && strchr("+-:0123456789", text->p[n]) && n < 6)
		n++;
	bool read = n && date_zone(str_sub(*text, 0, n), zone);
	*text = str_sub(*text, n, text->n);
	return read;
}

typedef struct reading {
	civil c;
	int64_t zone;
	bool afternoon, half;
} reading;

static bool read_piece(reading *r, const piece *p, str *text)
{
	int fraction, n;
	size_t before;
	switch (p->letter) {
	case 0:
		if (!str_starts(*text, p->text))
			return false;
		*text = str_sub(*text, p->text.n, text->n);
		return true;
	case 'y': case 'u':
		if (!number(text, p->n == 2 ? 2 : 4, &r->c.year))
			return false;
		r->c.year += p->n == 2 ? 2000 : 0;
		return true;
	case 'M':
		if (p->n < 3)
			return number(text, 2, &r->c.month);
		r->c.month = named(text, months, 12) + 1;
		return r->c.month > 0;
	case 'd': return number(text, 2, &r->c.day);
	case 'h': r->half = true; return number(text, 2, &r->c.hour);
	case 'H': return number(text, 2, &r->c.hour);
	case 'm': return number(text, 2, &r->c.minute);
	case 's': return number(text, 2, &r->c.second);
	case 'S':
		before = text->n;
		if (!number(text, p->n, &fraction))
			return false;
		for (n = (int)(before - text->n); n > 3; n--)
			fraction /= 10;
		for (; n < 3; n++)
			fraction *= 10;
		r->c.ms = fraction;
		return true;
	case 'a':
		r->afternoon = str_eq_nocase(str_sub(*text, 0, 2), S("PM"));
		*text = str_sub(*text, 2, text->n);
		return true;
	case 'E': return named(text, days, 7) >= 0;
	default: return read_zone(text, &r->zone);
	}
}

bool date_read(str pattern, str text, int64_t zone_ms, int64_t *when)
{
	piece p;
	reading r = { .c = { .year = 1970, .month = 1, .day = 1 }, .zone = zone_ms };
	while (next_piece(&pattern, &p))
		if (!read_piece(&r, &p, &text))
			return false;
	if (r.half)
		r.c.hour = r.c.hour % 12 + (r.afternoon ? 12 : 0);
	if (text.n || r.c.month < 1 || r.c.month > 12 || r.c.day < 1 || r.c.day > 31 || r.c.hour > 23 ||
	    r.c.minute > 59 || r.c.second > 60)
		return false;
	*when = time_from_civil(r.c) - r.zone;
	return true;
}

static void write_number(buf *b, size_t n, int value) { buf_fmt(b, "%0*d", (int)(n < 9 ? n : 9), value); }

static void write_zone(buf *b, const piece *p, int64_t zone)
{
	int minutes = (int)(zone / MS_MINUTE), all = minutes < 0 ? -minutes : minutes;
	if (!zone && p->letter == 'X')
		buf_c(b, 'Z');
	else
		buf_fmt(b, p->letter == 'X' && p->n == 3 ? "%c%02d:%02d" : "%c%02d%02d", minutes < 0 ? '-' : '+',
		        all / 60, all % 60);
}

str date_write(arena *mem, str pattern, int64_t when, int64_t zone_ms)
{
	piece p;
	civil c = time_civil(when + zone_ms);
	buf b = buf_in(mem, 64, 512);
	while (next_piece(&pattern, &p))
		switch (p.letter) {
		case 0: buf_put(&b, p.text); break;
		case 'y': case 'u': write_number(&b, p.n, p.n == 2 ? c.year % 100 : c.year); break;
		case 'M':
			if (p.n < 3)
				write_number(&b, p.n, c.month);
			else
				buf_put(&b, str_of(months + 3 * (c.month - 1), 3));
			break;
		case 'd': write_number(&b, p.n, c.day); break;
		case 'H': write_number(&b, p.n, c.hour); break;
		case 'h': write_number(&b, p.n, c.hour % 12 ? c.hour % 12 : 12); break;
		case 'm': write_number(&b, p.n, c.minute); break;
		case 's': write_number(&b, p.n, c.second); break;
		case 'S': write_number(&b, p.n, p.n == 1 ? c.ms / 100 : p.n == 2 ? c.ms / 10 : c.ms); break;
		case 'a': buf_put(&b, c.hour < 12 ? S("AM") : S("PM")); break;
		case 'E': buf_put(&b, str_of(days + 3 * c.weekday, 3)); break;
		default: write_zone(&b, &p, zone_ms);
		}
	return buf_str(&b);
}
