/* Queries that are kept by name. They are not run here. */
#include "logs.h"
#include "sys/rand.h"

#define PAGE 1000

err logs_PutQueryDefinition(req *rq, txn *tx, const logs_PutQueryDefinition_in *in,
                            logs_PutQueryDefinition_out *out)
{
	str id = in->queryDefinitionId;
	if (str_is(id) && !logs_querydef_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &logs_ResourceNotFoundException, "The specified query definition does not exist.");
	if (!str_is(id)) {
		size_t n = 0;
		record_scan s = logs_querydef_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
		while (logs_querydef_next(&s))
			n++;
		if (n >= LOGS_QUERY_DEFINITIONS_MAX)
			return fail(rq, &logs_LimitExceededException, "Resource limit exceeded.");
		id = rand_uuid(rq->mem);
	}
	logs_QueryDefinition d = { .queryDefinitionId = id, .name = in->name, .queryString = in->queryString,
		.lastModified = I64(rq->now), .logGroupNames = in->logGroupNames, .parameters = in->parameters,
		.queryLanguage = str_is(in->queryLanguage) ? in->queryLanguage : logs_QueryLanguage_CWLI };
	logs_querydef_put(tx, &(logs_querydef){ .Account = rq->who.account, .Region = rq->region, .Id = id,
	                                        .It = &d });
	out->queryDefinitionId = id;
	return OK;
}

err logs_DeleteQueryDefinition(req *rq, txn *tx, const logs_DeleteQueryDefinition_in *in,
                               logs_DeleteQueryDefinition_out *out)
{
	if (!logs_querydef_delete(tx, rq->who.account, rq->region, in->queryDefinitionId))
		return fail(rq, &logs_ResourceNotFoundException, "The specified query definition does not exist.");
	out->success = BOOL(true);
	return OK;
}

err logs_DescribeQueryDefinitions(req *rq, const txn *tx, const logs_DescribeQueryDefinitions_in *in,
                                  logs_DescribeQueryDefinitions_out *out)
{
	size_t page = in->maxResults.set ? (size_t)in->maxResults.v : PAGE;
	record_scan s = logs_querydef_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(scan_goes_on(rq, in->nextToken, &s));
	out->queryDefinitions.v = arena_array(rq->mem, logs_QueryDefinition, page);
	for (logs_querydef *d; (d = logs_querydef_next(&s));) {
		if (!str_starts(d->It->name, in->queryDefinitionNamePrefix) ||
		    (str_is(in->queryLanguage) && !str_eq(d->It->queryLanguage, in->queryLanguage)))
			continue;
		if (out->queryDefinitions.n == page) {
			out->nextToken = page_token(rq, out->queryDefinitions.v[page - 1].queryDefinitionId);
			break;
		}
		out->queryDefinitions.v[out->queryDefinitions.n++] = *d->It;
	}
	cursor_close(&s.at);
	return OK;
}
