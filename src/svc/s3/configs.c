/*
 * Configurations that are kept and given back: those that nothing here acts on (accelerate, request payment,
 * logging, analytics, inventory, metrics, Intelligent-Tiering), and the website's, which the
 * plane reads.
 */
#include "base/text.h"
#include "bucket.h"

static err open_bucket(req *rq, const txn *tx, str name, const char *action, s3_bucket **b)
{
	TRY(bucket_open(rq, tx, name, action, STR_NONE, b));
	meter_read(rq, *b, STR_NONE);
	return OK;
}

static err open_write(req *rq, const txn *tx, str name, const char *action, s3_bucket **b)
{
	TRY(bucket_open(rq, tx, name, action, STR_NONE, b));
	meter_write(rq, *b, STR_NONE);
	return OK;
}

err s3_PutBucketAccelerateConfiguration(req *rq, txn *tx, const s3_PutBucketAccelerateConfiguration_in *in,
                                        s3_PutBucketAccelerateConfiguration_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_write(rq, tx, in->Bucket, "s3:PutAccelerateConfiguration", &b));
	if (str_find_char(b->Name, '.') != SIZE_MAX)
		return fail(rq, &fault_InvalidRequest,
		            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names");
	config_put(tx, rq->mem, b->Name, S("accelerate"), S(""), &s3_AccelerateConfiguration_shape,
	           in->AccelerateConfiguration);
	return OK;
}

err s3_GetBucketAccelerateConfiguration(req *rq, const txn *tx,
                                        const s3_GetBucketAccelerateConfiguration_in *in,
                                        s3_GetBucketAccelerateConfiguration_out *out)
{
	s3_bucket *b;
	s3_AccelerateConfiguration c;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetAccelerateConfiguration", &b));
	if (config_get(tx, rq->mem, b->Name, S("accelerate"), S(""), &s3_AccelerateConfiguration_shape, &c))
		out->Status = c.Status;
	return OK;
}

err s3_PutBucketRequestPayment(req *rq, txn *tx, const s3_PutBucketRequestPayment_in *in,
                               s3_PutBucketRequestPayment_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_write(rq, tx, in->Bucket, "s3:PutBucketRequestPayment", &b));
	config_put(tx, rq->mem, b->Name, S("payment"), S(""), &s3_RequestPaymentConfiguration_shape,
	           in->RequestPaymentConfiguration);
	return OK;
}

err s3_GetBucketRequestPayment(req *rq, const txn *tx, const s3_GetBucketRequestPayment_in *in,
                               s3_GetBucketRequestPayment_out *out)
{
	s3_bucket *b;
	s3_RequestPaymentConfiguration c;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketRequestPayment", &b));
	bool any = config_get(tx, rq->mem, b->Name, S("payment"), S(""), &s3_RequestPaymentConfiguration_shape,
	                      &c);
	out->Payer = any ? c.Payer : S("BucketOwner");
	return OK;
}

err s3_PutBucketLogging(req *rq, txn *tx, const s3_PutBucketLogging_in *in, s3_PutBucketLogging_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_write(rq, tx, in->Bucket, "s3:PutBucketLogging", &b));
	const s3_LoggingEnabled *l = in->BucketLoggingStatus->LoggingEnabled;
	if (!l) {
		config_delete(tx, b->Name, S("logging"), S(""));
		return OK;
	}
	s3_bucket *target = bucket_get(rq, tx, l->TargetBucket);
	if (!target || !str_eq(target->Account, b->Account))
		return fail_with(rq, &fault_InvalidTargetBucketForLogging,
		                 DETAIL(rq, .TargetBucket = l->TargetBucket),
		                 "The target bucket for logging does not exist");
	if (!str_eq(target->Region, b->Region))
		return fail_with(rq, &fault_CrossLocationLoggingProhibitted,
		                 DETAIL(rq, .TargetBucketLocation = target->Region),
		                 "Cross S3 location logging not allowed. ");
	config_put(tx, rq->mem, b->Name, S("logging"), S(""), &s3_LoggingEnabled_shape, l);
	return OK;
}

err s3_GetBucketLogging(req *rq, const txn *tx, const s3_GetBucketLogging_in *in,
                        s3_GetBucketLogging_out *out)
{
	s3_bucket *b;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketLogging", &b));
	s3_LoggingEnabled *l = arena_new(rq->mem, s3_LoggingEnabled);
	if (config_get(tx, rq->mem, b->Name, S("logging"), S(""), &s3_LoggingEnabled_shape, l))
		out->LoggingEnabled = l;
	return OK;
}

static err check_protocol(req *rq, str p)
{
	if (!p.n || str_eq(p, S("http")) || str_eq(p, S("https")))
		return OK;
	return fail(rq, &fault_InvalidRequest,
	            "Invalid protocol, protocol can be http or https. If not defined the protocol will be "
	            "selected automatically.");
}

