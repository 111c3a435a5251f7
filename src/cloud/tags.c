#include "cloud/tags.h"

typedef bool same_key(str a, str b);

static same_key *sameness(const tag_rules *rules)
{
	return rules->any_case ? str_eq_nocase : str_eq;
}

static size_t find(const tag_list *l, same_key *same, str key)
{
	size_t i = 0;
	while (i < l->n && !same(l->v[i].key, key))
		i++;
	return i;
}

static err refuse(req *rq, const tag_rule *r)
{
	return fail(rq, r->kind, "%s", r->text);
}

err tags_check(req *rq, const tag_rules *rules, const tag_list *given)
{
	same_key *same = sameness(rules);
	for (size_t i = 0; i < given->n; i++) {
		str key = given->v[i].key;
		if (rules->reserved.kind && str_eq_nocase(str_sub(key, 0, key.n < 4 ? key.n : 4), S("aws:")))
			return refuse(rq, &rules->reserved);
		if (rules->twice.kind && find(given, same, key) < i)
			return refuse(rq, &rules->twice);
	}
	return rules->most && given->n > rules->most ? refuse(rq, &rules->too_many) : OK;
}

err tags_add(req *rq, const tag_rules *rules, tag_list *all, const tag_list *more)
{
	TRY(tags_check(rq, rules, more));
	if (!more->n)
		return OK;
	tag_list l = { arena_array(rq->mem, tag, all->n + more->n), all->n };
	if (all->n)
		memcpy(l.v, all->v, all->n * sizeof(tag));
	for (size_t i = 0; i < more->n; i++) {
		size_t at = find(&l, sameness(rules), more->v[i].key);
		l.n += at == l.n;
		l.v[at] = more->v[i];
	}
	if (rules->most && l.n > rules->most)
		return refuse(rq, &rules->too_many);
	*all = l;
	return OK;
}

static void drop(tag_list *all, same_key *same, const str *keys, size_t n)
{
	size_t left = 0;
	for (size_t i = 0; i < all->n; i++) {
		size_t k = 0;
		while (k < n && !same(keys[k], all->v[i].key))
			k++;
		if (k == n)
			all->v[left++] = all->v[i];
	}
	all->n = left;
}

void tags_drop(tag_list *all, const str *keys, size_t n)
{
	drop(all, str_eq, keys, n);
}

void tags_drop_any_case(tag_list *all, const str *keys, size_t n)
{
	drop(all, str_eq_nocase, keys, n);
}

void tags_shown(req *rq, tag_list *all)
{
	if (!all->v)
		*all = (tag_list){ arena_array(rq->mem, tag, 1), 0 };
}

static str first_text(const json_value *v, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_value *m = json_get(v, str_c(names[i]));
		if (m && m->kind == JSON_STRING)
			return m->text;
	}
	return STR_NONE;
}

tag_list tags_of_json(arena *mem, const json_value *tags)
{
	static const char *const keys[] = { "Key", "key", "TagKey" };
	static const char *const values[] = { "Value", "value", "TagValue" };
	bool map = tags && tags->kind == JSON_OBJECT;
	bool some = map || (tags && tags->kind == JSON_ARRAY);
	tag_list l = { arena_array(mem, tag, some ? tags->n + 1 : 1), 0 };
	for (const json_value *t = some ? tags->first : NULL; t; t = t->next) {
		str key = map ? t->key : first_text(t, keys, 3), value = map ? t->text : first_text(t, values, 3);
		if (str_is(key))
			l.v[l.n++] = (tag){ key, str_is(value) ? value : S("") };
	}
	return l;
}
