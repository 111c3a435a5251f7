/*
 * The Data API: SQL over HTTP. Each statement outside a transaction has a connection of its own; a
 * transaction keeps one, in memory, until it ends, is idle for three minutes, or the server ends.
 */
#pragma once
#include "cloud/req.h"
#include "gen/rds-data.h"
#include "run/postgres_statement.h"

/* connect.c: who asks for what, resolved. */
typedef struct data_place {
	str resource, secret, database;
} data_place;
/* `connection` lives in rq->mem and is closed by the caller. */
err data_connect(req *rq, const data_place *place, bool unlimited, postgres_client **connection);

/* names.c: `:name` becomes `$1`. Each name once, in order of appearance. */
typedef struct data_sql {
	str text;
	str *names;
	size_t n;
} data_sql;
data_sql data_named(arena *a, str sql);
/* The parameters in that order. */
err data_parameters(req *rq, const data_sql *sql, const rds_data_SqlParametersList *given,
                    postgres_parameter **out);

/* fields.c: results. */
rds_data_Field data_field(arena *a, uint32_t type, str text, const rds_data_ResultSetOptions *o);
rds_data_SqlRecords data_records(arena *a, const postgres_result *r, const rds_data_ResultSetOptions *o);
int64_t data_updated(const postgres_result *r);
/* [{"column":value},..]; columns of the same name are AWS's refusal. */
err data_formatted(req *rq, const postgres_result *r, str *out);
/* metadata.c */
rds_data_Metadata data_metadata(arena *a, postgres_client *c, const postgres_result *r);
/* What PostgreSQL refused, in the Data API's words. */
err data_refused(req *rq, const postgres_result *r);

/* transactions.c */
typedef struct data_transaction data_transaction;
err data_transaction_begin(req *rq, const data_place *place, postgres_client *made, str *id);
/* Locked for the caller until it is given back. */
err data_transaction_take(req *rq, str id, const data_place *place, data_transaction **out);
postgres_client *data_transaction_connection(const data_transaction *t);
void data_transaction_give(data_transaction *t, bool ended);
