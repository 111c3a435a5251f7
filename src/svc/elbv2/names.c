#include "elb.h"
#include "sys/rand.h"

#define PAGE_MOST 400
#define NAME_MOST 32

str elb_path(const req *rq, str arn, const char *kind)
{
	str prefix = arena_fmt(rq->mem, ELB_PREFIX "%.*s:%.*s:%s/", STR_ARG(rq->region),
	                       STR_ARG(rq->who.account), kind);
	return str_starts(arn, prefix) && arn.n > prefix.n ? str_sub(arn, prefix.n, arn.n) : STR_NONE;
}

str elb_arn(const req *rq, const char *kind, str path)
{
	return req_arn(rq, "elasticloadbalancing", "%s/%.*s", kind, STR_ARG(path));
}

/* Whatever the account and Region. */
static bool is_arn(str arn, const char *kind)
{
	str rest = arn;
	for (int i = 0; i < 5; i++)
		str_cut(&rest, ':');
	return str_starts(arn, S(ELB_PREFIX)) && str_is(rest) && str_eq(str_cut(&rest, '/'), str_c(kind)) &&
	       str_is(rest) && rest.n;
}

static str first_parts(str path, int parts)
{
	size_t at = 0;
	for (int i = 0; i < parts && at < path.n; i++) {
		size_t slash = str_find_char(str_sub(path, at, path.n), '/');
		at = slash == SIZE_MAX ? path.n + 1 : at + slash + 1;
	}
	return str_sub(path, 0, at ? at - 1 : 0);
}

str elb_balancer_of(str path) { return first_parts(path, 3); }

str elb_listener_of(str path) { return first_parts(path, 4); }

str elb_last(str path)
{
	while (str_find_char(path, '/') != SIZE_MAX)
		str_cut(&path, '/');
	return path;
}

str elb_id_new(arena *a) { return rand_text(a, 16, S("0123456789abcdef")); }

bool elb_is_network(const elbv2_LoadBalancer *b)
{
	return str_eq(b->Type, elbv2_LoadBalancerTypeEnum_network);
}

str elb_balancer_path(const elbv2_balancer *b)
{
	str arn = b->It->LoadBalancerArn;
	return str_sub(arn, str_find_char(arn, '/') + 1, arn.n);
}

str elb_listener_path(arena *a, const elbv2_listener *l)
{
	return arena_fmt(a, "%.*s/%.*s", STR_ARG(l->Balancer), STR_ARG(l->Id));
}

elbv2_balancer *elb_balancer_at(const txn *tx, arena *mem, str account, str region, str path)
{
	str rest = path;
	str_cut(&rest, '/');
	if (!str_is(rest))
		return NULL;
	elbv2_balancer *b = elbv2_balancer_get(tx, mem, account, region, str_cut(&rest, '/'));
	return b && str_eq(elb_balancer_path(b), path) ? b : NULL;
}

elbv2_listener *elb_listener_at(const txn *tx, arena *mem, str account, str region, str path)
{
	return elbv2_listener_get(tx, mem, account, region, elb_balancer_of(path), elb_last(path));
}

elbv2_group *elb_group_at(const txn *tx, arena *mem, str account, str region, str arn)
{
	str rest = arn;
	str_cut(&rest, '/');
	if (!str_is(rest))
		return NULL;
	elbv2_group *g = elbv2_group_get(tx, mem, account, region, str_cut(&rest, '/'));
	return g && str_eq(g->It->TargetGroupArn, arn) ? g : NULL;
}

static err not_valid(req *rq, str arn, const char *what)
{
	return fail(rq, &aws_ValidationException, "'%.*s' is not a valid %s ARN", STR_ARG(arn), what);
}

err elb_balancer_find(req *rq, const txn *tx, str arn, elbv2_balancer **out)
{
	if (!is_arn(arn, "loadbalancer"))
		return not_valid(rq, arn, "load balancer");
	str path = elb_path(rq, arn, "loadbalancer");
	*out = str_is(path) ? elb_balancer_at(tx, rq->mem, rq->who.account, rq->region, path) : NULL;
	return *out ? OK : fail(rq, &elbv2_LoadBalancerNotFoundException, "Load balancer '%.*s' not found",
	                        STR_ARG(arn));
}

err elb_listener_find(req *rq, const txn *tx, str arn, elbv2_listener **out)
{
	if (!is_arn(arn, "listener"))
		return not_valid(rq, arn, "listener");
	str path = elb_path(rq, arn, "listener");
	*out = str_is(path) ? elb_listener_at(tx, rq->mem, rq->who.account, rq->region, path) : NULL;
	return *out ? OK : fail(rq, &elbv2_ListenerNotFoundException, "One or more listeners not found");
}

err elb_rule_find(req *rq, const txn *tx, str arn, elbv2_rule **out)
{
	if (!is_arn(arn, "listener-rule"))
		return not_valid(rq, arn, "listener rule");
	str path = elb_path(rq, arn, "listener-rule");
	record_scan s = elbv2_rule_scan(tx, rq->mem, 3, rq->who.account, rq->region, elb_listener_of(path), 0);
	for (elbv2_rule *r; str_is(path) && (r = elbv2_rule_next(&s));)
		if (str_eq(r->It->RuleArn, arn)) {
			cursor_close(&s.at);
			*out = r;
			return OK;
		}
	cursor_close(&s.at);
	return fail(rq, &elbv2_RuleNotFoundException, "One or more rules not found");
}

err elb_group_find(req *rq, const txn *tx, str arn, elbv2_group **out)
{
	if (!is_arn(arn, "targetgroup"))
		return not_valid(rq, arn, "target group");
	*out = str_is(elb_path(rq, arn, "targetgroup"))
		? elb_group_at(tx, rq->mem, rq->who.account, rq->region, arn) : NULL;
	return *out ? OK : fail(rq, &elbv2_TargetGroupNotFoundException, "One or more target groups not found");
}

err elb_check_name(req *rq, const char *what, str name)
{
	if (name.n > NAME_MOST)
		return fail(rq, &aws_ValidationException, "%s name '%.*s' cannot be longer than '%d' characters",
		            what, STR_ARG(name), NAME_MOST);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (c != '-' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return fail(rq, &aws_ValidationException,
			            "%s name '%.*s' can only contain characters that are alphanumeric characters or "
			            "hyphens(-)", what, STR_ARG(name));
	}
	if (!name.n || name.p[0] == '-' || name.p[name.n - 1] == '-')
		return fail(rq, &aws_ValidationException, "%s name '%.*s' cannot begin or end with '-'", what,
		            STR_ARG(name));
	return OK;
}

err elb_page_of(req *rq, opt_i64 size, str marker, elb_page *out)
{
	*out = (elb_page){ STR_NONE, size.set ? (size_t)size.v : PAGE_MOST };
	if (str_is(marker) && !page_position(rq, marker, &out->after))
		return fail(rq, &aws_ValidationException, "Invalid marker '%.*s'", STR_ARG(marker));
	return OK;
}

bool elb_page_full(req *rq, const elb_page *p, size_t shown, str last, str *next)
{
	if (shown < p->most)
		return false;
	*next = page_token(rq, last);
	return true;
}
