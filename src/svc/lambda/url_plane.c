/*
 * Function URLs: ID.lambda-url.REGION.localhost (or .on.aws), and /_lambda-url/ID/.. for clients that do
 * not resolve such names.
 */
#include "lambda.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/cors.h"
#include "cloud/http_event.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "cloud/server.h"
#include "report.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define PATH_FORM "/_lambda-url/"
#define PRELUDE_MAX ((size_t)128 << 10)
#define PERMISSION S("lambda:InvokeFunctionUrl")

typedef struct place {
	str id, region, domain, path;
} place;

static bool place_of(const http_exchange *x, place *p)
{
	str host = x->host, name = str_cut(&host, ':');
	if (str_starts(x->in.path, S(PATH_FORM))) {
		str rest = str_sub(x->in.path, sizeof PATH_FORM - 1, x->in.path.n);
		str id = str_cut(&rest, '/');
		*p = (place){ id, STR_NONE, name, S("/") };
		if (str_is(rest))
			p->path = str_sub(x->in.path, sizeof PATH_FORM - 1 + id.n, x->in.path.n);
		return id.n > 0;
	}
	str rest = name, id = str_cut(&rest, '.');
	if (!str_is(rest) || !str_eq(str_cut(&rest, '.'), S("lambda-url")) || !str_is(rest))
		return false;
	*p = (place){ id, str_cut(&rest, '.'), name, x->in.path };
	return str_eq(rest, S("localhost")) || str_eq(rest, S("on.aws"));
}

static bool match(const http_exchange *x)
{
	place p;
	return place_of(x, &p);
}

typedef struct visit {
	http_exchange *x;
	store *s;
	arena *mem;
	place at;
	lambda_url *url;
	target t;
	caller who;
	str request_id, trace_id;
	wire_message out;
} visit;

/* Bytes that leave, and those of them that cost because they are streamed. */
static void left(const visit *v, size_t bytes, bool streamed)
{
	const lambda_url *u = v->url;
	if (!u || !bytes)
		return;
	str arn = arena_fmt(v->mem, "arn:aws:lambda:%.*s:%.*s:function:%.*s", STR_ARG(u->Region),
	                    STR_ARG(u->Account), STR_ARG(u->Name));
	usage_later(u->Account, u->Region, clock_now(), &LAMBDA_TRANSFER_OUT, arn, (qty)bytes);
	if (streamed)
		report_streamed(&v->t, bytes);
}

static void send(visit *v)
{
	left(v, v->out.body.n, false);
	wire_header_add(&v->out, S("x-amzn-RequestId"), v->request_id);
	wire_header_add(&v->out, S("X-Amzn-Trace-Id"), v->trace_id);
	http_reply(v->x, &v->out, NULL);
}

static void refuse(visit *v, int status, const char *type, str body)
{
	v->out.status = status;
	v->out.n_headers = 0;
	wire_header_add(&v->out, S("content-type"), S("application/json"));
	if (type)
		wire_header_add(&v->out, S("x-amzn-ErrorType"), str_c(type));
	v->out.body = body;
	send(v);
}

static void forbid(visit *v)
{
	refuse(v, 403, "AccessDeniedException",
	       S("{\"Message\":\"Forbidden. For troubleshooting Function URL authorization issues, see: "
	         "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html\"}"));
}

/* The URL's configuration and the version it leads to. */
static bool find(visit *v, req *rq)
{
	const txn *tx = store_read(v->s);
	lambda_urlid *id = lambda_urlid_get(tx, v->mem, v->at.id);
	bool ok = id && (!str_is(v->at.region) || str_eq(v->at.region, id->Region));
	if (ok) {
		rq->who.account = id->Account;
		rq->region = id->Region;
		function_name f = { id->Account, id->Region, id->Name, id->Qualifier.n ? id->Qualifier : STR_NONE };
		v->url = lambda_url_get(tx, v->mem, id->Account, id->Region, id->Name, id->Qualifier);
		ok = v->url && !target_named(rq, tx, &f, &v->t);
	}
	store_read_end(v->s, tx);
	return ok;
}

