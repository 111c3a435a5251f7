#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

#define TRIES 3
#define RETRY_MS 1000

/* A snapshot of either kind: what filling its folder needs to know and to change. */
typedef struct kept {
	rds_snapshot *one;
	rds_cluster_snapshot *cluster;
	str id, folder, *status, type, arn, resource;
	opt_i64 *progress;
	int64_t *bytes, *ended;
} kept;

static void kept_of(rds_snapshot *s, rds_cluster_snapshot *c, kept *k)
{
	if (s)
		*k = (kept){ s,
			         NULL,
			         s->Id,
			         s->Folder,
			         &s->It->Status,
			         s->It->SnapshotType,
			         s->It->DBSnapshotArn,
			         s->It->DbiResourceId,
			         &s->It->PercentProgress,
			         &s->Bytes,
			         &s->Ended };
	else
		*k = (kept){ NULL,
			         c,
			         c->Id,
			         c->Folder,
			         &c->It->Status,
			         c->It->SnapshotType,
			         c->It->DBClusterSnapshotArn,
			         c->It->DbClusterResourceId,
			         &c->It->PercentProgress,
			         &c->Bytes,
			         &c->Ended };
}

static bool kept_find(const txn *tx, arena *mem, bool cluster, str account, str region, str id, kept *k)
{
	rds_snapshot *s = cluster ? NULL : rds_snapshot_get(tx, mem, account, region, id);
	rds_cluster_snapshot *c = cluster ? rds_cluster_snapshot_get(tx, mem, account, region, id) : NULL;
	if (s || c)
		kept_of(s, c, k);
	return s || c;
}

/* The last one of the same source that is whole; an empty folder: none. */
static kept kept_last(const txn *tx, arena *mem, const kept *of, str account, str region)
{
	kept best = { 0 }, k;
	record_scan one = rds_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	record_scan two = rds_cluster_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	for (;;) {
		rds_snapshot *s = of->one ? rds_snapshot_next(&one) : NULL;
		rds_cluster_snapshot *c = of->cluster ? rds_cluster_snapshot_next(&two) : NULL;
		if (!s && !c)
			break;
		kept_of(s, c, &k);
		bool whole = str_eq(k.resource, of->resource) && str_eq(*k.status, S("available"));
		if (whole && (!best.ended || *k.ended > *best.ended))
			best = k;
	}
	cursor_close(&one.at);
	cursor_close(&two.at);
	return best;
}

static void kept_put(txn *tx, const kept *k)
{
	if (k->one)
		rds_snapshot_put(tx, k->one);
	else
		rds_cluster_snapshot_put(tx, k->cluster);
}

void db_copy_begin(txn *tx, const copy_facts *f)
{
	task_add(tx, "rds_copy",
	         arena_fmt(txn_arena(tx), "%s %s %lld %.*s %.*s %.*s %.*s", f->cluster ? "cluster" : "instance",
	                   f->last ? "last" : "lives", (long long)f->port, STR_ARG(f->account),
	                   STR_ARG(f->region), STR_ARG(f->folder), STR_ARG(f->id)),
	         0);
}

typedef struct copying {
	arena *mem;
	bool cluster;
	str account, region, id, folder;
	err failed;
	int64_t bytes;
} copying;

static bool copied(void *context, txn *tx)
{
	copying *c = context;
	kept k;
	if (!kept_find(tx, c->mem, c->cluster, c->account, c->region, c->id, &k)
	    || !str_eq(k.folder, c->folder)) {
		task_add(tx, "rds_remove", c->folder, 0);
		return true;
	}
	*k.status = c->failed ? S("failed") : S("available");
	*k.progress = I64(c->failed ? 0 : 100);
	*k.bytes = c->failed ? 0 : c->bytes;
	*k.ended = clock_real();
	kept_put(tx, &k);
	bool automated = str_eq(k.type, S("automated"));
	db_event_add(tx, c->account, c->region, c->cluster ? S("db-cluster-snapshot") : S("db-snapshot"), c->id,
	             k.arn, automated ? "backup" : "creation",
	             c->failed       ? c->failed->message
	                 : automated ? S("Automated snapshot created")
	                             : S("Manual snapshot created"));
	db_bill_snapshots(tx, c->account, c->region, clock_now());
	return true;
}

