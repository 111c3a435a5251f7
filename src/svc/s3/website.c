/*
 * Static websites: bucket.s3-website-us-east-1.amazonaws.com, or .localhost. Index and error documents,
 * redirects of objects and rules, as the website endpoint of AWS answers them; anonymous callers only, so
 * what the bucket's policy or an ACL makes public is served and all else that is there is 403.
 */
#include "base/text.h"
#include "base/time.h"
#include "base/xml.h"
#include "cloud/call.h"
#include "cloud/foreign_host.h"
#include "cloud/identify.h"
#include "cloud/plane.h"
#include "read.h"
#include "wire/fault.h"

/* The bucket of a website's host, or STR_NONE. */
static str site_of(str host)
{
	str name = str_sub(host, 0, str_find_char(host, ':'));
	size_t at = str_find(name, S(".s3-website"));
	bool ours = str_ends(name, S(".amazonaws.com")) || str_ends(name, S(".localhost"));
	return at != SIZE_MAX && at > 0 && ours ? str_sub(name, 0, at) : STR_NONE;
}

static bool match(const http_exchange *x)
{
	return str_is(site_of(x->host));
}

/* s3-website-us-east-1.amazonaws.com, with or without a bucket: the host is the bucket's name. */
static bool named(str name)
{
	return str_starts(name, S("s3-website")) || str_is(site_of(name));
}

static str bucket_of(const http_exchange *x)
{
	str site = site_of(x->host);
	return str_is(site) ? site : arena_lower(x->mem, str_sub(x->host, 0, str_find_char(x->host, ':')));
}

typedef struct visit {
	http_exchange *x;
	req *rq;
	const txn *tx;
	s3_bucket *b;
	s3_WebsiteConfiguration site;
	str key;             /* decoded, without the leading slash */
	wire_message reply;
	http_reply_body body;
	bool has_body;
} visit;

static str item(visit *v, const char *name, str value)
{
	buf b = buf_in(v->x->mem, value.n + 64, 6 * value.n + 64);
	buf_fmt(&b, "<li>%s: ", name);
	xml_put_text(&b, value);
	buf_put(&b, S("</li>\n"));
	return buf_str(&b);
}

/* `more`: items besides the code and the message; `after`: what stands below the list. */
static void page_of(visit *v, int status, const char *code, str message, str more, str after)
{
	v->reply.status = status;
	const char *reason = status == 404 ? "Not Found" :
			     status == 403 ? "Forbidden" :
			     status == 405 ? "Method Not Allowed" : "Error";
	str host = canonical_id(v->x->mem, v->rq->id);
	v->reply.body = arena_fmt(v->x->mem,
	                          "<html>\n<head><title>%d %s</title></head>\n<body>\n<h1>%d %s</h1>\n<ul>\n"
	                          "<li>Code: %s</li>\n<li>Message: %.*s</li>\n%.*s<li>RequestId: %.*s</li>\n"
	                          "<li>HostId: %.*s</li>\n</ul>\n%.*s<hr/>\n</body>\n</html>\n",
	                          status, reason, status, reason, code, STR_ARG(message), STR_ARG(more),
	                          STR_ARG(v->rq->id), STR_ARG(host), STR_ARG(after));
	wire_header_add(&v->reply, S("Content-Type"), S("text/html; charset=utf-8"));
	wire_header_add(&v->reply, S("x-amz-error-code"), str_c(code));
	wire_header_add(&v->reply, S("x-amz-error-message"), message);
}

static void page(visit *v, int status, const char *code, str message)
{
	page_of(v, status, code, message, S(""), S(""));
}

static void redirect(visit *v, int status, str location)
{
	v->reply.status = status;
	wire_header_add(&v->reply, S("Location"), location);
}

static str target_of(visit *v, const s3_Redirect *r, const s3_Condition *c)
{
	arena *mem = v->x->mem;
	str key = v->key;
	if (r->ReplaceKeyWith.n)
		key = r->ReplaceKeyWith;
	else if (str_is(r->ReplaceKeyPrefixWith))
		key = arena_concat(mem, r->ReplaceKeyPrefixWith,
		                   str_sub(v->key, c ? c->KeyPrefixEquals.n : 0, v->key.n));
	str scheme = r->Protocol.n ? r->Protocol : v->x->tls ? S("https") : S("http");
	str host = r->HostName.n ? r->HostName : v->x->host;
	return arena_fmt(mem, "%.*s://%.*s/%.*s", STR_ARG(scheme), STR_ARG(host),
	                 STR_ARG(percent_encode(mem, key, true)));
}

