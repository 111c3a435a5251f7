/*
 * EC2: a default network for each account and region, security groups, key pairs, instances, volumes and
 * addresses: as the API sees them, and as they are billed. No machine runs behind an instance.
 */
#pragma once
#include "faults.h"
#include "gen/ec2.h"
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

/* The account's default VPC with its subnets, made when it is first needed. */
err ec2_begin(req *rq, txn *tx, ec2_begun **out);

bool ec2_zone_exists(str region, str zone);
str ec2_zone_id(arena *mem, str region, int i);
bool ec2_image_find(req *rq, str id, ec2_Image *out);

err ec2_key_check(req *rq, const txn *tx, str name);
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
void ec2_address_release(txn *tx, arena *mem, place p, int64_t now, str instance_id);

/* Running, stopped ..: name and code as AWS has them. */
typedef enum instance_state {
	INSTANCE_PENDING = 0, INSTANCE_RUNNING = 16, INSTANCE_SHUTTING_DOWN = 32, INSTANCE_TERMINATED = 48,
	INSTANCE_STOPPING = 64, INSTANCE_STOPPED = 80,
} instance_state;
ec2_InstanceState *ec2_state(arena *mem, instance_state state);
/* Keeps it, meters it, and sees to what follows by itself (pending: running). */
void ec2_state_set(txn *tx, arena *mem, place p, ec2_Instance *i, instance_state state, int64_t now);
