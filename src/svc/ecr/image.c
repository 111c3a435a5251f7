/* Images: a manifest by digest, tags that name it, and what it uses. */
#include "base/digest.h"
#include "base/text.h"
#include "ecr.h"

ecr_image *image_get(const txn *tx, arena *mem, const ecr_repo *r, str sum, str tag)
{
	if (!str_is(sum)) {
		ecr_tag *t = ecr_tag_get(tx, mem, r->Id, tag);
		return t ? ecr_image_get(tx, mem, r->Id, t->Digest) : NULL;
	}
	return ecr_image_get(tx, mem, r->Id, sum);
}

ecr_ImageTagList image_tags(const txn *tx, arena *mem, const ecr_repo *r, str sum)
{
	ecr_ImageTagList list = { arena_array(mem, str, ECR_TAGS_MAX), 0 };
	record_scan s = ecr_tagged_scan(tx, mem, 2, r->Id, sum, STR_NONE);
	for (ecr_tagged *t; list.n < ECR_TAGS_MAX && (t = ecr_tagged_next(&s));)
		list.v[list.n++] = t->Tag;
	cursor_close(&s.at);
	return list;
}

bool image_is_part(const txn *tx, arena *mem, const ecr_repo *r, str sum)
{
	record_scan s = ecr_part_scan(tx, mem, 2, r->Id, sum, STR_NONE);
	bool part = ecr_part_next(&s) != NULL;
	cursor_close(&s.at);
	return part;
}

bool image_untag(txn *tx, arena *mem, const ecr_repo *r, str tag)
{
	ecr_tag *t = ecr_tag_get(tx, mem, r->Id, tag);
	if (!t)
		return false;
	ecr_tagged_delete(tx, r->Id, t->Digest, tag);
	return ecr_tag_delete(tx, r->Id, tag);
}

void image_delete(txn *tx, arena *mem, const ecr_repo *r, const ecr_image *i, int64_t now)
{
	manifest m;
	ecr_ImageTagList tags = image_tags(tx, mem, r, i->Digest);
	for (size_t t = 0; t < tags.n; t++)
		image_untag(tx, mem, r, tags.v[t]);
	if (manifest_read(mem, i->Manifest, i->MediaType, &m)) {
		for (size_t b = 0; b < m.n_blobs; b++)
			link_use(tx, mem, r, m.blobs[b], -1, now);
		for (size_t p = 0; p < m.n_parts; p++)
			ecr_part_delete(tx, r->Id, m.parts[p], i->Digest);
	}
	ecr_image_delete(tx, r->Id, i->Digest);
}

static bool excluded(const ecr_repo *r, str tag)
{
	for (size_t i = 0; i < r->Exclusions.n; i++)
		if (str_glob(r->Exclusions.v[i].filter, tag))
			return true;
	return false;
}

static bool tag_fixed(const ecr_repo *r, str tag)
{
	if (str_eq(r->Mutability, ecr_ImageTagMutability_IMMUTABLE))
		return true;
	if (str_eq(r->Mutability, ecr_ImageTagMutability_IMMUTABLE_WITH_EXCLUSION))
		return !excluded(r, tag);
	return str_eq(r->Mutability, ecr_ImageTagMutability_MUTABLE_WITH_EXCLUSION) && excluded(r, tag);
}

static bool tag_good(str tag)
{
	static const char more[] = "_.-";
	if (!tag.n || tag.n > 128 || tag.p[0] == '.' || tag.p[0] == '-')
		return false;
	for (size_t i = 0; i < tag.n; i++) {
		char c = tag.p[i], low = (char)(c | 0x20);
		if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'z') && (!c || !strchr(more, c)))
			return false;
	}
	return true;
}

