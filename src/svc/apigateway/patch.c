/* Patch operations: JSON-Patch-like lists with which REST APIs are changed. */
#include "rest.h"
#include "wire/value.h"

/* A list that grows is copied: without an end to both, one request could fill the memory. */
#define PATCHES_MAX 500
#define MEMBERS_MAX 1000

void map_drop(apigateway_MapOfStringToString *m, str key)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (!str_eq(m->v[i].key, key))
			m->v[n++] = m->v[i];
	m->n = n;
}

void map_set(arena *mem, apigateway_MapOfStringToString *m, str key, str value)
{
	apigateway_MapOfStringToString all = { arena_array(mem, apigateway_MapOfStringToString_entry,
	                                                   m->n + 1), 0 };
	map_drop(m, key);
	for (size_t i = 0; i < m->n; i++)
		all.v[all.n++] = m->v[i];
	all.v[all.n].key = key;
	all.v[all.n++].value = value;
	*m = all;
}

str map_find(const apigateway_MapOfStringToString *m, str key)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].key, key))
			return m->v[i].value;
	return STR_NONE;
}

str patch_part(arena *mem, str s)
{
	buf b = buf_in(mem, s.n + 1, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1'))
			buf_c(&b, s.p[++i] == '1' ? '/' : '~');
		else
			buf_c(&b, s.p[i]);
	return buf_str(&b);
}

err patch_list(req *rq, const apigateway_PatchOperation *p, str name, apigateway_ListOfString *l)
{
	str added = str_eq(p->op, S("add")) ? name : str_eq(p->op, S("replace")) ? p->value : STR_NONE;
	apigateway_ListOfString all = { l->v, 0 };
	for (size_t i = 0; i < l->n; i++)
		if (!str_eq(l->v[i], name) && !str_eq(l->v[i], added))
			all.v[all.n++] = l->v[i];
	if (str_is(added) && all.n >= MEMBERS_MAX)
		return fail(rq, &apigateway_LimitExceededException, "At most %d members are allowed.", MEMBERS_MAX);
	if (str_is(added) && all.n == l->n) {
		all.v = arena_array(rq->mem, str, l->n + 1);
		for (size_t i = 0; i < l->n; i++)
			all.v[i] = l->v[i];
	}
	if (str_is(added))
		all.v[all.n++] = added;
	*l = all.n ? all : (apigateway_ListOfString){ 0 };
	return OK;
}

static err apply(req *rq, const apigateway_PatchOperation *p, const shape *s, void *row)
{
	str path = str_sub(p->path, 1, p->path.n), name = str_cut(&path, '/');
	const shape_member *m = shape_member_find(s, name);
	bool removes = str_eq(p->op, S("remove"));
	if (!m || !str_starts(p->path, S("/")) ||
	    (!removes && !str_eq(p->op, S("replace")) && !str_eq(p->op, S("add"))))
		return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(p->path));
	void *slot = (char *)row + m->offset;
	bool text_map = m->shape->kind == SHAPE_MAP && m->shape->element->kind == SHAPE_STRING;
	if (text_map && str_is(path)) {
		str key = patch_part(rq->mem, path);
		if (removes)
			map_drop(slot, key);
		else
			map_set(rq->mem, slot, key, p->value);
		return OK;
	}
	if (m->shape->kind == SHAPE_STRUCT && str_is(path)) {
		void **made = slot;
		if (!*made)
			*made = arena_alloc(rq->mem, m->shape->size);
		apigateway_PatchOperation inner = *p;
		inner.path = arena_concat(rq->mem, S("/"), path);
		return apply(rq, &inner, m->shape, *made);
	}
	bool texts = m->shape->kind == SHAPE_LIST &&
		(m->shape->element->kind == SHAPE_STRING || m->shape->element->kind == SHAPE_ENUM);
	if (texts) {
		if (!str_is(path))
			return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(p->path));
		return patch_list(rq, p, patch_part(rq->mem, path), slot);
	}
	if (str_is(path) || m->shape->kind == SHAPE_LIST || m->shape->kind == SHAPE_MAP)
		return fail(rq, &aws_NotImplemented, "Farthing does not patch %.*s.", STR_ARG(p->path));
	bool text = m->shape->kind == SHAPE_STRING || m->shape->kind == SHAPE_ENUM;
	if (removes || (!text && !p->value.n)) /* without a value a number is taken away */
		memset(slot, 0, m->shape->kind == SHAPE_STRUCT ? sizeof(void *) : m->shape->size);
	else if (!text_read(rq->mem, m->shape, p->value, slot))
		return fail(rq, &apigateway_BadRequestException, "Invalid value for %.*s", STR_ARG(p->path));
	return OK;
}

err patch_replaces(req *rq, const apigateway_ListOfPatchOperation *patches, const char *const *paths)
{
	for (size_t i = 0; i < patches->n; i++) {
		const apigateway_PatchOperation *p = &patches->v[i];
		buf all = buf_in(rq->mem, 128, 4096);
		bool known = false;
		for (size_t k = 0; paths[k]; k++) {
			buf_fmt(&all, "%s%s", k ? ", " : "", paths[k]);
			known = known || str_eq(p->path, str_c(paths[k]));
		}
		if (!str_eq(p->op, S("replace")))
			return fail(rq, &apigateway_BadRequestException,
			            "Invalid patch path  '%.*s' specified for op '%.*s'. "
			            "Please choose supported operations",
			            STR_ARG(p->path), STR_ARG(p->op));
		if (!known)
			return fail(rq, &apigateway_BadRequestException, "Invalid patch path  '%.*s' specified for op "
			            "'replace'. Must be one of: [%.*s]", STR_ARG(p->path), STR_ARG(buf_str(&all)));
	}
	return OK;
}

err patch_few(req *rq, const apigateway_ListOfPatchOperation *patches)
{
	return patches->n <= PATCHES_MAX ? OK
		: fail(rq, &apigateway_BadRequestException, "At most %d patch operations are allowed.", PATCHES_MAX);
}

err patch_apply(req *rq, const apigateway_ListOfPatchOperation *patches, const shape *s, void *row)
{
	TRY(patch_few(rq, patches));
	for (size_t i = 0; i < patches->n; i++)
		TRY(apply(rq, &patches->v[i], s, row));
	return OK;
}
