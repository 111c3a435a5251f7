/* Queries: starting, telling, stopping. */
#include "athena.h"
#include "base/time.h"
#include "run/query.h"
#include "sql.h"
#include "store/due.h"
#include "sys/rand.h"

#define TOKEN_LEAST 32

static const char *const ddl_words[] = { "create", "drop", "alter", "msck", NULL };
static const char *const utility_words[] = { "show", "describe", "desc", NULL };
static const char *const dml_words[] = { "select", "with", "values", "table", "execute", NULL };
static const char *const other_words[] = { "insert", "unload", "explain", "merge", "update", "delete",
	"vacuum",
	"optimize", "prepare", "deallocate", "use", "set", NULL };

static bool among(const sql_token *t, const char *const *words)
{
	for (; *words; words++)
		if (sql_is(t, *words))
			return true;
	return false;
}

/* By its first word. */
static err kind_of(req *rq, str sql, str *type, str *kind)
{
	sql_tokens t;
	size_t at, i = 0;
	if (!sql_read(rq->mem, sql, &t, &at))
		return athena_refused(rq, "%.*s: mismatched input '<EOF>'", STR_ARG(sql_place(rq->mem, sql, at)));
	while (sql_sign(&t.v[i], '('))
		i++;
	const sql_token *k = &t.v[i];
	str word = k->kind == SQL_WORD ? k->text : S("");
	char *upper = arena_bytes(rq->mem, word.n + 1);
	for (size_t c = 0; c < word.n; c++)
		upper[c] = (char)(word.p[c] >= 'a' && word.p[c] <= 'z' ? word.p[c] - 32 : word.p[c]);
	*kind = str_of(upper, word.n);
	if (among(k, other_words))
		return fail(rq, &aws_NotImplemented, "Farthing's Athena does not have the statement %.*s.",
		            STR_ARG(*kind));
	*type = among(k, dml_words) ? athena_StatementType_DML : among(k, utility_words) ?
		athena_StatementType_UTILITY : among(k, ddl_words) ? athena_StatementType_DDL : STR_NONE;
	if (str_is(*type))
		return OK;
	return athena_refused(rq,
		"%.*s: mismatched input '%.*s'. Expecting: 'ALTER', 'CREATE', 'DESCRIBE', 'DROP', "
	                      "'EXECUTE', 'MSCK', 'SELECT', 'SHOW', 'VALUES', 'WITH', <query>",
	                      STR_ARG(sql_place(rq->mem, sql, t.v[i].at)),
	                      STR_ARG(t.v[i].end > t.v[i].at ? str_sub(sql, t.v[i].at, t.v[i].end) : S("<EOF>")));
}

/* Question marks become the values, which are SQL themselves. */
static err with_values(req *rq, str sql, const str *values, size_t n, str *out)
{
	sql_tokens t;
	size_t at, used = 0, done = 0;
	if (!sql_read(rq->mem, sql, &t, &at))
		return athena_refused(rq, "%.*s: mismatched input '<EOF>'", STR_ARG(sql_place(rq->mem, sql, at)));
	buf b = buf_in(rq->mem, sql.n + 256, 1 << 20);
	for (size_t i = 0; i < t.n; i++) {
		if (!sql_sign(&t.v[i], '?'))
			continue;
		if (used < n) {
			buf_put(&b, str_sub(sql, done, t.v[i].at));
			buf_put(&b, values[used]);
			done = t.v[i].end;
		}
		used++;
	}
	if (used != n)
		return athena_refused(rq, "Incorrect number of parameters: expected %zu but found %zu", used, n);
	buf_put(&b, str_sub(sql, done, sql.n));
	*out = buf_str(&b);
	return b.full ? athena_refused(rq, "The query is too long.") : OK;
}

