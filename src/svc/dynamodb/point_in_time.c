/* Recovery to a point in time: a table's history, kept for up to 35 days. */
#include "base/time.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "svc/dynamodb/backup.h"

#define DAYS 35

bool ddb_recovery_on(const txn *tx, arena *mem, const ddb_table *t, dynamodb_recovery **out)
{
	*out = dynamodb_recovery_get(tx, mem, t->account, t->region, t->name);
	return *out && (uint64_t)(*out)->TableId == t->id;
}

int64_t ddb_recovery_earliest(const dynamodb_recovery *r, int64_t now)
{
	int64_t kept = now - r->Days * MS_DAY;
	return r->Since > kept ? r->Since : kept;
}

/* AWS bills what the table and its local indexes hold; the hour's timer brings it up to date. */
static void bill(txn *tx, const ddb_table *t, int64_t now, bool on)
{
	ddb_tally tally;
	ddb_tally_get(tx, txn_arena(tx), t, &tally);
	int64_t bytes = tally.table.bytes;
	for (size_t i = 0; i < t->n_indexes; i++)
		if (!t->indexes[i].global)
			bytes += ddb_tally_index(&tally, t->indexes[i].id)->bytes;
	resident_set(tx, t->account, t->region, now, &DYNAMODB_PITR, t->arn, on ? bytes : 0);
}

static void arm(txn *tx, const ddb_table *t, int64_t due)
{
	arena *mem = txn_arena(tx);
	timer_set(tx, "ddb_recovery", ddb_tally_key(mem, t->id), due, ddb_payload(mem, t));
}

TIMER(ddb_recovery)
{
	arena *mem = txn_arena(tx);
	dynamodb_recovery *r;
	const ddb_table *t = ddb_of_payload(tx, mem, payload);
	if (!t || !ddb_recovery_on(tx, mem, t, &r))
		return;
	bill(tx, t, due, true);
	bool all = ddb_copy_of(tx, mem, t->id) || ddb_history_trim(tx, t->id, ddb_recovery_earliest(r, due));
	arm(tx, t, all ? due + MS_HOUR : due);
}

void ddb_recovery_end(req *rq, txn *tx, const ddb_table *t)
{
	dynamodb_recovery *r;
	if (!ddb_recovery_on(tx, rq->mem, t, &r))
		return;
	bill(tx, t, rq->now, false);
	timer_cancel(tx, "ddb_recovery", ddb_tally_key(rq->mem, t->id));
	dynamodb_recovery_delete(tx, t->account, t->region, t->name);
	if (!ddb_copy_of(tx, rq->mem, t->id))
		ddb_history_wanted(tx, rq->mem, t->id, false);
}

static err table_find(req *rq, const txn *tx, str given, ddb_table **t)
{
	str name;
	TRY(ddb_name(rq, given, &name));
	*t = ddb_head_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *t ? OK : fail(rq, &dynamodb_TableNotFoundException, "Table not found: %.*s", STR_ARG(name));
}

static dynamodb_ContinuousBackupsDescription *describe(req *rq, const txn *tx, const ddb_table *t)
{
	dynamodb_ContinuousBackupsDescription *d = arena_new(rq->mem, dynamodb_ContinuousBackupsDescription);
	dynamodb_PointInTimeRecoveryDescription *p = arena_new(rq->mem, dynamodb_PointInTimeRecoveryDescription);
	dynamodb_recovery *r;
	bool on = ddb_recovery_on(tx, rq->mem, t, &r);
	d->ContinuousBackupsStatus = S("ENABLED");
	d->PointInTimeRecoveryDescription = p;
	p->PointInTimeRecoveryStatus = on ? dynamodb_PointInTimeRecoveryStatus_ENABLED
	                                  : dynamodb_PointInTimeRecoveryStatus_DISABLED;
	if (on) {
		int64_t earliest = ddb_recovery_earliest(r, rq->now), latest = rq->now - rq->now % MS_SECOND;
		p->RecoveryPeriodInDays = I64(r->Days);
		p->EarliestRestorableDateTime = TIME(earliest);
		p->LatestRestorableDateTime = TIME(latest > earliest ? latest : earliest);
	}
	return d;
}

err dynamodb_DescribeContinuousBackups(req *rq, const txn *tx,
                                       const dynamodb_DescribeContinuousBackups_in *in,
                                       dynamodb_DescribeContinuousBackups_out *out)
{
	ddb_table *t;
	TRY(table_find(rq, tx, in->TableName, &t));
	out->ContinuousBackupsDescription = describe(rq, tx, t);
	return OK;
}

