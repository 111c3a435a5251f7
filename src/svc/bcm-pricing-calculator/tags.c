#include "calculator.h"
#include "cloud/tags.h"

/* What bears tags: one of these is not NULL. */
typedef struct bearer {
	estimate_row *estimate;
	scenario_row *scenario;
	bill_row *bill;
	bcm_pricing_calculator_Tags *tags;
} bearer;

/* arn:aws:bcm-pricing-calculator:us-east-1:ACCOUNT:workload-estimate/ID, whichever region it says. */
static err find_by_arn(req *rq, const txn *tx, str arn, bearer *out)
{
	str rest = arn, kind;
	for (int i = 0; i < 4; i++)
		str_cut(&rest, ':');
	bool mine = str_eq(str_cut(&rest, ':'), rq->who.account);
	kind = str_cut(&rest, '/');
	str id = mine && str_is(rest) ? rest : arn;
	*out = (bearer){ .estimate = NULL };
	if (str_eq(kind, S("bill-scenario"))) {
		TRY(scenario_find(rq, tx, id, &out->scenario));
		out->tags = &out->scenario->Tags;
	} else if (str_eq(kind, S("bill-estimate"))) {
		TRY(bill_find(rq, tx, id, &out->bill));
		out->tags = &out->bill->Tags;
	} else {
		bool known = str_eq(kind, S("workload-estimate"));
		TRY(estimate_find(rq, tx, known ? id : arn, &out->estimate));
		out->tags = &out->estimate->Tags;
	}
	return OK;
}

static void put(txn *tx, const bearer *b)
{
	if (b->scenario)
		bcm_pricing_calculator_scenario_put(tx, b->scenario);
	else if (b->bill)
		bcm_pricing_calculator_bill_put(tx, b->bill);
	else
		bcm_pricing_calculator_estimate_put(tx, b->estimate);
}

err bcm_pricing_calculator_ListTagsForResource(req *rq, const txn *tx,
                                               const bcm_pricing_calculator_ListTagsForResource_in *in,
                                               bcm_pricing_calculator_ListTagsForResource_out *out)
{
	bearer b;
	TRY(find_by_arn(rq, tx, in->arn, &b));
	out->tags = *b.tags;
	tags_shown(rq, TAGS(&out->tags, key));
	return OK;
}

static const tag_rules rules = {
	.most = 200,
	.too_many = { &bcm_pricing_calculator_ServiceQuotaExceededException,
	              "A resource can have at most 200 tags." },
};

err bcm_pricing_calculator_TagResource(req *rq, txn *tx, const bcm_pricing_calculator_TagResource_in *in,
                                       bcm_pricing_calculator_TagResource_out *out)
{
	bearer b;
	(void)out;
	TRY(find_by_arn(rq, tx, in->arn, &b));
	TRY(tags_add(rq, &rules, TAGS(b.tags, key), TAGS(&in->tags, key)));
	put(tx, &b);
	return OK;
}

err bcm_pricing_calculator_UntagResource(req *rq, txn *tx, const bcm_pricing_calculator_UntagResource_in *in,
                                         bcm_pricing_calculator_UntagResource_out *out)
{
	bearer b;
	(void)out;
	TRY(find_by_arn(rq, tx, in->arn, &b));
	tags_drop(TAGS(b.tags, key), in->tagKeys.v, in->tagKeys.n);
	put(tx, &b);
	return OK;
}
