/*
 * Rules as they come: what AWS refuses, and the capacity units that it counts. Statements nest at most as
 * deep as DEPTH_MOST, so that whoever walks them needs no more stack than that.
 */
#include "waf.h"
#include "wire/pattern.h"

#define DEPTH_MOST 20
#define FORMAT "The parameter contains formatting that is not valid."

static err bad_statement(rules_check *c, const char *field, const char *why)
{
	return waf_bad(c->rq, str_c(field), S(""), why);
}

static err check_transformations(rules_check *c, const wafv2_TextTransformations *all, int64_t *cost)
{
	if (all->n > 10)
		return bad_statement(c, "TEXT_TRANSFORMATION", "You exceeded the maximum number of transformations.");
	for (size_t i = 0; i < all->n; i++) {
		for (size_t k = 0; k < i; k++)
			if (all->v[k].Priority.v == all->v[i].Priority.v)
				return bad_statement(c, "TEXT_TRANSFORMATION", "You have used the same priority twice.");
		if (!str_eq(all->v[i].Type, wafv2_TextTransformationType_NONE))
			*cost += 10;
	}
	return OK;
}

/* How many of its members are there. */
static int members_of(const wafv2_FieldToMatch *f)
{
	return !!f->SingleHeader + !!f->SingleQueryArgument + !!f->AllQueryArguments + !!f->UriPath +
		!!f->QueryString + !!f->Body + !!f->Method + !!f->JsonBody + !!f->Headers + !!f->Cookies +
		!!f->HeaderOrder + !!f->JA3Fingerprint + !!f->JA4Fingerprint + !!f->UriFragment;
}

static err check_field(rules_check *c, const wafv2_FieldToMatch *f, const wafv2_TextTransformations *t,
                       int64_t base)
{
	int64_t more = 0;
	if (members_of(f) != 1)
		return bad_statement(c, "FIELD_TO_MATCH", "You must specify exactly one field to match.");
	if (f->JA3Fingerprint || f->JA4Fingerprint || f->UriFragment)
		return fail(c->rq, &aws_NotImplemented,
		            "Farthing's web ACLs do not look at TLS fingerprints and fragments.");
	TRY(check_transformations(c, t, &more));
	if (f->JsonBody) {
		const wafv2_JsonMatchPattern *p = f->JsonBody->MatchPattern;
		if (!p->All == !p->IncludedPaths.n)
			return bad_statement(c, "JSON_MATCH_PATTERN",
				"You must specify exactly one of All, IncludedPaths.");
		base *= 2;
	}
	if (f->Headers) {
		const wafv2_HeaderMatchPattern *p = f->Headers->MatchPattern;
		if (!!p->All + (p->IncludedHeaders.n > 0) + (p->ExcludedHeaders.n > 0) != 1)
			return bad_statement(c, "HEADER_MATCH_PATTERN", "You must specify exactly one match pattern.");
	}
	if (f->Cookies) {
		const wafv2_CookieMatchPattern *p = f->Cookies->MatchPattern;
		if (!!p->All + (p->IncludedCookies.n > 0) + (p->ExcludedCookies.n > 0) != 1)
			return bad_statement(c, "COOKIE_MATCH_PATTERN", "You must specify exactly one match pattern.");
	}
	c->capacity += base + (f->AllQueryArguments ? 10 : 0) + more;
	return OK;
}

static err check_statement(rules_check *c, const wafv2_Statement *s);

