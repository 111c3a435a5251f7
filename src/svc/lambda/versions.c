#include "lambda.h"
#include "pool.h"
#include "provision.h"
#include "store/due.h"
#include "sys/rand.h"

#define PAGE 50

/* $LATEST as it is becomes a version, unless the newest one is the same. */
err publish(req *rq, txn *tx, lambda_function *fn, str description, lambda_version *v)
{
	lambda_version *newest = fn->LastVersion ? version_get(tx, rq->mem, fn, fn->LastVersion) : NULL;
	if (newest && fn->PublishedGeneration == v->Generation) {
		*v = *newest;
		return OK;
	}
	fn->LastVersion++;
	fn->PublishedGeneration = v->Generation;
	v->Config->RevisionId = rand_uuid(rq->mem); /* publishing is a change of $LATEST too */
	lambda_version_put(tx, v);
	lambda_FunctionConfiguration *c = arena_new(rq->mem, lambda_FunctionConfiguration);
	*c = *v->Config;
	v->Config = c;
	v->Number = fn->LastVersion;
	c->Version = version_text(rq->mem, v->Number);
	c->FunctionArn = name_arn_of(rq->mem, fn->Account, fn->Region, fn->Name, c->Version);
	c->RevisionId = rand_uuid(rq->mem);
	if (str_is(description))
		c->Description = description;
	v->Generation = (int64_t)txn_next(tx, S("lambda.generation"));
	v->Created = rq->now;
	package p = { .hash = v->Code, .size = c->CodeSize.v };
	code_refer(tx, v->Account, v->Region, function_owner(rq->mem, v), &p);
	layers_refer(tx, v);
	if (str_eq(c->SnapStart->ApplyOn, lambda_SnapStartApplyOn_PublishedVersions)) {
		lambda_SnapStartResponse *snap = arena_new(rq->mem, lambda_SnapStartResponse);
		*snap = *c->SnapStart;
		c->SnapStart = snap;
		c->SnapStart->OptimizationStatus = lambda_SnapStartOptimizationStatus_On;
		task_add(tx, "lambda_snapstart", c->FunctionArn, 0);
	}
	lambda_version_put(tx, v);
	lambda_function_put(tx, fn);
	return OK;
}

err lambda_PublishVersion(req *rq, txn *tx, const lambda_PublishVersion_in *in,
                          lambda_PublishVersion_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	TRY(function_find(rq, tx, &f, &fn));
	lambda_version *v = version_get(tx, rq->mem, fn, LATEST);
	TRY(revision_check(rq, in->RevisionId, v->Config->RevisionId));
	if (in->CodeSha256.n && !str_eq(in->CodeSha256, v->Config->CodeSha256))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST (%.*s). "
		            "Please try again "
		            "with the CodeSHA256 in $LATEST.", STR_ARG(in->CodeSha256),
		            STR_ARG(v->Config->CodeSha256));
	TRY(publish(rq, tx, fn, in->Description, v));
	*out = *v->Config;
	return OK;
}

err lambda_ListVersionsByFunction(req *rq, const txn *tx, const lambda_ListVersionsByFunction_in *in,
                                  lambda_ListVersionsByFunction_out *out)
{
	function_name f;
	lambda_function *fn;
	int64_t from = -1;
	str position;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	TRY(function_find(rq, tx, &f, &fn));
	if (in->Marker.n && (!page_position(rq, in->Marker, &position) || !str_to_i64(position, &from)))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	lambda_FunctionConfiguration *v = arena_array(rq->mem, lambda_FunctionConfiguration, most);
	record_scan s = lambda_version_scan(tx, rq->mem, 3, f.account, f.region, f.name, 0);
	for (lambda_version *row; (row = lambda_version_next(&s));) {
		if (row->Number <= from)
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)from));
			cursor_close(&s.at);
			break;
		}
		from = row->Number;
		v[n] = as_listed(row->Config);
		v[n++].FunctionArn = name_arn_of(rq->mem, f.account, f.region, f.name,
		                                 version_text(rq->mem, row->Number));
	}
	out->Versions = (lambda_FunctionList){ v, n };
	return OK;
}

/* An alias points at one version, and with weights at a second. */
static err alias_check(req *rq, const txn *tx, const lambda_function *fn, const lambda_AliasConfiguration *a)
{
	int64_t number = LATEST;
	bool latest = str_eq(a->FunctionVersion, S("$LATEST"));
	function_name f = { fn->Account, fn->Region, fn->Name, a->FunctionVersion };
	if (!latest && (!str_to_i64(a->FunctionVersion, &number) || !version_get(tx, rq->mem, fn, number)))
		return name_not_found(rq, &f);
	if (!a->RoutingConfig || !a->RoutingConfig->AdditionalVersionWeights.n)
		return OK;
	const lambda_AdditionalVersionWeights *w = &a->RoutingConfig->AdditionalVersionWeights;
	if (latest)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "$LATEST is not supported for an alias pointing to more than 1 version");
	if (w->n > 1)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Number of items in AdditionalVersionWeights cannot be greater than 1");
	if (str_eq(w->v[0].key, a->FunctionVersion))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Invalid function version %.*s. Function version %.*s is already included in routing "
		            "configuration.", STR_ARG(a->FunctionVersion), STR_ARG(a->FunctionVersion));
	if (!str_to_i64(w->v[0].key, &number) || !version_get(tx, rq->mem, fn, number)) {
		f.qualifier = w->v[0].key;
		return name_not_found(rq, &f);
	}
	return OK;
}

