#include "cloud/charges.h"

/* What an instance price is of: ec2.linux.t3.micro is t3.micro, rds.postgres.t3.micro.single db.t3.micro. */
static str instance_type(const charge *c)
{
	str sku = c->item ? c->item->sku : S(""), title = c->item ? c->item->title : S("");
	str type = str_cut(&title, ' ');
	if (str_starts(sku, S("ec2.linux.")) || str_starts(sku, S("ec2.windows.")) ||
	    str_starts(type, S("db.")) || str_starts(type, S("cache.")))
		return type;
	return S("NoInstanceType");
}

/* As Cost Explorer has it: volumes, addresses and gateways are not "Compute". */
static str service_name(const charge *c)
{
	if (!c->item)
		return S("Unknown");
	bool other = str_eq(c->item->service, S("AmazonEC2")) && !str_starts(c->item->sku, S("ec2."));
	return other ? S("EC2 - Other") : book_service_name(price_book(), c->item->service);
}

static str database_engine(const charge *c)
{
	str sku = c->item ? c->item->sku : S("");
	return str_find(sku, S("postgres")) != SIZE_MAX ? S("PostgreSQL")
	       : str_find(sku, S("mysql")) != SIZE_MAX  ? S("MySQL")
	                                                : S("NoDatabaseEngine");
}

str charges_dimension(str account, const charge *c, str d)
{
	if (str_eq(d, S("SERVICE")))
		return service_name(c);
	if (str_eq(d, S("SERVICE_CODE")))
		return c->item ? c->item->service : S("Unknown");
	if (str_eq(d, S("USAGE_TYPE")))
		return c->use->sku;
	if (str_eq(d, S("REGION")))
		return c->use->region.n ? c->use->region : S("NoRegion");
	if (str_eq(d, S("LINKED_ACCOUNT")) || str_eq(d, S("PAYER_ACCOUNT")) ||
	    str_eq(d, S("LINKED_ACCOUNT_NAME")))
		return account;
	if (str_eq(d, S("RESOURCE_ID")))
		return c->use->resource.n ? c->use->resource : S("NoResourceId");
	if (str_eq(d, S("RECORD_TYPE")))
		return S("Usage");
	if (str_eq(d, S("INSTANCE_TYPE")))
		return instance_type(c);
	if (str_eq(d, S("DATABASE_ENGINE")))
		return database_engine(c);
	if (str_eq(d, S("PURCHASE_TYPE")))
		return S("On Demand");
	if (str_eq(d, S("BILLING_ENTITY")))
		return S("AWS");
	if (str_eq(d, S("LEGAL_ENTITY_NAME")) || str_eq(d, S("INVOICING_ENTITY")))
		return S("Amazon Web Services, Inc.");
	return STR_NONE;
}

bool charges_dimension_known(str d)
{
	static const char *const known[] = {
		"SERVICE", "SERVICE_CODE", "USAGE_TYPE", "REGION", "LINKED_ACCOUNT", "PAYER_ACCOUNT",
		"LINKED_ACCOUNT_NAME", "RESOURCE_ID", "RECORD_TYPE", "INSTANCE_TYPE", "DATABASE_ENGINE",
		"PURCHASE_TYPE", "BILLING_ENTITY", "LEGAL_ENTITY_NAME", "INVOICING_ENTITY",
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(d, str_c(known[i])))
			return true;
	return false;
}
