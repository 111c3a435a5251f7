#include "svc/dynamodb/ddb.h"

static str head_key(arena *mem, str account, str region, str name)
{
	buf b = buf_in(mem, 3 + account.n + region.n + name.n + 3, 2048);
	buf_put(&b, S("Dt"));
	buf_put(&b, account);
	buf_c(&b, 0);
	buf_put(&b, region);
	buf_c(&b, 0);
	buf_put(&b, name);
	return buf_str(&b);
}

static void put_attr(buf *b, ddb_attr a)
{
	buf_c(b, (char)a.type);
	value_put_name(b, a.name);
}

static bool cut_bytes(str *rest, str *out)
{
	uint64_t n;
	if (!varint_cut(rest, &n) || n > rest->n)
		return false;
	*out = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->n);
	return true;
}

static ddb_attr cut_attr(str *rest)
{
	ddb_attr a = { 0 };
	ensure(rest->n > 0);
	a.type = (value_tag)*rest->p;
	*rest = str_sub(*rest, 1, rest->n);
	ensure(cut_bytes(rest, &a.name));
	if (a.type == VALUE_NONE)
		a.name = STR_NONE;
	return a;
}

static uint64_t cut_int(str *rest)
{
	uint64_t v = 0;
	ensure(varint_cut(rest, &v));
	return v;
}

static void put_index(buf *b, const ddb_index *ix)
{
	varint_put(b, ix->id);
	varint_put(b, (unsigned)ix->global | (unsigned)ix->building << 1);
	value_put_name(b, ix->name);
	const ddb_schema *k = &ix->key;
	put_attr(b, k->v[0]);
	put_attr(b, k->n > k->hashes ? k->v[k->hashes] : (ddb_attr){ STR_NONE, VALUE_NONE });
	varint_put(b, ix->projects);
	varint_put(b, ix->n_include);
	for (size_t i = 0; i < ix->n_include; i++)
		value_put_name(b, ix->include[i]);
}

static void cut_index(arena *mem, str *rest, ddb_index *ix)
{
	ix->id = (uint16_t)cut_int(rest);
	uint64_t flags = cut_int(rest);
	ix->global = flags & 1;
	ix->building = flags & 2;
	ensure(cut_bytes(rest, &ix->name));
	ix->key = (ddb_schema){ .v = { cut_attr(rest) }, .hashes = 1, .n = 1 };
	ix->key.v[1] = cut_attr(rest);
	ix->key.n = ix->key.v[1].type != VALUE_NONE ? 2 : 1;
	ix->projects = (ddb_projects)cut_int(rest);
	ix->n_include = cut_int(rest);
	ix->include = ix->n_include ? arena_array(mem, str, ix->n_include) : NULL;
	for (size_t i = 0; i < ix->n_include; i++)
		ensure(cut_bytes(rest, &ix->include[i]));
}

static void put_rates(buf *b, const ddb_rates *r)
{
	varint_put(b, (uint64_t)r->reads);
	varint_put(b, (uint64_t)r->writes);
	varint_put(b, (uint64_t)r->max_reads);
	varint_put(b, (uint64_t)r->max_writes);
	varint_put(b, (uint64_t)r->warm_reads);
	varint_put(b, (uint64_t)r->warm_writes);
}

/* Rows of before there were rates end without them. */
static void cut_rates(str *rest, ddb_rates *r)
{
	if (!rest->n)
		return;
	r->reads = (int64_t)cut_int(rest);
	r->writes = (int64_t)cut_int(rest);
	r->max_reads = (int64_t)cut_int(rest);
	r->max_writes = (int64_t)cut_int(rest);
	r->warm_reads = (int64_t)cut_int(rest);
	r->warm_writes = (int64_t)cut_int(rest);
}

/* A key of several attributes stands once more, whole: rows of before there were such end without. */
static void put_schema(buf *b, const ddb_schema *s)
{
	bool plain = s->hashes == 1 && s->n <= 2;
	varint_put(b, plain ? 0 : s->n);
	if (plain)
		return;
	varint_put(b, s->hashes);
	for (size_t i = 0; i < s->n; i++)
		put_attr(b, s->v[i]);
}

static void cut_schema(str *rest, ddb_schema *s)
{
	uint64_t n = rest->n ? cut_int(rest) : 0;
	if (!n)
		return;
	ensure(n <= 2 * DDB_KEY_PARTS_MAX);
	s->n = (uint8_t)n;
	s->hashes = (uint8_t)cut_int(rest);
	for (size_t i = 0; i < n; i++)
		s->v[i] = cut_attr(rest);
}

void ddb_head_put(txn *tx, const ddb_table *t)
{
	buf b = buf_in(txn_arena(tx), 512, 1 << 20);
	varint_put(&b, t->id);
	varint_put(&b, (unsigned)t->on_demand | (unsigned)t->infrequent << 1);
	put_attr(&b, t->hash);
	put_attr(&b, t->range);
	value_put_name(&b, t->ttl);
	varint_put(&b, t->ttl_generation);
	varint_put(&b, t->view);
	varint_put(&b, t->stream);
	value_put_name(&b, t->arn);
	varint_put(&b, t->n_indexes);
	for (size_t i = 0; i < t->n_indexes; i++)
		put_index(&b, &t->indexes[i]);
	put_rates(&b, &t->rates);
	for (size_t i = 0; i < t->n_indexes; i++)
		put_rates(&b, &t->indexes[i].rates);
	for (size_t i = 0; i < t->n_indexes; i++)
		put_schema(&b, &t->indexes[i].key);
	varint_put(&b, t->n_replicas);
	for (size_t i = 0; i < t->n_replicas; i++)
		value_put_name(&b, t->replicas[i]);
	ensure(!b.full);
	txn_put(tx, head_key(txn_arena(tx), t->account, t->region, t->name), buf_str(&b));
}

