#include "lambda.h"
#include "base/digest.h"
#include "cloud/call.h"
#include "pool.h"
#include "provision.h"
#include "sys/rand.h"

#define PAGE 50

/* AWS names the build of the runtime; ours is the interpreter found on the machine. */
static void runtime_version(req *rq, lambda_FunctionConfiguration *c)
{
	if (!str_is(c->Runtime))
		return;
	str hash = sha256_hex(rq->mem, c->Runtime);
	c->RuntimeVersionConfig = arena_new(rq->mem, lambda_RuntimeVersionConfig);
	c->RuntimeVersionConfig->RuntimeVersionArn =
		arena_fmt(rq->mem, "arn:aws:lambda:%.*s::runtime:%.*s", STR_ARG(rq->region), STR_ARG(hash));
}

static lambda_ArchitecturesList architectures(req *rq, const lambda_ArchitecturesList *in)
{
	if (in->n)
		return *in;
	str *v = arena_array(rq->mem, str, 1);
	v[0] = S("x86_64");
	return (lambda_ArchitecturesList){ v, 1 };
}

/* What CreateFunction leaves out. */
static lambda_FunctionConfiguration *fresh(req *rq, const lambda_CreateFunction_in *in,
                                           const function_name *f)
{
	lambda_FunctionConfiguration *c = arena_new(rq->mem, lambda_FunctionConfiguration);
	*c = (lambda_FunctionConfiguration){
		.FunctionName = f->name, .FunctionArn = name_arn(rq->mem, f), .Timeout = I64(3),
		.MemorySize = I64(128), .Description = S(""), .Version = S("$LATEST"), .State = S("Active"),
		.LastUpdateStatus = S("Successful"),
		.PackageType = str_is(in->PackageType) ? in->PackageType : S("Zip"),
		.Architectures = architectures(rq, &in->Architectures),
	};
	c->TracingConfig = arena_new(rq->mem, lambda_TracingConfigResponse);
	c->TracingConfig->Mode = S("PassThrough");
	c->EphemeralStorage = arena_new(rq->mem, lambda_EphemeralStorage);
	c->EphemeralStorage->Size = I64(512);
	c->SnapStart = arena_new(rq->mem, lambda_SnapStartResponse);
	c->SnapStart->ApplyOn = S("None");
	c->SnapStart->OptimizationStatus = S("Off");
	c->LoggingConfig = arena_new(rq->mem, lambda_LoggingConfig);
	c->LoggingConfig->LogFormat = S("Text");
	c->LoggingConfig->LogGroup = arena_concat(rq->mem, S("/aws/lambda/"), f->name);
	return c;
}

/* The settings both operations take, in the shape of one of them. */
static lambda_UpdateFunctionConfigurationRequest settings(const lambda_CreateFunction_in *in)
{
	return (lambda_UpdateFunctionConfigurationRequest){
		.Role = in->Role, .Handler = in->Handler, .Description = in->Description, .Timeout = in->Timeout,
		.MemorySize = in->MemorySize, .VpcConfig = in->VpcConfig, .Environment = in->Environment,
		.Runtime = in->Runtime, .DeadLetterConfig = in->DeadLetterConfig, .KMSKeyArn = in->KMSKeyArn,
		.TracingConfig = in->TracingConfig, .Layers = in->Layers,
		.FileSystemConfigs = in->FileSystemConfigs, .EphemeralStorage = in->EphemeralStorage,
		.SnapStart = in->SnapStart, .LoggingConfig = in->LoggingConfig,
		.CapacityProviderConfig = in->CapacityProviderConfig, .DurableConfig = in->DurableConfig,
		.ImageConfig = in->ImageConfig,
	};
}

static void take_package(lambda_version *v, const package *p)
{
	v->Code = p->hash;
	v->Unzipped = p->unzipped;
	v->Image = p->image;
	v->Config->CodeSha256 = p->hash_base64;
	v->Config->CodeSize = I64(p->size);
}

