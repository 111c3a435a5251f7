/* Databases of the catalog, and their tags. */
#include "glue.h"
#include "cloud/authorise.h"
#include "cloud/meter.h"

static const tag_rules rules = {
	.most = 50,
	.too_many = { &glue_InvalidInputException, "The request contains too many tags: the most are 50." },
	.reserved = { &glue_InvalidInputException, "Tag keys that begin with aws: are reserved." },
};

err glue_catalog(req *rq, str catalog_id)
{
	meter_one(rq, &GLUE_REQUESTS, S("catalog"));
	if (!str_is(catalog_id) || str_eq(catalog_id, rq->who.account))
		return OK;
	return fail(rq, &glue_EntityNotFoundException, "Catalog %.*s not found.", STR_ARG(catalog_id));
}

void glue_count(req *rq, txn *tx, str database, str table, int objects)
{
	str arn = str_empty(table) ? req_arn(rq, "glue", "database/%.*s", STR_ARG(database)) :
		req_arn(rq, "glue", "table/%.*s/%.*s", STR_ARG(database), STR_ARG(table));
	resident_add(tx, rq->who.account, rq->region, rq->now, &GLUE_OBJECTS, arn, QTY(objects));
}

err glue_find_database(req *rq, const txn *tx, str name, glue_database **out)
{
	*out = glue_database_get(tx, rq->mem, rq->who.account, rq->region, arena_lower(rq->mem, name));
	return *out ? OK : fail(rq, &glue_EntityNotFoundException, "Database %.*s not found.", STR_ARG(name));
}

/* Everything that a client says of a database. */
static void describe(glue_Database *d, const glue_DatabaseInput *in)
{
	d->Description = in->Description;
	d->LocationUri = in->LocationUri;
	d->Parameters = in->Parameters;
	d->CreateTableDefaultPermissions = in->CreateTableDefaultPermissions;
	d->TargetDatabase = in->TargetDatabase;
	d->FederatedDatabase = in->FederatedDatabase;
}

/* As Lake Formation leaves it when nobody set anything. */
static void everybody(req *rq, glue_Database *d)
{
	if (d->CreateTableDefaultPermissions.v)
		return;
	glue_PrincipalPermissions *p = arena_new(rq->mem, glue_PrincipalPermissions);
	p->Principal = arena_new(rq->mem, glue_DataLakePrincipal);
	p->Principal->DataLakePrincipalIdentifier = S("IAM_ALLOWED_PRINCIPALS");
	p->Permissions.v = arena_new(rq->mem, str);
	p->Permissions.v[p->Permissions.n++] = S("ALL");
	d->CreateTableDefaultPermissions = (glue_PrincipalPermissionsList){ p, 1 };
}

err glue_CreateDatabase(req *rq, txn *tx, const glue_CreateDatabase_in *in, glue_CreateDatabase_out *out)
{
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	str name = arena_lower(rq->mem, in->DatabaseInput->Name);
	if (glue_database_get(tx, rq->mem, rq->who.account, rq->region, name))
		return fail(rq, &glue_AlreadyExistsException, "Database already exists.");
	glue_Database it = { .Name = name, .CreateTime = TIME(rq->now), .CatalogId = rq->who.account };
	glue_database d = { .Account = rq->who.account, .Region = rq->region, .Name = name, .It = &it };
	describe(&it, in->DatabaseInput);
	everybody(rq, &it);
	TRY(tags_add(rq, &rules, TAGS(&d.Tags, key), TAGS(&in->Tags, key)));
	glue_database_put(tx, &d);
	glue_count(rq, tx, name, S(""), 1);
	return OK;
}

err glue_GetDatabase(req *rq, const txn *tx, const glue_GetDatabase_in *in, glue_GetDatabase_out *out)
{
	glue_database *d;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_database(rq, tx, in->Name, &d));
	out->Database = d->It;
	return OK;
}