static err check_rate(rules_check *c, const wafv2_RateBasedStatement *r)
{
	bool custom = str_eq(r->AggregateKeyType, wafv2_RateBasedStatementAggregateKeyType_CUSTOM_KEYS);
	bool forwarded = str_eq(r->AggregateKeyType, wafv2_RateBasedStatementAggregateKeyType_FORWARDED_IP);
	int64_t window = r->EvaluationWindowSec.set ? r->EvaluationWindowSec.v : 300;
	if (c->depth > 1)
		return bad_statement(c, "RATE_BASED_STATEMENT", "You can't nest a rate-based statement.");
	if (window != 60 && window != 120 && window != 300 && window != 600)
		return waf_bad(c->rq, S("RATE_BASED_STATEMENT"),
		               arena_fmt(c->rq->mem, "%lld", (long long)window),
		               "Your statement has an invalid value.");
	if (custom != (r->CustomKeys.n > 0))
		return bad_statement(c, "CUSTOM_KEYS", "Your statement has an invalid value.");
	if (forwarded && !r->ForwardedIPConfig)
		return bad_statement(c, "FORWARDED_IP_CONFIG", "You must specify a forwarded IP configuration.");
	if (str_eq(r->AggregateKeyType, wafv2_RateBasedStatementAggregateKeyType_CONSTANT) &&
		!r->ScopeDownStatement)
		return bad_statement(c, "SCOPE_DOWN", "You must specify a scope-down statement.");
	c->capacity += 2;
	for (size_t i = 0; i < r->CustomKeys.n; i++) {
		const wafv2_RateBasedStatementCustomKey *k = &r->CustomKeys.v[i];
		int64_t more = 30;
		if (k->JA3Fingerprint || k->JA4Fingerprint || k->ASN)
			return fail(c->rq, &aws_NotImplemented,
			            "Farthing's web ACLs do not look at TLS fingerprints and autonomous systems.");
		if (!!k->Header + !!k->Cookie + !!k->QueryArgument + !!k->QueryString + !!k->HTTPMethod +
		    !!k->ForwardedIP + !!k->IP + !!k->LabelNamespace + !!k->UriPath != 1)
			return bad_statement(c, "CUSTOM_KEYS", "You must specify exactly one custom key.");
		if (k->ForwardedIP && !r->ForwardedIPConfig)
			return bad_statement(c, "FORWARDED_IP_CONFIG", "You must specify a forwarded IP configuration.");
		if (k->Header)
			TRY(check_transformations(c, &k->Header->TextTransformations, &more));
		if (k->Cookie)
			TRY(check_transformations(c, &k->Cookie->TextTransformations, &more));
		if (k->QueryArgument)
			TRY(check_transformations(c, &k->QueryArgument->TextTransformations, &more));
		if (k->QueryString)
			TRY(check_transformations(c, &k->QueryString->TextTransformations, &more));
		if (k->UriPath)
			TRY(check_transformations(c, &k->UriPath->TextTransformations, &more));
		c->capacity += more;
	}
	if (r->ScopeDownStatement)
		TRY(check_statement(c, r->ScopeDownStatement));
	c->rates++;
	return OK;
}

static err check_override(rules_check *c, const wafv2_RuleActionOverrides *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const wafv2_RuleAction *a = all->v[i].ActionToUse;
		if (!!a->Allow + !!a->Block + !!a->Count + !!a->Captcha + !!a->Challenge != 1)
			return bad_statement(c, "RULE_ACTION", "You must specify exactly one action.");
		if (a->Captcha || a->Challenge)
			return fail(c->rq, &aws_NotImplemented, "Farthing's web ACLs have no CAPTCHA and no Challenge.");
	}
	return OK;
}

static err check_managed(rules_check *c, const wafv2_ManagedRuleGroupStatement *m)
{
	const managed_group *g = managed_group_of(m->VendorName, m->Name);
	if (c->in_group || c->depth > 1)
		return bad_statement(c, "STATEMENT", "You can't nest a managed rule group statement.");
	if (!g && str_eq(m->VendorName, S("AWS")) && str_starts(m->Name, S("AWSManagedRules")))
		return fail(c->rq, &aws_NotImplemented, "Farthing does not have the rule group %.*s.",
			STR_ARG(m->Name));
	if (!g)
		return waf_gone(c->rq);
	if (str_is(m->Version))
		return fail(c->rq, &aws_NotImplemented, "Farthing's managed rule groups have no versions to choose.");
	for (size_t i = 0; i < m->ManagedRuleGroupConfigs.n; i++) {
		const wafv2_AWSManagedRulesBotControlRuleSet *b =
			m->ManagedRuleGroupConfigs.v[i].AWSManagedRulesBotControlRuleSet;
		if (!b)
			return bad_statement(c, "MANAGED_RULE_GROUP_CONFIG", FORMAT);
		if (str_eq(b->InspectionLevel, wafv2_InspectionLevel_TARGETED))
			return fail(c->rq, &aws_NotImplemented, "Farthing's Bot Control has the level COMMON only.");
	}
	TRY(check_override(c, &m->RuleActionOverrides));
	c->capacity += g->capacity;
	c->bots = c->bots || str_eq(m->Name, S("AWSManagedRulesBotControlRuleSet"));
	return m->ScopeDownStatement ? check_statement(c, m->ScopeDownStatement) : OK;
}

/* Of this account, Region and scope. */
static bool own(const rules_check *c, str arn, waf_place *p)
{
	return waf_place_of(arn, p) && str_eq(p->scope, c->scope) && str_eq(p->region, c->rq->region) &&
		str_eq(p->account, c->rq->who.account);
}

static err check_group(rules_check *c, const wafv2_RuleGroupReferenceStatement *r)
{
	if (c->in_group || c->depth > 1)
		return bad_statement(c, "STATEMENT", "You can't nest a rule group reference statement.");
	waf_place p;
	wafv2_group *g = own(c, r->ARN, &p) ? waf_group_at(c->tx, c->rq->mem, r->ARN) : NULL;
	if (!g)
		return waf_gone(c->rq);
	TRY(check_override(c, &r->RuleActionOverrides));
	c->capacity += g->It->Capacity.v;
	c->charged += (int64_t)g->It->Rules.n;
	return OK;
}

