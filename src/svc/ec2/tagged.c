/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

/* A tag is a row of its own, whatever it is on. */
TAGGED(ec2, "ec2", { .type = "ec2:", .list = { "DescribeTags", NULL, "Tags" },
	.arn = "arn:aws:ec2:{region}:{account}:{ResourceType}/{ResourceId}", .inside = "",
	TAGGED_PAGES("NextToken"),
	.tag = { "CreateTags", "\"Resources\":[$id],\"Tags\":$Key", NULL },
	.untag = { "DeleteTags", "\"Resources\":[$id],\"Tags\":$drop", NULL } });
