/*
 * The bill as rows for other people's tools: one row a day, region, resource with its tags, sku and tier. All
 * columns of the specifications are there; those without a meaning here (commitments, invoices,
 * availability zones) are empty.
 */
#include "base/time.h"
#include "price/bill.h"
#include "price/csv.h"

#define DAY 0
#define REGION 1
#define RESOURCE 2
#define TAGS 3
const bill_by export_by[EXPORT_BY] = { BY_DAY, BY_REGION, BY_RESOURCE, BY_TAGS };

typedef struct cell {
	const char *column;
	str value;
} cell;

/* Every column of the specifications, in their order; those that no cell fills are empty. */
static const char focus_columns[] =
	"AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType "
	"BillingCurrency BillingPeriodEnd BillingPeriodStart CapacityReservationId "
	"CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription ChargeFrequency "
	"ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId "
	"CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus "
	"CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost "
	"ContractedUnitPrice EffectiveCost InvoiceId InvoiceIssuerName ListCost ListUnitPrice "
	"PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost "
	"PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName PublisherName RegionId "
	"RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName ServiceSubcategory "
	"SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType Tags";
static const char cur_columns[] =
	"bill_bill_type bill_billing_entity bill_billing_period_end_date bill_billing_period_start_date "
	"bill_invoice_id bill_invoicing_entity bill_payer_account_id bill_payer_account_name "
	"cost_category discount discount_bundled_discount discount_total_discount identity_line_item_id "
	"identity_time_interval line_item_availability_zone line_item_blended_cost line_item_blended_rate "
	"line_item_currency_code line_item_legal_entity line_item_line_item_description "
	"line_item_line_item_type line_item_net_unblended_cost line_item_net_unblended_rate "
	"line_item_normalization_factor line_item_normalized_usage_amount line_item_operation "
	"line_item_product_code line_item_resource_id line_item_tax_type line_item_unblended_cost "
	"line_item_unblended_rate line_item_usage_account_id line_item_usage_account_name "
	"line_item_usage_amount line_item_usage_end_date line_item_usage_start_date line_item_usage_type "
	"pricing_currency pricing_lease_contract_length pricing_offering_class "
	"pricing_public_on_demand_cost pricing_public_on_demand_rate pricing_purchase_option "
	"pricing_rate_code pricing_rate_id pricing_term pricing_unit product product_comment "
	"product_fee_code product_fee_description product_from_location product_from_location_type "
	"product_from_region_code product_instance_family product_instance_type product_instancesku "
	"product_location product_location_type product_operation product_pricing_unit "
	"product_product_family product_region_code product_servicecode product_sku product_to_location "
	"product_to_location_type product_to_region_code product_usagetype "
	"reservation_amortized_upfront_cost_for_usage "
	"reservation_amortized_upfront_fee_for_billing_period reservation_availability_zone "
	"reservation_effective_cost reservation_end_time reservation_modification_status "
	"reservation_net_amortized_upfront_cost_for_usage "
	"reservation_net_amortized_upfront_fee_for_billing_period reservation_net_effective_cost "
	"reservation_net_recurring_fee_for_usage "
	"reservation_net_unused_amortized_upfront_fee_for_billing_period "
	"reservation_net_unused_recurring_fee reservation_net_upfront_value "
	"reservation_normalized_units_per_reservation reservation_number_of_reservations "
	"reservation_recurring_fee_for_usage reservation_reservation_a_r_n reservation_start_time "
	"reservation_subscription_id reservation_total_reserved_normalized_units "
	"reservation_total_reserved_units reservation_units_per_reservation "
	"reservation_unused_amortized_upfront_fee_for_billing_period "
	"reservation_unused_normalized_unit_quantity reservation_unused_quantity "
	"reservation_unused_recurring_fee reservation_upfront_value resource_tags "
	"savings_plan_amortized_upfront_commitment_for_billing_period savings_plan_end_time "
	"savings_plan_instance_type_family "
	"savings_plan_net_amortized_upfront_commitment_for_billing_period "
	"savings_plan_net_recurring_commitment_for_billing_period "
	"savings_plan_net_savings_plan_effective_cost savings_plan_offering_type "
	"savings_plan_payment_option savings_plan_purchase_term "
	"savings_plan_recurring_commitment_for_billing_period savings_plan_region "
	"savings_plan_savings_plan_a_r_n savings_plan_savings_plan_effective_cost "
	"savings_plan_savings_plan_rate savings_plan_start_time savings_plan_total_commitment_to_date "
	"savings_plan_used_commitment";

