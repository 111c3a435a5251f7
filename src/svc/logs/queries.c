#include "queries.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/authorise.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define KEPT_MS (7 * MS_DAY)
#define PAGE 1000
#define RESULTS_PAGE 10000
#define WAIT_MS 100
#define SECONDS_MAX INT64_C(99999999999) /* greater times are milliseconds */

logs_query *query_find(const txn *tx, arena *mem, str account, str region, str id)
{
	const logs_queryid *i = logs_queryid_get(tx, mem, account, region, id);
	return i ? logs_query_get(tx, mem, account, region, i->Created, id) : NULL;
}

bool query_goes_on(const logs_query *q)
{
	return str_eq(q->Status, logs_QueryStatus_Scheduled) || str_eq(q->Status, logs_QueryStatus_Running);
}

str query_pointer(arena *mem, str group, int64_t when, int64_t seq)
{
	str plain = arena_fmt(mem, "%lld %lld %.*s", (long long)when, (long long)seq, STR_ARG(group));
	return base64_encode(mem, plain);
}

bool query_pointer_read(arena *mem, str pointer, str *group, place *p)
{
	str rest;
	if (!base64_decode(mem, pointer, &rest))
		return false;
	str when = str_cut(&rest, ' ');
	if (!str_is(rest))
		return false;
	str seq = str_cut(&rest, ' ');
	*group = rest;
	return str_to_i64(when, &p->when) && str_to_i64(seq, &p->seq) && str_is(rest);
}

static err find(req *rq, const txn *tx, str id, logs_query **q)
{
	*q = query_find(tx, rq->mem, rq->who.account, rq->region, id);
	return *q ? OK : fail(rq, &logs_ResourceNotFoundException, "The specified query does not exist.");
}

static bool in_source(const iq_query *q, const logs_group *g)
{
	bool found = !q->n_prefixes;
	for (size_t i = 0; i < q->n_prefixes; i++)
		found = found || str_starts(g->Name, q->prefixes[i]);
	return found && (!str_is(q->group_class) || str_eq_nocase(q->group_class, g->Class));
}

static err groups_of_source(req *rq, const txn *tx, const iq_query *q, logs_LogGroupNames *out)
{
	out->v = arena_array(rq->mem, str, LOGS_SOURCE_GROUPS_MAX);
	record_scan s = logs_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (logs_group *g; (g = logs_group_next(&s));) {
		if (!in_source(q, g))
			continue;
		if (out->n == LOGS_SOURCE_GROUPS_MAX) {
			cursor_close(&s.at);
			return fail(rq, &logs_InvalidParameterException,
			            "A query can look through at most %d log groups.", LOGS_SOURCE_GROUPS_MAX);
		}
		out->v[out->n++] = g->Name;
	}
	return OK;
}

static err groups_of(req *rq, const txn *tx, const logs_StartQuery_in *in, const iq_query *q,
                     logs_LogGroupNames *out)
{
	int given = str_is(in->logGroupName) + (in->logGroupNames.n > 0) + (in->logGroupIdentifiers.n > 0);
	size_t n = in->logGroupNames.n + in->logGroupIdentifiers.n + 1;
	if (!given && q->has_source)
		return groups_of_source(rq, tx, q, out);
	if (given && q->has_source)
		return fail(rq, &logs_InvalidParameterException,
		            "Log groups may be given by the query's SOURCE or by a parameter, not by both.");
	if (given != 1)
		return fail(rq, &logs_InvalidParameterException,
		            "Exactly one of logGroupName, logGroupNames or logGroupIdentifiers must be specified.");
	out->v = arena_array(rq->mem, str, n);
	if (str_is(in->logGroupName))
		out->v[out->n++] = in->logGroupName;
	for (size_t i = 0; i < in->logGroupNames.n; i++)
		out->v[out->n++] = in->logGroupNames.v[i];
	for (size_t i = 0; i < in->logGroupIdentifiers.n; i++)
		out->v[out->n++] = group_name_of(in->logGroupIdentifiers.v[i]);
	if (out->n > LOGS_QUERY_GROUPS_MAX)
		return fail(rq, &logs_InvalidParameterException, "A query can look through at most %d log groups.",
		            LOGS_QUERY_GROUPS_MAX);
	for (size_t i = 0; i < out->n; i++)
		if (!logs_group_get(tx, rq->mem, rq->who.account, rq->region, out->v[i]))
			return fail(rq, &logs_ResourceNotFoundException,
			            "Log group '%.*s' does not exist for account ID '%.*s' (Service: AWSLogs; Status "
			            "Code: 400; Error Code: ResourceNotFoundException; Request ID: %.*s; Proxy: null)",
			            STR_ARG(out->v[i]), STR_ARG(rq->who.account), STR_ARG(rq->id));
	return OK;
}

static err may_unmask(req *rq, const logs_LogGroupNames *groups)
{
	err e = OK;
	const txn *tx = req_read(rq);
	for (size_t i = 0; i < groups->n && !e && authorise_needed(rq); i++) {
		decision d;
		str arn = arena_concat(rq->mem, group_arn(rq, groups->v[i]), S(":log-stream:"));
		e = authorise(rq, tx, S("logs:Unmask"), arn, NULL, &d);
	}
	req_read_end(rq, tx);
	return e;
}

