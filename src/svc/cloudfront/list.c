/* Distributions by what they have, and monitoring subscriptions. */
#include "cdn.h"

static bool listed(const str *v, size_t n, str id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], id))
			return true;
	return false;
}

static bool behavior_uses(const cloudfront_CacheBehavior *b, cf_kind kind, str id)
{
	switch (kind) {
	case CF_CACHE:
		return str_eq(b->CachePolicyId, id);
	case CF_REQUEST:
		return str_eq(b->OriginRequestPolicyId, id);
	case CF_RESPONSE:
		return str_eq(b->ResponseHeadersPolicyId, id);
	case CF_GROUP:
		return b->TrustedKeyGroups && listed(b->TrustedKeyGroups->Items.v, b->TrustedKeyGroups->Items.n, id);
	default:
		return false;
	}
}

static bool origin_uses(const cloudfront_Origin *o, cf_kind kind, str id)
{
	str identity = o->S3OriginConfig ? o->S3OriginConfig->OriginAccessIdentity : S("");
	if (kind == CF_CONTROL)
		return str_eq(o->OriginAccessControlId, id);
	return kind == CF_IDENTITY && identity.n > id.n && str_ends(identity, id);
}

bool cf_uses(const cloudfront_DistributionConfig *c, cf_kind kind, str id)
{
	cloudfront_CacheBehavior b;
	for (size_t i = 0; i < c->Origins->Items.n; i++)
		if (origin_uses(&c->Origins->Items.v[i], kind, id))
			return true;
	for (size_t i = 0; c->CacheBehaviors && i < c->CacheBehaviors->Items.n; i++)
		if (behavior_uses(&c->CacheBehaviors->Items.v[i], kind, id))
			return true;
	cf_from_default(c->DefaultCacheBehavior, &b);
	return behavior_uses(&b, kind, id);
}

bool cf_used(req *rq, const txn *tx, cf_kind kind, str id)
{
	record_scan s = cloudfront_dist_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (cloudfront_dist *d; (d = cloudfront_dist_next(&s));)
		if (cf_uses(d->Config, kind, id))
			return true;
	return false;
}

static cloudfront_DistributionSummary summary(req *rq, const cloudfront_dist *d)
{
	const cloudfront_DistributionConfig *c = d->Config;
	return (cloudfront_DistributionSummary){ .Id = d->Id, .ARN = cf_arn(rq->mem, d), .ETag = d->ETag,
		.Status = str_c(cf_status(d, rq->now)), .LastModifiedTime = TIME(d->Modified),
		.DomainName = cf_domain(rq->mem, d), .Aliases = c->Aliases, .Origins = c->Origins,
		.OriginGroups = c->OriginGroups, .DefaultCacheBehavior = c->DefaultCacheBehavior,
		.CacheBehaviors = c->CacheBehaviors, .CustomErrorResponses = c->CustomErrorResponses,
		.Comment = c->Comment, .PriceClass = c->PriceClass, .Enabled = c->Enabled,
		.ViewerCertificate = c->ViewerCertificate, .Restrictions = c->Restrictions,
		.WebACLId = c->WebACLId, .HttpVersion = c->HttpVersion, .IsIPV6Enabled = c->IsIPV6Enabled,
		.Staging = c->Staging };
}

typedef struct dists {
	cloudfront_dist **v;
	size_t n;
	int64_t most;
	str after, next;
} dists;

/* `kind` CF_KINDS: all of them. */
static err find(req *rq, const txn *tx, cf_kind kind, str id, str marker, str most, dists *out)
{
	*out = (dists){ .after = marker.n ? marker : S(""), .next = STR_NONE };
	TRY(cf_most(rq, most, &out->most));
	out->v = arena_array(rq->mem, cloudfront_dist *, (size_t)out->most);
	record_scan s = cloudfront_dist_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (marker.n)
		record_scan_after(&s, marker);
	for (cloudfront_dist *d; (d = cloudfront_dist_next(&s));) {
		if (kind != CF_KINDS && !cf_uses(d->Config, kind, id))
			continue;
		if ((int64_t)out->n == out->most) {
			out->next = out->v[out->n - 1]->Id;
			break;
		}
		out->v[out->n++] = d;
	}
	return OK;
}

static cloudfront_DistributionList *whole(req *rq, const dists *found)
{
	cloudfront_DistributionList *l = arena_new(rq->mem, cloudfront_DistributionList);
	*l = (cloudfront_DistributionList){ .Marker = found->after, .NextMarker = found->next,
		.MaxItems = I64(found->most), .IsTruncated = BOOL(str_is(found->next)),
		.Quantity = I64((int64_t)found->n) };
	if (!found->n)
		return l;
	l->Items.v = arena_array(rq->mem, cloudfront_DistributionSummary, found->n);
	for (size_t i = 0; i < found->n; i++)
		l->Items.v[l->Items.n++] = summary(rq, found->v[i]);
	return l;
}

