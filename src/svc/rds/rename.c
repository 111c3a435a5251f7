#include "rds.h"
#include "store/due.h"

/* Another name for what there is: its row moves, and whoever names it follows. */

static str renamed_arn(arena *a, str arn, str id)
{
	size_t at = 0;
	for (size_t k = 0; k < arn.n; k++)
		at = arn.p[k] == ':' ? k + 1 : at;
	return arena_concat(a, str_sub(arn, 0, at), id);
}

static void replace(rds_StringList *list, str from, str to)
{
	for (size_t k = 0; k < list->n; k++)
		if (str_eq(list->v[k], from))
			list->v[k] = to;
}

static void tell_proxies(txn *tx, arena *mem, str account, str region, str from, str to, bool cluster)
{
	record_scan s = rds_proxy_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_proxy *p; (p = rds_proxy_next(&s));) {
		if (cluster && str_eq(p->Cluster, from))
			p->Cluster = to;
		else if (!cluster && p->Instances.n)
			replace(&p->Instances, from, to);
		else
			continue;
		rds_proxy_put(tx, p);
	}
	cursor_close(&s.at);
}

static void tell_replicas(txn *tx, arena *mem, const rds_instance *i, str from)
{
	for (size_t k = 0; k < i->It->ReadReplicaDBInstanceIdentifiers.n; k++) {
		rds_instance *r = rds_instance_get(tx, mem, i->Account, i->Region,
		                                   i->It->ReadReplicaDBInstanceIdentifiers.v[k]);
		if (!r)
			continue;
		r->It->ReadReplicaSourceDBInstanceIdentifier = i->Id;
		rds_instance_put(tx, r);
	}
	str source = i->It->ReadReplicaSourceDBInstanceIdentifier;
	rds_instance *s = str_is(source) ? rds_instance_get(tx, mem, i->Account, i->Region, source) : NULL;
	if (!s)
		return;
	rds_ReadReplicaDBInstanceIdentifierList *all = &s->It->ReadReplicaDBInstanceIdentifiers;
	for (size_t k = 0; k < all->n; k++)
		if (str_eq(all->v[k], from))
			all->v[k] = i->Id;
	rds_instance_put(tx, s);
}

static bool renamed(rds_StringList *names, str from, str to)
{
	bool any = false;
	for (size_t k = 0; k < names->n; k++)
		if (str_eq_nocase(names->v[k], from)) {
			names->v[k] = to;
			any = true;
		}
	return any;
}

static void tell_cluster(txn *tx, arena *mem, const rds_instance *i, str from)
{
	str id = i->It->DBClusterIdentifier;
	rds_cluster *c = str_is(id) ? rds_cluster_get(tx, mem, i->Account, i->Region, id) : NULL;
	if (!c)
		return;
	for (size_t k = 0; k < c->It->DBClusterMembers.n; k++)
		if (str_eq(c->It->DBClusterMembers.v[k].DBInstanceIdentifier, from))
			c->It->DBClusterMembers.v[k].DBInstanceIdentifier = i->Id;
	rds_cluster_put(tx, c);
	record_scan scan = rds_cluster_endpoint_scan(tx, mem, 2, i->Account, i->Region, STR_NONE);
	for (rds_cluster_endpoint *e; (e = rds_cluster_endpoint_next(&scan));)
		if (str_eq_nocase(e->It->DBClusterIdentifier, id) &&
		    (renamed(&e->It->StaticMembers, from, i->Id) | renamed(&e->It->ExcludedMembers, from, i->Id)))
			rds_cluster_endpoint_put(tx, e);
}

/* What it has cost so far stays with the old name. */
static void end_bill(txn *tx, arena *mem, const rds_instance *i, int64_t now)
{
	rds_DBInstance *gone = arena_new(mem, rds_DBInstance);
	*gone = *i->It;
	gone->DBInstanceStatus = RDS_RENAMED;
	rds_instance old = *i;
	old.It = gone;
	db_bill_instance(tx, &old, now);
}

void db_instance_rename(txn *tx, arena *mem, rds_instance *i, str id, int64_t now)
{
	str from = i->Id;
	bool alone = !str_is(i->It->DBClusterIdentifier);
	if (alone)
		db_backups_moved(tx, mem, i, NULL, now);
	rds_instance_delete(tx, i->Account, i->Region, from);
	end_bill(tx, mem, i, now);
	i->Id = i->It->DBInstanceIdentifier = id;
	i->It->DBInstanceArn = renamed_arn(mem, i->It->DBInstanceArn, id);
	rds_instance_put(tx, i);
	if (alone)
		db_backups_moved(tx, mem, NULL, i, now);
	tell_replicas(tx, mem, i, from);
	tell_cluster(tx, mem, i, from);
	tell_proxies(tx, mem, i->Account, i->Region, from, id, false);
	db_event_add(tx, i->Account, i->Region, S("db-instance"), i->Id, i->It->DBInstanceArn,
	             "configuration change", arena_fmt(mem, "Renamed instance from %.*s to %.*s", STR_ARG(from),
	                                               STR_ARG(id)));
	db_bill_instance(tx, i, now);
}

void db_cluster_rename(txn *tx, arena *mem, rds_cluster *c, str id, int64_t now)
{
	str from = c->Id;
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX);
	int64_t bytes = db_billed_cluster_storage(tx, c);
	db_bill_cluster_storage(tx, c, 0, now);
	db_cluster_backups_moved(tx, mem, c, NULL, now);
	timer_cancel(tx, "rds_sleep",
	             arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(c->Account), STR_ARG(c->Region), STR_ARG(from)));
	rds_cluster_delete(tx, c->Account, c->Region, from);
	c->Id = c->It->DBClusterIdentifier = id;
	c->It->DBClusterArn = renamed_arn(mem, c->It->DBClusterArn, id);
	rds_cluster_put(tx, c);
	/* Nobody looks at it while it sleeps. */
	db_bill_cluster_storage(tx, c, bytes, now);
	if (c->Filled)
		db_cluster_backups_moved(tx, mem, NULL, c, now);
	for (size_t k = 0; k < n; k++) {
		all[k]->It->DBClusterIdentifier = id;
		rds_instance_put(tx, all[k]);
	}
	tell_proxies(tx, mem, c->Account, c->Region, from, id, true);
	db_cluster_endpoints_renamed(tx, mem, c, from);
	db_event_add(tx, c->Account, c->Region, S("db-cluster"), c->Id, c->It->DBClusterArn, "notification",
	             arena_fmt(mem, "Renamed cluster from %.*s to %.*s", STR_ARG(from), STR_ARG(id)));
}
