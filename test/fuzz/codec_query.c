/* Any bytes as an EC2 form, and as a CloudWatch form. */
#include "test/fuzz/codecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const service *ec2, *cloudwatch;
	fuzz f;
	if (!ec2) {
		ec2 = fuzz_service("src/svc/ec2/ec2.api");
		cloudwatch = fuzz_service("src/svc/cloudwatch/cloudwatch.api");
	}
	bool other = size > 0 && data[0] & 0x80;
	if (!fuzz_begin(&f, other ? cloudwatch : ec2, data, size))
		return 0;
	wire_message m = { .mem = f.mem, .method = S("POST"), .path = S("/"), .body = f.rest };
	fuzz_decode(&f, other ? &codec_query : &codec_ec2, &m);
	return 0;
}