err code_given(req *rq, bool of_image, str zip, str bucket, str key, str version, str image, package *out)
{
	if (of_image && str_is(image) && !str_is(zip) && !str_is(bucket) && !str_is(key))
		return image_keep(rq, image, out);
	if (of_image)
		return fail(rq, &lambda_InvalidParameterValueException, "Please provide ImageUri when the intended "
		            "function PackageType is Image.");
	if (str_is(bucket) || str_is(key))
		return code_from_s3(rq, bucket, key, version, out);
	if (!str_is(zip))
		return fail(rq, &lambda_InvalidParameterValueException, "Please provide a source for function code.");
	if (zip.n >= LAMBDA_ZIP_BYTES) /* a bucket's may be larger */
		return fail(rq, &aws_RequestTooLarge, "Zipped size must be smaller than %d bytes", LAMBDA_ZIP_BYTES);
	if (rq->http && rq->http->body.n > LAMBDA_REQUEST_BYTES)
		return fail(rq, &aws_RequestTooLarge, "Request must be smaller than %d bytes for the %s operation",
		            LAMBDA_REQUEST_BYTES, rq->op->name);
	return code_keep(rq, zip, out);
}

typedef struct creation {
	const lambda_CreateFunction_in *in;
	lambda_CreateFunction_out *out;
	function_name f;
	package code;
} creation;

static err conflict(req *rq, const function_name *f)
{
	return fail(rq, &lambda_ResourceConflictException, "Function already exist: %.*s", STR_ARG(f->name));
}

static err create(req *rq, txn *tx, void *context)
{
	creation *c = context;
	if (lambda_function_get(tx, rq->mem, c->f.account, c->f.region, c->f.name))
		return conflict(rq, &c->f);
	str signing = str_is(c->in->CodeSigningConfigArn) ? c->in->CodeSigningConfigArn : S("");
	TRY(codesigning_check(rq, tx, signing));
	lambda_UpdateFunctionConfigurationRequest with = settings(c->in);
	lambda_version v = { .Account = c->f.account, .Region = c->f.region, .Name = c->f.name,
		.Number = LATEST, .Config = fresh(rq, c->in, &c->f), .Created = rq->now };
	TRY(configure(rq, tx, &with, v.Config));
	take_package(&v, &c->code);
	TRY(code_room(rq, tx, c->code.size));
	TRY(layers_take(rq, tx, &v));
	layers_refer(tx, &v);
	runtime_version(rq, v.Config);
	version_touch(rq, tx, &v);
	lambda_function fn = { .Account = c->f.account, .Region = c->f.region, .Name = c->f.name,
		.Instance = (int64_t)txn_next(tx, S("lambda.instance")), .Tags = c->in->Tags,
		.CodeSigning = signing };
	lambda_function_put(tx, &fn);
	lambda_version_put(tx, &v);
	code_refer(tx, v.Account, v.Region, function_owner(rq->mem, &v), &c->code);
	str arn = v.Config->FunctionArn;
	if (c->in->Publish.v)
		TRY(publish(rq, tx, &fn, STR_NONE, &v));
	*c->out = *v.Config;
	c->out->FunctionArn = arn; /* AWS names the function here, whatever was published */
	show_pending(rq, c->out, true);
	return OK;
}

static bool of_image(str package_type)
{
	return str_eq(package_type, lambda_PackageType_Image);
}

static err create_check(req *rq, const lambda_CreateFunction_in *in, function_name *f)
{
	TRY(name_read(rq, in->FunctionName, STR_NONE, f));
	if (str_is(f->qualifier))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The function name must not have a qualifier: %.*s", STR_ARG(in->FunctionName));
	if (of_image(in->PackageType) && (in->Runtime.n || in->Handler.n || in->Layers.n))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Please don't provide Handler or Runtime or Layer when the intended function "
		            "PackageType is "
		            "Image.");
	if (!of_image(in->PackageType) && in->ImageConfig)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "ImageConfig is not supported for functions of package type Zip.");
	if (!of_image(in->PackageType) && (!in->Runtime.n || !in->Handler.n))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Runtime and Handler are mandatory parameters for functions created with deployment "
		            "packages.");
	const txn *tx = req_read(rq);
	bool exists = lambda_function_get(tx, rq->mem, f->account, f->region, f->name) != NULL;
	req_read_end(rq, tx);
	return exists ? conflict(rq, f) : runtime_check(rq, in->Runtime);
}

