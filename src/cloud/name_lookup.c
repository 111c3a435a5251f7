#include "cloud/name_lookup.h"

extern name_source *const __start_farthing_name_sources[] __attribute__((weak));
extern name_source *const __stop_farthing_name_sources[] __attribute__((weak));

size_t name_lookup(const txn *tx, arena *mem, str name, str type, str **values)
{
	size_t n = 0;
	for (name_source *const *s = __start_farthing_name_sources; !n && s < __stop_farthing_name_sources; s++)
		n = (*s)(tx, mem, name, type, values);
	return n;
}
