#include "cloud/policy_pattern.h"

/* Splits "aws:username, 'nobody'" into a name and a default; STR_NONE without one. */
static str variable_name(str inside, str *otherwise)
{
	*otherwise = inside;
	str name = str_trim(str_cut(otherwise, ','));
	str value = str_trim(*otherwise);
	if (str_is(*otherwise) && value.n >= 2 && value.p[0] == '\'' && value.p[value.n - 1] == '\'')
		*otherwise = str_sub(value, 1, value.n - 1);
	else
		*otherwise = STR_NONE;
	return name;
}

/* The text between "${" at `i` and its "}"; STR_NONE when there is no variable. */
static str variable_at(str text, size_t i)
{
	if (text.p[i] != '$' || i + 1 >= text.n || text.p[i + 1] != '{')
		return STR_NONE;
	str rest = str_sub(text, i + 2, text.n);
	size_t end = str_find_char(rest, '}');
	return end == SIZE_MAX ? STR_NONE : str_sub(rest, 0, end);
}

static bool variable_value(str inside, const policy_question *q, str *value)
{
	str otherwise, name = variable_name(inside, &otherwise);
	const policy_key *key = policy_question_key(q, name);
	if (key && key->n == 1 && !key->multivalued)
		*value = key->v[0];
	else if (str_is(otherwise))
		*value = otherwise;
	else
		return false;
	return true;
}

/* ${*}, ${?} and ${$} stand for the characters themselves. */
static bool is_literal(str inside)
{
	return inside.n == 1 && (inside.p[0] == '*' || inside.p[0] == '?' || inside.p[0] == '$');
}

static size_t filled_length(str text, const policy_question *q, bool variables)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		str inside = variables ? variable_at(text, i) : STR_NONE, value = STR_NONE;
		if (!str_is(inside)) {
			n++;
			continue;
		}
		if (is_literal(inside))
			n++;
		else if (variable_value(inside, q, &value))
			n += value.n;
		i += inside.n + 2;
	}
	return n;
}

bool pattern_of(arena *mem, str text, const policy_question *q, bool variables, bool wildcards, pattern *out)
{
	variables = variables && str_find_char(text, '$') != SIZE_MAX;
	uint16_t *v = arena_array(mem, uint16_t, filled_length(text, q, variables) + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		str inside = variables ? variable_at(text, i) : STR_NONE, value;
		unsigned char c = (unsigned char)text.p[i];
		if (!str_is(inside)) {
			v[n++] = wildcards && c == '*' ? PATTERN_ANY : wildcards && c == '?' ? PATTERN_ONE : c;
			continue;
		}
		if (is_literal(inside)) {
			v[n++] = (unsigned char)inside.p[0];
		} else {
			if (!variable_value(inside, q, &value))
				return false;
			for (size_t k = 0; k < value.n; k++)
				v[n++] = (unsigned char)value.p[k];
		}
		i += inside.n + 2;
	}
	*out = (pattern){ v, n };
	return true;
}

static uint16_t lower(uint16_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint16_t)(c + 32) : c;
}

bool pattern_fits(pattern p, str text, bool no_case)
{
	size_t at = 0, i = 0, star = SIZE_MAX, mark = 0;
	while (i < text.n) {
		uint16_t c = (unsigned char)text.p[i];
		if (at < p.n && p.v[at] == PATTERN_ANY) {
			star = at++;
			mark = i;
		} else if (at < p.n && (p.v[at] == PATTERN_ONE || p.v[at] == c ||
		                        (no_case && lower(p.v[at]) == lower(c)))) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (at < p.n && p.v[at] == PATTERN_ANY)
		at++;
	return at == p.n;
}

bool pattern_fits_arn(pattern p, str arn)
{
	if (p.n == 1 && p.v[0] == PATTERN_ANY)
		return true;
	for (int segment = 0; segment < 6; segment++) {
		size_t n = 0;
		bool last = segment == 5;
		while (n < p.n && (last || p.v[n] != ':'))
			n++;
		str part = last ? arn : str_cut(&arn, ':');
		if (!str_is(part) || !pattern_fits((pattern){ p.v, n }, part, false))
			return false;
		if (n == p.n && !last)
			return true; /* "arn:aws:sqs" says nothing about the rest */
		p.v += n + !last;
		p.n -= n + !last;
	}
	return true;
}

void pattern_variables(str text, void (*found)(void *context, str name), void *context)
{
	for (size_t i = 0; i < text.n; i++) {
		str inside = variable_at(text, i), otherwise;
		if (!str_is(inside))
			continue;
		if (!is_literal(inside))
			found(context, variable_name(inside, &otherwise));
		i += inside.n + 2;
	}
}
