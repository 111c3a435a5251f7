#include "base/time.h"
#include "rds.h"
#include "store/due.h"

/*
 * Serverless v2 clusters whose minimum is 0 go to sleep once nobody has been connected for long enough. The
 * moment is a timer on Farthing's clock, so that one that passes while the clock is turned is billed as if it
 * had been waited for.
 */

static str place_of(arena *mem, const rds_cluster *c)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(c->Account), STR_ARG(c->Region), STR_ARG(c->Id));
}

static rds_cluster *cluster_at(const txn *tx, arena *mem, str place)
{
	str rest = place, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	return rds_cluster_get(tx, mem, account, region, rest);
}

int64_t db_sleep_after(const rds_cluster *c)
{
	const rds_ServerlessV2ScalingConfigurationInfo *v2 = c->It->ServerlessV2ScalingConfiguration;
	bool may = v2 && v2->MinCapacity.v <= 0 && v2->SecondsUntilAutoPause.set && !c->Paused &&
	           str_eq(c->It->Status, S("available"));
	return may ? v2->SecondsUntilAutoPause.v * MS_SECOND : 0;
}

typedef struct arming {
	arena *mem;
	const rds_cluster *c;
	int64_t due;
} arming;

static bool arm(void *context, txn *tx)
{
	arming *a = context;
	str place = place_of(a->mem, a->c);
	if (a->due)
		timer_set(tx, "rds_sleep", place, a->due, place);
	else
		timer_cancel(tx, "rds_sleep", place);
	return true;
}

err db_sleep_at(arena *mem, store *s, const rds_cluster *c, int64_t due)
{
	return store_write(s, arm, &(arming){ mem, c, due });
}

static bool busy(rds_instance *const *members, size_t n)
{
	bool any = n == 0;
	for (size_t k = 0; k < n; k++)
		any = any || !str_empty(members[k]->Job) || !str_eq(members[k]->It->DBInstanceClass, SERVERLESS);
	return any;
}

void db_sleep_set(txn *tx, arena *mem, rds_cluster *c, bool paused, int64_t when)
{
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX);
	c->Paused = paused;
	c->PausedAt = paused ? when : 0;
	rds_cluster_put(tx, c);
	for (size_t i = 0; i < n; i++)
		db_bill_instance(tx, all[i], when);
	db_event_add(tx, c->Account, c->Region, S("db-cluster"), c->Id, c->It->DBClusterArn, "notification",
	             paused ? S("The DB cluster is paused") : S("The DB cluster is resumed"));
}

TIMER(rds_sleep)
{
	arena *mem = txn_arena(tx);
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	rds_cluster *c = cluster_at(tx, mem, payload);
	size_t n = c ? db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX) : 0;
	if (!c || !db_sleep_after(c) || busy(all, n))
		return;
	db_sleep_set(tx, mem, c, true, due);
	task_add(tx, "rds_sleep", payload, 0);
}

/* Whoever has come since it was last looked at keeps it awake. */
TASK(rds_sleep)
{
	const txn *tx = store_read(s);
	rds_cluster *c = cluster_at(tx, mem, payload);
	store_read_end(s, tx);
	if (c)
		db_pause(mem, c);
	return TASK_DONE;
}
