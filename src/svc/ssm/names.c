#include "base/text.h"
#include "cloud/call.h"
#include "gen/kms.h"
#include "parameter.h"

#define ARN_MARK S(":parameter/")

parameter_ref parameter_ref_of(str given)
{
	parameter_ref ref = { .name = given, .selector = STR_NONE };
	size_t at = str_starts(given, S("arn:")) ? str_find(given, ARN_MARK) : SIZE_MAX;
	if (at != SIZE_MAX) {
		/* /a/b and a/b have ARNs of one form; only the first is a valid name. */
		str rest = str_sub(given, at + ARN_MARK.n, given.n);
		bool path = str_find_char(rest, '/') != SIZE_MAX;
		ref.name = path ? str_of(rest.p - 1, rest.n + 1) : rest;
	}
	str rest = ref.name;
	ref.name = str_cut(&rest, ':');
	ref.selector = rest;
	return ref;
}

str parameter_arn(const req *rq, str name)
{
	if (str_starts(name, PUBLIC_PREFIX)) /* nobody's account */
		return arena_fmt(rq->mem, "arn:aws:ssm:%.*s::parameter%.*s", STR_ARG(rq->region), STR_ARG(name));
	return req_arn(rq, "ssm", "parameter%s%.*s", str_starts(name, S("/")) ? "" : "/", STR_ARG(name));
}

bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '-' || c == '_' || c == '/';
}

static bool begins_nocase(str s, str prefix)
{
	return s.n >= prefix.n && str_eq_nocase(str_sub(s, 0, prefix.n), prefix);
}

err parameter_form_refused(req *rq, const char *what)
{
	return fail(
		rq, &aws_ValidationException,
		"Parameter name: can't be prefixed with \"%s\" (case-insensitive). If formed as a path, it can "
		"consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of "
		"letters, numbers and the following 3 symbols .-_",
		what);
}

err parameter_name_check(req *rq, str name)
{
	str bare = str_starts(name, S("/")) ? str_sub(name, 1, name.n) : name;
	bool path = str_find_char(name, '/') != SIZE_MAX, deep = str_find_char(bare, '/') != SIZE_MAX;
	bool theirs = begins_nocase(bare, S("aws"));
	size_t levels = 0;
	if (theirs && deep && str_starts(name, S("/")))
		return fail(rq, &aws_AccessDenied, "No access to reserved parameter name: %.*s.", STR_ARG(name));
	if (!deep && (theirs || begins_nocase(bare, S("ssm"))))
		return fail(rq, &aws_ValidationException,
		            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).");
	if (begins_nocase(bare, S("ssm")))
		return parameter_form_refused(rq, "ssm");
	if (path && !str_starts(name, S("/")))
		return fail(rq, &aws_ValidationException, "Parameter name must be a fully qualified name.");
	for (size_t i = 0; i < name.n; i++) {
		if (!name_char(name.p[i]))
			return parameter_form_refused(rq, "aws\" or \"ssm");
		if (name.p[i] == '/' && (i + 1 == name.n || name.p[i + 1] == '/'))
			return parameter_form_refused(rq, "aws\" or \"ssm");
		levels += name.p[i] == '/';
	}
	if (levels > SSM_LEVELS_MAX)
		return fail(rq, &ssm_HierarchyLevelLimitExceededException,
		            "Hierarchy level limit exceeded. The maximum hierarchy level is %d.", SSM_LEVELS_MAX);
	return OK;
}

static err version_missing(req *rq, parameter_ref ref)
{
	return fail(rq, &ssm_ParameterVersionNotFound,
	            "Systems Manager could not find version %.*s of %.*s. Verify the version and try again.",
	            STR_ARG(ref.selector), STR_ARG(ref.name));
}

/* What is asked for by a name that no parameter can have is refused, not missed. */
static err readable(req *rq, str name)
{
	bool path = str_find_char(name, '/') != SIZE_MAX;
	for (size_t i = 1; i < name.n; i++)
		if (name.p[i] == '/' && name.p[i - 1] == '/')
			return parameter_form_refused(rq, "ssm");
	return path && !str_starts(name, S("/")) ? parameter_form_refused(rq, "ssm") : OK;
}

