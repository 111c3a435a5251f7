#include "svc/dynamodb/wire_value.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/map.h"
#include "base/text.h"
#include "wire/codec.h"

#define INVALID "One or more parameter values were invalid: "

static str put(buf *b, const dynamodb_AttributeValue *v, unsigned depth);

static str put_number(buf *b, str text)
{
	number n;
	number_fault bad = number_parse(text, &n);
	if (bad)
		return number_why(b->mem, bad, text);
	value_put_number(b, n);
	return STR_NONE;
}

/* AWS's list of the elements: [a, b]. */
static str listed(arena *mem, const str *v, size_t n, bool binary)
{
	buf b = buf_in(mem, 256, 4096);
	for (size_t i = 0; i < n; i++) {
		buf_put(&b, i ? S(", ") : S("["));
		buf_put(&b, binary ? base64_encode(mem, v[i]) : v[i]);
	}
	buf_c(&b, ']');
	return buf_str(&b);
}

static str normalise_numbers(arena *mem, str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[NUMBER_TEXT_MAX];
		number parsed;
		number_fault bad = number_parse(v[i], &parsed);
		if (bad)
			return number_why(mem, bad, v[i]);
		v[i] = arena_str(mem, str_of(text, number_print(parsed, text)));
	}
	return STR_NONE;
}

static bool has_empty(const str *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].n)
			return true;
	return false;
}

static str put_set(buf *b, value_tag tag, const str *elements, size_t n)
{
	static const str empty[] = { S(INVALID "An string set  may not be empty"),
		                         S(INVALID "An number set  may not be empty"),
		                         S(INVALID "Binary sets should not be empty") };
	str *sorted = arena_array(b->mem, str, n), why = STR_NONE;
	if (!n)
		return empty[tag - VALUE_SS];
	memcpy(sorted, elements, n * sizeof *sorted);
	if (tag == VALUE_SS && has_empty(elements, n))
		return S(INVALID "An string set may not have a empty string as a member");
	if (tag == VALUE_BS && has_empty(elements, n))
		return S(INVALID "Binary sets may not contain null or empty values");
	if (tag == VALUE_NS)
		why = normalise_numbers(b->mem, sorted, n);
	if (str_is(why) || value_put_set(b, tag, sorted, n))
		return why;
	if (tag == VALUE_NS)
		return S("Input collection contains duplicates");
	return arena_fmt(b->mem, INVALID "Input collection %.*s%s contains duplicates.",
	                 STR_ARG(listed(b->mem, elements, n, tag == VALUE_BS)),
	                 tag == VALUE_BS ? "of type BS" : "");
}

static str put_list(buf *b, const dynamodb_ListAttributeValue *l, unsigned depth)
{
	size_t begun = value_begin(b, VALUE_L, l->n);
	for (size_t i = 0; i < l->n; i++) {
		str why = put(b, &l->v[i], depth);
		if (str_is(why))
			return why;
	}
	value_end(b, begun);
	return STR_NONE;
}

/* JSON may say a name twice; the last one counts. Returns the entries that do, or NULL for all. */
static bool *repeated(arena *mem, const dynamodb_MapAttributeValue *m)
{
	bool *skip = NULL;
	map seen = m->n > 16 ? map_in(mem, m->n) : (map){ 0 };
	for (size_t i = 0; i < m->n; i++) {
		const dynamodb_MapAttributeValue_entry *before = NULL;
		if (m->n > 16)
			before = map_put(&seen, m->v[i].key, &m->v[i]);
		for (size_t k = 0; m->n <= 16 && k < i; k++)
			if (str_eq(m->v[k].key, m->v[i].key))
				before = &m->v[k];
		if (!before)
			continue;
		if (!skip)
			skip = arena_array(mem, bool, m->n);
		skip[before - m->v] = true;
	}
	return skip;
}

static str put_map(buf *b, const dynamodb_MapAttributeValue *m, unsigned depth)
{
	const bool *skip = repeated(b->mem, m);
	size_t n = m->n;
	for (size_t i = 0; skip && i < m->n; i++)
		n -= skip[i];
	size_t begun = value_begin(b, VALUE_M, n);
	for (size_t i = 0; i < m->n; i++) {
		if (skip && skip[i])
			continue;
		value_put_name(b, m->v[i].key);
		str why = put(b, &m->v[i].value, depth);
		if (str_is(why))
			return why;
	}
	value_end(b, begun);
	return STR_NONE;
}

