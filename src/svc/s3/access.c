/* What S3's operations are called in policies, and whose policies speak of its resources. */
#include "base/text.h"
#include "object.h"
#include "cloud/authorise.h"
#include "wire/http.h"

#define BUCKET "arn:aws:s3:::{Bucket}"
#define OBJECT "arn:aws:s3:::{Bucket}/{Key}"

static str object_arn(req *rq, const void *in)
{
	return arena_fmt(rq->mem, "arn:aws:s3:::%.*s/%.*s", STR_ARG(access_member(rq, in, S("Bucket"))),
	                 STR_ARG(access_member(rq, in, S("Key"))));
}

static str asks(req *rq, const char *action, str arn)
{
	return arena_fmt(rq->mem, "s3:%s %.*s", action, STR_ARG(arn));
}

static bool given(req *rq, const void *in, const char *member)
{
	return str_is(access_member(rq, in, str_c(member)));
}

/* The role is handed over to S3. */
static size_t replicated(req *rq, const txn *tx, const void *in, str **arns)
{
	const s3_ReplicationConfiguration *c = ((const s3_PutBucketReplication_in *)in)->ReplicationConfiguration;
	(void)tx;
	*arns = arena_array(rq->mem, str, 2);
	(*arns)[0] = asks(rq, "PutReplicationConfiguration", arena_fmt(rq->mem, "arn:aws:s3:::%.*s",
	                  STR_ARG(access_member(rq, in, S("Bucket")))));
	(*arns)[1] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(c->Role));
	return 2;
}

/* What names a version is another action. */
static size_t versioned(req *rq, const txn *tx, const void *in, str **arns)
{
	static const struct { const char *operation, *plain, *version; } actions[] = {
		{ "GetObject", "GetObject", "GetObjectVersion" },
		{ "HeadObject", "GetObject", "GetObjectVersion" },
		{ "GetObjectAttributes", "GetObjectAttributes", "GetObjectVersionAttributes" },
		{ "DeleteObject", "DeleteObject", "DeleteObjectVersion" },
		{ "GetObjectTagging", "GetObjectTagging", "GetObjectVersionTagging" },
		{ "PutObjectTagging", "PutObjectTagging", "PutObjectVersionTagging" },
		{ "DeleteObjectTagging", "DeleteObjectTagging", "DeleteObjectVersionTagging" },
		{ "GetObjectAcl", "GetObjectAcl", "GetObjectVersionAcl" },
		{ "PutObjectAcl", "PutObjectAcl", "PutObjectVersionAcl" },
	};
	(void)tx;
	size_t i = 0, n = 0;
	while (strcmp(actions[i].operation, rq->op->name) != 0)
		i++;
	bool version = given(rq, in, "VersionId");
	*arns = arena_array(rq->mem, str, 2);
	(*arns)[n++] = asks(rq, version ? actions[i].version : actions[i].plain, object_arn(rq, in));
	if (str_eq(access_member(rq, in, S("BypassGovernanceRetention")), S("true")))
		(*arns)[n++] = asks(rq, "BypassGovernanceRetention", object_arn(rq, in));
	return n;
}

static size_t deleted(req *rq, const txn *tx, const void *in_, str **arns)
{
	const s3_DeleteObjects_in *in = in_;
	(void)tx;
	size_t n = in->Delete ? in->Delete->Objects.n : 0, k = 0;
	bool bypass = in->BypassGovernanceRetention.set && in->BypassGovernanceRetention.v;
	*arns = arena_array(rq->mem, str, n * 2 + 1);
	for (size_t i = 0; i < n; i++) {
		const s3_ObjectIdentifier *o = &in->Delete->Objects.v[i];
		str arn = arena_fmt(rq->mem, "arn:aws:s3:::%.*s/%.*s", STR_ARG(in->Bucket), STR_ARG(o->Key));
		(*arns)[k++] = asks(rq, str_is(o->VersionId) ? "DeleteObjectVersion" : "DeleteObject", arn);
		if (bypass)
			(*arns)[k++] = asks(rq, "BypassGovernanceRetention", arn);
	}
	return k;
}

