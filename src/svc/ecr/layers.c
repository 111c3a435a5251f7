/* Layers through the API itself; the registry's own way is in registry_upload.c. */
#include "ecr.h"

err ecr_BatchCheckLayerAvailability(req *rq, const txn *tx, const ecr_BatchCheckLayerAvailability_in *in,
                                    ecr_BatchCheckLayerAvailability_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	out->layers.v = arena_array(rq->mem, ecr_Layer, in->layerDigests.n);
	out->failures.v = arena_array(rq->mem, ecr_LayerFailure, in->layerDigests.n);
	for (size_t i = 0; i < in->layerDigests.n; i++) {
		str digest = in->layerDigests.v[i];
		if (!digest_good(digest)) {
			out->failures.v[out->failures.n++] = (ecr_LayerFailure){
				digest, ecr_LayerFailureCode_InvalidLayerDigest,
				S("Invalid layer digest: it is sha256: and 64 hexadecimal digits") };
			continue;
		}
		ecr_link *l = ecr_link_get(tx, rq->mem, r->Id, digest);
		ecr_Layer layer = { .layerDigest = digest, .layerAvailability = ecr_LayerAvailability_UNAVAILABLE };
		if (l) {
			layer.layerAvailability = ecr_LayerAvailability_AVAILABLE;
			layer.layerSize = I64(l->Bytes);
		}
		out->layers.v[out->layers.n++] = layer;
	}
	return OK;
}

err ecr_InitiateLayerUpload(req *rq, txn *tx, const ecr_InitiateLayerUpload_in *in,
                            ecr_InitiateLayerUpload_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	out->uploadId = push_begin(rq, tx, r);
	out->partSize = I64(ECR_PART_BYTES);
	return OK;
}

static err upload_of(req *rq, str registry, str name, str id, ecr_repo **r)
{
	const txn *tx = req_read(rq);
	err e = repo_find(rq, tx, registry, name, r);
	if (!e && !push_find(tx, rq->mem, *r, id))
		e = fail(rq, &ecr_UploadNotFoundException,
		         "Upload with id '%.*s' could not be found in the repository with name '%.*s' in the "
		         "registry with id '%.*s'", STR_ARG(id), STR_ARG(name), STR_ARG((*r)->Account));
	req_read_end(rq, tx);
	return e;
}

err ecr_UploadLayerPart(req *rq, const ecr_UploadLayerPart_in *in, ecr_UploadLayerPart_out *out)
{
	ecr_repo *r;
	err why;
	int64_t first = in->partFirstByte.v, last = in->partLastByte.v;
	TRY(upload_of(rq, in->registryId, in->repositoryName, in->uploadId, &r));
	if (last - first + 1 != (int64_t)in->layerPartBlob.n || last >= ECR_LAYER_BYTES)
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter at 'partLastByte' failed to satisfy constraint: "
		            "'the part has as many bytes as partFirstByte and partLastByte say'");
	bool fits = push_append(rq->mem, in->uploadId, first, in->layerPartBlob, &why);
	TRY(why);
	if (!fits) {
		ecr_InvalidLayerPartException_error d = { .registryId = r->Account, .repositoryName = r->Name,
			.uploadId = in->uploadId,
			.lastValidByteReceived = I64(push_bytes(rq->mem, in->uploadId) - 1) };
		ecr_InvalidLayerPartException_error *kept = arena_new(rq->mem, ecr_InvalidLayerPartException_error);
		*kept = d;
		return fail_with(rq, &ecr_InvalidLayerPartException, kept,
		                 "The layer part does not begin where the last one ended");
	}
	*out = (ecr_UploadLayerPart_out){ .registryId = r->Account, .repositoryName = r->Name,
		.uploadId = in->uploadId, .lastByteReceived = I64(last) };
	return OK;
}

err ecr_CompleteLayerUpload(req *rq, const ecr_CompleteLayerUpload_in *in,
                            ecr_CompleteLayerUpload_out *out)
{
	ecr_repo *r;
	str digest;
	int64_t bytes;
	TRY(upload_of(rq, in->registryId, in->repositoryName, in->uploadId, &r));
	TRY(push_digest(rq->mem, in->uploadId, &digest, &bytes));
	if (bytes == 0)
		return fail(rq, &ecr_EmptyUploadException, "Upload with id '%.*s' does not contain any layer parts",
		            STR_ARG(in->uploadId));
	bool named = false;
	for (size_t i = 0; i < in->layerDigests.n; i++)
		named = named || str_eq(in->layerDigests.v[i], digest);
	if (!named)
		return fail(rq, &ecr_InvalidLayerException,
		            "The layer's digest is '%.*s', which is not among the digests given", STR_ARG(digest));
	const txn *tx = req_read(rq);
	bool had = ecr_link_get(tx, rq->mem, r->Id, digest) != NULL;
	req_read_end(rq, tx);
	if (had)
		return fail(rq, &ecr_LayerAlreadyExistsException,
		            "Layer with digest '%.*s' already exists in the repository with name '%.*s' in the "
		            "registry with id '%.*s'", STR_ARG(digest), STR_ARG(r->Name), STR_ARG(r->Account));
	TRY(push_finish(rq, r, in->uploadId, digest, bytes));
	*out = (ecr_CompleteLayerUpload_out){ .registryId = r->Account, .repositoryName = r->Name,
		.uploadId = in->uploadId, .layerDigest = digest };
	return OK;
}
