#include "parameter_facts.h"

#define FORMULA_TIMES 1000

const db_parameter *db_parameters_of(str family, size_t *n)
{
	bool mysql = str_starts(family, S("mysql")) || str_starts(family, S("mariadb")) ||
	             str_starts(family, S("aurora-mysql"));
	*n = mysql ? db_mysql_parameters_n : db_postgres_parameters_n;
	return mysql ? db_mysql_parameters : db_postgres_parameters;
}

const db_parameter *db_parameter_known(str family, str name)
{
	size_t n;
	const db_parameter *all = db_parameters_of(family, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(name, str_c(all[i].name)))
			return &all[i];
	return NULL;
}

/* {DBInstanceClassMemory/N} and {DBInstanceClassMemory*N/M}. */
static bool formula(str text, int64_t memory_bytes, int64_t *out)
{
	str prefix = S("{DBInstanceClassMemory");
	int64_t divisor, times = 1;
	if (!str_starts(text, prefix) || !str_ends(text, S("}")))
		return str_to_i64(text, out);
	str rest = str_sub(text, prefix.n, text.n - 1);
	if (str_starts(rest, S("*"))) {
		rest = str_sub(rest, 1, rest.n);
		if (!str_to_i64(str_cut(&rest, '/'), &times) || times < 1 || times > FORMULA_TIMES)
			return false;
	} else if (str_starts(rest, S("/"))) {
		rest = str_sub(rest, 1, rest.n);
	} else {
		return false;
	}
	if (!str_to_i64(rest, &divisor) || divisor <= 0)
		return false;
	*out = memory_bytes / divisor * times;
	return true;
}

bool db_parameter_number(str text, int64_t memory_bytes, int64_t *out)
{
	bool least = str_starts(text, S("LEAST(")), greatest = str_starts(text, S("GREATEST("));
	if (!least && !greatest)
		return formula(text, memory_bytes, out);
	if (!str_ends(text, S(")")))
		return false;
	str rest = str_sub(text, least ? 6 : 9, text.n - 1);
	int64_t a, b;
	str first = str_trim(str_cut(&rest, ','));
	if (!str_is(rest) || !formula(first, memory_bytes, &a) || !formula(str_trim(rest), memory_bytes, &b))
		return false;
	*out = (a < b) == least ? a : b;
	return true;
}

static bool listed(str allowed, str value)
{
	while (str_is(allowed))
		if (str_eq_nocase(str_cut(&allowed, ','), value))
			return true;
	return false;
}

bool db_parameter_allows(const db_parameter *p, str value)
{
	str allowed = str_c(p->allowed);
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ')
			return false;
	if (!p->allowed)
		return true;
	if (strcmp(p->type, INT) != 0 && strcmp(p->type, REAL) != 0)
		return listed(allowed, value);
	/* a-b, where a may itself begin with a minus. */
	size_t dash = allowed.n > 1 ? str_find_char(str_sub(allowed, 1, allowed.n), '-') : SIZE_MAX;
	double low, high, v;
	if (dash == SIZE_MAX || !str_to_f64(str_sub(allowed, 0, dash + 1), &low) ||
	    !str_to_f64(str_sub(allowed, dash + 2, allowed.n), &high))
		return true;
	int64_t whole;
	if (strcmp(p->type, INT) == 0) {
		if (!db_parameter_number(value, (int64_t)1 << 30, &whole))
			return false;
		return str_find_char(value, '{') != SIZE_MAX || ((double)whole >= low && (double)whole <= high);
	}
	return str_to_f64(value, &v) && v >= low && v <= high;
}
