#include "base/time.h"
#include "store/due.h"
#include "svc/dynamodb/table_options.h"

#define RETENTION MS_DAY
#define SWEPT_AT_ONCE 500

/* The timer's payload: the stream's id, a space, its table. */
static void arm(txn *tx, arena *mem, const ddb_table *t, int64_t due)
{
	str key = arena_fmt(mem, "%llu", (unsigned long long)t->stream);
	str payload = arena_fmt(mem, "%.*s %.*s", STR_ARG(key), STR_ARG(ddb_payload(mem, t)));
	timer_set(tx, "ddb_stream_sweep", key, due, payload);
}

void ddb_stream_record(ddb_writer *w, value key, ddb_item old, ddb_item new)
{
	const ddb_table *t = w->t;
	bool was = value_is(old.map), is = value_is(new.map);
	dynamodb_change c = {
		.StreamId = (int64_t)t->stream,
		.Sequence = (int64_t)txn_next(w->tx, S("dynamodb.change")),
		.EventName = !was ? S("INSERT") : is ? S("MODIFY") : S("REMOVE"),
		.When = w->now,
		.Keys = wire_map_out(w->mem, key),
		.SizeBytes = (int64_t)value_item_size(key),
		.ByService = w->by_service,
	};
	if (is && (t->view == VIEW_NEW || t->view == VIEW_BOTH)) {
		c.NewImage = wire_map_out(w->mem, new.map);
		c.SizeBytes += (int64_t)new.size;
	}
	if (was && (t->view == VIEW_OLD || t->view == VIEW_BOTH)) {
		c.OldImage = wire_map_out(w->mem, old.map);
		c.SizeBytes += (int64_t)old.size;
	}
	dynamodb_change_put(w->tx, &c);
	if (!w->tally.sweep_due) {
		w->tally.sweep_due = w->now + RETENTION;
		arm(w->tx, w->mem, t, w->tally.sweep_due);
	}
}

/* Deletes what is past its retention; the moment at which the next record is, or 0. */
static int64_t sweep(txn *tx, int64_t stream, int64_t due)
{
	arena *mem = txn_arena(tx);
	int64_t doomed[SWEPT_AT_ONCE], next = 0;
	size_t n = 0;
	record_scan s = dynamodb_change_scan(tx, mem, 1, stream, 0);
	for (dynamodb_change *c = dynamodb_change_next(&s); c && !next; c = dynamodb_change_next(&s)) {
		if (c->When + RETENTION > due || n == SWEPT_AT_ONCE)
			next = c->When + RETENTION > due ? c->When + RETENTION : due;
		else
			doomed[n++] = c->Sequence;
	}
	for (size_t i = 0; i < n; i++)
		dynamodb_change_delete(tx, stream, doomed[i]);
	return next;
}

static void note_sweep(txn *tx, const ddb_table *t, int64_t next, int64_t now)
{
	ddb_tally tally;
	ddb_tally_get(tx, txn_arena(tx), t, &tally);
	tally.sweep_due = next;
	ddb_tally_put(tx, txn_arena(tx), t, &tally, now);
}

TIMER(ddb_stream_sweep)
{
	arena *mem = txn_arena(tx);
	str rest = arena_str(mem, payload), number_text = str_cut(&rest, ' ');
	int64_t stream = 0;
	str_to_i64(number_text, &stream);
	int64_t next = sweep(tx, stream, due);
	ddb_table *t = ddb_of_payload(tx, mem, rest);
	bool current = t && t->view && t->stream == (uint64_t)stream;
	if (current)
		note_sweep(tx, t, next, due);
	if (next) {
		timer_set(tx, "ddb_stream_sweep", number_text, next, arena_str(mem, payload));
	} else if (!current) {
		str parts = rest, account = str_cut(&parts, '/'), region = str_cut(&parts, '/');
		dynamodb_stream_delete(tx, account, region, str_cut(&parts, '/'), stream);
	}
}

static ddb_view view_named(str name)
{
	static const char *const names[] = { "", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE",
		                                 "NEW_AND_OLD_IMAGES" };
	for (ddb_view v = VIEW_KEYS; v <= VIEW_BOTH; v++)
		if (str_eq(name, str_c(names[v])))
			return v;
	return VIEW_NONE;
}

