/* Distributions: making, changing, showing and ending them. What they serve is in plane.c. */
#include "cdn.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/firewall.h"
#include "cloud/server.h"
#include "cloud/tags.h"
#include "sys/rand.h"

/* AWS takes minutes to reach every edge; the one here takes changes at once and says so after a moment. */
#define DEPLOYING (5 * MS_SECOND)

static const tag_rules rules = { 50, { &cloudfront_InvalidTagging, "Your request contains too many tags." },
	                         { &cloudfront_InvalidTagging, "Your request contains duplicate tag keys." },
	                         { &cloudfront_InvalidTagging, "Tag keys must not begin with aws:." }, false };

str cf_arn(arena *mem, const cloudfront_dist *d)
{
	return arena_fmt(mem, "arn:aws:cloudfront::%.*s:distribution/%.*s", STR_ARG(d->Account), STR_ARG(d->Id));
}

/* As a browser and curl resolve it, with our port. */
str cf_domain(arena *mem, const cloudfront_dist *d)
{
	str endpoint = server_endpoint(), port = S("");
	for (size_t i = endpoint.n; i--;)
		if (endpoint.p[i] == ':') {
			port = str_sub(endpoint, i, endpoint.n);
			break;
		}
	return arena_fmt(mem, "%.*s.cloudfront.localhost%.*s", STR_ARG(d->Label), STR_ARG(port));
}

const char *cf_status(const cloudfront_dist *d, int64_t now)
{
	return now < d->Ready ? "InProgress" : "Deployed";
}

err cf_dist(req *rq, const txn *tx, str id, cloudfront_dist **out)
{
	*out = id.n > 64 ? NULL : cloudfront_dist_get(tx, rq->mem, rq->who.account, id);
	return *out ? OK : fail(rq, &cloudfront_NoSuchDistribution, "The specified distribution does not exist.");
}

static cloudfront_ActiveTrustedKeyGroups *active_groups(req *rq, const txn *tx, const cloudfront_dist *d)
{
	arena *mem = rq->mem;
	const cloudfront_CacheBehavior *b;
	size_t n = cf_behaviors(mem, d->Config, &b), most = 0;
	for (size_t i = 0; i < n; i++)
		most += b[i].TrustedKeyGroups ? b[i].TrustedKeyGroups->Items.n : 0;
	cloudfront_ActiveTrustedKeyGroups *out = arena_new(mem, cloudfront_ActiveTrustedKeyGroups);
	if (most)
		out->Items.v = arena_array(mem, cloudfront_KGKeyPairIds, most);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; b[i].TrustedKeyGroups && k < b[i].TrustedKeyGroups->Items.n; k++) {
			str id = b[i].TrustedKeyGroups->Items.v[k];
			bool had = false;
			for (size_t j = 0; j < out->Items.n; j++)
				had |= str_eq(out->Items.v[j].KeyGroupId, id);
			cloudfront_thing *g = had ? NULL : cf_named(mem, tx, d->Account, CF_GROUP, id);
			if (!g)
				continue;
			cloudfront_KGKeyPairIds *to = &out->Items.v[out->Items.n++];
			to->KeyGroupId = id;
			to->KeyPairIds = arena_new(mem, cloudfront_KeyPairIds);
			to->KeyPairIds->Quantity = I64((int64_t)g->Group->Items.n);
			to->KeyPairIds->Items.v = g->Group->Items.v;
			to->KeyPairIds->Items.n = g->Group->Items.n;
		}
	out->Enabled = BOOL(out->Items.n > 0);
	out->Quantity = I64((int64_t)out->Items.n);
	return out;
}

static cloudfront_Distribution *show(req *rq, const txn *tx, const cloudfront_dist *d)
{
	cloudfront_Distribution *out = arena_new(rq->mem, cloudfront_Distribution);
	*out = (cloudfront_Distribution){ .Id = d->Id, .ARN = cf_arn(rq->mem, d),
		.Status = str_c(cf_status(d, rq->now)), .LastModifiedTime = TIME(d->Modified),
		.InProgressInvalidationBatches = I64(cf_in_progress(rq, tx, d->Id)),
		.DomainName = cf_domain(rq->mem, d), .ActiveTrustedKeyGroups = active_groups(rq, tx, d),
		.DistributionConfig = d->Config };
	out->ActiveTrustedSigners = arena_new(rq->mem, cloudfront_ActiveTrustedSigners);
	*out->ActiveTrustedSigners =
		(cloudfront_ActiveTrustedSigners){ .Enabled = BOOL(false), .Quantity = I64(0) };
	const cloudfront_AliasList *names = &d->Config->Aliases->Items;
	if (names->n)
		out->AliasICPRecordals.v = arena_array(rq->mem, cloudfront_AliasICPRecordal, names->n);
	for (size_t i = 0; i < names->n; i++)
		out->AliasICPRecordals.v[out->AliasICPRecordals.n++] =
			(cloudfront_AliasICPRecordal){ .CNAME = names->v[i], .ICPRecordalStatus = S("APPROVED") };
	return out;
}

