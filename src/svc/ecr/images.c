#include "ecr.h"

#define PAGE 100

static err page_begin(req *rq, record_scan *s, str token)
{
	str after;
	if (!str_is(token))
		return OK;
	if (!page_position(rq, token, &after))
		return fail(rq, &ecr_InvalidParameterException, "Invalid parameter at 'nextToken'");
	record_scan_after(s, after);
	return OK;
}

err ecr_PutImage(req *rq, txn *tx, const ecr_PutImage_in *in, ecr_PutImage_out *out)
{
	ecr_repo *r;
	ecr_image *i;
	bool again;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	image_in put = { in->imageManifest, in->imageManifestMediaType, in->imageTag, in->imageDigest };
	TRY(image_put(rq, tx, r, &put, &i, &again));
	if (again)
		return fail(rq, &ecr_ImageAlreadyExistsException,
		            "Image with digest '%.*s' and tag '%.*s' already exists in the repository with name "
		            "'%.*s' in registry with id '%.*s'", STR_ARG(i->Digest),
		            STR_ARG(str_is(in->imageTag) ? in->imageTag : S("null")), STR_ARG(r->Name),
		            STR_ARG(r->Account));
	out->image = arena_new(rq->mem, ecr_Image);
	ecr_ImageIdentifier *id = arena_new(rq->mem, ecr_ImageIdentifier);
	*id = (ecr_ImageIdentifier){ i->Digest, in->imageTag };
	*out->image = (ecr_Image){ r->Account, r->Name, id, i->Manifest, i->MediaType };
	return OK;
}

static bool status_fits(str wanted, bool tagged)
{
	return !str_is(wanted) || str_eq(wanted, S("ANY")) || str_eq(wanted, S("TAGGED")) == tagged;
}

/* An image's identifiers: one per tag, or the digest alone. */
static void identify(arena *mem, ecr_ImageIdentifierList *list, const ecr_image *i,
                     const ecr_ImageTagList *tags)
{
	size_t n = tags->n ? tags->n : 1;
	ecr_ImageIdentifier *v = arena_array(mem, ecr_ImageIdentifier, list->n + n);
	if (list->n)
		memcpy(v, list->v, list->n * sizeof *v);
	for (size_t t = 0; t < n; t++)
		v[list->n + t] = (ecr_ImageIdentifier){ i->Digest, tags->n ? tags->v[t] : STR_NONE };
	list->v = v;
	list->n += n;
}

/* A page ends with a whole image, so it may be longer than asked by the tags of its last one. */
err ecr_ListImages(req *rq, const txn *tx, const ecr_ListImages_in *in, ecr_ListImages_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	size_t page = in->maxResults.set ? (size_t)in->maxResults.v : PAGE;
	str wanted = in->filter ? in->filter->tagStatus : STR_NONE, last = STR_NONE;
	record_scan s = ecr_image_scan(tx, rq->mem, 1, r->Id, STR_NONE);
	TRY(page_begin(rq, &s, in->nextToken));
	out->imageIds.v = arena_new(rq->mem, ecr_ImageIdentifier);
	for (ecr_image *i; (i = ecr_image_next(&s)); last = i->Digest) {
		if (out->imageIds.n >= page) {
			out->nextToken = page_token(rq, last);
			break;
		}
		ecr_ImageTagList tags = image_tags(tx, rq->mem, r, i->Digest);
		if (status_fits(wanted, tags.n > 0))
			identify(rq->mem, &out->imageIds, i, &tags);
	}
	cursor_close(&s.at);
	return OK;
}

static ecr_ImageDetail detail(req *rq, const ecr_repo *r, const ecr_image *i, ecr_ImageTagList tags)
{
	ecr_ImageDetail d = {
		.registryId = r->Account, .repositoryName = r->Name, .imageDigest = i->Digest,
		.imageSizeInBytes = I64(i->Bytes), .imagePushedAt = TIME(i->Pushed),
		.imageManifestMediaType = i->MediaType, .artifactMediaType = i->ArtifactType,
		.subjectManifestDigest = i->Subject, .imageStatus = ecr_ImageStatus_ACTIVE,
	};
	if (tags.n)
		d.imageTags = tags;
	if (i->Pulled)
		d.lastRecordedPullTime = TIME(i->Pulled);
	(void)rq;
	return d;
}

static err describe_named(req *rq, const txn *tx, const ecr_repo *r, const ecr_DescribeImages_in *in,
                          ecr_DescribeImages_out *out)
{
	out->imageDetails.v = arena_array(rq->mem, ecr_ImageDetail, in->imageIds.n);
	for (size_t k = 0; k < in->imageIds.n; k++) {
		const ecr_ImageIdentifier *id = &in->imageIds.v[k];
		ecr_image *i = image_get(tx, rq->mem, r, id->imageDigest, id->imageTag);
		if (!i)
			return fail(rq, &ecr_ImageNotFoundException,
			            "The image with imageId {imageDigest:'%.*s', imageTag:'%.*s'} does not exist within "
			            "the repository with name '%.*s' in the registry with id '%.*s'",
			            STR_ARG(str_is(id->imageDigest) ? id->imageDigest : S("null")),
			            STR_ARG(str_is(id->imageTag) ? id->imageTag : S("null")), STR_ARG(r->Name),
			            STR_ARG(r->Account));
		out->imageDetails.v[out->imageDetails.n++] =
			detail(rq, r, i, image_tags(tx, rq->mem, r, i->Digest));
	}
	return OK;
}

