/* What makes fields of a text: pairs, comma-separated values, grok. */
#include "transform.h"

#define GROK_DEPTH 8
#define GROK_BYTES 16384
#define FIELDS_MAX 200

static str or_else(str given, str otherwise) { return str_is(given) ? given : otherwise; }

/* Cuts at the first of a text of one or more bytes. */
static str cut_at(str *rest, str mark)
{
	size_t at = str_find(*rest, mark);
	str part = str_sub(*rest, 0, at == SIZE_MAX ? rest->n : at);
	*rest = at == SIZE_MAX ? STR_NONE : str_sub(*rest, at + mark.n, rest->n);
	return part;
}

bool parse_pairs(arena *mem, const logs_ParseKeyValue *p, str text, json_value *into)
{
	str between = or_else(p->fieldDelimiter, S("&")), inside = or_else(p->keyValueDelimiter, S("="));
	size_t n = 0;
	while (str_is(text) && n < FIELDS_MAX) {
		str value = cut_at(&text, between), key = str_trim(cut_at(&value, inside));
		if (!key.n || (!str_is(value) && !str_is(p->nonMatchValue)))
			continue;
		if (str_is(p->keyPrefix))
			key = arena_concat(mem, p->keyPrefix, key);
		tree_put(mem, into, key, tree_text(mem, str_is(value) ? value : p->nonMatchValue),
		         p->overwriteIfExists.v);
		n++;
	}
	return n;
}

static str csv_value(arena *mem, str *rest, str delimiter, char quote)
{
	*rest = str_trim(*rest);
	if (!rest->n || rest->p[0] != quote)
		return str_trim(cut_at(rest, delimiter));
	buf b = buf_in(mem, 64, rest->n + 1);
	size_t i = 1;
	for (; i < rest->n; i++) {
		if (rest->p[i] == quote && i + 1 < rest->n && rest->p[i + 1] == quote)
			i++;
		else if (rest->p[i] == quote)
			break;
		buf_c(&b, rest->p[i]);
	}
	*rest = str_sub(*rest, i + 1, rest->n);
	cut_at(rest, delimiter);
	return buf_str(&b);
}

bool parse_csv(arena *mem, const logs_CSV *p, str text, json_value *into)
{
	str delimiter = or_else(p->delimiter, S(",")), quote = or_else(p->quoteCharacter, S("\""));
	if (str_eq(delimiter, S("\\t")))
		delimiter = S("\t");
	size_t n = 0;
	while (str_is(text) && n < FIELDS_MAX) {
		str value = csv_value(mem, &text, delimiter, quote.n ? quote.p[0] : '"');
		str key = n < p->columns.n ? p->columns.v[n] : arena_fmt(mem, "column_%zu", n + 1);
		tree_put(mem, into, key, tree_text(mem, value), true);
		n++;
	}
	return n;
}

