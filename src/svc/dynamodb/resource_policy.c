/* Who else may use a table or a stream. A policy is kept as AWS shows it: in one form, however it came. */
#include "cloud/authorise.h"
#include "cloud/policy.h"
#include "cloud/target.h"
#include "svc/dynamodb/table_options.h"

#define POLICY_BYTES_MAX 20480
#define INVALID "One or more parameter values were invalid: "
#define NO_TABLE "Requested resource not found: Table: %.*s not found"

/* arn:aws:dynamodb:REGION:ACCOUNT: of the caller's own, and a table or a stream of one behind it. */
static err check_arn(req *rq, str arn, str *table, str *stream)
{
	arn_parts a;
	if (!str_starts(arn, S("arn:")))
		return fail(rq, &aws_ValidationException, INVALID "ARNs must start with 'arn:': %.*s", STR_ARG(arn));
	bool ours = str_starts(arn, S("arn:aws:dynamodb:")) && arn_split(arn, &a);
	if (ours && !str_eq(a.account, rq->who.account))
		return fail(rq, &aws_ValidationException, "This action is only supported by accounts that match the "
		            "resource owner’s account.");
	if (!ours || !str_eq(a.region, rq->region) || !str_starts(a.resource, S("table/")))
		return fail(rq, &aws_ValidationException, INVALID "Invalid resource Arn: %.*s", STR_ARG(arn));
	str rest = str_sub(a.resource, 6, a.resource.n);
	*table = str_cut(&rest, '/');
	*stream = str_starts(rest, S("stream/")) ? str_sub(rest, 7, rest.n) : STR_NONE;
	if (str_starts(rest, S("index/")))
		return fail(rq, &aws_ValidationException, INVALID "Invalid resource arn provided, only table or "
		            "stream is accepted. Provided resource arn: %.*s", STR_ARG(arn));
	return !rest.n || str_is(*stream) ? OK
		: fail(rq, &aws_ValidationException, INVALID "Provided Arn is not a DynamoDB resource arn: %.*s",
	           STR_ARG(arn));
}

/* The table or stream an ARN names, which must be there; its table's name. */
static err resource_in(req *rq, const txn *tx, str arn, str *name)
{
	str stream = STR_NONE;
	TRY(check_arn(rq, arn, name, &stream));
	const dynamodb_table *r = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, *name);
	if (!r)
		return fail(rq, &dynamodb_ResourceNotFoundException, NO_TABLE, STR_ARG(*name));
	return !str_is(stream) || str_eq(r->Table->LatestStreamArn, arn) ? OK
		: fail(rq, &dynamodb_ResourceNotFoundException,
	           "Requested resource not found: Stream: %.*s not found for Table: %.*s", STR_ARG(stream),
	           STR_ARG(*name));
}

static err missing(req *rq, str arn)
{
	return fail(rq, &dynamodb_PolicyNotFoundException,
	            "Resource-based policy not found for the provided ResourceArn: %.*s", STR_ARG(arn));
}

static err check_revision(req *rq, const dynamodb_policy *p, str arn, str table, str expected)
{
	static const char begins[] = "Resource-based policy not found for the provided ResourceArn: Requested ";
	if (!str_is(expected))
		return OK;
	bool none = str_eq(expected, S("NO_POLICY"));
	if (none ? !p : p && str_eq(p->Revision, expected))
		return OK;
	if (!p)
		return missing(rq, arn);
	if (none)
		return fail(rq, &dynamodb_PolicyNotFoundException,
		            "%spolicy update expecting none to be present for table %.*s, but a policy exists with "
		            "revision id %.*s.", begins, STR_ARG(table), STR_ARG(p->Revision));
	return fail(rq, &dynamodb_PolicyNotFoundException,
	            "%supdate for policy with revision id %.*s, but the policy associated to target table %.*s "
	            "has revision id %.*s.", begins, STR_ARG(expected), STR_ARG(table), STR_ARG(p->Revision));
}

