/* Listeners use certificates; ACM calls it their load balancer that does. */
#include "cloud/certificate.h"
#include "cloud/target.h"
#include "elb.h"

static bool is_one_of(const elbv2_CertificateList *all, str arn)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].CertificateArn, arn))
			return true;
	return false;
}

/* Listeners of one load balancer stand together: it is named once. */
static size_t balancers_with(const txn *tx, arena *mem, str arn, str **users)
{
	arn_parts a;
	size_t n = 0;
	*users = NULL;
	if (!arn_split(arn, &a))
		return 0;
	record_scan s = elbv2_listener_scan(tx, mem, 2, a.account, a.region, STR_NONE, STR_NONE);
	for (elbv2_listener *l; (l = elbv2_listener_next(&s));) {
		str balancer = l->It->LoadBalancerArn;
		if ((!is_one_of(&l->It->Certificates, arn) && !is_one_of(&l->More, arn)) ||
		    (n && str_eq((*users)[n - 1], balancer)))
			continue;
		certificate_user_add(mem, users, &n, balancer);
	}
	cursor_close(&s.at);
	return n;
}
CERTIFICATE_USER(balancers_with);
