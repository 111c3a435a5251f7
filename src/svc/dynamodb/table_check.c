#include "svc/dynamodb/ddb.h"

#define INVALID "One or more parameter values were invalid: "
#define UNITS_MAX INT64_C(1000000000000)

static value_tag type_of(const dynamodb_AttributeDefinitions *defined, str name)
{
	for (size_t i = 0; i < defined->n; i++)
		if (str_eq(defined->v[i].AttributeName, name))
			return value_tag_named(defined->v[i].AttributeType);
	return VALUE_NONE;
}

static str key_names(arena *mem, const dynamodb_KeySchema *keys)
{
	buf b = buf_in(mem, 64, 4096);
	for (size_t i = 0; i < keys->n; i++) {
		if (i)
			buf_put(&b, S(", "));
		buf_put(&b, keys->v[i].AttributeName);
	}
	return buf_str(&b);
}

static str defined_names(arena *mem, const dynamodb_AttributeDefinitions *defined)
{
	buf b = buf_in(mem, 64, 16384);
	for (size_t i = 0; i < defined->n; i++) {
		if (i)
			buf_put(&b, S(", "));
		buf_put(&b, defined->v[i].AttributeName);
	}
	return buf_str(&b);
}

static err check_key_types(req *rq, const dynamodb_KeySchema *keys)
{
	if (keys->n > 2)
		return fail(rq, &aws_ValidationException,
		            "Invalid KeySchema: Only global secondary indexes can have more than one HASH and one "
		            "RANGE key");
	if (keys->n == 2 && str_eq(keys->v[0].AttributeName, keys->v[1].AttributeName))
		return fail(rq, &aws_ValidationException,
		            "Both the Hash Key and the Range Key element in the KeySchema have the same "
		            "name");
	if (!str_eq(keys->v[0].KeyType, S("HASH")))
		return fail(rq, &aws_ValidationException,
		            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	if (keys->n == 2 && !str_eq(keys->v[1].KeyType, S("RANGE")))
		return fail(rq, &aws_ValidationException,
		            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
	return OK;
}

static bool has_duplicate(const dynamodb_KeySchema *keys, str *name)
{
	for (size_t i = 0; i < keys->n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(keys->v[i].AttributeName, keys->v[k].AttributeName)) {
				*name = keys->v[i].AttributeName;
				return true;
			}
	return false;
}

/* A global index's: up to four of each kind, those of the partition first. */
static err check_global_key(req *rq, const dynamodb_KeySchema *keys, size_t hashes)
{
	str twice = STR_NONE;
	bool plain = keys->n <= 2 && hashes <= 1;
	if (plain)
		return check_key_types(rq, keys);
	if (!str_eq(keys->v[0].KeyType, S("HASH")))
		return fail(rq, &aws_ValidationException,
		            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	if (has_duplicate(keys, &twice))
		return fail(rq, &aws_ValidationException, "Attribute Name is duplicated: %.*s", STR_ARG(twice));
	if (hashes > DDB_KEY_PARTS_MAX || keys->n - hashes > DDB_KEY_PARTS_MAX)
		return fail(rq, &aws_ValidationException,
		            INVALID "The KeySchema exceeds the maximum allowed number of %s key attributes",
		            hashes > DDB_KEY_PARTS_MAX ? "HASH" : "RANGE");
	for (size_t i = 1; i < keys->n; i++)
		if (str_eq(keys->v[i].KeyType, S("HASH")) && !str_eq(keys->v[i - 1].KeyType, S("HASH")))
			return fail(rq, &aws_ValidationException,
			            INVALID
			            "All HASH key attributes must precede RANGE key attributes in the KeySchema");
	return OK;
}

err ddb_schema_in(req *rq, const dynamodb_AttributeDefinitions *defined,
                  const dynamodb_KeySchema *keys, bool global, ddb_schema *out)
{
	size_t hashes = 0;
	*out = (ddb_schema){ .n = 0 };
	for (size_t i = 0; i < keys->n; i++) {
		const ddb_attr a = { keys->v[i].AttributeName, type_of(defined, keys->v[i].AttributeName) };
		hashes += str_eq(keys->v[i].KeyType, S("HASH"));
		if (a.type == VALUE_NONE)
			return fail(rq, &aws_ValidationException,
			            INVALID "Some index key attributes are not defined in "
			            "AttributeDefinitions. Keys: [%.*s], AttributeDefinitions: [%.*s]",
			            STR_ARG(key_names(rq->mem, keys)),
			            STR_ARG(defined_names(rq->mem, defined)));
		if (i < 2 * DDB_KEY_PARTS_MAX)
			out->v[out->n++] = a;
	}
	out->hashes = (uint8_t)hashes;
	return global ? check_global_key(rq, keys, hashes) : check_key_types(rq, keys);
}

err ddb_projection_in(req *rq, const dynamodb_Projection *p, ddb_index *out)
{
	if (!str_is(p->ProjectionType))
		return fail(rq, &aws_ValidationException, INVALID "Unknown ProjectionType: null");
	bool include = str_eq(p->ProjectionType, S("INCLUDE"));
	if (p->NonKeyAttributes.v && !include)
		return fail(rq, &aws_ValidationException,
		            INVALID "ProjectionType is %.*s, but NonKeyAttributes is specified",
		            STR_ARG(p->ProjectionType));
	if (!p->NonKeyAttributes.v && include)
		return fail(rq, &aws_ValidationException,
		            INVALID "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
	out->projects = include ? PROJECT_INCLUDE
	                        : str_eq(p->ProjectionType, S("ALL")) ? PROJECT_ALL : PROJECT_KEYS;
	out->include = p->NonKeyAttributes.v;
	out->n_include = p->NonKeyAttributes.n;
	return OK;
}

err ddb_throughput_in(req *rq, bool on_demand, const dynamodb_ProvisionedThroughput *p)
{
	if (on_demand && p)
		return fail(rq, &aws_ValidationException,
		            INVALID
		            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
		            "BillingMode is PAY_PER_REQUEST");
	if (!on_demand && !p)
		return fail(rq, &aws_ValidationException,
		            INVALID "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
		            "BillingMode is PROVISIONED");
	if (p && p->ReadCapacityUnits.v > UNITS_MAX)
		return fail(rq, &aws_ValidationException,
		            "Given value %lld for ReadCapacityUnits is out of bounds",
		            (long long)p->ReadCapacityUnits.v);
	if (p && p->WriteCapacityUnits.v > UNITS_MAX)
		return fail(rq, &aws_ValidationException,
		            "Given value %lld for WriteCapacityUnits is out of bounds",
		            (long long)p->WriteCapacityUnits.v);
	return OK;
}

static err check_index_names(req *rq, const ddb_table *t)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(t->indexes[i].name, t->indexes[k].name))
				return fail(rq, &aws_ValidationException, INVALID "Duplicate index name: %.*s",
				            STR_ARG(t->indexes[i].name));
	return OK;
}

static err local_index(req *rq, const dynamodb_CreateTable_in *in,
                       const dynamodb_LocalSecondaryIndex *given, ddb_table *t)
{
	ddb_index *ix = &t->indexes[t->n_indexes++];
	*ix = (ddb_index){ .id = (uint16_t)t->n_indexes, .name = given->IndexName };
	TRY(ddb_schema_in(rq, &in->AttributeDefinitions, &given->KeySchema, false, &ix->key));
	if (ix->key.n < 2)
		return fail(rq, &aws_ValidationException,
		            INVALID "Index KeySchema does not have a range key for index: %.*s",
		            STR_ARG(ix->name));
	if (!str_eq(ix->key.v[0].name, t->hash.name))
		return fail(rq, &aws_ValidationException,
		            INVALID "Index KeySchema does not have the same leading hash key as table "
		            "KeySchema for index: %.*s. index hash key: %.*s, table hash key: %.*s",
		            STR_ARG(ix->name), STR_ARG(ix->key.v[0].name), STR_ARG(t->hash.name));
	return ddb_projection_in(rq, given->Projection, ix);
}

static err local_indexes(req *rq, const dynamodb_CreateTable_in *in, ddb_table *t)
{
	const dynamodb_LocalSecondaryIndexList *given = &in->LocalSecondaryIndexes;
	if (!given->v)
		return OK;
	if (!given->n)
		return fail(rq, &aws_ValidationException,
		            INVALID "List of LocalSecondaryIndexes is empty");
	if (!str_is(t->range.name))
		return fail(rq, &aws_ValidationException,
		            INVALID "Table KeySchema does not have a range key, which is required when "
		            "specifying a LocalSecondaryIndex");
	if (given->n > DDB_LSI_MAX)
		return fail(rq, &aws_ValidationException,
		            INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
		            DDB_LSI_MAX);
	for (size_t i = 0; i < given->n; i++)
		TRY(local_index(rq, in, &given->v[i], t));
	return check_index_names(rq, t);
}

static err global_index(req *rq, const dynamodb_CreateTable_in *in,
                        const dynamodb_GlobalSecondaryIndex *given, ddb_table *t)
{
	ddb_index *ix = &t->indexes[t->n_indexes++];
	*ix = (ddb_index){ .id = (uint16_t)t->n_indexes, .global = true, .name = given->IndexName };
	TRY(ddb_schema_in(rq, &in->AttributeDefinitions, &given->KeySchema, true, &ix->key));
	TRY(ddb_projection_in(rq, given->Projection, ix));
	if (t->on_demand && given->ProvisionedThroughput)
		return fail(rq, &aws_ValidationException,
		            INVALID "ProvisionedThroughput should not be specified for index: %.*s when "
		            "BillingMode is PAY_PER_REQUEST", STR_ARG(ix->name));
	if (!t->on_demand && !given->ProvisionedThroughput)
		return fail(rq, &aws_ValidationException,
		            INVALID "ProvisionedThroughput must be specified for index: %.*s",
		            STR_ARG(ix->name));
	return OK;
}

static err global_indexes(req *rq, const dynamodb_CreateTable_in *in, ddb_table *t)
{
	const dynamodb_GlobalSecondaryIndexList *given = &in->GlobalSecondaryIndexes;
	if (!given->v)
		return OK;
	if (!given->n)
		return fail(rq, &aws_ValidationException,
		            INVALID "List of GlobalSecondaryIndexes is empty");
	if (given->n > DDB_GSI_MAX)
		return fail(rq, &aws_ValidationException,
		            INVALID "GlobalSecondaryIndex count exceeds the per-table limit of %d",
		            DDB_GSI_MAX);
	for (size_t i = 0; i < given->n; i++)
		TRY(global_index(rq, in, &given->v[i], t));
	return check_index_names(rq, t);
}

static err check_included(req *rq, const ddb_table *t)
{
	size_t included = 0;
	for (size_t i = 0; i < t->n_indexes; i++)
		included += t->indexes[i].n_include;
	if (included > DDB_PROJECTED_MAX)
		return fail(rq, &aws_ValidationException,
		            INVALID
		            "Number of projected attributes in all the indexes exceeds the limit of "
		            "%d",
		            DDB_PROJECTED_MAX);
	return OK;
}

static bool is_some_key(const ddb_table *t, str name)
{
	return ddb_is_key(t, name) || ddb_is_index_key(t, name);
}

static void add_name(buf *b, str name)
{
	if (b->n)
		buf_put(b, S(", "));
	buf_put(b, name);
}

static str used_names(arena *mem, const dynamodb_AttributeDefinitions *defined,
                      const ddb_table *t)
{
	buf b = buf_in(mem, 64, 16384);
	for (size_t i = 0; i < defined->n; i++)
		if (is_some_key(t, defined->v[i].AttributeName))
			add_name(&b, defined->v[i].AttributeName);
	return buf_str(&b);
}

err ddb_defined_used(req *rq, const dynamodb_AttributeDefinitions *defined, const ddb_table *t)
{
	for (size_t i = 0; i < defined->n; i++) {
		if (is_some_key(t, defined->v[i].AttributeName))
			continue;
		if (!t->n_indexes)
			return fail(rq, &aws_ValidationException,
			            INVALID
			            "Number of attributes in KeySchema does not exactly match number of "
			            "attributes defined in AttributeDefinitions");
		return fail(rq, &aws_ValidationException,
		            INVALID "Some AttributeDefinitions are not used. AttributeDefinitions: [%.*s], "
		            "keys used: [%.*s]", STR_ARG(defined_names(rq->mem, defined)),
		            STR_ARG(used_names(rq->mem, defined, t)));
	}
	return OK;
}

static err check_defined_once(req *rq, const dynamodb_AttributeDefinitions *defined)
{
	for (size_t i = 0; i < defined->n; i++) {
		if (defined->v[i].AttributeName.n > 255)
			return fail(rq, &aws_ValidationException,
			            "1 validation error detected: Value '%.*s' at 'attributeDefinitions.%zu."
			            "member.attributeName' failed to satisfy constraint: Member must have "
			            "length less than or equal to 255", STR_ARG(defined->v[i].AttributeName),
			            i + 1);
		for (size_t k = 0; k < i; k++)
			if (str_eq(defined->v[i].AttributeName, defined->v[k].AttributeName))
				return fail(rq, &aws_ValidationException,
				            "Cannot have two attributes with the same name");
	}
	return OK;
}

err ddb_table_in(req *rq, const dynamodb_CreateTable_in *in, ddb_table *out)
{
	ddb_table t = { .account = rq->who.account, .region = rq->region };
	ddb_schema key;
	TRY(ddb_name(rq, in->TableName, &t.name));
	t.arn = req_arn(rq, "dynamodb", "table/%.*s", STR_ARG(t.name));
	t.on_demand = str_eq(in->BillingMode, S("PAY_PER_REQUEST"));
	t.infrequent = str_eq(in->TableClass, S("STANDARD_INFREQUENT_ACCESS"));
	t.indexes = arena_array(rq->mem, ddb_index, DDB_INDEXES_MAX);
	if (!in->KeySchema.v || !in->AttributeDefinitions.v)
		return fail(rq, &aws_ValidationException,
		            "1 validation error detected: Value null at '%s' failed to satisfy constraint: "
		            "Member must not be null",
		            in->KeySchema.v ? "attributeDefinitions" : "keySchema");
	if (in->KeySchema.n > 2)
		return fail(rq, &aws_ValidationException,
		            "1 validation error detected: Value '[%.*s]' at 'keySchema' failed to satisfy "
		            "constraint: Member must have length less than or equal to 2",
		            STR_ARG(key_names(rq->mem, &in->KeySchema)));
	TRY(ddb_throughput_in(rq, t.on_demand, in->ProvisionedThroughput));
	TRY(check_defined_once(rq, &in->AttributeDefinitions));
	if (in->KeySchema.n > in->AttributeDefinitions.n)
		return fail(rq, &aws_ValidationException,
		            "Invalid KeySchema: Some index key attribute have no definition");
	TRY(ddb_schema_in(rq, &in->AttributeDefinitions, &in->KeySchema, false, &key));
	t.hash = key.v[0];
	if (key.n > 1)
		t.range = key.v[1];
	TRY(local_indexes(rq, in, &t));
	TRY(global_indexes(rq, in, &t));
	TRY(check_included(rq, &t));
	TRY(ddb_defined_used(rq, &in->AttributeDefinitions, &t));
	*out = t;
	return OK;
}
