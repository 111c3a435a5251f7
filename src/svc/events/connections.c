/*
 * Connections: how an API destination proves who it is. What is secret lies in Secrets Manager, as on AWS
 * (events!connection/NAME/ID); the row keeps what may be shown.
 */
#include "base/json.h"
#include "base/time.h"
#include "bus.h"
#include "cloud/call.h"
#include "cloud/target.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define LIST_PAGE 100
#define SECRET_ROOM ((size_t)64 << 10)

static str connection_arn(arena *mem, const events_connection *c)
{
	return arena_fmt(mem, "arn:aws:events:%.*s:%.*s:connection/%.*s/%.*s", STR_ARG(c->Region),
	                 STR_ARG(c->Account), STR_ARG(c->Name), STR_ARG(c->Id));
}

bool is_api_destination(str arn)
{
	return str_is(name_in_arn(arn, S("api-destination")));
}

events_connection *connection_by_arn(const txn *tx, arena *mem, str account, str region, str arn)
{
	str rest = name_in_arn(arn, S("connection"));
	str name = str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	events_connection *c = str_is(name) ? events_connection_get(tx, mem, account, region, name) : NULL;
	return c && str_eq(connection_arn(mem, c), arn) ? c : NULL;
}

static err connection_find(req *rq, const txn *tx, str name, events_connection **c)
{
	*c = events_connection_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *c ? OK : fail(rq, &events_ResourceNotFoundException, "Failed to describe the connection(s). "
	                      "Connection '%.*s' does not exist.", STR_ARG(name));
}

static str quoted(req *rq, str text)
{
	buf b = buf_in(rq->mem, text.n + 16, SECRET_ROOM * 2);
	json_put_string(&b, text);
	return buf_str(&b);
}

static err secret_keep(req *rq, txn *tx, events_connection *c,
                       const events_CreateConnectionAuthRequestParameters *all)
{
	str out;
	buf b = buf_in(rq->mem, 1024, SECRET_ROOM);
	json_encode_value(&b, &events_CreateConnectionAuthRequestParameters_shape, all);
	str text = quoted(rq, buf_str(&b));
	if (c->Secret.n)
		return call_json(rq, tx, "secretsmanager", "PutSecretValue",
		                 arena_fmt(rq->mem, "{\"SecretId\":\"%.*s\",\"ClientRequestToken\":\"%.*s\","
		                           "\"SecretString\":%.*s}", STR_ARG(c->Secret),
		                           STR_ARG(rand_uuid(rq->mem)), STR_ARG(text)), &out);
	TRY(call_json(rq, tx, "secretsmanager", "CreateSecret",
	              arena_fmt(rq->mem, "{\"Name\":\"events!connection/%.*s/%.*s\",\"ClientRequestToken\":"
	                        "\"%.*s\",\"SecretString\":%.*s}", STR_ARG(c->Name), STR_ARG(c->Id),
	                        STR_ARG(rand_uuid(rq->mem)), STR_ARG(text)), &out));
	const json_value *arn = json_get(json_parse(rq->mem, out), S("ARN"));
	c->Secret = arn ? arn->text : STR_NONE;
	return OK;
}

static err secret_decode(req *rq, str answer, events_CreateConnectionAuthRequestParameters **out)
{
	const json_value *text = json_get(json_parse(rq->mem, answer), S("SecretString"));
	*out = arena_new(rq->mem, events_CreateConnectionAuthRequestParameters);
	return text ? json_decode_value(rq->mem, &events_CreateConnectionAuthRequestParameters_shape, text->text,
	                                *out) : OK;
}

static err secret_read(req *rq, txn *tx, const events_connection *c,
                       events_CreateConnectionAuthRequestParameters **out)
{
	str answer;
	str in = arena_fmt(rq->mem, "{\"SecretId\":\"%.*s\"}", STR_ARG(c->Secret));
	TRY(call_json(rq, tx, "secretsmanager", "GetSecretValue", in, &answer));
	return secret_decode(rq, answer, out);
}

err connection_secrets(req *rq, const events_connection *c,
                       events_CreateConnectionAuthRequestParameters **out)
{
	return secret_read(rq, NULL, c, out);
}

