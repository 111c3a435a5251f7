/* What S3 says of requests that never reach an operation, and the digests of bodies that are documents. */
#include "cloud/manners.h"
#include "base/digest.h"
#include "base/text.h"
#include "access_log.h"
#include "bucket.h"
#include "checksum.h"
#include "request_metrics.h"
#include "wire/http.h"

static const char *const subresources[] = {
	"accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering",
	"inventory", "legal-hold", "lifecycle", "location", "logging", "metadataConfiguration", "metadataTable",
	"metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
	"publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "session",
	"tagging", "torrent", "uploads", "versioning", "versions", "website",
};

static bool is_subresource(str key)
{
	for (size_t i = 0; i < sizeof subresources / sizeof *subresources; i++)
		if (str_eq(str_c(subresources[i]), key))
			return true;
	return false;
}

static bool fixes(const operation *op, str key)
{
	str uri = str_c(op->uri);
	str_cut(&uri, '?');
	while (str_is(uri)) {
		str pair = str_cut(&uri, '&');
		if (str_eq(str_cut(&pair, '='), key))
			return true;
	}
	return false;
}

/* The first subresource of the query that the operation does (or does not) speak of. */
static str subresource(const req *rq, bool own)
{
	str query = rq->http->query;
	while (str_is(query) && query.n) {
		str pair = str_cut(&query, '&'), key = str_cut(&pair, '=');
		if (is_subresource(key) && (rq->op && fixes(rq->op, key)) == own)
			return key;
	}
	return STR_NONE;
}

static err not_allowed(req *rq, str what)
{
	str path = str_sub(rq->http->path, rq->http->path.n > 0, rq->http->path.n);
	str_cut(&path, '/');
	if (!str_is(what))
		what = str_is(path) && path.n ? S("OBJECT") : rq->http->path.n > 1 ? S("BUCKET") : S("SERVICE");
	return fail_with(rq, &fault_MethodNotAllowed,
	                 DETAIL(rq, .Method = rq->http->method, .ResourceType = what),
	                 "The specified method is not allowed against this resource.");
}

static err unknown(req *rq)
{
	if (rq->op)
		return fail(rq, &fault_NotImplemented, "Farthing does not implement %s. COVERAGE.md lists what it "
		                                       "does.", rq->op->name);
	str path = str_sub(rq->http->path, 1, rq->http->path.n), sub = subresource(rq, false);
	str_cut(&path, '/');
	bool bucket = rq->http->path.n > 1 && (!str_is(path) || !path.n);
	if (bucket && str_eq(rq->http->method, S("POST")) && !str_is(sub))
		return precondition_failed(rq, "Bucket POST must be of the enclosure-type multipart/form-data");
	char *upper = arena_bytes(rq->mem, sub.n + 1);
	for (size_t i = 0; i < sub.n; i++)
		upper[i] = (char)(sub.p[i] >= 'a' && sub.p[i] <= 'z' ? sub.p[i] - 32 : sub.p[i]);
	return not_allowed(rq, str_is(sub) ? str_of(upper, sub.n) : STR_NONE);
}

static err bad_digest(req *rq, const char *name)
{
	return fail(rq, &fault_BadDigest, "The %s you specified did not match what we received.", name);
}

/* Documents come whole; what they are said to be is checked here. */
static err check_body(req *rq)
{
	const wire_message *m = rq->http;
	str said = wire_header(m, S("content-md5")), want;
	bool any = str_is(said);
	if (str_is(said)) {
		if (!base64_decode(rq->mem, said, &want) || want.n != 16)
			return fail_with(rq, &fault_InvalidDigest, DETAIL(rq, .ContentMD5 = said),
		                 "The Content-MD5 you specified was invalid.");
		if (!str_eq(hex_encode(rq->mem, want), md5_hex(rq->mem, m->body)))
			return bad_digest(rq, "Content-MD5");
	}
	for (size_t i = 0; i < m->n_headers; i++) {
		const checksum_kind *k = rq->op->checksum_required ? checksum_headed(m->headers[i].name) : NULL;
		if (!k)
			continue;
		digest *d = digest_open(rq->mem, k->digest);
		digest_add(d, m->body.p, m->body.n);
		str own = base64_encode(rq->mem, digest_finish(rq->mem, d));
		if (!str_eq(own, str_trim(m->headers[i].value)))
			return bad_digest(rq, k->name);
		any = true;
	}
	if (!any && strcmp(rq->op->name, "DeleteObjects") == 0)
		return fail(rq, &fault_InvalidRequest,
		            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
	return OK;
}

/* Signers of URLs put headers into the query. S3 takes these from there; tags, encryption and digests must be
 * headers, and are ignored in the query. */
static bool taken_from_url(str name)
{
	return str_starts(name, S("x-amz-meta-")) || str_eq(name, S("x-amz-acl")) ||
	       str_eq(name, S("x-amz-storage-class"));
}

static void take_headers(req *rq)
{
	str query = rq->http->query;
	if (!rq->exchange || str_find(query, S("X-Amz-Signature=")) == SIZE_MAX)
		return;
	while (str_is(query) && query.n) {
		str value = str_cut(&query, '&');
		str name = arena_lower(rq->mem, percent_decode(rq->mem, str_cut(&value, '='), true));
		if (taken_from_url(name) && str_is(value) && !str_is(wire_header(rq->http, name)))
			wire_header_add(&rq->exchange->in, name, percent_decode(rq->mem, value, true));
	}
}

/* Percent signs before two digits, UTF-8 when they are resolved. */
static bool well_formed(arena *mem, str path)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '%' && (i + 2 >= path.n || !path.p[i + 1] || !path.p[i + 2] ||
		                         !strchr(digits, path.p[i + 1]) || !strchr(digits, path.p[i + 2])))
			return false;
	return utf8_valid(percent_decode(mem, path, false));
}

