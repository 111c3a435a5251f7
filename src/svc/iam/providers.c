/*
 * OpenID Connect providers, as descriptions: AssumeRoleWithWebIdentity is not implemented.
 */
#include "entity.h"

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
		return fail(rq, &iam_InvalidInputException, "Invalid Open ID Connect Provider URL");
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
	TRY(find_provider(rq, tx, in->OpenIDConnectProviderArn, &p));
	iam_provider_delete(tx, p->Account, p->Arn);
	return OK;
}
