#include "base/json.h"
#include "cloud/tags.h"
#include "secret.h"
#include "sys/rand.h"

static const tag_rules rules = {
	.most = SECRETS_TAGS_MAX,
	.too_many = { &secretsmanager_InvalidParameterException, "A secret can have at most 50 tags." },
};

err secretsmanager_TagResource(req *rq, txn *tx, const secretsmanager_TagResource_in *in,
                               secretsmanager_TagResource_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_live(rq, tx, in->SecretId, &s));
	TRY(tags_add(rq, &rules, TAGS(&s->Tags, Key), TAGS(&in->Tags, Key)));
	secretsmanager_secret_put(tx, s);
	return OK;
}

err secretsmanager_UntagResource(req *rq, txn *tx, const secretsmanager_UntagResource_in *in,
                                 secretsmanager_UntagResource_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_live(rq, tx, in->SecretId, &s));
	tags_drop(TAGS(&s->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	secretsmanager_secret_put(tx, s);
	return OK;
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

err secretsmanager_PutResourcePolicy(req *rq, txn *tx, const secretsmanager_PutResourcePolicy_in *in,
                                     secretsmanager_PutResourcePolicy_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_live(rq, tx, in->SecretId, &s));
	const json_value *v = json_parse(rq->mem, in->ResourcePolicy);
	if (!v || v->kind != JSON_OBJECT || !json_get(v, S("Statement")))
		return fail(rq, &secretsmanager_MalformedPolicyDocumentException,
		            "This resource policy contains invalid Json.");
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
	size_t length = in->PasswordLength.set ? (size_t)in->PasswordLength.v : 32, at = 0;
	alphabet all = { .n = 0 };
	char *password = arena_bytes(rq->mem, length + 8);
	for (size_t i = 0; i < 5; i++) {
		alphabet one = { .n = 0 };
		if (!wanted[i])
			continue;
		add(&one, kinds[i], in->ExcludeCharacters);
		add(&all, kinds[i], in->ExcludeCharacters);
		if (each && one.n && at < length)
			password[at++] = one.chars[rand_below(one.n)];
	}
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
