#include "faults.h"
#include "wire/shape.h"
#include <stddef.h>

static const shape text_shape = { .name = "String", .kind = SHAPE_STRING, .size = sizeof(str) };
#define MEMBER(id) \
	{ .name = #id, .wire_name = #id, .shape = &text_shape, .offset = offsetof(fault_detail, id) }
static const shape_member members[] = {
	MEMBER(BucketName), MEMBER(Key), MEMBER(VersionId), MEMBER(UploadId), MEMBER(ArgumentName),
	MEMBER(ArgumentValue), MEMBER(Condition), MEMBER(Method), MEMBER(ResourceType), MEMBER(StorageClass),
	MEMBER(ActualObjectSize), MEMBER(RangeRequested), MEMBER(ProposedSize), MEMBER(MinSizeAllowed),
	MEMBER(MaxSizeAllowed), MEMBER(PartNumber), MEMBER(ETag), MEMBER(Header), MEMBER(MissingHeaderName),
	MEMBER(TargetBucket),
	MEMBER(additionalMessage), MEMBER(LocationConstraint),
	MEMBER(AllowedMethods), MEMBER(ExpectedDigest), MEMBER(CalculatedDigest), MEMBER(TagKey),
	MEMBER(TagValue), MEMBER(ActualPartCount), MEMBER(PartNumberRequested), MEMBER(StorageClassRequested),
	MEMBER(TargetBucketLocation), MEMBER(URI), MEMBER(ClientComputedContentSHA256),
	MEMBER(S3ComputedContentSHA256),
	{ .name = "ContentMD5", .wire_name = "Content-MD5", .shape = &text_shape,
	  .offset = offsetof(fault_detail, ContentMD5) },
};
static const shape detail_shape = {
	.name = "Error", .kind = SHAPE_STRUCT, .size = sizeof(fault_detail), .members = members,
	.n_members = sizeof members / sizeof *members,
};

#define X(id, status_) \
	const fault_kind fault_##id = { .name = #id, .code = #id, .query_code = #id, .status = status_, \
		                        .server = status_ >= 500, .shape = &detail_shape };
S3_FAULTS(X)
#undef X

#define OF_KMS(id) \
	const fault_kind fault_KMS##id = { .name = "KMS." #id, .code = "KMS." #id, .query_code = "KMS." #id, \
		                           .status = 400, .shape = &detail_shape };
OF_KMS(NotFoundException)
OF_KMS(DisabledException)
const fault_kind fault_KMSInvalidStateException = {
	.name = "KMS.KMSInvalidStateException", .code = "KMS.KMSInvalidStateException",
	.query_code = "KMS.KMSInvalidStateException", .status = 400, .shape = &detail_shape };

err no_such_bucket(req *rq, str bucket)
{
	return fail_with(rq, &fault_NoSuchBucket, DETAIL(rq, .BucketName = bucket),
	                 "The specified bucket does not exist");
}

err no_such_key(req *rq, str key)
{
	return fail_with(rq, &fault_NoSuchKey, DETAIL(rq, .Key = key), "The specified key does not exist.");
}

err no_such_version(req *rq, str key, str version)
{
	return fail_with(rq, &fault_NoSuchVersion, DETAIL(rq, .Key = key, .VersionId = version),
	                 "The specified version does not exist.");
}

err no_such_upload(req *rq, str id)
{
	return fail_with(rq, &fault_NoSuchUpload, DETAIL(rq, .UploadId = id),
	                 "The specified upload does not exist. The upload ID may be invalid, or the upload may "
	                 "have been aborted or completed.");
}

err access_denied(req *rq)
{
	return fail(rq, &fault_AccessDenied, "Access Denied");
}

err malformed_xml(req *rq)
{
	return fail(rq, &fault_MalformedXML, "The XML you provided was not well-formed or did not validate "
	                                     "against our published schema");
}

err invalid_argument(req *rq, const char *message, str name, str value)
{
	return fail_with(rq, &fault_InvalidArgument, DETAIL(rq, .ArgumentName = name, .ArgumentValue = value),
	                 "%s", message);
}

err precondition_failed(req *rq, const char *condition)
{
	return fail_with(rq, &fault_PreconditionFailed, DETAIL(rq, .Condition = str_c(condition)),
	                 "At least one of the pre-conditions you specified did not hold");
}
