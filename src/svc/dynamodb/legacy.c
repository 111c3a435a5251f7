/*
 * Expected, ConditionalOperator, AttributeUpdates, KeyConditions, QueryFilter and ScanFilter: what
 * came before expressions. They become the same trees, so that one evaluator decides.
 */
#include "svc/dynamodb/params.h"

#define INVALID "One or more parameter values were invalid: "

typedef struct operator {
	const char *name;
	size_t least, most;
	const char *sign; /* of a comparison */
} operator;

static const operator operators[] = {
	{ "EQ", 1, 1, "=" },      { "NE", 1, 1, "<>" },           { "LE", 1, 1, "<=" },
	{ "LT", 1, 1, "<" },      { "GE", 1, 1, ">=" },           { "GT", 1, 1, ">" },
	{ "NOT_NULL", 0, 0, "" }, { "NULL", 0, 0, "" },           { "CONTAINS", 1, 1, "" },
	{ "IN", 1, SIZE_MAX, "" }, { "NOT_CONTAINS", 1, 1, "" },  { "BEGINS_WITH", 1, 1, "" },
	{ "BETWEEN", 2, 2, "" },
};

static const operator *operator_named(str name)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (str_eq(name, str_c(operators[i].name)))
			return &operators[i];
	return NULL;
}

static expr *make(arena *mem, expr_kind kind, str text, size_t n)
{
	expr *e = arena_new(mem, expr);
	*e = (expr){ .kind = kind, .text = text, .args = arena_array(mem, expr *, n + 1), .n = n };
	return e;
}

static expr *attribute(arena *mem, str name)
{
	expr *e = make(mem, EXPR_PATH, STR_NONE, 0);
	e->path.v = arena_new(mem, path_part);
	e->path.v[0].name = name;
	e->path.n = 1;
	return e;
}

static expr *call_on(arena *mem, const char *function, str name, expr *second)
{
	expr *e = make(mem, EXPR_CALL, str_c(function), second ? 2 : 1);
	e->args[0] = attribute(mem, name);
	e->args[1] = second;
	return e;
}

static expr *negated(arena *mem, expr *inner)
{
	expr *e = make(mem, EXPR_NOT, S("NOT"), 1);
	e->args[0] = inner;
	return e;
}

static expr *both(arena *mem, expr *a, expr *b)
{
	expr *e = make(mem, EXPR_AND, S("AND"), 2);
	e->args[0] = a;
	e->args[1] = b;
	return e;
}

/* The tree of `name operator values`. */
static expr *comparison(arena *mem, str name, const operator *op, expr **values, size_t n)
{
	if (*op->sign || strcmp(op->name, "BETWEEN") == 0 || strcmp(op->name, "IN") == 0) {
		expr_kind kind = *op->sign ? EXPR_COMPARE : *op->name == 'I' ? EXPR_IN : EXPR_BETWEEN;
		expr *e = make(mem, kind, str_c(*op->sign ? op->sign : op->name), n + 1);
		e->args[0] = attribute(mem, name);
		memcpy(e->args + 1, values, n * sizeof *values);
		return e;
	}
	if (strcmp(op->name, "NOT_NULL") == 0)
		return call_on(mem, "attribute_exists", name, NULL);
	if (strcmp(op->name, "NULL") == 0)
		return call_on(mem, "attribute_not_exists", name, NULL);
	if (strcmp(op->name, "BEGINS_WITH") == 0)
		return call_on(mem, "begins_with", name, values[0]);
	expr *contains = call_on(mem, "contains", name, values[0]);
	if (strcmp(op->name, "CONTAINS") == 0)
		return contains;
	return both(mem, call_on(mem, "attribute_exists", name, NULL), negated(mem, contains));
}

static err type_refused(req *rq)
{
	return fail(rq, &aws_ValidationException,
	            INVALID "ComparisonOperator is not valid for the types of its AttributeValues");
}

