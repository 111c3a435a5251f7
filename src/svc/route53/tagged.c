/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define OF(kind) "\"ResourceType\":\"" kind "\",\"ResourceId\":$id"
#define KIND(kind, operation, items, arn_) { .type = "route53:" kind, .at = kind "/", \
	.list = { operation, NULL, items }, .arn = arn_, .from = "Marker", .next = "NextMarker", \
	.read = { "ListTagsForResource", OF(kind), "ResourceTagSet.Tags" }, \
	.tag = { "ChangeTagsForResource", OF(kind) ",\"AddTags\":$Key", NULL }, \
	.untag = { "ChangeTagsForResource", OF(kind) ",\"RemoveTagKeys\":$keys", NULL } }
TAGGED(route53, "route53",
	KIND("hostedzone", "ListHostedZones", "HostedZones", "arn:aws:route53:::hostedzone/{.Id}"),
	KIND("healthcheck", "ListHealthChecks", "HealthChecks", "arn:aws:route53:::healthcheck/{Id}"));
