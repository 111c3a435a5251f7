#include "base/json.h"
#include "base/time.h"
#include "cloud/policy.h"
#include "ecr.h"
#include "store/due.h"

#define FIRST_LOOK MS_HOUR

err ecr_SetRepositoryPolicy(req *rq, txn *tx, const ecr_SetRepositoryPolicy_in *in,
                            ecr_SetRepositoryPolicy_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	str wrong;
	if (!policy_parse(rq->mem, in->policyText, POLICY_RESOURCE, &wrong))
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
		            "'Invalid repository policy provided'");
	r->Policy = in->policyText;
	ecr_repo_put(tx, r);
	*out = (ecr_SetRepositoryPolicy_out){ r->Account, r->Name, r->Policy };
	return OK;
}

static err with_policy(req *rq, const txn *tx, str registry, str name, ecr_repo **r)
{
	TRY(repo_find(rq, tx, registry, name, r));
	if (!(*r)->Policy.n)
		return fail(rq, &ecr_RepositoryPolicyNotFoundException,
		            "Repository policy does not exist for the repository with name '%.*s' in the registry "
		            "with id '%.*s'", STR_ARG(name), STR_ARG((*r)->Account));
	return OK;
}

err ecr_GetRepositoryPolicy(req *rq, const txn *tx, const ecr_GetRepositoryPolicy_in *in,
                            ecr_GetRepositoryPolicy_out *out)
{
	ecr_repo *r;
	TRY(with_policy(rq, tx, in->registryId, in->repositoryName, &r));
	*out = (ecr_GetRepositoryPolicy_out){ r->Account, r->Name, r->Policy };
	return OK;
}

err ecr_DeleteRepositoryPolicy(req *rq, txn *tx, const ecr_DeleteRepositoryPolicy_in *in,
                               ecr_DeleteRepositoryPolicy_out *out)
{
	ecr_repo *r;
	TRY(with_policy(rq, tx, in->registryId, in->repositoryName, &r));
	*out = (ecr_DeleteRepositoryPolicy_out){ r->Account, r->Name, r->Policy };
	r->Policy = STR_NONE;
	ecr_repo_put(tx, r);
	return OK;
}

static str place_of(arena *mem, const ecr_repo *r)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(r->Account), STR_ARG(r->Region), STR_ARG(r->Name));
}

/* Once a day, as AWS promises "within 24 hours". */
TIMER(ecr_lifecycle)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	ecr_repo *r = ecr_repo_get(tx, mem, account, region, rest);
	if (!r || !r->Lifecycle.n)
		return;
	lifecycle_apply(tx, mem, r, due);
	r->Evaluated = due;
	ecr_repo_put(tx, r);
	timer_set(tx, "ecr_lifecycle", payload, due + MS_DAY, payload);
}

static err lifecycle_check(req *rq, str text)
{
	str wrong = lifecycle_fault(rq->mem, text);
	return !str_is(wrong) ? OK : fail(rq, &ecr_InvalidParameterException,
		"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
		"'Lifecycle policy validation failure: %.*s'", STR_ARG(wrong));
}

err ecr_PutLifecyclePolicy(req *rq, txn *tx, const ecr_PutLifecyclePolicy_in *in,
                           ecr_PutLifecyclePolicy_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	TRY(lifecycle_check(rq, in->lifecyclePolicyText));
	r->Lifecycle = in->lifecyclePolicyText;
	r->Evaluated = 0;
	ecr_repo_put(tx, r);
	str place = place_of(rq->mem, r);
	timer_set(tx, "ecr_lifecycle", place, rq->now + FIRST_LOOK, place);
	*out = (ecr_PutLifecyclePolicy_out){ r->Account, r->Name, r->Lifecycle };
	return OK;
}

static err with_lifecycle(req *rq, const txn *tx, str registry, str name, ecr_repo **r)
{
	TRY(repo_find(rq, tx, registry, name, r));
	if (!(*r)->Lifecycle.n)
		return fail(rq, &ecr_LifecyclePolicyNotFoundException,
		            "Lifecycle policy does not exist for the repository with name '%.*s' in the registry "
		            "with id '%.*s'", STR_ARG(name), STR_ARG((*r)->Account));
	return OK;
}

err ecr_GetLifecyclePolicy(req *rq, const txn *tx, const ecr_GetLifecyclePolicy_in *in,
                           ecr_GetLifecyclePolicy_out *out)
{
	ecr_repo *r;
	TRY(with_lifecycle(rq, tx, in->registryId, in->repositoryName, &r));
	*out = (ecr_GetLifecyclePolicy_out){ r->Account, r->Name, r->Lifecycle, TIME(r->Evaluated) };
	return OK;
}

