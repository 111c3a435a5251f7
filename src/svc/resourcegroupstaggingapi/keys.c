#include <stdlib.h>
#include "found.h"
#include "base/map.h"

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* Keys, or the values of one key, each once and in order: a page of them. */
static err distinct(req *rq, str key, str token, str **v, size_t *n, str *next)
{
	found f = { 0 };
	str after;
	static char here;
	TRY(found_position(rq, token, &after));
	TRY(found_gather(rq, &f));
	size_t most = 0, all = 0;
	for (size_t i = 0; i < f.n; i++)
		most += f.v[i].tags.n;
	str *texts = arena_array(rq->mem, str, most + 1);
	map seen = map_in(rq->mem, most);
	for (size_t i = 0; i < f.n; i++) {
		for (size_t t = 0; t < f.v[i].tags.n; t++) {
			const tag *one = &f.v[i].tags.v[t];
			str text = str_is(key) ? one->value : one->key;
			if ((str_is(key) && !str_eq(one->key, key)) || map_put(&seen, text, &here))
				continue;
			texts[all++] = text;
		}
	}
	qsort(texts, all, sizeof *texts, by_text);
	size_t from = 0;
	while (from < all && str_is(after) && str_cmp(texts[from], after) <= 0)
		from++;
	*v = texts + from;
	*n = all - from < TAGGING_KEYS_PAGE ? all - from : TAGGING_KEYS_PAGE;
	*next = from + *n < all ? found_token(rq, (*v)[*n - 1]) : S("");
	return OK;
}

err resourcegroupstaggingapi_GetTagKeys(req *rq, const resourcegroupstaggingapi_GetTagKeys_in *in,
                                        resourcegroupstaggingapi_GetTagKeys_out *out)
{
	return distinct(rq, STR_NONE, in->PaginationToken, &out->TagKeys.v, &out->TagKeys.n,
	&out->PaginationToken);
}

err resourcegroupstaggingapi_GetTagValues(req *rq, const resourcegroupstaggingapi_GetTagValues_in *in,
                                          resourcegroupstaggingapi_GetTagValues_out *out)
{
	return distinct(rq, in->Key, in->PaginationToken, &out->TagValues.v, &out->TagValues.n,
	                &out->PaginationToken);
}