static err ids(req *rq, const txn *tx, cf_kind kind, str id, str marker, str most,
               cloudfront_DistributionIdList **out)
{
	dists found;
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, kind, id, &t));
	TRY(find(rq, tx, kind, id, marker, most, &found));
	cloudfront_DistributionIdList *l = *out = arena_new(rq->mem, cloudfront_DistributionIdList);
	*l = (cloudfront_DistributionIdList){ .Marker = found.after, .NextMarker = found.next,
		.MaxItems = I64(found.most), .IsTruncated = BOOL(str_is(found.next)),
		.Quantity = I64((int64_t)found.n) };
	if (!found.n)
		return OK;
	l->Items.v = arena_array(rq->mem, str, found.n);
	for (size_t i = 0; i < found.n; i++)
		l->Items.v[l->Items.n++] = found.v[i]->Id;
	return OK;
}

err cloudfront_ListDistributions(req *rq, const txn *tx, const cloudfront_ListDistributions_in *in,
                                 cloudfront_ListDistributions_out *out)
{
	dists found;
	TRY(find(rq, tx, CF_KINDS, STR_NONE, in->Marker, in->MaxItems, &found));
	out->DistributionList = whole(rq, &found);
	return OK;
}

err cloudfront_ListDistributionsByCachePolicyId(req *rq, const txn *tx,
                                                const cloudfront_ListDistributionsByCachePolicyId_in *in,
                                                cloudfront_ListDistributionsByCachePolicyId_out *out)
{
	return ids(rq, tx, CF_CACHE, in->CachePolicyId, in->Marker, in->MaxItems, &out->DistributionIdList);
}

err cloudfront_ListDistributionsByOriginRequestPolicyId(
	req *rq, const txn *tx, const cloudfront_ListDistributionsByOriginRequestPolicyId_in *in,
	cloudfront_ListDistributionsByOriginRequestPolicyId_out *out)
{
	return ids(rq, tx, CF_REQUEST, in->OriginRequestPolicyId, in->Marker, in->MaxItems,
	           &out->DistributionIdList);
}

err cloudfront_ListDistributionsByResponseHeadersPolicyId(
	req *rq, const txn *tx, const cloudfront_ListDistributionsByResponseHeadersPolicyId_in *in,
	cloudfront_ListDistributionsByResponseHeadersPolicyId_out *out)
{
	return ids(rq, tx, CF_RESPONSE, in->ResponseHeadersPolicyId, in->Marker, in->MaxItems,
	           &out->DistributionIdList);
}

err cloudfront_ListDistributionsByKeyGroup(req *rq, const txn *tx,
                                           const cloudfront_ListDistributionsByKeyGroup_in *in,
                                           cloudfront_ListDistributionsByKeyGroup_out *out)
{
	return ids(rq, tx, CF_GROUP, in->KeyGroupId, in->Marker, in->MaxItems, &out->DistributionIdList);
}

err cloudfront_CreateMonitoringSubscription(req *rq, txn *tx,
                                            const cloudfront_CreateMonitoringSubscription_in *in,
                                            cloudfront_CreateMonitoringSubscription_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->DistributionId, &d));
	const cloudfront_RealtimeMetricsSubscriptionConfig *c =
		in->MonitoringSubscription->RealtimeMetricsSubscriptionConfig;
	if (c && str_eq(c->RealtimeMetricsSubscriptionStatus, S("Enabled")))
		return fail(rq, &aws_NotImplemented,
		            "Additional metrics (cache hit rate, origin latency, error rates by status) are not "
		            "implemented.");
	d->Monitored = S("Disabled");
	cloudfront_dist_put(tx, d);
	out->MonitoringSubscription = in->MonitoringSubscription;
	return OK;
}

static err no_subscription(req *rq)
{
	return fail(rq, &cloudfront_NoSuchMonitoringSubscription,
	            "A monitoring subscription does not exist for the specified distribution.");
}

err cloudfront_GetMonitoringSubscription(req *rq, const txn *tx,
                                         const cloudfront_GetMonitoringSubscription_in *in,
                                         cloudfront_GetMonitoringSubscription_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->DistributionId, &d));
	if (!d->Monitored.n)
		return no_subscription(rq);
	cloudfront_MonitoringSubscription *m = arena_new(rq->mem, cloudfront_MonitoringSubscription);
	m->RealtimeMetricsSubscriptionConfig = arena_new(rq->mem, cloudfront_RealtimeMetricsSubscriptionConfig);
	m->RealtimeMetricsSubscriptionConfig->RealtimeMetricsSubscriptionStatus = d->Monitored;
	out->MonitoringSubscription = m;
	return OK;
}

err cloudfront_DeleteMonitoringSubscription(req *rq, txn *tx,
                                            const cloudfront_DeleteMonitoringSubscription_in *in,
                                            cloudfront_DeleteMonitoringSubscription_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->DistributionId, &d));
	if (!d->Monitored.n)
		return no_subscription(rq);
	d->Monitored = STR_NONE;
	cloudfront_dist_put(tx, d);
	return OK;
}
