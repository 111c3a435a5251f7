/* IP sets and sets of regular expressions. */
#include "waf.h"
#include "sys/rand.h"
#include "wire/pattern.h"
#include <arpa/inet.h>

static err check_addresses(req *rq, const wafv2_IPAddresses *all, str version)
{
	bool six = str_eq(version, wafv2_IPAddressVersion_IPV6);
	address a;
	if (all->n > WAF_ADDRESSES_MAX)
		return waf_too_many(rq);
	for (size_t i = 0; i < all->n; i++)
		if (str_find_char(all->v[i], '/') == SIZE_MAX || !address_read(all->v[i], &a) ||
		    (a.family == AF_INET6) != six)
			return waf_bad(rq, S("IP_ADDRESS"), all->v[i],
			               "The parameter contains formatting that is not valid.");
	return OK;
}

static err find_ipset(req *rq, const txn *tx, str scope, str name, str id, wafv2_ipset **r)
{
	TRY(waf_scope(rq, scope));
	*r = wafv2_ipset_get(tx, rq->mem, rq->who.account, rq->region, scope, id);
	return *r && str_eq((*r)->It->Name, name) ? OK : waf_gone(rq);
}

static wafv2_IPSetSummary ipset_summary(const wafv2_ipset *r)
{
	return (wafv2_IPSetSummary){ r->It->Name, r->It->Id, r->It->Description, r->Lock, r->It->ARN };
}

err wafv2_CreateIPSet(req *rq, txn *tx, const wafv2_CreateIPSet_in *in, wafv2_CreateIPSet_out *out)
{
	size_t n = 0;
	TRY(waf_scope(rq, in->Scope));
	TRY(check_addresses(rq, &in->Addresses, in->IPAddressVersion));
	record_scan s = wafv2_ipset_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	bool twice = false;
	for (wafv2_ipset *r; (r = wafv2_ipset_next(&s)); n++)
		twice = twice || str_eq(r->It->Name, in->Name);
	if (twice)
		return waf_duplicate(rq);
	if (n >= WAF_IPSETS_MAX)
		return waf_too_many(rq);
	wafv2_IPSet it = { .Name = in->Name, .Id = rand_uuid(rq->mem), .Description = in->Description,
		               .IPAddressVersion = in->IPAddressVersion, .Addresses = in->Addresses };
	it.ARN = waf_arn(rq, "ipset", in->Scope, it.Name, it.Id);
	wafv2_ipset row = { .Account = rq->who.account, .Region = rq->region, .Scope = in->Scope, .Id = it.Id,
		                .It = &it, .Lock = rand_uuid(rq->mem) };
	TRY(tags_add(rq, &waf_tag_rules, TAGS(&row.Tags, Key), TAGS(&in->Tags, Key)));
	wafv2_ipset_put(tx, &row);
	out->Summary = arena_new(rq->mem, wafv2_IPSetSummary);
	*out->Summary = ipset_summary(&row);
	return OK;
}

err wafv2_GetIPSet(req *rq, const txn *tx, const wafv2_GetIPSet_in *in, wafv2_GetIPSet_out *out)
{
	wafv2_ipset *r;
	TRY(find_ipset(rq, tx, in->Scope, in->Name, in->Id, &r));
	if (!r->It->Addresses.v)
		r->It->Addresses.v = arena_new(rq->mem, str);
	out->IPSet = r->It;
	out->LockToken = r->Lock;
	return OK;
}

