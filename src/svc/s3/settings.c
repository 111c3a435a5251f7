/*
 * What a bucket is told about itself and kept in its row: versioning, tags, ownership, the public access
 * block, its policy; and how it is encrypted and locked.
 */
#include "acl.h"
#include "describe.h"

static err open_bucket(req *rq, const txn *tx, str name, const char *action, bool write, s3_bucket **b)
{
	TRY(bucket_open(rq, tx, name, action, STR_NONE, b));
	if (write)
		meter_write(rq, *b, STR_NONE);
	else
		meter_read(rq, *b, STR_NONE);
	return OK;
}

err s3_PutBucketVersioning(req *rq, txn *tx, const s3_PutBucketVersioning_in *in,
                           s3_PutBucketVersioning_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:PutBucketVersioning", true, &b));
	str status = in->VersioningConfiguration->Status;
	if (!status.n)
		return fail(rq, &fault_IllegalVersioningConfigurationException,
		            "The Versioning element must be specified");
	if (b->Lock && !str_eq(status, S("Enabled")))
		return fail(rq, &fault_InvalidBucketState,
		            "An Object Lock configuration is present on this bucket, so the versioning "
		            "state cannot be changed.");
	b->Versioning = status;
	b->MfaDelete = in->VersioningConfiguration->MFADelete;
	s3_bucket_put(tx, b);
	return OK;
}

err s3_GetBucketVersioning(req *rq, const txn *tx, const s3_GetBucketVersioning_in *in,
                           s3_GetBucketVersioning_out *out)
{
	s3_bucket *b;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketVersioning", false, &b));
	out->Status = b->Versioning.n ? b->Versioning : STR_NONE;
	out->MFADelete = b->MfaDelete.n ? b->MfaDelete : STR_NONE;
	return OK;
}

err s3_PutBucketTagging(req *rq, txn *tx, const s3_PutBucketTagging_in *in, s3_PutBucketTagging_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:PutBucketTagging", true, &b));
	TRY(describe_tag_set(rq, &in->Tagging->TagSet, 50));
	b->Tags = in->Tagging->TagSet;
	s3_bucket_put(tx, b);
	rq->reply_status = 204;
	return OK;
}

err s3_GetBucketTagging(req *rq, const txn *tx, const s3_GetBucketTagging_in *in,
                        s3_GetBucketTagging_out *out)
{
	s3_bucket *b;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketTagging", false, &b));
	if (!b->Tags.n)
		return fail_with(rq, &fault_NoSuchTagSet, DETAIL(rq, .BucketName = b->Name),
		                 "The TagSet does not exist");
	out->TagSet = b->Tags;
	return OK;
}

err s3_DeleteBucketTagging(req *rq, txn *tx, const s3_DeleteBucketTagging_in *in,
                           s3_DeleteBucketTagging_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketTagging", STR_NONE, &b));
	b->Tags = (s3_TagSet){ 0 };
	s3_bucket_put(tx, b);
	return OK;
}

