/* Application load balancers as web ACLs know them. */
#include "cloud/firewall.h"
#include "cloud/target.h"
#include "elb.h"

static bool names(str resource) { return str_starts(resource, S("loadbalancer/app/")); }

static bool there(const txn *tx, arena *mem, str account, str arn)
{
	arn_parts p;
	return arn_split(arn, &p) &&
		elb_balancer_at(tx, mem, account, p.region, str_sub(p.resource, 13, p.resource.n)) != NULL;
}
FIREWALLED(elbv2, "APPLICATION_LOAD_BALANCER", "elasticloadbalancing", names, there);