/* `status` 0: before the object is looked for. */
static bool routed(visit *v, int status)
{
	for (size_t i = 0; i < v->site.RoutingRules.n; i++) {
		const s3_RoutingRule *r = &v->site.RoutingRules.v[i];
		const s3_Condition *c = r->Condition;
		int64_t code = 0;
		bool wants = c && str_is(c->HttpErrorCodeReturnedEquals);
		if (wants)
			str_to_i64(c->HttpErrorCodeReturnedEquals, &code);
		if ((wants && code != status) || (!wants && status) ||
		    (c && c->KeyPrefixEquals.n && !str_starts(v->key, c->KeyPrefixEquals)))
			continue;
		int64_t how = 301;
		if (r->Redirect->HttpRedirectCode.n)
			str_to_i64(r->Redirect->HttpRedirectCode, &how);
		redirect(v, (int)how, target_of(v, r->Redirect, c));
		return true;
	}
	return false;
}

/* What is not there is 404 whoever asks: unlike REST, the website endpoint hides no names. */
static int look(visit *v, str key, object_at *at)
{
	if (!object_look(v->rq, v->tx, v->b, key, STR_NONE, at) || at->o->Marker.v)
		return 404;
	return bucket_allows(v->rq, v->tx, v->b, "s3:GetObject", key, at->o) ? 403 : 200;
}

static bool give_bytes(visit *v, const object *o, int64_t first, int64_t length)
{
	v->reply.body = S("");
	if (length == 0)
		return true;
	content_list *l = arena_new(v->x->mem, content_list);
	*l = object_contents(v->tx, v->x->mem, o, NULL);
	v->has_body = content_reply(v->rq->store, v->x->mem, l, first, length, &v->body) == OK;
	return v->has_body;
}

static void header(visit *v, const char *name, str value)
{
	if (value.n)
		wire_header_add(&v->reply, str_c(name), value);
}

static opt_time asked_time(const visit *v, const char *name)
{
	int64_t when;
	str text = wire_header(&v->x->in, str_c(name));
	return str_is(text) && time_parse(str_trim(text), &when) ? TIME(when) : (opt_time){ 0 };
}

static err conditions(visit *v, const object *o)
{
	const wire_message *m = &v->x->in;
	read_request r = { .match = wire_header(m, S("if-match")),
		           .none_match = wire_header(m, S("if-none-match")),
		           .modified_since = asked_time(v, "if-modified-since"),
		           .unmodified_since = asked_time(v, "if-unmodified-since") };
	return read_conditions(v->rq, o, &r);
}

static void give(visit *v, const object *o, int status)
{
	int64_t first = 0, length = o->Size.v;
	bool part = false;
	err no = status == 200 ? conditions(v, o) : OK;
	if (no && no->kind->status != 304) {
		page_of(v, 412, "PreconditionFailed",
		        S("At least one of the pre-conditions you specified did not hold"),
		        item(v, "Condition", ((const fault_detail *)no->detail)->Condition), S(""));
		return;
	}
	header(v, "ETag", o->ETag);
	header(v, "Last-Modified", time_http(v->x->mem, o->Modified.v));
	if (no) {
		v->reply.status = 304;
		return;
	}
	str range = wire_header(&v->x->in, S("range"));
	if (status == 200 && str_is(range) && !read_range(range, length, &first, &length, &part)) {
		page(v, 416, "InvalidRange", S("The requested range is not satisfiable"));
		return;
	}
	v->reply.status = part ? 206 : status;
	if (part)
		header(v, "Content-Range",
		       arena_fmt(v->x->mem, "bytes %lld-%lld/%lld", (long long)first,
		                 (long long)(first + length - 1), (long long)o->Size.v));
	header(v, "Content-Type", o->ContentType);
	header(v, "Cache-Control", o->CacheControl);
	header(v, "Content-Encoding", o->ContentEncoding);
	header(v, "Content-Disposition", o->ContentDisposition);
	header(v, "Content-Language", o->ContentLanguage);
	header(v, "Expires", o->Expires);
	for (size_t i = 0; i < o->Metadata.n; i++)
		wire_header_add(&v->reply,
		                arena_concat(v->x->mem, S("x-amz-meta-"), o->Metadata.v[i].key),
		                o->Metadata.v[i].value);
	if (!give_bytes(v, o, first, length))
		page(v, 500, "InternalError", S("We encountered an internal error. Please try again."));
	meter_out(v->rq, v->b, length);
}

static const char *code_of(int status)
{
	return status == 403 ? "AccessDenied" : "NoSuchKey";
}

static str message_of(int status)
{
	return status == 403 ? S("Access Denied") : S("The specified key does not exist.");
}

