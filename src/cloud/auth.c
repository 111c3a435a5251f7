#include "cloud/auth.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/open_secret.h"
#include "sys/clock.h"
#include "wire/http.h"
#include <stddef.h>

static const str root_name = { "cloud.root-key", sizeof("cloud.root-key") - 1 };

static bool make_root(void *context, txn *tx)
{
	arena *mem = context;
	if (str_is(txn_get(tx, root_name)))
		return true;
	credential root = {
		.AccessKey = access_key_new(mem, "AKIA", S(DEFAULT_ACCOUNT)),
		.Secret = secret_key_new(mem),
		.Account = S(DEFAULT_ACCOUNT),
		.Arn = S("arn:aws:iam::" DEFAULT_ACCOUNT ":root"),
		.UserId = S(DEFAULT_ACCOUNT),
		.Root = true,
		.Created = clock_now(),
	};
	credential_put(tx, &root);
	txn_put(tx, root_name, root.AccessKey);
	return true;
}

err auth_start(arena *a, store *s)
{
	return store_write(s, make_root, a);
}

err auth_root_key(arena *a, store *s, str *access_key, str *secret)
{
	const txn *tx = store_read(s);
	const credential *root = credential_get(tx, a, txn_get(tx, root_name));
	store_read_end(s, tx);
	if (!root)
		return fault_new(a, &fault_system, "The data folder has no root key.");
	*access_key = root->AccessKey;
	*secret = root->Secret;
	return OK;
}

typedef struct mismatch_detail {
	str AWSAccessKeyId, StringToSign, SignatureProvided, StringToSignBytes, CanonicalRequest,
		CanonicalRequestBytes, XAmzExpires, Expires, RequestTime, ServerTime, MaxAllowedSkewMilliseconds,
		ClientComputedContentSHA256, S3ComputedContentSHA256, ArgumentName, ArgumentValue;
} mismatch_detail;

static const shape text_shape = { .name = "String", .kind = SHAPE_STRING, .size = sizeof(str) };
#define MEMBER(id) \
	{ .name = #id, .wire_name = #id, .shape = &text_shape, .offset = offsetof(mismatch_detail, id) }
static const shape_member mismatch_members[] = {
	MEMBER(AWSAccessKeyId), MEMBER(StringToSign), MEMBER(SignatureProvided), MEMBER(StringToSignBytes),
	MEMBER(CanonicalRequest), MEMBER(CanonicalRequestBytes),
	{ .name = "XAmzExpires", .wire_name = "X-Amz-Expires", .shape = &text_shape,
	  .offset = offsetof(mismatch_detail, XAmzExpires) },
	MEMBER(Expires), MEMBER(RequestTime), MEMBER(ServerTime), MEMBER(MaxAllowedSkewMilliseconds),
	MEMBER(ClientComputedContentSHA256), MEMBER(S3ComputedContentSHA256), MEMBER(ArgumentName),
	MEMBER(ArgumentValue),
};
static const shape mismatch_shape = {
	.name = "SignatureDoesNotMatch", .kind = SHAPE_STRUCT, .size = sizeof(mismatch_detail),
	.members = mismatch_members, .n_members = sizeof mismatch_members / sizeof *mismatch_members,
};
#define S3_KIND(id, code_, status_) \
	static const fault_kind s3_##id = { .name = code_, .code = code_, .query_code = code_, \
		                            .status = status_, .shape = &mismatch_shape }
S3_KIND(mismatch, "SignatureDoesNotMatch", 403);
S3_KIND(expired, "AccessDenied", 403);
S3_KIND(skewed, "RequestTimeTooSkewed", 403);
S3_KIND(unknown_key, "InvalidAccessKeyId", 403);
S3_KIND(bad_payload, "XAmzContentSHA256Mismatch", 400);
S3_KIND(argument, "InvalidArgument", 400);

#define S3_DETAIL(rq, ...) \
	memcpy(arena_new((rq)->mem, mismatch_detail), &(mismatch_detail){ __VA_ARGS__ }, sizeof(mismatch_detail))

static bool is_s3(const req *rq)
{
	return rq->op && strcmp(rq->op->service->name, "s3") == 0;
}

