#include "lambda.h"
#include "base/json.h"
#include "cloud/call.h"
#if __has_include("gen/ec2.h")
#include "gen/ec2.h"
#endif

#define VARIABLES_TEXT_MAX ((size_t)16 << 20)

/* Names AWS sets itself. */
static const char *const reserved[] = {
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
	"AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
};

static bool is_among(str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_c(list[i])))
			return true;
	return false;
}

static err variables(req *rq, const lambda_Environment *in, lambda_FunctionConfiguration *c)
{
	const lambda_EnvironmentVariables *v = &in->Variables;
	buf bad = buf_in(rq->mem, 64, 65536), all = buf_in(rq->mem, 1024, VARIABLES_TEXT_MAX);
	buf_c(&all, '{');
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			buf_c(&all, ',');
		json_put_string(&all, v->v[i].key);
		buf_c(&all, ':');
		json_put_string(&all, v->v[i].value);
		if (is_among(v->v[i].key, reserved, sizeof reserved / sizeof *reserved))
			buf_fmt(&bad, "%s%.*s", bad.n ? ", " : "", STR_ARG(v->v[i].key));
	}
	if (bad.n)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Lambda was unable to configure your environment variables because the environment "
		            "variables you have provided contains reserved keys that are currently not supported for "
		            "modification. Reserved keys used in this request: %.*s", STR_ARG(buf_str(&bad)));
	buf_c(&all, '}');
	if (all.n > LAMBDA_VARIABLES_BYTES)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Lambda was unable to configure your environment variables because the environment "
		            "variables you have provided exceeded the 4KB limit. String measured: %.*s",
		            STR_ARG(buf_str(&all)));
	c->Environment = NULL;
	if (v->v) { /* none is something else than an empty list */
		c->Environment = arena_new(rq->mem, lambda_EnvironmentResponse);
		c->Environment->Variables = *v;
	}
	return OK;
}

static err numbers(req *rq, const lambda_UpdateFunctionConfigurationRequest *in,
                   lambda_FunctionConfiguration *c)
{
	if (in->Timeout.set && in->Timeout.v > LAMBDA_TIMEOUT_S)
		return fail(rq, &aws_ValidationException,
		            "1 validation error detected: Value '%lld' at 'timeout' failed to satisfy constraint: "
		            "Member must have value less than or equal to %d", (long long)in->Timeout.v,
		            LAMBDA_TIMEOUT_S);
	if (in->MemorySize.set && in->MemorySize.v > LAMBDA_MEMORY_MB)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
		            "equal to %d", LAMBDA_MEMORY_MB);
	if (in->Timeout.set)
		c->Timeout = in->Timeout;
	if (in->MemorySize.set)
		c->MemorySize = in->MemorySize;
	if (in->EphemeralStorage)
		c->EphemeralStorage = in->EphemeralStorage;
	return OK;
}

/* arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER */
static lambda_layer *layer_of(req *rq, const txn *tx, str arn)
{
	str rest = arn, part[8];
	int n = 0;
	int64_t number;
	while (n < 8 && str_is(rest))
		part[n++] = str_cut(&rest, ':');
	if (n != 8 || !str_eq(part[5], S("layer")) || !str_to_i64(part[7], &number))
		return NULL;
	return lambda_layer_get(tx, rq->mem, part[4], part[3], part[6], number);
}

err layers_take(req *rq, const txn *tx, lambda_version *v)
{
	const lambda_LayersReferenceList *l = &v->Config->Layers;
	int64_t unzipped = v->Unzipped;
	v->LayerCodes = (lambda_StringList){ arena_array(rq->mem, str, l->n + 1), 0 };
	for (size_t i = 0; i < l->n; i++) {
		lambda_layer *row = layer_of(rq, tx, l->v[i].Arn);
		if (!row)
			continue;
		v->LayerCodes.v[v->LayerCodes.n++] = row->Code;
		unzipped += row->UnzippedSize;
	}
	if (unzipped > LAMBDA_UNZIPPED_BYTES)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Function code combined with layers exceeds the maximum allowed size of %d bytes. The "
		            "actual "
		            "size is %lld bytes.", LAMBDA_UNZIPPED_BYTES, (long long)unzipped);
	return OK;
}

