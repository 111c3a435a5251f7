/* Custom domains use certificates. */
#include "cloud/certificate.h"
#include "gen/apigatewayv2.h"

static size_t domains_with(const txn *tx, arena *mem, str arn, str **users)
{
	size_t n = 0;
	record_scan s = apigatewayv2_domain_scan(tx, mem, 0, STR_NONE);
	while (apigatewayv2_domain_next(&s))
		n++;
	*users = arena_array(mem, str, n + 1);
	n = 0;
	s = apigatewayv2_domain_scan(tx, mem, 0, STR_NONE);
	for (apigatewayv2_domain *d; (d = apigatewayv2_domain_next(&s));)
		if (d->It->DomainNameConfigurations.n &&
		    str_eq(d->It->DomainNameConfigurations.v[0].CertificateArn, arn))
			(*users)[n++] = d->It->DomainNameArn;
	return n;
}
CERTIFICATE_USER(domains_with);
