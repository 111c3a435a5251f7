/* How events taken with InvocationType Event are retried, and where they go in the end. */
#include "lambda.h"
#include "cloud/target.h"

#define PAGE 50

/* $LATEST is the function itself. */
static str key_of(const function_name *f)
{
	return str_is(f->qualifier) && !str_eq(f->qualifier, S("$LATEST")) ? f->qualifier : S("");
}

/* The ARN always has a qualifier here. */
static str arn_of(arena *mem, const function_name *f)
{
	str q = str_is(f->qualifier) ? f->qualifier : S("$LATEST");
	return name_arn_of(mem, f->account, f->region, f->name, q);
}

static void store_config(req *rq, txn *tx, const function_name *f, lambda_FunctionEventInvokeConfig *c)
{
	c->LastModified = TIME(rq->now);
	c->FunctionArn = arn_of(rq->mem, f);
	if (!c->DestinationConfig)
		c->DestinationConfig = arena_new(rq->mem, lambda_DestinationConfig);
	if (!c->DestinationConfig->OnSuccess)
		c->DestinationConfig->OnSuccess = arena_new(rq->mem, lambda_OnSuccess);
	if (!c->DestinationConfig->OnFailure)
		c->DestinationConfig->OnFailure = arena_new(rq->mem, lambda_OnFailure);
	lambda_invokeconfig_put(tx, &(lambda_invokeconfig){
		.Account = f->account, .Region = f->region, .Name = f->name, .Qualifier = key_of(f), .It = c });
}

lambda_invokeconfig *invokeconfig_of(const txn *tx, arena *mem, const lambda_pending *p)
{
	function_name f = { p->Account, p->Region, p->Name, p->Qualifier };
	return lambda_invokeconfig_get(tx, mem, f.account, f.region, f.name, key_of(&f));
}

/* As AWS prints the configuration it refuses. */
static str config_text(arena *mem, const lambda_DestinationConfig *d)
{
	str success = d->OnSuccess ? arena_fmt(mem, "OnSuccess(destination=%.*s)",
	                                       STR_ARG(d->OnSuccess->Destination)) : S("null");
	str failure = d->OnFailure ? arena_fmt(mem, "OnFailure(destination=%.*s)",
	                                       STR_ARG(d->OnFailure->Destination)) : S("null");
	return arena_fmt(mem, "DestinationConfig(onSuccess=%.*s, onFailure=%.*s)", STR_ARG(success),
	                 STR_ARG(failure));
}

static err destination_ok(req *rq, const txn *tx, const function_name *f, const lambda_DestinationConfig *all,
                          str arn, destination_use use)
{
	arn_parts a;
	function_name other;
	if (!arn.n)
		return OK;
	str text = config_text(rq->mem, all);
	if (!arn_split(arn, &a) || !destination_takes(use, a.service))
		return fail(rq, &lambda_InvalidParameterValueException, "The provided destination config %.*s is "
		            "invalid.", STR_ARG(text));
	if (!str_eq(a.service, S("lambda")))
		return destination_check(rq, arn, use);
	err bad = name_read(rq, arn, STR_NONE, &other);
	if (!bad && str_eq(other.name, f->name))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "You can't specify the function as a destination for itself.");
	if (str_eq(a.account, rq->who.account) && str_eq(a.region, rq->region) &&
	    (bad || !lambda_function_get(tx, rq->mem, other.account, other.region, other.name)))
		return fail(rq, &lambda_InvalidParameterValueException, "The destination ARN %.*s is invalid.",
		            STR_ARG(arn));
	return OK;
}

static err destinations_check(req *rq, const txn *tx, const function_name *f,
                              const lambda_DestinationConfig *d)
{
	if (d && d->OnSuccess)
		TRY(destination_ok(rq, tx, f, d, d->OnSuccess->Destination, FOR_SUCCESS));
	if (d && d->OnFailure)
		TRY(destination_ok(rq, tx, f, d, d->OnFailure->Destination, FOR_FAILURE));
	return OK;
}

/* The function, version or alias that is to have one. */
static err subject(req *rq, const txn *tx, str name, str qualifier, function_name *f)
{
	target t;
	TRY(name_read(rq, name, qualifier, f));
	return target_named(rq, tx, f, &t) ? fail(rq, &lambda_ResourceNotFoundException,
	                                          "The function doesn't exist.") : OK;
}