err ecr_DescribeImages(req *rq, const txn *tx, const ecr_DescribeImages_in *in,
                       ecr_DescribeImages_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	if (in->imageIds.n)
		return describe_named(rq, tx, r, in, out);
	size_t page = in->maxResults.set ? (size_t)in->maxResults.v : PAGE;
	str wanted = in->filter ? in->filter->tagStatus : STR_NONE;
	record_scan s = ecr_image_scan(tx, rq->mem, 1, r->Id, STR_NONE);
	TRY(page_begin(rq, &s, in->nextToken));
	out->imageDetails.v = arena_array(rq->mem, ecr_ImageDetail, page);
	for (ecr_image *i; (i = ecr_image_next(&s));) {
		ecr_ImageTagList tags = image_tags(tx, rq->mem, r, i->Digest);
		if (!status_fits(wanted, tags.n > 0))
			continue;
		if (out->imageDetails.n == page) {
			out->nextToken = page_token(rq, out->imageDetails.v[page - 1].imageDigest);
			break;
		}
		out->imageDetails.v[out->imageDetails.n++] = detail(rq, r, i, tags);
	}
	cursor_close(&s.at);
	return OK;
}

static ecr_ImageFailure failure(const ecr_ImageIdentifier *id, str code, str why)
{
	return (ecr_ImageFailure){ .imageId = (ecr_ImageIdentifier *)id, .failureCode = code,
		                   .failureReason = why };
}

/* The image meant, or why there is none. */
static ecr_image *meant(const txn *tx, arena *mem, const ecr_repo *r, const ecr_ImageIdentifier *id,
                        ecr_ImageFailure *why)
{
	if (!str_is(id->imageDigest) && !str_is(id->imageTag)) {
		*why = failure(id, ecr_ImageFailureCode_MissingDigestAndTag,
		               S("Invalid request parameters: both tag and digest cannot be null"));
		return NULL;
	}
	if (str_is(id->imageDigest) && !digest_good(id->imageDigest)) {
		*why = failure(id, ecr_ImageFailureCode_InvalidImageDigest,
		               S("Invalid request parameters: image digest should satisfy the regex "
		                 "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"));
		return NULL;
	}
	ecr_image *i = image_get(tx, mem, r, id->imageDigest, id->imageTag);
	if (!i)
		*why = failure(id, ecr_ImageFailureCode_ImageNotFound, S("Requested image not found"));
	else if (str_is(id->imageDigest) && str_is(id->imageTag)) {
		ecr_tag *t = ecr_tag_get(tx, mem, r->Id, id->imageTag);
		if (t && str_eq(t->Digest, i->Digest))
			return i;
		*why = failure(id, ecr_ImageFailureCode_ImageTagDoesNotMatchDigest,
		               S("The given digest does not have the given tag"));
		return NULL;
	}
	return i;
}

static bool accepts(const ecr_MediaTypeList *types, str type)
{
	for (size_t i = 0; i < types->n; i++)
		if (str_eq(types->v[i], type))
			return true;
	return types->n == 0;
}

err ecr_BatchGetImage(req *rq, const txn *tx, const ecr_BatchGetImage_in *in, ecr_BatchGetImage_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	out->images.v = arena_array(rq->mem, ecr_Image, in->imageIds.n);
	out->failures.v = arena_array(rq->mem, ecr_ImageFailure, in->imageIds.n);
	for (size_t k = 0; k < in->imageIds.n; k++) {
		const ecr_ImageIdentifier *asked = &in->imageIds.v[k];
		ecr_image *i = meant(tx, rq->mem, r, asked, &out->failures.v[out->failures.n]);
		if (i && !accepts(&in->acceptedMediaTypes, i->MediaType)) {
			out->failures.v[out->failures.n] = failure(asked, ecr_ImageFailureCode_ImageNotFound,
			                                           S("Requested image not found"));
			i = NULL;
		}
		if (!i) {
			out->failures.n++;
			continue;
		}
		ecr_ImageIdentifier *id = arena_new(rq->mem, ecr_ImageIdentifier);
		*id = (ecr_ImageIdentifier){ i->Digest, asked->imageTag };
		out->images.v[out->images.n++] = (ecr_Image){ r->Account, r->Name, id, i->Manifest, i->MediaType };
	}
	return OK;
}

/* By tag alone the tag goes, and with the last one the image; by digest the image and all its tags. */
static void delete_one(req *rq, txn *tx, const ecr_repo *r, const ecr_ImageIdentifier *id,
                       ecr_BatchDeleteImage_out *out)
{
	ecr_image *i = meant(tx, rq->mem, r, id, &out->failures.v[out->failures.n]);
	if (!i) {
		out->failures.n++;
		return;
	}
	ecr_ImageTagList tags = image_tags(tx, rq->mem, r, i->Digest);
	bool whole = str_is(id->imageDigest) ? !str_is(id->imageTag) : false;
	whole = whole || tags.n <= 1;
	if (whole && image_is_part(tx, rq->mem, r, i->Digest)) {
		out->failures.v[out->failures.n++] =
			failure(id, ecr_ImageFailureCode_ImageReferencedByManifestList,
			        S("Requested image referenced by manifest list"));
		return;
	}
	if (!whole) {
		image_untag(tx, rq->mem, r, id->imageTag);
		tags = (ecr_ImageTagList){ (str *)&id->imageTag, 1 };
	} else {
		image_delete(tx, rq->mem, r, i, rq->now);
	}
	identify(rq->mem, &out->imageIds, i, &tags);
}

err ecr_BatchDeleteImage(req *rq, txn *tx, const ecr_BatchDeleteImage_in *in,
                         ecr_BatchDeleteImage_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	out->imageIds.v = arena_new(rq->mem, ecr_ImageIdentifier);
	out->failures.v = arena_array(rq->mem, ecr_ImageFailure, in->imageIds.n);
	for (size_t k = 0; k < in->imageIds.n; k++)
		delete_one(rq, tx, r, &in->imageIds.v[k], out);
	return OK;
}
