/* Filter policies: event patterns over the message's attributes, or over its body. */
#include "base/json.h"
#include "cloud/event_pattern.h"
#include "topic.h"

#define ATTRIBUTES_MAX ((size_t)1 << 20)

str filter_wrong(arena *mem, str policy, str scope)
{
	str why;
	const json_value *v = json_parse(mem, policy);
	if (!v || v->kind != JSON_OBJECT)
		return S("failed to parse JSON.");
	if (!v->n)
		return STR_NONE;
	if (!str_eq(scope, S("MessageBody")))
		for (const json_value *f = v->first; f; f = f->next)
			if (f->kind == JSON_OBJECT)
				return S("Filter policy scope MessageAttributes does not support nested filter policy");
	return event_pattern_parse(mem, policy, &why) ? STR_NONE : why;
}

static str attributes_json(arena *mem, const sns_MessageAttributeMap *a)
{
	buf b = buf_in(mem, 512, ATTRIBUTES_MAX);
	buf_c(&b, '{');
	for (size_t i = 0; i < a->n; i++) {
		const sns_MessageAttributeValue *v = &a->v[i].value;
		if (!str_is(v->StringValue))
			continue;
		if (b.n > 1)
			buf_c(&b, ',');
		json_put_string(&b, a->v[i].key);
		buf_c(&b, ':');
		bool raw = str_eq(v->DataType, S("Number")) || str_starts(v->DataType, S("Number.")) ||
		           str_eq(v->DataType, S("String.Array"));
		if (raw && json_valid(v->StringValue))
			buf_put(&b, v->StringValue);
		else
			json_put_string(&b, v->StringValue);
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

bool filter_wants(arena *mem, const sns_sub *s, const notice *n, str message)
{
	static const sns_MessageAttributeMap none;
	str why, policy = subscription_attribute(s, S("FilterPolicy"));
	if (!policy.n || str_eq(policy, S("{}")))
		return true;
	const event_pattern *p = event_pattern_parse(mem, policy, &why);
	bool body = str_eq(subscription_attribute(s, S("FilterPolicyScope")), S("MessageBody"));
	str event = body ? message : attributes_json(mem, n->attributes ? n->attributes : &none);
	return p && event_pattern_match(p, json_parse(mem, event));
}
