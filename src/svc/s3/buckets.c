#include "acl.h"
#include "base/time.h"
#include "inventory.h"
#include "multipart.h"
#include "store/due.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
static bool name_valid(str n)
{
	static const char *const prefixes[] = { "xn--", "sthree-", "amzn-s3-demo-" };
	static const char *const suffixes[] = { "-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3" };
	size_t dots = 0, digits = 0;
	if (n.n < 3 || n.n > 63)
		return false;
	for (size_t i = 0; i < n.n; i++) {
		char c = n.p[i];
		bool edge = i == 0 || i == n.n - 1, letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && (edge || (c != '-' && c != '.')))
			return false;
		/* Labels begin and end with a letter or a digit. */
		if (i && (c == '.' || c == '-') && (n.p[i - 1] == '.' || (c == '.' && n.p[i - 1] == '-')))
			return false;
		dots += c == '.';
		digits += c >= '0' && c <= '9';
	}
	if (dots == 3 && digits + dots == n.n)
		return false;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (str_starts(n, str_c(prefixes[i])))
			return false;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (str_ends(n, str_c(suffixes[i])))
			return false;
	return true;
}

static bool region_known(str name)
{
	static const char *const known[] = {
		"af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
		"ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
		"ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1",
		"eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
		"mx-central-1", "sa-east-1", "us-east-2", "us-west-1", "us-west-2",
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(str_c(known[i]), name))
			return true;
	return false;
}

/* In us-east-1 the constraint names other regions; elsewhere only the region itself. */
static err place(req *rq, const s3_CreateBucket_in *in, str *region)
{
	str said = in->CreateBucketConfiguration ? in->CreateBucketConfiguration->LocationConstraint : STR_NONE;
	*region = rq->region;
	if (!said.n && str_eq(rq->region, S("us-east-1")))
		return OK;
	if (!said.n)
		return fail(rq, &fault_IllegalLocationConstraintException,
		            "The unspecified location constraint is incompatible for the region specific endpoint "
		            "this request was sent to.");
	if (!region_known(said) && !str_eq(said, S("EU")))
		return fail_with(rq, &fault_InvalidLocationConstraint, DETAIL(rq, .LocationConstraint = said),
		                 "The specified location-constraint is not valid");
	*region = str_eq(said, S("EU")) ? S("eu-west-1") : said;
	if (!str_eq(rq->region, S("us-east-1")) && !str_eq(rq->region, *region))
		return fail(rq, &fault_IllegalLocationConstraintException,
		            "The %.*s location constraint is incompatible for the region specific endpoint this "
		            "request was sent to.", STR_ARG(said));
	return OK;
}

static err already(req *rq, const s3_bucket *old, const s3_CreateBucket_in *in)
{
	if (!str_eq(old->Account, rq->who.account))
		return fail_with(rq, &fault_BucketAlreadyExists, DETAIL(rq, .BucketName = in->Bucket),
		                 "The requested bucket name is not available. The bucket namespace is shared by "
		                 "all users of the system. Please select a different name and try again.");
	if (str_eq(old->Region, S("us-east-1")) && str_eq(rq->region, S("us-east-1")))
		return OK;
	return fail_with(rq, &fault_BucketAlreadyOwnedByYou, DETAIL(rq, .BucketName = in->Bucket),
	                 "Your previous request to create the named bucket succeeded and you already own it.");
}

static s3_PublicAccessBlockConfiguration *all_blocked(arena *mem)
{
	s3_PublicAccessBlockConfiguration *c = arena_new(mem, s3_PublicAccessBlockConfiguration);
	c->BlockPublicAcls = c->IgnorePublicAcls = c->BlockPublicPolicy = c->RestrictPublicBuckets = BOOL(true);
	return c;
}