static bool number_within(str text, int64_t least, int64_t most)
{
	int64_t n;
	return str_to_i64(text, &n) && n >= least && n <= most;
}

static err check_routing(req *rq, const s3_RoutingRule *r)
{
	const s3_Redirect *to = r->Redirect;
	if (!to || !(to->HostName.n || to->HttpRedirectCode.n || to->Protocol.n ||
	             str_is(to->ReplaceKeyPrefixWith) || str_is(to->ReplaceKeyWith)))
		return malformed_xml(rq);
	TRY(check_protocol(rq, to->Protocol));
	if (str_is(to->ReplaceKeyPrefixWith) && str_is(to->ReplaceKeyWith))
		return fail(rq, &fault_InvalidRequest,
		            "You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
	if (to->HttpRedirectCode.n && !number_within(to->HttpRedirectCode, 301, 308))
		return fail(rq, &fault_InvalidRequest,
		            "The provided HTTP redirect code (%.*s) is not valid. Valid codes are 3XX except 300.",
		            STR_ARG(to->HttpRedirectCode));
	const s3_Condition *c = r->Condition;
	if (c && !str_is(c->HttpErrorCodeReturnedEquals) && !str_is(c->KeyPrefixEquals))
		return fail(rq, &fault_InvalidRequest,
		            "Condition cannot be empty. To redirect all requests without a condition, the condition "
		            "element shouldn't be present.");
	if (c && c->HttpErrorCodeReturnedEquals.n && !number_within(c->HttpErrorCodeReturnedEquals, 400, 599))
		return fail(rq, &fault_InvalidRequest,
		            "The provided HTTP error code (%.*s) is not valid. Valid codes are 4XX or 5XX.",
		            STR_ARG(c->HttpErrorCodeReturnedEquals));
	return OK;
}

static err check_website(req *rq, const s3_WebsiteConfiguration *w)
{
	if (w->RedirectAllRequestsTo) {
		if (w->IndexDocument || w->ErrorDocument || w->RoutingRules.n)
			return invalid_argument(rq, "RedirectAllRequestsTo cannot be provided in conjunction with other "
			                            "Routing Rules.", S("RedirectAllRequestsTo"), S("not null"));
		return check_protocol(rq, w->RedirectAllRequestsTo->Protocol);
	}
	if (!w->IndexDocument)
		return invalid_argument(rq, "A value for IndexDocument Suffix must be provided if "
		                            "RedirectAllRequestsTo is empty", S("IndexDocument"), S("null"));
	str suffix = w->IndexDocument->Suffix;
	if (!suffix.n || str_find_char(suffix, '/') != SIZE_MAX)
		return invalid_argument(rq, "The IndexDocument Suffix is not well formed", S("IndexDocument"),
		                        suffix);
	for (size_t i = 0; i < w->RoutingRules.n; i++)
		TRY(check_routing(rq, &w->RoutingRules.v[i]));
	return OK;
}

err s3_PutBucketWebsite(req *rq, txn *tx, const s3_PutBucketWebsite_in *in, s3_PutBucketWebsite_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(open_write(rq, tx, in->Bucket, "s3:PutBucketWebsite", &b));
	TRY(check_website(rq, in->WebsiteConfiguration));
	config_put(tx, rq->mem, b->Name, S("website"), S(""), &s3_WebsiteConfiguration_shape,
	           in->WebsiteConfiguration);
	return OK;
}

err s3_GetBucketWebsite(req *rq, const txn *tx, const s3_GetBucketWebsite_in *in,
                        s3_GetBucketWebsite_out *out)
{
	s3_bucket *b;
	s3_WebsiteConfiguration w;
	TRY(open_bucket(rq, tx, in->Bucket, "s3:GetBucketWebsite", &b));
	if (!config_get(tx, rq->mem, b->Name, S("website"), S(""), &s3_WebsiteConfiguration_shape, &w))
		return fail_with(rq, &fault_NoSuchWebsiteConfiguration, DETAIL(rq, .BucketName = b->Name),
		                 "The specified bucket does not have a website configuration");
	out->RedirectAllRequestsTo = w.RedirectAllRequestsTo;
	out->IndexDocument = w.IndexDocument;
	out->ErrorDocument = w.ErrorDocument;
	out->RoutingRules = w.RoutingRules;
	return OK;
}

err s3_DeleteBucketWebsite(req *rq, txn *tx, const s3_DeleteBucketWebsite_in *in,
                           s3_DeleteBucketWebsite_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:DeleteBucketWebsite", STR_NONE, &b));
	config_delete(tx, b->Name, S("website"), S(""));
	return OK;
}
