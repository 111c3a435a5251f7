#include "plan/estimate.h"

static void put(buf *out, const char *key, str text)
{
	if (out->n && out->p[out->n - 1] != '{')
		buf_c(out, ',');
	buf_fmt(out, "\"%s\":", key);
	json_put_string(out, text);
}

static void put_flag(buf *out, const char *key)
{
	buf_fmt(out, ",\"%s\":true", key);
}

static void put_line(buf *out, arena *mem, const estimate_line *l)
{
	buf_c(out, '{');
	put(out, "resource", l->resource->address);
	put(out, "sub", l->sub);
	put(out, "component", l->component);
	if (!l->by_usage)
		put(out, "quantity", decimal_print_exact(mem, l->quantity, NUM_DIGITS, 0));
	put(out, "unit", l->unit);
	put(out, "unit_price", decimal_print_exact(mem, l->price, MONEY_DIGITS, 2));
	if (!l->by_usage)
		put(out, "amount", decimal_print_exact(mem, l->amount, MONEY_DIGITS, 2));
	put(out, "sku", l->sku);
	put(out, "region", l->region);
	if (l->by_usage)
		put_flag(out, "depends_on_usage");
	if (l->free)
		put_flag(out, "free");
	if (l->doubtful)
		put_flag(out, "doubtful");
	if (l->elsewhere)
		put(out, "priced_as", PRICE_HOME_REGION);
	buf_c(out, '}');
}

static void put_gap(buf *out, const estimate_gap *g)
{
	buf_c(out, '{');
	put(out, "resource", g->resource->address);
	put(out, "type", g->resource->type);
	put(out, "what", gap_name(g->kind));
	if (g->why.n)
		put(out, "why", g->why);
	buf_c(out, '}');
}

str gap_name(gap_kind kind)
{
	switch (kind) {
	case GAP_NO_RULE:
		return S("no rule");
	case GAP_SKIPPED:
		return S("not priced");
	case GAP_NO_PRICE:
		return S("no price");
	default:
		return S("cannot be computed");
	}
}

void estimate_json(buf *out, arena *mem, const estimate *e, const estimate_options *o)
{
	buf_c(out, '{');
	put(out, "profile", o->alone ? S("list") : profile_name(o->profile));
	put(out, "currency", S("USD"));
	put(out, "total", decimal_print_exact(mem, e->total, MONEY_DIGITS, 2));
	buf_fmt(out, ",\"resources\":%zu,\"free_of_charge\":%zu", e->resources, e->free_of_charge);
	if (e->guessed.n)
		put(out, "region_assumed", e->guessed);
	buf_put(out, S(",\n\"lines\":["));
	for (const estimate_line *l = e->lines; l; l = l->next) {
		buf_put(out, l == e->lines ? S("\n") : S(",\n"));
		put_line(out, mem, l);
	}
	buf_put(out, S("],\n\"gaps\":["));
	for (const estimate_gap *g = e->gaps; g; g = g->next) {
		buf_put(out, g == e->gaps ? S("\n") : S(",\n"));
		put_gap(out, g);
	}
	buf_put(out, S("]}\n"));
}
