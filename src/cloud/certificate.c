#include "cloud/certificate.h"

#define SCRATCH 16384

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
	/* Of all that is looked through only the names of those that were found are kept. */
	arena *scratch = arena_open(SCRATCH);
	certificate_user *const *end = __stop_farthing_certificate_users;
	for (certificate_user *const *u = __start_farthing_certificate_users; u < end; u++) {
		str *more;
		size_t found = (*u)(tx, scratch, arn, &more);
		for (size_t i = 0; i < found; i++)
			certificate_user_add(mem, users, &n, arena_str(mem, more[i]));
		arena_reset(scratch);
	}
	arena_close(scratch);
	return n;
}
