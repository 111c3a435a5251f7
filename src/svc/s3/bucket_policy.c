/* A bucket's policy: what S3 accepts as one, keeping it, and whether it is public. */
#include "bucket.h"
#include "cloud/policy.h"
#include "base/json.h"

/* ---- whether one is public ----
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */

/* Beyond private networks, a range that is wider than /8 (or /32 of version 6) is as good as everybody. */
static bool narrow_range(str range)
{
	int64_t bits;
	str rest = range, address = str_cut(&rest, '/');
	int64_t least = str_find_char(address, ':') == SIZE_MAX ? 8 : 32;
	return !str_is(rest) || (str_to_i64(rest, &bits) && bits >= least);
}

static bool fixed_value(str key, str value)
{
	if (str_eq_nocase(key, S("aws:SourceIp")))
		return narrow_range(value);
	if (str_eq_nocase(key, S("s3:DataAccessPointArn")))
		return true;
	return str_find_char(value, '*') == SIZE_MAX && str_find_char(value, '?') == SIZE_MAX &&
	       str_find(value, S("${")) == SIZE_MAX;
}

/* Whether the key, held to these values, says who or from where. */
static bool restricts(str key, const json_value *values)
{
	static const char *const keys[] = {
		"aws:SourceIp", "aws:SourceArn", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceOwner",
		"aws:SourceAccount", "aws:userid", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
		"aws:PrincipalAccount", "aws:PrincipalArn", "s3:DataAccessPointArn", "s3:DataAccessPointAccount",
		"s3:x-amz-server-side-encryption-aws-kms-key-id",
	};
	bool known = false;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		known |= str_eq_nocase(key, str_c(keys[i]));
	if (!known)
		return false;
	if (values->kind != JSON_ARRAY)
		return fixed_value(key, values->text);
	for (const json_value *v = values->first; v; v = v->next)
		if (!fixed_value(key, v->text))
			return false;
	return values->first != NULL;
}

static bool condition_restricts(const json_value *condition)
{
	static const char *const holding[] = { "StringEquals", "StringEqualsIgnoreCase", "StringLike",
		                               "ArnEquals", "ArnLike", "IpAddress" };
	for (const json_value *op = condition ? condition->first : NULL; op; op = op->next) {
		bool holds = false;
		for (size_t i = 0; i < sizeof holding / sizeof *holding; i++)
			holds |= str_eq_nocase(op->key, str_c(holding[i]));
		for (const json_value *k = op->first; holds && k; k = k->next)
			if (restricts(k->key, k))
				return true;
	}
	return false;
}

static bool statement_is_public(const json_value *s)
{
	const json_value *effect = json_get(s, S("Effect")), *who = json_get(s, S("Principal"));
	if (!effect || !str_eq(effect->text, S("Allow")) || json_get(s, S("NotPrincipal")))
		return false;
	if (who && who->kind == JSON_OBJECT)
		who = json_get(who, S("AWS"));
	bool star = who && who->kind == JSON_STRING && str_eq(who->text, S("*"));
	for (const json_value *v = who && who->kind == JSON_ARRAY ? who->first : NULL; v; v = v->next)
		star |= str_eq(v->text, S("*"));
	return star && !condition_restricts(json_get(s, S("Condition")));
}

bool bucket_policy_is_public(arena *mem, str document)
{
	const json_value *v = document.n ? json_parse(mem, document) : NULL;
	const json_value *s = json_get(v, S("Statement"));
	if (s && s->kind == JSON_OBJECT)
		return statement_is_public(s);
	for (s = s ? s->first : NULL; s; s = s->next)
		if (statement_is_public(s))
			return true;
	return false;
}

static err missing_member(req *rq, const char *name)
{
	return fail(rq, &fault_MalformedPolicy, "Missing required field %s", name);
}

static err check_statement(req *rq, const json_value *s)
{
	if (s->kind != JSON_OBJECT)
		return fail(rq, &fault_MalformedPolicy, "Invalid policy syntax.");
	const json_value *effect = json_get(s, S("Effect"));
	if (!effect)
		return missing_member(rq, "Effect");
	if (!str_eq(effect->text, S("Allow")) && !str_eq(effect->text, S("Deny")))
		return fail(rq, &fault_MalformedPolicy, "Invalid effect: %.*s", STR_ARG(effect->text));
	if (!json_get(s, S("Principal")) && !json_get(s, S("NotPrincipal")))
		return missing_member(rq, "Principal");
	if (!json_get(s, S("Action")) && !json_get(s, S("NotAction")))
		return missing_member(rq, "Action");
	if (!json_get(s, S("Resource")) && !json_get(s, S("NotResource")))
		return missing_member(rq, "Resource");
	return OK;
}

static err check_members(req *rq, str document)
{
	const json_value *p = json_parse(rq->mem, document);
	if (!p)
		return fail(rq, &fault_MalformedPolicy, "Policies must be valid JSON and the first byte must be '{'");
	const json_value *s = json_get(p, S("Statement")), *version = json_get(p, S("Version"));
	if (!s)
		return missing_member(rq, "Statement");
	if (version && !str_eq(version->text, S("2012-10-17")) && !str_eq(version->text, S("2008-10-17")))
		return fail(rq, &fault_MalformedPolicy, "The policy must contain a valid version string");
	if (s->kind == JSON_OBJECT)
		return check_statement(rq, s);
	if (s->kind != JSON_ARRAY)
		return fail(rq, &fault_MalformedPolicy, "Invalid policy syntax.");
	if (!s->first)
		return fail(rq, &fault_MalformedPolicy, "Could not parse the policy: Statement is empty!");
	for (s = s->first; s; s = s->next)
		TRY(check_statement(rq, s));
	return OK;
}

