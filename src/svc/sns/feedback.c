/* Delivery status in CloudWatch Logs: sns/REGION/ACCOUNT/TOPIC, with /Failure behind it for what failed. */
#include "base/digest.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/event_log.h"
#include "sys/rand.h"
#include "topic.h"

#define LINE_MAX ((size_t)64 << 10)

static str asked(arena *mem, const sns_topic *t, const delivery_report *r, const char *what)
{
	return topic_attribute(t, arena_fmt(mem, "%s%s", r->protocol, what));
}

void feedback(arena *mem, const sns_topic *t, const delivery_report *r)
{
	int64_t percent;
	if (!asked(mem, t, r, r->delivered ? "SuccessFeedbackRoleArn" : "FailureFeedbackRoleArn").n)
		return;
	if (r->delivered && str_to_i64(asked(mem, t, r, "SuccessFeedbackSampleRate"), &percent) &&
	    (int64_t)rand_below(100) >= percent)
		return;
	buf b = buf_in(mem, 1024, LINE_MAX);
	buf_fmt(&b, "{\"notification\":{\"messageMD5Sum\":\"%.*s\",\"messageId\":\"%.*s\",\"topicArn\":\"%.*s\","
	        "\"timestamp\":\"%.*s\"},\"delivery\":{\"deliveryId\":\"%.*s\",\"destination\":",
	        STR_ARG(md5_hex(mem, r->message)), STR_ARG(r->message_id), STR_ARG(topic_arn(mem, t)),
	        STR_ARG(time_iso_ms(mem, r->when)), STR_ARG(rand_uuid(mem)));
	json_put_string(&b, r->destination);
	buf_put(&b, S(",\"providerResponse\":"));
	json_put_string(&b, r->answer);
	buf_fmt(&b, ",\"dwellTimeMs\":%lld,\"statusCode\":%lld},\"status\":\"%s\"}", (long long)r->dwell_ms,
	        (long long)r->status, r->delivered ? "SUCCESS" : "FAILURE");
	str group = arena_fmt(mem, "sns/%.*s/%.*s/%.*s%s", STR_ARG(t->Region), STR_ARG(t->Account),
	                      STR_ARG(t->Name), r->delivered ? "" : "/Failure");
	log_later(t->Account, t->Region, group, S("deliveries"), r->when + r->dwell_ms, buf_str(&b));
}