static str spaced_hex(arena *mem, str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *p = arena_bytes(mem, bytes.n * 3 + 1);
	for (size_t i = 0; i < bytes.n; i++) {
		p[3 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		p[3 * i + 1] = digits[(unsigned char)bytes.p[i] & 15];
		p[3 * i + 2] = ' ';
	}
	return str_of(p, bytes.n ? bytes.n * 3 - 1 : 0);
}

/* S3 shows what it signed, so that the client's author can compare. */
static err bad_signature(req *rq, const sigv4 *sig, str to_sign, str canonical)
{
	if (!is_s3(rq))
		return fail(rq, auth_fault_kind(rq, AUTH_BAD_SIGNATURE),
		            "The request signature we calculated does not match the signature you provided. "
		            "Check your AWS Secret Access Key and signing method. Consult the service "
		            "documentation for details.");
	bool shown = str_is(canonical);
	return fail_with(rq, &s3_mismatch,
	                 S3_DETAIL(rq, .AWSAccessKeyId = sig->access_key, .StringToSign = to_sign,
	                           .SignatureProvided = sig->signature,
	                           .StringToSignBytes = spaced_hex(rq->mem, to_sign),
	                           .CanonicalRequest = canonical,
	                           .CanonicalRequestBytes = shown ? spaced_hex(rq->mem, canonical) : STR_NONE),
	                 "The request signature we calculated does not match the signature you provided. "
	                 "Check your key and signing method.");
}

static err skewed(req *rq, const sigv4 *sig, int64_t now)
{
	const fault_kind *kind = auth_fault_kind(rq, AUTH_SKEWED);
	if (is_s3(rq))
		return fail_with(rq, &s3_skewed,
		                 S3_DETAIL(rq, .RequestTime = sig->stamp,
		                           .ServerTime = time_iso(rq->mem, now / MS_SECOND * MS_SECOND),
		                           .MaxAllowedSkewMilliseconds = S("900000")),
		                 "The difference between the request time and the current time is too large.");
	str clock = time_basic(rq->mem, now);
	bool late = sig->when < now;
	str limit = time_basic(rq->mem, now + (late ? -15 : 15) * MS_MINUTE);
	return late ? fail(rq, kind, "Signature expired: %.*s is now earlier than %.*s (%.*s - 15 min.)",
	                   STR_ARG(sig->stamp), STR_ARG(limit), STR_ARG(clock)) :
		      fail(rq, kind, "Signature not yet current: %.*s is still later than %.*s (%.*s + 15 min.)",
	                   STR_ARG(sig->stamp), STR_ARG(limit), STR_ARG(clock));
}

/* Seconds are told where the URL told them: in version 4. */
static err url_expired(req *rq, const sigv4 *sig, int64_t now)
{
	mismatch_detail *d = S3_DETAIL(rq, .Expires = time_iso(rq->mem, sig->expires_ms),
	                               .ServerTime = time_iso(rq->mem, now / MS_SECOND * MS_SECOND));
	if (str_is(sig->stamp) && sig->when)
		d->XAmzExpires = arena_fmt(rq->mem, "%lld", (long long)((sig->expires_ms - sig->when) / MS_SECOND));
	return fail_with(rq, &s3_expired, d, "Request has expired");
}

static err refused(req *rq, const sigv4 *sig, sigv4_verdict verdict, int64_t now)
{
	switch (verdict) {
	case SIG_OK:
		return OK;
	case SIG_SKEWED:
		return skewed(rq, sig, now);
	case SIG_EXPIRED:
		if (is_s3(rq))
			return url_expired(rq, sig, now);
		return fail(rq, auth_fault_kind(rq, AUTH_URL_EXPIRED),
		            "Signature expired: %.*s is now earlier than %.*s", STR_ARG(sig->stamp),
		            STR_ARG(time_basic(rq->mem, now)));
	case SIG_UNSIGNED_HEADER:
		if (is_s3(rq))
			return fail(rq, auth_fault_kind(rq, AUTH_UNSIGNED_HEADER),
			            "There were headers present in the request which were not signed");
		return fail(rq, auth_fault_kind(rq, AUTH_UNSIGNED_HEADER),
		            "'Host' or ':authority' and every X-Amz- header must be a 'SignedHeader' in the AWS "
		            "Authorization.");
	default:
		return bad_signature(rq, sig, STR_NONE, STR_NONE);
	}
}

static err unknown_key(req *rq, const sigv4 *sig)
{
	if (is_s3(rq))
		return fail_with(rq, &s3_unknown_key, S3_DETAIL(rq, .AWSAccessKeyId = sig->access_key),
		                 "The AWS Access Key Id you provided does not exist in our records.");
	return fail(rq, auth_fault_kind(rq, AUTH_UNKNOWN_KEY),
	            "The security token included in the request is invalid.");
}

/* "AWS KEY:SIGNATURE" is the older version, which regions since 2014 do not know. */
static err other_scheme(req *rq, str header)
{
	str rest = header, scheme = str_cut(&rest, ' ');
	bool older = str_eq(scheme, S("AWS"));
	if (older && str_is(rest) && str_find_char(rest, ':') != SIZE_MAX)
		return fail(rq, &sigv4_InvalidRequest, "The authorization mechanism you have provided is not "
		                                       "supported. Please use AWS4-HMAC-SHA256.");
	return fail_with(rq, &s3_argument,
	                 S3_DETAIL(rq, .ArgumentName = S("Authorization"), .ArgumentValue = header), "%s",
	                 older ? "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature" :
	                         "Unsupported Authorization Type");
}

err auth_malformed(req *rq, err why)
{
	str given = wire_header(rq->http, S("authorization"));
	str header = str_trim(given), prefix = S("AWS4-HMAC-SHA256");
	if (!is_s3(rq) || why->kind != &sigv4_IncompleteSignature)
		return why;
	/* In the query, without a credential that names the service. */
	if (!str_is(given))
		return fail(rq, &sigv4_AuthorizationQueryParametersError, "%.*s", STR_ARG(why->message));
	if (!header.n)
		return fail(rq, &sigv4_AccessDenied, "Access Denied");
	if (!str_starts(header, prefix) || (header.n > prefix.n && header.p[prefix.n] != ' '))
		return other_scheme(rq, header);
	if (str_starts(why->message, S("Date must be")))
		return fail(rq, &sigv4_AccessDenied, "AWS authentication requires a valid Date or x-amz-date header");
	size_t at = str_find(why->message, S(": "));
	return fail(rq, &sigv4_AuthorizationHeaderMalformed, "The authorization header is malformed; %.*s",
	            STR_ARG(at == SIZE_MAX ? why->message : str_sub(why->message, at + 2, why->message.n)));
}

static void become_root(req *rq, str account)
{
	rq->who = (caller){
		.account = account,
		.arn = arena_fmt(rq->mem, "arn:aws:iam::%.*s:root", STR_ARG(account)),
		.user_id = account,
		.root = true,
	};
}

static err unsigned_caller(req *rq, bool strict)
{
	if (is_s3(rq) || (rq->op && rq->op->no_auth)) {
		rq->who = (caller){ .account = S(DEFAULT_ACCOUNT), .arn = S("anonymous"),
			            .user_id = S("anonymous"), .anonymous = true };
		return OK;
	}
	if (strict)
		return fail(rq, auth_fault_kind(rq, AUTH_MISSING), "Request is missing Authentication Token");
	become_root(rq, S(DEFAULT_ACCOUNT));
	return OK;
}

static bool is_account(str key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < '0' || key.p[i] > '9')
			return false;
	return key.n == 12;
}

