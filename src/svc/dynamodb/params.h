/*
 * What the parameters of several operations on items have in common: expressions with their names and values,
 * and the parameters of before there were expressions, which become the same trees. Trees live as long as the
 * request.
 */
#pragma once
#include "svc/dynamodb/ddb.h"

/* params.c: what several operations' parameters have in common */
typedef struct ddb_param {
	const char *name;
	str text;    /* of an expression */
	bool legacy; /* one of the parameters of before expressions .. */
	bool given;  /* .. which is there */
} ddb_param;
#define DDB_EXPRESSION(name_, in) { .name = #name_, .text = (in)->name_ }
#define DDB_LEGACY(name_, in) { .name = #name_, .legacy = true, .given = (in)->name_.v != NULL }
/* Refuses mixtures of the two worlds, and names and values without expressions. */
err ddb_mix(req *rq, const ddb_param *params, size_t n, const dynamodb_ExpressionAttributeNameMap *names,
            const dynamodb_ExpressionAttributeValueMap *values);
/* Takes the names and values that expressions may use. */
err ddb_env(req *rq, const dynamodb_ExpressionAttributeNameMap *names,
            const dynamodb_ExpressionAttributeValueMap *values, expr_env *out);
/* Each OK, or AWS's ValidationException; an absent text yields NULL or nothing. */
err ddb_condition(req *rq, expr_env *env, const char *what, str text, const expr **out);
err ddb_projection(req *rq, expr_env *env, str text, const projection **out);
/* AttributesToGet; absent yields nothing. */
err ddb_attributes(req *rq, const dynamodb_AttributeNameList *names, const projection **out);
/* Both of these, with their names: what reading operations take. */
err ddb_reading(req *rq, str text, const dynamodb_ExpressionAttributeNameMap *names, const projection **out);
/* After the last expression. */
err ddb_env_done(req *rq, const expr_env *env);
/* No condition always holds. */
bool ddb_holds(const expr *condition, ddb_item i);

/* legacy.c: the parameters of before expressions, as the same trees */
err ddb_expected(req *rq, const dynamodb_ExpectedAttributeMap *expected, str operator, const expr **out);
err ddb_filter(req *rq, const dynamodb_FilterConditionMap *filter, str operator, const expr **out);
#define DDB_KEY_CONDITIONS (2 * DDB_KEY_PARTS_MAX)
/* How many there are; of more than DDB_KEY_CONDITIONS only the first ones. */
err ddb_key_conditions(req *rq, const dynamodb_KeyConditions *conditions,
                       const expr *out[DDB_KEY_CONDITIONS], size_t *n);
err ddb_attribute_updates(req *rq, const dynamodb_AttributeUpdates *updates, update *out);
