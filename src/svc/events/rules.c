#include "base/json.h"
#include "bus.h"
#include "cloud/call.h"
#include "cloud/cron.h"
#include "cloud/event_pattern.h"
#include "cloud/meter.h"
#include "base/time.h"
#include "cloud/target.h"
#include "sys/rand.h"
#include "store/due.h"

#define LIST_PAGE 100

str rule_arn(arena *mem, const events_rule *r)
{
	bool custom = !str_eq(r->Bus, S(DEFAULT_BUS));
	return arena_fmt(mem, "arn:aws:events:%.*s:%.*s:rule/%.*s%s%.*s", STR_ARG(r->Region), STR_ARG(r->Account),
	                 STR_ARG(custom ? r->Bus : S("")), custom ? "/" : "", STR_ARG(r->Name));
}

bool rule_enabled(const events_rule *r)
{
	return str_starts(r->State, S("ENABLED"));
}

err rule_find(req *rq, const txn *tx, const bus_name *b, str name, events_rule **r)
{
	*r = events_rule_get(tx, rq->mem, b->account, b->region, b->name, name);
	return *r ? OK : fail(rq, &events_ResourceNotFoundException, "Rule %.*s does not exist on EventBus %.*s.",
	                      STR_ARG(name), STR_ARG(b->name));
}

static str timer_key(arena *mem, const events_rule *r)
{
	return arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(r->Account), STR_ARG(r->Region), STR_ARG(r->Bus),
	                 STR_ARG(r->Name));
}

void rule_disarm(txn *tx, arena *mem, const events_rule *r)
{
	timer_cancel(tx, "events_schedule", timer_key(mem, r));
}

void rule_arm(txn *tx, arena *mem, const events_rule *r, int64_t after)
{
	schedule s;
	str key = timer_key(mem, r);
	int64_t at = rule_enabled(r) && r->Schedule.n && schedule_parse(r->Schedule, &s)
		? schedule_next(&s, r->Since, after) : INT64_MAX;
	if (at == INT64_MAX)
		timer_cancel(tx, "events_schedule", key);
	else
		timer_set(tx, "events_schedule", key, at, key);
}

/* The event that a schedule makes; the moment is that for which it was due. */
TIMER(events_schedule)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '),
			bus = str_cut(&rest, ' ');
	events_rule *r = events_rule_get(tx, mem, account, region, bus, rest);
	if (!r || !rule_enabled(r))
		return;
	req *rq = req_internal(mem, txn_store(tx), "events.amazonaws.com", r->Account, r->Region);
	rq->now = due;
	one_event e = { .id = rand_uuid(mem), .source = S("aws.events"), .ingested = due };
	e.json = arena_fmt(mem,
	                   "{\"version\":\"0\",\"id\":\"%.*s\",\"detail-type\":\"Scheduled Event\",\"source\":"
	                   "\"aws.events\",\"account\":\"%.*s\",\"time\":\"%.*s\","
	                   "\"region\":\"%.*s\",\"resources\":"
	                   "[\"%.*s\"],\"detail\":{}}", STR_ARG(e.id), STR_ARG(r->Account),
	                   STR_ARG(time_iso(mem, due - due % MS_SECOND)), STR_ARG(r->Region),
	                   STR_ARG(rule_arn(mem, r)));
	rule_fire(rq, tx, r, &e);
	usage_settle(tx, rq);
	rule_arm(tx, mem, r, due);
}

static err rule_check(req *rq, const bus_name *b, const events_PutRule_in *in)
{
	str why;
	schedule s;
	if (!in->EventPattern.n && !in->ScheduleExpression.n)
		return fail(rq, &aws_ValidationException,
		            "Parameter(s) EventPattern or ScheduleExpression must be specified.");
	if (in->ScheduleExpression.n && !str_eq(b->name, S(DEFAULT_BUS)))
		return fail(rq, &aws_ValidationException,
				"ScheduleExpression is supported only on the default event bus.");
	if (in->ScheduleExpression.n && (!schedule_parse(in->ScheduleExpression, &s) || s.kind == SCHEDULE_AT))
		return fail(rq, &aws_ValidationException, "Parameter ScheduleExpression is not valid.");
	if (in->EventPattern.n && !event_pattern_parse(rq->mem, in->EventPattern, &why))
		return fail(rq, &events_InvalidEventPatternException, "Event pattern is not valid. Reason: %.*s",
		            STR_ARG(why));
	return OK;
}

err events_PutRule(req *rq, txn *tx, const events_PutRule_in *in, events_PutRule_out *out)
{
	bus_name name;
	events_bus *b;
	TRY(bus_find(rq, tx, in->EventBusName, &name, &b));
	TRY(rule_check(rq, &name, in));
	const events_rule *old = events_rule_get(tx, rq->mem, name.account, name.region, name.name, in->Name);
	events_rule r = { .Account = name.account, .Region = name.region, .Bus = name.name, .Name = in->Name,
		.Pattern = in->EventPattern, .Schedule = in->ScheduleExpression,
		.State = in->State.n ? in->State : S("ENABLED"), .Description = in->Description,
				.RoleArn = in->RoleArn,
		.Tags = old ? old->Tags : in->Tags, .Since = rq->now };
	if (old && str_eq(old->Schedule, r.Schedule) && rule_enabled(old) == rule_enabled(&r))
		r.Since = old->Since;
	events_rule_put(tx, &r);
	bus_rules_changed(tx, rq->mem, &name);
	rule_arm(tx, rq->mem, &r, rq->now);
	out->RuleArn = rule_arn(rq->mem, &r);
	return OK;
}

