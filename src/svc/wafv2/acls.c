/* Web ACLs and rule groups. */
#include "waf.h"
#include "cloud/meter.h"
#include "sys/rand.h"

static err find_acl(req *rq, const txn *tx, str scope, str name, str id, wafv2_acl **r)
{
	TRY(waf_scope(rq, scope));
	*r = wafv2_acl_get(tx, rq->mem, rq->who.account, rq->region, scope, id);
	return *r && str_eq((*r)->It->Name, name) ? OK : waf_gone(rq);
}

static err check_default(rules_check *c, const wafv2_DefaultAction *d)
{
	if (!d->Allow == !d->Block)
		return waf_bad(c->rq, S("DEFAULT_ACTION"), S(""), "You must specify exactly one default action.");
	return rules_action_checked(c, d->Allow ? d->Allow->CustomRequestHandling : NULL,
	                            d->Block ? d->Block->CustomResponse : NULL);
}

/* What an ACL costs by the hour: itself, its rules, and Bot Control. */
static void charge(req *rq, txn *tx, str arn, const rules_check *c)
{
	str account = rq->who.account, region = rq->region;
	resident_set(tx, account, region, rq->now, &WAF_ACL, arn, c ? QTY(1) : 0);
	resident_set(tx, account, region, rq->now, &WAF_RULE, arn, c ? QTY(c->charged) : 0);
	resident_set(tx, account, region, rq->now, &WAF_BOT, arn, c && c->bots ? QTY(1) : 0);
}

static wafv2_WebACLSummary summary(const wafv2_acl *r)
{
	return (wafv2_WebACLSummary){ r->It->Name, r->It->Id, r->It->Description, r->Lock, r->It->ARN };
}

/* What these have is not here. */
#define REFUSE_EXTRAS(rq, in) \
	do { \
		if ((in)->DataProtectionConfig || (in)->OnSourceDDoSProtectionConfig || (in)->ApplicationConfig) \
			return fail((rq), &aws_NotImplemented, \
			            "Farthing's web ACLs have no data protection, DDoS protection and applications."); \
		if ((in)->CaptchaConfig || (in)->ChallengeConfig || (in)->TokenDomains.n) \
			return fail((rq), &aws_NotImplemented, "Farthing's web ACLs have no CAPTCHA and no Challenge."); \
	} while (0)

err wafv2_CreateWebACL(req *rq, txn *tx, const wafv2_CreateWebACL_in *in, wafv2_CreateWebACL_out *out)
{
	rules_check c = { .rq = rq, .tx = tx, .scope = in->Scope, .bodies = &in->CustomResponseBodies };
	size_t n = 0;
	bool twice = false;
	TRY(waf_scope(rq, in->Scope));
	REFUSE_EXTRAS(rq, in);
	TRY(check_default(&c, in->DefaultAction));
	TRY(rules_checked(&c, &in->Rules));
	record_scan s = wafv2_acl_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	for (wafv2_acl *r; (r = wafv2_acl_next(&s)); n++)
		twice = twice || str_eq(r->It->Name, in->Name);
	if (twice)
		return waf_duplicate(rq);
	if (n >= WAF_ACLS_MAX)
		return waf_too_many(rq);
	wafv2_WebACL it = { .Name = in->Name, .Id = rand_uuid(rq->mem), .DefaultAction = in->DefaultAction,
		.Description = in->Description, .Rules = in->Rules, .VisibilityConfig = in->VisibilityConfig,
		.Capacity = I64(c.capacity), .ManagedByFirewallManager = BOOL(false),
		.CustomResponseBodies = in->CustomResponseBodies, .AssociationConfig = in->AssociationConfig,
		.RetrofittedByFirewallManager = BOOL(false),
		.LabelNamespace = arena_fmt(rq->mem, "awswaf:%.*s:webacl:%.*s:", STR_ARG(rq->who.account),
		                            STR_ARG(in->Name)) };
	it.ARN = waf_arn(rq, "webacl", in->Scope, it.Name, it.Id);
	wafv2_acl row = { .Account = rq->who.account, .Region = rq->region, .Scope = in->Scope, .Id = it.Id,
		              .It = &it, .Lock = rand_uuid(rq->mem) };
	TRY(tags_add(rq, &waf_tag_rules, TAGS(&row.Tags, Key), TAGS(&in->Tags, Key)));
	wafv2_acl_put(tx, &row);
	charge(rq, tx, it.ARN, &c);
	out->Summary = arena_new(rq->mem, wafv2_WebACLSummary);
	*out->Summary = summary(&row);
	return OK;
}

