/* How a pool's own pages look. */
#include "pool.h"

#define ALL S("ALL")

static err find_client(req *rq, const txn *tx, str pool, str client, idp_pool **p)
{
	idp_client *c;
	TRY(idp_pool_find(rq, tx, pool, p));
	return str_is(client) && !str_eq(client, ALL) ? idp_client_find(rq, tx, *p, client, &c) : OK;
}

err cognito_idp_GetUICustomization(req *rq, const txn *tx, const cognito_idp_GetUICustomization_in *in,
                                   cognito_idp_GetUICustomization_out *out)
{
	idp_pool *p;
	str client = str_is(in->ClientId) ? in->ClientId : ALL;
	TRY(find_client(rq, tx, in->UserPoolId, in->ClientId, &p));
	cognito_idp_ui *row = cognito_idp_ui_get(tx, rq->mem, p->Id, client);
	row = row ? row : cognito_idp_ui_get(tx, rq->mem, p->Id, ALL);
	out->UICustomization = row ? row->It : arena_new(rq->mem, cognito_idp_UICustomizationType);
	return OK;
}

err cognito_idp_SetUICustomization(req *rq, txn *tx, const cognito_idp_SetUICustomization_in *in,
                                   cognito_idp_SetUICustomization_out *out)
{
	idp_pool *p;
	str client = str_is(in->ClientId) ? in->ClientId : ALL;
	TRY(find_client(rq, tx, in->UserPoolId, in->ClientId, &p));
	if (!p->It->Domain.n && !p->It->CustomDomain.n)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "There has to be an existing domain associated with this user pool");
	if (in->ImageFile.n)
		return fail(rq, &aws_NotImplemented, "ImageFile of SetUICustomization is not implemented.");
	const cognito_idp_ui *old = cognito_idp_ui_get(tx, rq->mem, p->Id, client);
	cognito_idp_UICustomizationType *t = arena_new(rq->mem, cognito_idp_UICustomizationType);
	*t = (cognito_idp_UICustomizationType){ .UserPoolId = p->Id,
		                                    .ClientId = client,
		                                    .CSS = in->CSS,
		                                    .LastModifiedDate = TIME(rq->now),
		                                    .CreationDate = old ? old->It->CreationDate : TIME(rq->now),
		                                    .CSSVersion = in->CSS.n
		                                        ? arena_fmt(rq->mem, "%lld", (long long)rq->now)
		                                        : STR_NONE };
	cognito_idp_ui row = { .Pool = p->Id, .Client = client, .It = t };
	cognito_idp_ui_put(tx, &row);
	out->UICustomization = t;
	return OK;
}