ssm_param *parameter_at(req *rq, const txn *tx, str name)
{
	ssm_param *p = ssm_param_get(tx, rq->mem, rq->who.account, rq->region, name);
	str bare = str_starts(name, S("/")) ? str_sub(name, 1, name.n) : name;
	if (p || !bare.n || str_find_char(bare, '/') != SIZE_MAX)
		return p;
	str other = bare.n < name.n ? bare : arena_concat(rq->mem, S("/"), name);
	return ssm_param_get(tx, rq->mem, rq->who.account, rq->region, other);
}

static bool has_label(const ssm_Stored *v, str label)
{
	for (size_t i = 0; i < v->Labels.n; i++)
		if (str_eq(v->Labels.v[i], label))
			return true;
	return false;
}

err parameter_find(req *rq, const txn *tx, parameter_ref ref, const ssm_param **param,
                   const ssm_Stored **version)
{
	int64_t number;
	bool ours = str_starts(ref.name, PUBLIC_PREFIX);
	TRY(readable(rq, ref.name));
	ssm_param *p = ours ? public_get(rq, tx, ref.name) : parameter_at(rq, tx, ref.name);
	if (!p || str_find_char(ref.selector, ':') != SIZE_MAX)
		return fail(rq, &ssm_ParameterNotFound, "Parameter %.*s%s%.*s not found.", STR_ARG(ref.name),
		            str_is(ref.selector) ? ":" : "", STR_ARG(ref.selector));
	*param = p;
	*version = p->Current;
	if (!str_is(ref.selector))
		return OK;
	if (ours)
		return str_eq(ref.selector, S("1")) ? OK : version_missing(rq, ref);
	if (str_to_i64(ref.selector, &number)) {
		ssm_version *row = ssm_version_get(tx, rq->mem, p->Account, p->Region, p->Name, number);
		if (!row)
			return version_missing(rq, ref);
		*version = row->It;
		return OK;
	}
	record_scan s = ssm_version_scan(tx, rq->mem, 3, p->Account, p->Region, p->Name, 0);
	for (ssm_version *row; (row = ssm_version_next(&s));)
		if (has_label(row->It, ref.selector)) {
			*version = row->It;
			cursor_close(&s.at);
			return OK;
		}
	return version_missing(rq, ref);
}

/* AWS binds the ciphertext to the parameter by this context. */
static kms_EncryptionContextType context_of(req *rq, str name)
{
	kms_EncryptionContextType_entry *e = arena_new(rq->mem, kms_EncryptionContextType_entry);
	*e = (kms_EncryptionContextType_entry){ S("PARAMETER_ARN"), parameter_arn(rq, name) };
	return (kms_EncryptionContextType){ e, 1 };
}

err parameter_seal(req *rq, txn *tx, str name, str key_id, str plain, str *sealed)
{
	kms_Encrypt_in in = { .KeyId = key_id, .Plaintext = plain, .EncryptionContext = context_of(rq, name) };
	kms_Encrypt_out out;
	err e = call(rq, tx, "kms", "Encrypt", &in, &out);
	if (e && e->kind == &kms_NotFoundException)
		return fail(rq, &ssm_InvalidKeyId, "%.*s", STR_ARG(e->message));
	TRY(e);
	*sealed = base64_encode(rq->mem, out.CiphertextBlob);
	return OK;
}

err parameter_value(req *rq, const txn *tx, str name, const ssm_Stored *v, bool decrypt, str *value)
{
	*value = v->Value;
	if (!decrypt || !str_eq(v->Type, ssm_ParameterType_SecureString))
		return OK;
	kms_Decrypt_in in = { .EncryptionContext = context_of(rq, name) };
	kms_Decrypt_out out;
	ensure(base64_decode(rq->mem, v->Value, &in.CiphertextBlob));
	TRY(call_read(rq, tx, "kms", "Decrypt", &in, &out));
	*value = out.Plaintext;
	return OK;
}

void parameter_metered(req *rq, str name, const ssm_Stored *v)
{
	if (str_eq(v->Tier, ssm_ParameterTier_Advanced))
		meter_one(rq, &SSM_PARAMETER_API, parameter_arn(rq, name));
}
