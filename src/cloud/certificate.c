#include "cloud/certificate.h"

extern certificate_user *const __start_farthing_certificate_users[] __attribute__((weak));
extern certificate_user *const __stop_farthing_certificate_users[] __attribute__((weak));

/* There is room for the next power of two. */
void certificate_user_add(arena *mem, str **users, size_t *n, str user)
{
	if ((*n & (*n - 1)) == 0) {
		str *more = arena_array(mem, str, *n ? 2 * *n : 1);
		if (*n)
			memcpy(more, *users, *n * sizeof *more);
		*users = more;
	}
	(*users)[(*n)++] = user;
}

size_t certificate_users(const txn *tx, arena *mem, str arn, str **users)
{
	size_t n = 0;
	*users = NULL;
	certificate_user *const *end = __stop_farthing_certificate_users;
	for (certificate_user *const *u = __start_farthing_certificate_users; u < end; u++) {
		str *more, *all;
		size_t found = (*u)(tx, mem, arn, &more);
		if (!found)
			continue;
		all = arena_array(mem, str, n + found);
		if (n)
			memcpy(all, *users, n * sizeof *all);
		memcpy(all + n, more, found * sizeof *all);
		*users = all;
		n += found;
	}
	return n;
}