err lambda_PutFunctionEventInvokeConfig(req *rq, txn *tx, const lambda_PutFunctionEventInvokeConfig_in *in,
                                        lambda_PutFunctionEventInvokeConfig_out *out)
{
	function_name f;
	if (!in->MaximumRetryAttempts.set && !in->MaximumEventAgeInSeconds.set && !in->DestinationConfig)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "You must specify at least one of error handling or destination setting.");
	TRY(subject(rq, tx, in->FunctionName, in->Qualifier, &f));
	TRY(destinations_check(rq, tx, &f, in->DestinationConfig));
	*out = (lambda_FunctionEventInvokeConfig){
		.MaximumRetryAttempts = in->MaximumRetryAttempts,
		.MaximumEventAgeInSeconds = in->MaximumEventAgeInSeconds,
		.DestinationConfig = in->DestinationConfig };
	store_config(rq, tx, &f, out);
	return OK;
}

static err find(req *rq, const txn *tx, const function_name *f, lambda_invokeconfig **c)
{
	*c = lambda_invokeconfig_get(tx, rq->mem, f->account, f->region, f->name, key_of(f));
	str arn = arn_of(rq->mem, f);
	return *c ? OK : fail(rq, &lambda_ResourceNotFoundException, "The function %.*s doesn't have an "
	                      "EventInvokeConfig", STR_ARG(arn));
}

err lambda_UpdateFunctionEventInvokeConfig(req *rq, txn *tx,
                                           const lambda_UpdateFunctionEventInvokeConfig_in *in,
                                           lambda_UpdateFunctionEventInvokeConfig_out *out)
{
	function_name f;
	lambda_invokeconfig *c;
	TRY(subject(rq, tx, in->FunctionName, in->Qualifier, &f));
	TRY(find(rq, tx, &f, &c));
	TRY(destinations_check(rq, tx, &f, in->DestinationConfig));
	*out = *c->It;
	if (in->MaximumRetryAttempts.set)
		out->MaximumRetryAttempts = in->MaximumRetryAttempts;
	if (in->MaximumEventAgeInSeconds.set)
		out->MaximumEventAgeInSeconds = in->MaximumEventAgeInSeconds;
	if (in->DestinationConfig)
		out->DestinationConfig = in->DestinationConfig;
	store_config(rq, tx, &f, out);
	return OK;
}

err lambda_GetFunctionEventInvokeConfig(req *rq, const txn *tx,
                                        const lambda_GetFunctionEventInvokeConfig_in *in,
                                        lambda_GetFunctionEventInvokeConfig_out *out)
{
	function_name f;
	lambda_invokeconfig *c;
	TRY(name_read(rq, in->FunctionName, in->Qualifier, &f));
	TRY(find(rq, tx, &f, &c));
	*out = *c->It;
	return OK;
}

err lambda_DeleteFunctionEventInvokeConfig(req *rq, txn *tx,
                                           const lambda_DeleteFunctionEventInvokeConfig_in *in,
                                           lambda_DeleteFunctionEventInvokeConfig_out *out)
{
	function_name f;
	lambda_invokeconfig *c;
	TRY(name_read(rq, in->FunctionName, in->Qualifier, &f));
	TRY(find(rq, tx, &f, &c));
	lambda_invokeconfig_delete(tx, f.account, f.region, f.name, c->Qualifier);
	return OK;
}

err lambda_ListFunctionEventInvokeConfigs(req *rq, const txn *tx,
                                          const lambda_ListFunctionEventInvokeConfigs_in *in,
                                          lambda_ListFunctionEventInvokeConfigs_out *out)
{
	function_name f;
	str after = STR_NONE;
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	TRY(subject(rq, tx, in->FunctionName, STR_NONE, &f));
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	lambda_FunctionEventInvokeConfig *v = arena_array(rq->mem, lambda_FunctionEventInvokeConfig, most);
	record_scan s = lambda_invokeconfig_scan(tx, rq->mem, 3, f.account, f.region, f.name, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	str last = STR_NONE;
	for (lambda_invokeconfig *c; (c = lambda_invokeconfig_next(&s));) {
		if (n == most) {
			out->NextMarker = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = c->Qualifier;
		v[n++] = *c->It;
	}
	out->FunctionEventInvokeConfigs = (lambda_FunctionEventInvokeConfigList){ v, n };
	return OK;
}
