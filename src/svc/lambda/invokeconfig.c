/* How events taken with InvocationType Event are retried, and where they go in the end. */
#include "lambda.h"

static str key_of(const target *t)
{
	return str_is(t->f.qualifier) ? t->f.qualifier : S("");
}

/* The ARN always has a qualifier here. */
static str arn_of(arena *mem, const target *t)
{
	str q = str_is(t->f.qualifier) ? t->f.qualifier : S("$LATEST");
	return name_arn_of(mem, t->f.account, t->f.region, t->f.name, q);
}

static void store_config(req *rq, txn *tx, const target *t, lambda_FunctionEventInvokeConfig *c)
{
	c->LastModified = TIME(rq->now);
	c->FunctionArn = arn_of(rq->mem, t);
	if (!c->DestinationConfig)
		c->DestinationConfig = arena_new(rq->mem, lambda_DestinationConfig);
	if (!c->DestinationConfig->OnSuccess)
		c->DestinationConfig->OnSuccess = arena_new(rq->mem, lambda_OnSuccess);
	if (!c->DestinationConfig->OnFailure)
		c->DestinationConfig->OnFailure = arena_new(rq->mem, lambda_OnFailure);
	lambda_invokeconfig_put(tx, &(lambda_invokeconfig){
		.Account = t->f.account, .Region = t->f.region, .Name = t->f.name, .Qualifier = key_of(t), .It = c });
}

static err destinations_check(req *rq, const lambda_DestinationConfig *d)
{
	if (d && d->OnSuccess)
		TRY(destination_check(rq, d->OnSuccess->Destination, FOR_SUCCESS));
	if (d && d->OnFailure)
		TRY(destination_check(rq, d->OnFailure->Destination, FOR_FAILURE));
	return OK;
}

err lambda_PutFunctionEventInvokeConfig(req *rq, txn *tx, const lambda_PutFunctionEventInvokeConfig_in *in,
                                        lambda_PutFunctionEventInvokeConfig_out *out)
{
	target t;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	TRY(destinations_check(rq, in->DestinationConfig));
	*out = (lambda_FunctionEventInvokeConfig){
		.MaximumRetryAttempts = in->MaximumRetryAttempts,
		.MaximumEventAgeInSeconds = in->MaximumEventAgeInSeconds,
		.DestinationConfig = in->DestinationConfig };
	store_config(rq, tx, &t, out);
	return OK;
}

static err find(req *rq, const txn *tx, const target *t, lambda_invokeconfig **c)
{
	*c = lambda_invokeconfig_get(tx, rq->mem, t->f.account, t->f.region, t->f.name, key_of(t));
	str arn = arn_of(rq->mem, t);
	return *c ? OK : fail(rq, &lambda_ResourceNotFoundException, "The function %.*s doesn't have an "
	                      "EventInvokeConfig", STR_ARG(arn));
}

err lambda_UpdateFunctionEventInvokeConfig(req *rq, txn *tx,
                                           const lambda_UpdateFunctionEventInvokeConfig_in *in,
                                           lambda_UpdateFunctionEventInvokeConfig_out *out)
{
	target t;
	lambda_invokeconfig *c;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	TRY(find(rq, tx, &t, &c));
	TRY(destinations_check(rq, in->DestinationConfig));
	*out = *c->It;
	if (in->MaximumRetryAttempts.set)
		out->MaximumRetryAttempts = in->MaximumRetryAttempts;
	if (in->MaximumEventAgeInSeconds.set)
		out->MaximumEventAgeInSeconds = in->MaximumEventAgeInSeconds;
	if (in->DestinationConfig)
		out->DestinationConfig = in->DestinationConfig;
	store_config(rq, tx, &t, out);
	return OK;
}

err lambda_GetFunctionEventInvokeConfig(req *rq, const txn *tx,
                                        const lambda_GetFunctionEventInvokeConfig_in *in,
                                        lambda_GetFunctionEventInvokeConfig_out *out)
{
	target t;
	lambda_invokeconfig *c;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	TRY(find(rq, tx, &t, &c));
	*out = *c->It;
	return OK;
}

err lambda_DeleteFunctionEventInvokeConfig(req *rq, txn *tx,
                                           const lambda_DeleteFunctionEventInvokeConfig_in *in,
                                           lambda_DeleteFunctionEventInvokeConfig_out *out)
{
	target t;
	lambda_invokeconfig *c;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	TRY(find(rq, tx, &t, &c));
	lambda_invokeconfig_delete(tx, t.f.account, t.f.region, t.f.name, key_of(&t));
	return OK;
}

err lambda_ListFunctionEventInvokeConfigs(req *rq, const txn *tx,
                                          const lambda_ListFunctionEventInvokeConfigs_in *in,
                                          lambda_ListFunctionEventInvokeConfigs_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	TRY(function_find(rq, tx, &f, &fn));
	size_t n = 0, room = 64;
	lambda_FunctionEventInvokeConfig *v = arena_array(rq->mem, lambda_FunctionEventInvokeConfig, room);
	record_scan s = lambda_invokeconfig_scan(tx, rq->mem, 3, f.account, f.region, f.name, STR_NONE);
	for (lambda_invokeconfig *c; n < room && (c = lambda_invokeconfig_next(&s));)
		v[n++] = *c->It;
	out->FunctionEventInvokeConfigs = (lambda_FunctionEventInvokeConfigList){ v, n };
	return OK;
}
