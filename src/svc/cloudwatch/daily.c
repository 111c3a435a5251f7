/*
 * Metrics that nobody's request makes: every six hours what each account's month has cost so far
 * (AWS/Billing), and at midnight what buckets hold (AWS/S3), both as the meter knows it. An account that is
 * in use need not wait for the sixth hour: its costs are also known soon after its first usage, and then each
 * half hour in which anything is written.
 */
#include "alarm.h"
#include "cloud/charges.h"
#include "cloud/looker.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"

#define EVERY_MS (6 * MS_HOUR)
#define SERVICES_MAX 100
#define ACCOUNTS_MAX 1000
#define LOOK_MS 5000
#define REST_FACTOR 50
#define AGAIN_MS (30 * MS_MINUTE)
#define BILLING_REGION S("us-east-1") /* where AWS keeps them, whatever the usage's region */

static void keep(txn *tx, str account, str region, const char *name_space, const char *name, const char *unit,
                 const cloudwatch_Dimensions *dimensions, double value, int64_t when)
{
	sample s = { .values = &value, .n = 1 };
	metric_add(tx, account, region, str_c(name_space), str_c(name), dimensions, str_c(unit), when, false, &s,
	           false, when);
}

typedef struct spending {
	money total, by[SERVICES_MAX];
	str services[SERVICES_MAX];
	size_t n;
} spending;

static void spent(void *context, const charge *c)
{
	spending *s = context;
	size_t i = 0;
	while (i < s->n && !str_eq(s->services[i], c->item ? c->item->service : S("")))
		i++;
	if (i == SERVICES_MAX || !c->item)
		return;
	if (i == s->n)
		s->services[s->n++] = c->item->service;
	s->by[i] += c->amount;
	s->total += c->amount;
}

static double dollars(arena *mem, money m)
{
	double v = 0;
	str_to_f64(money_print(mem, m, 10), &v);
	return v;
}

/* NULL: the sums are too large. */
static spending *spending_of(arena *mem, const txn *tx, str account, int64_t now)
{
	spending *s = arena_new(mem, spending);
	*s = (spending){ .n = 0 };
	bill_query q = charges_query(mem, tx, account, now, now);
	return charges_sums(mem, tx, &q, spent, s) ? s : NULL;
}

static void keep_charge(txn *tx, str account, cloudwatch_Dimension *d, size_t n, money m, int64_t now)
{
	keep(tx, account, BILLING_REGION, "AWS/Billing", "EstimatedCharges", "None",
	     &(cloudwatch_Dimensions){ d, n }, dollars(txn_arena(tx), m), now);
}

/* In all and by service; and the same for the account as one of those that it pays for. */
static void keep_billing(txn *tx, str account, const spending *s, int64_t now)
{
	cloudwatch_Dimension d[3] = { { S("Currency"), S("USD") }, { S("LinkedAccount"), account } };
	keep_charge(tx, account, d, 1, s->total, now);
	keep_charge(tx, account, d, 2, s->total, now);
	for (size_t i = 0; i < s->n; i++) {
		d[2] = (cloudwatch_Dimension){ S("ServiceName"), s->services[i] };
		keep_charge(tx, account, d, 3, s->by[i], now);
		cloudwatch_Dimension own[2] = { d[0], d[2] };
		keep_charge(tx, account, own, 2, s->by[i], now);
	}
}

typedef struct holding {
	arena *mem;
	usage_line line;
	const char *storage_type;
	struct holding *next;
} holding;

/* A resident of S3's storage is a bucket in a class, in bytes. Only noted here: what is written while the
 * meter's rows are walked would pull them from under the walk. */
static void held(void *context, const usage_line *l)
{
	static const struct {
		const char *meter, *type;
	} classes[] = {
		{ "s3.standard", "StandardStorage" },
		{ "s3.it.frequent", "IntelligentTieringFAStorage" },
		{ "s3.ia", "StandardIAStorage" },
		{ "s3.onezone_ia", "OneZoneIAStorage" },
		{ "s3.glacier_ir", "GlacierInstantRetrievalStorage" },
		{ "s3.glacier", "GlacierStorage" },
		{ "s3.deep_archive", "DeepArchiveStorage" },
	};
	holding *first = context;
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (!str_eq(l->meter, str_c(classes[i].meter)))
			continue;
		holding *h = arena_new(first->mem, holding);
		*h = (holding){ .line = *l, .storage_type = classes[i].type, .next = first->next };
		h->line.region = arena_str(first->mem, l->region);
		h->line.resource = arena_str(first->mem, l->resource);
		first->next = h;
	}
}

