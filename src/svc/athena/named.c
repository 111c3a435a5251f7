/* Statements that are kept: named queries, and prepared ones that EXECUTE runs. */
#include "athena.h"
#include "sys/rand.h"

static err find_named(req *rq, const txn *tx, str id, athena_named **q)
{
	*q = athena_named_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *q ? OK : athena_refused(rq, "NamedQuery %.*s was not found", STR_ARG(id));
}

err athena_CreateNamedQuery(req *rq, txn *tx, const athena_CreateNamedQuery_in *in,
                            athena_CreateNamedQuery_out *out)
{
	athena_workgroup *g;
	/* Not one of a query's. */
	str id = STR_NONE, token = arena_concat(rq->mem, S("named "), in->ClientRequestToken);
	athena_token *t = !str_is(in->ClientRequestToken) ? NULL :
		athena_token_get(tx, rq->mem, rq->who.account, rq->region, token);
	if (t && !str_eq(t->Asked, in->QueryString))
		return athena_refused(rq, "Idempotent parameters do not match");
	if (t) {
		out->NamedQueryId = t->Id;
		return OK;
	}
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	id = rand_uuid(rq->mem);
	athena_NamedQuery it = { .Name = in->Name, .Description = in->Description, .Database = in->Database,
		.QueryString = in->QueryString, .NamedQueryId = id, .WorkGroup = g->Name };
	athena_named_put(tx, &(athena_named){ rq->who.account, rq->region, id, &it });
	if (str_is(in->ClientRequestToken))
		athena_token_put(tx, &(athena_token){ rq->who.account, rq->region, token, id,
			in->QueryString });
	out->NamedQueryId = id;
	return OK;
}

err athena_GetNamedQuery(req *rq, const txn *tx, const athena_GetNamedQuery_in *in,
                         athena_GetNamedQuery_out *out)
{
	athena_named *q;
	TRY(find_named(rq, tx, in->NamedQueryId, &q));
	out->NamedQuery = q->It;
	return OK;
}

err athena_BatchGetNamedQuery(req *rq, const txn *tx, const athena_BatchGetNamedQuery_in *in,
                              athena_BatchGetNamedQuery_out *out)
{
	size_t n = in->NamedQueryIds.n;
	out->NamedQueries.v = arena_array(rq->mem, athena_NamedQuery, n + 1);
	out->UnprocessedNamedQueryIds.v = arena_array(rq->mem, athena_UnprocessedNamedQueryId, n + 1);
	for (size_t i = 0; i < n; i++) {
		athena_named *q;
		err e = find_named(rq, tx, in->NamedQueryIds.v[i], &q);
		if (e)
			out->UnprocessedNamedQueryIds.v[out->UnprocessedNamedQueryIds.n++] =
				(athena_UnprocessedNamedQueryId){ in->NamedQueryIds.v[i], S("INVALID_INPUT"), e->message };
		else
			out->NamedQueries.v[out->NamedQueries.n++] = *q->It;
	}
	return OK;
}

err athena_UpdateNamedQuery(req *rq, txn *tx, const athena_UpdateNamedQuery_in *in,
                            athena_UpdateNamedQuery_out *out)
{
	athena_named *q;
	(void)out;
	TRY(find_named(rq, tx, in->NamedQueryId, &q));
	q->It->Name = in->Name;
	q->It->QueryString = in->QueryString;
	if (str_is(in->Description))
		q->It->Description = in->Description;
	athena_named_put(tx, q);
	return OK;
}

err athena_DeleteNamedQuery(req *rq, txn *tx, const athena_DeleteNamedQuery_in *in,
                            athena_DeleteNamedQuery_out *out)
{
	athena_named *q;
	(void)out;
	TRY(find_named(rq, tx, in->NamedQueryId, &q));
	athena_named_delete(tx, q->Account, q->Region, q->Id);
	return OK;
}

err athena_ListNamedQueries(req *rq, const txn *tx, const athena_ListNamedQueries_in *in,
                            athena_ListNamedQueries_out *out)
{
	athena_workgroup *g;
	str after = STR_NONE;
	size_t most = in->MaxResults.set && in->MaxResults.v ? (size_t)in->MaxResults.v : ATHENA_PAGE;
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return athena_refused(rq, "Invalid NextToken");
	out->NamedQueryIds.v = arena_array(rq->mem, str, most + 1);
	record_scan s = athena_named_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (athena_named *q; (q = athena_named_next(&s));) {
		if (!str_eq(q->It->WorkGroup, g->Name))
			continue;
		if (out->NamedQueryIds.n == most) {
			out->NextToken = page_token(rq, out->NamedQueryIds.v[most - 1]);
			cursor_close(&s.at);
			break;
		}
		out->NamedQueryIds.v[out->NamedQueryIds.n++] = q->Id;
	}
	return OK;
}

