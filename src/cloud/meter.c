#include "cloud/meter.h"
#include "base/map.h"
#include "base/time.h"
#include "cloud/handler.h"
#include "cloud/meter_rows.h"
#include <pthread.h>

#define CHOSEN_MAX 8192

int64_t meter_month_hours(int64_t when)
{
	civil c = time_civil(when), next;
	c = (civil){ .year = c.year, .month = c.month, .day = 1 };
	next = c;
	next.year += c.month == 12;
	next.month = c.month % 12 + 1;
	return (time_from_civil(next) - time_from_civil(c)) / MS_HOUR;
}

const meter_kind *meter_named(str name)
{
	static map declared;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	if (!declared.mem) {
		declared = map_in(arena_open(1 << 14), cloud_n_meters + 1);
		for (size_t i = 0; i < cloud_n_meters; i++)
			map_put(&declared, str_c(cloud_meters[i]->name), (void *)(uintptr_t)cloud_meters[i]);
	}
	const meter_kind *kind = map_get(&declared, name);
	pthread_mutex_unlock(&lock);
	return kind;
}

const meter_kind *meter_for(const char *product, str sku)
{
	static map chosen;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const meter_kind *kind = meter_named(sku);
	if (kind)
		return kind;
	pthread_mutex_lock(&lock);
	if (!chosen.mem)
		chosen = map_in(arena_open(1 << 12), 64);
	meter_kind *found = map_get(&chosen, sku);
	if (!found) {
		ensure(chosen.n < CHOSEN_MAX);
		found = arena_new(chosen.mem, meter_kind);
		str name = arena_str(chosen.mem, sku);
		found->name = found->sku = found->title = name.p;
		found->service = arena_str(chosen.mem, str_c(product)).p;
		map_put(&chosen, name, found);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* Always a node of its own: a handler that is run again goes back to the list as it was before. */
void meter(req *rq, const meter_kind *kind, qty quantity, str resource)
{
	ensure(quantity >= 0);
	if (quantity == 0)
		return;
	usage *u = arena_new(rq->mem, usage);
	*u = (usage){
		.next = rq->usage,
		.kind = kind,
		.account = rq->who.account,
		.region = rq->region,
		.resource = arena_str(rq->mem, resource),
		.when = rq->now,
		.quantity = quantity,
	};
	rq->usage = u;
}

void usage_settle(txn *tx, const req *rq)
{
	for (const usage *u = rq->usage; u; u = u->next)
		usage_add(tx, u->account, u->region, u->when, u->kind, u->resource, u->quantity);
}

void usage_settle_later(const req *rq)
{
	for (const usage *u = rq->usage; u; u = u->next)
		usage_later(u->account, u->region, u->when, u->kind, u->resource, u->quantity);
}

void usage_add(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource, qty q)
{
	char key[METER_KEY_MAX];
	if (q > 0)
		usage_row_add(tx, usage_key(key, account, meter_hour(when), region, str_c(kind->name), resource),
		              q, 0);
}

/* Writes what the resident has used from `row->since` to `when`, hour by hour. */
static void settle_resident(txn *tx, const meter_place *at, resident_row *row, int64_t when)
{
	char key[METER_KEY_MAX];
	while (row->since < when) {
		int64_t hour = meter_hour(row->since), end = hour + MS_HOUR < when ? hour + MS_HOUR : when;
		qty used = resident_use(row, end);
		if (used)
			usage_row_add(tx, usage_key(key, at->account, hour, at->region, at->meter, at->resource),
			              0, used);
	}
}

void resident_set(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource,
                  qty rate_per_hour)
{
	char key[METER_KEY_MAX];
	resident_row row;
	ensure(rate_per_hour >= 0);
	meter_place at = { account, region, str_c(kind->name), resource };
	str name = resident_key(key, &at);
	bool known = resident_row_read(txn_get(tx, name), &row);
	if (known && row.rate == rate_per_hour)
		return;
	if (known)
		settle_resident(tx, &at, &row, when);
	else if (rate_per_hour == 0)
		return;
	else
		row = (resident_row){ .since = when };
	row.rate = rate_per_hour;
	if (rate_per_hour == 0)
		txn_delete(tx, name);
	else
		resident_row_write(tx, name, &row);
}

void resident_end(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource,
                  int64_t least_ms)
{
	char key[METER_KEY_MAX], line[METER_KEY_MAX];
	resident_row row;
	meter_place at = { account, region, str_c(kind->name), resource };
	str name = resident_key(key, &at);
	if (!resident_row_read(txn_get(tx, name), &row))
		return;
	int64_t until = row.since + least_ms;
	settle_resident(tx, &at, &row, when);
	qty missing = until > when ? resident_use(&row, until) : 0;
	if (missing)
		usage_row_add(tx, usage_key(line, account, meter_hour(when), region, at.meter, resource), 0, missing);
	txn_delete(tx, name);
}

qty resident_rate(const txn *tx, str account, str region, const meter_kind *kind, str resource)
{
	char key[METER_KEY_MAX];
	resident_row row;
	meter_place at = { account, region, str_c(kind->name), resource };
	return resident_row_read(txn_get(tx, resident_key(key, &at)), &row) ? row.rate : 0;
}

void resident_add(txn *tx, str account, str region, int64_t when, const meter_kind *kind, str resource,
                  qty rate_change)
{
	qty rate = resident_rate(tx, account, region, kind, resource);
	if (__builtin_add_overflow(rate, rate_change, &rate))
		rate = INT64_MAX;
	resident_set(tx, account, region, when, kind, resource, rate < 0 ? 0 : rate);
}

typedef struct walk {
	str account;
	int64_t from, to, now;
	void (*line)(void *context, const usage_line *l);
	void *context;
	bool rates, whole; /* what exists: its rate; its hours as one line */
} walk;

static void walk_usage(const txn *tx, const walk *w)
{
	char from[METER_KEY_MAX], to[METER_KEY_MAX];
	cursor c = txn_scan(tx, usage_key(from, w->account, w->from, S(""), S(""), S("")),
	                    usage_key(to, w->account, w->to, S(""), S(""), S("")), false);
	while (cursor_next(&c)) {
		usage_line l;
		qty flow, resident;
		ensure(usage_row_read(c.key, c.value, &l, &flow, &resident));
		l.quantity = flow;
		if (flow)
			w->line(w->context, &l);
		l.quantity = resident;
		l.resident = true;
		if (resident)
			w->line(w->context, &l);
	}
}

static void walk_resident(const walk *w, usage_line *l, resident_row *row)
{
	if (w->rates) {
		l->hour = meter_hour(row->since);
		l->quantity = row->rate;
		w->line(w->context, l);
		return;
	}
	int64_t end = w->now < w->to ? w->now : w->to;
	if (row->since < w->from)
		resident_use(row, w->from);
	while (row->since < end) {
		l->hour = meter_hour(row->since);
		int64_t next = w->whole || l->hour + MS_HOUR > end ? end : l->hour + MS_HOUR;
		l->quantity = resident_use(row, next);
		if (l->quantity)
			w->line(w->context, l);
	}
}

static void walk_residents(const txn *tx, const walk *w)
{
	char from[METER_KEY_MAX];
	str first = resident_prefix(from, w->account);
	cursor c = txn_scan(tx, first, key_after_prefix(txn_arena(tx), first), false);
	while (cursor_next(&c)) {
		usage_line l;
		resident_row row;
		ensure(resident_key_read(c.key, &l) && resident_row_read(c.value, &row));
		l.resident = true;
		walk_resident(w, &l, &row);
	}
}

static void walk_account(void *context, str account)
{
	void **both = context;
	walk w = *(const walk *)both[1];
	w.account = account;
	if (!w.rates)
		walk_usage(both[0], &w);
	walk_residents(both[0], &w);
}

static void walk_all(const txn *tx, const walk *w)
{
	void *both[] = { (void *)(uintptr_t)tx, (void *)(uintptr_t)w };
	if (w->account.n)
		walk_account(both, w->account);
	else
		usage_accounts(tx, walk_account, both);
}

void usage_each(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                void (*line)(void *context, const usage_line *l), void *context)
{
	walk w = { account, from, to, now, line, context, false, false };
	walk_all(tx, &w);
}

void usage_sums(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                void (*line)(void *context, const usage_line *l), void *context)
{
	walk w = { account, from, to, now, line, context, false, true };
	walk_all(tx, &w);
}

void resident_each(const txn *tx, str account,
                   void (*line)(void *context, const usage_line *rate_per_hour), void *context)
{
	walk w = { .account = account, .line = line, .context = context, .rates = true };
	walk_all(tx, &w);
}

/* The next account in either table: both keys begin with it. */
static str next_account(const txn *tx, str prefix, str after)
{
	char key[METER_KEY_MAX];
	arena *a = txn_arena(tx);
	str from = after.n ? meter_account_end(key, prefix, after) : prefix;
	cursor c = txn_scan(tx, from, key_after_prefix(a, prefix), false);
	str found = STR_NONE;
	if (cursor_next(&c)) {
		str rest = str_sub(c.key, prefix.n, c.key.n);
		found = arena_str(a, str_cut(&rest, 0));
	}
	cursor_close(&c);
	return found;
}

void usage_accounts(const txn *tx, void (*each)(void *context, str account), void *context)
{
	str last = S("");
	for (;;) {
		str used = next_account(tx, METER_USAGE, last), has = next_account(tx, METER_RESIDENT, last);
		str next = !str_is(used) || (str_is(has) && str_cmp(has, used) < 0) ? has : used;
		if (!str_is(next))
			return;
		each(context, next);
		last = next;
	}
}
