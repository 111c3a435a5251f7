/* What a target gets: all of the event, a part of it, a constant, or a template with parts of it. */
#include "base/json.h"
#include "base/time.h"
#include "bus.h"

#define INPUT_MAX ((size_t)4 << 20)

/* The next step of $.a.b[0]['c']; false at the end or where it is none. */
static bool step(str *path, str *key, int64_t *index)
{
	*key = STR_NONE;
	if (path->n > 1 && path->p[0] == '.') {
		size_t end = 1;
		while (end < path->n && path->p[end] != '.' && path->p[end] != '[')
			end++;
		*key = str_sub(*path, 1, end);
		*path = str_sub(*path, end, path->n);
		return key->n > 0;
	}
	size_t close = str_find_char(*path, ']');
	if (!path->n || path->p[0] != '[' || close == SIZE_MAX)
		return false;
	str inside = str_sub(*path, 1, close);
	*path = str_sub(*path, close + 1, path->n);
	if (inside.n > 1 && (inside.p[0] == '\'' || inside.p[0] == '"')) {
		*key = str_sub(inside, 1, inside.n - 1);
		return true;
	}
	return str_to_i64(inside, index) && *index >= 0;
}

static bool path_good(str path)
{
	str key;
	int64_t index;
	if (!str_starts(path, S("$")))
		return false;
	path = str_sub(path, 1, path.n);
	while (path.n)
		if (!step(&path, &key, &index))
			return false;
	return true;
}

static const json_value *at_path(const json_value *v, str path)
{
	str key;
	int64_t index = 0;
	path = str_sub(path, 1, path.n);
	while (v && path.n && step(&path, &key, &index)) {
		if (str_is(key)) {
			v = json_get(v, key);
		} else {
			v = v->kind == JSON_ARRAY ? v->first : NULL;
			while (v && index-- > 0)
				v = v->next;
		}
	}
	return v;
}

err target_input_check(req *rq, const events_Target *t)
{
	int ways = str_is(t->Input) + str_is(t->InputPath) + (t->InputTransformer != NULL);
	if (ways > 1)
		return fail(rq, &aws_ValidationException,
		            "Only one of Input, InputPath, or InputTransformer must be provided for target %.*s.",
		            STR_ARG(t->Id));
	if (str_is(t->Input) && !json_valid(t->Input))
		return fail(rq, &aws_ValidationException, "JSON syntax error in Input for target %.*s",
				STR_ARG(t->Id));
	if (str_is(t->InputPath) && !path_good(t->InputPath))
		return fail(rq, &aws_ValidationException,
				"Parameter InputPath is not valid. Reason: Invalid JsonPath.");
	for (size_t i = 0; t->InputTransformer && i < t->InputTransformer->InputPathsMap.n; i++)
		if (!path_good(t->InputTransformer->InputPathsMap.v[i].value))
			return fail(rq, &aws_ValidationException, "InputTransformer.InputPathsMap is not valid. Reason: "
			            "Invalid JsonPath for key %.*s.",
					STR_ARG(t->InputTransformer->InputPathsMap.v[i].key));
	return OK;
}

static str value_text(arena *mem, const json_value *v)
{
	buf b = buf_in(mem, 64, INPUT_MAX);
	json_write(&b, v);
	return buf_str(&b);
}

typedef struct filling {
	arena *mem;
	const events_rule *rule;
	const events_Target *target;
	const one_event *event;
	const json_value *parsed;
} filling;

/* What stands for <name>: a JSON text, or STR_NONE when there is no such thing. */
static str variable(const filling *f, str name, bool *known)
{
	buf b = buf_in(f->mem, 64, INPUT_MAX);
	const events_TransformerPaths *paths = &f->target->InputTransformer->InputPathsMap;
	*known = true;
	for (size_t i = 0; i < paths->n; i++)
		if (str_eq(paths->v[i].key, name)) {
			const json_value *v = at_path(f->parsed, paths->v[i].value);
			return v ? value_text(f->mem, v) : STR_NONE;
		}
	if (str_eq(name, S("aws.events.event")) || str_eq(name, S("aws.events.event.json")))
		return f->event->json;
	if (str_eq(name, S("aws.events.rule-arn")))
		json_put_string(&b, rule_arn(f->mem, f->rule));
	else if (str_eq(name, S("aws.events.rule-name")))
		json_put_string(&b, f->rule->Name);
	else if (str_eq(name, S("aws.events.event.ingestion-time")))
		json_put_string(&b, time_iso_ms(f->mem, f->event->ingested));
	else
		*known = false;
	return *known ? buf_str(&b) : STR_NONE;
}

