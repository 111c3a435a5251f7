#include "price/charge.h"
#include "base/time.h"
#include "test/test.h"

#define NOVEMBER INT64_C(1793491200000) /* 2026-11-01 */
#define HEAD \
	"service,sku_key,dimension,unit,tier_from,tier_to,usd_per_unit,free_allowance,free_kind,free_scope\n"

typedef struct sum {
	money amount, first;
	i128 paid, free;
	size_t n, unknown;
} sum;

static void add_up(void *context, const charge *c)
{
	sum *s = context;
	if (s->n++ == 0)
		s->first = c->amount;
	s->amount += c->amount;
	if (c->free)
		s->free += c->quantity;
	else
		s->paid += c->quantity;
	s->unknown += c->item == NULL;
	ensure(c->quantity > 0 && c->amount >= 0);
}

static pricing *open_month(arena *mem, account_profile profile)
{
	pricing_options o = { .book = price_book(), .profile = profile, .month = NOVEMBER };
	return pricing_open(mem, &o);
}

static void use_in(pricing *p, str region, str sku, int64_t quantity, int64_t per, sum *s)
{
	price_use u = { .region = region, .sku = sku, .quantity = quantity, .per = per };
	pricing_add(p, &u, add_up, s);
}

static void use(pricing *p, str sku, int64_t units, sum *s)
{
	use_in(p, PRICE_HOME_REGION, sku, units * QTY_ONE, QTY_ONE, s);
}

static money usd(const char *text)
{
	money m = 0;
	CHECK(money_parse(str_c(text), &m));
	return m;
}

TEST(charge_built_in_book_is_whole)
{
	const book *b = price_book();
	CHECK(book_items(b) > 400);
	const price_item *item = book_find(b, PRICE_HOME_REGION, S("lambda.x86.gb_second"), NULL);
	CHECK(item && item->n_tiers == 3 && item->tiers[0].usd == 16666700 && item->pool);
	CHECK_STR(price_tier_name(mem, item, &item->tiers[0]), S("first 6,000,000,000 GB-second"));
	CHECK_STR(price_tier_name(mem, item, &item->tiers[2]), S("over 15,000,000,000 GB-second"));
	bool elsewhere = false;
	CHECK(book_find(b, S("eu-west-1"), S("sqs.standard"), &elsewhere) && elsewhere);
	CHECK(!book_find(b, PRICE_HOME_REGION, S("no.such"), NULL));
	for (size_t i = 0; i < book_items(b); i++)
		CHECK(!str_eq(book_service_name(b, book_item(b, i)->service), book_item(b, i)->service) ||
		      str_eq(book_item(b, i)->service, S("AmazonCloudWatch")));
}

TEST(charge_tiers_and_free_units_as_hand_computed)
{
	pricing *p = open_month(mem, PROFILE_PAID);
	sum s = { 0 };
	use(p, S("lambda.x86.gb_second"), 1875000, &s);
	CHECK(s.free == (i128)400000 * QTY_ONE && s.amount == usd("24.5833825"));
	sum list = { 0 };
	p = open_month(mem, PROFILE_LIST);
	use(p, S("apigw.rest.requests"), 21000000, &list); /* below the end of the first tier */
	CHECK(list.amount == usd("73.5"));
	list = (sum){ 0 };
	p = open_month(mem, PROFILE_LIST);
	price_use u = { .region = PRICE_HOME_REGION, .sku = S("apigw.rest.requests"),
		        .quantity = INT64_C(21000000000) * 1000, .per = 1000 };
	pricing_add(p, &u, add_up, &list);
	CHECK(list.n == 4 && list.amount == usd("49763.1") && list.first == usd("1165.5"));
}

