#include "scan.h"

static place_scan open_scan(const txn *tx, arena *mem, const record_kind *kind, int64_t id, place from,
                            place to, bool reverse)
{
	/* Events and lines have the same key: an id, a time, a number. */
	logs_event low = { .GroupId = id, .When = from.when, .Seq = from.seq };
	logs_event high = { .GroupId = id, .When = to.when, .Seq = to.seq };
	return (place_scan){ .mem = mem, .kind = kind,
		.at = txn_scan(tx, record_key(mem, kind, &low), record_key(mem, kind, &high), reverse) };
}

place_scan events_between(const txn *tx, arena *mem, int64_t group, place from, place to, bool reverse)
{
	return open_scan(tx, mem, &logs_event_record, group, from, to, reverse);
}

place_scan lines_between(const txn *tx, arena *mem, int64_t stream, place from, place to, bool reverse)
{
	return open_scan(tx, mem, &logs_line_record, stream, from, to, reverse);
}

static bool step(place_scan *s)
{
	if (!cursor_next(&s->at))
		return false;
	ensure(s->at.key.n <= sizeof s->key);
	memcpy(s->key, s->at.key.p, s->at.key.n);
	memset(&s->row, 0, sizeof s->row);
	bool readable = record_parse(s->mem, s->kind, s->key, s->at.key.n, s->at.value, &s->row);
	ensure(readable);
	return true;
}

const logs_event *events_next(place_scan *s) { return step(s) ? &s->row.event : NULL; }
const logs_line *lines_next(place_scan *s) { return step(s) ? &s->row.line : NULL; }

streams_scan streams_between(const txn *tx, arena *mem, int64_t group, const int64_t *streams, size_t n,
                             place from, place to)
{
	streams_scan s = { .tx = tx, .group = group, .n = n, .scans = arena_array(mem, place_scan, n + 1),
		               .heads = arena_array(mem, const logs_line *, n + 1) };
	for (size_t i = 0; i < n; i++) {
		s.scans[i] = lines_between(tx, mem, streams[i], from, to, false);
		s.heads[i] = lines_next(&s.scans[i]);
	}
	return s;
}

static place place_of(const logs_line *l) { return (place){ l->When, l->Seq }; }

const logs_event *streams_next(streams_scan *s, arena *mem)
{
	for (;;) {
		size_t least = s->n;
		for (size_t i = 0; i < s->n; i++)
			if (s->heads[i] && (least == s->n ||
			                    place_cmp(place_of(s->heads[i]), place_of(s->heads[least])) < 0))
				least = i;
		if (least == s->n)
			return NULL;
		const logs_event *e = logs_event_get(s->tx, mem, s->group, s->heads[least]->When,
		                                     s->heads[least]->Seq);
		s->heads[least] = lines_next(&s->scans[least]);
		if (e)
			return e;
	}
}

void streams_close(streams_scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		cursor_close(&s->scans[i].at);
}