err lambda_CreateFunction(req *rq, const lambda_CreateFunction_in *in, lambda_CreateFunction_out *out)
{
	creation c = { .in = in, .out = out };
	TRY(create_check(rq, in, &c.f));
	const lambda_FunctionCode *code = in->Code;
	TRY(code_given(rq, of_image(in->PackageType), code->ZipFile, code->S3Bucket, code->S3Key,
	               code->S3ObjectVersion, code->ImageUri, &c.code));
	err failed = req_write(rq, create, &c);
	code_release(&c.code);
	return failed;
}

err lambda_GetFunction(req *rq, const txn *tx, const lambda_GetFunction_in *in, lambda_GetFunction_out *out)
{
	target t;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	out->Configuration = t.version->Config;
	if (str_is(t.f.qualifier))
		out->Configuration->FunctionArn = t.invoked_arn;
	out->Code = arena_new(rq->mem, lambda_FunctionCodeLocation);
	const lambda_ImageFacts *image = t.version->Image;
	out->Code->RepositoryType = image ? S("ECR") : S("S3");
	out->Code->Location = image ? STR_NONE : code_location(rq, t.version->Code);
	out->Code->ImageUri = image ? image->Uri : STR_NONE;
	out->Code->ResolvedImageUri = image ? image->ResolvedUri : STR_NONE;
	out->Tags = t.function->Tags.n ? t.function->Tags : (lambda_Tags){ 0 };
	if (t.function->Reserved) {
		out->Concurrency = arena_new(rq->mem, lambda_Concurrency);
		out->Concurrency->ReservedConcurrentExecutions = I64(t.function->Reserved - 1);
	}
	return OK;
}

err lambda_GetFunctionConfiguration(req *rq, const txn *tx, const lambda_GetFunctionConfiguration_in *in,
                                    lambda_GetFunctionConfiguration_out *out)
{
	target t;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	*out = *t.version->Config;
	if (str_is(t.f.qualifier))
		out->FunctionArn = t.invoked_arn;
	return OK;
}

err lambda_ListFunctions(req *rq, const txn *tx, const lambda_ListFunctions_in *in,
                         lambda_ListFunctions_out *out)
{
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	bool all = str_eq(in->FunctionVersion, S("ALL"));
	lambda_FunctionConfiguration *v = arena_array(rq->mem, lambda_FunctionConfiguration, most);
	str name = STR_NONE, number;
	int64_t done = -1;
	lambda_version *last = NULL;
	if (in->Marker.n && !page_position(rq, in->Marker, &number))
		return fail(rq, &lambda_InvalidParameterValueException, "Invalid marker");
	if (in->Marker.n) {
		name = str_cut(&number, ' ');
		str_to_i64(number, &done);
	}
	record_scan s = lambda_version_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, 0);
	for (lambda_version *row; (row = lambda_version_next(&s));) {
		int order = str_is(name) ? str_cmp(row->Name, name) : 1;
		if (order < 0 || (order == 0 && row->Number <= done) || (row->Number != LATEST && !all))
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, arena_fmt(rq->mem, "%.*s %lld", STR_ARG(last->Name),
			                                           (long long)last->Number));
			cursor_close(&s.at);
			break;
		}
		last = row;
		v[n] = as_listed(row->Config);
		if (all)
			v[n].FunctionArn = name_arn_of(rq->mem, row->Account, row->Region, row->Name,
			                               version_text(rq->mem, row->Number));
		n++;
	}
	out->Functions = (lambda_FunctionList){ v, n };
	return OK;
}

typedef struct change {
	const void *in;
	lambda_FunctionConfiguration *out;
	function_name f;
	package code;
} change;

