#include "cloud/tagged.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/identify.h"
#include "cloud/server.h"
#include "cloud/target.h"

extern const tagged_table *const __start_farthing_tagged[] __attribute__((weak));
extern const tagged_table *const __stop_farthing_tagged[] __attribute__((weak));

#define INPUT_MAX ((size_t)1 << 18)
#define PAGES_MAX 100000

static str service_of(const tagged_kind *kind)
{
	str type = str_c(kind->type);
	return str_cut(&type, ':');
}

const tagged_kind *tagged_kind_of(str arn, const tagged_table **table)
{
	arn_parts a;
	const tagged_kind *best = NULL;
	size_t most = 0;
	if (!arn_split(arn, &a))
		return NULL;
	for (const tagged_table *const *t = __start_farthing_tagged; t < __stop_farthing_tagged; t++) {
		for (size_t i = 0; i < (*t)->n; i++) {
			const tagged_kind *kind = &(*t)->kinds[i];
			str at = kind->at ? str_c(kind->at) : S("");
			if (!str_eq(service_of(kind), a.service) || !str_starts(a.resource, at) || (best && at.n <= most))
				continue;
			best = kind;
			*table = *t;
			most = at.n;
		}
	}
	return best;
}

/* What the words of an input stand for. */
typedef struct subject {
	str arn, region;
	const tagged_kind *kind;
	const tag_list *add, *all;
	const str *keys;
	size_t n;
	const json_value *item, *parent; /* of a list */
} subject;

static str last_part(str s)
{
	size_t at = s.n;
	while (at && s.p[at - 1] != '/' && s.p[at - 1] != ':')
		at--;
	return str_sub(s, at, s.n);
}

/* Behind the account, and behind what all of the kind have in front. */
static str name_of(const subject *s)
{
	arn_parts a;
	if (!arn_split(s->arn, &a))
		return STR_NONE;
	return str_sub(a.resource, s->kind->at ? strlen(s->kind->at) : 0, a.resource.n);
}

/* A list of pairs called Key and Value, key and value, TagKey and TagValue. */
static void put_pairs(buf *b, const tag_list *tags, str key)
{
	buf_c(b, '[');
	for (size_t i = 0; i < tags->n; i++) {
		buf_put(b, i ? S(",{\"") : S("{\""));
		buf_put(b, key);
		buf_put(b, S("\":"));
		json_put_string(b, tags->v[i].key);
		buf_fmt(b, ",\"%.*s%s\":", (int)(key.n - 3), key.p, key.p[key.n - 3] == 'K' ? "Value" : "value");
		json_put_string(b, tags->v[i].value);
		buf_c(b, '}');
	}
	buf_c(b, ']');
}

static void put_map(buf *b, const tag_list *tags)
{
	buf_c(b, '{');
	for (size_t i = 0; i < tags->n; i++) {
		if (i)
			buf_c(b, ',');
		json_put_string(b, tags->v[i].key);
		buf_c(b, ':');
		json_put_string(b, tags->v[i].value);
	}
	buf_c(b, '}');
}

/* `pairs`: as EC2 has them, tags without values. */
static void put_keys(buf *b, const subject *s, bool pairs)
{
	buf_c(b, '[');
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			buf_c(b, ',');
		if (pairs)
			buf_put(b, S("{\"Key\":"));
		json_put_string(b, s->keys[i]);
		if (pairs)
			buf_c(b, '}');
	}
	buf_c(b, ']');
}

/* Where an answer has something: a path with dots; of a list on the way, the first one. */
static const json_value *at_path(const json_value *v, str path)
{
	while (v && path.n)
		v = json_get(v->kind == JSON_ARRAY ? v->first : v, str_cut(&path, '.'));
	return v;
}

static const json_value *member(const subject *s, str path)
{
	const json_value *from[] = { s->item, s->parent };
	for (size_t i = 0; i < 2; i++) {
		const json_value *v = at_path(from[i], path);
		if (v && v->kind == JSON_STRING)
			return v;
	}
	return NULL;
}

static void put_path(buf *b, arena *mem, str name)
{
	bool nested = str_find_char(name, '/') != SIZE_MAX;
	json_put_string(b, nested ? arena_fmt(mem, "/%.*s", STR_ARG(name)) : name);
}

static void put_url(buf *b, arena *mem, const subject *s)
{
	arn_parts a = { 0 };
	arn_split(s->arn, &a);
	json_put_string(b, arena_fmt(mem, "%.*s/%.*s/%.*s", STR_ARG(server_endpoint()), STR_ARG(a.account),
	                             STR_ARG(a.resource)));
}

