/*
 * Uploads by an HTML form: POST of multipart/form-data to a bucket, with a signed policy that says what the
 * form may hold. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "browser.h"
#include "bucket.h"
#include "base/xml.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "cloud/credential.h"
#include "cloud/identify.h"
#include "cloud/open_secret.h"
#include "cloud/plane.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "wire/rest.h"

#define FIELDS_MAX 100

typedef struct field { str name, value; } field;

typedef struct form {
	http_exchange *x;
	req *rq;
	str bucket;
	field fields[FIELDS_MAX];
	size_t n;
	str file, file_name, file_type;
	bool has_file;
} form;

static str field_of(const form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq_nocase(f->fields[i].name, str_c(name)))
			return f->fields[i].value;
	return STR_NONE;
}

static bool form_match(const http_exchange *x)
{
	bool only;
	return str_eq(x->in.method, S("POST")) && browser_bucket(x, &only).n && only &&
	       str_starts(wire_header(&x->in, S("content-type")), S("multipart/form-data")) &&
	       !str_is(wire_header(&x->in, S("authorization")));
}

/* name="value" in a header. */
static str parameter(str header, str name)
{
	for (str rest = header; str_is(rest);) {
		str value = str_trim(str_cut(&rest, ';'));
		if (!str_eq_nocase(str_trim(str_cut(&value, '=')), name) || !str_is(value))
			continue;
		return value.n >= 2 && value.p[0] == '"' ? str_sub(value, 1, value.n - 1) : value;
	}
	return STR_NONE;
}

static str header_line(str head, str name)
{
	while (str_is(head)) {
		str line = str_cut(&head, '\n'), value = line;
		if (str_eq_nocase(str_trim(str_cut(&value, ':')), name) && str_is(value))
			return str_trim(value);
	}
	return STR_NONE;
}

static err read_part(form *f, str part)
{
	size_t at = str_find(part, S("\r\n\r\n"));
	if (at == SIZE_MAX || part.n < at + 6)
		return fail(f->rq, &fault_MalformedPOSTRequest,
		            "The body of your POST request is not well-formed multipart/form-data.");
	str head = str_sub(part, 0, at), value = str_sub(part, at + 4, part.n - 2);
	str said = header_line(head, S("content-disposition")), name = parameter(said, S("name"));
	if (str_eq_nocase(name, S("file"))) {
		f->file = value;
		f->file_name = parameter(said, S("filename"));
		f->file_type = header_line(head, S("content-type"));
		f->has_file = true;
		return OK;
	}
	if (f->n == FIELDS_MAX)
		return fail(f->rq, &fault_MalformedPOSTRequest, "The form has too many fields.");
	f->fields[f->n++] = (field){ name, value };
	return OK;
}

/* What follows the file is not looked at. */
static err read_form(form *f)
{
	str boundary = parameter(wire_header(&f->x->in, S("content-type")), S("boundary"));
	str mark = arena_concat(f->x->mem, S("--"), boundary), rest = f->x->in.body;
	size_t at = str_is(boundary) ? str_find(rest, mark) : SIZE_MAX;
	while (at != SIZE_MAX && !f->has_file) {
		rest = str_sub(rest, at + mark.n, rest.n);
		if (str_starts(rest, S("--")))
			break;
		at = str_find(rest, mark);
		if (at == SIZE_MAX)
			return fail(f->rq, &fault_MalformedPOSTRequest,
			            "The body of your POST request is not well-formed multipart/form-data.");
		TRY(read_part(f, str_sub(rest, 2, at)));
	}
	if (!f->has_file)
		return invalid_argument(f->rq, "POST requires exactly one file upload per request.", S("file"),
		                        S("0"));
	return OK;
}

static err denied(form *f, const char *why, str what)
{
	return fail(f->rq, &fault_AccessDenied, "Invalid according to Policy: %s%.*s", why, STR_ARG(what));
}

