/* What the operations are called in policies, and on which repositories they act. */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "gen/ecr.h"

/* A repository may be another registry's. */
static str arn_of(req *rq, str registry, str name)
{
	return arena_fmt(rq->mem, "arn:aws:ecr:%.*s:%.*s:repository/%.*s", STR_ARG(rq->region),
	                 STR_ARG(str_is(registry) ? registry : rq->who.account), STR_ARG(name));
}

static size_t the_repository(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = arn_of(rq, access_member(rq, in, S("registryId")), access_member(rq, in, S("repositoryName")));
	return 1;
}

static size_t the_repositories(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const ecr_DescribeRepositories_in *in = in_;
	*arns = arena_array(rq->mem, str, in->repositoryNames.n + 1);
	for (size_t i = 0; i < in->repositoryNames.n; i++)
		(*arns)[i] = arn_of(rq, in->registryId, in->repositoryNames.v[i]);
	if (in->repositoryNames.n)
		return in->repositoryNames.n;
	(*arns)[0] = arn_of(rq, in->registryId, S("*"));
	return 1;
}

#define ON(operation) { operation, NULL, NULL, the_repository }
#define ON_ARN(operation) { operation, NULL, "{resourceArn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(ecr, "ecr", NULL,
	{ "DescribeRepositories", NULL, NULL, the_repositories },
	ON("CreateRepository"), ON("DeleteRepository"), ON("PutImage"), ON("ListImages"), ON("DescribeImages"),
	ON("BatchGetImage"), ON("BatchDeleteImage"), ON("BatchCheckLayerAvailability"),
	ON("GetDownloadUrlForLayer"), ON("InitiateLayerUpload"), ON("UploadLayerPart"),
	ON("CompleteLayerUpload"), ON("SetRepositoryPolicy"), ON("GetRepositoryPolicy"),
	ON("DeleteRepositoryPolicy"), ON("PutLifecyclePolicy"), ON("GetLifecyclePolicy"),
	ON("DeleteLifecyclePolicy"), ON("StartLifecyclePolicyPreview"), ON("GetLifecyclePolicyPreview"),
	ON("PutImageTagMutability"), ON("PutImageScanningConfiguration"), ON("StartImageScan"),
	ON("DescribeImageScanFindings"), ON("DescribeImageReplicationStatus"),
	ON_ARN("TagResource"), ON_ARN("UntagResource"), ON_ARN("ListTagsForResource"),
	ON_ALL("GetAuthorizationToken"), ON_ALL("DescribeRegistry"), ON_ALL("GetRegistryPolicy"),
	ON_ALL("PutRegistryPolicy"), ON_ALL("DeleteRegistryPolicy"), ON_ALL("GetRegistryScanningConfiguration"),
	ON_ALL("PutRegistryScanningConfiguration"), ON_ALL("PutReplicationConfiguration"),
	ON_ALL("BatchGetRepositoryScanningConfiguration"), ON_ALL("CreatePullThroughCacheRule"),
	ON_ALL("CreateRepositoryCreationTemplate"), ON_ALL("DeletePullThroughCacheRule"),
	ON_ALL("DeleteRepositoryCreationTemplate"), ON_ALL("DeleteSigningConfiguration"),
	ON_ALL("DeregisterPullTimeUpdateExclusion"), ON("DescribeImageSigningStatus"),
	ON_ALL("DescribePullThroughCacheRules"), ON_ALL("DescribeRepositoryCreationTemplates"),
	ON_ALL("GetAccountSetting"), ON_ALL("GetSigningConfiguration"), ON("ListImageReferrers"),
	ON_ALL("ListPullTimeUpdateExclusions"), ON_ALL("PutAccountSetting"),
	ON_ALL("PutSigningConfiguration"), ON_ALL("RegisterPullTimeUpdateExclusion"),
	ON("UpdateImageStorageClass"), ON_ALL("UpdatePullThroughCacheRule"),
	ON_ALL("UpdateRepositoryCreationTemplate"), ON_ALL("ValidatePullThroughCacheRule"));

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str name = a.resource;
	str_cut(&name, '/');
	ecr_repo *r = str_is(name) ? ecr_repo_get(tx, mem, a.account, a.region, name) : NULL;
	return r ? RESOURCE_TAG_KEYS(mem, r->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(ecr, tags_of);
