#include "wire/http_parse.h"

#define CHUNK_LINE_MAX 1024    /* size and extensions of one chunk */
#define TRAILER_MAX 8192       /* all trailers together */
#define CHUNK_SIZE_MAX (UINT64_C(1) << 40)
#define METHOD_MAX 32

/* Kinds of bytes. */
enum { TOKEN = 1, TARGET = 2, HOST = 4 };
static const uint8_t kinds[256] = {
	['!'] = TOKEN | TARGET | HOST, ['"'] = TARGET, ['$'] = TOKEN | TARGET | HOST,
	['%'] = TOKEN | TARGET | HOST, ['&'] = TOKEN | TARGET | HOST, ['\''] = TOKEN | TARGET | HOST,
	['('] = TARGET | HOST, [')'] = TARGET | HOST, ['*'] = TOKEN | TARGET | HOST,
	['+'] = TOKEN | TARGET | HOST, [','] = TARGET | HOST, ['-'] = TOKEN | TARGET | HOST,
	['.'] = TOKEN | TARGET | HOST, ['/'] = TARGET, ['#'] = TOKEN,
	['0' ... '9'] = TOKEN | TARGET | HOST,
	[':'] = TARGET | HOST, [';'] = TARGET | HOST, ['<'] = TARGET, ['='] = TARGET | HOST,
	['>'] = TARGET, ['?'] = TARGET, ['@'] = TARGET,
	['A' ... 'Z'] = TOKEN | TARGET | HOST,
	['['] = TARGET | HOST, ['\\'] = TARGET, [']'] = TARGET | HOST, ['^'] = TOKEN | TARGET,
	['_'] = TOKEN | TARGET | HOST, ['`'] = TOKEN | TARGET,
	['a' ... 'z'] = TOKEN | TARGET | HOST,
	['{'] = TARGET, ['|'] = TOKEN | TARGET, ['}'] = TARGET, ['~'] = TOKEN | TARGET | HOST,
};

static bool all_of(str s, uint8_t kind)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(kinds[(uint8_t)s.p[i]] & kind))
			return false;
	return true;
}

bool http_is_token(str s)
{
	return s.n > 0 && all_of(s, TOKEN);
}

static bool value_byte(uint8_t c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

/* Eight bytes at once: almost every value has none of those that need a look. */
static bool suspicious(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t below = (x - ones * 0x20) & ~x;
	uint64_t del = x ^ ones * 0x7f;
	return ((below | ((del - ones) & ~del)) & tops) != 0;
}

bool http_is_field_value(str s)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t x;
		memcpy(&x, s.p + i, 8);
		if (!suspicious(x))
			continue;
		for (size_t k = i; k < i + 8; k++)
			if (!value_byte((uint8_t)s.p[k]))
				return false;
	}
	for (; i < s.n; i++)
		if (!value_byte((uint8_t)s.p[i]))
			return false;
	return true;
}

size_t http_scan_head(http_scan *s, const char *p, size_t n)
{
	while (s->searched < n) {
		const char *end = memchr(p + s->searched, '\n', n - s->searched);
		if (!end) {
			s->searched = n;
			return 0;
		}
		size_t line = s->line, at = (size_t)(end - p);
		s->line = s->searched = at + 1;
		/* An empty line ends the head, also one that lacks its CR: the parser then refuses
		 * it. */
		if (at == line || (at == line + 1 && p[line] == '\r'))
			return at + 1;
	}
	return 0;
}

/* Cuts a line with its CR LF off; false when the line end is not that. */
static bool cut_line(str *rest, str *line)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	if (!end || end == rest->p || end[-1] != '\r')
		return false;
	*line = (str){ rest->p, (size_t)(end - rest->p) - 1 };
	*rest = (str){ end + 1, rest->n - line->n - 2 };
	return true;
}

static bool valid_host(str host)
{
	return all_of(host, HOST);
}

/* http://host:port/path?query, as sent to proxies. */
static int absolute_target(http_head *h)
{
	size_t scheme = str_starts(h->target, S("http://")) ? 7 : 8;
	if (scheme == 8 && !str_starts(h->target, S("https://")))
		return 400;
	str rest = str_sub(h->target, scheme, h->target.n);
	size_t n = 0;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	h->host = str_sub(rest, 0, n);
	rest = str_sub(rest, n, rest.n);
	if (h->host.n == 0 || !valid_host(h->host))
		return 400;
	h->path = str_cut(&rest, '?');
	h->query = rest;
	if (h->path.n == 0)
		h->path = S("/");
	return 0;
}

