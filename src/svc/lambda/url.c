/* Function URLs as configuration; url_plane.c serves them. */
#include "lambda.h"
#include "cloud/server.h"
#include "sys/rand.h"

#define PAGE 50
#define ID_LENGTH 32

static str key_of(const function_name *f)
{
	return str_is(f->qualifier) ? f->qualifier : S("");
}

/* The address as a browser and curl resolve it, with our port. */
static str address(arena *mem, str region, str id)
{
	str endpoint = server_endpoint(), port = S("");
	for (size_t i = endpoint.n; i--;)
		if (endpoint.p[i] == ':') {
			port = str_sub(endpoint, i, endpoint.n);
			break;
		}
	return arena_fmt(mem, "http://%.*s.lambda-url.%.*s.localhost%.*s/", STR_ARG(id), STR_ARG(region),
	                 STR_ARG(port));
}

static void complete(req *rq, const lambda_url *u, lambda_FunctionUrlConfig *out)
{
	*out = *u->It;
	out->FunctionUrl = address(rq->mem, u->Region, u->Id);
	out->FunctionArn = name_arn_of(rq->mem, u->Account, u->Region, u->Name,
	                               u->Qualifier.n ? u->Qualifier : STR_NONE);
}

static err no_function(req *rq)
{
	return fail(rq, &lambda_ResourceNotFoundException, "Function does not exist");
}

/* The function, and the alias where one is named. */
static err subject(req *rq, const txn *tx, str name, str qualifier, function_name *f)
{
	target t;
	TRY(name_read(rq, name, qualifier, f));
	if (target_named(rq, tx, f, &t))
		return no_function(rq);
	if (str_is(f->qualifier) && !str_is(t.alias))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Function URLs can be attached to the function or to an alias, not to the version %.*s",
		            STR_ARG(f->qualifier));
	return OK;
}

static err find(req *rq, const txn *tx, str name, str qualifier, lambda_url **u)
{
	function_name f;
	TRY(name_read(rq, name, qualifier, &f));
	*u = lambda_url_get(tx, rq->mem, f.account, f.region, f.name, key_of(&f));
	return *u ? OK : fail(rq, &lambda_ResourceNotFoundException, "The resource you requested does "
	                      "not exist.");
}

err lambda_CreateFunctionUrlConfig(req *rq, txn *tx, const lambda_CreateFunctionUrlConfig_in *in,
                                   lambda_CreateFunctionUrlConfig_out *out)
{
	function_name f;
	TRY(subject(rq, tx, in->FunctionName, in->Qualifier, &f));
	str arn = name_arn(rq->mem, &f);
	if (lambda_url_get(tx, rq->mem, f.account, f.region, f.name, key_of(&f)))
		return fail(rq, &lambda_ResourceConflictException,
		            "Failed to create function url config for [functionArn = %.*s]. Error message:  "
		            "FunctionUrlConfig exists for this Lambda function", STR_ARG(arn));
	str now = time_text(rq->mem, rq->now);
	lambda_FunctionUrlConfig c = { .AuthType = in->AuthType, .Cors = in->Cors, .CreationTime = now,
		.LastModifiedTime = now, .InvokeMode = str_is(in->InvokeMode) ? in->InvokeMode : S("BUFFERED") };
	lambda_url u = { .Account = f.account, .Region = f.region, .Name = f.name, .Qualifier = key_of(&f),
		.Id = rand_text(rq->mem, ID_LENGTH, S("abcdefghijklmnopqrstuvwxyz234567")), .It = &c };
	lambda_url_put(tx, &u);
	lambda_urlid_put(tx, &(lambda_urlid){ .Id = u.Id, .Account = f.account, .Region = f.region,
	                                      .Name = f.name, .Qualifier = u.Qualifier });
	complete(rq, &u, &c);
	*out = (lambda_CreateFunctionUrlConfig_out){ .FunctionUrl = c.FunctionUrl, .FunctionArn = c.FunctionArn,
		.AuthType = c.AuthType, .Cors = c.Cors, .CreationTime = c.CreationTime, .InvokeMode = c.InvokeMode };
	return OK;
}

err lambda_GetFunctionUrlConfig(req *rq, const txn *tx, const lambda_GetFunctionUrlConfig_in *in,
                                lambda_GetFunctionUrlConfig_out *out)
{
	lambda_url *u;
	lambda_FunctionUrlConfig c;
	TRY(find(rq, tx, in->FunctionName, in->Qualifier, &u));
	complete(rq, u, &c);
	*out = (lambda_GetFunctionUrlConfig_out){ .FunctionUrl = c.FunctionUrl, .FunctionArn = c.FunctionArn,
		.AuthType = c.AuthType, .Cors = c.Cors, .CreationTime = c.CreationTime,
		.LastModifiedTime = c.LastModifiedTime, .InvokeMode = c.InvokeMode };
	return OK;
}

err lambda_UpdateFunctionUrlConfig(req *rq, txn *tx, const lambda_UpdateFunctionUrlConfig_in *in,
                                   lambda_UpdateFunctionUrlConfig_out *out)
{
	lambda_url *u;
	function_name f;
	lambda_FunctionUrlConfig c;
	TRY(subject(rq, tx, in->FunctionName, in->Qualifier, &f));
	TRY(find(rq, tx, in->FunctionName, in->Qualifier, &u));
	if (str_is(in->AuthType))
		u->It->AuthType = in->AuthType;
	if (in->Cors)
		u->It->Cors = in->Cors;
	if (str_is(in->InvokeMode))
		u->It->InvokeMode = in->InvokeMode;
	u->It->LastModifiedTime = time_text(rq->mem, rq->now);
	lambda_url_put(tx, u);
	complete(rq, u, &c);
	*out = (lambda_UpdateFunctionUrlConfig_out){ .FunctionUrl = c.FunctionUrl, .FunctionArn = c.FunctionArn,
		.AuthType = c.AuthType, .Cors = c.Cors, .CreationTime = c.CreationTime,
		.LastModifiedTime = c.LastModifiedTime, .InvokeMode = c.InvokeMode };
	return OK;
}

err lambda_DeleteFunctionUrlConfig(req *rq, txn *tx, const lambda_DeleteFunctionUrlConfig_in *in,
                                   lambda_DeleteFunctionUrlConfig_out *out)
{
	lambda_url *u;
	TRY(find(rq, tx, in->FunctionName, in->Qualifier, &u));
	lambda_urlid_delete(tx, u->Id);
	lambda_url_delete(tx, u->Account, u->Region, u->Name, u->Qualifier);
	return OK;
}

err lambda_ListFunctionUrlConfigs(req *rq, const txn *tx, const lambda_ListFunctionUrlConfigs_in *in,
                                  lambda_ListFunctionUrlConfigs_out *out)
{
	function_name f;
	str after = STR_NONE;
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	if (!lambda_function_get(tx, rq->mem, f.account, f.region, f.name))
		return no_function(rq);
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	lambda_FunctionUrlConfig *v = arena_array(rq->mem, lambda_FunctionUrlConfig, most + 1);
	record_scan s = lambda_url_scan(tx, rq->mem, 3, f.account, f.region, f.name, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	str last = STR_NONE;
	for (lambda_url *u; (u = lambda_url_next(&s));) {
		if (n == most) {
			out->NextMarker = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = u->Qualifier;
		complete(rq, u, &v[n++]);
	}
	out->FunctionUrlConfigs = (lambda_FunctionUrlConfigList){ v, n };
	return OK;
}