static str actual(const form *f, str name)
{
	char c[256];
	if (str_eq_nocase(name, S("bucket")))
		return f->bucket;
	if (name.n >= sizeof c)
		return STR_NONE;
	memcpy(c, name.p, name.n);
	c[name.n] = 0;
	return field_of(f, c);
}

/* The field that a condition names: $key, or \$key with the dollar escaped. */
static str named(str text)
{
	text = str_sub(text, str_starts(text, S("\\")), text.n);
	return str_sub(text, str_starts(text, S("$")), text.n);
}

static err one_condition(form *f, const json_value *c)
{
	if (c->kind == JSON_OBJECT) {
		if (!c->first || c->first->next)
			return fail(f->rq, &fault_InvalidPolicyDocument,
			            "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one "
			            "property specified.");
		for (const json_value *m = c->first; m; m = m->next)
			if (!str_eq(actual(f, m->key), m->text))
				return denied(f, "Policy Condition failed: ",
				              arena_fmt(f->x->mem, "[\"eq\", \"$%.*s\", \"%.*s\"]", STR_ARG(m->key),
				                        STR_ARG(m->text)));
		return OK;
	}
	const json_value *a = c->first, *b = a ? a->next : NULL, *v = b ? b->next : NULL;
	if (c->kind != JSON_ARRAY || !v)
		return fail(f->rq, &fault_InvalidPolicyDocument, "Invalid Policy: Invalid condition.");
	if (str_eq_nocase(a->text, S("content-length-range"))) {
		int64_t least = 0, most = 0;
		if (!str_to_i64(b->text, &least) || !str_to_i64(v->text, &most))
			return fail(f->rq, &fault_InvalidPolicyDocument, "Invalid Policy: Invalid range.");
		if ((int64_t)f->file.n < least)
			return fail(f->rq, &fault_EntityTooSmall,
			            "Your proposed upload is smaller than the minimum allowed size");
		if ((int64_t)f->file.n > most)
			return fail(f->rq, &fault_EntityTooLarge,
			            "Your proposed upload exceeds the maximum allowed size");
		return OK;
	}
	str name = named(b->text);
	str value = actual(f, name);
	bool holds = str_eq_nocase(a->text, S("starts-with")) ? str_starts(value, v->text) :
								str_eq(value, v->text);
	if (holds)
		return OK;
	return denied(f, "Policy Condition failed: ",
	              arena_fmt(f->x->mem, "[\"%.*s\", \"$%.*s\", \"%.*s\"]", STR_ARG(a->text), STR_ARG(name),
	                        STR_ARG(v->text)));
}

/* Every field but a few must be spoken of. */
static bool covered(const json_value *conditions, str name)
{
	static const char *const free_fields[] = { "x-amz-signature", "file", "policy", "signature",
		                                   "awsaccesskeyid" };
	if (str_eq_nocase(str_sub(name, 0, 9), S("x-ignore-")))
		return true;
	for (size_t i = 0; i < sizeof free_fields / sizeof *free_fields; i++)
		if (str_eq_nocase(name, str_c(free_fields[i])))
			return true;
	for (const json_value *c = conditions->first; c; c = c->next) {
		if (c->kind == JSON_OBJECT) {
			for (const json_value *m = c->first; m; m = m->next)
				if (str_eq_nocase(m->key, name))
					return true;
		} else if (c->first && c->first->next) {
			if (str_eq_nocase(named(c->first->next->text), name))
				return true;
		}
	}
	return false;
}

