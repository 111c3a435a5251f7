#include "cloud/charges.h"
#include "cloud/charges_groups.h"
#include "cloud/charges_zone.h"

#define QUANTITY_ONE INT64_C(1000000000000)

/* As Cost Explorer has it: volumes, addresses and gateways are not "Compute". */
static str service_name(const charge *c)
{
	if (!c->item)
		return S("Unknown");
	const price_name *n = c->item->name;
	return n && n->bill_service.n ? n->bill_service : book_service_name(price_book(), c->item->service);
}

static str service_code(const charge *c)
{
	if (!c->item)
		return S("Unknown");
	return c->item->name ? c->item->name->service : c->item->service;
}

static str usage_type(arena *mem, const charge *c)
{
	return c->item ? price_usage_type(mem, price_book(), c->item, NULL, c->use->region) : c->use->sku;
}

static str operation(const charge *c)
{
	const price_name *n = c->item ? c->item->name : NULL;
	return n && n->operation.n ? n->operation : S("NoOperation");
}

/* Dimensions that are attributes of the product. */
static const struct { const char *dimension, *attribute, *none; } attributes[] = {
	{ "INSTANCE_TYPE", "instanceType", "NoInstanceType" },
	{ "DATABASE_ENGINE", "databaseEngine", "NoDatabaseEngine" },
	{ "CACHE_ENGINE", "cacheEngine", "NoCacheEngine" },
	{ "DEPLOYMENT_OPTION", "deploymentOption", "NoDeploymentOption" },
	{ "OPERATING_SYSTEM", "operatingSystem", "NoOperatingSystem" },
	{ "TENANCY", "tenancy", "NoTenancy" },
	{ "PLATFORM", "operatingSystem", "NoPlatform" },
};
#define N_ATTRIBUTES (sizeof attributes / sizeof *attributes)

/* Of commitments, which nobody here has. */
static const char *const commitments[][2] = {
	{ "RESERVATION_ID", "NoReservationId" }, { "SUBSCRIPTION_ID", "NoSubscriptionId" },
	{ "SAVINGS_PLAN_ARN", "NoSavingsPlanArn" }, { "SAVINGS_PLANS_TYPE", "NoSavingsPlansType" },
	{ "PAYMENT_OPTION", "NoPaymentOption" }, { "SCOPE", "NoScope" },
};
#define N_COMMITMENTS (sizeof commitments / sizeof *commitments)

static str commitment(str dimension)
{
	for (size_t i = 0; i < N_COMMITMENTS; i++)
		if (str_eq(dimension, str_c(commitments[i][0])))
			return str_c(commitments[i][1]);
	return STR_NONE;
}

/* t3 of t3.micro, db.t4g of db.t4g.micro. */
static str instance_family(const charge *c)
{
	str type = price_name_attribute(c->item ? c->item->name : NULL, S("instanceType"));
	for (size_t i = type.n; i > 0; i--)
		if (type.p[i - 1] == '.')
			return str_sub(type, 0, i - 1);
	return S("NoInstanceTypeFamily");
}

static str attribute(const charge *c, str dimension)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++)
		if (str_eq(dimension, str_c(attributes[i].dimension))) {
			str name = str_c(attributes[i].attribute);
			str value = price_name_attribute(c->item ? c->item->name : NULL, name);
			return value.n ? value : str_c(attributes[i].none);
		}
	return STR_NONE;
}

bool charges_reserved(const charge *c)
{
	str arn = c->use->resource;
	return str_starts(arn, S("arn:")) && (str_find(arn, S(":ri:")) != SIZE_MAX ||
	                                      str_find(arn, S(":reserved-instance:")) != SIZE_MAX);
}

static str zone_of(const txn *tx, str account, const charge *c)
{
	str zone = charges_zone(tx, account, c->use->resource);
	return zone.n ? zone : S("NoAZ");
}

