-- A POST of 300 bytes with the headers that an AWS client sends.
wrk.method = "POST"
wrk.body = string.rep("x", 300)
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["X-Amz-Target"] = "DynamoDB_20120810.GetItem"
wrk.headers["X-Amz-Date"] = "20261121T061412Z"
wrk.headers["User-Agent"] = "aws-cli/2.15.0 md/awscrt#0.19.19 ua/2.0 os/linux lang/python#3.11 cfg/retry-mode#standard"
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/dynamodb/"
	.. "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
	.. string.rep("0123456789abcdef", 4)
