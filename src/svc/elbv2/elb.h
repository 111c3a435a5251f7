/*
 * What the files of this service share. A load balancer, its listeners and their rules are rows; so are
 * target groups and their targets. A rule sends to groups, and a row of its own says so for each (use): by
 * them a group knows whose it is, and whether its targets are looked at.
 *
 * Requests are proxied by front.c and what it calls, on Farthing's own port by the name of the host. health.c
 * looks at targets while the server runs and writes what it finds into their rows.
 */
#pragma once
#include "cloud/meter.h"
#include "cloud/req.h"
#include "gen/elbv2.h"

#define ELB_PREFIX "arn:aws:elasticloadbalancing:"

/* names.c: ARNs, and the rows behind them. */
/* What stands behind KIND/ in an ARN of this account and Region, else STR_NONE. */
str elb_path(const req *rq, str arn, const char *kind);
str elb_arn(const req *rq, const char *kind, str path);
/* The first three parts of a path, the load balancer's; the first four, the listener's. */
str elb_balancer_of(str path);
str elb_listener_of(str path);
/* The last part. */
str elb_last(str path);
str elb_id_new(arena *a);
/* NULL: there is none. */
elbv2_balancer *elb_balancer_at(const txn *tx, arena *mem, str account, str region, str path);
elbv2_listener *elb_listener_at(const txn *tx, arena *mem, str account, str region, str path);
elbv2_group *elb_group_at(const txn *tx, arena *mem, str account, str region, str arn);
/* The same for operations, with AWS's refusals. */
err elb_balancer_find(req *rq, const txn *tx, str arn, elbv2_balancer **out);
err elb_listener_find(req *rq, const txn *tx, str arn, elbv2_listener **out);
err elb_rule_find(req *rq, const txn *tx, str arn, elbv2_rule **out);
err elb_group_find(req *rq, const txn *tx, str arn, elbv2_group **out);
err elb_check_name(req *rq, const char *what, str name);
bool elb_is_network(const elbv2_LoadBalancer *b);
/* The path of a row. */
str elb_balancer_path(const elbv2_balancer *b);
str elb_listener_path(arena *a, const elbv2_listener *l);

typedef struct elb_page {
	str after;
	size_t most;
} elb_page;
err elb_page_of(req *rq, opt_i64 size, str marker, elb_page *out);
/* Whether another one may be shown; if not, `*next` says where to go on. */
bool elb_page_full(req *rq, const elb_page *p, size_t shown, str last, str *next);

/* place.c: subnets and security groups. */
err elb_place(req *rq, txn *tx, const elbv2_Subnets *subnets, const elbv2_SubnetMappings *mappings,
              elbv2_LoadBalancer *it);
err elb_secure(req *rq, txn *tx, const elbv2_SecurityGroups *given, elbv2_LoadBalancer *it);
bool elb_is_place(const elbv2_LoadBalancer *a, const elbv2_LoadBalancer *b);

/* balancers.c */
void elb_bill(txn *tx, const elbv2_balancer *b, int64_t now, bool there);

/* attributes.c */
elbv2_LoadBalancerAttributes elb_balancer_attributes(req *rq, bool network);
elbv2_TargetGroupAttributes elb_group_attributes(req *rq, const elbv2_TargetGroup *g);
elbv2_ListenerAttributes elb_listener_attributes(req *rq, str spoken);
str elb_balancer_attribute(const elbv2_balancer *b, const char *key);
str elb_group_attribute(const elbv2_group *g, const char *key);
str elb_listener_attribute(const elbv2_listener *l, const char *key);

/* tags.c */
err elb_tags_check(req *rq, const elbv2_TagList *given);

/* actions.c */
/* Checks what is given for a listener or rule of this load balancer and fills in what AWS does. */
err elb_actions(req *rq, const txn *tx, const elbv2_LoadBalancer *b, str spoken,
                const elbv2_Actions *given, const char *member, elbv2_Actions *out);
/* From now on the rule at this place has these actions; none: it goes. */
err elb_uses(req *rq, txn *tx, str place, const elbv2_Actions *before, const elbv2_Actions *now);
/* The groups to which actions send; at most `most`. */
size_t elb_actions_groups(const elbv2_Actions *actions, str *arns, size_t most);

/* conditions.c */
err elb_conditions(req *rq, const elbv2_RuleConditionList *given, elbv2_RuleConditionList *out);

/* rules.c */
size_t elb_rules_drop(req *rq, txn *tx, str listener);
/* listeners.c */
err elb_listener_drop(req *rq, txn *tx, elbv2_listener *l);

/* groups.c */
bool elb_group_used(const txn *tx, arena *mem, str account, str region, str name);
/* targets.c: their checks begin anew. */
void elb_targets_reset(txn *tx, str account, str region, str group, int64_t now);
int64_t elb_target_port(const elbv2_group *g, const elbv2_target *t);

/* health.c: rows have changed, look again. */
void elb_health_wake(txn *tx);
