/*
 * Configurations of which a bucket may have many, each with an id: analytics, inventory, metrics and
 * Intelligent-Tiering. They are kept and given back; inventories are made (inventory.c).
 */
#include "bucket.h"
#include "inventory.h"

static err put_one(req *rq, txn *tx, str bucket, const char *action, str kind, str id, str inner,
                   const shape *s, const void *value)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, bucket, action, STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	if (str_eq(kind, S("inventory")) && !str_eq(id, inner))
		return fail(rq, &fault_IdMismatch, "Document ID does not match the specified configuration ID.");
	if (!id.n || id.n > 64 || !str_eq(id, inner))
		return malformed_xml(rq);
	config_put(tx, rq->mem, b->Name, kind, id, s, value);
	rq->reply_status = 204;
	return OK;
}

static err get_one(req *rq, const txn *tx, str bucket, const char *action, str kind, str id, const shape *s,
                   void *value)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, bucket, action, STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	if (!config_get(tx, rq->mem, b->Name, kind, id, s, value))
		return fail(rq, &fault_NoSuchConfiguration, "The specified configuration does not exist.");
	return OK;
}

static err delete_one(req *rq, txn *tx, str bucket, const char *action, str kind, str id)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, bucket, action, STR_NONE, &b));
	if (!config_delete(tx, b->Name, kind, id))
		return fail(rq, &fault_NoSuchConfiguration, "The specified configuration does not exist.");
	return OK;
}

