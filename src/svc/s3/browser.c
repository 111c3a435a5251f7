/*
 * What browsers send that is no operation of the model: the preflight of a cross-origin request, and uploads
 * by a form. Both name the bucket in the host or as the path's only segment.
 */
#include "browser.h"
#include "base/xml.h"
#include "cloud/identify.h"
#include "cloud/plane.h"
#include "cloud/virtual_host.h"
#include "cors.h"
#include "sys/rand.h"
#include "wire/fault.h"

static bool plain_host(str host)
{
	str name = str_sub(host, 0, str_find_char(host, ':'));
	return str_eq(name, S("localhost")) || str_starts(name, S("127.")) || str_starts(name, S("s3.")) ||
	       str_starts(name, S("s3-")) || str_eq(name, S("[")) || str_starts(name, S("host.docker"));
}

/* The bucket; of path style, *only says whether the path is no more than it. */
str browser_bucket(const http_exchange *x, bool *only)
{
	str bucket = virtual_host_bucket(x->host);
	*only = str_is(bucket) && x->in.path.n <= 1;
	if (str_is(bucket))
		return bucket;
	if (!plain_host(x->host) || x->in.path.n < 2)
		return STR_NONE;
	str rest = str_sub(x->in.path, 1, x->in.path.n), name = str_cut(&rest, '/');
	*only = !rest.n;
	return name;
}

static bool preflight_match(const http_exchange *x)
{
	bool only;
	return str_eq(x->in.method, S("OPTIONS")) && browser_bucket(x, &only).n != 0;
}

/* `about` NULL: the request is not even a preflight. */
static void preflight_refused(http_exchange *x, wire_message *m, str id, const char *about, str why)
{
	bool bad = !about;
	str method = wire_header(&x->in, S("access-control-request-method"));
	buf b = buf_in(x->mem, 512, 8192);
	m->status = bad ? 400 : 403;
	wire_header_add(m, S("Content-Type"), S("application/xml"));
	buf_fmt(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>",
	        bad ? "BadRequest" : "AccessForbidden");
	xml_put_text(&b, why);
	buf_put(&b, S("</Message>"));
	if (!bad) {
		buf_put(&b, S("<Method>"));
		xml_put_text(&b, str_is(method) ? method : S("OPTIONS"));
		buf_fmt(&b, "</Method><ResourceType>%s</ResourceType>", about);
	}
	buf_fmt(&b, "<RequestId>%.*s</RequestId><HostId>%.*s</HostId></Error>", STR_ARG(id),
	        STR_ARG(s3_host_id(x->mem, id)));
	m->body = buf_str(&b);
}

static bool a_method(str m)
{
	static const char *const known[] = { "GET", "PUT", "POST", "DELETE", "HEAD" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(str_c(known[i]), m))
			return true;
	return false;
}

static void preflight_allowed(http_exchange *x, wire_message *m, const s3_CORSRule *r)
{
	http_header headers[CORS_HEADERS];
	size_t n = cors_headers(x->mem, r, &x->in, headers);
	for (size_t i = 0; i < n; i++)
		wire_header_add(m, headers[i].name, headers[i].value);
}

static void preflight_serve(http_exchange *x, store *s)
{
	bool only;
	wire_message m = { .mem = x->mem, .status = 200 };
	str id = rand_uuid(x->mem), origin = wire_header(&x->in, S("origin"));
	str method = wire_header(&x->in, S("access-control-request-method"));
	str bucket = browser_bucket(x, &only);
	const txn *tx = store_read(s);
	bool known = bucket.n < 256 && s3_bucket_get(tx, x->mem, bucket);
	const s3_CORSRule *r = known ? cors_rule(tx, x->mem, bucket, origin, method,
	                                         wire_header(&x->in, S("access-control-request-headers"))) : NULL;
	add_request_id(&m, service_named(S("s3")), id);
	if (!str_is(origin))
		preflight_refused(x, &m, id, NULL, S("Insufficient information. Origin request header needed."));
	else if (!known)
		preflight_refused(x, &m, id, "BUCKET", S("CORSResponse: Bucket not found"));
	else if (!cors_any_rule(tx, x->mem, bucket))
		preflight_refused(x, &m, id, "BUCKET", S("CORSResponse: CORS is not enabled for this bucket."));
	else if (!a_method(method))
		preflight_refused(x, &m, id, NULL, arena_fmt(x->mem, "Invalid Access-Control-Request-Method: %.*s",
		                                             STR_ARG(str_is(method) ? method : S("null"))));
	else if (!r)
		preflight_refused(x, &m, id, only ? "BUCKET" : "OBJECT",
		                  S("CORSResponse: This CORS request is not allowed. This is usually because the "
		                    "evalution of Origin, request method / Access-Control-Request-Method or "
		                    "Access-Control-Request-Headers are not whitelisted by the resource's CORS "
		                    "spec."));
	else
		preflight_allowed(x, &m, r);
	store_read_end(s, tx);
	http_reply(x, &m, NULL);
}

PLANE(s3_preflight, preflight_match, preflight_serve);