/* Actions on objects; the others are on the bucket. */
static bool on_objects(str action)
{
	static const char *const more[] = { "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
		                            "s3:BypassGovernanceRetention", "s3:ReplicateDelete",
		                            "s3:ReplicateTags", "s3:InitiateReplication" };
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		if (str_eq_nocase(action, str_c(more[i])))
			return true;
	return str_find(action, S("Object")) != SIZE_MAX && str_find(action, S("Bucket")) == SIZE_MAX;
}

/* Whether one of the resources is of the kind that the action is on. */
static bool applies(const policy_statement *s, str action)
{
	bool object = on_objects(action);
	const json_value *r = s->resource, *v = r->kind == JSON_ARRAY ? r->first : r;
	for (; v; v = r->kind == JSON_ARRAY ? v->next : NULL) {
		bool below = str_find_char(v->text, '/') != SIZE_MAX;
		if (object ? below || str_ends(v->text, S("*")) : !below)
			return true;
	}
	return false;
}

static err actions_fit(req *rq, const policy_statement *s)
{
	const json_value *a = s->action, *v = a && a->kind == JSON_ARRAY ? a->first : a;
	for (; v; v = a->kind == JSON_ARRAY ? v->next : NULL) {
		str name = v->text;
		if (!str_eq(name, S("*")) && !str_eq_nocase(str_sub(name, 0, 3), S("s3:")))
			return fail(rq, &fault_MalformedPolicy, "Policy has invalid action");
		bool pattern = str_find_char(name, '*') != SIZE_MAX || str_find_char(name, '?') != SIZE_MAX;
		if (!pattern && !s->not_action && s->resource && !s->not_resource && !applies(s, name))
			return fail(rq, &fault_MalformedPolicy, "Action does not apply to any resource(s) in statement");
	}
	return OK;
}

static err resources_fit(req *rq, const s3_bucket *b, const policy *p)
{
	str own = arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(b->Name));
	for (const policy_statement *s = p->statements; s; s = s->next) {
		const json_value *r = s->resource;
		const json_value *v = r && r->kind == JSON_ARRAY ? r->first : r;
		for (; v; v = r->kind == JSON_ARRAY ? v->next : NULL) {
			bool bucket = str_eq(v->text, own);
			bool below = str_starts(v->text, own) && v->text.n > own.n &&
				     (v->text.p[own.n] == '/' || v->text.p[own.n] == '*');
			if (!bucket && !below && !str_eq(v->text, S("*")))
				return fail(rq, &fault_MalformedPolicy, "Policy has invalid resource");
		}
	}
	return OK;
}

err s3_PutBucketPolicy(req *rq, txn *tx, const s3_PutBucketPolicy_in *in, s3_PutBucketPolicy_out *out)
{
	s3_bucket *b;
	str wrong = STR_NONE;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketPolicy", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	if (in->Policy.n > 20480)
		return fail(rq, &fault_MalformedPolicy, "Policy exceeds the maximum allowed document size.");
	if (!in->Policy.n || in->Policy.p[0] != '{')
		return fail(rq, &fault_MalformedPolicy,
		            "Policies must be valid JSON and the first byte must be '{'");
	TRY(check_members(rq, in->Policy));
	policy *p = policy_parse(rq->mem, in->Policy, POLICY_RESOURCE, &wrong);
	if (!p)
		return fail(rq, &fault_MalformedPolicy, "%.*s", STR_ARG(wrong));
	TRY(resources_fit(rq, b, p));
	for (const policy_statement *s = p->statements; s; s = s->next)
		TRY(actions_fit(rq, s));
	if (bucket_policy_is_public(rq->mem, in->Policy) && bucket_block(rq, tx, b).BlockPublicPolicy.v)
		return fail(rq, &fault_AccessDenied,
		            "User: %.*s is not authorized to perform: s3:PutBucketPolicy on resource: "
		            "\"arn:aws:s3:::%.*s\" because public policies are prevented by the BlockPublicPolicy "
		            "setting in S3 Block Public Access.", STR_ARG(rq->who.arn), STR_ARG(b->Name));
	b->Policy = in->Policy;
	s3_bucket_put(tx, b);
	rq->reply_status = 204;
	return OK;
}

static err no_policy(req *rq, const s3_bucket *b)
{
	return fail_with(rq, &fault_NoSuchBucketPolicy, DETAIL(rq, .BucketName = b->Name),
	                 "The bucket policy does not exist");
}

err s3_GetBucketPolicy(req *rq, const txn *tx, const s3_GetBucketPolicy_in *in, s3_GetBucketPolicy_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketPolicy", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	if (!b->Policy.n)
		return no_policy(rq, b);
	out->Policy = b->Policy;
	req_header(rq, S("Content-Type"), S("application/json"));
	return OK;
}

err s3_GetBucketPolicyStatus(req *rq, const txn *tx, const s3_GetBucketPolicyStatus_in *in,
                             s3_GetBucketPolicyStatus_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketPolicyStatus", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	if (!b->Policy.n)
		return no_policy(rq, b);
	out->PolicyStatus = arena_new(rq->mem, s3_PolicyStatus);
	out->PolicyStatus->IsPublic = BOOL(bucket_policy_is_public(rq->mem, b->Policy));
	return OK;
}

err s3_DeleteBucketPolicy(req *rq, txn *tx, const s3_DeleteBucketPolicy_in *in,
                          s3_DeleteBucketPolicy_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:DeleteBucketPolicy", STR_NONE, &b));
	b->Policy = S("");
	s3_bucket_put(tx, b);
	return OK;
}
