/*
 * EC2: networks with all that is in them, security groups, key pairs, instances,
 volumes and addresses: as the
 * API sees them, and as they are billed. No machine runs behind an instance.
 */
#pragma once
#include "cidr.h"
#include "faults.h"
#include "gen/ec2.h"
#include "cloud/meter.h"
#include "kinds.h"
#include "types.h"

/* An empty text is none: clients of EC2 send both. */
static inline bool given(str s)
{
	return s.n > 0;
}

/* Where a resource lives; timers and tasks have no request. */
typedef struct place {
	str account, region;
} place;
static inline place place_of(const req *rq)
{
	return (place){ rq->who.account, rq->region };
}

/* "i-" and 17 hexadecimal digits. */
str ec2_id(arena *mem, const char *prefix);
/* DryRunOperation when the caller only wanted to know. */
err ec2_dry_run(req *rq, opt_bool dry_run);

/* One more at the end of a list of a structure: LIST_ADD(mem, &list, (ec2_Route){ .. }). */
#define LIST_ADD(mem_, list_, ...) ({ \
	__auto_type to_ = (list_); \
	__typeof__(to_->v) wider_ = arena_alloc((mem_), sizeof *wider_ * (to_->n + 1)); \
	if (to_->n) \
		memcpy(wider_, to_->v, to_->n * sizeof *wider_); \
	wider_[to_->n] = (__VA_ARGS__); \
	to_->v = wider_; \
	to_->n++; \
})
/* The same for a list that begins empty and grows by nothing else: its room doubles, for a request may name
 * very many. */
#define LIST_GROW(mem_, list_, ...) ({ \
	__auto_type grown_ = (list_); \
	if (!(grown_->n & (grown_->n - 1))) { \
		__typeof__(grown_->v) room_ = arena_alloc((mem_), sizeof *room_ * (grown_->n ? grown_->n * 2 : 1)); \
		if (grown_->n) \
			memcpy(room_, grown_->v, grown_->n * sizeof *room_); \
		grown_->v = room_; \
	} \
	grown_->v[grown_->n++] = (__VA_ARGS__); \
})
/* Without the one at `i_`, the others in their order. */
#define LIST_DROP(list_, i_) ({ \
	__auto_type from_ = (list_); \
	size_t at_ = (i_); \
	memmove(from_->v + at_, from_->v + at_ + 1, (from_->n - at_ - 1) * sizeof *from_->v); \
	from_->n--; \
})
static inline bool listed_in(const void *list, str text)
{
	const list_of_str *l = list;
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], text))
			return true;
	return false;
}

/* The account's default VPC with its subnets, made when it is first needed. The row's Vpc is empty when the
 * customer has deleted it. */
err ec2_begin(req *rq, txn *tx, ec2_begun **out);
/* The default VPC's id, or what AWS says when there is none. */
err ec2_default_vpc(req *rq, txn *tx, str *id);
/* A VPC with what AWS gives every one: main route table, default network ACL and default group. */
err ec2_vpc_new(req *rq, txn *tx, cidr4 block, str tenancy, bool is_default, ec2_Vpc *out);
/* Whether the VPC has an internet gateway attached. */
ec2_InternetGateway *ec2_gateway_of(const txn *tx, arena *mem, place p, str vpc);
/* DependencyViolation in the words that most of them share. */
err ec2_dependencies(req *rq, const char *what, str id);
/* InvalidParameterValue for what is no block of addresses. */
err ec2_cidr4(req *rq, str text, const char *parameter, cidr4 *out);

ec2_Subnet *ec2_subnet_new(req *rq, txn *tx, const ec2_Vpc *vpc, cidr4 block, int zone, bool is_default);
void ec2_subnet_fill(const txn *tx, arena *mem, str account, str region, void *it);
size_t ec2_zones(str region);

