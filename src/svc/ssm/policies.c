#include "base/json.h"
#include "base/time.h"
#include "parameter.h"
#include "store/due.h"

/* One policy of the JSON array, read. */
typedef struct policy {
	str type, text;
	int64_t at; /* Expiration */
} policy;

static bool read_policy(arena *mem, const json_value *v, policy *out)
{
	const json_value *type = json_get(v, S("Type")), *version = json_get(v, S("Version"));
	const json_value *attributes = json_get(v, S("Attributes"));
	if (!type || type->kind != JSON_STRING || !version || !attributes)
		return false;
	buf b = buf_in(mem, 256, 4096);
	json_write(&b, v);
	*out = (policy){ .type = type->text, .text = buf_str(&b) };
	if (!str_eq(type->text, S("Expiration")))
		return true;
	const json_value *stamp = json_get(attributes, S("Timestamp"));
	return stamp && stamp->kind == JSON_STRING && time_parse(stamp->text, &out->at);
}

static bool known_type(str type)
{
	return str_eq(type, S("Expiration")) || str_eq(type, S("ExpirationNotification")) ||
	       str_eq(type, S("NoChangeNotification"));
}

err policies_check(req *rq, str policies, str tier)
{
	if (policies.n == 0 || str_eq(policies, S("[]")))
		return OK;
	const json_value *all = json_parse(rq->mem, policies);
	if (!str_eq(tier, ssm_ParameterTier_Advanced))
		return fail(rq, &aws_ValidationException,
		            "Parameter policies are only supported for advanced parameters.");
	if (!all || all->kind != JSON_ARRAY)
		return fail(rq, &ssm_InvalidPolicyAttributeException, "Parameter policies must be a JSON array.");
	if (all->n > SSM_POLICIES_MAX)
		return fail(rq, &ssm_PoliciesLimitExceededException,
		            "A parameter can have at most %d policies.", SSM_POLICIES_MAX);
	for (const json_value *v = all->first; v; v = v->next) {
		policy p;
		if (!read_policy(rq->mem, v, &p))
			return fail(rq, &ssm_InvalidPolicyAttributeException,
			            "A parameter policy needs Type, Version and valid Attributes.");
		if (!known_type(p.type))
			return fail(rq, &ssm_InvalidPolicyTypeException, "The policy type %.*s is not supported.",
			            STR_ARG(p.type));
	}
	return OK;
}

/* account, region and name as one line: the timer's payload. */
static str place_of(arena *mem, const ssm_param *p)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(p->Account), STR_ARG(p->Region), STR_ARG(p->Name));
}

TIMER(ssm_expire)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const ssm_param *p = ssm_param_get(tx, txn_arena(tx), account, region, rest);
	if (p)
		parameter_remove(tx, p, due);
}

void policies_start(txn *tx, const ssm_param *p)
{
	arena *mem = txn_arena(tx);
	str place = place_of(mem, p);
	timer_cancel(tx, "ssm_expire", place);
	const json_value *all = p->Current->Policies.n ? json_parse(mem, p->Current->Policies) : NULL;
	for (const json_value *v = all ? all->first : NULL; v; v = v->next) {
		policy it;
		if (read_policy(mem, v, &it) && str_eq(it.type, S("Expiration")))
			timer_set(tx, "ssm_expire", place, it.at, place);
	}
}

ssm_ParameterPolicyList policies_list(req *rq, str policies)
{
	const json_value *all = policies.n ? json_parse(rq->mem, policies) : NULL;
	ssm_ParameterPolicyList list = {
		arena_array(rq->mem, ssm_ParameterInlinePolicy, all ? all->n : 1), 0
	};
	for (const json_value *v = all ? all->first : NULL; v; v = v->next) {
		policy it;
		if (!read_policy(rq->mem, v, &it))
			continue;
		str status = str_eq(it.type, S("Expiration")) && it.at <= rq->now ? S("Finished") : S("Pending");
		list.v[list.n++] = (ssm_ParameterInlinePolicy){ .PolicyText = it.text, .PolicyType = it.type,
			                                        .PolicyStatus = status };
	}
	return list;
}