static void routing(lambda_AliasConfiguration *a, lambda_AliasRoutingConfiguration *given)
{
	if (given)
		a->RoutingConfig = given->AdditionalVersionWeights.n ? given : NULL;
}

err lambda_CreateAlias(req *rq, txn *tx, const lambda_CreateAlias_in *in, lambda_CreateAlias_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	str arn = name_arn_of(rq->mem, f.account, f.region, f.name, in->Name);
	f.qualifier = in->FunctionVersion;
	fn = lambda_function_get(tx, rq->mem, f.account, f.region, f.name);
	if (!fn)
		return name_not_found(rq, &f);
	if (lambda_alias_get(tx, rq->mem, f.account, f.region, f.name, in->Name))
		return fail(rq, &lambda_ResourceConflictException, "Alias already exists: %.*s", STR_ARG(arn));
	lambda_AliasConfiguration a = { .AliasArn = arn, .Name = in->Name, .FunctionVersion = in->FunctionVersion,
		.Description = str_is(in->Description) ? in->Description : S(""), .RevisionId = rand_uuid(rq->mem) };
	routing(&a, in->RoutingConfig);
	TRY(alias_check(rq, tx, fn, &a));
	lambda_alias_put(tx, &(lambda_alias){ .Account = f.account, .Region = f.region, .Name = f.name,
	                                      .Alias = in->Name, .It = &a });
	*out = a;
	return OK;
}

static err alias_find(req *rq, const txn *tx, str function, str name, lambda_function **fn,
                      lambda_alias **out)
{
	function_name f;
	TRY(name_read(rq, function, STR_NONE, &f));
	TRY(function_find(rq, tx, &f, fn));
	*out = lambda_alias_get(tx, rq->mem, f.account, f.region, f.name, name);
	if (*out)
		return OK;
	f.qualifier = name;
	return name_missing(rq, &f);
}

err lambda_GetAlias(req *rq, const txn *tx, const lambda_GetAlias_in *in, lambda_GetAlias_out *out)
{
	lambda_function *fn;
	lambda_alias *a;
	TRY(alias_find(rq, tx, in->FunctionName, in->Name, &fn, &a));
	*out = *a->It;
	return OK;
}

err lambda_UpdateAlias(req *rq, txn *tx, const lambda_UpdateAlias_in *in, lambda_UpdateAlias_out *out)
{
	lambda_function *fn;
	lambda_alias *a;
	TRY(alias_find(rq, tx, in->FunctionName, in->Name, &fn, &a));
	TRY(revision_check(rq, in->RevisionId, a->It->RevisionId));
	if (str_is(in->FunctionVersion))
		a->It->FunctionVersion = in->FunctionVersion;
	if (str_is(in->Description))
		a->It->Description = in->Description;
	routing(a->It, in->RoutingConfig);
	TRY(alias_check(rq, tx, fn, a->It));
	a->It->RevisionId = rand_uuid(rq->mem);
	lambda_alias_put(tx, a);
	provision_follow(rq, tx, fn);
	*out = *a->It;
	return OK;
}

err lambda_DeleteAlias(req *rq, txn *tx, const lambda_DeleteAlias_in *in, lambda_DeleteAlias_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	TRY(function_find(rq, tx, &f, &fn));
	lambda_alias_delete(tx, f.account, f.region, f.name, in->Name);
	qualifier_drop(tx, rq->mem, fn, in->Name);
	provision_follow(rq, tx, fn);
	return OK;
}

err lambda_ListAliases(req *rq, const txn *tx, const lambda_ListAliases_in *in, lambda_ListAliases_out *out)
{
	function_name f;
	lambda_function *fn;
	str after = STR_NONE;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	TRY(function_find(rq, tx, &f, &fn));
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	lambda_AliasConfiguration *v = arena_array(rq->mem, lambda_AliasConfiguration, most);
	record_scan s = lambda_alias_scan(tx, rq->mem, 3, f.account, f.region, f.name, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (lambda_alias *a; (a = lambda_alias_next(&s));) {
		if (str_is(in->FunctionVersion) && !str_eq(a->It->FunctionVersion, in->FunctionVersion))
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, v[n - 1].Name);
			cursor_close(&s.at);
			break;
		}
		v[n++] = *a->It;
	}
	out->Aliases = (lambda_AliasList){ v, n };
	return OK;
}
