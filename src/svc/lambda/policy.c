#include "lambda.h"
#include "base/json.h"
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

static bool account_number(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == 12;
}

static void put_principal(buf *b, str principal)
{
	if (str_eq(principal, S("*"))) {
		buf_put(b, S("\"*\""));
		return;
	}
	buf_c(b, '{');
	if (account_number(principal))
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
	condition_add(&c, "StringEquals", "AWS:SourceAccount", in->SourceAccount);
	condition_add(&c, "StringEquals", "lambda:EventSourceToken", in->EventSourceToken);
	condition_add(&c, "StringEquals", "lambda:FunctionUrlAuthType", in->FunctionUrlAuthType);
	condition_add(&c, "StringEquals", "aws:PrincipalOrgID", in->PrincipalOrgID);
	if (in->InvokedViaFunctionUrl.set)
		condition_add(&c, "Bool", "lambda:InvokedViaFunctionUrl",
		              in->InvokedViaFunctionUrl.v ? S("true") : S("false"));
	condition_add(&c, "ArnLike", "AWS:SourceArn", in->SourceArn);
	if (c.kind)
		buf_fmt(&b, ",\"Condition\":{%.*s}}", STR_ARG(buf_str(&c.b)));
	buf_c(&b, '}');
	return buf_str(&b);
}

/* Statements in the order in which they were added; STR_NONE when there are none. */
str policy_document(const txn *tx, arena *mem, const function_name *f)
{
	lambda_permission *all[256];
	size_t n = 0;
	record_scan s = lambda_permission_scan(tx, mem, 4, f->account, f->region, f->name, qualifier_key(f),
	                                       STR_NONE);
	for (lambda_permission *p; (p = lambda_permission_next(&s));) {
		size_t at = n < 256 ? n++ : 255;
		for (; at && all[at - 1]->Order > p->Order; at--)
			all[at] = all[at - 1];
		all[at] = p;
	}
	if (!n)
		return STR_NONE;
	buf b = buf_in(mem, 1024, LAMBDA_POLICY_BYTES * 2);
	buf_put(&b, S("{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":["));
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_c(&b, ',');
		buf_put(&b, all[i]->Statement);
	}
	buf_put(&b, S("]}"));
	return buf_str(&b);
}

static err revision_check(req *rq, const txn *tx, const function_name *f, str given)
{
	if (!str_is(given))
		return OK;
	lambda_policy *p = lambda_policy_get(tx, rq->mem, f->account, f->region, f->name, qualifier_key(f));
	if (p && str_eq(p->RevisionId, given))
		return OK;
	return fail(rq, &lambda_PreconditionFailedException,
	            "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy "
	            "API to retrieve "
	            "the latest RevisionId");
}

static void revise(req *rq, txn *tx, const function_name *f)
{
	lambda_policy_put(tx, &(lambda_policy){ .Account = f->account, .Region = f->region, .Name = f->name,
	                                        .Qualifier = qualifier_key(f),
	                                        .RevisionId = rand_uuid(rq->mem) });
}

/* Everybody, an account, an ARN of IAM's, or a service. */
static bool principal_ok(str p)
{
	return str_eq(p, S("*")) || account_number(p) || str_starts(p, S("arn:")) ||
	       str_find_char(p, '.') != SIZE_MAX;
}

err lambda_AddPermission(req *rq, txn *tx, const lambda_AddPermission_in *in, lambda_AddPermission_out *out)
{
	target t;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	const function_name *f = &t.f;
	TRY(revision_check(rq, tx, f, in->RevisionId));
	if (!str_starts(in->Action, S("lambda:")) && !str_eq(in->Action, S("*")))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The action %.*s is not valid for a Lambda resource policy", STR_ARG(in->Action));
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
	revise(rq, tx, f);
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
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	const function_name *f = &t.f;
	TRY(revision_check(rq, tx, f, in->RevisionId));
	if (!str_is(policy_document(tx, rq->mem, f)))
		return fail(rq, &lambda_ResourceNotFoundException, "No policy is associated with the "
		            "given resource.");
	if (!lambda_permission_delete(tx, f->account, f->region, f->name, qualifier_key(f), in->StatementId))
		return fail(rq, &lambda_ResourceNotFoundException, "Statement %.*s is not found in resource policy.",
		            STR_ARG(in->StatementId));
	revise(rq, tx, f);
	return OK;
}

err lambda_GetPolicy(req *rq, const txn *tx, const lambda_GetPolicy_in *in, lambda_GetPolicy_out *out)
{
	target t;
	TRY(target_find(rq, tx, in->FunctionName, in->Qualifier, &t));
	out->Policy = policy_document(tx, rq->mem, &t.f);
	if (!str_is(out->Policy))
		return no_policy(rq);
	lambda_policy *p = lambda_policy_get(tx, rq->mem, t.f.account, t.f.region, t.f.name, qualifier_key(&t.f));
	out->RevisionId = p ? p->RevisionId : STR_NONE;
	return OK;
}

void policy_drop(txn *tx, arena *mem, str account, str region, str name)
{
	record_scan s = lambda_permission_scan(tx, mem, 3, account, region, name, STR_NONE, STR_NONE);
	for (lambda_permission *p; (p = lambda_permission_next(&s));)
		lambda_permission_delete(tx, account, region, name, p->Qualifier, p->Sid);
	s = lambda_policy_scan(tx, mem, 3, account, region, name, STR_NONE);
	for (lambda_policy *p; (p = lambda_policy_next(&s));)
		lambda_policy_delete(tx, account, region, name, p->Qualifier);
}
