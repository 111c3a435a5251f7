/*
 * Filter policies: event patterns over the message's attributes, or over its body. Compiled once and kept by
 * their text.
 */
#include "base/json.h"
#include "cloud/event_pattern.h"
#include "topic.h"
#include <pthread.h>

#define ATTRIBUTES_MAX ((size_t)1 << 20)
#define KEYS_MAX 5
#define COMBINATIONS_MAX 150
#define SLOTS 512

typedef struct compiled {
	arena *mem;
	str text;
	const event_pattern *pattern;
} compiled;

static compiled slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER; /* held while a pattern is looked at */

/* The keys of a policy that hold lists, and the product of what the lists hold: AWS's measure of it. */
static void measure(const json_value *v, size_t depth, size_t *keys, size_t *combinations)
{
	for (const json_value *f = v->first; f; f = f->next) {
		if (str_eq(f->key, S("$or")) && f->kind == JSON_ARRAY) {
			for (const json_value *one = f->first; one; one = one->next)
				measure(one, depth, keys, combinations);
		} else if (f->kind == JSON_OBJECT) {
			measure(f, depth + 1, keys, combinations);
		} else if (f->kind == JSON_ARRAY) {
			++*keys;
			*combinations *= (f->n ? f->n : 1) * depth;
		}
	}
}

str json_unreadable(arena *mem, str text)
{
	str why = STR_NONE;
	event_pattern_parse(mem, text, &why);
	size_t at = str_find(why, S("\n at [Source: (String)")), line = why.n;
	while (line > 0 && !str_starts(str_sub(why, line, why.n), S("; line: 1")))
		line--;
	if (at == SIZE_MAX || !line)
		return S("failed to parse JSON.");
	return arena_fmt(mem, "failed to parse JSON. %.*s\n at [Source: REDACTED "
	                 "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)%.*s",
	                 STR_ARG(str_sub(why, 0, at)), STR_ARG(str_sub(why, line, why.n)));
}

/* Of what EventBridge lets be excluded, SNS knows values and prefixes. */
static str but_wrong(arena *mem, const json_value *v)
{
	str why = STR_NONE;
	for (const json_value *i = v->first; i && !str_is(why); i = i->next) {
		bool but = v->kind == JSON_OBJECT && i->kind == JSON_OBJECT && str_eq(i->key, S("anything-but"));
		if (but && i->n == 1 && !str_eq(i->first->key, S("prefix")))
			why = arena_fmt(mem, "Unsupported anything-but pattern: %.*s", STR_ARG(i->first->key));
		else
			why = but_wrong(mem, i);
	}
	return why;
}

str filter_wrong(arena *mem, str policy, str scope)
{
	str why;
	const json_value *v = json_parse(mem, policy);
	if (!v)
		return json_unreadable(mem, policy);
	if (v->kind != JSON_OBJECT)
		return event_pattern_parse(mem, policy, &why) ? STR_NONE : why;
	if (!v->n)
		return STR_NONE;
	size_t keys = 0, combinations = 1;
	measure(v, 1, &keys, &combinations);
	if (keys > KEYS_MAX)
		return S("Filter policy can not have more than 5 keys");
	if (combinations > COMBINATIONS_MAX)
		return S("Filter policy is too complex");
	if (!str_eq(scope, S("MessageBody")))
		for (const json_value *f = v->first; f; f = f->next)
			if (f->kind == JSON_OBJECT && !str_eq(f->key, S("$or")))
				return S("Filter policy scope MessageAttributes does not support nested filter policy");
	why = but_wrong(mem, v);
	if (str_is(why) || event_pattern_parse(mem, policy, &why))
		return why;
	bool prefix = str_eq(why, S("prefix/suffix match pattern must be a string"));
	return prefix ? S("prefix match pattern must be a string") : why;
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

static const event_pattern *pattern_of(str text)
{
	str why;
	compiled *c = &slots[str_hash(text) % SLOTS];
	if (c->mem && str_eq(c->text, text))
		return c->pattern;
	if (c->mem)
		arena_close(c->mem);
	c->mem = arena_open(2048);
	c->text = arena_str(c->mem, text);
	c->pattern = event_pattern_parse(c->mem, c->text, &why);
	return c->pattern;
}

/* The message as a policy of this scope sees it. */
static const json_value *view_of(arena *mem, const notice *n, bool body, str message)
{
	static const sns_MessageAttributeMap none;
	notice_views *v = n->views;
	if (body && !(v->body_read && str_eq(v->message, message))) {
		v->body = event_pattern_event(mem, json_parse(mem, message));
		v->message = message;
		v->body_read = true;
	} else if (!body && !v->attributes_read) {
		v->attributes = event_pattern_event(
			mem, json_parse(mem, attributes_json(mem, n->attributes ? n->attributes : &none)));
		v->attributes_read = true;
	}
	return body ? v->body : v->attributes;
}

bool filter_wants(arena *mem, const sns_sub *s, const notice *n, str message)
{
	str policy = subscription_attribute(s, S("FilterPolicy"));
	if (!policy.n || str_eq(policy, S("{}")))
		return true;
	bool body = str_eq(subscription_attribute(s, S("FilterPolicyScope")), S("MessageBody"));
	const json_value *event = view_of(mem, n, body, message);
	pthread_mutex_lock(&slots_lock);
	const event_pattern *p = pattern_of(policy);
	bool wants = p && event_pattern_match(p, event);
	pthread_mutex_unlock(&slots_lock);
	return wants;
}
