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

err ddb_key_in(req *rq, const ddb_table *t, const dynamodb_AttributeMap *given, value *key)
{
	TRY(ddb_invalid(rq, wire_map_in(rq->mem, given, key)));
	bool ranged = str_is(t->range.name);
	value hash = value_member(*key, t->hash.name);
	value range = ranged ? value_member(*key, t->range.name) : STR_NONE;
	if (value_count(*key) != 1u + ranged || value_tag_of(hash) != t->hash.type ||
	    (ranged && value_tag_of(range) != t->range.type))
		return fail(rq, &aws_ValidationException,
		            "The provided key element does not match the schema");
	TRY(check_key_value(rq, t->hash, hash, false));
	return ranged ? check_key_value(rq, t->range, range, true) : OK;
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
static err check_index_attr(req *rq, const ddb_index *ix, ddb_attr a, value attributes, bool range,
                            bool updated)
{
	value v = str_is(a.name) ? value_member(attributes, a.name) : STR_NONE;
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
	return check_key_size(rq, value_text(v).n, range);
}

static err check_index_attrs(req *rq, const ddb_table *t, value attributes, bool updated)
{
	for (size_t i = 0; i < t->n_indexes; i++) {
		const ddb_index *ix = &t->indexes[i];
		TRY(check_index_attr(rq, ix, ix->hash, attributes, false, updated));
		TRY(check_index_attr(rq, ix, ix->range, attributes, true, updated));
	}
	return OK;
}

err ddb_item_in(req *rq, const ddb_table *t, const dynamodb_AttributeMap *given, ddb_item *out)
{
	TRY(ddb_invalid(rq, wire_map_in(rq->mem, given, &out->map)));
	TRY(check_item_key(rq, t->hash, out->map, false));
	if (str_is(t->range.name))
		TRY(check_item_key(rq, t->range, out->map, true));
	TRY(check_index_attrs(rq, t, out->map, false));
	out->size = value_item_size(out->map);
	if (out->size > DDB_ITEM_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            "Item size has exceeded the maximum allowed size");
	return OK;
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
	str names[4];
	size_t n = 0;
	if (ix) {
		n = add_key_name(names, n, ix->hash);
		n = add_key_name(names, n, ix->range);
	}
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