err dynamodb_UpdateContinuousBackups(req *rq, txn *tx, const dynamodb_UpdateContinuousBackups_in *in,
                                     dynamodb_UpdateContinuousBackups_out *out)
{
	ddb_table *t;
	dynamodb_recovery *old;
	const dynamodb_PointInTimeRecoverySpecification *p = in->PointInTimeRecoverySpecification;
	TRY(table_find(rq, tx, in->TableName, &t));
	bool on = ddb_recovery_on(tx, rq->mem, t, &old);
	if (p->RecoveryPeriodInDays.set && !p->PointInTimeRecoveryEnabled.v)
		return fail(rq, &aws_ValidationException, "Invalid Request: Cannot specify RecoveryPeriodInDays when "
		            "disabling point-in-time recovery.");
	if (p->PointInTimeRecoveryEnabled.v) {
		dynamodb_recovery r = { .Account = t->account, .Region = t->region, .TableName = t->name,
			                .TableId = (int64_t)t->id, .Since = on ? old->Since : rq->now,
			                .Days = p->RecoveryPeriodInDays.set ? p->RecoveryPeriodInDays.v
			                        : on                        ? old->Days
			                                                    : DAYS };
		dynamodb_recovery_put(tx, &r);
		ddb_history_wanted(tx, rq->mem, t->id, true);
		bill(tx, t, rq->now, true);
		arm(tx, t, rq->now + MS_HOUR);
	} else {
		ddb_recovery_end(rq, tx, t);
	}
	out->ContinuousBackupsDescription = describe(rq, tx, t);
	return OK;
}

/* The moment asked for, within what is known. */
static err moment_of(req *rq, const dynamodb_RestoreTableToPointInTime_in *in, const dynamodb_recovery *r,
                     int64_t *when)
{
	bool latest = in->UseLatestRestorableTime.set && in->UseLatestRestorableTime.v;
	if (latest == in->RestoreDateTime.set)
		return fail(rq, &aws_ValidationException, "Invalid Request: Either one of RestoreDateTime or "
		            "UseLatestRestorableTime must be specified, but not both");
	*when = latest ? rq->now : in->RestoreDateTime.v;
	int64_t earliest = ddb_recovery_earliest(r, rq->now);
	return *when + MS_SECOND > earliest && *when <= rq->now ? OK :
	       fail(rq, &dynamodb_InvalidRestoreTimeException,
	            "Requested time is not within the restorable range of the table: %.*s to %.*s",
	            STR_ARG(time_iso(rq->mem, earliest)), STR_ARG(time_iso(rq->mem, rq->now)));
}

static void restore_now(req *rq, txn *tx, const ddb_table *from, const ddb_table *to, int64_t when)
{
	str rows = ddb_copy_prefix(rq->mem, (int64_t)txn_next(tx, S("dynamodb.copy")));
	for (ddb_copying c = { .table = from->id, .when = when, .rows = rows }; !c.done;)
		ddb_copy_step(tx, rq->mem, &c, 1000);
	for (ddb_filling f = { .rows = rows }; !f.done;)
		ddb_fill_step(tx, rq->mem, &f, to, rq->now, 1000);
	txn_delete_prefix(tx, rows);
	ddb_restore_end(tx, rq->mem, to);
}

err dynamodb_RestoreTableToPointInTime(req *rq, txn *tx, const dynamodb_RestoreTableToPointInTime_in *in,
                                       dynamodb_RestoreTableToPointInTime_out *out)
{
	ddb_table *from, *t;
	dynamodb_table *row;
	dynamodb_recovery *recovery;
	ddb_tally tally;
	int64_t when = 0;
	str source = str_is(in->SourceTableName) ? in->SourceTableName : in->SourceTableArn;
	if (str_is(in->SourceTableName) == str_is(in->SourceTableArn))
		return fail(rq, &aws_ValidationException,
		            "Must provide exactly one of: sourceTableArn, sourceTableName");
	TRY(table_find(rq, tx, source, &from));
	TRY(ddb_record(rq, tx, source, &row));
	if (!ddb_recovery_on(tx, rq->mem, from, &recovery))
		return fail(rq, &dynamodb_PointInTimeRecoveryUnavailableException,
		            "Point in time recovery is not enabled for table '%.*s'", STR_ARG(from->name));
	TRY(moment_of(rq, in, recovery, &when));
	ddb_restoring r = { .target = in->TargetTableName, .billing_mode = in->BillingModeOverride,
		.from = row->Table, .globals = &in->GlobalSecondaryIndexOverride,
		.locals = &in->LocalSecondaryIndexOverride, .throughput = in->ProvisionedThroughputOverride,
		.on_demand = in->OnDemandThroughputOverride, .sse = in->SSESpecificationOverride,
		.table_arn = from->arn, .when = when };
	TRY(ddb_restore_begin(rq, tx, &r, &t));
	ddb_tally_get(tx, rq->mem, from, &tally);
	ddb_restore_billed(rq, t, tally.table.bytes);
	if (ddb_copied_at_once(&tally) && ddb_history_short(tx, rq->mem, from->id, when))
		restore_now(rq, tx, from, t, when);
	else
		ddb_copy_later(tx, &(dynamodb_copy){ .Number = (int64_t)txn_next(tx, S("dynamodb.copy")),
			.Kind = S("point"), .Account = t->account, .Region = t->region, .Source = from->name,
			.SourceId = (int64_t)from->id, .When = when, .Target = ddb_payload(rq->mem, t) });
	return ddb_restore_describe(rq, tx, in->TargetTableName, &out->TableDescription);
}
