#include "base/time.h"
#include "store/due.h"
#include "svc/dynamodb/replica.h"

#define SWEPT_AT_ONCE 100
/* AWS's process comes by within days, so an item that has just expired can still be read; ours comes half a
 * minute later, long enough that nobody comes to rely on less. */
#define LINGER_MS (30 * MS_SECOND)

void ddb_ttl_arm(txn *tx, const ddb_table *t, int64_t due)
{
	arena *mem = txn_arena(tx);
	timer_set(tx, "ddb_ttl", ddb_tally_key(mem, t->id), due + LINGER_MS, ddb_payload(mem, t));
}

/* Collects rows that have expired; the moment of the first that has not, or 0. */
static int64_t expired_rows(txn *tx, arena *mem, const ddb_table *t, int64_t due, str *keys,
                            size_t *n)
{
	str prefix = ddb_expiry_prefix(mem, t);
	int64_t next = 0;
	cursor c = txn_scan(tx, prefix, key_after_prefix(mem, prefix), false);
	while (!next && cursor_next(&c)) {
		int64_t at = ddb_expiry_second(c.key) * MS_SECOND;
		if (at > due || *n == SWEPT_AT_ONCE)
			next = at > due ? at : due;
		else
			keys[(*n)++] = arena_str(mem, c.key);
	}
	cursor_close(&c);
	return next;
}

/* Deletes what has expired, as AWS's background process does: free, and marked in the stream. */
TIMER(ddb_ttl)
{
	arena *mem = txn_arena(tx);
	str keys[SWEPT_AT_ONCE];
	size_t n = 0;
	ddb_writer w;
	ddb_table *t = ddb_of_payload(tx, mem, payload);
	if (!t || !t->ttl.n)
		return;
	int64_t next = expired_rows(tx, mem, t, due - LINGER_MS, keys, &n);
	ddb_write_begin(&w, tx, mem, t, due);
	w.by_service = true;
	for (size_t i = 0; i < n; i++) {
		str row = ddb_expiry_row(mem, t, keys[i]);
		ddb_item old = ddb_item_copy(mem, ddb_item_at(tx, row));
		txn_delete(tx, keys[i]);
		if (value_is(old.map))
			ddb_write(&w, row, old, (ddb_item){ STR_NONE, 0 });
	}
	w.tally.ttl_due = next;
	ddb_write_end(&w);
	if (next)
		ddb_ttl_arm(tx, t, next);
}

static err set_ttl(req *rq, txn *tx, dynamodb_table *r, ddb_table *t,
                   const dynamodb_TimeToLiveSpecification *wanted)
{
	bool on = wanted->Enabled.v, is_on = t->ttl.n > 0;
	bool other = is_on && !str_eq(t->ttl, wanted->AttributeName);
	if (on == is_on && !other)
		return fail(rq, &aws_ValidationException, "TimeToLive is already %s",
		            on ? "enabled" : "disabled");
	if (other)
		return fail(rq, &aws_ValidationException,
		            "TimeToLive is active on a different AttributeName: current AttributeName is "
		            "%.*s", STR_ARG(t->ttl));
	if (r->TtlChanged && rq->now - r->TtlChanged < MS_HOUR)
		return fail(rq, &aws_ValidationException,
		            "Time to live has been modified multiple times within a fixed interval");
	if (is_on)
		ddb_purge(tx, ddb_expiry_prefix(rq->mem, t));
	r->TtlChanged = rq->now;
	r->TtlAttribute = on ? wanted->AttributeName : STR_NONE;
	t->ttl = r->TtlAttribute;
	t->ttl_generation++;
	return OK;
}

static err update_ttl(req *rq, txn *tx, const dynamodb_UpdateTimeToLive_in *in, ddb_table **changed)
{
	dynamodb_table *r;
	ddb_tally tally;
	TRY(ddb_record(rq, tx, in->TableName, &r));
	ddb_table *t = ddb_head_get(tx, rq->mem, r->Account, r->Region, r->TableName);
	ensure(t != NULL);
	TRY(set_ttl(rq, tx, r, t, in->TimeToLiveSpecification));
	ddb_tally_get(tx, rq->mem, t, &tally);
	tally.ttl_due = 0;
	ddb_tally_put(tx, rq->mem, t, &tally, rq->now);
	timer_cancel(tx, "ddb_ttl", ddb_tally_key(rq->mem, t->id));
	dynamodb_table_put(tx, r);
	ddb_head_put(tx, t);
	if (t->ttl.n)
		ddb_fill(tx, t, NULL);
	*changed = t;
	return OK;
}

/* Says which attribute holds the second at which an item expires, or that none does: for all replicas. */
err dynamodb_UpdateTimeToLive(req *rq, txn *tx, const dynamodb_UpdateTimeToLive_in *in,
                              dynamodb_UpdateTimeToLive_out *out)
{
	ddb_table *t, *other;
	dynamodb_UpdateTimeToLive_in same = *in;
	TRY(update_ttl(rq, tx, in, &t));
	same.TableName = t->name;
	for (size_t i = 0; i < t->n_replicas; i++) {
		req there = ddb_request_in(rq, t->replicas[i]);
		TRY(update_ttl(&there, tx, &same, &other));
	}
	out->TimeToLiveSpecification = in->TimeToLiveSpecification;
	return OK;
}

err dynamodb_DescribeTimeToLive(req *rq, const txn *tx, const dynamodb_DescribeTimeToLive_in *in,
                                dynamodb_DescribeTimeToLive_out *out)
{
	dynamodb_table *r;
	TRY(ddb_record(rq, tx, in->TableName, &r));
	dynamodb_TimeToLiveDescription *d = arena_new(rq->mem, dynamodb_TimeToLiveDescription);
	d->TimeToLiveStatus = r->TtlAttribute.n ? S("ENABLED") : S("DISABLED");
	d->AttributeName = r->TtlAttribute.n ? r->TtlAttribute : STR_NONE;
	out->TimeToLiveDescription = d;
	return OK;
}
