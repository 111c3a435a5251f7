/* Custom domains of user pools use certificates. AWS names a distribution of its own; here it is the pool. */
#include "cloud/certificate.h"
#include "pool.h"

static size_t pools_with(const txn *tx, arena *mem, str arn, str **users)
{
	size_t n = 0;
	*users = NULL;
	record_scan s = cognito_idp_domain_scan(tx, mem, 0, STR_NONE);
	for (cognito_idp_domain *d; (d = cognito_idp_domain_next(&s));) {
		const cognito_idp_CustomDomainConfigType *c = d->It->CustomDomainConfig;
		cognito_idp_pool *p = c && str_eq(c->CertificateArn, arn)
			? cognito_idp_pool_get(tx, mem, d->It->UserPoolId) : NULL;
		if (!p)
			continue;
		certificate_user_add(mem, users, &n, idp_arn(mem, p));
	}
	cursor_close(&s.at);
	return n;
}
CERTIFICATE_USER(pools_with);
