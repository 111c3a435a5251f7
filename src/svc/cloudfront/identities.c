/* Origin access controls and identities: as whom CloudFront asks a bucket. */
#include "cdn.h"
#include "base/digest.h"
#include "base/text.h"

static void show_control(req *rq, const cloudfront_thing *t, cloudfront_OriginAccessControl **out)
{
	*out = arena_new(rq->mem, cloudfront_OriginAccessControl);
	**out = (cloudfront_OriginAccessControl){ .Id = t->Id, .OriginAccessControlConfig = t->Control };
}

err cloudfront_CreateOriginAccessControl(req *rq, txn *tx, const cloudfront_CreateOriginAccessControl_in *in,
                         cloudfront_CreateOriginAccessControl_out *out)
{
	cloudfront_thing *t;
	TRY(cf_new(rq, tx, CF_CONTROL, in->OriginAccessControlConfig->Name, &t));
	t->Control = in->OriginAccessControlConfig;
	cloudfront_thing_put(tx, t);
	show_control(rq, t, &out->OriginAccessControl);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "origin-access-control", t->Id);
	return OK;
}

err cloudfront_GetOriginAccessControl(req *rq, const txn *tx, const cloudfront_GetOriginAccessControl_in *in,
                      cloudfront_GetOriginAccessControl_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_CONTROL, in->Id, &t));
	show_control(rq, t, &out->OriginAccessControl);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetOriginAccessControlConfig(req *rq, const txn *tx,
                                            const cloudfront_GetOriginAccessControlConfig_in *in,
                                            cloudfront_GetOriginAccessControlConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_CONTROL, in->Id, &t));
	out->OriginAccessControlConfig = t->Control;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdateOriginAccessControl(req *rq, txn *tx, const cloudfront_UpdateOriginAccessControl_in *in,
                         cloudfront_UpdateOriginAccessControl_out *out)
{
	cloudfront_thing *t;
	TRY(cf_change(rq, tx, CF_CONTROL, in->Id, in->IfMatch, in->OriginAccessControlConfig->Name, &t));
	t->Control = in->OriginAccessControlConfig;
	cloudfront_thing_put(tx, t);
	show_control(rq, t, &out->OriginAccessControl);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeleteOriginAccessControl(req *rq, txn *tx, const cloudfront_DeleteOriginAccessControl_in *in,
                         cloudfront_DeleteOriginAccessControl_out *out)
{
	return cf_remove(rq, tx, CF_CONTROL, in->Id, in->IfMatch);
}

err cloudfront_ListOriginAccessControls(req *rq, const txn *tx,
                                        const cloudfront_ListOriginAccessControls_in *in,
                                        cloudfront_ListOriginAccessControls_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_CONTROL, STR_NONE, in->Marker, in->MaxItems, &p));
	cloudfront_OriginAccessControlList *l = arena_new(rq->mem, cloudfront_OriginAccessControlList);
	*l = (cloudfront_OriginAccessControlList){ .Marker = p.after, .NextMarker = p.next,
		.MaxItems = I64(p.most), .IsTruncated = BOOL(str_is(p.next)), .Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_OriginAccessControlSummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		const cloudfront_OriginAccessControlConfig *c = p.v[i]->Control;
		l->Items.v[i] = (cloudfront_OriginAccessControlSummary){ .Id = p.v[i]->Id, .Name = c->Name,
			.Description = str_is(c->Description) ? c->Description : S(""),
			.SigningProtocol = c->SigningProtocol, .SigningBehavior = c->SigningBehavior,
			.OriginAccessControlOriginType = c->OriginAccessControlOriginType };
	}
	out->OriginAccessControlList = l;
	return OK;
}

static str canonical(req *rq, str id)
{
	return arena_concat(rq->mem, str_sub(sha256_hex(rq->mem, id), 0, 32), sha256_hex(rq->mem, id));
}

static void show_identity(req *rq, const cloudfront_thing *t, cloudfront_CloudFrontOriginAccessIdentity **out)
{
	*out = arena_new(rq->mem, cloudfront_CloudFrontOriginAccessIdentity);
	**out = (cloudfront_CloudFrontOriginAccessIdentity){ .Id = t->Id,
		.S3CanonicalUserId = canonical(rq, t->Id), .CloudFrontOriginAccessIdentityConfig = t->Identity };
}