/* $LATEST of the function, and that nobody else has changed it meanwhile. */
static err latest_for_change(req *rq, txn *tx, const function_name *f, str revision, lambda_function **fn,
                             lambda_version **v)
{
	TRY(function_find(rq, tx, f, fn));
	*v = version_get(tx, rq->mem, *fn, LATEST);
	return revision_check(rq, revision, (*v)->Config->RevisionId);
}

static err update_code(req *rq, txn *tx, void *context)
{
	change *c = context;
	const lambda_UpdateFunctionCode_in *in = c->in;
	lambda_function *fn;
	lambda_version *v;
	TRY(latest_for_change(rq, tx, &c->f, in->RevisionId, &fn, &v));
	TRY(codesigning_check(rq, tx, fn->CodeSigning));
	str owner = function_owner(rq->mem, v);
	bool published = fn->LastVersion && fn->PublishedGeneration == v->Generation;
	bool same = str_eq(v->Code, c->code.hash) && !in->Architectures.n;
	if (c->code.image)
		v->Image = c->code.image; /* the same image may have been named in another way */
	if (!str_eq(v->Code, c->code.hash)) {
		str before = v->Code;
		take_package(v, &c->code);
		TRY(code_room(rq, tx, c->code.size));
		TRY(layers_take(rq, tx, v));
		code_forget(tx, v->Account, v->Region, owner, before);
		code_refer(tx, v->Account, v->Region, owner, &c->code);
	}
	if (in->Architectures.n)
		v->Config->Architectures = in->Architectures;
	version_touch(rq, tx, v);
	lambda_version_put(tx, v);
	if (published && same) { /* nothing that a new version would differ in */
		fn->PublishedGeneration = v->Generation;
		lambda_function_put(tx, fn);
	}
	if (in->Publish.v)
		TRY(publish(rq, tx, fn, STR_NONE, v));
	pool_changed(tx);
	*c->out = *v->Config;
	show_pending(rq, c->out, in->Publish.v); /* a version that is being created */
	return OK;
}

err lambda_UpdateFunctionCode(req *rq, const lambda_UpdateFunctionCode_in *in,
                              lambda_UpdateFunctionCode_out *out)
{
	change c = { .in = in, .out = out };
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, STR_NONE, &c.f));
	const txn *tx = req_read(rq);
	err missing = function_find(rq, tx, &c.f, &fn);
	lambda_version *v = missing ? NULL : version_get(tx, rq->mem, fn, LATEST);
	req_read_end(rq, tx);
	TRY(missing);
	bool image = v->Image != NULL;
	if (image != str_is(in->ImageUri))
		return fail(rq, &lambda_InvalidParameterValueException, image
		            ? "Please provide ImageUri when updating a function with packageType Image."
		            : "Please don't provide ImageUri when updating a function with packageType Zip.");
	TRY(code_given(rq, image, in->ZipFile, in->S3Bucket, in->S3Key, in->S3ObjectVersion, in->ImageUri,
	               &c.code));
	err failed = OK;
	if (in->DryRun.v) {
		*out = *v->Config;
		out->CodeSha256 = c.code.hash_base64;
		out->CodeSize = I64(c.code.size);
	} else {
		failed = req_write(rq, update_code, &c);
	}
	code_release(&c.code);
	return failed;
}

static err update_configuration(req *rq, txn *tx, void *context)
{
	change *c = context;
	const lambda_UpdateFunctionConfiguration_in *in = c->in;
	lambda_function *fn;
	lambda_version *v;
	TRY(latest_for_change(rq, tx, &c->f, in->RevisionId, &fn, &v));
	TRY(configure(rq, tx, in, v->Config));
	if (in->Layers.v) {
		TRY(codesigning_check(rq, tx, in->Layers.n ? fn->CodeSigning : S("")));
		layers_forget(tx, v);
		TRY(layers_take(rq, tx, v));
		layers_refer(tx, v);
	}
	if (str_is(in->Runtime))
		runtime_version(rq, v->Config);
	version_touch(rq, tx, v);
	lambda_version_put(tx, v);
	pool_changed(tx);
	*c->out = *v->Config;
	show_pending(rq, c->out, false);
	return OK;
}

