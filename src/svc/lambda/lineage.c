/*
 * Loops of functions through queues, topics, buckets and each other. Each invocation adds itself to the part
 * Lineage of the trace header (HASH:COUNT|HASH:COUNT, the newest last); SDKs send the header with what the
 * function calls, services keep it with messages and events, and so it comes back with the next invocation.
 */
#include "lambda.h"
#include "base/digest.h"
#include "base/text.h"
#include "cloud/trace.h"

#define KNOWN_MAX 8
#define HASH_N 8
#define COUNT_MAX 1000000 /* callers may write any number */

typedef struct ancestor {
	str hash;
	int64_t count;
} ancestor;

typedef struct lineage {
	ancestor v[KNOWN_MAX];
	size_t n;
} lineage;

/* SDKs escape the bar on its way through an HTTP header. */
static str part_of(arena *mem, str header)
{
	str text = trace_header_part(header, S("Lineage"));
	return str_is(text) ? percent_decode(mem, text, false) : STR_NONE;
}

/* The last ones, if there are too many. */
static lineage read_lineage(arena *mem, str header)
{
	lineage l = { .n = 0 };
	str rest = part_of(mem, header);
	while (str_is(rest)) {
		int64_t count;
		str number = str_cut(&rest, '|'), hash = str_cut(&number, ':');
		if (hash.n != HASH_N || !str_to_i64(number, &count) || count < 0)
			continue;
		if (l.n == KNOWN_MAX)
			memmove(l.v, l.v + 1, --l.n * sizeof *l.v);
		l.v[l.n++] = (ancestor){ hash, count < COUNT_MAX ? count : COUNT_MAX };
	}
	return l;
}

static str hash_of(arena *mem, const target *t)
{
	function_name f = { t->version->Account, t->version->Region, t->version->Name, STR_NONE };
	return str_sub(sha256_hex(mem, name_arn(mem, &f)), 0, HASH_N);
}

/* Where the function stands in it; l->n when it does not. */
static size_t place_of(const lineage *l, str hash)
{
	size_t i = 0;
	while (i < l->n && !str_eq(l->v[i].hash, hash))
		i++;
	return i;
}

int64_t lineage_count(arena *mem, const target *t, str header)
{
	lineage l = read_lineage(mem, header);
	size_t at = place_of(&l, hash_of(mem, t));
	return at < l.n ? l.v[at].count : 0;
}

bool lineage_loops(arena *mem, const target *t, str header)
{
	return !str_eq(t->function->RecursiveLoop, lambda_RecursiveLoop_Allow) &&
	       lineage_count(mem, t, header) >= LAMBDA_RECURSION_MAX;
}

str lineage_of(arena *mem, str header)
{
	str text = trace_header_part(header, S("Lineage"));
	return str_is(text) ? arena_concat(mem, S(";Lineage="), text) : S("");
}

str lineage_next(arena *mem, const target *t, str header)
{
	lineage l = read_lineage(mem, header);
	ancestor self = { hash_of(mem, t), 0 };
	size_t at = place_of(&l, self.hash);
	if (at < l.n) {
		self = l.v[at];
		memmove(l.v + at, l.v + at + 1, (--l.n - at) * sizeof *l.v);
	} else if (l.n == KNOWN_MAX) {
		memmove(l.v, l.v + 1, --l.n * sizeof *l.v);
	}
	self.count++;
	l.v[l.n++] = self;
	buf b = buf_in(mem, header.n + 128, header.n + 1024);
	while (str_is(header)) {
		str part = str_cut(&header, ';');
		if (part.n && !str_starts(str_trim(part), S("Lineage=")))
			buf_fmt(&b, "%.*s;", STR_ARG(part));
	}
	buf_put(&b, S("Lineage="));
	for (size_t i = 0; i < l.n; i++)
		buf_fmt(&b, "%s%.*s:%lld", i ? "|" : "", STR_ARG(l.v[i].hash), (long long)l.v[i].count);
	return buf_str(&b);
}
