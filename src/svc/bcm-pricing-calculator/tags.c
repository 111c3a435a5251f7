#include "calculator.h"
#include "cloud/tags.h"

/* arn:aws:bcm-pricing-calculator:us-east-1:ACCOUNT:workload-estimate/ID, whichever region it says. */
static err find_by_arn(req *rq, const txn *tx, str arn, estimate_row **out)
{
	str rest = arn, kind;
	for (int i = 0; i < 4; i++)
		str_cut(&rest, ':');
	bool mine = str_eq(str_cut(&rest, ':'), rq->who.account);
	kind = str_cut(&rest, '/');
	bool known = mine && str_eq(kind, S("workload-estimate")) && str_is(rest);
	return estimate_find(rq, tx, known ? rest : arn, out);
}

err bcm_pricing_calculator_ListTagsForResource(req *rq, const txn *tx,
                                               const bcm_pricing_calculator_ListTagsForResource_in *in,
                                               bcm_pricing_calculator_ListTagsForResource_out *out)
{
	estimate_row *e;
	TRY(find_by_arn(rq, tx, in->arn, &e));
	out->tags = e->Tags;
	tags_shown(rq, TAGS(&out->tags, key));
	return OK;
}

static const tag_rules rules = {
	.most = 200,
	.too_many = { &bcm_pricing_calculator_ServiceQuotaExceededException,
	              "An estimate can have at most 200 tags." },
};

err bcm_pricing_calculator_TagResource(req *rq, txn *tx, const bcm_pricing_calculator_TagResource_in *in,
                                       bcm_pricing_calculator_TagResource_out *out)
{
	estimate_row *e;
	(void)out;
	TRY(find_by_arn(rq, tx, in->arn, &e));
	TRY(tags_add(rq, &rules, TAGS(&e->Tags, key), TAGS(&in->tags, key)));
	bcm_pricing_calculator_estimate_put(tx, e);
	return OK;
}

err bcm_pricing_calculator_UntagResource(req *rq, txn *tx, const bcm_pricing_calculator_UntagResource_in *in,
                                         bcm_pricing_calculator_UntagResource_out *out)
{
	estimate_row *e;
	(void)out;
	TRY(find_by_arn(rq, tx, in->arn, &e));
	tags_drop(TAGS(&e->Tags, key), in->tagKeys.v, in->tagKeys.n);
	bcm_pricing_calculator_estimate_put(tx, e);
	return OK;
}
