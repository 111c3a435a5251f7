/* Whom policies speak of: the workgroup that a request names, or that of the query it names. */
#include "athena.h"
#include "cloud/authorise.h"
#include "wire/shape.h"

typedef struct names {
	const str *v;
	size_t n;
} names;

/* A text of the input's is a list of one. */
static names member(req *rq, const void *in, const char *name)
{
	const shape_member *m = shape_member_find(rq->op->input, str_c(name));
	if (!m)
		return (names){ 0 };
	const void *at = (const char *)in + m->offset;
	if (m->shape->kind == SHAPE_LIST)
		return *(const names *)at;
	return (names){ at, str_is(*(const str *)at) };
}

static str arn_of(req *rq, str group)
{
	return req_arn(rq, "athena", "workgroup/%.*s", STR_ARG(group));
}

static size_t of_group(req *rq, const txn *tx, const void *in, str **arns)
{
	names group = member(rq, in, "WorkGroup");
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = arn_of(rq, group.n ? group.v[0] : S(ATHENA_PRIMARY));
	return 1;
}

/* What is not there is asked about as one of all. */
static size_t of_queries(req *rq, const txn *tx, const void *in, str **arns)
{
	names one = member(rq, in, "QueryExecutionId"), ids = one.n ? one : member(rq, in, "QueryExecutionIds");
	size_t n = 0;
	*arns = arena_array(rq->mem, str, ids.n + 1);
	for (size_t i = 0; i < ids.n; i++) {
		athena_query *q = athena_query_get(tx, rq->mem, rq->who.account, rq->region, ids.v[i]);
		if (q)
			(*arns)[n++] = arn_of(rq, q->It->WorkGroup);
	}
	return n;
}

static size_t of_named(req *rq, const txn *tx, const void *in, str **arns)
{
	names one = member(rq, in, "NamedQueryId"), ids = one.n ? one : member(rq, in, "NamedQueryIds");
	size_t n = 0;
	*arns = arena_array(rq->mem, str, ids.n + 1);
	for (size_t i = 0; i < ids.n; i++) {
		athena_named *q = athena_named_get(tx, rq->mem, rq->who.account, rq->region, ids.v[i]);
		if (q)
			(*arns)[n++] = arn_of(rq, q->It->WorkGroup);
	}
	return n;
}

#define OF_GROUP(operation) { operation, NULL, NULL, of_group }
#define OF_QUERY(operation) { operation, NULL, NULL, of_queries }
#define OF_NAMED(operation) { operation, NULL, NULL, of_named }
#define ANY(operation) { operation, NULL, "*", NULL }
#define OF_CATALOG(operation) { operation, NULL, "datacatalog/{CatalogName}", NULL }
#define OF_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
ACCESS(athena, "athena", NULL,
	{ "CreateWorkGroup", NULL, "workgroup/{Name}", NULL }, OF_GROUP("GetWorkGroup"),
	OF_GROUP("UpdateWorkGroup"), OF_GROUP("DeleteWorkGroup"), ANY("ListWorkGroups"),
	OF_GROUP("StartQueryExecution"), OF_GROUP("ListQueryExecutions"), OF_QUERY("GetQueryExecution"),
	OF_QUERY("BatchGetQueryExecution"), OF_QUERY("StopQueryExecution"), OF_QUERY("GetQueryResults"),
	OF_QUERY("GetQueryRuntimeStatistics"), OF_GROUP("CreateNamedQuery"), OF_GROUP("ListNamedQueries"),
	OF_NAMED("GetNamedQuery"), OF_NAMED("BatchGetNamedQuery"), OF_NAMED("UpdateNamedQuery"),
	OF_NAMED("DeleteNamedQuery"), OF_GROUP("CreatePreparedStatement"), OF_GROUP("GetPreparedStatement"),
	OF_GROUP("ListPreparedStatements"), OF_GROUP("UpdatePreparedStatement"),
	OF_GROUP("DeletePreparedStatement"), ANY("ListDataCatalogs"), ANY("ListEngineVersions"),
	{ "GetDataCatalog", NULL, "datacatalog/{Name}", NULL }, OF_CATALOG("GetDatabase"),
	OF_CATALOG("ListDatabases"), OF_CATALOG("GetTableMetadata"), OF_CATALOG("ListTableMetadata"),
	OF_ARN("TagResource"), OF_ARN("UntagResource"), OF_ARN("ListTagsForResource"));
