/* What the operations are called in policies, on what they act, and what bears tags. */
#include "cloud/authorise.h"
#include "cloud/tagged.h"
#include "waf.h"

/* regional or global, as the scope says. */
static size_t on(req *rq, const txn *tx, const void *in, const char *kind, str **arns)
{
	(void)tx;
	str arn = access_member(rq, in, S("ARN")), name = access_member(rq, in, S("Name"));
	str id = access_member(rq, in, S("Id")), scope = access_member(rq, in, S("Scope"));
	if (!str_is(name))
		name = access_member(rq, in, S("WebACLName"));
	if (!str_is(id))
		id = access_member(rq, in, S("WebACLId"));
	*arns = arena_new(rq->mem, str);
	**arns = str_is(arn) ? arn : waf_arn(rq, kind, scope, str_is(name) ? name : S("*"),
	                                         str_is(id) ? id : S("*"));
	return 1;
}

#define ON(word, kind) \
	static size_t on_##word(req *rq, const txn *tx, const void *in, str **arns) \
	{ \
		return on(rq, tx, in, kind, arns); \
	}
ON(acl, "webacl")
ON(group, "rulegroup")
ON(ipset, "ipset")
ON(regexset, "regexpatternset")

#define OF(operation, word) { operation, NULL, NULL, on_##word }
#define ON_ARN(operation, member) { operation, NULL, "{" member "}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(wafv2, "wafv2", NULL,
	OF("CreateWebACL", acl), OF("GetWebACL", acl), OF("UpdateWebACL", acl), OF("DeleteWebACL", acl),
	OF("CreateRuleGroup", group), OF("GetRuleGroup", group), OF("UpdateRuleGroup", group),
	OF("DeleteRuleGroup", group), OF("CreateIPSet", ipset), OF("GetIPSet", ipset), OF("UpdateIPSet", ipset),
	OF("DeleteIPSet", ipset), OF("CreateRegexPatternSet", regexset), OF("GetRegexPatternSet", regexset),
	OF("UpdateRegexPatternSet", regexset), OF("DeleteRegexPatternSet", regexset),
	OF("GetRateBasedStatementManagedKeys", acl),
	ON_ARN("AssociateWebACL", "WebACLArn"), ON_ARN("DisassociateWebACL", "ResourceArn"),
	ON_ARN("GetWebACLForResource", "ResourceArn"), ON_ARN("ListResourcesForWebACL", "WebACLArn"),
	ON_ARN("GetSampledRequests", "WebAclArn"), ON_ARN("PutPermissionPolicy", "ResourceArn"),
	ON_ARN("GetPermissionPolicy", "ResourceArn"), ON_ARN("DeletePermissionPolicy", "ResourceArn"),
	ON_ARN("TagResource", "ResourceARN"), ON_ARN("UntagResource", "ResourceARN"),
	ON_ARN("ListTagsForResource", "ResourceARN"), ON_ALL("CheckCapacity"), ON_ALL("ListWebACLs"),
	ON_ALL("ListRuleGroups"), ON_ALL("ListIPSets"), ON_ALL("ListRegexPatternSets"),
	ON_ALL("ListAvailableManagedRuleGroups"), ON_ALL("DescribeManagedRuleGroup"));

#define OF_ARN "\"ResourceARN\":$arn"
#define WAYS(what, listed) \
	.list = { what, "\"Scope\":\"REGIONAL\"", listed }, .arn = "ARN", .from = "NextMarker", \
	.next = "NextMarker", \
	.read = { "ListTagsForResource", OF_ARN, "TagInfoForResource.TagList" }, \
	.tag = { "TagResource", OF_ARN ",\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", OF_ARN ",\"TagKeys\":$keys", NULL }
TAGGED(wafv2, "wafv2",
	{ .type = "wafv2:webacl", .at = "regional/webacl/", WAYS("ListWebACLs", "WebACLs") },
	{ .type = "wafv2:rulegroup", .at = "regional/rulegroup/", WAYS("ListRuleGroups", "RuleGroups") },
	{ .type = "wafv2:ipset", .at = "regional/ipset/", WAYS("ListIPSets", "IPSets") },
	{ .type = "wafv2:regexpatternset", .at = "regional/regexpatternset/",
	  WAYS("ListRegexPatternSets", "RegexPatternSets") });
