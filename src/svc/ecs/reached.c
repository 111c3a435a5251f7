/* What stands at the addresses of tasks, for the rules of networks (cloud/vpc_path.h). */
#include "cloud/vpc_path.h"
#include "ecs.h"

static size_t reached(const txn *tx, arena *mem, str address, int port, vpc_side *out)
{
	bool found = false;
	(void)port;
	record_scan s = ecs_task_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (ecs_task *t; !found && (t = ecs_task_next(&s));) {
		const ecs_AwsVpcConfiguration *v = t->Network ? t->Network->awsvpcConfiguration : NULL;
		found = v && str_eq(t->Address, address);
		if (found)
			*out = (vpc_side){ .account = t->Account, .region = t->Region, .subnets = v->subnets.v,
				.n_subnets = v->subnets.n, .groups = v->securityGroups.v,
				.n_groups = v->securityGroups.n, .public_address = t->PublicIp };
	}
	cursor_close(&s.at);
	return found;
}
VPC_RESIDENTS(reached);