static void put_word(buf *b, arena *mem, str word, const subject *s)
{
	const json_value *m;
	if (str_eq(word, S("arn")))
		json_put_string(b, s->arn);
	else if (str_eq(word, S("name")))
		json_put_string(b, name_of(s));
	else if (str_eq(word, S("id")))
		json_put_string(b, last_part(s->arn));
	else if (str_eq(word, S("region")))
		json_put_string(b, s->region);
	else if (str_eq(word, S("path")))
		put_path(b, mem, name_of(s));
	else if (str_eq(word, S("url")))
		put_url(b, mem, s);
	else if (str_eq(word, S("keys")))
		put_keys(b, s, false);
	else if (str_eq(word, S("drop")))
		put_keys(b, s, true);
	else if (str_eq(word, S("map")))
		put_map(b, s->add);
	else if (str_eq(word, S("all")))
		put_pairs(b, s->all, S("Key"));
	else if (s->add)
		put_pairs(b, s->add, word);
	else if ((m = member(s, word)))
		json_put_string(b, m->text);
	else
		buf_put(b, S("null"));
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The members that `in` names, as an object; a page's token is one more. */
static str input(arena *mem, const char *in, const subject *s, const char *from, str token)
{
	buf b = buf_in(mem, 256, INPUT_MAX);
	buf_c(&b, '{');
	for (const char *p = in ? in : ""; *p;) {
		if (*p != '$') {
			buf_c(&b, *p++);
			continue;
		}
		const char *word = ++p;
		while (letter(*p))
			p++;
		put_word(&b, mem, str_of(word, (size_t)(p - word)), s);
	}
	if (str_is(token)) {
		buf_fmt(&b, "%s\"%s\":", in ? "," : "", from);
		json_put_string(&b, token);
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

static str arn_from(const req *rq, const subject *s, const char *pattern)
{
	const json_value *m;
	if (!str_starts(str_c(pattern), S("arn:"))) {
		m = member(s, str_c(pattern));
		return m ? m->text : STR_NONE;
	}
	buf b = buf_in(rq->mem, 128, INPUT_MAX);
	for (str rest = str_c(pattern); rest.n;) {
		buf_put(&b, str_cut(&rest, '{'));
		if (!str_is(rest) || !rest.n)
			break;
		str word = str_cut(&rest, '}'), text;
		bool slash = str_starts(word, S("/")), last = str_starts(word, S("."));
		word = str_sub(word, slash || last, word.n);
		if (str_eq(word, S("region")))
			text = rq->region;
		else if (str_eq(word, S("account")))
			text = rq->who.account;
		else if (!word.n)
			text = last_part(s->item->text);
		else
			text = (m = member(s, word)) ? m->text : S("");
		if (last)
			text = last_part(text);
		if (slash && !str_starts(text, S("/")))
			buf_c(&b, '/');
		buf_put(&b, text);
		rest = str_is(rest) ? rest : S("");
	}
	return buf_str(&b);
}

static err ask(req *rq, txn *tx, const tagged_table *t, const char *name, str in, const json_value **out)
{
	str text;
	TRY(call_json(rq, tx, t->service, name, in, &text));
	*out = json_parse(rq->mem, text);
	return OK;
}

/* Calls `each` for all that a list has, page by page. */
typedef struct walker {
	req *rq; /* for us, not for the caller */
	const tagged_table *table;
	const tagged_kind *kind;
	const tagged_walk *to;
	const json_value *parent;
} walker;

static err list(walker *w, const tagged_way *way, err (*each)(walker *w, const json_value *item))
{
	const tagged_kind *k = w->kind;
	str token = STR_NONE;
	subject s = { .kind = k, .region = w->rq->region, .parent = w->parent };
	for (int page = 0; page < PAGES_MAX; page++) {
		const json_value *answer;
		err e = ask(w->rq, NULL, w->table, way->operation, input(w->rq->mem, way->in, &s, k->from, token),
		            &answer);
		if (e) /* a service that is not in this Region has nothing to list */
			return e->kind->status < 500 ? OK : e;
		const json_value *items = at_path(answer, str_c(way->out));
		for (const json_value *i = items ? items->first : NULL; i; i = i->next)
			TRY(each(w, i));
		const json_value *next = k->next ? at_path(answer, str_c(k->next)) : NULL;
		if (!next || next->kind != JSON_STRING || !next->text.n)
			break;
		token = next->text;
	}
	return OK;
}

static err ask_tags(req *rq, txn *tx, const tagged_table *t, const subject *s, tag_list *tags)
{
	const json_value *answer;
	const tagged_way *way = &s->kind->read;
	*tags = (tag_list){ 0 };
	TRY(ask(rq, tx, t, way->operation, input(rq->mem, way->in, s, NULL, STR_NONE), &answer));
	*tags = tags_of_json(rq->mem, at_path(answer, str_c(way->out)));
	return OK;
}

/* Errors: gone since it was listed, not ours, or S3's way of saying that there are none. */
static err read_tags(req *rq, const tagged_table *t, const subject *s, tag_list *tags)
{
	err e = ask_tags(rq, NULL, t, s, tags);
	return e && e->kind->status >= 500 ? e : OK;
}

/* The item itself as a list of one. */
static tag_list tag_from(arena *mem, const json_value *item)
{
	json_value *alone = arena_new(mem, json_value);
	*alone = *item;
	alone->next = NULL;
	return tags_of_json(mem, &(json_value){ .kind = JSON_ARRAY, .first = alone, .n = 1 });
}

static err one_item(walker *w, const json_value *item)
{
	const tagged_kind *k = w->kind;
	subject s = { .kind = k, .item = item, .parent = w->parent };
	s.arn = arn_from(w->rq, &s, k->arn);
	if (!str_is(s.arn))
		return OK;
	tag_list tags;
	if (!k->inside)
		TRY(read_tags(w->rq, w->table, &s, &tags));
	else if (*k->inside)
		tags = tags_of_json(w->rq->mem, json_get(item, str_c(k->inside)));
	else
		tags = tag_from(w->rq->mem, item);
	w->to->found(w->to->context, k, s.arn, &tags);
	return OK;
}

static err one_parent(walker *w, const json_value *parent)
{
	w->parent = parent;
	err e = list(w, &w->kind->list, one_item);
	w->parent = NULL;
	return e;
}

/* What belongs to no region is told in one. */
static bool lives_here(const req *rq, const tagged_table *t)
{
	const service *s = service_named(str_c(t->service));
	return s && (!s->global_region || str_eq(rq->region, str_c(s->global_region)));
}

static req *reader(req *rq)
{
	return req_internal(rq->mem, rq->store, "tagging.amazonaws.com", rq->who.account, rq->region);
}

err tagged_each(req *rq, const tagged_walk *to)
{
	for (const tagged_table *const *t = __start_farthing_tagged; t < __stop_farthing_tagged; t++) {
		for (size_t i = 0; i < (*t)->n && lives_here(rq, *t); i++) {
			const tagged_kind *k = &(*t)->kinds[i];
			if (!to->wanted(to->context, k))
				continue;
			walker w = { .rq = reader(rq), .table = *t, .kind = k, .to = to };
			TRY(k->under.operation ? list(&w, &k->under, one_parent) : list(&w, &k->list, one_item));
		}
	}
	return OK;
}

/* Where what is listed has its tags inside, the list has to be looked through. */
typedef struct looked_for {
	const tagged_kind *kind;
	str arn;
	tag_list *tags;
	arena *mem;
} looked_for;

static bool of_kind(void *context, const tagged_kind *kind)
{
	return ((looked_for *)context)->kind == kind;
}

static void keep_tags(void *context, const tagged_kind *kind, str arn, const tag_list *tags)
{
	looked_for *l = context;
	(void)kind;
	if (!str_eq(arn, l->arn))
		return;
	tag_list *all = l->tags;
	tag *v = arena_array(l->mem, tag, all->n + tags->n + 1);
	if (all->n)
		memcpy(v, all->v, all->n * sizeof *v);
	if (tags->n)
		memcpy(v + all->n, tags->v, tags->n * sizeof *v);
	*all = (tag_list){ v, all->n + tags->n };
}

err tagged_read(req *rq, str arn, tag_list *tags)
{
	const tagged_table *t;
	const tagged_kind *k = tagged_kind_of(arn, &t);
	*tags = (tag_list){ 0 };
	if (!k)
		return OK;
	subject s = { .arn = arn, .kind = k };
	if (k->read.operation)
		return read_tags(reader(rq), t, &s, tags);
	looked_for l = { k, arn, tags, rq->mem };
	return tagged_each(rq, &(tagged_walk){ &l, of_kind, keep_tags });
}

typedef struct replacing {
	const tagged_table *table;
	const tagged_way *way;
	subject *s;
} replacing;

/* All tags are written anew with what changes: nobody else's change comes between reading and writing. Tags
 * that the caller may not read are not written over. */
static err replace_all(req *rq, txn *tx, void *context)
{
	static const tag_rules none;
	const json_value *answer;
	const replacing *r = context;
	subject *s = r->s;
	tag_list *all = arena_new(rq->mem, tag_list);
	err e = ask_tags(rq, tx, r->table, s, all);
	if (e && e->kind->status != 404)
		return e;
	if (s->add)
		TRY(tags_add(rq, &none, all, s->add));
	tags_drop(all, s->keys, s->n);
	s->all = all;
	return ask(rq, tx, r->table, r->way->operation, input(rq->mem, r->way->in, s, NULL, STR_NONE), &answer);
}

static err change(req *rq, const tagged_table *t, const tagged_way *way, subject *s)
{
	const json_value *answer;
	if (!way->operation)
		return fail(rq, &aws_NotImplemented, "Farthing does not change the tags of a %s once it exists.",
		            s->kind->type);
	if (strstr(way->in, "$all"))
		return req_write(rq, replace_all, &(replacing){ t, way, s });
	return ask(rq, NULL, t, way->operation, input(rq->mem, way->in, s, NULL, STR_NONE), &answer);
}

err tagged_add(req *rq, str arn, const tag_list *tags)
{
	const tagged_table *t;
	subject s = { .arn = arn, .kind = tagged_kind_of(arn, &t), .add = tags };
	ensure(s.kind);
	return change(rq, t, &s.kind->tag, &s);
}

err tagged_drop(req *rq, str arn, const str *keys, size_t n)
{
	const tagged_table *t;
	subject s = { .arn = arn, .kind = tagged_kind_of(arn, &t), .keys = keys, .n = n };
	ensure(s.kind);
	return change(rq, t, &s.kind->untag, &s);
}
