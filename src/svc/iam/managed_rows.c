/* AWS's own managed policies for the services that are here, and what their service-linked roles carry. */
#include "managed.h"

#define LOGS_WRITE "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents"
#define VPC_INTERFACES \
	"ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets " \
	"ec2:DeleteNetworkInterface ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses"
#define XRAY_WRITE \
	"xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets " \
	"xray:GetSamplingStatisticSummaries"
#define ECR_READ \
	"ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage"
#define ECR_LOOK \
	"ecr:GetRepositoryPolicy ecr:DescribeRepositories ecr:ListImages ecr:DescribeImages " \
	"ecr:GetLifecyclePolicy ecr:GetLifecyclePolicyPreview ecr:ListTagsForResource " \
	"ecr:DescribeImageScanFindings"
#define ECR_WRITE \
	"ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:CompleteLayerUpload ecr:PutImage"

const aws_row aws_rows[] = {
	{ "AdministratorAccess", NULL, "*", NULL },
	{ "AdministratorAccess-AWSElasticBeanstalk", NULL,
	  "elasticbeanstalk:* ec2:* ecs:* ecr:* elasticloadbalancing:* autoscaling:* cloudwatch:* s3:* sns:* "
	  "cloudformation:* dynamodb:* rds:* sqs:* logs:* iam:GetRole iam:PassRole iam:ListRoles "
	  "iam:ListInstanceProfiles iam:ListServerCertificates acm:Describe* acm:List*", NULL },
	{ "AmazonAPIGatewayAdministrator", NULL, "apigateway:*", "arn:aws:apigateway:*::/*" },
	{ "AmazonAPIGatewayInvokeFullAccess", NULL, "execute-api:Invoke execute-api:ManageConnections",
	  "arn:aws:execute-api:*:*:*" },
	{ "AmazonAPIGatewayPushToCloudWatchLogs", SERVICE_ROLE,
	  LOGS_WRITE " logs:DescribeLogGroups logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents",
	  NULL },
	{ "AmazonAthenaFullAccess", NULL,
	  "athena:* glue:CreateDatabase glue:DeleteDatabase glue:GetDatabase* glue:UpdateDatabase "
	  "glue:CreateTable glue:DeleteTable glue:BatchDeleteTable glue:UpdateTable glue:GetTable* "
	  "glue:BatchCreatePartition glue:CreatePartition glue:DeletePartition glue:BatchDeletePartition "
	  "glue:UpdatePartition glue:GetPartition* glue:BatchGetPartition s3:GetBucketLocation s3:GetObject "
	  "s3:ListBucket s3:ListBucketMultipartUploads s3:ListMultipartUploadParts s3:AbortMultipartUpload "
	  "s3:CreateBucket s3:PutObject s3:ListAllMyBuckets", NULL },
	{ "AmazonCognitoPowerUser", NULL, "cognito-identity:* cognito-idp:* cognito-sync:* iam:ListRoles", NULL },
	{ "AmazonCognitoReadOnly", NULL,
	  "cognito-identity:Describe* cognito-identity:Get* cognito-identity:List* cognito-idp:Describe* "
	  "cognito-idp:AdminGet* cognito-idp:AdminList* cognito-idp:List* cognito-idp:Get*", NULL },
	{ "AmazonDynamoDBFullAccess", NULL,
	  "dynamodb:* dax:* application-autoscaling:* cloudwatch:DeleteAlarms cloudwatch:DescribeAlarm* "
	  "cloudwatch:GetMetric* cloudwatch:ListMetrics cloudwatch:PutMetricAlarm iam:GetRole iam:ListRoles "
	  "kms:DescribeKey kms:ListAliases sns:CreateTopic sns:ListTopics sns:Subscribe lambda:CreateFunction "
	  "lambda:ListFunctions lambda:*EventSourceMapping*", NULL },
	{ "AmazonDynamoDBFullAccess_v2", NULL,
	  "dynamodb:* dax:* application-autoscaling:* cloudwatch:DescribeAlarm* cloudwatch:GetMetric* "
	  "cloudwatch:ListMetrics kms:DescribeKey kms:ListAliases", NULL },
	{ "AmazonDynamoDBReadOnlyAccess", NULL,
	  "dynamodb:BatchGetItem dynamodb:Describe* dynamodb:List* dynamodb:GetItem dynamodb:GetRecords "
	  "dynamodb:GetShardIterator dynamodb:GetResourcePolicy dynamodb:Query dynamodb:Scan "
	  "dynamodb:PartiQLSelect application-autoscaling:Describe* cloudwatch:Describe* "
	  "cloudwatch:GetMetric* cloudwatch:ListMetrics kms:DescribeKey kms:ListAliases", NULL },
	{ "AmazonEC2ContainerRegistryFullAccess", NULL, "ecr:* cloudtrail:LookupEvents", NULL },
	{ "AmazonEC2ContainerRegistryPowerUser", NULL, ECR_READ " " ECR_LOOK " " ECR_WRITE, NULL },
	{ "AmazonEC2ContainerRegistryPullOnly", NULL,
	  "ecr:GetAuthorizationToken ecr:BatchGetImage ecr:GetDownloadUrlForLayer", NULL },
	{ "AmazonEC2ContainerRegistryReadOnly", NULL, ECR_READ " " ECR_LOOK, NULL },
	{ "AmazonEC2ContainerServiceRole", SERVICE_ROLE,
	  "ec2:AuthorizeSecurityGroupIngress ec2:Describe* elasticloadbalancing:Deregister* "
	  "elasticloadbalancing:Describe* elasticloadbalancing:Register*", NULL },
	{ "AmazonEC2ContainerServiceforEC2Role", SERVICE_ROLE,
	  "ec2:DescribeTags ecs:CreateCluster ecs:DeregisterContainerInstance ecs:DiscoverPollEndpoint ecs:Poll "
	  "ecs:RegisterContainerInstance ecs:StartTelemetrySession ecs:UpdateContainerInstancesState "
	  "ecs:Submit* " ECR_READ " " LOGS_WRITE, NULL },
	{ "AmazonEC2FullAccess", NULL,
	  "ec2:* elasticloadbalancing:* cloudwatch:* autoscaling:* iam:CreateServiceLinkedRole", NULL },
	{ "AmazonEC2ReadOnlyAccess", NULL,
	  "ec2:Describe* ec2:Get* elasticloadbalancing:Describe* cloudwatch:ListMetrics "
	  "cloudwatch:GetMetric* cloudwatch:Describe* autoscaling:Describe*", NULL },
	{ "AmazonECSTaskExecutionRolePolicy", SERVICE_ROLE,
	  ECR_READ " logs:CreateLogStream logs:PutLogEvents", NULL },
	{ "AmazonECS_FullAccess", NULL,
	  "ecs:* ec2:* elasticloadbalancing:* autoscaling:* application-autoscaling:* cloudwatch:* "
	  "cloudformation:* events:* logs:CreateLogGroup logs:DescribeLogGroups logs:FilterLogEvents "
	  "servicediscovery:* route53:* lambda:ListFunctions sns:ListTopics iam:ListAttachedRolePolicies "
	  "iam:ListInstanceProfiles iam:ListRoles iam:PassRole iam:CreateServiceLinkedRole", NULL },
	{ "AmazonElastiCacheFullAccess", NULL,
	  "elasticache:* iam:CreateServiceLinkedRole ec2:Describe* cloudwatch:GetMetric* sns:ListTopics", NULL },
	{ "AmazonElastiCacheReadOnlyAccess", NULL, "elasticache:Describe* elasticache:List*", NULL },
	{ "AmazonElasticFileSystemFullAccess", NULL,
	  "elasticfilesystem:* ec2:Describe* ec2:*NetworkInterface* kms:DescribeKey kms:ListAliases", NULL },
	{ "AmazonEventBridgeFullAccess", NULL,
	  "events:* schemas:* scheduler:* pipes:* iam:CreateServiceLinkedRole iam:PassRole", NULL },
	{ "AmazonEventBridgeReadOnlyAccess", NULL,
	  "events:Describe* events:List* events:TestEventPattern schemas:Describe* schemas:List* schemas:Get* "
	  "scheduler:Get* scheduler:List*", NULL },
	{ "AmazonEventBridgeSchedulerFullAccess", NULL, "scheduler:* iam:PassRole", NULL },
	{ "AmazonEventBridgeSchedulerReadOnlyAccess", NULL, "scheduler:Get* scheduler:List*", NULL },
	{ "AmazonKinesisFullAccess", NULL, "kinesis:*", NULL },
	{ "AmazonRDSDataFullAccess", NULL,
	  "rds-data:* secretsmanager:GetSecretValue secretsmanager:ListSecrets dbqms:*", NULL },
	{ "AmazonRDSEnhancedMonitoringRole", SERVICE_ROLE,
	  "logs:CreateLogGroup logs:PutRetentionPolicy logs:CreateLogStream logs:PutLogEvents "
	  "logs:DescribeLogStreams logs:GetLogEvents", "arn:aws:logs:*:*:log-group:RDS*" },
	{ "AmazonRDSFullAccess", NULL,
	  "rds:* pi:* application-autoscaling:* cloudwatch:GetMetric* cloudwatch:ListMetrics "
	  "cloudwatch:*Alarm* ec2:Describe* ec2:GetCoipPoolUsage sns:ListSubscriptions sns:ListTopics "
	  "sns:Publish logs:DescribeLogStreams logs:GetLogEvents outposts:GetOutpostInstanceTypes "
	  "iam:CreateServiceLinkedRole", NULL },
	{ "AmazonRDSReadOnlyAccess", NULL,
	  "rds:Describe* rds:ListTagsForResource ec2:Describe* cloudwatch:GetMetric* cloudwatch:ListMetrics "
	  "logs:DescribeLogStreams logs:GetLogEvents", NULL },
	{ "AmazonRoute53FullAccess", NULL,
	  "route53:* route53domains:* cloudfront:ListDistributions elasticloadbalancing:DescribeLoadBalancers "
	  "elasticbeanstalk:DescribeEnvironments s3:ListBucket s3:GetBucketLocation s3:GetBucketWebsite "
	  "ec2:DescribeVpcs ec2:DescribeRegions sns:ListTopics cloudwatch:DescribeAlarms", NULL },
	{ "AmazonRoute53ReadOnlyAccess", NULL, "route53:Get* route53:List* route53:TestDNSAnswer", NULL },
	{ "AmazonS3FullAccess", NULL, "s3:* s3-object-lambda:*", NULL },
	{ "AmazonS3ReadOnlyAccess", NULL,
	  "s3:Get* s3:List* s3:Describe* s3-object-lambda:Get* s3-object-lambda:List*", NULL },
	{ "AmazonSESFullAccess", NULL, "ses:*", NULL },
	{ "AmazonSESReadOnlyAccess", NULL, "ses:Get* ses:List* ses:BatchGetMetricData", NULL },
	{ "AmazonSNSFullAccess", NULL, "sns:* sms-voice:*", NULL },
	{ "AmazonSNSReadOnlyAccess", NULL, "sns:Get* sns:List* sns:Check*", NULL },
	{ "AmazonSQSFullAccess", NULL, "sqs:*", NULL },
	{ "AmazonSQSReadOnlyAccess", NULL,
	  "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListDeadLetterSourceQueues sqs:ListQueues "
	  "sqs:ListMessageMoveTasks sqs:ListQueueTags", NULL },
	{ "AmazonSSMFullAccess", NULL,
	  "ssm:* cloudwatch:PutMetricData ds:CreateComputer ds:DescribeDirectories ec2:DescribeInstanceStatus "
	  "logs:* ssmmessages:* ec2messages:*", NULL },
	{ "AmazonSSMManagedInstanceCore", NULL,
	  "ssm:DescribeAssociation ssm:GetDeployablePatchSnapshotForInstance ssm:GetDocument "
	  "ssm:DescribeDocument ssm:GetManifest ssm:GetParameter ssm:GetParameters ssm:ListAssociations "
	  "ssm:ListInstanceAssociations ssm:PutInventory ssm:PutComplianceItems ssm:PutConfigurePackageResult "
	  "ssm:UpdateAssociationStatus ssm:UpdateInstanceAssociationStatus ssm:UpdateInstanceInformation "
	  "ssmmessages:* ec2messages:*", NULL },
	{ "AmazonSSMReadOnlyAccess", NULL, "ssm:Describe* ssm:Get* ssm:List*", NULL },
	{ "AmazonVPCFullAccess", NULL, "ec2:*", NULL },
	{ "AmazonVPCReadOnlyAccess", NULL, "ec2:Describe* ec2:Get* ec2:Search*", NULL },
	{ "AutoScalingFullAccess", NULL,
	  "autoscaling:* cloudwatch:PutMetricAlarm ec2:Describe* ec2:GetLaunchTemplateData "
	  "elasticloadbalancing:Describe* iam:CreateServiceLinkedRole", NULL },
	{ "AutoScalingReadOnlyAccess", NULL, "autoscaling:Describe*", NULL },
	{ "AWSAppSyncAdministrator", NULL,
	  "appsync:* iam:PassRole iam:CreateServiceLinkedRole iam:GetServiceLinkedRoleDeletionStatus", NULL },
	{ "AWSAppSyncInvokeFullAccess", NULL, "appsync:GraphQL appsync:GetGraphqlApi appsync:List*", NULL },
	{ "AWSAppSyncPushToCloudWatchLogs", SERVICE_ROLE, LOGS_WRITE, NULL },
	{ "AWSBudgetsReadOnlyAccess", NULL,
	  "aws-portal:ViewBilling budgets:View* budgets:Describe* budgets:List*",
	  NULL },
	{ "AWSCertificateManagerFullAccess", NULL, "acm:* iam:CreateServiceLinkedRole", NULL },
	{ "AWSCertificateManagerReadOnly", NULL, "acm:Describe* acm:List* acm:Get*", NULL },
	{ "AWSCloudFormationFullAccess", NULL, "cloudformation:*", NULL },
	{ "AWSCloudFormationReadOnlyAccess", NULL,
	  "cloudformation:Describe* cloudformation:EstimateTemplateCost cloudformation:Get* "
	  "cloudformation:List* cloudformation:ValidateTemplate cloudformation:Detect*", NULL },
	{ "AWSElasticBeanstalkEnhancedHealth", SERVICE_ROLE,
	  "elasticloadbalancing:Describe* ec2:Describe* ec2:GetConsoleOutput ec2:AssociateAddress "
	  "autoscaling:Describe* autoscaling:PutNotificationConfiguration sqs:Get* sns:Publish "
	  "logs:DescribeLogStreams logs:CreateLogStream logs:PutLogEvents", NULL },
	{ "AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy", NULL,
	  "elasticbeanstalk:* ec2:* autoscaling:* elasticloadbalancing:* cloudwatch:* cloudformation:* s3:* "
	  "sns:* sqs:* rds:* dynamodb:* ecs:* logs:* iam:PassRole", NULL },
	{ "AWSElasticBeanstalkMulticontainerDocker", NULL,
	  "ecs:Poll ecs:StartTask ecs:StopTask ecs:DiscoverPollEndpoint ecs:StartTelemetrySession "
	  "ecs:RegisterContainerInstance ecs:DeregisterContainerInstance ecs:DescribeContainerInstances "
	  "ecs:Submit* ecs:DescribeTasks", NULL },
	{ "AWSElasticBeanstalkWebTier", NULL,
	  "s3:Get* s3:List* s3:PutObject " XRAY_WRITE " logs:PutLogEvents logs:CreateLogStream "
	  "logs:DescribeLogStreams logs:DescribeLogGroups elasticbeanstalk:PutInstanceStatistics", NULL },
	{ "AWSElasticBeanstalkWorkerTier", NULL,
	  "cloudwatch:PutMetricData " XRAY_WRITE " sqs:ChangeMessageVisibility sqs:DeleteMessage "
	  "sqs:ReceiveMessage sqs:SendMessage s3:Get* s3:List* s3:PutObject dynamodb:BatchGetItem "
	  "dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query "
	  "dynamodb:Scan dynamodb:UpdateItem logs:PutLogEvents logs:CreateLogStream "
	  "elasticbeanstalk:PutInstanceStatistics", NULL },
	{ "AWSGlueConsoleFullAccess", NULL,
	  "glue:* s3:GetBucketLocation s3:ListBucket s3:ListAllMyBuckets s3:GetBucketAcl s3:GetObject "
	  "s3:PutObject iam:ListRoles iam:PassRole logs:GetLogEvents cloudwatch:GetMetricData "
	  "ec2:Describe* rds:Describe*", NULL },
	{ "AWSGlueServiceRole", SERVICE_ROLE,
	  "glue:* s3:GetBucketLocation s3:ListBucket s3:ListAllMyBuckets s3:GetBucketAcl s3:GetObject "
	  "s3:PutObject s3:DeleteObject ec2:Describe* ec2:*NetworkInterface* ec2:CreateTags ec2:DeleteTags "
	  "iam:ListRolePolicies iam:GetRole iam:GetRolePolicy cloudwatch:PutMetricData " LOGS_WRITE, NULL },
	{ "AWSKeyManagementServicePowerUser", NULL,
	  "kms:CreateAlias kms:CreateKey kms:DeleteAlias kms:Describe* kms:GenerateRandom kms:Get* kms:List* "
	  "kms:TagResource kms:UntagResource iam:ListGroups iam:ListRoles iam:ListUsers", NULL },
	{ "AWSLambdaBasicExecutionRole", SERVICE_ROLE, LOGS_WRITE, NULL },
	{ "AWSLambdaDynamoDBExecutionRole", SERVICE_ROLE,
	  "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams "
	  LOGS_WRITE, NULL },
	{ "AWSLambdaExecute", NULL, "logs:* s3:GetObject s3:PutObject", NULL },
	{ "AWSLambdaKinesisExecutionRole", SERVICE_ROLE,
	  "kinesis:Describe* kinesis:GetRecords kinesis:GetShardIterator kinesis:List* "
	  "kinesis:SubscribeToShard " LOGS_WRITE, NULL },
	{ "AWSLambdaRole", SERVICE_ROLE, "lambda:InvokeFunction", NULL },
	{ "AWSLambdaSQSQueueExecutionRole", SERVICE_ROLE,
	  "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes " LOGS_WRITE, NULL },
	{ "AWSLambdaVPCAccessExecutionRole", SERVICE_ROLE, LOGS_WRITE " " VPC_INTERFACES, NULL },
	{ "AWSLambda_FullAccess", NULL,
	  "lambda:* cloudformation:DescribeStacks cloudformation:ListStackResources cloudwatch:ListMetrics "
	  "cloudwatch:GetMetricData ec2:Describe* kms:ListAliases iam:GetPolicy iam:GetPolicyVersion "
	  "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies iam:ListRoles "
	  "iam:PassRole logs:DescribeLogGroups logs:DescribeLogStreams logs:GetLogEvents "
	  "logs:FilterLogEvents states:DescribeStateMachine states:ListStateMachines tag:GetResources "
	  "xray:GetTraceSummaries xray:BatchGetTraces", NULL },
	{ "AWSLambda_ReadOnlyAccess", NULL,
	  "lambda:Get* lambda:List* cloudformation:Describe* cloudformation:List* cloudwatch:GetMetricData "
	  "cloudwatch:ListMetrics iam:GetPolicy iam:GetPolicyVersion iam:GetRole iam:GetRolePolicy "
	  "iam:ListAttachedRolePolicies iam:ListRolePolicies iam:ListRoles logs:DescribeLogGroups "
	  "logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents xray:GetTraceSummaries "
	  "xray:BatchGetTraces", NULL },
	{ "AWSPriceListServiceFullAccess", NULL, "pricing:*", NULL },
	{ "AWSStepFunctionsFullAccess", NULL, "states:*", NULL },
	{ "AWSStepFunctionsReadOnlyAccess", NULL, "states:Describe* states:Get* states:List*", NULL },
	{ "AWSSupportAccess", NULL, "support:*", NULL },
	{ "AWSWAFFullAccess", NULL,
	  "waf:* waf-regional:* wafv2:* elasticloadbalancing:SetWebACL elasticloadbalancing:Describe* "
	  "apigateway:SetWebACL cloudfront:List* logs:*LogDelivery* logs:DescribeLogGroups", NULL },
	{ "AWSWAFReadOnlyAccess", NULL,
	  "waf:Get* waf:List* waf-regional:Get* waf-regional:List* wafv2:Get* wafv2:List* wafv2:Describe* "
	  "wafv2:CheckCapacity", NULL },
	{ "AWSXRayDaemonWriteAccess", NULL, XRAY_WRITE, NULL },
	{ "AWSXrayFullAccess", NULL, "xray:*", NULL },
	{ "AWSXrayReadOnlyAccess", NULL, "xray:BatchGet* xray:Get* xray:List*", NULL },
	{ "AWSXrayWriteOnlyAccess", NULL, XRAY_WRITE, NULL },
	{ "Billing", JOB,
	  "aws-portal:* billing:* budgets:* ce:* cur:* freetier:* account:GetAccountInformation payments:* "
	  "pricing:* tax:* purchase-orders:* sustainability:GetCarbonFootprintSummary", NULL },
	{ "CloudFrontFullAccess", NULL,
	  "cloudfront:* cloudfront-keyvaluestore:* s3:ListAllMyBuckets acm:ListCertificates "
	  "iam:ListServerCertificates waf:ListWebACLs waf:GetWebACL wafv2:ListWebACLs wafv2:GetWebACL", NULL },
	{ "CloudFrontReadOnlyAccess", NULL, "cloudfront:Describe* cloudfront:Get* cloudfront:List*", NULL },
	{ "CloudWatchAgentServerPolicy", NULL,
	  "cloudwatch:PutMetricData ec2:DescribeVolumes ec2:DescribeTags logs:PutLogEvents "
	  "logs:PutRetentionPolicy logs:DescribeLogStreams logs:DescribeLogGroups logs:CreateLogStream "
	  "logs:CreateLogGroup " XRAY_WRITE " ssm:GetParameter", NULL },
	{ "CloudWatchEventsFullAccess", NULL, "events:* schemas:* scheduler:* iam:PassRole", NULL },
	{ "CloudWatchFullAccess", NULL,
	  "autoscaling:Describe* cloudwatch:* logs:* sns:* iam:GetPolicy iam:GetPolicyVersion iam:GetRole oam:*",
	  NULL },
	{ "CloudWatchFullAccessV2", NULL,
	  "application-autoscaling:Describe* autoscaling:Describe* cloudwatch:* logs:* rum:* synthetics:* xray:* "
	  "oam:* sns:CreateTopic sns:ListSubscriptions sns:ListTopics sns:Subscribe", NULL },
	{ "CloudWatchLogsFullAccess", NULL, "logs:* cloudwatch:GenerateQuery", NULL },
	{ "CloudWatchLogsReadOnlyAccess", NULL,
	  "logs:Describe* logs:Get* logs:List* logs:StartQuery logs:StopQuery logs:TestMetricFilter "
	  "logs:FilterLogEvents logs:StartLiveTail logs:StopLiveTail", NULL },
	{ "CloudWatchReadOnlyAccess", NULL,
	  "autoscaling:Describe* cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* logs:Describe* logs:Get* "
	  "logs:List* logs:StartQuery logs:StopQuery logs:TestMetricFilter logs:FilterLogEvents oam:ListSinks "
	  "sns:Get* sns:List*", NULL },
	{ "ElasticLoadBalancingFullAccess", NULL,
	  "elasticloadbalancing:* ec2:Describe* ec2:GetCoipPoolUsage iam:CreateServiceLinkedRole "
	  "cognito-idp:DescribeUserPoolClient", NULL },
	{ "ElasticLoadBalancingReadOnly", NULL, "elasticloadbalancing:Describe* ec2:Describe*", NULL },
	{ "IAMFullAccess", NULL,
	  "iam:* organizations:DescribeAccount organizations:DescribeOrganization organizations:List*", NULL },
	{ "IAMReadOnlyAccess", NULL,
	  "iam:GenerateCredentialReport iam:GenerateServiceLastAccessedDetails iam:Get* iam:List* "
	  "iam:SimulateCustomPolicy iam:SimulatePrincipalPolicy", NULL },
	{ "IAMUserChangePassword", NULL, "iam:ChangePassword iam:GetAccountPasswordPolicy", NULL },
	{ "ReadOnlyAccess", NULL,
	  "acm:Describe* acm:Get* acm:List* apigateway:GET appsync:Get* appsync:List* "
	  "application-autoscaling:Describe* athena:Get* athena:List* athena:BatchGet* autoscaling:Describe* "
	  "autoscaling:Get* budgets:Describe* budgets:View* ce:Get* ce:Describe* ce:List* "
	  "cloudformation:Describe* cloudformation:Get* cloudformation:List* cloudfront:Describe* "
	  "cloudfront:Get* cloudfront:List* cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* "
	  "cognito-identity:Describe* cognito-identity:Get* cognito-identity:List* cognito-idp:AdminGet* "
	  "cognito-idp:AdminList* cognito-idp:Describe* cognito-idp:Get* cognito-idp:List* dynamodb:BatchGet* "
	  "dynamodb:Describe* dynamodb:Get* dynamodb:List* dynamodb:Query dynamodb:Scan dynamodb:PartiQLSelect "
	  "ec2:Describe* ec2:Get* ec2:Search* ecr:BatchCheck* ecr:BatchGet* ecr:Describe* ecr:Get* ecr:List* "
	  "ecs:Describe* ecs:List* elasticache:Describe* elasticache:List* elasticbeanstalk:Check* "
	  "elasticbeanstalk:Describe* elasticbeanstalk:List* elasticbeanstalk:Request* "
	  "elasticbeanstalk:Retrieve* elasticloadbalancing:Describe* events:Describe* events:List* events:Test* "
	  "glue:BatchGet* glue:Get* glue:List* iam:Generate* iam:Get* iam:List* iam:Simulate* kms:Describe* "
	  "kms:Get* kms:List* lambda:Get* lambda:List* logs:Describe* logs:FilterLogEvents logs:Get* "
	  "logs:List* logs:StartQuery logs:StopQuery logs:TestMetricFilter pricing:* rds:Describe* rds:List* "
	  "rds:Download* route53:Get* route53:List* route53:Test* s3:Describe* s3:Get* s3:List* scheduler:Get* "
	  "scheduler:List* secretsmanager:Describe* secretsmanager:GetResourcePolicy secretsmanager:List* "
	  "servicequotas:Get* servicequotas:List* ses:Describe* ses:Get* ses:List* sns:Check* sns:Get* "
	  "sns:List* sqs:Get* sqs:List* sqs:Receive* ssm:Describe* ssm:Get* ssm:List* states:Describe* "
	  "states:Get* states:List* sts:GetCallerIdentity sts:GetAccessKeyInfo sts:GetSessionToken tag:Get* "
	  "waf:Get* waf:List* wafv2:CheckCapacity wafv2:Describe* wafv2:Get* wafv2:List* xray:BatchGet* "
	  "xray:Get*", NULL },
	{ "SecretsManagerReadWrite", NULL,
	  "secretsmanager:* cloudformation:CreateChangeSet cloudformation:Describe* "
	  "cloudformation:ExecuteChangeSet ec2:Describe* kms:DescribeKey kms:ListAliases kms:ListKeys "
	  "lambda:ListFunctions rds:Describe* redshift:DescribeClusters tag:GetResources lambda:AddPermission "
	  "lambda:CreateFunction lambda:GetFunction lambda:InvokeFunction "
	  "lambda:UpdateFunctionConfiguration", NULL },
	{ "SecurityAudit", NULL,
	  "acm:Describe* acm:List* apigateway:GET autoscaling:Describe* cloudformation:Describe* "
	  "cloudformation:Get* cloudformation:List* cloudfront:Get* cloudfront:List* cloudwatch:Describe* "
	  "dynamodb:Describe* dynamodb:List* ec2:Describe* ec2:Get* ecr:Describe* ecr:Get* ecr:List* "
	  "ecs:Describe* ecs:List* elasticloadbalancing:Describe* events:Describe* events:List* iam:Generate* "
	  "iam:Get* iam:List* iam:Simulate* kms:Describe* kms:Get* kms:List* lambda:GetPolicy lambda:List* "
	  "logs:Describe* logs:List* rds:Describe* rds:List* route53:Get* route53:List* s3:GetBucket* "
	  "s3:GetAccount* s3:GetEncryption* s3:List* secretsmanager:Describe* secretsmanager:List* "
	  "sns:Get* sns:List* sqs:Get* sqs:List* ssm:Describe* ssm:List* wafv2:Get* wafv2:List*", NULL },
	{ "ViewOnlyAccess", JOB,
	  "acm:List* athena:List* autoscaling:Describe* cloudformation:Describe* cloudformation:List* "
	  "cloudfront:List* cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* cognito-idp:List* "
	  "dynamodb:DescribeTable dynamodb:List* ec2:Describe* ecr:Describe* ecr:List* ecs:Describe* ecs:List* "
	  "elasticache:Describe* elasticbeanstalk:Describe* elasticloadbalancing:Describe* events:List* "
	  "iam:List* iam:Get* kms:List* lambda:List* logs:Describe* logs:Get* rds:Describe* route53:Get* "
	  "route53:List* s3:ListAllMyBuckets s3:ListBucket secretsmanager:List* sns:List* sqs:List* "
	  "ssm:Describe* ssm:List* states:List* wafv2:List*", NULL },
	/* What service-linked roles carry. */
	{ "AmazonECSServiceRolePolicy", LINKED_ROLE,
	  "ec2:*NetworkInterface* ec2:Describe* elasticloadbalancing:Deregister* elasticloadbalancing:Describe* "
	  "elasticloadbalancing:Register* route53:* servicediscovery:* autoscaling:* cloudwatch:*Alarm* "
	  "events:* logs:*", NULL },
	{ "AmazonRDSServiceRolePolicy", LINKED_ROLE,
	  "ec2:*NetworkInterface* ec2:*SecurityGroup* ec2:Describe* sns:Publish cloudwatch:PutMetricData "
	  "logs:* secretsmanager:*", NULL },
	{ "AutoScalingServiceRolePolicy", LINKED_ROLE,
	  "ec2:* elasticloadbalancing:* cloudwatch:*Alarm* sns:Publish events:* iam:PassRole", NULL },
	{ "AWSApplicationAutoscalingDynamoDBTablePolicy", LINKED_ROLE,
	  "dynamodb:DescribeTable dynamodb:UpdateTable cloudwatch:*Alarm*", NULL },
	{ "AWSApplicationAutoscalingECSServicePolicy", LINKED_ROLE,
	  "ecs:DescribeServices ecs:UpdateService cloudwatch:*Alarm*", NULL },
	{ "AWSApplicationAutoscalingLambdaConcurrencyPolicy", LINKED_ROLE,
	  "lambda:PutProvisionedConcurrencyConfig lambda:GetProvisionedConcurrencyConfig "
	  "lambda:DeleteProvisionedConcurrencyConfig cloudwatch:*Alarm*", NULL },
	{ "AWSApplicationAutoscalingRDSClusterPolicy", LINKED_ROLE,
	  "rds:AddTagsToResource rds:CreateDBInstance rds:DeleteDBInstance rds:Describe* cloudwatch:*Alarm*",
	  NULL },
	{ "AWSElasticLoadBalancingServiceRolePolicy", LINKED_ROLE, "ec2:* logs:*LogDelivery*", NULL },
	{ "ElastiCacheServiceRolePolicy", LINKED_ROLE,
	  "ec2:*NetworkInterface* ec2:*SecurityGroup* ec2:Describe* cloudwatch:PutMetricData logs:*", NULL },
	{ "APIGatewayServiceRolePolicy", LINKED_ROLE,
	  "elasticloadbalancing:* logs:* xray:* acm:Describe* servicediscovery:DiscoverInstances", NULL },
	{ "AWSElasticBeanstalkServiceRolePolicy", LINKED_ROLE,
	  "cloudformation:Describe* autoscaling:Describe* ec2:Describe* elasticloadbalancing:Describe* "
	  "elasticbeanstalk:* s3:* sqs:* sns:Publish logs:*", NULL },
};
const unsigned n_aws_rows = sizeof aws_rows / sizeof *aws_rows;
