/* Composite alarms: put, dropped, and looked at when an alarm below them has another state. */
#include "alarm.h"
#include "alarm_check.h"
#include "base/json.h"
#include "cloud/call.h"

#define DEPTH_MAX 20

static void related(txn *tx, arena *mem, const cloudwatch_composite *c, bool on)
{
	str *names = arena_array(mem, str, CW_RULE_CHILDREN_MAX + 1);
	rule *r;
	req *rq = req_internal(mem, txn_store(tx), "cloudwatch.amazonaws.com", c->Account, c->Region);
	size_t n = rule_read(rq, c->It->AlarmRule, &r) ? 0 : rule_names(r, names, CW_RULE_CHILDREN_MAX);
	if (str_is(c->It->ActionsSuppressor))
		names[n++] = alarm_name_of(c->It->ActionsSuppressor);
	for (size_t i = 0; i < n; i++) {
		if (on)
			cloudwatch_child_put(tx, &(cloudwatch_child){ c->Account, c->Region, names[i], c->Name });
		else
			cloudwatch_child_delete(tx, c->Account, c->Region, names[i], c->Name);
	}
}

void composite_drop(txn *tx, cloudwatch_composite *c, int64_t now)
{
	related(tx, txn_arena(tx), c, false);
	resident_set(tx, c->Account, c->Region, now, &CW_ALARM_COMPOSITE, c->It->AlarmArn, 0);
	cloudwatch_composite_delete(tx, c->Account, c->Region, c->Name);
}

/* Every alarm that it mentions must be there. */
static err children_check(req *rq, const txn *tx, const rule *r, str own)
{
	str *names = arena_array(rq->mem, str, CW_RULE_CHILDREN_MAX + 1);
	size_t n = rule_names(r, names, CW_RULE_CHILDREN_MAX + 1);
	buf lost = buf_in(rq->mem, 64, 2000);
	alarm a;
	if (n > CW_RULE_CHILDREN_MAX)
		return fail(rq, &cloudwatch_LimitExceededFault, "The alarm rule mentions more than %d alarms.",
		            CW_RULE_CHILDREN_MAX);
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], own))
			return fail(rq, &aws_ValidationException, "A composite alarm cannot be part of its own rule.");
		if (alarm_get(tx, rq->mem, rq->who.account, rq->region, names[i], &a))
			continue;
		buf_fmt(&lost, "%s%.*s", lost.n ? ", " : "", STR_ARG(names[i]));
	}
	return lost.n ? fail(rq, &aws_ValidationException,
	                     "Could not save the composite alarm as alarms [%.*s] in the alarm rule do not exist",
	                     STR_ARG(buf_str(&lost)))
				  : OK;
}

static err suppressor_check(req *rq, const txn *tx, const cloudwatch_PutCompositeAlarm_in *in)
{
	alarm a;
	if (!str_is(in->ActionsSuppressor)) {
		if (in->ActionsSuppressorWaitPeriod.set || in->ActionsSuppressorExtensionPeriod.set)
			return fail(rq, &aws_ValidationException,
			            "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod require an "
			            "ActionsSuppressor.");
		return OK;
	}
	if (!in->ActionsSuppressorWaitPeriod.set || !in->ActionsSuppressorExtensionPeriod.set)
		return fail(
			rq, &aws_ValidationException,
			"ActionsSuppressor requires ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod.");
	if (!alarm_get(tx, rq->mem, rq->who.account, rq->region, alarm_name_of(in->ActionsSuppressor), &a))
		return fail(rq, &aws_ValidationException,
		            "Could not save the composite alarm as the actions suppressor %.*s does not exist",
		            STR_ARG(in->ActionsSuppressor));
	return OK;
}

static cloudwatch_CompositeAlarm composite_of(req *rq, const cloudwatch_PutCompositeAlarm_in *in)
{
	return (cloudwatch_CompositeAlarm){
		.ActionsEnabled = BOOL(!in->ActionsEnabled.set || in->ActionsEnabled.v),
		.AlarmActions = in->AlarmActions,
		.AlarmArn = alarm_arn(rq, in->AlarmName),
		.AlarmConfigurationUpdatedTimestamp = TIME(rq->now),
		.AlarmDescription = in->AlarmDescription,
		.AlarmName = in->AlarmName,
		.AlarmRule = in->AlarmRule,
		.InsufficientDataActions = in->InsufficientDataActions,
		.OKActions = in->OKActions,
		.StateReason = S("Unchecked: Initial alarm creation"),
		.StateUpdatedTimestamp = TIME(rq->now),
		.StateTransitionedTimestamp = TIME(rq->now),
		.StateValue = cloudwatch_StateValue_INSUFFICIENT_DATA,
		.ActionsSuppressor = in->ActionsSuppressor,
		.ActionsSuppressorWaitPeriod = in->ActionsSuppressorWaitPeriod,
		.ActionsSuppressorExtensionPeriod = in->ActionsSuppressorExtensionPeriod,
	};
}

