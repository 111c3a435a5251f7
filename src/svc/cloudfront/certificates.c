/* Distributions use certificates for their aliases. */
#include "cdn.h"
#include "cloud/certificate.h"
#include "cloud/target.h"

static size_t distributions_with(const txn *tx, arena *mem, str arn, str **users)
{
	arn_parts a;
	size_t n = 0;
	*users = NULL;
	if (!arn_split(arn, &a))
		return 0;
	record_scan s = cloudfront_dist_scan(tx, mem, 1, a.account, STR_NONE);
	for (cloudfront_dist *d; (d = cloudfront_dist_next(&s));) {
		const cloudfront_ViewerCertificate *c = d->Config->ViewerCertificate;
		if (!c || !str_eq(c->ACMCertificateArn, arn))
			continue;
		certificate_user_add(mem, users, &n, cf_arn(mem, d));
	}
	cursor_close(&s.at);
	return n;
}
CERTIFICATE_USER(distributions_with);
