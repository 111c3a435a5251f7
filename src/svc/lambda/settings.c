#include "cloud/tags.h"
#include "lambda.h"
#include "pool.h"
#include "sys/rand.h"

#define TAGS_MAX 50
#define UNZIPPED_MB_BYTES INT64_C(262144000)

/* What a tag operation's ARN names. */
typedef struct tagged {
	lambda_function *function;
	lambda_codesigning *signing;
	lambda_mapping *mapping;
	lambda_Tags *tags;
} tagged;

static err tagged_find(req *rq, const txn *tx, str arn, tagged *out)
{
	function_name f;
	size_t at = str_find(arn, S(":event-source-mapping:"));
	*out = (tagged){ 0 };
	if (at != SIZE_MAX) {
		str uuid = str_sub(arn, at + 22, arn.n);
		out->mapping = lambda_mapping_get(tx, rq->mem, rq->who.account, rq->region, uuid);
		if (!out->mapping)
			return fail(rq, &lambda_ResourceNotFoundException, "Event source mapping not found: %.*s",
			            STR_ARG(arn));
		out->tags = &out->mapping->Tags;
		return OK;
	}
	if (str_find(arn, S(":code-signing-config:")) != SIZE_MAX) {
		TRY(codesigning_find(rq, tx, arn, &out->signing));
		out->tags = &out->signing->Tags;
		return OK;
	}
	TRY(name_read(rq, arn, STR_NONE, &f));
	if (str_is(f.qualifier))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Tags on function aliases and versions are not supported. Please specify a function "
		            "ARN.");
	TRY(function_find(rq, tx, &f, &out->function));
	out->tags = &out->function->Tags;
	return OK;
}

/* With its tags a function has a new revision. */
static void tagged_store(req *rq, txn *tx, const tagged *t)
{
	lambda_version *latest = t->function ? version_get(tx, rq->mem, t->function, LATEST) : NULL;
	if (t->mapping)
		lambda_mapping_put(tx, t->mapping);
	else if (t->signing)
		lambda_codesigning_put(tx, t->signing);
	else
		lambda_function_put(tx, t->function);
	if (latest) {
		latest->Config->RevisionId = rand_uuid(rq->mem);
		lambda_version_put(tx, latest);
	}
}

static const tag_rules rules = {
	.most = TAGS_MAX,
	.too_many = { &lambda_InvalidParameterValueException, "Number of tags exceeds resource tag limit." },
};

err lambda_TagResource(req *rq, txn *tx, const lambda_TagResource_in *in, lambda_TagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->Resource, &t));
	if (!in->Tags.n)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "An error occurred and the request cannot be processed.");
	TRY(tags_add(rq, &rules, TAGS(t.tags, key), TAGS(&in->Tags, key)));
	tagged_store(rq, tx, &t);
	return OK;
}

err lambda_UntagResource(req *rq, txn *tx, const lambda_UntagResource_in *in, lambda_UntagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->Resource, &t));
	tags_drop(TAGS(t.tags, key), in->TagKeys.v, in->TagKeys.n);
	tagged_store(rq, tx, &t);
	return OK;
}

err lambda_ListTags(req *rq, const txn *tx, const lambda_ListTags_in *in, lambda_ListTags_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->Resource, &t));
	tags_shown(rq, TAGS(t.tags, key));
	out->Tags = *t.tags;
	return OK;
}

/* What all functions of the account and region have reserved or provisioned. */
static int64_t reserved_sum(const txn *tx, arena *mem, str account, str region, str but)
{
	int64_t sum = 0;
	record_scan s = lambda_function_scan(tx, mem, 2, account, region, STR_NONE);
	for (lambda_function *f; (f = lambda_function_next(&s));)
		if (!str_eq(f->Name, but))
			sum += f->Reserved ? f->Reserved - 1 : f->Provisioned;
	return sum;
}

err lambda_PutFunctionConcurrency(req *rq, txn *tx, const lambda_PutFunctionConcurrency_in *in,
                                  lambda_PutFunctionConcurrency_out *out)
{
	function_name f;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	if (str_is(f.qualifier))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "This operation is permitted on Lambda functions only. Aliases and versions do not "
		            "support this operation. Please specify either a function name or an unqualified "
		            "function ARN.");
	lambda_function *fn = lambda_function_get(tx, rq->mem, f.account, f.region, f.name);
	f.qualifier = S("$LATEST"); /* as AWS names what it has not found here */
	if (!fn)
		return name_not_found(rq, &f);
	int64_t wanted = in->ReservedConcurrentExecutions.v;
	if (wanted < fn->Provisioned)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "ReservedConcurrentExecutions  %lld should not be lower than function's total "
		            "provisioned "
		            "concurrency [%lld].", (long long)wanted, (long long)fn->Provisioned);
	int64_t left = LAMBDA_CONCURRENCY - reserved_sum(tx, rq->mem, f.account, f.region, f.name) - wanted;
	if (left < LAMBDA_UNRESERVED_MIN)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Specified ReservedConcurrentExecutions for function decreases account's "
		            "UnreservedConcurrentExecution below its minimum value of [%d].", LAMBDA_UNRESERVED_MIN);
	fn->Reserved = wanted + 1;
	lambda_function_put(tx, fn);
	out->ReservedConcurrentExecutions = I64(wanted);
	return OK;
}

