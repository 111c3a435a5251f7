#include "base/map.h"
#include "transform.h"
#include <math.h>

#define PARSERS_MAX 5
#define DOCUMENT_MAX ((size_t)2 << 20)
#define WORK_MAX ((size_t)4 << 20)
#define WORK_PER_BYTE 64
#define REPLACED_MAX ((size_t)1 << 20)
#define SCRATCH_MAX ((size_t)1 << 20)
#define SEARCHED_MAX ((size_t)1 << 30) /* a large expression that is found at every byte would take minutes */

static bool parses(const logs_Processor *p) { return p->parseJSON || p->grok || p->csv || p->parseKeyValue; }

static bool vended(const logs_Processor *p)
{
	return p->parseCloudfront || p->parseRoute53 || p->parseToOCSF || p->parsePostgres || p->parseVPC ||
	       p->parseWAF;
}

static size_t kinds_of(const logs_Processor *p)
{
	return (size_t)!!p->addKeys + !!p->copyValue + !!p->csv + !!p->dateTimeConverter + !!p->deleteKeys +
	       !!p->grok + !!p->listToMap + !!p->lowerCaseString + !!p->moveKeys + !!p->parseJSON +
	       !!p->parseKeyValue + !!p->renameKeys + !!p->splitString + !!p->substituteString +
	       !!p->trimString + !!p->typeConverter + !!p->upperCaseString + vended(p);
}

static const char *date_wrong(const logs_DateTimeConverter *d, bool *unknown)
{
	int64_t offset;
	*unknown = true;
	for (size_t i = 0; i < d->matchPatterns.n; i++)
		if (!date_pattern_known(d->matchPatterns.v[i]))
			return "A date pattern of dateTimeConverter has letters that are not implemented.";
	if (d->targetFormat.n && !date_pattern_known(d->targetFormat))
		return "The target format of dateTimeConverter has letters that are not implemented.";
	if (!date_zone(d->sourceTimezone, &offset) || !date_zone(d->targetTimezone, &offset))
		return "Time zones of dateTimeConverter other than UTC and offsets are not implemented.";
	*unknown = false;
	return NULL;
}

static const char *processor_wrong(arena *mem, const logs_Processor *p, const regex **expressions,
                                   bool *unknown)
{
	if (kinds_of(p) != 1)
		return "Every element of a transformer has exactly one processor.";
	*unknown = true;
	if (vended(p))
		return "Parsers of logs that AWS vends are not implemented.";
	if (p->grok && !(expressions[0] = grok_read(mem, p->grok->match)))
		return "The grok pattern cannot be read, or names a pattern that is not implemented.";
	*unknown = false;
	if (p->dateTimeConverter)
		return date_wrong(p->dateTimeConverter, unknown);
	for (size_t i = 0; p->substituteString && i < p->substituteString->entries.n; i++)
		if (i >= TRANSFORM_ENTRIES_MAX ||
		    !(expressions[i] = regex_read(mem, p->substituteString->entries.v[i].from)))
			return "The regular expression of substituteString is not valid.";
	return NULL;
}

const char *transform_read(arena *mem, const logs_Processors *all, transform *t, bool *unknown)
{
	size_t parsers = 0, groks = 0, adds = 0, copies = 0;
	*unknown = false;
	t->all = all;
	t->expressions = arena_alloc(mem, sizeof *t->expressions * (all->n + 1));
	for (size_t i = 0; i < all->n; i++) {
		const logs_Processor *p = &all->v[i];
		const char *wrong = processor_wrong(mem, p, t->expressions[i], unknown);
		if (wrong)
			return wrong;
		parsers += parses(p);
		groks += !!p->grok;
		adds += !!p->addKeys;
		copies += !!p->copyValue;
	}
	if (!all->n || !parses(&all->v[0]))
		return "The first processor of a transformer must be a parser.";
	if (parsers > PARSERS_MAX)
		return "A transformer has at most 5 parsers.";
	return groks > 1 || adds > 1 || copies > 1 ?
		       "A transformer has at most one processor each of grok, addKeys and copyValue." : NULL;
}

typedef struct work {
	arena *mem;
	const transform *t;
	str message;
	json_value *root;
	size_t most; /* of the arena: processors may copy all there is, each what the one before made */
} work;

