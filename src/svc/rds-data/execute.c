#include "data.h"

static data_place place_of(str resource, str secret, str database)
{
	return (data_place){ resource, secret, database };
}

err data_refused(req *rq, const postgres_result *r)
{
	if (str_eq(r->code, S("57014")))
		return fail(rq, &rds_data_StatementTimeoutException, "Request timed out");
	return fail(rq, &rds_data_DatabaseErrorException, "%.*s%s%.*s; SQLState: %.*s", STR_ARG(r->message),
	            str_is(r->position) ? "\n  Position: " : "",
	            STR_ARG(str_is(r->position) ? r->position : S("")), STR_ARG(r->code));
}

/* A connection, with the transaction that it belongs to. */
typedef struct session {
	postgres_client *c;
	data_transaction *t;
	bool lost;
} session;

static err open_session(req *rq, const data_place *place, str transaction, bool unlimited, session *s)
{
	*s = (session){ 0 };
	if (str_empty(transaction))
		return data_connect(rq, place, unlimited, &s->c);
	TRY(data_transaction_take(rq, transaction, place, &s->t));
	s->c = data_transaction_connection(s->t);
	return OK;
}

static void close_session(session *s)
{
	if (s->t)
		data_transaction_give(s->t, s->lost);
	else
		postgres_close(s->c);
}

static err run(req *rq, session *s, str sql, const postgres_parameter *p, size_t n, postgres_result *r)
{
	err e = postgres_execute(rq->mem, s->c, sql, p, n, DATA_ANSWER_MAX, r);
	s->lost = r->timed_out;
	if (e && s->t)
		return fail(rq, &rds_data_TransactionNotFoundException,
		            "The transaction has ended: its connection was closed.");
	if (e)
		return fail(rq, &rds_data_StatementTimeoutException, "Request timed out");
	if (!str_empty(r->message))
		return data_refused(rq, r);
	if (r->too_large)
		return fail(rq, &rds_data_BadRequestException,
		            "Database returned more than the allowed response size limit");
	return OK;
}

static err answer(req *rq, session *s, const rds_data_ExecuteStatement_in *in,
                  rds_data_ExecuteStatement_out *out)
{
	postgres_parameter *p;
	postgres_result r;
	data_sql sql = data_named(rq->mem, in->sql);
	TRY(data_parameters(rq, &sql, &in->parameters, &p));
	TRY(run(rq, s, sql.text, p, sql.n, &r));
	out->numberOfRecordsUpdated = I64(data_updated(&r));
	out->generatedFields.v = arena_new(rq->mem, rds_data_Field);
	if (str_eq(in->formatRecordsAs, rds_data_RecordsFormatType_JSON)) {
		if (r.n_columns)
			TRY(data_formatted(rq, &r, &out->formattedRecords));
		return OK;
	}
	if (r.n_columns)
		out->records = data_records(rq->mem, &r, in->resultSetOptions);
	if (in->includeResultMetadata.set && in->includeResultMetadata.v)
		out->columnMetadata = data_metadata(rq->mem, s->c, &r);
	return OK;
}

err rds_data_ExecuteStatement(req *rq, const rds_data_ExecuteStatement_in *in,
                              rds_data_ExecuteStatement_out *out)
{
	session s;
	data_place place = place_of(in->resourceArn, in->secretArn, in->database);
	bool unlimited = in->continueAfterTimeout.set && in->continueAfterTimeout.v;
	TRY(open_session(rq, &place, in->transactionId, unlimited, &s));
	err e = answer(rq, &s, in, out);
	close_session(&s);
	return e;
}

static err batch(req *rq, session *s, const rds_data_BatchExecuteStatement_in *in,
                 rds_data_BatchExecuteStatement_out *out)
{
	postgres_parameter *p;
	postgres_result r;
	data_sql sql = data_named(rq->mem, in->sql);
	rds_data_SqlParametersList none = { 0 };
	size_t n = in->parameterSets.n;
	out->updateResults.v = arena_array(rq->mem, rds_data_UpdateResult, n + 1);
	if (!s->t)
		TRY(run(rq, s, S("begin"), NULL, 0, &r));
	for (size_t k = 0; k < (n ? n : 1); k++) {
		TRY(data_parameters(rq, &sql, n ? &in->parameterSets.v[k] : &none, &p));
		TRY(run(rq, s, sql.text, p, sql.n, &r));
		if (n)
			out->updateResults.v[out->updateResults.n++].generatedFields.v =
				arena_new(rq->mem, rds_data_Field);
	}
	return s->t ? OK : run(rq, s, S("commit"), NULL, 0, &r);
}

/* All of them or none, where no transaction is given. */
err rds_data_BatchExecuteStatement(req *rq, const rds_data_BatchExecuteStatement_in *in,
                                   rds_data_BatchExecuteStatement_out *out)
{
	session s;
	data_place place = place_of(in->resourceArn, in->secretArn, in->database);
	TRY(open_session(rq, &place, in->transactionId, false, &s));
	err e = batch(rq, &s, in, out);
	close_session(&s);
	return e;
}

err rds_data_BeginTransaction(req *rq, const rds_data_BeginTransaction_in *in,
                              rds_data_BeginTransaction_out *out)
{
	session s;
	postgres_result r;
	data_place place = place_of(in->resourceArn, in->secretArn, in->database);
	TRY(open_session(rq, &place, STR_NONE, false, &s));
	err e =
		run(rq, &s, arena_fmt(rq->mem, "set idle_in_transaction_session_timeout = '%ds'", DATA_IDLE_SECONDS),
	        NULL, 0, &r);
	if (!e)
		e = run(rq, &s, S("begin"), NULL, 0, &r);
	if (e) {
		close_session(&s);
		return e;
	}
	return data_transaction_begin(rq, &place, s.c, &out->transactionId);
}

static err finish(req *rq, str resource, str secret, str id, str sql, bool *committed)
{
	session s;
	postgres_result r;
	data_place place = place_of(resource, secret, STR_NONE);
	TRY(open_session(rq, &place, id, false, &s));
	err e = run(rq, &s, sql, NULL, 0, &r);
	*committed = !e && str_eq(r.tag, S("COMMIT"));
	data_transaction_give(s.t, true);
	return e;
}

err rds_data_CommitTransaction(req *rq, const rds_data_CommitTransaction_in *in,
                               rds_data_CommitTransaction_out *out)
{
	bool committed;
	TRY(finish(rq, in->resourceArn, in->secretArn, in->transactionId, S("commit"), &committed));
	if (!committed)
		return fail(rq, &rds_data_DatabaseErrorException,
		            "The transaction had failed and was rolled back; SQLState: 25P02");
	out->transactionStatus = S("Transaction Committed");
	return OK;
}

err rds_data_RollbackTransaction(req *rq, const rds_data_RollbackTransaction_in *in,
                                 rds_data_RollbackTransaction_out *out)
{
	bool committed;
	TRY(finish(rq, in->resourceArn, in->secretArn, in->transactionId, S("rollback"), &committed));
	out->transactionStatus = S("Rollback Complete");
	return OK;
}
