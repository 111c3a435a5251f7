#include "svc/dynamodb/ddb.h"

#define IN_KEYS "Invalid KeyConditionExpression: "
#define BAD_KEYS "Invalid condition in KeyConditionExpression: "

/* The one or two conditions of a key condition. */
typedef struct key_query {
	const expr *hash, *range;
} key_query;

static err refuse_operator(req *rq, const expr *e)
{
	return fail(rq, &aws_ValidationException,
	            IN_KEYS "Invalid operator used in KeyConditionExpression: %.*s", STR_ARG(e->text));
}

/* `attribute operator values`: the only form a key's condition has. */
static err check_form(req *rq, const expr *e)
{
	bool compare = e->kind == EXPR_COMPARE && !str_eq(e->text, S("<>"));
	bool begins = e->kind == EXPR_CALL && str_eq(e->text, S("begins_with"));
	size_t paths = 0;
	if (!compare && !begins && e->kind != EXPR_BETWEEN)
		return refuse_operator(rq, e);
	for (size_t i = 0; i < e->n; i++) {
		if (e->args[i]->kind == EXPR_CALL)
			return fail(rq, &aws_ValidationException,
			            "KeyConditionExpressions cannot contain nested operations");
		paths += e->args[i]->kind == EXPR_PATH;
	}
	if (!paths)
		return fail(rq, &aws_ValidationException, BAD_KEYS "No key attribute specified");
	if (paths > 1)
		return fail(rq, &aws_ValidationException,
		            BAD_KEYS "Multiple attribute names used in one condition");
	if (e->args[0]->kind != EXPR_PATH)
		return fail(rq, &aws_ValidationException,
		            BAD_KEYS "%.*s operator must have the key attribute as its first operand",
		            STR_ARG(e->text));
	if (e->args[0]->path.n > 1)
		return fail(rq, &aws_ValidationException,
		            "KeyConditionExpressions cannot have conditions on nested attributes");
	return OK;
}

static str attribute_of(const expr *e)
{
	return e->args[0]->path.v[0].name;
}

static err split(req *rq, const expr *e, const expr *out[2], size_t *n)
{
	if (e->kind == EXPR_OR || e->kind == EXPR_NOT)
		return refuse_operator(rq, e);
	if (e->kind == EXPR_AND) {
		for (size_t i = 0; i < e->n; i++)
			TRY(split(rq, e->args[i], out, n));
		return OK;
	}
	TRY(check_form(rq, e));
	for (size_t i = 0; i < *n; i++)
		if (str_eq(attribute_of(out[i]), attribute_of(e)))
			return fail(rq, &aws_ValidationException,
			            "KeyConditionExpressions must only contain one condition per key");
	if (*n == 2)
		return fail(rq, &aws_ValidationException, "Conditions can be of length 1 or 2 only");
	out[(*n)++] = e;
	return OK;
}

static err check_values(req *rq, const expr *e, ddb_attr a)
{
	for (size_t i = 1; i < e->n; i++) {
		value v = e->args[i]->value;
		if (value_tag_of(v) != a.type)
			return fail(rq, &aws_ValidationException,
			            "One or more parameter values were invalid: Condition parameter type does "
			            "not match schema type");
		if (!value_text(v).n && !(e->kind == EXPR_CALL))
			return fail(rq, &aws_ValidationException,
			            "One or more parameter values are not valid. The AttributeValue for a key "
			            "attribute cannot contain an empty %s value. Key: %.*s",
			            a.type == VALUE_B ? "binary" : "string", STR_ARG(a.name));
	}
	return OK;
}

static err missed(req *rq, ddb_attr a)
{
	return fail(rq, &aws_ValidationException, "Query condition missed key schema element: %.*s",
	            STR_ARG(a.name));
}

static err assign(req *rq, const ddb_page *p, const expr *condition, key_query *q)
{
	ddb_attr hash = p->ix ? p->ix->hash : p->t->hash, range = p->ix ? p->ix->range : p->t->range;
	const expr *found[2] = { NULL, NULL };
	size_t n = 0;
	TRY(split(rq, condition, found, &n));
	for (size_t i = 0; i < n; i++) {
		if (str_eq(attribute_of(found[i]), hash.name))
			q->hash = found[i];
		else if (str_is(range.name) && str_eq(attribute_of(found[i]), range.name))
			q->range = found[i];
	}
	if (!q->hash)
		return missed(rq, hash);
	if (n == 2 && !q->range)
		return str_is(range.name) ? missed(rq, range)
		                          : fail(rq, &aws_ValidationException,
		                                 "Query key condition not supported");
	TRY(check_values(rq, q->hash, hash));
	if (q->hash->kind != EXPR_COMPARE || !str_eq(q->hash->text, S("=")))
		return fail(rq, &aws_ValidationException, "Query key condition not supported");
	return q->range ? check_values(rq, q->range, range) : OK;
}

static str bound(req *rq, str partition, value v, bool whole)
{
	buf b = buf_in(rq->mem, partition.n + 64, 8192);
	buf_put(&b, partition);
	if (whole)
		ddb_put_sort(&b, v);
	else
		ddb_put_sort_prefix(&b, v);
	return buf_str(&b);
}

