/* The document that processors work on. */
#include "base/map.h"
#include "transform.h"

static json_value *child(json_value *v, str key)
{
	json_value *c = v && v->kind == JSON_OBJECT ? v->first : NULL;
	while (c && !str_eq(c->key, key))
		c = c->next;
	return c;
}

/* Keys may hold points themselves: the longest one wins at each step. */
json_value *tree_get(json_value *root, str path)
{
	json_value *whole = child(root, path);
	for (size_t n = path.n; !whole && n-- > 0;)
		if (path.p[n] == '.') {
			json_value *step = child(root, str_sub(path, 0, n));
			whole = step ? tree_get(step, str_sub(path, n + 1, path.n)) : NULL;
		}
	return whole;
}

static json_value *append(arena *mem, json_value *to, str key)
{
	json_value **last = &to->first;
	while (*last)
		last = &(*last)->next;
	*last = arena_new(mem, json_value);
	(*last)->key = arena_str(mem, key);
	(*last)->kind = JSON_OBJECT;
	to->n++;
	return *last;
}

json_value *tree_copy(arena *mem, const json_value *v)
{
	json_value *copy = arena_new(mem, json_value), **last = &copy->first;
	*copy = (json_value){ .kind = v->kind, .text = v->text, .key = v->key, .n = v->n };
	for (const json_value *c = v->first; c; c = c->next) {
		*last = tree_copy(mem, c);
		last = &(*last)->next;
	}
	return copy;
}

json_value *tree_become(json_value *at, const json_value *value)
{
	at->kind = value->kind;
	at->text = value->text;
	at->first = value->first;
	at->n = value->n;
	return at;
}

void tree_merge(arena *mem, json_value *object, const json_value *from)
{
	map known = map_in(mem, 64);
	json_value **last = &object->first;
	for (; *last; last = &(*last)->next)
		if (!map_get(&known, (*last)->key))
			map_put(&known, (*last)->key, *last);
	for (const json_value *c = from->first; c; c = c->next) {
		json_value *copy = tree_copy(mem, c), *at = map_get(&known, c->key);
		if (at) {
			tree_become(at, copy);
			continue;
		}
		map_put(&known, c->key, copy);
		*last = copy;
		last = &copy->next;
		object->n++;
	}
}

json_value *tree_put(arena *mem, json_value *root, str path, const json_value *value, bool overwrite)
{
	json_value *at = tree_get(root, path);
	if (at && !overwrite)
		return NULL;
	/* Before anything is made: it may be made inside of what is copied. */
	value = tree_copy(mem, value);
	if (!at) {
		str rest = path;
		for (at = root; str_is(rest);) {
			str key = str_cut(&rest, '.');
			json_value *next = child(at, key);
			if (at->kind != JSON_OBJECT)
				return NULL;
			at = next ? next : append(mem, at, key);
		}
	}
	return tree_become(at, value);
}

json_value *tree_take(json_value *root, str path)
{
	json_value *v = tree_get(root, path);
	if (!v)
		return NULL;
	/* Its parent is whoever has it among its children. */
	for (size_t n = path.n + 1; n-- > 0;) {
		if (n && path.p[n - 1] != '.')
			continue;
		json_value *parent = n ? tree_get(root, str_sub(path, 0, n - 1)) : root;
		json_value **at = parent ? &parent->first : NULL;
		while (at && *at && *at != v)
			at = &(*at)->next;
		if (!at || !*at)
			continue;
		*at = v->next;
		v->next = NULL;
		parent->n--;
		return v;
	}
	return NULL;
}

json_value *tree_text(arena *mem, str text)
{
	json_value *v = arena_new(mem, json_value);
	v->kind = JSON_STRING;
	v->text = text;
	return v;
}