err lambda_GetFunctionConcurrency(req *rq, const txn *tx, const lambda_GetFunctionConcurrency_in *in,
                                  lambda_GetFunctionConcurrency_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	if (fn->Reserved)
		out->ReservedConcurrentExecutions = I64(fn->Reserved - 1);
	return OK;
}

err lambda_DeleteFunctionConcurrency(req *rq, txn *tx, const lambda_DeleteFunctionConcurrency_in *in,
                                     lambda_DeleteFunctionConcurrency_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	fn->Reserved = 0;
	lambda_function_put(tx, fn);
	return OK;
}

err lambda_GetAccountSettings(req *rq, const txn *tx, const lambda_GetAccountSettings_in *in,
                              lambda_GetAccountSettings_out *out)
{
	int64_t count = 0, reserved = reserved_sum(tx, rq->mem, rq->who.account, rq->region, STR_NONE);
	record_scan s = lambda_function_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (lambda_function_next(&s))
		count++;
	out->AccountLimit = arena_new(rq->mem, lambda_AccountLimit);
	*out->AccountLimit = (lambda_AccountLimit){
		.TotalCodeSize = I64(LAMBDA_STORAGE_BYTES), .CodeSizeUnzipped = I64(UNZIPPED_MB_BYTES),
		.CodeSizeZipped = I64(LAMBDA_ZIP_BYTES), .ConcurrentExecutions = I64(LAMBDA_CONCURRENCY),
		.UnreservedConcurrentExecutions = I64(LAMBDA_CONCURRENCY - reserved) };
	out->AccountUsage = arena_new(rq->mem, lambda_AccountUsage);
	out->AccountUsage->FunctionCount = I64(count);
	out->AccountUsage->TotalCodeSize = I64(code_stored(tx, rq->mem, rq->who.account, rq->region));
	return OK;
}

err lambda_GetRuntimeManagementConfig(req *rq, const txn *tx, const lambda_GetRuntimeManagementConfig_in *in,
                                      lambda_GetRuntimeManagementConfig_out *out)
{
	target t;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	out->UpdateRuntimeOn = str_is(t.version->UpdateRuntimeOn) && t.version->UpdateRuntimeOn.n
		? t.version->UpdateRuntimeOn : S("Auto");
	out->FunctionArn = t.version->Config->FunctionArn;
	const lambda_RuntimeVersionConfig *c = t.version->Config->RuntimeVersionConfig;
	if (str_eq(out->UpdateRuntimeOn, lambda_UpdateRuntimeOn_Manual) && c)
		out->RuntimeVersionArn = c->RuntimeVersionArn;
	return OK;
}

err lambda_PutRuntimeManagementConfig(req *rq, txn *tx, const lambda_PutRuntimeManagementConfig_in *in,
                                      lambda_PutRuntimeManagementConfig_out *out)
{
	target t;
	bool manual = str_eq(in->UpdateRuntimeOn, lambda_UpdateRuntimeOn_Manual);
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	if (manual != str_is(in->RuntimeVersionArn))
		return fail(rq, &lambda_InvalidParameterValueException, manual
		            ? "RuntimeVersionArn is required when UpdateRuntimeOn is Manual."
		            : "RuntimeVersionArn must not be given unless UpdateRuntimeOn is Manual.");
	const lambda_RuntimeVersionConfig *c = t.version->Config->RuntimeVersionConfig;
	if (manual && (!c || !str_eq(c->RuntimeVersionArn, in->RuntimeVersionArn)))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Runtime version %.*s is not that of the interpreter on this machine.",
		            STR_ARG(in->RuntimeVersionArn));
	t.version->UpdateRuntimeOn = in->UpdateRuntimeOn;
	lambda_version_put(tx, t.version);
	out->UpdateRuntimeOn = in->UpdateRuntimeOn;
	out->FunctionArn = t.version->Config->FunctionArn;
	out->RuntimeVersionArn = in->RuntimeVersionArn;
	return OK;
}

err lambda_GetFunctionRecursionConfig(req *rq, const txn *tx, const lambda_GetFunctionRecursionConfig_in *in,
                                      lambda_GetFunctionRecursionConfig_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	out->RecursiveLoop = fn->RecursiveLoop.n ? fn->RecursiveLoop : S("Terminate");
	return OK;
}

err lambda_PutFunctionRecursionConfig(req *rq, txn *tx, const lambda_PutFunctionRecursionConfig_in *in,
                                      lambda_PutFunctionRecursionConfig_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(function_named(rq, tx, in->FunctionName, &f, &fn));
	fn->RecursiveLoop = in->RecursiveLoop;
	lambda_function_put(tx, fn);
	out->RecursiveLoop = in->RecursiveLoop;
	return OK;
}