static err check_types(req *rq, const operator *op, expr **values, size_t n)
{
	bool any = strcmp(op->name, "EQ") == 0 || strcmp(op->name, "NE") == 0;
	bool prefix = strcmp(op->name, "BEGINS_WITH") == 0;
	for (size_t i = 0; i < n; i++) {
		value_tag tag = value_tag_of(values[i]->value);
		if (i && tag != value_tag_of(values[0]->value))
			return fail(rq, &aws_ValidationException,
			            INVALID "AttributeValues inside AttributeValueList must be of same type");
		if (!any && tag > VALUE_B)
			return fail(rq, &aws_ValidationException,
			            INVALID "ComparisonOperator %s is not valid for %s AttributeValue type",
			            op->name, value_type(tag));
		if (prefix && tag == VALUE_N)
			return fail(rq, &aws_ValidationException,
			            INVALID "ComparisonOperator %s is not valid for N AttributeValue type",
			            op->name);
	}
	int order;
	if (strcmp(op->name, "BETWEEN") != 0)
		return OK;
	if (!value_cmp(values[0]->value, values[1]->value, &order))
		return type_refused(rq);
	if (order > 0)
		return fail(rq, &aws_ValidationException,
		            "The BETWEEN condition was provided a range where the lower bound is greater "
		            "than the upper bound");
	return OK;
}

static err values_in(req *rq, const dynamodb_AttributeValueList *list,
                     const dynamodb_AttributeValue *single, expr ***out, size_t *n)
{
	*n = list->v ? list->n : single ? 1 : 0;
	*out = arena_array(rq->mem, expr *, *n + 1);
	for (size_t i = 0; i < *n; i++) {
		(*out)[i] = make(rq->mem, EXPR_VALUE, STR_NONE, 0);
		TRY(ddb_invalid(rq, wire_value_in(rq->mem, list->v ? &list->v[i] : single,
		                                  &(*out)[i]->value)));
	}
	return OK;
}

static err one_condition(req *rq, str name, str op_name, const dynamodb_AttributeValueList *list,
                         const dynamodb_AttributeValue *single, expr **out)
{
	const operator *op = operator_named(op_name);
	expr **values;
	size_t n;
	if (!op)
		return fail(rq, &aws_ValidationException, INVALID "Unknown ComparisonOperator: %.*s",
		            STR_ARG(op_name));
	TRY(values_in(rq, list, single, &values, &n));
	if (n < op->least || n > op->most)
		return fail(rq, &aws_ValidationException,
		            INVALID "Invalid number of argument(s) for the %s ComparisonOperator",
		            op->name);
	TRY(check_types(rq, op, values, n));
	*out = comparison(rq->mem, name, op, values, n);
	return OK;
}

static err expected_one(req *rq, str name, const dynamodb_ExpectedAttributeValue *x, expr **out)
{
	static const dynamodb_AttributeValueList no_list;
	bool exists = !x->Exists.set || x->Exists.v;
	if (x->AttributeValueList.v && x->Value)
		return fail(rq, &aws_ValidationException,
		            INVALID "Value and AttributeValueList cannot be used together for Attribute: %.*s",
		            STR_ARG(name));
	if (str_is(x->ComparisonOperator)) {
		bool valueless = str_ends(x->ComparisonOperator, S("NULL"));
		if (x->Exists.set)
			return fail(rq, &aws_ValidationException,
			            INVALID "Exists and ComparisonOperator cannot be used together for "
			            "Attribute: %.*s", STR_ARG(name));
		if (!valueless && !x->AttributeValueList.v && !x->Value)
			return fail(rq, &aws_ValidationException,
			            INVALID "Value or AttributeValueList must be used with ComparisonOperator: %.*s "
			            "for Attribute: %.*s", STR_ARG(x->ComparisonOperator), STR_ARG(name));
		return one_condition(rq, name, x->ComparisonOperator, &x->AttributeValueList, x->Value,
		                     out);
	}
	if (x->AttributeValueList.v)
		return fail(rq, &aws_ValidationException,
		            INVALID "AttributeValueList can only be used with a ComparisonOperator for "
		            "Attribute: %.*s", STR_ARG(name));
	if (exists && !x->Value)
		return fail(rq, &aws_ValidationException,
		            INVALID "Value must be provided when Exists is %s for Attribute: %.*s",
		            x->Exists.set ? "true" : "null", STR_ARG(name));
	if (!exists && x->Value)
		return fail(rq, &aws_ValidationException,
		            INVALID "Value cannot be used when Exists is false for Attribute: %.*s",
		            STR_ARG(name));
	return one_condition(rq, name, exists ? S("EQ") : S("NULL"), &no_list, x->Value, out);
}

/* AND over nothing is true: no tree. */
static const expr *joined(arena *mem, expr **parts, size_t n, str conditional_operator)
{
	bool any = str_eq(conditional_operator, S("OR"));
	if (n < 2)
		return n ? parts[0] : NULL;
	expr *e = make(mem, any ? EXPR_OR : EXPR_AND, any ? S("OR") : S("AND"), n);
	memcpy(e->args, parts, n * sizeof *parts);
	return e;
}