static err parts_here(req *rq, const txn *tx, const ecr_repo *r, const manifest *m)
{
	for (size_t i = 0; i < m->n_blobs; i++)
		if (!ecr_link_get(tx, rq->mem, r->Id, m->blobs[i]))
			return fail(rq, &ecr_LayersNotFoundException,
			            "Layers with digests '[%.*s]' required for pushing image into repository with name "
			            "'%.*s' in the registry with id '%.*s' do not exist", STR_ARG(m->blobs[i]),
			            STR_ARG(r->Name), STR_ARG(r->Account));
	for (size_t i = 0; i < m->n_parts; i++)
		if (!ecr_image_get(tx, rq->mem, r->Id, m->parts[i]))
			return fail(rq, &ecr_ReferencedImagesNotFoundException,
			            "Images with digests '[%.*s]' required for pushing image into repository with name "
			            "'%.*s' in the registry with id '%.*s' do not exist", STR_ARG(m->parts[i]),
			            STR_ARG(r->Name), STR_ARG(r->Account));
	return OK;
}

static void store_image(req *rq, txn *tx, const ecr_repo *r, const ecr_image *i, const manifest *m)
{
	ecr_image_put(tx, i);
	for (size_t b = 0; b < m->n_blobs; b++)
		link_use(tx, rq->mem, r, m->blobs[b], 1, rq->now);
	for (size_t p = 0; p < m->n_parts; p++)
		ecr_part_put(tx, &(ecr_part){ .RepoId = r->Id, .Digest = m->parts[p], .List = i->Digest });
}

/* The tag's name comes to this image, if it may. */
static err give_tag(req *rq, txn *tx, const ecr_repo *r, const ecr_image *i, str tag, bool *again)
{
	ecr_tag *had = ecr_tag_get(tx, rq->mem, r->Id, tag);
	*again = had && str_eq(had->Digest, i->Digest);
	if (*again)
		return OK;
	if (had && tag_fixed(r, tag))
		return fail(rq, &ecr_ImageTagAlreadyExistsException,
		            "The image tag '%.*s' already exists in the '%.*s' repository and cannot be overwritten "
		            "because the tag is immutable.", STR_ARG(tag), STR_ARG(r->Name));
	if (image_tags(tx, rq->mem, r, i->Digest).n >= ECR_TAGS_MAX)
		return fail(rq, &ecr_LimitExceededException, "An image can have at most %d tags.", ECR_TAGS_MAX);
	image_untag(tx, rq->mem, r, tag);
	ecr_tag_put(tx, &(ecr_tag){ .RepoId = r->Id, .Tag = tag, .Digest = i->Digest });
	ecr_tagged_put(tx, &(ecr_tagged){ .RepoId = r->Id, .Digest = i->Digest, .Tag = tag });
	return OK;
}

err image_put(req *rq, txn *tx, const ecr_repo *r, const image_in *in, ecr_image **out, bool *again)
{
	manifest m;
	str sum = arena_concat(rq->mem, S("sha256:"), sha256_hex(rq->mem, in->manifest));
	if (in->manifest.n > ECR_MANIFEST_BYTES || !manifest_read(rq->mem, in->manifest, in->media_type, &m))
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "
		            "'Invalid JSON syntax, or not a manifest of a known media type'");
	if (str_is(in->tag) && !tag_good(in->tag))
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter at 'imageTag' failed to satisfy constraint: "
		            "'must satisfy regular expression '[a-zA-Z0-9-_.]+''");
	if (str_is(in->digest) && !str_eq(in->digest, sum))
		return fail(rq, &ecr_ImageDigestDoesNotMatchException,
		            "The digest '%.*s' does not match the digest of the manifest, '%.*s'",
		            STR_ARG(in->digest), STR_ARG(sum));
	TRY(parts_here(rq, tx, r, &m));
	ecr_image *i = ecr_image_get(tx, rq->mem, r->Id, sum);
	*again = i != NULL;
	if (!i) {
		i = arena_new(rq->mem, ecr_image);
		*i = (ecr_image){ .RepoId = r->Id, .Digest = sum, .MediaType = m.media_type,
			          .Manifest = in->manifest, .Bytes = m.bytes, .Pushed = rq->now,
			          .ArtifactType = m.artifact_type, .Subject = m.subject };
		store_image(rq, tx, r, i, &m);
	}
	*out = i;
	if (!str_is(in->tag))
		return OK;
	bool tagged_before;
	TRY(give_tag(rq, tx, r, i, in->tag, &tagged_before));
	*again = *again && tagged_before;
	return OK;
}