static err check_policy(form *f, str policy)
{
	str text;
	const json_value *p = base64_decode(f->x->mem, policy, &text) ? json_parse(f->x->mem, text) : NULL;
	const json_value *until = json_get(p, S("expiration")), *conditions = json_get(p, S("conditions"));
	int64_t at = 0;
	if (!p || p->kind != JSON_OBJECT)
		return fail(f->rq, &fault_InvalidPolicyDocument, "Invalid Policy: Invalid JSON.");
	if (!until)
		return fail(f->rq, &fault_InvalidPolicyDocument, "Invalid Policy: Policy missing expiration.");
	if (!time_parse(until->text, &at))
		return fail(f->rq, &fault_InvalidPolicyDocument, "Invalid Policy: Invalid 'expiration' value: '%.*s'",
		            STR_ARG(until->text));
	if (!conditions || conditions->kind != JSON_ARRAY)
		return fail(f->rq, &fault_InvalidPolicyDocument, "Invalid Policy: Policy missing conditions.");
	if (at < clock_real())
		return denied(f, "Policy expired.", S(""));
	for (const json_value *c = conditions->first; c; c = c->next)
		TRY(one_condition(f, c));
	for (size_t i = 0; i < f->n; i++)
		if (!covered(conditions, f->fields[i].name))
			return denied(f, "Extra input fields: ", f->fields[i].name);
	return covered(conditions, S("bucket")) ? OK : denied(f, "Extra input fields: ", S("bucket"));
}

static void sign4(str secret, str scope, str policy, unsigned char out[32])
{
	char first[256];
	size_t n = secret.n < sizeof first - 4 ? secret.n : sizeof first - 4;
	memcpy(first, "AWS4", 4);
	memcpy(first + 4, secret.p, n);
	unsigned char key[32];
	str by = str_of(first, n + 4);
	while (str_is(scope)) {
		unsigned char next[32];
		hmac_sha256(by, str_cut(&scope, '/'), next);
		memcpy(key, next, 32);
		by = str_of((const char *)key, 32);
	}
	hmac_sha256(by, policy, out);
}

static bool signature_fits(form *f, str secret, str policy, str scope)
{
	unsigned char raw[32];
	str signature = field_of(f, "x-amz-signature");
	if (str_is(signature)) {
		sign4(secret, scope, policy, raw);
		return secret_eq(hex_encode(f->x->mem, str_of((const char *)raw, 32)), signature);
	}
	hmac_sha1(secret, policy, raw);
	return secret_eq(base64_encode(f->x->mem, str_of((const char *)raw, 20)), field_of(f, "signature"));
}

/* A policy comes with all that a signature of its version needs. */
static err missing_field(form *f, const char *name)
{
	return fail_with(f->rq, &fault_InvalidArgument,
	                 DETAIL(f->rq, .ArgumentName = str_c(name), .ArgumentValue = S("")),
	                 "Bucket POST must contain a field named '%s'.  If it is specified, please check the "
	                 "order of the fields.", name);
}

static err check_fields(form *f)
{
	static const char *const v4[] = { "X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential",
		                          "X-Amz-Date" };
	static const char *const v2[] = { "Signature", "AWSAccessKeyId" };
	bool is_v4 = false, is_v2 = false;
	for (size_t i = 0; i < 4; i++)
		is_v4 |= str_is(field_of(f, v4[i]));
	for (size_t i = 0; i < 2; i++)
		is_v2 |= str_is(field_of(f, v2[i]));
	if (!is_v4 && !is_v2)
		return access_denied(f->rq);
	for (size_t i = 0; i < (is_v2 ? 2 : 4); i++) {
		const char *name = is_v2 ? v2[i] : v4[i];
		if (!str_is(field_of(f, name)))
			return missing_field(f, name);
	}
	return OK;
}

/* Who signed the policy. Without one the form is anonymous. */
static err check_signer(form *f, const txn *tx)
{
	req *rq = f->rq;
	str policy = field_of(f, "policy"), scope = field_of(f, "x-amz-credential");
	str key = str_is(scope) ? str_cut(&scope, '/') : field_of(f, "AWSAccessKeyId");
	rq->who = (caller){ .account = S(DEFAULT_ACCOUNT), .arn = S("anonymous"), .user_id = S("anonymous"),
		            .anonymous = true };
	if (!str_is(policy))
		return OK;
	TRY(check_fields(f));
	const credential *c = credential_get(tx, f->x->mem, key);
	str secret = c ? c->Secret : open_secret(f->x->mem, key);
	if ((c && c->Inactive) || (str_is(secret) && !signature_fits(f, secret, policy, scope)))
		return fail(rq, &fault_SignatureDoesNotMatch,
		            "The request signature we calculated does not match the signature you provided. Check "
		            "your key and signing method.");
	if (!c && server_is_strict())
		return fail(rq, &fault_InvalidAccessKeyId,
		            "The AWS Access Key Id you provided does not exist in our records.");
	TRY(check_policy(f, policy));
	bool digits = key.n == 12;
	for (size_t i = 0; i < key.n; i++)
		digits &= key.p[i] >= '0' && key.p[i] <= '9';
	str account = c ? c->Account : digits ? key : S(DEFAULT_ACCOUNT);
	rq->who = (caller){ .account = account, .access_key = key, .root = !c || c->Root, .key = c,
		            .arn = c ? c->Arn : arena_fmt(f->x->mem, "arn:aws:iam::%.*s:root", STR_ARG(account)),
		            .user_id = c ? c->UserId : account };
	return OK;
}