static unsigned types_given(const dynamodb_AttributeValue *v)
{
	return str_is(v->S) + str_is(v->N) + str_is(v->B) + (v->SS.v != NULL) + (v->NS.v != NULL) +
	       (v->BS.v != NULL) + (v->M.v != NULL) + (v->L.v != NULL) + v->NULL_.set + v->BOOL.set;
}

static str put(buf *b, const dynamodb_AttributeValue *v, unsigned depth)
{
	unsigned given = types_given(v);
	if (!given)
		return S("Supplied AttributeValue is empty, must contain exactly one of the supported "
		         "datatypes");
	if (given > 1)
		return S("Supplied AttributeValue has more than one datatypes set, must contain exactly "
		         "one of the supported datatypes");
	if (depth > VALUE_DEPTH_MAX)
		return S(VALUE_TOO_DEEP);
	if (str_is(v->S))
		value_put_text(b, VALUE_S, v->S);
	else if (str_is(v->N))
		return put_number(b, v->N);
	else if (str_is(v->B))
		value_put_text(b, VALUE_B, v->B);
	else if (v->SS.v)
		return put_set(b, VALUE_SS, v->SS.v, v->SS.n);
	else if (v->NS.v)
		return put_set(b, VALUE_NS, v->NS.v, v->NS.n);
	else if (v->BS.v)
		return put_set(b, VALUE_BS, v->BS.v, v->BS.n);
	else if (v->M.v)
		return put_map(b, &v->M, depth + 1);
	else if (v->L.v)
		return put_list(b, &v->L, depth + 1);
	else if (v->BOOL.set)
		value_put_tag(b, v->BOOL.v ? VALUE_TRUE : VALUE_FALSE);
	else /* a NULL that says false is one all the same */
		value_put_tag(b, VALUE_NULL);
	return STR_NONE;
}

str wire_value_put(buf *b, const dynamodb_AttributeValue *v)
{
	return put(b, v, 0);
}

str wire_value_in(arena *mem, const dynamodb_AttributeValue *v, value *out)
{
	buf b = buf_in(mem, 64, WIRE_BYTES_MAX);
	str why = put(&b, v, 0);
	*out = buf_str(&b);
	return why;
}

str wire_map_in(arena *mem, const dynamodb_AttributeMap *m, value *out)
{
	buf b = buf_in(mem, 1024, WIRE_BYTES_MAX);
	dynamodb_MapAttributeValue same;
	_Static_assert(sizeof same == sizeof *m, "both are maps of AttributeValue");
	memcpy(&same, m, sizeof same);
	str why = put_map(&b, &same, 0);
	*out = buf_str(&b);
	return why;
}

static str *texts_out(arena *mem, value v, size_t *n)
{
	size_t i = 0, count = (size_t)value_count(v);
	str *texts = arena_array(mem, str, count + 1);
	for (value_walk w = value_open(v); i < count && value_step(&w); i++)
		texts[i] = w.text;
	*n = i;
	return texts;
}

static void list_out(arena *mem, value v, dynamodb_ListAttributeValue *out)
{
	size_t count = (size_t)value_count(v);
	out->v = arena_array(mem, dynamodb_AttributeValue, count + 1);
	for (value_walk w = value_open(v); out->n < count && value_step(&w); out->n++)
		wire_value_out(mem, w.item, &out->v[out->n]);
}

static void map_out(arena *mem, value v, dynamodb_MapAttributeValue *out)
{
	size_t count = (size_t)value_count(v);
	out->v = arena_array(mem, dynamodb_MapAttributeValue_entry, count + 1);
	for (value_walk w = value_open(v); out->n < count && value_step(&w); out->n++) {
		out->v[out->n].key = w.name;
		wire_value_out(mem, w.item, &out->v[out->n].value);
	}
}

