#include "base/time.h"

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970 of a proleptic Gregorian date, with the year beginning in March. */
static int64_t days_from_date(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = floor_div(y, 400), of_era = y - era * 400;
	int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

civil time_civil(int64_t ms)
{
	int64_t day = floor_div(ms, MS_DAY), rest = ms - day * MS_DAY;
	int64_t z = day + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	civil c = {
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.month = (int)(mp < 10 ? mp + 3 : mp - 9),
		.hour = (int)(rest / MS_HOUR),
		.minute = (int)(rest / MS_MINUTE % 60),
		.second = (int)(rest / MS_SECOND % 60),
		.ms = (int)(rest % MS_SECOND),
		.weekday = (int)((day % 7 + 11) % 7),
	};
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	return c;
}

int64_t time_from_civil(civil c)
{
	return days_from_date(c.year, c.month, c.day) * MS_DAY + c.hour * MS_HOUR +
	       c.minute * MS_MINUTE + c.second * MS_SECOND + c.ms;
}

str time_iso(arena *a, int64_t ms)
{
	civil c = time_civil(ms);
	if (c.ms)
		return time_iso_ms(a, ms);
	return arena_fmt(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
	                 c.second);
}

static char *put_digits(char *p, unsigned value, int n, char behind)
{
	for (int i = n; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	p[n] = behind;
	return p + n + 1;
}

/* Without printf: every line of the log has one. */
str time_iso_ms(arena *a, int64_t ms)
{
	civil c = time_civil(ms);
	if (c.year < 0 || c.year > 9999)
		return arena_fmt(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour,
		                 c.minute, c.second, c.ms);
	char *start = arena_bytes(a, sizeof "2026-01-01T00:00:00.000Z"), *p = start;
	p = put_digits(p, (unsigned)c.year, 4, '-');
	p = put_digits(p, (unsigned)c.month, 2, '-');
	p = put_digits(p, (unsigned)c.day, 2, 'T');
	p = put_digits(p, (unsigned)c.hour, 2, ':');
	p = put_digits(p, (unsigned)c.minute, 2, ':');
	p = put_digits(p, (unsigned)c.second, 2, '.');
	p = put_digits(p, (unsigned)c.ms, 3, 'Z');
	*p = 0;
	return (str){ start, (size_t)(p - start) };
}

static char *put_name(char *p, const char name[4], char behind)
{
	memcpy(p, name, 3);
	p[3] = behind;
	return p + 4;
}

str time_http(arena *a, int64_t ms)
{
	civil c = time_civil(ms);
	if (c.year < 0 || c.year > 9999)
		return arena_fmt(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday], c.day,
		                 months[c.month - 1], c.year, c.hour, c.minute, c.second);
	char *start = arena_bytes(a, sizeof "Thu, 01 Jan 2026 00:00:00 GMT"), *p = start;
	p = put_name(p, days[c.weekday], ',');
	*p++ = ' ';
	p = put_digits(p, (unsigned)c.day, 2, ' ');
	p = put_name(p, months[c.month - 1], ' ');
	p = put_digits(p, (unsigned)c.year, 4, ' ');
	p = put_digits(p, (unsigned)c.hour, 2, ':');
	p = put_digits(p, (unsigned)c.minute, 2, ':');
	p = put_digits(p, (unsigned)c.second, 2, ' ');
	p = put_name(p, "GMT", 0);
	return (str){ start, (size_t)(p - start) - 1 };
}

str time_basic(arena *a, int64_t ms)
{
	civil c = time_civil(ms);
	return arena_fmt(a, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute,
	                 c.second);
}

static bool digits(str s, size_t at, size_t n, int *out)
{
	int v = 0;
	if (at + n > s.n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = v;
	return true;
}

static bool in_range(civil c)
{
	static const int lengths[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = c.year % 4 == 0 && (c.year % 100 || c.year % 400 == 0);
	return c.month >= 1 && c.month <= 12 && c.day >= 1 &&
	       c.day <= lengths[c.month - 1] - (c.month == 2 && !leap) && c.hour < 24 && c.minute < 60 &&
	       c.second < 61;
}

/* What may follow the seconds: a fraction, then Z, an offset or nothing. */
static bool tail(str s, civil *c, int64_t *offset_ms)
{
	size_t i = 0;
	*offset_ms = 0;
	if (i < s.n && s.p[i] == '.') {
		int scale = 100;
		for (i = 1; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, scale /= 10)
			c->ms += (s.p[i] - '0') * scale;
	}
	if (i == s.n || (i + 1 == s.n && s.p[i] == 'Z'))
		return true;
	int hours, minutes;
	bool colon = i + 3 < s.n && s.p[i + 3] == ':';
	if ((s.p[i] != '+' && s.p[i] != '-') || !digits(s, i + 1, 2, &hours) ||
	    !digits(s, i + 3 + colon, 2, &minutes) || i + 5 + colon != s.n)
		return false;
	*offset_ms = (hours * MS_HOUR + minutes * MS_MINUTE) * (s.p[i] == '-' ? -1 : 1);
	return true;
}

static bool parse_iso(str s, civil *c, int64_t *offset)
{
	if (!digits(s, 0, 4, &c->year) || !digits(s, 5, 2, &c->month) || !digits(s, 8, 2, &c->day) ||
	    s.p[4] != '-' || s.p[7] != '-')
		return false;
	if (s.n == 10)
		return true;
	return (s.p[10] == 'T' || s.p[10] == ' ') && digits(s, 11, 2, &c->hour) &&
	       digits(s, 14, 2, &c->minute) && digits(s, 17, 2, &c->second) &&
	       tail(str_sub(s, 19, s.n), c, offset);
}

static bool parse_basic(str s, civil *c, int64_t *offset)
{
	return digits(s, 0, 4, &c->year) && digits(s, 4, 2, &c->month) && digits(s, 6, 2, &c->day) &&
	       s.n > 8 && s.p[8] == 'T' && digits(s, 9, 2, &c->hour) &&
	       digits(s, 11, 2, &c->minute) && digits(s, 13, 2, &c->second) &&
	       tail(str_sub(s, 15, s.n), c, offset);
}

static bool parse_http(str s, civil *c)
{
	if (s.n != 29 || !digits(s, 5, 2, &c->day) || !digits(s, 12, 4, &c->year) ||
	    !digits(s, 17, 2, &c->hour) || !digits(s, 20, 2, &c->minute) ||
	    !digits(s, 23, 2, &c->second))
		return false;
	for (int m = 0; m < 12; m++)
		if (memcmp(s.p + 8, months[m], 3) == 0)
			c->month = m + 1;
	return str_ends(s, S(" GMT"));
}

bool time_parse(str s, int64_t *ms)
{
	civil c = { 0 };
	int64_t offset = 0;
	if (!(s.n >= 10 && parse_iso(s, &c, &offset))) {
		c = (civil){ 0 };
		if (!parse_basic(s, &c, &offset)) {
			c = (civil){ 0 };
			if (!parse_http(s, &c))
				return false;
		}
	}
	if (!in_range(c))
		return false;
	*ms = time_from_civil(c) - offset;
	return true;
}
