#include "bucket.h"
#include "cors.h"

static bool in_list(const str *v, size_t n, str what, bool nocase)
{
	for (size_t i = 0; i < n; i++) {
		str pattern = v[i];
		if (nocase ? str_eq_nocase(pattern, what) || str_eq(pattern, S("*")) : str_glob(pattern, what))
			return true;
	}
	return false;
}

static bool headers_allowed(const s3_CORSRule *r, arena *mem, str asked)
{
	while (str_is(asked) && asked.n) {
		str one = arena_lower(mem, str_trim(str_cut(&asked, ',')));
		bool ok = !one.n;
		for (size_t i = 0; i < r->AllowedHeaders.n && !ok; i++)
			ok = str_glob(arena_lower(mem, r->AllowedHeaders.v[i]), one);
		if (!ok)
			return false;
	}
	return true;
}

bool cors_any_rule(const txn *tx, arena *mem, str bucket)
{
	s3_CORSConfiguration c;
	return config_get(tx, mem, bucket, S("cors"), S(""), &s3_CORSConfiguration_shape, &c);
}

const s3_CORSRule *cors_rule(const txn *tx, arena *mem, str bucket, str origin, str method, str headers)
{
	s3_CORSConfiguration c;
	if (!config_get(tx, mem, bucket, S("cors"), S(""), &s3_CORSConfiguration_shape, &c))
		return NULL;
	for (size_t i = 0; i < c.CORSRules.n; i++) {
		const s3_CORSRule *r = &c.CORSRules.v[i];
		if (in_list(r->AllowedOrigins.v, r->AllowedOrigins.n, origin, false) &&
		    in_list(r->AllowedMethods.v, r->AllowedMethods.n, method, true) &&
		    headers_allowed(r, mem, headers)) {
			s3_CORSRule *found = arena_new(mem, s3_CORSRule);
			*found = *r;
			return found;
		}
	}
	return NULL;
}

static bool any_origin(const s3_CORSRule *r)
{
	return in_list(r->AllowedOrigins.v, r->AllowedOrigins.n, S("*"), true) && r->AllowedOrigins.n == 1;
}

static str join(arena *mem, const str *v, size_t n)
{
	buf b = buf_in(mem, 128, 8192);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_put(&b, S(", "));
		buf_put(&b, v[i]);
	}
	return buf_str(&b);
}

size_t cors_headers(arena *mem, const s3_CORSRule *r, const wire_message *asked,
                    http_header out[CORS_HEADERS])
{
	size_t n = 0;
	bool any = any_origin(r), preflight = str_eq(asked->method, S("OPTIONS"));
	str headers = preflight ? wire_header(asked, S("access-control-request-headers")) : STR_NONE;
	out[n++] = (http_header){ S("Access-Control-Allow-Origin"),
		                  any ? S("*") : wire_header(asked, S("origin")) };
	out[n++] = (http_header){ S("Access-Control-Allow-Methods"),
		                  join(mem, r->AllowedMethods.v, r->AllowedMethods.n) };
	if (headers.n)
		out[n++] = (http_header){ S("Access-Control-Allow-Headers"), arena_lower(mem, headers) };
	if (r->ExposeHeaders.n)
		out[n++] = (http_header){ S("Access-Control-Expose-Headers"),
			                  join(mem, r->ExposeHeaders.v, r->ExposeHeaders.n) };
	if (r->MaxAgeSeconds.set)
		out[n++] = (http_header){ S("Access-Control-Max-Age"),
			                  arena_fmt(mem, "%lld", (long long)r->MaxAgeSeconds.v) };
	if (!any)
		out[n++] = (http_header){ S("Access-Control-Allow-Credentials"), S("true") };
	out[n++] = (http_header){ S("Vary"),
		                  S("Origin, Access-Control-Request-Headers, Access-Control-Request-Method") };
	return n;
}

