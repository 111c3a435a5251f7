/* Any bytes as a DynamoDB request; and as JSON for the reader of free-form documents. */
#include "test/fuzz/codecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const service *s;
	fuzz f;
	if (!s)
		s = fuzz_service("src/svc/dynamodb/dynamodb.api");
	if (!fuzz_begin(&f, s, data, size))
		return 0;
	wire_message m = { .mem = f.mem, .method = S("POST"), .path = S("/"), .body = f.rest };
	fuzz_decode(&f, &codec_json, &m);
	json_value *v = json_parse(f.mem, f.rest);
	ensure(!v == !json_valid(f.rest));
	if (v) {
		buf b = buf_in(f.mem, 256, (size_t)64 << 20);
		json_write(&b, v);
		ensure(json_valid(buf_str(&b)));
	}
	return 0;
}