TEST(charge_free_pools_are_shared_and_scoped)
{
	pricing *p = open_month(mem, PROFILE_PAID);
	sum x86 = { 0 }, arm = { 0 }, far = { 0 };
	use(p, S("lambda.x86.requests"), 600000, &x86);
	use(p, S("lambda.arm.requests"), 600000, &arm);
	CHECK(x86.paid == 0 && arm.paid == (i128)200000 * QTY_ONE && arm.amount == usd("0.04"));
	use_in(p, S("eu-west-1"), S("lambda.x86.requests"), 5 * QTY_ONE, QTY_ONE, &far);
	CHECK(far.free == 0 && far.paid == 5 * QTY_ONE);
	/* A regional allowance begins afresh elsewhere. */
	sum here = { 0 }, there = { 0 };
	use(p, S("dynamodb.wcu_hour"), 20000, &here);
	use_in(p, S("eu-west-1"), S("dynamodb.wcu_hour"), 20000 * QTY_ONE, QTY_ONE, &there);
	CHECK(here.free == (i128)18600 * QTY_ONE && there.free == here.free);
}

TEST(charge_tiers_after_the_free_units)
{
	pricing *p = open_month(mem, PROFILE_PAID);
	sum s = { 0 };
	use(p, S("cognito.lite.mau"), 101000, &s); /* 10,000 free, 90,000 at 0.0055, 1,000 at 0.0046 */
	CHECK(s.amount == usd("499.6"));
	p = open_month(mem, PROFILE_PAID);
	s = (sum){ 0 };
	use(p, S("dt.out.internet"), 10340, &s); /* 100 free inside the first 10,240 */
	CHECK(s.amount == usd("921.1"));
}

TEST(charge_months_are_divided_by_their_hours)
{
	pricing *p = open_month(mem, PROFILE_LIST);
	sum s = { 0 };
	/* 10 GB for the 720 hours of November, in byte-hours. */
	use_in(p, PRICE_HOME_REGION, S("s3.standard"), INT64_C(10737418240) * 720, INT64_C(1073741824), &s);
	CHECK(s.amount == usd("0.23"));
	CHECK_I64(pricing_month_hours(p), 720);
	/* Ten alarms are free as alarm-months: ten for half the month leave room for ten more in the other. */
	p = open_month(mem, PROFILE_PAID);
	s = (sum){ 0 };
	use(p, S("cw.alarm.standard"), 20 * 360, &s);
	CHECK(s.amount == 0 && s.paid == 0);
	use(p, S("cw.alarm.standard"), 360, &s);
	CHECK(s.amount == usd("0.05"));
}

TEST(charge_profiles)
{
	account_profile profile;
	CHECK(profile_named(S("legacy-12-month"), &profile) && profile == PROFILE_LEGACY);
	CHECK(!profile_named(S("gold"), &profile));
	pricing_options o = { .book = price_book(), .profile = PROFILE_LEGACY, .month = NOVEMBER,
		              .opened = month_after(NOVEMBER, -11) + 20 * MS_DAY };
	sum s = { 0 };
	use(pricing_open(mem, &o), S("ec2.linux.t3.micro"), 750, &s);
	CHECK(s.amount == 0);
	o.opened = month_after(NOVEMBER, -13) + 20 * MS_DAY;
	use(pricing_open(mem, &o), S("ec2.linux.t3.micro"), 750, &s);
	CHECK(s.amount == usd("7.8"));
}

static void use_at(pricing *p, str sku, int64_t when, int64_t units, sum *s)
{
	price_use u = { .region = PRICE_HOME_REGION, .sku = sku, .when = when, .quantity = units * QTY_ONE,
		        .per = QTY_ONE };
	pricing_add(p, &u, add_up, s);
}

/* Opened on 2025-11-21: 12-month offers last to the hour in which that day comes again. */
TEST(charge_twelve_months_end_within_a_month)
{
	pricing_options o = { .book = price_book(), .profile = PROFILE_LEGACY, .month = NOVEMBER,
		              .opened = month_after(NOVEMBER, -12) + 20 * MS_DAY };
	int64_t end = NOVEMBER + 20 * MS_DAY;
	sum before = { 0 }, after = { 0 }, always = { 0 };
	pricing *p = pricing_open(mem, &o);
	CHECK(offer_ends_within(&o, FREE_12_MONTHS) && !offer_ends_within(&o, FREE_ALWAYS));
	use_at(p, S("ec2.linux.t3.micro"), NOVEMBER, 480, &before);
	use_at(p, S("ec2.linux.t3.micro"), end - MS_HOUR, 100, &before);
	CHECK(before.amount == 0 && before.paid == 0);
	use_at(p, S("ec2.linux.t3.micro"), end, 100, &after);
	CHECK(after.free == 0 && after.amount == usd("1.04"));
	/* What is free for ever goes on. */
	use_at(p, S("lambda.x86.requests"), end, 1000000, &always);
	CHECK(always.paid == 0);
}

