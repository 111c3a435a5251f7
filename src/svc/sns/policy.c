/* Delivery policies: how often an HTTP endpoint is tried, and when. */
#include "base/json.h"
#include "base/time.h"
#include "topic.h"
#include <math.h>

#define DELAY_MAX 3600
#define RETRIES_MAX 100
#define TEXT_ROOM ((size_t)2048)

static const char *const functions[] = { "linear", "arithmetic", "geometric", "exponential" };

static int64_t member(const json_value *v, const char *name, int64_t otherwise)
{
	int64_t n;
	const json_value *m = json_get(v, str_c(name));
	return m && str_to_i64(m->text, &n) && n >= 0 ? n : otherwise;
}

static const json_value *retries_in(const json_value *v, bool of_topic)
{
	const json_value *r = of_topic ? json_get(json_get(v, S("http")), S("defaultHealthyRetryPolicy"))
	                               : json_get(v, S("healthyRetryPolicy"));
	return r && r->kind == JSON_OBJECT ? r : NULL;
}

static delivery_policy read(const json_value *p)
{
	const json_value *f = json_get(p, S("backoffFunction"));
	return (delivery_policy){ .min_delay = member(p, "minDelayTarget", 20),
		                  .max_delay = member(p, "maxDelayTarget", 20),
		                  .retries = member(p, "numRetries", 3),
		                  .at_once = member(p, "numNoDelayRetries", 0),
		                  .at_min = member(p, "numMinDelayRetries", 0),
		                  .at_max = member(p, "numMaxDelayRetries", 0),
		                  .backoff = f ? f->text : S("linear") };
}

delivery_policy delivery_policy_of(arena *mem, const sns_topic *t, const sns_sub *s)
{
	str own = subscription_attribute(s, S("DeliveryPolicy"));
	str of_topic = topic_attribute(t, S("DeliveryPolicy"));
	const json_value *mine = own.n ? json_parse(mem, own) : NULL;
	const json_value *theirs = of_topic.n ? json_parse(mem, of_topic) : NULL;
	const json_value *http = json_get(theirs, S("http"));
	const json_value *fixed = json_get(http, S("disableSubscriptionOverrides"));
	if (fixed && fixed->kind == JSON_TRUE)
		mine = NULL;
	const json_value *retries = retries_in(mine, false);
	delivery_policy p = read(retries ? retries : retries_in(theirs, true));
	const json_value *type = json_get(json_get(mine, S("requestPolicy")), S("headerContentType"));
	if (!type)
		type = json_get(json_get(http, S("defaultRequestPolicy")), S("headerContentType"));
	p.content_type = type ? type->text : S("text/plain; charset=UTF-8");
	p.fixed = fixed && fixed->kind == JSON_TRUE;
	const json_value *throttle = json_get(mine, S("throttlePolicy"));
	if (throttle && throttle->kind == JSON_OBJECT) {
		buf b = buf_in(mem, 128, TEXT_ROOM);
		json_write(&b, throttle);
		p.throttle = buf_str(&b);
	}
	return p;
}

str delivery_policy_text(arena *mem, const delivery_policy *p, bool of_topic)
{
	buf b = buf_in(mem, 512, TEXT_ROOM);
	buf_fmt(&b,
	        "{%s{\"minDelayTarget\":%lld,\"maxDelayTarget\":%lld,\"numRetries\":%lld,"
	        "\"numMaxDelayRetries\":%lld,\"numNoDelayRetries\":%lld,\"numMinDelayRetries\":%lld,"
	        "\"backoffFunction\":\"%.*s\"},",
	        of_topic ? "\"http\":{\"defaultHealthyRetryPolicy\":" : "\"healthyRetryPolicy\":",
	        (long long)p->min_delay, (long long)p->max_delay, (long long)p->retries, (long long)p->at_max,
	        (long long)p->at_once, (long long)p->at_min, STR_ARG(p->backoff));
	if (of_topic) {
		buf_fmt(&b, "\"disableSubscriptionOverrides\":%s,\"defaultRequestPolicy\":",
		        p->fixed ? "true" : "false");
	} else {
		buf_put(&b, S("\"sicklyRetryPolicy\":null,\"throttlePolicy\":"));
		buf_put(&b, str_is(p->throttle) ? p->throttle : S("null"));
		buf_put(&b, S(",\"requestPolicy\":"));
	}
	buf_put(&b, S("{\"headerContentType\":"));
	json_put_string(&b, p->content_type);
	buf_put(&b, of_topic ? S("}}}") : S("},\"guaranteed\":false}"));
	return buf_str(&b);
}