static err check_many(rules_check *c, const wafv2_Statements *all, const char *field)
{
	if (all->n < 2)
		return bad_statement(c, field, "You must specify at least two statements.");
	for (size_t i = 0; i < all->n; i++)
		TRY(check_statement(c, &all->v[i]));
	return OK;
}

static err check_byte(rules_check *c, const wafv2_ByteMatchStatement *b)
{
	bool fixed = !str_starts(b->PositionalConstraint, S("CONTAINS"));
	if (b->SearchString.n < 1 || b->SearchString.n > 200)
		return bad_statement(c, "BYTE_MATCH_STATEMENT", "Your statement has an invalid value.");
	return check_field(c, b->FieldToMatch, &b->TextTransformations, fixed ? 2 : 10);
}

static err check_sets(rules_check *c, const wafv2_Statement *s)
{
	waf_place p;
	if (s->IPSetReferenceStatement) {
		const wafv2_IPSetForwardedIPConfig *f = s->IPSetReferenceStatement->IPSetForwardedIPConfig;
		if (!own(c, s->IPSetReferenceStatement->ARN, &p) ||
		    !waf_ipset_at(c->tx, c->rq->mem, s->IPSetReferenceStatement->ARN))
			return waf_gone(c->rq);
		c->capacity += f && str_eq(f->Position, wafv2_ForwardedIPPosition_ANY) ? 5 : 1;
		return OK;
	}
	const wafv2_RegexPatternSetReferenceStatement *r = s->RegexPatternSetReferenceStatement;
	if (!own(c, r->ARN, &p) || !waf_regexset_at(c->tx, c->rq->mem, r->ARN))
		return waf_gone(c->rq);
	return check_field(c, r->FieldToMatch, &r->TextTransformations, 25);
}

static err check_one(rules_check *c, const wafv2_Statement *s)
{
	if (s->ByteMatchStatement)
		return check_byte(c, s->ByteMatchStatement);
	if (s->SqliMatchStatement)
		return check_field(c, s->SqliMatchStatement->FieldToMatch,
			&s->SqliMatchStatement->TextTransformations,
		                   str_eq(s->SqliMatchStatement->SensitivityLevel, wafv2_SensitivityLevel_HIGH)
		                   ? 30 : 20);
	if (s->XssMatchStatement)
		return check_field(c, s->XssMatchStatement->FieldToMatch, &s->XssMatchStatement->TextTransformations,
			40);
	if (s->SizeConstraintStatement)
		return check_field(c, s->SizeConstraintStatement->FieldToMatch,
		                   &s->SizeConstraintStatement->TextTransformations, 1);
	if (s->RegexMatchStatement) {
		if (!pattern_compile(c->rq->mem, s->RegexMatchStatement->RegexString))
			return waf_bad(c->rq, S("REGEX_PATTERN_SET"), s->RegexMatchStatement->RegexString, FORMAT);
		return check_field(c, s->RegexMatchStatement->FieldToMatch,
			&s->RegexMatchStatement->TextTransformations,
		                   3);
	}
	if (s->IPSetReferenceStatement || s->RegexPatternSetReferenceStatement)
		return check_sets(c, s);
	if (s->AndStatement)
		return check_many(c, &s->AndStatement->Statements, "AND_STATEMENT");
	if (s->OrStatement)
		return check_many(c, &s->OrStatement->Statements, "OR_STATEMENT");
	if (s->NotStatement)
		return check_statement(c, s->NotStatement->Statement);
	if (s->RateBasedStatement)
		return check_rate(c, s->RateBasedStatement);
	if (s->ManagedRuleGroupStatement)
		return check_managed(c, s->ManagedRuleGroupStatement);
	if (s->RuleGroupReferenceStatement)
		return check_group(c, s->RuleGroupReferenceStatement);
	if (s->GeoMatchStatement && s->GeoMatchStatement->ForwardedIPConfig)
		return fail(c->rq, &aws_NotImplemented, "Farthing does not know in which country an address is.");
	c->capacity += 1;
	return OK;
}