err lambda_UpdateFunctionConfiguration(req *rq, const lambda_UpdateFunctionConfiguration_in *in,
                                       lambda_UpdateFunctionConfiguration_out *out)
{
	change c = { .in = in, .out = out };
	TRY(name_read(rq, in->FunctionName, STR_NONE, &c.f));
	TRY(runtime_check(rq, in->Runtime));
	return req_write(rq, update_configuration, &c);
}

/* One published version, which no alias may point at. */
static err delete_version(req *rq, txn *tx, const function_name *f, lambda_function *fn)
{
	int64_t number;
	if (lambda_alias_get(tx, rq->mem, fn->Account, fn->Region, fn->Name, f->qualifier))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Deletion of aliases is not currently supported.");
	if (str_eq(f->qualifier, S("$LATEST")) || !str_to_i64(f->qualifier, &number))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "$LATEST version cannot be deleted without deleting the function.");
	record_scan s = lambda_alias_scan(tx, rq->mem, 3, fn->Account, fn->Region, fn->Name, STR_NONE);
	for (lambda_alias *a; (a = lambda_alias_next(&s));)
		if (str_eq(a->It->FunctionVersion, f->qualifier)) {
			cursor_close(&s.at);
			return fail(rq, &lambda_ResourceConflictException,
			            "Version %.*s is referenced by alias %.*s and cannot be deleted.",
			            STR_ARG(f->qualifier), STR_ARG(a->Alias));
		}
	lambda_version *v = version_get(tx, rq->mem, fn, number);
	if (v) {
		code_forget(tx, v->Account, v->Region, function_owner(rq->mem, v), v->Code);
		layers_forget(tx, v);
		lambda_version_delete(tx, v->Account, v->Region, v->Name, number);
		qualifier_drop(tx, rq->mem, fn, f->qualifier);
		provision_follow(rq, tx, fn);
		pool_changed(tx);
	}
	return OK;
}

static void delete_all(req *rq, txn *tx, lambda_function *fn)
{
	str a = fn->Account, r = fn->Region, name = fn->Name;
	record_scan s = lambda_version_scan(tx, rq->mem, 3, a, r, name, 0);
	for (lambda_version *v; (v = lambda_version_next(&s));) {
		code_forget(tx, a, r, function_owner(rq->mem, v), v->Code);
		layers_forget(tx, v);
		lambda_version_delete(tx, a, r, name, v->Number);
	}
	s = lambda_alias_scan(tx, rq->mem, 3, a, r, name, STR_NONE);
	for (lambda_alias *l; (l = lambda_alias_next(&s));)
		lambda_alias_delete(tx, a, r, name, l->Alias);
	s = lambda_url_scan(tx, rq->mem, 3, a, r, name, STR_NONE);
	for (lambda_url *u; (u = lambda_url_next(&s));) {
		lambda_urlid_delete(tx, u->Id);
		lambda_url_delete(tx, a, r, name, u->Qualifier);
	}
	s = lambda_invokeconfig_scan(tx, rq->mem, 3, a, r, name, STR_NONE);
	for (lambda_invokeconfig *c; (c = lambda_invokeconfig_next(&s));)
		lambda_invokeconfig_delete(tx, a, r, name, c->Qualifier);
	policy_drop(tx, rq->mem, a, r, name);
	provision_drop_all(rq, tx, fn);
	lambda_function_delete(tx, a, r, name);
	pool_changed(tx);
}

err lambda_DeleteFunction(req *rq, txn *tx, const lambda_DeleteFunction_in *in,
                          lambda_DeleteFunction_out *out)
{
	function_name f;
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, in->Qualifier, &f));
	TRY(function_find(rq, tx, &f, &fn));
	out->StatusCode = I64(204);
	if (str_is(f.qualifier))
		return delete_version(rq, tx, &f, fn);
	delete_all(rq, tx, fn);
	return OK;
}
