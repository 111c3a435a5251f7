#include "base/json.h"
#include "base/time.h"
#include "price/bill.h"
#include "price/csv.h"

static void put_key(buf *out, const char *key)
{
	if (out->n && out->p[out->n - 1] != '{')
		buf_c(out, ',');
	buf_fmt(out, "\"%s\":", key);
}

static void put_str(buf *out, const char *key, str value)
{
	put_key(out, key);
	json_put_string(out, value);
}

static void put_money(buf *out, arena *mem, const char *key, money m)
{
	put_str(out, key, decimal_print_exact(mem, m, MONEY_DIGITS, 2));
}

static void put_flag(buf *out, const char *key, bool flag)
{
	put_key(out, key);
	buf_put(out, flag ? S("true") : S("false"));
}

static str price_text(arena *mem, int64_t usd)
{
	return decimal_print_exact(mem, usd, PRICE_DIGITS, 2);
}

static void put_price(buf *out, arena *mem, const bill *b, const bill_line *l)
{
	put_str(out, "service_name", book_service_name(b->query.book, l->service));
	put_str(out, "title", l->item->title);
	put_str(out, "unit", l->item->unit);
	put_str(out, "unit_price", price_text(mem, l->tier->usd));
	str tier = price_tier_name(mem, l->item, l->tier);
	if (tier.n)
		put_str(out, "tier", tier);
	put_str(out, "status", price_status_name(l->tier->status));
	put_str(out, "as_of", l->tier->as_of.n ? l->tier->as_of : S("undated"));
	put_flag(out, "doubtful", price_doubtful(l->tier, b->until));
	if (l->elsewhere)
		put_str(out, "priced_as", PRICE_HOME_REGION);
}

static void put_line(buf *out, arena *mem, const bill *b, const bill_line *l)
{
	buf_c(out, '{');
	for (size_t i = 0; i < b->query.n_by; i++)
		if (b->query.by[i] != BY_SERVICE && b->query.by[i] != BY_METER)
			put_str(out, bill_by_name(b->query.by[i]).p, l->group[i]);
	put_str(out, "service", l->service);
	put_str(out, "sku", l->sku);
	put_str(out, "quantity", bill_quantity(mem, l->quantity, l->parts, QUANTITY_DIGITS, false));
	if (l->item)
		put_price(out, mem, b, l);
	put_flag(out, "free", l->free);
	if (l->predicted)
		put_flag(out, "predicted", true);
	put_money(out, mem, "amount", l->amount);
	buf_c(out, '}');
}

static void put_lines(buf *out, arena *mem, const bill *b, const bill_line *first)
{
	buf_c(out, '[');
	for (const bill_line *l = first; l; l = l->next) {
		buf_put(out, l == first ? S("\n") : S(",\n"));
		put_line(out, mem, b, l);
	}
	buf_c(out, ']');
}

static void put_free(buf *out, arena *mem, const bill *b)
{
	buf_c(out, '[');
	for (size_t i = 0; i < b->n_free; i++) {
		const free_use *f = &b->free[i];
		buf_put(out, i ? S(",\n{") : S("\n{"));
		put_str(out, "offer", f->pool->name);
		put_str(out, "service", f->item->service);
		put_str(out, "region", f->region);
		put_str(out, "unit", f->item->unit);
		put_str(out, "kind", f->pool->kind == FREE_ALWAYS ? S("always") : S("12-month"));
		put_flag(out, "weak", f->pool->weak);
		put_str(out, "used", bill_quantity(mem, f->used, QTY_ONE, QTY_DIGITS, false));
		put_str(out, "allowance", bill_quantity(mem, f->allowance, QTY_ONE, QTY_DIGITS, false));
		put_money(out, mem, "worth", f->worth);
		buf_c(out, '}');
	}
	buf_c(out, ']');
}

static void put_forecast(buf *out, arena *mem, const bill *b)
{
	buf_c(out, '{');
	put_money(out, mem, "total", b->forecast);
	put_key(out, "services");
	buf_c(out, '{');
	for (const bill_line *l = b->forecast_lines; l;) {
		str service = l->service;
		money sum = 0;
		for (; l && str_eq(l->service, service); l = l->next)
			sum += l->amount;
		put_money(out, mem, arena_str(mem, service).p, sum);
	}
	buf_put(out, S("}}"));
}

void bill_json(buf *out, arena *mem, const bill *b)
{
	const bill_query *q = &b->query;
	buf_c(out, '{');
	put_str(out, "account", q->account);
	put_str(out, "month", str_sub(time_iso(mem, b->from), 0, 7));
	put_str(out, "from", time_iso(mem, b->from));
	put_str(out, "until", time_iso(mem, b->until / MS_SECOND * MS_SECOND));
	put_str(out, "to", time_iso(mem, b->to));
	put_flag(out, "complete", b->until == b->to);
	put_key(out, "month_hours");
	buf_i64(out, b->month_hours);
	put_str(out, "profile", profile_name(q->profile));
	if (q->opened)
		put_str(out, "opened", str_sub(time_iso(mem, q->opened), 0, 10));
	put_str(out, "currency", S("USD"));
	put_key(out, "by");
	buf_c(out, '[');
	for (size_t i = 0; i < q->n_by; i++) {
		buf_put(out, i ? S(",") : S(""));
		json_put_string(out, bill_by_name(q->by[i]));
	}
	buf_c(out, ']');
	put_key(out, "lines");
	put_lines(out, mem, b, b->lines);
	put_key(out, "free_tier");
	put_free(out, mem, b);
	put_money(out, mem, "total", b->total);
	put_money(out, mem, "credits_before", b->credits_before);
	put_money(out, mem, "credits_used", b->credits_used);
	if (b->credits_end)
		put_str(out, "credits_end", time_iso(mem, b->credits_end));
	if (b->credits_last)
		put_str(out, "credits_last", time_iso(mem, b->credits_last));
	put_money(out, mem, "due", bill_due(b));
	put_key(out, "forecast");
	put_forecast(out, mem, b);
	put_key(out, "unpriced");
	buf_i64(out, (int64_t)b->n_unpriced);
	put_flag(out, "overflow", b->overflow);
	buf_put(out, S("}\n"));
}

void bill_csv(buf *out, arena *mem, const bill *b)
{
	const bill_query *q = &b->query;
	for (size_t i = 0; i < q->n_by; i++)
		if (q->by[i] != BY_SERVICE && q->by[i] != BY_METER)
			buf_fmt(out, "%s,", bill_by_name(q->by[i]).p);
	buf_put(out,
	        S("service,sku,title,quantity,unit,unit_price,free,amount,currency,status,as_of\n"));
	for (const bill_line *l = b->lines; l; l = l->next) {
		for (size_t i = 0; i < q->n_by; i++)
			if (q->by[i] != BY_SERVICE && q->by[i] != BY_METER) {
				csv_put(out, l->group[i]);
				buf_c(out, ',');
			}
		const str fields[] = {
			l->service, l->sku, l->item ? l->item->title : S(""),
			bill_quantity(mem, l->quantity, l->parts, QUANTITY_DIGITS, false),
			l->item ? l->item->unit : S(""), l->tier ? price_text(mem, l->tier->usd) : S(""),
			l->free ? S("true") : S("false"),
			decimal_print_exact(mem, l->amount, MONEY_DIGITS, 2), S("USD"),
			l->tier ? price_status_name(l->tier->status) : S("unpriced"),
			l->tier ? l->tier->as_of : S(""),
		};
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			buf_put(out, i ? S(",") : S(""));
			csv_put(out, fields[i]);
		}
		buf_c(out, '\n');
	}
}
