/*
 * Infracost's own expected lines (test/golden/infracost.jsonl) against ours, from the resources and their
 * usage alone: a line that is missing, one too many, another quantity, unit, price or cost all count.
 * other-kinds.jsonl has some of each resource's lines: others of ours are no mistake there, but in cases
 * that say they are whole.
 */
#include "base/embed.h"
#include "base/map.h"
#include "plan/estimate.h"
#include "test/test.h"
#include <stdio.h>

EMBED(plan_golden, "test/golden/infracost.jsonl");
EMBED(plan_others, "test/golden/other-kinds.jsonl");

#define NOVEMBER INT64_C(1793491200000)
/* Infracost's lines were made in 2025: extended support depends on the day. */
#define GOLDEN_DAY 20250701
#define SHOWN (NUM_ONE / 10000)

typedef struct tally {
	size_t expected, matched, missing, extra, different, gaps;
} tally;

static str key_of(arena *mem, str resource, str sub, str component)
{
	return arena_fmt(mem, "%.*s|%.*s|%.*s", STR_ARG(resource), STR_ARG(sub), STR_ARG(component));
}

static bool same_price(arena *mem, money price, str shown)
{
	num want;
	CHECK(num_parse(shown, &want));
	int digits = decimal_digits(want, NUM_DIGITS);
	return decimal_round(price, MONEY_DIGITS, digits < 2 ? 2 : digits) == want * 1000000;
}

static bool same_line(arena *mem, const estimate_line *l, const json_value *want)
{
	const json_value *quantity = json_get(want, S("qty"));
	num shown;
	money cost;
	if (!str_eq(l->unit, json_get(want, S("unit"))->text))
		return false;
	if (quantity->kind != JSON_NUMBER)
		return l->by_usage && same_price(mem, l->price, json_get(want, S("price"))->text);
	CHECK(num_parse(quantity->text, &shown) && money_parse(json_get(want, S("cost"))->text, &cost));
	/* It cuts quantities off behind the fourth decimal; what it could not divide exactly it rounds. */
	num cut = l->quantity - l->quantity % SHOWN;
	return !l->by_usage && (cut == shown || decimal_round(l->quantity, NUM_DIGITS, 4) == shown) &&
	       money_round(l->amount, 2) == cost;
}

static void print_line(arena *mem, const char *what, const estimate_line *l)
{
	printf("  %s: %.*s | %.*s | %.*s | %.*s | %.*s | %.*s | %.*s\n", what, STR_ARG(l->resource->address),
	       STR_ARG(l->sub), STR_ARG(l->component),
	       STR_ARG(decimal_print(mem, l->quantity, NUM_DIGITS, 4, false)),
	       STR_ARG(l->unit), STR_ARG(decimal_print_exact(mem, l->price, MONEY_DIGITS, 2)),
	       STR_ARG(money_print(mem, l->amount, 4)));
}

static void judge_expected(arena *mem, const json_value *all, const estimate *e, bool whole, tally *t)
{
	map ours = map_in(mem, 64), wanted = map_in(mem, 64);
	for (estimate_line *l = e->lines; l; l = l->next)
		map_put(&ours, key_of(mem, l->resource->address, l->sub, l->component), l);
	for (const json_value *w = json_get(all, S("expected"))->first; w; w = w->next) {
		str key = key_of(mem, json_get(w, S("res"))->text, json_get(w, S("sub"))->text,
		                 json_get(w, S("comp"))->text);
		const estimate_line *l = map_get(&ours, key);
		bool good = l && same_line(mem, l, w);
		map_put(&wanted, key, (void *)w);
		t->expected++;
		t->matched += good;
		t->missing += !l;
		t->different += l && !good;
		if (!l)
			printf("  missing: %.*s\n", STR_ARG(key));
		else if (!good)
			print_line(mem, "differs", l);
	}
	whole |= json_get(all, S("whole")) != NULL;
	for (const estimate_line *l = whole ? e->lines : NULL; l; l = l->next)
		if (!map_get(&wanted, key_of(mem, l->resource->address, l->sub, l->component))) {
			t->extra++;
			print_line(mem, "extra", l);
		}
}

static void judge_case(arena *mem, const rule_set *rules, str text, bool whole, tally *t)
{
	plan *p = NULL;
	estimate_options o = { .book = price_book(), .rules = rules, .alone = true, .month = NOVEMBER,
		               .today = GOLDEN_DAY };
	CHECK_OK(plan_read(mem, text, PRICE_HOME_REGION, &p));
	const estimate *e = estimate_make(mem, p, &o);
	CHECK(!e->overflow);
	judge_expected(mem, json_parse(mem, text), e, whole, t);
	for (const estimate_gap *g = e->gaps; g; g = g->next) {
		t->gaps += g->kind != GAP_SKIPPED;
		printf("  gap: %.*s: %.*s\n", STR_ARG(g->resource->address), STR_ARG(g->why));
	}
}

static tally judge_all(arena *mem, str rest, bool whole)
{
	const rule_set *rules = rules_built_in(mem);
	tally t = { 0 };
	while (str_is(rest)) {
		str text = str_cut(&rest, '\n');
		if (text.n)
			judge_case(mem, rules, text, whole, &t);
	}
	printf("  %zu of %zu lines from resources and usage alone; %zu missing, %zu different, %zu too many, "
	       "%zu gaps\n", t.matched, t.expected, t.missing, t.different, t.extra, t.gaps);
	return t;
}

TEST(estimate_of_infracosts_cases)
{
	tally t = judge_all(mem, EMBED_STR(plan_golden), true);
	CHECK(t.expected > 300 && t.matched == t.expected && t.extra == 0 && t.gaps == 0);
}

TEST(estimate_of_other_kinds)
{
	tally t = judge_all(mem, EMBED_STR(plan_others), false);
	CHECK(t.expected > 1600 && t.matched == t.expected && t.extra == 0 && t.gaps == 0);
}

TEST(estimate_names_what_is_less_than_nothing)
{
	estimate_options o = { .book = price_book(), .rules = rules_built_in(mem), .alone = true,
		               .month = NOVEMBER, .today = GOLDEN_DAY };
	plan *p = NULL;
	CHECK_OK(plan_read(mem, S("{\"resources\":["
		"{\"address\":\"aws_db_instance.d\",\"type\":\"aws_db_instance\",\"values\":{"
		"\"engine\":\"mysql\",\"instance_class\":\"db.t3.large\",\"allocated_storage\":-20}}]}"),
		PRICE_HOME_REGION, &p));
	const estimate *e = estimate_make(mem, p, &o);
	CHECK_I64(e->n_lines, 1);
	CHECK(e->gaps && e->gaps->kind == GAP_MISTAKE && !e->gaps->next);
	CHECK_STR(e->gaps->why, S("Storage (general purpose SSD, gp2): -20 is less than nothing"));
}
