#include "cloud/tags.h"
#include "gateway.h"

static const tag_rules none;

/* arn:aws:apigateway:REGION::/apis/ID[/stages/NAME] or /domainnames/NAME */
typedef struct tagged {
	apigatewayv2_api *api;
	apigatewayv2_stage *stage;
	apigatewayv2_domain *domain;
	apigatewayv2_Tags *tags;
} tagged;

static err find(req *rq, const txn *tx, str arn, tagged *t)
{
	size_t at = str_find(arn, S("::/"));
	str rest = str_sub(arn, at == SIZE_MAX ? arn.n : at + 3, arn.n), kind = str_cut(&rest, '/');
	str id = str_is(rest) ? str_cut(&rest, '/') : S("");
	if (str_eq(kind, S("domainnames"))) {
		t->domain = apigatewayv2_domain_get(tx, rq->mem, id);
		if (t->domain && str_eq(t->domain->Account, rq->who.account)) {
			t->tags = &t->domain->It->Tags;
			return OK;
		}
	} else if (str_eq(kind, S("apis"))) {
		TRY(api_find(rq, tx, id, &t->api));
		t->tags = &t->api->It->Tags;
		if (!str_is(rest))
			return OK;
		str_cut(&rest, '/');
		t->stage = apigatewayv2_stage_get(tx, rq->mem, id, rest);
		if (t->stage) {
			t->tags = &t->stage->It->Tags;
			return OK;
		}
	}
	return fail(rq, &apigatewayv2_NotFoundException, "Invalid resource identifier specified");
}

static void keep(txn *tx, const tagged *t)
{
	if (t->domain)
		apigatewayv2_domain_put(tx, t->domain);
	else if (t->stage)
		apigatewayv2_stage_put(tx, t->stage);
	else
		apigatewayv2_api_put(tx, t->api);
}

err apigatewayv2_TagResource(req *rq, txn *tx, const apigatewayv2_TagResource_in *in,
                             apigatewayv2_TagResource_out *out)
{
	tagged t = { 0 };
	TRY(find(rq, tx, in->ResourceArn, &t));
	TRY(tags_add(rq, &none, TAGS(t.tags, key), TAGS(&in->Tags, key)));
	keep(tx, &t);
	return OK;
}

err apigatewayv2_UntagResource(req *rq, txn *tx, const apigatewayv2_UntagResource_in *in,
                               apigatewayv2_UntagResource_out *out)
{
	tagged t = { 0 };
	TRY(find(rq, tx, in->ResourceArn, &t));
	tags_drop(TAGS(t.tags, key), in->TagKeys.v, in->TagKeys.n);
	keep(tx, &t);
	return OK;
}

err apigatewayv2_GetTags(req *rq, const txn *tx, const apigatewayv2_GetTags_in *in,
                         apigatewayv2_GetTags_out *out)
{
	tagged t = { 0 };
	TRY(find(rq, tx, in->ResourceArn, &t));
	out->Tags = *t.tags;
	return OK;
}
