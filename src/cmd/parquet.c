#include "cmd/parquet.h"
#include "base/buf.h"
#include "price/csv.h"
#include "run/duckdb.h"
#include "sys/file.h"
#include <unistd.h>

#define COLUMNS_MAX 256
#define SQL_MAX ((size_t)1 << 18)
#define FILE_MODE 0644
/* Exact, as the CSV is, where AWS has a double. */
#define DECIMAL "DECIMAL(38,18)"

static const char times[] =
	"BillingPeriodEnd BillingPeriodStart ChargePeriodEnd ChargePeriodStart bill_billing_period_end_date "
	"bill_billing_period_start_date line_item_usage_end_date line_item_usage_start_date";
static const char maps[] = "Tags SkuPriceDetails cost_category discount product resource_tags";
/* Rates are text on AWS, but for the one of Savings Plans. */
static const char numbers[] =
	"BilledCost CommitmentDiscountQuantity ConsumedQuantity ContractedCost ContractedUnitPrice EffectiveCost "
	"ListCost ListUnitPrice PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost "
	"PricingCurrencyListUnitPrice PricingQuantity discount_bundled_discount discount_total_discount "
	"line_item_blended_cost line_item_net_unblended_cost line_item_normalization_factor "
	"line_item_normalized_usage_amount line_item_unblended_cost line_item_usage_amount "
	"pricing_public_on_demand_cost reservation_amortized_upfront_cost_for_usage "
	"reservation_amortized_upfront_fee_for_billing_period reservation_effective_cost "
	"reservation_net_amortized_upfront_cost_for_usage "
	"reservation_net_amortized_upfront_fee_for_billing_period reservation_net_effective_cost "
	"reservation_net_recurring_fee_for_usage "
	"reservation_net_unused_amortized_upfront_fee_for_billing_period reservation_net_unused_recurring_fee "
	"reservation_net_upfront_value reservation_recurring_fee_for_usage "
	"reservation_unused_amortized_upfront_fee_for_billing_period reservation_unused_normalized_unit_quantity "
	"reservation_unused_quantity reservation_unused_recurring_fee reservation_upfront_value "
	"savings_plan_amortized_upfront_commitment_for_billing_period "
	"savings_plan_net_amortized_upfront_commitment_for_billing_period "
	"savings_plan_net_recurring_commitment_for_billing_period savings_plan_net_savings_plan_effective_cost "
	"savings_plan_recurring_commitment_for_billing_period savings_plan_savings_plan_effective_cost "
	"savings_plan_savings_plan_rate savings_plan_total_commitment_to_date savings_plan_used_commitment";

static bool among(const char *words, str word)
{
	str rest = str_c(words);
	while (str_is(rest))
		if (str_eq(str_cut(&rest, ' '), word))
			return true;
	return false;
}

static void put_column(buf *sql, arena *mem, str column)
{
	str name = duckdb_name(mem, column);
	const char *type = among(numbers, column) ? DECIMAL
	                   : among(times, column) ? "TIMESTAMP"
	                   : among(maps, column)  ? "JSON"
	                                          : "VARCHAR";
	buf_fmt(sql, among(maps, column) ? "CAST(CAST(%.*s AS %s) AS MAP(VARCHAR, VARCHAR))" : "CAST(%.*s AS %s)",
	        STR_ARG(name), type);
	buf_fmt(sql, " AS %.*s", STR_ARG(name));
}

/* As SQL: every column with its type, from text; what is empty is null. */
static err statement(arena *mem, str csv_path, str rows, str out_path, str *out)
{
	str *columns = arena_array(mem, str, COLUMNS_MAX);
	csv reader = csv_of(mem, rows);
	size_t n = csv_row(&reader, columns, COLUMNS_MAX);
	buf sql = buf_in(mem, 1 << 14, SQL_MAX);
	if (n == 0)
		return fault_new(mem, &fault_syntax, "the export has no columns");
	buf_fmt(&sql, "COPY (SELECT ");
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&sql, i ? ", " : "");
		put_column(&sql, mem, columns[i]);
	}
	buf_fmt(&sql, " FROM read_csv(%.*s, header = true, auto_detect = false, nullstr = '', delim = ',', "
	        "quote = '\"', escape = '\"', parallel = false, columns = {",
	        STR_ARG(duckdb_text(mem, csv_path)));
	for (size_t i = 0; i < n; i++)
		buf_fmt(&sql, "%s%.*s: 'VARCHAR'", i ? ", " : "", STR_ARG(duckdb_text(mem, columns[i])));
	buf_fmt(&sql, "})) TO %.*s (FORMAT parquet)", STR_ARG(duckdb_text(mem, out_path)));
	ensure(!sql.full);
	*out = buf_str(&sql);
	return OK;
}

static err convert(arena *mem, str csv_path, str rows, str out_path)
{
	duckdb *d;
	str sql;
	TRY(statement(mem, csv_path, rows, out_path, &sql));
	TRY(duckdb_start(mem, &d));
	err e = duckdb_run(mem, d, sql);
	duckdb_end(d);
	return e;
}

err parquet_write(arena *mem, str path, str rows)
{
	path = path_absolute(mem, path);
	str from = arena_fmt(mem, "%.*s.%d.csv", STR_ARG(path), (int)getpid());
	str part = arena_fmt(mem, "%.*s.%d.part", STR_ARG(path), (int)getpid());
	err e = file_write(mem, from, rows, FILE_MODE);
	if (!e)
		e = convert(mem, from, rows, part);
	if (!e)
		e = file_move(mem, part, path);
	unlink(from.p);
	unlink(part.p);
	return e;
}