str charges_dimension(arena *mem, const txn *tx, str account, const charge *c, str d)
{
	if (str_eq(d, S("SERVICE")))
		return service_name(c);
	if (str_eq(d, S("SERVICE_CODE")))
		return service_code(c);
	if (str_eq(d, S("USAGE_TYPE")))
		return usage_type(mem, c);
	if (str_eq(d, S("USAGE_TYPE_GROUP")))
		return charges_usage_type_group(c);
	if (str_eq(d, S("OPERATION")))
		return operation(c);
	if (str_eq(d, S("REGION")))
		return c->use->region.n ? c->use->region : S("NoRegion");
	if (str_eq(d, S("LINKED_ACCOUNT")) || str_eq(d, S("PAYER_ACCOUNT")) ||
	    str_eq(d, S("LINKED_ACCOUNT_NAME")))
		return account;
	if (str_eq(d, S("RESOURCE_ID")))
		return c->use->resource.n ? c->use->resource : S("NoResourceId");
	if (str_eq(d, S("RECORD_TYPE")))
		return S("Usage");
	if (str_eq(d, S("PURCHASE_TYPE")))
		return charges_reserved(c) ? S("Standard Reserved Instances") : S("On Demand");
	if (str_eq(d, S("BILLING_ENTITY")))
		return S("AWS");
	if (str_eq(d, S("LEGAL_ENTITY_NAME")) || str_eq(d, S("INVOICING_ENTITY")))
		return S("Amazon Web Services, Inc.");
	if (str_eq(d, S("AZ")))
		return zone_of(tx, account, c);
	if (str_eq(d, S("INSTANCE_TYPE_FAMILY")))
		return instance_family(c);
	if (str_eq(d, S("RESERVATION_ID")) && charges_reserved(c))
		return c->use->resource;
	str none = commitment(d);
	return str_is(none) ? none : attribute(c, d);
}

bool charges_dimension_known(str d)
{
	static const char *const known[] = {
		"SERVICE", "SERVICE_CODE", "USAGE_TYPE", "USAGE_TYPE_GROUP", "OPERATION", "REGION", "LINKED_ACCOUNT",
		"PAYER_ACCOUNT", "LINKED_ACCOUNT_NAME", "RESOURCE_ID", "RECORD_TYPE", "PURCHASE_TYPE",
		"BILLING_ENTITY", "LEGAL_ENTITY_NAME", "INVOICING_ENTITY", "INSTANCE_TYPE_FAMILY", "AZ",
	};
	if (str_is(commitment(d)))
		return true;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(d, str_c(known[i])))
			return true;
	for (size_t i = 0; i < N_ATTRIBUTES; i++)
		if (str_eq(d, str_c(attributes[i].dimension)))
			return true;
	return false;
}

static bool has(const str *options, size_t n, str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(options[i], name))
			return true;
	return false;
}

bool charges_value_fits(arena *mem, str have, const str *wanted, size_t n, const str *options,
                        size_t n_options)
{
	bool loose = has(options, n_options, S("CASE_INSENSITIVE")), fits = false;
	if (has(options, n_options, S("ABSENT")))
		return !str_is(have);
	have = !str_is(have) ? S("") : loose ? arena_lower(mem, have) : have;
	for (size_t i = 0; i < n && !fits; i++) {
		str want = loose ? arena_lower(mem, wanted[i]) : wanted[i];
		fits = has(options, n_options, S("STARTS_WITH")) ? str_starts(have, want)
		       : has(options, n_options, S("ENDS_WITH")) ? str_ends(have, want)
		       : has(options, n_options, S("CONTAINS"))  ? str_find(have, want) != SIZE_MAX
		                                                 : str_eq(have, want);
	}
	return fits;
}

str charges_unit(const charge *c)
{
	if (!c->item)
		return S("N/A");
	return c->item->name ? c->item->name->unit : c->item->unit;
}

i128 charges_quantity(const charge *c)
{
	int64_t parts;
	i128 quantity = 0;
	if (!__builtin_mul_overflow(c->parts, price_name_units(c->item ? c->item->name : NULL), &parts))
		i128_mul_div(c->quantity, QUANTITY_ONE, parts, &quantity);
	return quantity;
}
