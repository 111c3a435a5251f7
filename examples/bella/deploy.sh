#!/bin/sh
# Bella with the stock aws CLI. Prints the function's URL.
#   deploy.sh           "serverless-first" (seed 000, option A): function, function URL, table, parameters, role
#   deploy.sh aurora    the seed's recommendation: the same and Aurora PostgreSQL Serverless v2, 0.5 to 1 ACU
# AWS_ENDPOINT_URL says where; on AWS itself leave it unset.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} --output text "$@"; }
say() { echo "  $*" >&2; }

say "role bella-lambda-role"
aws iam create-role --role-name bella-lambda-role --assume-role-policy-document \
	'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >/dev/null
aws iam put-role-policy --role-name bella-lambda-role --policy-name bella --policy-document \
	'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","logs:*","xray:PutTraceSegments","xray:PutTelemetryRecords"],"Resource":"*"}]}'
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

variables="OPENAI_API_KEY=$key"
if [ "${1:-}" = aurora ]; then
	password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
	say "Aurora cluster bella-db (PostgreSQL 15.4, Serverless v2) and its writer"
	aws rds create-db-cluster --db-cluster-identifier bella-db --engine aurora-postgresql --engine-version 15.4 \
		--database-name bella --master-username bella_admin --master-user-password "$password" \
		--serverless-v2-scaling-configuration MinCapacity=0.5,MaxCapacity=1 >/dev/null
	aws rds create-db-instance --db-instance-identifier bella-db-1 --db-cluster-identifier bella-db \
		--db-instance-class db.serverless --engine aurora-postgresql >/dev/null
	until [ "$(aws rds describe-db-instances --db-instance-identifier bella-db-1 \
		--query 'DBInstances[0].DBInstanceStatus')" = available ]; do sleep 0.2; done
	host=$(aws rds describe-db-clusters --db-cluster-identifier bella-db --query 'DBClusters[0].Endpoint')
	url="postgresql://bella_admin:$password@$host:5432/bella"
	aws ssm put-parameter --name /bella/db_url --type SecureString --value "$url" >/dev/null
	variables="$variables,DATABASE_URL=$url"
fi

say "function bella-voice-app (python3.11, 512 MB, 30 s, traced)"
zip=$(mktemp -d)
(cd "$here/app" && zip -qr "$zip/deployment.zip" . -x '*.pyc' -x '*__pycache__*')
aws lambda create-function --function-name bella-voice-app --runtime python3.11 --handler handler.handler \
	--role "$role" --timeout 30 --memory-size 512 --environment "Variables={$variables}" \
	--tracing-config Mode=Active --zip-file "fileb://$zip/deployment.zip" >/dev/null
rm -r "$zip"
aws lambda wait function-active-v2 --function-name bella-voice-app

say "function URL"
aws lambda add-permission --function-name bella-voice-app --statement-id url --principal '*' \
	--action lambda:InvokeFunctionUrl --function-url-auth-type NONE >/dev/null
aws lambda create-function-url-config --function-name bella-voice-app --auth-type NONE --query FunctionUrl