/* What was signed is what was on the wire; the message's path may have been rewritten since (S3). */
static wire_message as_sent(const req *rq)
{
	wire_message m = *rq->http;
	if (rq->exchange) {
		str target = rq->exchange->target;
		m.path = str_cut(&target, '?');
	}
	m.mem = rq->mem;
	return m;
}

/* Most requests that carry no operation in their body carry nothing. */
static str hash_of(arena *mem, str body)
{
	static const str of_nothing = { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 64 };
	return body.n ? sha256_hex(mem, body) : of_nothing;
}

/* The payload hash for services that hash the body themselves. */
static str body_hash(const req *rq, const sigv4 *sig)
{
	if (sig->payload_unsigned && rq->op && rq->op->unsigned_payload)
		return sig->payload_hash;
	return is_s3(rq) ? STR_NONE : hash_of(rq->mem, rq->http->body);
}

/* A key that nobody issued: its secret is not known, unless convention says it. */
static err check_open(req *rq, const sigv4 *sig, int64_t now)
{
	str to_sign, canonical, secret = STR_NONE;
	bool learn = sig->form == SIG_HEADER && open_secret_wanted(sig->access_key);
	if (sig->form != SIG_HEADER)
		secret = open_secret(rq->mem, sig->access_key);
	if (!learn && !str_is(secret))
		return OK;
	wire_message sent = as_sent(rq);
	if (learn) {
		open_secret_learn(rq->mem, sig, &sent, rq->host, body_hash(rq, sig));
		return OK;
	}
	sigv4_verdict verdict = sigv4_verify(rq->mem, sig, &sent, rq->host, secret, body_hash(rq, sig), now,
	                                     &to_sign, &canonical);
	if (verdict == SIG_MISMATCH)
		return bad_signature(rq, sig, to_sign, canonical);
	return refused(rq, sig, verdict, now);
}

