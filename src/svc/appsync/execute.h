/*
 * One GraphQL request: who asks, what it may see, and the walk over what it selects. Fields with a resolver
 * ask a data source (resolve.c), all others are members of what their parent's resolver gave.
 *
 * An execution lives in one arena and on one thread. It ends by itself after EXECUTE_US, EXECUTE_BYTES of
 * memory, EXECUTE_DEPTH levels or GQL_FIELDS_MAX fields.
 */
#pragma once
#include "appsync.h"
#include "graphql.h"
#include "wire/http.h"

#define EXECUTE_US (INT64_C(30) * 1000000)
#define EXECUTE_BYTES ((size_t)192 << 20)
#define EXECUTE_DEPTH 500 /* objects inside each other */
#define ERRORS_MAX 1000
#define ANSWER_MAX ((size_t)5 << 20)

typedef enum auth_mode { AUTH_NONE, AUTH_KEY, AUTH_IAM, AUTH_POOL, AUTH_OIDC, AUTH_LAMBDA } auth_mode;

/* Who asks. */
typedef struct identity {
	auth_mode mode;
	str json;            /* ctx.identity */
	const json_value *groups; /* of a user pool: an array, or NULL */
	const json_value *denied; /* fields that an authorizer denies: an array, or NULL */
	caller who;          /* AWS_IAM */
} identity;

typedef struct gql_path {
	str name;            /* absent: an index */
	size_t index;
	const struct gql_path *up;
} gql_path;

typedef struct execution {
	arena *mem;
	store *s;
	req *rq;             /* acts for AppSync in the API's account and region */
	appsync_api *api;
	const gql_schema *schema;
	gql_document *document;
	gql_definition *operation;
	const json_value *variables;
	const identity *who;
	const wire_message *in; /* ctx.request.headers; NULL: none */
	str domain;
	json_value *errors, *last_error;
	map resolvers;       /* "Type.field" -> what is known of it */
	size_t fields, resolved;
	int stamp;           /* of a walk over fragments */
	int depth;
	int64_t until_us;
	bool stopped;        /* no more is asked */
	bool plain;          /* no resolvers: the members of `root` alone */
	const json_value *root;
} execution;

/* A field on its way: what its resolver sees as ctx.info and ctx.arguments. */
typedef struct gql_visit {
	const gql_named *type;
	const gql_field *field;
	const gql_selection *selection;
	const gql_path *path;
	const json_value *source, *arguments;
} gql_visit;

void execution_open(execution *e, arena *mem, store *s, req *rq, appsync_api *api, const gql_schema *schema);
/* Chooses the operation, validates, reads the variables. false: the answer is its errors. */
bool execution_prepare(execution *e, str query, str name, const json_value *variables);
/* The data; NULL: null. */
json_value *execution_run(execution *e);
/* {"data":..,"errors":..} */
str execution_answer(execution *e, const json_value *data);
/* `type` absent: without errorType; data and info are JSON or absent. */
void execution_error(execution *e, const gql_path *path, gql_at at, str type, str message, str data,
		str info);

/* What an operation selects of an object: response keys with the selections behind each. */
typedef struct gql_group {
	str alias;
	const gql_selection *first;
	struct gql_sets *sets; /* what is selected of its value */
	struct gql_group *next;
} gql_group;
typedef struct gql_sets {
	const gql_selection *list;
	struct gql_sets *next;
} gql_sets;
gql_group *execution_collect(execution *e, const gql_named *object, const gql_sets *sets);
/* What a mutation's field gave, with the fields' own names as keys: what subscribers are told. */
json_value *execution_renamed(execution *e, const gql_named *type, const gql_sets *sets, const json_value *v);
json_value *execution_arguments(execution *e, const gql_field *f, const gql_selection *s,
		const gql_path *path);

/* authorize.c: whether the caller may see the field; the problem is told. */
bool field_allowed(execution *e, const gql_visit *v);

/* resolve.c: whether the field has a resolver, and what it gives (NULL: null). */
bool resolver_found(execution *e, const gql_visit *v);
const json_value *resolver_value(execution *e, const gql_visit *v);

/* introspect.c: a member of one of the types with two underscores. */
const json_value *introspection_value(execution *e, const gql_visit *v);
str introspection_of(arena *mem, store *s, req *rq, appsync_api *api, const gql_schema *schema);
