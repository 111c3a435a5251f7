#include "cloud/gateway_front.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/event_log.h"
#include "cloud/target.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <pthread.h>

#define PATH_FORM "/_execute-api/"
#define EVENT_MAX ((size_t)64 << 20)

static bool is_rest(str id)
{
	return id.n && id.p[id.n - 1] >= '0' && id.p[id.n - 1] <= '9';
}

static bool of_connections(str path)
{
	return str_find(path, S("/@connections")) != SIZE_MAX || str_find(path, S("/%40connections")) != SIZE_MAX;
}

bool front_place_of(const http_exchange *x, bool rest, front_place *p)
{
	str host = x->host, name = str_cut(&host, ':');
	if (of_connections(x->in.path))
		return false;
	if (str_starts(x->in.path, S(PATH_FORM))) {
		str left = str_sub(x->in.path, sizeof PATH_FORM - 1, x->in.path.n), id = str_cut(&left, '/');
		*p = (front_place){ id, STR_NONE, name, S("/") };
		if (str_is(left))
			p->path = str_sub(x->in.path, sizeof PATH_FORM - 1 + id.n, x->in.path.n);
		return id.n && is_rest(id) == rest;
	}
	str left = name, id = str_cut(&left, '.');
	if (!str_is(left) || !str_eq(str_cut(&left, '.'), S("execute-api")) || !str_is(left))
		return false;
	str region = str_cut(&left, '.');
	bool local = str_eq(left, S("localhost"));
	*p = (front_place){ id, region, local ? x->host : name, x->in.path };
	return (local || str_eq(left, S("amazonaws.com"))) && is_rest(id) == rest;
}

str front_substitute(arena *mem, str text, const event_pairs *variables)
{
	buf b = buf_in(mem, text.n + 64, 65536);
	while (text.n) {
		size_t at = str_find(text, S("${stageVariables."));
		buf_put(&b, str_sub(text, 0, at));
		if (at == SIZE_MAX)
			break;
		text = str_sub(text, at + 17, text.n);
		str name = str_cut(&text, '}');
		for (size_t i = 0; i < variables->n; i++)
			if (str_eq(variables->v[i].name, name))
				buf_put(&b, variables->v[i].value);
	}
	return buf_str(&b);
}

str front_function(arena *mem, str uri, const event_pairs *variables)
{
	str marker = S(":lambda:path/2015-03-31/functions/");
	uri = front_substitute(mem, uri, variables);
	size_t at = str_find(uri, marker);
	if (at != SIZE_MAX) {
		uri = str_sub(uri, at + marker.n, uri.n);
		uri = str_sub(uri, 0, str_find_char(uri, '/'));
	}
	return str_starts(uri, S("arn:aws:lambda:")) ? uri : STR_NONE;
}

static bool permitted(req *rq, str function, str source)
{
	policy_key *keys = policy_key_add(rq->mem, NULL, S("aws:SourceArn"), source);
	keys = policy_key_add(rq->mem, keys, S("aws:SourceAccount"), rq->who.account);
	const txn *tx = req_read(rq);
	bool allowed = decide(rq, tx, S("lambda:InvokeFunction"), function, keys).allowed;
	req_read_end(rq, tx);
	return allowed;
}

front_outcome front_invoke(req *rq, str function, str source, str event, str *payload)
{
	*payload = S("");
	return permitted(rq, function, source) ? front_call(rq, function, event, payload) : FRONT_FORBIDDEN;
}

front_outcome front_call(req *rq, str function, str event, str *payload)
{
	arn_parts parts;
	*payload = S("");
	if (arn_split(function, &parts))
		rq->region = parts.region;
	buf b = buf_in(rq->mem, event.n * 2 + 256, EVENT_MAX);
	buf_put(&b, S("{\"FunctionName\":"));
	json_put_string(&b, function);
	buf_put(&b, S(",\"Payload\":\""));
	buf_put(&b, base64_encode(rq->mem, event));
	buf_put(&b, S("\"}"));
	str answer;
	if (call_json(rq, NULL, "lambda", "Invoke", buf_str(&b), &answer))
		return FRONT_FAILED;
	json_value *v = json_parse(rq->mem, answer);
	const json_value *p = v ? json_get(v, S("Payload")) : NULL;
	bool decoded = v && (!p || base64_decode(rq->mem, p->text, payload));
	return decoded && !json_get(v, S("FunctionError")) ? FRONT_OK : FRONT_FAILED;
}

/* Buckets that fell together share their tokens: with so many slots a matter of chance, and harmless. */
#define SLOTS 8192
static struct {
	uint64_t key;
	double tokens, burst;
	int64_t at_us;
} slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

bool front_token(str bucket, double rate, int64_t burst)
{
	uint64_t key = str_hash(bucket) | 1, at = key >> 8 & (SLOTS - 1);
	int64_t now = clock_mono_us();
	pthread_mutex_lock(&slots_lock);
	double most = burst > 0 ? (double)burst : 0;
	if (slots[at].key != key || slots[at].burst != most) {
		slots[at].key = key;
		slots[at].burst = slots[at].tokens = most;
	} else {
		slots[at].tokens += (double)(now - slots[at].at_us) * rate / 1e6;
		if (slots[at].tokens > most)
			slots[at].tokens = most;
	}
	slots[at].at_us = now;
	bool taken = slots[at].tokens >= 1;
	if (taken)
		slots[at].tokens -= 1;
	pthread_mutex_unlock(&slots_lock);
	return taken;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

void front_log(arena *mem, str account, str group_arn, str stream, str format, const event_pairs *context,
               int64_t now)
{
	arn_parts arn;
	if (!arn_split(group_arn, &arn) || !str_starts(arn.resource, S("log-group:")))
		return;
	str group = str_sub(arn.resource, 10, arn.resource.n);
	if (str_ends(group, S(":*")))
		group = str_sub(group, 0, group.n - 2);
	buf b = buf_in(mem, 512, 65536);
	while (format.n) {
		size_t at = str_find(format, S("$context."));
		buf_put(&b, str_sub(format, 0, at));
		if (at == SIZE_MAX)
			break;
		format = str_sub(format, at + 9, format.n);
		size_t end = 0;
		while (end < format.n && name_char(format.p[end]))
			end++;
		str name = str_sub(format, 0, end), value = S("-");
		for (size_t i = 0; i < context->n; i++)
			if (str_eq(context->v[i].name, name) && str_is(context->v[i].value))
				value = context->v[i].value;
		buf_put(&b, value);
		format = str_sub(format, end, format.n);
	}
	log_later(account, arn.region, group, stream, now, buf_str(&b));
}

bool front_of_connection(str name)
{
	static const char *const names[] = { "connection", "host", "content-length", "transfer-encoding",
		"keep-alive", "upgrade", "te", "trailer", "proxy-connection", "expect" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq_nocase(name, str_c(names[i])))
			return true;
	return false;
}

void front_hand_back(const wire_message *answer, wire_message *out)
{
	out->status = answer->status;
	for (size_t i = 0; i < answer->n_headers; i++)
		if (!front_of_connection(answer->headers[i].name))
			wire_header_add(out, answer->headers[i].name, answer->headers[i].value);
	out->body = answer->body;
}

str front_trace(arena *mem, str given)
{
	if (str_starts(given, S("Root=")))
		return given;
	str id = rand_text(mem, 24, S("0123456789abcdef"));
	return arena_fmt(mem, "Root=1-%08llx-%.*s", (unsigned long long)(clock_now() / MS_SECOND), STR_ARG(id));
}
