/* Resource servers, whose scopes access tokens may carry, and the identity providers a pool knows. */
#include "pool.h"

static err no_server(req *rq, str id)
{
	return fail(rq, &cognito_idp_ResourceNotFoundException, "Resource server %.*s does not exist.",
	            STR_ARG(id));
}

static err find_server(req *rq, const txn *tx, str pool, str id, idp_pool **p, cognito_idp_server **s)
{
	TRY(idp_pool_find(rq, tx, pool, p));
	*s = cognito_idp_server_get(tx, rq->mem, (*p)->Id, id);
	return *s ? OK : no_server(rq, id);
}

err cognito_idp_CreateResourceServer(req *rq, txn *tx, const cognito_idp_CreateResourceServer_in *in,
                                     cognito_idp_CreateResourceServer_out *out)
{
	idp_pool *p;
	size_t n = 0;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	if (cognito_idp_server_get(tx, rq->mem, p->Id, in->Identifier))
		return fail(rq, &cognito_idp_InvalidParameterException, "%.*s already exists in user pool %.*s.",
		            STR_ARG(in->Identifier), STR_ARG(p->Id));
	record_scan scan = cognito_idp_server_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	while (cognito_idp_server_next(&scan))
		n++;
	if (n >= COGNITO_SERVERS_MAX)
		return fail(rq, &cognito_idp_LimitExceededException, "Maximum number of resource servers exceeded.");
	cognito_idp_ResourceServerType *t = arena_new(rq->mem, cognito_idp_ResourceServerType);
	*t = (cognito_idp_ResourceServerType){
		.UserPoolId = p->Id, .Identifier = in->Identifier, .Name = in->Name, .Scopes = in->Scopes
	};
	cognito_idp_server row = { .Pool = p->Id, .Identifier = in->Identifier, .It = t };
	cognito_idp_server_put(tx, &row);
	out->ResourceServer = t;
	return OK;
}

err cognito_idp_DescribeResourceServer(req *rq, const txn *tx,
                                       const cognito_idp_DescribeResourceServer_in *in,
                                       cognito_idp_DescribeResourceServer_out *out)
{
	idp_pool *p;
	cognito_idp_server *s;
	TRY(find_server(rq, tx, in->UserPoolId, in->Identifier, &p, &s));
	out->ResourceServer = s->It;
	return OK;
}

err cognito_idp_UpdateResourceServer(req *rq, txn *tx, const cognito_idp_UpdateResourceServer_in *in,
                                     cognito_idp_UpdateResourceServer_out *out)
{
	idp_pool *p;
	cognito_idp_server *s;
	TRY(find_server(rq, tx, in->UserPoolId, in->Identifier, &p, &s));
	s->It->Name = in->Name;
	s->It->Scopes = in->Scopes;
	cognito_idp_server_put(tx, s);
	out->ResourceServer = s->It;
	return OK;
}

err cognito_idp_DeleteResourceServer(req *rq, txn *tx, const cognito_idp_DeleteResourceServer_in *in,
                                     cognito_idp_DeleteResourceServer_out *out)
{
	idp_pool *p;
	cognito_idp_server *s;
	(void)out;
	TRY(find_server(rq, tx, in->UserPoolId, in->Identifier, &p, &s));
	cognito_idp_server_delete(tx, p->Id, s->Identifier);
	return OK;
}

err cognito_idp_ListResourceServers(req *rq, const txn *tx, const cognito_idp_ListResourceServers_in *in,
                                    cognito_idp_ListResourceServers_out *out)
{
	idp_pool *p;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : 50;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	record_scan scan = cognito_idp_server_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->ResourceServers.v = arena_array(rq->mem, cognito_idp_ResourceServerType, most + 1);
	for (cognito_idp_server *s; (s = cognito_idp_server_next(&scan));) {
		if (out->ResourceServers.n == most) {
			out->NextToken = page_token(rq, out->ResourceServers.v[most - 1].Identifier);
			break;
		}
		out->ResourceServers.v[out->ResourceServers.n++] = *s->It;
	}
	return OK;
}

