#include "base/map.h"
#include "svc/dynamodb/params.h"

#define FEW_REFS 16

static bool param_given(const ddb_param *p)
{
	return p->legacy ? p->given : str_is(p->text);
}

static str names_of(arena *mem, const ddb_param *params, size_t n, bool legacy)
{
	buf b = buf_in(mem, 64, 1024);
	for (size_t i = 0; i < n; i++) {
		if (params[i].legacy != legacy || !param_given(&params[i]))
			continue;
		if (b.n)
			buf_put(&b, S(", "));
		buf_put(&b, str_c(params[i].name));
	}
	return buf_str(&b);
}

static err values_alone(req *rq, const ddb_param *params, size_t n)
{
	buf b = buf_in(rq->mem, 64, 1024);
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (params[i].legacy || strcmp(params[i].name, "ProjectionExpression") == 0)
			continue;
		if (param_given(&params[i]))
			return OK;
		if (count++)
			buf_put(&b, S(" and "));
		buf_put(&b, str_c(params[i].name));
	}
	return fail(rq, &aws_ValidationException,
	            "ExpressionAttributeValues can only be specified when using expressions: %.*s %s "
	            "null", STR_ARG(buf_str(&b)), count > 1 ? "are" : "is");
}

static bool ref_key(str key, char first)
{
	if (key.n < 2 || *key.p != first)
		return false;
	for (size_t i = 1; i < key.n; i++) {
		char c = key.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_'))
			return false;
	}
	return true;
}

static err take_names(req *rq, const dynamodb_ExpressionAttributeNameMap *names, expr_env *env)
{
	if (!names->n)
		return fail(rq, &aws_ValidationException, "ExpressionAttributeNames must not be empty");
	env->names = arena_array(rq->mem, expr_ref, names->n);
	for (size_t i = 0; i < names->n; i++) {
		if (!ref_key(names->v[i].key, '#'))
			return fail(
				rq, &aws_ValidationException,
				"ExpressionAttributeNames contains invalid key: Syntax error; key: \"%.*s\"",
				STR_ARG(names->v[i].key));
		if (!names->v[i].value.n)
			return fail(rq, &aws_ValidationException,
			            "ExpressionAttributeNames contains invalid value: Empty attribute name for "
			            "key %.*s", STR_ARG(names->v[i].key));
		env->names[i] = (expr_ref){ .key = names->v[i].key, .name = names->v[i].value };
	}
	env->n_names = names->n;
	return OK;
}

static err take_values(req *rq, const dynamodb_ExpressionAttributeValueMap *values, expr_env *env)
{
	if (!values->n)
		return fail(rq, &aws_ValidationException, "ExpressionAttributeValues must not be empty");
	env->values = arena_array(rq->mem, expr_ref, values->n);
	for (size_t i = 0; i < values->n; i++)
		if (!ref_key(values->v[i].key, ':'))
			return fail(rq, &aws_ValidationException,
			            "ExpressionAttributeValues contains invalid key: Syntax error; key: "
			            "\"%.*s\"", STR_ARG(values->v[i].key));
	for (size_t i = 0; i < values->n; i++) {
		expr_ref *ref = &env->values[i];
		ref->key = values->v[i].key;
		str why = wire_value_in(rq->mem, &values->v[i].value, &ref->value);
		if (str_is(why))
			return fail(rq, &aws_ValidationException,
			            "ExpressionAttributeValues contains invalid value: %.*s for key %.*s",
			            STR_ARG(why), STR_ARG(ref->key));
	}
	env->n_values = values->n;
	return OK;
}

static void index_refs(expr_env *env)
{
	size_t n = env->n_names + env->n_values;
	if (n <= FEW_REFS)
		return;
	env->by_key = arena_new(env->mem, map);
	*env->by_key = map_in(env->mem, n);
	for (size_t i = 0; i < env->n_names; i++)
		map_put(env->by_key, env->names[i].key, &env->names[i]);
	for (size_t i = 0; i < env->n_values; i++)
		map_put(env->by_key, env->values[i].key, &env->values[i]);
}

err ddb_mix(req *rq, const ddb_param *params, size_t n, const dynamodb_ExpressionAttributeNameMap *names,
            const dynamodb_ExpressionAttributeValueMap *values)
{
	str expressions = names_of(rq->mem, params, n, false);
	str legacy = names_of(rq->mem, params, n, true);
	if (expressions.n && legacy.n)
		return fail(
			rq, &aws_ValidationException,
			"Can not use both expression and non-expression parameters in the same request: "
			"Non-expression parameters: {%.*s} Expression parameters: {%.*s}",
			STR_ARG(legacy), STR_ARG(expressions));
	if (names->v && !expressions.n)
		return fail(rq, &aws_ValidationException,
		            "ExpressionAttributeNames can only be specified when using expressions");
	return values && values->v ? values_alone(rq, params, n) : OK;
}

err ddb_env(req *rq, const dynamodb_ExpressionAttributeNameMap *names,
            const dynamodb_ExpressionAttributeValueMap *values, expr_env *out)
{
	*out = (expr_env){ .mem = rq->mem };
	if (names->v)
		TRY(take_names(rq, names, out));
	if (values && values->v)
		TRY(take_values(rq, values, out));
	index_refs(out);
	return OK;
}

err ddb_condition(req *rq, expr_env *env, const char *what, str text, const expr **out)
{
	expr *e = NULL;
	*out = NULL;
	if (!str_is(text))
		return OK;
	TRY(ddb_invalid(rq, expr_condition(env, what, text, &e)));
	*out = e;
	return OK;
}

static projection *names_projection(req *rq, const dynamodb_AttributeNameList *names)
{
	projection *p = arena_new(rq->mem, projection);
	p->v = arena_array(rq->mem, path, names->n);
	for (size_t i = 0; i < names->n; i++) {
		path_part *part = arena_new(rq->mem, path_part);
		part->name = names->v[i];
		p->v[p->n++] = (path){ part, 1 };
	}
	return p;
}

err ddb_attributes(req *rq, const dynamodb_AttributeNameList *names, const projection **out)
{
	for (size_t i = 0; i < names->n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(names->v[i], names->v[k]))
				return fail(rq, &aws_ValidationException,
				            "One or more parameter values were invalid: Duplicate value in "
				            "attribute name: %.*s", STR_ARG(names->v[i]));
	if (names->v)
		*out = names_projection(rq, names);
	return OK;
}

err ddb_reading(req *rq, str text, const dynamodb_ExpressionAttributeNameMap *names, const projection **out)
{
	expr_env env;
	TRY(ddb_env(rq, names, NULL, &env));
	TRY(ddb_projection(rq, &env, text, out));
	return ddb_env_done(rq, &env);
}

err ddb_projection(req *rq, expr_env *env, str text, const projection **out)
{
	if (!str_is(text))
		return OK;
	projection *p = arena_new(rq->mem, projection);
	TRY(ddb_invalid(rq, expr_projection(env, "ProjectionExpression", text, p)));
	*out = p;
	return OK;
}

err ddb_env_done(req *rq, const expr_env *env)
{
	return ddb_invalid(rq, expr_unused(env));
}

bool ddb_holds(const expr *condition, ddb_item i)
{
	return !condition || expr_true(condition, i.map);
}