#define COLUMNS_MAX 128

/* Where the value of each column stands among the cells, -1 for nowhere. */
typedef struct layout {
	size_t n;
	int at[COLUMNS_MAX];
	bool made;
} layout;

static void put_names(buf *out, layout *l, str columns, const cell *cells, size_t n)
{
	size_t used = 0;
	for (l->n = 0; str_is(columns); l->n++) {
		str name = str_cut(&columns, ' ');
		ensure(l->n < COLUMNS_MAX);
		l->at[l->n] = -1;
		for (size_t i = 0; i < n; i++)
			if (str_eq(name, str_c(cells[i].column)))
				l->at[l->n] = (int)i;
		used += l->at[l->n] >= 0;
		if (l->n)
			buf_c(out, ',');
		buf_put(out, name);
	}
	ensure(used == n);
	buf_c(out, '\n');
	l->made = true;
}

static void put_row(buf *out, layout *l, const char *columns, const cell *cells, size_t n)
{
	if (!l->made) {
		put_names(out, l, str_c(columns), cells, n);
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_c(out, ',');
		if (l->at[i] >= 0)
			csv_put(out, cells[l->at[i]].value);
	}
	buf_c(out, '\n');
}

static str usd_text(arena *mem, money m)
{
	return decimal_print_exact(mem, m, MONEY_DIGITS, 0);
}

static str price_text(arena *mem, int64_t usd)
{
	return decimal_print_exact(mem, usd, PRICE_DIGITS, 0);
}

static str next_day(arena *mem, str day)
{
	int64_t ms = 0;
	time_parse(arena_fmt(mem, "%.*sT00:00:00Z", STR_ARG(day)), &ms);
	return time_iso(mem, ms + MS_DAY);
}

static str day_start(arena *mem, str day)
{
	return arena_fmt(mem, "%.*sT00:00:00Z", STR_ARG(day));
}

static str price_id(arena *mem, const bill_line *l)
{
	return l->tier
		? arena_fmt(mem, "%.*s#%lld", STR_ARG(l->sku), (long long)(l->tier - l->item->tiers))
		: l->sku;
}

/* The same row of a later export has the same id. */
static str row_id(arena *mem, const bill *b, const bill_line *l)
{
	str what = arena_fmt(mem, "%.*s/%.*s/%.*s/%.*s/%.*s/%d", STR_ARG(b->query.account),
	                     STR_ARG(l->group[DAY]), STR_ARG(l->group[REGION]),
	                     STR_ARG(l->group[RESOURCE]), STR_ARG(price_id(mem, l)), l->free);
	return arena_fmt(mem, "%016llx", (unsigned long long)str_hash(what));
}

/* The last part of an ARN, or the whole. */
static str short_name(str resource)
{
	for (size_t i = resource.n; i > 0; i--)
		if (resource.p[i - 1] == '/' || resource.p[i - 1] == ':')
			return str_sub(resource, i, resource.n);
	return resource;
}

/* What the line would cost at its tier's price: more than its amount only where it is free. */
static money list_cost(const bill_line *l)
{
	money m = 0;
	if (l->free && l->tier)
		money_of(l->tier->usd, l->quantity, l->parts, &m);
	return l->free ? m : l->amount;
}

static str service_code(const bill_line *l)
{
	return l->item && l->item->name ? l->item->name->service : l->service;
}

static str usage_type(arena *mem, const bill *b, const bill_line *l)
{
	return l->item ? price_usage_type(mem, b->query.book, l->item, NULL, l->group[REGION]) : l->sku;
}

