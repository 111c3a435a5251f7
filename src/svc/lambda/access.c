/* What the operations are called in policies, and the policies on functions. */
#include "lambda.h"
#include "cloud/authorise.h"
#include "cloud/target.h"

/* The ARN of the function, of its version or alias where one is named. */
static str arn_of(req *rq, str given, str qualifier)
{
	str rest = given, account = rq->who.account, region = rq->region, part = str_cut(&rest, ':');
	if (str_eq(part, S("arn")) && str_is(rest)) {
		arn_parts a;
		if (!arn_split(given, &a))
			return given;
		account = a.account;
		region = a.region;
		rest = a.resource;
		part = str_cut(&rest, ':');
	} else if (part.n == 12 && str_starts(rest, S("function:"))) {
		account = part;
		part = str_cut(&rest, ':');
	}
	if (str_eq(part, S("function")) && str_is(rest))
		part = str_cut(&rest, ':');
	str version = str_is(qualifier) ? qualifier : rest;
	return name_arn_of(rq->mem, account, region, part, version);
}

static size_t the_function(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = arn_of(rq, access_member(rq, in, S("FunctionName")), access_member(rq, in, S("Qualifier")));
	return 1;
}

/* What is done to an alias, its own names apart, is done to its function. */
static size_t unqualified(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = arn_of(rq, access_member(rq, in, S("FunctionName")), STR_NONE);
	return 1;
}

/* The role is handed over to Lambda; layers are read. */
static size_t configured(req *rq, const txn *tx, const void *in, str **arns)
{
	bool create = strcmp(rq->op->name, "CreateFunction") == 0;
	const lambda_LayerList *layers = create ? &((const lambda_CreateFunction_in *)in)->Layers :
						  &((const lambda_UpdateFunctionConfiguration_in *)in)->Layers;
	str role = access_member(rq, in, S("Role")), *one;
	size_t n = 0;
	unqualified(rq, tx, in, &one);
	*arns = arena_array(rq->mem, str, layers->n + 2);
	(*arns)[n++] = *one;
	if (str_is(role))
		(*arns)[n++] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(role));
	for (size_t i = 0; i < layers->n; i++)
		(*arns)[n++] = arena_fmt(rq->mem, "lambda:GetLayerVersion %.*s", STR_ARG(layers->v[i]));
	return n;
}

