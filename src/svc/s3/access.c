/* What S3's operations are called in policies, and whose policies speak of its resources. */
#include "bucket.h"
#include "cloud/authorise.h"

#define BUCKET "arn:aws:s3:::{Bucket}"
#define OBJECT "arn:aws:s3:::{Bucket}/{Key}"

static size_t deleted(req *rq, const txn *tx, const void *in_, str **arns)
{
	const s3_DeleteObjects_in *in = in_;
	(void)tx;
	size_t n = in->Delete ? in->Delete->Objects.n : 0;
	*arns = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++)
		(*arns)[i] = arena_fmt(rq->mem, "arn:aws:s3:::%.*s/%.*s", STR_ARG(in->Bucket),
		                       STR_ARG(in->Delete->Objects.v[i].Key));
	return n;
}

ACCESS(s3, "s3", "s3",
       { "ListBuckets", "s3:ListAllMyBuckets", "*", NULL },
       { "CreateBucket", "s3:CreateBucket", BUCKET, NULL },
       { "DeleteBucket", "s3:DeleteBucket", BUCKET, NULL },
       { "HeadBucket", "s3:ListBucket", BUCKET, NULL },
       { "GetBucketLocation", "s3:GetBucketLocation", BUCKET, NULL },
       { "ListObjects", "s3:ListBucket", BUCKET, NULL },
       { "ListObjectsV2", "s3:ListBucket", BUCKET, NULL },
       { "ListObjectVersions", "s3:ListBucketVersions", BUCKET, NULL },
       { "ListMultipartUploads", "s3:ListBucketMultipartUploads", BUCKET, NULL },
       { "ListParts", "s3:ListMultipartUploadParts", OBJECT, NULL },
       { "PutObject", "s3:PutObject", OBJECT, NULL },
       { "CopyObject", "s3:PutObject", OBJECT, NULL },
       { "CreateMultipartUpload", "s3:PutObject", OBJECT, NULL },
       { "UploadPart", "s3:PutObject", OBJECT, NULL },
       { "UploadPartCopy", "s3:PutObject", OBJECT, NULL },
       { "CompleteMultipartUpload", "s3:PutObject", OBJECT, NULL },
       { "AbortMultipartUpload", "s3:AbortMultipartUpload", OBJECT, NULL },
       { "GetObject", "s3:GetObject", OBJECT, NULL },
       { "HeadObject", "s3:GetObject", OBJECT, NULL },
       { "GetObjectAttributes", "s3:GetObjectAttributes", OBJECT, NULL },
       { "DeleteObject", "s3:DeleteObject", OBJECT, NULL },
       { "DeleteObjects", "s3:DeleteObject", NULL, deleted },
       { "GetObjectTagging", "s3:GetObjectTagging", OBJECT, NULL },
       { "PutObjectTagging", "s3:PutObjectTagging", OBJECT, NULL },
       { "DeleteObjectTagging", "s3:DeleteObjectTagging", OBJECT, NULL },
       { "GetObjectAcl", "s3:GetObjectAcl", OBJECT, NULL },
       { "PutObjectAcl", "s3:PutObjectAcl", OBJECT, NULL },
       { "RestoreObject", "s3:RestoreObject", OBJECT, NULL },
       { "GetObjectRetention", "s3:GetObjectRetention", OBJECT, NULL },
       { "PutObjectRetention", "s3:PutObjectRetention", OBJECT, NULL },
       { "GetObjectLegalHold", "s3:GetObjectLegalHold", OBJECT, NULL },
       { "PutObjectLegalHold", "s3:PutObjectLegalHold", OBJECT, NULL },
       { "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration", BUCKET, NULL },
       { "PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration", BUCKET, NULL },
       { "GetBucketAcl", "s3:GetBucketAcl", BUCKET, NULL },
       { "PutBucketAcl", "s3:PutBucketAcl", BUCKET, NULL },
       { "GetBucketPolicy", "s3:GetBucketPolicy", BUCKET, NULL },
       { "PutBucketPolicy", "s3:PutBucketPolicy", BUCKET, NULL },
       { "DeleteBucketPolicy", "s3:DeleteBucketPolicy", BUCKET, NULL },
       { "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus", BUCKET, NULL },
       { "GetBucketCors", "s3:GetBucketCORS", BUCKET, NULL },
       { "PutBucketCors", "s3:PutBucketCORS", BUCKET, NULL },
       { "DeleteBucketCors", "s3:PutBucketCORS", BUCKET, NULL },
       { "GetBucketTagging", "s3:GetBucketTagging", BUCKET, NULL },
       { "PutBucketTagging", "s3:PutBucketTagging", BUCKET, NULL },
       { "DeleteBucketTagging", "s3:PutBucketTagging", BUCKET, NULL },
       { "GetBucketVersioning", "s3:GetBucketVersioning", BUCKET, NULL },
       { "PutBucketVersioning", "s3:PutBucketVersioning", BUCKET, NULL },
       { "GetBucketWebsite", "s3:GetBucketWebsite", BUCKET, NULL },
       { "PutBucketWebsite", "s3:PutBucketWebsite", BUCKET, NULL },
       { "DeleteBucketWebsite", "s3:DeleteBucketWebsite", BUCKET, NULL },
       { "GetBucketEncryption", "s3:GetEncryptionConfiguration", BUCKET, NULL },
       { "PutBucketEncryption", "s3:PutEncryptionConfiguration", BUCKET, NULL },
       { "DeleteBucketEncryption", "s3:PutEncryptionConfiguration", BUCKET, NULL },
       { "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", BUCKET, NULL },
       { "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration", BUCKET, NULL },
       { "DeleteBucketLifecycle", "s3:PutLifecycleConfiguration", BUCKET, NULL },
       { "GetBucketNotificationConfiguration", "s3:GetBucketNotification", BUCKET, NULL },
       { "PutBucketNotificationConfiguration", "s3:PutBucketNotification", BUCKET, NULL },
       { "GetBucketOwnershipControls", "s3:GetBucketOwnershipControls", BUCKET, NULL },
       { "PutBucketOwnershipControls", "s3:PutBucketOwnershipControls", BUCKET, NULL },
       { "DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls", BUCKET, NULL },
       { "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", BUCKET, NULL },
       { "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock", BUCKET, NULL },
       { "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock", BUCKET, NULL },
       { "GetBucketLogging", "s3:GetBucketLogging", BUCKET, NULL },
       { "PutBucketLogging", "s3:PutBucketLogging", BUCKET, NULL },
       { "GetBucketReplication", "s3:GetReplicationConfiguration", BUCKET, NULL },
       { "PutBucketReplication", "s3:PutReplicationConfiguration", BUCKET, NULL },
       { "DeleteBucketReplication", "s3:PutReplicationConfiguration", BUCKET, NULL },
       { "GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration", BUCKET, NULL },
       { "PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration", BUCKET, NULL },
       { "GetBucketRequestPayment", "s3:GetBucketRequestPayment", BUCKET, NULL },
       { "PutBucketRequestPayment", "s3:PutBucketRequestPayment", BUCKET, NULL });

static str find_policy(const txn *tx, arena *mem, str action, str arn)
{
	(void)action;
	str rest = arn;
	for (int i = 0; i < 5 && str_is(rest); i++)
		str_cut(&rest, ':');
	str name = str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	s3_bucket *b = name.n && name.n < 256 ? s3_bucket_get(tx, mem, name) : NULL;
	return b && b->Policy.n ? b->Policy : STR_NONE;
}

RESOURCE_POLICY(s3, find_policy, false);