static err ownership(req *rq, const txn *tx, const s3_CreateBucket_in *in, s3_bucket *b)
{
	b->Ownership = str_is(in->ObjectOwnership) ? in->ObjectOwnership : S("BucketOwnerEnforced");
	if (!str_eq(b->Ownership, S("BucketOwnerEnforced")) &&
	    !str_eq(b->Ownership, S("BucketOwnerPreferred")) && !str_eq(b->Ownership, S("ObjectWriter")))
		return invalid_argument(rq, arena_concat(rq->mem, S("Invalid x-amz-object-ownership header: "),
		                                         in->ObjectOwnership).p,
		                        S("x-amz-object-ownership"), STR_NONE);
	bool says = (in->ACL.n && !str_eq(in->ACL, S("private"))) || in->GrantRead.n || in->GrantWrite.n ||
		    in->GrantFullControl.n || in->GrantReadACP.n || in->GrantWriteACP.n;
	if (says && bucket_without_acls(b))
		return fail(rq, &fault_InvalidBucketAclWithObjectOwnership,
		            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
	acl_request r = { in->ACL, in->GrantFullControl, in->GrantRead, in->GrantReadACP, in->GrantWrite,
		          in->GrantWriteACP, NULL };
	err e = acl_read(rq, tx, b, b->Account, &r, &b->Grants);
	return e && e->kind == &fault_AccessDenied ?
		       fail(rq, &fault_InvalidBucketAclWithBlockPublicAccessError,
	                    "Bucket cannot have public ACLs set with BlockPublicAccess enabled") : e;
}

err s3_CreateBucket(req *rq, txn *tx, const s3_CreateBucket_in *in, s3_CreateBucket_out *out)
{
	str region;
	if (rq->who.anonymous)
		return access_denied(rq);
	if (!name_valid(in->Bucket))
		return fail_with(rq, &fault_InvalidBucketName, DETAIL(rq, .BucketName = in->Bucket),
		                 "The specified bucket is not valid.");
	TRY(place(rq, in, &region));
	out->Location = arena_fmt(rq->mem, "/%.*s", STR_ARG(in->Bucket));
	if (!str_eq(region, S("us-east-1")))
		out->Location = arena_fmt(rq->mem, "http://%.*s.s3.amazonaws.com/", STR_ARG(in->Bucket));
	s3_bucket *old = bucket_get(rq, tx, in->Bucket);
	out->BucketArn = arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(in->Bucket));
	if (old)
		return already(rq, old, in);
	s3_bucket b = { .Name = in->Bucket, .Account = rq->who.account, .Region = region, .Created = rq->now,
		        .Block = NULL };
	b.Block = all_blocked(rq->mem);
	if (in->CreateBucketConfiguration)
		b.Place = in->CreateBucketConfiguration->LocationConstraint;
	TRY(ownership(rq, tx, in, &b));
	if (in->CreateBucketConfiguration && in->CreateBucketConfiguration->Tags.n)
		b.Tags = in->CreateBucketConfiguration->Tags;
	if (in->ObjectLockEnabledForBucket.v) {
		s3_ObjectLockConfiguration c = { .ObjectLockEnabled = S("Enabled") };
		b.Lock = true;
		b.Versioning = S("Enabled");
		config_put(tx, rq->mem, b.Name, S("lock"), S(""), &s3_ObjectLockConfiguration_shape, &c);
	}
	s3_bucket_put(tx, &b);
	s3_owned_put(tx, &(s3_owned){ .Account = b.Account, .Name = b.Name });
	meter_write(rq, &b, STR_NONE);
	return OK;
}

err s3_HeadBucket(req *rq, const txn *tx, const s3_HeadBucket_in *in, s3_HeadBucket_out *out)
{
	s3_bucket *b = bucket_get(rq, tx, in->Bucket);
	if (b)
		req_header(rq, S("x-amz-bucket-region"), arena_str(rq->mem, b->Region));
	TRY(bucket_open(rq, tx, in->Bucket, "s3:ListBucket", STR_NONE, &b));
	req_header(rq, S("content-type"), S("application/xml"));
	out->BucketArn = arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(b->Name));
	out->AccessPointAlias = BOOL(false);
	meter_read(rq, b, STR_NONE);
	return OK;
}

err s3_GetBucketLocation(req *rq, const txn *tx, const s3_GetBucketLocation_in *in,
                         s3_GetBucketLocation_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketLocation", STR_NONE, &b));
	if (!str_eq(b->Region, S("us-east-1")))
		out->LocationConstraint = b->Place.n ? b->Place : b->Region;
	meter_read(rq, b, STR_NONE);
	return OK;
}

