/* AWS's own managed policies that templates name besides: of other services, and for jobs. */
#include "managed.h"

const aws_row aws_more_rows[] = {
	{ "AmazonEKSClusterPolicy", NULL,
	  "autoscaling:DescribeAutoScalingGroups autoscaling:UpdateAutoScalingGroup ec2:AttachVolume "
	  "ec2:AuthorizeSecurityGroupIngress ec2:CreateRoute ec2:CreateSecurityGroup ec2:CreateTags "
	  "ec2:CreateVolume ec2:DeleteRoute ec2:DeleteSecurityGroup ec2:DeleteVolume "
	  "ec2:DescribeInstances ec2:DescribeRouteTables ec2:DescribeSecurityGroups ec2:DescribeSubnets "
	  "ec2:DescribeVolumes ec2:DescribeVolumesModifications ec2:DescribeVpcs ec2:DescribeDhcpOptions "
	  "ec2:DescribeNetworkInterfaces ec2:DescribeAvailabilityZones ec2:DetachVolume "
	  "ec2:ModifyInstanceAttribute ec2:ModifyVolume ec2:RevokeSecurityGroupIngress "
	  "ec2:DescribeAccountAttributes ec2:DescribeAddresses ec2:DescribeInternetGateways "
	  "elasticloadbalancing:* kms:DescribeKey", NULL },
	{ "AmazonEKSServicePolicy", NULL,
	  "ec2:CreateNetworkInterface ec2:CreateNetworkInterfacePermission ec2:DeleteNetworkInterface "
	  "ec2:DescribeInstances ec2:DescribeNetworkInterfaces ec2:DetachNetworkInterface "
	  "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs "
	  "ec2:ModifyNetworkInterfaceAttribute iam:ListAttachedRolePolicies eks:UpdateClusterVersion "
	  "route53:AssociateVPCWithHostedZone logs:CreateLogGroup", NULL },
	{ "AmazonEKSWorkerNodePolicy", NULL,
	  "ec2:DescribeInstances ec2:DescribeInstanceTypes ec2:DescribeRouteTables "
	  "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVolumes "
	  "ec2:DescribeVolumesModifications ec2:DescribeVpcs eks:DescribeCluster "
	  "eks-auth:AssumeRoleForPodIdentity", NULL },
	{ "AmazonEKS_CNI_Policy", NULL,
	  "ec2:AssignPrivateIpAddresses ec2:AttachNetworkInterface ec2:CreateNetworkInterface "
	  "ec2:DeleteNetworkInterface ec2:DescribeInstances ec2:DescribeTags "
	  "ec2:DescribeNetworkInterfaces ec2:DescribeInstanceTypes ec2:DescribeSubnets "
	  "ec2:DetachNetworkInterface ec2:ModifyNetworkInterfaceAttribute ec2:UnassignPrivateIpAddresses "
	  "ec2:CreateTags", NULL },
	{ "AmazonEKSVPCResourceController", NULL,
	  "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets "
	  "ec2:DescribeSecurityGroups ec2:DeleteNetworkInterface ec2:DetachNetworkInterface "
	  "ec2:ModifyNetworkInterfaceAttribute ec2:AttachNetworkInterface ec2:UnassignPrivateIpAddresses "
	  "ec2:AssignPrivateIpAddresses", NULL },
	{ "AmazonEKSFargatePodExecutionRolePolicy", NULL,
	  "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer "
	  "ecr:BatchGetImage", NULL },
	{ "AmazonEBSCSIDriverPolicy", SERVICE_ROLE,
	  "ec2:CreateSnapshot ec2:AttachVolume ec2:DetachVolume ec2:ModifyVolume "
	  "ec2:DescribeAvailabilityZones ec2:DescribeInstances ec2:DescribeSnapshots ec2:DescribeTags "
	  "ec2:DescribeVolumes ec2:DescribeVolumesModifications ec2:CreateTags ec2:DeleteTags "
	  "ec2:CreateVolume ec2:DeleteVolume ec2:DeleteSnapshot", NULL },
	{ "AmazonEC2ContainerServiceAutoscaleRole", SERVICE_ROLE,
	  "ecs:DescribeServices ecs:UpdateService cloudwatch:DescribeAlarms cloudwatch:PutMetricAlarm", NULL },
	{ "AmazonEC2ContainerServiceEventsRole", SERVICE_ROLE,
	  "ecs:RunTask iam:PassRole ecs:TagResource", NULL },
	{ "AmazonEC2SpotFleetTaggingRole", SERVICE_ROLE,
	  "ec2:DescribeImages ec2:DescribeSubnets ec2:RequestSpotInstances ec2:TerminateInstances "
	  "ec2:DescribeInstanceStatus ec2:CreateTags ec2:RunInstances iam:PassRole "
	  "elasticloadbalancing:RegisterInstancesWithLoadBalancer elasticloadbalancing:RegisterTargets", NULL },
	{ "AmazonEC2RoleforAWSCodeDeploy", SERVICE_ROLE,
	  "s3:GetObject s3:GetObjectVersion s3:ListBucket", NULL },
	{ "AmazonECSInfrastructureRolePolicyForVolumes", SERVICE_ROLE,
	  "ec2:CreateVolume ec2:CreateTags ec2:DescribeVolumes ec2:DescribeAvailabilityZones "
	  "ec2:AttachVolume ec2:DetachVolume ec2:DeleteVolume", NULL },
	{ "AmazonSSMAutomationRole", SERVICE_ROLE,
	  "lambda:InvokeFunction ec2:CreateImage ec2:CopyImage ec2:DeregisterImage ec2:DescribeImages "
	  "ec2:DeleteSnapshot ec2:StartInstances ec2:RunInstances ec2:StopInstances "
	  "ec2:TerminateInstances ec2:DescribeInstanceStatus ec2:CreateTags ec2:DeleteTags "
	  "ec2:DescribeTags cloudformation:CreateStack cloudformation:DescribeStackEvents "
	  "cloudformation:DescribeStacks cloudformation:UpdateStack cloudformation:DeleteStack ssm:* "
	  "sns:Publish", NULL },
	{ "AmazonSSMMaintenanceWindowRole", SERVICE_ROLE,
	  "ssm:GetAutomationExecution ssm:GetParameters ssm:ListCommands ssm:SendCommand "
	  "ssm:StartAutomationExecution lambda:InvokeFunction states:DescribeExecution "
	  "states:StartExecution resource-groups:ListGroups resource-groups:ListGroupResources "
	  "tag:GetResources", NULL },
	{ "AmazonSSMDirectoryServiceAccess", NULL,
	  "ds:CreateComputer ds:DescribeDirectories", NULL },
	{ "AmazonSSMPatchAssociation", NULL,
	  "ssm:DescribeEffectivePatchesForPatchBaseline ssm:GetPatchBaseline tag:GetResources "
	  "ssm:DescribePatchBaselines", NULL },
	{ "AWSCodeBuildAdminAccess", NULL,
	  "codebuild:* codecommit:GetBranch codecommit:GetCommit codecommit:GetRepository "
	  "codecommit:ListBranches codecommit:ListRepositories cloudwatch:GetMetricStatistics "
	  "ec2:DescribeVpcs ec2:DescribeSecurityGroups ec2:DescribeSubnets ecr:DescribeRepositories "
	  "ecr:ListImages events:DeleteRule events:DescribeRule events:DisableRule events:EnableRule "
	  "events:ListTargetsByRule events:ListRuleNamesByTarget events:PutRule events:PutTargets "
	  "events:RemoveTargets logs:GetLogEvents logs:DeleteLogGroup s3:GetBucketLocation "
	  "s3:ListAllMyBuckets", NULL },
	{ "AWSCodeBuildDeveloperAccess", NULL,
	  "codebuild:StartBuild codebuild:StopBuild codebuild:StartBuildBatch codebuild:StopBuildBatch "
	  "codebuild:RetryBuild codebuild:RetryBuildBatch codebuild:BatchGet* codebuild:GetResourcePolicy "
	  "codebuild:DescribeTestCases codebuild:DescribeCodeCoverages codebuild:List* "
	  "cloudwatch:GetMetricStatistics events:DescribeRule events:ListTargetsByRule "
	  "events:ListRuleNamesByTarget logs:GetLogEvents s3:GetBucketLocation s3:ListAllMyBuckets", NULL },
	{ "AWSCodeBuildReadOnlyAccess", NULL,
	  "codebuild:BatchGet* codebuild:GetResourcePolicy codebuild:List* codebuild:DescribeTestCases "
	  "codebuild:DescribeCodeCoverages cloudwatch:GetMetricStatistics events:DescribeRule "
	  "events:ListTargetsByRule events:ListRuleNamesByTarget logs:GetLogEvents", NULL },
	{ "AWSCodePipeline_FullAccess", NULL,
	  "codepipeline:* cloudformation:DescribeStacks cloudformation:ListStacks "
	  "cloudformation:ListChangeSets cloudtrail:DescribeTrails codebuild:BatchGetProjects "
	  "codebuild:CreateProject codebuild:ListCuratedEnvironmentImages codebuild:ListProjects "
	  "codecommit:ListBranches codecommit:ListRepositories codedeploy:BatchGetDeploymentGroups "
	  "codedeploy:ListApplications codedeploy:ListDeploymentGroups ec2:DescribeSecurityGroups "
	  "ec2:DescribeSubnets ec2:DescribeVpcs ecr:DescribeRepositories ecr:ListImages ecs:ListClusters "
	  "ecs:ListServices elasticbeanstalk:DescribeApplications elasticbeanstalk:DescribeEnvironments "
	  "iam:ListRoles iam:GetRole lambda:ListFunctions events:ListRules events:ListTargetsByRule "
	  "events:DescribeRule opsworks:DescribeApps opsworks:DescribeLayers opsworks:DescribeStacks "
	  "s3:ListAllMyBuckets sns:ListTopics codestar-notifications:ListNotificationRules "
	  "codestar-notifications:ListTargets codestar-notifications:ListTagsforResource "
	  "codestar-notifications:ListEventTypes states:ListStateMachines", NULL },
	{ "AWSCodePipeline_ReadOnlyAccess", NULL,
	  "codepipeline:GetPipeline codepipeline:GetPipelineState codepipeline:GetPipelineExecution "
	  "codepipeline:ListPipelineExecutions codepipeline:ListActionExecutions "
	  "codepipeline:ListActionTypes codepipeline:ListPipelines codepipeline:ListTagsForResource "
	  "s3:ListAllMyBuckets codestar-notifications:ListNotificationRules "
	  "codestar-notifications:ListEventTypes codestar-notifications:ListTargets", NULL },
	{ "AWSCodeDeployFullAccess", NULL,
	  "codedeploy:* codestar-notifications:* sns:CreateTopic sns:ListTopics", NULL },
	{ "AWSCodeDeployRole", SERVICE_ROLE,
	  "autoscaling:CompleteLifecycleAction autoscaling:DeleteLifecycleHook "
	  "autoscaling:DescribeAutoScalingGroups autoscaling:DescribeLifecycleHooks "
	  "autoscaling:PutLifecycleHook autoscaling:RecordLifecycleActionHeartbeat "
	  "autoscaling:CreateAutoScalingGroup autoscaling:CreateOrUpdateTags "
	  "autoscaling:UpdateAutoScalingGroup autoscaling:EnableMetricsCollection "
	  "autoscaling:DescribePolicies autoscaling:DescribeScheduledActions "
	  "autoscaling:DescribeNotificationConfigurations autoscaling:SuspendProcesses "
	  "autoscaling:ResumeProcesses autoscaling:AttachLoadBalancers "
	  "autoscaling:AttachLoadBalancerTargetGroups autoscaling:PutScalingPolicy "
	  "autoscaling:PutScheduledUpdateGroupAction autoscaling:PutNotificationConfiguration "
	  "autoscaling:PutWarmPool autoscaling:DescribeScalingActivities "
	  "autoscaling:DeleteAutoScalingGroup ec2:DescribeInstances ec2:DescribeInstanceStatus "
	  "ec2:TerminateInstances tag:GetResources sns:Publish cloudwatch:DescribeAlarms "
	  "cloudwatch:PutMetricAlarm elasticloadbalancing:DescribeLoadBalancers "
	  "elasticloadbalancing:DescribeLoadBalancerAttributes "
	  "elasticloadbalancing:DescribeInstanceHealth "
	  "elasticloadbalancing:RegisterInstancesWithLoadBalancer "
	  "elasticloadbalancing:DeregisterInstancesFromLoadBalancer "
	  "elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetGroupAttributes "
	  "elasticloadbalancing:DescribeTargetHealth elasticloadbalancing:RegisterTargets "
	  "elasticloadbalancing:DeregisterTargets", NULL },
	{ "AWSCodeDeployRoleForECS", NULL,
	  "ecs:DescribeServices ecs:CreateTaskSet ecs:UpdateServicePrimaryTaskSet ecs:DeleteTaskSet "
	  "elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeListeners "
	  "elasticloadbalancing:ModifyListener elasticloadbalancing:DescribeRules "
	  "elasticloadbalancing:ModifyRule lambda:InvokeFunction cloudwatch:DescribeAlarms sns:Publish "
	  "s3:GetObject s3:GetObjectVersion iam:PassRole", NULL },
	{ "AWSCodeDeployRoleForLambda", SERVICE_ROLE,
	  "cloudwatch:DescribeAlarms lambda:UpdateAlias lambda:GetAlias "
	  "lambda:GetProvisionedConcurrencyConfig lambda:InvokeFunction sns:Publish s3:GetObject "
	  "s3:GetObjectVersion", NULL },
	{ "AWSCodeCommitFullAccess", NULL,
	  "codecommit:* events:*Rule events:*Targets sns:CreateTopic sns:DeleteTopic sns:Subscribe "
	  "sns:Unsubscribe sns:SetTopicAttributes sns:ListTopics sns:ListSubscriptionsByTopic "
	  "sns:GetTopicAttributes lambda:ListFunctions iam:ListUsers iam:ListAccessKeys "
	  "iam:ListSSHPublicKeys iam:ListServiceSpecificCredentials", NULL },
	{ "AWSCodeCommitPowerUser", NULL,
	  "codecommit:AssociateApprovalRuleTemplateWithRepository "
	  "codecommit:BatchAssociateApprovalRuleTemplateWithRepositories codecommit:BatchGet* "
	  "codecommit:BatchDescribe* codecommit:Create* codecommit:DeleteBranch codecommit:DeleteFile "
	  "codecommit:Describe* codecommit:Get* codecommit:List* codecommit:Merge* "
	  "codecommit:OverridePullRequestApprovalRules codecommit:Put* codecommit:Post* "
	  "codecommit:TagResource codecommit:Test* codecommit:UntagResource codecommit:Update* "
	  "codecommit:GitPull codecommit:GitPush", NULL },
	{ "AWSCodeCommitReadOnly", NULL,
	  "codecommit:BatchGet* codecommit:BatchDescribe* codecommit:Describe* "
	  "codecommit:EvaluatePullRequestApprovalRules codecommit:Get* codecommit:List* "
	  "codecommit:GitPull", NULL },
	{ "AWS_ConfigRole", SERVICE_ROLE,
	  "config:Get* config:List* config:Describe* config:Put* config:BatchGet* config:Select* "
	  "acm:Describe* acm:List* apigateway:GET autoscaling:Describe* cloudformation:Describe* "
	  "cloudformation:List* cloudformation:GetTemplate cloudfront:Get* cloudfront:List* "
	  "cloudtrail:Describe* cloudtrail:Get* cloudtrail:List* cloudwatch:DescribeAlarms "
	  "dynamodb:Describe* dynamodb:List* ec2:Describe* ec2:Get* ecr:Describe* ecr:Get* ecs:Describe* "
	  "ecs:List* elasticloadbalancing:Describe* iam:Get* iam:List* iam:Generate* kms:Describe* "
	  "kms:Get* kms:List* lambda:Get* lambda:List* logs:Describe* rds:Describe* rds:List* "
	  "route53:Get* route53:List* s3:GetBucket* s3:GetEncryptionConfiguration "
	  "s3:GetLifecycleConfiguration s3:GetReplicationConfiguration s3:ListAllMyBuckets s3:ListBucket "
	  "sns:Get* sns:List* sqs:Get* sqs:List* ssm:Describe* ssm:Get*", NULL },
	{ "AWSCloudTrail_FullAccess", NULL,
	  "cloudtrail:* sns:AddPermission sns:CreateTopic sns:SetTopicAttributes sns:GetTopicAttributes "
	  "sns:ListTopics s3:CreateBucket s3:PutBucketPolicy s3:PutBucketPublicAccessBlock "
	  "s3:ListAllMyBuckets s3:GetBucketLocation s3:GetBucketPolicy logs:CreateLogGroup iam:ListRoles "
	  "iam:GetRolePolicy iam:GetUser kms:CreateKey kms:CreateAlias kms:ListKeys kms:ListAliases "
	  "lambda:ListFunctions dynamodb:ListGlobalTables dynamodb:ListTables", NULL },
	{ "AWSCloudTrail_ReadOnlyAccess", NULL,
	  "cloudtrail:Get* cloudtrail:Describe* cloudtrail:List* cloudtrail:LookupEvents "
	  "s3:ListAllMyBuckets kms:ListAliases lambda:ListFunctions", NULL },
	{ "AWSLambdaMSKExecutionRole", SERVICE_ROLE,
	  "kafka:DescribeCluster kafka:DescribeClusterV2 kafka:GetBootstrapBrokers "
	  "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeVpcs "
	  "ec2:DeleteNetworkInterface ec2:DescribeSubnets ec2:DescribeSecurityGroups logs:CreateLogGroup "
	  "logs:CreateLogStream logs:PutLogEvents", NULL },
	{ "AWSLambdaENIManagementAccess", SERVICE_ROLE,
	  "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DeleteNetworkInterface "
	  "ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses", NULL },
	{ "AWSLambdaInvocation-DynamoDB", NULL,
	  "lambda:InvokeFunction dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator "
	  "dynamodb:ListStreams", NULL },
	{ "CloudWatchActionsEC2Access", NULL,
	  "cloudwatch:Describe* ec2:Describe* ec2:RebootInstances ec2:StopInstances "
	  "ec2:TerminateInstances", NULL },
	{ "CloudWatchAgentAdminPolicy", NULL,
	  "cloudwatch:PutMetricData ec2:DescribeTags logs:PutLogEvents logs:PutRetentionPolicy "
	  "logs:DescribeLogStreams logs:DescribeLogGroups logs:CreateLogStream logs:CreateLogGroup "
	  "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets "
	  "xray:GetSamplingStatisticSummaries ssm:GetParameter ssm:PutParameter", NULL },
	{ "CloudWatchApplicationSignalsFullAccess", NULL,
	  "application-signals:* synthetics:Describe* synthetics:Get* synthetics:List* "
	  "rum:BatchGetRumMetricDefinitions rum:Get* rum:List* cloudwatch:* logs:StartQuery "
	  "logs:GetQueryResults xray:GetTraceSummaries xray:BatchGetTraces", NULL },
	{ "CloudWatchEventsBuiltInTargetExecutionAccess", SERVICE_ROLE,
	  "ec2:Describe* ec2:RebootInstances ec2:StopInstances ec2:TerminateInstances ec2:CreateSnapshot", NULL },
	{ "CloudWatchEventsInvocationAccess", SERVICE_ROLE,
	  "kinesis:PutRecord", NULL },
	{ "CloudWatchEventsReadOnlyAccess", NULL,
	  "events:Describe* events:List* events:TestEventPattern schemas:Describe* schemas:Get* "
	  "schemas:List* schemas:SearchSchemas scheduler:Get* scheduler:List* pipes:Describe* "
	  "pipes:List*", NULL },
	{ "CloudWatchSyntheticsFullAccess", NULL,
	  "synthetics:* s3:CreateBucket s3:PutEncryptionConfiguration s3:GetObject s3:GetObjectVersion "
	  "s3:ListAllMyBuckets s3:GetBucketLocation iam:ListRoles iam:ListPolicies xray:GetTraceSummaries "
	  "xray:BatchGetTraces apigateway:GET cloudwatch:*Alarm* lambda:*Function* lambda:*LayerVersion* "
	  "ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups kms:ListKeys kms:DescribeKey "
	  "logs:GetLogRecord logs:StartQuery", NULL },
	{ "AmazonSNSRole", SERVICE_ROLE,
	  "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents logs:PutMetricFilter "
	  "logs:PutRetentionPolicy", NULL },
	{ "AmazonCognitoDeveloperAuthenticatedIdentities", NULL,
	  "cognito-identity:GetOpenIdTokenForDeveloperIdentity cognito-identity:LookupDeveloperIdentity "
	  "cognito-identity:MergeDeveloperIdentities cognito-identity:UnlinkDeveloperIdentity", NULL },
	{ "AmazonEventBridgePipesFullAccess", NULL,
	  "pipes:*", NULL },
	{ "AmazonEventBridgePipesReadOnlyAccess", NULL,
	  "pipes:DescribePipe pipes:ListPipes pipes:ListTagsForResource", NULL },
	{ "AmazonKinesisReadOnlyAccess", NULL,
	  "kinesis:Get* kinesis:List* kinesis:Describe*", NULL },
	{ "AmazonKinesisFirehoseFullAccess", NULL,
	  "firehose:*", NULL },
	{ "AmazonKinesisFirehoseReadOnlyAccess", NULL,
	  "firehose:Describe* firehose:List*", NULL },
	{ "AmazonMSKFullAccess", NULL,
	  "kafka:* ec2:DescribeSubnets ec2:DescribeVpcs ec2:DescribeSecurityGroups "
	  "ec2:DescribeRouteTables ec2:DescribeVpcEndpoints ec2:DescribeVpcAttribute kms:DescribeKey "
	  "kms:CreateGrant logs:CreateLogDelivery logs:GetLogDelivery logs:UpdateLogDelivery "
	  "logs:DeleteLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy "
	  "logs:DescribeResourcePolicies logs:DescribeLogGroups S3:GetBucketPolicy "
	  "firehose:TagDeliveryStream", NULL },
	{ "AmazonMSKReadOnlyAccess", NULL,
	  "kafka:Describe* kafka:List* kafka:Get* ec2:DescribeNetworkInterfaces "
	  "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs kms:DescribeKey", NULL },
	{ "AmazonMQFullAccess", NULL,
	  "mq:* cloudformation:CreateStack ec2:CreateNetworkInterface "
	  "ec2:CreateNetworkInterfacePermission ec2:DeleteNetworkInterface "
	  "ec2:DeleteNetworkInterfacePermission ec2:DetachNetworkInterface ec2:DescribeInternetGateways "
	  "ec2:DescribeNetworkInterfaces ec2:DescribeNetworkInterfacePermissions ec2:DescribeRouteTables "
	  "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs ec2:CreateSecurityGroup "
	  "ec2:AuthorizeSecurityGroupIngress", NULL },
	{ "AmazonOpenSearchServiceFullAccess", NULL,
	  "es:*", NULL },
	{ "AmazonOpenSearchServiceReadOnlyAccess", NULL,
	  "es:Describe* es:List* es:Get*", NULL },
	{ "AmazonRedshiftFullAccess", NULL,
	  "redshift:* ec2:DescribeAccountAttributes ec2:DescribeAddresses ec2:DescribeAvailabilityZones "
	  "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs ec2:DescribeInternetGateways "
	  "sns:CreateTopic sns:Get* sns:List* cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* "
	  "cloudwatch:PutMetricAlarm cloudwatch:EnableAlarmActions cloudwatch:DisableAlarmActions "
	  "tag:GetResources tag:UntagResources tag:GetTagValues tag:GetTagKeys tag:TagResources", NULL },
	{ "AmazonRedshiftReadOnlyAccess", NULL,
	  "redshift:Describe* redshift:ListRecommendations redshift:ViewQueriesInConsole "
	  "ec2:DescribeAccountAttributes ec2:DescribeAddresses ec2:DescribeAvailabilityZones "
	  "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs ec2:DescribeInternetGateways "
	  "sns:Get* sns:List* cloudwatch:Describe* cloudwatch:List* cloudwatch:Get*", NULL },
	{ "AmazonElasticFileSystemClientFullAccess", NULL,
	  "elasticfilesystem:ClientMount elasticfilesystem:ClientRootAccess elasticfilesystem:ClientWrite "
	  "elasticfilesystem:DescribeMountTargets", NULL },
	{ "AmazonElasticFileSystemClientReadWriteAccess", NULL,
	  "elasticfilesystem:ClientMount elasticfilesystem:ClientWrite "
	  "elasticfilesystem:DescribeMountTargets", NULL },
	{ "AmazonElasticFileSystemReadOnlyAccess", NULL,
	  "cloudwatch:DescribeAlarmsForMetric cloudwatch:GetMetricData ec2:DescribeAvailabilityZones "
	  "ec2:DescribeNetworkInterfaceAttribute ec2:DescribeNetworkInterfaces ec2:DescribeSecurityGroups "
	  "ec2:DescribeSubnets ec2:DescribeVpcAttribute ec2:DescribeVpcs elasticfilesystem:Describe* "
	  "elasticfilesystem:ListTagsForResource kms:ListAliases", NULL },
	{ "AWSBackupServiceRolePolicyForBackup", SERVICE_ROLE,
	  "dynamodb:DescribeTable dynamodb:CreateBackup dynamodb:DescribeBackup dynamodb:DeleteBackup "
	  "dynamodb:StartAwsBackupJob dynamodb:ListTagsOfResource rds:AddTagsToResource "
	  "rds:ListTagsForResource rds:DescribeDBSnapshots rds:CreateDBSnapshot rds:CopyDBSnapshot "
	  "rds:DescribeDBInstances rds:CreateDBClusterSnapshot rds:DescribeDBClusters "
	  "rds:DescribeDBClusterSnapshots rds:CopyDBClusterSnapshot rds:DeleteDBSnapshot "
	  "rds:ModifyDBSnapshotAttribute ec2:CreateTags ec2:DeleteSnapshot ec2:CreateImage "
	  "ec2:DeregisterImage ec2:CopyImage ec2:CopySnapshot ec2:CreateSnapshot ec2:Describe* "
	  "elasticfilesystem:Backup elasticfilesystem:DescribeTags kms:DescribeKey kms:Decrypt "
	  "kms:CreateGrant kms:GenerateDataKeyWithoutPlaintext tag:GetResources", NULL },
	{ "AWSBackupServiceRolePolicyForRestores", SERVICE_ROLE,
	  "dynamodb:Scan dynamodb:Query dynamodb:UpdateItem dynamodb:PutItem dynamodb:GetItem "
	  "dynamodb:DeleteItem dynamodb:BatchWriteItem dynamodb:DescribeTable "
	  "dynamodb:RestoreTableFromBackup ec2:CreateVolume ec2:DeleteVolume ec2:DescribeImages "
	  "ec2:DescribeInstances ec2:DescribeSnapshots ec2:DescribeVolumes ec2:RunInstances "
	  "ec2:CreateTags rds:DescribeDBInstances rds:DescribeDBSnapshots rds:ListTagsForResource "
	  "rds:RestoreDBInstanceFromDBSnapshot rds:DeleteDBInstance rds:AddTagsToResource "
	  "rds:DescribeDBClusters rds:RestoreDBClusterFromSnapshot rds:DeleteDBCluster "
	  "rds:RestoreDBInstanceToPointInTime elasticfilesystem:Restore "
	  "elasticfilesystem:CreateFilesystem elasticfilesystem:DescribeFilesystems "
	  "elasticfilesystem:DeleteFilesystem kms:DescribeKey kms:Decrypt kms:Encrypt kms:GenerateDataKey "
	  "kms:ReEncrypt* kms:CreateGrant", NULL },
	{ "AWSBackupFullAccess", NULL,
	  "backup:* backup-storage:* rds:Describe* rds:ListTagsForResource rds:DeleteDBSnapshot "
	  "dynamodb:ListBackups dynamodb:ListTables elasticfilesystem:DescribeFilesystems "
	  "ec2:DescribeSnapshots ec2:DescribeVolumes ec2:describeAvailabilityZones ec2:DescribeVpcs "
	  "ec2:DescribeAccountAttributes ec2:DescribeSecurityGroups ec2:DescribeImages "
	  "ec2:DescribeSubnets ec2:DescribeInstances tag:GetTagKeys tag:GetTagValues tag:GetResources "
	  "iam:ListRoles iam:GetRole kms:ListKeys kms:DescribeKey kms:ListAliases", NULL },
	{ "AWSOrganizationsFullAccess", NULL,
	  "organizations:* account:PutAlternateContact account:DeleteAlternateContact "
	  "account:GetAlternateContact account:GetContactInformation account:PutContactInformation "
	  "account:ListRegions account:EnableRegion account:DisableRegion", NULL },
	{ "AWSOrganizationsReadOnlyAccess", NULL,
	  "organizations:Describe* organizations:List* account:GetAlternateContact "
	  "account:GetContactInformation account:ListRegions account:GetRegionOptStatus "
	  "account:GetPrimaryEmail", NULL },
	{ "AWSBillingReadOnlyAccess", NULL,
	  "account:GetAccountInformation aws-portal:ViewBilling billing:Get* billing:List* "
	  "budgets:Describe* budgets:View* ce:Describe* ce:Get* ce:List* consolidatedbilling:Get* "
	  "consolidatedbilling:List* cur:Describe* cur:Get* freetier:Get* invoicing:Get* invoicing:List* "
	  "payments:Get* payments:List* purchase-orders:Get* purchase-orders:List* "
	  "purchase-orders:ViewPurchaseOrders tax:Get* tax:List*", NULL },
	{ "AWSBudgetsActionsWithAWSResourceControlAccess", NULL,
	  "budgets:* aws-portal:ViewBilling aws-portal:ModifyBilling ec2:DescribeInstances iam:ListGroups "
	  "iam:ListPolicies iam:ListRoles iam:ListUsers organizations:ListAccounts "
	  "organizations:ListOrganizationalUnitsForParent organizations:ListPolicies "
	  "organizations:ListRoots rds:DescribeDBInstances sns:ListTopics", NULL },
	{ "AmazonBedrockFullAccess", NULL,
	  "bedrock:* kms:DescribeKey iam:ListRoles ec2:DescribeVpcs ec2:DescribeSubnets "
	  "ec2:DescribeSecurityGroups", NULL },
	{ "AmazonBedrockReadOnly", NULL,
	  "bedrock:Get* bedrock:List*", NULL },
	{ "AmazonSageMakerFullAccess", NULL,
	  "sagemaker:* application-autoscaling:* cloudwatch:* codecommit:* cognito-idp:* ec2:Describe* "
	  "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DeleteNetworkInterface ecr:* "
	  "elastic-inference:Connect elasticfilesystem:DescribeFileSystems glue:* iam:ListRoles "
	  "kms:DescribeKey kms:ListAliases lambda:ListFunctions logs:* s3:GetObject s3:PutObject "
	  "s3:DeleteObject s3:AbortMultipartUpload s3:CreateBucket s3:GetBucketLocation s3:ListBucket "
	  "s3:ListAllMyBuckets secretsmanager:ListSecrets sns:ListTopics states:* tag:GetResources", NULL },
	{ "AmazonPollyFullAccess", NULL,
	  "polly:*", NULL },
	{ "AmazonRekognitionFullAccess", NULL,
	  "rekognition:*", NULL },
	{ "AmazonTextractFullAccess", NULL,
	  "textract:*", NULL },
	{ "AmazonTranscribeFullAccess", NULL,
	  "transcribe:* s3:GetObject", NULL },
	{ "ComprehendFullAccess", NULL,
	  "comprehend:* s3:ListAllMyBuckets s3:ListBucket s3:GetBucketLocation iam:ListRoles iam:GetRole", NULL },
	{ "TranslateFullAccess", NULL,
	  "translate:* comprehend:DetectDominantLanguage cloudwatch:GetMetricStatistics "
	  "cloudwatch:ListMetrics s3:ListAllMyBuckets s3:ListBucket s3:GetBucketLocation iam:ListRoles "
	  "iam:GetRole", NULL },
	{ "AmazonGuardDutyFullAccess", NULL,
	  "guardduty:*", NULL },
	{ "AmazonGuardDutyReadOnlyAccess", NULL,
	  "guardduty:Describe* guardduty:Get* guardduty:List* organizations:ListDelegatedAdministrators "
	  "organizations:ListAWSServiceAccessForOrganization organizations:DescribeOrganizationalUnit "
	  "organizations:DescribeAccount organizations:DescribeOrganization organizations:ListAccounts", NULL },
	{ "AmazonInspector2FullAccess", NULL,
	  "inspector2:* codeguru-security:BatchGetFindings codeguru-security:GetAccountConfiguration "
	  "organizations:ListAccounts organizations:DescribeOrganization", NULL },
	{ "AWSSecurityHubFullAccess", NULL,
	  "securityhub:* guardduty:GetDetector guardduty:ListDetectors inspector2:BatchGetAccountStatus "
	  "pricing:GetProducts", NULL },
	{ "AWSSecurityHubReadOnlyAccess", NULL,
	  "securityhub:Get* securityhub:List* securityhub:BatchGet* securityhub:Describe*", NULL },
	{ "AWSTransferFullAccess", NULL,
	  "transfer:* iam:GetRole acm:ListCertificates ec2:DescribeVpcEndpoints ec2:DescribeAddresses "
	  "route53:ListHostedZones", NULL },
	{ "AWSGlueServiceNotebookRole", SERVICE_ROLE,
	  "glue:CreateDatabase glue:CreatePartition glue:CreateTable glue:DeleteDatabase "
	  "glue:DeletePartition glue:DeleteTable glue:GetDatabase glue:GetDatabases glue:GetPartition "
	  "glue:GetPartitions glue:GetTable glue:GetTableVersions glue:GetTables glue:UpdateDatabase "
	  "glue:UpdatePartition glue:UpdateTable glue:GetJobBookmark glue:ResetJobBookmark "
	  "glue:CreateConnection glue:CreateJob glue:DeleteConnection glue:DeleteJob glue:GetConnection "
	  "glue:GetConnections glue:GetDevEndpoint glue:GetDevEndpoints glue:GetJob glue:GetJobs "
	  "glue:UpdateJob glue:BatchDeleteConnection glue:UpdateConnection glue:GetUserDefinedFunction "
	  "glue:UpdateUserDefinedFunction glue:GetUserDefinedFunctions glue:DeleteUserDefinedFunction "
	  "glue:CreateUserDefinedFunction glue:BatchGetPartition glue:BatchDeletePartition "
	  "glue:BatchCreatePartition glue:BatchDeleteTable glue:UpdateDevEndpoint s3:GetBucketLocation "
	  "s3:ListBucket s3:ListAllMyBuckets s3:GetBucketAcl", NULL },
	{ "ResourceGroupsandTagEditorFullAccess", NULL,
	  "tag:getResources tag:getTagKeys tag:getTagValues tag:TagResources tag:UntagResources "
	  "resource-groups:* cloudformation:DescribeStacks cloudformation:ListStackResources "
	  "cloudformation:ListStacks", NULL },
	{ "ResourceGroupsandTagEditorReadOnlyAccess", NULL,
	  "tag:getResources tag:getTagKeys tag:getTagValues resource-groups:Get* resource-groups:List* "
	  "resource-groups:Search* cloudformation:DescribeStacks cloudformation:ListStackResources "
	  "cloudformation:ListStacks", NULL },
	{ "ServiceQuotasFullAccess", NULL,
	  "servicequotas:* autoscaling:DescribeAccountLimits cloudformation:DescribeAccountLimits "
	  "cloudwatch:DescribeAlarmsForMetric cloudwatch:DescribeAlarms cloudwatch:GetMetricData "
	  "cloudwatch:GetMetricStatistics cloudwatch:PutMetricAlarm dynamodb:DescribeLimits "
	  "elasticloadbalancing:DescribeAccountLimits iam:GetAccountSummary kinesis:DescribeLimits "
	  "organizations:DescribeAccount organizations:DescribeOrganization "
	  "organizations:ListAWSServiceAccessForOrganization rds:DescribeAccountAttributes "
	  "route53:GetAccountLimit tag:GetTagKeys tag:GetTagValues cloudwatch:DeleteAlarms", NULL },
	{ "ServiceQuotasReadOnlyAccess", NULL,
	  "servicequotas:Get* servicequotas:List* autoscaling:DescribeAccountLimits "
	  "cloudformation:DescribeAccountLimits cloudwatch:DescribeAlarmsForMetric "
	  "cloudwatch:DescribeAlarms cloudwatch:GetMetricData cloudwatch:GetMetricStatistics "
	  "dynamodb:DescribeLimits elasticloadbalancing:DescribeAccountLimits iam:GetAccountSummary "
	  "kinesis:DescribeLimits organizations:DescribeAccount organizations:DescribeOrganization "
	  "organizations:ListAWSServiceAccessForOrganization rds:DescribeAccountAttributes "
	  "route53:GetAccountLimit tag:GetTagKeys tag:GetTagValues", NULL },
	{ "SupportUser", JOB,
	  "support:* acm:Describe* acm:Get* acm:List* apigateway:GET autoscaling:Describe* "
	  "cloudformation:Describe* cloudformation:Get* cloudformation:List* cloudfront:Get* "
	  "cloudfront:List* cloudtrail:Describe* cloudtrail:Get* cloudtrail:Lookup* cloudwatch:Describe* "
	  "cloudwatch:Get* cloudwatch:List* dynamodb:Describe* dynamodb:List* ec2:Describe* ec2:Get* "
	  "ecs:Describe* ecs:List* elasticache:Describe* elasticbeanstalk:Describe* "
	  "elasticloadbalancing:Describe* iam:Get* iam:List* kms:Describe* kms:List* lambda:Get* "
	  "lambda:List* logs:Describe* logs:Get* rds:Describe* route53:Get* route53:List* "
	  "s3:ListAllMyBuckets s3:GetBucket* sns:Get* sns:List* sqs:Get* sqs:List*", NULL },
	{ "DatabaseAdministrator", JOB,
	  "cloudwatch:DeleteAlarms cloudwatch:Describe* cloudwatch:DisableAlarmActions "
	  "cloudwatch:EnableAlarmActions cloudwatch:Get* cloudwatch:List* cloudwatch:PutMetricAlarm "
	  "datapipeline:* dynamodb:* ec2:DescribeAccountAttributes ec2:DescribeAddresses "
	  "ec2:DescribeAvailabilityZones ec2:DescribeInternetGateways ec2:DescribeSecurityGroups "
	  "ec2:DescribeSubnets ec2:DescribeVpcs elasticache:* iam:ListRoles iam:GetRole kms:ListKeys "
	  "lambda:* logs:DescribeLogGroups logs:DescribeLogStreams logs:FilterLogEvents logs:GetLogEvents "
	  "logs:Create* logs:PutLogEvents logs:PutMetricFilter rds:* redshift:* s3:CreateBucket sns:* "
	  "s3:GetObject* s3:ListBucket* s3:ListAllMyBuckets", NULL },
	{ "NetworkAdministrator", JOB,
	  "autoscaling:Describe* cloudfront:ListDistributions cloudwatch:DeleteAlarms "
	  "cloudwatch:DescribeAlarms cloudwatch:GetMetricStatistics cloudwatch:PutMetricAlarm "
	  "directconnect:* ec2:AllocateAddress ec2:AssignIpv6Addresses ec2:AssignPrivateIpAddresses "
	  "ec2:Associate* ec2:AttachInternetGateway ec2:AttachNetworkInterface ec2:AttachVpnGateway "
	  "ec2:Create* ec2:Describe* ec2:Delete* ec2:Detach* ec2:Disable* ec2:Disassociate* ec2:Enable* "
	  "ec2:Modify* ec2:MoveAddressToVpc ec2:Release* ec2:Replace* ec2:Reset* "
	  "ec2:UnassignIpv6Addresses ec2:UnassignPrivateIpAddresses elasticbeanstalk:Describe* "
	  "elasticbeanstalk:List* elasticloadbalancing:* logs:DescribeLogGroups logs:DescribeLogStreams "
	  "logs:GetLogEvents route53:* route53domains:* sns:CreateTopic sns:ListSubscriptionsByTopic "
	  "sns:ListTopics networkmanager:*", NULL },
};
const unsigned n_aws_more_rows = sizeof aws_more_rows / sizeof *aws_more_rows;
