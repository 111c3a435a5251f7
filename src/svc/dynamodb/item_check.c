#include "svc/dynamodb/ddb.h"

#define INVALID "One or more parameter values were invalid: "
#define NOT_VALID "One or more parameter values are not valid. "

err ddb_invalid(req *rq, str why)
{
	fault *f = arena_new(rq->mem, fault);
	*f = (fault){ .kind = &aws_ValidationException, .message = why };
	return str_is(why) ? f : OK;
}

bool ddb_is_key(const ddb_table *t, str name)
{
	return str_eq(name, t->hash.name) || (str_is(t->range.name) && str_eq(name, t->range.name));
}

static err check_key_size(req *rq, size_t bytes, bool range)
{
	if (!range && bytes > DDB_HASH_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            INVALID "Size of hashkey has exceeded the maximum size limit of%d bytes",
		            DDB_HASH_BYTES_MAX);
	if (range && bytes > DDB_RANGE_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            INVALID "Aggregated size of all range keys has exceeded the size limit of %d "
		            "bytes", DDB_RANGE_BYTES_MAX);
	return OK;
}

static err check_key_value(req *rq, ddb_attr a, value v, bool range)
{
	str text = value_text(v);
	if (!text.n)
		return fail(rq, &aws_ValidationException,
		            NOT_VALID "The AttributeValue for a key attribute cannot contain an empty %s "
		            "value. Key: %.*s", a.type == VALUE_B ? "binary" : "string", STR_ARG(a.name));
	return check_key_size(rq, text.n, range);
}

bool ddb_is_empty_key(err wrong)
{
	return wrong && str_starts(wrong->message, S(NOT_VALID));
}

err ddb_key_piece(req *rq, ddb_attr a, value key, bool range)
{
	value v = value_member(key, a.name);
	if (value_tag_of(v) != a.type)
		return fail(rq, &aws_ValidationException,
		            "The provided key element does not match the schema");
	return check_key_value(rq, a, v, range);
}

err ddb_values_in(req *rq, const dynamodb_AttributeMap *given, value *out)
{
	return ddb_invalid(rq, wire_map_in(rq->mem, given, out));
}

err ddb_key_check(req *rq, const ddb_table *t, value key)
{
	bool ranged = str_is(t->range.name);
	if (value_count(key) != 1u + ranged)
		return fail(rq, &aws_ValidationException,
		            "The provided key element does not match the schema");
	TRY(ddb_key_piece(rq, t->hash, key, false));
	return ranged ? ddb_key_piece(rq, t->range, key, true) : OK;
}

static err check_item_key(req *rq, ddb_attr a, value attributes, bool range)
{
	value v = value_member(attributes, a.name);
	if (!value_is(v))
		return fail(rq, &aws_ValidationException, INVALID "Missing the key %.*s in the item",
		            STR_ARG(a.name));
	if (value_tag_of(v) != a.type)
		return fail(rq, &aws_ValidationException,
		            INVALID "Type mismatch for key %.*s expected: %s actual: %s", STR_ARG(a.name),
		            value_type(a.type), value_type(value_tag_of(v)));
	return check_key_value(rq, a, v, range);
}

/* An attribute that is an index's key may be absent, but not of another type, empty or too long. */
static err check_index_attr(req *rq, const ddb_index *ix, size_t at, value attributes, bool updated,
                            size_t *bytes)
{
	ddb_attr a = ix->key.v[at];
	value v = value_member(attributes, a.name);
	if (!value_is(v))
		return OK;
	if (value_tag_of(v) != a.type)
		return fail(rq, &aws_ValidationException,
		            INVALID "Type mismatch for Index Key %.*s Expected: %s Actual: %s IndexName: "
		            "%.*s", STR_ARG(a.name), value_type(a.type), value_type(value_tag_of(v)),
		            STR_ARG(ix->name));
	if (!value_text(v).n && updated)
		return fail(rq, &aws_ValidationException,
		            NOT_VALID "The update expression attempted to update a secondary index key to a "
		            "value that is not supported. The AttributeValue for a key attribute cannot "
		            "contain an empty %s value.", a.type == VALUE_B ? "binary" : "string");
	if (!value_text(v).n)
		return fail(rq, &aws_ValidationException,
		            NOT_VALID "A value specified for a secondary index key is not supported. The "
		            "AttributeValue for a key attribute cannot contain an empty %s value. "
		            "IndexName: %.*s, IndexKey: %.*s", a.type == VALUE_B ? "binary" : "string",
		            STR_ARG(ix->name), STR_ARG(a.name));
	*bytes += value_text(v).n;
	return check_key_size(rq, *bytes, at >= ix->key.hashes);
}

