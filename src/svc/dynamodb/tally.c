/*
 * How many items and bytes a table has, and what its storage costs.
 *
 * AWS bills the integral of bytes over time. The meter accrues a constant rate by itself (a
 * resident), and setting it on every write would double the cost of writing. So the tally keeps the
 * drift: the byte-milliseconds between what is stored and what the resident accrues. It is posted,
 * and the rate corrected, when the two are a MiB and a hundredth apart, and otherwise at the end of
 * the hour, by a timer that is set only while there is a difference. Nothing is lost or rounded:
 * what is less than a byte-hour stays in the drift.
 */
#include "svc/dynamodb/ddb.h"
#include "store/due.h"
#include "base/time.h"

#define ROW_OVERHEAD 100 /* bytes AWS adds to each item and index entry */
#define DRIFT_FREE (1 << 20)

/* The row: this, then for each index its id and count. */
typedef struct fixed_row {
	ddb_count table;
	int64_t billed, since, drift_high, settle_due, ttl_due, sweep_due;
	uint64_t drift_low;
} fixed_row;
#define INDEX_BYTES 18

void ddb_tally_get(const txn *tx, arena *mem, const ddb_table *t, ddb_tally *out)
{
	fixed_row fixed;
	str row = txn_get(tx, ddb_tally_key(mem, t->id));
	*out = (ddb_tally){ 0 };
	if (row.n < sizeof fixed)
		return;
	memcpy(&fixed, row.p, sizeof fixed);
	out->table = fixed.table;
	out->billed = fixed.billed;
	out->since = fixed.since;
	out->drift =
		(__int128)((unsigned __int128)(uint64_t)fixed.drift_high << 64 | fixed.drift_low);
	out->settle_due = fixed.settle_due;
	out->ttl_due = fixed.ttl_due;
	out->sweep_due = fixed.sweep_due;
	for (size_t at = sizeof fixed; at + INDEX_BYTES <= row.n && out->n < DDB_INDEXES_MAX;
	     at += INDEX_BYTES) {
		memcpy(&out->index_id[out->n], row.p + at, 2);
		memcpy(&out->index[out->n++], row.p + at + 2, 16);
	}
}

static void put_row(txn *tx, arena *mem, const ddb_table *t, const ddb_tally *tally)
{
	fixed_row fixed = { .table = tally->table,
		        .billed = tally->billed,
		        .since = tally->since,
		        .drift_high = (int64_t)(tally->drift >> 64),
		        .drift_low = (uint64_t)tally->drift,
		        .settle_due = tally->settle_due,
		        .ttl_due = tally->ttl_due,
		        .sweep_due = tally->sweep_due };
	char row[sizeof fixed + INDEX_BYTES * DDB_INDEXES_MAX];
	size_t n = sizeof fixed;
	memcpy(row, &fixed, sizeof fixed);
	for (size_t i = 0; i < tally->n; i++, n += INDEX_BYTES) {
		memcpy(row + n, &tally->index_id[i], 2);
		memcpy(row + n + 2, &tally->index[i], 16);
	}
	txn_put(tx, ddb_tally_key(mem, t->id), str_of(row, n));
}

ddb_count *ddb_tally_index(ddb_tally *tally, uint16_t index_id)
{
	for (size_t i = 0; i < tally->n; i++)
		if (tally->index_id[i] == index_id)
			return &tally->index[i];
	ensure(tally->n < DDB_INDEXES_MAX);
	tally->index_id[tally->n] = index_id;
	tally->index[tally->n] = (ddb_count){ 0 };
	return &tally->index[tally->n++];
}

static int64_t stored_bytes(const ddb_tally *tally)
{
	int64_t bytes = tally->table.bytes + ROW_OVERHEAD * tally->table.items;
	for (size_t i = 0; i < tally->n; i++)
		bytes += tally->index[i].bytes + ROW_OVERHEAD * tally->index[i].items;
	return bytes;
}

void ddb_tally_advance(ddb_tally *tally, int64_t now)
{
	if (now <= tally->since)
		return;
	if (tally->since)
		tally->drift += (__int128)(stored_bytes(tally) - tally->billed) * (now - tally->since);
	tally->since = now;
}