static events_ConnectionHttpParameters *shown_http(arena *mem, const events_ConnectionHttpParameters *from)
{
	if (!from)
		return NULL;
	events_ConnectionHttpParameters *to = arena_new(mem, events_ConnectionHttpParameters);
#define SHOWN(list, type) \
	to->list = from->list; \
	to->list.v = from->list.v ? arena_array(mem, type, from->list.n + 1) : NULL; \
	for (size_t i = 0; i < from->list.n; i++) { \
		to->list.v[i] = from->list.v[i]; \
		if (from->list.v[i].IsValueSecret.v) \
			to->list.v[i].Value = STR_NONE; \
	}
	SHOWN(HeaderParameters, events_ConnectionHeaderParameter)
	SHOWN(QueryStringParameters, events_ConnectionQueryStringParameter)
	SHOWN(BodyParameters, events_ConnectionBodyParameter)
#undef SHOWN
	return to;
}

static events_ConnectionAuthResponseParameters *shown(arena *mem,
                                                      const events_CreateConnectionAuthRequestParameters *a)
{
	events_ConnectionAuthResponseParameters *to = arena_new(mem, events_ConnectionAuthResponseParameters);
	if (a->BasicAuthParameters) {
		to->BasicAuthParameters = arena_new(mem, events_ConnectionBasicAuthResponseParameters);
		to->BasicAuthParameters->Username = a->BasicAuthParameters->Username;
	}
	if (a->ApiKeyAuthParameters) {
		to->ApiKeyAuthParameters = arena_new(mem, events_ConnectionApiKeyAuthResponseParameters);
		to->ApiKeyAuthParameters->ApiKeyName = a->ApiKeyAuthParameters->ApiKeyName;
	}
	if (a->OAuthParameters) {
		events_ConnectionOAuthResponseParameters *o = arena_new(mem,
		                                                        events_ConnectionOAuthResponseParameters);
		o->ClientParameters = arena_new(mem, events_ConnectionOAuthClientResponseParameters);
		o->ClientParameters->ClientID = a->OAuthParameters->ClientParameters->ClientID;
		o->AuthorizationEndpoint = a->OAuthParameters->AuthorizationEndpoint;
		o->HttpMethod = a->OAuthParameters->HttpMethod;
		o->OAuthHttpParameters = shown_http(mem, a->OAuthParameters->OAuthHttpParameters);
		to->OAuthParameters = o;
	}
	to->InvocationHttpParameters = shown_http(mem, a->InvocationHttpParameters);
	return to;
}

static err type_check(req *rq, str type, const events_CreateConnectionAuthRequestParameters *a)
{
	bool good = str_eq(type, events_ConnectionAuthorizationType_BASIC)     ? a->BasicAuthParameters != NULL
	            : str_eq(type, events_ConnectionAuthorizationType_API_KEY) ? a->ApiKeyAuthParameters != NULL
	                                                                       : a->OAuthParameters != NULL;
	if (a->ConnectivityParameters)
		return fail(rq, &aws_NotImplemented, "Farthing does not reach private endpoints of connections.");
	return good ? OK :
	       fail(rq, &aws_ValidationException, "Parameter(s) for authorization type %.*s must be specified.",
	            STR_ARG(type));
}

/* OAuth is authorized when the server has given a token; the others need nobody's word. */
static void authorize(req *rq, txn *tx, events_connection *c)
{
	bool asks = str_eq(c->Type, events_ConnectionAuthorizationType_OAUTH_CLIENT_CREDENTIALS);
	c->State = asks ? events_ConnectionState_AUTHORIZING : events_ConnectionState_AUTHORIZED;
	c->Reason = STR_NONE;
	c->Authorized = asks ? c->Authorized : rq->now;
	if (asks)
		task_add(tx, "events_authorize", arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(c->Account),
		                                           STR_ARG(c->Region), STR_ARG(c->Name)), 0);
}

typedef struct verdict {
	const events_connection *c;
	err wrong;
} verdict;

static bool note(void *context, txn *tx)
{
	const verdict *v = context;
	events_connection *c = events_connection_get(tx, txn_arena(tx), v->c->Account, v->c->Region, v->c->Name);
	if (!c || !str_eq(c->Id, v->c->Id) || c->Modified != v->c->Modified)
		return true;
	c->State = v->wrong ? events_ConnectionState_DEAUTHORIZED : events_ConnectionState_AUTHORIZED;
	c->Reason = v->wrong ? v->wrong->message : STR_NONE;
	c->Authorized = v->wrong ? c->Authorized : clock_now();
	events_connection_put(tx, c);
	return true;
}

TASK(events_authorize)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '), token;
	int64_t seconds;
	events_CreateConnectionAuthRequestParameters *a;
	const txn *tx = store_read(s);
	const events_connection *c = events_connection_get(tx, mem, account, region, rest);
	store_read_end(s, tx);
	if (!c || !str_eq(c->State, events_ConnectionState_AUTHORIZING))
		return TASK_DONE;
	req *rq = req_internal(mem, s, "events.amazonaws.com", account, region);
	verdict v = { c, connection_secrets(rq, c, &a) };
	if (!v.wrong)
		v.wrong = oauth_token(rq, a->OAuthParameters, &token, &seconds);
	return store_write(s, note, &v) ? clock_now() + MS_SECOND : TASK_DONE;
}

