/* A price of the book as a product of AWS's Price List. */
#pragma once
#include "base/buf.h"
#include "gen/pricing.h"
#include "price/book.h"

#define PRODUCT_ATTRIBUTES 24

typedef struct product_attribute {
	const char *name;
	str value;
} product_attribute;

typedef struct product {
	const price_item *item;
	const price_name *name;  /* NULL: AWS's is not known */
	str sku, family;
	product_attribute attributes[PRODUCT_ATTRIBUTES];
	size_t n;
} product;

/* What can become a product: an item under one of its names. */
typedef struct product_key {
	const price_item *item;
	const price_name *name;
} product_key;
typedef struct products {
	product_key *at;
	size_t n;
} products;

/* Those of AWS's service code, in the book's order; an empty code: all. */
products products_of(arena *mem, const book *b, str code);
product product_of(arena *mem, const book *b, const price_item *item, const price_name *name);
/* STR_NONE when it has no such attribute. */
str product_attribute_of(const product *p, str name);
/* AWS's JSON for one product with its terms. */
str product_json(arena *mem, const product *p);
/* Its parts, for price lists: {"productFamily":..}, and "SKU.TERM":{..}. */
void product_put(buf *b, const product *p);
void product_put_term(buf *b, arena *mem, const product *p);

/* Whether anything is sold under this code of AWS's. */
err pricing_service_check(req *rq, str code);
