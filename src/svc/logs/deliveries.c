/*
 * Vended logs. Destinations of deliveries and their policies are kept. No service here vends logs in this way
 * yet, so a source cannot be made, and there are no deliveries: what asks for one finds none.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "logs.h"

#define PAGE 50

static err no_destination(req *rq)
{
	return fail(rq, &logs_ResourceNotFoundException,
	            "Requested Delivery Destination does not exist in this account.");
}

static err find(req *rq, const txn *tx, str name, logs_deliverydest **d)
{
	*d = logs_deliverydest_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *d ? OK : no_destination(rq);
}

static logs_DeliveryDestination *shown(req *rq, const logs_deliverydest *d)
{
	logs_DeliveryDestination *s = arena_new(rq->mem, logs_DeliveryDestination);
	*s = (logs_DeliveryDestination){ .name = d->Name, .deliveryDestinationType = d->Type,
		.arn = req_arn(rq, "logs", "delivery-destination:%.*s", STR_ARG(d->Name)),
		.outputFormat = d->Format, .tags = d->Tags };
	if (d->Resource.n) {
		s->deliveryDestinationConfiguration = arena_new(rq->mem, logs_DeliveryDestinationConfiguration);
		s->deliveryDestinationConfiguration->destinationResourceArn = d->Resource;
	}
	return s;
}

static err type_of(req *rq, const logs_PutDeliveryDestination_in *in, str *type)
{
	arn_parts a;
	*type = in->deliveryDestinationType;
	if (!in->deliveryDestinationConfiguration) {
		return str_eq(*type, logs_DeliveryDestinationType_XRAY) ? OK :
		       fail(rq, &logs_ValidationException,
		            "A delivery destination of another type than XRAY has a "
		            "deliveryDestinationConfiguration.");
	}
	str arn = in->deliveryDestinationConfiguration->destinationResourceArn;
	if (!arn_split(arn, &a))
		return fail(rq, &logs_ValidationException, "Invalid destination resource ARN: %.*s", STR_ARG(arn));
	str by_arn = str_eq(a.service, S("s3")) ? logs_DeliveryDestinationType_S3 :
		     str_eq(a.service, S("logs")) ? logs_DeliveryDestinationType_CWL :
		     str_eq(a.service, S("firehose")) ? logs_DeliveryDestinationType_FH : STR_NONE;
	if (!str_is(by_arn) || (str_is(*type) && !str_eq(*type, by_arn)))
		return fail(rq, &logs_ValidationException,
		            "A delivery destination is an S3 bucket, a log group or a Firehose stream: %.*s",
		            STR_ARG(arn));
	*type = by_arn;
	return OK;
}

err logs_PutDeliveryDestination(req *rq, txn *tx, const logs_PutDeliveryDestination_in *in,
                                logs_PutDeliveryDestination_out *out)
{
	str type;
	TRY(type_of(rq, in, &type));
	TRY(group_tags_check(rq, &in->tags));
	const logs_deliverydest *before = logs_deliverydest_get(tx, rq->mem, rq->who.account, rq->region,
	                                                        in->name);
	logs_deliverydest d = { .Account = rq->who.account, .Region = rq->region, .Name = in->name, .Type = type,
		.Format = in->outputFormat, .Tags = in->tags };
	if (in->deliveryDestinationConfiguration)
		d.Resource = in->deliveryDestinationConfiguration->destinationResourceArn;
	if (before) {
		d.Policy = before->Policy;
		d.Tags = in->tags.n ? in->tags : before->Tags;
	}
	logs_deliverydest_put(tx, &d);
	out->deliveryDestination = shown(rq, &d);
	return OK;
}

err logs_GetDeliveryDestination(req *rq, const txn *tx, const logs_GetDeliveryDestination_in *in,
                                logs_GetDeliveryDestination_out *out)
{
	logs_deliverydest *d;
	TRY(find(rq, tx, in->name, &d));
	out->deliveryDestination = shown(rq, d);
	return OK;
}

err logs_DeleteDeliveryDestination(req *rq, txn *tx, const logs_DeleteDeliveryDestination_in *in,
                                   logs_DeleteDeliveryDestination_out *out)
{
	return logs_deliverydest_delete(tx, rq->who.account, rq->region, in->name) ? OK : no_destination(rq);
}

err logs_DescribeDeliveryDestinations(req *rq, const txn *tx, const logs_DescribeDeliveryDestinations_in *in,
                                      logs_DescribeDeliveryDestinations_out *out)
{
	size_t page = in->limit.set ? (size_t)in->limit.v : PAGE;
	record_scan s = logs_deliverydest_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (scan_goes_on(rq, in->nextToken, &s))
		return fail(rq, &logs_ValidationException, "The specified nextToken is invalid.");
	out->deliveryDestinations.v = arena_array(rq->mem, logs_DeliveryDestination, page);
	for (logs_deliverydest *d; (d = logs_deliverydest_next(&s));) {
		if (out->deliveryDestinations.n == page) {
			out->nextToken = page_token(rq, out->deliveryDestinations.v[page - 1].name);
			break;
		}
		out->deliveryDestinations.v[out->deliveryDestinations.n++] = *shown(rq, d);
	}
	cursor_close(&s.at);
	return OK;
}

static logs_Policy *policy_of(req *rq, str document)
{
	logs_Policy *p = arena_new(rq->mem, logs_Policy);
	p->deliveryDestinationPolicy = document;
	return p;
}

err logs_PutDeliveryDestinationPolicy(req *rq, txn *tx, const logs_PutDeliveryDestinationPolicy_in *in,
                                      logs_PutDeliveryDestinationPolicy_out *out)
{
	str wrong;
	logs_deliverydest *d;
	TRY(find(rq, tx, in->deliveryDestinationName, &d));
	if (!policy_parse(rq->mem, in->deliveryDestinationPolicy, POLICY_RESOURCE, &wrong))
		return fail(rq, &logs_ValidationException, "%.*s", STR_ARG(wrong));
	d->Policy = in->deliveryDestinationPolicy;
	logs_deliverydest_put(tx, d);
	out->policy = policy_of(rq, d->Policy);
	return OK;
}

err logs_GetDeliveryDestinationPolicy(req *rq, const txn *tx, const logs_GetDeliveryDestinationPolicy_in *in,
                                      logs_GetDeliveryDestinationPolicy_out *out)
{
	logs_deliverydest *d;
	TRY(find(rq, tx, in->deliveryDestinationName, &d));
	if (d->Policy.n)
		out->policy = policy_of(rq, d->Policy);
	return OK;
}

err logs_DeleteDeliveryDestinationPolicy(req *rq, txn *tx, const logs_DeleteDeliveryDestinationPolicy_in *in,
                                         logs_DeleteDeliveryDestinationPolicy_out *out)
{
	logs_deliverydest *d;
	TRY(find(rq, tx, in->deliveryDestinationName, &d));
	d->Policy = STR_NONE;
	logs_deliverydest_put(tx, d);
	return OK;
}

static err no_source(req *rq, const char *end)
{
	return fail(rq, &logs_ResourceNotFoundException,
	            "Requested Delivery Source does not exist in this account%s", end);
}

static err no_delivery(req *rq)
{
	return fail(rq, &logs_ResourceNotFoundException, "Requested Delivery does not exist in this account.");
}

err logs_GetDeliverySource(req *rq, const txn *tx, const logs_GetDeliverySource_in *in,
                           logs_GetDeliverySource_out *out)
{
	return no_source(rq, ".");
}

/* Two full stops, as AWS has them. */
err logs_DeleteDeliverySource(req *rq, const txn *tx, const logs_DeleteDeliverySource_in *in,
                              logs_DeleteDeliverySource_out *out)
{
	return no_source(rq, "..");
}

