#include "svc/dynamodb/page.h"

#define BAD_KEYS "Invalid condition in KeyConditionExpression: "

/* The conditions on keys, as given and by what they are on. */
typedef struct key_query {
	const expr *v[DDB_KEY_CONDITIONS];
	size_t n;
	value hash[DDB_KEY_PARTS_MAX];
	const expr *range[DDB_KEY_PARTS_MAX];
	size_t ranges;
	ddb_schema key;
} key_query;

static err refuse_operator(req *rq, str operator)
{
	return fail(rq, &aws_ValidationException, "Invalid operator used in KeyConditionExpression: %.*s",
	            STR_ARG(operator));
}

/* The key attribute must come first here; comparisons may be written either way round. */
static err check_first(req *rq, const expr *e, const char *operator)
{
	return e->args[0]->kind == EXPR_PATH
	               ? OK
	               : fail(rq, &aws_ValidationException,
	                      BAD_KEYS "%s operator must have the key attribute as its first operand",
	                      operator);
}

static err check_operator(req *rq, const expr *e)
{
	static const char *const refused[] = { [EXPR_OR] = "OR", [EXPR_NOT] = "NOT", [EXPR_IN] = "IN" };
	if (e->kind == EXPR_OR || e->kind == EXPR_NOT || e->kind == EXPR_IN)
		return refuse_operator(rq, str_c(refused[e->kind]));
	if (e->kind == EXPR_COMPARE)
		return str_eq(e->text, S("<>")) ? refuse_operator(rq, e->text) : OK;
	if (e->kind == EXPR_BETWEEN)
		return check_first(rq, e, "BETWEEN");
	return str_eq(e->text, S("begins_with")) ? check_first(rq, e, "begins_with")
	                                         : refuse_operator(rq, e->text);
}

/* `attribute operator values`: the only form a key's condition has. */
static err check_form(req *rq, const expr *e)
{
	size_t paths = 0;
	TRY(check_operator(rq, e));
	for (size_t i = 0; i < e->n; i++) {
		if (e->args[i]->kind == EXPR_CALL)
			return fail(rq, &aws_ValidationException,
			            "KeyConditionExpressions cannot contain nested operations");
		if (e->args[i]->kind != EXPR_PATH)
			continue;
		if (paths++)
			return fail(rq, &aws_ValidationException,
			            BAD_KEYS "Multiple attribute names used in one condition");
		if (e->args[i]->path.n > 1)
			return fail(rq, &aws_ValidationException,
			            "KeyConditionExpressions cannot have conditions on nested attributes");
	}
	if (!paths)
		return fail(rq, &aws_ValidationException, BAD_KEYS "No key attribute specified");
	return OK;
}

/* :x < a as a > :x */
const expr *ddb_attribute_first(arena *mem, const expr *e)
{
	static const char *const turned[][2] = { { "<", ">" }, { "<=", ">=" }, { ">", "<" },
		                                     { ">=", "<=" }, { "=", "=" } };
	if (e->args[0]->kind == EXPR_PATH)
		return e;
	expr *out = arena_new(mem, expr);
	*out = *e;
	out->args = arena_array(mem, expr *, 2);
	out->args[0] = e->args[1];
	out->args[1] = e->args[0];
	for (unsigned i = 0; i < 5; i++)
		if (str_eq(e->text, str_c(turned[i][0])))
			out->text = str_c(turned[i][1]);
	return out;
}

static str attribute_of(const expr *e)
{
	while (e->kind != EXPR_PATH)
		e = e->args[0];
	return e->path.v[0].name;
}

static err split(req *rq, const expr *e, key_query *q)
{
	if (e->kind == EXPR_AND) {
		for (size_t i = 0; i < e->n; i++)
			TRY(split(rq, e->args[i], q));
		return OK;
	}
	TRY(check_form(rq, e));
	e = ddb_attribute_first(rq->mem, e);
	for (size_t i = 0; i < q->n && i < DDB_KEY_CONDITIONS; i++)
		if (str_eq(attribute_of(q->v[i]), attribute_of(e)))
			return fail(rq, &aws_ValidationException,
			            "KeyConditionExpressions must only contain one condition per key");
	if (q->n < DDB_KEY_CONDITIONS)
		q->v[q->n] = e;
	q->n++;
	return OK;
}

