/* Identity pools and their roles. */
#include "cloud/tags.h"
#include "cloud/target.h"
#include "identity.h"
#include "sys/rand.h"

static err no_pool(req *rq, str id)
{
	return fail(rq, &cognito_identity_ResourceNotFoundException, "IdentityPool '%.*s' not found.",
	            STR_ARG(id));
}

err id_pool_enter(req *rq, const txn *tx, str id, id_pool **out)
{
	*out = cognito_identity_pool_get(tx, rq->mem, id);
	if (!*out)
		return no_pool(rq, id);
	rq->who.account = (*out)->Account;
	rq->region = (*out)->Region;
	return OK;
}

err id_pool_find(req *rq, const txn *tx, str id, id_pool **out)
{
	*out = cognito_identity_pool_get(tx, rq->mem, id);
	bool ours = *out && str_eq((*out)->Account, rq->who.account) && str_eq((*out)->Region, rq->region);
	return ours ? OK : no_pool(rq, id);
}

/* What this server cannot prove is refused when it is set up, not when somebody signs in. */
static err check(req *rq, const cognito_identity_IdentityPool *p)
{
	if (p->SupportedLoginProviders.n || p->OpenIdConnectProviderARNs.n || p->SamlProviderARNs.n)
		return fail(rq, &aws_NotImplemented,
		            "SupportedLoginProviders, OpenIdConnectProviderARNs and "
		            "SamlProviderARNs are not implemented; user pools are (CognitoIdentityProviders).");
	if (str_is(p->DeveloperProviderName))
		return fail(rq, &aws_NotImplemented, "DeveloperProviderName is not implemented.");
	for (size_t i = 0; i < p->CognitoIdentityProviders.n; i++) {
		const cognito_identity_CognitoIdentityProvider *c = &p->CognitoIdentityProviders.v[i];
		if (!str_starts(c->ProviderName, S("cognito-idp.")) || !str_is(c->ClientId))
			return fail(rq, &cognito_identity_InvalidParameterException,
			            "Invalid Cognito Identity Provider: %.*s", STR_ARG(c->ProviderName));
	}
	return OK;
}

static void put_flags(cognito_identity_IdentityPool *p)
{
	p->AllowClassicFlow = BOOL(p->AllowClassicFlow.v);
	for (size_t i = 0; i < p->CognitoIdentityProviders.n; i++)
		p->CognitoIdentityProviders.v[i].ServerSideTokenCheck =
			BOOL(p->CognitoIdentityProviders.v[i].ServerSideTokenCheck.v);
}

err cognito_identity_CreateIdentityPool(req *rq, txn *tx, const cognito_identity_CreateIdentityPool_in *in,
                                        cognito_identity_CreateIdentityPool_out *out)
{
	size_t n = 0;
	cognito_identity_IdentityPool *t = arena_new(rq->mem, cognito_identity_IdentityPool);
	*t = (cognito_identity_IdentityPool){
		.IdentityPoolId = arena_fmt(rq->mem, "%.*s:%.*s", STR_ARG(rq->region), STR_ARG(rand_uuid(rq->mem))),
		.IdentityPoolName = in->IdentityPoolName,
		.AllowUnauthenticatedIdentities = in->AllowUnauthenticatedIdentities,
		.AllowClassicFlow = in->AllowClassicFlow,
		.SupportedLoginProviders = in->SupportedLoginProviders,
		.DeveloperProviderName = in->DeveloperProviderName,
		.OpenIdConnectProviderARNs = in->OpenIdConnectProviderARNs,
		.CognitoIdentityProviders = in->CognitoIdentityProviders,
		.SamlProviderARNs = in->SamlProviderARNs,
		.IdentityPoolTags = in->IdentityPoolTags
	};
	TRY(check(rq, t));
	put_flags(t);
	record_scan scan = cognito_identity_owned_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (cognito_identity_owned_next(&scan))
		n++;
	if (n >= COGNITO_IDENTITY_POOLS_MAX)
		return fail(rq, &cognito_identity_LimitExceededException,
		            "Maximum number of identity pools exceeded.");
	id_pool p = {
		.Id = t->IdentityPoolId, .Account = rq->who.account, .Region = rq->region, .It = t, .Created = rq->now
	};
	cognito_identity_owned o = { .Account = p.Account, .Region = p.Region, .Id = p.Id, .Since = rq->now };
	cognito_identity_pool_put(tx, &p);
	cognito_identity_owned_put(tx, &o);
	*out = *t;
	return OK;
}

err cognito_identity_DescribeIdentityPool(req *rq, const txn *tx,
                                          const cognito_identity_DescribeIdentityPool_in *in,
                                          cognito_identity_DescribeIdentityPool_out *out)
{
	id_pool *p;
	TRY(id_pool_find(rq, tx, in->IdentityPoolId, &p));
	*out = *p->It;
	return OK;
}

err cognito_identity_UpdateIdentityPool(req *rq, txn *tx, const cognito_identity_UpdateIdentityPool_in *in,
                                        cognito_identity_UpdateIdentityPool_out *out)
{
	id_pool *p;
	TRY(id_pool_find(rq, tx, in->IdentityPoolId, &p));
	cognito_identity_IdentityPool *t = arena_new(rq->mem, cognito_identity_IdentityPool);
	*t = *in;
	if (!t->IdentityPoolTags.v)
		t->IdentityPoolTags = p->It->IdentityPoolTags;
	TRY(check(rq, t));
	put_flags(t);
	p->It = t;
	cognito_identity_pool_put(tx, p);
	*out = *t;
	return OK;
}

