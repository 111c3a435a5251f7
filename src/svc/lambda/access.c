/* What the operations are called in policies, and the policies on functions. */
#include "lambda.h"
#include "cloud/authorise.h"

#define ON_FUNCTION(operation) { operation, NULL, "function:{FunctionName}", NULL }
#define ON_LAYER(operation) { operation, NULL, "layer:{LayerName}:{VersionNumber}", NULL }

ACCESS(lambda, "lambda", NULL,
	{ "Invoke", "lambda:InvokeFunction", "function:{FunctionName}", NULL },
	{ "InvokeAsync", "lambda:InvokeAsync", "function:{FunctionName}", NULL },
	{ "InvokeWithResponseStream", "lambda:InvokeFunction", "function:{FunctionName}", NULL },
	ON_FUNCTION("CreateFunction"), ON_FUNCTION("GetFunction"), ON_FUNCTION("GetFunctionConfiguration"),
	ON_FUNCTION("UpdateFunctionCode"), ON_FUNCTION("UpdateFunctionConfiguration"),
	ON_FUNCTION("DeleteFunction"), ON_FUNCTION("PublishVersion"), ON_FUNCTION("ListVersionsByFunction"),
	ON_FUNCTION("CreateAlias"), ON_FUNCTION("GetAlias"), ON_FUNCTION("UpdateAlias"),
	ON_FUNCTION("DeleteAlias"), ON_FUNCTION("ListAliases"), ON_FUNCTION("AddPermission"),
	ON_FUNCTION("RemovePermission"), ON_FUNCTION("GetPolicy"), ON_FUNCTION("PutFunctionConcurrency"),
	ON_FUNCTION("GetFunctionConcurrency"), ON_FUNCTION("DeleteFunctionConcurrency"),
	ON_FUNCTION("GetFunctionCodeSigningConfig"), ON_FUNCTION("PutFunctionEventInvokeConfig"),
	ON_FUNCTION("UpdateFunctionEventInvokeConfig"), ON_FUNCTION("GetFunctionEventInvokeConfig"),
	ON_FUNCTION("DeleteFunctionEventInvokeConfig"), ON_FUNCTION("ListFunctionEventInvokeConfigs"),
	ON_FUNCTION("CreateFunctionUrlConfig"), ON_FUNCTION("GetFunctionUrlConfig"),
	ON_FUNCTION("UpdateFunctionUrlConfig"), ON_FUNCTION("DeleteFunctionUrlConfig"),
	ON_FUNCTION("ListFunctionUrlConfigs"), ON_FUNCTION("GetRuntimeManagementConfig"),
	ON_FUNCTION("GetFunctionRecursionConfig"), ON_FUNCTION("PutFunctionRecursionConfig"),
	{ "TagResource", NULL, "{Resource}", NULL }, { "UntagResource", NULL, "{Resource}", NULL },
	{ "ListTags", NULL, "{Resource}", NULL },
	{ "PublishLayerVersion", NULL, "layer:{LayerName}", NULL },
	ON_LAYER("GetLayerVersion"), ON_LAYER("DeleteLayerVersion"), ON_LAYER("AddLayerVersionPermission"),
	ON_LAYER("GetLayerVersionPolicy"), ON_LAYER("RemoveLayerVersionPermission"));

/* arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER] */
static str function_policy(const txn *tx, arena *mem, str action, str arn)
{
	str rest = arn, part[7] = { { 0 } };
	for (int n = 0; n < 7 && str_is(rest); n++)
		part[n] = str_cut(&rest, ':');
	if (!str_eq(part[5], S("function")) || part[6].n == 0)
		return STR_NONE;
	function_name f = { .account = part[4], .region = part[3], .name = part[6], .qualifier = rest };
	str own = policy_document(tx, mem, &f);
	if (str_is(own) || !str_is(rest))
		return own;
	f.qualifier = STR_NONE; /* statements on the function itself hold for what it is by default */
	return str_eq(rest, S("$LATEST")) ? policy_document(tx, mem, &f) : STR_NONE;
}
RESOURCE_POLICY(lambda, function_policy, false);
