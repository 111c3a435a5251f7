/*
 * From an operation and its input to the action and resources of policies, by the ACCESS tables.
 */
#include "cloud/authorise.h"

extern const access_table *const __start_farthing_access[] __attribute__((weak));
extern const access_table *const __stop_farthing_access[] __attribute__((weak));

static const access_table *table_of(const service *s)
{
	for (const access_table *const *t = __start_farthing_access; t < __stop_farthing_access; t++)
		if (strcmp((*t)->service, s->name) == 0)
			return *t;
	return NULL;
}

static const access_rule *rule_of(const access_table *t, const operation *op)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (strcmp(t->rules[i].operation, op->name) == 0)
			return &t->rules[i];
	return NULL;
}

str access_member(const req *rq, const void *in, str name)
{
	const shape_member *m = rq->op->input ? shape_member_find(rq->op->input, name) : NULL;
	if (!m || (m->shape->kind != SHAPE_STRING && m->shape->kind != SHAPE_ENUM &&
	           m->shape->kind != SHAPE_BLOB))
		return STR_NONE;
	return *(const str *)((const char *)in + m->offset);
}

static str resource_of(req *rq, const void *in, const char *prefix, const char *template)
{
	buf b = buf_in(rq->mem, 128, 4096);
	str rest = str_c(template);
	if (str_eq(rest, S("*")))
		return rest;
	if (!str_starts(rest, S("arn:")))
		buf_fmt(&b, "arn:aws:%s:%.*s:%.*s:", prefix,
		        STR_ARG(rq->op->service->global_region ? S("") : rq->region), STR_ARG(rq->who.account));
	while (str_is(rest)) {
		buf_put(&b, str_cut(&rest, '{'));
		if (!str_is(rest))
			break;
		str name = str_cut(&rest, '}'), value;
		bool slash = name.n && name.p[0] == '/';
		if (slash)
			name = str_sub(name, 1, name.n);
		value = str_eq(name, S("region")) ? rq->region :
			str_eq(name, S("account")) ? rq->who.account : access_member(rq, in, name);
		if (str_starts(value, S("arn:")))
			return value;
		if (slash && !str_starts(value, S("/")))
			buf_c(&b, '/');
		buf_put(&b, value);
	}
	return buf_str(&b);
}

/* aws:RequestTag/.. and aws:TagKeys from a member Tags: a list of Key and Value, or a map. */
static policy_key *tag_keys(req *rq, const void *in)
{
	const shape_member *m = rq->op->input ? shape_member_find(rq->op->input, S("Tags")) : NULL;
	policy_key *keys = NULL;
	if (!m || m->shape->kind != SHAPE_LIST || m->shape->element->kind != SHAPE_STRUCT)
		return NULL;
	const shape *tag = m->shape->element;
	const shape_member *key = shape_member_find(tag, S("Key")), *value = shape_member_find(tag, S("Value"));
	const struct { const char *v; size_t n; } *list = (const void *)((const char *)in + m->offset);
	if (!key || !value || key->shape->kind != SHAPE_STRING || list->n == 0)
		return NULL;
	str *names = arena_array(rq->mem, str, list->n);
	for (size_t i = 0; i < list->n; i++) {
		const char *one = list->v + i * tag->size;
		names[i] = *(const str *)(one + key->offset);
		keys = policy_key_add(rq->mem, keys,
		                      arena_fmt(rq->mem, "aws:RequestTag/%.*s", STR_ARG(names[i])),
		                      *(const str *)(one + value->offset));
	}
	keys = policy_key_add(rq->mem, keys, S("aws:TagKeys"), STR_NONE);
	keys->v = names;
	keys->n = list->n;
	keys->multivalued = true;
	return keys;
}

err authorise_operation(req *rq, const txn *tx, const void *in, decision *d)
{
	const access_table *t = table_of(rq->op->service);
	const access_rule *rule = rule_of(t, rq->op);
	const char *prefix = t && t->prefix ? t->prefix : rq->op->service->signing_name;
	str action = rule && rule->action ? str_c(rule->action) :
					    arena_fmt(rq->mem, "%s:%s", prefix, rq->op->name);
	policy_key *keys = tag_keys(rq, in);
	if (rule && rule->resource && !*rule->resource) {
		*d = (decision){ .allowed = true, .action = action, .why = S("anybody may") };
		return OK;
	}
	if (rule && rule->several) {
		str *arns;
		size_t n = rule->several(rq, tx, in, &arns);
		for (size_t i = 0; i < n; i++) {
			bool plain = str_starts(arns[i], S("arn:")) || str_eq(arns[i], S("*"));
			str its = plain ? action : str_cut(&arns[i], ' ');
			TRY(authorise(rq, tx, its, arns[i], keys, d));
		}
		if (n)
			return OK;
	}
	str resource = rule && rule->resource ? resource_of(rq, in, prefix, rule->resource) : S("*");
	return authorise(rq, tx, action, resource, keys, d);
}

err authorise_call(req *rq, const txn *tx, const void *in)
{
	if (!rq->enforce || rq->who.internal)
		return OK;
	decision *d = arena_new(rq->mem, decision);
	rq->decision = d;
	return authorise_operation(rq, tx, in, d);
}

err authorise_pass_role(req *rq, const txn *tx, str role_arn, const char *service_name)
{
	decision d;
	if (!rq->enforce || rq->who.internal)
		return OK;
	policy_key *to = policy_key_add(rq->mem, NULL, S("iam:PassedToService"), str_c(service_name));
	return authorise(rq, tx, S("iam:PassRole"), role_arn, to, &d);
}
