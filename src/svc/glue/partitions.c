/* Partitions of tables: the values of the partition keys, and where the objects lie that have them. */
#include "glue.h"

/* The values behind one another, each with a byte that no value has. */
static err key_of(req *rq, const glue_table *t, const glue_ValueStringList *values, str *key)
{
	buf b = buf_in(rq->mem, 128, GLUE_KEY_BYTES);
	if (values->n != t->It->PartitionKeys.n)
		return fail(rq, &glue_InvalidInputException,
		            "The number of partition keys do not match the number of partition values");
	for (size_t i = 0; i < values->n; i++) {
		if (memchr(values->v[i].p, 1, values->v[i].n))
			return fail(rq, &glue_InvalidInputException, "A partition's value has a control character.");
		buf_put(&b, values->v[i]);
		buf_c(&b, 1);
	}
	*key = buf_str(&b);
	return b.full ? fail(rq, &glue_InvalidInputException, "The partition's values are too long.") : OK;
}

static glue_partition *get(req *rq, const txn *tx, const glue_table *t, str key)
{
	return glue_partition_get(tx, rq->mem, t->Account, t->Region, t->Database, t->Name, key);
}

static err put(req *rq, txn *tx, const glue_table *t, const glue_PartitionInput *in, int64_t made)
{
	str key;
	TRY(key_of(rq, t, &in->Values, &key));
	glue_Partition it = { .Values = in->Values, .DatabaseName = t->Database, .TableName = t->Name,
		.CreationTime = TIME(made), .LastAccessTime = in->LastAccessTime,
		.StorageDescriptor = in->StorageDescriptor, .Parameters = in->Parameters,
		.LastAnalyzedTime = in->LastAnalyzedTime, .CatalogId = t->Account };
	glue_partition_put(tx, &(glue_partition){ t->Account, t->Region, t->Database, t->Name, key, &it });
	return OK;
}

static err create(req *rq, txn *tx, const glue_table *t, const glue_PartitionInput *in)
{
	str key;
	TRY(key_of(rq, t, &in->Values, &key));
	if (get(rq, tx, t, key))
		return fail(rq, &glue_AlreadyExistsException, "Partition already exists.");
	glue_count(rq, tx, t->Database, t->Name, 1);
	return put(rq, tx, t, in, rq->now);
}

err glue_CreatePartition(req *rq, txn *tx, const glue_CreatePartition_in *in, glue_CreatePartition_out *out)
{
	glue_table *t;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	return create(rq, tx, t, in->PartitionInput);
}

err glue_BatchCreatePartition(req *rq, txn *tx, const glue_BatchCreatePartition_in *in,
                              glue_BatchCreatePartition_out *out)
{
	glue_table *t;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	out->Errors.v = arena_array(rq->mem, glue_PartitionError, in->PartitionInputList.n + 1);
	for (size_t i = 0; i < in->PartitionInputList.n; i++) {
		err e = create(rq, tx, t, &in->PartitionInputList.v[i]);
		if (!e)
			continue;
		glue_PartitionError *w = &out->Errors.v[out->Errors.n++];
		w->PartitionValues = in->PartitionInputList.v[i].Values;
		w->ErrorDetail = arena_new(rq->mem, glue_ErrorDetail);
		*w->ErrorDetail = (glue_ErrorDetail){ str_c(e->kind->name), e->message };
	}
	return OK;
}

static err find(req *rq, const txn *tx, const glue_table *t, const glue_ValueStringList *values,
                glue_partition **out)
{
	str key;
	TRY(key_of(rq, t, values, &key));
	*out = get(rq, tx, t, key);
	return *out ? OK : fail(rq, &glue_EntityNotFoundException, "Cannot find partition.");
}

err glue_GetPartition(req *rq, const txn *tx, const glue_GetPartition_in *in, glue_GetPartition_out *out)
{
	glue_table *t;
	glue_partition *p;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	TRY(find(rq, tx, t, &in->PartitionValues, &p));
	out->Partition = p->It;
	return OK;
}

err glue_UpdatePartition(req *rq, txn *tx, const glue_UpdatePartition_in *in, glue_UpdatePartition_out *out)
{
	glue_table *t;
	glue_partition *p;
	str key;
	glue_ValueStringList values = { in->PartitionValueList.v, in->PartitionValueList.n };
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	TRY(find(rq, tx, t, &values, &p));
	TRY(key_of(rq, t, &in->PartitionInput->Values, &key));
	if (!str_eq(key, p->Values) && get(rq, tx, t, key))
		return fail(rq, &glue_AlreadyExistsException, "Partition already exists.");
	glue_partition_delete(tx, p->Account, p->Region, p->Database, p->Table, p->Values);
	return put(rq, tx, t, in->PartitionInput, p->It->CreationTime.v);
}

err glue_DeletePartition(req *rq, txn *tx, const glue_DeletePartition_in *in, glue_DeletePartition_out *out)
{
	glue_table *t;
	glue_partition *p;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	TRY(find(rq, tx, t, &in->PartitionValues, &p));
	glue_partition_delete(tx, p->Account, p->Region, p->Database, p->Table, p->Values);
	glue_count(rq, tx, t->Database, t->Name, -1);
	return OK;
}

err glue_GetPartitions(req *rq, const txn *tx, const glue_GetPartitions_in *in, glue_GetPartitions_out *out)
{
	glue_table *t;
	str after = STR_NONE, last = STR_NONE;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : GLUE_PAGE;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	if (in->Expression.n || in->Segment)
		return fail(rq, &aws_NotImplemented,
		            "Farthing's GetPartitions has neither expressions nor segments: it lists all.");
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &glue_InvalidInputException, "The value of NextToken is not valid.");
	out->Partitions.v = arena_array(rq->mem, glue_Partition, most + 1);
	record_scan s = glue_partition_scan(tx, rq->mem, 4, t->Account, t->Region, t->Database, t->Name,
		STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	size_t before = arena_used(rq->mem);
	for (glue_partition *p; (p = glue_partition_next(&s));) {
		if (out->Partitions.n == most || (str_is(last) && arena_used(rq->mem) - before > GLUE_PAGE_BYTES)) {
			out->NextToken = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = p->Values;
		out->Partitions.v[out->Partitions.n++] = *p->It;
	}
	return OK;
}

/* There are none. */
err glue_GetPartitionIndexes(req *rq, const txn *tx, const glue_GetPartitionIndexes_in *in,
                             glue_GetPartitionIndexes_out *out)
{
	glue_table *t;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_table(rq, tx, in->DatabaseName, in->TableName, &t));
	out->PartitionIndexDescriptorList.v = arena_new(rq->mem, glue_PartitionIndexDescriptor);
	return OK;
}