/* Whether a key of steps ("a/../b") goes above its bucket. */
static bool climbs(str key)
{
	int64_t depth = 0;
	while (str_is(key) && depth >= 0) {
		str step = str_cut(&key, '/');
		if (step.n && !str_eq(step, S(".")))
			depth += str_eq(step, S("..")) ? -1 : 1;
	}
	return depth < 0;
}

static err check_path(req *rq)
{
	str path = rq->http->path, key = str_sub(path, path.n > 0, path.n);
	str_cut(&key, '/');
	if (well_formed(rq->mem, path) && (!str_is(key) || !climbs(percent_decode(rq->mem, key, false))))
		return OK;
	return fail_with(rq, &fault_InvalidURI, DETAIL(rq, .URI = path), "Couldn't parse the specified URI.");
}

/* Bodies that stream must say how long they are. */
static err check_length(req *rq)
{
	const wire_message *m = rq->http;
	if (!rq->op->input_streams || str_is(wire_header(m, S("content-length"))) ||
	    str_is(wire_header(m, S("x-amz-decoded-content-length"))))
		return OK;
	if (!str_is(wire_header(m, S("transfer-encoding"))))
		return fail(rq, &fault_MissingContentLength, "You must provide the Content-Length HTTP header.");
	return fail_with(rq, &fault_NotImplemented, DETAIL(rq, .Header = S("Transfer-Encoding")),
	                 "A header you provided implies functionality that is not implemented");
}

static err asked(req *rq)
{
	TRY(check_path(rq));
	str other = rq->http->query.n ? subresource(rq, false) : STR_NONE;
	if (str_is(other)) {
		str own = subresource(rq, true);
		if (!str_is(own))
			return unknown(&(req){ .mem = rq->mem, .http = rq->http });
		return invalid_argument(rq, "Conflicting query string parameters", S("ResourceType"), own);
	}
	TRY(check_length(rq));
	take_headers(rq);
	return rq->exchange && rq->exchange->sink ? OK : check_body(rq);
}

static err malformed_document(req *rq)
{
	if (!str_ends(str_c(rq->op->name), S("Acl")))
		return malformed_xml(rq);
	return fail(rq, &fault_MalformedACLError, "The XML you provided was not well-formed or did not validate "
	                                          "against our published schema");
}

static err malformed(req *rq, err why)
{
	static const struct {
		const char *key, *message;
		int64_t least, most;
	} numbers[] = {
		{ "max-keys", "Provided max-keys not an integer or within integer range", 0, INT32_MAX },
		{ "max-uploads", "Provided max-uploads not an integer or within integer range", 0, INT32_MAX },
		{ "max-parts", "Provided max-parts not an integer or within integer range", 0, INT32_MAX },
		{ "part-number-marker", "Provided part-number-marker not an integer or within integer range", 0,
		  INT32_MAX },
		{ "max-buckets", "Argument max-buckets must be an integer between 1 and 10000", 1, 10000 },
		{ "partNumber", "Part number must be an integer between 1 and 10000, inclusive", 1, 10000 },
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		str text = query_value(rq->mem, rq->http->query, str_c(numbers[i].key));
		int64_t n;
		if (str_is(text) && (!str_to_i64(text, &n) || n < numbers[i].least || n > numbers[i].most))
			return invalid_argument(rq, numbers[i].message, str_c(numbers[i].key), text);
	}
	if (str_eq(rq->http->method, S("POST")) && !rq->http->query.n)
		return not_allowed(rq, STR_NONE);
	if (!rq->http->body.n && strcmp(rq->op->name, "PutBucketPolicy") == 0)
		return fail(rq, &fault_MalformedPolicy, "Policies must be valid JSON and the first byte must be '{'");
	if (rq->op->input && rq->op->input->payload && !rq->op->input_streams)
		return rq->http->body.n ? malformed_document(rq) :
					  fail(rq, &fault_MissingRequestBodyError, "Request Body is empty");
	return fail(rq, &fault_InvalidArgument, "%.*s", STR_ARG(why->message));
}

static void finished(req *rq, int status, uint64_t sent, err why)
{
	access_entry e = { rq, status, sent, why };
	const txn *tx = store_read(rq->store);
	access_log(tx, &e);
	request_metrics(tx, &e);
	store_read_end(rq->store, tx);
}

MANNERS(s3, unknown, asked, malformed, finished);