static str principal_text(arena *mem, str one)
{
	bool account = one.n == 12;
	for (size_t i = 0; i < one.n && account; i++)
		account = one.p[i] >= '0' && one.p[i] <= '9';
	return account ? arena_fmt(mem, "arn:aws:iam::%.*s:root", STR_ARG(one)) : one;
}

/* A list of one is its text, and nothing stands in it twice. */
static void put_texts(buf *b, const json_value *v, bool principals)
{
	if (v->kind != JSON_ARRAY && v->kind != JSON_STRING) {
		json_write(b, v);
		return;
	}
	size_t n = 0, most = v->kind == JSON_ARRAY ? v->n : 1;
	str *texts = arena_array(b->mem, str, most + 1);
	for (const json_value *i = v->kind == JSON_ARRAY ? v->first : v; i && n < most; i = i->next) {
		str text = principals ? principal_text(b->mem, i->text) : i->text;
		bool twice = false;
		for (size_t k = 0; k < n && principals; k++)
			twice = twice || str_eq(texts[k], text);
		if (!twice)
			texts[n++] = text;
		if (v->kind != JSON_ARRAY)
			break;
	}
	for (size_t i = 0; i < n; i++) {
		buf_put(b, i ? S(",") : n > 1 ? S("[") : S(""));
		json_put_string(b, texts[i]);
	}
	buf_put(b, n > 1 ? S("]") : n ? S("") : S("[]"));
}

static void put_principal(buf *b, const json_value *v)
{
	if (v->kind != JSON_OBJECT) {
		json_write(b, v);
		return;
	}
	buf_c(b, '{');
	for (const json_value *m = v->first; m; m = m->next) {
		if (m != v->first)
			buf_c(b, ',');
		json_put_string(b, m->key);
		buf_c(b, ':');
		put_texts(b, m, str_eq(m->key, S("AWS")));
	}
	buf_c(b, '}');
}

static void put_statement(buf *b, const json_value *s)
{
	static const char *const order[] = { "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction",
		                                 "Resource", "NotResource", "Condition" };
	bool first = true;
	buf_c(b, '{');
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const json_value *v = json_get(s, str_c(order[i]));
		if (!v)
			continue;
		buf_fmt(b, "%s\"%s\":", first ? "" : ",", order[i]);
		first = false;
		if (strstr(order[i], "Principal"))
			put_principal(b, v);
		else if (strstr(order[i], "Action") || strstr(order[i], "Resource"))
			put_texts(b, v, false);
		else
			json_write(b, v);
	}
	buf_c(b, '}');
}

static str canonical(arena *mem, const json_value *document)
{
	const json_value *version = json_get(document, S("Version")), *id = json_get(document, S("Id"));
	const json_value *all = json_get(document, S("Statement"));
	buf b = buf_in(mem, 1024, (size_t)4 * POLICY_BYTES_MAX);
	buf_put(&b, S("{\"Version\":"));
	json_put_string(&b, version ? version->text : S("2008-10-17"));
	if (id) {
		buf_put(&b, S(",\"Id\":"));
		json_write(&b, id);
	}
	buf_put(&b, S(",\"Statement\":["));
	for (const json_value *s = all->kind == JSON_ARRAY ? all->first : all; s; s = s->next) {
		if (b.p[b.n - 1] == '}')
			buf_c(&b, ',');
		put_statement(&b, s);
		if (all->kind != JSON_ARRAY)
			break;
	}
	buf_put(&b, S("]}"));
	return buf_str(&b);
}

static bool anybody(const json_value *principal)
{
	const json_value *aws = principal->kind == JSON_OBJECT ? json_get(principal, S("AWS")) : principal;
	bool yes = aws && str_eq(aws->text, S("*"));
	for (const json_value *i = aws && aws->kind == JSON_ARRAY ? aws->first : NULL; i; i = i->next)
		yes = yes || str_eq(i->text, S("*"));
	return yes;
}

