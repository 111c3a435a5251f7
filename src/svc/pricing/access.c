/* What the operations are called in policies; they have no resources. */
#include "cloud/authorise.h"

ACCESS(pricing, "pricing", NULL,
	{ "GetProducts", NULL, "*", NULL }, { "DescribeServices", NULL, "*", NULL },
	{ "GetAttributeValues", NULL, "*", NULL }, { "ListPriceLists", NULL, "*", NULL },
	{ "GetPriceListFileUrl", NULL, "*", NULL });