/* "/bucket/key?versionId=v", percent-encoded. */
static str source_read(req *rq, str source)
{
	str version = source, path = str_cut(&version, '?');
	path = percent_decode(rq->mem, path, false);
	if (str_starts(path, S("/")))
		path = str_sub(path, 1, path.n);
	bool one = str_is(version) && str_starts(version, S("versionId="));
	return asks(rq, one ? "GetObjectVersion" : "GetObject",
	            arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(path)));
}

/* Writing an object, and what the request gives it besides: its ACL, tags, a lock. */
static size_t written(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	size_t n = 0;
	str arn = object_arn(rq, in);
	*arns = arena_array(rq->mem, str, 6);
	if (given(rq, in, "CopySource"))
		(*arns)[n++] = source_read(rq, access_member(rq, in, S("CopySource")));
	(*arns)[n++] = asks(rq, "PutObject", arn);
	if (given(rq, in, "ACL") || given(rq, in, "GrantRead") || given(rq, in, "GrantFullControl") ||
	    given(rq, in, "GrantReadACP") || given(rq, in, "GrantWriteACP"))
		(*arns)[n++] = asks(rq, "PutObjectAcl", arn);
	if (given(rq, in, "Tagging"))
		(*arns)[n++] = asks(rq, "PutObjectTagging", arn);
	if (given(rq, in, "ObjectLockMode"))
		(*arns)[n++] = asks(rq, "PutObjectRetention", arn);
	if (given(rq, in, "ObjectLockLegalHoldStatus"))
		(*arns)[n++] = asks(rq, "PutObjectLegalHold", arn);
	return n;
}

static size_t created(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	size_t n = 0;
	str arn = arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(access_member(rq, in, S("Bucket"))));
	*arns = arena_array(rq->mem, str, 5);
	(*arns)[n++] = asks(rq, "CreateBucket", arn);
	if (given(rq, in, "ACL") || given(rq, in, "GrantRead") || given(rq, in, "GrantFullControl"))
		(*arns)[n++] = asks(rq, "PutBucketAcl", arn);
	if (given(rq, in, "ObjectOwnership"))
		(*arns)[n++] = asks(rq, "PutBucketOwnershipControls", arn);
	if (str_eq(access_member(rq, in, S("ObjectLockEnabledForBucket")), S("true"))) {
		(*arns)[n++] = asks(rq, "PutBucketObjectLockConfiguration", arn);
		(*arns)[n++] = asks(rq, "PutBucketVersioning", arn);
	}
	return n;
}

#define VERSIONED(operation) { operation, NULL, NULL, versioned }
#define WRITTEN(operation) { operation, NULL, NULL, written }
#define CONFIG(name, action) \
       { "GetBucket" name "Configuration", "s3:Get" action "Configuration", BUCKET, NULL }, \
       { "ListBucket" name "Configurations", "s3:Get" action "Configuration", BUCKET, NULL }, \
       { "PutBucket" name "Configuration", "s3:Put" action "Configuration", BUCKET, NULL }, \
       { "DeleteBucket" name "Configuration", "s3:Put" action "Configuration", BUCKET, NULL }
