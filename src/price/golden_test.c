/*
 * Infracost's own expected lines (test/golden/infracost.jsonl; other-kinds.jsonl has other kinds of
 * resources in our words), priced by us: each quantity as its own resource, nothing free, months of 730
 * hours. test/golden/infracost-map.csv says which of our prices a line is of. A line counts as matched when
 * every tier's quantity and cost agree, to the cent that it shows. Quantities are the expected ones: what is
 * tested are prices, tiers, units and rounding.
 */
#include "base/embed.h"
#include "base/json.h"
#include "base/map.h"
#include "price/charge.h"
#include "price/csv.h"
#include "test/test.h"
#include <stdio.h>

EMBED(golden_cases, "test/golden/infracost.jsonl");
EMBED(golden_others, "test/golden/other-kinds.jsonl");
EMBED(golden_map, "test/golden/infracost-map.csv");

#define NOVEMBER INT64_C(1793491200000)
#define HOURS 730
#define RULES_MAX 1024
#define LINES_MAX 4096

enum { TYPE, SUB, COMP, WHERE, SKU, SCALE, COLUMNS };
typedef struct rule {
	str f[COLUMNS];
} rule;

typedef struct score {
	size_t lines, matched, unmapped, unpriced, wrong;
} score;

static size_t rules_read(arena *mem, rule *rules)
{
	csv c = csv_of(mem, EMBED_STR(golden_map));
	size_t n = 0;
	CHECK(csv_row(&c, rules[0].f, COLUMNS) == COLUMNS);
	while (csv_row(&c, rules[n].f, COLUMNS) == COLUMNS)
		n++;
	CHECK(!c.broken && n < RULES_MAX);
	return n;
}

static const json_value *resource_of(const json_value *all, str address)
{
	for (const json_value *r = json_get(all, S("resources"))->first; r; r = r->next)
		if (str_eq(json_get(r, S("address"))->text, address))
			return r;
	return NULL;
}

static const json_value *deep_get(const json_value *v, str key)
{
	const json_value *found = json_get(v, key);
	bool holds = v && (v->kind == JSON_OBJECT || v->kind == JSON_ARRAY);
	for (const json_value *m = holds ? v->first : NULL; m && !found; m = m->next)
		found = deep_get(m, key);
	return found;
}

/* The resource that a line stands for: the launch template that it names, or the group itself. */
static const json_value *inner_of(const json_value *all, const json_value *line)
{
	str sub = json_get(line, S("sub"))->text;
	for (const json_value *r = json_get(all, S("resources"))->first; r && sub.n; r = r->next)
		if (str_starts(sub, json_get(r, S("address"))->text))
			return r;
	return NULL;
}

/* What a resource, its usage or that of its type says, at any depth. */
static const json_value *said(const json_value *all, const json_value *resource, str type, str res, str key)
{
	const json_value *have = deep_get(json_get(resource, S("values")), key);
	have = have ? have : json_get(json_get(json_get(all, S("usage")), res), key);
	return have ? have : json_get(json_get(json_get(all, S("type_usage")), type), key);
}

/* key=pattern; "dedicated" for templates that say so only by their price, res= for the address. */
static bool condition_fits(const json_value *all, const json_value *resource, str type, str res, str where)
{
	if (str_eq(where, S("dedicated")))
		return str_find(res, S("withLaunchTemplateBy")) != SIZE_MAX;
	str value = where, key = str_cut(&value, '=');
	if (str_eq(key, S("res")))
		return str_glob(value, res);
	const json_value *have = said(all, resource, type, res, key);
	if (have && have->kind == JSON_TRUE)
		return str_eq(value, S("true"));
	return have && have->kind == JSON_STRING && str_glob(value, have->text);
}

static bool where_fits(const json_value *all, const json_value *resource, const json_value *inner, str type,
                       str res, str where)
{
	while (str_is(where) && where.n) {
		str condition = str_cut(&where, ';');
		if (!condition_fits(all, resource, type, res, condition) &&
		    !(inner && condition_fits(all, inner, type, res, condition)))
			return false;
	}
	return true;
}

