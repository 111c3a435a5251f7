/*
 * Any bytes as an S3 or a Lambda request: path, query and a header's value up to a NUL each, then the body.
 * The message is also routed as it is, and decoded for whatever operation that finds.
 */
#include "test/fuzz/codecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const service *s3, *lambda;
	fuzz f;
	if (!s3) {
		s3 = fuzz_service("src/svc/s3/s3.api");
		lambda = fuzz_service("src/svc/lambda/lambda.api");
	}
	bool other = size > 0 && data[0] & 0x80;
	if (!fuzz_begin(&f, other ? lambda : s3, data, size))
		return 0;
	const codec *c = other ? &codec_rest_json : &codec_rest_xml;
	wire_message m = { .mem = f.mem, .method = str_c(f.op->method) };
	str rest = f.rest;
	m.path = str_cut(&rest, 0);
	m.query = str_is(rest) ? str_cut(&rest, 0) : STR_NONE;
	str value = str_is(rest) ? str_cut(&rest, 0) : S("");
	m.body = str_is(rest) ? rest : S("");
	for (unsigned i = 0; i < f.op->input->n_members; i++)
		if (f.op->input->members[i].place == IN_HEADER)
			wire_header_add(&m, str_c(f.op->input->members[i].wire_name), value);
	wire_header_add(&m, S("x-amz-meta-a"), value);
	fuzz_decode(&f, c, &m);
	f.op = rest_route_message(f.service, &m);
	rest_route(f.service, m.method, m.path, m.query);
	if (f.op && f.op->input)
		fuzz_decode(&f, c, &m);
	return 0;
}
