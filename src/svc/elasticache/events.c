#include "base/time.h"
#include "cache.h"
#include "sys/clock.h"

#define DEFAULT_MINUTES 60
#define KEPT_MS (14 * MS_DAY)

void cache_event_add(txn *tx, str account, str region, const char *type, str id, str message)
{
	arena *mem = txn_arena(tx);
	elasticache_Event *it = arena_new(mem, elasticache_Event);
	*it = (elasticache_Event){ .SourceIdentifier = id,
		                       .SourceType = str_c(type),
		                       .Message = message,
		                       .Date = TIME(clock_now()) };
	elasticache_event e = { .Account = account,
		                    .Region = region,
		                    .When = clock_now(),
		                    .Seq = (int64_t)txn_next(tx, S("elasticache.event")),
		                    .It = it };
	elasticache_event_put(tx, &e);
}

err elasticache_DescribeEvents(req *rq, const txn *tx, const elasticache_DescribeEvents_in *in,
                               elasticache_DescribeEvents_out *out)
{
	cache_page p;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	if (str_is(in->SourceIdentifier) && !str_is(in->SourceType))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Cannot specify SourceIdentifier without SourceType");
	int64_t minutes = in->Duration.set ? in->Duration.v : DEFAULT_MINUTES;
	int64_t to = in->EndTime.set ? in->EndTime.v : rq->now + 1;
	int64_t from = in->StartTime.set ? in->StartTime.v : to - minutes * MS_MINUTE, skip = 0, n = 0;
	if (from < rq->now - KEPT_MS)
		from = rq->now - KEPT_MS;
	if (from > to)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "StartTime must be before EndTime");
	str_to_i64(p.after, &skip);
	out->Events.v = arena_array(rq->mem, elasticache_Event, p.most);
	record_scan s = elasticache_event_scan(tx, rq->mem, 2, rq->who.account, rq->region, 0, 0);
	record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)from - 1));
	for (elasticache_event *e; (e = elasticache_event_next(&s)) && e->When <= to;) {
		const elasticache_Event *it = e->It;
		if ((str_is(in->SourceIdentifier) && !str_eq_nocase(in->SourceIdentifier, it->SourceIdentifier)) ||
		    (str_is(in->SourceType) && !str_eq(in->SourceType, it->SourceType)) || n++ < skip)
			continue;
		if (out->Events.n == p.most) {
			out->Marker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(n - 1)));
			break;
		}
		out->Events.v[out->Events.n++] = *it;
	}
	cursor_close(&s.at);
	return OK;
}
