/*
 * awsQuery and its dialect of EC2: a form in, XML out. The parameters are in the body, or in the query where
 * the request is a GET.
 */
#include "wire/codec.h"
#include "wire/fault.h"
#include "wire/value_form.h"
#include "wire/value_xml.h"

#define BODY_MAX ((size_t)1 << 30)
#define DECLARATION S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")

static const xml_style query_style = { .query_names = true };
static const xml_style ec2_style = { .milliseconds = true };

static err decode_form(const wire_message *m, const operation *op, form_style style, void *in)
{
	str form = m->body.n ? wire_body(m) : m->query, why = STR_NONE;
	if (!op->input || form_read(m->mem, op->input, str_is(form) ? form : S(""), style, in, &why))
		return OK;
	return fault_new(m->mem, &fault_syntax, "%.*s", STR_ARG(why));
}

static err decode_query(const wire_message *m, const operation *op, void *in)
{
	return decode_form(m, op, (form_style){ .ec2 = false }, in);
}

static err decode_ec2(const wire_message *m, const operation *op, void *in)
{
	return decode_form(m, op, (form_style){ .ec2 = true }, in);
}

static void put_response_open(buf *b, const operation *op, bool closing_slash)
{
	const char *uri = op->service->xml_uri ? op->service->xml_uri : "";
	size_t n = strlen(uri);
	buf_put(b, DECLARATION);
	buf_fmt(b, "<%sResponse xmlns=\"", op->name);
	xml_put_text(b, str_of(uri, n));
	if (closing_slash && n && uri[n - 1] != '/')
		buf_c(b, '/');
	buf_put(b, S("\">"));
}

static void put_response_close(buf *b, const operation *op)
{
	buf_fmt(b, "</%sResponse>", op->name);
}

static void encode_query(wire_message *m, const operation *op, const void *out, str request_id)
{
	m->status = op->status ? op->status : 200;
	add_request_id(m, op->service, request_id);
	add_content_type(m, S("text/xml"));
	buf b = buf_in(m->mem, 1024, BODY_MAX);
	put_response_open(&b, op, false);
	if (op->output) {
		str wrapper = op->result_wrapper ? str_c(op->result_wrapper)
		                                 : arena_fmt(m->mem, "%sResult", op->name);
		xml_put_open(&b, arena_str(m->mem, wrapper).p);
		if (out)
			xml_write_members(&b, op->output, &query_style, false, out, NULL);
		xml_put_close(&b, arena_str(m->mem, wrapper).p);
	}
	buf_put(&b, S("<ResponseMetadata>"));
	xml_put_element(&b, "RequestId", request_id);
	buf_put(&b, S("</ResponseMetadata>"));
	put_response_close(&b, op);
	m->body = buf_str(&b);
}

static void encode_ec2(wire_message *m, const operation *op, const void *out, str request_id)
{
	m->status = op->status ? op->status : 200;
	add_request_id(m, op->service, request_id);
	add_content_type(m, S("text/xml;charset=UTF-8"));
	buf b = buf_in(m->mem, 1024, BODY_MAX);
	put_response_open(&b, op, true);
	xml_put_element(&b, "requestId", request_id);
	if (op->output && out)
		xml_write_members(&b, op->output, &ec2_style, false, out, NULL);
	else if (!op->output)
		xml_put_element(&b, "return", S("true")); /* EC2's way to say that all went well */
	put_response_close(&b, op);
	m->body = buf_str(&b);
}

static void fault_query(wire_message *m, const service *s, const operation *op, err e, str request_id)
{
	fault_view f = fault_seen(s, PROTOCOL_QUERY, e);
	(void)op;
	m->status = f.status;
	add_request_id(m, s, request_id);
	add_content_type(m, S("text/xml"));
	buf b = buf_in(m->mem, 512, BODY_MAX);
	buf_put(&b, DECLARATION);
	buf_put(&b, S("<ErrorResponse xmlns=\""));
	xml_put_text(
		&b, s && s->xml_uri ? str_c(s->xml_uri) : S("http://webservices.amazon.com/AWSFault/2005-15-09"));
	buf_put(&b, S("\"><Error>"));
	xml_put_element(&b, "Type", f.server ? S("Receiver") : S("Sender"));
	xml_put_element(&b, "Code", f.code);
	if (str_is(f.message))
		xml_put_element(&b, "Message", f.message);
	if (f.shape)
		xml_write_members(&b, f.shape, &query_style, false, f.detail, f.message_member);
	if (is_sqs(s))
		buf_put(&b, S("<Detail/>"));
	buf_put(&b, S("</Error>"));
	xml_put_element(&b, "RequestId", request_id);
	buf_put(&b, S("</ErrorResponse>"));
	m->body = buf_str(&b);
}

static void fault_ec2(wire_message *m, const service *s, const operation *op, err e, str request_id)
{
	fault_view f = fault_seen(s, PROTOCOL_EC2, e);
	(void)op;
	m->status = f.status;
	add_request_id(m, s, request_id);
	add_content_type(m, S("text/xml;charset=UTF-8"));
	buf b = buf_in(m->mem, 512, BODY_MAX);
	buf_put(&b, DECLARATION);
	buf_put(&b, S("<Response><Errors><Error>"));
	xml_put_element(&b, "Code", f.code);
	xml_put_element(&b, "Message", f.message);
	if (f.shape)
		xml_write_members(&b, f.shape, &ec2_style, false, f.detail, f.message_member);
	buf_put(&b, S("</Error></Errors>"));
	xml_put_element(&b, "RequestID", request_id);
	buf_put(&b, S("</Response>"));
	m->body = buf_str(&b);
}

const codec codec_query = {
	.name = "query",
	.protocol = PROTOCOL_QUERY,
	.decode = decode_query,
	.encode = encode_query,
	.encode_fault = fault_query,
};

const codec codec_ec2 = {
	.name = "ec2",
	.protocol = PROTOCOL_EC2,
	.decode = decode_ec2,
	.encode = encode_ec2,
	.encode_fault = fault_ec2,
};