static const struct { const char *name, *expression; } patterns[] = {
	{ "USERNAME", "[a-zA-Z0-9._-]+" }, { "USER", "[a-zA-Z0-9._-]+" },
	{ "INT", "[+-]?[0-9]+" }, { "BASE10NUM", "[+-]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)" },
	{ "NUMBER", "%{BASE10NUM}" }, { "BASE16NUM", "[+-]?(?:0x)?[0-9A-Fa-f]+" },
	{ "POSINT", "\\b[1-9][0-9]*\\b" }, { "NONNEGINT", "\\b[0-9]+\\b" }, { "BOOL", "true|false" },
	{ "WORD", "\\b\\w+\\b" }, { "NOTSPACE", "\\S+" }, { "SPACE", "\\s*" }, { "DATA", ".*?" },
	{ "GREEDYDATA", ".*" }, { "QUOTEDSTRING", "\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'" },
	{ "UUID", "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}" },
	{ "MAC", "(?:[A-Fa-f0-9]{2}[:-]){5}[A-Fa-f0-9]{2}" },
	{ "IPV4", "(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})\\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})" },
	{ "IPV6", "(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%{IPV4})?" }, { "IP", "%{IPV6}|%{IPV4}" },
	{ "HOSTNAME", "\\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\\.?" },
	{ "HOST", "%{HOSTNAME}" }, { "IPORHOST", "%{IP}|%{HOSTNAME}" }, { "HOSTPORT", "%{IPORHOST}:%{POSINT}" },
	{ "UNIXPATH", "(?:/[\\w_%!$@:.,+~-]*)+" }, { "WINPATH", "(?:[A-Za-z]:|\\\\)(?:\\\\[^\\\\?*]*)+" },
	{ "PATH", "%{UNIXPATH}|%{WINPATH}" }, { "URIPROTO", "[A-Za-z][A-Za-z0-9+.-]+" },
	{ "URIHOST", "%{IPORHOST}(?::%{POSINT})?" }, { "URIPATH", "(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+" },
	{ "URIPARAM", "\\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?<>\\[\\]-]*" },
	{ "URIPATHPARAM", "%{URIPATH}(?:%{URIPARAM})?" },
	{ "URI", "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?" },
	{ "MONTH", "\\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]un(?:e)?|"
	           "[Jj]ul(?:y)?|[Aa]ug(?:ust)?|[Ss]ep(?:tember)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|"
	           "[Dd]ec(?:ember)?)\\b" },
	{ "MONTHNUM", "0?[1-9]|1[0-2]" }, { "MONTHDAY", "3[01]|[12][0-9]|0?[1-9]" },
	{ "DAY", "Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?" },
	{ "YEAR", "[0-9]{4}|[0-9]{2}" }, { "HOUR", "2[0123]|[01]?[0-9]" }, { "MINUTE", "[0-5][0-9]" },
	{ "SECOND", "(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?" }, { "TIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})?" },
	{ "DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}" },
	{ "DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}" }, { "DATE", "%{DATE_US}|%{DATE_EU}" },
	{ "ISO8601_TIMEZONE", "Z|[+-]%{HOUR}:?%{MINUTE}" }, { "TZ", "[A-Z]{3}" },
	{ "TIMESTAMP_ISO8601",
	  "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?" },
	{ "DATESTAMP", "%{DATE}[- ]%{TIME}" }, { "HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}" },
	{ "SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}" },
	{ "LOGLEVEL", "[Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|[Nn]otice|NOTICE|[Ii]nfo(?:rmation)?|"
	              "INFO(?:RMATION)?|[Ww]arn(?:ing)?|WARN(?:ING)?|[Ee]rr(?:or)?|ERR(?:OR)?|[Cc]rit(?:ical)?|"
	              "CRIT(?:ICAL)?|[Ff]atal|FATAL|[Ss]evere|SEVERE|[Ee]merg(?:ency)?|EMERG(?:ENCY)?" },
	{ "EMAILADDRESS", "[A-Za-z0-9_.+=:-]+@%{HOSTNAME}" },
};

/* Patterns of patterns become one expression; %{NAME:field} is a group of that name. */
static bool expand(buf *b, str match, int depth)
{
	size_t at;
	while ((at = str_find(match, S("%{"))) != SIZE_MAX) {
		str rest = str_sub(match, at + 2, match.n), inside = str_cut(&rest, '}'), field = inside;
		str name = str_cut(&field, ':');
		const char *expression = NULL;
		for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
			if (str_eq(name, str_c(patterns[i].name)))
				expression = patterns[i].expression;
		/* A second colon would ask for a conversion, which AWS does not have. */
		if (!str_is(rest) || !expression || depth == GROK_DEPTH ||
		    (str_is(field) && (!field.n || str_find_char(field, ':') != SIZE_MAX)))
			return false;
		buf_put(b, str_sub(match, 0, at));
		if (str_is(field))
			buf_fmt(b, "(?P<%.*s>", STR_ARG(field));
		else
			buf_put(b, S("(?:"));
		if (!expand(b, str_c(expression), depth + 1))
			return false;
		buf_c(b, ')');
		match = rest;
	}
	buf_put(b, match);
	return !b->full;
}

const regex *grok_read(arena *mem, str match)
{
	buf b = buf_in(mem, 512, GROK_BYTES);
	return expand(&b, match, 0) ? regex_read(mem, buf_str(&b)) : NULL;
}

bool parse_grok(arena *mem, const regex *expression, str text, json_value *into)
{
	str groups[REGEX_GROUPS_MAX + 1];
	if (!regex_search(mem, expression, text, groups))
		return false;
	for (size_t i = 1; i <= expression->n_groups; i++)
		if (str_is(expression->names[i]) && str_is(groups[i]))
			tree_put(mem, into, expression->names[i], tree_text(mem, groups[i]), true);
	return true;
}