static err check_statement(rules_check *c, const wafv2_Statement *s)
{
	int n = !!s->ByteMatchStatement + !!s->SqliMatchStatement + !!s->XssMatchStatement +
		!!s->SizeConstraintStatement + !!s->GeoMatchStatement + !!s->RuleGroupReferenceStatement +
		!!s->IPSetReferenceStatement + !!s->RegexPatternSetReferenceStatement + !!s->RateBasedStatement +
		!!s->AndStatement + !!s->OrStatement + !!s->NotStatement + !!s->ManagedRuleGroupStatement +
		!!s->LabelMatchStatement + !!s->RegexMatchStatement + !!s->AsnMatchStatement;
	if (n != 1)
		return bad_statement(c, "STATEMENT", "You must specify exactly one statement.");
	if (s->AsnMatchStatement)
		return fail(c->rq, &aws_NotImplemented, "Farthing does not know addresses' autonomous systems.");
	if (c->depth >= DEPTH_MOST)
		return bad_statement(c, "STATEMENT", "Statements are nested too deeply.");
	c->depth++;
	err e = check_one(c, s);
	c->depth--;
	return e;
}

err rules_action_checked(rules_check *c, const wafv2_CustomRequestHandling *more,
                         const wafv2_CustomResponse *response)
{
	if (more && more->InsertHeaders.n > 10)
		return bad_statement(c, "CUSTOM_REQUEST_HANDLING", "You exceeded the maximum number of headers.");
	if (!response)
		return OK;
	bool known = !str_is(response->CustomResponseBodyKey);
	for (size_t i = 0; i < c->bodies->n; i++)
		known = known || str_eq(c->bodies->v[i].key, response->CustomResponseBodyKey);
	if (!known)
		return waf_bad(c->rq, S("CUSTOM_RESPONSE_BODY"), response->CustomResponseBodyKey, FORMAT);
	if (response->ResponseHeaders.n > 10)
		return bad_statement(c, "CUSTOM_RESPONSE", "You exceeded the maximum number of headers.");
	return OK;
}

static err check_action(rules_check *c, const wafv2_Rule *r)
{
	const wafv2_RuleAction *a = r->Action;
	bool group = r->Statement->ManagedRuleGroupStatement || r->Statement->RuleGroupReferenceStatement;
	if (group ? a || !r->OverrideAction : !a || r->OverrideAction)
		return waf_bad(c->rq, group ? S("OVERRIDE_ACTION") : S("RULE_ACTION"), r->Name,
		               "A reference in your rule statement is not valid.");
	if (group)
		return !r->OverrideAction->Count == !r->OverrideAction->None
			? waf_bad(c->rq, S("OVERRIDE_ACTION"), r->Name, "You must specify exactly one override action.") :
				OK;
	if (!!a->Allow + !!a->Block + !!a->Count + !!a->Captcha + !!a->Challenge != 1)
		return waf_bad(c->rq, S("RULE_ACTION"), r->Name, "You must specify exactly one action.");
	if (a->Captcha || a->Challenge)
		return fail(c->rq, &aws_NotImplemented, "Farthing's web ACLs have no CAPTCHA and no Challenge.");
	return rules_action_checked(c, a->Allow ? a->Allow->CustomRequestHandling
		: a->Count ? a->Count->CustomRequestHandling : NULL, a->Block ? a->Block->CustomResponse : NULL);
}

err rules_checked(rules_check *c, const wafv2_Rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		const wafv2_Rule *r = &rules->v[i];
		for (size_t k = 0; k < i; k++) {
			if (rules->v[k].Priority.v == r->Priority.v)
				return waf_bad(c->rq, S("RULE"), arena_fmt(c->rq->mem, "%lld", (long long)r->Priority.v),
				               "The priority of a rule is used by another one.");
			if (str_eq(rules->v[k].Name, r->Name))
				return waf_duplicate(c->rq);
			if (str_eq(rules->v[k].VisibilityConfig->MetricName, r->VisibilityConfig->MetricName))
				return waf_bad(c->rq, S("METRIC_NAME"), r->VisibilityConfig->MetricName,
				               "The metric name of a rule is used by another one.");
		}
		c->charged++;
		TRY(check_action(c, r));
		for (size_t k = 0; k < r->RuleLabels.n; k++)
			if (str_starts(r->RuleLabels.v[k].Name, S("awswaf:")))
				return waf_bad(c->rq, S("LABEL_MATCH_STATEMENT"), r->RuleLabels.v[k].Name, FORMAT);
		TRY(check_statement(c, r->Statement));
		/* Every rule costs something: no more of them are compared than there may be. */
		if (c->capacity > WAF_CAPACITY_MAX || c->rates > WAF_RATE_RULES_MAX)
			return waf_too_many(c->rq);
	}
	return OK;
}

err wafv2_CheckCapacity(req *rq, const txn *tx, const wafv2_CheckCapacity_in *in,
	wafv2_CheckCapacity_out *out)
{
	static const wafv2_CustomResponseBodies none;
	rules_check c = { .rq = rq, .tx = tx, .scope = in->Scope, .bodies = &none };
	TRY(waf_scope(rq, in->Scope));
	TRY(rules_checked(&c, &in->Rules));
	out->Capacity = I64(c.capacity);
	return OK;
}