static void take_name(txn *tx, const cloudfront_dist *d, str name)
{
	name = arena_lower(txn_arena(tx), name);
	cloudfront_host_put(tx, &(cloudfront_host){ .Name = name, .Account = d->Account, .Id = d->Id });
	cf_host_remember(name);
}

static void name_aliases(txn *tx, const cloudfront_dist *d, bool taken)
{
	const cloudfront_AliasList *l = &d->Config->Aliases->Items;
	for (size_t i = 0; i < l->n; i++)
		if (taken)
			take_name(tx, d, l->v[i]);
		else
			cloudfront_host_delete(tx, arena_lower(txn_arena(tx), l->v[i]));
}

static bool same_config(req *rq, const cloudfront_DistributionConfig *a,
                        const cloudfront_DistributionConfig *b)
{
	buf x = buf_in(rq->mem, 4096, (size_t)4 << 20), y = buf_in(rq->mem, 4096, (size_t)4 << 20);
	json_encode_value(&x, &cloudfront_DistributionConfig_shape, a);
	json_encode_value(&y, &cloudfront_DistributionConfig_shape, b);
	return str_eq(buf_str(&x), buf_str(&y));
}

/* The same request again is the same distribution; another one under its reference is refused. */
static err asked_before(req *rq, const txn *tx, const cloudfront_DistributionConfig *c, cloudfront_dist **out)
{
	size_t n = 0;
	record_scan s = cloudfront_dist_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	*out = NULL;
	for (cloudfront_dist *d; (d = cloudfront_dist_next(&s)); n++) {
		if (!str_eq(d->Config->CallerReference, c->CallerReference))
			continue;
		if (!same_config(rq, d->Config, c))
			return fail(rq, &cloudfront_DistributionAlreadyExists,
			            "The caller reference that you are using to create a distribution is associated with "
			            "another distribution. Already exists: %.*s", STR_ARG(d->Id));
		*out = d;
		return OK;
	}
	if (n >= CF_DISTRIBUTIONS_MAX)
		return fail(rq, &cloudfront_TooManyDistributions,
		            "Processing your request would cause you to exceed the maximum number of distributions "
		            "allowed.");
	return OK;
}

static err create(req *rq, txn *tx, cloudfront_DistributionConfig *c, const cloudfront_Tags *tags,
                  cloudfront_dist **out)
{
	TRY(cf_check(rq, tx, STR_NONE, c));
	if (tags)
		TRY(tags_check(rq, &rules, TAGS(&tags->Items, Key)));
	cf_complete(rq->mem, c);
	TRY(asked_before(rq, tx, c, out));
	if (*out)
		return OK;
	cloudfront_dist *d = arena_new(rq->mem, cloudfront_dist);
	*d = (cloudfront_dist){ .Account = rq->who.account, .Id = cf_id(rq), .ETag = cf_etag(rq), .Config = c,
		.Modified = rq->now, .Ready = rq->now + DEPLOYING };
	d->Label = arena_concat(rq->mem, S("d"),
	                        rand_text(rq->mem, 13, S("abcdefghijklmnopqrstuvwxyz0123456789")));
	if (tags) {
		d->Tags.v = tags->Items.v;
		d->Tags.n = tags->Items.n;
	}
	cloudfront_dist_put(tx, d);
	firewall_stands(tx, cf_arn(rq->mem, d), c->WebACLId);
	take_name(tx, d, d->Label);
	take_name(tx, d, d->Id);
	name_aliases(tx, d, true);
	*out = d;
	return OK;
}

err cloudfront_CreateDistribution(req *rq, txn *tx, const cloudfront_CreateDistribution_in *in,
                                  cloudfront_CreateDistribution_out *out)
{
	cloudfront_dist *d;
	TRY(create(rq, tx, in->DistributionConfig, NULL, &d));
	out->Distribution = show(rq, tx, d);
	out->ETag = d->ETag;
	out->Location = cf_location(rq, "distribution", d->Id);
	return OK;
}

