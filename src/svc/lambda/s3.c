#include "lambda.h"

err code_from_s3(req *rq, str bucket, str key, package *out)
{
	return fail(rq, &lambda_InvalidParameterValueException,
	            "Code from S3 (s3://%.*s/%.*s) is not implemented: give the package itself as ZipFile.",
	            STR_ARG(bucket), STR_ARG(key));
}