/* EXECUTE name [USING value, ..] */
static err prepared(req *rq, const txn *tx, str group, str sql, str *out)
{
	sql_tokens t;
	size_t at, n = 0;
	str *values;
	if (!sql_read(rq->mem, sql, &t, &at) || !sql_named(&t.v[1]))
		return athena_refused(rq, "line 1:9: mismatched input. Expecting: <identifier>");
	values = arena_array(rq->mem, str, t.n + 1);
	str name = str_sub(sql, t.v[1].at, t.v[1].end);
	athena_prepared *p = athena_prepared_get(tx, rq->mem, rq->who.account, rq->region, group, name);
	if (!p)
		return athena_refused(rq, "PreparedStatement %.*s was not found in workGroup %.*s", STR_ARG(name),
		                      STR_ARG(group));
	if (sql_is(&t.v[2], "using")) {
		size_t from = t.v[2].end;
		for (size_t i = 3; i < t.n; i++) {
			bool last = t.v[i].kind == SQL_END;
			if (!last && !(sql_sign(&t.v[i], ',') && !t.v[i].depth))
				continue;
			values[n++] = str_trim(str_sub(sql, from, t.v[i].at));
			from = t.v[i].end;
		}
	}
	return with_values(rq, p->It->QueryStatement, values, n, out);
}

static err place_of(req *rq, const athena_WorkGroup *g, const athena_StartQueryExecution_in *in,
                    athena_ResultConfiguration *out)
{
	const athena_WorkGroupConfiguration *c = g->Configuration;
	const athena_ResultConfiguration *own = in->ResultConfiguration, *theirs = c->ResultConfiguration;
	bool theirs_set = theirs && theirs->OutputLocation.n, own_set = own && own->OutputLocation.n;
	if (theirs_set && (c->EnforceWorkGroupConfiguration.v || !own_set))
		*out = *theirs;
	else if (own_set)
		*out = *own;
	else
		return athena_refused(rq,
			"No output location provided. An output location is required either through the "
		                      "Workgroup result configuration setting or as an API input.");
	if (!str_starts(out->OutputLocation, S("s3://")) || out->OutputLocation.n < 6 ||
		out->OutputLocation.n > 700)
		return athena_refused(rq, "outputLocation is not a valid S3 path.");
	return OK;
}

static str down(arena *mem, str at, str id, str end)
{
	return arena_fmt(mem, "%.*s%s%.*s%.*s", STR_ARG(at), str_ends(at, S("/")) ? "" : "/", STR_ARG(id),
	                 STR_ARG(end));
}

/* The same token is the same query. */
static err asked_before(req *rq, const txn *tx, const athena_StartQueryExecution_in *in, str *id)
{
	if (!str_is(in->ClientRequestToken))
		return OK;
	if (in->ClientRequestToken.n < TOKEN_LEAST)
		return athena_refused(rq, "ClientRequestToken must have at least 32 characters.");
	athena_token *t = athena_token_get(tx, rq->mem, rq->who.account, rq->region, in->ClientRequestToken);
	if (t && !str_eq(t->Asked, in->QueryString))
		return athena_refused(rq, "Idempotent parameters do not match");
	*id = t ? t->Id : STR_NONE;
	return OK;
}

static err running_now(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = athena_active_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (athena_active_next(&s))
		n++;
	if (n < ATHENA_ACTIVE_MAX)
		return OK;
	athena_TooManyRequestsException_error *e = arena_new(rq->mem, athena_TooManyRequestsException_error);
	e->Reason = athena_ThrottleReason_CONCURRENT_QUERY_LIMIT_EXCEEDED;
	return fail_with(rq, &athena_TooManyRequestsException, e,
	                 "You have exceeded the limit for the number of queries you can run concurrently.");
}

static void keep_query(req *rq, txn *tx, const athena_StartQueryExecution_in *in, athena_query *q)
{
	str place = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(q->Account), STR_ARG(q->Region), STR_ARG(q->Id));
	q->Task = (int64_t)task_add(tx, "athena_query", place, 0);
	athena_query_put(tx, q);
	athena_active_put(tx, &(athena_active){ q->Account, q->Region, q->Id });
	athena_order_put(tx, &(athena_order){ q->Account, q->Region, q->It->WorkGroup, -rq->now, q->Id });
	if (str_is(in->ClientRequestToken))
		athena_token_put(tx, &(athena_token){ q->Account, q->Region, in->ClientRequestToken, q->Id,
			in->QueryString });
}