err s3_PutBucketOwnershipControls(req *rq, txn *tx, const s3_PutBucketOwnershipControls_in *in,
                                  s3_PutBucketOwnershipControls_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:PutBucketOwnershipControls", true, &b));
	if (in->OwnershipControls->Rules.n != 1)
		return malformed_xml(rq);
	str rule = in->OwnershipControls->Rules.v[0].ObjectOwnership;
	if (!str_eq(rule, S("BucketOwnerEnforced")) && !str_eq(rule, S("BucketOwnerPreferred")) &&
	    !str_eq(rule, S("ObjectWriter")))
		return malformed_xml(rq);
	if (str_eq(rule, S("BucketOwnerEnforced")) && b->Grants.n > 1)
		return fail(rq, &fault_InvalidBucketAclWithObjectOwnership,
		            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
	b->Ownership = rule;
	s3_bucket_put(tx, b);
	return OK;
}

err s3_GetBucketOwnershipControls(req *rq, const txn *tx, const s3_GetBucketOwnershipControls_in *in,
                                  s3_GetBucketOwnershipControls_out *out)
{
	s3_bucket *b;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketOwnershipControls", false, &b));
	if (!b->Ownership.n)
		return fail_with(rq, &fault_OwnershipControlsNotFoundError, DETAIL(rq, .BucketName = b->Name),
		                 "The bucket ownership controls were not found");
	out->OwnershipControls = arena_new(rq->mem, s3_OwnershipControls);
	out->OwnershipControls->Rules = (s3_OwnershipControlsRules){
		arena_new(rq->mem, s3_OwnershipControlsRule), 1 };
	out->OwnershipControls->Rules.v[0].ObjectOwnership = b->Ownership;
	return OK;
}

err s3_DeleteBucketOwnershipControls(req *rq, txn *tx, const s3_DeleteBucketOwnershipControls_in *in,
                                     s3_DeleteBucketOwnershipControls_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketOwnershipControls", STR_NONE, &b));
	b->Ownership = S("");
	s3_bucket_put(tx, b);
	return OK;
}

err s3_PutPublicAccessBlock(req *rq, txn *tx, const s3_PutPublicAccessBlock_in *in,
                            s3_PutPublicAccessBlock_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:PutBucketPublicAccessBlock", true, &b));
	b->Block = arena_new(rq->mem, s3_PublicAccessBlockConfiguration);
	*b->Block = *in->PublicAccessBlockConfiguration;
	opt_bool *all[] = { &b->Block->BlockPublicAcls, &b->Block->IgnorePublicAcls,
		            &b->Block->BlockPublicPolicy, &b->Block->RestrictPublicBuckets };
	bool any = false;
	for (size_t i = 0; i < 4; i++) {
		any |= all[i]->set;
		*all[i] = BOOL(all[i]->v);
	}
	if (!any)
		return fail(rq, &fault_InvalidRequest, "Must specify at least one configuration.");
	s3_bucket_put(tx, b);
	return OK;
}

err s3_GetPublicAccessBlock(req *rq, const txn *tx, const s3_GetPublicAccessBlock_in *in,
                            s3_GetPublicAccessBlock_out *out)
{
	s3_bucket *b;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketPublicAccessBlock", false, &b));
	if (!b->Block)
		return fail_with(rq, &fault_NoSuchPublicAccessBlockConfiguration,
		                 DETAIL(rq, .BucketName = b->Name),
		                 "The public access block configuration was not found");
	out->PublicAccessBlockConfiguration = b->Block;
	return OK;
}

err s3_DeletePublicAccessBlock(req *rq, txn *tx, const s3_DeletePublicAccessBlock_in *in,
                               s3_DeletePublicAccessBlock_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketPublicAccessBlock", STR_NONE, &b));
	b->Block = NULL;
	s3_bucket_put(tx, b);
	return OK;
}

err s3_PutBucketEncryption(req *rq, txn *tx, const s3_PutBucketEncryption_in *in,
                           s3_PutBucketEncryption_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:PutEncryptionConfiguration", true, &b));
	const s3_ServerSideEncryptionRules *r = &in->ServerSideEncryptionConfiguration->Rules;
	if (r->n != 1)
		return malformed_xml(rq);
	const s3_ServerSideEncryptionByDefault *d = r->v[0].ApplyServerSideEncryptionByDefault;
	if (d && !str_eq(d->SSEAlgorithm, S("AES256")) && !str_starts(d->SSEAlgorithm, S("aws:kms")))
		return malformed_xml(rq);
	if (d && str_eq(d->SSEAlgorithm, S("AES256")) && d->KMSMasterKeyID.n)
		return invalid_argument(rq, "a KMSMasterKeyID is not applicable if the default sse algorithm is not "
		                            "aws:kms or aws:kms:dsse", S("ApplyServerSideEncryptionByDefault"),
		                        STR_NONE);
	config_put(tx, rq->mem, b->Name, S("encryption"), S(""), &s3_ServerSideEncryptionConfiguration_shape,
	           in->ServerSideEncryptionConfiguration);
	return OK;
}

/* Every bucket is encrypted; what was never said is AES256. */
err s3_GetBucketEncryption(req *rq, const txn *tx, const s3_GetBucketEncryption_in *in,
                           s3_GetBucketEncryption_out *out)
{
	s3_bucket *b;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetEncryptionConfiguration", false, &b));
	s3_ServerSideEncryptionConfiguration *c = arena_new(rq->mem, s3_ServerSideEncryptionConfiguration);
	out->ServerSideEncryptionConfiguration = c;
	if (config_get(tx, rq->mem, b->Name, S("encryption"), S(""),
	               &s3_ServerSideEncryptionConfiguration_shape, c)) {
		if (!c->Rules.v[0].BucketKeyEnabled.set)
			c->Rules.v[0].BucketKeyEnabled = BOOL(false);
		return OK;
	}
	c->Rules = (s3_ServerSideEncryptionRules){ arena_new(rq->mem, s3_ServerSideEncryptionRule), 1 };
	c->Rules.v[0].BucketKeyEnabled = BOOL(false);
	c->Rules.v[0].ApplyServerSideEncryptionByDefault = arena_new(rq->mem, s3_ServerSideEncryptionByDefault);
	c->Rules.v[0].ApplyServerSideEncryptionByDefault->SSEAlgorithm = S("AES256");
	return OK;
}

err s3_DeleteBucketEncryption(req *rq, txn *tx, const s3_DeleteBucketEncryption_in *in,
                              s3_DeleteBucketEncryption_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutEncryptionConfiguration", STR_NONE, &b));
	config_delete(tx, b->Name, S("encryption"), S(""));
	return OK;
}