err glue_UpdateDatabase(req *rq, txn *tx, const glue_UpdateDatabase_in *in, glue_UpdateDatabase_out *out)
{
	glue_database *d;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_database(rq, tx, in->Name, &d));
	if (!str_eq_nocase(in->DatabaseInput->Name, in->Name))
		return fail(rq, &glue_InvalidInputException, "The name of a database cannot be changed.");
	describe(d->It, in->DatabaseInput);
	everybody(rq, d->It);
	glue_database_put(tx, d);
	return OK;
}

err glue_DeleteDatabase(req *rq, txn *tx, const glue_DeleteDatabase_in *in, glue_DeleteDatabase_out *out)
{
	glue_database *d;
	(void)out;
	TRY(glue_catalog(rq, in->CatalogId));
	TRY(glue_find_database(rq, tx, in->Name, &d));
	for (;;) {
		record_scan s = glue_table_scan(tx, rq->mem, 3, d->Account, d->Region, d->Name, STR_NONE);
		glue_table *t = glue_table_next(&s);
		cursor_close(&s.at);
		if (!t)
			break;
		glue_drop_table(rq, tx, t);
	}
	glue_count(rq, tx, d->Name, S(""), -1);
	glue_database_delete(tx, d->Account, d->Region, d->Name);
	return OK;
}

err glue_GetDatabases(req *rq, const txn *tx, const glue_GetDatabases_in *in, glue_GetDatabases_out *out)
{
	str after = STR_NONE;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : GLUE_PAGE;
	TRY(glue_catalog(rq, in->CatalogId));
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &glue_InvalidInputException, "The value of NextToken is not valid.");
	out->DatabaseList.v = arena_array(rq->mem, glue_Database, most + 1);
	record_scan s = glue_database_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	size_t before = arena_used(rq->mem);
	for (glue_database *d; (d = glue_database_next(&s));) {
		size_t n = out->DatabaseList.n;
		if (n == most || (n && arena_used(rq->mem) - before > GLUE_PAGE_BYTES)) {
			out->NextToken = page_token(rq, out->DatabaseList.v[n - 1].Name);
			cursor_close(&s.at);
			break;
		}
		out->DatabaseList.v[out->DatabaseList.n++] = *d->It;
	}
	return OK;
}

/* arn:aws:glue:REGION:ACCOUNT:database/NAME */
static glue_database *tagged(const txn *tx, arena *mem, str arn)
{
	str part[5], rest = arn;
	for (size_t i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	if (!str_starts(rest, S("database/")))
		return NULL;
	return glue_database_get(tx, mem, part[4], part[3], str_sub(rest, 9, rest.n));
}

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	glue_database *d = tagged(tx, mem, arn);
	return d ? RESOURCE_TAG_KEYS(mem, d->Tags, key, value) : NULL;
}
RESOURCE_TAGS(glue, tags_of);

static err find_tagged(req *rq, const txn *tx, str arn, glue_database **d)
{
	*d = tagged(tx, rq->mem, arn);
	if (*d && str_eq((*d)->Account, rq->who.account) && str_eq((*d)->Region, rq->region))
		return OK;
	return fail(rq, &glue_EntityNotFoundException, "Entity not found");
}

err glue_TagResource(req *rq, txn *tx, const glue_TagResource_in *in, glue_TagResource_out *out)
{
	glue_database *d;
	(void)out;
	TRY(find_tagged(rq, tx, in->ResourceArn, &d));
	TRY(tags_add(rq, &rules, TAGS(&d->Tags, key), TAGS(&in->TagsToAdd, key)));
	glue_database_put(tx, d);
	return OK;
}

err glue_UntagResource(req *rq, txn *tx, const glue_UntagResource_in *in, glue_UntagResource_out *out)
{
	glue_database *d;
	(void)out;
	TRY(find_tagged(rq, tx, in->ResourceArn, &d));
	tags_drop(TAGS(&d->Tags, key), in->TagsToRemove.v, in->TagsToRemove.n);
	glue_database_put(tx, d);
	return OK;
}

err glue_GetTags(req *rq, const txn *tx, const glue_GetTags_in *in, glue_GetTags_out *out)
{
	glue_database *d;
	TRY(find_tagged(rq, tx, in->ResourceArn, &d));
	out->Tags = d->Tags;
	tags_shown(rq, TAGS(&out->Tags, key));
	return OK;
}