static const rule *rule_for(const rule *rules, size_t n, const json_value *all, const json_value *resource,
                            const json_value *line)
{
	str sub = json_get(line, S("sub"))->text, res = json_get(line, S("res"))->text, rest = res;
	/* Data transfer is no resource of Terraform's: it has an address alone. */
	str type = resource ? json_get(resource, S("type"))->text : str_cut(&rest, '.');
	const json_value *inner = inner_of(all, line);
	for (size_t i = 0; i < n; i++)
		if (str_glob(rules[i].f[TYPE], type) && str_glob(rules[i].f[SUB], sub) &&
		    str_glob(rules[i].f[COMP], json_get(line, S("comp"))->text) &&
		    where_fits(all, resource, inner, type, res, rules[i].f[WHERE]))
			return &rules[i];
	return NULL;
}

/* "{}" becomes what the pattern's star stands for, or the resource's instance type. */
static str sku_of(arena *mem, const rule *r, const json_value *resource, const json_value *inner,
                  const json_value *line)
{
	size_t hole = str_find(r->f[SKU], S("{}")), star = str_find_char(r->f[COMP], '*');
	if (hole == SIZE_MAX)
		return r->f[SKU];
	str comp = json_get(line, S("comp"))->text, part;
	if (star == SIZE_MAX) {
		const json_value *values = json_get(inner ? inner : resource, S("values"));
		const json_value *type = json_get(values, S("instance_type"));
		part = type ? type->text : S("");
	} else {
		/* "db.*.*)": the first star, up to what follows it. */
		str behind = str_sub(r->f[COMP], star + 1, r->f[COMP].n);
		part = str_sub(comp, star, comp.n);
		size_t second = str_find_char(behind, '*');
		part = second == SIZE_MAX ? str_sub(part, 0, part.n - behind.n) : str_cut(&part, behind.p[0]);
	}
	return arena_fmt(mem, "%.*s%.*s%.*s", STR_ARG(str_sub(r->f[SKU], 0, hole)), STR_ARG(part),
	                 STR_ARG(str_sub(r->f[SKU], hole + 2, r->f[SKU].n)));
}

/* Where it is priced: a replica's and a transfer's region, else the case's. */
static str region_of(const json_value *all, const json_value *line)
{
	str sub = json_get(line, S("sub"))->text, rest = json_get(line, S("res"))->text;
	str replica = S("Global table (");
	if (str_starts(sub, replica))
		return str_sub(sub, replica.n, sub.n - 1);
	if (str_eq(str_cut(&rest, '.'), S("aws_data_transfer")))
		return rest;
	return json_get(all, S("region"))->text;
}

typedef struct scale {
	int64_t times, by; /* times in millionths */
} scale;

/* The price's units in one of Infracost's: a million, the months of hours (1/730 the other way round), the
 * DPUs in "hours (20 DPUs)". */
static scale scale_of(const rule *r, const json_value *line)
{
	scale out = { .by = 1 };
	str unit = json_get(line, S("unit"))->text, rest = r->f[SCALE];
	if (!str_eq(rest, S("unit"))) {
		CHECK(decimal_parse_i64(str_cut(&rest, '/'), QTY_DIGITS, &out.times));
		CHECK(!str_is(rest) || str_to_i64(rest, &out.by));
		return out;
	}
	size_t open = str_find_char(unit, '(');
	str number = str_sub(unit, open + 1, unit.n);
	CHECK(decimal_parse_i64(str_cut(&number, ' '), QTY_DIGITS, &out.times));
	return out;
}

typedef struct pile {
	i128 quantity;      /* of all tiers, in millionths */
	pricing *pricing;
	struct pile_charge { i128 quantity; money amount; } charges[64];
	size_t n;
} pile;

static void keep_charge(void *context, const charge *c)
{
	pile *p = context;
	i128_mul_div(c->quantity, QTY_ONE, c->parts, &p->charges[p->n].quantity);
	p->charges[p->n++].amount = c->amount;
}

static int64_t number_of(const json_value *v, int digits)
{
	int64_t out = 0;
	CHECK(decimal_parse_i64(v->text, digits, &out));
	return out;
}

