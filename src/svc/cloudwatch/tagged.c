/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceARN\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"ResourceARN\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"ResourceARN\":$arn", "Tags" }
#define ALARMS(kind) { "DescribeAlarms", "\"AlarmTypes\":[\"" kind "Alarm\"]", kind "Alarms" }
TAGGED(cloudwatch, "cloudwatch",
	{ .type = "cloudwatch:alarm", .at = "alarm:", .list = ALARMS("Metric"), .arn = "AlarmArn",
	  TAGGED_PAGES("NextToken"), READ, CHANGED },
	{ .type = "cloudwatch:alarm", .at = "alarm:", .list = ALARMS("Composite"), .arn = "AlarmArn",
	  TAGGED_PAGES("NextToken"), READ, CHANGED },
	{ .type = "cloudwatch:alarm-mute-rule", .at = "alarm-mute-rule:", .list = { "ListAlarmMuteRules", NULL,
	  "AlarmMuteRuleSummaries" }, .arn = "AlarmMuteRuleArn", TAGGED_PAGES("NextToken"), READ, CHANGED },
	{ .type = "cloudwatch:insight-rule", .at = "insight-rule/", .list = { "DescribeInsightRules", NULL,
	  "InsightRules" }, .arn = "arn:aws:cloudwatch:{region}:{account}:insight-rule/{Name}",
	  TAGGED_PAGES("NextToken"), READ, CHANGED },
	{ .type = "cloudwatch:dashboard", .at = "dashboard/", .list = { "ListDashboards", NULL,
	  "DashboardEntries" },
	  .arn = "DashboardArn", TAGGED_PAGES("NextToken"), READ, CHANGED });
