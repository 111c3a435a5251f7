#include "base/json.h"
#include "base/time.h"
#include "ecr.h"
#include "store/due.h"

#define FIRST_LOOK MS_HOUR

err ecr_SetRepositoryPolicy(req *rq, txn *tx, const ecr_SetRepositoryPolicy_in *in,
                            ecr_SetRepositoryPolicy_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	const json_value *doc = json_parse(rq->mem, in->policyText);
	if (!doc || !json_get(doc, S("Statement")))
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

err ecr_PutLifecyclePolicy(req *rq, txn *tx, const ecr_PutLifecyclePolicy_in *in,
                           ecr_PutLifecyclePolicy_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	str wrong = lifecycle_fault(rq->mem, in->lifecyclePolicyText);
	if (str_is(wrong))
		return fail(rq, &ecr_InvalidParameterException,
		            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
		            "'Lifecycle policy validation failure: %.*s'", STR_ARG(wrong));
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
