/*
 * Functions from container images. The image is looked up in ECR when the function is made or changed, and
 * the version keeps what it found: later pushes to the same tag change nothing. Its layers are unpacked once,
 * on top of each other, into the root of the function's sandboxes.
 */
#include "lambda.h"
#include "base/json.h"
#include "cloud/call.h"
#include "run/image.h"
#include "sys/file.h"

#define CONFIG_BYTES ((size_t)4 << 20)
#define DIGEST S("sha256:")
#define DIGEST_LENGTH 71

typedef struct image_name {
	str account, region, repository, tag, digest;
} image_name;

/* ACCOUNT.dkr.ecr.REGION.ANYTHING/REPOSITORY:TAG, or @sha256:.. in place of the tag or behind it. */
static bool name_of(str uri, image_name *out)
{
	str rest = uri, host = str_cut(&rest, '/'), name = rest;
	*out = (image_name){ .account = str_cut(&host, '.'), .tag = STR_NONE, .digest = STR_NONE };
	bool registry = str_eq(str_cut(&host, '.'), S("dkr")) && str_eq(str_cut(&host, '.'), S("ecr"));
	out->region = str_cut(&host, '.');
	if (!registry || !str_is(host) || !str_is(name))
		return false;
	str tagged = str_cut(&name, '@');
	out->digest = name;
	out->repository = str_cut(&tagged, ':');
	out->tag = tagged;
	bool digest_good = !str_is(out->digest) ||
		(out->digest.n == DIGEST_LENGTH && str_starts(out->digest, DIGEST));
	return out->repository.n && digest_good && (out->tag.n || str_is(out->digest));
}