/* The whole of a sku's quantity in one resource: tiers are lines of their own. */
static void pile_up(arena *mem, map *piles, str key, int64_t quantity)
{
	pile *p = map_get(piles, key);
	if (!p) {
		p = arena_new(mem, pile);
		map_put(piles, key, p);
	}
	p->quantity += quantity;
}

/*
 * Infracost shows four decimals of a quantity and multiplies with all of them: a fraction may be half a digit
 * more or less (`within`), and its cost with it.
 */
static bool tier_matches(const pile *p, i128 quantity, i128 within, str cost)
{
	money want = 0, cent = USD(1) / 100;
	CHECK(money_parse(cost, &want));
	for (size_t i = 0; i < p->n; i++) {
		if (p->charges[i].quantity != quantity)
			continue;
		money amount = p->charges[i].amount, more = quantity ? amount * within / quantity : 0;
		money low = money_round(amount - more, 2), high = money_round(amount + more, 2);
		if (want == money_round(amount, 2) || (low <= want && want <= high && high - low <= cent))
			return true;
	}
	return false;
}

static void price_pile(arena *mem, pile *p, str region, str sku)
{
	pricing_options o = { .book = price_book(), .profile = PROFILE_LIST, .month = NOVEMBER,
		              .month_hours = HOURS };
	const price_item *item = book_find(o.book, region, sku, NULL);
	price_use u = { .region = region, .sku = sku, .per = QTY_ONE };
	/* Prices a month count hours; larger quantities are given in coarser parts. */
	i128 q = p->quantity * (item->monthly ? HOURS : 1);
	while (q > INT64_MAX) {
		q /= 10;
		u.per /= 10;
	}
	u.quantity = (int64_t)q;
	pricing_add(pricing_open(mem, &o), &u, keep_charge, p);
}

/* A price without a quantity: what Infracost shows for one of its units, to as many digits as it shows. */
static bool price_matches(arena *mem, const price_item *item, const json_value *price, scale s)
{
	money unit = 0, shown = 0;
	double want = 0;
	CHECK(str_to_f64(price->text, &want) && money_of(item->tiers[0].usd, s.times, QTY_ONE * s.by, &unit));
	if (!money_parse(price->text, &shown)) {
		buf b = buf_in(mem, 32, 64);
		buf_fmt(&b, "%.12f", want);
		CHECK(money_parse(buf_str(&b), &shown));
	}
	int digits = decimal_digits(shown, MONEY_DIGITS);
	return money_round(unit, digits < 2 ? 2 : digits) == shown;
}

typedef struct golden {
	arena *mem;
	const json_value *all;
	const rule *rules;
	size_t n_rules;
	map piles;
	score *score;
} golden;

typedef struct found {
	const rule *rule;
	const price_item *item;
	str region, sku, key;
	scale scale;
} found;

static found find(golden *g, const json_value *line)
{
	found f = { .rule = NULL };
	const json_value *resource = resource_of(g->all, json_get(line, S("res"))->text);
	if (!(f.rule = rule_for(g->rules, g->n_rules, g->all, resource, line)))
		return f;
	f.sku = sku_of(g->mem, f.rule, resource, inner_of(g->all, line), line);
	f.region = region_of(g->all, line);
	f.item = book_find(price_book(), f.region, f.sku, NULL);
	f.scale = scale_of(f.rule, line);
	f.key = arena_fmt(g->mem, "%.*s/%.*s/%.*s", STR_ARG(json_get(line, S("res"))->text),
	                  STR_ARG(json_get(line, S("sub"))->text), STR_ARG(f.sku));
	/* Only tiers of one thing are piled up; two kinds of line of one price stand alone. */
	if (f.item && f.item->n_tiers == 1)
		f.key = arena_fmt(g->mem, "%.*s/%.*s", STR_ARG(f.key), STR_ARG(json_get(line, S("comp"))->text));
	return f;
}

static i128 quantity_of(const json_value *line, scale s)
{
	i128 quantity = 0;
	CHECK(i128_mul_div(number_of(json_get(line, S("qty")), QTY_DIGITS), s.times, QTY_ONE * s.by, &quantity));
	return quantity;
}

