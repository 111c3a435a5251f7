/*
 * What AWS calls what we sell: usage type, operation, product family and attributes of each sku, as they
 * stand in Cost Explorer, in reports and in the Price List (data/prices/aws-names.csv, with the source of
 * each name).
 *
 * A sku may be several of AWS's products (Aurora Serverless v2 is one for PostgreSQL and one for MySQL): its
 * names are a list, the usual one first. Lives in the arena of the book.
 */
#pragma once
#include "base/arena.h"

typedef enum name_prefix {
	PREFIX_HOME,   /* none in us-east-1, the region's elsewhere: EUC1-Request */
	PREFIX_ALWAYS, /* USE1-ApiGatewayRequest */
	PREFIX_CODE,   /* us-east-1-KMS-Keys */
	PREFIX_USE1,   /* that of us-east-1 wherever one is */
	PREFIX_EDGE,   /* US-: where CloudFront answers */
	PREFIX_NEVER,
} name_prefix;

typedef struct price_name {
	str service;      /* AWS's service code; may differ from the item's */
	str bill_service; /* what Cost Explorer calls it; empty: the service's usual name */
	str usage_type;   /* without prefix */
	str operation, family, unit;
	int64_t ours;     /* so many of our units are one of AWS's: of a MiB a second, 1024 */
	str attributes;   /* name=value;name=value */
	name_prefix prefix;
	bool certain;     /* read somewhere, not only known */
	struct price_name *next;
} price_name;

typedef struct price_names price_names;
price_names *price_names_of(arena *mem, str csv_text);
/* NULL: AWS has no name for it that we know; `unsold`: because it is no product of the Price List (a ratio,
 * or what is always free). Made in the list's arena. */
const price_name *price_names_find(price_names *l, str sku, bool *unsold);
/* So many of our units make one of AWS's; 1 without a name. */
int64_t price_name_units(const price_name *n);
/* An empty string when it has no such attribute. */
str price_name_attribute(const price_name *n, str attribute);
