/* A bucket's policy: what S3 accepts as one, keeping it, and whether it is public. */
#include "bucket.h"
#include "cloud/policy.h"
#include "base/json.h"

/* ---- what S3 says of a bad one before IAM's grammar does ---- */

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
