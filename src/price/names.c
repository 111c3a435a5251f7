#include "price/names.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "price/csv.h"

#define NAME_MAX_BYTES 4096

enum { N_SKU, N_SERVICE, N_BILL, N_PREFIX, N_TYPE, N_OPERATION, N_FAMILY, N_UNIT, N_ATTRIBUTES, N_SOURCE,
       N_STATUS, N_COLUMNS };

/* A row whose sku may hold one star; what it stands for replaces {} in the other columns. */
typedef struct name_row {
	str f[N_COLUMNS];
	struct name_row *next;       /* of all */
	struct name_row *same;       /* of the same sku */
} name_row;

struct price_names {
	arena *mem;
	map exact;
	name_row *patterns;
};

price_names *price_names_of(arena *mem, str csv_text)
{
	price_names *l = arena_new(mem, price_names);
	*l = (price_names){ .mem = mem, .exact = map_in(mem, 512) };
	name_row **last = &l->patterns;
	str f[N_COLUMNS];
	csv c = csv_of(mem, csv_text);
	csv_row(&c, f, N_COLUMNS);
	while (csv_row(&c, f, N_COLUMNS) == N_COLUMNS) {
		name_row *r = arena_new(mem, name_row);
		memcpy(r->f, f, sizeof f);
		if (str_find_char(f[N_SKU], '*') != SIZE_MAX) {
			*last = r;
			last = &r->next;
			continue;
		}
		name_row *first = map_get(&l->exact, f[N_SKU]);
		if (!first) {
			map_put(&l->exact, f[N_SKU], r);
			continue;
		}
		while (first->same)
			first = first->same;
		first->same = r;
	}
	ensure(!c.broken);
	return l;
}

static str filled(price_names *l, str pattern, str with)
{
	if (str_find(pattern, S("{}")) == SIZE_MAX)
		return pattern;
	buf b = buf_in(l->mem, pattern.n + with.n, NAME_MAX_BYTES);
	for (size_t at; (at = str_find(pattern, S("{}"))) != SIZE_MAX;
	     pattern = str_sub(pattern, at + 2, pattern.n)) {
		buf_put(&b, str_sub(pattern, 0, at));
		buf_put(&b, with);
	}
	buf_put(&b, pattern);
	return buf_str(&b);
}

static name_prefix prefix_of(str s)
{
	return str_eq(s, S("home"))     ? PREFIX_HOME
	       : str_eq(s, S("always")) ? PREFIX_ALWAYS
	       : str_eq(s, S("code"))   ? PREFIX_CODE
	       : str_eq(s, S("use1"))   ? PREFIX_USE1
	       : str_eq(s, S("edge"))   ? PREFIX_EDGE
	                                : PREFIX_NEVER;
}

/* "GiBps-mo*1024": the unit, and of how many of ours it is. */
static str unit_of(str text, int64_t *ours)
{
	str unit = str_cut(&text, '*');
	*ours = 1;
	ensure(!str_is(text) || (str_to_i64(text, ours) && *ours > 0));
	return unit;
}

static price_name *made(price_names *l, const name_row *r, str star)
{
	price_name *n = arena_new(l->mem, price_name);
	*n = (price_name){
		.service = r->f[N_SERVICE], .bill_service = r->f[N_BILL],
		.usage_type = filled(l, r->f[N_TYPE], star), .operation = r->f[N_OPERATION],
		.family = r->f[N_FAMILY],
		.attributes = filled(l, r->f[N_ATTRIBUTES], star), .prefix = prefix_of(r->f[N_PREFIX]),
		.certain = str_eq(r->f[N_STATUS], S("verified")),
	};
	n->unit = unit_of(r->f[N_UNIT], &n->ours);
	return n;
}

static str star_of(str pattern, str sku)
{
	size_t at = str_find_char(pattern, '*'), behind = pattern.n - at - 1;
	return str_sub(sku, at, sku.n - behind);
}

const price_name *price_names_find(price_names *l, str sku, bool *unsold)
{
	price_name *first = NULL, **last = &first;
	const name_row *r = map_get(&l->exact, sku);
	str star = S("");
	if (!r) {
		for (r = l->patterns; r && !str_glob(r->f[N_SKU], sku);)
			r = r->next;
		star = r ? star_of(r->f[N_SKU], sku) : star;
	}
	*unsold = r && r->f[N_TYPE].n == 0;
	for (; r && !*unsold; r = r->same) {
		*last = made(l, r, star);
		last = &(*last)->next;
	}
	return first;
}

int64_t price_name_units(const price_name *n)
{
	return n ? n->ours : 1;
}

str price_name_attribute(const price_name *n, str attribute)
{
	str rest = n ? n->attributes : S("");
	while (str_is(rest) && rest.n) {
		str value = str_cut(&rest, ';');
		if (str_eq(str_cut(&value, '='), attribute))
			return value;
	}
	return S("");
}