ec2_RouteTable *ec2_route_table_new(req *rq, txn *tx, const ec2_Vpc *vpc, bool is_main);
ec2_RouteTable *ec2_main_table(const txn *tx, arena *mem, place p, str vpc);
void ec2_route_table_fill(const txn *tx, arena *mem, str account, str region, void *it);
/* Local routes of a VPC's blocks follow the blocks. */
void ec2_local_route(req *rq, txn *tx, str vpc, str block, bool exists);
/* The routes of a gateway endpoint in a table. */
void ec2_endpoint_route(txn *tx, arena *mem, place p, str table, str list, str endpoint, bool exists);
/* Endpoints know no more of a table that is deleted. */
void ec2_endpoints_leave_table(txn *tx, arena *mem, place p, str table);

void ec2_acl_new(req *rq, txn *tx, str vpc, bool is_default, ec2_NetworkAcl *out);
/* A new subnet has the default ACL of its VPC; a deleted one has none. */
void ec2_acl_follow(req *rq, txn *tx, str vpc, str subnet, bool exists);

/* The default options of a region; made once an account. */
void ec2_dhcp_begin(req *rq, txn *tx, ec2_begun *b);

/* NotFound for what is no prefix list, neither AWS's nor the customer's. */
err ec2_prefix_list_check(req *rq, const txn *tx, str id);
/* The prefix list of AWS's with the addresses of a service (com.amazonaws.us-east-1.s3). */
str ec2_service_list(arena *mem, str region, str service);
/* One of a list's addresses. */
bool ec2_service_address(str list, arena *mem, str region, uint32_t *ip);

/* Peering connections of a VPC that is deleted end with it. */
void ec2_peerings_end(txn *tx, arena *mem, place p, int64_t now, str vpc);
/* A launch's request with what its template says where the request says nothing. */
err ec2_template_apply(req *rq, const txn *tx, const ec2_RunInstances_in *in, ec2_RunInstances_in *out);
/* The members that `over` lacks are `under`'s. */
void ec2_overlay(const shape *s, void *over, const void *under);

/* Network interfaces: every private address in a subnet belongs to one. */
typedef struct interface_wish {
	const ec2_Subnet *subnet;
	str ip;                /* empty: any free one */
	ec2_GroupIdentifierList groups;
	str description, type; /* type empty: interface */
	str requester;         /* of those that AWS makes itself */
} interface_wish;
err ec2_interface_new(req *rq, txn *tx, const interface_wish *w, ec2_NetworkInterface **out);
void ec2_interface_delete(txn *tx, arena *mem, place p, str id);
void ec2_interface_put(txn *tx, place p, const ec2_NetworkInterface *i);
void ec2_interface_attach(req *rq, txn *tx, ec2_NetworkInterface *n, str instance, int64_t device, bool goes);
void ec2_interface_fill(const txn *tx, arena *mem, str account, str region, void *it);
/* Interfaces of an instance that is gone: they go with it, or are set free. */
void ec2_interfaces_release(txn *tx, arena *mem, place p, int64_t now, str instance_id);
bool ec2_subnet_empty(const txn *tx, arena *mem, place p, str subnet);
/* SecurityGroupsPerInterfaceLimitExceeded for more than an interface can have. */
err ec2_groups_check(req *rq, size_t n);
/* Groups by their ids, all of the VPC; none named: its default group. */
err ec2_groups_of(req *rq, txn *tx, const void *ids, str vpc, ec2_GroupIdentifierList *out);

/* An Elastic IP for an interface of one of ours (a NAT gateway). */
void ec2_address_bind(txn *tx, place p, int64_t now, ec2_Address *a, const ec2_NetworkInterface *i, str ip,
                      str association);
/* Of one private address of an interface, or of all (ip: STR_NONE). */
void ec2_address_unbind(txn *tx, arena *mem, place p, int64_t now, str interface, str ip);
/* The Elastic IP that a private address has; NULL: none. */
ec2_Address *ec2_address_at(const txn *tx, arena *mem, place p, str interface, str ip);
/* The Elastic IPs of an interface belong to the instance that has the interface now, or to none. */
void ec2_address_follow(txn *tx, arena *mem, place p, const ec2_NetworkInterface *n);
/* Whether something in the VPC has a public address. */
bool ec2_public_addresses(const txn *tx, arena *mem, place p, str vpc);