TEST(charge_dates_months_later)
{
	struct { const char *from, *to; int months; } cases[] = {
		{ "2025-11-21T00:00:00Z", "2026-11-21T00:00:00Z", 12 },
		{ "2025-08-31T10:00:00Z", "2026-02-28T10:00:00Z", 6 },
		{ "2027-08-31T00:00:00Z", "2028-02-29T00:00:00Z", 6 },
		{ "2028-02-29T23:00:00Z", "2029-02-28T23:00:00Z", 12 },
		{ "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", 1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t from = 0, to = 0;
		CHECK(time_parse(str_c(cases[i].from), &from) && time_parse(str_c(cases[i].to), &to));
		CHECK_I64(date_after(from, cases[i].months), to);
	}
}

/* The last unit of a tier is the cheap tier's neighbour: exactly the boundary is one charge, one more two. */
TEST(charge_at_the_boundary_of_a_tier)
{
	sum exact = { 0 }, more = { 0 }, second = { 0 };
	use(open_month(mem, PROFILE_LIST), S("dt.out.internet"), 10240, &exact);
	CHECK(exact.n == 1 && exact.amount == usd("921.6"));
	use(open_month(mem, PROFILE_LIST), S("dt.out.internet"), 10241, &more);
	CHECK(more.n == 2 && more.amount == usd("921.685"));
	pricing *p = open_month(mem, PROFILE_LIST);
	use(p, S("dt.out.internet"), 10240, &exact);
	use(p, S("dt.out.internet"), 1, &second);
	CHECK(second.n == 1 && second.amount == usd("0.085"));
	/* An allowance used to its last unit leaves nothing, and takes nothing of what follows. */
	p = open_month(mem, PROFILE_PAID);
	sum free = { 0 }, next = { 0 };
	use(p, S("lambda.x86.requests"), 1000000, &free);
	CHECK(free.n == 1 && free.paid == 0);
	use(p, S("lambda.x86.requests"), 1, &next);
	CHECK(next.n == 1 && next.free == 0 && next.amount == usd("0.0000002"));
}

/* 28, 29, 30 and 31 days: a GB kept all month costs the month's price, an hour its part of it. */
TEST(charge_months_of_every_length)
{
	struct { const char *month; int64_t hours; const char *hour; } cases[] = {
		{ "2027-02-01T00:00:00Z", 672, "0.000034226190476190" },
		{ "2028-02-01T00:00:00Z", 696, "0.000033045977011494" },
		{ "2026-11-01T00:00:00Z", 720, "0.000031944444444444" },
		{ "2026-12-01T00:00:00Z", 744, "0.000030913978494624" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pricing_options o = { .book = price_book(), .profile = PROFILE_LIST };
		CHECK(time_parse(str_c(cases[i].month), &o.month));
		sum all = { 0 }, hour = { 0 };
		use(pricing_open(mem, &o), S("s3.standard"), cases[i].hours, &all);
		CHECK(all.amount == usd("0.023"));
		use(pricing_open(mem, &o), S("s3.standard"), 1, &hour);
		CHECK(hour.amount == usd(cases[i].hour));
	}
}

TEST(charge_unknown_prices_are_said)
{
	pricing *p = open_month(mem, PROFILE_PAID);
	sum s = { 0 };
	use(p, S("ec2.linux.x99.huge"), 3, &s);
	CHECK(s.unknown == 1 && s.amount == 0);
}

/* However a month is cut, it costs the same: tiers, free units and rounding are carried. */
TEST(charge_is_additive)
{
	static const char *const skus[] = { "lambda.x86.gb_second", "lambda.arm.gb_second", "dt.out.internet",
		"s3.standard", "sqs.standard", "sqs.fifo", "cognito.lite.mau", "kms.request", "ecr.storage" };
	enum { N = sizeof skus / sizeof *skus };
	uint64_t state = 42;
	for (int round = 0; round < 200; round++) {
		pricing *whole = open_month(mem, PROFILE_PAID), *cut = open_month(mem, PROFILE_PAID);
		for (size_t i = 0; i < N; i++) {
			sum a = { 0 }, b = { 0 };
			state = state * 6364136223846793005u + 1442695040888963407u;
			int64_t per = i % 2 ? 1073741824 : QTY_ONE;
			int64_t q = (int64_t)(state >> 10) >> (state % 23), left = q;
			use_in(whole, PRICE_HOME_REGION, str_c(skus[i]), q, per, &a);
			while (left > 0) {
				state = state * 6364136223846793005u + 1442695040888963407u;
				int64_t part = 1 + (int64_t)((state >> 3) % (uint64_t)left);
				use_in(cut, PRICE_HOME_REGION, str_c(skus[i]), part, per, &b);
				left -= part;
			}
			CHECK(a.amount == b.amount && a.paid == b.paid && a.free == b.free);
			CHECK(a.paid + a.free == q && a.free >= 0);
		}
		CHECK(!pricing_overflow(whole) && !pricing_overflow(cut));
		arena_reset(mem);
	}
}

TEST(book_of_the_user_replaces_what_it_names)
{
	book *b = book_built_in(mem);
	size_t n = book_items(b);
	CHECK_OK(book_add_csv(b, S(HEAD "AWSQueueService,sqs.standard,requests,request,0,Inf,0.0000007,,,\n"
	                           "AWSNew,new.thing,things,thing,0,10,1,5,always,account\n"
	                           "AWSNew,new.thing,things,thing,10,Inf,0.5,,,\n"),
	                      S("mine.csv"), PRICE_HOME_REGION, PRICE_OF_USER));
	CHECK_I64(book_items(b), n + 1);
	const price_item *item = book_find(b, PRICE_HOME_REGION, S("sqs.standard"), NULL);
	CHECK(item->n_tiers == 1 && item->tiers[0].usd == 700000 && item->pool);
	CHECK(!price_doubtful(&item->tiers[0], NOVEMBER));
	pricing_options o = { .book = b, .month = NOVEMBER };
	sum s = { 0 };
	use(pricing_open(mem, &o), S("new.thing"), 20, &s);
	CHECK(s.amount == USD(10)); /* 5 free, 5 at 1, 10 at 0.5 */
}

TEST(book_faults_name_the_line)
{
	struct { const char *text, *says; } bad[] = {
		{ "service,sku\n", "mine.csv, line 1: the first line" },
		{ HEAD "A,b,c,unit,0,Inf,1.0000000000001,,,\n", "mine.csv, line 2: usd_per_unit" },
		{ HEAD "A,b,c,unit,0,10,1,,,\nA,b,c,unit,20,Inf,1,,,\n", "mine.csv, line 3: usd_per_unit" },
		{ HEAD "A,b,c,unit,0,Inf,-1,,,\n", "mine.csv, line 2" },
		{ HEAD "A,,c,unit,0,Inf,1,,,\n", "mine.csv, line 2: sku_key" },
		{ HEAD "A,b,c,unit,0,Inf,1,x,always,account\n", "mine.csv, line 2: free_allowance" },
		{ HEAD "A,b,\"c\n", "mine.csv, line 3: a quote" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		err e = book_add_csv(book_built_in(mem), str_c(bad[i].text), S("mine.csv"),
		                     PRICE_HOME_REGION, PRICE_OF_USER);
		CHECK(e && e->kind == &fault_syntax);
		if (!str_starts(e->message, str_c(bad[i].says)))
			CHECK_STR(e->message, str_c(bad[i].says));
	}
}
