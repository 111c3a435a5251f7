/*
 * The bill as rows for other people's tools: one row a day, region, resource with its tags, sku and tier, and
 * one more for what credits pay of it. All columns of the specifications are there; those without a meaning
 * here (commitments, invoices) are empty.
 */
#include "base/time.h"
#include "price/bill.h"
#include "price/csv.h"

#define DAY 0
#define REGION 1
#define RESOURCE 2
#define TAGS 3
/* FOCUS wants nothing billed where another issues the invoice than provides the service. */
#define PROVIDER S("AWS")
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
static str row_id(arena *mem, const bill *b, const bill_line *l, bool credit)
{
	str what = arena_fmt(mem, "%.*s/%.*s/%.*s/%.*s/%.*s/%d%s", STR_ARG(b->query.account),
	                     STR_ARG(l->group[DAY]), STR_ARG(l->group[REGION]),
	                     STR_ARG(l->group[RESOURCE]), STR_ARG(price_id(mem, l)), l->free,
	                     credit ? "/credit" : "");
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

/* Ids that are no ARNs, by how they begin; and services whose ARNs or ids do not say what they are. */
static const char *const types_by_id[][2] = {
	{ "i-", "instance" }, { "vol-", "volume" }, { "snap-", "snapshot" }, { "eni-", "network-interface" },
	{ "eipalloc-", "elastic-ip" }, { "nat-", "natgateway" }, { "vpce-", "vpc-endpoint" },
	{ "ami-", "image" }, { "fs-", "file-system" },
};
static const char *const types_by_service[][2] = {
	{ "AmazonS3", "bucket" }, { "AWSQueueService", "queue" }, { "AmazonSNS", "topic" },
	{ "AmazonApiGateway", "api" }, { "AmazonRoute53", "hostedzone" }, { "AmazonDynamoDB", "table" },
	{ "AmazonECR", "repository" }, { "AmazonCloudFront", "distribution" }, { "AWSLambda", "function" },
};
#define LENGTH(table) (sizeof(table) / sizeof *(table))

/* "function" of arn:aws:lambda:region:account:function:name; empty when it names none. */
static str type_of_arn(str arn)
{
	str rest = arn;
	if (!str_starts(arn, S("arn:")))
		return S("");
	for (int i = 0; i < 5; i++)
		str_cut(&rest, ':');
	size_t n = 0;
	while (n < rest.n && rest.p[n] != ':' && rest.p[n] != '/')
		n++;
	return n < rest.n ? str_sub(rest, 0, n) : S("");
}

/* Never empty for a resource: what nothing else is known of is one of its service's. */
static str resource_type(const bill_line *l)
{
	str id = l->group[RESOURCE], type = type_of_arn(id);
	if (id.n == 0 || type.n)
		return type;
	for (size_t i = 0; i < LENGTH(types_by_id); i++)
		if (str_starts(id, str_c(types_by_id[i][0])))
			return str_c(types_by_id[i][1]);
	for (size_t i = 0; i < LENGTH(types_by_service); i++)
		if (str_eq(l->service, str_c(types_by_service[i][0])))
			return str_c(types_by_service[i][1]);
	return l->item && l->item->name && l->item->name->family.n ? l->item->name->family : S("resource");
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
		return S("Units");
	return l->item->name ? l->item->name->unit : l->item->unit;
}

/* So many of ours make one of those. */
static int64_t units_of(const bill_line *l)
{
	return price_name_units(l->item ? l->item->name : NULL);
}

static str description(arena *mem, const bill_line *l, bool credit)
{
	if (credit)
		return arena_fmt(mem, "AWS credits for %.*s", STR_ARG(l->item ? l->item->title : l->sku));
	if (!l->item)
		return arena_fmt(mem, "%.*s: no price known", STR_ARG(l->sku));
	str tier = price_tier_name(mem, l->item, l->tier);
	return arena_fmt(mem, "$%.*s per %.*s, %.*s%s%.*s%s",
	                 STR_ARG(price_text(mem, l->free ? 0 : l->tier->usd)), STR_ARG(l->item->unit),
	                 STR_ARG(l->item->title), tier.n ? ", " : "", STR_ARG(tier),
	                 l->free ? " (free tier)" : "");
}

/* What both kinds of row say of a line, or of what credits pay of it: that has a cost alone, below zero. */
typedef struct facts {
	str cost, list_cost, quantity, unit, list, price; /* list: the public price; price: ours */
	str description, usage_type;
} facts;

static facts facts_of(arena *mem, const bill *b, const bill_line *l, bool credit)
{
	facts f = { .description = description(mem, l, credit), .usage_type = usage_type(mem, b, l) };
	f.cost = usd_text(mem, credit ? -l->credit : l->amount);
	f.list_cost = credit ? f.cost : usd_text(mem, list_cost(l));
	if (credit)
		return f;
	int64_t parts = 0;
	bool whole = !__builtin_mul_overflow(l->parts, units_of(l), &parts);
	f.quantity = whole ? bill_quantity(mem, l->quantity, parts, QUANTITY_DIGITS, false) : S("overflow");
	f.unit = unit_of(l);
	f.list = l->tier ? price_text(mem, l->tier->usd * units_of(l)) : S("0");
	f.price = l->free ? S("0") : f.list;
	return f;
}

static void focus_row(buf *out, arena *mem, const bill *b, const bill_line *l, bool credit, layout *to)
{
	facts f = facts_of(mem, b, l, credit);
	str account = b->query.account;
	const cell cells[] = {
		{ "AvailabilityZone", l->zone },
		{ "BilledCost", f.cost },
		{ "BillingAccountId", account },
		{ "BillingAccountName", account },
		{ "BillingAccountType", S("Account") },
		{ "BillingCurrency", S("USD") },
		{ "BillingPeriodEnd", time_iso(mem, b->to) },
		{ "BillingPeriodStart", time_iso(mem, b->from) },
		{ "ChargeCategory", credit ? S("Credit") : S("Usage") },
		{ "ChargeClass", S("") },
		{ "ChargeDescription", f.description },
		{ "ChargeFrequency", credit ? S("One-Time") : S("Usage-Based") },
		{ "ChargePeriodEnd", next_day(mem, l->group[DAY]) },
		{ "ChargePeriodStart", day_start(mem, l->group[DAY]) },
		{ "ConsumedQuantity", f.quantity },
		{ "ConsumedUnit", f.unit },
		{ "ContractedCost", f.cost },
		{ "ContractedUnitPrice", f.price },
		{ "EffectiveCost", f.cost },
		{ "InvoiceId", S("") },
		{ "InvoiceIssuerName", PROVIDER },
		{ "ListCost", f.list_cost },
		{ "ListUnitPrice", f.list },
		{ "PricingCategory", credit ? S("") : S("Standard") },
		{ "PricingCurrency", S("USD") },
		{ "PricingCurrencyContractedUnitPrice", f.price },
		{ "PricingCurrencyEffectiveCost", f.cost },
		{ "PricingCurrencyListUnitPrice", f.list },
		{ "PricingQuantity", f.quantity },
		{ "PricingUnit", f.unit },
		{ "ProviderName", PROVIDER },
		{ "PublisherName", PROVIDER },
		{ "RegionId", l->group[REGION] },
		{ "RegionName", book_location(b->query.book, l->group[REGION]) },
		{ "ResourceId", l->group[RESOURCE] },
		{ "ResourceName", short_name(l->group[RESOURCE]) },
		{ "ResourceType", resource_type(l) },
		{ "ServiceCategory", book_service_category(b->query.book, l->service) },
		{ "ServiceName", book_service_name(b->query.book, l->service) },
		{ "ServiceSubcategory", book_service_subcategory(b->query.book, l->service) },
		{ "SkuId", credit ? S("") : l->sku },
		{ "SkuMeter", credit ? S("") : f.usage_type },
		{ "SkuPriceDetails", S("") },
		{ "SkuPriceId", credit ? S("") : price_id(mem, l) },
		{ "SubAccountId", account },
		{ "SubAccountName", account },
		{ "SubAccountType", S("Account") },
		{ "Tags", l->group[TAGS] },
	};
	put_row(out, to, focus_columns, cells, sizeof cells / sizeof *cells);
}

static void cur_row(buf *out, arena *mem, const bill *b, const bill_line *l, bool credit, layout *to)
{
	str start = day_start(mem, l->group[DAY]), end = next_day(mem, l->group[DAY]);
	str account = b->query.account;
	facts f = facts_of(mem, b, l, credit);
	const cell cells[] = {
		{ "bill_bill_type", S("Anniversary") },
		{ "bill_billing_entity", S("AWS") },
		{ "bill_billing_period_end_date", time_iso(mem, b->to) },
		{ "bill_billing_period_start_date", time_iso(mem, b->from) },
		{ "bill_invoice_id", S("") },
		{ "bill_invoicing_entity", PROVIDER },
		{ "bill_payer_account_id", account },
		{ "bill_payer_account_name", account },
		{ "identity_line_item_id", row_id(mem, b, l, credit) },
		{ "identity_time_interval", arena_fmt(mem, "%.*s/%.*s", STR_ARG(start), STR_ARG(end)) },
		{ "line_item_availability_zone", l->zone },
		{ "line_item_blended_cost", f.cost },
		{ "line_item_blended_rate", f.price },
		{ "line_item_currency_code", S("USD") },
		{ "line_item_legal_entity", PROVIDER },
		{ "line_item_line_item_description", f.description },
		{ "line_item_line_item_type", credit ? S("Credit") : S("Usage") },
		{ "line_item_net_unblended_cost", f.cost },
		{ "line_item_net_unblended_rate", f.price },
		{ "line_item_operation", l->item && l->item->name ? l->item->name->operation : S("") },
		{ "line_item_product_code", service_code(l) },
		{ "line_item_resource_id", l->group[RESOURCE] },
		{ "line_item_unblended_cost", f.cost },
		{ "line_item_unblended_rate", f.price },
		{ "line_item_usage_account_id", account },
		{ "line_item_usage_account_name", account },
		{ "line_item_usage_amount", credit ? S("0") : f.quantity },
		{ "line_item_usage_end_date", end },
		{ "line_item_usage_start_date", start },
		{ "line_item_usage_type", f.usage_type },
		{ "pricing_currency", S("USD") },
		{ "pricing_public_on_demand_cost", credit ? S("") : f.list_cost },
		{ "pricing_public_on_demand_rate", f.list },
		{ "pricing_term", credit ? S("") : S("OnDemand") },
		{ "pricing_unit", f.unit },
		{ "product_instance_type", product(l, S("instanceType")) },
		{ "product_location", book_location(b->query.book, l->group[REGION]) },
		{ "product_location_type", S("AWS Region") },
		{ "product_operation", l->item && l->item->name ? l->item->name->operation : S("") },
		{ "product_pricing_unit", unit_of(l) },
		{ "product_product_family", l->item && l->item->name ? l->item->name->family : S("") },
		{ "product_region_code", l->group[REGION] },
		{ "product_servicecode", service_code(l) },
		{ "product_sku", l->sku },
		{ "product_usagetype", f.usage_type },
		{ "resource_tags", l->group[TAGS] },
	};
	put_row(out, to, cur_columns, cells, sizeof cells / sizeof *cells);
}

/* The first row gives the names. */
static void put_rows(buf *out, arena *mem, const bill *b,
                     void (*row)(buf *, arena *, const bill *, const bill_line *, bool, layout *))
{
	layout to = { .n = 0 };
	const bill_line nothing = { .group = { S("1970-01-01") }, .parts = 1 };
	row(out, mem, b, &nothing, false, &to);
	for (const bill_line *l = b->lines; l; l = l->next) {
		row(out, mem, b, l, false, &to);
		if (l->credit)
			row(out, mem, b, l, true, &to);
	}
}

void bill_focus(buf *out, arena *mem, const bill *b)
{
	put_rows(out, mem, b, focus_row);
}

void bill_cur(buf *out, arena *mem, const bill *b)
{
	put_rows(out, mem, b, cur_row);
}