/* `key`: what was looked for. */
static void refuse(visit *v, int status, str key)
{
	object_at at;
	str after = S("");
	if (routed(v, status))
		return;
	if (v->site.ErrorDocument) {
		str own = v->site.ErrorDocument->Key;
		int why = look(v, own, &at);
		if (why == 200 && !class_archived(class_of(at.o))) {
			give(v, at.o, status);
			return;
		}
		why = why == 200 ? 403 : why;
		after = arena_fmt(v->x->mem,
		                  "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n"
		                  "<ul>\n<li>Code: %s</li>\n<li>Message: %.*s</li>\n%.*s</ul>\n", code_of(why),
		                  STR_ARG(message_of(why)), STR_ARG(why == 404 ? item(v, "Key", own) : S("")));
	}
	page_of(v, status, code_of(status), message_of(status), status == 404 ? item(v, "Key", key) : S(""),
	        after);
}

static void visit_object(visit *v)
{
	object_at at;
	str suffix = v->site.IndexDocument ? v->site.IndexDocument->Suffix : S("index.html");
	bool folder = !v->key.n || str_ends(v->key, S("/"));
	str key = folder ? arena_concat(v->x->mem, v->key, suffix) : v->key;
	int status = look(v, key, &at);
	if (status != 200 && !folder) {
		/* A folder asked for without its slash. */
		object_at index;
		str below = arena_fmt(v->x->mem, "%.*s/%.*s", STR_ARG(key), STR_ARG(suffix));
		if (look(v, below, &index) == 200) {
			redirect(v, 302, arena_fmt(v->x->mem, "/%.*s/", STR_ARG(percent_encode(v->x->mem, key, true))));
			return;
		}
	}
	if (status != 200 || class_archived(class_of(at.o))) {
		refuse(v, status == 200 ? 403 : status, key);
		return;
	}
	if (at.o->Redirect.n)
		redirect(v, 301, at.o->Redirect);
	else
		give(v, at.o, 200);
}

static void answer(visit *v, str name)
{
	bool reads = str_eq(v->x->in.method, S("GET")) || str_eq(v->x->in.method, S("HEAD"));
	v->b = bucket_get(v->rq, v->tx, name);
	if (!v->b) {
		page_of(v, 404, "NoSuchBucket", S("The specified bucket does not exist"),
		        item(v, "BucketName", name), S(""));
		return;
	}
	if (!config_get(v->tx, v->x->mem, v->b->Name, S("website"), S(""), &s3_WebsiteConfiguration_shape,
	                &v->site)) {
		page_of(v, 404, "NoSuchWebsiteConfiguration",
		        S("The specified bucket does not have a website configuration"),
		        item(v, "BucketName", name), S(""));
		return;
	}
	if (!reads) {
		page_of(v, 405, "MethodNotAllowed",
		        S("The specified method is not allowed against this resource."),
		        arena_concat(v->x->mem, item(v, "Method", v->x->in.method),
		                     item(v, "ResourceType", S("OBJECT"))), S(""));
		return;
	}
	v->rq->region = v->b->Region;
	v->rq->who.account = v->b->Account;
	meter_read(v->rq, v->b, STR_NONE);
	const s3_RedirectAllRequestsTo *all = v->site.RedirectAllRequestsTo;
	if (all)
		redirect(v, 301, arena_fmt(v->x->mem, "%.*s://%.*s%.*s",
		                           STR_ARG(all->Protocol.n ? all->Protocol : S("http")),
		                           STR_ARG(all->HostName), STR_ARG(v->x->in.path)));
	else if (!routed(v, 0))
		visit_object(v);
}

static void serve(http_exchange *x, store *s)
{
	visit v = { .x = x, .reply = { .mem = x->mem } };
	v.rq = req_internal(x->mem, s, "anonymous", S("000000000000"), S("us-east-1"));
	v.rq->who.internal = false;
	v.rq->who.anonymous = true;
	v.rq->exchange = x;
	v.rq->http = &x->in;
	str path = x->in.path;
	v.key = percent_decode(x->mem, str_sub(path, path.n && path.p[0] == '/', path.n), false);
	v.tx = store_read(s);
	add_request_id(&v.reply, service_named(S("s3")), v.rq->id);
	answer(&v, bucket_of(x));
	store_read_end(s, v.tx);
	if (v.rq->usage)
		usage_settle_later(v.rq);
	http_reply(x, &v.reply, v.has_body ? &v.body : NULL);
}

PLANE_NAMED(s3_website, match, serve, NULL, named);

/* A bucket named like a domain keeps its requests, though no record leads to S3. */
static bool is_bucket(const txn *tx, arena *mem, str name)
{
	return s3_bucket_get(tx, mem, name) != NULL;
}
FOREIGN_OWNER(is_bucket);