/* The layer of a layer version's ARN. */
static str unversioned(str arn)
{
	size_t n = arn.n;
	while (n && arn.p[n - 1] != ':')
		n--;
	return str_sub(arn, 0, n);
}

/* arn:aws:lambda:REGION:.. of the function's region, and no layer twice. */
static err layers_check(req *rq, const lambda_LayerList *in)
{
	for (size_t i = 0; i < in->n; i++) {
		str rest = in->v[i], region = STR_NONE;
		for (int part = 0; part < 4; part++)
			region = str_cut(&rest, ':');
		if (!str_eq(region, rq->region))
			return fail(rq, &lambda_InvalidParameterValueException,
			            "Layers are not in the same region as the function. Layers are expected to be in "
			            "region %.*s.", STR_ARG(rq->region));
		for (size_t k = 0; k < i; k++)
			if (str_eq(unversioned(in->v[k]), unversioned(in->v[i])))
				return fail(rq, &lambda_InvalidParameterValueException,
				            "Two different versions of the same layer are not allowed to be referenced in "
				            "the same function. %.*s and %.*s are versions of the same layer.",
				            STR_ARG(in->v[k]), STR_ARG(in->v[i]));
	}
	return OK;
}

static err layers(req *rq, const txn *tx, const lambda_LayerList *in, lambda_FunctionConfiguration *c)
{
	if (in->n > LAMBDA_LAYERS)
		return fail(rq, &lambda_InvalidParameterValueException, "Cannot reference more than %d layers.",
		            LAMBDA_LAYERS);
	TRY(layers_check(rq, in));
	lambda_Layer *v = arena_array(rq->mem, lambda_Layer, in->n + 1);
	for (size_t i = 0; i < in->n; i++) {
		lambda_layer *l = layer_of(rq, tx, in->v[i]);
		if (!l)
			return fail(rq, &lambda_InvalidParameterValueException, "Layer version %.*s does not exist.",
			            STR_ARG(in->v[i]));
		v[i] = (lambda_Layer){ .Arn = in->v[i], .CodeSize = I64(l->CodeSize) };
	}
	c->Layers = (lambda_LayersReferenceList){ in->n ? v : NULL, in->n };
	return OK;
}

/* What a new function may ask for at AWS, and what it once could. */
static const char *const offered[] = {
	"nodejs20.x", "nodejs22.x", "nodejs24.x", "python3.9", "python3.10", "python3.11", "python3.12",
	"python3.13", "python3.14", "java8.al2", "java11", "java17", "java21", "java25", "dotnet8", "dotnet10",
	"ruby3.2", "ruby3.3", "ruby3.4", "provided.al2", "provided.al2023",
};
static const char *const withdrawn[] = {
	"nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x", "nodejs16.x",
	"python2.7", "python3.6", "python3.7", "python3.8", "java8", "dotnetcore1.0", "dotnetcore2.0",
	"dotnetcore2.1", "dotnetcore3.1", "dotnet6", "go1.x", "ruby2.5", "ruby2.7", "provided",
	"nodejs4.3-edge",
};

/* What an interpreter is found for runs, whatever AWS says of its age. */
err runtime_check(req *rq, str name)
{
	const interpreter *it;
	err missing = str_is(name) ? interpreter_find(rq->mem, name, &it) : OK;
	if (!missing)
		return OK;
	if (is_among(name, withdrawn, sizeof withdrawn / sizeof *withdrawn))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The runtime parameter of %.*s is no longer supported for creating or updating AWS "
		            "Lambda functions. We recommend you use a supported runtime while creating or updating "
		            "functions.", STR_ARG(name));
	if (is_among(name, offered, sizeof offered / sizeof *offered) || str_eq(name, S("nodejs18.x")))
		return fail(rq, &lambda_InvalidParameterValueException, "%.*s", STR_ARG(missing->message));
	buf all = buf_in(rq->mem, 512, 4096);
	for (size_t i = 0; i < sizeof offered / sizeof *offered; i++)
		buf_fmt(&all, "%s%s", i ? ", " : "", offered[i]);
	return fail(rq, &lambda_InvalidParameterValueException,
	            "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
	            "[%.*s] or be a valid ARN", STR_ARG(name), STR_ARG(buf_str(&all)));
}

