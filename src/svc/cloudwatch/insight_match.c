/* Definitions of Contributor Insights rules, and what an event is to them. */
#include "insight.h"
#include "base/json.h"

#define FILTERS_MAX 4
#define WORDS_MAX 10
#define FIELDS_MAX 256
#define DEPTH_MAX 16

typedef enum test { TEST_IN, TEST_NOT_IN, TEST_STARTS, TEST_MORE, TEST_LESS, TEST_SAME, TEST_OTHER,
	TEST_PRESENT } test;
static const char *const tests[] = { "In",       "NotIn",   "StartsWith", "GreaterThan",
	                                 "LessThan", "EqualTo", "NotEqualTo", "IsPresent" };

struct insight_filter {
	insight_field field;
	test test;
	str words[WORDS_MAX];
	size_t n;
	double number;
	bool present;
	insight_filter *next;
};

typedef struct reading {
	req *rq;
	const json_value *fields; /* of common format: number to name */
	insight_rule *rule;
} reading;

static err wrong(req *rq, const char *what)
{
	return fail(rq, &cloudwatch_InvalidParameterValueException, "The rule definition is invalid: %s", what);
}

static bool text_is(const json_value *v, const char *text)
{
	return v && v->kind == JSON_STRING && str_eq(v->text, str_c(text));
}

/* A field of an event: $.path, or a column by the name that Fields gives it or by its number. */
static err field_of(const reading *r, const json_value *v, insight_field *out)
{
	int64_t place = 0;
	if (!v || v->kind != JSON_STRING || !v->text.n)
		return wrong(r->rq, "a field must be named by a string.");
	*out = (insight_field){ .name = v->text };
	if (!r->rule->common)
		return str_starts(v->text, S("$.")) ? OK : wrong(r->rq, "fields of JSON logs begin with $.");
	str number = v->text;
	for (const json_value *f = r->fields ? r->fields->first : NULL; f; f = f->next)
		if (f->kind == JSON_STRING && str_eq(f->text, v->text))
			number = f->key;
	if (!str_to_i64(number, &place) || place < 1 || place > FIELDS_MAX)
		return wrong(r->rq, "a field of CLF logs must be one of Fields.");
	out->place = (size_t)place;
	return OK;
}

static err filter_operand(const reading *r, insight_filter *f, const json_value *v)
{
	if (f->test == TEST_PRESENT) {
		f->present = v->kind == JSON_TRUE;
		return f->present || v->kind == JSON_FALSE ? OK : wrong(r->rq, "IsPresent must be true or false.");
	}
	if (f->test >= TEST_MORE)
		return (v->kind == JSON_NUMBER || v->kind == JSON_STRING) && str_to_f64(v->text, &f->number)
			? OK
			: wrong(r->rq, "a filter compares with a number.");
	const json_value *one = v->kind == JSON_ARRAY ? v->first : v;
	for (; one; one = v->kind == JSON_ARRAY ? one->next : NULL) {
		if (one->kind != JSON_STRING || f->n == WORDS_MAX)
			return wrong(r->rq, "a filter has up to ten strings.");
		f->words[f->n++] = one->text;
	}
	return f->n ? OK : wrong(r->rq, "a filter has up to ten strings.");
}

static err filter_of(const reading *r, const json_value *v)
{
	insight_filter *f = arena_new(r->rq->mem, insight_filter);
	size_t found = 0;
	*f = (insight_filter){ .next = r->rule->filters };
	TRY(field_of(r, json_get(v, S("Match")), &f->field));
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		const json_value *operand = json_get(v, str_c(tests[i]));
		if (!operand)
			continue;
		f->test = (test)i;
		found++;
		TRY(filter_operand(r, f, operand));
	}
	if (found != 1)
		return wrong(r->rq, "a filter has one of In, NotIn, StartsWith, GreaterThan, LessThan, EqualTo, "
		                    "NotEqualTo and IsPresent.");
	r->rule->filters = f;
	return OK;
}

static err contribution_of(const reading *r, const json_value *v)
{
	const json_value *keys = json_get(v, S("Keys")), *filters = json_get(v, S("Filters")),
					 *value = json_get(v, S("ValueOf"));
	if (!keys || keys->kind != JSON_ARRAY || !keys->n || keys->n > INSIGHT_KEYS_MAX)
		return wrong(r->rq, "Contribution must have one to four Keys.");
	for (const json_value *k = keys->first; k; k = k->next)
		TRY(field_of(r, k, &r->rule->keys[r->rule->n_keys++]));
	if (r->rule->sum && !value)
		return wrong(r->rq, "AggregateOn Sum requires ValueOf.");
	if (value)
		TRY(field_of(r, value, &r->rule->value_of));
	if (filters && (filters->kind != JSON_ARRAY || filters->n > FILTERS_MAX))
		return wrong(r->rq, "Filters must be a list of up to four.");
	for (const json_value *f = filters ? filters->first : NULL; f; f = f->next)
		TRY(filter_of(r, f));
	return OK;
}

static err groups_of(const reading *r, const json_value *v)
{
	if (!v || v->kind != JSON_ARRAY || !v->n)
		return wrong(r->rq, "LogGroupNames must be a list of names.");
	r->rule->groups = arena_array(r->rq->mem, str, v->n);
	for (const json_value *g = v->first; g; g = g->next) {
		if (g->kind != JSON_STRING || !g->text.n)
			return wrong(r->rq, "LogGroupNames must be a list of names.");
		r->rule->groups[r->rule->n_groups++] = g->text;
	}
	return OK;
}

