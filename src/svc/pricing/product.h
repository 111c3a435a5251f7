/* A price of the book as a product of AWS's Price List. */
#pragma once
#include "gen/pricing.h"
#include "price/book.h"

#define PRODUCT_ATTRIBUTES 18

typedef struct product_attribute {
	const char *name;
	str value;
} product_attribute;

typedef struct product {
	const price_item *item;
	str sku, family;
	product_attribute attributes[PRODUCT_ATTRIBUTES];
	size_t n;
} product;

product product_of(arena *mem, const book *b, const price_item *item);
/* STR_NONE when it has no such attribute. */
str product_attribute_of(const product *p, str name);
/* AWS's JSON for one product with its terms. */
str product_json(arena *mem, const product *p);