static bool indexable(const expr *e)
{
	return e->kind == EXPR_BETWEEN || (e->kind == EXPR_COMPARE && !str_eq(e->text, S("<>"))) ||
	       (e->kind == EXPR_CALL && str_eq(e->text, S("begins_with")));
}

static err not_supported(req *rq)
{
	return fail(rq, &aws_ValidationException, "Query key condition not supported");
}

static err check_values(req *rq, const expr *e, ddb_attr a)
{
	if (!indexable(e))
		return fail(rq, &aws_ValidationException,
		            "Attempted conditional constraint is not an indexable operation");
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

static const expr *condition_on(const key_query *q, ddb_attr a)
{
	for (size_t i = 0; i < q->n && i < DDB_KEY_CONDITIONS; i++)
		if (str_eq(attribute_of(q->v[i]), a.name))
			return q->v[i];
	return NULL;
}

static err missed(req *rq, ddb_attr a)
{
	return fail(rq, &aws_ValidationException, "Query condition missed key schema element: %.*s",
	            STR_ARG(a.name));
}

static bool equals(const expr *e)
{
	return e->kind == EXPR_COMPARE && str_eq(e->text, S("="));
}

static err too_many(req *rq)
{
	return fail(rq, &aws_ValidationException, "Conditions can be of length 1 or 2 only");
}

/* Each attribute that sorts may have a condition if those before it have one, and only the last one's may be
 * anything but an equality. */
static err assign_ranges(req *rq, key_query *q)
{
	const ddb_schema *s = &q->key;
	for (size_t i = s->hashes; i < s->n; i++) {
		const expr *e = condition_on(q, s->v[i]);
		if (!e)
			return s->hashes + q->ranges == q->n ? OK : missed(rq, s->v[i]);
		TRY(check_values(rq, e, s->v[i]));
		if (q->ranges && !equals(q->range[q->ranges - 1]))
			return not_supported(rq);
		q->range[q->ranges++] = e;
	}
	return OK;
}

/* Which condition is on which attribute of the page's key. */
static err assign(req *rq, const ddb_page *p, key_query *q)
{
	const ddb_schema *s = &q->key;
	q->key = ddb_schema_of(p->t, p->ix);
	if (q->n > 2 && s->n <= 2)
		return too_many(rq);
	if (q->n > s->n)
		return not_supported(rq);
	for (size_t i = 0; i < s->hashes; i++) {
		const expr *e = condition_on(q, s->v[i]);
		if (!e)
			return missed(rq, s->v[i]);
		TRY(check_values(rq, e, s->v[i]));
		if (!equals(e))
			return not_supported(rq);
		q->hash[i] = e->args[1]->value;
	}
	return assign_ranges(rq, q);
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

void ddb_page_range(req *rq, ddb_page *p, str partition, const expr *const *range, size_t n)
{
	str part = ddb_partition_prefix(rq->mem, p->t, p->ix, partition);
	for (size_t i = 0; i + 1 < n; i++)
		part = bound(rq, part, range[i]->args[1]->value, true);
	p->from = part;
	p->to = key_after_prefix(rq->mem, part);
	if (!n)
		return;
	const expr *r = range[n - 1];
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

static err start_after(req *rq, ddb_page *p, const key_query *q, value key)
{
	str row;
	bool elsewhere = false;
	TRY(ddb_start_row(rq, p, key, &row));
	for (size_t i = 0; i < q->key.hashes; i++)
		elsewhere |= !value_eq(value_member(key, q->key.v[i].name), q->hash[i]);
	for (size_t i = 0; i < q->ranges; i++)
		if (!expr_true(q->range[i], key))
			return fail(rq, &aws_ValidationException,
			            "The provided starting key does not match the range key predicate");
	if (elsewhere)
		return fail(rq, &aws_ValidationException, "%s",
		            q->ranges ? "The query can return at most one row and cannot be restarted"
		                     : "The provided starting key is outside query boundaries based on provided "
		                       "conditions");
	if (p->reverse)
		p->to = row;
	else
		p->from = arena_concat(rq->mem, row, str_of("\0", 1));
	return OK;
}

/* AWS keeps filters off the keys that the query is about. */
static err check_filter(req *rq, const ddb_schema *key, const expr *e, const char *what)
{
	if (e->kind == EXPR_PATH) {
		str name = e->path.v[0].name;
		if (ddb_schema_has(key, name))
			return fail(rq, &aws_ValidationException,
			            "%s can only contain non-primary key attributes: Primary key attribute: "
			            "%.*s", what, STR_ARG(name));
	}
	for (size_t i = 0; i < e->n; i++)
		TRY(check_filter(rq, key, e->args[i], what));
	return OK;
}

static err expressions_in(req *rq, const dynamodb_Query_in *in, ddb_page *p, key_query *q)
{
	expr_env env;
	const expr *keys = NULL;
	TRY(ddb_env(rq, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues, &env));
	TRY(ddb_condition(rq, &env, "KeyConditionExpression", in->KeyConditionExpression, &keys));
	if (str_is(in->FilterExpression))
		TRY(ddb_condition(rq, &env, "FilterExpression", in->FilterExpression, &p->filter));
	TRY(ddb_projection(rq, &env, in->ProjectionExpression, &p->project));
	TRY(ddb_env_done(rq, &env));
	return keys ? split(rq, keys, q) : OK;
}

static err read_params(req *rq, const dynamodb_Query_in *in, ddb_page *p, key_query *q, value *start)
{
	bool expressed = str_is(in->KeyConditionExpression);
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, in),
		                         DDB_EXPRESSION(FilterExpression, in),
		                         DDB_EXPRESSION(KeyConditionExpression, in),
		                         DDB_LEGACY(AttributesToGet, in), DDB_LEGACY(QueryFilter, in),
		                         { .name = "ConditionalOperator", .legacy = true,
		                           .given = str_is(in->ConditionalOperator) },
		                         { .name = "KeyConditions", .legacy = true,
		                           .given = in->KeyConditions.v && expressed } };
	TRY(ddb_mix(rq, params, 7, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues));
	TRY(ddb_filter(rq, &in->QueryFilter, in->ConditionalOperator, &p->filter));
	TRY(ddb_attributes(rq, &in->AttributesToGet, &p->project));
	if (in->ExclusiveStartKey.v)
		TRY(ddb_start_values(rq, &in->ExclusiveStartKey, start));
	if (!in->KeyConditions.v && !expressed)
		return fail(rq, &aws_ValidationException,
		            "Either the KeyConditions or KeyConditionExpression parameter must be "
		            "specified in the request.");
	TRY(expressions_in(rq, in, p, q));
	if (in->KeyConditions.v)
		TRY(ddb_key_conditions(rq, &in->KeyConditions, q->v, &q->n));
	/* An index's key may have more attributes: that is known when it is. */
	return q->n && (q->n <= 2 || str_is(in->IndexName)) ? OK : too_many(rq);
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
	key_query q = { 0 };
	value start = STR_NONE;
	ddb_table *t;
	TRY(read_params(rq, in, &p, &q, &start));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	p.t = t;
	TRY(ddb_page_view(rq, &view, &p));
	if (in->ExclusiveStartKey.v)
		TRY(ddb_start_index(rq, &p, start));
	TRY(assign(rq, &p, &q));
	ddb_page_range(rq, &p, ddb_partition_text(rq->mem, q.hash, q.key.hashes), q.range, q.ranges);
	if (in->ExclusiveStartKey.v)
		TRY(start_after(rq, &p, &q, start));
	TRY(ddb_paths_check(rq, t, NULL, p.project));
	if (p.filter)
		TRY(check_filter(rq, &q.key, p.filter,
		                 in->QueryFilter.v ? "QueryFilter" : "Filter Expression"));
	TRY(ddb_paths_check(rq, t, p.filter, NULL));

	TRY(ddb_admit_read(rq, t, p.ix));
	ddb_page_read(rq, tx, &p);
	ddb_watch_count(rq, t, "ReturnedItemCount", (double)p.count, true);
	out->Items = p.items;
	out->Count = I64(p.count);
	out->ScannedCount = I64(p.scanned);
	memcpy(&out->LastEvaluatedKey, &p.last, sizeof p.last);
	out->ConsumedCapacity = ddb_consumed(rq, t, &p.units, in->ReturnConsumedCapacity, NULL);
	return OK;
}