/* A connection has nothing of what those of other types have, also when it was of another one. */
static void only_of_type(events_CreateConnectionAuthRequestParameters *a, str type)
{
	if (!str_eq(type, S("BASIC")))
		a->BasicAuthParameters = NULL;
	if (!str_eq(type, S("API_KEY")))
		a->ApiKeyAuthParameters = NULL;
	if (!str_eq(type, S("OAUTH_CLIENT_CREDENTIALS")))
		a->OAuthParameters = NULL;
}

err events_CreateConnection(req *rq, txn *tx, const events_CreateConnection_in *in,
                            events_CreateConnection_out *out)
{
	TRY(type_check(rq, in->AuthorizationType, in->AuthParameters));
	if (in->InvocationConnectivityParameters)
		return fail(rq, &aws_NotImplemented, "Farthing does not reach private endpoints of connections.");
	if (events_connection_get(tx, rq->mem, rq->who.account, rq->region, in->Name))
		return fail(rq, &events_ResourceAlreadyExistsException, "Connection %.*s already exists.",
		            STR_ARG(in->Name));
	events_CreateConnectionAuthRequestParameters own = *in->AuthParameters;
	only_of_type(&own, in->AuthorizationType);
	events_connection c = { .Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		.Id = rand_uuid(rq->mem), .Type = in->AuthorizationType, .Description = in->Description,
		.Shown = shown(rq->mem, &own), .Created = rq->now, .Modified = rq->now,
		.Kms = in->KmsKeyIdentifier };
	TRY(secret_keep(rq, tx, &c, &own));
	authorize(rq, tx, &c);
	events_connection_put(tx, &c);
	out->ConnectionArn = connection_arn(rq->mem, &c);
	out->ConnectionState = c.State;
	out->CreationTime = out->LastModifiedTime = TIME(rq->now);
	return OK;
}

#define TAKE(to, from, member) ((to)->member = str_is((from)->member) ? (from)->member : (to)->member)

static void merge(arena *mem, events_CreateConnectionAuthRequestParameters *to,
                  const events_UpdateConnectionAuthRequestParameters *a)
{
	if (a->BasicAuthParameters) {
		if (!to->BasicAuthParameters)
			to->BasicAuthParameters = arena_new(mem, events_CreateConnectionBasicAuthRequestParameters);
		TAKE(to->BasicAuthParameters, a->BasicAuthParameters, Username);
		TAKE(to->BasicAuthParameters, a->BasicAuthParameters, Password);
	}
	if (a->ApiKeyAuthParameters) {
		if (!to->ApiKeyAuthParameters)
			to->ApiKeyAuthParameters = arena_new(mem, events_CreateConnectionApiKeyAuthRequestParameters);
		TAKE(to->ApiKeyAuthParameters, a->ApiKeyAuthParameters, ApiKeyName);
		TAKE(to->ApiKeyAuthParameters, a->ApiKeyAuthParameters, ApiKeyValue);
	}
	if (a->OAuthParameters) {
		if (!to->OAuthParameters)
			to->OAuthParameters = arena_new(mem, events_CreateConnectionOAuthRequestParameters);
		events_CreateConnectionOAuthRequestParameters *o = to->OAuthParameters;
		if (!o->ClientParameters)
			o->ClientParameters = arena_new(mem, events_CreateConnectionOAuthClientRequestParameters);
		TAKE(o, a->OAuthParameters, AuthorizationEndpoint);
		TAKE(o, a->OAuthParameters, HttpMethod);
		if (a->OAuthParameters->ClientParameters) {
			TAKE(o->ClientParameters, a->OAuthParameters->ClientParameters, ClientID);
			TAKE(o->ClientParameters, a->OAuthParameters->ClientParameters, ClientSecret);
		}
		if (a->OAuthParameters->OAuthHttpParameters)
			o->OAuthHttpParameters = a->OAuthParameters->OAuthHttpParameters;
	}
	if (a->InvocationHttpParameters)
		to->InvocationHttpParameters = a->InvocationHttpParameters;
}

