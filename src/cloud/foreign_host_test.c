#include "cloud/foreign_host.h"
#include "test/test.h"

TEST(foreign_host_kinds)
{
	static const struct { const char *host; foreign_kind kind; } cases[] = {
		{ "", FOREIGN_NOT }, { "localhost", FOREIGN_NOT }, { "localhost:4566", FOREIGN_NOT },
		{ "127.0.0.1:4566", FOREIGN_NOT }, { "10.1.2.3", FOREIGN_NOT }, { "[::1]:80", FOREIGN_NOT },
		{ "[::ffff:127.0.0.1]", FOREIGN_NOT }, { "farthing:4566", FOREIGN_NOT }, { ":80", FOREIGN_NOT },
		{ "s3.us-east-1.amazonaws.com", FOREIGN_NOT }, { "X.S3.AmazonAWS.com", FOREIGN_NOT },
		{ "d1.cloudfront.net", FOREIGN_NOT }, { "id.lambda-url.us-east-1.on.aws", FOREIGN_NOT },
		{ "localhost.localstack.cloud:4566", FOREIGN_NOT },
		{ "s3.localhost.localstack.cloud:4566", FOREIGN_NOT }, { "b.s3.localhost:4566", FOREIGN_NOT },
		{ "shop.localhost:4566", FOREIGN_LOCAL }, { "SHOP.LOCALHOST", FOREIGN_LOCAL },
		{ "example.com", FOREIGN_HOST }, { "www.example.com:443", FOREIGN_HOST }, { "a.1", FOREIGN_HOST },
		{ "amazonaws.com.example.net", FOREIGN_HOST },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_I64(foreign_host_kind(str_c(cases[i].host)), cases[i].kind);
}
