/*
 * From an operation and its input to the action and resources of policies, by the ACCESS tables.
 */
#include "cloud/authorise.h"
#include "base/text.h"

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
	const void *at = m ? (const char *)in + m->offset : NULL;
	if (m && (m->shape->kind == SHAPE_INTEGER || m->shape->kind == SHAPE_LONG)) {
		const opt_i64 *i = at;
		return i->set ? arena_fmt(rq->mem, "%lld", (long long)i->v) : STR_NONE;
	}
	if (m && m->shape->kind == SHAPE_BOOLEAN) {
		const opt_bool *b = at;
		return !b->set ? STR_NONE : b->v ? S("true") : S("false");
	}
	if (!m || (m->shape->kind != SHAPE_STRING && m->shape->kind != SHAPE_ENUM &&
	           m->shape->kind != SHAPE_BLOB))
		return STR_NONE;
	return *(const str *)at;
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

size_t access_by_path(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	const service *s = rq->op->service;
	str uri = str_c(rq->op->uri), label;
	buf b = buf_in(rq->mem, 256, 8192);
	uri = str_cut(&uri, '?');
	if (str_starts(uri, S("/v2/")))
		uri = str_sub(uri, 3, uri.n);
	buf_fmt(&b, "%s:%s arn:aws:%s:%.*s::", s->signing_name, rq->op->method, s->signing_name,
	        STR_ARG(rq->region));
	while (str_is(uri)) {
		buf_put(&b, str_cut(&uri, '{'));
		if (!str_is(uri))
			break;
		label = str_cut(&uri, '}');
		for (uint16_t i = 0; rq->op->input && i < rq->op->input->n_members; i++) {
			const shape_member *m = &rq->op->input->members[i];
			if (m->place == IN_PATH && str_eq(str_c(m->wire_name), label))
				buf_put(&b, percent_encode(rq->mem, access_member(rq, in, str_c(m->name)), false));
		}
	}
	*arns = arena_new(rq->mem, str);
	**arns = buf_str(&b);
	return 1;
}

const char *access_prefix(const service *s)
{
	const access_table *t = table_of(s);
	return t && t->prefix ? t->prefix : s->signing_name;
}

const access_rule *access_rule_of(const operation *op)
{
	return rule_of(table_of(op->service), op);
}

err authorise_operation(req *rq, const txn *tx, const void *in, decision *d)
{
	const access_table *t = table_of(rq->op->service);
	const access_rule *rule = rule_of(t, rq->op);
	const char *prefix = t && t->prefix ? t->prefix : rq->op->service->signing_name;
	str action = rule && rule->action ? str_c(rule->action) :
					    arena_fmt(rq->mem, "%s:%s", prefix, rq->op->name);
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
			TRY(authorise_input(rq, tx, its, arns[i], in, d));
		}
		if (n)
			return OK;
	}
	str resource = rule && rule->resource ? resource_of(rq, in, prefix, rule->resource) : S("*");
	return authorise_input(rq, tx, action, resource, in, d);
}

bool authorise_needed(const req *rq)
{
	return rq->enforce && (!rq->who.internal || str_is(rq->source));
}

err authorise_call(req *rq, const txn *tx, const void *in)
{
	if (!authorise_needed(rq))
		return OK;
	decision *d = arena_new(rq->mem, decision);
	rq->decision = d;
	err e = authorise_operation(rq, tx, in, d);
	/* What nobody signed may still be open to all by an ACL, of which S3's handlers know. */
	bool open = rq->who.anonymous && !d->denied && strcmp(rq->op->service->name, "s3") == 0;
	return open ? OK : e;
}
