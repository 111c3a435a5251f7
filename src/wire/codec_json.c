/*
 * awsJson 1.0 and 1.1: POST /, the operation in X-Amz-Target, everything else in one JSON object. The version
 * is the service's unless the reply already has a Content-Type (the request's, where a caller set it).
 */
#include "base/digest.h"
#include "wire/codec.h"
#include "wire/fault.h"
#include "wire/value_json.h"

#define BODY_MAX ((size_t)1 << 30)

/* A service born in JSON may rename members on the wire; one born in a query protocol does so there only. */
static json_names names_of(const service *s)
{
	return s->protocol == PROTOCOL_JSON || s->protocol == PROTOCOL_REST_JSON ? JSON_WIRE_NAMES
	                                                                         : JSON_MODEL_NAMES;
}

static err decode(const wire_message *m, const operation *op, void *in)
{
	str why = STR_NONE;
	bool dynamodb = strcmp(op->service->signing_name, "dynamodb") == 0;
	json_words words = dynamodb ? JSON_WORDS_DYNAMODB : JSON_WORDS_COMMON;
	if (!op->input ||
	    json_read(m->mem, op->input, wire_body(m), names_of(op->service), words, true, in, &why))
		return OK;
	return fault_new(m->mem, &fault_syntax, "%.*s", STR_ARG(why));
}

static str content_type(const service *s)
{
	return s && s->json_version && strcmp(s->json_version, "1.0") == 0
	               ? S("application/x-amz-json-1.0")
	               : S("application/x-amz-json-1.1");
}

static bool has_events(const shape *s)
{
	for (unsigned i = 0; s && i < s->n_members; i++)
		if (s->members[i].shape->event_stream)
			return true;
	return false;
}

/* The rest of the output is the first event of the stream; the others are the handler's to write. */
static void encode_events(wire_message *m, const operation *op, const void *out)
{
	static const http_header headers[] = {
		{ S(":message-type"), S("event") },
		{ S(":event-type"), S("initial-response") },
		{ S(":content-type"), S("application/json") },
	};
	buf b = buf_in(m->mem, 512, BODY_MAX), frame = buf_in(m->mem, 512, BODY_MAX);
	buf_c(&b, '{');
	if (out)
		json_write_members(&b, op->output, names_of(op->service), out, NULL);
	buf_c(&b, '}');
	event_frame(&frame, headers, sizeof headers / sizeof *headers, buf_str(&b));
	m->body = buf_str(&frame);
}

/* DynamoDB's clients check a sum of the body. */
static void add_checksum(wire_message *m, const service *s)
{
	if (!s || strcmp(s->signing_name, "dynamodb") != 0)
		return;
	buf sum = buf_in(m->mem, 12, 12);
	buf_i64(&sum, crc32_of(0, m->body.p, m->body.n));
	wire_header_add(m, S("x-amz-crc32"), buf_str(&sum));
}

static void encode(wire_message *m, const operation *op, const void *out, str request_id)
{
	m->status = op->status ? op->status : 200;
	add_request_id(m, op->service, request_id);
	if (has_events(op->output)) {
		wire_header_add(m, S("Content-Type"), S("application/vnd.amazon.eventstream"));
		encode_events(m, op, out);
		return;
	}
	add_content_type(m, content_type(op->service));
	if (!op->output || !out) {
		/* AWS leaves the body out where the model knows no output, but not every client can take that
		 * from a 200: {} is what both accept. */
		m->body = op->output ? S("{}") : S("");
		add_checksum(m, op->service);
		return;
	}
	buf b = buf_in(m->mem, 512, BODY_MAX);
	buf_c(&b, '{');
	json_write_members(&b, op->output, names_of(op->service), out, NULL);
	buf_c(&b, '}');
	m->body = buf_str(&b);
	add_checksum(m, op->service);
}

/*
 * The type's name space. Services that speak JSON 1.0 write one, those of 1.1 do not; the errors of the
 * framework below the services have its own.
 */
static str qualified(arena *a, const service *s, str code)
{
	static const struct { str code, space; } framework[] = {
		{ S("ValidationException"), S("com.amazon.coral.validate#") },
		{ S("ThrottlingException"), S("com.amazon.coral.availability#") },
		{ S("SerializationException"), S("com.amazon.coral.service#") },
		{ S("UnknownOperationException"), S("com.amazon.coral.service#") },
		{ S("AccessDeniedException"), S("com.amazon.coral.service#") },
		{ S("MissingAuthenticationTokenException"), S("com.amazon.coral.service#") },
		{ S("IncompleteSignatureException"), S("com.amazon.coral.service#") },
		{ S("InvalidSignatureException"), S("com.amazon.coral.service#") },
		{ S("UnrecognizedClientException"), S("com.amazon.coral.service#") },
		{ S("ExpiredTokenException"), S("com.amazon.coral.service#") },
		{ S("InternalFailure"), S("com.amazon.coral.service#") },
	};
	if (!s || !s->json_version || strcmp(s->json_version, "1.0") != 0 ||
	    str_find_char(code, '#') != SIZE_MAX)
		return code;
	for (size_t i = 0; i < sizeof framework / sizeof *framework; i++)
		if (str_eq(framework[i].code, code))
			return arena_concat(a, framework[i].space, code);
	if (strcmp(s->signing_name, "dynamodb") == 0)
		return arena_concat(a, S("com.amazonaws.dynamodb.v20120810#"), code);
	return arena_fmt(a, "com.amazonaws.%s#%.*s", s->signing_name, STR_ARG(code));
}

static void encode_fault(wire_message *m, const service *s, const operation *op, err e, str request_id)
{
	fault_view f = fault_seen(s, PROTOCOL_JSON, e);
	str type = qualified(m->mem, s, f.code);
	(void)op;
	m->status = f.status;
	add_request_id(m, s, request_id);
	add_content_type(m, content_type(s));
	if (s && s->query_compatible)
		wire_header_add(m, S("x-amzn-query-error"),
		                arena_fmt(m->mem, "%s;%s", e->kind->query_code,
		                          f.server ? "Receiver" : "Sender"));
	buf b = buf_in(m->mem, 256, BODY_MAX);
	buf_put(&b, S("{\"__type\":"));
	json_put_string(&b, type);
	if (f.message.n) {
		bool upper = !f.message_member && str_eq(f.code, S("SerializationException"));
		buf_fmt(&b, ",\"%s\":", upper ? "Message" : f.message_name);
		json_put_string(&b, f.message);
	}
	if (f.shape) {
		size_t before = b.n;
		buf_c(&b, ',');
		if (!json_write_members(&b, f.shape, s ? names_of(s) : JSON_MODEL_NAMES, f.detail,
		                        f.message_member))
			b.n = before;
	}
	buf_c(&b, '}');
	m->body = buf_str(&b);
	add_checksum(m, s);
}

const codec codec_json = {
	.name = "json",
	.protocol = PROTOCOL_JSON,
	.decode = decode,
	.encode = encode,
	.encode_fault = encode_fault,
};
