#include "price/predict.h"
#include "base/time.h"
#include "price/csv.h"

enum { P_SKU, P_QUANTITY, P_PER, P_RESOURCE, P_WHY, P_COLUMNS };

static bool use_of(arena *mem, const book *prices, const str *f, int64_t month, price_use *out)
{
	int64_t hours = (month_after(month, 1) - month_of(month)) / MS_HOUR, times = 1;
	const price_item *item = book_find(prices, PRICE_HOME_REGION, f[P_SKU], NULL);
	bool hourly = str_eq(f[P_PER], S("hour"));
	*out = (price_use){ .region = PRICE_HOME_REGION, .sku = arena_str(mem, f[P_SKU]),
		                .resource = arena_str(mem, f[P_RESOURCE]), .when = month_of(month),
		                .per = QTY_ONE, .resident = true, .predicted = true };
	if (!item || (!hourly && !str_eq(f[P_PER], S("month"))) ||
	    !decimal_parse_i64(f[P_QUANTITY], QTY_DIGITS, &out->quantity) || out->quantity < 0)
		return false;
	/* What is priced by the month is metered by the hour. */
	if (item->monthly != hourly)
		times = hours;
	else if (item->monthly)
		return false;
	return !__builtin_mul_overflow(out->quantity, times, &out->quantity);
}

err predict_read(arena *mem, const book *prices, str text, str name, int64_t month, use_list *out)
{
	csv c = csv_of(mem, text);
	str f[P_COLUMNS];
	if (csv_row(&c, f, P_COLUMNS) != P_COLUMNS || !str_eq(f[P_SKU], S("sku")))
		return fault_new(mem, &fault_syntax, "%.*s: the columns are sku,quantity,per,resource,why",
		                 STR_ARG(name));
	for (size_t n; (n = csv_row(&c, f, P_COLUMNS)) > 0;) {
		price_use u;
		if (n != P_COLUMNS || !use_of(mem, prices, f, month, &u))
			return fault_new(mem, &fault_syntax, "%.*s, line %zu: a sku of the price book, its quantity, and "
			                 "month, or hour for what is not priced by the month", STR_ARG(name), c.line);
		use_push(out, &u);
	}
	if (c.broken)
		return fault_new(mem, &fault_syntax, "%.*s, line %zu: five columns", STR_ARG(name), c.line);
	return OK;
}

bool predict_has(const use_list *predicted, str sku)
{
	for (size_t i = 0; i < predicted->n; i++)
		if (str_eq(predicted->at[i].sku, sku))
			return true;
	return false;
}
