/*
 * farthing estimate: plans, usage files, expressions and rules, any bytes. What is accepted must come to sums
 * that nobody has to be ashamed of: nothing negative, no line without a resource.
 */
#include "plan/estimate.h"

#define NOVEMBER INT64_C(1793491200000)
#define BUDGET 20000

static const char known[] =
	"{\"resources\":[{\"address\":\"aws_x.y\",\"type\":\"aws_x\",\"values\":{\"size\":20,\"text\":\"2 GB\","
	"\"block\":[{\"deep\":1e3}],\"list\":[{\"n\":1},{\"n\":2},{\"n\":4}]}}],"
	"\"usage\":{\"aws_x.y\":{\"gb\":2.5}}}";

static const rule_set *built_in(void)
{
	static const rule_set *rules;
	if (!rules)
		rules = rules_built_in(arena_open(1 << 20));
	return rules;
}

static void estimate_of(arena *mem, plan *p, bool alone)
{
	estimate_options o = { .book = price_book(), .rules = built_in(), .alone = alone, .profile = PROFILE_PAID,
		               .month = NOVEMBER, .today = 20261121 };
	const estimate *e = estimate_make(mem, p, &o);
	buf out = buf_in(mem, 4096, 1 << 26);
	for (const estimate_line *l = e->lines; l; l = l->next)
		ensure(l->resource && l->amount >= 0 && l->price >= 0 && (l->by_usage || l->quantity >= 0));
	for (const estimate_gap *g = e->gaps; g; g = g->next)
		ensure(g->resource != NULL);
	estimate_json(&out, mem, e, &o);
	ensure(out.full || json_valid(buf_str(&out)));
}

static void fuzz_plan(arena *mem, str text)
{
	plan *p;
	if (plan_read(mem, text, S("us-east-1"), &p))
		return;
	estimate_of(mem, p, true);
	estimate_of(mem, p, false);
}

static void fuzz_usage(arena *mem, str text)
{
	plan *p;
	ensure(!plan_read(mem, S("{\"resources\":[{\"address\":\"aws_sqs_queue.q[0]\",\"type\":\"aws_sqs_queue\","
	                         "\"values\":{}}]}"), S("us-east-1"), &p));
	if (!plan_read_usage(p, text))
		estimate_of(mem, p, true);
}

static void fuzz_expression(arena *mem, str text)
{
	plan *p;
	const expr *x;
	evaluation e = { .mem = mem, .book = price_book(), .tables = rules_tables(built_in()), .budget = BUDGET };
	ensure(!plan_read(mem, str_c(known), S("us-east-1"), &p));
	e.plan = p;
	e.self = p->first;
	if (!expr_parse(mem, text, &x))
		pval_print(mem, expr_value(&e, x));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	arena *mem = arena_open(1 << 16);
	str text = str_of((const char *)data + 1, size - 1);
	const rule_set *set;
	switch (data[0] % 4) {
	case 0:
		fuzz_plan(mem, text);
		break;
	case 1:
		fuzz_usage(mem, text);
		break;
	case 2:
		fuzz_expression(mem, text);
		break;
	default:
		(void)!rules_read(mem, text, S("fuzz"), S("a,*,b\n"), &set);
	}
	arena_close(mem);
	return 0;
}
