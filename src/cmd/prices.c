#include "cmd/prices.h"
#include "price/offers.h"
#include "sys/file.h"
#include <sys/stat.h>

#define FILE_MAX ((size_t)2 << 30)

static bool is_folder(arena *mem, str path)
{
	struct stat st;
	return stat(arena_str(mem, path).p, &st) == 0 && S_ISDIR(st.st_mode);
}

/* us-east-1.csv: us-east-1. */
static str region_of(str path)
{
	size_t from = path.n;
	while (from > 0 && path.p[from - 1] != '/')
		from--;
	str name = str_sub(path, from, path.n);
	return str_cut(&name, '.');
}

static err add_file(book *b, arena *mem, str path)
{
	str text;
	offer_report r;
	TRY(file_read(mem, path, FILE_MAX, &text));
	if (!offer_looks_like(text))
		return book_add_csv(b, text, path, region_of(path), PRICE_OF_USER);
	TRY(book_add_offer(b, text, path, &r));
	if (r.prices == 0)
		return fault_new(mem, &fault_syntax, "%.*s: none of its %zu products is one that Farthing prices",
		                 STR_ARG(path), r.products);
	return OK;
}

static err add_folder(book *b, arena *mem, str path)
{
	str *names;
	size_t n;
	TRY(dir_list(mem, path, &names, &n));
	for (size_t i = 0; i < n; i++)
		if (str_ends(names[i], S(".csv")) || str_ends(names[i], S(".json")))
			TRY(add_file(b, mem, path_join(mem, path, names[i])));
	return OK;
}

err prices_use(arena *mem, str path)
{
	/* Prices last as long as the process; what was read to make them does not. */
	book *b = book_built_in(arena_open(1 << 18));
	TRY(is_folder(mem, path) ? add_folder(b, mem, path) : add_file(b, mem, path));
	price_book_use(b);
	return OK;
}