static err find_provider(req *rq, const txn *tx, str pool, str name, idp_pool **p, cognito_idp_provider **i)
{
	TRY(idp_pool_find(rq, tx, pool, p));
	*i = cognito_idp_provider_get(tx, rq->mem, (*p)->Id, name);
	return *i ? OK
			  : fail(rq, &cognito_idp_ResourceNotFoundException, "Identity provider %.*s does not exist.",
	                 STR_ARG(name));
}

/* What each kind cannot do without. */
static err check_details(req *rq, str kind, const cognito_idp_ProviderDetailsType *d)
{
	static const struct {
		const char *kind, *needs[4];
	} kinds[] = {
		{ "Facebook", { "client_id", "client_secret", "authorize_scopes" } },
		{ "Google", { "client_id", "client_secret", "authorize_scopes" } },
		{ "LoginWithAmazon", { "client_id", "client_secret", "authorize_scopes" } },
		{ "SignInWithApple", { "client_id", "team_id", "key_id", "authorize_scopes" } },
		{ "OIDC", { "client_id", "attributes_request_method", "oidc_issuer", "authorize_scopes" } },
	};
	bool metadata = false;
	for (size_t i = 0; i < d->n; i++)
		metadata |= str_eq(d->v[i].key, S("MetadataURL")) || str_eq(d->v[i].key, S("MetadataFile"));
	if (str_eq(kind, S("SAML")) && !metadata)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "SAML provider requires either MetadataFile or MetadataURL in the ProviderDetails.");
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		for (size_t n = 0; str_eq(kind, str_c(kinds[k].kind)) && n < 4 && kinds[k].needs[n]; n++) {
			bool has = false;
			for (size_t i = 0; i < d->n; i++)
				has |= str_eq(d->v[i].key, str_c(kinds[k].needs[n])) && d->v[i].value.n;
			if (!has)
				return fail(rq, &cognito_idp_InvalidParameterException,
				            "%s is required in ProviderDetails for "
				            "providers of type %s.",
				            kinds[k].needs[n], kinds[k].kind);
		}
	return OK;
}

err cognito_idp_CreateIdentityProvider(req *rq, txn *tx, const cognito_idp_CreateIdentityProvider_in *in,
                                       cognito_idp_CreateIdentityProvider_out *out)
{
	idp_pool *p;
	size_t n = 0;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	if (cognito_idp_provider_get(tx, rq->mem, p->Id, in->ProviderName))
		return fail(rq, &cognito_idp_DuplicateProviderException,
		            "A provider with the name %.*s already exists.", STR_ARG(in->ProviderName));
	TRY(check_details(rq, in->ProviderType, &in->ProviderDetails));
	record_scan scan = cognito_idp_provider_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	while (cognito_idp_provider_next(&scan))
		n++;
	if (n >= COGNITO_PROVIDERS_MAX)
		return fail(rq, &cognito_idp_LimitExceededException,
		            "Maximum number of identity providers exceeded.");
	cognito_idp_IdentityProviderType *t = arena_new(rq->mem, cognito_idp_IdentityProviderType);
	*t = (cognito_idp_IdentityProviderType){ .UserPoolId = p->Id,
		                                     .ProviderName = in->ProviderName,
		                                     .ProviderType = in->ProviderType,
		                                     .ProviderDetails = in->ProviderDetails,
		                                     .AttributeMapping = in->AttributeMapping,
		                                     .IdpIdentifiers = in->IdpIdentifiers,
		                                     .CreationDate = TIME(rq->now),
		                                     .LastModifiedDate = TIME(rq->now) };
	if (!t->AttributeMapping.n && !str_eq(t->ProviderType, S("SAML"))) {
		t->AttributeMapping.v = arena_new(rq->mem, cognito_idp_AttributeMappingType_entry);
		t->AttributeMapping.v[0] =
			(cognito_idp_AttributeMappingType_entry){ S("username"),
			                                          str_eq(t->ProviderType, S("Facebook")) ? S("id")
			                                              : str_eq(t->ProviderType, S("LoginWithAmazon"))
			                                              ? S("user_id")
			                                              : S("sub") };
		t->AttributeMapping.n = 1;
	}
	cognito_idp_provider row = { .Pool = p->Id, .Name = in->ProviderName, .It = t };
	cognito_idp_provider_put(tx, &row);
	out->IdentityProvider = t;
	return OK;
}

