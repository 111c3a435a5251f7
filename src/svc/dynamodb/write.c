#include "base/time.h"
#include "cloud/meter.h"
#include "svc/dynamodb/backup.h"

#define TTL_AGE_MAX_S (INT64_C(5) * 365 * 86400) /* AWS leaves alone what expired longer ago */
#define TTL_SECOND_MAX INT64_C(100000000000)

ddb_item ddb_item_of_row(str row)
{
	uint64_t size = 0;
	str rest = row;
	if (!str_is(row) || !varint_cut(&rest, &size))
		return (ddb_item){ STR_NONE, 0 };
	return (ddb_item){ rest, (size_t)size };
}

ddb_item ddb_item_at(const txn *tx, str key)
{
	return ddb_item_of_row(txn_get(tx, key));
}

ddb_item ddb_item_copy(arena *mem, ddb_item i)
{
	if (value_is(i.map))
		i.map = arena_str(mem, i.map);
	return i;
}

static void put_row(txn *tx, arena *mem, str key, ddb_item i)
{
	buf b = buf_in(mem, i.map.n + 10, i.map.n + 10);
	varint_put(&b, i.size);
	buf_put(&b, i.map);
	txn_put(tx, key, buf_str(&b));
}

value ddb_projected(arena *mem, const ddb_table *t, const ddb_index *ix, value attributes)
{
	uint64_t n = 0;
	if (ix->projects == PROJECT_ALL)
		return attributes;
	for (value_walk w = value_open(attributes); value_step(&w);)
		n += ddb_projects_name(t, ix, w.name);
	buf b = buf_in(mem, 512, attributes.n + 16);
	size_t begun = value_begin(&b, VALUE_M, n);
	for (value_walk w = value_open(attributes); value_step(&w);) {
		if (!ddb_projects_name(t, ix, w.name))
			continue;
		value_put_name(&b, w.name);
		buf_put(&b, w.item);
	}
	value_end(&b, begun);
	return buf_str(&b);
}

/* An item as an index keeps it, or nothing when it does not belong there. */
typedef struct entry {
	str key;
	ddb_item i;
} entry;

static entry entry_of(arena *mem, const ddb_table *t, const ddb_index *ix, str row_key, ddb_item i)
{
	entry e = { .key = value_is(i.map) ? ddb_index_key(mem, t, ix, i.map, row_key) : STR_NONE };
	if (!str_is(e.key))
		return e;
	e.i.map = ddb_projected(mem, t, ix, i.map);
	e.i.size = ix->projects == PROJECT_ALL ? i.size : value_item_size(e.i.map);
	return e;
}

static void count(ddb_count *c, int64_t items, int64_t bytes)
{
	c->items += items;
	c->bytes += bytes;
}

/* While an index is being built, an old item may not have its entry yet. */
static void write_index(ddb_writer *w, size_t position, str key, ddb_item old, ddb_item new)
{
	const ddb_index *ix = &w->t->indexes[position];
	ddb_count *c = ddb_tally_index(&w->tally, ix->id);
	int64_t before = c->bytes;
	entry from = entry_of(w->mem, w->t, ix, key, old), to = entry_of(w->mem, w->t, ix, key, new);
	if (ix->building && str_is(from.key) && !str_is(txn_get(w->tx, from.key)))
		from = (entry){ 0 };
	bool same = str_is(from.key) && str_is(to.key) && str_eq(from.key, to.key);
	if (same && str_eq(from.i.map, to.i.map))
		return;
	if (str_is(from.key)) {
		count(c, -1, -(int64_t)from.i.size);
		if (!same) {
			txn_delete(w->tx, from.key);
			w->units.index[position] += ddb_write_units(from.i.size);
		}
	}
	if (str_is(to.key)) {
		size_t larger = same && from.i.size > to.i.size ? from.i.size : to.i.size;
		count(c, 1, (int64_t)to.i.size);
		put_row(w->tx, w->mem, to.key, to.i);
		w->units.index[position] += ddb_write_units(larger);
	}
	if (!ix->global)
		w->collection += c->bytes - before;
}

/* The second at which an item expires; 0: never. */
static int64_t expiry_of(const ddb_table *t, value attributes)
{
	number n;
	int64_t second;
	if (!t->ttl.n || !value_number(value_member(attributes, t->ttl), &n) ||
	    !number_whole(n, &second) || second <= 0 || second > TTL_SECOND_MAX)
		return 0;
	return second;
}

static void add_expiry(ddb_writer *w, str key, int64_t second)
{
	if (second < w->now / MS_SECOND - TTL_AGE_MAX_S)
		return;
	int64_t due = second * MS_SECOND;
	txn_put(w->tx, ddb_expiry_key(w->mem, w->t, second, key), S(""));
	if (w->tally.ttl_due && w->tally.ttl_due <= due)
		return;
	w->tally.ttl_due = due;
	ddb_ttl_arm(w->tx, w->t, due);
}