err athena_StartQueryExecution(req *rq, txn *tx, const athena_StartQueryExecution_in *in,
                               athena_StartQueryExecution_out *out)
{
	athena_workgroup *g;
	athena_ResultConfiguration place = { 0 };
	str sql = in->QueryString, type, kind, id = STR_NONE;
	TRY(asked_before(rq, tx, in, &id));
	if (str_is(id)) {
		out->QueryExecutionId = id;
		return OK;
	}
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (str_eq(g->It->State, athena_WorkGroupState_DISABLED))
		return athena_refused(rq, "WorkGroup %.*s is disabled.", STR_ARG(g->Name));
	if (in->ResultReuseConfiguration && in->ResultReuseConfiguration->ResultReuseByAgeConfiguration &&
	    in->ResultReuseConfiguration->ResultReuseByAgeConfiguration->Enabled.v)
		return fail(rq, &aws_NotImplemented, "Farthing's Athena does not reuse results.");
	TRY(kind_of(rq, sql, &type, &kind));
	if (str_eq(kind, S("EXECUTE"))) {
		TRY(prepared(rq, tx, g->Name, sql, &sql));
		TRY(kind_of(rq, sql, &type, &kind));
	} else if (in->ExecutionParameters.n) {
		TRY(with_values(rq, sql, in->ExecutionParameters.v, in->ExecutionParameters.n, &sql));
	}
	TRY(place_of(rq, g->It, in, &place));
	TRY(running_now(rq, tx));
	if (str_eq(type, athena_StatementType_DML) && !query_possible())
		return athena_refused(rq, "%s", QUERY_ABSENT);
	athena_QueryExecutionContext context = { 0 };
	if (in->QueryExecutionContext)
		context = *in->QueryExecutionContext;
	if (context.Catalog.n && !str_eq_nocase(context.Catalog, S("awsdatacatalog")))
		return athena_refused(rq, "Catalog %.*s does not exist", STR_ARG(context.Catalog));
	athena_QueryExecutionStatus status = { .State = athena_QueryExecutionState_QUEUED,
		.SubmissionDateTime = TIME(rq->now) };
	id = rand_uuid(rq->mem);
	bool dml = str_eq(type, athena_StatementType_DML);
	place.OutputLocation = down(rq->mem, place.OutputLocation, id, dml ? S(".csv") : S(".txt"));
	athena_QueryExecution it = { .QueryExecutionId = id, .Query = sql, .StatementType = type,
		.ResultConfiguration = &place, .QueryExecutionContext = &context, .Status = &status,
		.WorkGroup = g->Name, .EngineVersion = g->It->Configuration->EngineVersion,
		.ExecutionParameters = in->ExecutionParameters, .SubstatementType = kind };
	athena_query q = { .Account = rq->who.account, .Region = rq->region, .Id = id, .It = &it,
		.CallerArn = rq->who.arn, .CallerId = rq->who.user_id, .CallerKey = rq->who.access_key,
		.Root = rq->who.root, .Trace = req_trace(rq),
		.Cutoff = g->It->Configuration->BytesScannedCutoffPerQuery.v };
	keep_query(rq, tx, in, &q);
	out->QueryExecutionId = id;
	return OK;
}

static err find(req *rq, const txn *tx, str id, athena_query **q)
{
	*q = athena_query_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *q ? OK : athena_refused(rq, "QueryExecution %.*s was not found", STR_ARG(id));
}

/* What there is to tell of one that still runs. */
static athena_QueryExecution *shown(req *rq, athena_query *q)
{
	athena_QueryExecution *it = q->It;
	if (it->Statistics)
		return it;
	int64_t since = rq->now - it->Status->SubmissionDateTime.v;
	it->Statistics = arena_new(rq->mem, athena_QueryExecutionStatistics);
	it->Statistics->TotalExecutionTimeInMillis = I64(since > 0 ? since : 0);
	return it;
}

err athena_GetQueryExecution(req *rq, const txn *tx, const athena_GetQueryExecution_in *in,
                             athena_GetQueryExecution_out *out)
{
	athena_query *q;
	TRY(find(rq, tx, in->QueryExecutionId, &q));
	out->QueryExecution = shown(rq, q);
	return OK;
}

