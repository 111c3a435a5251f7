/*
 * Secrets of Secrets Manager as parameters: /aws/reference/secretsmanager/NAME, with a version's id or stage
 * behind a colon. The caller needs the right to the secret; nothing is kept here.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "gen/secretsmanager.h"
#include "parameter.h"

/* The least that a version's id has; stages are names. */
#define VERSION_ID_LEAST 32
/* A secret of 64 KiB, escaped, and what is said of it. */
#define SOURCE_BYTES ((size_t)512 << 10)

/* Oct 14, 2021, 10:18:47 AM */
static str date_text(req *rq, int64_t ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	civil c = time_civil(ms);
	int hour = c.hour % 12;
	return arena_fmt(rq->mem, "%.3s %d, %d, %d:%02d:%02d %s", months + 3 * (c.month - 1), c.day, c.year,
	                 hour ? hour : 12, c.minute, c.second, c.hour < 12 ? "AM" : "PM");
}

static void member(buf *b, const char *name, str value)
{
	buf_put(b, str_c(b->n > 1 ? "," : ""));
	json_put_string(b, str_c(name));
	buf_put(b, S(":"));
	json_put_string(b, value);
}

static str source_of(req *rq, const secretsmanager_GetSecretValue_out *secret)
{
	buf b = buf_in(rq->mem, 512, SOURCE_BYTES);
	buf_put(&b, S("{"));
	member(&b, "ARN", secret->ARN);
	member(&b, "name", secret->Name);
	member(&b, "versionId", secret->VersionId);
	if (str_is(secret->SecretString))
		member(&b, "secretString", secret->SecretString);
	else
		member(&b, "secretBinary", base64_encode(rq->mem, secret->SecretBinary));
	buf_put(&b, S(",\"versionStages\":["));
	for (size_t i = 0; i < secret->VersionStages.n; i++) {
		buf_put(&b, str_c(i ? "," : ""));
		json_put_string(&b, secret->VersionStages.v[i]);
	}
	buf_put(&b, S("]"));
	member(&b, "createdDate", date_text(rq, secret->CreatedDate.v));
	buf_put(&b, S("}"));
	return buf_str(&b);
}

err reference_get(req *rq, const txn *tx, parameter_ref ref, bool decrypt, ssm_Parameter *out)
{
	if (!decrypt)
		return fail(rq, &aws_ValidationException,
		            "WithDecryption flag must be True for retrieving a Secret Manager secret.");
	secretsmanager_GetSecretValue_in in = { .SecretId = str_sub(ref.name, REFERENCE_PREFIX.n, ref.name.n) };
	secretsmanager_GetSecretValue_out secret;
	if (str_is(ref.selector))
		*(ref.selector.n >= VERSION_ID_LEAST ? &in.VersionId : &in.VersionStage) = ref.selector;
	err e = call_read(rq, tx, "secretsmanager", "GetSecretValue", &in, &secret);
	if (e && e->kind == &secretsmanager_ResourceNotFoundException)
		return fail(rq, &ssm_ParameterNotFound,
		            "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret %.*s not "
		            "found.", STR_ARG(ref.name));
	TRY(e);
	*out = (ssm_Parameter){
		.Name = ref.name,
		.Type = ssm_ParameterType_SecureString,
		.Value = str_is(secret.SecretString) ? secret.SecretString : secret.SecretBinary,
		.Version = I64(0),
		.Selector = str_is(ref.selector) ? arena_concat(rq->mem, S(":"), ref.selector) : STR_NONE,
		.SourceResult = source_of(rq, &secret),
		.LastModifiedDate = secret.CreatedDate,
		.ARN = secret.ARN,
	};
	return OK;
}
