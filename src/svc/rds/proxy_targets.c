#include "proxy.h"
#include "sys/clock.h"

#define VCPUS_MIN 2
#define CENTI_ACUS_MIN 800
#define PERCENT_MAX 100
#define BORROW_MAX 300

static err group_check(req *rq, str name)
{
	if (str_is(name) && !str_eq_nocase(name, S("default")))
		return fail(rq, &rds_DBProxyTargetGroupNotFoundFault, "DBProxyTargetGroup not found with name: %.*s",
		            STR_ARG(name));
	return OK;
}

static rds_TargetHealth *health_of(req *rq, const proxy_health *h, const rds_instance *i)
{
	rds_TargetHealth *t = arena_new(rq->mem, rds_TargetHealth);
	*t = (rds_TargetHealth){ .State = rds_TargetState_UNAVAILABLE };
	bool up = i && db_engines_run(i->Folder) && str_empty(i->Job);
	if (!h->runs) {
		t->Reason = rds_TargetHealthReason_PENDING_PROXY_CAPACITY;
		t->Description = S("DBProxy Target is waiting for proxy to scale to desired capacity");
	} else if (!h->credentials) {
		t->Reason = rds_TargetHealthReason_AUTH_FAILURE;
		t->Description = S("Proxy does not have any registered credentials");
	} else if (!up) {
		t->Reason = rds_TargetHealthReason_UNREACHABLE;
		t->Description = S("DBProxy Target unavailable due to an internal error");
	} else if (!h->checked) {
		t->State = rds_TargetState_REGISTERING;
	} else if (h->refused[0]) {
		t->Reason = rds_TargetHealthReason_AUTH_FAILURE;
		t->Description = arena_fmt(rq->mem, "%s", h->refused);
	} else {
		t->State = rds_TargetState_AVAILABLE;
	}
	return t;
}

static rds_DBProxyTarget shown(req *rq, const proxy_health *h, const rds_instance *i)
{
	bool writes = !str_is(i->It->ReadReplicaSourceDBInstanceIdentifier);
	return (rds_DBProxyTarget){ .TargetArn = i->It->DBInstanceArn,
		                        .Endpoint = i->Address,
		                        .TrackedClusterId = i->It->DBClusterIdentifier,
		                        .RdsResourceId = i->Id,
		                        .Port = i->It->Endpoint->Port,
		                        .Type = rds_TargetType_RDS_INSTANCE,
		                        .Role = writes ? rds_TargetRole_READ_WRITE : rds_TargetRole_READ_ONLY,
		                        .TargetHealth = health_of(rq, h, i) };
}

/* What is registered, and the members of a registered cluster. */
static rds_TargetList targets(req *rq, const txn *tx, const rds_proxy *p)
{
	proxy_health h = db_proxy_health(p->Account, p->Region, p->Name);
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	rds_TargetList list = { arena_array(rq->mem, rds_DBProxyTarget, CLUSTER_MEMBERS_MAX + 1), 0 };
	for (size_t k = 0; k < p->Instances.n && k < CLUSTER_MEMBERS_MAX; k++) {
		rds_instance *i = rds_instance_get(tx, rq->mem, p->Account, p->Region, p->Instances.v[k]);
		if (i)
			list.v[list.n++] = shown(rq, &h, i);
	}
	rds_cluster *c =
		str_is(p->Cluster) ? rds_cluster_get(tx, rq->mem, p->Account, p->Region, p->Cluster) : NULL;
	if (!c)
		return list;
	list.v[list.n++] = (rds_DBProxyTarget){ .Endpoint = c->Address,
		                                    .RdsResourceId = c->Id,
		                                    .Port = c->It->Port,
		                                    .Type = rds_TargetType_TRACKED_CLUSTER };
	rds_instance *writer = db_cluster_writer(tx, rq->mem, c);
	size_t n = db_cluster_members(tx, rq->mem, c, all, CLUSTER_MEMBERS_MAX);
	for (size_t k = 0; k < n; k++) {
		list.v[list.n] = shown(rq, &h, all[k]);
		if (!writer || !str_eq(writer->Id, all[k]->Id))
			list.v[list.n].Role = rds_TargetRole_READ_ONLY;
		list.n++;
	}
	return list;
}

err rds_DescribeDBProxyTargets(req *rq, const txn *tx, const rds_DescribeDBProxyTargets_in *in,
                               rds_DescribeDBProxyTargets_out *out)
{
	rds_proxy *p;
	page ignored;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &ignored));
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	TRY(group_check(rq, in->TargetGroupName));
	out->Targets = targets(rq, tx, p);
	return OK;
}

