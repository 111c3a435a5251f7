#include "listing.h"
#include "base/text.h"

err listing_open(req *rq, listing *l, str prefix, str delimiter, str encoding, opt_i64 max)
{
	if (str_is(encoding) && !str_eq(encoding, S("url")))
		return invalid_argument(rq, "Invalid Encoding Method specified in Request", S("encoding-type"),
		                        encoding);
	if (max.set && (max.v < 0 || max.v > INT32_MAX))
		return invalid_argument(rq, "Argument maxKeys must be an integer between 0 and 2147483647",
		                        S("max-keys"), arena_fmt(rq->mem, "%lld", (long long)max.v));
	l->prefix = str_is(prefix) ? prefix : S("");
	l->delimiter = delimiter.n ? delimiter : STR_NONE;
	l->url = encoding.n != 0;
	l->max = max.set && max.v < S3_LIST_MAX ? max.v : S3_LIST_MAX;
	l->groups.v = arena_array(rq->mem, s3_CommonPrefix, (size_t)l->max + 1);
	return OK;
}

str listing_text(arena *mem, const listing *l, str s)
{
	return l->url && str_is(s) ? percent_encode(mem, s, true) : s;
}

static bool full(listing *l)
{
	if (l->n < l->max)
		return false;
	/* max-keys=0 asks for nothing, and nothing is missing then. */
	l->truncated = l->max > 0;
	return true;
}

listing_step listing_key(arena *mem, listing *l, str key, str *seek)
{
	*seek = STR_NONE;
	if (!str_starts(key, l->prefix))
		return str_cmp(key, l->prefix) < 0 ? LIST_SKIP : LIST_STOP;
	str rest = str_sub(key, l->prefix.n, key.n);
	size_t at = str_is(l->delimiter) ? str_find(rest, l->delimiter) : SIZE_MAX;
	if (at == SIZE_MAX) {
		if (str_is(l->after) && str_cmp(key, l->after) <= 0)
			return LIST_SKIP;
		if (full(l))
			return LIST_STOP;
		l->n++;
		l->last = arena_str(mem, key);
		return LIST_KEY;
	}
	str group = str_sub(key, 0, l->prefix.n + at + l->delimiter.n);
	bool seen = str_is(l->after) && str_starts(l->after, group);
	if (!seen && str_is(l->after) && str_cmp(key, l->after) <= 0)
		return LIST_SKIP;
	if (!seen) {
		if (full(l))
			return LIST_STOP;
		l->n++;
		l->last = arena_str(mem, group);
		l->groups.v[l->groups.n++] = (s3_CommonPrefix){ .Prefix = listing_text(mem, l, l->last) };
	}
	/* Nothing in the group is looked at any more: the next key is the least that does not begin so. */
	*seek = key_after_prefix(mem, group);
	l->after = seen ? l->after : l->last;
	return LIST_SKIP;
}

/* Keys are UTF-8, in which the byte 255 does not occur. */
str key_before(arena *mem, str s)
{
	unsigned char last = (unsigned char)s.p[s.n - 1];
	char *p = arena_bytes(mem, s.n + 1);
	memcpy(p, s.p, s.n);
	if (last == 0)
		return str_of(p, s.n - 1);
	p[s.n - 1] = (char)(last - 1);
	p[s.n] = (char)255;
	return str_of(p, s.n + 1);
}
