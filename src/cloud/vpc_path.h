/*
 * Whether a connection gets through: what the rules of a VPC do to it. One place for all that run programs in
 * a network: they give their sandbox `vpc_judge` and say with vpc_about where the program stands. Each
 * connection is judged when it is made, by the rules of that moment.
 *
 * What stands at an address of this machine is told by the services that put it there (VPC_RESIDENTS); what
 * nobody claims is the internet, and the port of Farthing itself is AWS. The rules are EC2's (VPC_RULES).
 */
#pragma once
#include "run/sandbox.h"
#include "store/store.h"

/* Something with interfaces in subnets. Ids that EC2 does not know count as not given; no subnet: one of the
 * groups' VPC; no group: the VPC's default group; neither: the account's default VPC. */
typedef struct vpc_side {
	str account, region;
	const str *subnets;
	size_t n_subnets;
	const str *groups;
	size_t n_groups;
	bool public_address; /* each of its interfaces has one */
	str resource;        /* an ARN: whose usage it is */
} vpc_side;

/* At most VPC_SIDES_MAX; several where load balancers share a port. */
#define VPC_SIDES_MAX 16
typedef size_t vpc_residents(const txn *tx, arena *mem, str address, int port, vpc_side *out);
#define VPC_RESIDENTS(function) \
	__attribute__((section("farthing_vpc_residents"), used)) \
	static vpc_residents *const vpc_residents_entry = function

typedef struct vpc_goal {
	enum { GOAL_OUTSIDE, GOAL_AWS, GOAL_RESIDENT } kind;
	str address;
	int port;
	str service;   /* of AWS: as requests are signed for it; empty: another one, or not known */
	bool undecided; /* the request is not here yet: whether there is a way to any service at all */
	vpc_side side; /* of a resident */
} vpc_goal;

/* What is metered on the way; empty: nothing. */
typedef struct vpc_way {
	str nat, endpoint; /* ARNs: by the byte, both ways */
	str transfer;      /* whose transfer out to the internet it is */
} vpc_way;

typedef struct vpc_rules {
	bool (*open)(const txn *tx, arena *mem, const vpc_side *from, const vpc_goal *to, vpc_way *way);
	void (*carried)(str account, str region, const vpc_way *way, int64_t sent, int64_t received);
} vpc_rules;
#define VPC_RULES(open_, carried_) \
	static const vpc_rules vpc_rules_own = { open_, carried_ }; \
	__attribute__((section("farthing_vpc_rules"), used)) \
	static const vpc_rules *const vpc_rules_entry = &vpc_rules_own

extern const sandbox_judge vpc_judge;
/* The text for it; of `from`, one subnet is chosen at random, as AWS does with an environment. */
const char *vpc_about(arena *mem, const vpc_side *from);
