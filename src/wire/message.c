#include "base/gzip.h"
#include "wire/codec.h"

#define UNPACKED_MAX ((size_t)16 << 20)

str wire_header(const wire_message *m, str name)
{
	for (size_t i = 0; i < m->n_headers; i++)
		if (m->headers[i].name.n == name.n && str_eq_nocase(m->headers[i].name, name))
			return m->headers[i].value;
	return STR_NONE;
}

void wire_header_add(wire_message *m, str name, str value)
{
	if (m->n_headers == m->headers_capacity) {
		size_t capacity = m->headers_capacity ? m->headers_capacity * 2 : 16;
		http_header *more = arena_array(m->mem, http_header, capacity);
		if (m->n_headers)
			memcpy(more, m->headers, m->n_headers * sizeof *more);
		m->headers = more;
		m->headers_capacity = capacity;
	}
	m->headers[m->n_headers++] = (http_header){ name, value };
}

str wire_body(const wire_message *m)
{
	str plain;
	bool packed = m->body.n && str_eq_nocase(wire_header(m, S("content-encoding")), S("gzip"));
	return packed && gzip_unpack(m->mem, m->body, UNPACKED_MAX, &plain) ? plain : m->body;
}

const codec *codec_for(uint8_t which)
{
	switch ((protocol)which) {
	case PROTOCOL_JSON: return &codec_json;
	case PROTOCOL_REST_JSON: return &codec_rest_json;
	case PROTOCOL_REST_XML: return &codec_rest_xml;
	case PROTOCOL_QUERY: return &codec_query;
	case PROTOCOL_EC2: return &codec_ec2;
	case PROTOCOL_CBOR: return &codec_cbor;
	}
	return NULL;
}
