/*
 * Code signing configurations. Nobody signs here (there is no Signer), so every package is an unsigned one: a
 * configuration that enforces lets none through, one that warns all.
 */
#include "lambda.h"
#include "cloud/target.h"
#include "sys/rand.h"

#define PAGE 50
#define ID_LETTERS 17

static lambda_codesigning *config_of(const req *rq, const txn *tx, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	if (!rq->who.internal && !(str_eq(a.account, rq->who.account) && str_eq(a.region, rq->region)))
		return NULL;
	str id = a.resource;
	str_cut(&id, ':');
	return str_is(id) ? lambda_codesigning_get(tx, rq->mem, a.account, a.region, id) : NULL;
}

err codesigning_find(req *rq, const txn *tx, str arn, lambda_codesigning **out)
{
	*out = config_of(rq, tx, arn);
	return *out ? OK : fail(rq, &lambda_ResourceNotFoundException,
	                        "The Lambda code signing configuration %.*s can not be found.", STR_ARG(arn));
}

/* What the operations on functions say of one that is not there. */
static err find_for_function(req *rq, const txn *tx, str arn, lambda_codesigning **out)
{
	*out = config_of(rq, tx, arn);
	return *out ? OK : fail(rq, &lambda_CodeSigningConfigNotFoundException,
	                        "The code signing configuration cannot be found. Check that the provided "
	                        "configuration is not deleted: %.*s.", STR_ARG(arn));
}

err codesigning_check(req *rq, const txn *tx, str arn)
{
	lambda_codesigning *c;
	if (!arn.n)
		return OK;
	TRY(find_for_function(rq, tx, arn, &c));
	if (!str_eq(c->It->CodeSigningPolicies->UntrustedArtifactOnDeployment, lambda_CodeSigningPolicy_Enforce))
		return OK;
	return fail(rq, &lambda_CodeVerificationFailedException,
	            "The code signature failed one or more of the validation checks for signature mismatch or "
	            "expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.");
}

static void keep(req *rq, txn *tx, lambda_codesigning *c)
{
	c->It->LastModified = time_text(rq->mem, rq->now);
	lambda_codesigning_put(tx, c);
}

static lambda_CodeSigningPolicies *policies(req *rq, const lambda_CodeSigningPolicies *given)
{
	lambda_CodeSigningPolicies *p = arena_new(rq->mem, lambda_CodeSigningPolicies);
	bool said = given && str_is(given->UntrustedArtifactOnDeployment);
	p->UntrustedArtifactOnDeployment = said ? given->UntrustedArtifactOnDeployment
		: lambda_CodeSigningPolicy_Warn;
	return p;
}

err lambda_CreateCodeSigningConfig(req *rq, txn *tx, const lambda_CreateCodeSigningConfig_in *in,
                                   lambda_CreateCodeSigningConfig_out *out)
{
	lambda_CodeSigningConfig *it = arena_new(rq->mem, lambda_CodeSigningConfig);
	str letters = rand_text(rq->mem, ID_LETTERS, S("abcdefghijklmnopqrstuvwxyz0123456789"));
	it->CodeSigningConfigId = arena_concat(rq->mem, S("csc-"), letters);
	it->CodeSigningConfigArn = req_arn(rq, "lambda", "code-signing-config:%.*s",
	                                   STR_ARG(it->CodeSigningConfigId));
	it->Description = in->Description;
	it->AllowedPublishers = in->AllowedPublishers;
	it->CodeSigningPolicies = policies(rq, in->CodeSigningPolicies);
	lambda_codesigning c = { .Account = rq->who.account, .Region = rq->region,
		.Id = it->CodeSigningConfigId, .It = it, .Tags = in->Tags };
	keep(rq, tx, &c);
	out->CodeSigningConfig = it;
	return OK;
}

err lambda_GetCodeSigningConfig(req *rq, const txn *tx, const lambda_GetCodeSigningConfig_in *in,
                                lambda_GetCodeSigningConfig_out *out)
{
	lambda_codesigning *c;
	TRY(codesigning_find(rq, tx, in->CodeSigningConfigArn, &c));
	out->CodeSigningConfig = c->It;
	return OK;
}

