#include "plan/estimate.h"
#include "test/test.h"

#define NOVEMBER INT64_C(1793491200000)

static const char document[] =
	"{\"resources\":[{\"address\":\"aws_x.y\",\"type\":\"aws_x\",\"values\":{\"size\":20,\"part\":0.0625,"
	"\"text\":\"2 GB\",\"digits\":\"12\",\"empty\":\"\",\"flag\":\"false\",\"no\":null,"
	"\"block\":[{\"inner\":[{\"deep\":1e3}]}],\"list\":[{\"n\":1},{\"n\":2},{\"n\":4}]}}],"
	"\"usage\":{\"aws_x.y\":{\"gb\":2.5,\"zero\":0,\"part\":{\"us\":3}}}}";

static value evaluate(arena *mem, str text, err *mistaken)
{
	plan *p = NULL;
	const expr *x = NULL;
	static const plan_table_row rows[] = {
		{ { "t", 1 }, { "a*", 2 }, { "1", 1 } }, { { "t", 1 }, { "*", 1 }, { "rest", 4 } },
	};
	static const plan_tables tables = { rows, 2 };
	CHECK_OK(plan_read(mem, str_c(document), S("us-east-1"), &p));
	variable v = { .name = S("seven"), .value = pval_number(7 * (num)NUM_ONE) };
	evaluation e = { .mem = mem, .plan = p, .self = p->first, .book = price_book(), .tables = &tables,
		         .variables = &v, .budget = 10000 };
	CHECK_OK(expr_parse(mem, text, &x));
	value out = expr_value(&e, x);
	*mistaken = e.fault;
	return out;
}

static str printed(arena *mem, const char *text)
{
	err wrong_with = OK;
	value v = evaluate(mem, str_c(text), &wrong_with);
	CHECK_OK(wrong_with);
	return v.kind == VALUE_NONE ? S("nothing") : pval_print(mem, v);
}

TEST(expressions_compute_exactly)
{
	CHECK_STR(printed(mem, "1 + 2 * 3 - 4 / 8"), S("6.5"));
	CHECK_STR(printed(mem, "(1 + 2) * 3"), S("9"));
	CHECK_STR(printed(mem, "1 / 3"), S("0.333333333333"));
	CHECK_STR(printed(mem, "2 / 3"), S("0.666666666667"));
	CHECK_STR(printed(mem, "-2 / 3"), S("-0.666666666667"));
	CHECK_STR(printed(mem, "18250000000 * 2048 * 2048 / 1024 / 1000"), S("74752000000"));
	CHECK_STR(printed(mem, "0.1 + 0.2"), S("0.3"));
	CHECK_STR(printed(mem, "-seven * -1.5"), S("10.5"));
	CHECK_STR(printed(mem, "ceil(2.0001) + floor(2.9) + ceil(-1.5)"), S("4"));
	CHECK_STR(printed(mem, "10 - 3 - 2"), S("5"));
}

TEST(expressions_read_resources)
{
	CHECK_STR(printed(mem, ".size"), S("20"));
	CHECK_STR(printed(mem, ".block.inner.deep"), S("1000"));
	CHECK_STR(printed(mem, ".list[1].n + .list[\"0\"].n"), S("3"));
	CHECK_STR(printed(mem, ".digits + 1"), S("13"));
	CHECK_STR(printed(mem, "number(.text)"), S("2"));
	CHECK_STR(printed(mem, ".empty ?? \"else\""), S("else"));
	CHECK_STR(printed(mem, ".flag ? 1 : 2"), S("2"));
	CHECK_STR(printed(mem, "$gb * 2"), S("5"));
	CHECK_STR(printed(mem, "$part[\"us\"]"), S("3"));
	CHECK_STR(printed(mem, "count(.list) + count(.list, l, l.n > 1) + sum(.list, l, l.n)"), S("12"));
	CHECK_STR(printed(mem, "first(.list, l, l.n > 1).n"), S("2"));
	CHECK_STR(printed(mem, "any(.list, l, l.n == 4) && !any(.list, l, l.n == 3)"), S("true"));
	CHECK_STR(printed(mem, "count(where(.list, l, l.n < 3))"), S("2"));
	CHECK_STR(printed(mem, "split(\"db.t3.large\", \".\", 1)"), S("t3"));
	CHECK_STR(printed(mem, "replace(\"eu_west_1\", \"_\", \"-\")"), S("eu-west-1"));
	CHECK_STR(printed(mem, "count(keys($part)) + count(keys(.size))"), S("1"));
	CHECK_STR(printed(mem, "first(keys($part))"), S("us"));
	CHECK_STR(printed(mem, "after(\"db.t3\", \"db.\") + \"|\" + after(\"t3\", \"db.\")"), S("t3|t3"));
	CHECK_STR(printed(mem, "lookup(\"t\", \"abc\") + lookup(\"t\", \"b\")"), S("1rest"));
}

TEST(expressions_know_what_is_unknown)
{
	CHECK_STR(printed(mem, "$none * 3 + 1"), S("nothing"));
	CHECK_STR(printed(mem, "$none > 3 || $none < 3 || $none == $none"), S("false"));
	CHECK_STR(printed(mem, "max($none, 3)"), S("3"));
	CHECK_STR(printed(mem, "max($none, null)"), S("nothing"));
	CHECK_STR(printed(mem, "$zero ?? 5"), S("0"));
	CHECK_STR(printed(mem, "$none ?? $zero ? 1 : 2"), S("2"));
	CHECK_STR(printed(mem, ".none.deeper[4].still"), S("nothing"));
}

