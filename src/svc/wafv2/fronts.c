/* In front of what web ACLs stand. */
#include "waf.h"
#include "cloud/target.h"

static bool mine(const req *rq, const waf_place *p)
{
	return str_eq(p->account, rq->who.account) && str_eq(p->kind, S("webacl"));
}

/* The resource must be of a kind that takes one, in this Region and account, and be there. ARNs of stages
 * name no account: whose they are shows only there. */
static err check_resource(req *rq, const txn *tx, str arn)
{
	arn_parts parts;
	const firewalled *f = firewalled_of(arn);
	if (!f || !arn_split(arn, &parts) || !str_eq(parts.region, rq->region) ||
	    (parts.account.n && !str_eq(parts.account, rq->who.account)))
		return waf_bad(rq, S("RESOURCE_ARN"), arn, WAF_NO_ARN);
	return f->there(tx, rq->mem, rq->who.account, arn) ? OK : waf_gone(rq);
}

static void leave(txn *tx, str resource)
{
	wafv2_front *f = wafv2_front_get(tx, txn_arena(tx), resource);
	if (!f)
		return;
	wafv2_behind_delete(tx, f->Acl, resource);
	wafv2_front_delete(tx, resource);
}

static void stand(txn *tx, str resource, str acl)
{
	leave(tx, resource);
	if (!acl.n)
		return;
	wafv2_front_put(tx, &(wafv2_front){ resource, acl });
	wafv2_behind_put(tx, &(wafv2_behind){ acl, resource });
}

err wafv2_AssociateWebACL(req *rq, txn *tx, const wafv2_AssociateWebACL_in *in,
	wafv2_AssociateWebACL_out *out)
{
	waf_place p;
	(void)out;
	if (!waf_place_of(in->WebACLArn, &p) || !mine(rq, &p))
		return waf_bad(rq, S("RESOURCE_ARN"), in->WebACLArn, WAF_NO_ARN);
	TRY(check_resource(rq, tx, in->ResourceArn));
	if (!str_eq(p.scope, wafv2_Scope_REGIONAL) || !str_eq(p.region, rq->region))
		return waf_bad(rq, S("RESOURCE_ARN"), in->WebACLArn,
		               "The web ACL must be of the scope REGIONAL and of the Region of the resource.");
	if (!waf_acl_at(tx, rq->mem, in->WebACLArn))
		return waf_gone(rq);
	stand(tx, in->ResourceArn, in->WebACLArn);
	return OK;
}

err wafv2_DisassociateWebACL(req *rq, txn *tx, const wafv2_DisassociateWebACL_in *in,
                             wafv2_DisassociateWebACL_out *out)
{
	(void)out;
	TRY(check_resource(rq, tx, in->ResourceArn));
	leave(tx, in->ResourceArn);
	return OK;
}

err wafv2_GetWebACLForResource(req *rq, const txn *tx, const wafv2_GetWebACLForResource_in *in,
                               wafv2_GetWebACLForResource_out *out)
{
	TRY(check_resource(rq, tx, in->ResourceArn));
	wafv2_front *f = wafv2_front_get(tx, rq->mem, in->ResourceArn);
	wafv2_acl *a = f ? waf_acl_at(tx, rq->mem, f->Acl) : NULL;
	out->WebACL = a ? a->It : NULL;
	return OK;
}

err wafv2_ListResourcesForWebACL(req *rq, const txn *tx, const wafv2_ListResourcesForWebACL_in *in,
                                 wafv2_ListResourcesForWebACL_out *out)
{
	waf_place p;
	size_t n = 0;
	str type = str_is(in->ResourceType) ? in->ResourceType : wafv2_ResourceType_APPLICATION_LOAD_BALANCER;
	if (!waf_place_of(in->WebACLArn, &p) || !mine(rq, &p))
		return waf_bad(rq, S("RESOURCE_ARN"), in->WebACLArn, WAF_NO_ARN);
	if (!waf_acl_at(tx, rq->mem, in->WebACLArn))
		return waf_gone(rq);
	record_scan count = wafv2_behind_scan(tx, rq->mem, 1, in->WebACLArn, STR_NONE);
	while (wafv2_behind_next(&count))
		n++;
	out->ResourceArns.v = arena_array(rq->mem, str, n + 1);
	record_scan s = wafv2_behind_scan(tx, rq->mem, 1, in->WebACLArn, STR_NONE);
	for (wafv2_behind *b; (b = wafv2_behind_next(&s));) {
		const firewalled *f = firewalled_of(b->Resource);
		if (f && str_eq(str_c(f->type), type))
			out->ResourceArns.v[out->ResourceArns.n++] = b->Resource;
	}
	return OK;
}

/* For those whose resources these are (cloud/firewall.h). */
static wall *wall_of(const txn *tx, arena *mem, str arn)
{
	waf_place p;
	wafv2_front *f = waf_place_of(arn, &p) ? NULL : wafv2_front_get(tx, mem, arn);
	wafv2_acl *acl = f || waf_place_of(arn, &p) ? waf_acl_at(tx, mem, f ? f->Acl : arn) : NULL;
	wall *w = acl ? arena_new(mem, wall) : NULL;
	if (w)
		*w = (wall){ .mem = mem, .s = txn_store(tx), .acl = acl };
	return w;
}

static str acl_of(const txn *tx, arena *mem, str resource)
{
	wafv2_front *f = wafv2_front_get(tx, mem, resource);
	return f ? f->Acl : STR_NONE;
}

static bool usable(const txn *tx, arena *mem, str account, str acl)
{
	wafv2_acl *a = waf_acl_at(tx, mem, acl);
	return a && str_eq(a->Account, account) && str_eq(a->Scope, wafv2_Scope_CLOUDFRONT);
}

FIREWALL(wall_of, acl_of, wall_passes, leave, usable, stand);
