/*
 * One request to an application load balancer: front.c finds whose it is and what is to be done, pick.c a
 * target, forward.c and function.c do it, tell.c counts it. Everything lives in the exchange's arena.
 */
#pragma once
#include "cloud/firewall.h"
#include "cloud/http_event.h"
#include "cloud/req.h"
#include "elb.h"
#include "wire/http.h"
#include <stdatomic.h>

typedef struct visit {
	http_exchange *x;
	store *s;
	arena *mem;
	int port; /* of ours on which it came; 0: Farthing's own */
	elbv2_balancer *b;
	wall *wall; /* a web ACL in front of it, or NULL */
	elbv2_listener *l;
	elbv2_Actions actions; /* of the rule that holds */
	str path;              /* the load balancer's: app/NAME/ID */
	str host;              /* in lower case, without a port */
	int64_t rules;         /* looked at */
	int64_t began_us;
	int64_t now;
	/* what was chosen */
	elbv2_group *g;
	elbv2_target *t;
	bool sticks, group_sticks; /* the answer sets their cookies */
	int64_t group_seconds;
	size_t slot; /* of the target, among those that count what is under way */
	int64_t target_us;
	int target_status; /* 0: no target answered */
	bool lambda;
	uint64_t bytes; /* of the answer's body */
	wire_message out;
} visit;

/* The server stops: nobody waits for targets any more. */
extern atomic_bool elb_ends;

/* The server's plane and its own ports come together here; waits. */
void elb_visit(http_exchange *x, store *s, int port);
/* A page of the load balancer's own, and the end of the visit. */
void elb_refuse(visit *v, int status);
/* Sends v->out, and counts. */
void elb_answer(visit *v);

/* match.c: whether a request is one that a rule is about. */
bool elb_matches(const visit *v, const elbv2_RuleConditionList *conditions);
/* Redirects: #{host} and the like in their place. */
str elb_location(const visit *v, const elbv2_RedirectActionConfig *r);

/* pick.c: sets g and t; false: there is none. */
bool elb_pick(visit *v, const elbv2_Action *a);
/* By the visit's slot: the visit itself is over with the reply. */
void elb_pick_done(size_t slot);
/* The same for connections of a network load balancer, of which nobody tells the end. */
bool elb_pick_raw(visit *v, const elbv2_Action *a);
/* The address that a target answers on. */
str elb_target_address(arena *a, const elbv2_target *t);
/* Cookies by which the next request finds the same target; `answer` is what the target said. */
void elb_stick(visit *v, const wire_message *answer);

/* forward.c and function.c */
void elb_forward(visit *v);
void elb_invoke(visit *v);

/* tell.c: metrics and capacity units. */
void elb_tell(const visit *v, int status);
void elb_tell_hosts(const elbv2_group *g, str balancer, int healthy, int unhealthy, int64_t now);

/* listen.c: the ports that listeners name; opens and closes them as the rows say. */
void elb_listen_start(store *s);
void elb_listen_look(void);
void elb_listen_stop(void);
