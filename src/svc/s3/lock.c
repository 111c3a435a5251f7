#include "notify.h"

err s3_PutObjectLockConfiguration(req *rq, txn *tx, const s3_PutObjectLockConfiguration_in *in,
                                  s3_PutObjectLockConfiguration_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketObjectLockConfiguration", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	if (!bucket_versions(b))
		return fail(rq, &fault_InvalidBucketState,
		            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
	const s3_ObjectLockConfiguration *c = in->ObjectLockConfiguration;
	if (!c || !str_eq(c->ObjectLockEnabled, S("Enabled")))
		return malformed_xml(rq);
	if (c->Rule) {
		const s3_DefaultRetention *d = c->Rule->DefaultRetention;
		if (!d || !d->Mode.n || d->Days.set == d->Years.set)
			return malformed_xml(rq);
		if ((d->Days.set && d->Days.v <= 0) || (d->Years.set && d->Years.v <= 0))
			return fail(rq, &fault_InvalidArgument,
			            "Default retention period must be a positive integer value.");
	}
	b->Lock = true;
	s3_bucket_put(tx, b);
	config_put(tx, rq->mem, b->Name, S("lock"), S(""), &s3_ObjectLockConfiguration_shape, c);
	return OK;
}

err s3_GetObjectLockConfiguration(req *rq, const txn *tx, const s3_GetObjectLockConfiguration_in *in,
                                  s3_GetObjectLockConfiguration_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketObjectLockConfiguration", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	out->ObjectLockConfiguration = arena_new(rq->mem, s3_ObjectLockConfiguration);
	if (!config_get(tx, rq->mem, b->Name, S("lock"), S(""), &s3_ObjectLockConfiguration_shape,
	                out->ObjectLockConfiguration))
		return fail_with(rq, &fault_ObjectLockConfigurationNotFoundError,
		                 DETAIL(rq, .BucketName = b->Name),
		                 "Object Lock configuration does not exist for this bucket");
	return OK;
}

static err locked_object(req *rq, const txn *tx, str bucket, str key, str version, const char *action,
                         s3_bucket **b, object_at *at)
{
	TRY(bucket_open(rq, tx, bucket, action, key, b));
	TRY(object_find(rq, tx, *b, key, version, at));
	if (!(*b)->Lock)
		return fail(rq, &fault_InvalidRequest, "Bucket is missing Object Lock Configuration");
	return OK;
}

err s3_PutObjectRetention(req *rq, txn *tx, const s3_PutObjectRetention_in *in,
                          s3_PutObjectRetention_out *out)
{
	s3_bucket *b;
	object_at at;
	(void)out;
	TRY(locked_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:PutObjectRetention", &b, &at));
	meter_write(rq, b, STR_NONE);
	str mode = in->Retention ? in->Retention->Mode : STR_NONE;
	opt_time until = in->Retention ? in->Retention->RetainUntilDate : (opt_time){ 0 };
	if ((mode.n != 0) != until.set)
		return malformed_xml(rq);
	if (mode.n && until.v <= rq->now)
		return fail(rq, &fault_InvalidArgument, "The retain until date must be in the future!");
	object *o = at.o;
	bool held = o->LockMode.n && o->RetainUntil.v > rq->now;
	bool compliance = str_eq(o->LockMode, S("COMPLIANCE"));
	bool weaker = !until.set || until.v < o->RetainUntil.v || !str_eq(mode, o->LockMode);
	if (held && weaker && (compliance || !in->BypassGovernanceRetention.v))
		return fail(rq, &fault_AccessDenied,
		            "Access Denied because object protected by object lock.");
	o->LockMode = mode;
	o->RetainUntil = until;
	object_update(tx, b, in->Key, &at);
	return OK;
}

err s3_GetObjectRetention(req *rq, const txn *tx, const s3_GetObjectRetention_in *in,
                          s3_GetObjectRetention_out *out)
{
	s3_bucket *b;
	object_at at;
	TRY(locked_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:GetObjectRetention", &b, &at));
	meter_read(rq, b, STR_NONE);
	if (!at.o->LockMode.n)
		return fail_with(rq, &fault_NoSuchObjectLockConfiguration, DETAIL(rq, .Key = in->Key),
		                 "The specified object does not have a ObjectLock configuration");
	out->Retention = arena_new(rq->mem, s3_ObjectLockRetention);
	out->Retention->Mode = at.o->LockMode;
	out->Retention->RetainUntilDate = at.o->RetainUntil;
	return OK;
}

err s3_PutObjectLegalHold(req *rq, txn *tx, const s3_PutObjectLegalHold_in *in,
                          s3_PutObjectLegalHold_out *out)
{
	s3_bucket *b;
	object_at at;
	(void)out;
	TRY(locked_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:PutObjectLegalHold", &b, &at));
	meter_write(rq, b, STR_NONE);
	str status = in->LegalHold ? in->LegalHold->Status : STR_NONE;
	if (!str_eq(status, S("ON")) && !str_eq(status, S("OFF")))
		return malformed_xml(rq);
	at.o->LegalHold = BOOL(str_eq(status, S("ON")));
	object_update(tx, b, in->Key, &at);
	return OK;
}

err s3_GetObjectLegalHold(req *rq, const txn *tx, const s3_GetObjectLegalHold_in *in,
                          s3_GetObjectLegalHold_out *out)
{
	s3_bucket *b;
	object_at at;
	TRY(locked_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:GetObjectLegalHold", &b, &at));
	meter_read(rq, b, STR_NONE);
	if (!at.o->LegalHold.set)
		return fail_with(rq, &fault_NoSuchObjectLockConfiguration, DETAIL(rq, .Key = in->Key),
		                 "The specified object does not have a ObjectLock configuration");
	out->LegalHold = arena_new(rq->mem, s3_ObjectLockLegalHold);
	out->LegalHold->Status = at.o->LegalHold.v ? S("ON") : S("OFF");
	return OK;
}