static err lone_operator(req *rq, str operator_name, size_t conditions)
{
	return conditions || !str_is(operator_name)
	               ? OK
	               : fail(rq, &aws_ValidationException,
	                      "ConditionalOperator cannot be used without Filter or Expected");
}

err ddb_expected(req *rq, const dynamodb_ExpectedAttributeMap *expected, str operator_name,
                 const expr **out)
{
	expr **parts = arena_array(rq->mem, expr *, expected->n + 1);
	TRY(lone_operator(rq, operator_name, expected->n));
	for (size_t i = 0; i < expected->n; i++)
		TRY(expected_one(rq, expected->v[i].key, &expected->v[i].value, &parts[i]));
	*out = joined(rq->mem, parts, expected->n, operator_name);
	return OK;
}

err ddb_filter(req *rq, const dynamodb_FilterConditionMap *filter, str operator_name,
               const expr **out)
{
	expr **parts = arena_array(rq->mem, expr *, filter->n + 1);
	TRY(lone_operator(rq, operator_name, filter->n));
	for (size_t i = 0; i < filter->n; i++)
		TRY(one_condition(rq, filter->v[i].key, filter->v[i].value.ComparisonOperator,
		                  &filter->v[i].value.AttributeValueList, NULL, &parts[i]));
	*out = joined(rq->mem, parts, filter->n, operator_name);
	return OK;
}

err ddb_key_conditions(req *rq, const dynamodb_KeyConditions *conditions,
                       const expr *out[DDB_KEY_CONDITIONS], size_t *n)
{
	for (size_t i = 0; i < conditions->n; i++) {
		expr *e;
		TRY(one_condition(rq, conditions->v[i].key, conditions->v[i].value.ComparisonOperator,
		                  &conditions->v[i].value.AttributeValueList, NULL, &e));
		if (i < DDB_KEY_CONDITIONS)
			out[i] = e;
	}
	*n = conditions->n;
	return OK;
}

static err update_one(req *rq, str name, const dynamodb_AttributeValueUpdate *u, update_action *a)
{
	str action = str_is(u->Action) ? u->Action : S("PUT");
	bool delete = str_eq(action, S("DELETE")), add = str_eq(action, S("ADD"));
	a->path = attribute(rq->mem, name)->path;
	a->kind = delete ? UPDATE_DELETE : add ? UPDATE_ADD : UPDATE_SET;
	if (!u->Value) {
		a->kind = UPDATE_REMOVE;
		return delete ? OK : fail(rq, &aws_ValidationException,
		                          INVALID "Only DELETE action is allowed when no attribute value "
		                          "is specified");
	}
	a->operand = make(rq->mem, EXPR_VALUE, STR_NONE, 0);
	TRY(ddb_invalid(rq, wire_value_in(rq->mem, u->Value, &a->operand->value)));
	value_tag tag = value_tag_of(a->operand->value);
	bool set = tag >= VALUE_SS && tag <= VALUE_BS;
	if (delete && !set)
		return fail(rq, &aws_ValidationException,
		            INVALID "DELETE action with value is not supported for the type %s",
		            value_type(tag));
	if (add && !set && tag != VALUE_N && tag != VALUE_L)
		return fail(rq, &aws_ValidationException,
		            INVALID "ADD action is not supported for the type %s", value_type(tag));
	return OK;
}

/* ADD of a list appends to the list that is there. */
static void add_list(arena *mem, update_action *a)
{
	if (a->kind != UPDATE_ADD || value_tag_of(a->operand->value) != VALUE_L)
		return;
	expr *empty = make(mem, EXPR_VALUE, STR_NONE, 0);
	buf b = buf_in(mem, 16, 16);
	value_end(&b, value_begin(&b, VALUE_L, 0));
	empty->value = buf_str(&b);
	expr *before = call_on(mem, "if_not_exists", a->path.v[0].name, empty);
	expr *append = make(mem, EXPR_CALL, S("list_append"), 2);
	append->args[0] = before;
	append->args[1] = a->operand;
	a->kind = UPDATE_SET;
	a->operand = append;
}

err ddb_attribute_updates(req *rq, const dynamodb_AttributeUpdates *updates, update *out)
{
	out->v = arena_array(rq->mem, update_action, updates->n + 1);
	out->legacy = true;
	for (; out->n < updates->n; out->n++) {
		update_action *a = &out->v[out->n];
		TRY(update_one(rq, updates->v[out->n].key, &updates->v[out->n].value, a));
		add_list(rq->mem, a);
	}
	return OK;
}