static err find_prepared(req *rq, const txn *tx, str group, str name, athena_prepared **p)
{
	athena_workgroup *g;
	TRY(athena_find_workgroup(rq, tx, group, &g));
	*p = athena_prepared_get(tx, rq->mem, rq->who.account, rq->region, g->Name, name);
	if (*p)
		return OK;
	athena_ResourceNotFoundException_error *e = arena_new(rq->mem, athena_ResourceNotFoundException_error);
	e->ResourceName = name;
	return fail_with(rq, &athena_ResourceNotFoundException, e,
	                 "PreparedStatement %.*s was not found in workGroup %.*s", STR_ARG(name), STR_ARG(group));
}

err athena_CreatePreparedStatement(req *rq, txn *tx, const athena_CreatePreparedStatement_in *in,
                                   athena_CreatePreparedStatement_out *out)
{
	athena_workgroup *g;
	(void)out;
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (athena_prepared_get(tx, rq->mem, rq->who.account, rq->region, g->Name, in->StatementName))
		return athena_refused(rq, "Prepared statement %.*s already exists in workGroup %.*s",
		                      STR_ARG(in->StatementName), STR_ARG(g->Name));
	athena_PreparedStatement it = { .StatementName = in->StatementName, .QueryStatement = in->QueryStatement,
		.WorkGroupName = g->Name, .Description = in->Description, .LastModifiedTime = TIME(rq->now) };
	athena_prepared_put(tx, &(athena_prepared){ rq->who.account, rq->region, g->Name, in->StatementName,
		&it });
	return OK;
}

err athena_GetPreparedStatement(req *rq, const txn *tx, const athena_GetPreparedStatement_in *in,
                                athena_GetPreparedStatement_out *out)
{
	athena_prepared *p;
	TRY(find_prepared(rq, tx, in->WorkGroup, in->StatementName, &p));
	out->PreparedStatement = p->It;
	return OK;
}

err athena_UpdatePreparedStatement(req *rq, txn *tx, const athena_UpdatePreparedStatement_in *in,
                                   athena_UpdatePreparedStatement_out *out)
{
	athena_prepared *p;
	(void)out;
	TRY(find_prepared(rq, tx, in->WorkGroup, in->StatementName, &p));
	p->It->QueryStatement = in->QueryStatement;
	if (str_is(in->Description))
		p->It->Description = in->Description;
	p->It->LastModifiedTime = TIME(rq->now);
	athena_prepared_put(tx, p);
	return OK;
}

err athena_DeletePreparedStatement(req *rq, txn *tx, const athena_DeletePreparedStatement_in *in,
                                   athena_DeletePreparedStatement_out *out)
{
	athena_prepared *p;
	(void)out;
	TRY(find_prepared(rq, tx, in->WorkGroup, in->StatementName, &p));
	athena_prepared_delete(tx, p->Account, p->Region, p->WorkGroup, p->Name);
	return OK;
}

err athena_ListPreparedStatements(req *rq, const txn *tx, const athena_ListPreparedStatements_in *in,
                                  athena_ListPreparedStatements_out *out)
{
	athena_workgroup *g;
	str after = STR_NONE;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : ATHENA_PAGE;
	TRY(athena_find_workgroup(rq, tx, in->WorkGroup, &g));
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return athena_refused(rq, "Invalid NextToken");
	athena_PreparedStatementsList *list = &out->PreparedStatements;
	list->v = arena_array(rq->mem, athena_PreparedStatementSummary, most + 1);
	record_scan s = athena_prepared_scan(tx, rq->mem, 3, rq->who.account, rq->region, g->Name, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (athena_prepared *p; (p = athena_prepared_next(&s));) {
		if (list->n == most) {
			out->NextToken = page_token(rq, list->v[most - 1].StatementName);
			cursor_close(&s.at);
			break;
		}
		list->v[list->n++] = (athena_PreparedStatementSummary){ p->Name, p->It->LastModifiedTime };
	}
	return OK;
}