static int parse_target(http_head *h, size_t target_max)
{
	str t = h->target;
	if (t.n > target_max)
		return 414;
	if (t.n == 0 || !all_of(t, TARGET))
		return 400;
	if (t.p[0] == '/') {
		h->path = str_cut(&t, '?');
		h->query = t;
		return 0;
	}
	if (str_eq(t, S("*")) && str_eq(h->method, S("OPTIONS"))) {
		h->path = t;
		return 0;
	}
	return absolute_target(h);
}

static int parse_version(str v, http_head *h)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' || v.p[5] < '0' || v.p[5] > '9' ||
	    v.p[7] < '0' || v.p[7] > '9')
		return 400;
	if (v.p[5] != '1')
		return 505;
	h->minor = v.p[7] == '0' ? 0 : 1;
	return 0;
}

static int parse_request_line(str line, http_head *h, size_t target_max)
{
	str rest = line;
	h->method = str_cut(&rest, ' ');
	if (h->method.n > METHOD_MAX || !http_is_token(h->method) || !str_is(rest))
		return 400;
	h->target = str_cut(&rest, ' ');
	if (h->target.n > target_max)
		return 414;
	if (!str_is(rest))
		return 400;
	int bad = parse_version(rest, h);
	return bad ? bad : parse_target(h, target_max);
}

static int parse_content_length(str v, http_head *h)
{
	/* Digits only: no sign, no list, no second one even if it says the same. */
	if (h->content_length >= 0 || v.n == 0 || v.n > 18)
		return 400;
	int64_t n = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return 400;
		n = n * 10 + (v.p[i] - '0');
	}
	h->content_length = n;
	return 0;
}

static int parse_connection(str v, http_head *h, bool *upgrade)
{
	while (str_is(v)) {
		str option = str_trim(str_cut(&v, ','));
		if (str_eq_nocase(option, S("close")))
			h->keep_alive = false;
		else if (h->minor == 0 && str_eq_nocase(option, S("keep-alive")))
			h->keep_alive = true;
		else if (str_eq_nocase(option, S("upgrade")))
			*upgrade = true;
	}
	return 0;
}

/* What the layer itself must know of a head. */
typedef struct framing {
	size_t hosts;
	bool transfer_encoding, upgrades;
	str host;
} framing;

static int known_header(str name, str value, http_head *h, framing *f)
{
	switch (name.n) {
	case 4:
		if (str_eq_nocase(name, S("host"))) {
			f->hosts++;
			f->host = value;
			return f->hosts > 1 || !valid_host(value) ? 400 : 0;
		}
		return 0;
	case 6:
		if (!str_eq_nocase(name, S("expect")))
			return 0;
		/* Anything else is no reason to refuse, as AWS has it. */
		h->expect_continue = h->minor > 0 && str_eq_nocase(value, S("100-continue"));
		return 0;
	case 7:
		if (str_eq_nocase(name, S("upgrade")))
			h->upgrade = value;
		return 0;
	case 10:
		return str_eq_nocase(name, S("connection")) ? parse_connection(value, h, &f->upgrades) : 0;
	case 14:
		return str_eq_nocase(name, S("content-length")) ? parse_content_length(value, h) : 0;
	case 17:
		if (!str_eq_nocase(name, S("transfer-encoding")))
			return 0;
		if (f->transfer_encoding || h->minor == 0 || !str_eq_nocase(value, S("chunked")))
			return 400;
		f->transfer_encoding = h->chunked = true;
		return 0;
	default:
		return 0;
	}
}

static int parse_header(str line, http_head *h, framing *f)
{
	size_t n = 0;
	while (n < line.n && kinds[(uint8_t)line.p[n]] & TOKEN)
		n++;
	/* An obs-fold begins with white space, `Host :` has it before the colon: neither is a
	 * token. */
	if (n == 0 || n == line.n || line.p[n] != ':')
		return 400;
	size_t from = n + 1, to = line.n;
	while (from < to && (line.p[from] == ' ' || line.p[from] == '\t'))
		from++;
	while (to > from && (line.p[to - 1] == ' ' || line.p[to - 1] == '\t'))
		to--;
	http_header *header = &h->headers[h->n_headers++];
	header->name = (str){ line.p, n };
	header->value = (str){ line.p + from, to - from };
	if (!http_is_field_value(header->value))
		return 400;
	return known_header(header->name, header->value, h, f);
}

