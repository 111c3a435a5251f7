/* The transformer of a group: applied to events as they come. */
#include "transform.h"

static err check(req *rq, const logs_Processors *all, transform *t)
{
	bool unknown;
	const char *wrong = transform_read(rq->mem, all, t, &unknown);
	if (wrong && unknown)
		return fail(rq, &aws_NotImplemented, "%s", wrong);
	return wrong ? fail(rq, &logs_InvalidParameterException, "%s", wrong) : OK;
}

err logs_TestTransformer(req *rq, const txn *tx, const logs_TestTransformer_in *in,
                         logs_TestTransformer_out *out)
{
	transform t = { .account = rq->who.account, .region = rq->region, .group = S(""), .stream = S("") };
	TRY(check(rq, &in->transformerConfig, &t));
	out->transformedLogs.v = arena_array(rq->mem, logs_TransformedLogRecord, in->logEventMessages.n + 1);
	arena *scratch = arena_open(0);
	for (size_t i = 0; i < in->logEventMessages.n; i++) {
		str message = in->logEventMessages.v[i];
		arena_reset(scratch);
		out->transformedLogs.v[out->transformedLogs.n++] = (logs_TransformedLogRecord){
			.eventNumber = I64((int64_t)i + 1), .eventMessage = message,
			.transformedEventMessage = arena_str(rq->mem, transform_apply(scratch, &t, message)) };
	}
	arena_close(scratch);
	return OK;
}

err logs_PutTransformer(req *rq, txn *tx, const logs_PutTransformer_in *in, logs_PutTransformer_out *out)
{
	logs_group *g;
	transform t = { 0 };
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	TRY(group_standard(rq, g));
	TRY(check(rq, &in->transformerConfig, &t));
	const logs_transformer *before = logs_transformer_get(tx, rq->mem, g->Id);
	logs_transformer_put(tx, &(logs_transformer){ .GroupId = g->Id, .Config = in->transformerConfig,
		.Created = before ? before->Created : rq->now, .Updated = rq->now });
	return OK;
}

static err no_transformer(req *rq)
{
	return fail(rq, &logs_ResourceNotFoundException,
	            "The specified log group does not have a transformer.");
}

err logs_GetTransformer(req *rq, const txn *tx, const logs_GetTransformer_in *in,
                        logs_GetTransformer_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	const logs_transformer *t = logs_transformer_get(tx, rq->mem, g->Id);
	if (!t)
		return no_transformer(rq);
	*out = (logs_GetTransformer_out){ .logGroupIdentifier = group_arn(rq, g->Name),
		.transformerConfig = t->Config, .creationTime = I64(t->Created),
		.lastModifiedTime = I64(t->Updated) };
	return OK;
}

err logs_DeleteTransformer(req *rq, txn *tx, const logs_DeleteTransformer_in *in,
                           logs_DeleteTransformer_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->logGroupIdentifier, &g));
	return logs_transformer_delete(tx, g->Id) ? OK : no_transformer(rq);
}

void transformer_drop(txn *tx, const logs_group *g) { logs_transformer_delete(tx, g->Id); }

void transformed(txn *tx, const logs_group *g, const logs_stream *s, event_in *events, size_t n)
{
	bool unknown;
	arena *mem = txn_arena(tx);
	transform t = { .account = g->Account, .region = g->Region, .group = g->Name, .stream = s->Name };
	const logs_transformer *own = logs_transformer_get(tx, mem, g->Id);
	if (!own || transform_read(mem, &own->Config, &t, &unknown))
		return;
	arena *scratch = arena_open(0);
	for (size_t i = 0; i < n; i++) {
		arena_reset(scratch);
		events[i].transformed = arena_str(mem, transform_apply(scratch, &t, events[i].shown));
	}
	arena_close(scratch);
}