err cognito_idp_DescribeIdentityProvider(req *rq, const txn *tx,
                                         const cognito_idp_DescribeIdentityProvider_in *in,
                                         cognito_idp_DescribeIdentityProvider_out *out)
{
	idp_pool *p;
	cognito_idp_provider *i;
	TRY(find_provider(rq, tx, in->UserPoolId, in->ProviderName, &p, &i));
	out->IdentityProvider = i->It;
	return OK;
}

err cognito_idp_GetIdentityProviderByIdentifier(req *rq, const txn *tx,
                                                const cognito_idp_GetIdentityProviderByIdentifier_in *in,
                                                cognito_idp_GetIdentityProviderByIdentifier_out *out)
{
	idp_pool *p;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	record_scan scan = cognito_idp_provider_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (cognito_idp_provider *i; (i = cognito_idp_provider_next(&scan));)
		if (idp_listed(i->It->IdpIdentifiers.v, i->It->IdpIdentifiers.n, in->IdpIdentifier)) {
			out->IdentityProvider = i->It;
			return OK;
		}
	return fail(rq, &cognito_idp_ResourceNotFoundException, "No identity provider found for identifier %.*s.",
	            STR_ARG(in->IdpIdentifier));
}

err cognito_idp_UpdateIdentityProvider(req *rq, txn *tx, const cognito_idp_UpdateIdentityProvider_in *in,
                                       cognito_idp_UpdateIdentityProvider_out *out)
{
	idp_pool *p;
	cognito_idp_provider *i;
	TRY(find_provider(rq, tx, in->UserPoolId, in->ProviderName, &p, &i));
	if (in->ProviderDetails.v) {
		TRY(check_details(rq, i->It->ProviderType, &in->ProviderDetails));
		i->It->ProviderDetails = in->ProviderDetails;
	}
	if (in->AttributeMapping.v)
		i->It->AttributeMapping = in->AttributeMapping;
	if (in->IdpIdentifiers.v)
		i->It->IdpIdentifiers = in->IdpIdentifiers;
	i->It->LastModifiedDate = TIME(rq->now);
	cognito_idp_provider_put(tx, i);
	out->IdentityProvider = i->It;
	return OK;
}

err cognito_idp_DeleteIdentityProvider(req *rq, txn *tx, const cognito_idp_DeleteIdentityProvider_in *in,
                                       cognito_idp_DeleteIdentityProvider_out *out)
{
	idp_pool *p;
	cognito_idp_provider *i;
	(void)out;
	TRY(find_provider(rq, tx, in->UserPoolId, in->ProviderName, &p, &i));
	cognito_idp_provider_delete(tx, p->Id, i->Name);
	return OK;
}

err cognito_idp_ListIdentityProviders(req *rq, const txn *tx, const cognito_idp_ListIdentityProviders_in *in,
                                      cognito_idp_ListIdentityProviders_out *out)
{
	idp_pool *p;
	size_t most = in->MaxResults.v > 0 ? (size_t)in->MaxResults.v : 60;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	record_scan scan = cognito_idp_provider_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->Providers.v = arena_array(rq->mem, cognito_idp_ProviderDescription, most + 1);
	for (cognito_idp_provider *i; (i = cognito_idp_provider_next(&scan));) {
		if (out->Providers.n == most) {
			out->NextToken = page_token(rq, out->Providers.v[most - 1].ProviderName);
			break;
		}
		out->Providers.v[out->Providers.n++] =
			(cognito_idp_ProviderDescription){ .ProviderName = i->Name,
			                                   .ProviderType = i->It->ProviderType,
			                                   .LastModifiedDate = i->It->LastModifiedDate,
			                                   .CreationDate = i->It->CreationDate };
	}
	return OK;
}