static bool still_kept(store *st, const copying *c, const kept *last)
{
	kept k;
	const txn *tx = store_read(st);
	bool there = kept_find(tx, c->mem, c->cluster, c->account, c->region, last->id, &k) &&
	             str_eq(k.folder, last->folder);
	store_read_end(st, tx);
	return there;
}

/* What has not been written since the last one is shared with it; not with one that went meanwhile, which may
 * have been half gone. */
static err fill(store *st, copying *c, str from, int port, const kept *last)
{
	err e = db_engines_backup(c->mem, from, c->folder, port, last->folder);
	if (str_is(last->folder) && !still_kept(st, c, last))
		e = db_engines_copy(c->mem, from, c->folder, port);
	TRY(e);
	/* A copy has what its source has, though it may have it as log. */
	c->bytes = c->bytes ? c->bytes : postgres_bytes(c->mem, db_engines_root(), from);
	return OK;
}

/* Fills a snapshot's folder with what the source has now; of a source that goes, the folder goes after it. */
TASK(rds_copy)
{
	kept k, last = { 0 };
	str rest = payload, kind = str_cut(&rest, ' '), fate = str_cut(&rest, ' '),
		port_text = str_cut(&rest, ' ');
	copying c = { .mem = mem, .cluster = str_eq(kind, S("cluster")) };
	int64_t port = 0;
	str_to_i64(port_text, &port);
	c.account = str_cut(&rest, ' ');
	c.region = str_cut(&rest, ' ');
	str from = str_cut(&rest, ' ');
	c.id = rest;
	const txn *tx = store_read(s);
	bool wanted =
		kept_find(tx, mem, c.cluster, c.account, c.region, c.id, &k) && str_eq(*k.status, S("creating"));
	if (wanted) {
		c.folder = k.folder;
		c.bytes = *k.bytes;
		last = kept_last(tx, mem, &k, c.account, c.region);
	}
	store_read_end(s, tx);
	if (wanted) {
		c.failed = fill(s, &c, from, (int)port, &last);
		if (c.failed && attempt < TRIES)
			return clock_now() + RETRY_MS;
		if (store_write(s, copied, &c))
			return clock_now() + RETRY_MS;
	}
	if (str_eq(fate, S("last")))
		postgres_remove(mem, db_engines_root(), from);
	return TASK_DONE;
}

err db_copies_query(req *rq, const copy_query *q)
{
	const char *names[] = {
		q->source_filter, q->id_filter, "dbi-resource-id", "snapshot-type", "engine", NULL
	};
	static const char *const types[] = { "automated", "manual", "shared", "public", "awsbackup" };
	bool known = !str_is(q->type);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		known = known || str_eq(q->type, str_c(types[i]));
	if (!known)
		return fail(rq, &rds_InvalidParameterValue, "Invalid snapshot type: %.*s", STR_ARG(q->type));
	return db_filters_known(rq, q->filters, names);
}

bool db_copies_match(const copy_query *q, const copy_shown *s)
{
	return (!str_is(q->id) || str_eq(q->id, s->id))
		&& (!str_is(q->source) || str_eq_nocase(q->source, s->source))
		&& (!str_is(q->resource) || str_eq(q->resource, s->resource))
		&& (!str_is(q->type) || str_eq(q->type, s->type))
		&& db_filter_has(q->filters, q->source_filter, s->source)
		&& db_filter_has(q->filters, q->id_filter, s->id)
		&& db_filter_has(q->filters, "dbi-resource-id", s->resource)
		&& db_filter_has(q->filters, "snapshot-type", s->type)
		&& db_filter_has(q->filters, "engine", s->engine);
}