void wire_value_out(arena *mem, value v, dynamodb_AttributeValue *out)
{
	*out = (dynamodb_AttributeValue){ 0 };
	switch (value_tag_of(v)) {
	case VALUE_S:
		out->S = value_text(v);
		break;
	case VALUE_N:
		out->N = value_text(v);
		break;
	case VALUE_B:
		out->B = value_text(v);
		break;
	case VALUE_SS:
		out->SS.v = texts_out(mem, v, &out->SS.n);
		break;
	case VALUE_NS:
		out->NS.v = texts_out(mem, v, &out->NS.n);
		break;
	case VALUE_BS:
		out->BS.v = texts_out(mem, v, &out->BS.n);
		break;
	case VALUE_M:
		map_out(mem, v, &out->M);
		break;
	case VALUE_L:
		list_out(mem, v, &out->L);
		break;
	case VALUE_TRUE:
	case VALUE_FALSE:
		out->BOOL = BOOL(value_tag_of(v) == VALUE_TRUE);
		break;
	case VALUE_NULL:
	case VALUE_NONE:
		out->NULL_ = BOOL(true);
		break;
	}
}

dynamodb_AttributeMap wire_map_out(arena *mem, value of)
{
	dynamodb_MapAttributeValue same = { 0 };
	dynamodb_AttributeMap out;
	map_out(mem, of, &same);
	memcpy(&out, &same, sizeof out);
	return out;
}

static void text_put(buf *b, str s)
{
	if (s.n && json_plain_run(s.p, s.p + s.n) != s.p + s.n) {
		json_put_string(b, s);
		return;
	}
	char *p = buf_room(b, s.n + 2);
	if (!p)
		return;
	p[0] = '"';
	memcpy(p + 1, s.p, s.n);
	p[s.n + 1] = '"';
	b->n += s.n + 2;
}

/* {"S":"..."} and its kin */
static void scalar_put(buf *b, str opening, str text)
{
	buf_put(b, opening);
	text_put(b, text);
	buf_c(b, '}');
}

static void json_put(buf *b, value v);

static void map_put_json(buf *b, value v)
{
	char before = '{';
	value_walk w = value_open(v);
	if (!w.left)
		buf_c(b, before);
	while (value_step(&w)) {
		buf_c(b, before);
		text_put(b, w.name);
		buf_c(b, ':');
		json_put(b, w.item);
		before = ',';
	}
	buf_c(b, '}');
}

static void list_put_json(buf *b, value v)
{
	char before = '[';
	value_walk w = value_open(v);
	if (!w.left)
		buf_c(b, before);
	for (; value_step(&w); before = ',') {
		buf_c(b, before);
		if (value_tag_of(v) == VALUE_L)
			json_put(b, w.item);
		else
			text_put(b, value_tag_of(v) == VALUE_BS ? base64_encode(b->mem, w.text) : w.text);
	}
	buf_put(b, S("]}"));
}

static void json_put(buf *b, value v)
{
	switch (value_tag_of(v)) {
	case VALUE_S:
		scalar_put(b, S("{\"S\":"), value_text(v));
		return;
	case VALUE_N:
		scalar_put(b, S("{\"N\":"), value_text(v));
		return;
	case VALUE_B:
		scalar_put(b, S("{\"B\":"), base64_encode(b->mem, value_text(v)));
		return;
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
	case VALUE_L:
		buf_put(b, S("{\""));
		buf_put(b, str_c(value_type(value_tag_of(v))));
		buf_put(b, S("\":"));
		list_put_json(b, v);
		return;
	case VALUE_M:
		buf_put(b, S("{\"M\":"));
		map_put_json(b, v);
		buf_c(b, '}');
		return;
	case VALUE_TRUE:
	case VALUE_FALSE:
		buf_put(b, value_tag_of(v) == VALUE_TRUE ? S("{\"BOOL\":true}") : S("{\"BOOL\":false}"));
		return;
	case VALUE_NULL:
	case VALUE_NONE:
		buf_put(b, S("{\"NULL\":true}"));
		return;
	}
}

dynamodb_AttributeMap wire_map_text(arena *mem, value of)
{
	dynamodb_AttributeMap out = { .n = MAP_AS_TEXT };
	buf b = buf_in(mem, of.n * 2 + 64, SIZE_MAX / 2);
	str *text = arena_new(mem, str);
	map_put_json(&b, of);
	*text = buf_str(&b);
	out.v = (void *)text;
	return out;
}
