#include "wire/fault.h"
#include "base/text.h"
#include "wire/value.h"

bool is_s3(const service *s)
{
	return s && strcmp(s->name, "s3") == 0;
}

/* The names under which error shapes keep what went wrong, most usual first. */
static const shape_member *message_member(const shape *s)
{
	static const char *const names[] = { "message", "Message", "errorMessage", "ErrorMessage" };
	for (size_t k = 0; s && k < sizeof names / sizeof *names; k++) {
		const shape_member *m = shape_member_find(s, str_c(names[k]));
		if (m && m->shape->kind == SHAPE_STRING && m->place == IN_BODY)
			return m;
	}
	return NULL;
}

static str syntax_code(const service *s, uint8_t spoken)
{
	switch ((protocol)spoken) {
	case PROTOCOL_REST_XML: return is_s3(s) ? S("MalformedXML") : S("MalformedInput");
	case PROTOCOL_QUERY: return S("MalformedInput");
	case PROTOCOL_EC2: return S("InvalidParameterValue");
	default: return S("SerializationException");
	}
}

bool is_sqs(const service *s)
{
	return s && strcmp(s->name, "sqs") == 0;
}

/* Services that speak JSON at one path answer 400 where others forbid, whatever their models say; SQS also
 * where what is named is not there. */
static int status_of(const service *s, const fault_kind *kind, bool at_one_path)
{
	bool milder = at_one_path && (kind->status == 403 || (kind->status == 404 && is_sqs(s)));
	return !kind->status || milder ? 400 : kind->status;
}

fault_view fault_seen(const service *s, uint8_t spoken, err e)
{
	const fault_kind *kind = e->kind;
	const shape_member *message = message_member(kind->shape);
	bool rest_json = spoken == PROTOCOL_REST_JSON;
	bool xml = spoken == PROTOCOL_REST_XML || spoken == PROTOCOL_QUERY || spoken == PROTOCOL_EC2;
	return (fault_view){
		.code = kind == &fault_syntax ? syntax_code(s, spoken)
		                              : str_c(xml ? kind->query_code : kind->code),
		.message = e->message,
		.message_name = message ? message->name : "message",
		.status = status_of(s, kind, !xml && !rest_json),
		.server = kind->server,
		.shape = e->detail ? kind->shape : NULL,
		.detail = kind->shape ? e->detail : NULL,
		.message_member = message,
	};
}

str s3_host_id(arena *a, str request_id)
{
	return base64_encode(a, request_id);
}

void add_request_id(wire_message *m, const service *s, str request_id)
{
	if (is_s3(s)) {
		wire_header_add(m, S("x-amz-request-id"), request_id);
		wire_header_add(m, S("x-amz-id-2"), s3_host_id(m->mem, request_id));
		wire_header_add(m, S("Server"), S("AmazonS3"));
	} else {
		wire_header_add(m, S("x-amzn-RequestId"), request_id);
	}
}

void add_content_type(wire_message *m, str type)
{
	if (!str_is(wire_header(m, S("Content-Type"))))
		wire_header_add(m, S("Content-Type"), type);
}