/* The same request again is the same identity. */
static bool asked_before(req *rq, const txn *tx, const cloudfront_CloudFrontOriginAccessIdentityConfig *c,
                         cloudfront_thing **out)
{
	*out = cf_by_name(rq, tx, CF_IDENTITY, c->CallerReference);
	return *out && str_eq((*out)->Identity->Comment, c->Comment);
}

err cloudfront_CreateCloudFrontOriginAccessIdentity(
	req *rq, txn *tx, const cloudfront_CreateCloudFrontOriginAccessIdentity_in *in,
	cloudfront_CreateCloudFrontOriginAccessIdentity_out *out)
{
	cloudfront_thing *t;
	const cloudfront_CloudFrontOriginAccessIdentityConfig *c = in->CloudFrontOriginAccessIdentityConfig;
	if (!asked_before(rq, tx, c, &t))
		TRY(cf_new(rq, tx, CF_IDENTITY, c->CallerReference, &t));
	t->Identity = in->CloudFrontOriginAccessIdentityConfig;
	cloudfront_thing_put(tx, t);
	show_identity(rq, t, &out->CloudFrontOriginAccessIdentity);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "origin-access-identity/cloudfront", t->Id);
	return OK;
}

err cloudfront_GetCloudFrontOriginAccessIdentity(req *rq, const txn *tx,
                                                 const cloudfront_GetCloudFrontOriginAccessIdentity_in *in,
                                                 cloudfront_GetCloudFrontOriginAccessIdentity_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_IDENTITY, in->Id, &t));
	show_identity(rq, t, &out->CloudFrontOriginAccessIdentity);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetCloudFrontOriginAccessIdentityConfig(
	req *rq, const txn *tx, const cloudfront_GetCloudFrontOriginAccessIdentityConfig_in *in,
	cloudfront_GetCloudFrontOriginAccessIdentityConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_IDENTITY, in->Id, &t));
	out->CloudFrontOriginAccessIdentityConfig = t->Identity;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdateCloudFrontOriginAccessIdentity(
	req *rq, txn *tx, const cloudfront_UpdateCloudFrontOriginAccessIdentity_in *in,
	cloudfront_UpdateCloudFrontOriginAccessIdentity_out *out)
{
	cloudfront_thing *t;
	const cloudfront_CloudFrontOriginAccessIdentityConfig *c = in->CloudFrontOriginAccessIdentityConfig;
	TRY(cf_find(rq, tx, CF_IDENTITY, in->Id, &t));
	if (!str_eq(c->CallerReference, t->Identity->CallerReference))
		return fail(rq, &cloudfront_IllegalUpdate, "The CallerReference of an identity cannot be changed.");
	TRY(cf_change(rq, tx, CF_IDENTITY, in->Id, in->IfMatch, c->CallerReference, &t));
	t->Identity = in->CloudFrontOriginAccessIdentityConfig;
	cloudfront_thing_put(tx, t);
	show_identity(rq, t, &out->CloudFrontOriginAccessIdentity);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeleteCloudFrontOriginAccessIdentity(
	req *rq, txn *tx, const cloudfront_DeleteCloudFrontOriginAccessIdentity_in *in,
	cloudfront_DeleteCloudFrontOriginAccessIdentity_out *out)
{
	return cf_remove(rq, tx, CF_IDENTITY, in->Id, in->IfMatch);
}

err cloudfront_ListCloudFrontOriginAccessIdentities(
	req *rq, const txn *tx, const cloudfront_ListCloudFrontOriginAccessIdentities_in *in,
	cloudfront_ListCloudFrontOriginAccessIdentities_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_IDENTITY, STR_NONE, in->Marker, in->MaxItems, &p));
	cloudfront_CloudFrontOriginAccessIdentityList *l =
		arena_new(rq->mem, cloudfront_CloudFrontOriginAccessIdentityList);
	*l = (cloudfront_CloudFrontOriginAccessIdentityList){ .Marker = p.after, .NextMarker = p.next,
		.MaxItems = I64(p.most), .IsTruncated = BOOL(str_is(p.next)), .Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_CloudFrontOriginAccessIdentitySummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++)
		l->Items.v[i] = (cloudfront_CloudFrontOriginAccessIdentitySummary){ .Id = p.v[i]->Id,
			.S3CanonicalUserId = canonical(rq, p.v[i]->Id), .Comment = p.v[i]->Identity->Comment };
	out->CloudFrontOriginAccessIdentityList = l;
	return OK;
}