#define ON_FUNCTION(operation) { operation, NULL, NULL, the_function }
#define ON_WHOLE(operation) { operation, NULL, NULL, unqualified }
#define ON_LAYER(operation) { operation, NULL, "layer:{LayerName}:{VersionNumber}", NULL }
#define ON_MAPPING(operation) { operation, NULL, "event-source-mapping:{UUID}", NULL }
#define ON_SIGNING(operation) { operation, NULL, "{CodeSigningConfigArn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(lambda, "lambda", NULL,
	{ "Invoke", "lambda:InvokeFunction", NULL, the_function },
	{ "InvokeAsync", "lambda:InvokeAsync", NULL, the_function },
	{ "InvokeWithResponseStream", "lambda:InvokeFunction", NULL, the_function },
	{ "CreateFunction", NULL, NULL, configured }, { "UpdateFunctionConfiguration", NULL, NULL, configured },
	ON_FUNCTION("GetFunction"), ON_FUNCTION("GetFunctionConfiguration"), ON_WHOLE("UpdateFunctionCode"),
	ON_FUNCTION("DeleteFunction"), ON_WHOLE("PublishVersion"), ON_WHOLE("ListVersionsByFunction"),
	ON_WHOLE("CreateAlias"), ON_WHOLE("GetAlias"), ON_WHOLE("UpdateAlias"), ON_WHOLE("DeleteAlias"),
	ON_WHOLE("ListAliases"), ON_FUNCTION("AddPermission"), ON_FUNCTION("RemovePermission"),
	ON_FUNCTION("GetPolicy"), ON_WHOLE("PutFunctionConcurrency"), ON_WHOLE("GetFunctionConcurrency"),
	ON_WHOLE("DeleteFunctionConcurrency"), ON_FUNCTION("PutProvisionedConcurrencyConfig"),
	ON_FUNCTION("GetProvisionedConcurrencyConfig"), ON_FUNCTION("DeleteProvisionedConcurrencyConfig"),
	ON_WHOLE("ListProvisionedConcurrencyConfigs"), ON_WHOLE("GetFunctionCodeSigningConfig"),
	ON_WHOLE("PutFunctionCodeSigningConfig"), ON_WHOLE("DeleteFunctionCodeSigningConfig"),
	ON_FUNCTION("PutFunctionEventInvokeConfig"), ON_FUNCTION("UpdateFunctionEventInvokeConfig"),
	ON_FUNCTION("GetFunctionEventInvokeConfig"), ON_FUNCTION("DeleteFunctionEventInvokeConfig"),
	ON_WHOLE("ListFunctionEventInvokeConfigs"), ON_FUNCTION("CreateFunctionUrlConfig"),
	ON_FUNCTION("GetFunctionUrlConfig"), ON_FUNCTION("UpdateFunctionUrlConfig"),
	ON_FUNCTION("DeleteFunctionUrlConfig"), ON_WHOLE("ListFunctionUrlConfigs"),
	ON_FUNCTION("GetRuntimeManagementConfig"), ON_FUNCTION("PutRuntimeManagementConfig"),
	ON_WHOLE("GetFunctionRecursionConfig"), ON_WHOLE("PutFunctionRecursionConfig"),
	{ "TagResource", NULL, "{Resource}", NULL }, { "UntagResource", NULL, "{Resource}", NULL },
	{ "ListTags", NULL, "{Resource}", NULL },
	{ "PublishLayerVersion", NULL, "layer:{LayerName}", NULL },
	{ "GetLayerVersionByArn", "lambda:GetLayerVersion", "{Arn}", NULL },
	ON_LAYER("GetLayerVersion"), ON_LAYER("DeleteLayerVersion"), ON_LAYER("AddLayerVersionPermission"),
	ON_LAYER("GetLayerVersionPolicy"), ON_LAYER("RemoveLayerVersionPermission"),
	ON_ALL("ListFunctions"), ON_ALL("ListLayers"), ON_ALL("ListLayerVersions"), ON_ALL("GetAccountSettings"),
	ON_ALL("CreateEventSourceMapping"), ON_ALL("ListEventSourceMappings"),
	ON_MAPPING("GetEventSourceMapping"), ON_MAPPING("UpdateEventSourceMapping"),
	ON_MAPPING("DeleteEventSourceMapping"), ON_ALL("CreateCodeSigningConfig"),
	ON_ALL("ListCodeSigningConfigs"), ON_SIGNING("GetCodeSigningConfig"),
	ON_SIGNING("UpdateCodeSigningConfig"), ON_SIGNING("DeleteCodeSigningConfig"),
	ON_SIGNING("ListFunctionsByCodeSigningConfig"),
	ON_ALL("CheckpointDurableExecution"), ON_ALL("CreateCapacityProvider"),
	ON_ALL("DeleteCapacityProvider"), ON_ALL("GetCapacityProvider"), ON_ALL("GetDurableExecution"),
	ON_ALL("GetDurableExecutionHistory"), ON_ALL("GetDurableExecutionState"),
	ON_WHOLE("GetFunctionScalingConfig"), ON_ALL("ListCapacityProviders"),
	ON_WHOLE("ListDurableExecutionsByFunction"), ON_ALL("ListFunctionVersionsByCapacityProvider"),
	ON_WHOLE("PutFunctionScalingConfig"), ON_ALL("SendDurableExecutionCallbackFailure"),
	ON_ALL("SendDurableExecutionCallbackHeartbeat"), ON_ALL("SendDurableExecutionCallbackSuccess"),
	ON_ALL("StopDurableExecution"), ON_ALL("UpdateCapacityProvider"));

static const policy_key *find_key(asking *a, str name)
{
	if (str_eq_nocase(name, S("lambda:Principal")))
		return asking_value(a, name, asking_member(a, "Principal"));
	if (str_eq_nocase(name, S("lambda:EventSourceToken")))
		return asking_value(a, name, asking_member(a, "EventSourceToken"));
	if (str_eq_nocase(name, S("lambda:FunctionUrlAuthType"))) {
		str kind = asking_member(a, "FunctionUrlAuthType");
		return asking_value(a, name, str_is(kind) ? kind : asking_member(a, "AuthType"));
	}
	if (str_eq_nocase(name, S("lambda:FunctionArn")) && str_is(asking_member(a, "FunctionName")))
		return asking_value(a, name, arn_of(a->rq, asking_member(a, "FunctionName"), STR_NONE));
	if (str_eq_nocase(name, S("lambda:Layer")) && a->in) {
		bool create = strcmp(a->rq->op->name, "CreateFunction") == 0;
		if (create || strcmp(a->rq->op->name, "UpdateFunctionConfiguration") == 0) {
			const lambda_LayerList *l = create ? &((const lambda_CreateFunction_in *)a->in)->Layers :
							     &((const lambda_UpdateFunctionConfiguration_in *)a->in)->Layers;
			return asking_values(a, name, l->v, l->n);
		}
	}
	return NULL;
}
ACCESS_KEYS(lambda, "lambda", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str name = a.resource, kind = str_cut(&name, ':'), qualifier = name;
	if (!str_eq(kind, S("function")) || !str_is(name))
		return NULL;
	name = str_cut(&qualifier, ':');
	lambda_function *f = lambda_function_get(tx, mem, a.account, a.region, name);
	return f ? RESOURCE_TAG_KEYS(mem, f->Tags, key, value) : NULL;
}
RESOURCE_TAGS(lambda, tags_of);

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
