/* Packages that lie in a bucket. */
#include "lambda.h"
#if __has_include("gen/s3.h")
#include "cloud/call.h"
#include "gen/s3.h"

err code_from_s3(req *rq, str bucket, str key, str version, package *out)
{
	s3_GetObject_in in = { .Bucket = bucket, .Key = key, .VersionId = version };
	s3_GetObject_out object = { 0 };
	if (!bucket.n || !key.n)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Please provide both S3Bucket and S3Key for a package in S3.");
	err missing = call(rq, NULL, "s3", "GetObject", &in, &object);
	if (missing)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %.*s",
		            missing->kind->code, STR_ARG(missing->message));
	return code_keep(rq, object.Body, out);
}
#else
err code_from_s3(req *rq, str bucket, str key, str version, package *out)
{
	return fail(rq, &lambda_InvalidParameterValueException,
	            "There is no S3 here: give the package itself as ZipFile.");
}
#endif