/* Signed for the service lambda, by somebody of whom we know. */
static bool signed_caller(visit *v, req *rq)
{
	sigv4 sig;
	if (sigv4_parse(&v->x->in, v->x->host, &sig) || sig.form == SIG_NONE || !str_eq(sig.service, S("lambda")))
		return false;
	rq->http = &v->x->in;
	rq->host = v->x->host;
	rq->codec = &codec_rest_json;
	rq->who = (caller){ 0 };
	if (auth_caller(rq, &sig, server_is_strict()))
		return false;
	v->who = rq->who;
	return true;
}

/* Whether the policies let this caller in. Asked where policies are enforced. */
static bool permitted(visit *v, req *rq)
{
	if (!server_enforces_iam())
		return true;
	policy_key *keys = policy_key_add(v->mem, NULL, S("lambda:FunctionUrlAuthType"), v->url->It->AuthType);
	const txn *tx = store_read(v->s);
	decision d = decide(rq, tx, PERMISSION, v->t.invoked_arn, keys);
	store_read_end(v->s, tx);
	return d.allowed;
}

/* What the URL's own configuration says takes the place of what the function says. */
static void add_cors(visit *v)
{
	const lambda_Cors *c = v->url->It->Cors;
	if (!c)
		return;
	cors_apply(v->mem, &(cors_rules){ CORS_LIST(c->AllowOrigins), CORS_LIST(c->AllowMethods),
	                                  CORS_LIST(c->AllowHeaders), CORS_LIST(c->ExposeHeaders),
	                                  c->AllowCredentials.v, true, c->MaxAge }, &v->x->in, &v->out);
}

/* Answered here, without the function, once CORS is configured. */
static bool preflight(visit *v)
{
	if (!v->url->It->Cors || !cors_is_preflight(&v->x->in))
		return false;
	v->out.status = 200;
	v->out.body = S("");
	add_cors(v);
	send(v);
	return true;
}

/* Who signed it, as the event's authorizer; STR_NONE when nobody did. */
static str authorizer(visit *v)
{
	buf b = buf_in(v->mem, 512, 65536);
	if (!str_is(v->who.account))
		return STR_NONE;
	buf_put(&b, S("{\"iam\":{"));
	event_put_pair(&b, "accessKey", v->who.access_key);
	buf_c(&b, ',');
	event_put_pair(&b, "accountId", v->who.account);
	buf_c(&b, ',');
	event_put_pair(&b, "callerId", v->who.user_id);
	buf_put(&b, S(",\"cognitoIdentity\":null,\"principalOrgId\":null,"));
	event_put_pair(&b, "userArn", v->who.arn);
	buf_c(&b, ',');
	event_put_pair(&b, "userId", v->who.user_id);
	buf_put(&b, S("}}"));
	return buf_str(&b);
}

static str event_of(visit *v)
{
	http_event e = { .x = v->x, .account = str_is(v->who.account) ? v->who.account : S("anonymous"),
		.api = v->at.id, .stage = S("$default"), .route_key = S("$default"), .domain = v->at.domain,
		.prefix = v->at.id, .path = v->at.path, .authorizer = authorizer(v), .request_id = v->request_id,
		.trace_id = v->trace_id, .now = clock_now() };
	return http_event_2(v->mem, &e);
}

/* A streamed answer on its way out. A prelude says status and headers; it is collected until it is whole. */
typedef struct url_stream {
	visit *v;
	bool prelude, begun, bad;
	buf held;
	size_t bytes; /* that have gone out */
} url_stream;

static void stream_head(url_stream *s)
{
	visit *v = s->v;
	add_cors(v);
	wire_header_add(&v->out, S("x-amzn-RequestId"), v->request_id);
	wire_header_add(&v->out, S("X-Amzn-Trace-Id"), v->trace_id);
	s->begun = true;
	http_stream_begin(v->x, &v->out);
}

static void stream_begin(void *context, str content_type)
{
	url_stream *s = context;
	s->prelude = str_eq(content_type, HTTP_PRELUDE_TYPE);
	s->held = buf_in(s->v->mem, 1024, PRELUDE_MAX);
	if (!s->prelude && http_answer_streamed(s->v->mem, S(""), content_type, &s->v->out))
		stream_head(s);
}

