# Bella as her seed recommends her: a function behind a URL, sessions in DynamoDB, rows in Aurora PostgreSQL.
# The same on AWS and on Farthing: AWS_ENDPOINT_URL says where.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

variable "package" {
  description = "The function's zip: the contents of ../app."
  type        = string
  default     = "deployment.zip"
}

variable "db_password" {
  type      = string
  sensitive = true
}

variable "openai_key" {
  type      = string
  sensitive = true
  default   = "sk-test-bella"
}

provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = { app = "bella" }
  }
}

resource "aws_lambda_function" "bella" {
  function_name    = "bella-voice-app"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  role             = aws_iam_role.bella.arn
  runtime          = "python3.11"
  handler          = "handler.handler"
  timeout          = 30
  memory_size      = 512

  environment {
    variables = {
      DATABASE_URL   = aws_ssm_parameter.db_url.value
      OPENAI_API_KEY = aws_ssm_parameter.openai_key.value
    }
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.bella]
}

# Twilio signs its requests itself, so the URL asks for no AWS signature.
resource "aws_lambda_function_url" "bella" {
  function_name      = aws_lambda_function.bella.function_name
  authorization_type = "NONE"
}

resource "aws_iam_role" "bella" {
  name = "bella-lambda-role"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.bella.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "bella" {
  name = "bella"
  role = aws_iam_role.bella.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = aws_dynamodb_table.sessions.arn
      },
      {
        Effect   = "Allow"
        Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        Resource = "*"
      },
    ]
  })
}

resource "aws_dynamodb_table" "sessions" {
  name         = "bella_sessions"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "call_sid"

  attribute {
    name = "call_sid"
    type = "S"
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }
}

resource "aws_rds_cluster" "bella" {
  cluster_identifier  = "bella-db"
  engine              = "aurora-postgresql"
  engine_version      = "15.4"
  database_name       = "bella"
  master_username     = "bella_admin"
  master_password     = var.db_password
  skip_final_snapshot = true

  serverlessv2_scaling_configuration {
    min_capacity = 0.5
    max_capacity = 1
  }
}

resource "aws_rds_cluster_instance" "bella" {
  identifier         = "bella-db-1"
  cluster_identifier = aws_rds_cluster.bella.id
  instance_class     = "db.serverless"
  engine             = aws_rds_cluster.bella.engine
  engine_version     = aws_rds_cluster.bella.engine_version
}

resource "aws_ssm_parameter" "db_url" {
  name = "/bella/db_url"
  type = "SecureString"
  value = format("postgresql://bella_admin:%s@%s:%s/bella", var.db_password,
  aws_rds_cluster.bella.endpoint, aws_rds_cluster.bella.port)
}

resource "aws_ssm_parameter" "openai_key" {
  name  = "/bella/openai_key"
  type  = "SecureString"
  value = var.openai_key
}

resource "aws_cloudwatch_log_group" "bella" {
  name              = "/aws/lambda/bella-voice-app"
  retention_in_days = 7
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "bella-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.bella.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}

resource "aws_budgets_budget" "month" {
  name         = "bella-month"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = "60"
  limit_unit   = "USD"

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = ["owner@example.com"]
  }
}

output "url" {
  value = aws_lambda_function_url.bella.function_url
}