static err check_document(req *rq, str document, str *kept)
{
	str wrong = STR_NONE;
	if (document.n > POLICY_BYTES_MAX)
		return fail(rq, &aws_ValidationException, INVALID "Maximum policy size of %d bytes exceeded",
		            POLICY_BYTES_MAX);
	const policy *p = policy_parse(rq->mem, document, POLICY_RESOURCE, &wrong);
	if (!p)
		return fail(rq, &aws_ValidationException, INVALID "Invalid policy document: %.*s", STR_ARG(wrong));
	for (const policy_statement *s = p->statements; s; s = s->next)
		if (!s->deny && !s->condition && !s->not_principal && s->principal && anybody(s->principal))
			return fail(rq, &aws_ValidationException,
			            "Resource-based policy grants unbounded access in one or more elements. Please "
			            "revise the policy to ensure least-privilege form of access");
	*kept = canonical(rq->mem, json_parse(rq->mem, document));
	return OK;
}

err ddb_policy_set(req *rq, txn *tx, str arn, str document, str *revision)
{
	str kept;
	int64_t last = 0;
	const dynamodb_policy *before = dynamodb_policy_get(tx, rq->mem, arn);
	TRY(check_document(rq, document, &kept));
	if (before && str_eq(before->Document, kept)) {
		*revision = before->Revision;
		return OK;
	}
	if (before)
		str_to_i64(before->Revision, &last);
	*revision = arena_fmt(rq->mem, "%lld", (long long)(rq->now > last ? rq->now : last + 1));
	dynamodb_policy_put(tx, &(dynamodb_policy){ .Arn = arn, .Document = kept, .Revision = *revision });
	return OK;
}

void ddb_policy_end(req *rq, txn *tx, str arn)
{
	(void)rq;
	dynamodb_policy_delete(tx, arn);
}

err dynamodb_PutResourcePolicy(req *rq, txn *tx, const dynamodb_PutResourcePolicy_in *in,
                               dynamodb_PutResourcePolicy_out *out)
{
	str table;
	TRY(resource_in(rq, tx, in->ResourceArn, &table));
	TRY(check_revision(rq, dynamodb_policy_get(tx, rq->mem, in->ResourceArn), in->ResourceArn, table,
	                   in->ExpectedRevisionId));
	return ddb_policy_set(rq, tx, in->ResourceArn, in->Policy, &out->RevisionId);
}

err dynamodb_GetResourcePolicy(req *rq, const txn *tx, const dynamodb_GetResourcePolicy_in *in,
                               dynamodb_GetResourcePolicy_out *out)
{
	str table;
	TRY(resource_in(rq, tx, in->ResourceArn, &table));
	const dynamodb_policy *p = dynamodb_policy_get(tx, rq->mem, in->ResourceArn);
	if (!p)
		return missing(rq, in->ResourceArn);
	out->Policy = p->Document;
	out->RevisionId = p->Revision;
	return OK;
}

/* Deleting what is not there succeeds, unless a revision is expected. */
err dynamodb_DeleteResourcePolicy(req *rq, txn *tx, const dynamodb_DeleteResourcePolicy_in *in,
                                  dynamodb_DeleteResourcePolicy_out *out)
{
	str table;
	TRY(resource_in(rq, tx, in->ResourceArn, &table));
	const dynamodb_policy *p = dynamodb_policy_get(tx, rq->mem, in->ResourceArn);
	TRY(check_revision(rq, p, in->ResourceArn, table, in->ExpectedRevisionId));
	if (p)
		out->RevisionId = p->Revision;
	dynamodb_policy_delete(tx, in->ResourceArn);
	return OK;
}

/* An index is its table's. */
static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	(void)action;
	size_t index = str_find(arn, S("/index/"));
	dynamodb_policy *p = dynamodb_policy_get(tx, mem, index == SIZE_MAX ? arn : str_sub(arn, 0, index));
	return p ? p->Document : STR_NONE;
}
RESOURCE_POLICY(dynamodb, policy_of, false);
