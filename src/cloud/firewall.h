/*
 * Web ACLs in front of what answers HTTP. The service that has a resource says which ARNs it knows
 * (FIREWALLED) and asks for each request; the service that has the web ACLs (FIREWALL) judges. Neither knows
 * the other.
 *
 *     inside the snapshot in which the resource was found:    v->wall = firewall_of(tx, mem, arn);
 *     then:    if (v->wall && !firewall_passes(v->wall, x, path, arn, &answer)) ...
 *
 * Where no web ACL stands in front, that is one look into the store.
 */
#pragma once
#include "store/store.h"
#include "wire/http.h"

/* What AWS calls the resources of one kind, and whether one is there. */
typedef struct firewalled {
	const char *type;    /* API_GATEWAY, APPLICATION_LOAD_BALANCER */
	const char *service; /* the third part of its ARNs */
	/* Whether an ARN is one of this kind at all. */
	bool (*names)(str resource);
	bool (*there)(const txn *tx, arena *mem, str account, str arn);
} firewalled;
#define FIREWALLED(id, type_, service_, names_, there_) \
	static const firewalled firewalled_##id = { type_, service_, names_, there_ }; \
	__attribute__((section("farthing_firewalled"), used)) \
	static const firewalled *const firewalled_entry_##id = &firewalled_##id
/* NULL: of nothing that a web ACL can stand in front of. */
const firewalled *firewalled_of(str arn);

typedef struct wall wall; /* one web ACL with all it refers to; lives in the arena */

typedef struct wall_answer {
	wire_message out; /* of a custom response */
	bool custom;      /* otherwise the resource answers 403 in its own words */
} wall_answer;

typedef struct firewall {
	/* The web ACL in front of a resource, by the resource's ARN or its own. */
	wall *(*of)(const txn *tx, arena *mem, str arn);
	str (*acl)(const txn *tx, arena *mem, str resource); /* its ARN */
	bool (*passes)(wall *w, http_exchange *x, str path, str resource, wall_answer *a);
	void (*gone)(txn *tx, str resource);
	/* For resources that name their web ACL themselves (CloudFront). */
	bool (*usable)(const txn *tx, arena *mem, str account, str acl);
	void (*stands)(txn *tx, str resource, str acl);
} firewall;
#define FIREWALL(...) \
	static const firewall firewall_it = { __VA_ARGS__ }; \
	__attribute__((section("farthing_firewalls"), used)) \
	static const firewall *const firewall_entry = &firewall_it

/* NULL: there is none. */
wall *firewall_of(const txn *tx, arena *mem, str arn);
str firewall_acl(const txn *tx, arena *mem, str resource);
/* On a pool thread; `path` as the resource sees it. What passes may have got headers more. */
bool firewall_passes(wall *w, http_exchange *x, str path, str resource, wall_answer *a);
/* The resource has been deleted. */
void firewall_gone(txn *tx, str resource);
/* Whether a distribution of the account may name this web ACL, and that it does; an empty one: none. */
bool firewall_usable(const txn *tx, arena *mem, str account, str acl);
void firewall_stands(txn *tx, str resource, str acl);