static err keep(req *rq, txn *tx, void *context)
{
	const logs_query *q = context;
	size_t n = 0;
	record_scan s = logs_queryactive_scan(tx, rq->mem, 2, q->Account, q->Region, STR_NONE);
	while (logs_queryactive_next(&s))
		n++;
	if (n >= LOGS_QUERIES_MAX)
		return fail(rq, &logs_LimitExceededException,
		            "Account maximum query concurrency limit of [%d] reached.", LOGS_QUERIES_MAX);
	str which = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(q->Account), STR_ARG(q->Region), STR_ARG(q->Id));
	logs_query_put(tx, q);
	logs_queryid_put(tx, &(logs_queryid){ q->Account, q->Region, q->Id, q->Created });
	logs_queryactive_put(tx, &(logs_queryactive){ q->Account, q->Region, q->Id });
	timer_set(tx, "logs_query_expire", q->Id, q->Created + KEPT_MS, which);
	task_add(tx, "logs_query", which, 0);
	return OK;
}

static bool ended(req *rq, str id)
{
	const txn *tx = req_read(rq);
	const logs_query *q = query_find(tx, rq->mem, rq->who.account, rq->region, id);
	bool over = !q || !query_goes_on(q);
	req_read_end(rq, tx);
	return over;
}

static int64_t in_ms(int64_t t, int64_t rest) { return t > SECONDS_MAX ? t : t * MS_SECOND + rest; }

err logs_StartQuery(req *rq, const logs_StartQuery_in *in, logs_StartQuery_out *out)
{
	iq_query *parsed;
	logs_LogGroupNames groups = { 0 };
	if (str_is(in->queryLanguage) && !str_eq(in->queryLanguage, logs_QueryLanguage_CWLI))
		return fail(rq, &aws_NotImplemented, "Queries in %.*s are not implemented.",
		            STR_ARG(in->queryLanguage));
	if (in->endTime.v < in->startTime.v)
		return fail(rq, &logs_InvalidParameterException, "End time should not be less than start time.");
	err malformed = iq_parse(rq, in->queryString, rq->now, &parsed);
	const txn *tx = req_read(rq);
	err e = groups_of(rq, tx, in, parsed, &groups);
	req_read_end(rq, tx);
	if (e && !(malformed && parsed->has_source))
		return e;
	TRY(malformed);
	if (parsed->unmasks)
		TRY(may_unmask(rq, &groups));
	out->queryId = rand_uuid(rq->mem);
	logs_query q = { .Account = rq->who.account, .Region = rq->region, .Created = rq->now,
		.Id = out->queryId, .Text = in->queryString, .Groups = groups,
		.Start = in_ms(in->startTime.v, 0), .End = in_ms(in->endTime.v, MS_SECOND - 1),
		.Status = logs_QueryStatus_Scheduled,
		.Limit = in->limit.set ? in->limit.v : (int64_t)parsed->limit };
	TRY(req_write(rq, keep, &q));
	/* A short query is over before its starter asks. */
	for (int64_t end = clock_real() + WAIT_MS; clock_real() < end && !ended(rq, q.Id);)
		clock_sleep_ms(2);
	return OK;
}

err logs_StopQuery(req *rq, txn *tx, const logs_StopQuery_in *in, logs_StopQuery_out *out)
{
	logs_query *q;
	TRY(find(rq, tx, in->queryId, &q));
	if (!query_goes_on(q))
		return fail(rq, &logs_InvalidParameterException, "Query [%.*s] has already ended with status [%.*s].",
		            STR_ARG(q->Id), STR_ARG(q->Status));
	q->Status = logs_QueryStatus_Cancelled;
	logs_query_put(tx, q);
	logs_queryactive_delete(tx, q->Account, q->Region, q->Id);
	out->success = BOOL(true);
	return OK;
}

static err results_page(req *rq, const txn *tx, const logs_GetQueryResults_in *in,
                        logs_GetQueryResults_out *out)
{
	logs_query *q;
	str position;
	int64_t from = 0;
	int64_t most = in->maxItems.set && in->maxItems.v ? in->maxItems.v : RESULTS_PAGE;
	TRY(find(rq, tx, in->queryId, &q));
	if (str_is(in->nextToken) &&
	    (!page_position(rq, in->nextToken, &position) || !str_to_i64(position, &from) || from < 0))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
	out->queryLanguage = logs_QueryLanguage_CWLI;
	out->status = q->Status;
	out->statistics = q->Statistics ? q->Statistics : arena_new(rq->mem, logs_QueryStatistics);
	out->results.v = arena_array(rq->mem, logs_ResultRows, (size_t)most);
	size_t skip = (size_t)(from % QUERY_CHUNK);
	for (int64_t chunk = from / QUERY_CHUNK;; chunk++, skip = 0) {
		const logs_queryrows *r = logs_queryrows_get(tx, rq->mem, q->Account, q->Region, q->Id, chunk);
		for (size_t i = skip; r && i < r->Rows.n; i++) {
			if ((int64_t)out->results.n == most) {
				out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(from + most)));
				return OK;
			}
			out->results.v[out->results.n++] = r->Rows.v[i];
		}
		if (!r || r->Rows.n < QUERY_CHUNK)
			return OK;
	}
}

