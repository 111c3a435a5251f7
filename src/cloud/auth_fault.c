/*
 * One refusal, five spellings: JSON (400), REST (403), query (403), EC2 (401 for credentials) and S3.
 */
#include "cloud/auth.h"

typedef enum dialect { JSON, REST, QUERY, EC2, S3, DIALECTS } dialect;

/* JSON protocols read .code, XML ones .query_code. */
#define KIND(status_, code_) { .name = code_, .code = code_, .query_code = code_, .status = status_ }

static const fault_kind kinds[AUTH_REFUSALS][DIALECTS] = {
	[AUTH_MISSING] = {
		KIND(400, "MissingAuthenticationTokenException"), KIND(403, "MissingAuthenticationTokenException"),
		KIND(403, "MissingAuthenticationToken"), KIND(401, "AuthFailure"), KIND(403, "AccessDenied") },
	[AUTH_UNKNOWN_KEY] = {
		KIND(400, "UnrecognizedClientException"), KIND(403, "UnrecognizedClientException"),
		KIND(403, "InvalidClientTokenId"), KIND(401, "AuthFailure"), KIND(403, "InvalidAccessKeyId") },
	[AUTH_BAD_TOKEN] = {
		KIND(400, "UnrecognizedClientException"), KIND(403, "UnrecognizedClientException"),
		KIND(403, "InvalidClientTokenId"), KIND(401, "AuthFailure"), KIND(400, "InvalidToken") },
	[AUTH_EXPIRED_TOKEN] = {
		KIND(400, "ExpiredTokenException"), KIND(403, "ExpiredTokenException"),
		KIND(403, "ExpiredToken"), KIND(400, "RequestExpired"), KIND(400, "ExpiredToken") },
	[AUTH_BAD_SIGNATURE] = {
		KIND(400, "InvalidSignatureException"), KIND(403, "InvalidSignatureException"),
		KIND(403, "SignatureDoesNotMatch"), KIND(401, "AuthFailure"), KIND(403, "SignatureDoesNotMatch") },
	[AUTH_SKEWED] = {
		KIND(400, "InvalidSignatureException"), KIND(403, "InvalidSignatureException"),
		KIND(403, "SignatureDoesNotMatch"), KIND(400, "RequestExpired"), KIND(403, "RequestTimeTooSkewed") },
	[AUTH_URL_EXPIRED] = {
		KIND(400, "InvalidSignatureException"), KIND(403, "InvalidSignatureException"),
		KIND(403, "SignatureDoesNotMatch"), KIND(400, "RequestExpired"), KIND(403, "AccessDenied") },
	[AUTH_UNSIGNED_HEADER] = {
		KIND(400, "InvalidSignatureException"), KIND(403, "InvalidSignatureException"),
		KIND(403, "SignatureDoesNotMatch"), KIND(401, "AuthFailure"), KIND(403, "AccessDenied") },
	[AUTH_BAD_PAYLOAD] = {
		KIND(400, "InvalidSignatureException"), KIND(403, "InvalidSignatureException"),
		KIND(403, "SignatureDoesNotMatch"), KIND(401, "AuthFailure"),
		KIND(400, "XAmzContentSHA256Mismatch") },
	[AUTH_DENIED] = {
		KIND(400, "AccessDeniedException"), KIND(403, "AccessDeniedException"),
		KIND(403, "AccessDenied"), KIND(403, "UnauthorizedOperation"), KIND(403, "AccessDenied") },
};

static dialect spoken(const req *rq)
{
	const service *s = rq->op ? rq->op->service : NULL;
	if (s && (strcmp(s->name, "s3") == 0 || strcmp(s->name, "s3control") == 0))
		return S3;
	switch ((protocol)(rq->codec ? rq->codec->protocol : PROTOCOL_QUERY)) {
	case PROTOCOL_JSON:
	case PROTOCOL_CBOR:
		return JSON;
	case PROTOCOL_REST_JSON:
		return REST;
	case PROTOCOL_EC2:
		return EC2;
	default:
		return QUERY;
	}
}

const fault_kind *auth_fault_kind(const req *rq, auth_refusal why)
{
	return &kinds[why][spoken(rq)];
}

bool auth_is_denial(err e)
{
	return e && e->kind >= &kinds[AUTH_DENIED][0] && e->kind < &kinds[AUTH_DENIED][DIALECTS];
}
