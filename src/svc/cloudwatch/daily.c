/*
 * Metrics that nobody's request makes: every six hours what each account's month has cost so far
 * (AWS/Billing), and at midnight what buckets hold (AWS/S3), both as the meter knows it.
 */
#include "alarm.h"
#include "cloud/charges.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"

#define EVERY_MS (6 * MS_HOUR)
#define SERVICES_MAX 100
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

static void keep_billing(txn *tx, str account, int64_t now)
{
	arena *mem = txn_arena(tx);
	spending *s = arena_new(mem, spending);
	bill_query q = charges_query(mem, tx, account, now, now);
	if (!charges_sums(mem, tx, &q, spent, s))
		return;
	cloudwatch_Dimension d[2] = { { S("Currency"), S("USD") } };
	keep(tx, account, BILLING_REGION, "AWS/Billing", "EstimatedCharges", "None",
	     &(cloudwatch_Dimensions){ d, 1 }, dollars(mem, s->total), now);
	for (size_t i = 0; i < s->n; i++) {
		d[1] = (cloudwatch_Dimension){ S("ServiceName"), s->services[i] };
		keep(tx, account, BILLING_REGION, "AWS/Billing", "EstimatedCharges", "None",
		     &(cloudwatch_Dimensions){ d, 2 }, dollars(mem, s->by[i]), now);
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
	str all[1000];
	size_t n;
} accounts;

static void noted(void *context, str account)
{
	accounts *a = context;
	if (a->n < sizeof a->all / sizeof *a->all)
		a->all[a->n++] = arena_str(a->mem, account);
}

TIMER(cloudwatch_daily)
{
	arena *mem = txn_arena(tx);
	accounts *a = arena_new(mem, accounts);
	a->mem = mem;
	usage_accounts(tx, noted, a);
	for (size_t i = 0; i < a->n; i++) {
		keep_billing(tx, a->all[i], due);
		if (due % MS_DAY == 0)
			keep_buckets(tx, a->all[i], due);
	}
	timer_every(tx, "cloudwatch_daily", EVERY_MS, due);
}

static bool first_plan(void *context, txn *tx)
{
	(void)context;
	timer_every(tx, "cloudwatch_daily", EVERY_MS, clock_now());
	return true;
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	return store_write(s, first_plan, NULL);
}

static void stop(void) {}

SERVER_PART(cloudwatch_daily, start, stop);
