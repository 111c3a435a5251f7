#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "cloud/tags.h"
#include "cloud/call.h"
#include "ecr.h"
#include "gen/kms.h"
#include "store/due.h"

#define PAGE 100

str repo_arn(arena *mem, const ecr_repo *r)
{
	return arena_fmt(mem, "arn:aws:ecr:%.*s:%.*s:repository/%.*s", STR_ARG(r->Region),
	                 STR_ARG(r->Account), STR_ARG(r->Name));
}

str registry_host(arena *mem, str account, str region)
{
	str end = server_endpoint(), port = STR_NONE;
	size_t slashes = str_find(end, S("//"));
	if (slashes != SIZE_MAX) {
		str host = str_sub(end, slashes + 2, end.n);
		str_cut(&host, ':');
		port = str_cut(&host, '/');
	}
	str name = arena_fmt(mem, "%.*s.dkr.ecr.%.*s.localhost", STR_ARG(account), STR_ARG(region));
	return port.n ? arena_fmt(mem, "%.*s:%.*s", STR_ARG(name), STR_ARG(port)) : name;
}

err repo_find(req *rq, const txn *tx, str registry, str name, ecr_repo **repo)
{
	str account = str_is(registry) ? registry : rq->who.account;
	*repo = str_eq(account, rq->who.account) ?
	                ecr_repo_get(tx, rq->mem, account, rq->region, name) : NULL;
	if (!*repo)
		return fail(rq, &ecr_RepositoryNotFoundException,
		            "The repository with name '%.*s' does not exist in the registry with id '%.*s'",
		            STR_ARG(name), STR_ARG(account));
	return OK;
}

ecr_repo *repo_by_id(const txn *tx, arena *mem, const ecr_link *l)
{
	ecr_repo *r = ecr_repo_get(tx, mem, l->Account, l->Region, l->Repo);
	return r && r->Id == l->RepoId ? r : NULL;
}

static ecr_Repository describe(req *rq, ecr_repo *r)
{
	return (ecr_Repository){
		.repositoryArn = repo_arn(rq->mem, r), .registryId = r->Account, .repositoryName = r->Name,
		.repositoryUri = arena_fmt(rq->mem, "%.*s/%.*s",
		                           STR_ARG(registry_host(rq->mem, r->Account, r->Region)),
		                           STR_ARG(r->Name)),
		.createdAt = TIME(r->Created), .imageTagMutability = r->Mutability,
		.imageTagMutabilityExclusionFilters = r->Exclusions,
		.imageScanningConfiguration = r->Scanning, .encryptionConfiguration = r->Encryption,
	};
}

#define TAG_FAULT \
	"Invalid parameter at 'tags' failed to satisfy constraint: 'Tag keys have 1 to 128 characters and do " \
	"not begin with aws:, values have at most 256'"
static const tag_rules rules = {
	.most = 50,
	.too_many = { &ecr_TooManyTagsException, "A resource can have no more than 50 tags." },
	.reserved = { &ecr_InvalidTagParameterException, TAG_FAULT },
};

static err lengths_check(req *rq, const ecr_TagList *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		if (!tags->v[i].Key.n || tags->v[i].Key.n > 128 || tags->v[i].Value.n > 256)
			return fail(rq, &ecr_InvalidTagParameterException, TAG_FAULT);
	return OK;
}

static err mutability_check(req *rq, str mode, const ecr_ImageTagMutabilityExclusionFilters *filters)
{
	bool excludes = str_ends(mode, S("_WITH_EXCLUSION"));
	if (excludes == (filters->n > 0))
		return OK;
	return fail(rq, &ecr_InvalidParameterException,
	            "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
	            "'filters are given with, and only with, a mutability of ..._WITH_EXCLUSION'");
}

/* The account's key for ECR, which is made when it is first wanted. */
static err own_key(req *rq, txn *tx, str *arn)
{
	kms_DescribeKey_in in = { .KeyId = S("alias/aws/ecr") };
	kms_DescribeKey_out out;
	req *self = req_internal(rq->mem, rq->store, "ecr.amazonaws.com", rq->who.account, rq->region);
	TRY(call(self, tx, "kms", "DescribeKey", &in, &out));
	*arn = out.KeyMetadata->Arn;
	return OK;
}