err lambda_UpdateCodeSigningConfig(req *rq, txn *tx, const lambda_UpdateCodeSigningConfig_in *in,
                                   lambda_UpdateCodeSigningConfig_out *out)
{
	lambda_codesigning *c;
	TRY(codesigning_find(rq, tx, in->CodeSigningConfigArn, &c));
	if (str_is(in->Description))
		c->It->Description = in->Description;
	if (in->AllowedPublishers)
		c->It->AllowedPublishers = in->AllowedPublishers;
	if (in->CodeSigningPolicies)
		c->It->CodeSigningPolicies = policies(rq, in->CodeSigningPolicies);
	keep(rq, tx, c);
	out->CodeSigningConfig = c->It;
	return OK;
}

err lambda_ListCodeSigningConfigs(req *rq, const txn *tx, const lambda_ListCodeSigningConfigs_in *in,
                                  lambda_ListCodeSigningConfigs_out *out)
{
	str after = STR_NONE;
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	lambda_CodeSigningConfig *v = arena_array(rq->mem, lambda_CodeSigningConfig, most);
	record_scan s = lambda_codesigning_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (lambda_codesigning *c; (c = lambda_codesigning_next(&s));) {
		if (n == most) {
			out->NextMarker = page_token(rq, v[n - 1].CodeSigningConfigId);
			cursor_close(&s.at);
			break;
		}
		v[n++] = *c->It;
	}
	out->CodeSigningConfigs = (lambda_CodeSigningConfigList){ v, n };
	return OK;
}

err lambda_ListFunctionsByCodeSigningConfig(req *rq, const txn *tx,
                                            const lambda_ListFunctionsByCodeSigningConfig_in *in,
                                            lambda_ListFunctionsByCodeSigningConfig_out *out)
{
	lambda_codesigning *c;
	str after = STR_NONE, last = STR_NONE;
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	TRY(codesigning_find(rq, tx, in->CodeSigningConfigArn, &c));
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	str *v = arena_array(rq->mem, str, most);
	record_scan s = lambda_function_scan(tx, rq->mem, 2, c->Account, c->Region, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (lambda_function *f; (f = lambda_function_next(&s));) {
		if (!str_eq(f->CodeSigning, in->CodeSigningConfigArn))
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = f->Name;
		v[n++] = name_arn_of(rq->mem, f->Account, f->Region, f->Name, STR_NONE);
	}
	out->FunctionArns = (lambda_FunctionArnList){ v, n };
	return OK;
}

err lambda_DeleteCodeSigningConfig(req *rq, txn *tx, const lambda_DeleteCodeSigningConfig_in *in,
                                   lambda_DeleteCodeSigningConfig_out *out)
{
	lambda_codesigning *c;
	TRY(codesigning_find(rq, tx, in->CodeSigningConfigArn, &c));
	record_scan s = lambda_function_scan(tx, rq->mem, 2, c->Account, c->Region, STR_NONE);
	for (lambda_function *f; (f = lambda_function_next(&s));)
		if (str_eq(f->CodeSigning, in->CodeSigningConfigArn)) {
			cursor_close(&s.at);
			return fail(rq, &lambda_ResourceConflictException,
			            "The code signing configuration %.*s is in use by the function %.*s and cannot be "
			            "deleted.", STR_ARG(in->CodeSigningConfigArn), STR_ARG(f->Name));
		}
	lambda_codesigning_delete(tx, c->Account, c->Region, c->Id);
	return OK;
}

err lambda_PutFunctionCodeSigningConfig(req *rq, txn *tx, const lambda_PutFunctionCodeSigningConfig_in *in,
                                        lambda_PutFunctionCodeSigningConfig_out *out)
{
	lambda_codesigning *c;
	function_name f;
	lambda_function *fn;
	TRY(find_for_function(rq, tx, in->CodeSigningConfigArn, &c));
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	fn->CodeSigning = in->CodeSigningConfigArn;
	lambda_function_put(tx, fn);
	out->CodeSigningConfigArn = in->CodeSigningConfigArn;
	out->FunctionName = fn->Name;
	return OK;
}

err lambda_GetFunctionCodeSigningConfig(req *rq, const txn *tx,
                                        const lambda_GetFunctionCodeSigningConfig_in *in,
                                        lambda_GetFunctionCodeSigningConfig_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	bool any = fn->CodeSigning.n > 0;
	out->CodeSigningConfigArn = any ? fn->CodeSigning : STR_NONE;
	out->FunctionName = any ? fn->Name : STR_NONE;
	return OK;
}

err lambda_DeleteFunctionCodeSigningConfig(req *rq, txn *tx,
                                           const lambda_DeleteFunctionCodeSigningConfig_in *in,
                                           lambda_DeleteFunctionCodeSigningConfig_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	fn->CodeSigning = S("");
	lambda_function_put(tx, fn);
	return OK;
}
