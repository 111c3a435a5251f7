/*
 * Signature Version 4: who signed this request? In headers, in presigned URLs, and for chunked bodies.
 * (Presigned S3 URLs of version 2 as well: boto3 still makes them for custom endpoints.)
 *
 * Verification has two halves, so that a streaming body need not be in memory: sigv4_parse after the
 * head says who claims to have signed and what the payload hash is said to be; sigv4_verify checks the
 * signature once the secret is known. The caller compares the payload hash with the bytes.
 *
 * Derived signing keys are cached per thread (access key, date, region, service).
 */
#pragma once
#include "wire/codec.h"

typedef enum sigv4_form { SIG_NONE, SIG_HEADER, SIG_QUERY, SIG_V2_QUERY } sigv4_form;

typedef struct sigv4 {
	sigv4_form form;
	str access_key, date /* 20261121 */, region, service, signed_headers, signature, token;
	str stamp;          /* 20261121T061412Z, as it stands in the string to sign */
	str payload_hash;   /* x-amz-content-sha256 as sent, or STR_NONE */
	int64_t when;       /* X-Amz-Date, milliseconds */
	int64_t expires_ms; /* presigned: when + X-Amz-Expires; 0 otherwise */
	bool payload_unsigned, payload_chunked, payload_trailer, chunks_signed;
} sigv4;

/* Kinds of the faults below: malformed signatures in general, then S3's own ways to say it, then what
 * can be wrong with an aws-chunked body. */
extern const fault_kind sigv4_IncompleteSignature, sigv4_AuthorizationHeaderMalformed,
	sigv4_AuthorizationQueryParametersError, sigv4_InvalidArgument, sigv4_InvalidRequest,
	sigv4_AccessDenied,
	sigv4_IncompleteBody, sigv4_SignatureDoesNotMatch, sigv4_BadDigest, sigv4_MalformedTrailerError,
	sigv4_InvalidChunkSizeError;

/* form SIG_NONE and OK: the request carries no signature. A malformed one is a fault whose kind says
 * which (IncompleteSignature, AuthorizationQueryParametersError ..). The payload_ flags are set for
 * unsigned requests too. Strings point into the message. */
err sigv4_parse(const wire_message *m, str host, sigv4 *out);

typedef enum sigv4_verdict {
	SIG_OK, SIG_MISMATCH, SIG_SKEWED, SIG_EXPIRED, SIG_UNSIGNED_HEADER
} sigv4_verdict;

/*
 * `now` is the client's real time, not the turned clock: 15 minutes either way are let pass.
 * `body_hash` is the hex SHA-256 of the body, used where payload_hash is not authoritative (every
 * service but S3). The message's path is the one on the wire, also for virtual-host S3. On SIG_MISMATCH
 * *string_to_sign and *canonical are what we signed, for S3's error.
 */
sigv4_verdict sigv4_verify(arena *a, const sigv4 *s, const wire_message *m, str host, str secret,
                           str body_hash, int64_t now, str *string_to_sign, str *canonical);

/* The part of sigv4_verify that needs no secret: SIG_OK, SIG_SKEWED or SIG_EXPIRED. */
sigv4_verdict sigv4_timely(const sigv4 *s, int64_t now);

/* Signs a request of ours: adds Authorization, X-Amz-Date, X-Amz-Content-Sha256 and the token. */
void sigv4_sign(wire_message *m, str host, str access_key, str secret, str token, str region,
                str signing_name, int64_t now);

/*
 * aws-chunked bodies: strips the framing, checks chunk signatures and the trailing checksum. Feed it
 * pieces of any size; `emit` receives the decoded bytes. With secret STR_NONE the signatures of chunks
 * and trailers are read and not checked.
 */
typedef struct chunked chunked;
chunked *chunked_open(arena *a, const sigv4 *s, str secret, str trailer_name,
                      void (*emit)(void *context, const char *p, size_t n), void *context);
err chunked_feed(chunked *c, const char *p, size_t n);
/* The body is over: OK when the final chunk was seen and everything agreed. `*trailer` is the checksum
 * header's value, or STR_NONE. */
err chunked_finish(chunked *c, str *trailer);
