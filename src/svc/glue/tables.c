/* Tables of the catalog. */
#include "glue.h"

err glue_find_table(req *rq, const txn *tx, str database, str name, glue_table **out)
{
	glue_database *d;
	TRY(glue_find_database(rq, tx, database, &d));
	*out = glue_table_get(tx, rq->mem, rq->who.account, rq->region, d->Name, arena_lower(rq->mem, name));
	return *out ? OK : fail(rq, &glue_EntityNotFoundException, "Table %.*s not found.", STR_ARG(name));
}

void glue_drop_table(req *rq, txn *tx, const glue_table *t)
{
	for (;;) {
		record_scan s = glue_partition_scan(tx, rq->mem, 4, t->Account, t->Region, t->Database, t->Name,
		                                    STR_NONE);
		glue_partition *p = glue_partition_next(&s);
		cursor_close(&s.at);
		if (!p)
			break;
		glue_count(rq, tx, p->Database, p->Table, -1);
		glue_partition_delete(tx, p->Account, p->Region, p->Database, p->Table, p->Values);
	}
	glue_count(rq, tx, t->Database, t->Name, -1);
	glue_table_delete(tx, t->Account, t->Region, t->Database, t->Name);
}

static void describe(glue_Table *t, const glue_TableInput *in)
{
	t->Description = in->Description;
	t->Owner = in->Owner;
	t->LastAccessTime = in->LastAccessTime;
	t->LastAnalyzedTime = in->LastAnalyzedTime;
	t->Retention = in->Retention.set ? in->Retention : I64(0);
	t->StorageDescriptor = in->StorageDescriptor;
	t->PartitionKeys = in->PartitionKeys;
	t->ViewOriginalText = in->ViewOriginalText;
	t->ViewExpandedText = in->ViewExpandedText;
	t->TableType = in->TableType;
	t->Parameters = in->Parameters;
	t->TargetTable = in->TargetTable;
}

static err check_table(req *rq, const glue_TableInput *in, const void *open, size_t indexes)
{
	if (open || (in && in->ViewDefinition))
		return fail(rq, &aws_NotImplemented,
		            "Farthing's catalog has no open table formats and no views of several engines.");
	if (indexes)
		return fail(rq, &aws_NotImplemented, "Farthing's catalog has no partition indexes.");
	if (!in)
		return fail(rq, &glue_InvalidInputException, "TableInput is required.");
	return OK;
}

err glue_CreateTable(req *rq, txn *tx, const glue_CreateTable_in *in, glue_CreateTable_out *out)
{
	glue_database *d;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(check_table(rq, in->TableInput, in->OpenTableFormatInput, in->PartitionIndexes.n));
	TRY(glue_find_database(rq, tx, in->DatabaseName, &d));
	str name = arena_lower(rq->mem, in->TableInput->Name);
	if (glue_table_get(tx, rq->mem, rq->who.account, rq->region, d->Name, name))
		return fail(rq, &glue_AlreadyExistsException, "Table already exists.");
	glue_Table it = { .Name = name, .DatabaseName = d->Name, .CreateTime = TIME(rq->now),
		.UpdateTime = TIME(rq->now), .CreatedBy = rq->who.arn, .IsRegisteredWithLakeFormation = BOOL(false),
		.CatalogId = rq->who.account, .VersionId = S("0") };
	describe(&it, in->TableInput);
	glue_table_put(tx, &(glue_table){ rq->who.account, rq->region, d->Name, name, &it });
	glue_count(rq, tx, d->Name, name, 1);
	return OK;
}

err glue_UpdateTable(req *rq, txn *tx, const glue_UpdateTable_in *in, glue_UpdateTable_out *out)
{
	glue_table *t;
	int64_t version = 0;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(check_table(rq, in->TableInput, in->UpdateOpenTableFormatInput, 0));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableInput->Name, &t));
	str_to_i64(t->It->VersionId, &version);
	if (str_is(in->VersionId) && !str_eq(in->VersionId, t->It->VersionId))
		return fail(rq, &glue_ConcurrentModificationException, "Update table failed due to concurrent "
			"modifications.");
	describe(t->It, in->TableInput);
	t->It->UpdateTime = TIME(rq->now);
	t->It->VersionId = arena_fmt(rq->mem, "%lld", (long long)version + 1);
	glue_table_put(tx, t);
	return OK;
}

err glue_GetTable(req *rq, const txn *tx, const glue_GetTable_in *in, glue_GetTable_out *out)
{
	glue_table *t;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->Name, &t));
	out->Table = t->It;
	return OK;
}

err glue_DeleteTable(req *rq, txn *tx, const glue_DeleteTable_in *in, glue_DeleteTable_out *out)
{
	glue_table *t;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->Name, &t));
	glue_drop_table(rq, tx, t);
	return OK;
}

err glue_BatchDeleteTable(req *rq, txn *tx, const glue_BatchDeleteTable_in *in,
	glue_BatchDeleteTable_out *out)
{
	TRY(glue_catalog(rq, in->CatalogId));
	out->Errors.v = arena_array(rq->mem, glue_TableError, in->TablesToDelete.n + 1);
	for (size_t i = 0; i < in->TablesToDelete.n; i++) {
		glue_table *t;
		err e = glue_find_table(rq, tx, in->DatabaseName, in->TablesToDelete.v[i], &t);
		if (!e) {
			glue_drop_table(rq, tx, t);
			continue;
		}
		glue_TableError *w = &out->Errors.v[out->Errors.n++];
		w->TableName = in->TablesToDelete.v[i];
		w->ErrorDetail = arena_new(rq->mem, glue_ErrorDetail);
		*w->ErrorDetail = (glue_ErrorDetail){ str_c(e->kind->name), e->message };
	}
	return OK;
}

/* Glue's pattern: * stands for any text, | for one of several; letters of either case. */
static bool fits(arena *mem, str pattern, str name)
{
	str rest = str_is(pattern) ? arena_lower(mem, pattern) : S("*");
	while (str_is(rest)) {
		str one = str_cut(&rest, '|');
		char *glob = arena_bytes(mem, one.n + 1);
		size_t n = 0;
		for (size_t i = 0; i < one.n; i++)
			if (!(one.p[i] == '.' && i + 1 < one.n && one.p[i + 1] == '*'))
				glob[n++] = one.p[i];
		if (str_glob(str_of(glob, n), name))
			return true;
	}
	return false;
}

err glue_GetTables(req *rq, const txn *tx, const glue_GetTables_in *in, glue_GetTables_out *out)
{
	glue_database *d;
	str after = STR_NONE, last = STR_NONE;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : GLUE_PAGE;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_database(rq, tx, in->DatabaseName, &d));
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &glue_InvalidInputException, "The value of NextToken is not valid.");
	out->TableList.v = arena_array(rq->mem, glue_Table, most + 1);
	record_scan s = glue_table_scan(tx, rq->mem, 3, d->Account, d->Region, d->Name, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	size_t before = arena_used(rq->mem);
	for (glue_table *t; (t = glue_table_next(&s));) {
		bool wanted = fits(rq->mem, in->Expression, t->Name);
		if ((wanted && out->TableList.n == most) ||
		    (str_is(last) && arena_used(rq->mem) - before > GLUE_PAGE_BYTES)) {
			out->NextToken = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = t->Name;
		if (wanted)
			out->TableList.v[out->TableList.n++] = *t->It;
	}
	return OK;
}
