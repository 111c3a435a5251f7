/*
 * Rules of security groups: a row each, one peer in each. IpPermissions are how older operations say several
 * of them at once.
 */
#pragma once
#include "ec2.h"

/* Keeps a rule under a new id, which it gets. */
void rule_new(req *rq, txn *tx, str group, ec2_SecurityGroupRule *r);
/* All of a group. */
void rules_delete(txn *tx, arena *mem, place p, str group);
ec2_SecurityGroupRuleList rules_of(const txn *tx, arena *mem, place p, str group);

/* What is asked for in permissions, checked and taken apart; descriptions go along. */
err permissions_split(req *rq, txn *tx, const ec2_IpPermissionList *list, bool egress,
                      ec2_SecurityGroupRuleList *out);
/* RulesPerSecurityGroupLimitExceeded for more rules in a request than any group has. */
err rules_asked_check(req *rq, size_t n);
bool rule_same(const ec2_SecurityGroupRule *a, const ec2_SecurityGroupRule *b);
/* A rule as a permission of its own. */
ec2_IpPermission permission_of(arena *mem, const ec2_SecurityGroupRule *r);
/* One more rule in a list of permissions: those of the same protocol and ports share one. */
void permission_gather(arena *mem, ec2_IpPermissionList *to, const ec2_SecurityGroupRule *r);
/* InvalidParameterValue for a description of characters that AWS does not take. */
err rule_description_check(req *rq, str text);
