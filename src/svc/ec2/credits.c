/*
 * CPU credits of instances that burst.
 */
#include "ec2.h"

/* Only what bursts has credits: T2 stops at its baseline, later ones go on and pay. */
err ec2_DescribeInstanceCreditSpecifications(req *rq, const txn *tx,
                                             const ec2_DescribeInstanceCreditSpecifications_in *in,
                                             ec2_DescribeInstanceCreditSpecifications_out *out)
{
	ec2_InstanceList found = { 0 };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_describe(rq, tx, &kind_instance, DESCRIBE(in, &in->InstanceIds), &found, &out->NextToken));
	out->InstanceCreditSpecifications.v = arena_array(rq->mem, ec2_InstanceCreditSpecification, found.n + 1);
	for (size_t i = 0; i < found.n; i++) {
		const instance_type *t = instance_type_find(found.v[i].InstanceType);
		ec2_machine *m = ec2_machine_get(tx, rq->mem, rq->who.account, rq->region, found.v[i].InstanceId);
		if (!t || !t->burstable || !m) {
			if (in->InstanceIds.n)
				return fail(rq, &ec2_InvalidParameterCombination, "The instance '%.*s' is not a burstable "
				            "performance instance.", STR_ARG(found.v[i].InstanceId));
			continue;
		}
		str usual = str_starts(t->name, S("t2.")) ? S("standard") : S("unlimited");
		out->InstanceCreditSpecifications.v[out->InstanceCreditSpecifications.n++] =
			(ec2_InstanceCreditSpecification){ .InstanceId = found.v[i].InstanceId,
				.CpuCredits = given(m->CpuCredits) ? m->CpuCredits : usual };
	}
	return OK;
}
