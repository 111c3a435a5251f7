/* API destinations: HTTP endpoints as targets, with what their connection adds to each request. */
#include "base/json.h"
#include "base/text.h"
#include "bus.h"
#include "cloud/meter.h"
#include "sys/rand.h"
#include "wire/http_client.h"

#define LIST_PAGE 100
#define RATE 300
#define MICROSECONDS 1000000
#define CALL_MS 5000
#define ANSWER_MAX ((size_t)1 << 20)
#define BODY_ROOM ((size_t)4 << 20)

static const fault_kind unreachable = { .name = "ConnectionFailure", .code = "CONNECTION_FAILURE",
	                                .query_code = "CONNECTION_FAILURE", .status = 503 };
static const fault_kind refusal = { .name = "HttpRefusal", .code = "NON_RETRYABLE_ERROR",
	                            .query_code = "NON_RETRYABLE_ERROR", .status = 400 };
static const fault_kind passing = { .name = "HttpFailure", .code = "RETRYABLE_ERROR",
	                            .query_code = "RETRYABLE_ERROR", .status = 503 };
static const fault_kind unauthorized = { .name = "Unauthorized", .code = "CONNECTION_NOT_AUTHORIZED",
	                                 .query_code = "CONNECTION_NOT_AUTHORIZED", .status = 400 };

static str destination_arn(arena *mem, const events_destination *d)
{
	return arena_fmt(mem, "arn:aws:events:%.*s:%.*s:api-destination/%.*s/%.*s", STR_ARG(d->Region),
	                 STR_ARG(d->Account), STR_ARG(d->Name), STR_ARG(d->Id));
}

static void put_pair(buf *b, char before, str key, str text)
{
	buf_c(b, before);
	buf_put(b, percent_encode(b->mem, key, false));
	buf_c(b, '=');
	buf_put(b, percent_encode(b->mem, text, false));
}

static void add_header(wire_message *m, str name, str text)
{
	if (name.n && text.n)
		wire_header_add(m, name, text);
}

/* Each * of the endpoint takes the next of the path's values. */
static str url_of(arena *mem, const events_destination *d, const events_HttpParameters *own,
                  const events_ConnectionHttpParameters *shared)
{
	buf b = buf_in(mem, 512, 1 << 16);
	size_t used = 0;
	for (size_t i = 0; i < d->Endpoint.n; i++) {
		if (d->Endpoint.p[i] != '*')
			buf_c(&b, d->Endpoint.p[i]);
		else if (own && used < own->PathParameterValues.n)
			buf_put(&b, percent_encode(mem, own->PathParameterValues.v[used++], false));
	}
	char before = str_find_char(d->Endpoint, '?') == SIZE_MAX ? '?' : '&';
	for (size_t i = 0; own && i < own->QueryStringParameters.n; i++, before = '&')
		put_pair(&b, before, own->QueryStringParameters.v[i].key, own->QueryStringParameters.v[i].value);
	for (size_t i = 0; shared && i < shared->QueryStringParameters.n; i++, before = '&')
		put_pair(&b, before, shared->QueryStringParameters.v[i].Key,
		         shared->QueryStringParameters.v[i].Value);
	return buf_str(&b);
}

