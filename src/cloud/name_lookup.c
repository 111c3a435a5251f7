#include "cloud/name_lookup.h"

extern name_source *const __start_farthing_name_sources[] __attribute__((weak));
extern name_source *const __stop_farthing_name_sources[] __attribute__((weak));
extern name_leader *const __start_farthing_name_leaders[] __attribute__((weak));
extern name_leader *const __stop_farthing_name_leaders[] __attribute__((weak));

size_t name_lookup(const txn *tx, arena *mem, str name, str type, str **values)
{
	size_t n = 0;
	for (name_source *const *s = __start_farthing_name_sources; !n && s < __stop_farthing_name_sources; s++)
		n = (*s)(tx, mem, name, type, values);
	return n;
}

bool name_leads(const txn *tx, arena *mem, str name, str *to)
{
	bool found = false;
	*to = STR_NONE;
	name_leader *const *l = __start_farthing_name_leaders;
	for (; !found && l < __stop_farthing_name_leaders; l++)
		found = (*l)(tx, mem, name, to);
	return found;
}
