/* Contributor Insights rules as they are put, told, enabled, disabled and deleted. */
#include "alarm.h"
#include "insight.h"

#define LIST_PAGE 500
#define SPANS_MAX 100

/* As AWS tells it, whatever its reference says. */
#define SCHEMA S("CloudWatchLogRule/1")

err insight_find(req *rq, const txn *tx, str name, cloudwatch_insight **out)
{
	*out = cloudwatch_insight_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *out ? OK
				: fail(rq, &cloudwatch_ResourceNotFoundException, "The rule %.*s does not exist.",
	                   STR_ARG(name));
}

static bool enabled(const cloudwatch_insight *r) { return str_eq(r->State, S("ENABLED")); }

/* From now on it counts what comes in, or no longer. Of many spans the oldest go. */
static void enable(arena *mem, cloudwatch_insight *r, bool on, int64_t now)
{
	if (on == enabled(r))
		return;
	r->State = on ? S("ENABLED") : S("DISABLED");
	if (!on) {
		if (r->Spans.n)
			r->Spans.v[r->Spans.n - 1].To = TIME(now);
		return;
	}
	size_t drop = r->Spans.n == SPANS_MAX, n = r->Spans.n - drop;
	cloudwatch_InsightSpan *all = arena_array(mem, cloudwatch_InsightSpan, n + 1);
	for (size_t i = 0; i < n; i++)
		all[i] = r->Spans.v[i + drop];
	all[n] = (cloudwatch_InsightSpan){ .From = TIME(now) };
	r->Spans = (cloudwatch_InsightSpans){ all, n + 1 };
}

/* A rule costs while it counts. */
static void charge_for(const req *rq, txn *tx, const cloudwatch_insight *r, bool on)
{
	resident_set(tx, r->Account, r->Region, rq->now, &CW_INSIGHT_RULE,
	             req_arn(rq, "cloudwatch", "insight-rule/%.*s", STR_ARG(r->Name)), on ? QTY(1) : 0);
}

err cloudwatch_PutInsightRule(req *rq, txn *tx, const cloudwatch_PutInsightRule_in *in,
                              cloudwatch_PutInsightRule_out *out)
{
	insight_rule *read;
	bool on = !str_is(in->RuleState) || str_eq(in->RuleState, S("ENABLED"));
	if (!on && !str_eq(in->RuleState, S("DISABLED")))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The value %.*s for parameter RuleState is invalid.", STR_ARG(in->RuleState));
	TRY(insight_read(rq, in->RuleDefinition, &read));
	TRY(tags_check(rq, &cloudwatch_tag_rules, TAGS(&in->Tags, Key)));
	cloudwatch_insight *old =
		cloudwatch_insight_get(tx, rq->mem, rq->who.account, rq->region, in->RuleName);
	cloudwatch_insight r = { .Account = rq->who.account,
		                     .Region = rq->region,
		                     .Name = in->RuleName,
		                     .State = S("DISABLED"),
		                     .Tags = in->Tags };
	if (old)
		r = *old;
	r.Definition = in->RuleDefinition;
	r.Transformed = in->ApplyOnTransformedLogs.v;
	enable(rq->mem, &r, on, rq->now);
	charge_for(rq, tx, &r, on);
	cloudwatch_insight_put(tx, &r);
	return OK;
}

err cloudwatch_DescribeInsightRules(req *rq, const txn *tx, const cloudwatch_DescribeInsightRules_in *in,
                                    cloudwatch_DescribeInsightRules_out *out)
{
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE;
	str after;
	record_scan s = cloudwatch_insight_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
		record_scan_after(&s, after);
	}
	out->InsightRules.v = arena_array(rq->mem, cloudwatch_InsightRule, page);
	for (cloudwatch_insight *r; (r = cloudwatch_insight_next(&s));) {
		if (out->InsightRules.n == page) {
			out->NextToken = page_token(rq, out->InsightRules.v[page - 1].Name);
			break;
		}
		out->InsightRules.v[out->InsightRules.n++] = (cloudwatch_InsightRule){
			.Name = r->Name,
			.State = r->State,
			.Schema = SCHEMA,
			.Definition = r->Definition,
			.ManagedRule = BOOL(false),
			.ApplyOnTransformedLogs = r->Transformed ? BOOL(true) : (opt_bool){ 0 },
		};
	}
	cursor_close(&s.at);
	return OK;
}

typedef enum change { CHANGE_ENABLE, CHANGE_DISABLE, CHANGE_DELETE } change;

/* Those that are not there are told of; the others change. */
static void change_all(req *rq, txn *tx, const cloudwatch_InsightRuleNames *names, change what,
                       cloudwatch_BatchFailures *failures)
{
	failures->v = arena_array(rq->mem, cloudwatch_PartialFailure, names->n + 1);
	for (size_t i = 0; i < names->n; i++) {
		str name = names->v[i];
		cloudwatch_insight *r = cloudwatch_insight_get(tx, rq->mem, rq->who.account, rq->region, name);
		if (!r) {
			failures->v[failures->n++] = (cloudwatch_PartialFailure){
				name, S("ResourceNotFoundException"), S("404"),
				arena_fmt(rq->mem, "The rule %.*s does not exist.", STR_ARG(name))
			};
		} else if (what == CHANGE_DELETE) {
			charge_for(rq, tx, r, false);
			cloudwatch_insight_delete(tx, r->Account, r->Region, r->Name);
		} else {
			enable(rq->mem, r, what == CHANGE_ENABLE, rq->now);
			charge_for(rq, tx, r, what == CHANGE_ENABLE);
			cloudwatch_insight_put(tx, r);
		}
	}
}

err cloudwatch_EnableInsightRules(req *rq, txn *tx, const cloudwatch_EnableInsightRules_in *in,
                                  cloudwatch_EnableInsightRules_out *out)
{
	change_all(rq, tx, &in->RuleNames, CHANGE_ENABLE, &out->Failures);
	return OK;
}

err cloudwatch_DisableInsightRules(req *rq, txn *tx, const cloudwatch_DisableInsightRules_in *in,
                                   cloudwatch_DisableInsightRules_out *out)
{
	change_all(rq, tx, &in->RuleNames, CHANGE_DISABLE, &out->Failures);
	return OK;
}

err cloudwatch_DeleteInsightRules(req *rq, txn *tx, const cloudwatch_DeleteInsightRules_in *in,
                                  cloudwatch_DeleteInsightRules_out *out)
{
	change_all(rq, tx, &in->RuleNames, CHANGE_DELETE, &out->Failures);
	return OK;
}
