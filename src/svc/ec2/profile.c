/*
 * The instance profile a launch names, as IAM has it. IAM is asked by EC2 itself: who launches needs no
 * permission to look, only to hand the role over (access.c).
 */
#include "cloud/call.h"
#include "ec2.h"
#include "gen/iam.h"

static str last_part(str arn)
{
	size_t at = arn.n;
	while (at && arn.p[at - 1] != '/')
		at--;
	return str_sub(arn, at, arn.n);
}

static const iam_InstanceProfile *find(req *rq, const txn *tx, const ec2_IamInstanceProfileSpecification *p)
{
	iam_GetInstanceProfile_in in = { .InstanceProfileName = given(p->Arn) ? last_part(p->Arn) : p->Name };
	iam_GetInstanceProfile_out out = { 0 };
	req *self = req_internal(rq->mem, rq->store, "ec2.amazonaws.com", rq->who.account, rq->region);
	if (!call_possible("iam", "GetInstanceProfile") ||
	    call_read(self, tx, "iam", "GetInstanceProfile", &in, &out))
		return NULL;
	bool same = !given(p->Arn) || str_eq(out.InstanceProfile->Arn, p->Arn);
	return same ? out.InstanceProfile : NULL;
}

str ec2_profile_role(req *rq, const txn *tx, const ec2_IamInstanceProfileSpecification *p)
{
	const iam_InstanceProfile *found = find(rq, tx, p);
	return found && found->Roles.n ? found->Roles.v[0].Arn : STR_NONE;
}

err ec2_profile(req *rq, const txn *tx, const ec2_IamInstanceProfileSpecification *p,
                ec2_IamInstanceProfile **out)
{
	const iam_InstanceProfile *found = find(rq, tx, p);
	bool by_arn = given(p->Arn);
	str text = by_arn ? p->Arn : p->Name;
	if (!found)
		return fail(rq, &ec2_InvalidParameterValue,
		            "Value (%.*s) for parameter iamInstanceProfile.%s is invalid. Invalid IAM Instance "
		            "Profile %s",
		            STR_ARG(text), by_arn ? "arn" : "name", by_arn ? "ARN" : "name");
	*out = arena_new(rq->mem, ec2_IamInstanceProfile);
	**out = (ec2_IamInstanceProfile){ .Arn = found->Arn, .Id = found->InstanceProfileId };
	return OK;
}
