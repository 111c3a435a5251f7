#include "base/json.h"
#include "cloud/policy.h"
#include "cloud/tags.h"
#include "secret.h"
#include "sys/rand.h"

const tag_rules secret_tag_rules = {
	.most = SECRETS_TAGS_MAX,
	.too_many = { &secretsmanager_InvalidParameterException, "A secret can have at most 50 tags." },
};

err secretsmanager_TagResource(req *rq, txn *tx, const secretsmanager_TagResource_in *in,
                               secretsmanager_TagResource_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	TRY(tags_add(rq, &secret_tag_rules, TAGS(&s->Tags, Key), TAGS(&in->Tags, Key)));
	secretsmanager_secret_put(tx, s);
	return replicas_follow(rq, tx, s);
}

err secretsmanager_UntagResource(req *rq, txn *tx, const secretsmanager_UntagResource_in *in,
                                 secretsmanager_UntagResource_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	tags_drop(TAGS(&s->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	secretsmanager_secret_put(tx, s);
	return replicas_follow(rq, tx, s);
}

err secretsmanager_GetResourcePolicy(req *rq, const txn *tx, const secretsmanager_GetResourcePolicy_in *in,
                                     secretsmanager_GetResourcePolicy_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_find(rq, tx, in->SecretId, &s));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->ResourcePolicy = s->Policy;
	return OK;
}

static str policy_fault(req *rq, str text)
{
	str wrong = STR_NONE;
	if (!json_parse(rq->mem, text))
		return S("This resource policy contains invalid Json.");
	return policy_parse(rq->mem, text, POLICY_RESOURCE, &wrong) ? STR_NONE : wrong;
}

/* Allows everybody without a condition. */
static bool is_public(req *rq, str text)
{
	str wrong;
	const policy *p = policy_parse(rq->mem, text, POLICY_RESOURCE, &wrong);
	for (const policy_statement *s = p ? p->statements : NULL; s; s = s->next) {
		const json_value *who = s->principal;
		const json_value *aws = who && who->kind == JSON_OBJECT ? json_get(who, S("AWS")) : who;
		bool all = aws && aws->kind == JSON_STRING && str_eq(aws->text, S("*"));
		for (const json_value *v = aws && aws->kind == JSON_ARRAY ? aws->first : NULL; v; v = v->next)
			all = all || (v->kind == JSON_STRING && str_eq(v->text, S("*")));
		if (!s->deny && !s->condition && (all || s->not_principal))
			return true;
	}
	return false;
}

err secretsmanager_ValidateResourcePolicy(req *rq, const txn *tx,
                                          const secretsmanager_ValidateResourcePolicy_in *in,
                                          secretsmanager_ValidateResourcePolicy_out *out)
{
	secretsmanager_secret *s;
	if (str_is(in->SecretId))
		TRY(secret_find(rq, tx, in->SecretId, &s));
	str wrong = policy_fault(rq, in->ResourcePolicy), check = S("Syntax");
	if (!str_is(wrong) && is_public(rq, in->ResourcePolicy)) {
		wrong = S("The resource policy grants public access to the secret.");
		check = S("PublicAccess");
	}
	out->PolicyValidationPassed = BOOL(!str_is(wrong));
	out->ValidationErrors.v = arena_new(rq->mem, secretsmanager_ValidationErrorsEntry);
	if (str_is(wrong))
		out->ValidationErrors.v[out->ValidationErrors.n++] =
			(secretsmanager_ValidationErrorsEntry){ .CheckName = check, .ErrorMessage = wrong };
	return OK;
}

err secretsmanager_PutResourcePolicy(req *rq, txn *tx, const secretsmanager_PutResourcePolicy_in *in,
                                     secretsmanager_PutResourcePolicy_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_live(rq, tx, in->SecretId, &s));
	str wrong = policy_fault(rq, in->ResourcePolicy);
	if (str_is(wrong))
		return fail(rq, &secretsmanager_MalformedPolicyDocumentException, "%.*s", STR_ARG(wrong));
	if (in->BlockPublicPolicy.v && is_public(rq, in->ResourcePolicy))
		return fail(rq, &secretsmanager_PublicPolicyException,
		            "The resource policy grants public access, and BlockPublicPolicy forbids that.");
	s->Policy = in->ResourcePolicy;
	secretsmanager_secret_put(tx, s);
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	return OK;
}

err secretsmanager_DeleteResourcePolicy(req *rq, txn *tx, const secretsmanager_DeleteResourcePolicy_in *in,
                                        secretsmanager_DeleteResourcePolicy_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_find(rq, tx, in->SecretId, &s));
	s->Policy = STR_NONE;
	secretsmanager_secret_put(tx, s);
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	return OK;
}

typedef struct alphabet {
	char chars[128];
	size_t n;
} alphabet;

static void add(alphabet *to, const char *chars, str excluded)
{
	for (; *chars; chars++)
		if (str_find_char(excluded, *chars) == SIZE_MAX)
			to->chars[to->n++] = *chars;
}

err secretsmanager_GetRandomPassword(req *rq, const txn *tx, const secretsmanager_GetRandomPassword_in *in,
                                     secretsmanager_GetRandomPassword_out *out)
{
	static const char *const kinds[] = { "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		                             "0123456789", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", " " };
	bool wanted[] = { !in->ExcludeLowercase.v, !in->ExcludeUppercase.v, !in->ExcludeNumbers.v,
		          !in->ExcludePunctuation.v, in->IncludeSpace.v };
	bool each = !in->RequireEachIncludedType.set || in->RequireEachIncludedType.v;
	size_t length = in->PasswordLength.set ? (size_t)in->PasswordLength.v : 32, at = 0, required = 0;
	alphabet all = { .n = 0 };
	char *password = arena_bytes(rq->mem, length + 8);
	for (size_t i = 0; i < 5; i++) {
		alphabet one = { .n = 0 };
		if (!wanted[i])
			continue;
		add(&one, kinds[i], in->ExcludeCharacters);
		add(&all, kinds[i], in->ExcludeCharacters);
		required += one.n > 0;
		if (each && one.n && at < length)
			password[at++] = one.chars[rand_below(one.n)];
	}
	if (each && required > length)
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "The password length is too short based on the required types.");
	if (!all.n)
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "The password length and character requirements leave nothing to choose from.");
	while (at < length)
		password[at++] = all.chars[rand_below(all.n)];
	for (size_t i = length; i > 1; i--) {
		size_t j = rand_below(i);
		char c = password[i - 1];
		password[i - 1] = password[j];
		password[j] = c;
	}
	out->RandomPassword = str_of(password, length);
	return OK;
}
