/* The catalog as Athena tells it: the only one is Glue's. */
#include "athena.h"
#include "cloud/call.h"
#include "gen/glue.h"

#define OURS "AwsDataCatalog"

static err only(req *rq, str catalog)
{
	if (str_eq_nocase(catalog, S(OURS)))
		return OK;
	return athena_refused(rq, "Data catalog %.*s was not found", STR_ARG(catalog));
}

/* What Glue refuses is a fault of the metadata here. */
static err told(req *rq, err e)
{
	if (!e || e->kind == &aws_AccessDenied)
		return e;
	athena_MetadataException_error *detail = arena_new(rq->mem, athena_MetadataException_error);
	return fail_with(rq, &athena_MetadataException, detail, "%s: %.*s", e->kind->name, STR_ARG(e->message));
}

err athena_GetDataCatalog(req *rq, const txn *tx, const athena_GetDataCatalog_in *in,
                          athena_GetDataCatalog_out *out)
{
	(void)tx;
	TRY(only(rq, in->Name));
	athena_DataCatalog *c = out->DataCatalog = arena_new(rq->mem, athena_DataCatalog);
	c->Name = S(OURS);
	c->Type = athena_DataCatalogType_GLUE;
	c->Parameters.v = arena_new(rq->mem, athena_ParametersMap_entry);
	c->Parameters.v[c->Parameters.n++] = (athena_ParametersMap_entry){ S("catalog-id"), rq->who.account };
	return OK;
}

err athena_ListDataCatalogs(req *rq, const txn *tx, const athena_ListDataCatalogs_in *in,
                            athena_ListDataCatalogs_out *out)
{
	(void)tx, (void)in;
	out->DataCatalogsSummary.v = arena_new(rq->mem, athena_DataCatalogSummary);
	out->DataCatalogsSummary.n = 1;
	out->DataCatalogsSummary.v[0] = (athena_DataCatalogSummary){ .CatalogName = S(OURS),
		.Type = athena_DataCatalogType_GLUE };
	return OK;
}

static athena_ParametersMap parameters(req *rq, const glue_ParametersMap *m)
{
	athena_ParametersMap out = { arena_array(rq->mem, athena_ParametersMap_entry, m->n + 1), m->n };
	for (size_t i = 0; i < m->n; i++)
		out.v[i] = (athena_ParametersMap_entry){ m->v[i].key, m->v[i].value };
	return out;
}

static athena_Database database(req *rq, const glue_Database *d)
{
	athena_Database out = { .Name = d->Name, .Description = d->Description };
	if (d->Parameters.n)
		out.Parameters = parameters(rq, &d->Parameters);
	return out;
}

err athena_GetDatabase(req *rq, const txn *tx, const athena_GetDatabase_in *in, athena_GetDatabase_out *out)
{
	glue_GetDatabase_in ask = { .Name = in->DatabaseName };
	glue_GetDatabase_out got = { 0 };
	TRY(only(rq, in->CatalogName));
	TRY(told(rq, call_read(rq, tx, "glue", "GetDatabase", &ask, &got)));
	out->Database = arena_new(rq->mem, athena_Database);
	*out->Database = database(rq, got.Database);
	return OK;
}

err athena_ListDatabases(req *rq, const txn *tx, const athena_ListDatabases_in *in,
                         athena_ListDatabases_out *out)
{
	glue_GetDatabases_in ask = { .MaxResults = I64(in->MaxResults.set ? in->MaxResults.v : ATHENA_PAGE),
		.NextToken = in->NextToken };
	glue_GetDatabases_out got = { 0 };
	TRY(only(rq, in->CatalogName));
	TRY(told(rq, call_read(rq, tx, "glue", "GetDatabases", &ask, &got)));
	out->DatabaseList.v = arena_array(rq->mem, athena_Database, got.DatabaseList.n + 1);
	for (size_t i = 0; i < got.DatabaseList.n; i++)
		out->DatabaseList.v[out->DatabaseList.n++] = database(rq, &got.DatabaseList.v[i]);
	out->NextToken = got.NextToken;
	return OK;
}

static athena_ColumnList columns(req *rq, const glue_ColumnList *c)
{
	athena_ColumnList out = { arena_array(rq->mem, athena_Column, c->n + 1), c->n };
	for (size_t i = 0; i < c->n; i++)
		out.v[i] = (athena_Column){ .Name = c->v[i].Name, .Type = c->v[i].Type, .Comment = c->v[i].Comment };
	return out;
}

static void add(athena_ParametersMap *m, str key, str value)
{
	if (str_is(value))
		m->v[m->n++] = (athena_ParametersMap_entry){ key, value };
}

/* The storage's particulars stand among the parameters. */
static athena_TableMetadata table(req *rq, const glue_Table *t)
{
	const glue_StorageDescriptor *s = t->StorageDescriptor;
	athena_TableMetadata out = { .Name = t->Name, .CreateTime = t->CreateTime,
		.LastAccessTime = t->LastAccessTime, .TableType = t->TableType };
	out.PartitionKeys = columns(rq, &t->PartitionKeys);
	size_t more = s && s->SerdeInfo ? s->SerdeInfo->Parameters.n : 0, own = t->Parameters.n;
	out.Parameters.v = arena_array(rq->mem, athena_ParametersMap_entry, own + more + 5);
	for (size_t i = 0; i < own; i++)
		add(&out.Parameters, t->Parameters.v[i].key, t->Parameters.v[i].value);
	if (!s)
		return out;
	out.Columns = columns(rq, &s->Columns);
	add(&out.Parameters, S("inputformat"), s->InputFormat);
	add(&out.Parameters, S("location"), s->Location);
	add(&out.Parameters, S("outputformat"), s->OutputFormat);
	if (s->SerdeInfo)
		add(&out.Parameters, S("serde.serialization.lib"), s->SerdeInfo->SerializationLibrary);
	for (size_t i = 0; i < more; i++)
		add(&out.Parameters, arena_concat(rq->mem, S("serde.param."), s->SerdeInfo->Parameters.v[i].key),
		    s->SerdeInfo->Parameters.v[i].value);
	return out;
}

err athena_GetTableMetadata(req *rq, const txn *tx, const athena_GetTableMetadata_in *in,
                            athena_GetTableMetadata_out *out)
{
	glue_GetTable_in ask = { .DatabaseName = in->DatabaseName, .Name = in->TableName };
	glue_GetTable_out got = { 0 };
	TRY(only(rq, in->CatalogName));
	TRY(told(rq, call_read(rq, tx, "glue", "GetTable", &ask, &got)));
	out->TableMetadata = arena_new(rq->mem, athena_TableMetadata);
	*out->TableMetadata = table(rq, got.Table);
	return OK;
}

err athena_ListTableMetadata(req *rq, const txn *tx, const athena_ListTableMetadata_in *in,
                             athena_ListTableMetadata_out *out)
{
	glue_GetTables_in ask = { .DatabaseName = in->DatabaseName, .Expression = in->Expression,
		.NextToken = in->NextToken, .MaxResults = I64(in->MaxResults.set ? in->MaxResults.v : ATHENA_PAGE) };
	glue_GetTables_out got = { 0 };
	TRY(only(rq, in->CatalogName));
	TRY(told(rq, call_read(rq, tx, "glue", "GetTables", &ask, &got)));
	out->TableMetadataList.v = arena_array(rq->mem, athena_TableMetadata, got.TableList.n + 1);
	for (size_t i = 0; i < got.TableList.n; i++)
		out->TableMetadataList.v[out->TableMetadataList.n++] = table(rq, &got.TableList.v[i]);
	out->NextToken = got.NextToken;
	return OK;
}