err rds_DescribeDBProxyTargetGroups(req *rq, const txn *tx, const rds_DescribeDBProxyTargetGroups_in *in,
                                    rds_DescribeDBProxyTargetGroups_out *out)
{
	rds_proxy *p;
	page ignored;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &ignored));
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	TRY(group_check(rq, in->TargetGroupName));
	out->TargetGroups = (rds_TargetGroupList){ p->Group, 1 };
	return OK;
}

static err within(req *rq, const char *name, opt_i64 given, int64_t least, int64_t most, opt_i64 *to)
{
	if (given.set && (given.v < least || given.v > most))
		return fail(rq, &rds_InvalidParameterValue, "%s %lld is invalid. It must be between %lld and %lld.",
		            name, (long long)given.v, (long long)least, (long long)most);
	if (given.set)
		*to = given;
	return OK;
}

err rds_ModifyDBProxyTargetGroup(req *rq, txn *tx, const rds_ModifyDBProxyTargetGroup_in *in,
                                 rds_ModifyDBProxyTargetGroup_out *out)
{
	rds_proxy *p;
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	TRY(group_check(rq, in->TargetGroupName));
	if (str_is(in->NewName) && !str_eq(in->NewName, S("default")))
		return fail(rq, &rds_InvalidParameterCombination, "The default target group can't be renamed.");
	rds_ConnectionPoolConfigurationInfo *now = p->Group->ConnectionPoolConfig;
	const rds_ConnectionPoolConfiguration *given = in->ConnectionPoolConfig;
	if (given) {
		TRY(within(rq, "MaxConnectionsPercent", given->MaxConnectionsPercent, 1, PERCENT_MAX,
		           &now->MaxConnectionsPercent));
		TRY(within(rq, "MaxIdleConnectionsPercent", given->MaxIdleConnectionsPercent, 0,
		           now->MaxConnectionsPercent.v, &now->MaxIdleConnectionsPercent));
		TRY(within(rq, "ConnectionBorrowTimeout", given->ConnectionBorrowTimeout, 0, BORROW_MAX,
		           &now->ConnectionBorrowTimeout));
		if (now->MaxIdleConnectionsPercent.v > now->MaxConnectionsPercent.v)
			now->MaxIdleConnectionsPercent = now->MaxConnectionsPercent;
		if (str_is(given->InitQuery))
			now->InitQuery = given->InitQuery;
		now->SessionPinningFilters = given->SessionPinningFilters;
	}
	p->Group->UpdatedDate = TIME(rq->now);
	rds_proxy_put(tx, p);
	db_proxies_changed(tx);
	out->DBProxyTargetGroup = p->Group;
	return OK;
}

static err same_family(req *rq, const rds_proxy *p, str engine, str id)
{
	if (!db_engine_is_mysql(engine))
		return OK;
	return fail(rq, &rds_InvalidParameterCombination,
	            "The engine %.*s of %.*s is not of the engine family %.*s of the proxy.", STR_ARG(engine),
	            STR_ARG(id), STR_ARG(p->It->EngineFamily));
}

static err add_instance(req *rq, const txn *tx, rds_proxy *p, str given)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, given, &i));
	if (str_is(i->It->DBClusterIdentifier))
		return fail(rq, &rds_InvalidDBInstanceStateFault,
		            "DB instance %.*s is a member of a DB cluster. Register the DB cluster instead.",
		            STR_ARG(i->Id));
	TRY(db_instance_ready(rq, i));
	TRY(same_family(rq, p, i->It->Engine, i->Id));
	str *one = arena_new(rq->mem, str);
	*one = i->Id;
	p->Instances = (rds_StringList){ one, 1 };
	return OK;
}

err rds_RegisterDBProxyTargets(req *rq, txn *tx, const rds_RegisterDBProxyTargets_in *in,
                               rds_RegisterDBProxyTargets_out *out)
{
	rds_proxy *p;
	rds_cluster *c;
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	TRY(group_check(rq, in->TargetGroupName));
	size_t n = in->DBInstanceIdentifiers.n + in->DBClusterIdentifiers.n;
	if (n != 1)
		return fail(rq, &rds_InvalidParameterCombination,
		            n ? "Only one DB instance or DB cluster can be registered with a target group."
		              : "A DBInstanceIdentifier or a DBClusterIdentifier is required.");
	if (p->Instances.n || str_is(p->Cluster))
		return fail(rq, &rds_DBProxyTargetAlreadyRegisteredFault,
		            "The target group default of the proxy %.*s already has a registered target.",
		            STR_ARG(p->Name));
	if (in->DBInstanceIdentifiers.n) {
		TRY(add_instance(rq, tx, p, in->DBInstanceIdentifiers.v[0]));
	} else {
		TRY(db_cluster_find(rq, tx, in->DBClusterIdentifiers.v[0], &c));
		TRY(db_cluster_ready(rq, c));
		TRY(same_family(rq, p, c->It->Engine, c->Id));
		p->Cluster = c->Id;
	}
	rds_proxy_put(tx, p);
	db_proxy_bill(tx, p, rq->now);
	db_proxies_changed(tx);
	out->DBProxyTargets = targets(rq, tx, p);
	return OK;
}