static bool spent(const work *w) { return arena_used(w->mem) > w->most; }

static str source_text(const work *w, str source)
{
	if (!str_is(source) || str_eq(source, S("@message")))
		return w->message;
	const json_value *v = tree_get(w->root, source);
	return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

static json_value *destination(const work *w, str path)
{
	if (!str_is(path))
		return w->root;
	json_value empty = { .kind = JSON_OBJECT };
	return tree_put(w->mem, w->root, path, &empty, true);
}

static bool parse_json(const work *w, const logs_ParseJSON *p)
{
	str text = source_text(w, p->source);
	json_value *v = str_is(text) ? json_parse(w->mem, text) : NULL;
	if (!v || v->kind != JSON_OBJECT)
		return false;
	if (str_is(p->destination))
		return tree_put(w->mem, w->root, p->destination, v, true);
	tree_merge(w->mem, w->root, v);
	return true;
}

static bool run_parser(const work *w, const logs_Processor *p, const regex *const *expressions)
{
	if (p->parseJSON)
		return parse_json(w, p->parseJSON);
	str text = source_text(w, p->grok ? p->grok->source : p->csv ? p->csv->source : p->parseKeyValue->source);
	if (!str_is(text))
		return false;
	if (p->grok)
		return parse_grok(w->mem, expressions[0], text, w->root);
	json_value *into = destination(w, p->csv ? p->csv->destination : p->parseKeyValue->destination);
	return into && (p->csv ? parse_csv(w->mem, p->csv, text, into) :
	                         parse_pairs(w->mem, p->parseKeyValue, text, into));
}

static str about(const work *w, str name)
{
	bool stream = str_eq(name, S("@logGroupStream")) || str_eq(name, S("@logStreamName"));
	return stream ? w->t->stream : str_eq(name, S("@logGroupName")) ? w->t->group :
	       str_eq(name, S("@accountId")) ? w->t->account :
	       str_eq(name, S("@regionName")) ? w->t->region : STR_NONE;
}

static str last_part(str path)
{
	size_t n = path.n;
	while (n && path.p[n - 1] != '.')
		n--;
	return str_sub(path, n, path.n);
}

static void move_keys(const work *w, const logs_Processor *p)
{
	for (size_t i = 0; p->addKeys && i < p->addKeys->entries.n; i++) {
		const logs_AddKeyEntry *e = &p->addKeys->entries.v[i];
		tree_put(w->mem, w->root, e->key, tree_text(w->mem, e->value), e->overwriteIfExists.v);
	}
	for (size_t i = 0; p->copyValue && i < p->copyValue->entries.n && !spent(w); i++) {
		const logs_CopyValueEntry *e = &p->copyValue->entries.v[i];
		str known = about(w, e->source);
		const json_value *v = str_is(known) ? tree_text(w->mem, known) : tree_get(w->root, e->source);
		if (v)
			tree_put(w->mem, w->root, e->target, v, e->overwriteIfExists.v);
	}
	for (size_t i = 0; p->moveKeys && i < p->moveKeys->entries.n; i++) {
		const logs_MoveKeyEntry *e = &p->moveKeys->entries.v[i];
		const json_value *v = tree_get(w->root, e->source);
		str to = arena_fmt(w->mem, "%.*s.%.*s", STR_ARG(e->target), STR_ARG(last_part(e->source)));
		if (v && tree_put(w->mem, w->root, to, v, e->overwriteIfExists.v))
			tree_take(w->root, e->source);
	}
	for (size_t i = 0; p->renameKeys && i < p->renameKeys->entries.n; i++) {
		const logs_RenameKeyEntry *e = &p->renameKeys->entries.v[i];
		const json_value *v = tree_get(w->root, e->key);
		if (v && tree_put(w->mem, w->root, e->renameTo, v, e->overwriteIfExists.v))
			tree_take(w->root, e->key);
	}
	for (size_t i = 0; p->deleteKeys && i < p->deleteKeys->withKeys.n; i++)
		tree_take(w->root, p->deleteKeys->withKeys.v[i]);
}

/* With $1 .. $9 for the groups of what was found. */
static str replaced(const work *w, const regex *expression, str text, str by)
{
	str groups[REGEX_GROUPS_MAX + 1];
	buf b = buf_in(w->mem, text.n + 32, REPLACED_MAX);
	arena *scratch = arena_open(0);
	size_t searched = 0, steps = regex_steps(expression, text);
	while (text.n && !b.full && searched < SEARCHED_MAX &&
	       regex_search_within(scratch, expression, text, groups, &steps)) {
		size_t from = (size_t)(groups[0].p - text.p), to = from + groups[0].n;
		buf_put(&b, str_sub(text, 0, from));
		for (size_t i = 0; i < by.n; i++) {
			char next = i + 1 < by.n ? by.p[i + 1] : 0;
			bool group = by.p[i] == '$' && next >= '0' && next <= '9';
			if (group && (size_t)(next - '0') <= expression->n_groups)
				buf_put(&b, groups[next - '0']);
			else if (!group)
				buf_c(&b, by.p[i] == '\\' && next ? next : by.p[i]);
			i += group || (by.p[i] == '\\' && next);
		}
		if (to == from)
			buf_put(&b, str_sub(text, to, to + 1));
		text = str_sub(text, to == from ? to + 1 : to, text.n);
		if (arena_used(scratch) < SCRATCH_MAX)
			continue;
		searched += arena_used(scratch);
		arena_reset(scratch);
	}
	arena_close(scratch);
	buf_put(&b, text);
	return b.full || searched >= SEARCHED_MAX || !steps ? STR_NONE : buf_str(&b);
}

static void split(const work *w, json_value *v, str delimiter)
{
	str rest = v->text;
	json_value **last = &v->first;
	*v = (json_value){ .kind = JSON_ARRAY, .key = v->key, .next = v->next };
	while (str_is(rest) && !spent(w)) {
		size_t at = delimiter.n ? str_find(rest, delimiter) : SIZE_MAX;
		*last = tree_text(w->mem, str_sub(rest, 0, at == SIZE_MAX ? rest.n : at));
		rest = at == SIZE_MAX ? STR_NONE : str_sub(rest, at + delimiter.n, rest.n);
		last = &(*last)->next;
		v->n++;
	}
}

static json_value *text_at(const work *w, str path)
{
	json_value *v = tree_get(w->root, path);
	return v && v->kind == JSON_STRING ? v : NULL;
}

static str upper(arena *mem, str s)
{
	char *p = arena_bytes(mem, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i]);
	return str_of(p, s.n);
}

