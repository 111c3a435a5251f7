/* What S3 Control's operations are called in policies: they share S3's names. */
#include "cloud/authorise.h"

ACCESS(s3control, "s3control", "s3",
	{ "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock", "*", NULL },
	{ "PutPublicAccessBlock", "s3:PutAccountPublicAccessBlock", "*", NULL },
	{ "DeletePublicAccessBlock", "s3:PutAccountPublicAccessBlock", "*", NULL },
	{ "TagResource", "s3:TagResource", "{ResourceArn}", NULL },
	{ "UntagResource", "s3:UntagResource", "{ResourceArn}", NULL },
	{ "ListTagsForResource", "s3:ListTagsForResource", "{ResourceArn}", NULL });