/* What costs by the hour, begun hours counting whole: `rate` of them from now on; 0 when it is gone, which
 * has existed since `since`. */
void ec2_meter_hours(txn *tx, place p, int64_t now, const meter_kind *kind, str arn, int64_t rate,
                     int64_t since);
/* What a client token made before: its id, or IdempotentParameterMismatch; absent: nothing. */
err ec2_repeated(req *rq, const txn *tx, str token, str *id);
void ec2_repeats(req *rq, txn *tx, str token, str id);

bool ec2_zone_exists(str region, str zone);
str ec2_zone_id(arena *mem, str region, int i);
bool ec2_image_find(req *rq, str id, ec2_Image *out);

err ec2_key_check(req *rq, const txn *tx, str name);
void ec2_group_new(req *rq, txn *tx, str vpc, str name, str description, ec2_SecurityGroup *out);
ec2_SecurityGroup *ec2_group_default(const txn *tx, arena *mem, place p, str vpc);
void ec2_group_delete(txn *tx, arena *mem, place p, str id);
void ec2_group_fill(const txn *tx, arena *mem, str account, str region, void *it);
err ec2_group_get(req *rq, txn *tx, str id, str name, ec2_SecurityGroup **out);

/* Tags given with the creation of a resource; those for other types are left alone. */
err ec2_tag_new(req *rq, txn *tx, const ec2_TagSpecificationList *given, const char *type, str id);

/* 198.18.0.0/15 is nobody's: what is made up here leads nowhere by accident. */
str ec2_public_address(arena *mem);
str ec2_public_name(arena *mem, str ip);
/* A public address costs by the hour, used or not; `id` is whose it is (an instance, or an allocation). */
void ec2_meter_address(txn *tx, place p, int64_t now, str id, bool in_use, bool exists);
str ec2_arn(arena *mem, place p, const char *type, str id);
/* The instance profile that a launch names; the role in it, STR_NONE when there is none. */
err ec2_profile(req *rq, const txn *tx, const ec2_IamInstanceProfileSpecification *p,
                ec2_IamInstanceProfile **out);
str ec2_profile_role(req *rq, const txn *tx, const ec2_IamInstanceProfileSpecification *p);

typedef struct volume_wish {
	str zone, type, device;
	int64_t size, iops, throughput; /* 0: the type's own */
	bool encrypted, goes_with_instance;
} volume_wish;
err ec2_volume_new(req *rq, txn *tx, const volume_wish *w, ec2_Volume **out);
void ec2_volume_attach(req *rq, txn *tx, ec2_Volume *v, ec2_Instance *i, const volume_wish *w);
/* Of an instance that is terminated: volumes go with it or are set free, its Elastic IP is set free. */
void ec2_volumes_release(txn *tx, arena *mem, place p, int64_t now, const ec2_Instance *i);
/* One that runs and whose Elastic IP is gone gets a public address as at its launch. */
void ec2_lend_again(txn *tx, arena *mem, place p, int64_t now, str instance_id);
void ec2_address_release(txn *tx, arena *mem, place p, int64_t now, str instance_id);

/* Running, stopped ..: name and code as AWS has them. */
typedef enum instance_state {
	INSTANCE_PENDING = 0, INSTANCE_RUNNING = 16, INSTANCE_SHUTTING_DOWN = 32, INSTANCE_TERMINATED = 48,
	INSTANCE_STOPPING = 64, INSTANCE_STOPPED = 80,
} instance_state;
ec2_InstanceState *ec2_state(arena *mem, instance_state state);
/* Keeps it, meters it, and sees to what follows by itself (pending: running). */
void ec2_state_set(txn *tx, arena *mem, place p, ec2_Instance *i, instance_state state, int64_t now);
