/* Sampling rules, and what each client may sample of them. */
#include "xray.h"

#define INTERVAL_S 10

xray_SamplingRule sampling_default(req *rq)
{
	return (xray_SamplingRule){ .RuleName = S("Default"),
		                        .RuleARN = req_arn(rq, "xray", "sampling-rule/Default"),
		                        .ResourceARN = S("*"),
		                        .Priority = I64(10000),
		                        .FixedRate = F64(0.05),
		                        .ReservoirSize = I64(1),
		                        .ServiceName = S("*"),
		                        .ServiceType = S("*"),
		                        .Host = S("*"),
		                        .HTTPMethod = S("*"),
		                        .URLPath = S("*"),
		                        .Version = I64(1) };
}

static str name_of(str name, str arn)
{
	size_t at = str_find(arn, S(":sampling-rule/"));
	return str_is(name) || at == SIZE_MAX ? name : str_sub(arn, at + 15, arn.n);
}

/* The default one has no row until it is changed. */
static err rule_find(req *rq, const txn *tx, str name, str arn, xray_rule **r)
{
	str wanted = name_of(name, arn);
	*r = wanted.n && wanted.n <= 32 ? xray_rule_get(tx, rq->mem, rq->who.account, rq->region, wanted) : NULL;
	if (!*r && str_eq(wanted, S("Default"))) {
		*r = arena_new(rq->mem, xray_rule);
		**r = (xray_rule){ .Account = rq->who.account, .Region = rq->region, .Name = S("Default") };
		(*r)->Rule = arena_new(rq->mem, xray_SamplingRule);
		*(*r)->Rule = sampling_default(rq);
	}
	return *r ? OK : fail(rq, &xray_InvalidRequestException, "Sampling rule does not exist.");
}

static xray_SamplingRuleRecord describe(const xray_rule *r)
{
	return (xray_SamplingRuleRecord){ r->Rule, TIME(r->Created), TIME(r->Modified) };
}

static xray_SamplingRuleRecord *described(req *rq, const xray_rule *r)
{
	xray_SamplingRuleRecord *d = arena_new(rq->mem, xray_SamplingRuleRecord);
	*d = describe(r);
	return d;
}

static size_t count(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = xray_rule_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (xray_rule_next(&s))
		n++;
	return n;
}

err xray_CreateSamplingRule(req *rq, txn *tx, const xray_CreateSamplingRule_in *in,
                            xray_CreateSamplingRule_out *out)
{
	const xray_SamplingRule *asked = in->SamplingRule;
	if (!asked->RuleName.n)
		return fail(rq, &xray_InvalidRequestException, "RuleName is required");
	if (asked->Version.v != 1)
		return fail(rq, &xray_InvalidRequestException, "Version must be 1");
	if (str_eq(asked->RuleName, S("Default"))
	    || xray_rule_get(tx, rq->mem, rq->who.account, rq->region, asked->RuleName))
		return fail(rq, &xray_InvalidRequestException, "Sampling rule already exists.");
	if (count(rq, tx) >= XRAY_RULES_MAX)
		return fail(rq, &xray_RuleLimitExceededException, "At most %d sampling rules can be made.",
		            XRAY_RULES_MAX);
	xray_rule r = { .Account = rq->who.account,
		            .Region = rq->region,
		            .Name = asked->RuleName,
		            .Created = rq->now,
		            .Modified = rq->now,
		            .Tags = in->Tags };
	r.Rule = arena_new(rq->mem, xray_SamplingRule);
	*r.Rule = *asked;
	r.Rule->RuleARN = req_arn(rq, "xray", "sampling-rule/%.*s", STR_ARG(r.Name));
	xray_rule_put(tx, &r);
	out->SamplingRuleRecord = described(rq, &r);
	return OK;
}

err xray_GetSamplingRules(req *rq, const txn *tx, const xray_GetSamplingRules_in *in,
                          xray_GetSamplingRules_out *out)
{
	xray_rule *standard;
	out->SamplingRuleRecords.v = arena_array(rq->mem, xray_SamplingRuleRecord, count(rq, tx) + 1);
	record_scan s = xray_rule_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (xray_rule *r; (r = xray_rule_next(&s));)
		if (!str_eq(r->Name, S("Default")))
			out->SamplingRuleRecords.v[out->SamplingRuleRecords.n++] = describe(r);
	TRY(rule_find(rq, tx, S("Default"), STR_NONE, &standard));
	out->SamplingRuleRecords.v[out->SamplingRuleRecords.n++] = describe(standard);
	return OK;
}

static void take_text(str *to, str from)
{
	if (str_is(from))
		*to = from;
}

err xray_UpdateSamplingRule(req *rq, txn *tx, const xray_UpdateSamplingRule_in *in,
                            xray_UpdateSamplingRule_out *out)
{
	const xray_SamplingRuleUpdate *u = in->SamplingRuleUpdate;
	xray_rule *r;
	TRY(rule_find(rq, tx, u->RuleName, u->RuleARN, &r));
	if ((u->FixedRate.set && (u->FixedRate.v < 0 || u->FixedRate.v > 1))
	    || (u->ReservoirSize.set && u->ReservoirSize.v < 0)
	    || (u->Priority.set && (u->Priority.v < 1 || u->Priority.v > 9999)))
		return fail(rq, &xray_InvalidRequestException, "A value is out of range");
	if (u->FixedRate.set)
		r->Rule->FixedRate = u->FixedRate;
	if (u->ReservoirSize.set)
		r->Rule->ReservoirSize = u->ReservoirSize;
	if (!str_eq(r->Name, S("Default"))) {
		if (u->Priority.set)
			r->Rule->Priority = u->Priority;
		take_text(&r->Rule->ResourceARN, u->ResourceARN);
		take_text(&r->Rule->Host, u->Host);
		take_text(&r->Rule->ServiceName, u->ServiceName);
		take_text(&r->Rule->ServiceType, u->ServiceType);
		take_text(&r->Rule->HTTPMethod, u->HTTPMethod);
		take_text(&r->Rule->URLPath, u->URLPath);
		if (u->Attributes.v)
			r->Rule->Attributes = u->Attributes;
	}
	r->Modified = rq->now;
	xray_rule_put(tx, r);
	out->SamplingRuleRecord = described(rq, r);
	return OK;
}

