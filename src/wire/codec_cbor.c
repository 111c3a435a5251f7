/*
 * rpc-v2-cbor: POST /service/NAME/operation/NAME with smithy-protocol: rpc-v2-cbor and one CBOR map.
 */
#include "wire/codec.h"
#include "wire/fault.h"
#include "wire/value_cbor.h"

#define BODY_MAX ((size_t)1 << 30)

static err decode(const wire_message *m, const operation *op, void *in)
{
	str why;
	if (!op->input || m->body.n == 0 || cbor_read(m->mem, op->input, wire_body(m), true, in, &why))
		return OK;
	return fault_new(m->mem, &fault_syntax, "%.*s", STR_ARG(why));
}

static void head(wire_message *m, const service *s, int status, str request_id)
{
	m->status = status;
	add_request_id(m, s, request_id);
	wire_header_add(m, S("smithy-protocol"), S("rpc-v2-cbor"));
}

static void encode(wire_message *m, const operation *op, const void *out, str request_id)
{
	head(m, op->service, op->status ? op->status : 200, request_id);
	if (!op->output || !out) {
		m->body = op->output ? S("\xa0") : S("");
		if (op->output)
			add_content_type(m, S("application/cbor"));
		return;
	}
	add_content_type(m, S("application/cbor"));
	buf b = buf_in(m->mem, 512, BODY_MAX);
	cbor_encode_value(&b, op->output, out);
	m->body = buf_str(&b);
}

static void encode_fault(wire_message *m, const service *s, const operation *op, err e, str request_id)
{
	fault_view f = fault_seen(s, PROTOCOL_CBOR, e);
	(void)op;
	head(m, s, f.status, request_id);
	add_content_type(m, S("application/cbor"));
	if (s && s->query_compatible)
		wire_header_add(m, S("x-amzn-query-error"),
		                arena_fmt(m->mem, "%s;%s", e->kind->query_code,
		                          f.server ? "Receiver" : "Sender"));
	buf b = buf_in(m->mem, 256, BODY_MAX);
	size_t more = f.shape ? cbor_count_members(f.shape, f.detail, f.message_member) : 0;
	cbor_put_head(&b, CBOR_MAP, 1 + str_is(f.message) + more);
	cbor_put_text(&b, S("__type"));
	cbor_put_text(&b, f.code);
	if (str_is(f.message)) {
		cbor_put_text(&b, str_c(f.message_name));
		cbor_put_text(&b, f.message);
	}
	if (f.shape)
		cbor_write_members(&b, f.shape, f.detail, f.message_member);
	m->body = buf_str(&b);
}

const codec codec_cbor = {
	.name = "cbor",
	.protocol = PROTOCOL_CBOR,
	.decode = decode,
	.encode = encode,
	.encode_fault = encode_fault,
};
