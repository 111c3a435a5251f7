/* What is where, what it is called, and what AWS says when it is not. */
#include "waf.h"
#include "cloud/target.h"

const tag_rules waf_tag_rules = {
	.most = WAF_TAGS_MAX,
	.too_many = { &wafv2_WAFLimitsExceededException,
	              "AWS WAF couldn’t perform the operation because you exceeded your resource limit." },
	.twice = { &wafv2_WAFTagOperationException, "A tag key is given more than once." },
	.reserved = { &wafv2_WAFTagOperationException, "Tag keys that begin with aws: are reserved." },
};

err waf_bad(req *rq, str field, str parameter, const char *reason)
{
	wafv2_WAFInvalidParameterException_error *e = arena_new(rq->mem,
		wafv2_WAFInvalidParameterException_error);
	e->Field = field;
	e->Parameter = parameter.n ? parameter : STR_NONE;
	e->Reason = str_c(reason);
	return fail_with(rq, &wafv2_WAFInvalidParameterException, e,
		"Error reason: %s, field: %.*s, parameter: %.*s",
	                 reason, STR_ARG(field), STR_ARG(parameter));
}

err waf_gone(req *rq)
{
	return fail(rq, &wafv2_WAFNonexistentItemException,
	            "AWS WAF couldn’t perform the operation because your resource doesn’t exist.");
}

err waf_duplicate(req *rq)
{
	return fail(rq, &wafv2_WAFDuplicateItemException,
	            "AWS WAF couldn’t perform the operation because some resource in your request is a "
	            "duplicate of an existing one.");
}

err waf_too_many(req *rq)
{
	return fail(rq, &wafv2_WAFLimitsExceededException,
	            "AWS WAF couldn’t perform the operation because you exceeded your resource limit.");
}

err waf_in_use(req *rq)
{
	return fail(rq, &wafv2_WAFAssociatedItemException,
	            "AWS WAF couldn’t perform the operation because your resource is being used by another "
	            "resource or it’s associated with another resource.");
}

err waf_locked(req *rq, str given, str has)
{
	return str_eq(given, has) ? OK : fail(rq, &wafv2_WAFOptimisticLockException,
		"AWS WAF couldn’t save your changes because someone changed the resource after you started to "
		"edit it. Reapply your changes.");
}

err waf_scope(req *rq, str scope)
{
	if (str_eq(scope, wafv2_Scope_CLOUDFRONT) && !str_eq(rq->region, S("us-east-1")))
		return waf_bad(rq, S("SCOPE_VALUE"), scope, "The scope is not valid.");
	return OK;
}

str waf_arn(const req *rq, const char *kind, str scope, str name, str id)
{
	bool global = str_eq(scope, wafv2_Scope_CLOUDFRONT);
	return req_arn(rq, "wafv2", "%s/%s/%.*s/%.*s", global ? "global" : "regional", kind, STR_ARG(name),
	               STR_ARG(id));
}

bool waf_place_of(str arn, waf_place *p)
{
	arn_parts parts;
	if (!arn_split(arn, &parts) || !str_eq(parts.service, S("wafv2")))
		return false;
	str rest = parts.resource, scope = str_cut(&rest, '/');
	p->account = parts.account;
	p->region = parts.region;
	p->scope = str_eq(scope, S("global")) ? wafv2_Scope_CLOUDFRONT : wafv2_Scope_REGIONAL;
	p->kind = str_is(rest) ? str_cut(&rest, '/') : S("");
	p->name = str_is(rest) ? str_cut(&rest, '/') : S("");
	p->id = str_is(rest) ? rest : S("");
	return p->id.n > 0 && (str_eq(scope, S("global")) || str_eq(scope, S("regional")));
}

#define AT(kind_, words_) \
	wafv2_##kind_ *waf_##kind_##_at(const txn *tx, arena *mem, str arn) \
	{ \
		waf_place p; \
		if (!waf_place_of(arn, &p) || !str_eq(p.kind, S(words_))) \
			return NULL; \
		wafv2_##kind_ *r = wafv2_##kind_##_get(tx, mem, p.account, p.region, p.scope, p.id); \
		return r && str_eq(r->It->Name, p.name) ? r : NULL; \
	}
AT(acl, "webacl")
AT(group, "rulegroup")
AT(ipset, "ipset")
AT(regexset, "regexpatternset")

static bool names(const wafv2_Statement *s, str arn, int depth)
{
	if (!s || depth > 64)
		return false;
	if ((s->IPSetReferenceStatement && str_eq(s->IPSetReferenceStatement->ARN, arn)) ||
	    (s->RegexPatternSetReferenceStatement && str_eq(s->RegexPatternSetReferenceStatement->ARN, arn)) ||
	    (s->RuleGroupReferenceStatement && str_eq(s->RuleGroupReferenceStatement->ARN, arn)))
		return true;
	if ((s->NotStatement && names(s->NotStatement->Statement, arn, depth + 1)) ||
	    (s->RateBasedStatement && names(s->RateBasedStatement->ScopeDownStatement, arn, depth + 1)) ||
	    (s->ManagedRuleGroupStatement &&
	     names(s->ManagedRuleGroupStatement->ScopeDownStatement, arn, depth + 1)))
		return true;
	const wafv2_Statements *both[2] = { s->AndStatement ? &s->AndStatement->Statements : NULL,
		                                s->OrStatement ? &s->OrStatement->Statements : NULL };
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; both[k] && i < both[k]->n; i++)
			if (names(&both[k]->v[i], arn, depth + 1))
				return true;
	return false;
}

static bool rules_name(const wafv2_Rules *rules, str arn)
{
	for (size_t i = 0; i < rules->n; i++)
		if (names(rules->v[i].Statement, arn, 0))
			return true;
	return false;
}

bool waf_is_used(req *rq, const txn *tx, str scope, str arn)
{
	bool used = false;
	record_scan a = wafv2_acl_scan(tx, rq->mem, 3, rq->who.account, rq->region, scope, STR_NONE);
	for (wafv2_acl *r; (r = wafv2_acl_next(&a));)
		used = used || rules_name(&r->It->Rules, arn);
	record_scan g = wafv2_group_scan(tx, rq->mem, 3, rq->who.account, rq->region, scope, STR_NONE);
	for (wafv2_group *r; (r = wafv2_group_next(&g));)
		used = used || rules_name(&r->It->Rules, arn);
	return used;
}
