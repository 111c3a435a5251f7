/* What the operations are called in policies, and on what they act. */
#include "acm.h"
#include "cloud/authorise.h"
#include "cloud/quota.h"
#include "cloud/tagged.h"

#define ON(operation) { operation, NULL, "{CertificateArn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(acm, "acm", NULL,
	ON_ALL("RequestCertificate"), ON_ALL("ListCertificates"), ON_ALL("GetAccountConfiguration"),
	ON_ALL("PutAccountConfiguration"), ON("ImportCertificate"), ON("DescribeCertificate"),
		ON("GetCertificate"),
	ON("ExportCertificate"), ON("DeleteCertificate"), ON("RenewCertificate"), ON("UpdateCertificateOptions"),
	ON("AddTagsToCertificate"), ON("RemoveTagsFromCertificate"), ON("ListTagsForCertificate"),
	ON("ResendValidationEmail"));

/* arn:aws:acm:REGION:ACCOUNT:certificate/ID */
static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	str part[5], rest = arn;
	for (size_t i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	if (!str_starts(rest, S("certificate/")))
		return NULL;
	acm_cert *c = acm_cert_get(tx, mem, part[4], part[3], str_sub(rest, 12, rest.n));
	return c ? RESOURCE_TAG_KEYS(mem, c->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(acm, tags_of);

QUOTAS(acm, "acm", "AWS Certificate Manager (ACM)", false,
	{ "L-F141DD1D", "ACM certificates", ACM_CERTIFICATES_MAX, true, NULL },
	{ "L-FB94F0B0", "Domain names per ACM certificate", ACM_DOMAINS_MAX, true, NULL });

#define OF "\"CertificateArn\":$arn"
#define ALL_KINDS \
	"\"Includes\":{\"keyTypes\":[\"RSA_1024\",\"RSA_2048\",\"RSA_3072\",\"RSA_4096\",\"EC_prime256v1\"," \
	"\"EC_secp384r1\",\"EC_secp521r1\"]}"
TAGGED(acm, "acm", { .type = "acm:certificate", .at = "certificate/",
	.list = { "ListCertificates", ALL_KINDS, "CertificateSummaryList" }, .arn = "CertificateArn",
	TAGGED_PAGES("NextToken"), .read = { "ListTagsForCertificate", OF, "Tags" },
	.tag = { "AddTagsToCertificate", OF ",\"Tags\":$Key", NULL },
	.untag = { "RemoveTagsFromCertificate", OF ",\"Tags\":$drop", NULL } });
