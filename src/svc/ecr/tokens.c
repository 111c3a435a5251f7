#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/server.h"
#include "ecr.h"
#include "store/due.h"
#include "sys/rand.h"

#define PASSWORD_CHARACTERS 96
#define TOKEN_LASTS (12 * MS_HOUR)
#define URL_LASTS MS_HOUR

TIMER(ecr_token_end)
{
	ecr_token_delete(tx, payload);
}

str token_issue(req *rq, txn *tx, int64_t lasts, str only)
{
	str password = rand_text(rq->mem, PASSWORD_CHARACTERS,
	                         S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"));
	str hash = sha256_hex(rq->mem, password);
	ecr_token_put(tx, &(ecr_token){ .Hash = hash, .Account = rq->who.account, .Region = rq->region,
	                                .Arn = rq->who.arn, .Expires = rq->now + lasts, .Digest = only });
	timer_set(tx, "ecr_token_end", hash, rq->now + lasts, hash);
	return password;
}

ecr_token *token_find(const txn *tx, arena *mem, str password, int64_t now)
{
	ecr_token *t = ecr_token_get(tx, mem, sha256_hex(mem, password));
	return t && t->Expires > now ? t : NULL;
}

err ecr_GetAuthorizationToken(req *rq, txn *tx, const ecr_GetAuthorizationToken_in *in,
                              ecr_GetAuthorizationToken_out *out)
{
	size_t n = in->registryIds.n ? in->registryIds.n : 1;
	str password = token_issue(rq, tx, TOKEN_LASTS, STR_NONE);
	str token = base64_encode(rq->mem, arena_concat(rq->mem, S("AWS:"), password));
	out->authorizationData.v = arena_array(rq->mem, ecr_AuthorizationData, n);
	out->authorizationData.n = n;
	for (size_t i = 0; i < n; i++) {
		str account = in->registryIds.n ? in->registryIds.v[i] : rq->who.account;
		out->authorizationData.v[i] = (ecr_AuthorizationData){
			.authorizationToken = token, .expiresAt = TIME(rq->now + TOKEN_LASTS),
			.proxyEndpoint = arena_concat(rq->mem, S("http://"),
			                              registry_host(rq->mem, account, rq->region)) };
	}
	return OK;
}

err ecr_GetDownloadUrlForLayer(req *rq, txn *tx, const ecr_GetDownloadUrlForLayer_in *in,
                               ecr_GetDownloadUrlForLayer_out *out)
{
	ecr_repo *r;
	TRY(repo_find(rq, tx, in->registryId, in->repositoryName, &r));
	if (!ecr_link_get(tx, rq->mem, r->Id, in->layerDigest))
		return fail(rq, &ecr_LayersNotFoundException,
		            "The layer with digest '%.*s' is not available in the repository with name '%.*s' in "
		            "the registry with id '%.*s'", STR_ARG(in->layerDigest), STR_ARG(r->Name),
		            STR_ARG(r->Account));
	str password = token_issue(rq, tx, URL_LASTS, in->layerDigest);
	out->layerDigest = in->layerDigest;
	out->downloadUrl = arena_fmt(rq->mem, "%.*s/v2/%.*s/blobs/%.*s?X-Farthing-Token=%.*s",
	                             STR_ARG(server_endpoint()), STR_ARG(r->Name), STR_ARG(in->layerDigest),
	                             STR_ARG(password));
	return OK;
}
