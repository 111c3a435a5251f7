#include "lambda.h"
#include "base/json.h"
#include "cloud/target.h"
#include "sys/rand.h"

#define NO_QUALIFIER S("")

static str qualifier_key(const function_name *f)
{
	return str_is(f->qualifier) ? f->qualifier : NO_QUALIFIER;
}

static void put_pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

static void put_principal(buf *b, str principal)
{
	if (str_eq(principal, S("*"))) {
		buf_put(b, S("\"*\""));
		return;
	}
	buf_c(b, '{');
	if (name_is_account(principal))
		put_pair(b, "AWS", arena_fmt(b->mem, "arn:aws:iam::%.*s:root", STR_ARG(principal)));
	else if (str_starts(principal, S("arn:")))
		put_pair(b, "AWS", principal);
	else
		put_pair(b, "Service", principal);
	buf_c(b, '}');
}

typedef struct condition {
	buf b;
	const char *kind; /* the operator that is open */
} condition;

static void condition_add(condition *c, const char *kind, const char *key, str value)
{
	if (!str_is(value))
		return;
	if (c->kind && strcmp(c->kind, kind) == 0) {
		buf_c(&c->b, ',');
	} else {
		if (c->kind)
			buf_put(&c->b, S("},"));
		buf_fmt(&c->b, "\"%s\":{", kind);
		c->kind = kind;
	}
	put_pair(&c->b, key, value);
}

/* The statement as AWS writes it. */
static str statement(req *rq, const lambda_AddPermission_in *in, str resource)
{
	buf b = buf_in(rq->mem, 512, LAMBDA_POLICY_BYTES * 2);
	condition c = { buf_in(rq->mem, 256, LAMBDA_POLICY_BYTES), NULL };
	buf_c(&b, '{');
	put_pair(&b, "Sid", in->StatementId);
	buf_put(&b, S(",\"Effect\":\"Allow\",\"Principal\":"));
	put_principal(&b, in->Principal);
	buf_c(&b, ',');
	put_pair(&b, "Action", in->Action);
	buf_c(&b, ',');
	put_pair(&b, "Resource", resource);
	condition_add(&c, "StringEquals", "lambda:FunctionUrlAuthType", in->FunctionUrlAuthType);
	condition_add(&c, "StringEquals", "aws:PrincipalOrgID", in->PrincipalOrgID);
	condition_add(&c, "StringEquals", "AWS:SourceAccount", in->SourceAccount);
	condition_add(&c, "StringEquals", "lambda:EventSourceToken", in->EventSourceToken);
	if (in->InvokedViaFunctionUrl.set)
		condition_add(&c, "Bool", "lambda:InvokedViaFunctionUrl",
		              in->InvokedViaFunctionUrl.v ? S("true") : S("false"));
	condition_add(&c, "ArnLike", "AWS:SourceArn", in->SourceArn);
	if (c.kind)
		buf_fmt(&b, ",\"Condition\":{%.*s}}", STR_ARG(buf_str(&c.b)));
	buf_c(&b, '}');
	return buf_str(&b);
}

void policy_text_add(policy_text *p, int64_t order, str statement)
{
	size_t at = p->n < POLICY_STATEMENTS_MAX ? p->n++ : POLICY_STATEMENTS_MAX - 1;
	for (; at && p->order[at - 1] > order; at--) {
		p->order[at] = p->order[at - 1];
		p->statement[at] = p->statement[at - 1];
	}
	p->order[at] = order;
	p->statement[at] = statement;
}