ACCESS(s3, "s3", "s3",
       { "ListBuckets", "s3:ListAllMyBuckets", "*", NULL },
       { "CreateBucket", NULL, NULL, created },
       { "DeleteBucket", "s3:DeleteBucket", BUCKET, NULL },
       { "HeadBucket", "s3:ListBucket", BUCKET, NULL },
       { "GetBucketLocation", "s3:GetBucketLocation", BUCKET, NULL },
       { "ListObjects", "s3:ListBucket", BUCKET, NULL },
       { "ListObjectsV2", "s3:ListBucket", BUCKET, NULL },
       { "ListObjectVersions", "s3:ListBucketVersions", BUCKET, NULL },
       { "ListMultipartUploads", "s3:ListBucketMultipartUploads", BUCKET, NULL },
       { "ListParts", "s3:ListMultipartUploadParts", OBJECT, NULL },
       WRITTEN("PutObject"),
       WRITTEN("CopyObject"),
       WRITTEN("CreateMultipartUpload"),
       { "UploadPart", "s3:PutObject", OBJECT, NULL },
       WRITTEN("UploadPartCopy"),
       { "CompleteMultipartUpload", "s3:PutObject", OBJECT, NULL },
       { "AbortMultipartUpload", "s3:AbortMultipartUpload", OBJECT, NULL },
       VERSIONED("GetObject"),
       VERSIONED("HeadObject"),
       VERSIONED("GetObjectAttributes"),
       VERSIONED("DeleteObject"),
       { "DeleteObjects", "s3:DeleteObject", NULL, deleted },
       VERSIONED("GetObjectTagging"),
       VERSIONED("PutObjectTagging"),
       VERSIONED("DeleteObjectTagging"),
       VERSIONED("GetObjectAcl"),
       VERSIONED("PutObjectAcl"),
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
       { "PutBucketReplication", NULL, NULL, replicated },
       { "DeleteBucketReplication", "s3:PutReplicationConfiguration", BUCKET, NULL },
       { "GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration", BUCKET, NULL },
       { "PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration", BUCKET, NULL },
       { "GetBucketRequestPayment", "s3:GetBucketRequestPayment", BUCKET, NULL },
       { "PutBucketRequestPayment", "s3:PutBucketRequestPayment", BUCKET, NULL },
       { "SelectObjectContent", "s3:GetObject", OBJECT, NULL },
       { "GetObjectTorrent", "s3:GetObjectTorrent", OBJECT, NULL },
       CONFIG("Analytics", "Analytics"), CONFIG("Inventory", "Inventory"), CONFIG("Metrics", "Metrics"),
       CONFIG("IntelligentTiering", "IntelligentTiering"));

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

/* Buckets' ARNs do not tell whose they are. */
static str find_owner(const txn *tx, arena *mem, str arn)
{
	str rest = arn;
	for (int i = 0; i < 5 && str_is(rest); i++)
		str_cut(&rest, ':');
	str name = str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	s3_bucket *b = name.n && name.n < 256 ? s3_bucket_get(tx, mem, name) : NULL;
	return b ? b->Account : STR_NONE;
}
RESOURCE_OWNER(s3, find_owner);

static const policy_key *object_tag(asking *a, str name, str tag)
{
	str bucket = asking_member(a, "Bucket"), key = asking_member(a, "Key");
	s3_bucket *b = str_is(bucket) && a->tx ? s3_bucket_get(a->tx, a->rq->mem, bucket) : NULL;
	object_at at;
	if (!b || !str_is(key) || !object_look(a->rq, a->tx, b, key, asking_member(a, "VersionId"), &at))
		return NULL;
	for (size_t i = 0; i < at.o->Tags.n; i++)
		if (str_eq(at.o->Tags.v[i].Key, tag))
			return asking_value(a, name, at.o->Tags.v[i].Value);
	return NULL;
}

/* The tags that a request brings: x-amz-tagging is a query string, PutObjectTagging's are a list. */
static s3_TagSet tags_brought(asking *a)
{
	s3_TagSet none = { 0 };
	if (!a->in)
		return none;
	if (strcmp(a->rq->op->name, "PutObjectTagging") == 0)
		return ((const s3_PutObjectTagging_in *)a->in)->Tagging->TagSet;
	str rest = asking_member(a, "Tagging");
	s3_TagSet out = { arena_array(a->rq->mem, s3_Tag, 51), 0 };
	while (rest.n && out.n < 51) {
		str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
		out.v[out.n++] = (s3_Tag){ .Key = percent_decode(a->rq->mem, key, true),
			                       .Value = percent_decode(a->rq->mem, str_is(value) ? value : S(""), true) };
		if (!str_is(rest))
			break;
	}
	return out;
}

