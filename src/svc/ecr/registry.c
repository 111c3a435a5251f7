#include "registry.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "sys/clock.h"

/* 000000000000.dkr.ecr.us-east-1.amazonaws.com, .localhost:4566 .. */
static bool registry_name(str host, str *account, str *region)
{
	str name = str_cut(&host, ':'), rest = name;
	size_t at = str_find(name, S(".dkr.ecr."));
	if (at != 12)
		return false;
	*account = str_sub(name, 0, 12);
	rest = str_sub(name, at + 9, name.n);
	*region = str_cut(&rest, '.');
	return str_eq(rest, S("amazonaws.com")) || str_eq(rest, S("localhost")) ||
	       str_starts(rest, S("localhost."));
}

static bool plain_host(str host)
{
	str name = str_cut(&host, ':');
	if (str_eq(name, S("localhost")))
		return true;
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] >= '0' && name.p[i] <= '9') && name.p[i] != '.')
			return false;
	return name.n > 0;
}

/* On the main port other services have paths below /v2/ too; theirs are signed. */
static bool match(const http_exchange *x)
{
	str account, region, path = x->in.path;
	if (registry_name(x->host, &account, &region))
		return true;
	if (!str_starts(path, S("/v2/")) || !plain_host(x->host) ||
	    str_starts(wire_header(&x->in, S("authorization")), S("AWS4-HMAC-")))
		return false;
	return str_eq(path, S("/v2/")) || str_find(path, S("/blobs/")) != SIZE_MAX ||
	       str_find(path, S("/manifests/")) != SIZE_MAX || str_find(path, S("/referrers/")) != SIZE_MAX ||
	       str_ends(path, S("/tags/list")) || str_eq(path, S("/v2/_catalog"));
}

void registry_header(visit *v, str name, str value)
{
	req_header(v->rq, name, value);
}

static void drop_spool(http_exchange *x)
{
	str spool;
	err why;
	if (registry_spool(x, &spool, &why) && spool.n)
		spool_drop(x->mem, spool);
}

/* With the reply the exchange is the connection's again: it comes last. */
static void reply_with(visit *v, int status, str type, const http_reply_body *body, str bytes)
{
	wire_message out = { .mem = v->x->mem, .status = status, .body = bytes };
	if (type.n)
		wire_header_add(&out, S("Content-Type"), type);
	wire_header_add(&out, S("Docker-Distribution-Api-Version"), S("registry/2.0"));
	for (size_t i = 0; i < v->rq->n_reply_headers; i++)
		wire_header_add(&out, v->rq->reply_headers[i].name, v->rq->reply_headers[i].value);
	drop_spool(v->x);
	http_reply(v->x, &out, body);
}

void registry_reply(visit *v, int status, str type, str body)
{
	reply_with(v, status, type, v->rq->reply_body, body);
}

void registry_error(visit *v, int status, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str message = arena_vfmt(v->x->mem, format, args);
	va_end(args);
	buf b = buf_in(v->x->mem, 256, 8192);
	buf_fmt(&b, "{\"errors\":[{\"code\":\"%s\",\"message\":", code);
	json_put_string(&b, message);
	buf_put(&b, S("}]}\n"));
	reply_with(v, status, S("application/json; charset=utf-8"), NULL, buf_str(&b));
}