#if __has_include("gen/ec2.h")
/* The network of the subnets; subnets and groups must be there. */
static err vpc_find(req *rq, txn *tx, const lambda_VpcConfig *in, str *id)
{
	ec2_DescribeSubnets_in subnets = { .SubnetIds = { in->SubnetIds.v, in->SubnetIds.n } };
	ec2_DescribeSubnets_out seen = { 0 };
	ec2_DescribeSecurityGroups_in groups = { .GroupIds = { in->SecurityGroupIds.v, in->SecurityGroupIds.n } };
	ec2_DescribeSecurityGroups_out found = { 0 };
	const char *what = "DescribeSubnets";
	req *there = req_internal(rq->mem, rq->store, "lambda.amazonaws.com", rq->who.account, rq->region);
	err missing = call(there, tx, "ec2", what, &subnets, &seen);
	if (!missing && in->SecurityGroupIds.n) {
		what = "DescribeSecurityGroups";
		missing = call(there, tx, "ec2", what, &groups, &found);
	}
	if (missing)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Error occurred while %s. EC2 Error Code: %s. EC2 Error Message: %.*s", what,
		            missing->kind->query_code, STR_ARG(missing->message));
	for (size_t i = 0; i < seen.Subnets.n; i++) {
		if (i && !str_eq(seen.Subnets.v[i].VpcId, *id))
			return fail(rq, &lambda_InvalidParameterValueException,
			            "The subnets of a function must all be in the same VPC.");
		*id = seen.Subnets.v[i].VpcId;
	}
	return OK;
}
#else
static err vpc_find(req *rq, txn *tx, const lambda_VpcConfig *in, str *id)
{
	return fail(rq, &aws_NotImplemented, "There is no EC2 here, so functions have no VPC.");
}
#endif

static err vpc(req *rq, txn *tx, const lambda_VpcConfig *in, lambda_FunctionConfiguration *c)
{
	lambda_VpcConfigResponse *v = arena_new(rq->mem, lambda_VpcConfigResponse);
	v->SubnetIds = in->SubnetIds;
	v->SecurityGroupIds = in->SecurityGroupIds;
	v->Ipv6AllowedForDualStack = (opt_bool){ .set = true, .v = in->Ipv6AllowedForDualStack.v };
	v->VpcId = S("");
	if ((v->SubnetIds.n != 0) != (v->SecurityGroupIds.n != 0))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "SubnetIds and SecurityIds must coexist or be both empty list.");
	if (v->SubnetIds.n)
		TRY(vpc_find(rq, tx, in, &v->VpcId));
	if (!v->SubnetIds.v)
		v->SubnetIds = (lambda_SubnetIds){ arena_array(rq->mem, str, 1), 0 };
	if (!v->SecurityGroupIds.v)
		v->SecurityGroupIds = (lambda_SecurityGroupIds){ arena_array(rq->mem, str, 1), 0 };
	c->VpcConfig = v;
	return OK;
}

static err logging(req *rq, const lambda_LoggingConfig *in, lambda_FunctionConfiguration *c)
{
	lambda_LoggingConfig *l = arena_new(rq->mem, lambda_LoggingConfig);
	*l = *in;
	bool of_json = str_eq(in->LogFormat, S("JSON"));
	if (!of_json && (str_is(in->ApplicationLogLevel) || str_is(in->SystemLogLevel)))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your "
		            "request or change the LogFormat to \"JSON\" and try again.");
	if (!str_is(l->LogFormat))
		l->LogFormat = S("Text");
	if (of_json && !str_is(l->ApplicationLogLevel))
		l->ApplicationLogLevel = S("INFO");
	if (of_json && !str_is(l->SystemLogLevel))
		l->SystemLogLevel = S("INFO");
	if (!str_is(l->LogGroup))
		l->LogGroup = arena_concat(rq->mem, S("/aws/lambda/"), c->FunctionName);
	c->LoggingConfig = l;
	return OK;
}

