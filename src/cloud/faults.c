#include "cloud/req.h"

/* JSON services and query services spell the same refusals differently; S3 has its own in cloud/auth.c. */
#define FAULT(id, status_, code_, query_) \
	const fault_kind aws_##id = { .name = #id, .code = code_, .query_code = query_, .status = status_ }

FAULT(ValidationException, 400, "ValidationException", "ValidationError");
FAULT(AccessDenied, 403, "AccessDeniedException", "AccessDenied");
FAULT(MissingAuthenticationToken, 403, "MissingAuthenticationTokenException",
      "MissingAuthenticationToken");
FAULT(UnrecognizedClient, 403, "UnrecognizedClientException", "InvalidClientTokenId");
FAULT(InvalidSignature, 403, "InvalidSignatureException", "SignatureDoesNotMatch");
FAULT(IncompleteSignature, 403, "IncompleteSignatureException", "IncompleteSignature");
FAULT(SignatureExpired, 403, "InvalidSignatureException", "SignatureDoesNotMatch");
FAULT(ExpiredToken, 403, "ExpiredTokenException", "ExpiredToken");
FAULT(UnknownOperation, 400, "UnknownOperationException", "InvalidAction");
FAULT(NotImplemented, 400, "NotImplementedException", "NotImplemented");
FAULT(Serialization, 400, "SerializationException", "MalformedInput");
FAULT(Throttling, 400, "ThrottlingException", "Throttling");
FAULT(RequestTooLarge, 413, "RequestEntityTooLargeException", "RequestEntityTooLarge");
FAULT(MissingParameter, 400, "MissingParameterException", "MissingParameter");
FAULT(InvalidParameterValue, 400, "InvalidParameterValueException", "InvalidParameterValue");

const fault_kind aws_InternalFailure = {
	.name = "InternalFailure",
	.code = "InternalFailure",
	.query_code = "InternalFailure",
	.status = 500,
	.server = true,
};
const fault_kind aws_ServiceUnavailable = {
	.name = "ServiceUnavailable",
	.code = "ServiceUnavailableException",
	.query_code = "ServiceUnavailable",
	.status = 503,
	.server = true,
};