static str product(const bill_line *l, str attribute)
{
	return price_name_attribute(l->item ? l->item->name : NULL, attribute);
}

static str unit_of(const bill_line *l)
{
	if (!l->item)
		return S("");
	return l->item->name ? l->item->name->unit : l->item->unit;
}

static str description(arena *mem, const bill_line *l)
{
	if (!l->item)
		return arena_fmt(mem, "%.*s: no price known", STR_ARG(l->sku));
	str tier = price_tier_name(mem, l->item, l->tier);
	return arena_fmt(mem, "$%.*s per %.*s, %.*s%s%.*s%s",
	                 STR_ARG(price_text(mem, l->free ? 0 : l->tier->usd)), STR_ARG(l->item->unit),
	                 STR_ARG(l->item->title), tier.n ? ", " : "", STR_ARG(tier),
	                 l->free ? " (free tier)" : "");
}

static void focus_row(buf *out, arena *mem, const bill *b, const bill_line *l, layout *to)
{
	str quantity = bill_quantity(mem, l->quantity, l->parts, QUANTITY_DIGITS, false);
	str unit = unit_of(l),
		list = l->tier ? price_text(mem, l->tier->usd) : S("");
	str amount = usd_text(mem, l->amount), account = b->query.account;
	const cell cells[] = {
		{ "BilledCost", amount },
		{ "BillingAccountId", account },
		{ "BillingAccountName", account },
		{ "BillingAccountType", S("Account") },
		{ "BillingCurrency", S("USD") },
		{ "BillingPeriodEnd", time_iso(mem, b->to) },
		{ "BillingPeriodStart", time_iso(mem, b->from) },
		{ "ChargeCategory", S("Usage") },
		{ "ChargeClass", S("") },
		{ "ChargeDescription", description(mem, l) },
		{ "ChargeFrequency", S("Usage-Based") },
		{ "ChargePeriodEnd", next_day(mem, l->group[DAY]) },
		{ "ChargePeriodStart", day_start(mem, l->group[DAY]) },
		{ "ConsumedQuantity", quantity },
		{ "ConsumedUnit", unit },
		{ "ContractedCost", amount },
		{ "ContractedUnitPrice", l->free ? S("0") : list },
		{ "EffectiveCost", amount },
		{ "InvoiceId", S("") },
		{ "InvoiceIssuerName", S("Farthing") },
		{ "ListCost", usd_text(mem, list_cost(l)) },
		{ "ListUnitPrice", list },
		{ "PricingCategory", S("Standard") },
		{ "PricingCurrency", S("USD") },
		{ "PricingCurrencyContractedUnitPrice", l->free ? S("0") : list },
		{ "PricingCurrencyEffectiveCost", amount },
		{ "PricingCurrencyListUnitPrice", list },
		{ "PricingQuantity", quantity },
		{ "PricingUnit", unit },
		{ "ProviderName", S("AWS") },
		{ "PublisherName", S("AWS") },
		{ "RegionId", l->group[REGION] },
		{ "RegionName", book_location(b->query.book, l->group[REGION]) },
		{ "ResourceId", l->group[RESOURCE] },
		{ "ResourceName", short_name(l->group[RESOURCE]) },
		{ "ResourceType", S("") },
		{ "ServiceCategory", book_service_category(b->query.book, l->service) },
		{ "ServiceName", book_service_name(b->query.book, l->service) },
		{ "ServiceSubcategory", S("") },
		{ "SkuId", l->sku },
		{ "SkuMeter", usage_type(mem, b, l) },
		{ "SkuPriceDetails", S("") },
		{ "SkuPriceId", price_id(mem, l) },
		{ "SubAccountId", account },
		{ "SubAccountName", account },
		{ "SubAccountType", S("Account") },
		{ "Tags", l->group[TAGS] },
	};
	put_row(out, to, focus_columns, cells, sizeof cells / sizeof *cells);
}