static void open_stream(req *rq, txn *tx, dynamodb_table *r, ddb_table *t, str view)
{
	str iso = time_iso_ms(rq->mem, rq->now);
	t->view = view_named(view);
	t->stream = txn_next(tx, S("dynamodb.stream"));
	r->StreamId = (int64_t)t->stream;
	r->Table->LatestStreamLabel = str_sub(iso, 0, iso.n - 1);
	r->Table->LatestStreamArn = arena_fmt(rq->mem, "%.*s/stream/%.*s", STR_ARG(t->arn),
	                                      STR_ARG(r->Table->LatestStreamLabel));
	r->Table->StreamSpecification = arena_new(rq->mem, dynamodb_StreamSpecification);
	r->Table->StreamSpecification->StreamEnabled = BOOL(true);
	r->Table->StreamSpecification->StreamViewType = view;
	dynamodb_stream_put(tx, &(dynamodb_stream){
		.Account = t->account,
		.Region = t->region,
		.TableName = t->name,
		.StreamId = r->StreamId,
		.Label = r->Table->LatestStreamLabel,
		.View = view,
		.Created = rq->now,
		.KeySchema = r->Table->KeySchema,
		.First = (int64_t)txn_next(tx, S("dynamodb.change")),
	});
}

/* The records stay readable for a day; then the sweeper removes the stream with the last of
 * them. */
static void close_stream(req *rq, txn *tx, dynamodb_table *r, ddb_table *t)
{
	dynamodb_stream *s =
		dynamodb_stream_get(tx, rq->mem, t->account, t->region, t->name, (int64_t)t->stream);
	ensure(s != NULL);
	s->Closed = rq->now;
	s->Last = (int64_t)txn_next(tx, S("dynamodb.change"));
	dynamodb_stream_put(tx, s);
	arm(tx, rq->mem, t, rq->now + RETENTION);
	note_sweep(tx, t, 0, rq->now);
	t->view = VIEW_NONE;
	r->Table->StreamSpecification = NULL;
}

#define INVALID "One or more parameter values were invalid: "

/* In the words of CreateTable and of UpdateTable. */
static err check_view(req *rq, const dynamodb_StreamSpecification *wanted, bool made)
{
	bool on = wanted->StreamEnabled.v;
	if (on == str_is(wanted->StreamViewType))
		return OK;
	if (made)
		return fail(rq, &aws_ValidationException,
		            INVALID "Table is being created with a stream %s, UpdateViewType %s",
		            on ? "enabled" : "disabled", on ? "is required" : "should not be specified");
	return fail(rq, &aws_ValidationException, "%s",
	            on ? INVALID "If stream is being enabled then UpdateViewType is required"
	               : INVALID "If stream is being disabled, then UpdateViewType must not be specified");
}

err ddb_stream_make(req *rq, txn *tx, dynamodb_table *r, ddb_table *t,
                    const dynamodb_StreamSpecification *wanted)
{
	TRY(check_view(rq, wanted, true));
	if (wanted->StreamEnabled.v)
		open_stream(rq, tx, r, t, wanted->StreamViewType);
	return OK;
}

void ddb_stream_end(req *rq, txn *tx, dynamodb_table *r, ddb_table *t)
{
	if (t->view)
		close_stream(rq, tx, r, t);
}

err ddb_stream_set(req *rq, txn *tx, dynamodb_table *r, ddb_table *t,
                   const dynamodb_StreamSpecification *wanted)
{
	TRY(check_view(rq, wanted, false));
	if (wanted->StreamEnabled.v && t->view)
		return fail(rq, &aws_ValidationException,
		            "Table already has an enabled stream: TableName: %.*s", STR_ARG(t->name));
	if (!wanted->StreamEnabled.v && t->n_replicas)
		return fail(rq, &aws_ValidationException,
		            INVALID "Disabling Stream is not allowed for a Global Table replica.");
	if (!wanted->StreamEnabled.v && !t->view)
		return fail(rq, &aws_ValidationException, "Table has no stream to disable: TableName: %.*s",
		            STR_ARG(t->name));
	if (wanted->StreamEnabled.v)
		open_stream(rq, tx, r, t, wanted->StreamViewType);
	else
		close_stream(rq, tx, r, t);
	return OK;
}