err wafv2_GetWebACL(req *rq, const txn *tx, const wafv2_GetWebACL_in *in, wafv2_GetWebACL_out *out)
{
	wafv2_acl *r;
	if (str_is(in->ARN)) {
		r = waf_acl_at(tx, rq->mem, in->ARN);
		if (!r || !str_eq(r->Account, rq->who.account))
			return waf_gone(rq);
	} else {
		TRY(find_acl(rq, tx, in->Scope, in->Name, in->Id, &r));
	}
	if (!r->It->Rules.v)
		r->It->Rules.v = arena_new(rq->mem, wafv2_Rule);
	out->WebACL = r->It;
	out->LockToken = r->Lock;
	return OK;
}

err wafv2_UpdateWebACL(req *rq, txn *tx, const wafv2_UpdateWebACL_in *in, wafv2_UpdateWebACL_out *out)
{
	wafv2_acl *r;
	rules_check c = { .rq = rq, .tx = tx, .scope = in->Scope, .bodies = &in->CustomResponseBodies };
	TRY(find_acl(rq, tx, in->Scope, in->Name, in->Id, &r));
	REFUSE_EXTRAS(rq, in);
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	TRY(check_default(&c, in->DefaultAction));
	TRY(rules_checked(&c, &in->Rules));
	r->It->DefaultAction = in->DefaultAction;
	r->It->Description = in->Description;
	r->It->Rules = in->Rules;
	r->It->VisibilityConfig = in->VisibilityConfig;
	r->It->Capacity = I64(c.capacity);
	r->It->CustomResponseBodies = in->CustomResponseBodies;
	r->It->AssociationConfig = in->AssociationConfig;
	r->Lock = out->NextLockToken = rand_uuid(rq->mem);
	wafv2_acl_put(tx, r);
	charge(rq, tx, r->It->ARN, &c);
	return OK;
}