static const meter_kind *storage_meter(const ddb_table *t)
{
	return t->infrequent ? &DYNAMODB_STORAGE_IA : &DYNAMODB_STORAGE;
}

/* Turns the drift into usage of the hour it ends in, and lets the store accrue the true rate. */
static void post(txn *tx, const ddb_table *t, ddb_tally *tally, int64_t rate)
{
	qty byte_hours = (qty)(tally->drift / MS_HOUR);
	if (byte_hours)
		usage_add(tx, t->account, t->region, tally->since - 1, storage_meter(t), t->arn,
		          byte_hours);
	tally->drift -= (__int128)byte_hours * MS_HOUR;
	if (rate != tally->billed)
		resident_set(tx, t->account, t->region, tally->since, storage_meter(t), t->arn, rate);
	tally->billed = rate;
}

static int64_t slack(int64_t bytes)
{
	return bytes / 100 > DRIFT_FREE ? bytes / 100 : DRIFT_FREE;
}

str ddb_payload(arena *mem, const ddb_table *t)
{
	return arena_fmt(mem, "%.*s/%.*s/%.*s/%llu", STR_ARG(t->account), STR_ARG(t->region),
	                 STR_ARG(t->name), (unsigned long long)t->id);
}

ddb_table *ddb_of_payload(const txn *tx, arena *mem, str payload)
{
	str rest = arena_str(mem, payload);
	str account = str_cut(&rest, '/'), region = str_cut(&rest, '/'), name = str_cut(&rest, '/');
	int64_t id;
	ddb_table *t = ddb_head_get(tx, mem, account, region, name);
	return t && str_to_i64(rest, &id) && t->id == (uint64_t)id ? t : NULL;
}

void ddb_tally_put(txn *tx, arena *mem, const ddb_table *t, ddb_tally *tally, int64_t now)
{
	int64_t bytes = stored_bytes(tally);
	if (bytes < tally->billed)
		post(tx, t, tally, bytes > slack(bytes) ? bytes - slack(bytes) : 0);
	else if (bytes - tally->billed > slack(bytes))
		post(tx, t, tally, bytes);
	if (bytes != tally->billed && !tally->settle_due) {
		tally->settle_due = (now / MS_HOUR + 1) * MS_HOUR;
		timer_set(tx, "ddb_storage", ddb_tally_key(mem, t->id), tally->settle_due,
		          ddb_payload(mem, t));
	}
	put_row(tx, mem, t, tally);
}

TIMER(ddb_storage)
{
	arena *mem = txn_arena(tx);
	ddb_tally tally;
	ddb_table *t = ddb_of_payload(tx, mem, payload);
	if (!t)
		return;
	ddb_tally_get(tx, mem, t, &tally);
	ddb_tally_advance(&tally, due);
	tally.settle_due = 0;
	post(tx, t, &tally, stored_bytes(&tally));
	put_row(tx, mem, t, &tally);
}

void ddb_tally_end(txn *tx, arena *mem, const ddb_table *t, int64_t now)
{
	ddb_tally tally;
	ddb_tally_get(tx, mem, t, &tally);
	ddb_tally_advance(&tally, now);
	post(tx, t, &tally, 0);
	timer_cancel(tx, "ddb_storage", ddb_tally_key(mem, t->id));
	timer_cancel(tx, "ddb_ttl", ddb_tally_key(mem, t->id));
	txn_delete(tx, ddb_tally_key(mem, t->id));
}

void ddb_tally_reclass(txn *tx, arena *mem, ddb_table *t, bool infrequent, int64_t now)
{
	ddb_tally tally;
	if (t->infrequent == infrequent)
		return;
	ddb_tally_get(tx, mem, t, &tally);
	ddb_tally_advance(&tally, now);
	post(tx, t, &tally, 0);
	t->infrequent = infrequent;
	post(tx, t, &tally, stored_bytes(&tally));
	put_row(tx, mem, t, &tally);
}