static void put_part(buf *b, const json_value *v, const char *name, bool null_too)
{
	const json_value *part = json_get(v, str_c(name));
	if ((!part || part->kind == JSON_NULL) && !null_too)
		return;
	buf_fmt(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", name);
	if (part)
		json_write(b, part);
	else
		buf_put(b, S("null"));
}

str delivery_policy_kept(arena *mem, str text, bool of_topic)
{
	buf b = buf_in(mem, 512, text.n + 512);
	const json_value *v = json_parse(mem, text), *http = json_get(v, S("http"));
	const json_value *fixed = json_get(http, S("disableSubscriptionOverrides"));
	buf_put(&b, of_topic ? S("{\"http\":{") : S("{"));
	if (of_topic) {
		put_part(&b, http, "defaultHealthyRetryPolicy", false);
		buf_fmt(&b, "%s\"disableSubscriptionOverrides\":%s", b.p[b.n - 1] == '{' ? "" : ",",
		        fixed && fixed->kind == JSON_TRUE ? "true" : "false");
		put_part(&b, http, "defaultThrottlePolicy", false);
		put_part(&b, http, "defaultRequestPolicy", false);
		buf_put(&b, S("}}"));
		return buf_str(&b);
	}
	put_part(&b, v, "healthyRetryPolicy", true);
	put_part(&b, v, "sicklyRetryPolicy", true);
	put_part(&b, v, "throttlePolicy", true);
	put_part(&b, v, "requestPolicy", true);
	buf_put(&b, S(",\"guaranteed\":false}"));
	return buf_str(&b);
}

str delivery_policy_wrong(arena *mem, str text, bool of_topic)
{
	const json_value *v = json_parse(mem, text);
	if (!v || v->kind != JSON_OBJECT)
		return S("DeliveryPolicy: failed to parse JSON.");
	const json_value *r = retries_in(v, of_topic);
	if (!r)
		return STR_NONE;
	delivery_policy p = read(r);
	bool known = false;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		known = known || str_eq(p.backoff, str_c(functions[i]));
	if (!known)
		return S("DeliveryPolicy: backoffFunction must be one of linear, arithmetic, geometric, exponential");
	if (p.min_delay < 1 || p.min_delay > DELAY_MAX)
		return S("DeliveryPolicy: minDelayTarget must be between 1 and 3600");
	if (p.max_delay < p.min_delay || p.max_delay > DELAY_MAX)
		return S("DeliveryPolicy: maxDelayTarget must be between minDelayTarget and 3600");
	if (p.retries > RETRIES_MAX)
		return S("DeliveryPolicy: numRetries must be between 0 and 100");
	if (p.at_once + p.at_min + p.at_max > p.retries)
		return S("DeliveryPolicy: numRetries must be greater than or equal to the sum of the phases' "
		         "retries");
	return STR_NONE;
}

/* Step `i` of `n` from the least delay to the greatest. */
static double backed_off(const delivery_policy *p, double i, double n)
{
	double low = (double)p->min_delay, high = (double)p->max_delay, part = n > 1 ? i / (n - 1) : 0;
	if (str_eq(p->backoff, S("arithmetic")))
		return low + (high - low) * part * (part + 1) / 2;
	if (str_eq(p->backoff, S("geometric")))
		return low + (high - low) * part * part;
	if (str_eq(p->backoff, S("exponential")))
		return low * pow(high / low, part);
	return low + (high - low) * part;
}

int64_t delivery_delay(const delivery_policy *p, int64_t tries)
{
	int64_t between = p->retries - p->at_once - p->at_min - p->at_max;
	int64_t step = tries - p->at_once - p->at_min;
	if (tries > p->retries)
		return -1;
	if (tries <= p->at_once)
		return 0;
	if (step <= 0)
		return p->min_delay * MS_SECOND;
	if (step > between)
		return p->max_delay * MS_SECOND;
	return (int64_t)(backed_off(p, (double)(step - 1), (double)between) * (double)MS_SECOND);
}