err ecr_CreateRepository(req *rq, txn *tx, const ecr_CreateRepository_in *in,
                         ecr_CreateRepository_out *out)
{
	if (ecr_repo_get(tx, rq->mem, rq->who.account, rq->region, in->repositoryName))
		return fail(rq, &ecr_RepositoryAlreadyExistsException,
		            "The repository with name '%.*s' already exists in the registry with id '%.*s'",
		            STR_ARG(in->repositoryName), STR_ARG(rq->who.account));
	TRY(lengths_check(rq, &in->tags));
	TRY(tags_check(rq, &rules, TAGS(&in->tags, Key)));
	str mode = str_is(in->imageTagMutability) ? in->imageTagMutability : ecr_ImageTagMutability_MUTABLE;
	TRY(mutability_check(rq, mode, &in->imageTagMutabilityExclusionFilters));
	ecr_repo *r = arena_new(rq->mem, ecr_repo);
	*r = (ecr_repo){ .Account = rq->who.account, .Region = rq->region, .Name = in->repositoryName,
		         .Id = (int64_t)txn_next(tx, S("ecr.repo")), .Created = rq->now, .Mutability = mode,
		         .Exclusions = in->imageTagMutabilityExclusionFilters, .Tags = in->tags };
	r->Scanning = arena_new(rq->mem, ecr_ImageScanningConfiguration);
	r->Scanning->scanOnPush =
		BOOL(in->imageScanningConfiguration && in->imageScanningConfiguration->scanOnPush.v);
	r->Encryption = arena_new(rq->mem, ecr_EncryptionConfiguration);
	r->Encryption->encryptionType = ecr_EncryptionType_AES256;
	if (in->encryptionConfiguration) {
		*r->Encryption = *in->encryptionConfiguration;
		if (!str_eq(r->Encryption->encryptionType, ecr_EncryptionType_AES256) &&
		    !str_is(r->Encryption->kmsKey))
			TRY(own_key(rq, tx, &r->Encryption->kmsKey));
	}
	ecr_repo_put(tx, r);
	out->repository = arena_new(rq->mem, ecr_Repository);
	*out->repository = describe(rq, r);
	return OK;
}

static err describe_named(req *rq, const txn *tx, const ecr_DescribeRepositories_in *in,
                          ecr_DescribeRepositories_out *out)
{
	if (str_is(in->nextToken) || in->maxResults.set)
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter: 'maxResults' and 'nextToken' cannot be used with 'repositoryNames'");
	out->repositories.v = arena_array(rq->mem, ecr_Repository, in->repositoryNames.n);
	for (size_t i = 0; i < in->repositoryNames.n; i++) {
		ecr_repo *r;
		TRY(repo_find(rq, tx, in->registryId, in->repositoryNames.v[i], &r));
		out->repositories.v[out->repositories.n++] = describe(rq, r);
	}
	return OK;
}

err ecr_DescribeRepositories(req *rq, const txn *tx, const ecr_DescribeRepositories_in *in,
                             ecr_DescribeRepositories_out *out)
{
	if (in->repositoryNames.n)
		return describe_named(rq, tx, in, out);
	size_t page = in->maxResults.set ? (size_t)in->maxResults.v : PAGE;
	str account = str_is(in->registryId) ? in->registryId : rq->who.account, after;
	out->repositories.v = arena_array(rq->mem, ecr_Repository, page);
	if (!str_eq(account, rq->who.account))
		return OK;
	record_scan s = ecr_repo_scan(tx, rq->mem, 2, account, rq->region, STR_NONE);
	if (str_is(in->nextToken)) {
		if (!page_position(rq, in->nextToken, &after))
			return fail(rq, &ecr_InvalidParameterException, "Invalid parameter at 'nextToken'");
		record_scan_after(&s, after);
	}
	for (ecr_repo *r; (r = ecr_repo_next(&s));) {
		if (out->repositories.n == page) {
			out->nextToken = page_token(rq, out->repositories.v[page - 1].repositoryName);
			break;
		}
		out->repositories.v[out->repositories.n++] = describe(rq, r);
	}
	cursor_close(&s.at);
	return OK;
}

static bool holds_images(const txn *tx, arena *mem, const ecr_repo *r)
{
	record_scan s = ecr_image_scan(tx, mem, 1, r->Id, STR_NONE);
	bool any = ecr_image_next(&s) != NULL;
	cursor_close(&s.at);
	return any;
}

static void empty(req *rq, txn *tx, const ecr_repo *r)
{
	record_scan s = ecr_image_scan(tx, rq->mem, 1, r->Id, STR_NONE);
	for (ecr_image *i; (i = ecr_image_next(&s));)
		image_delete(tx, rq->mem, r, i, rq->now);
	s = ecr_link_scan(tx, rq->mem, 1, r->Id, STR_NONE);
	for (ecr_link *l; (l = ecr_link_next(&s));)
		link_drop(tx, rq->mem, l, rq->now);
}

