#include "base/text.h"
#include "base/time.h"
#include "wire/sigv4_parts.h"

#define FAULT(id, status_, code_) \
	const fault_kind sigv4_##id = { .name = #id, .code = code_, .query_code = #id, .status = status_ }

FAULT(IncompleteSignature, 400, "IncompleteSignatureException");
FAULT(AuthorizationHeaderMalformed, 400, "AuthorizationHeaderMalformed");
FAULT(AuthorizationQueryParametersError, 400, "AuthorizationQueryParametersError");
FAULT(InvalidArgument, 400, "InvalidArgument");
FAULT(InvalidRequest, 400, "InvalidRequest");
FAULT(AccessDenied, 403, "AccessDenied");
FAULT(IncompleteBody, 400, "IncompleteBody");
FAULT(SignatureDoesNotMatch, 403, "SignatureDoesNotMatch");
FAULT(BadDigest, 400, "BadDigest");
FAULT(MalformedTrailerError, 400, "MalformedTrailerError");
FAULT(InvalidChunkSizeError, 403, "InvalidChunkSizeError");

/* AWS: "must be less than a week (in seconds)". */
#define EXPIRES_MAX_S INT64_C(604800)
/* Presigned requests of services other than S3 may leave X-Amz-Expires out. */
#define EXPIRES_DEFAULT_S INT64_C(900)

bool sigv4_is_s3(str name)
{
	return str_eq(name, S("s3")) || str_eq(name, S("s3express")) ||
	       str_eq(name, S("s3-outposts")) || str_eq(name, S("s3-object-lambda"));
}

str sigv4_query_value(const wire_message *m, str name)
{
	str rest = m->query;
	while (str_is(rest)) {
		str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
		if (str_eq(key, name))
			return str_is(value) ? percent_decode(m->mem, value, false) : S("");
	}
	return STR_NONE;
}

static err malformed(const wire_message *m, const sigv4 *s, const char *what)
{
	if (sigv4_is_s3(s->service))
		return fault_new(m->mem, &sigv4_AuthorizationHeaderMalformed,
		                 "The authorization header is malformed; %s", what);
	return fault_new(m->mem, &sigv4_IncompleteSignature, "The Authorization header is malformed: %s",
	                 what);
}

static err query_error(const wire_message *m, const sigv4 *s, const char *what)
{
	return fault_new(m->mem,
	                 sigv4_is_s3(s->service) ? &sigv4_AuthorizationQueryParametersError :
						   &sigv4_IncompleteSignature,
	                 "%s", what);
}

/* AKID/20150830/us-east-1/iam/aws4_request. Whatever stands before the last four parts is the key. */
#define REGION_MAX_BYTES 64

/* Whatever somebody calls their machine, but a word: rows, timers and ARNs are named by it. */
static bool is_region(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
		      (s.p[i] >= 'A' && s.p[i] <= 'Z') || str_find_char(S("-_."), s.p[i]) != SIZE_MAX))
			return false;
	return s.n > 0 && s.n <= REGION_MAX_BYTES;
}

static bool parse_credential(str credential, sigv4 *s)
{
	str part[5];
	size_t end = credential.n;
	for (int i = 4; i >= 1; i--) {
		size_t at = end;
		while (at > 0 && credential.p[at - 1] != '/')
			at--;
		if (at == 0)
			return false;
		part[i] = str_sub(credential, at, end);
		end = at - 1;
	}
	part[0] = str_sub(credential, 0, end);
	if (part[0].n == 0 || part[1].n != 8 || !is_region(part[2]) || part[3].n == 0 ||
	    !str_eq(part[4], S("aws4_request")))
		return false;
	for (size_t i = 0; i < 8; i++)
		if (part[1].p[i] < '0' || part[1].p[i] > '9')
			return false;
	s->access_key = part[0];
	s->date = part[1];
	s->region = part[2];
	s->service = part[3];
	return true;
}

static bool is_hex64(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n == 64;
}

static bool parse_stamp(str stamp, sigv4 *s)
{
	s->stamp = stamp;
	return stamp.n == 16 && stamp.p[8] == 'T' && stamp.p[15] == 'Z' && time_parse(stamp, &s->when);
}