/* What a preflight asks for counts in other requests, too. */
void cors_answer(req *rq, const txn *tx, const s3_bucket *b)
{
	const wire_message *m = rq->http;
	str method = wire_header(m, S("access-control-request-method"));
	http_header headers[CORS_HEADERS];
	const s3_CORSRule *r = cors_rule(tx, rq->mem, b->Name, wire_header(m, S("origin")),
	                                 str_is(method) ? method : m->method,
	                                 wire_header(m, S("access-control-request-headers")));
	size_t n = r ? cors_headers(rq->mem, r, m, headers) : 0;
	for (size_t i = 0; i < n; i++)
		req_header(rq, headers[i].name, headers[i].value);
}

static err one_wildcard(req *rq, const char *what, const str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = str_find_char(v[i], '*');
		if (at != SIZE_MAX && str_find_char(str_sub(v[i], at + 1, v[i].n), '*') != SIZE_MAX)
			return fail(rq, &fault_InvalidRequest, "%s \"%.*s\" can not have more than one wildcard.", what,
			            STR_ARG(v[i]));
	}
	return OK;
}

static err check_rule(req *rq, const s3_CORSRule *r)
{
	for (size_t k = 0; k < r->AllowedMethods.n; k++) {
		str m = r->AllowedMethods.v[k];
		if (!str_eq(m, S("GET")) && !str_eq(m, S("PUT")) && !str_eq(m, S("POST")) &&
		    !str_eq(m, S("DELETE")) && !str_eq(m, S("HEAD")))
			return fail(rq, &fault_InvalidRequest, "Found unsupported HTTP method in CORS config. "
			                                       "Unsupported method is %.*s", STR_ARG(m));
	}
	TRY(one_wildcard(rq, "AllowedOrigin", r->AllowedOrigins.v, r->AllowedOrigins.n));
	TRY(one_wildcard(rq, "AllowedHeader", r->AllowedHeaders.v, r->AllowedHeaders.n));
	for (size_t k = 0; k < r->ExposeHeaders.n; k++)
		if (str_find_char(r->ExposeHeaders.v[k], '*') != SIZE_MAX)
			return fail(rq, &fault_InvalidRequest, "ExposeHeader \"%.*s\" contains wildcard. We currently do "
			                                       "not support wildcard for ExposeHeader.",
			            STR_ARG(r->ExposeHeaders.v[k]));
	return OK;
}

err s3_PutBucketCors(req *rq, txn *tx, const s3_PutBucketCors_in *in, s3_PutBucketCors_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketCORS", STR_NONE, &b));
	const s3_CORSRules *rules = &in->CORSConfiguration->CORSRules;
	if (rules->n == 0 || rules->n > 100)
		return malformed_xml(rq);
	for (size_t i = 0; i < rules->n; i++)
		TRY(check_rule(rq, &rules->v[i]));
	config_put(tx, rq->mem, b->Name, S("cors"), S(""), &s3_CORSConfiguration_shape, in->CORSConfiguration);
	meter_write(rq, b, STR_NONE);
	return OK;
}

err s3_GetBucketCors(req *rq, const txn *tx, const s3_GetBucketCors_in *in, s3_GetBucketCors_out *out)
{
	s3_bucket *b;
	s3_CORSConfiguration c;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketCORS", STR_NONE, &b));
	if (!config_get(tx, rq->mem, b->Name, S("cors"), S(""), &s3_CORSConfiguration_shape, &c))
		return fail_with(rq, &fault_NoSuchCORSConfiguration, DETAIL(rq, .BucketName = b->Name),
		                 "The CORS configuration does not exist");
	out->CORSRules = c.CORSRules;
	meter_read(rq, b, STR_NONE);
	return OK;
}

err s3_DeleteBucketCors(req *rq, txn *tx, const s3_DeleteBucketCors_in *in, s3_DeleteBucketCors_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketCORS", STR_NONE, &b));
	config_delete(tx, b->Name, S("cors"), S(""));
	return OK;
}
