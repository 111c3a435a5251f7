#include "session.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "cloud/credential_mfa.h"
#include "gen/iam.h"
#include "sys/clock.h"

sts_Credentials *session_open(req *rq, txn *tx, const credential *like, int64_t seconds)
{
	credential c = *like;
	c.AccessKey = access_key_new(rq->mem, "ASIA", c.Account);
	c.Secret = secret_key_new(rq->mem);
	c.Token = session_token_new(rq->mem);
	c.Created = rq->now;
	/* AWS tells whole seconds. */
	c.Expires = (rq->now + seconds * MS_SECOND) / MS_SECOND * MS_SECOND;
	credential_put_session(tx, &c);

	sts_Credentials *out = arena_new(rq->mem, sts_Credentials);
	*out = (sts_Credentials){ .AccessKeyId = c.AccessKey, .SecretAccessKey = c.Secret,
		                  .SessionToken = c.Token, .Expiration = TIME(c.Expires) };
	return out;
}

/* On one line: a session policy is kept one document a line. */
static str on_one_line(arena *mem, str text)
{
	char *p = arena_bytes(mem, text.n + 1);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '\n' || text.p[i] == '\r' ? ' ' : text.p[i];
	return str_of(p, text.n);
}

static err managed_document(req *rq, const txn *tx, str arn, str account, str *document)
{
	req there = *rq; /* the policy is the role's account's, whoever asks */
	there.who = (caller){ .account = account, .arn = S("sts.amazonaws.com"), .internal = true };
	iam_GetPolicy_in in = { .PolicyArn = arn };
	iam_GetPolicy_out policy_out;
	iam_GetPolicyVersion_out version_out;
	err e = call_read(&there, tx, "iam", "GetPolicy", &in, &policy_out);
	if (!e) {
		iam_GetPolicyVersion_in version_in = { .PolicyArn = arn,
			                               .VersionId = policy_out.Policy->DefaultVersionId };
		e = call_read(&there, tx, "iam", "GetPolicyVersion", &version_in, &version_out);
	}
	if (e)
		return fail(rq, &aws_ValidationException, "Policy %.*s does not exist or is not attachable.",
		            STR_ARG(arn));
	*document = percent_decode(rq->mem, version_out.PolicyVersion->Document, false);
	return OK;
}

err session_policy(req *rq, const txn *tx, str policy_text, const sts_policyDescriptorListType *arns,
                   str account, str *out, int64_t *packed_percent)
{
	buf b = buf_in(rq->mem, 256, (size_t)256 << 10);
	str wrong;
	size_t counted = 0;
	*out = STR_NONE;
	if (str_is(policy_text)) {
		if (!policy_parse(rq->mem, policy_text, POLICY_IDENTITY, &wrong))
			return fail(rq, &sts_MalformedPolicyDocumentException, "%.*s", STR_ARG(wrong));
		buf_put(&b, on_one_line(rq->mem, policy_text));
		buf_c(&b, '\n');
		counted = policy_text.n;
	}
	if (arns->n > 10)
		return fail(rq, &aws_ValidationException,
		            "The number of ARNs in PolicyArns cannot be more than 10");
	for (size_t i = 0; i < arns->n; i++) {
		str document;
		TRY(managed_document(rq, tx, arns->v[i].arn, account, &document));
		buf_put(&b, on_one_line(rq->mem, document));
		buf_c(&b, '\n');
		counted += arns->v[i].arn.n;
	}
	if (counted > STS_PACKED_POLICY_BYTES)
		return fail(rq, &sts_PackedPolicyTooLargeException,
		            "Packed size of session tags and policies consumes %zu%% of allotted space.",
		            counted * 100 / STS_PACKED_POLICY_BYTES);
	*packed_percent = (int64_t)(counted * 100 / STS_PACKED_POLICY_BYTES);
	if (b.n)
		*out = buf_str(&b);
	return OK;
}

static bool has_key(const sts_tagListType *tags, str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq_nocase(tags->v[i].Key, key))
			return true;
	return false;
}

static err check_tags(req *rq, const sts_tagListType *tags, const sts_tagKeyListType *transitive)
{
	for (size_t i = 0; i < tags->n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq_nocase(tags->v[k].Key, tags->v[i].Key))
				return fail(rq, &aws_InvalidParameterValue,
				            "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
	for (size_t i = 0; transitive && i < transitive->n; i++)
		if (!has_key(tags, transitive->v[i]))
			return fail(rq, &aws_InvalidParameterValue,
			            "The specified transitive tag key must be included in the requested tags.");
	return OK;
}

static void put_tag(buf *b, str key, str value)
{
	buf_c(b, b->n ? ',' : '{');
	json_put_string(b, key);
	buf_c(b, ':');
	json_put_string(b, value);
}

/* What the caller's session passes on; a role cannot be told to forget it. */
static err inherit(req *rq, const sts_tagListType *tags, buf *b, buf *keys)
{
	const credential *own = rq->who.key;
	str rest = own && str_is(own->Role) ? own->TransitiveTags : STR_NONE;
	const json_value *values = str_is(rest) ? json_parse(rq->mem, own->SessionTags) : NULL;
	while (str_is(rest)) {
		str key = str_cut(&rest, '\n');
		const json_value *value = values && key.n ? json_get(values, key) : NULL;
		if (!value)
			continue;
		if (has_key(tags, key))
			return fail(rq, &aws_InvalidParameterValue,
			            "One of the specified transitive tag keys can't be set because it conflicts with a "
			            "transitive tag key from the calling session.");
		put_tag(b, key, value->text);
		buf_fmt(keys, "%.*s\n", STR_ARG(key));
	}
	return OK;
}

err session_tags(req *rq, const sts_tagListType *tags, const sts_tagKeyListType *transitive, credential *c)
{
	buf b = buf_in(rq->mem, 256, (size_t)64 << 10), keys = buf_in(rq->mem, 64, (size_t)16 << 10);
	TRY(check_tags(rq, tags, transitive));
	TRY(inherit(rq, tags, &b, &keys));
	for (size_t i = 0; i < tags->n; i++)
		put_tag(&b, tags->v[i].Key, tags->v[i].Value);
	for (size_t i = 0; transitive && i < transitive->n; i++)
		buf_fmt(&keys, "%.*s\n", STR_ARG(transitive->v[i]));
	if (b.n) {
		buf_c(&b, '}');
		c->SessionTags = buf_str(&b);
	}
	if (keys.n)
		c->TransitiveTags = buf_str(&keys);
	return OK;
}

err session_mfa(req *rq, txn *tx, str serial, str code)
{
	mfa_device after;
	if (!str_is(serial) || !str_is(code) ||
	    !mfa_right(tx, rq->mem, serial, rq->who.arn, code, clock_real(), &after))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "MultiFactorAuthentication failed with invalid MFA one time pass code.");
	mfa_put(tx, &after);
	return OK;
}