err ecr_DeleteLifecyclePolicy(req *rq, txn *tx, const ecr_DeleteLifecyclePolicy_in *in,
                              ecr_DeleteLifecyclePolicy_out *out)
{
	ecr_repo *r;
	TRY(with_lifecycle(rq, tx, in->registryId, in->repositoryName, &r));
	*out = (ecr_DeleteLifecyclePolicy_out){ r->Account, r->Name, r->Lifecycle, TIME(r->Evaluated) };
	r->Lifecycle = STR_NONE;
	r->Evaluated = 0;
	ecr_repo_put(tx, r);
	timer_cancel(tx, "ecr_lifecycle", place_of(rq->mem, r));
	return OK;
}

err ecr_StartLifecyclePolicyPreview(req *rq, txn *tx, const ecr_StartLifecyclePolicyPreview_in *in,
                                    ecr_StartLifecyclePolicyPreview_out *out)
{
	ecr_repo *r;
	if (str_is(in->lifecyclePolicyText)) {
		TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
		TRY(lifecycle_check(rq, in->lifecyclePolicyText));
	} else {
		TRY(with_lifecycle(rq, tx, in->registryId, in->repositoryName, &r));
	}
	str text = str_is(in->lifecyclePolicyText) ? in->lifecyclePolicyText : r->Lifecycle;
	ecr_preview_put(tx, &(ecr_preview){ .RepoId = r->Id, .Policy = text,
	                                    .Results = lifecycle_preview(tx, rq->mem, r, text, rq->now) });
	*out = (ecr_StartLifecyclePolicyPreview_out){ r->Account, r->Name, text,
		                                      ecr_LifecyclePolicyPreviewStatus_COMPLETE };
	return OK;
}

static bool preview_wanted(const ecr_GetLifecyclePolicyPreview_in *in,
                           const ecr_LifecyclePolicyPreviewResult *one)
{
	str status = in->filter ? in->filter->tagStatus : STR_NONE;
	if ((str_eq(status, ecr_TagStatus_TAGGED) && !one->imageTags.n) ||
	    (str_eq(status, ecr_TagStatus_UNTAGGED) && one->imageTags.n))
		return false;
	bool named = !in->imageIds.n;
	for (size_t i = 0; i < in->imageIds.n && !named; i++) {
		named = str_eq(in->imageIds.v[i].imageDigest, one->imageDigest);
		for (size_t t = 0; t < one->imageTags.n && !named; t++)
			named = str_eq(in->imageIds.v[i].imageTag, one->imageTags.v[t]);
	}
	return named;
}

err ecr_GetLifecyclePolicyPreview(req *rq, const txn *tx, const ecr_GetLifecyclePolicyPreview_in *in,
                                  ecr_GetLifecyclePolicyPreview_out *out)
{
	ecr_repo *r;
	str after = STR_NONE;
	size_t page = in->maxResults.set ? (size_t)in->maxResults.v : 100;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	ecr_preview *p = ecr_preview_get(tx, rq->mem, r->Id);
	if (!p)
		return fail(rq, &ecr_LifecyclePolicyPreviewNotFoundException,
		            "Lifecycle policy preview does not exist for the repository with name '%.*s' in the "
		            "registry with id '%.*s'", STR_ARG(r->Name), STR_ARG(r->Account));
	if (str_is(in->nextToken) && !page_position(rq, in->nextToken, &after))
		return fail(rq, &ecr_InvalidParameterException, "Invalid parameter at 'nextToken' failed to satisfy "
		            "constraint: 'Invalid token'");
	*out = (ecr_GetLifecyclePolicyPreview_out){ .registryId = r->Account, .repositoryName = r->Name,
		.lifecyclePolicyText = p->Policy, .status = ecr_LifecyclePolicyPreviewStatus_COMPLETE };
	out->summary = arena_new(rq->mem, ecr_LifecyclePolicyPreviewSummary);
	out->summary->expiringImageTotalCount = I64((int64_t)p->Results.n);
	out->previewResults.v = arena_array(rq->mem, ecr_LifecyclePolicyPreviewResult, page + 1);
	bool passed = !str_is(after);
	for (size_t i = 0; i < p->Results.n; i++) {
		ecr_LifecyclePolicyPreviewResult *one = &p->Results.v[i];
		if (!passed) {
			passed = str_eq(one->imageDigest, after);
		} else if (preview_wanted(in, one)) {
			if (out->previewResults.n == page) {
				out->nextToken = page_token(rq, out->previewResults.v[page - 1].imageDigest);
				break;
			}
			out->previewResults.v[out->previewResults.n++] = *one;
		}
	}
	return OK;
}