/* X-Amz-Date, or Date in its place. */
static err parse_date(const wire_message *m, sigv4 *s)
{
	str stamp = wire_header(m, S("x-amz-date")), date;
	if (str_is(stamp)) {
		if (!parse_stamp(str_trim(stamp), s))
			return fault_new(m->mem, &sigv4_IncompleteSignature,
			                 "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
			                 "http://en.wikipedia.org/wiki/ISO_8601",
			                 STR_ARG(stamp));
	} else {
		date = wire_header(m, S("date"));
		if (!str_is(date))
			return malformed(m, s, "Authorization header requires existence of either a "
			                       "'X-Amz-Date' or a 'Date' header.");
		if (!time_parse(str_trim(date), &s->when))
			return malformed(m, s, "the Date header is not a date.");
		s->stamp = time_basic(m->mem, s->when);
	}
	if (str_starts(s->stamp, s->date))
		return OK;
	if (sigv4_is_s3(s->service))
		return fault_new(m->mem, &sigv4_AuthorizationHeaderMalformed,
		                 "The authorization header is malformed; Invalid credential date \"%.*s\". "
		                 "This date is not the same as X-Amz-Date: \"%.8s\".",
		                 STR_ARG(s->date), s->stamp.p);
	return fault_new(m->mem, &sigv4_IncompleteSignature,
	                 "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
	                 "from HTTP: '%.*s' != '%.8s', from '%.*s'.",
	                 STR_ARG(s->date), s->stamp.p, STR_ARG(s->stamp));
}

