/*
 * What the files of this folder share: what can be scaled, and how it comes to another capacity.
 *
 * A scaling happens on the pool: the capacity is read, then changed through the service's own API, and what
 * came of it is kept as an activity, in one transaction: whatever happens in between, no step is taken twice.
 * Three things start one: an alarm of a policy (scale.c), bounds that the capacity lies outside of when they
 * are set (targets.c, scheduled.c), and a look at what is idle, whose metric has no data to wake its alarm
 * (idle.c).
 */
#pragma once
#include "base/json.h"
#include "cloud/req.h"
#include "gen/application-autoscaling.h"

#define SCALING_TEXT_MAX 8192

typedef application_autoscaling_target target_row;
typedef application_autoscaling_policy policy_row;
typedef application_autoscaling_action action_row;
typedef application_autoscaling_activity activity_row;
typedef application_autoscaling_ScalingActivity scaling_activity;
typedef application_autoscaling_ScheduledAction scheduled_action;
typedef application_autoscaling_TargetTrackingScalingPolicyConfiguration tracking;

/* One thing to scale, as every request names it. */
typedef struct scaling_place {
	str namespace, resource, dimension;
} scaling_place;

typedef struct scaling_kind {
	const char *namespace, *dimension;
	const char *principal, *role;  /* the service that acts, and its service-linked role */
	const char *what;              /* as activities call it: read capacity units */
	int64_t least;                 /* what a minimum must be at least */
	int64_t cooldown;              /* seconds, where a policy gives none */
	bool steps;                    /* has step scaling too */
	const char *metric_types[2];   /* predefined metrics */
	bool (*valid)(str resource);
	/* The capacity now; what is not there is a ValidationException. `tx` NULL: a snapshot. */
	err (*get)(req *rq, txn *tx, str resource, int64_t *now);
	err (*set)(req *rq, txn *tx, str resource, int64_t wanted);
} scaling_kind;

/* kinds.c: NULL with a fault when there is no such thing, or it is none that Farthing scales. */
err scaling_kind_of(req *rq, scaling_place p, const scaling_kind **kind);
/* Of what was registered. */
const scaling_kind *scaling_kind_named(str dimension);
str scaling_role_arn(req *rq, const scaling_kind *k);
extern const scaling_kind scaling_rds; /* readers.c */
extern const scaling_kind scaling_ecs; /* services.c */

/* The three members of an input that name a place. */
#define PLACE_IN(in) ((scaling_place){ (in)->ServiceNamespace, (in)->ResourceId, (in)->ScalableDimension })
#define PLACE_OF(row) ((scaling_place){ (row)->Namespace, (row)->Resource, (row)->Dimension })

/* targets.c */
target_row *scaling_target(const txn *tx, req *rq, scaling_place p);
/* ObjectNotFoundException when nobody registered it. */
err scaling_registered(req *rq, const txn *tx, scaling_place p, target_row **t);
str scaling_target_arn(req *rq, const target_row *t);
/* What tells a place and a name in timers and tasks; the name may be empty. */
str scaling_payload(arena *mem, str account, str region, scaling_place p, str name);
typedef struct scaling_subject {
	str account, region, name;
	scaling_place place;
} scaling_subject;
scaling_subject scaling_subject_of(str payload);
/* Behind the commit: the capacity comes into the target's bounds. */
void scaling_bound(txn *tx, req *rq, scaling_place p);

/* policies.c */
policy_row *scaling_policy(const txn *tx, req *rq, scaling_place p, str name);
void scaling_policy_drop(req *rq, txn *tx, const policy_row *p);
/* scheduled.c */
void scaling_action_drop(req *rq, txn *tx, const action_row *a);

/* alarms.c: the alarms of a target tracking policy, for the capacity at hand: made, made anew, deleted. */
err scaling_alarms_put(req *rq, txn *tx, policy_row *p, int64_t capacity);
void scaling_alarms_delete(req *rq, txn *tx, const policy_row *p);
/* Whether this alarm of the policy is the one that lowers. */
bool scaling_alarm_is_low(const policy_row *p, str alarm);
str scaling_alarm_named(const policy_row *p, const char *part);

/* idle.c: looks after a quarter of an hour whether what has no data should shrink. */
void scaling_idle_watch(txn *tx, arena *mem, const policy_row *p, int64_t now);
/* The minimum is lower now: who has stopped looking begins again. */
void scaling_idle_watch_all(txn *tx, req *rq, scaling_place at);

/* metric.c */
typedef struct scaling_metric {
	double latest, highest;
	bool any;
	double threshold;
	bool low;  /* the alarm is one that something is too little */
	str state;
} scaling_metric;
/* What an alarm has watched in the periods that it counts. Costs nobody anything. */
err scaling_metric_of(req *rq, txn *tx, str alarm, scaling_metric *m);

/* scale.c: on the pool. Changes the capacity, kept as an activity with this cause. */
err scaling_to(req *rq, const scaling_kind *k, scaling_place p, int64_t wanted, str cause);
/* A policy's alarm is in the state that it acts in. */
err scaling_triggered(req *rq, policy_row *p, str alarm);

/* activities.c */
void scaling_activity_add(req *rq, txn *tx, scaling_place p, scaling_activity *it);

/* How many on a page, and behind which position. */
err scaling_page_start(req *rq, opt_i64 max, str token, size_t *page, str *after);

/* Answers of other services. */
static inline const json_value *json_at(const json_value *v, const char *name)
{
	return v ? json_get(v, str_c(name)) : NULL;
}