err wafv2_UpdateIPSet(req *rq, txn *tx, const wafv2_UpdateIPSet_in *in, wafv2_UpdateIPSet_out *out)
{
	wafv2_ipset *r;
	TRY(find_ipset(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	TRY(check_addresses(rq, &in->Addresses, r->It->IPAddressVersion));
	r->It->Description = in->Description;
	r->It->Addresses = in->Addresses;
	r->Lock = out->NextLockToken = rand_uuid(rq->mem);
	wafv2_ipset_put(tx, r);
	return OK;
}

err wafv2_DeleteIPSet(req *rq, txn *tx, const wafv2_DeleteIPSet_in *in, wafv2_DeleteIPSet_out *out)
{
	wafv2_ipset *r;
	(void)out;
	TRY(find_ipset(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	if (waf_is_used(rq, tx, in->Scope, r->It->ARN))
		return waf_in_use(rq);
	wafv2_ipset_delete(tx, r->Account, r->Region, r->Scope, r->Id);
	return OK;
}

err wafv2_ListIPSets(req *rq, const txn *tx, const wafv2_ListIPSets_in *in, wafv2_ListIPSets_out *out)
{
	size_t most = in->Limit.set ? (size_t)in->Limit.v : WAF_PAGE;
	TRY(waf_scope(rq, in->Scope));
	record_scan s = wafv2_ipset_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	if (str_is(in->NextMarker))
		record_scan_after(&s, in->NextMarker);
	out->IPSets.v = arena_array(rq->mem, wafv2_IPSetSummary, most);
	for (wafv2_ipset *r; out->IPSets.n < most && (r = wafv2_ipset_next(&s));)
		out->IPSets.v[out->IPSets.n++] = ipset_summary(r);
	if (out->IPSets.n == most)
		out->NextMarker = out->IPSets.v[most - 1].Id;
	cursor_close(&s.at);
	return OK;
}

static err check_patterns(req *rq, const wafv2_RegularExpressionList *all)
{
	if (all->n > WAF_PATTERNS_MAX)
		return waf_too_many(rq);
	for (size_t i = 0; i < all->n; i++)
		if (!str_is(all->v[i].RegexString) || !pattern_compile(rq->mem, all->v[i].RegexString))
			return waf_bad(rq, S("REGEX_PATTERN_SET"), all->v[i].RegexString,
			               "The parameter contains formatting that is not valid.");
	return OK;
}

static err find_regexset(req *rq, const txn *tx, str scope, str name, str id, wafv2_regexset **r)
{
	TRY(waf_scope(rq, scope));
	*r = wafv2_regexset_get(tx, rq->mem, rq->who.account, rq->region, scope, id);
	return *r && str_eq((*r)->It->Name, name) ? OK : waf_gone(rq);
}

static wafv2_RegexPatternSetSummary regexset_summary(const wafv2_regexset *r)
{
	return (wafv2_RegexPatternSetSummary){ r->It->Name, r->It->Id, r->It->Description, r->Lock, r->It->ARN };
}

err wafv2_CreateRegexPatternSet(req *rq, txn *tx, const wafv2_CreateRegexPatternSet_in *in,
                                wafv2_CreateRegexPatternSet_out *out)
{
	size_t n = 0;
	bool twice = false;
	TRY(waf_scope(rq, in->Scope));
	TRY(check_patterns(rq, &in->RegularExpressionList));
	record_scan s = wafv2_regexset_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	for (wafv2_regexset *r; (r = wafv2_regexset_next(&s)); n++)
		twice = twice || str_eq(r->It->Name, in->Name);
	if (twice)
		return waf_duplicate(rq);
	if (n >= WAF_REGEXSETS_MAX)
		return waf_too_many(rq);
	wafv2_RegexPatternSet it = { .Name = in->Name, .Id = rand_uuid(rq->mem), .Description = in->Description,
		                         .RegularExpressionList = in->RegularExpressionList };
	it.ARN = waf_arn(rq, "regexpatternset", in->Scope, it.Name, it.Id);
	wafv2_regexset row = { .Account = rq->who.account, .Region = rq->region, .Scope = in->Scope, .Id = it.Id,
		                   .It = &it, .Lock = rand_uuid(rq->mem) };
	TRY(tags_add(rq, &waf_tag_rules, TAGS(&row.Tags, Key), TAGS(&in->Tags, Key)));
	wafv2_regexset_put(tx, &row);
	out->Summary = arena_new(rq->mem, wafv2_RegexPatternSetSummary);
	*out->Summary = regexset_summary(&row);
	return OK;
}

err wafv2_GetRegexPatternSet(req *rq, const txn *tx, const wafv2_GetRegexPatternSet_in *in,
                             wafv2_GetRegexPatternSet_out *out)
{
	wafv2_regexset *r;
	TRY(find_regexset(rq, tx, in->Scope, in->Name, in->Id, &r));
	out->RegexPatternSet = r->It;
	out->LockToken = r->Lock;
	return OK;
}

err wafv2_UpdateRegexPatternSet(req *rq, txn *tx, const wafv2_UpdateRegexPatternSet_in *in,
                                wafv2_UpdateRegexPatternSet_out *out)
{
	wafv2_regexset *r;
	TRY(find_regexset(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	TRY(check_patterns(rq, &in->RegularExpressionList));
	r->It->Description = in->Description;
	r->It->RegularExpressionList = in->RegularExpressionList;
	r->Lock = out->NextLockToken = rand_uuid(rq->mem);
	wafv2_regexset_put(tx, r);
	return OK;
}

err wafv2_DeleteRegexPatternSet(req *rq, txn *tx, const wafv2_DeleteRegexPatternSet_in *in,
                                wafv2_DeleteRegexPatternSet_out *out)
{
	wafv2_regexset *r;
	(void)out;
	TRY(find_regexset(rq, tx, in->Scope, in->Name, in->Id, &r));
	TRY(waf_locked(rq, in->LockToken, r->Lock));
	if (waf_is_used(rq, tx, in->Scope, r->It->ARN))
		return waf_in_use(rq);
	wafv2_regexset_delete(tx, r->Account, r->Region, r->Scope, r->Id);
	return OK;
}

err wafv2_ListRegexPatternSets(req *rq, const txn *tx, const wafv2_ListRegexPatternSets_in *in,
                               wafv2_ListRegexPatternSets_out *out)
{
	size_t most = in->Limit.set ? (size_t)in->Limit.v : WAF_PAGE;
	wafv2_RegexPatternSetSummaries *all = &out->RegexPatternSets;
	TRY(waf_scope(rq, in->Scope));
	record_scan s = wafv2_regexset_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Scope, STR_NONE);
	if (str_is(in->NextMarker))
		record_scan_after(&s, in->NextMarker);
	all->v = arena_array(rq->mem, wafv2_RegexPatternSetSummary, most);
	for (wafv2_regexset *r; all->n < most && (r = wafv2_regexset_next(&s));)
		all->v[all->n++] = regexset_summary(r);
	if (all->n == most)
		out->NextMarker = all->v[most - 1].Id;
	cursor_close(&s.at);
	return OK;
}