static err parse_header(const wire_message *m, str rest, sigv4 *s)
{
	str credential = STR_NONE;
	while (str_is(rest)) {
		str value = str_trim(str_cut(&rest, ','));
		str name = str_cut(&value, '=');
		if (str_eq(name, S("Credential")))
			credential = value;
		else if (str_eq(name, S("SignedHeaders")))
			s->signed_headers = value;
		else if (str_eq(name, S("Signature")))
			s->signature = value;
		else if (name.n && !str_is(value))
			return fault_new(m->mem, &sigv4_IncompleteSignature,
			                 "'%.*s' not a valid key=value pair (missing equal-sign) in "
			                 "Authorization header.",
			                 STR_ARG(name));
	}
	bool scoped = str_is(credential) && parse_credential(credential, s);
	if (!str_is(credential))
		return malformed(m, s, "Authorization header requires 'Credential' parameter.");
	if (!scoped)
		return malformed(m, s, "the Credential is mal-formed; expecting "
		                       "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
	if (!str_is(s->signature))
		return malformed(m, s, "Authorization header requires 'Signature' parameter.");
	if (!s->signed_headers.n)
		return malformed(m, s, "Authorization header requires 'SignedHeaders' parameter.");
	s->token = wire_header(m, S("x-amz-security-token"));
	return parse_date(m, s);
}

static err parse_expires(const wire_message *m, sigv4 *s)
{
	int64_t seconds = EXPIRES_DEFAULT_S;
	str expires = sigv4_query_value(m, S("X-Amz-Expires"));
	if (!str_is(expires) && sigv4_is_s3(s->service))
		return query_error(m, s, "Query-string authentication version 4 requires the "
		                         "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
		                         "X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
	if (str_is(expires) && !str_to_i64(expires, &seconds))
		return query_error(m, s, "X-Amz-Expires should be a number");
	if (seconds < 0)
		return query_error(m, s, "X-Amz-Expires must be non-negative");
	if (seconds > EXPIRES_MAX_S)
		return query_error(m, s, "X-Amz-Expires must be less than a week (in seconds); that is, the "
		                         "given X-Amz-Expires must be less than 604800 seconds");
	s->expires_ms = s->when + seconds * MS_SECOND;
	return OK;
}

static err parse_query(const wire_message *m, sigv4 *s)
{
	str algorithm = sigv4_query_value(m, S("X-Amz-Algorithm"));
	str credential = sigv4_query_value(m, S("X-Amz-Credential"));
	bool scoped = str_is(credential) && parse_credential(credential, s);
	s->signed_headers = sigv4_query_value(m, S("X-Amz-SignedHeaders"));
	s->signature = sigv4_query_value(m, S("X-Amz-Signature"));
	s->token = sigv4_query_value(m, S("X-Amz-Security-Token"));
	str stamp = sigv4_query_value(m, S("X-Amz-Date"));
	if (!str_eq(algorithm, S("AWS4-HMAC-SHA256")))
		return query_error(m, s, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and "
		                         "AWS4-ECDSA-P256-SHA256\"");
	if (str_is(credential) && !scoped)
		return query_error(m, s, "Error parsing the X-Amz-Credential parameter; the Credential is "
		                         "mal-formed; expecting "
		                         "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
	if (!scoped || !s->signed_headers.n || !s->signature.n || !str_is(stamp))
		return query_error(m, s, "Query-string authentication version 4 requires the "
		                         "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
		                         "X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
	if (!parse_stamp(stamp, s))
		return query_error(m, s, "X-Amz-Date must be in the ISO8601 Long Format "
		                         "\"yyyyMMdd'T'HHmmss'Z'\"");
	if (!str_starts(s->stamp, s->date))
		return query_error(m, s, "Error parsing the X-Amz-Credential parameter; Invalid credential "
		                         "date. This date is not the same as X-Amz-Date.");
	return parse_expires(m, s);
}

static err parse_v2(const wire_message *m, sigv4 *s)
{
	int64_t seconds;
	s->service = S("s3");
	s->access_key = sigv4_query_value(m, S("AWSAccessKeyId"));
	s->signature = sigv4_query_value(m, S("Signature"));
	s->token = sigv4_query_value(m, S("x-amz-security-token"));
	if (!str_is(s->token))
		s->token = wire_header(m, S("x-amz-security-token"));
	str expires = sigv4_query_value(m, S("Expires"));
	if (!s->access_key.n || !s->signature.n || !str_is(expires))
		return fault_new(m->mem, &sigv4_AccessDenied,
		                 "Query-string authentication requires the Signature, Expires and "
		                 "AWSAccessKeyId parameters");
	if (!str_to_i64(expires, &seconds) || seconds < 0 || seconds > INT64_MAX / MS_SECOND)
		return fault_new(m->mem, &sigv4_InvalidArgument, "Invalid date (should be seconds since epoch): %.*s",
		                 STR_ARG(expires));
	s->expires_ms = seconds * MS_SECOND;
	return OK;
}

/* What the client says about its body, signed or not. */
static err parse_payload(const wire_message *m, sigv4 *s)
{
	str hash = wire_header(m, S("x-amz-content-sha256"));
	if (!str_is(hash) && s->form == SIG_QUERY)
		hash = sigv4_query_value(m, S("X-Amz-Content-Sha256"));
	s->payload_hash = hash = str_trim(hash);
	s->payload_unsigned = str_eq(hash, S("UNSIGNED-PAYLOAD"));
	s->payload_chunked = str_starts(hash, S("STREAMING-")) && str_find(hash, S("-PAYLOAD")) != SIZE_MAX;
	s->payload_trailer = s->payload_chunked && str_ends(hash, S("-TRAILER"));
	s->chunks_signed = s->payload_chunked && str_starts(hash, S("STREAMING-AWS4-HMAC-SHA256-"));
	if (!sigv4_is_s3(s->service) || s->form == SIG_V2_QUERY)
		return OK;
	if (!str_is(hash))
		return s->form == SIG_QUERY ? OK :
		       fault_new(m->mem, &sigv4_InvalidRequest,
		                 "Missing required header for this request: x-amz-content-sha256");
	if (s->payload_unsigned || is_hex64(hash) ||
	    str_eq(hash, S("STREAMING-UNSIGNED-PAYLOAD-TRAILER")) ||
	    str_eq(hash, S("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) ||
	    str_eq(hash, S("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")))
		return OK;
	return fault_new(m->mem, &sigv4_InvalidArgument,
	                 "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
	                 "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
	                 "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
}

/* Which way of signing the query string uses, if any. */
static sigv4_form query_form(const wire_message *m)
{
	if (m->query.n == 0)
		return SIG_NONE;
	if (str_find(m->query, S("X-Amz-")) != SIZE_MAX &&
	    (str_is(sigv4_query_value(m, S("X-Amz-Algorithm"))) ||
	     str_is(sigv4_query_value(m, S("X-Amz-Signature")))))
		return SIG_QUERY;
	/* Query protocols have a parameter AWSAccessKeyId of their own in version 2, which nobody speaks. */
	if (str_find(m->query, S("AWSAccessKeyId=")) != SIZE_MAX &&
	    str_is(sigv4_query_value(m, S("Signature"))))
		return SIG_V2_QUERY;
	return SIG_NONE;
}

err sigv4_parse(const wire_message *m, __attribute__((unused)) str host, sigv4 *out)
{
	sigv4 s = { .form = query_form(m) };
	str header = wire_header(m, S("authorization"));
	err e = OK;
	*out = (sigv4){ 0 };
	if (str_is(header)) {
		str rest = str_trim(header), scheme = str_cut(&rest, ' ');
		if (s.form != SIG_NONE)
			return fault_new(m->mem, &sigv4_InvalidArgument,
			                 "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
			                 "parameter, Signature query string parameter or the Authorization "
			                 "header should be specified");
		if (!str_eq(scheme, S("AWS4-HMAC-SHA256")))
			return fault_new(m->mem, &sigv4_IncompleteSignature,
			                 "Unsupported Authorization type: '%.*s'. Please use AWS4-HMAC-SHA256.",
			                 STR_ARG(str_sub(scheme, 0, 64)));
		s.form = SIG_HEADER;
		e = parse_header(m, rest, &s);
	} else if (s.form == SIG_QUERY) {
		e = parse_query(m, &s);
	} else if (s.form == SIG_V2_QUERY) {
		e = parse_v2(m, &s);
	}
	if (!e)
		e = parse_payload(m, &s);
	if (e) /* who is said to have signed still tells in which protocol to answer */
		out->service = s.service;
	else
		*out = s;
	return e;
}