/* The connection's own members go into an event that is an object. */
static str body_of(arena *mem, str payload, const events_ConnectionHttpParameters *shared)
{
	const json_value *v = shared && shared->BodyParameters.n ? json_parse(mem, payload) : NULL;
	if (!v || v->kind != JSON_OBJECT)
		return payload;
	str text = str_trim(payload);
	buf b = buf_in(mem, payload.n + 512, BODY_ROOM);
	buf_put(&b, str_sub(text, 0, text.n - 1));
	for (size_t i = 0; i < shared->BodyParameters.n; i++) {
		buf_put(&b, i || v->n ? S(",") : S(""));
		json_put_string(&b, shared->BodyParameters.v[i].Key);
		buf_c(&b, ':');
		json_put_string(&b, shared->BodyParameters.v[i].Value);
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

err oauth_token(req *rq, const events_CreateConnectionOAuthRequestParameters *o, str *token, int64_t *seconds)
{
	arena *mem = rq->mem;
	if (!o)
		return fault_new(mem, &unauthorized, "The connection has no OAuth parameters.");
	const events_ConnectionHttpParameters *h = o->OAuthHttpParameters;
	buf form = buf_in(mem, 512, 1 << 16);
	buf_put(&form, S("grant_type=client_credentials"));
	put_pair(&form, '&', S("client_id"), o->ClientParameters->ClientID);
	put_pair(&form, '&', S("client_secret"), o->ClientParameters->ClientSecret);
	for (size_t i = 0; h && i < h->BodyParameters.n; i++)
		put_pair(&form, '&', h->BodyParameters.v[i].Key, h->BodyParameters.v[i].Value);
	bool get = str_eq(o->HttpMethod, S("GET"));
	buf url = buf_in(mem, 512, 1 << 16);
	buf_put(&url, o->AuthorizationEndpoint);
	char before = str_find_char(o->AuthorizationEndpoint, '?') == SIZE_MAX ? '?' : '&';
	for (size_t i = 0; h && i < h->QueryStringParameters.n; i++, before = '&')
		put_pair(&url, before, h->QueryStringParameters.v[i].Key, h->QueryStringParameters.v[i].Value);
	if (get)
		buf_fmt(&url, "%c%.*s", before, STR_ARG(buf_str(&form)));
	wire_message m = { .mem = mem, .method = o->HttpMethod, .body = get ? S("") : buf_str(&form) };
	wire_message answer = { .mem = mem };
	wire_header_add(&m, S("Content-Type"), S("application/x-www-form-urlencoded"));
	for (size_t i = 0; h && i < h->HeaderParameters.n; i++)
		add_header(&m, h->HeaderParameters.v[i].Key, h->HeaderParameters.v[i].Value);
	http_client_options options = { .total_ms = CALL_MS, .body_max = ANSWER_MAX };
	err e = http_call(mem, buf_str(&url), &m, &options, &answer);
	if (e)
		return fault_new(mem, &unreachable, "%.*s", STR_ARG(e->message));
	const json_value *v = answer.status == 200 ? json_parse(mem, answer.body) : NULL;
	const json_value *t = json_get(v, S("access_token"));
	if (!t)
		return fault_new(mem, answer.status / 100 == 5 ? &passing : &unauthorized,
		                 "The authorization endpoint answered %d and gave no access token.", answer.status);
	const json_value *expires = json_get(v, S("expires_in"));
	*token = t->text;
	if (!expires || !str_to_i64(expires->text, seconds) || *seconds < 0)
		*seconds = 0;
	return OK;
}

static err sign(req *rq, const events_connection *c, const events_CreateConnectionAuthRequestParameters *a,
                wire_message *m)
{
	arena *mem = rq->mem;
	int64_t seconds;
	if (a->BasicAuthParameters) {
		str pair = arena_fmt(mem, "%.*s:%.*s", STR_ARG(a->BasicAuthParameters->Username),
		                     STR_ARG(a->BasicAuthParameters->Password));
		wire_header_add(m, S("Authorization"),
		                arena_fmt(mem, "Basic %.*s", STR_ARG(base64_encode(mem, pair))));
	} else if (a->ApiKeyAuthParameters) {
		add_header(m, a->ApiKeyAuthParameters->ApiKeyName, a->ApiKeyAuthParameters->ApiKeyValue);
	} else {
		str token = token_held(mem, c);
		if (!str_is(token)) {
			TRY(oauth_token(rq, a->OAuthParameters, &token, &seconds));
			token_hold(mem, c, token, seconds);
		}
		wire_header_add(m, S("Authorization"), arena_fmt(mem, "Bearer %.*s", STR_ARG(token)));
	}
	return OK;
}

/* The endpoint's answer: what may pass is tried again, as on AWS. */
static err judged(req *rq, int status)
{
	if (status / 100 == 2)
		return OK;
	bool again = status / 100 == 5 || status == 401 || status == 407 || status == 409 || status == 429;
	return fault_new(rq->mem, again ? &passing : &refusal, "The endpoint answered with status %d.", status);
}

static str name_of(str arn)
{
	str id = name_in_arn(arn, S("api-destination"));
	return str_is(id) ? str_cut(&id, '/') : STR_NONE;
}

int64_t api_destination_slot(txn *tx, arena *mem, str account, str region, str arn, int64_t now)
{
	str name = name_of(arn);
	const events_destination *d =
		str_is(name) ? events_destination_get(tx, mem, account, region, name) : NULL;
	if (!d)
		return 0;
	const events_pace *p = events_pace_get(tx, mem, account, region, name);
	int64_t free_at = p && p->Next > now * 1000 ? p->Next : now * 1000;
	events_pace_put(tx, &(events_pace){ account, region, name, free_at + MICROSECONDS / d->Rate });
	return free_at / 1000 > now ? free_at / 1000 : 0;
}

err api_destination_call(req *rq, const events_Target *t, str payload)
{
	arena *mem = rq->mem;
	str name = name_of(t->Arn);
	const txn *tx = req_read(rq);
	const events_destination *d = events_destination_get(tx, mem, rq->who.account, rq->region, name);
	const events_connection *c = d ? connection_by_arn(tx, mem, rq->who.account, rq->region, d->Connection)
	                               : NULL;
	req_read_end(rq, tx);
	if (!d || !c)
		return fault_new(mem, &refusal, "The API destination or its connection does not exist.");
	if (str_eq(c->State, events_ConnectionState_DEAUTHORIZED))
		return fault_new(mem, &unauthorized, "The connection is not authorized.");
	events_CreateConnectionAuthRequestParameters *a;
	TRY(connection_secrets(rq, c, &a));
	const events_ConnectionHttpParameters *shared = a->InvocationHttpParameters;
	bool bare = str_eq(d->Method, S("GET")) || str_eq(d->Method, S("HEAD"));
	wire_message m = { .mem = mem, .method = d->Method, .body = bare ? S("") : body_of(mem, payload,
	                                                                                   shared) };
	wire_message answer = { .mem = mem };
	wire_header_add(&m, S("User-Agent"), S("Amazon/EventBridge/ApiDestinations"));
	if (!bare)
		wire_header_add(&m, S("Content-Type"), S("application/json; charset=utf-8"));
	TRY(sign(rq, c, a, &m));
	for (size_t i = 0; t->HttpParameters && i < t->HttpParameters->HeaderParameters.n; i++)
		add_header(&m, t->HttpParameters->HeaderParameters.v[i].key,
		           t->HttpParameters->HeaderParameters.v[i].value);
	for (size_t i = 0; shared && i < shared->HeaderParameters.n; i++)
		add_header(&m, shared->HeaderParameters.v[i].Key, shared->HeaderParameters.v[i].Value);
	http_client_options options = { .total_ms = CALL_MS, .body_max = ANSWER_MAX };
	meter_one(rq, &EVENTS_API_DESTINATION, t->Arn);
	err e = http_call(mem, url_of(mem, d, t->HttpParameters, shared), &m, &options, &answer);
	if (!e && (answer.status == 401 || answer.status == 407))
		token_hold(mem, c, S(""), 0);
	return e ? fault_new(mem, &unreachable, "%.*s", STR_ARG(e->message)) : judged(rq, answer.status);
}

static err destination_find(req *rq, const txn *tx, str name, events_destination **d)
{
	*d = events_destination_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *d ? OK : fail(rq, &events_ResourceNotFoundException, "Failed to describe the api-destination(s). "
	                      "An api-destination '%.*s' does not exist.", STR_ARG(name));
}

static str state_of(req *rq, const txn *tx, const events_destination *d)
{
	const events_connection *c = connection_by_arn(tx, rq->mem, d->Account, d->Region, d->Connection);
	return c && str_eq(c->State, events_ConnectionState_AUTHORIZED) ? events_ApiDestinationState_ACTIVE
	                                                                : events_ApiDestinationState_INACTIVE;
}

static err connection_check(req *rq, const txn *tx, str arn, str endpoint)
{
	if (!connection_by_arn(tx, rq->mem, rq->who.account, rq->region, arn))
		return fail(rq, &events_ResourceNotFoundException, "Connection '%.*s' does not exist.", STR_ARG(arn));
	return str_starts(endpoint, S("https://")) || str_starts(endpoint, S("http://")) ? OK :
	       fail(rq, &aws_ValidationException, "Parameter InvocationEndpoint is not valid.");
}

err events_CreateApiDestination(req *rq, txn *tx, const events_CreateApiDestination_in *in,
                                events_CreateApiDestination_out *out)
{
	TRY(connection_check(rq, tx, in->ConnectionArn, in->InvocationEndpoint));
	if (events_destination_get(tx, rq->mem, rq->who.account, rq->region, in->Name))
		return fail(rq, &events_ResourceAlreadyExistsException, "An api-destination '%.*s' already exists.",
		            STR_ARG(in->Name));
	opt_i64 rate = in->InvocationRateLimitPerSecond;
	events_destination d = { .Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		.Id = rand_uuid(rq->mem), .Description = in->Description, .Connection = in->ConnectionArn,
		.Endpoint = in->InvocationEndpoint, .Method = in->HttpMethod, .Rate = rate.set ? rate.v : RATE,
		.Created = rq->now, .Modified = rq->now };
	events_destination_put(tx, &d);
	out->ApiDestinationArn = destination_arn(rq->mem, &d);
	out->ApiDestinationState = state_of(rq, tx, &d);
	out->CreationTime = out->LastModifiedTime = TIME(rq->now);
	return OK;
}

err events_UpdateApiDestination(req *rq, txn *tx, const events_UpdateApiDestination_in *in,
                                events_UpdateApiDestination_out *out)
{
	events_destination *d;
	TRY(destination_find(rq, tx, in->Name, &d));
	d->Description = str_is(in->Description) ? in->Description : d->Description;
	d->Connection = str_is(in->ConnectionArn) ? in->ConnectionArn : d->Connection;
	d->Endpoint = str_is(in->InvocationEndpoint) ? in->InvocationEndpoint : d->Endpoint;
	d->Method = str_is(in->HttpMethod) ? in->HttpMethod : d->Method;
	if (in->InvocationRateLimitPerSecond.set)
		d->Rate = in->InvocationRateLimitPerSecond.v;
	TRY(connection_check(rq, tx, d->Connection, d->Endpoint));
	d->Modified = rq->now;
	events_destination_put(tx, d);
	out->ApiDestinationArn = destination_arn(rq->mem, d);
	out->ApiDestinationState = state_of(rq, tx, d);
	out->CreationTime = TIME(d->Created);
	out->LastModifiedTime = TIME(d->Modified);
	return OK;
}

err events_DeleteApiDestination(req *rq, txn *tx, const events_DeleteApiDestination_in *in,
                                events_DeleteApiDestination_out *out)
{
	events_destination *d;
	TRY(destination_find(rq, tx, in->Name, &d));
	events_destination_delete(tx, d->Account, d->Region, d->Name);
	events_pace_delete(tx, d->Account, d->Region, d->Name);
	return OK;
}

err events_DescribeApiDestination(req *rq, const txn *tx, const events_DescribeApiDestination_in *in,
                                  events_DescribeApiDestination_out *out)
{
	events_destination *d;
	TRY(destination_find(rq, tx, in->Name, &d));
	*out = (events_DescribeApiDestination_out){ .ApiDestinationArn = destination_arn(rq->mem, d),
		.Name = d->Name, .Description = d->Description, .ApiDestinationState = state_of(rq, tx, d),
		.ConnectionArn = d->Connection, .InvocationEndpoint = d->Endpoint, .HttpMethod = d->Method,
		.InvocationRateLimitPerSecond = I64(d->Rate), .CreationTime = TIME(d->Created),
		.LastModifiedTime = TIME(d->Modified) };
	return OK;
}

err events_ListApiDestinations(req *rq, const txn *tx, const events_ListApiDestinations_in *in,
                               events_ListApiDestinations_out *out)
{
	str after, last = STR_NONE;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	record_scan s = events_destination_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The token is invalid.");
		record_scan_after(&s, after);
	}
	out->ApiDestinations.v = arena_array(rq->mem, events_ApiDestination, page);
	for (const events_destination *d; (d = events_destination_next(&s));) {
		if (!str_starts(d->Name, in->NamePrefix) ||
		    (str_is(in->ConnectionArn) && !str_eq(in->ConnectionArn, d->Connection)))
			continue;
		if (out->ApiDestinations.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->ApiDestinations.v[out->ApiDestinations.n++] = (events_ApiDestination){
			.ApiDestinationArn = destination_arn(rq->mem, d), .Name = d->Name,
			.ApiDestinationState = state_of(rq, tx, d), .ConnectionArn = d->Connection,
			.InvocationEndpoint = d->Endpoint, .HttpMethod = d->Method,
			.InvocationRateLimitPerSecond = I64(d->Rate), .CreationTime = TIME(d->Created),
			.LastModifiedTime = TIME(d->Modified) };
		last = d->Name;
	}
	cursor_close(&s.at);
	return OK;
}