/* The rows from `from` up to `to` that fulfil the key condition. */
static void set_range(req *rq, ddb_page *p, const key_query *q)
{
	const expr *r = q->range;
	str part = ddb_partition_prefix(rq->mem, p->t->id, p->ix ? p->ix->id : 0,
	                                q->hash->args[1]->value);
	p->from = part;
	p->to = key_after_prefix(rq->mem, part);
	if (!r)
		return;
	str low = bound(rq, part, r->args[1]->value, r->kind != EXPR_CALL);
	str after = key_after_prefix(rq->mem, low);
	if (r->kind == EXPR_BETWEEN) {
		p->from = low;
		p->to = key_after_prefix(rq->mem, bound(rq, part, r->args[2]->value, true));
	} else if (r->kind == EXPR_CALL || *r->text.p == '=') {
		p->from = low;
		p->to = after;
	} else if (*r->text.p == '<') {
		p->to = r->text.n > 1 ? after : low;
	} else {
		p->from = r->text.n > 1 ? low : after;
	}
}

static err start_after(req *rq, ddb_page *p, const key_query *q, const dynamodb_Key *given)
{
	value key;
	str row;
	ddb_attr hash = p->ix ? p->ix->hash : p->t->hash;
	TRY(ddb_start_key(rq, p, given, &key, &row));
	if (!value_eq(value_member(key, hash.name), q->hash->args[1]->value))
		return fail(rq, &aws_ValidationException,
		            "The provided starting key is outside query boundaries based on provided "
		            "conditions");
	if (str_cmp(row, p->from) < 0 || str_cmp(row, p->to) >= 0)
		return fail(rq, &aws_ValidationException,
		            "The provided starting key does not match the range key predicate");
	if (p->reverse)
		p->to = row;
	else
		p->from = arena_concat(rq->mem, row, str_of("\0", 1));
	return OK;
}

/* AWS keeps filters off the keys that the query is about. */
static err check_filter(req *rq, const ddb_page *p, const expr *e, const char *what)
{
	if (e->kind == EXPR_PATH) {
		str name = e->path.v[0].name;
		ddb_attr hash = p->ix ? p->ix->hash : p->t->hash;
		ddb_attr range = p->ix ? p->ix->range : p->t->range;
		if (str_eq(name, hash.name) || (str_is(range.name) && str_eq(name, range.name)))
			return fail(rq, &aws_ValidationException,
			            "%s can only contain non-primary key attributes: Primary key attribute: "
			            "%.*s", what, STR_ARG(name));
	}
	for (size_t i = 0; i < e->n; i++)
		TRY(check_filter(rq, p, e->args[i], what));
	return OK;
}

static err read_params(req *rq, const dynamodb_Query_in *in, ddb_page *p, const expr **keys)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, in),
		                         DDB_EXPRESSION(FilterExpression, in),
		                         DDB_EXPRESSION(KeyConditionExpression, in),
		                         DDB_LEGACY(AttributesToGet, in), DDB_LEGACY(QueryFilter, in),
		                         DDB_LEGACY(KeyConditions, in) };
	expr_env env;
	TRY(ddb_env(rq, params, 6, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues,
	            &env));
	TRY(ddb_projection(rq, &env, in->ProjectionExpression, &in->AttributesToGet, &p->project));
	TRY(ddb_condition(rq, &env, "FilterExpression", in->FilterExpression, &p->filter));
	TRY(ddb_condition(rq, &env, "KeyConditionExpression", in->KeyConditionExpression, keys));
	TRY(ddb_env_done(rq, &env));
	if (in->QueryFilter.v)
		TRY(ddb_filter(rq, &in->QueryFilter, in->ConditionalOperator, &p->filter));
	if (in->KeyConditions.v)
		TRY(ddb_key_conditions(rq, &in->KeyConditions, keys));
	if (!*keys)
		return fail(rq, &aws_ValidationException,
		            "Either the KeyConditions or KeyConditionExpression parameter must be "
		            "specified in the request.");
	return OK;
}

/* Reads the items of one partition key, in the order of the sort key, a page at a time. */
err dynamodb_Query(req *rq, const txn *tx, const dynamodb_Query_in *in, dynamodb_Query_out *out)
{
	ddb_page p = { .limit = in->Limit.v,
		           .reverse = in->ScanIndexForward.set && !in->ScanIndexForward.v };
	const ddb_view_params view = {
		.index_name = in->IndexName,
		.select = in->Select,
		.consistent = in->ConsistentRead.v,
		.projection_given = str_is(in->ProjectionExpression) || in->AttributesToGet.v,
		.expression = str_is(in->ProjectionExpression),
	};
	const expr *keys = NULL;
	key_query q = { NULL, NULL };
	ddb_table *t;
	TRY(read_params(rq, in, &p, &keys));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	p.t = t;
	TRY(ddb_page_view(rq, &view, &p));
	TRY(assign(rq, &p, keys, &q));
	if (p.filter)
		TRY(check_filter(rq, &p, p.filter,
		                 in->QueryFilter.v ? "QueryFilter" : "Filter Expression"));
	set_range(rq, &p, &q);
	if (in->ExclusiveStartKey.v)
		TRY(start_after(rq, &p, &q, &in->ExclusiveStartKey));

	ddb_page_read(rq, tx, &p);
	out->Items = p.items;
	out->Count = I64(p.count);
	out->ScannedCount = I64(p.scanned);
	memcpy(&out->LastEvaluatedKey, &p.last, sizeof p.last);
	out->ConsumedCapacity = ddb_consumed(rq, t, &p.units, in->ReturnConsumedCapacity, NULL);
	return OK;
}