err events_DeleteRule(req *rq, txn *tx, const events_DeleteRule_in *in, events_DeleteRule_out *out)
{
	bus_name b = bus_named(rq, in->EventBusName);
	events_rule *r = events_rule_get(tx, rq->mem, b.account, b.region, b.name, in->Name);
	if (!r)
		return OK;
	record_scan s = events_target_scan(tx, rq->mem, 4, b.account, b.region, b.name, in->Name, STR_NONE);
	bool any = events_target_next(&s) != NULL;
	cursor_close(&s.at);
	if (any)
		return fail(rq, &aws_ValidationException, "Rule can't be deleted since it has targets.");
	rule_disarm(tx, rq->mem, r);
	events_rule_delete(tx, b.account, b.region, b.name, in->Name);
	bus_rules_changed(tx, rq->mem, &b);
	return OK;
}

err events_DescribeRule(req *rq, const txn *tx, const events_DescribeRule_in *in,
		events_DescribeRule_out *out)
{
	bus_name b;
	events_bus *bus;
	events_rule *r;
	TRY(bus_find(rq, tx, in->EventBusName, &b, &bus));
	TRY(rule_find(rq, tx, &b, in->Name, &r));
	*out = (events_DescribeRule_out){ .Name = r->Name, .Arn = rule_arn(rq->mem, r),
			.EventPattern = r->Pattern,
		.ScheduleExpression = r->Schedule, .State = r->State, .Description = r->Description,
		.RoleArn = r->RoleArn, .EventBusName = r->Bus, .CreatedBy = r->Account };
	return OK;
}

static err switch_rule(req *rq, txn *tx, str bus, str name, str state)
{
	events_rule *r;
	bus_name b = bus_named(rq, bus);
	TRY(rule_find(rq, tx, &b, name, &r));
	if (str_eq(r->State, state))
		return OK;
	r->State = state;
	r->Since = rq->now;
	events_rule_put(tx, r);
	bus_rules_changed(tx, rq->mem, &b);
	rule_arm(tx, rq->mem, r, rq->now);
	return OK;
}

err events_EnableRule(req *rq, txn *tx, const events_EnableRule_in *in, events_EnableRule_out *out)
{
	return switch_rule(rq, tx, in->EventBusName, in->Name, S("ENABLED"));
}

err events_DisableRule(req *rq, txn *tx, const events_DisableRule_in *in, events_DisableRule_out *out)
{
	return switch_rule(rq, tx, in->EventBusName, in->Name, S("DISABLED"));
}

err events_ListRules(req *rq, const txn *tx, const events_ListRules_in *in, events_ListRules_out *out)
{
	bus_name b;
	events_bus *bus;
	str after, last = STR_NONE;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	TRY(bus_find(rq, tx, in->EventBusName, &b, &bus));
	record_scan s = events_rule_scan(tx, rq->mem, 3, b.account, b.region, b.name, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	}
	out->Rules.v = arena_array(rq->mem, events_Rule, page);
	for (events_rule *r; (r = events_rule_next(&s));) {
		if (!str_starts(r->Name, in->NamePrefix))
			continue;
		if (out->Rules.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->Rules.v[out->Rules.n++] = (events_Rule){ .Name = r->Name, .Arn = rule_arn(rq->mem, r),
			.EventPattern = r->Pattern, .State = r->State, .Description = r->Description,
			.ScheduleExpression = r->Schedule, .RoleArn = r->RoleArn, .EventBusName = r->Bus };
		last = r->Name;
	}
	cursor_close(&s.at);
	return OK;
}

err events_TestEventPattern(req *rq, const txn *tx, const events_TestEventPattern_in *in,
                            events_TestEventPattern_out *out)
{
	static const char *const needed[] = { "id", "account", "source", "time", "region", "detail-type" };
	str why;
	const event_pattern *p = event_pattern_parse(rq->mem, in->EventPattern, &why);
	if (!p)
		return fail(rq, &events_InvalidEventPatternException, "Event pattern is not valid. Reason: %.*s",
		            STR_ARG(why));
	const json_value *e = json_parse(rq->mem, in->Event);
	if (!e || e->kind != JSON_OBJECT)
		return fail(rq, &aws_ValidationException, "Parameter Event is not valid.");
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!json_get(e, str_c(needed[i])))
			return fail(rq, &aws_ValidationException,
			            "Parameter Event is not valid. Reason: Required field '%s' is missing.", needed[i]);
	out->Result = BOOL(event_pattern_match(p, event_pattern_event(rq->mem, e)));
	return OK;
}
