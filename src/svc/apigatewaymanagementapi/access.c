/* Whoever says something to a client of a WebSocket API needs execute-api:ManageConnections on it. */
#include "cloud/authorise.h"
#include "cloud/socket_table.h"

/* API/STAGE/METHOD/@connections/ID; a connection that is gone has no API. */
static size_t the_connection(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str id = access_member(rq, in, S("ConnectionId")), method = str_c(rq->op->method);
	socket_entry *e = socket_find(id);
	*arns = arena_new(rq->mem, str);
	**arns = req_arn(rq, "execute-api", "%.*s/%.*s/%.*s/@connections/%.*s",
	                 STR_ARG(e ? socket_facts_of(e)->api : S("*")),
	                 STR_ARG(e ? socket_facts_of(e)->stage : S("*")), STR_ARG(method), STR_ARG(id));
	if (e)
		socket_put(e);
	return 1;
}

#define ON(operation) { operation, "execute-api:ManageConnections", NULL, the_connection }
ACCESS(apigatewaymanagementapi, "apigatewaymanagementapi", "execute-api",
	ON("PostToConnection"), ON("GetConnection"), ON("DeleteConnection"));