void ddb_head_delete(txn *tx, const ddb_table *t)
{
	txn_delete(tx, head_key(txn_arena(tx), t->account, t->region, t->name));
}

static void cut_replicas(arena *mem, str *rest, ddb_table *t)
{
	t->n_replicas = rest->n ? cut_int(rest) : 0;
	t->replicas = t->n_replicas ? arena_array(mem, str, t->n_replicas) : NULL;
	for (size_t i = 0; i < t->n_replicas; i++)
		ensure(cut_bytes(rest, &t->replicas[i]));
}

ddb_table *ddb_head_get(const txn *tx, arena *mem, str account, str region, str name)
{
	str rest = txn_get(tx, head_key(mem, account, region, name));
	if (!str_is(rest))
		return NULL;
	/* Writers write while they look at the table. */
	rest = arena_str(mem, rest);
	ddb_table *t = arena_new(mem, ddb_table);
	*t = (ddb_table){ .account = account, .region = region, .name = name };
	t->id = cut_int(&rest);
	uint64_t flags = cut_int(&rest);
	t->on_demand = flags & 1;
	t->infrequent = flags & 2;
	t->hash = cut_attr(&rest);
	t->range = cut_attr(&rest);
	ensure(cut_bytes(&rest, &t->ttl));
	t->ttl_generation = (uint32_t)cut_int(&rest);
	t->view = (ddb_view)cut_int(&rest);
	t->stream = cut_int(&rest);
	ensure(cut_bytes(&rest, &t->arn));
	t->n_indexes = cut_int(&rest);
	t->indexes = t->n_indexes ? arena_array(mem, ddb_index, t->n_indexes) : NULL;
	for (size_t i = 0; i < t->n_indexes; i++)
		cut_index(mem, &rest, &t->indexes[i]);
	cut_rates(&rest, &t->rates);
	for (size_t i = 0; i < t->n_indexes; i++)
		cut_rates(&rest, &t->indexes[i].rates);
	for (size_t i = 0; i < t->n_indexes; i++)
		cut_schema(&rest, &t->indexes[i].key);
	cut_replicas(mem, &rest, t);
	return t;
}

const ddb_index *ddb_index_named(const ddb_table *t, str name)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		if (str_eq(t->indexes[i].name, name))
			return &t->indexes[i];
	return NULL;
}

ddb_schema ddb_schema_of(const ddb_table *t, const ddb_index *ix)
{
	const ddb_schema own = { .v = { t->hash, t->range }, .hashes = 1, .n = str_is(t->range.name) ? 2 : 1 };
	return ix ? ix->key : own;
}

bool ddb_schema_has(const ddb_schema *s, str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->v[i].name, name))
			return true;
	return false;
}

bool ddb_projects_name(const ddb_table *t, const ddb_index *ix, str name)
{
	if (ix->projects == PROJECT_ALL || ddb_is_key(t, name) || ddb_schema_has(&ix->key, name))
		return true;
	for (size_t i = 0; i < ix->n_include; i++)
		if (str_eq(name, ix->include[i]))
			return true;
	return false;
}

static bool name_characters(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '.' || c == '-'))
			return false;
	}
	return true;
}

/* arn:aws:dynamodb:region:account:table/name[/..]: the name, when region and account are ours. */
static err name_of_arn(req *rq, str arn, str *name)
{
	str rest = arn, part[6];
	for (int i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	part[5] = rest;
	if (!str_is(rest) || !str_eq(part[2], S("dynamodb")) || !str_starts(rest, S("table/")))
		return fail(rq, &aws_ValidationException, "Invalid TableArn");
	if (!str_eq(part[3], rq->region))
		return fail(rq, &aws_ValidationException,
		            "Region '%.*s' is not the region of this request", STR_ARG(part[3]));
	if (!str_eq(part[4], rq->who.account))
		return fail(rq, &aws_AccessDenied,
		            "User: %.*s is not authorized to access the table %.*s of another account",
		            STR_ARG(rq->who.arn), STR_ARG(arn));
	rest = str_sub(rest, 6, rest.n);
	*name = str_cut(&rest, '/');
	return OK;
}

err ddb_item_name(req *rq, str given, str *name)
{
	*name = given;
	return str_starts(given, S("arn:")) ? name_of_arn(rq, given, name) : OK;
}

err ddb_name(req *rq, str given, str *name)
{
	if (!str_is(given))
		return fail(rq, &aws_ValidationException,
		            "The parameter 'TableName' is required but was not present in the request");
	TRY(ddb_item_name(rq, given, name));
	if (name->n < 3 || name->n > 255)
		return fail(rq, &aws_ValidationException,
		            "TableName must be at least 3 characters long and at most 255 characters long");
	if (!name_characters(*name))
		return fail(rq, &aws_ValidationException,
		            "1 validation error detected: Value '%.*s' at 'tableName' failed to satisfy "
		            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
		            STR_ARG(*name));
	return OK;
}

err ddb_open(req *rq, const txn *tx, str given, ddb_table **out)
{
	str name;
	TRY(ddb_item_name(rq, given, &name));
	*out = ddb_head_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (!*out)
		return fail(rq, &dynamodb_ResourceNotFoundException, "Requested resource not found");
	return OK;
}