static void write_expiry(ddb_writer *w, str key, ddb_item old, ddb_item new)
{
	int64_t from = expiry_of(w->t, old.map), to = expiry_of(w->t, new.map);
	if (from == to)
		return;
	if (from)
		txn_delete(w->tx, ddb_expiry_key(w->mem, w->t, from, key));
	if (to)
		add_expiry(w, key, to);
}

void ddb_expiry_fill(ddb_writer *w, str key, ddb_item i)
{
	int64_t second = expiry_of(w->t, i.map);
	if (second)
		add_expiry(w, key, second);
}

void ddb_index_fill(ddb_writer *w, const ddb_index *ix, str key, ddb_item i)
{
	str there = ddb_index_key(w->mem, w->t, ix, i.map, key);
	/* A write since the index began has brought its entry along. */
	if (!str_is(there) || str_is(txn_get(w->tx, there)))
		return;
	write_index(w, (size_t)(ix - w->t->indexes), key, (ddb_item){ STR_NONE, 0 }, i);
}

void ddb_write_begin(ddb_writer *w, txn *tx, arena *mem, const ddb_table *t, int64_t now)
{
	*w = (ddb_writer){ .tx = tx, .mem = mem, .t = t, .now = now };
	ddb_tally_get(tx, mem, t, &w->tally);
	ddb_tally_advance(&w->tally, now);
	w->history = ddb_history_kept(tx, mem, t->id);
}

/* What replicas have written is paid where they are. */
static void end_replica(ddb_writer *w)
{
	qty units = w->units.table;
	for (size_t i = 0; i < w->t->n_indexes; i++)
		units += w->units.index[i];
	if (units && w->t->on_demand)
		usage_add(w->tx, w->t->account, w->t->region, w->now, &DYNAMODB_RWRU, w->t->arn, units);
	ddb_tally_put(w->tx, w->mem, w->t, &w->tally, w->now);
}

void ddb_write_end(ddb_writer *w)
{
	for (size_t i = 0; w->replicas && i < w->t->n_replicas; i++)
		if (w->replicas[i].t)
			end_replica(&w->replicas[i]);
	if (w->replica)
		end_replica(w);
	else
		ddb_tally_put(w->tx, w->mem, w->t, &w->tally, w->now);
}

static void write_one(ddb_writer *w, str key, ddb_item old, ddb_item new)
{
	bool was = value_is(old.map), is = value_is(new.map);
	if (w->history)
		ddb_history_note(w, key, old);
	if (is)
		put_row(w->tx, w->mem, key, new);
	else
		txn_delete(w->tx, key);
	count(&w->tally.table, (int64_t)is - was, (int64_t)new.size - (int64_t)old.size);
	w->units.table += ddb_write_units(old.size > new.size ? old.size : new.size);
	w->collection = (int64_t)new.size - (int64_t)old.size;
	for (size_t i = 0; i < w->t->n_indexes; i++)
		write_index(w, i, key, old, new);
	if (w->collection && ddb_has_collections(w->t))
		ddb_collection_grow(w, value_member(is ? new.map : old.map, w->t->hash.name), w->collection);
	if (w->t->ttl.n)
		write_expiry(w, key, old, new);
	if (w->t->view && !(was && is && value_eq(old.map, new.map)))
		ddb_stream_record(w, ddb_key_of(w->mem, w->t, NULL, is ? new.map : old.map), old, new);
}

void ddb_write_replica(ddb_writer *w, value any, ddb_item new)
{
	str key = ddb_row_key(w->mem, w->t, any);
	ddb_item old = ddb_item_copy(w->mem, ddb_item_at(w->tx, key));
	if (value_is(old.map) || value_is(new.map))
		write_one(w, key, old, new);
}

static void replicate(ddb_writer *w, value any, ddb_item new)
{
	const ddb_table *t = w->t;
	bool first = !w->replicas;
	if (first)
		w->replicas = arena_array(w->mem, ddb_writer, t->n_replicas);
	for (size_t i = 0; i < t->n_replicas; i++) {
		ddb_writer *r = &w->replicas[i];
		const ddb_table *there = r->t;
		if (first)
			there = ddb_head_get(w->tx, w->mem, t->account, t->replicas[i], t->name);
		if (first && there)
			ddb_write_begin(r, w->tx, w->mem, there, w->now);
		r->replica = true;
		if (there)
			ddb_write_replica(r, any, new);
	}
}

void ddb_write(ddb_writer *w, str key, ddb_item old, ddb_item new)
{
	write_one(w, key, old, new);
	if (w->t->n_replicas && !w->replica)
		replicate(w, value_is(new.map) ? new.map : old.map, new);
}