static i128 within_of(const json_value *line, scale s)
{
	int64_t shown = number_of(json_get(line, S("qty")), QTY_DIGITS);
	i128 half = 0;
	if (shown % QTY_ONE != 0)
		CHECK(i128_mul_div(QTY_ONE / 20000, s.times, QTY_ONE * s.by, &half));
	return half;
}

static void judge(golden *g, const json_value *line)
{
	found f = find(g, line);
	score *s = g->score;
	s->lines++;
	if (!f.rule || !f.item) {
		s->unmapped += !f.rule;
		s->unpriced += f.rule != NULL;
		printf("  no %s: %.*s %.*s %.*s\n", f.rule ? "price" : "rule",
		       STR_ARG(json_get(line, S("res"))->text), STR_ARG(json_get(line, S("comp"))->text),
		       STR_ARG(f.sku));
		return;
	}
	bool good;
	if (json_get(line, S("qty"))->kind != JSON_NUMBER) {
		good = price_matches(g->mem, f.item, json_get(line, S("price")), f.scale);
	} else {
		pile *p = map_get(&g->piles, f.key);
		if (p->n == 0)
			price_pile(g->mem, p, f.region, f.sku);
		good = tier_matches(p, quantity_of(line, f.scale), within_of(line, f.scale),
		                    json_get(line, S("cost"))->text);
	}
	s->matched += good;
	s->wrong += !good;
	if (!good)
		printf("  differs: %.*s %.*s\n", STR_ARG(f.key), STR_ARG(json_get(line, S("comp"))->text));
}

static void judge_case(golden *g)
{
	const json_value *first = json_get(g->all, S("expected"))->first;
	g->piles = map_in(g->mem, 64);
	for (const json_value *l = first; l; l = l->next) {
		found f = find(g, l);
		if (f.rule && f.item && json_get(l, S("qty"))->kind == JSON_NUMBER)
			pile_up(g->mem, &g->piles, f.key, (int64_t)quantity_of(l, f.scale));
	}
	for (const json_value *l = first; l; l = l->next)
		judge(g, l);
}

static score judge_all(arena *mem, str rest)
{
	rule *rules = arena_array(mem, rule, RULES_MAX);
	score s = { 0 };
	golden g = { .mem = mem, .rules = rules, .n_rules = rules_read(mem, rules), .score = &s };
	while (str_is(rest)) {
		str text = str_cut(&rest, '\n');
		if (text.n == 0)
			continue;
		g.all = json_parse(mem, text);
		CHECK(g.all != NULL);
		judge_case(&g);
	}
	printf("  %zu of %zu lines matched, %zu without a rule, %zu without a price, %zu differ\n",
	       s.matched, s.lines, s.unmapped, s.unpriced, s.wrong);
	return s;
}

TEST(golden_lines_of_infracost)
{
	score s = judge_all(mem, EMBED_STR(golden_cases));
	CHECK(s.lines > 0 && s.matched == s.lines);
}

TEST(golden_lines_of_other_kinds)
{
	score s = judge_all(mem, EMBED_STR(golden_others));
	CHECK(s.lines > 0 && s.matched == s.lines);
}

TEST(golden_rules_name_prices_that_exist)
{
	rule *rules = arena_array(mem, rule, RULES_MAX);
	size_t n = rules_read(mem, rules), unknown = 0;
	for (size_t i = 0; i < n; i++) {
		str sku = rules[i].f[SKU], pattern = sku;
		size_t hole = str_find(sku, S("{}"));
		bool known = false;
		if (hole != SIZE_MAX)
			pattern = arena_fmt(mem, "%.*s*%.*s", STR_ARG(str_sub(sku, 0, hole)),
			                    STR_ARG(str_sub(sku, hole + 2, sku.n)));
		for (size_t j = 0; j < book_items(price_book()) && !known; j++)
			known = str_glob(pattern, book_item(price_book(), j)->sku);
		/* What a reservation costs is known of few. */
		if (!known && str_find(sku, S(".ri.")) == SIZE_MAX) {
			printf("  no price: %.*s\n", STR_ARG(sku));
			unknown++;
		}
	}
	CHECK_I64((int64_t)unknown, 0);
}