static void put_tag(buf *out, arena *mem, str key, str value)
{
	buf_fmt(out, "%s%.*s=%.*s", out->n ? "&" : "", STR_ARG(percent_encode(mem, key, false)),
	        STR_ARG(percent_encode(mem, value, false)));
}

/* The field `tagging` is a Tagging document; PutObject takes its tags as a query string. */
static err tags_of(form *f, str *out)
{
	str text = field_of(f, "tagging"), key = STR_NONE, value = S("");
	*out = STR_NONE;
	if (!str_is(text))
		return OK;
	buf b = buf_in(f->x->mem, text.n + 16, 3 * text.n + 64);
	bool tag = false;
	xml x = xml_of(f->x->mem, text);
	for (xml_kind k = xml_next(&x); k != XML_END; k = xml_next(&x)) {
		if (k == XML_ERROR)
			return malformed_xml(f->rq);
		if (k == XML_OPEN && str_eq(x.name, S("Tag"))) {
			tag = true;
			key = STR_NONE;
			value = S("");
		} else if (k == XML_OPEN && tag) {
			bool is_key = str_eq(x.name, S("Key"));
			if (!xml_content(&x, is_key ? &key : &value))
				return malformed_xml(f->rq);
		} else if (k == XML_CLOSE && str_eq(x.name, S("Tag"))) {
			if (str_is(key))
				put_tag(&b, f->x->mem, key, value);
			tag = false;
		}
	}
	if (b.n)
		*out = buf_str(&b);
	return OK;
}

static str key_of(form *f)
{
	str key = field_of(f, "key"), name = S("${filename}");
	size_t at = str_find(key, name);
	if (at == SIZE_MAX)
		return key;
	return arena_fmt(f->x->mem, "%.*s%.*s%.*s", (int)at, key.p, STR_ARG(f->file_name),
	                 STR_ARG(str_sub(key, at + name.n, key.n)));
}

static err upload_form(form *f, str key, s3_PutObject_out *out)
{
	s3_PutObject_in in = {
		.Bucket = f->bucket, .Key = key, .Body = f->file, .ACL = field_of(f, "acl"),
		.ContentType = field_of(f, "Content-Type"), .CacheControl = field_of(f, "Cache-Control"),
		.ContentDisposition = field_of(f, "Content-Disposition"),
		.ContentEncoding = field_of(f, "Content-Encoding"), .Expires = field_of(f, "Expires"),
		.StorageClass = field_of(f, "x-amz-storage-class"),
		.WebsiteRedirectLocation = field_of(f, "x-amz-website-redirect-location"),
		.ServerSideEncryption = field_of(f, "x-amz-server-side-encryption"),
		.SSEKMSKeyId = field_of(f, "x-amz-server-side-encryption-aws-kms-key-id"),
		.SSECustomerAlgorithm = field_of(f, "x-amz-server-side-encryption-customer-algorithm"),
		.SSECustomerKey = field_of(f, "x-amz-server-side-encryption-customer-key"),
		.SSECustomerKeyMD5 = field_of(f, "x-amz-server-side-encryption-customer-key-MD5"),
		.ContentLanguage = field_of(f, "Content-Language"),
	};
	TRY(tags_of(f, &in.Tagging));
	in.Metadata.v = arena_array(f->x->mem, s3_Metadata_entry, f->n + 1);
	for (size_t i = 0; i < f->n; i++) {
		str name = arena_lower(f->x->mem, f->fields[i].name);
		if (str_starts(name, S("x-amz-meta-")))
			in.Metadata.v[in.Metadata.n++] =
				(s3_Metadata_entry){ str_sub(name, 11, name.n), f->fields[i].value };
	}
	return call(f->rq, NULL, "s3", "PutObject", &in, out);
}

