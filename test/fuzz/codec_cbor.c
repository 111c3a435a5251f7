/* Any bytes as a CloudWatch request in CBOR; and as a row of the store. */
#include "test/fuzz/codecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const service *s;
	fuzz f;
	if (!s)
		s = fuzz_service("src/svc/cloudwatch/cloudwatch.api");
	if (!fuzz_begin(&f, s, data, size))
		return 0;
	wire_message m = { .mem = f.mem, .method = S("POST"), .path = S("/"), .body = f.rest };
	fuzz_decode(&f, &codec_cbor, &m);
	void *value = arena_alloc(f.mem, f.op->input->size);
	if (!cbor_decode_value(f.mem, f.op->input, f.rest, value))
		fuzz_dump(f.mem, f.op->input, value);
	return 0;
}
