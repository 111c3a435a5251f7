/* An alarm takes a state: what follows from that, all in the same transaction. */
#include "mute.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "store/due.h"

#define HISTORY_MS (30 * MS_DAY)
#define HISTORY_DROP 100
#define EVENT_MAX ((size_t)200 << 10)

bool alarm_get(const txn *tx, arena *mem, str account, str region, str name, alarm *out)
{
	*out = (alarm){ .metric = cloudwatch_alarm_get(tx, mem, account, region, name) };
	if (!out->metric)
		out->composite = cloudwatch_composite_get(tx, mem, account, region, name);
	return out->metric || out->composite;
}

void alarm_put(txn *tx, const alarm *a)
{
	if (a->metric)
		cloudwatch_alarm_put(tx, a->metric);
	else
		cloudwatch_composite_put(tx, a->composite);
}

void alarm_keep_state(alarm *a, const alarm *old)
{
	ALARM_OF(a, StateValue) = ALARM_OF(old, StateValue);
	ALARM_OF(a, StateReason) = ALARM_OF(old, StateReason);
	ALARM_OF(a, StateReasonData) = ALARM_OF(old, StateReasonData);
	ALARM_OF(a, StateUpdatedTimestamp) = ALARM_OF(old, StateUpdatedTimestamp);
	ALARM_OF(a, StateTransitionedTimestamp) = ALARM_OF(old, StateTransitionedTimestamp);
}

str alarm_name_of(str name_or_arn)
{
	size_t at = str_starts(name_or_arn, S("arn:")) ? str_find(name_or_arn, S(":alarm:")) : SIZE_MAX;
	return at == SIZE_MAX ? name_or_arn : str_sub(name_or_arn, at + 7, name_or_arn.n);
}

/* AWS keeps history for 30 days. */
static void history_drop(txn *tx, str account, str region, int64_t now)
{
	record_scan s = cloudwatch_history_scan(tx, txn_arena(tx), 2, account, region, 0, 0);
	cloudwatch_history *h;
	for (int i = 0; i < HISTORY_DROP && (h = cloudwatch_history_next(&s)) && h->When < now - HISTORY_MS; i++)
		cloudwatch_history_delete(tx, account, region, h->When, h->Seq);
	cursor_close(&s.at);
}

void history_add(txn *tx, const alarm *a, str type, str summary, str data, int64_t now)
{
	str account = ALARM_KEY(a, Account), region = ALARM_KEY(a, Region);
	cloudwatch_AlarmHistoryItem it = { .AlarmName = ALARM_KEY(a, Name),
		                               .AlarmType = a->metric ? cloudwatch_AlarmType_MetricAlarm
		                                                      : cloudwatch_AlarmType_CompositeAlarm,
		                               .Timestamp = TIME(now),
		                               .HistoryItemType = type,
		                               .HistorySummary = summary,
		                               .HistoryData = data };
	history_drop(tx, account, region, now);
	cloudwatch_history_put(tx,
	                       &(cloudwatch_history){ .Account = account,
	                                              .Region = region,
	                                              .When = now,
	                                              .Seq = (int64_t)txn_next(tx, S("cloudwatch.history")),
	                                              .It = &it });
}

void history_configured(txn *tx, const alarm *a, const char *what, int64_t now)
{
	arena *mem = txn_arena(tx);
	str past = str_eq(str_c(what), S("Create")) ? S("created")
		: str_eq(str_c(what), S("Update"))      ? S("updated")
												: S("deleted");
	history_add(tx, a, cloudwatch_HistoryItemType_ConfigurationUpdate,
	            arena_fmt(mem, "Alarm \"%.*s\" %.*s", STR_ARG(ALARM_KEY(a, Name)), STR_ARG(past)),
	            arena_fmt(mem, "{\"version\":\"1.0\",\"type\":\"%s\",\"%.*sAlarm\":%.*s}", what,
	                      STR_ARG(past), STR_ARG(alarm_json(mem, a))),
	            now);
}

static void put_state(buf *b, const char *name, str value, str reason, str data)
{
	buf_fmt(b, "\"%s\":{\"stateValue\":", name);
	json_put_string(b, value);
	buf_put(b, S(",\"stateReason\":"));
	json_put_string(b, reason);
	if (json_valid(data)) {
		buf_put(b, S(",\"stateReasonData\":"));
		buf_put(b, data);
	}
	buf_c(b, '}');
}

static void history_changed(txn *tx, const alarm *a, const alarm *before, int64_t now)
{
	arena *mem = txn_arena(tx);
	buf b = buf_in(mem, 1024, 16000);
	buf_put(&b, S("{\"version\":\"1.0\","));
	put_state(&b, "oldState", ALARM_OF(before, StateValue), ALARM_OF(before, StateReason),
	          ALARM_OF(before, StateReasonData));
	buf_c(&b, ',');
	put_state(&b, "newState", ALARM_OF(a, StateValue), ALARM_OF(a, StateReason),
	          ALARM_OF(a, StateReasonData));
	buf_c(&b, '}');
	history_add(tx, a, cloudwatch_HistoryItemType_StateUpdate,
	            arena_fmt(mem, "Alarm updated from %.*s to %.*s", STR_ARG(ALARM_OF(before, StateValue)),
	                      STR_ARG(ALARM_OF(a, StateValue))),
	            buf_str(&b), now);
}

