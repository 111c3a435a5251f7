#include "alarm.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "store/due.h"

#define MESSAGE_MAX ((size_t)64 << 10)
#define SUBJECT_MAX 99

void history_add(txn *tx, const cloudwatch_alarm *a, str type, str summary, str data, int64_t now)
{
	cloudwatch_AlarmHistoryItem it = { .AlarmName = a->Name, .AlarmType = S("MetricAlarm"),
		                           .Timestamp = TIME(now), .HistoryItemType = type,
		                           .HistorySummary = summary, .HistoryData = data };
	cloudwatch_history_put(tx, &(cloudwatch_history){ .Account = a->Account, .Region = a->Region, .When = now,
	                                                  .Seq = (int64_t)txn_next(tx, S("cloudwatch.history")),
	                                                  .It = &it });
}

static void put_member(buf *b, const char *name, str value)
{
	buf_fmt(b, ",\"%s\":", name);
	json_put_string(b, value);
}

/* The message that SNS subscribers get. */
static str message_of(arena *mem, const cloudwatch_alarm *a, str old, int64_t now)
{
	const cloudwatch_MetricAlarm *it = a->It;
	buf b = buf_in(mem, 1024, 16384);
	buf_put(&b, S("{\"AlarmName\":"));
	json_put_string(&b, a->Name);
	if (str_is(it->AlarmDescription))
		put_member(&b, "AlarmDescription", it->AlarmDescription);
	put_member(&b, "AWSAccountId", a->Account);
	put_member(&b, "NewStateValue", it->StateValue);
	put_member(&b, "NewStateReason", it->StateReason);
	put_member(&b, "StateChangeTime", time_iso_ms(mem, now));
	put_member(&b, "Region", a->Region);
	put_member(&b, "AlarmArn", it->AlarmArn);
	put_member(&b, "OldStateValue", old);
	buf_put(&b, S(",\"Trigger\":{\"Period\":"));
	buf_i64(&b, it->Period.v);
	put_member(&b, "MetricName", it->MetricName);
	put_member(&b, "Namespace", it->Namespace);
	put_member(&b, "Statistic", it->Statistic);
	put_member(&b, "ComparisonOperator", it->ComparisonOperator);
	buf_fmt(&b, ",\"EvaluationPeriods\":%lld,\"Threshold\":", (long long)it->EvaluationPeriods.v);
	json_put_double(&b, it->Threshold.v);
	buf_put(&b, S(",\"Dimensions\":["));
	for (size_t i = 0; i < it->Dimensions.n; i++) {
		buf_put(&b, i ? S(",{\"value\":") : S("{\"value\":"));
		json_put_string(&b, it->Dimensions.v[i].Value);
		put_member(&b, "name", it->Dimensions.v[i].Name);
		buf_c(&b, '}');
	}
	buf_put(&b, S("]}}"));
	return buf_str(&b);
}

void alarm_set_state(txn *tx, cloudwatch_alarm *a, str state, str reason, str data, int64_t now)
{
	arena *mem = txn_arena(tx);
	cloudwatch_MetricAlarm *it = a->It;
	str old = it->StateValue;
	it->StateValue = state;
	it->StateReason = reason;
	it->StateReasonData = data;
	it->StateUpdatedTimestamp = TIME(now);
	it->StateTransitionedTimestamp = TIME(now);
	cloudwatch_alarm_put(tx, a);
	history_add(tx, a, cloudwatch_HistoryItemType_StateUpdate,
	            arena_fmt(mem, "Alarm updated from %.*s to %.*s", STR_ARG(old), STR_ARG(state)), data, now);
	const cloudwatch_ResourceList *actions = str_eq(state, S("ALARM")) ? &it->AlarmActions :
						 str_eq(state, S("OK"))    ? &it->OKActions :
									     &it->InsufficientDataActions;
	if (it->ActionsEnabled.set && !it->ActionsEnabled.v)
		return;
	for (size_t i = 0; i < actions->n; i++) {
		str message = message_of(mem, a, old, now);
		task_add(tx, "cloudwatch_action",
		         arena_fmt(mem, "%.*s %.*s %.*s %.*s\n%.*s", STR_ARG(a->Account), STR_ARG(a->Region),
		                   STR_ARG(actions->v[i]), STR_ARG(a->Name), STR_ARG(message)), 0);
	}
}

static err publish(req *rq, str topic, str subject, str message)
{
	buf b = buf_in(rq->mem, message.n * 2, MESSAGE_MAX);
	str answer;
	buf_put(&b, S("{\"TopicArn\":"));
	json_put_string(&b, topic);
	put_member(&b, "Subject", str_sub(subject, 0, SUBJECT_MAX));
	put_member(&b, "Message", message);
	buf_c(&b, '}');
	return call_json(rq, NULL, "sns", "Publish", buf_str(&b), &answer);
}

static err invoke(req *rq, str function, str message)
{
	buf b = buf_in(rq->mem, message.n * 2, MESSAGE_MAX);
	str answer;
	buf_put(&b, S("{\"InvocationType\":\"Event\",\"FunctionName\":"));
	json_put_string(&b, function);
	put_member(&b, "Payload", base64_encode(rq->mem, message));
	buf_c(&b, '}');
	return call_json(rq, NULL, "lambda", "Invoke", buf_str(&b), &answer);
}

/* Once: AWS does not repeat an action that its target refuses. */
TASK(cloudwatch_action)
{
	str message = payload, head = str_cut(&message, '\n');
	str account = str_cut(&head, ' '), region = str_cut(&head, ' '), action = str_cut(&head, ' ');
	req *rq = req_internal(mem, s, "cloudwatch.amazonaws.com", account, region);
	str subject = arena_fmt(mem, "ALARM: \"%.*s\" in %.*s", STR_ARG(head), STR_ARG(region));
	if (str_starts(action, S("arn:aws:sns:")))
		publish(rq, action, subject, message);
	else if (str_starts(action, S("arn:aws:lambda:")))
		invoke(rq, action, message);
	usage_settle_later(rq);
	return TASK_DONE;
}