err events_UpdateConnection(req *rq, txn *tx, const events_UpdateConnection_in *in,
                            events_UpdateConnection_out *out)
{
	events_connection *c;
	events_CreateConnectionAuthRequestParameters *all;
	TRY(connection_find(rq, tx, in->Name, &c));
	TRY(secret_read(rq, tx, c, &all));
	c->Type = str_is(in->AuthorizationType) ? in->AuthorizationType : c->Type;
	c->Description = str_is(in->Description) ? in->Description : c->Description;
	if (in->AuthParameters)
		merge(rq->mem, all, in->AuthParameters);
	only_of_type(all, c->Type);
	TRY(type_check(rq, c->Type, all));
	TRY(secret_keep(rq, tx, c, all));
	c->Shown = shown(rq->mem, all);
	c->Modified = rq->now;
	authorize(rq, tx, c);
	events_connection_put(tx, c);
	out->ConnectionArn = connection_arn(rq->mem, c);
	out->ConnectionState = c->State;
	out->CreationTime = TIME(c->Created);
	out->LastModifiedTime = TIME(c->Modified);
	if (c->Authorized)
		out->LastAuthorizedTime = TIME(c->Authorized);
	return OK;
}

err events_DeleteConnection(req *rq, txn *tx, const events_DeleteConnection_in *in,
                            events_DeleteConnection_out *out)
{
	str answer;
	events_connection *c;
	TRY(connection_find(rq, tx, in->Name, &c));
	TRY(call_json(rq, tx, "secretsmanager", "DeleteSecret",
	              arena_fmt(rq->mem, "{\"SecretId\":\"%.*s\",\"ForceDeleteWithoutRecovery\":true}",
	                        STR_ARG(c->Secret)), &answer));
	events_connection_delete(tx, c->Account, c->Region, c->Name);
	out->ConnectionArn = connection_arn(rq->mem, c);
	out->ConnectionState = events_ConnectionState_DELETING;
	out->CreationTime = TIME(c->Created);
	out->LastModifiedTime = TIME(c->Modified);
	return OK;
}

err events_DeauthorizeConnection(req *rq, txn *tx, const events_DeauthorizeConnection_in *in,
                                 events_DeauthorizeConnection_out *out)
{
	events_connection *c;
	events_CreateConnectionAuthRequestParameters nothing = { 0 };
	TRY(connection_find(rq, tx, in->Name, &c));
	TRY(secret_keep(rq, tx, c, &nothing));
	c->State = events_ConnectionState_DEAUTHORIZED;
	c->Modified = rq->now;
	events_connection_put(tx, c);
	out->ConnectionArn = connection_arn(rq->mem, c);
	out->ConnectionState = events_ConnectionState_DEAUTHORIZING;
	out->CreationTime = TIME(c->Created);
	out->LastModifiedTime = TIME(c->Modified);
	return OK;
}

err events_DescribeConnection(req *rq, const txn *tx, const events_DescribeConnection_in *in,
                              events_DescribeConnection_out *out)
{
	events_connection *c;
	TRY(connection_find(rq, tx, in->Name, &c));
	*out = (events_DescribeConnection_out){ .ConnectionArn = connection_arn(rq->mem, c), .Name = c->Name,
		.Description = c->Description, .ConnectionState = c->State, .StateReason = c->Reason,
		.AuthorizationType = c->Type, .SecretArn = c->Secret, .AuthParameters = c->Shown,
		.KmsKeyIdentifier = c->Kms, .CreationTime = TIME(c->Created), .LastModifiedTime = TIME(c->Modified) };
	if (c->Authorized)
		out->LastAuthorizedTime = TIME(c->Authorized);
	return OK;
}

err events_ListConnections(req *rq, const txn *tx, const events_ListConnections_in *in,
                           events_ListConnections_out *out)
{
	str after, last = STR_NONE;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	record_scan s = events_connection_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	}
	out->Connections.v = arena_array(rq->mem, events_Connection, page);
	for (const events_connection *c; (c = events_connection_next(&s));) {
		if (!str_starts(c->Name, in->NamePrefix) ||
		    (str_is(in->ConnectionState) && !str_eq(in->ConnectionState, c->State)))
			continue;
		if (out->Connections.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		events_Connection *to = &out->Connections.v[out->Connections.n++];
		*to = (events_Connection){ .ConnectionArn = connection_arn(rq->mem, c), .Name = c->Name,
			.ConnectionState = c->State, .StateReason = c->Reason, .AuthorizationType = c->Type,
			.CreationTime = TIME(c->Created), .LastModifiedTime = TIME(c->Modified) };
		if (c->Authorized)
			to->LastAuthorizedTime = TIME(c->Authorized);
		last = c->Name;
	}
	cursor_close(&s.at);
	return OK;
}
