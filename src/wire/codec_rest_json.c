#include "wire/codec.h"
#include "wire/fault.h"
#include "wire/rest.h"
#include "wire/value_json.h"

#define BODY_MAX ((size_t)1 << 30)

static err read_body(const wire_message *m, const shape *s, bool body_only, void *value)
{
	str why = STR_NONE;
	if (json_read(m->mem, s, m->body, JSON_WIRE_NAMES, JSON_WORDS_COMMON, body_only, value, &why))
		return OK;
	return fault_new(m->mem, &fault_syntax, "%.*s", STR_ARG(why));
}

static err decode(const wire_message *m, const operation *op, void *in)
{
	const shape *s = op->input;
	if (!s)
		return OK;
	TRY(rest_read(m, op, in));
	const shape_member *payload = rest_payload(s);
	if (!payload)
		return rest_has_body(s) ? read_body(m, s, true, in) : OK;
	if (rest_read_raw(m, payload, in) || m->body.n == 0)
		return OK;
	room r = room_for(m->mem, m->body.n);
	return read_body(m, payload->shape, false, member_make(&r, payload, in));
}

static void write_body(wire_message *m, const shape *s, const void *out)
{
	const shape_member *payload = rest_payload(s);
	if (payload && rest_write_raw(m, payload, out))
		return;
	const void *v = payload ? member_value(payload, out) : out;
	buf b = buf_in(m->mem, 512, BODY_MAX);
	add_content_type(m, S("application/json"));
	if (payload && v) {
		json_write_value(&b, payload->shape, JSON_WIRE_NAMES, v);
	} else {
		buf_c(&b, '{');
		if (v)
			json_write_members(&b, s, JSON_WIRE_NAMES, v, NULL);
		buf_c(&b, '}');
	}
	m->body = buf_str(&b);
}

static void encode(wire_message *m, const operation *op, const void *out, str request_id)
{
	m->status = op->status ? op->status : 200;
	m->body = S("");
	add_request_id(m, op->service, request_id);
	if (op->output && out)
		rest_write(m, op->output, out);
	/* 204 has no body by its definition; a model without output has none by AWS's habit. */
	if (op->output && out && m->status != 204)
		write_body(m, op->output, out);
	else if (m->status != 204)
		add_content_type(m, S("application/json"));
}

/* Lambda and its kin model who is to blame as a member beside the message. */
static bool has_type(const fault_view *f, const fault_kind *kind)
{
	const shape_member *type = kind->shape ? shape_member_find(kind->shape, S("Type")) : NULL;
	return type && type->shape->kind == SHAPE_STRING && type->place == IN_BODY &&
	       (!f->detail || !member_value(type, f->detail));
}

static void encode_fault(wire_message *m, const service *s, const operation *op, err e, str request_id)
{
	fault_view f = fault_seen(s, PROTOCOL_REST_JSON, e);
	(void)op;
	m->status = f.status;
	add_request_id(m, s, request_id);
	wire_header_add(m, S("x-amzn-ErrorType"), f.code);
	if (f.shape)
		rest_write(m, f.shape, f.detail);
	m->status = f.status;
	add_content_type(m, S("application/json"));
	buf b = buf_in(m->mem, 256, BODY_MAX);
	buf_c(&b, '{');
	if (has_type(&f, e->kind))
		buf_fmt(&b, "\"Type\":\"%s\",", f.server ? "Service" : "User");
	buf_fmt(&b, "\"%s\":", f.message_member ? f.message_member->wire_name : "message");
	json_put_string(&b, f.message);
	if (f.shape) {
		size_t before = b.n;
		buf_c(&b, ',');
		if (!json_write_members(&b, f.shape, JSON_WIRE_NAMES, f.detail, f.message_member))
			b.n = before;
	}
	buf_c(&b, '}');
	m->body = buf_str(&b);
}

const codec codec_rest_json = {
	.name = "rest-json",
	.protocol = PROTOCOL_REST_JSON,
	.decode = decode,
	.encode = encode,
	.encode_fault = encode_fault,
};