static void answer(form *f, str key, const s3_PutObject_out *out, wire_message *m)
{
	arena *mem = f->x->mem;
	str go = field_of(f, "success_action_redirect"), said = field_of(f, "success_action_status");
	str shown = percent_encode(mem, key, true);
	str location = arena_fmt(mem, "http://%.*s/%.*s", STR_ARG(f->x->host),
	                         STR_ARG(f->x->in.path.n > 1 ?
						 arena_fmt(mem, "%.*s/%.*s", STR_ARG(f->bucket), STR_ARG(shown)) :
						 shown));
	wire_header_add(m, S("ETag"), out->ETag);
	wire_header_add(m, S("x-amz-request-id"), f->rq->id);
	if (go.n) {
		m->status = 303;
		wire_header_add(m, S("Location"),
		                arena_fmt(mem, "%.*s%cbucket=%.*s&key=%.*s&etag=%.*s", STR_ARG(go),
		                          str_find_char(go, '?') == SIZE_MAX ? '?' : '&', STR_ARG(f->bucket),
		                          STR_ARG(shown), STR_ARG(percent_encode(mem, out->ETag, false))));
		return;
	}
	wire_header_add(m, S("Location"), location);
	m->status = str_eq(said, S("200")) ? 200 : str_eq(said, S("201")) ? 201 : 204;
	if (m->status != 201)
		return;
	buf b = buf_in(mem, 512, 16384);
	buf_put(&b, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>"));
	xml_put_text(&b, location);
	buf_put(&b, S("</Location><Bucket>"));
	xml_put_text(&b, f->bucket);
	buf_put(&b, S("</Bucket><Key>"));
	xml_put_text(&b, key);
	buf_put(&b, S("</Key><ETag>"));
	xml_put_text(&b, out->ETag);
	buf_put(&b, S("</ETag></PostResponse>"));
	wire_header_add(m, S("Content-Type"), S("application/xml"));
	m->body = buf_str(&b);
}

static void form_serve(http_exchange *x, store *s)
{
	bool only;
	form *f = arena_new(x->mem, form);
	wire_message m = { .mem = x->mem };
	s3_PutObject_out out = { 0 };
	f->x = x;
	f->bucket = browser_bucket(x, &only);
	f->rq = req_internal(x->mem, s, "anonymous", S(DEFAULT_ACCOUNT), S("us-east-1"));
	err e = read_form(f);
	f->rq->exchange = x;
	const txn *tx = store_read(s);
	if (!e && !bucket_get(f->rq, tx, f->bucket))
		e = no_such_bucket(f->rq, f->bucket);
	if (!e && !str_is(field_of(f, "key")))
		e = missing_field(f, "key");
	if (!e)
		e = check_signer(f, tx);
	store_read_end(s, tx);
	str key = e ? S("") : key_of(f);
	if (!e && !key.n)
		e = fail(f->rq, &fault_UserKeyMustBeSpecified,
		         "The bucket POST must contain the specified field name. If it is specified, check the order "
		         "of the fields.");
	if (!e)
		e = upload_form(f, key, &out);
	if (f->rq->usage)
		usage_settle_later(f->rq);
	if (e)
		codec_rest_xml.encode_fault(&m, service_named(S("s3")), NULL, e, f->rq->id);
	else
		answer(f, key, &out, &m);
	http_reply(x, &m, NULL);
}

PLANE(s3_form, form_match, form_serve);