static void keep_buckets(txn *tx, str account, int64_t now)
{
	holding first = { .mem = txn_arena(tx) };
	resident_each(tx, account, held, &first);
	for (const holding *h = first.next; h; h = h->next) {
		cloudwatch_Dimension d[2] = { { S("BucketName"), h->line.resource },
			                          { S("StorageType"), str_c(h->storage_type) } };
		keep(tx, account, h->line.region, "AWS/S3", "BucketSizeBytes", "Bytes",
		     &(cloudwatch_Dimensions){ d, 2 }, (double)h->line.quantity, now);
	}
}

typedef struct accounts {
	arena *mem;
	str all[ACCOUNTS_MAX];
	size_t n;
} accounts;

static void noted(void *context, str account)
{
	accounts *a = context;
	if (a->n < ACCOUNTS_MAX)
		a->all[a->n++] = arena_str(a->mem, account);
}

TIMER(cloudwatch_daily)
{
	arena *mem = txn_arena(tx);
	accounts *a = arena_new(mem, accounts);
	a->mem = mem;
	usage_accounts(tx, noted, a);
	for (size_t i = 0; i < a->n; i++) {
		const spending *s = spending_of(mem, tx, a->all[i], due);
		if (s)
			keep_billing(tx, a->all[i], s, due);
		if (due % MS_DAY == 0)
			keep_buckets(tx, a->all[i], due);
	}
	timer_every(tx, "cloudwatch_daily", EVERY_MS, due);
}

/* When an account's costs were last looked at between the ticks. A look too many after a start is no harm. */
typedef struct seen_account {
	char account[16];
	int64_t when;
} seen_account;
static seen_account seen[ACCOUNTS_MAX];
static size_t n_seen;

static bool is_due(str account, int64_t now)
{
	size_t i = 0;
	while (i < n_seen && !str_eq(account, str_c(seen[i].account)))
		i++;
	if (i == ACCOUNTS_MAX || account.n >= sizeof seen->account)
		return false;
	if (i < n_seen && now >= seen[i].when && now - seen[i].when < AGAIN_MS)
		return false;
	if (i == n_seen) {
		memcpy(seen[i].account, account.p, account.n);
		n_seen++;
	}
	seen[i].when = now;
	return true;
}

typedef struct news {
	str account;
	const spending *spent;
	int64_t now;
} news;

static bool write_news(void *context, txn *tx)
{
	const news *n = context;
	keep_billing(tx, n->account, n->spent, n->now);
	return true;
}

static void look(store *s)
{
	arena *mem = arena_open(1 << 12);
	accounts *a = arena_new(mem, accounts);
	a->mem = mem;
	a->n = 0;
	const txn *tx = store_read(s);
	usage_accounts(tx, noted, a);
	store_read_end(s, tx);
	for (size_t i = 0; i < a->n; i++) {
		news n = { .account = a->all[i], .now = clock_now() };
		if (!is_due(n.account, n.now))
			continue;
		tx = store_read(s);
		n.spent = spending_of(mem, tx, n.account, n.now);
		store_read_end(s, tx);
		err e = n.spent ? store_write(s, write_news, &n) : OK;
		(void)e; /* the next look finds it again */
	}
	arena_close(mem);
}

static looker *watching;

static bool first_plan(void *context, txn *tx)
{
	(void)context;
	timer_every(tx, "cloudwatch_daily", EVERY_MS, clock_now());
	return true;
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	watching = looker_start(s, LOOK_MS, REST_FACTOR, look);
	return store_write(s, first_plan, NULL);
}

static void stop(void)
{
	looker_stop(watching);
}

SERVER_PART(cloudwatch_daily, start, stop);
