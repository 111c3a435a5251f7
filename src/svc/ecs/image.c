#include "image.h"
#include "cloud/call.h"
#include "run/image.h"
#include "runner.h"
#include "sys/file.h"

#define CONFIG_BYTES ((size_t)4 << 20)
#define DIGEST_LENGTH 71

typedef struct parts {
	str account, region, repository, tag, digest;
} parts;

/* ACCOUNT.dkr.ecr.REGION.ANYTHING/REPOSITORY[:TAG][@DIGEST] */
static bool split(str uri, parts *p)
{
	str rest = uri, host = str_cut(&rest, '/'), labels = host;
	*p = (parts){ .account = str_cut(&labels, '.') };
	if (!str_is(rest) || !str_eq(str_cut(&labels, '.'), S("dkr")) || !str_eq(str_cut(&labels, '.'), S("ecr")))
		return false;
	p->region = str_cut(&labels, '.');
	str named = str_cut(&rest, '@');
	p->digest = rest;
	p->repository = str_cut(&named, ':');
	p->tag = given(named) ? named : S("latest");
	return given(p->repository) && given(p->region);
}

static str text_at(const json_value *v, const char *key)
{
	const json_value *m = json_get(v, str_c(key));
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

static ecs_StringList texts_at(arena *mem, const json_value *v, const char *key)
{
	const json_value *m = json_get(v, str_c(key));
	ecs_StringList l = { 0 };
	for (const json_value *x = m && m->kind == JSON_ARRAY ? m->first : NULL; x; x = x->next)
		if (x->kind == JSON_STRING)
			ECS_ADD(mem, &l, x->text);
	return l;
}

static err cannot(req *rq, str uri, str why)
{
	return fault_new(rq->mem, &fault_syntax, "CannotPullContainerError: pull image manifest has been "
		"retried 1 "
	                 "time(s): failed to resolve ref %.*s: %.*s", STR_ARG(uri), STR_ARG(why));
}

static err manifest_of(req *rq, str uri, const parts *p, const json_value **out, str *digest)
{
	str text;
	buf b = buf_in(rq->mem, 512, 65536);
	buf_put(&b, S("{\"repositoryName\":"));
	json_put_string(&b, p->repository);
	buf_put(&b, given(p->digest) ? S(",\"imageIds\":[{\"imageDigest\":")
		: S(",\"imageIds\":[{\"imageTag\":"));
	json_put_string(&b, given(p->digest) ? p->digest : p->tag);
	buf_put(&b, S("}],\"registryId\":"));
	json_put_string(&b, p->account);
	buf_c(&b, '}');
	err e = call_json(rq, NULL, "ecr", "BatchGetImage", buf_str(&b), &text);
	if (e)
		return cannot(rq, uri, e->message);
	const json_value *images = json_get(json_parse(rq->mem, text), S("images"));
	const json_value *image = images ? images->first : NULL;
	if (!image)
		return cannot(rq, uri, arena_fmt(rq->mem, "%.*s: not found", STR_ARG(uri)));
	*digest = text_at(json_get(image, S("imageId")), "imageDigest");
	*out = json_parse(rq->mem, text_at(image, "imageManifest"));
	return *out && digest->n == DIGEST_LENGTH ? OK : cannot(rq, uri, S("the manifest cannot be read"));
}

static err read_parts(req *rq, str uri, const json_value *manifest, ecs_image *out)
{
	const json_value *layers = json_get(manifest, S("layers"));
	str text, config = text_at(json_get(manifest, S("config")), "digest");
	if (!layers || layers->kind != JSON_ARRAY || config.n != DIGEST_LENGTH)
		return cannot(rq, uri, S("no match for platform in manifest: not found"));
	out->layers = arena_array(rq->mem, str, layers->n + 1);
	for (const json_value *l = layers->first; l; l = l->next) {
		str digest = text_at(l, "digest");
		if (digest.n != DIGEST_LENGTH)
			return cannot(rq, uri, S("a layer has no digest"));
		out->layers[out->n_layers++] = image_blob_path(rq->mem, ecs_data_folder(), digest);
	}
	if (file_read(rq->mem, image_blob_path(rq->mem, ecs_data_folder(), config), CONFIG_BYTES, &text))
		return cannot(rq, uri, S("the image's configuration is not there"));
	const json_value *v = json_parse(rq->mem, text), *c = json_get(v, S("config"));
	out->architecture = text_at(v, "architecture");
	out->entry = texts_at(rq->mem, c, "Entrypoint");
	out->command = texts_at(rq->mem, c, "Cmd");
	out->environment = texts_at(rq->mem, c, "Env");
	out->directory = text_at(c, "WorkingDir");
	return v ? OK : cannot(rq, uri, S("the image's configuration cannot be read"));
}

err ecs_image_find(req *rq, str uri, ecs_image *out)
{
	parts p;
	const json_value *manifest = NULL;
	*out = (ecs_image){ 0 };
	if (!split(uri, &p))
		return cannot(rq, uri, S("there is no way to other registries from here. Push the image to Amazon "
			"ECR"));
	if (!str_eq(p.region, rq->region))
		return cannot(rq, uri, S("images are pulled from the Region of the task"));
	TRY(manifest_of(rq, uri, &p, &manifest, &out->digest));
	return read_parts(rq, uri, manifest, out);
}