void registry_fault(visit *v, err why)
{
	static const struct { const fault_kind *kind; int status; const char *code; } words[] = {
		{ &ecr_RepositoryNotFoundException, 404, "NAME_UNKNOWN" },
		{ &ecr_LayersNotFoundException, 400, "MANIFEST_BLOB_UNKNOWN" },
		{ &ecr_ReferencedImagesNotFoundException, 400, "MANIFEST_BLOB_UNKNOWN" },
		{ &ecr_ImageTagAlreadyExistsException, 400, "TAG_INVALID" },
		{ &ecr_ImageDigestDoesNotMatchException, 400, "DIGEST_INVALID" },
		{ &ecr_InvalidParameterException, 400, "MANIFEST_INVALID" },
		{ &ecr_LimitExceededException, 429, "TOOMANYREQUESTS" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (why->kind == words[i].kind) {
			registry_error(v, words[i].status, words[i].code, "%.*s", STR_ARG(why->message));
			return;
		}
	registry_error(v, why->kind->status >= 400 ? why->kind->status : 500, "UNKNOWN", "%.*s",
	               STR_ARG(why->message));
}

str registry_base(const visit *v)
{
	return arena_fmt(v->x->mem, "%s://%.*s", v->x->tls ? "https" : "http", STR_ARG(v->x->host));
}

str registry_query(const visit *v, const char *name)
{
	return query_value(v->x->mem, v->x->in.query, str_c(name));
}

ecr_token *registry_token(const http_exchange *x, const txn *tx, arena *mem)
{
	str header = wire_header(&x->in, S("authorization")), text;
	if (str_starts(header, S("Basic ")) &&
	    base64_decode(mem, str_trim(str_sub(header, 6, header.n)), &text) && str_starts(text, S("AWS:"))) {
		ecr_token *t = token_find(tx, mem, str_sub(text, 4, text.n), clock_now());
		return t && !t->Digest.n ? t : NULL;
	}
	str url = query_value(mem, x->in.query, S("X-Farthing-Token"));
	ecr_token *t = url.n ? token_find(tx, mem, url, clock_now()) : NULL;
	return t && t->Digest.n && str_ends(x->in.path, t->Digest) ? t : NULL;
}

/* NAME has slashes itself: the last of the words that follow it parts it from REST. */
static bool part_path(visit *v)
{
	static const char *const words[] = { "/blobs/", "/manifests/", "/tags/list", "/referrers/" };
	str path = percent_decode(v->x->mem, v->x->in.path, false);
	path = str_sub(path, 4, path.n);
	for (size_t at = path.n; at-- > 1;)
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			if (str_starts(str_sub(path, at, path.n), str_c(words[w]))) {
				v->name = str_sub(path, 0, at);
				v->rest = str_sub(path, at + 1, path.n);
				return true;
			}
	return false;
}

static void to_resource(visit *v)
{
	str rest = v->rest;
	if (str_eq(rest, S("tags/list")))
		registry_tags(v);
	else if (str_starts(rest, S("blobs/uploads")))
		registry_upload(v, str_sub(rest, 14, rest.n));
	else if (str_starts(rest, S("blobs/")))
		registry_blob(v, str_sub(rest, 6, rest.n));
	else if (str_starts(rest, S("manifests/")))
		registry_manifest(v, str_sub(rest, 10, rest.n));
	else
		registry_referrers(v, str_sub(rest, 10, rest.n));
}

static void find_repo(visit *v, store *s)
{
	const txn *tx = store_read(s);
	v->repo = v->name.n <= 256 ?
	                  ecr_repo_get(tx, v->x->mem, v->rq->who.account, v->rq->region, v->name) : NULL;
	store_read_end(s, tx);
}

static void challenge(visit *v)
{
	registry_header(v, S("WWW-Authenticate"),
	                arena_fmt(v->x->mem, "Basic realm=\"%.*s/\",service=\"ecr.amazonaws.com\"",
	                          STR_ARG(registry_base(v))));
	registry_error(v, 401, "UNAUTHORIZED", "Not Authorized");
}

static void route(visit *v, store *s)
{
	str path = v->x->in.path;
	if (str_eq(path, S("/v2/")) || str_eq(path, S("/v2"))) {
		registry_reply(v, 200, S("application/json"), S("{}"));
		return;
	}
	if (str_eq(path, S("/v2/_catalog"))) {
		registry_catalog(v);
		return;
	}
	if (!str_starts(path, S("/v2/")) || !part_path(v)) {
		registry_error(v, 404, "UNSUPPORTED", "The registry has nothing at this path");
		return;
	}
	find_repo(v, s);
	if (v->repo)
		to_resource(v);
	else
		registry_error(v, 404, "NAME_UNKNOWN",
		               "The repository with name '%.*s' does not exist in the registry with id '%.*s'",
		               STR_ARG(v->name), STR_ARG(v->rq->who.account));
}

static void serve(http_exchange *x, store *s)
{
	visit v = { .x = x };
	registry_name(x->host, &v.host_account, &v.host_region);
	const txn *tx = store_read(s);
	v.token = registry_token(x, tx, x->mem);
	store_read_end(s, tx);
	str account = v.token ? v.token->Account : S("000000000000");
	str region = v.token ? v.token->Region : S("us-east-1");
	v.rq = req_internal(x->mem, s, "ecr.amazonaws.com", account,
	                    v.host_region.n ? v.host_region : region);
	if (!v.token)
		challenge(&v);
	else if (v.host_account.n && !str_eq(v.host_account, v.token->Account))
		registry_error(&v, 403, "DENIED", "The token is of account %.*s, the registry of %.*s",
		               STR_ARG(v.token->Account), STR_ARG(v.host_account));
	else
		route(&v, s);
}

PLANE_STREAM(ecr_registry, match, serve, registry_open);