err logs_DescribeDeliverySources(req *rq, const txn *tx, const logs_DescribeDeliverySources_in *in,
                                 logs_DescribeDeliverySources_out *out)
{
	out->deliverySources.v = arena_new(rq->mem, logs_DeliverySource);
	return OK;
}

err logs_CreateDelivery(req *rq, const txn *tx, const logs_CreateDelivery_in *in,
                        logs_CreateDelivery_out *out)
{
	return no_source(rq, ".");
}

err logs_GetDelivery(req *rq, const txn *tx, const logs_GetDelivery_in *in, logs_GetDelivery_out *out)
{
	return no_delivery(rq);
}

err logs_DeleteDelivery(req *rq, const txn *tx, const logs_DeleteDelivery_in *in,
                        logs_DeleteDelivery_out *out)
{
	return no_delivery(rq);
}

err logs_DescribeDeliveries(req *rq, const txn *tx, const logs_DescribeDeliveries_in *in,
                            logs_DescribeDeliveries_out *out)
{
	out->deliveries.v = arena_new(rq->mem, logs_Delivery);
	return OK;
}

/* A resource that is not there is told apart from a service that does not vend its logs here. */
err logs_PutDeliverySource(req *rq, const txn *tx, const logs_PutDeliverySource_in *in,
                           logs_PutDeliverySource_out *out)
{
	arn_parts a;
	if (!arn_split(in->resourceArn, &a) || !a.service.n)
		return fail(rq, &logs_ResourceNotFoundException, "Cannot access provided service.");
	return fail(rq, &aws_NotImplemented, "Farthing does not deliver vended logs of %.*s.",
	            STR_ARG(a.service));
}

err logs_DescribeDestinations(req *rq, const txn *tx, const logs_DescribeDestinations_in *in,
                              logs_DescribeDestinations_out *out)
{
	out->destinations.v = arena_new(rq->mem, logs_Destination);
	return OK;
}

err logs_DeleteDestination(req *rq, const txn *tx, const logs_DeleteDestination_in *in,
                           logs_DeleteDestination_out *out)
{
	return fail(rq, &logs_ResourceNotFoundException, "The specified destination does not exist.");
}
