/* What a manifest says: the blobs it needs, or the images it lists. */
#include "base/json.h"
#include "ecr.h"

#define REFERENCES_MAX 1000
#define LIST_DOCKER "application/vnd.docker.distribution.manifest.list.v2+json"
#define LIST_OCI "application/vnd.oci.image.index.v1+json"
#define ONE_OCI "application/vnd.oci.image.manifest.v1+json"
#define ONE_DOCKER "application/vnd.docker.distribution.manifest.v2+json"

bool digest_good(str digest)
{
	if (digest.n != 71 || !str_starts(digest, S("sha256:")))
		return false;
	for (size_t i = 7; i < digest.n; i++)
		if (!strchr("0123456789abcdef", digest.p[i]) || !digest.p[i])
			return false;
	return true;
}

static str text_of(const json_value *object, str key)
{
	const json_value *v = json_get(object, key);
	return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

static bool add(str *to, size_t *n, str digest)
{
	if (!digest_good(digest) || *n == REFERENCES_MAX)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (str_eq(to[i], digest))
			return true;
	to[(*n)++] = digest;
	return true;
}

/* A layer that lies elsewhere (`urls`) need not be here. */
static bool add_blob(manifest *m, const json_value *descriptor)
{
	const json_value *size = json_get(descriptor, S("size"));
	int64_t bytes;
	size_t before = m->n_blobs;
	if (!descriptor || !size || !str_to_i64(size->text, &bytes) || bytes < 0 || bytes > INT64_MAX / 4096)
		return false;
	if (json_get(descriptor, S("urls")))
		return digest_good(text_of(descriptor, S("digest")));
	if (!add(m->blobs, &m->n_blobs, text_of(descriptor, S("digest"))))
		return false;
	m->bytes += m->n_blobs > before ? bytes : 0;
	return true;
}

static bool read_list(const json_value *doc, manifest *m)
{
	const json_value *list = json_get(doc, S("manifests"));
	if (!list || list->kind != JSON_ARRAY)
		return false;
	for (const json_value *v = list->first; v; v = v->next)
		if (!add(m->parts, &m->n_parts, text_of(v, S("digest"))))
			return false;
	return true;
}

static bool read_one(const json_value *doc, manifest *m)
{
	const json_value *layers = json_get(doc, S("layers"));
	if (!layers || layers->kind != JSON_ARRAY || !add_blob(m, json_get(doc, S("config"))))
		return false;
	for (const json_value *v = layers->first; v; v = v->next)
		if (!add_blob(m, v))
			return false;
	return true;
}

bool manifest_read(arena *mem, str text, str media_type, manifest *out)
{
	const json_value *doc = json_parse(mem, text);
	if (!doc || doc->kind != JSON_OBJECT)
		return false;
	str own = text_of(doc, S("mediaType"));
	*out = (manifest){ .blobs = arena_array(mem, str, REFERENCES_MAX),
		           .parts = arena_array(mem, str, REFERENCES_MAX) };
	if (str_is(own) && str_is(media_type) && !str_eq(own, media_type))
		return false;
	out->media_type = str_is(own) ? own : media_type;
	bool list = json_get(doc, S("manifests")) != NULL;
	if (!str_is(out->media_type))
		out->media_type = list ? S(LIST_OCI) : S(ONE_OCI);
	out->subject = text_of(json_get(doc, S("subject")), S("digest"));
	out->artifact_type = text_of(doc, S("artifactType"));
	if (!str_is(out->artifact_type))
		out->artifact_type = text_of(json_get(doc, S("config")), S("mediaType"));
	if (str_eq(out->media_type, S(LIST_OCI)) || str_eq(out->media_type, S(LIST_DOCKER)))
		return read_list(doc, out);
	if (str_eq(out->media_type, S(ONE_OCI)) || str_eq(out->media_type, S(ONE_DOCKER)))
		return read_one(doc, out);
	return false;
}
