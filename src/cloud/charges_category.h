/*
 * What a charge is in a cost category. Categories and their rules are Cost Explorer's; it registers how it
 * answers, so that budgets can ask without knowing it. Without Cost Explorer there are no categories.
 */
#pragma once
#include "cloud/charges_tags.h"

typedef struct charges_category_source {
	void *(*open)(arena *mem, const txn *tx, str account, charges_tags *tags);
	str (*value)(void *opened, const charge *c, bool credit, str name);
} charges_category_source;
#define CHARGES_CATEGORIES(id, open_, value_) \
	static const charges_category_source charges_categories_##id = { open_, value_ }; \
	__attribute__((section("farthing_categories"), used)) \
	static const charges_category_source *const charges_categories_entry_##id = &charges_categories_##id

/* As long as the transaction is open. */
typedef struct charges_categories charges_categories;
charges_categories *charges_categories_open(arena *mem, const txn *tx, str account, charges_tags *tags);
/* Of the charge, or of the credit that pays for it; STR_NONE: it is nothing there. */
str charges_category(const charges_categories *all, const charge *c, bool credit, str name);