static void change_texts(const work *w, const logs_Processor *p, const regex *const *expressions)
{
	json_value *v;
	for (size_t i = 0; p->lowerCaseString && i < p->lowerCaseString->withKeys.n; i++)
		if ((v = text_at(w, p->lowerCaseString->withKeys.v[i])))
			v->text = arena_lower(w->mem, v->text);
	for (size_t i = 0; p->upperCaseString && i < p->upperCaseString->withKeys.n; i++)
		if ((v = text_at(w, p->upperCaseString->withKeys.v[i])))
			v->text = upper(w->mem, v->text);
	for (size_t i = 0; p->trimString && i < p->trimString->withKeys.n; i++)
		if ((v = text_at(w, p->trimString->withKeys.v[i])))
			v->text = str_trim(v->text);
	for (size_t i = 0; p->splitString && i < p->splitString->entries.n; i++)
		if ((v = text_at(w, p->splitString->entries.v[i].source)))
			split(w, v, p->splitString->entries.v[i].delimiter);
	for (size_t i = 0; p->substituteString && i < p->substituteString->entries.n; i++) {
		const logs_SubstituteStringEntry *e = &p->substituteString->entries.v[i];
		v = text_at(w, e->source);
		str text = v ? replaced(w, expressions[i], v->text, e->to) : STR_NONE;
		if (str_is(text))
			v->text = text;
	}
}

