#include "balancer.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "sys/clock.h"

typedef struct told {
	const ecs_task *t;
	str message;
} told;

static bool note(void *context, txn *tx)
{
	const told *n = context;
	const ecs_task *t = n->t;
	ecs_svc *s = ecs_svc_get(tx, txn_arena(tx), t->Account, t->Region, t->Cluster, t->Service);
	if (s) {
		ecs_service_event(tx, s->It, clock_now(), n->message);
		ecs_svc_put(tx, s);
	}
	return true;
}

static str target(arena *mem, const ecs_task *t, const ecs_LoadBalancer *b)
{
	buf x = buf_in(mem, 512, 8192);
	buf_put(&x, S("{\"TargetGroupArn\":"));
	json_put_string(&x, b->targetGroupArn);
	buf_put(&x, S(",\"Targets\":[{\"Id\":"));
	json_put_string(&x, t->Address);
	buf_fmt(&x, ",\"Port\":%lld}]}", (long long)b->containerPort.v);
	return buf_str(&x);
}

/* NULL: it has none. A service that has gone has none either. */
static const ecs_LoadBalancers *balancers_of(arena *mem, store *s, const ecs_task *t)
{
	if (!given(t->Service))
		return NULL;
	const txn *tx = store_read(s);
	ecs_svc *v = ecs_svc_get(tx, mem, t->Account, t->Region, t->Cluster, t->Service);
	store_read_end(s, tx);
	return v && v->It->loadBalancers.n ? &v->It->loadBalancers : NULL;
}

bool ecs_balancers_register(arena *mem, store *s, const ecs_task *t, bool in)
{
	const ecs_LoadBalancers *l = balancers_of(mem, s, t);
	for (size_t i = 0; l && i < l->n; i++) {
		str answer;
		req *rq = req_internal(mem, s, "ecs.amazonaws.com", t->Account, t->Region);
		err e = call_json(rq, NULL, "elbv2", in ? "RegisterTargets" : "DeregisterTargets",
		                  target(mem, t, &l->v[i]), &answer);
		usage_settle_later(rq);
		told n = { t, e ? arena_fmt(mem, "(service %.*s) failed to %s targets in (target-group %.*s) with "
			"(error "
		                            "%.*s)", STR_ARG(t->Service), in ? "register" : "deregister",
		                            STR_ARG(l->v[i].targetGroupArn), STR_ARG(e->message))
			: arena_fmt(mem, "(service %.*s) %s 1 targets in (target-group %.*s)", STR_ARG(t->Service),
			            in ? "registered" : "deregistered", STR_ARG(l->v[i].targetGroupArn)) };
		/* An event that cannot be kept is not worth more than its words. */
		store_write(s, note, &n);
	}
	return l != NULL;
}

void ecs_balancers_leave(txn *tx, const ecs_task *t)
{
	arena *mem = txn_arena(tx);
	ecs_svc *s = given(t->Service) ? ecs_svc_get(tx, mem, t->Account, t->Region, t->Cluster, t->Service)
		: NULL;
	for (size_t i = 0; s && i < s->It->loadBalancers.n; i++) {
		str answer;
		req *rq = req_internal(mem, txn_store(tx), "ecs.amazonaws.com", t->Account, t->Region);
		/* A group that has gone holds no target either. */
		call_json(rq, tx, "elbv2", "DeregisterTargets", target(mem, t, &s->It->loadBalancers.v[i]), &answer);
		usage_settle(tx, rq);
	}
}

bool ecs_balancers_drain(arena *mem, store *s, const ecs_task *t)
{
	const ecs_LoadBalancers *l = balancers_of(mem, s, t);
	for (size_t i = 0; l && i < l->n; i++) {
		str answer;
		req *rq = req_internal(mem, s, "ecs.amazonaws.com", t->Account, t->Region);
		err e = call_json(rq, NULL, "elbv2", "DescribeTargetHealth", target(mem, t, &l->v[i]), &answer);
		usage_settle_later(rq);
		const json_value *all = e ? NULL : json_get(json_parse(mem, answer), S("TargetHealthDescriptions"));
		for (const json_value *d = all ? all->first : NULL; d; d = d->next) {
			const json_value *state = json_get(json_get(d, S("TargetHealth")), S("State"));
			if (state && str_eq(state->text, S("draining")))
				return true;
		}
	}
	return false;
}