static const policy_key *request_tag(asking *a, str name)
{
	str tag;
	s3_TagSet brought = tags_brought(a);
	if (str_eq_nocase(name, S("s3:RequestObjectTagKeys"))) {
		str *v = arena_array(a->rq->mem, str, brought.n + 1);
		for (size_t i = 0; i < brought.n; i++)
			v[i] = brought.v[i].Key;
		return asking_values(a, name, v, brought.n);
	}
	if (!asking_prefix(name, "s3:RequestObjectTag/", &tag))
		return NULL;
	for (size_t i = 0; i < brought.n; i++)
		if (str_eq(brought.v[i].Key, tag))
			return asking_value(a, name, brought.v[i].Value);
	return NULL;
}

static const policy_key *find_key(asking *a, str name)
{
	static const struct { const char *key, *member; } keys[] = {
		{ "s3:prefix", "Prefix" }, { "s3:delimiter", "Delimiter" }, { "s3:max-keys", "MaxKeys" },
		{ "s3:VersionId", "VersionId" }, { "s3:x-amz-acl", "ACL" }, { "s3:x-amz-grant-read", "GrantRead" },
		{ "s3:x-amz-grant-write", "GrantWrite" }, { "s3:x-amz-grant-read-acp", "GrantReadACP" },
		{ "s3:x-amz-grant-write-acp", "GrantWriteACP" },
		{ "s3:x-amz-grant-full-control", "GrantFullControl" }, { "s3:x-amz-copy-source", "CopySource" },
		{ "s3:x-amz-metadata-directive", "MetadataDirective" },
		{ "s3:x-amz-server-side-encryption", "ServerSideEncryption" },
		{ "s3:x-amz-server-side-encryption-aws-kms-key-id", "SSEKMSKeyId" },
		{ "s3:x-amz-server-side-encryption-customer-algorithm", "SSECustomerAlgorithm" },
		{ "s3:x-amz-storage-class", "StorageClass" }, { "s3:x-amz-object-ownership", "ObjectOwnership" },
		{ "s3:x-amz-website-redirect-location", "WebsiteRedirectLocation" },
		{ "s3:object-lock-mode", "ObjectLockMode" },
		{ "s3:object-lock-legal-hold", "ObjectLockLegalHoldStatus" },
		{ "s3:if-none-match", "IfNoneMatch" }, { "s3:if-match", "IfMatch" },
	};
	str tag;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(name, str_c(keys[i].key)))
			return asking_value(a, name, asking_member(a, keys[i].member));
	if (asking_prefix(name, "s3:ExistingObjectTag/", &tag))
		return object_tag(a, name, tag);
	if (str_eq_nocase(name, S("s3:ResourceAccount")))
		return asking_value(a, name, find_owner(a->tx, a->rq->mem, a->q.resource));
	const wire_message *m = a->rq->http;
	bool in_url = m && a->rq->exchange &&
		      str_find(a->rq->exchange->target, S("X-Amz-Signature=")) != SIZE_MAX;
	if (m && str_eq_nocase(name, S("s3:authType")) && !a->rq->who.anonymous)
		return asking_value(a, name, in_url ? S("REST-QUERY-STRING") : S("REST-HEADER"));
	if (m && str_eq_nocase(name, S("s3:signatureversion")) && !a->rq->who.anonymous)
		return asking_value(a, name, S("AWS4-HMAC-SHA256"));
	if (m && str_eq_nocase(name, S("s3:x-amz-content-sha256")))
		return asking_value(a, name, wire_header(m, S("x-amz-content-sha256")));
	return request_tag(a, name);
}
ACCESS_KEYS(s3, "s3", find_key);