static bool among(const rds_StringList *list, str id)
{
	for (size_t k = 0; k < list->n; k++)
		if (str_eq_nocase(list->v[k], id))
			return true;
	return false;
}

err rds_DeregisterDBProxyTargets(req *rq, txn *tx, const rds_DeregisterDBProxyTargets_in *in,
                                 rds_DeregisterDBProxyTargets_out *out)
{
	rds_proxy *p;
	TRY(db_proxy_find(rq, tx, in->DBProxyName, &p));
	TRY(group_check(rq, in->TargetGroupName));
	bool instance = p->Instances.n && among(&in->DBInstanceIdentifiers, p->Instances.v[0]);
	bool cluster = str_is(p->Cluster) && among(&in->DBClusterIdentifiers, p->Cluster);
	if (!instance && !cluster)
		return fail(rq, &rds_DBProxyTargetNotFoundFault,
		            "The target is not registered with the target group default of the proxy %.*s.",
		            STR_ARG(p->Name));
	p->Instances.n = 0;
	p->Cluster = STR_NONE;
	rds_proxy_put(tx, p);
	db_proxy_bill(tx, p, rq->now);
	db_proxies_changed(tx);
	return OK;
}

rds_instance *db_proxy_target(const txn *tx, arena *mem, const rds_proxy *p, bool reads)
{
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	if (p->Instances.n)
		return rds_instance_get(tx, mem, p->Account, p->Region, p->Instances.v[0]);
	rds_cluster *c = str_is(p->Cluster) ? rds_cluster_get(tx, mem, p->Account, p->Region, p->Cluster) : NULL;
	rds_instance *writer = c ? db_cluster_writer(tx, mem, c) : NULL;
	size_t n = c && reads ? db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX) : 0;
	for (size_t k = 0; k < n; k++)
		if (!writer || !str_eq(all[k]->Id, writer->Id))
			return all[k];
	return writer;
}

/* By the vCPUs of what is registered, at least two; of Serverless v2 by its ACUs, at least eight. */
void db_proxy_bill(txn *tx, const rds_proxy *p, int64_t now)
{
	arena *mem = txn_arena(tx);
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = 0;
	int64_t vcpus = 0, centi_acus = 0;
	bool serverless = false;
	rds_cluster *c = str_is(p->Cluster) ? rds_cluster_get(tx, mem, p->Account, p->Region, p->Cluster) : NULL;
	if (c)
		n = db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX);
	else if (p->Instances.n)
		n = (all[0] = rds_instance_get(tx, mem, p->Account, p->Region, p->Instances.v[0])) != NULL;
	for (size_t k = 0; k < n; k++) {
		bool acus = str_eq(all[k]->It->DBInstanceClass, SERVERLESS);
		serverless = serverless || acus;
		if (acus)
			centi_acus += c->Paused ? 0 : c->CentiAcu;
		else
			vcpus += db_class_find(all[k]->It->DBInstanceClass)->vcpu;
	}
	if (n && !serverless && vcpus < VCPUS_MIN)
		vcpus = VCPUS_MIN;
	if (serverless && centi_acus < CENTI_ACUS_MIN)
		centi_acus = CENTI_ACUS_MIN;
	str arn = p->It->DBProxyArn;
	if (vcpus || resident_rate(tx, p->Account, p->Region, &RDS_PROXY, arn))
		resident_set(tx, p->Account, p->Region, now, &RDS_PROXY, arn, QTY(vcpus));
	if (centi_acus || resident_rate(tx, p->Account, p->Region, &RDS_PROXY_ACU, arn))
		resident_set(tx, p->Account, p->Region, now, &RDS_PROXY_ACU, arn, centi_acus * (QTY(1) / 100));
}

void db_proxies_of(txn *tx, const rds_instance *i, bool gone, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan s = rds_proxy_scan(tx, mem, 2, i->Account, i->Region, STR_NONE);
	for (rds_proxy *p; (p = rds_proxy_next(&s));) {
		bool mine = among(&p->Instances, i->Id),
			 tracked = str_is(i->It->DBClusterIdentifier) && str_is(p->Cluster)
			&& str_eq(p->Cluster, i->It->DBClusterIdentifier);
		if (!mine && !tracked)
			continue;
		if (mine && gone) {
			p->Instances.n = 0;
			rds_proxy_put(tx, p);
		}
		db_proxy_bill(tx, p, now);
	}
	cursor_close(&s.at);
}
