#include "cloud/charges.h"
#include "base/time.h"
#include "cloud/charges_tags.h"
#include "cloud/charges_zone.h"
#include "cloud/meter.h"
#include "price/predict.h"

#define CREDITS_GRANTED USD(100)

static int64_t delay;

void charges_set_delay(int64_t ms)
{
	delay = ms;
}

int64_t charges_seen(int64_t now)
{
	return now - delay;
}

typedef struct reader {
	const txn *tx;
	str account;
	void (*use)(void *collector, const price_use *u);
	void *collector;
	str last_meter, last_sku;
	int64_t last_per;
	const use_list *more;
	const use_list *instead; /* of what was metered of the same skus */
	charges_tags *tags;
} reader;

static void line_to_use(void *context, const usage_line *l)
{
	reader *r = context;
	if (!str_is(r->last_meter) || !str_eq(l->meter, r->last_meter)) {
		const meter_kind *kind = meter_named(l->meter);
		r->last_meter = l->meter;
		r->last_sku = kind ? str_c(kind->sku) : l->meter;
		r->last_per = kind && kind->per ? kind->per : QTY_ONE;
	}
	if (r->instead && predict_has(r->instead, r->last_sku))
		return;
	price_use u = { .region = l->region, .sku = r->last_sku, .resource = l->resource, .when = l->hour,
		        .quantity = l->quantity, .per = r->last_per, .resident = l->resident };
	r->use(r->collector, &u);
}

void charges_usage(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                   void (*use)(void *collector, const price_use *u), void *collector)
{
	reader r = { .tx = tx, .account = account, .use = use, .collector = collector };
	usage_each(tx, account, from, to, now, line_to_use, &r);
}

static void use_listed(const use_list *l, int64_t from, int64_t to,
                       void (*use)(void *collector, const price_use *u), void *collector)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (l->at[i].when >= from && l->at[i].when < to)
			use(collector, &l->at[i]);
}

static void usage_for_bill(void *context, int64_t from, int64_t to, int64_t now,
                           void (*use)(void *collector, const price_use *u), void *collector)
{
	reader r = *(const reader *)context;
	r.use = use;
	r.collector = collector;
	usage_each(r.tx, r.account, from, to, now, line_to_use, &r);
	use_listed(r.more, from, to, use, collector);
	use_listed(r.instead, from, to, use, collector);
}

static str tag_of(void *context, const price_use *u, str key)
{
	const reader *r = context;
	return charges_tag(r->tags, u, key);
}

static str tags_of(void *context, const price_use *u)
{
	const reader *r = context;
	return charges_tags_text(r->tags, u);
}

static str zone_of(void *context, const price_use *u)
{
	const reader *r = context;
	return charges_zone(r->tx, r->account, u->resource);
}

bill *charges_bill(arena *mem, const txn *tx, const bill_query *q)
{
	return charges_predicted(mem, tx, q, NULL);
}

bill *charges_predicted(arena *mem, const txn *tx, const bill_query *q, const use_list *predicted)
{
	reader r = { .tx = tx, .account = q->account, .instead = predicted,
		         .tags = charges_tags_open(mem, tx, q->account) };
	bill_source source = { .usage = usage_for_bill, .tag = tag_of, .tags = tags_of, .zone = zone_of,
		               .context = &r };
	return bill_make(mem, q, &source);
}

bool charges_each(arena *mem, const txn *tx, const bill_query *q, const use_list *more,
                  void (*each)(void *context, const charge *c, money credit), void *context)
{
	reader r = { .tx = tx, .account = q->account, .more = more };
	bill_source source = { .usage = usage_for_bill, .context = &r };
	return bill_charges(mem, q, &source, each, context);
}

/* Kept beyond the transaction. */
static void keep(void *context, const price_use *u)
{
	use_list *l = context;
	price_use copy = *u;
	copy.region = arena_str(l->mem, u->region);
	copy.sku = arena_str(l->mem, u->sku);
	copy.resource = arena_str(l->mem, u->resource);
	use_push(l, &copy);
}

bool charges_flow(arena *mem, const txn *tx, str account, int64_t now, int64_t to, use_list *out)
{
	int64_t month = month_of(now), today = now - now % MS_DAY;
	use_list so_far = { .mem = mem }, whole = { .mem = mem };
	charges_usage(tx, account, month, month_after(month, 1), now, keep, &so_far);
	/* Over exactly one day: the daily share. */
	forecast_flow(&whole, &so_far, month, now, now + MS_DAY);
	for (int64_t day = today; day < to; day += MS_DAY)
		for (size_t i = 0; i < whole.n; i++) {
			price_use u = whole.at[i];
			i128 share = 0;
			i128_mul_div(u.quantity, day == today ? today + MS_DAY - now : MS_DAY, MS_DAY, &share);
			u.quantity = (int64_t)share;
			u.when = day == today ? now - now % MS_HOUR : day;
			use_push(out, &u);
		}
	return so_far.n > 0;
}

/* What kind of account it is: "profile opened credits", and "upgraded" if it is, under $bill/ACCOUNT. */
static str profile_key(arena *mem, str account)
{
	return arena_fmt(mem, "$bill/%.*s", STR_ARG(account));
}

static bool day_parse(arena *mem, str text, int64_t *ms)
{
	return text.n == 10 && time_parse(arena_fmt(mem, "%.*sT00:00:00Z", STR_ARG(text)), ms);
}

const char *charges_profile(arena *mem, bill_query *q, str profile, str opened, str credits)
{
	if (profile.n && !profile_named(profile, &q->profile))
		return "profile is paid, legacy-12-month, credits or list";
	if (profile.n)
		q->upgraded = false;
	if (opened.n && !day_parse(mem, opened, &q->opened))
		return "opened is a day: 2026-11-01";
	if (credits.n && (!money_parse(credits, &q->credits) || q->credits < 0))
		return "credits is an amount in USD: 100";
	return NULL;
}

bill_query charges_query(arena *mem, const txn *tx, str account, int64_t month, int64_t now)
{
	bill_query q = { .book = price_book(), .account = account, .month = month_of(month), .now = now,
		         .credits = CREDITS_GRANTED };
	str kept = arena_str(mem, txn_get(tx, profile_key(mem, account)));
	if (str_is(kept)) {
		str profile = str_cut(&kept, ' '), opened = str_cut(&kept, ' '), credits = str_cut(&kept, ' ');
		ensure(!charges_profile(mem, &q, profile, opened, credits));
		q.upgraded = str_is(kept);
	}
	if (!q.opened)
		q.opened = q.month;
	return q;
}

void charges_keep_profile(txn *tx, const bill_query *q)
{
	arena *mem = txn_arena(tx);
	str day = str_sub(time_iso(mem, q->opened), 0, 10), name = profile_name(q->profile);
	str credits = decimal_print_exact(mem, q->credits, MONEY_DIGITS, 0);
	txn_put(tx, profile_key(mem, q->account),
	        arena_fmt(mem, "%.*s %.*s %.*s%s", STR_ARG(name), STR_ARG(day), STR_ARG(credits),
	                  q->upgraded ? " upgraded" : ""));
}