/* Friday 21 August, 2020 21:00:00 UTC */
static str long_time(arena *mem, int64_t ms)
{
	static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
		                                "Thursday", "Friday", "Saturday" };
	static const char *const months[] = { "January",   "February", "March",    "April",
		                                  "May",       "June",     "July",     "August",
		                                  "September", "October",  "November", "December" };
	civil c = time_civil(ms);
	return arena_fmt(mem, "%s %02d %s, %04d %02d:%02d:%02d UTC", days[c.weekday], c.day, months[c.month - 1],
	                 c.year, c.hour, c.minute, c.second);
}

/* `child`: whose change it is; the composite itself when it was put. */
static void composite_look(txn *tx, cloudwatch_composite *c, const alarm *child, int64_t now)
{
	arena *mem = txn_arena(tx);
	rule *r;
	req *rq = req_internal(mem, txn_store(tx), "cloudwatch.amazonaws.com", c->Account, c->Region);
	if (rule_read(rq, c->It->AlarmRule, &r))
		return;
	str state = rule_true(tx, mem, c->Account, c->Region, r) ? S("ALARM") : S("OK");
	if (str_eq(state, c->It->StateValue))
		return;
	str reason = S("Alarm rule was evaluated when the alarm was created or updated"), data = STR_NONE;
	if (child) {
		str child_state = ALARM_OF(child, StateValue);
		buf b = buf_in(mem, 512, 4000);
		reason = arena_fmt(mem, "%.*s transitioned to %.*s at %.*s", STR_ARG(ALARM_OF(child, AlarmArn)),
		                   STR_ARG(child_state), STR_ARG(long_time(mem, now)));
		buf_put(&b, S("{\"triggeringAlarms\":[{\"arn\":"));
		json_put_string(&b, ALARM_OF(child, AlarmArn));
		buf_fmt(&b, ",\"state\":{\"value\":\"%.*s\",\"timestamp\":\"%.*s\"}}]}", STR_ARG(child_state),
		        STR_ARG(alarm_time(mem, now)));
		data = buf_str(&b);
	}
	alarm it = { .composite = c };
	alarm_change(tx, &it, state, reason, data, now);
}

void composites_look(txn *tx, str account, str region, str child, int64_t now)
{
	static _Thread_local unsigned depth; /* a circle of composites turns so often */
	arena *mem = txn_arena(tx);
	alarm of;
	if (depth == DEPTH_MAX || !alarm_get(tx, mem, account, region, child, &of))
		return;
	depth++;
	record_scan s = cloudwatch_child_scan(tx, mem, 3, account, region, child, STR_NONE);
	for (cloudwatch_child *c; (c = cloudwatch_child_next(&s));) {
		cloudwatch_composite *parent = cloudwatch_composite_get(tx, mem, account, region, c->Parent);
		if (parent && str_eq(alarm_name_of(parent->It->ActionsSuppressor), child))
			suppressor_changed(tx, parent, now);
		parent = cloudwatch_composite_get(tx, mem, account, region, c->Parent);
		if (parent)
			composite_look(tx, parent, &of, now);
	}
	cursor_close(&s.at);
	depth--;
}

err cloudwatch_PutCompositeAlarm(req *rq, txn *tx, const cloudwatch_PutCompositeAlarm_in *in,
                                 cloudwatch_PutCompositeAlarm_out *out)
{
	rule *r;
	alarm old;
	TRY(rule_read(rq, in->AlarmRule, &r));
	TRY(children_check(rq, tx, r, in->AlarmName));
	TRY(suppressor_check(rq, tx, in));
	TRY(actions_check(rq, &in->AlarmActions, true));
	TRY(actions_check(rq, &in->OKActions, true));
	TRY(actions_check(rq, &in->InsufficientDataActions, true));
	if (alarm_get(tx, rq->mem, rq->who.account, rq->region, in->AlarmName, &old) && old.metric)
		return fail(rq, &aws_ValidationException, "A metric alarm with the name %.*s exists already.",
		            STR_ARG(in->AlarmName));
	cloudwatch_CompositeAlarm it = composite_of(rq, in);
	cloudwatch_composite c = { .Account = rq->who.account,
		                       .Region = rq->region,
		                       .Name = in->AlarmName,
		                       .It = &it,
		                       .Tags = in->Tags,
		                       .Acted = it.StateValue };
	if (old.composite) {
		related(tx, rq->mem, old.composite, false);
		c.Tags = old.composite->Tags;
		c.Acted = old.composite->Acted;
		alarm_keep_state(&(alarm){ .composite = &c }, &old);
	}
	cloudwatch_composite_put(tx, &c);
	related(tx, rq->mem, &c, true);
	resident_set(tx, rq->who.account, rq->region, rq->now, &CW_ALARM_COMPOSITE, it.AlarmArn, QTY(1));
	history_configured(tx, &(alarm){ .composite = &c }, old.composite ? "Update" : "Create", rq->now);
	composite_look(tx, &c, NULL, rq->now);
	return OK;
}