err cognito_identity_DeleteIdentityPool(req *rq, txn *tx, const cognito_identity_DeleteIdentityPool_in *in,
                                        cognito_identity_DeleteIdentityPool_out *out)
{
	id_pool *p;
	(void)out;
	TRY(id_pool_find(rq, tx, in->IdentityPoolId, &p));
	record_scan scan = cognito_identity_member_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (cognito_identity_member *m; (m = cognito_identity_member_next(&scan));) {
		cognito_identity_identity_delete(tx, m->Identity);
		cognito_identity_member_delete(tx, p->Id, m->Identity);
	}
	record_scan logins = cognito_identity_login_scan(tx, rq->mem, 1, p->Id, STR_NONE, STR_NONE);
	for (cognito_identity_login *l; (l = cognito_identity_login_next(&logins));)
		cognito_identity_login_delete(tx, p->Id, l->Provider, l->Subject);
	cognito_identity_owned_delete(tx, p->Account, p->Region, p->Id);
	cognito_identity_pool_delete(tx, p->Id);
	return OK;
}

err cognito_identity_ListIdentityPools(req *rq, const txn *tx,
                                       const cognito_identity_ListIdentityPools_in *in,
                                       cognito_identity_ListIdentityPools_out *out)
{
	str after;
	size_t most = (size_t)in->MaxResults.v;
	record_scan scan = cognito_identity_owned_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &cognito_identity_InvalidParameterException, "Invalid NextToken.");
		record_scan_after(&scan, after);
	}
	out->IdentityPools.v = arena_array(rq->mem, cognito_identity_IdentityPoolShortDescription, most + 1);
	for (cognito_identity_owned *o; (o = cognito_identity_owned_next(&scan));) {
		if (out->IdentityPools.n == most) {
			out->NextToken = page_token(rq, out->IdentityPools.v[most - 1].IdentityPoolId);
			break;
		}
		const id_pool *p = cognito_identity_pool_get(tx, rq->mem, o->Id);
		out->IdentityPools.v[out->IdentityPools.n++] =
			(cognito_identity_IdentityPoolShortDescription){ .IdentityPoolId = p->Id,
			                                                 .IdentityPoolName = p->It->IdentityPoolName };
	}
	return OK;
}

err cognito_identity_SetIdentityPoolRoles(req *rq, txn *tx,
                                          const cognito_identity_SetIdentityPoolRoles_in *in,
                                          cognito_identity_SetIdentityPoolRoles_out *out)
{
	id_pool *p;
	(void)out;
	TRY(id_pool_find(rq, tx, in->IdentityPoolId, &p));
	for (size_t i = 0; i < in->RoleMappings.n; i++) {
		const cognito_identity_RoleMapping *m = &in->RoleMappings.v[i].value;
		if (str_eq(m->Type, S("Rules")) && !m->RulesConfiguration)
			return fail(rq, &cognito_identity_InvalidParameterException,
			            "RulesConfiguration is required for role mappings of type Rules.");
		if (!str_is(m->AmbiguousRoleResolution))
			return fail(rq, &cognito_identity_InvalidParameterException,
			            "AmbiguousRoleResolution is required for role mappings.");
	}
	p->Roles = in->Roles;
	p->Mappings = in->RoleMappings;
	cognito_identity_pool_put(tx, p);
	return OK;
}

err cognito_identity_GetIdentityPoolRoles(req *rq, const txn *tx,
                                          const cognito_identity_GetIdentityPoolRoles_in *in,
                                          cognito_identity_GetIdentityPoolRoles_out *out)
{
	id_pool *p;
	TRY(id_pool_find(rq, tx, in->IdentityPoolId, &p));
	out->IdentityPoolId = p->Id;
	out->Roles = p->Roles;
	out->RoleMappings = p->Mappings;
	return OK;
}

static const tag_rules rules = {
	.most = 50,
	.too_many = { &cognito_identity_InvalidParameterException, "An identity pool has at most 50 tags." },
	.reserved = { &cognito_identity_InvalidParameterException, "Tag keys cannot begin with aws:." },
};

static err find_arn(req *rq, const txn *tx, str arn, id_pool **p)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("identitypool/")))
		return fail(rq, &cognito_identity_InvalidParameterException, "Invalid ARN: %.*s", STR_ARG(arn));
	return id_pool_find(rq, tx, str_sub(a.resource, 13, a.resource.n), p);
}

err cognito_identity_TagResource(req *rq, txn *tx, const cognito_identity_TagResource_in *in,
                                 cognito_identity_TagResource_out *out)
{
	id_pool *p;
	(void)out;
	TRY(find_arn(rq, tx, in->ResourceArn, &p));
	TRY(tags_add(rq, &rules, TAGS(&p->It->IdentityPoolTags, key), TAGS(&in->Tags, key)));
	cognito_identity_pool_put(tx, p);
	return OK;
}

err cognito_identity_UntagResource(req *rq, txn *tx, const cognito_identity_UntagResource_in *in,
                                   cognito_identity_UntagResource_out *out)
{
	id_pool *p;
	(void)out;
	TRY(find_arn(rq, tx, in->ResourceArn, &p));
	tags_drop(TAGS(&p->It->IdentityPoolTags, key), in->TagKeys.v, in->TagKeys.n);
	cognito_identity_pool_put(tx, p);
	return OK;
}

err cognito_identity_ListTagsForResource(req *rq, const txn *tx,
                                         const cognito_identity_ListTagsForResource_in *in,
                                         cognito_identity_ListTagsForResource_out *out)
{
	id_pool *p;
	TRY(find_arn(rq, tx, in->ResourceArn, &p));
	out->Tags = p->It->IdentityPoolTags;
	if (!out->Tags.v)
		out->Tags.v = arena_new(rq->mem, cognito_identity_IdentityPoolTagsType_entry);
	return OK;
}