static bool empty(req *rq, const txn *tx, const s3_bucket *b)
{
	record_scan o = s3_object_scan(tx, rq->mem, 1, b->Name, STR_NONE);
	bool any = s3_object_next(&o) != NULL;
	cursor_close(&o.at);
	record_scan v = s3_version_scan(tx, rq->mem, 1, b->Name, STR_NONE, 0);
	any = any || s3_version_next(&v) != NULL;
	cursor_close(&v.at);
	return !any;
}

err s3_DeleteBucket(req *rq, txn *tx, const s3_DeleteBucket_in *in, s3_DeleteBucket_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:DeleteBucket", STR_NONE, &b));
	if (!empty(rq, tx, b))
		return fail_with(rq, &fault_BucketNotEmpty, DETAIL(rq, .BucketName = b->Name), "%s",
		                 bucket_versioned(b) ?
					 "The bucket you tried to delete is not empty. You must delete all versions "
					 "in the bucket." :
					 "The bucket you tried to delete is not empty");
	record_scan c = s3_config_scan(tx, rq->mem, 1, b->Name, STR_NONE, STR_NONE);
	for (s3_config *row; (row = s3_config_next(&c));) {
		if (str_eq(row->Kind, S("inventory")))
			inventory_clear(tx, rq->mem, row->Bucket, row->Id);
		s3_config_delete(tx, row->Bucket, row->Kind, row->Id);
	}
	record_scan u = s3_upload_scan(tx, rq->mem, 1, b->Name, STR_NONE, STR_NONE);
	for (s3_upload *row; (row = s3_upload_next(&u));)
		multipart_forget(tx, rq->mem, b, row, rq->now);
	timer_cancel(tx, "s3_lifecycle", b->Name);
	s3_owned_delete(tx, b->Account, b->Name);
	s3_bucket_delete(tx, b->Name);
	return OK;
}

err s3_ListBuckets(req *rq, const txn *tx, const s3_ListBuckets_in *in, s3_ListBuckets_out *out)
{
	if (rq->who.anonymous)
		return access_denied(rq);
	if (str_is(in->BucketRegion) && !region_known(in->BucketRegion) &&
	    !str_eq(in->BucketRegion, S("us-east-1")))
		return invalid_argument(rq, arena_fmt(rq->mem, "Argument value %.*s is not a valid AWS Region",
		                                      STR_ARG(in->BucketRegion)).p,
		                        S("bucket-region"), STR_NONE);
	bool paged = in->MaxBuckets.set || str_is(in->BucketRegion) || str_is(in->Prefix) ||
		     str_is(in->ContinuationToken);
	int64_t max = in->MaxBuckets.set ? in->MaxBuckets.v : S3_BUCKETS_MAX;
	str after = STR_NONE;
	if (in->ContinuationToken.n && !page_position(rq, in->ContinuationToken, &after))
		return invalid_argument(rq, "The continuation token provided is incorrect",
		                        S("continuation-token"), in->ContinuationToken);
	size_t capacity = 64;
	out->Buckets.v = arena_array(rq->mem, s3_Bucket, capacity);
	record_scan s = s3_owned_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (s3_owned *row; (row = s3_owned_next(&s));) {
		s3_bucket *b = s3_bucket_get(tx, rq->mem, row->Name);
		if (!b || (in->Prefix.n && !str_starts(b->Name, in->Prefix)) ||
		    (in->BucketRegion.n && !str_eq(b->Region, in->BucketRegion)))
			continue;
		if ((int64_t)out->Buckets.n == max) {
			out->ContinuationToken = page_token(rq, out->Buckets.v[out->Buckets.n - 1].Name);
			cursor_close(&s.at);
			break;
		}
		if (out->Buckets.n == capacity) {
			s3_Bucket *more = arena_array(rq->mem, s3_Bucket, capacity * 2);
			memcpy(more, out->Buckets.v, capacity * sizeof *more);
			out->Buckets.v = more;
			capacity *= 2;
		}
		out->Buckets.v[out->Buckets.n++] = (s3_Bucket){
			.Name = b->Name, .CreationDate = TIME(b->Created / MS_SECOND * MS_SECOND),
			.BucketRegion = paged ? b->Region : STR_NONE,
		};
	}
	out->Prefix = in->Prefix;
	out->Owner = owner_of(rq->mem, rq->who.account);
	meter_one(rq, &S3_PUT, S("-"));
	return OK;
}