err xray_DeleteSamplingRule(req *rq, txn *tx, const xray_DeleteSamplingRule_in *in,
                            xray_DeleteSamplingRule_out *out)
{
	xray_rule *r;
	TRY(rule_find(rq, tx, in->RuleName, in->RuleARN, &r));
	if (str_eq(r->Name, S("Default")))
		return fail(rq, &xray_InvalidRequestException, "The default rule cannot be deleted.");
	xray_rule_delete(tx, rq->who.account, rq->region, r->Name);
	out->SamplingRuleRecord = described(rq, r);
	return OK;
}

/* How many clients spoke of the rule lately: they share its reservoir. */
static int64_t clients(req *rq, txn *tx, const xray_SamplingStatisticsDocument *d)
{
	int64_t n = 0;
	xray_tally_put(tx,
	               &(xray_tally){ .Account = rq->who.account,
	                              .Region = rq->region,
	                              .Rule = d->RuleName,
	                              .Client = d->ClientID,
	                              .When = rq->now,
	                              .Requests = d->RequestCount.v,
	                              .Borrowed = d->BorrowCount.v,
	                              .Sampled = d->SampledCount.v });
	record_scan s = xray_tally_scan(tx, rq->mem, 3, rq->who.account, rq->region, d->RuleName, STR_NONE);
	for (xray_tally *t; (t = xray_tally_next(&s));) {
		if (rq->now - t->When > 3 * INTERVAL_S * 1000)
			xray_tally_delete(tx, t->Account, t->Region, t->Rule, t->Client);
		else
			n++;
	}
	return n ? n : 1;
}

err xray_GetSamplingTargets(req *rq, txn *tx, const xray_GetSamplingTargets_in *in,
                            xray_GetSamplingTargets_out *out)
{
	size_t n = in->SamplingStatisticsDocuments.n;
	out->SamplingTargetDocuments.v = arena_array(rq->mem, xray_SamplingTargetDocument, n + 1);
	out->UnprocessedStatistics.v = arena_array(rq->mem, xray_UnprocessedStatistics, n + 1);
	for (size_t i = 0; i < n; i++) {
		const xray_SamplingStatisticsDocument *d = &in->SamplingStatisticsDocuments.v[i];
		xray_rule *r;
		if (rule_find(rq, tx, d->RuleName, STR_NONE, &r)) {
			out->UnprocessedStatistics.v[out->UnprocessedStatistics.n++] =
				(xray_UnprocessedStatistics){ d->RuleName, S("404"), S("Sampling rule does not exist.") };
			continue;
		}
		int64_t share = r->Rule->ReservoirSize.v / clients(rq, tx, d);
		out->SamplingTargetDocuments.v[out->SamplingTargetDocuments.n++] =
			(xray_SamplingTargetDocument){ .RuleName = r->Name,
			                               .FixedRate = r->Rule->FixedRate,
			                               .Interval = I64(INTERVAL_S),
			                               .ReservoirQuota = I64(share),
			                               .ReservoirQuotaTTL = TIME(rq->now + 2 * INTERVAL_S * 1000) };
		if (r->Modified > out->LastRuleModification.v)
			out->LastRuleModification = TIME(r->Modified);
	}
	if (!out->LastRuleModification.set)
		out->LastRuleModification = TIME(0);
	return OK;
}

/* What clients said last of each rule, added up. */
err xray_GetSamplingStatisticSummaries(req *rq, const txn *tx,
                                       const xray_GetSamplingStatisticSummaries_in *in,
                                       xray_GetSamplingStatisticSummaries_out *out)
{
	xray_SamplingStatisticSummaryList *list = &out->SamplingStatisticSummaries;
	list->v = arena_array(rq->mem, xray_SamplingStatisticSummary, XRAY_RULES_MAX + 1);
	record_scan s = xray_tally_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	for (xray_tally *t; (t = xray_tally_next(&s));) {
		xray_SamplingStatisticSummary *last = list->n ? &list->v[list->n - 1] : NULL;
		if (!last || !str_eq(last->RuleName, t->Rule)) {
			if (list->n > XRAY_RULES_MAX)
				break;
			last = &list->v[list->n++];
			*last = (xray_SamplingStatisticSummary){ .RuleName = t->Rule,
				                                     .Timestamp = TIME(t->When),
				                                     .RequestCount = I64(0),
				                                     .BorrowCount = I64(0),
				                                     .SampledCount = I64(0) };
		}
		last->Timestamp = TIME(t->When > last->Timestamp.v ? t->When : last->Timestamp.v);
		last->RequestCount.v += t->Requests;
		last->BorrowCount.v += t->Borrowed;
		last->SampledCount.v += t->Sampled;
	}
	cursor_close(&s.at);
	return OK;
}
