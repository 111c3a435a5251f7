-- ssm:GetParameter of the parameter that NAME says, as an AWS client sends it (open mode: any credentials).
wrk.method = "POST"
wrk.body = '{"Name":"' .. os.getenv("NAME") .. '"}'
wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
wrk.headers["X-Amz-Target"] = "AmazonSSM.GetParameter"
local now = os.date("!%Y%m%dT%H%M%SZ")
wrk.headers["X-Amz-Date"] = now
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/" .. now:sub(1, 8) .. "/us-east-1/ssm/aws4_request, "
	.. "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" .. string.rep("0123456789abcdef", 4)
