/*
 * Elastic Container Registry: repositories of images, and the OCI registry on the same rows (registry.c).
 *
 * A blob is one file below the data folder, whoever pushed it, named by its SHA-256 (run/image.h says
 * where). Rows count who needs it: a link per repository counts images, the blob counts links. When the last
 * link goes, a task removes the file. A link that no image uses lives a day, as a push in the making.
 */
#pragma once
#include "cloud/plane.h"
#include "gen/ecr.h"

/* RepositoryNotFoundException when there is none; `registry` is absent or the caller's account. */
err repo_find(req *rq, const txn *tx, str registry, str name, ecr_repo **repo);
ecr_repo *repo_by_id(const txn *tx, arena *mem, const ecr_link *l);
str repo_arn(arena *mem, const ecr_repo *r);
/* 000000000000.dkr.ecr.us-east-1.localhost:4566, where this machine finds the registry. */
str registry_host(arena *mem, str account, str region);

typedef struct image_in {
	str manifest, media_type, tag, digest; /* the last three may be absent */
} image_in;
/* Faults as PutImage has them. `again`: the image was there already under this tag. */
err image_put(req *rq, txn *tx, const ecr_repo *r, const image_in *in, ecr_image **out, bool *again);
/* Takes away the image with its tags, and what only it used. */
void image_delete(txn *tx, arena *mem, const ecr_repo *r, const ecr_image *i, int64_t now);
bool image_untag(txn *tx, arena *mem, const ecr_repo *r, str tag);
/* By digest or by tag; NULL when there is none. */
ecr_image *image_get(const txn *tx, arena *mem, const ecr_repo *r, str digest, str tag);
ecr_ImageTagList image_tags(const txn *tx, arena *mem, const ecr_repo *r, str digest);
/* Whether a list of this repository holds it. */
bool image_is_part(const txn *tx, arena *mem, const ecr_repo *r, str digest);
/* sha256: and 64 lower-case hexadecimal digits. */
bool digest_good(str digest);

typedef struct manifest {
	str media_type, artifact_type, subject;
	str *blobs, *parts;      /* different ones: of blobs, and of a list's images */
	size_t n_blobs, n_parts;
	int64_t bytes;           /* of all blobs, as the manifest says */
} manifest;
/* false: not a manifest that is understood. */
bool manifest_read(arena *mem, str text, str media_type, manifest *out);

/* The repository holds the blob now; `bytes` is its size. The file is there already. */
void link_add(txn *tx, arena *mem, const ecr_repo *r, str digest, int64_t bytes, int64_t now);
void link_use(txn *tx, arena *mem, const ecr_repo *r, str digest, int change, int64_t now);
void link_drop(txn *tx, arena *mem, const ecr_link *l, int64_t now);
/* An open file, or -1. */
int blob_open(arena *mem, str digest);

/* Uploads: a file that grows. A fault is of the machine. */
str push_begin(req *rq, txn *tx, const ecr_repo *r);
ecr_upload *push_find(const txn *tx, arena *mem, const ecr_repo *r, str id);
int64_t push_bytes(arena *mem, str id);
/* Appends at `at`; false when the upload does not end there. */
bool push_append(arena *mem, str id, int64_t at, str bytes, err *why);
/* The same with a spool, whose file goes. */
bool push_append_spool(arena *mem, str id, int64_t at, str spool, err *why);
/* What the upload's bytes hash to, as a digest. */
err push_digest(arena *mem, str id, str *digest, int64_t *bytes);
/* Makes it the blob `digest` of the repository, on disk. */
err push_finish(req *rq, const ecr_repo *r, str id, str digest, int64_t bytes);
void push_drop(txn *tx, str id);
/* A file for a body that is on its way, before anyone knows for what; -1 when it cannot be made. */
int spool_create(arena *mem, str *name);
void spool_drop(arena *mem, str name);

/* A new password; only its hash is kept. */
str token_issue(req *rq, txn *tx, int64_t lasts, str digest);
ecr_token *token_find(const txn *tx, arena *mem, str password, int64_t now);

/* What the policy would expire now, newest first. */
ecr_LifecyclePolicyPreviewResultList lifecycle_preview(const txn *tx, arena *mem, const ecr_repo *r,
                                                       str policy, int64_t now);
/* Applies the repository's lifecycle policy; how many images it expired. */
size_t lifecycle_apply(txn *tx, arena *mem, ecr_repo *r, int64_t now);
/* What is wrong with a policy, or STR_NONE. */
str lifecycle_fault(arena *mem, str policy);
