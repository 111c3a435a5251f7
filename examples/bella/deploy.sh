#!/bin/sh
# Bella, "serverless-first" (seed 000, option A), with the stock aws CLI. Prints the function's URL.
# AWS_ENDPOINT_URL says where; on AWS itself leave it unset.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} --output text "$@"; }
say() { echo "  $*" >&2; }

say "role bella-lambda-role"
aws iam create-role --role-name bella-lambda-role --assume-role-policy-document \
	'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >/dev/null
aws iam put-role-policy --role-name bella-lambda-role --policy-name bella --policy-document \
	'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","logs:*"],"Resource":"*"}]}'
role=$(aws iam get-role --role-name bella-lambda-role --query Role.Arn)

say "parameters /bella/openai_key (SecureString) and /bella/greeting"
aws ssm put-parameter --name /bella/openai_key --type SecureString --value sk-test-bella >/dev/null
aws ssm put-parameter --name /bella/greeting --type String --value hello >/dev/null
key=$(aws ssm get-parameter --name /bella/openai_key --with-decryption --query Parameter.Value)

say "table bella_sessions with a time to live"
aws dynamodb create-table --table-name bella_sessions --billing-mode PAY_PER_REQUEST \
	--attribute-definitions AttributeName=call_sid,AttributeType=S \
	--key-schema AttributeName=call_sid,KeyType=HASH >/dev/null
aws dynamodb wait table-exists --table-name bella_sessions
aws dynamodb update-time-to-live --table-name bella_sessions \
	--time-to-live-specification Enabled=true,AttributeName=ttl >/dev/null

say "function bella-voice-app (python3.11, 512 MB, 30 s)"
zip=$(mktemp -d)
(cd "$here/app" && zip -qr "$zip/deployment.zip" . -x '*.pyc' -x '*__pycache__*')
aws lambda create-function --function-name bella-voice-app --runtime python3.11 --handler handler.handler \
	--role "$role" --timeout 30 --memory-size 512 --environment "Variables={OPENAI_API_KEY=$key}" \
	--zip-file "fileb://$zip/deployment.zip" >/dev/null
rm -r "$zip"
aws lambda wait function-active-v2 --function-name bella-voice-app

say "function URL"
aws lambda add-permission --function-name bella-voice-app --statement-id url --principal '*' \
	--action lambda:InvokeFunctionUrl --function-url-auth-type NONE >/dev/null
aws lambda create-function-url-config --function-name bella-voice-app --auth-type NONE --query FunctionUrl