static void cur_row(buf *out, arena *mem, const bill *b, const bill_line *l, layout *to)
{
	str start = day_start(mem, l->group[DAY]), end = next_day(mem, l->group[DAY]);
	str account = b->query.account, list = l->tier ? price_text(mem, l->tier->usd) : S("");
	const cell cells[] = {
		{ "bill_bill_type", S("Anniversary") },
		{ "bill_billing_entity", S("AWS") },
		{ "bill_billing_period_end_date", time_iso(mem, b->to) },
		{ "bill_billing_period_start_date", time_iso(mem, b->from) },
		{ "bill_invoice_id", S("") },
		{ "bill_invoicing_entity", S("Farthing") },
		{ "bill_payer_account_id", account },
		{ "bill_payer_account_name", account },
		{ "identity_line_item_id", row_id(mem, b, l) },
		{ "identity_time_interval", arena_fmt(mem, "%.*s/%.*s", STR_ARG(start), STR_ARG(end)) },
		{ "line_item_availability_zone", S("") },
		{ "line_item_blended_cost", usd_text(mem, l->amount) },
		{ "line_item_blended_rate", l->free ? S("0") : list },
		{ "line_item_currency_code", S("USD") },
		{ "line_item_legal_entity", S("Farthing") },
		{ "line_item_line_item_description", description(mem, l) },
		{ "line_item_line_item_type", S("Usage") },
		{ "line_item_net_unblended_cost", usd_text(mem, l->amount) },
		{ "line_item_net_unblended_rate", l->free ? S("0") : list },
		{ "line_item_operation", l->item && l->item->name ? l->item->name->operation : S("") },
		{ "line_item_product_code", service_code(l) },
		{ "line_item_resource_id", l->group[RESOURCE] },
		{ "line_item_unblended_cost", usd_text(mem, l->amount) },
		{ "line_item_unblended_rate", l->free ? S("0") : list },
		{ "line_item_usage_account_id", account },
		{ "line_item_usage_account_name", account },
		{ "line_item_usage_amount", bill_quantity(mem, l->quantity, l->parts, QUANTITY_DIGITS, false) },
		{ "line_item_usage_end_date", end },
		{ "line_item_usage_start_date", start },
		{ "line_item_usage_type", usage_type(mem, b, l) },
		{ "pricing_currency", S("USD") },
		{ "pricing_public_on_demand_cost", usd_text(mem, list_cost(l)) },
		{ "pricing_public_on_demand_rate", list },
		{ "pricing_term", S("OnDemand") },
		{ "pricing_unit", unit_of(l) },
		{ "product_instance_type", product(l, S("instanceType")) },
		{ "product_location", book_location(b->query.book, l->group[REGION]) },
		{ "product_location_type", S("AWS Region") },
		{ "product_operation", l->item && l->item->name ? l->item->name->operation : S("") },
		{ "product_pricing_unit", unit_of(l) },
		{ "product_product_family", l->item && l->item->name ? l->item->name->family : S("") },
		{ "product_region_code", l->group[REGION] },
		{ "product_servicecode", service_code(l) },
		{ "product_sku", l->sku },
		{ "product_usagetype", usage_type(mem, b, l) },
		{ "resource_tags", l->group[TAGS] },
	};
	put_row(out, to, cur_columns, cells, sizeof cells / sizeof *cells);
}

/* The first row gives the names. */
static void put_rows(buf *out, arena *mem, const bill *b,
                     void (*row)(buf *, arena *, const bill *, const bill_line *, layout *))
{
	layout to = { .n = 0 };
	const bill_line nothing = { .group = { S("1970-01-01") }, .parts = 1 };
	row(out, mem, b, &nothing, &to);
	for (const bill_line *l = b->lines; l; l = l->next)
		row(out, mem, b, l, &to);
}

void bill_focus(buf *out, arena *mem, const bill *b)
{
	put_rows(out, mem, b, focus_row);
}

void bill_cur(buf *out, arena *mem, const bill *b)
{
	put_rows(out, mem, b, cur_row);
}