/* To EventBridge, in the same transaction; without that service there is nobody to tell. */
static void event_send(txn *tx, const alarm *a, const alarm *before)
{
	arena *mem = txn_arena(tx);
	str answer;
	if (!call_possible("events", "PutEvents"))
		return;
	buf b = buf_in(mem, 2048, EVENT_MAX);
	buf_put(&b,
	        S("{\"Entries\":[{\"Source\":\"aws.cloudwatch\",\"DetailType\":\"CloudWatch Alarm State Change\","
	          "\"Resources\":["));
	json_put_string(&b, ALARM_OF(a, AlarmArn));
	buf_put(&b, S("],\"Detail\":"));
	json_put_string(&b, alarm_event_detail(mem, a, before));
	buf_put(&b, S("}]}"));
	req *rq = req_internal(mem, txn_store(tx), "cloudwatch.amazonaws.com", ALARM_KEY(a, Account),
	                       ALARM_KEY(a, Region));
	/* A refusal is EventBridge's to count; the alarm has its state all the same. */
	call_json(rq, tx, "events", "PutEvents", buf_str(&b), &answer);
	usage_settle(tx, rq);
}

static void act_one(txn *tx, const alarm *a, const alarm *before, str action, int64_t now)
{
	arena *mem = txn_arena(tx);
	str message = str_starts(action, S("arn:aws:lambda:")) ? alarm_lambda_event(mem, a, before, now)
		: a->metric && !str_starts(action, S("arn:aws:sns:"))
		? alarm_json(mem, a)
		: alarm_message(mem, a, ALARM_OF(before, StateValue), now);
	task_add(tx, "cloudwatch_action",
	         arena_fmt(mem, "%.*s %.*s %.*s %.*s %lld %.*s\n%.*s", STR_ARG(ALARM_KEY(a, Account)),
	                   STR_ARG(ALARM_KEY(a, Region)), STR_ARG(action), STR_ARG(ALARM_OF(a, StateValue)),
	                   (long long)now, STR_ARG(ALARM_KEY(a, Name)), STR_ARG(message)),
	         0);
}

static void act(txn *tx, const alarm *a, const alarm *before, str prefix, int64_t now)
{
	str state = ALARM_OF(a, StateValue);
	const cloudwatch_ResourceList *actions = str_eq(state, S("ALARM")) ? &ALARM_OF(a, AlarmActions)
		: str_eq(state, S("OK"))                                       ? &ALARM_OF(a, OKActions)
								 : &ALARM_OF(a, InsufficientDataActions);
	opt_bool enabled = ALARM_OF(a, ActionsEnabled);
	if (actions->n && (!enabled.set || enabled.v) && muted(tx, a, ALARM_OF(before, StateValue), now))
		return;
	for (size_t i = 0; i < actions->n && (!enabled.set || enabled.v); i++)
		if (str_starts(actions->v[i], prefix))
			act_one(tx, a, before, actions->v[i], now);
}

/* A copy that keeps the state as it was. */
static alarm kept(arena *mem, const alarm *a)
{
	alarm out = { 0 };
	if (a->metric) {
		out.metric = arena_new(mem, cloudwatch_alarm);
		*out.metric = *a->metric;
		out.metric->It = arena_new(mem, cloudwatch_MetricAlarm);
		*out.metric->It = *a->metric->It;
	} else {
		out.composite = arena_new(mem, cloudwatch_composite);
		*out.composite = *a->composite;
		out.composite->It = arena_new(mem, cloudwatch_CompositeAlarm);
		*out.composite->It = *a->composite->It;
	}
	return out;
}

void alarm_act(txn *tx, const alarm *a, str old, str prefix, int64_t now)
{
	alarm before = kept(txn_arena(tx), a);
	ALARM_OF(&before, StateValue) = old;
	act(tx, a, &before, prefix, now);
}

void alarm_change(txn *tx, alarm *a, str state, str reason, str data, int64_t now)
{
	alarm before = kept(txn_arena(tx), a);
	ALARM_OF(a, StateValue) = state;
	ALARM_OF(a, StateReason) = reason;
	ALARM_OF(a, StateReasonData) = data;
	ALARM_OF(a, StateUpdatedTimestamp) = TIME(now);
	if (str_eq(state, ALARM_OF(&before, StateValue))) {
		alarm_put(tx, a);
		return;
	}
	ALARM_OF(a, StateTransitionedTimestamp) = TIME(now);
	bool waits = a->composite && suppressed(tx, a->composite, now);
	alarm_put(tx, a);
	history_changed(tx, a, &before, now);
	if (!waits)
		act(tx, a, &before, S(""), now);
	event_send(tx, a, &before);
	composites_look(tx, ALARM_KEY(a, Account), ALARM_KEY(a, Region), ALARM_KEY(a, Name), now);
}
