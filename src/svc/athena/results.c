/* The rows of an answer, read from its object in S3 a piece at a time. */
#include "athena.h"
#include "cloud/call.h"
#include "gen/s3.h"

#define PIECE_BYTES INT64_C(8388608)

/* One value: in quotes, or nothing at all. false: the piece ends before it does. */
static bool value(arena *mem, str text, size_t *at, athena_Datum *d)
{
	if (*at >= text.n)
		return false;
	if (text.p[*at] != '"')
		return true;
	size_t end = *at + 1, n = 0;
	bool twice = false;
	for (; end < text.n; end++) {
		if (text.p[end] != '"')
			continue;
		if (end + 1 >= text.n)
			return false;
		if (text.p[end + 1] != '"')
			break;
		twice = true;
		end++;
	}
	if (end >= text.n)
		return false;
	d->VarCharValue = str_sub(text, *at + 1, end);
	if (twice) {
		char *out = arena_bytes(mem, end - *at);
		for (size_t i = *at + 1; i < end; i++) {
			out[n++] = text.p[i];
			i += text.p[i] == '"';
		}
		d->VarCharValue = str_of(out, n);
	}
	*at = end + 1;
	return true;
}

static bool csv_row(arena *mem, str text, size_t *at, size_t columns, athena_Row *r)
{
	size_t i = *at;
	r->Data.v = arena_array(mem, athena_Datum, columns + 1);
	for (r->Data.n = 0; r->Data.n < columns; r->Data.n++) {
		if (!value(mem, text, &i, &r->Data.v[r->Data.n]) || i >= text.n)
			return false;
		i++; /* a comma, or the end of the line */
	}
	*at = i;
	return true;
}

static bool line(arena *mem, str text, size_t *at, athena_Row *r)
{
	size_t n = str_find_char(str_sub(text, *at, text.n), '\n');
	if (n == SIZE_MAX)
		return false;
	r->Data = (athena_datumList){ arena_new(mem, athena_Datum), 1 };
	r->Data.v->VarCharValue = str_sub(text, *at, *at + n);
	*at += n + 1;
	return true;
}

static err piece(req *rq, const athena_query *q, int64_t from, str *text)
{
	str rest = str_sub(q->It->ResultConfiguration->OutputLocation, 5, SIZE_MAX), bucket = str_cut(&rest, '/');
	s3_GetObject_in in = { .Bucket = bucket, .Key = rest };
	s3_GetObject_out out = { 0 };
	*text = S("");
	if (from >= q->OutputBytes)
		return OK;
	in.Range = arena_fmt(rq->mem, "bytes=%lld-%lld", (long long)from, (long long)(from + PIECE_BYTES - 1));
	err e = call(rq, NULL, "s3", "GetObject", &in, &out);
	if (e && strcmp(e->kind->name, "NoSuchKey") == 0)
		return athena_refused(rq, "Could not find results");
	*text = out.Body;
	return e ? athena_refused(rq, "%.*s", STR_ARG(e->message)) : OK;
}

static err finished(req *rq, const athena_query *q)
{
	str state = q->It->Status->State;
	if (str_eq(state, athena_QueryExecutionState_SUCCEEDED))
		return OK;
	if (str_eq(state, athena_QueryExecutionState_FAILED) || str_eq(state,
		athena_QueryExecutionState_CANCELLED))
		return athena_refused(rq, "Query did not finish successfully. Final query state: %.*s",
			STR_ARG(state));
	return athena_refused(rq, "Query has not yet finished. Current state: %.*s", STR_ARG(state));
}

err athena_GetQueryResults(req *rq, const athena_GetQueryResults_in *in, athena_GetQueryResults_out *out)
{
	const txn *tx = req_read(rq);
	athena_query *q = athena_query_get(tx, rq->mem, rq->who.account, rq->region, in->QueryExecutionId);
	req_read_end(rq, tx);
	str position = S("0"), text;
	int64_t from = 0;
	size_t at = 0, most = in->MaxResults.set ? (size_t)in->MaxResults.v : ATHENA_ROWS_PAGE;
	if (!q)
		return athena_refused(rq, "QueryExecution %.*s was not found", STR_ARG(in->QueryExecutionId));
	TRY(finished(rq, q));
	if (str_is(in->NextToken) && (!page_position(rq, in->NextToken, &position) || !str_to_i64(position,
		&from)))
		return athena_refused(rq, "Invalid NextToken");
	TRY(piece(rq, q, from, &text));
	athena_ResultSet *set = out->ResultSet = arena_new(rq->mem, athena_ResultSet);
	bool table = str_eq(q->It->StatementType, athena_StatementType_DML);
	set->Rows.v = arena_array(rq->mem, athena_Row, most + 1);
	while (set->Rows.n < most && at < text.n) {
		athena_Row *r = &set->Rows.v[set->Rows.n];
		if (!(table ? csv_row(rq->mem, text, &at, q->Columns.n, r) : line(rq->mem, text, &at, r)))
			break;
		set->Rows.n++;
	}
	if (!set->Rows.n && text.n)
		return athena_refused(rq, "A row of the result has more than 8 MiB: read %.*s from S3.",
		                      STR_ARG(q->It->ResultConfiguration->OutputLocation));
	if (from + (int64_t)at < q->OutputBytes)
		out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(from + (int64_t)at)));
	out->UpdateCount = I64(0);
	set->ResultSetMetadata = arena_new(rq->mem, athena_ResultSetMetadata);
	set->ResultSetMetadata->ColumnInfo = q->Columns;
	if (!q->Columns.v)
		set->ResultSetMetadata->ColumnInfo.v = arena_new(rq->mem, athena_ColumnInfo);
	return OK;
}
