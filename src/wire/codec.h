/*
 * Codecs: HTTP messages to C structs and back, one per protocol, chosen per request. A codec walks
 * shape tables (wire/shape.h); it knows no service.
 *
 * Decoding fills a zeroed struct of op->input->size bytes in the request arena. Strings point into the
 * message where they can. Unknown members are skipped. Wrong JSON types, bad base64, numbers out of
 * range and so on fail with a fault of kind fault_syntax whose message is AWS's; what the model
 * demands of a well-formed value is the validator's business.
 *
 * Every decoder bounds its recursion (64 levels; JSON 100) and never holds more than a small multiple of the
 * message in memory.
 */
#pragma once
#include "base/buf.h"
#include "wire/shape.h"

typedef struct http_header { str name, value; } http_header;

/* A request or a response as the codecs see it. Header names compare without case. */
typedef struct wire_message {
	arena *mem;
	str method;  /* requests */
	str path;    /* raw, percent-encoded, without the query; of virtual-host S3, rewritten to path style */
	str query;   /* raw, without '?'; STR_NONE when absent */
	int status;  /* responses */
	http_header *headers;
	size_t n_headers, headers_capacity;
	str body;
} wire_message;

str wire_header(const wire_message *m, str name); /* STR_NONE when absent; the first of several */
void wire_header_add(wire_message *m, str name, str value);
/* The body of a request as it was before the client packed it (Content-Encoding: gzip, as SDKs send large
 * PutMetricData). One that cannot be unpacked is given as it came. */
str wire_body(const wire_message *m);

/* How this request is spoken. */
typedef struct codec {
	const char *name;
	uint8_t protocol;
	/* in: request -> struct of op->input (never NULL). */
	err (*decode)(const wire_message *m, const operation *op, void *in);
	/* out: struct of op->output (NULL when the operation has none) -> response: status, headers, body. A
	 * Content-Type that the response already has is kept: JSON 1.0 and 1.1 are answered as they asked. */
	void (*encode)(wire_message *m, const operation *op, const void *out, str request_id);
	/* fault -> response. op may be NULL (unknown operation). */
	void (*encode_fault)(wire_message *m, const service *s, const operation *op, err fault,
	                     str request_id);
} codec;

extern const codec codec_json, codec_rest_json, codec_rest_xml, codec_query, codec_ec2, codec_cbor;
const codec *codec_for(uint8_t protocol);

/*
 * What the model demands of a decoded value: required members, lengths, ranges, patterns, enums, union
 * arity. NULL when it holds, else AWS's sentence ("2 validation errors detected: Value at ...; ...").
 * Member names in messages are written as AWS writes them: first letter lowered, a.b, a.1.member.b.
 */
str validate(arena *a, const shape *s, const void *value);
/* The same in the words of services with an invalid_fault: of the first thing that is wrong. */
str validate_parameters(arena *a, const shape *s, const void *value);

/*
 * REST routing: which operation of `s` does this method, path and query mean? Labels are matched by
 * segment, {Key+} greedily; among several the one with most literal text wins, then the one whose fixed
 * query (?delete, ?x=y) is present. NULL: none. The codec re-reads labels when it decodes.
 */
const operation *rest_route(const service *s, str method, str path, str query);
/* The same for a whole message: some operations differ by a header (CopyObject, UploadPartCopy). */
const operation *rest_route_message(const service *s, const wire_message *m);

/* A map of an output may be JSON text already, when only JSON is answered: its count is this, and its entries
 * are a `str` with the text. */
#define MAP_AS_TEXT SIZE_MAX

/*
 * Values as text, for records, logs and tests. The JSON form is the awsJson one (model names, epoch
 * seconds, base64), whatever the service's own protocol.
 */
err json_decode_value(arena *a, const shape *s, str json, void *value);
void json_encode_value(buf *b, const shape *s, const void *value);
/* Compact CBOR with member names as keys; what the store keeps. */
err cbor_decode_value(arena *a, const shape *s, str cbor, void *value);
void cbor_encode_value(buf *b, const shape *s, const void *value);

/* A deep copy whose strings do not depend on the message or transaction they came from. */
void shape_copy(arena *a, const shape *s, const void *from, void *to);

/* One frame of application/vnd.amazon.eventstream: headers, payload, both CRCs. */
void event_frame(buf *b, const http_header *headers, size_t n_headers, str payload);
