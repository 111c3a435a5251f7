#include "bus.h"
#include "cloud/target.h"

#define LIST_PAGE 100

static err arn_check(req *rq, const events_Target *t)
{
	arn_parts a;
	return arn_split(t->Arn, &a) && a.service.n ? OK :
	       fail(rq, &aws_ValidationException,
	            "Parameter %.*s is not valid. Reason: Provided Arn is not in correct format.",
	            STR_ARG(t->Arn));
}

static err target_check(req *rq, const events_Target *t)
{
	arn_parts a;
	arn_split(t->Arn, &a);
	if (str_eq(a.service, S("sqs")) && str_ends(a.resource, S(".fifo")) &&
	    !(t->SqsParameters && t->SqsParameters->MessageGroupId.n))
		return fail(rq, &aws_ValidationException,
		            "Parameter(s) SqsParameters must be specified for target: %.*s.", STR_ARG(t->Id));
	if (str_eq(a.service, S("ecs")) && !t->EcsParameters)
		return fail(rq, &aws_ValidationException,
		            "Parameter(s) EcsParameters must be specified for target: %.*s.", STR_ARG(t->Id));
	bool acts = str_eq(a.service, S("states")) || str_eq(a.service, S("ecs")) || is_api_destination(t->Arn);
	if (acts && !t->RoleArn.n)
		return fail(rq, &aws_ValidationException, "RoleArn is required for target %.*s.", STR_ARG(t->Arn));
	if (!target_is_known(t->Arn) && !is_bus(t->Arn) && !is_api_destination(t->Arn))
		return fail(rq, &aws_NotImplemented, "Farthing cannot deliver events to %.*s (target %.*s).",
		            STR_ARG(t->Arn), STR_ARG(t->Id));
	return target_input_check(rq, t);
}

err events_PutTargets(req *rq, txn *tx, const events_PutTargets_in *in, events_PutTargets_out *out)
{
	bus_name b = bus_named(rq, in->EventBusName);
	events_rule *r;
	size_t n = 0;
	TRY(rule_find(rq, tx, &b, in->Rule, &r));
	for (size_t i = 0; i < in->Targets.n; i++)
		TRY(arn_check(rq, &in->Targets.v[i]));
	for (size_t i = 0; i < in->Targets.n; i++)
		TRY(target_check(rq, &in->Targets.v[i]));
	record_scan s = events_target_scan(tx, rq->mem, 4, b.account, b.region, b.name, in->Rule, STR_NONE);
	while (events_target_next(&s))
		n++;
	for (size_t i = 0; i < in->Targets.n; i++)
		n += !events_target_get(tx, rq->mem, b.account, b.region, b.name, in->Rule, in->Targets.v[i].Id);
	if (n > EVENTS_TARGETS_MAX)
		return fail(rq, &events_LimitExceededException,
		            "The requested resource exceeds the maximum number allowed.");
	for (size_t i = 0; i < in->Targets.n; i++)
		events_target_put(tx, &(events_target){ .Account = b.account, .Region = b.region, .Bus = b.name,
			.Rule = in->Rule, .Id = in->Targets.v[i].Id, .It = &in->Targets.v[i] });
	out->FailedEntryCount = I64(0);
	out->FailedEntries.v = arena_new(rq->mem, events_PutTargetsResultEntry);
	return OK;
}

err events_RemoveTargets(req *rq, txn *tx, const events_RemoveTargets_in *in, events_RemoveTargets_out *out)
{
	bus_name b = bus_named(rq, in->EventBusName);
	events_rule *r;
	TRY(rule_find(rq, tx, &b, in->Rule, &r));
	out->FailedEntries.v = arena_array(rq->mem, events_RemoveTargetsResultEntry, in->Ids.n);
	for (size_t i = 0; i < in->Ids.n; i++)
		if (!events_target_delete(tx, b.account, b.region, b.name, in->Rule, in->Ids.v[i]))
			out->FailedEntries.v[out->FailedEntries.n++] = (events_RemoveTargetsResultEntry){
				.TargetId = in->Ids.v[i], .ErrorCode = S("ResourceNotFoundException"),
				.ErrorMessage = arena_fmt(rq->mem, "Rule %.*s does not have a target with the Id %.*s.",
				                          STR_ARG(in->Rule), STR_ARG(in->Ids.v[i])) };
	out->FailedEntryCount = I64((int64_t)out->FailedEntries.n);
	return OK;
}

err events_ListTargetsByRule(req *rq, const txn *tx, const events_ListTargetsByRule_in *in,
                             events_ListTargetsByRule_out *out)
{
	bus_name b = bus_named(rq, in->EventBusName);
	events_rule *r;
	str after;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	TRY(rule_find(rq, tx, &b, in->Rule, &r));
	record_scan s = events_target_scan(tx, rq->mem, 4, b.account, b.region, b.name, in->Rule, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	}
	out->Targets.v = arena_array(rq->mem, events_Target, page);
	for (events_target *t; (t = events_target_next(&s));) {
		if (out->Targets.n == page) {
			out->NextToken = page_token(rq, out->Targets.v[page - 1].Id);
			break;
		}
		out->Targets.v[out->Targets.n++] = *t->It;
	}
	cursor_close(&s.at);
	return OK;
}

err events_ListRuleNamesByTarget(req *rq, const txn *tx, const events_ListRuleNamesByTarget_in *in,
                                 events_ListRuleNamesByTarget_out *out)
{
	bus_name b = bus_named(rq, in->EventBusName);
	str after = STR_NONE, last = STR_NONE;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	if (in->NextToken.n && !page_position(rq, in->NextToken, &after))
		return fail(rq, &aws_ValidationException, "The token is invalid.");
	record_scan s = events_target_scan(tx, rq->mem, 3, b.account, b.region, b.name, STR_NONE, STR_NONE);
	out->RuleNames.v = arena_array(rq->mem, str, page);
	for (events_target *t; (t = events_target_next(&s));) {
		if (!str_eq(t->It->Arn, in->TargetArn) || str_eq(t->Rule, last) ||
		    (str_is(after) && str_cmp(t->Rule, after) <= 0))
			continue;
		if (out->RuleNames.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->RuleNames.v[out->RuleNames.n++] = last = t->Rule;
	}
	cursor_close(&s.at);
	return OK;
}