err cloudfront_CreateDistributionWithTags(req *rq, txn *tx,
                                          const cloudfront_CreateDistributionWithTags_in *in,
                                          cloudfront_CreateDistributionWithTags_out *out)
{
	cloudfront_dist *d;
	TRY(create(rq, tx, in->DistributionConfigWithTags->DistributionConfig,
	           in->DistributionConfigWithTags->Tags, &d));
	out->Distribution = show(rq, tx, d);
	out->ETag = d->ETag;
	out->Location = cf_location(rq, "distribution", d->Id);
	return OK;
}

err cloudfront_GetDistribution(req *rq, const txn *tx, const cloudfront_GetDistribution_in *in,
                               cloudfront_GetDistribution_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->Id, &d));
	out->Distribution = show(rq, tx, d);
	out->ETag = d->ETag;
	return OK;
}

err cloudfront_GetDistributionConfig(req *rq, const txn *tx, const cloudfront_GetDistributionConfig_in *in,
                                     cloudfront_GetDistributionConfig_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->Id, &d));
	out->DistributionConfig = d->Config;
	out->ETag = d->ETag;
	return OK;
}

err cloudfront_UpdateDistribution(req *rq, txn *tx, const cloudfront_UpdateDistribution_in *in,
                                  cloudfront_UpdateDistribution_out *out)
{
	cloudfront_dist *d;
	TRY(cf_match_given(rq, in->IfMatch));
	TRY(cf_dist(rq, tx, in->Id, &d));
	TRY(cf_match(rq, in->IfMatch, d->ETag));
	if (!str_eq(in->DistributionConfig->CallerReference, d->Config->CallerReference))
		return fail(rq, &cloudfront_IllegalUpdate, "The update contains modifications that are not allowed.");
	TRY(cf_check(rq, tx, d->Id, in->DistributionConfig));
	cf_complete(rq->mem, in->DistributionConfig);
	name_aliases(tx, d, false);
	d->Config = in->DistributionConfig;
	d->ETag = cf_etag(rq);
	d->Modified = rq->now;
	d->Ready = rq->now + DEPLOYING;
	name_aliases(tx, d, true);
	cloudfront_dist_put(tx, d);
	firewall_stands(tx, cf_arn(rq->mem, d), d->Config->WebACLId);
	out->Distribution = show(rq, tx, d);
	out->ETag = d->ETag;
	return OK;
}

err cloudfront_DeleteDistribution(req *rq, txn *tx, const cloudfront_DeleteDistribution_in *in,
                                  cloudfront_DeleteDistribution_out *out)
{
	cloudfront_dist *d;
	TRY(cf_match_given(rq, in->IfMatch));
	TRY(cf_dist(rq, tx, in->Id, &d));
	TRY(cf_match(rq, in->IfMatch, d->ETag));
	if (d->Config->Enabled.v || rq->now < d->Ready)
		return fail(rq, &cloudfront_DistributionNotDisabled,
		            "The distribution you are trying to delete has not been disabled.");
	name_aliases(tx, d, false);
	cloudfront_host_delete(tx, d->Label);
	cloudfront_host_delete(tx, arena_lower(rq->mem, d->Id));
	record_scan s = cloudfront_invalidation_scan(tx, rq->mem, 1, d->Id, 0);
	for (cloudfront_invalidation *i; (i = cloudfront_invalidation_next(&s));) {
		cloudfront_invalidated_delete(tx, d->Id, i->Id);
		cloudfront_invalidation_delete(tx, d->Id, i->Seq);
	}
	firewall_gone(tx, cf_arn(rq->mem, d));
	cloudfront_dist_delete(tx, d->Account, d->Id);
	return OK;
}

static err wall_in(req *rq, txn *tx, str id, str match, str acl, cloudfront_dist **out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, id, &d));
	if (str_is(match))
		TRY(cf_match(rq, match, d->ETag));
	if (acl.n && !firewall_usable(tx, rq->mem, rq->who.account, acl))
		return fail(rq, &cloudfront_EntityNotFound, "Web ACL is not accessible by the requester.");
	d->Config->WebACLId = acl;
	d->ETag = cf_etag(rq);
	d->Modified = rq->now;
	d->Ready = rq->now + DEPLOYING;
	cloudfront_dist_put(tx, d);
	firewall_stands(tx, cf_arn(rq->mem, d), acl);
	*out = d;
	return OK;
}