err ecr_DeleteRepository(req *rq, txn *tx, const ecr_DeleteRepository_in *in,
                         ecr_DeleteRepository_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	if (!in->force.v && holds_images(tx, rq->mem, r))
		return fail(rq, &ecr_RepositoryNotEmptyException,
		            "The repository with name '%.*s' in registry with id '%.*s' cannot be deleted because "
		            "it still contains images", STR_ARG(r->Name), STR_ARG(r->Account));
	empty(rq, tx, r);
	ecr_preview_delete(tx, r->Id);
	ecr_repo_delete(tx, r->Account, r->Region, r->Name);
	out->repository = arena_new(rq->mem, ecr_Repository);
	*out->repository = describe(rq, r);
	out->repository->imageScanningConfiguration = NULL;
	out->repository->encryptionConfiguration = NULL;
	return OK;
}

err ecr_PutImageTagMutability(req *rq, txn *tx, const ecr_PutImageTagMutability_in *in,
                              ecr_PutImageTagMutability_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	TRY(mutability_check(rq, in->imageTagMutability, &in->imageTagMutabilityExclusionFilters));
	r->Mutability = in->imageTagMutability;
	r->Exclusions = in->imageTagMutabilityExclusionFilters;
	ecr_repo_put(tx, r);
	*out = (ecr_PutImageTagMutability_out){ .registryId = r->Account, .repositoryName = r->Name,
		.imageTagMutability = r->Mutability, .imageTagMutabilityExclusionFilters = r->Exclusions };
	return OK;
}

err ecr_PutImageScanningConfiguration(req *rq, txn *tx, const ecr_PutImageScanningConfiguration_in *in,
                                      ecr_PutImageScanningConfiguration_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	r->Scanning = arena_new(rq->mem, ecr_ImageScanningConfiguration);
	r->Scanning->scanOnPush = BOOL(in->imageScanningConfiguration->scanOnPush.v);
	ecr_repo_put(tx, r);
	*out = (ecr_PutImageScanningConfiguration_out){ .registryId = r->Account, .repositoryName = r->Name,
		.imageScanningConfiguration = r->Scanning };
	return OK;
}

err ecr_DescribeRegistry(req *rq, const txn *tx, const ecr_DescribeRegistry_in *in,
                         ecr_DescribeRegistry_out *out)
{
	out->registryId = rq->who.account;
	out->replicationConfiguration = arena_new(rq->mem, ecr_ReplicationConfiguration);
	out->replicationConfiguration->rules.v = arena_new(rq->mem, ecr_ReplicationRule);
	return OK;
}

/* ARN to repository. */
static err tagged_repo(req *rq, const txn *tx, str arn, ecr_repo **r)
{
	size_t at = str_find(arn, S(":repository/"));
	if (!str_starts(arn, S("arn:aws:ecr:")) || at == SIZE_MAX)
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'");
	return repo_find(rq, tx, STR_NONE, str_sub(arn, at + 12, arn.n), r);
}

err ecr_TagResource(req *rq, txn *tx, const ecr_TagResource_in *in, ecr_TagResource_out *out)
{
	ecr_repo *r;
	TRY(tagged_repo(rq, tx, in->resourceArn, &r));
	TRY(lengths_check(rq, &in->tags));
	TRY(tags_add(rq, &rules, TAGS(&r->Tags, Key), TAGS(&in->tags, Key)));
	ecr_repo_put(tx, r);
	return OK;
}

err ecr_UntagResource(req *rq, txn *tx, const ecr_UntagResource_in *in, ecr_UntagResource_out *out)
{
	ecr_repo *r;
	TRY(tagged_repo(rq, tx, in->resourceArn, &r));
	tags_drop(TAGS(&r->Tags, Key), in->tagKeys.v, in->tagKeys.n);
	ecr_repo_put(tx, r);
	return OK;
}

err ecr_ListTagsForResource(req *rq, const txn *tx, const ecr_ListTagsForResource_in *in,
                            ecr_ListTagsForResource_out *out)
{
	ecr_repo *r;
	TRY(tagged_repo(rq, tx, in->resourceArn, &r));
	tags_shown(rq, TAGS(&r->Tags, Key));
	out->tags = r->Tags;
	return OK;
}
