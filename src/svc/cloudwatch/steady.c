#include "steady.h"

static void piece_put(txn *tx, int64_t id, str unit, int64_t from, int64_t until, cloudwatch_Bucket *b)
{
	cloudwatch_steady_put(tx, &(cloudwatch_steady){
		.MetricId = id, .From = from, .Unit = unit, .Until = until, .It = b });
}

/* Within one day. Where another begins at the same minute, both become one as long as the shorter lasts. */
static void piece_add(txn *tx, int64_t id, str unit, int64_t from, int64_t until, const cloudwatch_Bucket *b)
{
	arena *mem = txn_arena(tx);
	cloudwatch_Bucket *mine = arena_new(mem, cloudwatch_Bucket);
	*mine = *b;
	while (from <= until) {
		cloudwatch_steady *there = cloudwatch_steady_get(tx, mem, id, from, unit);
		if (!there) {
			piece_put(tx, id, unit, from, until, mine);
			return;
		}
		int64_t common = until < there->Until ? until : there->Until, after = common + MS_MINUTE;
		cloudwatch_Bucket *both = arena_new(mem, cloudwatch_Bucket);
		*both = *there->It;
		bucket_merge(mem, both, mine);
		piece_put(tx, id, unit, from, common, both);
		if (common < there->Until) {
			mine = there->It;
			until = there->Until;
		}
		from = after;
	}
}

void steady_add(txn *tx, int64_t id, str unit, int64_t from, int64_t until, const cloudwatch_Bucket *b)
{
	for (int64_t midnight; from <= until; from = midnight) {
		midnight = from - from % MS_DAY + MS_DAY;
		piece_add(tx, id, unit, from, until < midnight ? until : midnight - MS_MINUTE, b);
	}
}

steady steady_in(const txn *tx, arena *mem, int64_t id, int64_t start, int64_t end)
{
	size_t capacity = 0, n = 0;
	cloudwatch_steady **rows = NULL;
	record_scan s = cloudwatch_steady_scan(tx, mem, 1, id, 0, STR_NONE);
	record_scan_after(&s, arena_fmt(mem, "%lld", (long long)(start - MS_DAY)));
	for (cloudwatch_steady *r; (r = cloudwatch_steady_next(&s)) && r->From < end;) {
		if (r->Until < start)
			continue;
		if (n == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			cloudwatch_steady **more = arena_array(mem, cloudwatch_steady *, capacity);
			for (size_t i = 0; i < n; i++)
				more[i] = rows[i];
			rows = more;
		}
		rows[n++] = r;
	}
	cursor_close(&s.at);
	return (steady){ rows, n, 0 };
}

static int64_t minute_from(int64_t when) { return when + (MS_MINUTE - when % MS_MINUTE) % MS_MINUTE; }

int64_t steady_next(steady *s, str unit, int64_t from)
{
	int64_t next = INT64_MAX, minute = minute_from(from);
	while (s->first < s->n && s->rows[s->first]->Until < minute)
		s->first++;
	for (size_t i = s->first; i < s->n && s->rows[i]->From < next; i++) {
		const cloudwatch_steady *r = s->rows[i];
		if (r->Until >= minute && str_eq(r->Unit, unit))
			next = r->From > minute ? r->From : minute;
	}
	return next;
}

static cloudwatch_Bucket times(arena *mem, const cloudwatch_Bucket *b, int64_t n)
{
	cloudwatch_Bucket out = *b;
	out.Samples.v *= (double)n;
	out.Sum.v *= (double)n;
	out.Values.v = arena_array(mem, cloudwatch_Weighted, b->Values.n + 1);
	for (size_t i = 0; i < b->Values.n; i++) {
		out.Values.v[i] = b->Values.v[i];
		out.Values.v[i].Count.v *= (double)n;
	}
	return out;
}

void steady_merge(arena *mem, const steady *s, str unit, int64_t from, int64_t to, cloudwatch_Bucket *into)
{
	for (size_t i = s->first; i < s->n && s->rows[i]->From < to; i++) {
		const cloudwatch_steady *r = s->rows[i];
		int64_t first = minute_from(r->From > from ? r->From : from);
		int64_t end = r->Until < to ? r->Until + MS_MINUTE : to;
		if (first >= end || !str_eq(r->Unit, unit))
			continue;
		cloudwatch_Bucket b = times(mem, r->It, (end - first + MS_MINUTE - 1) / MS_MINUTE);
		bucket_merge(mem, into, &b);
	}
}

void steady_drop(txn *tx, int64_t id, int64_t before, size_t rows)
{
	record_scan s = cloudwatch_steady_scan(tx, txn_arena(tx), 1, id, 0, STR_NONE);
	for (cloudwatch_steady *r; rows && (r = cloudwatch_steady_next(&s)) && r->From < before; rows--)
		if (r->Until < before)
			cloudwatch_steady_delete(tx, id, r->From, r->Unit);
	cursor_close(&s.at);
}

int64_t steady_oldest(const txn *tx, arena *mem, int64_t id)
{
	record_scan s = cloudwatch_steady_scan(tx, mem, 1, id, 0, STR_NONE);
	const cloudwatch_steady *r = cloudwatch_steady_next(&s);
	int64_t from = r ? r->From : INT64_MAX;
	cursor_close(&s.at);
	return from;
}
