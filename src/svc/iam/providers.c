/*
 * Identity providers: OpenID Connect, whose tokens STS verifies, and SAML, as descriptions.
 */
#include "base/time.h"
#include "cloud/tags.h"
#include "entity.h"
#include "sys/rand.h"

#define THUMBPRINTS_MAX 5
#define CLIENTS_MAX 100

static err find_provider(req *rq, const txn *tx, str arn, iam_provider **out)
{
	*out = iam_provider_get(tx, rq->mem, rq->who.account, arn);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "OpenIDConnect Provider not found for arn %.*s",
	            STR_ARG(arn));
}

err iam_CreateOpenIDConnectProvider(req *rq, txn *tx, const iam_CreateOpenIDConnectProvider_in *in,
                                    iam_CreateOpenIDConnectProvider_out *out)
{
	if (!str_starts(in->Url, S("https://")))
		return fail(rq, &aws_ValidationException, "Invalid Open ID Connect Provider URL");
	if (in->ThumbprintList.n > THUMBPRINTS_MAX)
		return fail(rq, &iam_InvalidInputException, "Thumbprint list must contain fewer than 5 entries.");
	if (in->ClientIDList.n > CLIENTS_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", CLIENTS_MAX);
	str url = str_sub(in->Url, 8, in->Url.n);
	str arn = arena_fmt(rq->mem, "arn:aws:iam::%.*s:oidc-provider/%.*s", STR_ARG(rq->who.account),
	                    STR_ARG(url));
	if (iam_provider_get(tx, rq->mem, rq->who.account, arn))
		return fail(rq, &iam_EntityAlreadyExistsException,
		            "Provider with url %.*s already exists.", STR_ARG(in->Url));
	if (IAM_COUNT(provider, tx, rq->mem, rq->who.account, IAM_PROVIDERS_MAX) == IAM_PROVIDERS_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "Cannot exceed quota for OpenIdConnectProvidersPerAccount: %d", IAM_PROVIDERS_MAX);
	iam_provider p = { .Account = rq->who.account, .Arn = arn, .Url = url, .Clients = in->ClientIDList,
		           .Thumbprints = in->ThumbprintList, .Created = rq->now };
	TRY(iam_tags_merge(rq, &p.Tags, &in->Tags));
	iam_provider_put(tx, &p);
	out->OpenIDConnectProviderArn = arn;
	out->Tags = p.Tags;
	return OK;
}

err iam_GetOpenIDConnectProvider(req *rq, const txn *tx, const iam_GetOpenIDConnectProvider_in *in,
                                 iam_GetOpenIDConnectProvider_out *out)
{
	iam_provider *p;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	out->Url = p->Url;
	out->ClientIDList = p->Clients;
	out->ThumbprintList = p->Thumbprints;
	out->CreateDate = TIME(p->Created);
	out->Tags = p->Tags;
	tags_shown(rq, TAGS(&out->Tags, Key));
	if (!out->ClientIDList.v)
		out->ClientIDList.v = arena_new(rq->mem, str);
	return OK;
}

err iam_ListOpenIDConnectProviders(req *rq, const txn *tx, const iam_ListOpenIDConnectProviders_in *in,
                                   iam_ListOpenIDConnectProviders_out *out)
{
	record_scan s = iam_provider_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	out->OpenIDConnectProviderList.v =
		arena_array(rq->mem, iam_OpenIDConnectProviderListEntry, IAM_PROVIDERS_MAX);
	for (iam_provider *p; (p = iam_provider_next(&s));)
		out->OpenIDConnectProviderList.v[out->OpenIDConnectProviderList.n++] =
			(iam_OpenIDConnectProviderListEntry){ .Arn = p->Arn };
	return OK;
}

err iam_UpdateOpenIDConnectProviderThumbprint(req *rq, txn *tx,
                                              const iam_UpdateOpenIDConnectProviderThumbprint_in *in,
                                              iam_UpdateOpenIDConnectProviderThumbprint_out *out)
{
	iam_provider *p;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	p->Thumbprints = in->ThumbprintList;
	iam_provider_put(tx, p);
	return OK;
}

err iam_AddClientIDToOpenIDConnectProvider(req *rq, txn *tx,
                                           const iam_AddClientIDToOpenIDConnectProvider_in *in,
                                           iam_AddClientIDToOpenIDConnectProvider_out *out)
{
	iam_provider *p;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	str *v = arena_array(rq->mem, str, p->Clients.n + 1);
	for (size_t i = 0; i < p->Clients.n; i++) {
		if (str_eq(p->Clients.v[i], in->ClientID))
			return OK;
		v[i] = p->Clients.v[i];
	}
	v[p->Clients.n] = in->ClientID;
	p->Clients = (iam_clientIDListType){ v, p->Clients.n + 1 };
	iam_provider_put(tx, p);
	return OK;
}

err iam_RemoveClientIDFromOpenIDConnectProvider(req *rq, txn *tx,
                                                const iam_RemoveClientIDFromOpenIDConnectProvider_in *in,
                                                iam_RemoveClientIDFromOpenIDConnectProvider_out *out)
{
	iam_provider *p;
	size_t n = 0;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	for (size_t i = 0; i < p->Clients.n; i++)
		if (!str_eq(p->Clients.v[i], in->ClientID))
			p->Clients.v[n++] = p->Clients.v[i];
	p->Clients.n = n;
	iam_provider_put(tx, p);
	return OK;
}

err iam_DeleteOpenIDConnectProvider(req *rq, txn *tx, const iam_DeleteOpenIDConnectProvider_in *in,
                                    iam_DeleteOpenIDConnectProvider_out *out)
{
	iam_provider *p;
	p = iam_provider_get(tx, rq->mem, rq->who.account, in->OpenIDConnectProviderArn);
	if (!p)
		return fail(rq, &iam_NoSuchEntityException, "OpenId connect Provider %.*s cannot be found.",
		            STR_ARG(in->OpenIDConnectProviderArn));
	iam_provider_delete(tx, p->Account, p->Arn);
	return OK;
}

err iam_TagOpenIDConnectProvider(req *rq, txn *tx, const iam_TagOpenIDConnectProvider_in *in,
                                 iam_TagOpenIDConnectProvider_out *out)
{
	iam_provider *p;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	if (p->Tags.n + in->Tags.n > IAM_TAGS_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "The number of tags has reached the maximum limit.");
	TRY(iam_tags_merge(rq, &p->Tags, &in->Tags));
	iam_provider_put(tx, p);
	return OK;
}

err iam_UntagOpenIDConnectProvider(req *rq, txn *tx, const iam_UntagOpenIDConnectProvider_in *in,
                                   iam_UntagOpenIDConnectProvider_out *out)
{
	iam_provider *p;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	iam_tags_remove(&p->Tags, &in->TagKeys);
	iam_provider_put(tx, p);
	return OK;
}

err iam_ListOpenIDConnectProviderTags(req *rq, const txn *tx, const iam_ListOpenIDConnectProviderTags_in *in,
                                      iam_ListOpenIDConnectProviderTags_out *out)
{
	iam_provider *p;
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	return iam_tags_page(rq, &p->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker, &out->IsTruncated);
}

#define METADATA_YEARS 100

/* The root element is an EntityDescriptor of an identity provider. */
static err check_metadata(req *rq, str document)
{
	bool said = str_find(document, S("EntityDescriptor")) != SIZE_MAX &&
		    str_find(document, S("IDPSSODescriptor")) != SIZE_MAX &&
		    str_find(document, S("entityID=")) != SIZE_MAX;
	return said ? OK : fail(rq, &iam_InvalidInputException, "Could not parse metadata");
}

err iam_CreateSAMLProvider(req *rq, txn *tx, const iam_CreateSAMLProvider_in *in,
                           iam_CreateSAMLProvider_out *out)
{
	iam_saml row = { .Account = rq->who.account, .Document = in->SAMLMetadataDocument, .Created = rq->now,
		         .ValidUntil = rq->now + METADATA_YEARS * 365 * MS_DAY, .Uuid = rand_uuid(rq->mem) };
	TRY(check_metadata(rq, in->SAMLMetadataDocument));
	row.Arn = arena_fmt(rq->mem, "arn:aws:iam::%.*s:saml-provider/%.*s", STR_ARG(row.Account),
	                    STR_ARG(in->Name));
	if (iam_saml_get(tx, rq->mem, row.Account, row.Arn))
		return fail(rq, &iam_EntityAlreadyExistsException, "Provider with name %.*s already exists.",
		            STR_ARG(in->Name));
	if (IAM_COUNT(saml, tx, rq->mem, row.Account, IAM_SAML_MAX) == IAM_SAML_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for SAMLProvidersPerAccount: %d",
		            IAM_SAML_MAX);
	TRY(iam_tags_merge(rq, &row.Tags, &in->Tags));
	iam_saml_put(tx, &row);
	out->SAMLProviderArn = row.Arn;
	out->Tags = row.Tags;
	return OK;
}

static err find_saml(req *rq, const txn *tx, str arn, iam_saml **out)
{
	*out = iam_saml_get(tx, rq->mem, rq->who.account, arn);
	return *out ? OK : fail(rq, &iam_NoSuchEntityException, "Manifest not found for arn %.*s", STR_ARG(arn));
}

err iam_GetSAMLProvider(req *rq, const txn *tx, const iam_GetSAMLProvider_in *in,
                        iam_GetSAMLProvider_out *out)
{
	iam_saml *row;
	TRY(find_saml(rq, tx, in->SAMLProviderArn, &row));
	out->SAMLMetadataDocument = row->Document;
	out->SAMLProviderUUID = row->Uuid;
	out->CreateDate = TIME(row->Created / 1000 * 1000);
	out->ValidUntil = TIME(row->ValidUntil / 1000 * 1000);
	out->Tags = row->Tags;
	tags_shown(rq, TAGS(&out->Tags, Key));
	out->AssertionEncryptionMode = iam_assertionEncryptionModeType_Allowed;
	out->PrivateKeyList.v = arena_new(rq->mem, iam_SAMLPrivateKey);
	return OK;
}

err iam_ListSAMLProviders(req *rq, const txn *tx, const iam_ListSAMLProviders_in *in,
                          iam_ListSAMLProviders_out *out)
{
	record_scan s = iam_saml_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	out->SAMLProviderList.v = arena_array(rq->mem, iam_SAMLProviderListEntry, IAM_SAML_MAX);
	for (iam_saml *row; (row = iam_saml_next(&s));)
		out->SAMLProviderList.v[out->SAMLProviderList.n++] = (iam_SAMLProviderListEntry){
			.Arn = row->Arn, .CreateDate = TIME(row->Created / 1000 * 1000),
			.ValidUntil = TIME(row->ValidUntil / 1000 * 1000) };
	return OK;
}

err iam_UpdateSAMLProvider(req *rq, txn *tx, const iam_UpdateSAMLProvider_in *in,
                           iam_UpdateSAMLProvider_out *out)
{
	iam_saml *row;
	TRY(find_saml(rq, tx, in->SAMLProviderArn, &row));
	if (str_is(in->SAMLMetadataDocument)) {
		TRY(check_metadata(rq, in->SAMLMetadataDocument));
		row->Document = in->SAMLMetadataDocument;
	}
	iam_saml_put(tx, row);
	out->SAMLProviderArn = row->Arn;
	return OK;
}

err iam_DeleteSAMLProvider(req *rq, txn *tx, const iam_DeleteSAMLProvider_in *in,
                           iam_DeleteSAMLProvider_out *out)
{
	iam_saml *row;
	TRY(find_saml(rq, tx, in->SAMLProviderArn, &row));
	iam_saml_delete(tx, row->Account, row->Arn);
	return OK;
}

err iam_TagSAMLProvider(req *rq, txn *tx, const iam_TagSAMLProvider_in *in, iam_TagSAMLProvider_out *out)
{
	iam_saml *row;
	TRY(find_saml(rq, tx, in->SAMLProviderArn, &row));
	TRY(iam_tags_merge(rq, &row->Tags, &in->Tags));
	iam_saml_put(tx, row);
	return OK;
}

err iam_UntagSAMLProvider(req *rq, txn *tx, const iam_UntagSAMLProvider_in *in,
                          iam_UntagSAMLProvider_out *out)
{
	iam_saml *row;
	TRY(find_saml(rq, tx, in->SAMLProviderArn, &row));
	iam_tags_remove(&row->Tags, &in->TagKeys);
	iam_saml_put(tx, row);
	return OK;
}

err iam_ListSAMLProviderTags(req *rq, const txn *tx, const iam_ListSAMLProviderTags_in *in,
                             iam_ListSAMLProviderTags_out *out)
{
	iam_saml *row;
	TRY(find_saml(rq, tx, in->SAMLProviderArn, &row));
	return iam_tags_page(rq, &row->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}