err insight_read(req *rq, str definition, insight_rule **out)
{
	const json_value *v = json_parse(rq->mem, definition), *schema = json_get(v, S("Schema")),
					 *format = json_get(v, S("LogFormat")), *on = json_get(v, S("AggregateOn")),
					 *version = json_get(schema, S("Version"));
	insight_rule *rule = arena_new(rq->mem, insight_rule);
	*rule = (insight_rule){ .common = text_is(format, "CLF"), .sum = text_is(on, "Sum") };
	reading r = { rq, json_get(v, S("Fields")), rule };
	if (!v || v->kind != JSON_OBJECT)
		return wrong(rq, "it is not a JSON object.");
	if (!text_is(json_get(schema, S("Name")), "CloudWatchLogRule") || !version
	    || !str_eq(version->text, S("1")))
		return wrong(rq, "Schema must be {\"Name\": \"CloudWatchLogRule\", \"Version\": 1}.");
	if (!rule->common && !text_is(format, "JSON"))
		return wrong(rq, "LogFormat must be JSON or CLF.");
	if (!rule->sum && !text_is(on, "Count"))
		return wrong(rq, "AggregateOn must be Count or Sum.");
	if (json_get(v, S("LogGroupARNs")))
		return fail(rq, &aws_NotImplemented, "Farthing reads logs of the rule's own account: LogGroupNames.");
	TRY(groups_of(&r, json_get(v, S("LogGroupNames"))));
	TRY(contribution_of(&r, json_get(v, S("Contribution"))));
	*out = rule;
	return OK;
}

bool insight_group(const insight_rule *r, size_t i, str name)
{
	str g = r->groups[i];
	return str_ends(g, S("*")) ? str_starts(name, str_sub(g, 0, g.n - 1)) : str_eq(name, g);
}

/* An event, taken apart once. */
typedef struct event {
	json_value *tree;
	str columns[FIELDS_MAX];
	size_t n;
} event;

/* Columns are apart by blanks; "..." and [...] are one. */
static void columns_of(event *e, str text)
{
	size_t i = 0;
	while (i < text.n && e->n < FIELDS_MAX) {
		if (text.p[i] == ' ') {
			i++;
			continue;
		}
		char close = text.p[i] == '"' ? '"' : text.p[i] == '[' ? ']' : ' ';
		size_t from = i + (close != ' '), to = from;
		while (to < text.n && text.p[to] != close)
			to++;
		e->columns[e->n++] = str_sub(text, from, to);
		i = to + 1;
	}
}

static const json_value *item(const json_value *v, str index)
{
	int64_t n;
	if (!v || v->kind != JSON_ARRAY || !str_to_i64(index, &n) || n < 0)
		return NULL;
	v = v->first;
	while (v && n--)
		v = v->next;
	return v;
}

/* $.a.b[0].c */
static const json_value *walk(const json_value *v, str path)
{
	str rest = str_sub(path, 2, path.n);
	for (unsigned depth = 0; v && str_is(rest) && depth < DEPTH_MAX; depth++) {
		str indexes = str_cut(&rest, '.'), name = str_cut(&indexes, '[');
		v = name.n ? json_get(v, name) : v;
		while (v && str_is(indexes)) {
			str index = str_cut(&indexes, ']');
			v = item(v, index);
			str_cut(&indexes, '[');
		}
	}
	return v;
}

/* What a field has; false: it is not there, or no single value. */
static bool value_of(const event *e, const insight_rule *r, const insight_field *f, str *out)
{
	if (r->common) {
		bool there = f->place <= e->n;
		*out = there ? e->columns[f->place - 1] : STR_NONE;
		return there;
	}
	const json_value *v = walk(e->tree, f->name);
	if (!v || v->kind == JSON_NULL || v->kind == JSON_OBJECT || v->kind == JSON_ARRAY)
		return false;
	*out = v->kind == JSON_TRUE ? S("true") : v->kind == JSON_FALSE ? S("false") : v->text;
	return true;
}

static bool passes(const event *e, const insight_rule *r, const insight_filter *f)
{
	str v;
	double n;
	bool there = value_of(e, r, &f->field, &v), among = false;
	if (f->test == TEST_PRESENT)
		return f->present == (there || (!r->common && walk(e->tree, f->field.name)));
	if (!there)
		return false;
	for (size_t i = 0; i < f->n; i++)
		among = among || (f->test == TEST_STARTS ? str_starts(v, f->words[i]) : str_eq(v, f->words[i]));
	if (f->test <= TEST_STARTS)
		return among == (f->test != TEST_NOT_IN);
	if (!str_to_f64(v, &n))
		return false;
	return f->test == TEST_MORE ? n > f->number
		: f->test == TEST_LESS  ? n < f->number
		: f->test == TEST_SAME  ? n == f->number
								: n != f->number;
}

bool insight_match(arena *mem, const insight_rule *r, str message, str keys[INSIGHT_KEYS_MAX],
                   double *value)
{
	event e = { .n = 0 };
	str text;
	if (r->common)
		columns_of(&e, message);
	else if (!(e.tree = json_parse(mem, message)) || e.tree->kind != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < r->n_keys; i++)
		if (!value_of(&e, r, &r->keys[i], &keys[i]))
			return false;
	for (const insight_filter *f = r->filters; f; f = f->next)
		if (!passes(&e, r, f))
			return false;
	*value = 1;
	return !r->sum || (value_of(&e, r, &r->value_of, &text) && str_to_f64(text, value));
}
