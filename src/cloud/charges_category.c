#include "cloud/charges_category.h"

extern const charges_category_source *const __start_farthing_categories[] __attribute__((weak));
extern const charges_category_source *const __stop_farthing_categories[] __attribute__((weak));

struct charges_categories {
	const charges_category_source *source;
	void *opened;
};

charges_categories *charges_categories_open(arena *mem, const txn *tx, str account, charges_tags *tags)
{
	charges_categories *all = arena_new(mem, charges_categories);
	*all = (charges_categories){ .source = NULL };
	if (&__start_farthing_categories[0] == &__stop_farthing_categories[0])
		return all;
	all->source = *__start_farthing_categories;
	all->opened = all->source->open(mem, tx, account, tags);
	return all;
}

str charges_category(const charges_categories *all, const charge *c, bool credit, str name)
{
	return all->source ? all->source->value(all->opened, c, credit, name) : STR_NONE;
}