static size_t name_length(str rest)
{
	size_t n = 0;
	while (n < rest.n) {
		char c = rest.p[n];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		            c == '-' || c == '.';
		if (!good)
			break;
		n++;
	}
	return n && n < rest.n && rest.p[n] == '>' ? n : 0;
}

/* Inside quotes a string stands without its own, and anything else is escaped. */
static void put_value(buf *b, str value, bool quoted)
{
	if (!quoted || !value.n) {
		buf_put(b, value.n || quoted ? value : S("\"\""));
	} else if (value.p[0] == '"') {
		buf_put(b, str_sub(value, 1, value.n - 1));
	} else {
		buf e = buf_in(b->mem, value.n + 16, INPUT_MAX);
		json_put_string(&e, value);
		buf_put(b, str_sub(buf_str(&e), 1, e.n - 1));
	}
}

static str filled(const filling *f)
{
	str t = f->target->InputTransformer->InputTemplate;
	buf b = buf_in(f->mem, t.n + 512, INPUT_MAX);
	bool quoted = false;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		size_t n = c == '<' ? name_length(str_sub(t, i + 1, t.n)) : 0;
		bool known = false;
		str value = n ? variable(f, str_sub(t, i + 1, i + 1 + n), &known) : STR_NONE;
		if (known) {
			put_value(&b, value, quoted);
			i += n + 1;
			continue;
		}
		if (c == '\\' && quoted && i + 1 < t.n)
			buf_c(&b, t.p[i++]);
		else if (c == '"')
			quoted = !quoted;
		buf_c(&b, t.p[i]);
	}
	return buf_str(&b);
}

str target_input(arena *mem, const events_rule *r, const events_Target *t, const one_event *e)
{
	if (str_is(t->Input))
		return t->Input;
	if (!str_is(t->InputPath) && !t->InputTransformer)
		return e->json;
	const json_value *parsed = json_parse(mem, e->json);
	if (t->InputTransformer)
		return filled(&(filling){ mem, r, t, e, parsed });
	const json_value *part = at_path(parsed, t->InputPath);
	return part ? value_text(mem, part) : S("null");
}

static str out_of_event(arena *mem, const json_value *event, str text)
{
	if (!str_starts(text, S("$.")) || !path_good(text))
		return text;
	const json_value *v = at_path(event, text);
	return !v ? S("") : v->kind == JSON_STRING || v->kind == JSON_NUMBER ? v->text : value_text(mem, v);
}

const events_Target *target_http_filled(arena *mem, const events_Target *t, const one_event *e)
{
	const events_HttpParameters *from = t->HttpParameters;
	if (!from)
		return t;
	const json_value *event = json_parse(mem, e->json);
	events_Target *copy = arena_new(mem, events_Target);
	events_HttpParameters *to = arena_new(mem, events_HttpParameters);
	*copy = *t;
	*to = *from;
	copy->HttpParameters = to;
	to->PathParameterValues.v = arena_array(mem, str, from->PathParameterValues.n + 1);
	for (size_t i = 0; i < from->PathParameterValues.n; i++)
		to->PathParameterValues.v[i] = out_of_event(mem, event, from->PathParameterValues.v[i]);
	to->HeaderParameters.v = arena_array(mem, events_HeaderParametersMap_entry, from->HeaderParameters.n + 1);
	for (size_t i = 0; i < from->HeaderParameters.n; i++)
		to->HeaderParameters.v[i] = (events_HeaderParametersMap_entry){
			from->HeaderParameters.v[i].key, out_of_event(mem, event, from->HeaderParameters.v[i].value) };
	to->QueryStringParameters.v =
		arena_array(mem, events_QueryStringParametersMap_entry, from->QueryStringParameters.n + 1);
	for (size_t i = 0; i < from->QueryStringParameters.n; i++)
		to->QueryStringParameters.v[i] = (events_QueryStringParametersMap_entry){
			from->QueryStringParameters.v[i].key,
			out_of_event(mem, event, from->QueryStringParameters.v[i].value) };
	return copy;
}