static int check_framing(http_head *h, const framing *f)
{
	if (h->chunked && h->content_length >= 0)
		return 400;
	if (f->hosts == 0 && h->minor > 0)
		return 400;
	if (!str_is(h->host))
		h->host = f->host;
	else if (f->hosts && !str_eq_nocase(h->host, f->host))
		return 400;
	if (!f->upgrades || h->minor == 0)
		h->upgrade = STR_NONE;
	return 0;
}

int http_parse_head(const char *p, size_t n, size_t target_max, size_t headers_max, http_head *out)
{
	http_head h = { .headers = out->headers, .content_length = -1 };
	framing f = { 0 };
	str rest = { p, n }, line;
	if (!cut_line(&rest, &line))
		return 400;
	int bad = parse_request_line(line, &h, target_max);
	h.keep_alive = h.minor > 0;
	while (!bad) {
		if (!cut_line(&rest, &line))
			return 400;
		if (line.n == 0)
			break;
		if (h.n_headers == headers_max)
			return 431;
		bad = parse_header(line, &h, &f);
	}
	if (!bad)
		bad = check_framing(&h, &f);
	if (!bad)
		*out = h;
	return bad;
}

enum {
	SIZE_START, SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF,
	TRAILER_START, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, LAST_LF, ENDED, BROKEN,
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint8_t size_byte(http_chunks *c, char b)
{
	if (c->state == EXTENSION) {
		if (b == '\r')
			return SIZE_LF;
		return ++c->line <= CHUNK_LINE_MAX && value_byte((uint8_t)b) ? EXTENSION : BROKEN;
	}
	int v = hex_value(b);
	if (v >= 0) {
		c->left = c->left << 4 | (uint64_t)v;
		return ++c->line <= 16 && c->left <= CHUNK_SIZE_MAX ? SIZE : BROKEN;
	}
	if (c->state == SIZE_START)
		return BROKEN;
	return b == '\r' ? SIZE_LF : b == ';' ? EXTENSION : BROKEN;
}

static uint8_t trailer_byte(http_chunks *c, char b)
{
	if (++c->trailer > TRAILER_MAX)
		return BROKEN;
	bool token = kinds[(uint8_t)b] & TOKEN;
	switch (c->state) {
	case TRAILER_START:
		return b == '\r' ? LAST_LF : token ? TRAILER_NAME : BROKEN;
	case TRAILER_NAME:
		return b == ':' ? TRAILER_VALUE : token ? TRAILER_NAME : BROKEN;
	case TRAILER_VALUE:
		return b == '\r' ? TRAILER_LF : value_byte((uint8_t)b) ? TRAILER_VALUE : BROKEN;
	default: /* TRAILER_LF */
		return b == '\n' ? TRAILER_START : BROKEN;
	}
}

static uint8_t framing_byte(http_chunks *c, char b)
{
	switch (c->state) {
	case SIZE_START:
		c->left = 0;
		c->line = 0;
		return size_byte(c, b);
	case SIZE:
	case EXTENSION:
		return size_byte(c, b);
	case SIZE_LF:
		return b != '\n' ? BROKEN : c->left ? DATA : TRAILER_START;
	case DATA_CR:
		return b == '\r' ? DATA_LF : BROKEN;
	case DATA_LF:
		return b == '\n' ? SIZE_START : BROKEN;
	case LAST_LF:
		return b == '\n' ? ENDED : BROKEN;
	case ENDED:
	case BROKEN:
		return BROKEN;
	default:
		return trailer_byte(c, b);
	}
}

http_chunk http_chunks_next(http_chunks *c, const char *p, size_t n, size_t *used, str *data)
{
	for (size_t i = 0; i < n;) {
		if (c->state == DATA) {
			size_t take = n - i < c->left ? n - i : (size_t)c->left;
			*data = (str){ p + i, take };
			c->left -= take;
			if (!c->left)
				c->state = DATA_CR;
			*used = i + take;
			return CHUNK_DATA;
		}
		c->state = framing_byte(c, p[i++]);
		if (c->state == ENDED || c->state == BROKEN) {
			*used = i;
			return c->state == ENDED ? CHUNK_END : CHUNK_BAD;
		}
	}
	*used = n;
	return CHUNK_MORE;
}