TEST(expressions_keep_mistakes)
{
	static const char *const wrong[] = {
		".text * 2", "1 / 0", "nobody", "ceil(.text)", ".text > 1", "sum(.list, 1, 2)",
		"99999999999999 * 99999999999999 * 99999999999999",
		"sum(.list, a, sum(.list, b, sum(.list, c, sum(.list, d, sum(.list, e, sum(.list, f, "
		"sum(.list, g, sum(.list, h, sum(.list, i, 1)))))))))",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		err wrong_with = OK;
		evaluate(mem, str_c(wrong[i]), &wrong_with);
		CHECK(wrong_with != OK && wrong_with->message.n);
	}
}

TEST(expressions_that_are_none)
{
	static const char *const wrong[] = {
		"", "1 +", "(1", "f(1)", "ceil()", "ceil(1, 2)", ".", "$", "\"open", "1 2", "a ? b", "x[1", "..a",
		"1.2.3",
	};
	const expr *x;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(expr_parse(mem, str_c(wrong[i]), &x));
	buf deep = buf_in(mem, 1024, 4096);
	for (int i = 0; i < 1000; i++)
		buf_c(&deep, '(');
	CHECK(expr_parse(mem, buf_str(&deep), &x));
	CHECK(template_parse(mem, S("a {1"), &x));
}

/* Every sku that a line can name is in the price book, whatever stands in its holes. */
static void check_skus(arena *mem, const statement *s, size_t *unknown)
{
	for (; s; s = s->next) {
		check_skus(mem, s->body, unknown);
		check_skus(mem, s->otherwise, unknown);
		if (s->kind != STATEMENT_LINE || s->line->price)
			continue;
		str pattern = template_pattern(mem, s->line->sku);
		bool known = false;
		for (size_t i = 0; i < book_items(price_book()) && !known; i++)
			known = str_glob(pattern, book_item(price_book(), i)->sku);
		*unknown += !known;
		if (!known)
			test_failed(__FILE__, __LINE__, "no price fits %.*s", STR_ARG(pattern));
	}
}

TEST(rules_name_prices_that_exist)
{
	const rule_set *rules = rules_built_in(mem);
	size_t unknown = 0, n = 0;
	for (const rule *r = rules_first(rules); r; r = r->next, n++)
		check_skus(mem, r->first, &unknown);
	CHECK(n > 100 && unknown == 0);
}

TEST(rules_that_are_none)
{
	static const char *const wrong[] = {
		"type a\nline x | y\nend\n", "type a\n", "nonsense\n", "type a\nlet x\nend\n", "type a\nif 1\nend\n",
		"type a\nline x | y | 1 | s | what 3\nend\n", "type a\neach x of y\nend\n", "type a\nwhat\nend\n",
		"type a\nline x | y | 1 + | s\nend\n",
	};
	const rule_set *set;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(rules_read(mem, str_c(wrong[i]), S("test"), S(""), &set));
}

static const estimate *estimate_with(arena *mem, const char *rules, bool alone)
{
	plan *p = NULL;
	estimate_options o = { .book = price_book(), .alone = alone, .profile = PROFILE_PAID, .month = NOVEMBER,
		               .today = 20261121 };
	CHECK_OK(rules_read(mem, str_c(rules), S("test"), S(""), &o.rules));
	CHECK_OK(plan_read(mem, str_c(document), S("us-east-1"), &p));
	return estimate_make(mem, p, &o);
}

TEST(estimates_name_what_they_cannot_price)
{
	const estimate *e = estimate_with(mem, "type other\nend\n", true);
	CHECK(e->gaps && e->gaps->kind == GAP_NO_RULE && !e->gaps->next && !e->lines);
	e = estimate_with(mem, "type aws_x\nline a | GB | 1 | no.such.sku\nend\n", true);
	CHECK(e->gaps && e->gaps->kind == GAP_NO_PRICE && !e->lines);
	e = estimate_with(mem, "type aws_x\nline a | GB | .text | ebs.gp2\nend\n", true);
	CHECK(e->gaps && e->gaps->kind == GAP_MISTAKE && !e->lines);
	e = estimate_with(mem, "type aws_x\nskip because of {.digits}\nend\n", true);
	CHECK(e->gaps && e->gaps->kind == GAP_SKIPPED);
	CHECK_STR(e->gaps->why, S("because of 12"));
	e = estimate_with(mem, "free aws_*\n", true);
	CHECK(!e->gaps && e->free_of_charge == 1);
	e = estimate_with(mem, "block b\nuse b\nend\ntype aws_x\nuse b\nend\n", true);
	CHECK(e->gaps && e->gaps->kind == GAP_MISTAKE);
}

TEST(estimates_of_a_bill_share_allowances)
{
	/* A million free requests for both lines; a calculator gives none. */
	const char *rules = "type aws_x\nline a | 1M requests | 600000 | lambda.x86.requests | per 1000000\n"
		"line b | 1M requests | 600000 | lambda.x86.requests | per 1000000\nend\n";
	const estimate *e = estimate_with(mem, rules, false);
	CHECK(e->lines->free && e->lines->next->free && !e->lines->next->next->free);
	CHECK_STR(decimal_print_exact(mem, e->lines->next->next->quantity, NUM_DIGITS, 0), S("0.2"));
	CHECK_STR(money_print(mem, e->total, 2), S("0.04"));
	e = estimate_with(mem, rules, true);
	CHECK_STR(money_print(mem, e->total, 2), S("0.24"));
	e = estimate_with(mem, "type aws_x\nline v | GB | .size | ebs.gp2\nend\n", false);
	CHECK_STR(decimal_print_exact(mem, e->lines->quantity, NUM_DIGITS, 0), S("20"));
	CHECK_STR(money_print(mem, e->total, 2), S("2.00"));
}