err wafv2_DeleteWebACL(req *rq, txn *tx, const wafv2_DeleteWebACL_in *in, wafv2_DeleteWebACL_out *out)
{
	wafv2_acl *r;
	(void)out;
	TRY(find_acl(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	record_scan s = wafv2_behind_scan(tx, rq->mem, 1, r->It->ARN, STR_NONE);
	bool used = wafv2_behind_next(&s) != NULL;
	cursor_close(&s.at);
	if (used)
		return waf_in_use(rq);
	wafv2_acl_delete(tx, r->Account, r->Region, r->Scope, r->Id);
	charge(rq, tx, r->It->ARN, NULL);
	return OK;
}

err wafv2_ListWebACLs(req *rq, const txn *tx, const wafv2_ListWebACLs_in *in, wafv2_ListWebACLs_out *out)
{
	size_t most = in->Limit.set ? (size_t)in->Limit.v : WAF_PAGE;
	TRY(waf_scope(rq, in->Scope));
	record_scan s = wafv2_acl_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	if (str_is(in->NextMarker))
		record_scan_after(&s, in->NextMarker);
	out->WebACLs.v = arena_array(rq->mem, wafv2_WebACLSummary, most);
	for (wafv2_acl *r; out->WebACLs.n < most && (r = wafv2_acl_next(&s));)
		out->WebACLs.v[out->WebACLs.n++] = summary(r);
	if (out->WebACLs.n == most)
		out->NextMarker = out->WebACLs.v[most - 1].Id;
	cursor_close(&s.at);
	return OK;
}

static err find_group(req *rq, const txn *tx, str scope, str name, str id, wafv2_group **r)
{
	TRY(waf_scope(rq, scope));
	*r = wafv2_group_get(tx, rq->mem, rq->who.account, rq->region, scope, id);
	return *r && str_eq((*r)->It->Name, name) ? OK : waf_gone(rq);
}

static wafv2_RuleGroupSummary group_summary(const wafv2_group *r)
{
	return (wafv2_RuleGroupSummary){ r->It->Name, r->It->Id, r->It->Description, r->Lock, r->It->ARN };
}

/* The rules must fit into the capacity that the group was made with. */
static err check_group(req *rq, const txn *tx, str scope, const wafv2_Rules *rules,
                       const wafv2_CustomResponseBodies *bodies, int64_t capacity)
{
	rules_check c = { .rq = rq, .tx = tx, .scope = scope, .bodies = bodies, .in_group = true };
	TRY(rules_checked(&c, rules));
	return c.capacity <= capacity ? OK : waf_too_many(rq);
}

err wafv2_CreateRuleGroup(req *rq, txn *tx, const wafv2_CreateRuleGroup_in *in,
	wafv2_CreateRuleGroup_out *out)
{
	size_t n = 0;
	bool twice = false;
	TRY(waf_scope(rq, in->Scope));
	if (in->Capacity.v > WAF_CAPACITY_MAX)
		return waf_too_many(rq);
	TRY(check_group(rq, tx, in->Scope, &in->Rules, &in->CustomResponseBodies, in->Capacity.v));
	record_scan s = wafv2_group_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	for (wafv2_group *r; (r = wafv2_group_next(&s)); n++)
		twice = twice || str_eq(r->It->Name, in->Name);
	if (twice)
		return waf_duplicate(rq);
	if (n >= WAF_GROUPS_MAX)
		return waf_too_many(rq);
	wafv2_RuleGroup it = { .Name = in->Name, .Id = rand_uuid(rq->mem), .Capacity = in->Capacity,
		.Description = in->Description, .Rules = in->Rules, .VisibilityConfig = in->VisibilityConfig,
		.CustomResponseBodies = in->CustomResponseBodies,
		.LabelNamespace = arena_fmt(rq->mem, "awswaf:%.*s:rulegroup:%.*s:", STR_ARG(rq->who.account),
		                            STR_ARG(in->Name)) };
	it.ARN = waf_arn(rq, "rulegroup", in->Scope, it.Name, it.Id);
	wafv2_group row = { .Account = rq->who.account, .Region = rq->region, .Scope = in->Scope, .Id = it.Id,
		                .It = &it, .Lock = rand_uuid(rq->mem) };
	TRY(tags_add(rq, &waf_tag_rules, TAGS(&row.Tags, Key), TAGS(&in->Tags, Key)));
	wafv2_group_put(tx, &row);
	out->Summary = arena_new(rq->mem, wafv2_RuleGroupSummary);
	*out->Summary = group_summary(&row);
	return OK;
}

err wafv2_GetRuleGroup(req *rq, const txn *tx, const wafv2_GetRuleGroup_in *in, wafv2_GetRuleGroup_out *out)
{
	wafv2_group *r;
	if (str_is(in->ARN)) {
		r = waf_group_at(tx, rq->mem, in->ARN);
		if (!r || !str_eq(r->Account, rq->who.account))
			return waf_gone(rq);
	} else {
		TRY(find_group(rq, tx, in->Scope, in->Name, in->Id, &r));
	}
	if (!r->It->Rules.v)
		r->It->Rules.v = arena_new(rq->mem, wafv2_Rule);
	out->RuleGroup = r->It;
	out->LockToken = r->Lock;
	return OK;
}

/* The web ACLs that have the group are charged for its rules. */
static err charge_users(req *rq, txn *tx, str scope)
{
	record_scan s = wafv2_acl_scan(tx, rq->mem, 3, rq->who.account, rq->region, scope, STR_NONE);
	for (wafv2_acl *r; (r = wafv2_acl_next(&s));) {
		rules_check c = { .rq = rq, .tx = tx, .scope = scope, .bodies = &r->It->CustomResponseBodies };
		if (!rules_checked(&c, &r->It->Rules))
			resident_set(tx, r->Account, r->Region, rq->now, &WAF_RULE, r->It->ARN, QTY(c.charged));
	}
	return OK;
}

err wafv2_UpdateRuleGroup(req *rq, txn *tx, const wafv2_UpdateRuleGroup_in *in,
	wafv2_UpdateRuleGroup_out *out)
{
	wafv2_group *r;
	TRY(find_group(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	TRY(check_group(rq, tx, in->Scope, &in->Rules, &in->CustomResponseBodies, r->It->Capacity.v));
	bool more = in->Rules.n != r->It->Rules.n;
	r->It->Description = in->Description;
	r->It->Rules = in->Rules;
	r->It->VisibilityConfig = in->VisibilityConfig;
	r->It->CustomResponseBodies = in->CustomResponseBodies;
	r->Lock = out->NextLockToken = rand_uuid(rq->mem);
	wafv2_group_put(tx, r);
	return more ? charge_users(rq, tx, in->Scope) : OK;
}

err wafv2_DeleteRuleGroup(req *rq, txn *tx, const wafv2_DeleteRuleGroup_in *in,
	wafv2_DeleteRuleGroup_out *out)
{
	wafv2_group *r;
	(void)out;
	TRY(find_group(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	if (waf_is_used(rq, tx, in->Scope, r->It->ARN))
		return waf_in_use(rq);
	wafv2_group_delete(tx, r->Account, r->Region, r->Scope, r->Id);
	return OK;
}

err wafv2_ListRuleGroups(req *rq, const txn *tx, const wafv2_ListRuleGroups_in *in,
	wafv2_ListRuleGroups_out *out)
{
	size_t most = in->Limit.set ? (size_t)in->Limit.v : WAF_PAGE;
	TRY(waf_scope(rq, in->Scope));
	record_scan s = wafv2_group_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	if (str_is(in->NextMarker))
		record_scan_after(&s, in->NextMarker);
	out->RuleGroups.v = arena_array(rq->mem, wafv2_RuleGroupSummary, most);
	for (wafv2_group *r; out->RuleGroups.n < most && (r = wafv2_group_next(&s));)
		out->RuleGroups.v[out->RuleGroups.n++] = group_summary(r);
	if (out->RuleGroups.n == most)
		out->NextMarker = out->RuleGroups.v[most - 1].Id;
	cursor_close(&s.at);
	return OK;
}