static void convert_type(const work *w, const logs_TypeConverterEntry *e)
{
	double d;
	buf b = buf_in(w->mem, 32, 64);
	json_value *v = tree_get(w->root, e->key);
	if (!v || v->kind == JSON_OBJECT || v->kind == JSON_ARRAY || v->kind == JSON_NULL)
		return;
	bool truth = v->kind == JSON_TRUE || str_eq_nocase(v->text, S("true"));
	bool untruth = v->kind == JSON_FALSE || str_eq_nocase(v->text, S("false"));
	if (str_eq(e->type, logs_Type_string)) {
		if (v->kind != JSON_STRING && v->kind != JSON_NUMBER)
			v->text = truth ? S("true") : S("false");
		v->kind = JSON_STRING;
	} else if (str_eq(e->type, logs_Type_boolean)) {
		if (truth || untruth)
			v->kind = truth ? JSON_TRUE : JSON_FALSE;
	} else if (str_to_f64(v->text, &d) && isfinite(d)) {
		json_put_double(&b, str_eq(e->type, logs_Type_integer) ? trunc(d) : d);
		v->kind = JSON_NUMBER;
		v->text = buf_str(&b);
	}
}

static void convert_date(const work *w, const logs_DateTimeConverter *d)
{
	int64_t from = 0, to = 0, when;
	const json_value *v = text_at(w, d->source);
	date_zone(d->sourceTimezone, &from);
	date_zone(d->targetTimezone, &to);
	str format = str_is(d->targetFormat) ? d->targetFormat : S("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
	for (size_t i = 0; v && i < d->matchPatterns.n; i++)
		if (date_read(d->matchPatterns.v[i], str_trim(v->text), from, &when)) {
			str text = date_write(w->mem, format, when, to);
			tree_put(w->mem, w->root, d->target, tree_text(w->mem, text), true);
			return;
		}
}

/* What a key has, and where the next one is put when that is a list. */
typedef struct mapped {
	json_value *here, **end;
} mapped;

/* A list of objects becomes a map by one of their keys; of several with the same, a list or one of them. */
static void list_to_map(const work *w, const logs_ListToMap *p)
{
	json_value made = { .kind = JSON_OBJECT }, **last = &made.first;
	const json_value *list = tree_get(w->root, p->source);
	map by_key = map_in(w->mem, 64);
	bool first = str_eq(p->flattenedElement, logs_FlattenedElement_first);
	for (json_value *c = list && list->kind == JSON_ARRAY ? list->first : NULL; c; c = c->next) {
		const json_value *key = tree_get(c, p->key);
		const json_value *value = str_is(p->valueKey) ? tree_get(c, p->valueKey) : c;
		if (!key || key->kind != JSON_STRING || !value)
			continue;
		mapped *m = map_get(&by_key, key->text);
		if (m && p->flatten.v && first)
			continue;
		if (!m) {
			m = arena_new(w->mem, mapped);
			*last = m->here = arena_new(w->mem, json_value);
			*m->here = (json_value){ .kind = JSON_ARRAY, .key = key->text };
			m->end = &m->here->first;
			last = &m->here->next;
			map_put(&by_key, key->text, m);
		}
		json_value *copy = tree_copy(w->mem, value);
		copy->key = STR_NONE;
		if (p->flatten.v) {
			tree_become(m->here, copy);
		} else {
			*m->end = copy;
			m->end = &copy->next;
		}
	}
	if (!str_is(p->target))
		tree_merge(w->mem, w->root, &made);
	else if (made.first)
		tree_put(w->mem, w->root, p->target, &made, true);
}

str transform_apply(arena *mem, const transform *t, str message)
{
	work w = { mem, t, message, arena_new(mem, json_value),
		       arena_used(mem) + WORK_MAX + message.n * WORK_PER_BYTE };
	w.root->kind = JSON_OBJECT;
	for (size_t i = 0; i < t->all->n; i++) {
		const logs_Processor *p = &t->all->v[i];
		const regex *const *expressions = t->expressions[i];
		if (spent(&w))
			return STR_NONE;
		if (parses(p) && !run_parser(&w, p, expressions) && !i)
			return STR_NONE;
		move_keys(&w, p);
		change_texts(&w, p, expressions);
		for (size_t k = 0; p->typeConverter && k < p->typeConverter->entries.n; k++)
			convert_type(&w, &p->typeConverter->entries.v[k]);
		if (p->dateTimeConverter)
			convert_date(&w, p->dateTimeConverter);
		if (p->listToMap)
			list_to_map(&w, p->listToMap);
	}
	if (spent(&w))
		return STR_NONE;
	buf b = buf_in(mem, message.n + 256, DOCUMENT_MAX);
	json_write(&b, w.root);
	return b.full ? STR_NONE : buf_str(&b);
}