err cloudfront_AssociateDistributionWebACL(req *rq, txn *tx,
	const cloudfront_AssociateDistributionWebACL_in *in,
                                           cloudfront_AssociateDistributionWebACL_out *out)
{
	cloudfront_dist *d;
	TRY(wall_in(rq, tx, in->Id, in->IfMatch, in->WebACLArn, &d));
	out->Id = d->Id;
	out->WebACLArn = in->WebACLArn;
	out->ETag = d->ETag;
	return OK;
}

err cloudfront_DisassociateDistributionWebACL(req *rq, txn *tx,
                                              const cloudfront_DisassociateDistributionWebACL_in *in,
                                              cloudfront_DisassociateDistributionWebACL_out *out)
{
	cloudfront_dist *d;
	TRY(wall_in(rq, tx, in->Id, in->IfMatch, S(""), &d));
	out->Id = d->Id;
	out->ETag = d->ETag;
	return OK;
}

err cloudfront_AssociateAlias(req *rq, txn *tx, const cloudfront_AssociateAlias_in *in,
                              cloudfront_AssociateAlias_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->TargetDistributionId, &d));
	cloudfront_host *h = cloudfront_host_get(tx, rq->mem, arena_lower(rq->mem, in->Alias));
	cloudfront_dist *from = h && str_eq(h->Account, d->Account) ?
		cloudfront_dist_get(tx, rq->mem, h->Account, h->Id) : NULL;
	if (from && str_eq(from->Id, d->Id))
		return OK;
	if (!from)
		return fail(rq, &cloudfront_IllegalUpdate,
		            "The alias is not associated with another distribution of this account.");
	cloudfront_AliasList *had = &from->Config->Aliases->Items, *to = &d->Config->Aliases->Items;
	str *names = arena_array(rq->mem, str, to->n + 1);
	for (size_t i = 0; i < to->n; i++)
		names[i] = to->v[i];
	names[to->n] = in->Alias;
	*to = (cloudfront_AliasList){ names, to->n + 1 };
	d->Config->Aliases->Quantity = I64((int64_t)to->n);
	TRY(cf_check_certificate(rq, tx, d->Config));
	size_t kept = 0;
	for (size_t i = 0; i < had->n; i++)
		if (!str_eq_nocase(had->v[i], in->Alias))
			had->v[kept++] = had->v[i];
	had->n = kept;
	from->Config->Aliases->Quantity = I64((int64_t)kept);
	cloudfront_dist *both[] = { from, d };
	for (int i = 0; i < 2; i++) {
		both[i]->ETag = cf_etag(rq);
		both[i]->Modified = rq->now;
		both[i]->Ready = rq->now + DEPLOYING;
		cloudfront_dist_put(tx, both[i]);
	}
	take_name(tx, d, in->Alias);
	return OK;
}

static err tagged(req *rq, const txn *tx, str arn, cloudfront_dist **out)
{
	str mine = arena_fmt(rq->mem, "arn:aws:cloudfront::%.*s:distribution/", STR_ARG(rq->who.account));
	*out = str_starts(arn, mine) && arn.n < mine.n + 64 ?
		cloudfront_dist_get(tx, rq->mem, rq->who.account, str_sub(arn, mine.n, arn.n)) : NULL;
	return *out ? OK : fail(rq, &cloudfront_NoSuchResource, "The specified resource does not exist.");
}

err cloudfront_ListTagsForResource(req *rq, const txn *tx, const cloudfront_ListTagsForResource_in *in,
                                   cloudfront_ListTagsForResource_out *out)
{
	cloudfront_dist *d;
	TRY(tagged(rq, tx, in->Resource, &d));
	out->Tags = arena_new(rq->mem, cloudfront_Tags);
	out->Tags->Items = d->Tags;
	tags_shown(rq, TAGS(&out->Tags->Items, Key));
	return OK;
}

err cloudfront_TagResource(req *rq, txn *tx, const cloudfront_TagResource_in *in,
                           cloudfront_TagResource_out *out)
{
	cloudfront_dist *d;
	TRY(tagged(rq, tx, in->Resource, &d));
	TRY(tags_add(rq, &rules, TAGS(&d->Tags, Key), TAGS(&in->Tags->Items, Key)));
	cloudfront_dist_put(tx, d);
	return OK;
}

err cloudfront_UntagResource(req *rq, txn *tx, const cloudfront_UntagResource_in *in,
                             cloudfront_UntagResource_out *out)
{
	cloudfront_dist *d;
	TRY(tagged(rq, tx, in->Resource, &d));
	tags_drop(TAGS(&d->Tags, Key), in->TagKeys->Items.v, in->TagKeys->Items.n);
	cloudfront_dist_put(tx, d);
	return OK;
}