/* Of an image function: what of the image's own settings it replaces. An empty one takes all of it back. */
static err image_config(req *rq, const lambda_ImageConfig *in, lambda_FunctionConfiguration *c)
{
	if (!str_eq(c->PackageType, lambda_PackageType_Image))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "ImageConfig is not supported for functions of package type Zip.");
	c->ImageConfigResponse = NULL;
	if (in->EntryPoint.n || in->Command.n || in->WorkingDirectory.n) {
		c->ImageConfigResponse = arena_new(rq->mem, lambda_ImageConfigResponse);
		c->ImageConfigResponse->ImageConfig = arena_new(rq->mem, lambda_ImageConfig);
		*c->ImageConfigResponse->ImageConfig = *in;
	}
	return OK;
}

/* Java from 11, Python from 3.12, .NET from 8; not images. */
static err snapstart_check(req *rq, const lambda_FunctionConfiguration *c)
{
	static const char *const never[] = { "python3.6", "python3.7", "python3.8", "python3.9", "python3.10",
		                                 "python3.11", "java8", "java8.al2", "dotnet6" };
	str r = c->Runtime;
	bool can = str_starts(r, S("python3.")) || str_starts(r, S("java")) || str_starts(r, S("dotnet"));
	if (!can || is_among(r, never, sizeof never / sizeof *never))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "%.*s is not supported for SnapStart enabled functions.",
		            STR_ARG(str_is(r) ? r : S("PackageType Image")));
	if (c->EphemeralStorage && c->EphemeralStorage->Size.v > 512)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Ephemeral storage above 512 MB is not supported for SnapStart enabled functions.");
	return OK;
}

static err modes(req *rq, txn *tx, const lambda_UpdateFunctionConfigurationRequest *in,
                 lambda_FunctionConfiguration *c)
{
	if (in->TracingConfig) {
		c->TracingConfig = arena_new(rq->mem, lambda_TracingConfigResponse);
		c->TracingConfig->Mode = in->TracingConfig->Mode;
	}
	if (in->SnapStart) {
		if (str_eq(in->SnapStart->ApplyOn, lambda_SnapStartApplyOn_PublishedVersions))
			TRY(snapstart_check(rq, c));
		c->SnapStart = arena_new(rq->mem, lambda_SnapStartResponse);
		c->SnapStart->ApplyOn = in->SnapStart->ApplyOn;
		c->SnapStart->OptimizationStatus = S("Off");
	}
	if (in->LoggingConfig)
		TRY(logging(rq, in->LoggingConfig, c));
	if (in->VpcConfig)
		TRY(vpc(rq, tx, in->VpcConfig, c));
	if (in->DeadLetterConfig)
		c->DeadLetterConfig = in->DeadLetterConfig->TargetArn.n ? in->DeadLetterConfig : NULL;
	return OK;
}

err configure(req *rq, txn *tx, const lambda_UpdateFunctionConfigurationRequest *in,
              lambda_FunctionConfiguration *c)
{
	if (in->FileSystemConfigs.n)
		return fail(rq, &aws_NotImplemented, "Farthing does not mount file systems into functions.");
	if (in->CapacityProviderConfig || in->DurableConfig)
		return fail(rq, &aws_NotImplemented,
		            "Farthing has neither capacity providers nor durable functions.");
	TRY(numbers(rq, in, c));
	if (in->ImageConfig)
		TRY(image_config(rq, in->ImageConfig, c));
	if (str_eq(c->PackageType, lambda_PackageType_Image) && (in->Runtime.n || in->Handler.n || in->Layers.n))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Please don't provide Handler or Runtime or Layer when the intended function "
		            "PackageType is "
		            "Image.");
	if (str_is(in->Runtime))
		c->Runtime = in->Runtime;
	if (in->Environment)
		TRY(variables(rq, in->Environment, c));
	if (in->Layers.v)
		TRY(layers(rq, tx, &in->Layers, c));
	if (str_is(in->Role))
		c->Role = in->Role;
	if (str_is(in->Handler))
		c->Handler = in->Handler;
	if (str_is(in->Description))
		c->Description = in->Description;
	if (str_is(in->KMSKeyArn))
		c->KMSKeyArn = in->KMSKeyArn.n ? in->KMSKeyArn : STR_NONE;
	if (in->DeadLetterConfig)
		TRY(destination_check(rq, in->DeadLetterConfig->TargetArn, FOR_DEAD_LETTERS));
	return modes(rq, tx, in, c);
}