static err stranger(req *rq, const sigv4 *sig, bool strict)
{
	int64_t now = clock_real();
	if (strict)
		return unknown_key(rq, sig);
	TRY(refused(rq, sig, sigv4_timely(sig, now), now));
	TRY(check_open(rq, sig, now));
	become_root(rq, is_account(sig->access_key) ? sig->access_key : S(DEFAULT_ACCOUNT));
	rq->who.access_key = sig->access_key;
	return OK;
}

static err check_payload(req *rq, const sigv4 *sig)
{
	bool held = !rq->exchange || !rq->exchange->sink;
	if (!is_s3(rq) || !held || sig->payload_hash.n != 64)
		return OK;
	str own = hash_of(rq->mem, rq->http->body);
	if (str_eq(own, sig->payload_hash))
		return OK;
	return fail_with(rq, &s3_bad_payload,
	                 S3_DETAIL(rq, .ClientComputedContentSHA256 = sig->payload_hash,
	                           .S3ComputedContentSHA256 = own),
	                 "The provided 'x-amz-content-sha256' header does not match what was computed.");
}

static err check_token(req *rq, const sigv4 *sig, const credential *c)
{
	bool session = str_is(c->Token);
	if (session ? !secret_eq(c->Token, sig->token) : sig->token.n != 0)
		return fail(rq, auth_fault_kind(rq, AUTH_BAD_TOKEN), "%s",
		            is_s3(rq) ? "The provided token is malformed or otherwise invalid." :
		                        "The security token included in the request is invalid.");
	if (session && c->Expires <= rq->now)
		return fail(rq, auth_fault_kind(rq, AUTH_EXPIRED_TOKEN), "%s",
		            is_s3(rq) ? "The provided token has expired." :
		                        "The security token included in the request is expired");
	return OK;
}

/* A signature is good for one service: S3's does not cover the body, others' do. */
static err check_service(req *rq, const sigv4 *sig)
{
	if (!rq->op || str_eq(sig->service, str_c(rq->op->service->signing_name)))
		return OK;
	return fail(rq, auth_fault_kind(rq, AUTH_BAD_SIGNATURE),
	            "Credential should be scoped to correct service: '%s'.", rq->op->service->signing_name);
}

static err known(req *rq, const sigv4 *sig, const credential *c)
{
	str to_sign, canonical;
	int64_t now = clock_real();
	if (c->Inactive)
		return unknown_key(rq, sig);
	TRY(check_token(rq, sig, c));
	TRY(check_service(rq, sig));
	wire_message sent = as_sent(rq);
	sigv4_verdict verdict = sigv4_verify(rq->mem, sig, &sent, rq->host, c->Secret, body_hash(rq, sig), now,
	                                     &to_sign, &canonical);
	if (verdict == SIG_MISMATCH)
		return bad_signature(rq, sig, to_sign, canonical);
	TRY(refused(rq, sig, verdict, now));
	TRY(check_payload(rq, sig));
	rq->who = (caller){ .account = c->Account, .arn = c->Arn, .user_id = c->UserId,
		            .access_key = c->AccessKey, .root = c->Root, .key = c };
	return OK;
}

err auth_caller(req *rq, const sigv4 *sig, bool strict)
{
	if (sig->form == SIG_NONE)
		return unsigned_caller(rq, strict);
	const txn *tx = store_read(rq->store);
	const credential *c = credential_get(tx, rq->mem, sig->access_key);
	err e = c ? known(rq, sig, c) : stranger(rq, sig, strict);
	if (c && !e)
		credential_used(rq->store, tx, rq->mem, c, rq->now,
		                rq->op ? str_c(rq->op->service->signing_name) : sig->service, rq->region);
	store_read_end(rq->store, tx);
	return e;
}

chunked *auth_chunked(req *rq, const sigv4 *sig, void (*emit)(void *context, const char *p, size_t n),
                      void *context)
{
	str secret = STR_NONE, trailer = wire_header(rq->http, S("x-amz-trailer"));
	if (sig->form != SIG_NONE && sig->chunks_signed) {
		const txn *tx = store_read(rq->store);
		const credential *c = credential_get(tx, rq->mem, sig->access_key);
		secret = c ? c->Secret : STR_NONE;
		store_read_end(rq->store, tx);
	}
	return chunked_open(rq->mem, sig, secret, trailer, emit, context);
}