/* Pages of 100. `v` grows by elements of the shape's size. */
static err list_all(req *rq, const txn *tx, str bucket, const char *action, str kind, str token,
                    const shape *s, void *v, size_t *n, str *next)
{
	s3_bucket *b;
	str after = STR_NONE;
	TRY(bucket_open(rq, tx, bucket, action, STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	if (token.n && !page_position(rq, token, &after))
		return invalid_argument(rq, "The continuation token provided is incorrect",
		                        S("continuation-token"), token);
	record_scan scan = s3_config_scan(tx, rq->mem, 2, b->Name, kind, STR_NONE);
	if (str_is(after))
		record_scan_after(&scan, after);
	str last = STR_NONE;
	for (s3_config *row; (row = s3_config_next(&scan));) {
		if (*n == 100) {
			*next = page_token(rq, last);
			cursor_close(&scan.at);
			break;
		}
		err e = cbor_decode_value(rq->mem, s, row->Value, (char *)v + (*n)++ * s->size);
		ensure(!e);
		last = row->Id;
	}
	return OK;
}

err s3_PutBucketAnalyticsConfiguration(req *rq, txn *tx,
                                       const s3_PutBucketAnalyticsConfiguration_in *in,
                                       s3_PutBucketAnalyticsConfiguration_out *out)
{
	(void)out;
	return put_one(rq, tx, in->Bucket, "s3:PutAnalyticsConfiguration", S("analytics"), in->Id,
	               in->AnalyticsConfiguration->Id, &s3_AnalyticsConfiguration_shape,
	               in->AnalyticsConfiguration);
}

err s3_GetBucketAnalyticsConfiguration(req *rq, const txn *tx,
                                       const s3_GetBucketAnalyticsConfiguration_in *in,
                                       s3_GetBucketAnalyticsConfiguration_out *out)
{
	out->AnalyticsConfiguration = arena_new(rq->mem, s3_AnalyticsConfiguration);
	return get_one(rq, tx, in->Bucket, "s3:GetAnalyticsConfiguration", S("analytics"), in->Id,
	               &s3_AnalyticsConfiguration_shape, out->AnalyticsConfiguration);
}

err s3_DeleteBucketAnalyticsConfiguration(req *rq, txn *tx,
                                          const s3_DeleteBucketAnalyticsConfiguration_in *in,
                                          s3_DeleteBucketAnalyticsConfiguration_out *out)
{
	(void)out;
	return delete_one(rq, tx, in->Bucket, "s3:PutAnalyticsConfiguration", S("analytics"), in->Id);
}

err s3_ListBucketAnalyticsConfigurations(req *rq, const txn *tx,
                                         const s3_ListBucketAnalyticsConfigurations_in *in,
                                         s3_ListBucketAnalyticsConfigurations_out *out)
{
	out->AnalyticsConfigurationList.v = arena_array(rq->mem, s3_AnalyticsConfiguration, 100);
	TRY(list_all(rq, tx, in->Bucket, "s3:GetAnalyticsConfiguration", S("analytics"),
	             in->ContinuationToken,
	             &s3_AnalyticsConfiguration_shape, out->AnalyticsConfigurationList.v,
	             &out->AnalyticsConfigurationList.n, &out->NextContinuationToken));
	out->IsTruncated = BOOL(str_is(out->NextContinuationToken));
	return OK;
}

err s3_PutBucketInventoryConfiguration(req *rq, txn *tx,
                                       const s3_PutBucketInventoryConfiguration_in *in,
                                       s3_PutBucketInventoryConfiguration_out *out)
{
	const s3_InventoryConfiguration *c = in->InventoryConfiguration;
	(void)out;
	TRY(put_one(rq, tx, in->Bucket, "s3:PutInventoryConfiguration", S("inventory"), in->Id, c->Id,
	            &s3_InventoryConfiguration_shape, c));
	str arn = c->Destination->S3BucketDestination->Bucket;
	if (!str_starts(arn, S("arn:aws:s3:::")))
		return fail(rq, &fault_InvalidS3DestinationBucket, "Invalid bucket ARN.");
	if (!str_eq(c->Destination->S3BucketDestination->Format, S("CSV")))
		return fail(rq, &fault_NotImplemented, "Farthing writes inventories as CSV, not as %.*s.",
		            STR_ARG(c->Destination->S3BucketDestination->Format));
	inventory_set(tx, rq->mem, in->Bucket, c, rq->now);
	return OK;
}

err s3_GetBucketInventoryConfiguration(req *rq, const txn *tx,
                                       const s3_GetBucketInventoryConfiguration_in *in,
                                       s3_GetBucketInventoryConfiguration_out *out)
{
	out->InventoryConfiguration = arena_new(rq->mem, s3_InventoryConfiguration);
	return get_one(rq, tx, in->Bucket, "s3:GetInventoryConfiguration", S("inventory"), in->Id,
	               &s3_InventoryConfiguration_shape, out->InventoryConfiguration);
}

err s3_DeleteBucketInventoryConfiguration(req *rq, txn *tx,
                                          const s3_DeleteBucketInventoryConfiguration_in *in,
                                          s3_DeleteBucketInventoryConfiguration_out *out)
{
	(void)out;
	inventory_clear(tx, rq->mem, in->Bucket, in->Id);
	return delete_one(rq, tx, in->Bucket, "s3:PutInventoryConfiguration", S("inventory"), in->Id);
}

err s3_ListBucketInventoryConfigurations(req *rq, const txn *tx,
                                         const s3_ListBucketInventoryConfigurations_in *in,
                                         s3_ListBucketInventoryConfigurations_out *out)
{
	out->InventoryConfigurationList.v = arena_array(rq->mem, s3_InventoryConfiguration, 100);
	TRY(list_all(rq, tx, in->Bucket, "s3:GetInventoryConfiguration", S("inventory"),
	             in->ContinuationToken,
	             &s3_InventoryConfiguration_shape, out->InventoryConfigurationList.v,
	             &out->InventoryConfigurationList.n, &out->NextContinuationToken));
	out->IsTruncated = BOOL(str_is(out->NextContinuationToken));
	return OK;
}

err s3_PutBucketMetricsConfiguration(req *rq, txn *tx,
                                     const s3_PutBucketMetricsConfiguration_in *in,
                                     s3_PutBucketMetricsConfiguration_out *out)
{
	(void)out;
	return put_one(rq, tx, in->Bucket, "s3:PutMetricsConfiguration", S("metrics"), in->Id,
	               in->MetricsConfiguration->Id, &s3_MetricsConfiguration_shape,
	               in->MetricsConfiguration);
}

err s3_GetBucketMetricsConfiguration(req *rq, const txn *tx,
                                     const s3_GetBucketMetricsConfiguration_in *in,
                                     s3_GetBucketMetricsConfiguration_out *out)
{
	out->MetricsConfiguration = arena_new(rq->mem, s3_MetricsConfiguration);
	return get_one(rq, tx, in->Bucket, "s3:GetMetricsConfiguration", S("metrics"), in->Id,
	               &s3_MetricsConfiguration_shape, out->MetricsConfiguration);
}

err s3_DeleteBucketMetricsConfiguration(req *rq, txn *tx,
                                        const s3_DeleteBucketMetricsConfiguration_in *in,
                                        s3_DeleteBucketMetricsConfiguration_out *out)
{
	(void)out;
	return delete_one(rq, tx, in->Bucket, "s3:PutMetricsConfiguration", S("metrics"), in->Id);
}

err s3_ListBucketMetricsConfigurations(req *rq, const txn *tx,
                                       const s3_ListBucketMetricsConfigurations_in *in,
                                       s3_ListBucketMetricsConfigurations_out *out)
{
	out->MetricsConfigurationList.v = arena_array(rq->mem, s3_MetricsConfiguration, 100);
	TRY(list_all(rq, tx, in->Bucket, "s3:GetMetricsConfiguration", S("metrics"),
	             in->ContinuationToken,
	             &s3_MetricsConfiguration_shape, out->MetricsConfigurationList.v,
	             &out->MetricsConfigurationList.n, &out->NextContinuationToken));
	out->IsTruncated = BOOL(str_is(out->NextContinuationToken));
	return OK;
}

err s3_PutBucketIntelligentTieringConfiguration(req *rq, txn *tx,
                                                const s3_PutBucketIntelligentTieringConfiguration_in *in,
                                                s3_PutBucketIntelligentTieringConfiguration_out *out)
{
	(void)out;
	return put_one(rq, tx, in->Bucket, "s3:PutIntelligentTieringConfiguration", S("tiering"), in->Id,
	               in->IntelligentTieringConfiguration->Id, &s3_IntelligentTieringConfiguration_shape,
	               in->IntelligentTieringConfiguration);
}

err s3_GetBucketIntelligentTieringConfiguration(req *rq, const txn *tx,
                                                const s3_GetBucketIntelligentTieringConfiguration_in *in,
                                                s3_GetBucketIntelligentTieringConfiguration_out *out)
{
	out->IntelligentTieringConfiguration = arena_new(rq->mem, s3_IntelligentTieringConfiguration);
	return get_one(rq, tx, in->Bucket, "s3:GetIntelligentTieringConfiguration", S("tiering"), in->Id,
	               &s3_IntelligentTieringConfiguration_shape, out->IntelligentTieringConfiguration);
}

err s3_DeleteBucketIntelligentTieringConfiguration(
	req *rq, txn *tx, const s3_DeleteBucketIntelligentTieringConfiguration_in *in,
	s3_DeleteBucketIntelligentTieringConfiguration_out *out)
{
	(void)out;
	return delete_one(rq, tx, in->Bucket, "s3:PutIntelligentTieringConfiguration", S("tiering"), in->Id);
}

err s3_ListBucketIntelligentTieringConfigurations(req *rq, const txn *tx,
                                                  const s3_ListBucketIntelligentTieringConfigurations_in *in,
                                                  s3_ListBucketIntelligentTieringConfigurations_out *out)
{
	out->IntelligentTieringConfigurationList.v =
		arena_array(rq->mem, s3_IntelligentTieringConfiguration, 100);
	TRY(list_all(rq, tx, in->Bucket, "s3:GetIntelligentTieringConfiguration", S("tiering"),
	             in->ContinuationToken,
	             &s3_IntelligentTieringConfiguration_shape, out->IntelligentTieringConfigurationList.v,
	             &out->IntelligentTieringConfigurationList.n, &out->NextContinuationToken));
	out->IsTruncated = BOOL(str_is(out->NextContinuationToken));
	return OK;
}
