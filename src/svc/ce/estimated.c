#include "base/map.h"
#include "base/time.h"
#include "ce.h"
#include "cloud/looker.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"
#include <stdlib.h>

/*
 * AWS/Billing EstimatedCharges, for alarms: the month so far, in all and by service, in us-east-1. AWS writes
 * them a few times a day; here a look follows a write within a quarter of a minute, at most one every five
 * minutes of Farthing's clock, and one a day comes while the clock is turned.
 */
#define LOOK_MS 15000
#define REST_FACTOR 100
#define EVERY_MS (5 * MS_MINUTE)
#define ACCOUNTS_MAX 256

typedef struct accounts {
	arena *mem;
	str v[ACCOUNTS_MAX];
	size_t n;
} accounts;

static void note_account(void *context, str account)
{
	accounts *a = context;
	if (a->n < ACCOUNTS_MAX)
		a->v[a->n++] = arena_str(a->mem, account);
}

static void point(str account, int64_t now, str owner, money amount)
{
	char *end;
	arena *mem = arena_open(1024);
	metric_point p = { .account = account, .region = PRICE_HOME_REGION, .name_space = S("AWS/Billing"),
		               .name = S("EstimatedCharges"), .unit = S("None"), .when = now };
	if (owner.n)
		p.dimensions[p.n_dimensions++] = (metric_dimension){ S("ServiceName"), owner };
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("Currency"), S("USD") };
	p.value = strtod(decimal_print_exact(mem, money_round(amount, 10), MONEY_DIGITS, 0).p, &end);
	metric_later(&p);
	arena_close(mem);
}

static void publish(arena *mem, const txn *tx, str account, int64_t now)
{
	bill_query q = charges_query(mem, tx, account, now, now);
	q.by[q.n_by++] = BY_SERVICE;
	const bill *b = charges_bill(mem, tx, &q);
	point(account, now, S(""), b->total - b->credits_used);
	for (const bill_line *l = b->lines; l;) {
		str owner = l->service;
		money sum = 0;
		for (; l && str_eq(l->service, owner); l = l->next)
			sum += l->amount;
		point(account, now, owner, sum);
	}
}

static void publish_all(store *s, arena *mem)
{
	int64_t now = clock_now();
	accounts all = { .mem = mem };
	const txn *tx = store_read(s);
	usage_accounts(tx, note_account, &all);
	for (size_t i = 0; i < all.n; i++)
		publish(mem, tx, all.v[i], now);
	store_read_end(s, tx);
}

TASK(ce_estimate)
{
	publish_all(s, mem);
	return TASK_DONE;
}

TIMER(ce_estimate_daily)
{
	task_add(tx, "ce_estimate", S(""), 0);
	timer_set(tx, "ce_estimate_daily", S("all"), due + MS_DAY, S(""));
}

static bool arm(void *context, txn *tx)
{
	(void)context;
	int64_t now = clock_now();
	timer_set(tx, "ce_estimate_daily", S("all"), now - now % MS_DAY + MS_DAY, S(""));
	return true;
}

static void look(store *s)
{
	static int64_t last;
	int64_t now = clock_now();
	if (now - last < EVERY_MS)
		return;
	last = now;
	arena *mem = arena_open(1 << 14);
	publish_all(s, mem);
	arena_close(mem);
}

static looker *watching;

static err start(store *s, str data_folder)
{
	(void)data_folder;
	TRY(store_write(s, arm, NULL));
	watching = looker_start(s, LOOK_MS, REST_FACTOR, look);
	return OK;
}

static void stop(void)
{
	looker_stop(watching);
}
SERVER_PART(ce_estimated, start, stop);