str policy_text_end(arena *mem, const policy_text *p)
{
	if (!p->n)
		return STR_NONE;
	buf b = buf_in(mem, 1024, LAMBDA_POLICY_BYTES * 2);
	buf_put(&b, S("{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":["));
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_c(&b, ',');
		buf_put(&b, p->statement[i]);
	}
	buf_put(&b, S("]}"));
	return buf_str(&b);
}

str policy_document(const txn *tx, arena *mem, const function_name *f)
{
	policy_text all = { 0 };
	record_scan s = lambda_permission_scan(tx, mem, 4, f->account, f->region, f->name, qualifier_key(f),
	                                       STR_NONE);
	for (lambda_permission *p; (p = lambda_permission_next(&s));)
		policy_text_add(&all, p->Order, p->Statement);
	return policy_text_end(mem, &all);
}

/* A statement's policy has the revision of what it is for: an alias, a version, or $LATEST. */
static lambda_alias *alias_of(const txn *tx, arena *mem, const target *t)
{
	const function_name *f = &t->f;
	return str_is(t->alias) ? lambda_alias_get(tx, mem, f->account, f->region, f->name, t->alias) : NULL;
}

static str revision_of(const txn *tx, arena *mem, const target *t)
{
	lambda_alias *a = alias_of(tx, mem, t);
	return a ? a->It->RevisionId : t->version->Config->RevisionId;
}

static void revise(req *rq, txn *tx, const target *t)
{
	lambda_alias *a = alias_of(tx, rq->mem, t);
	if (a) {
		a->It->RevisionId = rand_uuid(rq->mem);
		lambda_alias_put(tx, a);
	} else {
		t->version->Config->RevisionId = rand_uuid(rq->mem);
		lambda_version_put(tx, t->version);
	}
}

static bool identity_ok(str arn)
{
	arn_parts a;
	return arn_split(arn, &a) && (str_eq(a.service, S("iam")) || str_eq(a.service, S("sts"))) &&
	       name_is_account(a.account) && str_is(a.resource) && a.resource.n;
}

/* Everybody, an account, an ARN of IAM's or STS's, or a service. */
static bool principal_ok(str p)
{
	return str_eq(p, S("*")) || name_is_account(p) || identity_ok(p) ||
	       str_ends(p, S(".amazonaws.com")) || str_ends(p, S(".amazonaws.com.cn")) ||
	       str_ends(p, S(".amazon.com"));
}

/* The function, version or alias that a policy is for. */
static err subject(req *rq, const txn *tx, str name, str qualifier, target *t)
{
	function_name f;
	TRY(name_read(rq, name, qualifier, &f));
	if (str_eq(f.qualifier, S("$LATEST")))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "We currently do not support adding policies for $LATEST.");
	err missing = target_named(rq, tx, &f, t);
	function_name bare = f;
	bare.qualifier = STR_NONE;
	if (missing && lambda_function_get(tx, rq->mem, f.account, f.region, f.name))
		return name_missing(rq, &f);
	return missing ? name_not_found(rq, &bare) : OK;
}

err lambda_AddPermission(req *rq, txn *tx, const lambda_AddPermission_in *in, lambda_AddPermission_out *out)
{
	target t;
	TRY(subject(rq, tx, in->FunctionName, in->Qualifier, &t));
	const function_name *f = &t.f;
	TRY(revision_check(rq, in->RevisionId, revision_of(tx, rq->mem, &t)));
	if (!str_starts(in->Action, S("lambda:")) && !str_eq(in->Action, S("*")))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The action %.*s is not valid for a Lambda resource policy", STR_ARG(in->Action));
	if (str_is(in->FunctionUrlAuthType) && !str_eq(in->Action, S("lambda:InvokeFunctionUrl")))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
	if (!principal_ok(in->Principal))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The provided principal was invalid. Please check the principal and try again.");
	if (lambda_permission_get(tx, rq->mem, f->account, f->region, f->name, qualifier_key(f), in->StatementId))
		return fail(rq, &lambda_ResourceConflictException,
		            "The statement id (%.*s) provided already exists. Please provide a new statement id, or "
		            "remove the existing statement.", STR_ARG(in->StatementId));
	str text = statement(rq, in, t.invoked_arn), all = policy_document(tx, rq->mem, f);
	if (all.n + text.n > LAMBDA_POLICY_BYTES)
		return fail(rq, &lambda_PolicyLengthExceededException,
		            "The final policy size (%zu) is bigger than the limit (%d).", all.n + text.n,
		            LAMBDA_POLICY_BYTES);
	lambda_permission_put(tx, &(lambda_permission){
		.Account = f->account, .Region = f->region, .Name = f->name, .Qualifier = qualifier_key(f),
		.Sid = in->StatementId, .Statement = text,
		.Order = (int64_t)txn_next(tx, S("lambda.permission")) });
	revise(rq, tx, &t);
	out->Statement = text;
	return OK;
}

static err no_policy(req *rq)
{
	return fail(rq, &lambda_ResourceNotFoundException, "The resource you requested does not exist.");
}

err lambda_RemovePermission(req *rq, txn *tx, const lambda_RemovePermission_in *in,
                            lambda_RemovePermission_out *out)
{
	target t;
	function_name named;
	TRY(name_read(rq, in->FunctionName, in->Qualifier, &named));
	if (!lambda_function_get(tx, rq->mem, named.account, named.region, named.name)) {
		str arn = name_arn(rq->mem, &named);
		return fail(rq, &lambda_ResourceNotFoundException, "No policy found for: %.*s", STR_ARG(arn));
	}
	TRY(subject(rq, tx, in->FunctionName, in->Qualifier, &t));
	const function_name *f = &t.f;
	TRY(revision_check(rq, in->RevisionId, revision_of(tx, rq->mem, &t)));
	if (!str_is(policy_document(tx, rq->mem, f)))
		return fail(rq, &lambda_ResourceNotFoundException, "No policy is associated with the "
		            "given resource.");
	if (!lambda_permission_delete(tx, f->account, f->region, f->name, qualifier_key(f), in->StatementId))
		return fail(rq, &lambda_ResourceNotFoundException, "Statement %.*s is not found in resource policy.",
		            STR_ARG(in->StatementId));
	revise(rq, tx, &t);
	return OK;
}

err lambda_GetPolicy(req *rq, const txn *tx, const lambda_GetPolicy_in *in, lambda_GetPolicy_out *out)
{
	target t;
	function_name f;
	lambda_function *fn;
	TRY(name_read(rq, in->FunctionName, in->Qualifier, &f));
	TRY(function_find(rq, tx, &f, &fn));
	if (target_named(rq, tx, &f, &t))
		return no_policy(rq);
	out->Policy = policy_document(tx, rq->mem, &t.f);
	if (!str_is(out->Policy))
		return no_policy(rq);
	out->RevisionId = revision_of(tx, rq->mem, &t);
	return OK;
}

void policy_drop(txn *tx, arena *mem, str account, str region, str name)
{
	record_scan s = lambda_permission_scan(tx, mem, 3, account, region, name, STR_NONE, STR_NONE);
	for (lambda_permission *p; (p = lambda_permission_next(&s));)
		lambda_permission_delete(tx, account, region, name, p->Qualifier, p->Sid);
}

void qualifier_drop(txn *tx, arena *mem, const lambda_function *fn, str qualifier)
{
	str a = fn->Account, r = fn->Region, name = fn->Name;
	record_scan s = lambda_permission_scan(tx, mem, 4, a, r, name, qualifier, STR_NONE);
	for (lambda_permission *p; (p = lambda_permission_next(&s));)
		lambda_permission_delete(tx, a, r, name, qualifier, p->Sid);
	lambda_url *u = lambda_url_get(tx, mem, a, r, name, qualifier);
	if (u) {
		lambda_urlid_delete(tx, u->Id);
		lambda_url_delete(tx, a, r, name, qualifier);
	}
	lambda_invokeconfig_delete(tx, a, r, name, qualifier);
}