static err check_index(req *rq, const ddb_index *ix, value attributes, bool updated)
{
	size_t bytes[2] = { 0 };
	for (size_t k = 0; k < ix->key.n; k++)
		TRY(check_index_attr(rq, ix, k, attributes, updated, &bytes[k >= ix->key.hashes]));
	return OK;
}

/* Of several indexes that the item does not fit, the first by name is told. */
static err check_index_attrs(req *rq, const ddb_table *t, value attributes, bool updated)
{
	const ddb_index *first = NULL;
	err wrong = OK;
	for (size_t i = 0; i < t->n_indexes; i++) {
		const ddb_index *ix = &t->indexes[i];
		err e = check_index(rq, ix, attributes, updated);
		if (!e || (first && str_cmp(first->name, ix->name) < 0))
			continue;
		first = ix;
		wrong = e;
	}
	return wrong;
}

err ddb_item_sized(req *rq, value attributes, ddb_item *out)
{
	*out = (ddb_item){ attributes, value_item_size(attributes) };
	if (out->size > DDB_ITEM_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            "Item size has exceeded the maximum allowed size");
	return OK;
}

err ddb_item_check(req *rq, const ddb_table *t, value attributes)
{
	TRY(check_item_key(rq, t->hash, attributes, false));
	if (str_is(t->range.name))
		TRY(check_item_key(rq, t->range, attributes, true));
	return check_index_attrs(rq, t, attributes, false);
}

err ddb_item_updated(req *rq, const ddb_table *t, value attributes, ddb_item *out)
{
	*out = (ddb_item){ attributes, value_item_size(attributes) };
	if (out->size > DDB_ITEM_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            "Item size to update has exceeded the maximum allowed size");
	return check_index_attrs(rq, t, attributes, true);
}

static size_t add_key_name(str *names, size_t n, ddb_attr a)
{
	if (!str_is(a.name))
		return n;
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], a.name))
			return n;
	names[n] = a.name;
	return n + 1;
}

value ddb_key_of(arena *mem, const ddb_table *t, const ddb_index *ix, value attributes)
{
	str names[2 * DDB_KEY_PARTS_MAX + 2];
	size_t n = 0;
	for (size_t i = 0; ix && i < ix->key.n; i++)
		n = add_key_name(names, n, ix->key.v[i]);
	n = add_key_name(names, n, t->hash);
	n = add_key_name(names, n, t->range);
	buf b = buf_in(mem, 128, 1 << 16);
	size_t begun = value_begin(&b, VALUE_M, n);
	for (size_t i = 0; i < n; i++) {
		value_put_name(&b, names[i]);
		buf_put(&b, value_member(attributes, names[i]));
	}
	value_end(&b, begun);
	return buf_str(&b);
}

bool ddb_is_index_key(const ddb_table *t, str name)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		if (ddb_schema_has(&t->indexes[i].key, name))
			return true;
	return false;
}

err ddb_path_check(req *rq, const ddb_table *t, const path *p)
{
	bool key = p->n > 1 && ddb_is_key(t, p->v[0].name);
	if (key || (p->n > 1 && ddb_is_index_key(t, p->v[0].name)))
		return fail(rq, &aws_ValidationException,
		            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
		            "allowed: %s: %.*s", key ? "Key" : "IndexKey", STR_ARG(p->v[0].name));
	return OK;
}

err ddb_paths_check(req *rq, const ddb_table *t, const expr *e, const projection *p)
{
	for (size_t i = 0; p && i < p->n; i++)
		TRY(ddb_path_check(rq, t, &p->v[i]));
	if (e && e->kind == EXPR_PATH)
		return ddb_path_check(rq, t, &e->path);
	for (size_t i = 0; e && i < e->n; i++)
		TRY(ddb_paths_check(rq, t, e->args[i], NULL));
	return OK;
}