static bool stream_piece(void *context, str bytes)
{
	url_stream *s = context;
	if (s->begun) {
		s->bytes += bytes.n;
		return http_stream_write(s->v->x, bytes);
	}
	if (s->bad)
		return false;
	buf_put(&s->held, bytes);
	str held = buf_str(&s->held);
	s->bad = s->held.full;
	if (s->bad || str_find(held, str_of("\0\0\0\0\0\0\0\0", 8)) == SIZE_MAX)
		return !s->bad;
	s->bad = !http_answer_streamed(s->v->mem, held, HTTP_PRELUDE_TYPE, &s->v->out);
	if (s->bad)
		return false;
	stream_head(s);
	s->bytes = s->v->out.body.n;
	return !s->v->out.body.n || http_stream_write(s->v->x, s->v->out.body);
}

/* Whether the answer has gone out already, or has been refused. */
static bool streamed_out(url_stream *s, const answer *a)
{
	if (!s->begun)
		return false;
	if (!a->failed && a->payload.n) {
		s->bytes += a->payload.n;
		http_stream_write(s->v->x, a->payload);
	}
	left(s->v, s->bytes, true);
	http_stream_end(s->v->x); /* the exchange is the connection's again */
	return true;
}

static void invoke(visit *v)
{
	invocation i = { .request_id = v->request_id, .trace_id = v->trace_id, .client_context = STR_NONE,
		.payload = event_of(v) };
	answer a;
	url_stream stream = { .v = v };
	function_sink sink = { &stream, stream_begin, stream_piece };
	bool streams = str_eq(v->url->It->InvokeMode, lambda_InvokeMode_RESPONSE_STREAM);
	if (streams)
		i.sink = &sink;
	if (i.payload.n > LAMBDA_EVENT_BYTES) {
		refuse(v, 413, "RequestTooLargeException", S("{\"message\":\"Request Entity Too Large\"}"));
		return;
	}
	invoke_run(v->mem, v->s, &v->t, &i, &a);
	if (streamed_out(&stream, &a))
		return;
	if (a.refused == THROTTLED_RESERVED || a.refused == THROTTLED_ACCOUNT) {
		refuse(v, 429, "TooManyRequestsException", S("{\"Type\":\"User\",\"message\":\"Rate Exceeded.\"}"));
		return;
	}
	if (streams && a.refused == TAKEN && !a.failed && !a.streamed) {
		a.streamed = true; /* a stream's answer is not looked into, whether the function streamed it or not */
		a.content_type = S("application/json");
	}
	bool ok = a.refused == TAKEN && !a.failed && !stream.bad && !stream.prelude &&
		(a.streamed ? http_answer_streamed(v->mem, a.payload, a.content_type, &v->out)
		 : http_answer_url(v->mem, a.payload, &v->out));
	if (!ok) {
		refuse(v, 502, "InternalServerErrorException", S("Internal Server Error"));
		return;
	}
	add_cors(v);
	send(v);
}

static void serve(http_exchange *x, store *s)
{
	visit v = { .x = x, .s = s, .mem = x->mem };
	v.out.mem = x->mem;
	v.request_id = rand_uuid(x->mem);
	v.trace_id = trace_header(x->mem, wire_header(&x->in, S("x-amzn-trace-id")));
	req *rq = req_internal(x->mem, s, "lambda.amazonaws.com", S(DEFAULT_ACCOUNT), S("us-east-1"));
	if (!place_of(x, &v.at) || !find(&v, rq)) {
		forbid(&v);
		return;
	}
	if (preflight(&v))
		return;
	if (str_eq(v.url->It->AuthType, S("AWS_IAM"))) {
		if (!signed_caller(&v, rq)) {
			forbid(&v);
			return;
		}
	} else {
		rq->who = (caller){ .anonymous = true, .account = v.t.f.account, .arn = S("anonymous") };
	}
	if (permitted(&v, rq))
		invoke(&v);
	else
		forbid(&v);
}
PLANE(lambda_url, match, serve);