err athena_BatchGetQueryExecution(req *rq, const txn *tx, const athena_BatchGetQueryExecution_in *in,
                                  athena_BatchGetQueryExecution_out *out)
{
	size_t n = in->QueryExecutionIds.n;
	out->QueryExecutions.v = arena_array(rq->mem, athena_QueryExecution, n + 1);
	out->UnprocessedQueryExecutionIds.v = arena_array(rq->mem, athena_UnprocessedQueryExecutionId, n + 1);
	for (size_t i = 0; i < n; i++) {
		str id = in->QueryExecutionIds.v[i];
		athena_query *q = athena_query_get(tx, rq->mem, rq->who.account, rq->region, id);
		if (q)
			out->QueryExecutions.v[out->QueryExecutions.n++] = *shown(rq, q);
		else
			out->UnprocessedQueryExecutionIds.v[out->UnprocessedQueryExecutionIds.n++] =
				(athena_UnprocessedQueryExecutionId){ id, S("INVALID_INPUT"),
				arena_fmt(rq->mem, "QueryExecution %.*s was not found", STR_ARG(id)) };
	}
	return OK;
}

err athena_ListQueryExecutions(req *rq, const txn *tx, const athena_ListQueryExecutions_in *in,
                               athena_ListQueryExecutions_out *out)
{
	athena_workgroup *g;
	str after = STR_NONE, last = STR_NONE;
	size_t most = in->MaxResults.set && in->MaxResults.v ? (size_t)in->MaxResults.v : ATHENA_PAGE;
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return athena_refused(rq, "Invalid NextToken");
	out->QueryExecutionIds.v = arena_array(rq->mem, str, most + 1);
	record_scan s = athena_order_scan(tx, rq->mem, 3, rq->who.account, rq->region, g->Name, 0, STR_NONE);
	bool skipping = str_is(after);
	for (athena_order *o; (o = athena_order_next(&s));) {
		if (skipping) {
			skipping = !str_eq(o->Id, after);
			continue;
		}
		if (out->QueryExecutionIds.n == most) {
			out->NextToken = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = o->Id;
		out->QueryExecutionIds.v[out->QueryExecutionIds.n++] = o->Id;
	}
	return OK;
}

/* The task sees it, ends the engine and settles what was read. */
err athena_StopQueryExecution(req *rq, txn *tx, const athena_StopQueryExecution_in *in,
                              athena_StopQueryExecution_out *out)
{
	athena_query *q;
	(void)out;
	TRY(find(rq, tx, in->QueryExecutionId, &q));
	athena_QueryExecutionStatus *st = q->It->Status;
	if (st->CompletionDateTime.set || str_eq(st->State, athena_QueryExecutionState_CANCELLED))
		return OK;
	st->State = athena_QueryExecutionState_CANCELLED;
	st->StateChangeReason = S("Query cancelled by user");
	athena_query_put(tx, q);
	return OK;
}

err athena_GetQueryRuntimeStatistics(req *rq, const txn *tx, const athena_GetQueryRuntimeStatistics_in *in,
                                     athena_GetQueryRuntimeStatistics_out *out)
{
	athena_query *q;
	TRY(find(rq, tx, in->QueryExecutionId, &q));
	athena_QueryRuntimeStatistics *s = out->QueryRuntimeStatistics = arena_new(rq->mem,
		athena_QueryRuntimeStatistics);
	const athena_QueryExecutionStatistics *n = shown(rq, q)->Statistics;
	s->Timeline = arena_new(rq->mem, athena_QueryRuntimeStatisticsTimeline);
	*s->Timeline = (athena_QueryRuntimeStatisticsTimeline){ n->QueryQueueTimeInMillis,
		n->ServicePreProcessingTimeInMillis, n->QueryPlanningTimeInMillis, n->EngineExecutionTimeInMillis,
		n->ServiceProcessingTimeInMillis, n->TotalExecutionTimeInMillis };
	s->Rows = arena_new(rq->mem, athena_QueryRuntimeStatisticsRows);
	s->Rows->InputBytes = n->DataScannedInBytes;
	s->Rows->OutputRows = I64(q->Rows);
	s->Rows->OutputBytes = I64(q->OutputBytes);
	return OK;
}