static str text_of(const json_value *object, const char *key)
{
	const json_value *v = json_get(object, str_c(key));
	return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

static lambda_StringList texts_of(arena *mem, const json_value *object, const char *key)
{
	const json_value *v = json_get(object, str_c(key));
	lambda_StringList list = { NULL, 0 };
	if (!v || v->kind != JSON_ARRAY || !v->n)
		return list;
	list.v = arena_array(mem, str, v->n);
	for (const json_value *x = v->first; x; x = x->next)
		if (x->kind == JSON_STRING)
			list.v[list.n++] = x->text;
	return list;
}

static err absent(req *rq, str uri)
{
	return fail(rq, &lambda_InvalidParameterValueException,
	            "Source image %.*s does not exist. Provide a valid source image.", STR_ARG(uri));
}

static err unsupported(req *rq, str uri)
{
	return fail(rq, &lambda_InvalidParameterValueException,
	            "The image manifest, config or layer media type for the source image %.*s is not supported.",
	            STR_ARG(uri));
}

/* The image's manifest as ECR has it, and its digest. */
static err manifest_of(req *rq, str uri, const image_name *n, const json_value **manifest, str *digest)
{
	str text;
	buf b = buf_in(rq->mem, 512, 65536);
	buf_put(&b, S("{\"repositoryName\":"));
	json_put_string(&b, n->repository);
	buf_put(&b, S(",\"imageIds\":[{"));
	buf_put(&b, str_is(n->digest) ? S("\"imageDigest\":") : S("\"imageTag\":"));
	json_put_string(&b, str_is(n->digest) ? n->digest : n->tag);
	buf_put(&b, S("}]}"));
	req *there = req_internal(rq->mem, rq->store, "lambda.amazonaws.com", n->account, n->region);
	err e = call_json(there, NULL, "ecr", "BatchGetImage", buf_str(&b), &text);
	usage_settle_later(there);
	if (e && e->kind == &aws_NotImplemented)
		return e;
	const json_value *v = e ? NULL : json_parse(rq->mem, text), *images = json_get(v, S("images"));
	if (!images || !images->first)
		return absent(rq, uri);
	*digest = text_of(json_get(images->first, S("imageId")), "imageDigest");
	*manifest = json_parse(rq->mem, text_of(images->first, "imageManifest"));
	return *manifest && digest->n == DIGEST_LENGTH ? OK : unsupported(rq, uri);
}

static bool layer_type_known(str type)
{
	static const char *const known[] = {
		"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(type, str_c(known[i])))
			return true;
	return false;
}

/* A single image of known parts, not a list of images and not an attestation. */
static err layers_of(req *rq, str uri, const json_value *manifest, lambda_ImageFacts *f)
{
	const json_value *layers = json_get(manifest, S("layers"));
	if (!layers || layers->kind != JSON_ARRAY)
		return unsupported(rq, uri);
	f->Layers = (lambda_StringList){ arena_array(rq->mem, str, layers->n + 1), 0 };
	for (const json_value *l = layers->first; l; l = l->next) {
		str digest = text_of(l, "digest");
		if (!layer_type_known(text_of(l, "mediaType")) || digest.n != DIGEST_LENGTH)
			return unsupported(rq, uri);
		f->Layers.v[f->Layers.n++] = digest;
	}
	return OK;
}

static err config_of(req *rq, str uri, const json_value *manifest, lambda_ImageFacts *f)
{
	const json_value *descriptor = json_get(manifest, S("config"));
	str digest = text_of(descriptor, "digest"), type = text_of(descriptor, "mediaType"), text;
	if (digest.n != DIGEST_LENGTH || (!str_eq(type, S("application/vnd.docker.container.image.v1+json")) &&
	                                  !str_eq(type, S("application/vnd.oci.image.config.v1+json"))))
		return unsupported(rq, uri);
	if (file_read(rq->mem, image_blob_path(rq->mem, code_data_folder(), digest), CONFIG_BYTES, &text))
		return absent(rq, uri);
	const json_value *v = json_parse(rq->mem, text), *c = json_get(v, S("config"));
	if (!v || !str_eq(text_of(v, "os"), S("linux")))
		return unsupported(rq, uri);
	f->Architecture = text_of(v, "architecture");
	f->EntryPoint = texts_of(rq->mem, c, "Entrypoint");
	f->Command = texts_of(rq->mem, c, "Cmd");
	f->Environment = texts_of(rq->mem, c, "Env");
	f->WorkingDirectory = text_of(c, "WorkingDir");
	return OK;
}

static err fill(arena *mem, str folder, void *context)
{
	const lambda_ImageFacts *f = context;
	image_used used = { 0 };
	for (size_t i = 0; i < f->Layers.n; i++)
		TRY(image_unpack(mem, image_blob_path(mem, code_data_folder(), f->Layers.v[i]), folder, NULL, &used));
	return image_finish(mem, folder);
}

static err install(arena *mem, str hash, lambda_ImageFacts *f)
{
	return file_exists(code_unpacked(mem, hash)) ? OK : code_install(mem, hash, fill, f);
}

err image_keep(req *rq, str uri, package *out)
{
	image_name n;
	const json_value *manifest = NULL;
	str digest = STR_NONE;
	if (!name_of(uri, &n))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Source image %.*s is not valid. Provide a valid source image.", STR_ARG(uri));
	if (!str_eq(n.account, rq->who.account))
		return fail(rq, &aws_AccessDenied,
		            "Lambda does not have permission to access the ECR image. Check the ECR permissions.");
	if (!str_eq(n.region, rq->region))
		return absent(rq, uri);
	TRY(manifest_of(rq, uri, &n, &manifest, &digest));
	lambda_ImageFacts *f = arena_new(rq->mem, lambda_ImageFacts);
	f->Uri = uri;
	str rest = uri, host = str_cut(&rest, '/');
	f->ResolvedUri = arena_fmt(rq->mem, "%.*s/%.*s@%.*s", STR_ARG(host), STR_ARG(n.repository),
	                           STR_ARG(digest));
	TRY(layers_of(rq, uri, manifest, f));
	TRY(config_of(rq, uri, manifest, f));
	str hash = str_sub(digest, DIGEST.n, digest.n);
	*out = (package){ .hash = hash, .hash_base64 = hash, .image = f };
	code_pin(hash);
	err e = install(rq->mem, hash, f);
	if (!e)
		return OK;
	code_release(out);
	return fail(rq, &lambda_InvalidParameterValueException, "Source image %.*s is not valid: %.*s",
	            STR_ARG(uri),
	            STR_ARG(e->message));
}

err image_folder(arena *mem, const lambda_version *v, str *folder)
{
	*folder = code_unpacked(mem, v->Code);
	err e = install(mem, v->Code, v->Image);
	return e ? fault_new(mem, &fault_system, "The container image %.*s is gone: %.*s", STR_ARG(v->Image->Uri),
	                     STR_ARG(e->message)) : OK;
}

static void arguments(str *to, size_t *n, const lambda_StringList *own, const lambda_StringList *of_image)
{
	const lambda_StringList *l = own && own->n ? own : of_image;
	for (size_t i = 0; i < l->n; i++)
		to[(*n)++] = l->v[i];
}

/* amd64, as images call what functions call x86_64. */
static bool foreign(const lambda_version *v)
{
	bool arm = v->Config->Architectures.n && str_eq(v->Config->Architectures.v[0], S("arm64"));
	return !str_eq(v->Image->Architecture, arm ? S("arm64") : S("amd64"));
}

void image_run(arena *mem, const lambda_version *v, function_image *out)
{
	static const lambda_ImageConfig nothing;
	const lambda_ImageFacts *f = v->Image;
	const lambda_ImageConfigResponse *r = v->Config->ImageConfigResponse;
	const lambda_ImageConfig *own = r && r->ImageConfig ? r->ImageConfig : &nothing;
	str *argv = arena_array(mem, str,
	                        f->EntryPoint.n + f->Command.n + own->EntryPoint.n + own->Command.n + 1);
	size_t n = 0;
	arguments(argv, &n, &own->EntryPoint, &f->EntryPoint);
	arguments(argv, &n, &own->Command, &f->Command);
	function_pair *pairs = arena_array(mem, function_pair, f->Environment.n + 1);
	for (size_t i = 0; i < f->Environment.n; i++) {
		str value = f->Environment.v[i];
		pairs[i].name = str_cut(&value, '=');
		pairs[i].value = str_is(value) ? value : S("");
	}
	*out = (function_image){ .argv = argv, .n_argv = n, .environment = pairs,
		.n_environment = f->Environment.n,
		.directory = own->WorkingDirectory.n ? own->WorkingDirectory : f->WorkingDirectory,
		.foreign = foreign(v) };
}