/* On the pool: ten thousand rows are no work for a loop. */
err logs_GetQueryResults(req *rq, const logs_GetQueryResults_in *in, logs_GetQueryResults_out *out)
{
	const txn *tx = req_read(rq);
	err e = results_page(rq, tx, in, out);
	req_read_end(rq, tx);
	return e;
}

err logs_ListLogGroupsForQuery(req *rq, const txn *tx, const logs_ListLogGroupsForQuery_in *in,
                               logs_ListLogGroupsForQuery_out *out)
{
	logs_query *q;
	if (str_is(in->nextToken))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
	TRY(find(rq, tx, in->queryId, &q));
	out->logGroupIdentifiers.v = arena_array(rq->mem, str, q->Groups.n + 1);
	for (size_t i = 0; i < q->Groups.n; i++)
		out->logGroupIdentifiers.v[out->logGroupIdentifiers.n++] = group_arn(rq, q->Groups.v[i]);
	return OK;
}

static str shown_text(req *rq, const logs_query *q)
{
	str first = q->Text;
	if (str_eq_nocase(str_cut(&first, ' '), S("SOURCE")))
		return q->Text;
	buf b = buf_in(rq->mem, q->Text.n + 256, q->Text.n + 65536);
	buf_put(&b, S("SOURCE "));
	for (size_t i = 0; i < q->Groups.n; i++)
		buf_fmt(&b, "%s\"%.*s\"", i ? ", " : "", STR_ARG(q->Groups.v[i]));
	buf_fmt(&b, " START=%lld END=%lld | ", (long long)q->Start, (long long)q->End);
	buf_put(&b, q->Text);
	return buf_str(&b);
}

static bool looks_through(const logs_query *q, str group)
{
	bool does = !str_is(group);
	for (size_t i = 0; i < q->Groups.n; i++)
		does = does || str_eq(q->Groups.v[i], group);
	return does;
}

/* The last query of a page: queries may have begun in the same millisecond. */
typedef struct position {
	int64_t created;
	str id;
} position;

static err goes_on_behind(req *rq, str token, record_scan *s, position *last)
{
	*last = (position){ .created = INT64_MAX };
	if (!str_is(token))
		return OK;
	str id;
	if (!page_position(rq, token, &id) || !str_to_i64(str_cut(&id, ' '), &last->created) || !str_is(id))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
	last->id = id;
	record_scan_after(s, arena_fmt(rq->mem, "%lld", (long long)last->created + 1));
	return OK;
}

static bool stands_behind(const logs_query *q, const position *last)
{
	return q->Created < last->created || (q->Created == last->created && str_cmp(q->Id, last->id) < 0);
}

err logs_DescribeQueries(req *rq, const txn *tx, const logs_DescribeQueries_in *in,
                         logs_DescribeQueries_out *out)
{
	size_t page = in->maxResults.set ? (size_t)in->maxResults.v : PAGE;
	position last;
	record_scan s = logs_query_scan(tx, rq->mem, 2, rq->who.account, rq->region, 0, STR_NONE);
	record_scan_reverse(&s);
	TRY(goes_on_behind(rq, in->nextToken, &s, &last));
	out->queries.v = arena_array(rq->mem, logs_QueryInfo, page);
	for (logs_query *q; (q = logs_query_next(&s));) {
		if (!stands_behind(q, &last) || !looks_through(q, in->logGroupName) ||
		    (str_is(in->status) && !str_eq(in->status, q->Status)) ||
		    (str_is(in->queryLanguage) && !str_eq(in->queryLanguage, logs_QueryLanguage_CWLI)))
			continue;
		if (out->queries.n >= page) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld %.*s", (long long)last.created,
			                                          STR_ARG(last.id)));
			break;
		}
		last = (position){ q->Created, q->Id };
		out->queries.v[out->queries.n++] = (logs_QueryInfo){ .queryLanguage = logs_QueryLanguage_CWLI,
			.queryId = q->Id, .queryString = shown_text(rq, q), .status = q->Status,
			.createTime = I64(q->Created), .logGroupName = q->Groups.n == 1 ? q->Groups.v[0] : STR_NONE };
	}
	cursor_close(&s.at);
	return OK;
}

TIMER(logs_query_expire)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	logs_query *q = query_find(tx, mem, account, region, rest);
	if (!q)
		return;
	for (int64_t chunk = 0; logs_queryrows_delete(tx, account, region, rest, chunk);)
		chunk++;
	logs_queryactive_delete(tx, account, region, rest);
	logs_queryid_delete(tx, account, region, rest);
	logs_query_delete(tx, account, region, q->Created, rest);
}
