/*
 * @connections: what a backend says to a client of a WebSocket API. Clients of the SDKs send the API's stage
 * in front of the path and the API as host, so a plane takes these requests and hands them to the operations.
 */
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "cloud/server.h"
#include "cloud/socket_table.h"
#include "gen/apigatewaymanagementapi.h"
#include "sys/rand.h"
#include "wire/sigv4.h"

/* The caller's own connection, held; GoneException when there is none. */
static err find(req *rq, str id, socket_entry **e)
{
	*e = socket_find(id);
	if (*e && str_eq(socket_facts_of(*e)->account, rq->who.account))
		return OK;
	if (*e)
		socket_put(*e);
	return fail(rq, &apigatewaymanagementapi_GoneException, "%s", "");
}

err apigatewaymanagementapi_PostToConnection(req *rq, const apigatewaymanagementapi_PostToConnection_in *in,
                                             apigatewaymanagementapi_PostToConnection_out *out)
{
	socket_entry *e;
	if (in->Data.n > 131072)
		return fail(rq, &apigatewaymanagementapi_PayloadTooLargeException, "Message too long");
	TRY(find(rq, in->ConnectionId, &e));
	int64_t steps = in->Data.n ? ((int64_t)in->Data.n + 32767) / 32768 : 1;
	bool sent = socket_say(e, utf8_valid(in->Data), in->Data);
	if (sent)
		meter(rq, meter_for("AmazonApiGateway", S("apigw.ws.messages")), QTY(steps),
		      arena_str(rq->mem, socket_facts_of(e)->api));
	socket_put(e);
	return sent ? OK : fail(rq, &apigatewaymanagementapi_GoneException, "%s", "");
}

err apigatewaymanagementapi_GetConnection(req *rq, const apigatewaymanagementapi_GetConnection_in *in,
                                          apigatewaymanagementapi_GetConnection_out *out)
{
	socket_entry *e;
	TRY(find(rq, in->ConnectionId, &e));
	const socket_facts *f = socket_facts_of(e);
	out->ConnectedAt = TIME(f->connected_at);
	out->LastActiveAt = TIME(socket_last_active(e));
	out->Identity = arena_new(rq->mem, apigatewaymanagementapi_Identity);
	out->Identity->SourceIp = arena_str(rq->mem, f->ip);
	out->Identity->UserAgent = str_is(f->agent) ? arena_str(rq->mem, f->agent) : S("");
	socket_put(e);
	return OK;
}

err apigatewaymanagementapi_DeleteConnection(req *rq, const apigatewaymanagementapi_DeleteConnection_in *in,
                                             apigatewaymanagementapi_DeleteConnection_out *out)
{
	socket_entry *e;
	TRY(find(rq, in->ConnectionId, &e));
	socket_close(e, 1000, S("Connection Closed Normally"));
	socket_put(e);
	return OK;
}

/* Where the id begins in the path, or SIZE_MAX. */
static size_t id_at(str path)
{
	size_t at = str_find(path, S("/@connections/"));
	if (at != SIZE_MAX)
		return at + 14;
	at = str_find(path, S("/%40connections/"));
	return at == SIZE_MAX ? at : at + 16;
}

static bool match(const http_exchange *x)
{
	str host = x->host;
	str_cut(&host, '.');
	return id_at(x->in.path) != SIZE_MAX &&
	       (str_starts(host, S("execute-api.")) ||
	        str_find(wire_header(&x->in, S("authorization")), S("/execute-api/")) != SIZE_MAX);
}

static void run(req *rq, const operation *op, str id, str body, wire_message *out)
{
	union {
		apigatewaymanagementapi_PostToConnection_in post;
		apigatewaymanagementapi_GetConnection_in get;
		apigatewaymanagementapi_DeleteConnection_in drop;
	} in = { 0 };
	apigatewaymanagementapi_GetConnection_out *answer = arena_new(rq->mem,
		apigatewaymanagementapi_GetConnection_out);
	if (str_eq(str_c(op->name), S("PostToConnection")))
		in.post = (apigatewaymanagementapi_PostToConnection_in){ .ConnectionId = id, .Data = body };
	else
		in.get.ConnectionId = in.drop.ConnectionId = id;
	err e = call(rq, NULL, "apigatewaymanagementapi", op->name, &in, answer);
	if (e)
		codec_rest_json.encode_fault(out, op->service, op, e, rq->id);
	else
		codec_rest_json.encode(out, op, answer, rq->id);
}

static void serve(http_exchange *x, store *s)
{
	wire_message out = { .mem = x->mem };
	const char *name = str_eq(x->in.method, S("POST")) ? "PostToConnection"
		: str_eq(x->in.method, S("DELETE")) ? "DeleteConnection" : "GetConnection";
	req *rq = req_internal(x->mem, s, "apigateway.amazonaws.com", S(""), S("us-east-1"));
	rq->op = operation_find(&apigatewaymanagementapi_service, str_c(name));
	rq->codec = &codec_rest_json;
	rq->http = &x->in;
	rq->host = x->host;
	rq->enforce = server_enforces_iam();
	rq->who = (caller){ 0 };
	sigv4 sig;
	err refused = sigv4_parse(&x->in, x->host, &sig);
	if (!refused)
		refused = auth_caller(rq, &sig, server_is_strict());
	if (refused) {
		codec_rest_json.encode_fault(&out, rq->op->service, rq->op, refused, rq->id);
	} else {
		if (str_is(sig.region))
			rq->region = sig.region;
		str id = percent_decode(x->mem, str_sub(x->in.path, id_at(x->in.path), x->in.path.n), false);
		run(rq, rq->op, id, x->in.body, &out);
	}
	usage_settle_later(rq);
	wire_header_add(&out, S("x-amzn-RequestId"), rq->id);
	http_reply(x, &out, NULL);
}
PLANE(apigatewaymanagementapi, match, serve);
