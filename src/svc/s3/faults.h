/*
 * S3's own refusals. The model names a dozen of its hundred codes; the rest are here, each with its status.
 * All of them may say more in the error's body: the members of `detail` that are set.
 */
#pragma once
#include "cloud/req.h"

#define S3_FAULTS(X) \
	X(AccessControlListNotSupported, 400) X(AccessDenied, 403) X(BadDigest, 400) X(BadRequest, 400) \
	X(BucketAlreadyExists, 409) X(BucketAlreadyOwnedByYou, 409) X(BucketNotEmpty, 409) \
	X(ConditionalRequestConflict, 409) X(EntityTooLarge, 400) X(EntityTooSmall, 400) \
	X(IllegalVersioningConfigurationException, 400) X(MissingSecurityHeader, 400) \
	X(UnresolvableGrantByEmailAddress, 400) X(AccessForbidden, 403) \
	X(CrossLocationLoggingProhibitted, 403) \
	X(IdMismatch, 400) X(InvalidS3DestinationBucket, 400) \
	X(IllegalLocationConstraintException, 400) X(IncompleteBody, 400) X(InternalError, 500) \
	X(InvalidArgument, 400) X(InvalidBucketName, 400) X(InvalidBucketState, 409) \
	X(InvalidBucketAclWithObjectOwnership, 400) \
	X(InvalidBucketAclWithBlockPublicAccessError, 400) \
	X(InvalidBucketOwnerAWSAccountID, 400) X(InvalidDigest, 400) \
	X(InvalidLocationConstraint, 400) X(InvalidObjectState, 403) X(InvalidPart, 400) \
	X(InvalidPartNumber, 416) X(InvalidPartOrder, 400) X(InvalidPolicyDocument, 400) \
	X(InvalidRange, 416) X(InvalidRedirectLocation, 400) X(InvalidRequest, 400) \
	X(InvalidStorageClass, 400) X(InvalidTag, 400) \
	X(InvalidTargetBucketForLogging, 400) X(InvalidURI, 400) \
	X(KeyTooLongError, 400) X(MalformedACLError, 400) X(MalformedPolicy, 400) \
	X(MalformedPOSTRequest, 400) X(MalformedXML, 400) X(MetadataTooLarge, 400) \
	X(MethodNotAllowed, 405) X(MissingContentLength, 411) X(MissingRequestBodyError, 400) \
	X(NoSuchBucket, 404) \
	X(NoSuchBucketPolicy, 404) X(NoSuchConfiguration, 404) X(NoSuchCORSConfiguration, 404) \
	X(NoSuchKey, 404) X(NoSuchLifecycleConfiguration, 404) \
	X(NoSuchObjectLockConfiguration, 404) X(NoSuchPublicAccessBlockConfiguration, 404) \
	X(NoSuchTagSet, 404) X(NoSuchUpload, 404) X(NoSuchVersion, 404) X(NoSuchWebsiteConfiguration, 404) \
	X(NotImplemented, 501) X(NotModified, 304) X(ObjectLockConfigurationNotFoundError, 404) \
	X(ObjectNotInActiveTierError, 403) X(ObjectAlreadyInActiveTierError, 403) \
	X(GlacierExpeditedRetrievalNotAvailable, 503) \
	X(OperationAborted, 409) X(OwnershipControlsNotFoundError, 404) X(PreconditionFailed, 412) \
	X(ReplicationConfigurationNotFoundError, 404) X(RequestTimeout, 400) \
	X(RestoreAlreadyInProgress, 409) X(SignatureDoesNotMatch, 403) X(InvalidAccessKeyId, 403) \
	X(SlowDown, 503) X(TooManyBuckets, 400) \
	X(UnauthorizedAccess, 403) X(UnexpectedContent, 400) X(UserKeyMustBeSpecified, 400) \
	X(XAmzContentSHA256Mismatch, 400)

#define X(id, status) extern const fault_kind fault_##id;
S3_FAULTS(X)
#undef X
/* KMS.NotFoundException and so on. */
extern const fault_kind fault_KMSNotFoundException, fault_KMSDisabledException,
	fault_KMSInvalidStateException;

/* What an error says besides its message; what is absent is not said. */
typedef struct fault_detail {
	str BucketName, Key, VersionId, UploadId, ArgumentName, ArgumentValue, Condition, Method, ResourceType,
		StorageClass, ActualObjectSize, RangeRequested, ProposedSize, MinSizeAllowed, MaxSizeAllowed,
		PartNumber, ETag, Header, MissingHeaderName, TargetBucket, additionalMessage, LocationConstraint,
		AllowedMethods, ExpectedDigest, CalculatedDigest, ContentMD5, TagKey, TagValue, ActualPartCount,
		PartNumberRequested, StorageClassRequested, TargetBucketLocation, URI,
		ClientComputedContentSHA256, S3ComputedContentSHA256;
} fault_detail;

/* fail_with(rq, &fault_NoSuchKey, DETAIL(rq, .Key = key), "..") */
#define DETAIL(rq, ...) \
	memcpy(arena_new((rq)->mem, fault_detail), &(fault_detail){ __VA_ARGS__ }, sizeof(fault_detail))

err no_such_bucket(req *rq, str bucket);
err no_such_key(req *rq, str key);
err no_such_version(req *rq, str key, str version);
err no_such_upload(req *rq, str id);
err access_denied(req *rq);
err malformed_xml(req *rq);
err invalid_argument(req *rq, const char *message, str name, str value);
err precondition_failed(req *rq, const char *condition);
