/*
 * Any bytes as a function's package: reading the directory and every entry ends, sizes are what the
 * directory says, and no name leads out of the folder.
 */
#include "svc/lambda/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool count(void *context, const char *p, size_t n)
{
	size_t *left = context;
	ensure(p);
	if (n > *left)
		return false;
	*left -= n;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	arena *mem = arena_open(1 << 14);
	zip_archive z;
	zip_entry e;
	size_t budget = 1 << 20;
	str bytes = str_of((const char *)data, n);
	if (zip_open(mem, bytes, &z))
		while (zip_next(&z, &e) > 0) {
			ensure(!str_starts(e.name, S("/")) && !str_eq(e.name, S("..")) &&
			       !str_starts(e.name, S("../")) && str_find(e.name, S("/../")) == SIZE_MAX);
			size_t before = budget;
			if (zip_content(&z, &e, count, &budget))
				ensure(before - budget == e.size);
		}
	zip_unpacked_size(mem, bytes);
	arena_close(mem);
	return 0;
}
