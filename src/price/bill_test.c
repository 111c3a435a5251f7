#include "price/bill.h"
#include "base/json.h"
#include "base/time.h"
#include "price/csv.h"
#include "test/test.h"

#define NOVEMBER INT64_C(1793491200000)
#define FUNCTION S("arn:aws:lambda:us-east-1:000000000000:function:bella")
#define TABLE S("arn:aws:dynamodb:us-east-1:000000000000:table/bella_sessions")

/* A database that exists from the month's second day, and calls at noon of every day until `now`. */
typedef struct scene {
	int64_t calls_a_day, database_from;
	size_t asked;
} scene;

static void give(void (*use)(void *, const price_use *), void *to, str sku, str resource, int64_t when,
                 int64_t quantity, bool resident)
{
	price_use u = { .region = S("us-east-1"), .sku = sku, .resource = resource, .when = when,
		        .quantity = quantity, .per = QTY_ONE, .resident = resident };
	use(to, &u);
}

static void scene_usage(void *context, int64_t from, int64_t to, int64_t now,
                        void (*use)(void *, const price_use *), void *collector)
{
	scene *s = context;
	int64_t today = NOVEMBER + 10 * MS_DAY;
	s->asked++;
	for (int64_t hour = from; hour < to && hour < now; hour += MS_HOUR)
		if (hour >= s->database_from)
			give(use, collector, S("rds.postgres.t4g.micro.single"), S("db"), hour, QTY_ONE, true);
	for (int64_t day = from; day < to && day < today; day += MS_DAY) {
		give(use, collector, S("lambda.x86.requests"), FUNCTION, day, s->calls_a_day * QTY_ONE, false);
		give(use, collector, S("dynamodb.wru"), TABLE, day, 2 * s->calls_a_day * QTY_ONE, false);
		give(use, collector, S("nobody.knows"), TABLE, day, QTY_ONE, false);
	}
}

static str scene_tag(void *context, const price_use *u, str key)
{
	(void)context;
	return str_eq(key, S("app")) && str_eq(u->resource, TABLE) ? S("bella") : S("");
}

static bill_query query_of(void)
{
	return (bill_query){ .book = price_book(), .account = S("000000000000"), .month = NOVEMBER,
		             .now = NOVEMBER + 10 * MS_DAY, .by = { BY_SERVICE }, .n_by = 1 };
}

static money usd(const char *text)
{
	money m = 0;
	CHECK(money_parse(str_c(text), &m));
	return m;
}

TEST(bill_adds_up_and_forecasts)
{
	scene s = { .calls_a_day = 50, .database_from = NOVEMBER + MS_DAY };
	bill_source source = { .usage = scene_usage, .tag = scene_tag, .context = &s };
	bill_query q = query_of();
	bill *b = bill_make(mem, &q, &source);
	/* 1,000 write units and 9 days of a database. */
	CHECK(b->total == usd("0.000625") + usd("3.456"));
	money sum = 0;
	for (const bill_line *l = b->lines; l; l = l->next)
		sum += l->amount;
	CHECK(sum == b->total && b->n_unpriced == 10 && !b->overflow);
	CHECK(bill_due(b) == usd("3.46"));
	/* Until the end: 29 days of the database, and the calls three times over. */
	CHECK(b->forecast == usd("0.001875") + usd("11.136"));
	CHECK(b->n_free == 1 && b->free[0].used == (i128)500 * QTY_ONE);
}

TEST(bill_groups_any_way_to_the_same_total)
{
	static const bill_by ways[][3] = {
		{ BY_SERVICE }, { BY_RESOURCE }, { BY_METER }, { BY_TAG }, { BY_DAY }, { BY_HOUR }, { BY_REGION },
		{ BY_ACCOUNT }, { BY_DAY, BY_RESOURCE, BY_METER },
	};
	scene s = { .calls_a_day = 700000, .database_from = NOVEMBER };
	bill_source source = { .usage = scene_usage, .tag = scene_tag, .context = &s };
	bill_query q = query_of();
	money total = bill_make(mem, &q, &source)->total;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		q.n_by = i == 8 ? 3 : 1;
		q.tag_key = S("app");
		memcpy(q.by, ways[i], sizeof ways[i]);
		bill *b = bill_make(mem, &q, &source);
		money sum = 0;
		for (const bill_line *l = b->lines; l; l = l->next)
			sum += l->amount;
		CHECK(sum == total && b->total == total);
		if (ways[i][0] == BY_TAG)
			CHECK(str_empty(b->lines->group[0]));
		if (i == 4)
			CHECK_STR(b->lines->group[0], S("2026-11-01"));
	}
}

TEST(bill_complete_month_is_its_own_forecast)
{
	scene s = { .calls_a_day = 50, .database_from = NOVEMBER };
	bill_source source = { .usage = scene_usage, .context = &s };
	bill_query q = query_of();
	q.now = NOVEMBER + 90 * MS_DAY;
	bill *b = bill_make(mem, &q, &source);
	CHECK(b->until == b->to && b->forecast == b->total && s.asked == 1);
}

TEST(bill_credits_run_out_on_a_day)
{
	scene s = { .calls_a_day = 0, .database_from = NOVEMBER - 30 * MS_DAY };
	bill_source source = { .usage = scene_usage, .context = &s };
	bill_query q = query_of();
	q.profile = PROFILE_CREDITS;
	q.opened = NOVEMBER - 40 * MS_DAY;
	q.credits = usd("12.00"); /* 30 days cost 11.52; 0.48 last for 30 hours more */
	bill *b = bill_make(mem, &q, &source);
	CHECK(b->credits_before == usd("0.48") && b->credits_used == usd("0.48"));
	CHECK_I64(b->credits_end, NOVEMBER + 29 * MS_HOUR);
	CHECK(bill_due(b) == usd("3.36"));
	CHECK(b->credits_last == 0);
	/* 3.84 of 8 are used after ten days: the rest lasts for 260 hours more, into the 20th day. */
	q.opened = NOVEMBER;
	q.credits = usd("8.00");
	b = bill_make(mem, &q, &source);
	CHECK(b->credits_used == usd("3.84") && b->credits_end == 0);
	CHECK_I64(b->credits_last, NOVEMBER + 10 * MS_DAY + 259 * MS_HOUR);
	/* 11.52 in November, 11.904 in December (31 days): 24 are used up in January, after 36 hours. */
	q.credits = usd("24.00");
	b = bill_make(mem, &q, &source);
	CHECK_I64(b->credits_last, month_after(NOVEMBER, 2) + 35 * MS_HOUR);
	/* More than half a year takes: they expire. */
	q.credits = usd("1000");
	b = bill_make(mem, &q, &source);
	CHECK_I64(b->credits_last, month_after(NOVEMBER, 6));
	/* On the paid plan, after a year. */
	q.upgraded = true;
	b = bill_make(mem, &q, &source);
	CHECK_I64(b->credits_last, month_after(NOVEMBER, 12));
	q.upgraded = false;
	/* Six months after opening they end, used or not. */
	q.credits = usd("1000");
	q.opened = month_after(NOVEMBER, -6) + 3 * MS_DAY;
	b = bill_make(mem, &q, &source);
	CHECK(b->credits_used == usd("1.152"));
	CHECK_I64(b->credits_end, NOVEMBER + 3 * MS_DAY);
	/* From 2026-05-31 they last until the 30th of November, which has no 31st. */
	q.opened = month_after(NOVEMBER, -6) + 30 * MS_DAY;
	q.now = NOVEMBER + 30 * MS_DAY;
	b = bill_make(mem, &q, &source);
	CHECK_I64(b->credits_end, NOVEMBER + 29 * MS_DAY);
}

TEST(bill_writes_json_and_csv_that_read_back)
{
	scene s = { .calls_a_day = 50, .database_from = NOVEMBER };
	bill_source source = { .usage = scene_usage, .tag = scene_tag, .context = &s };
	bill_query q = query_of();
	q.by[1] = BY_RESOURCE;
	q.n_by = 2;
	bill *b = bill_make(mem, &q, &source);
	buf text = buf_in(mem, 1024, 1 << 20);
	bill_json(&text, mem, b);
	const json_value *v = json_parse(mem, buf_str(&text));
	CHECK(v && !text.full);
	money sum = 0, total = 0, amount;
	for (const json_value *l = json_get(v, S("lines"))->first; l; l = l->next) {
		CHECK(money_parse(json_get(l, S("amount"))->text, &amount));
		sum += amount;
	}
	CHECK(money_parse(json_get(v, S("total"))->text, &total) && total == sum && sum == b->total);
	buf table = buf_in(mem, 1024, 1 << 20);
	bill_csv(&table, mem, b);
	CHECK(str_starts(buf_str(&table), S("resource,service,sku,")));
}

/* Every row has as many cells as the head, and the costs add up to what is to be paid. */
static void check_export(arena *mem, const bill *b, str text, str cost_column, size_t credit_rows)
{
	str head[128], row[128];
	csv c = csv_of(mem, text);
	size_t n = csv_row(&c, head, 128), at = 0, rows = 0;
	while (at < n && !str_eq(head[at], cost_column))
		at++;
	CHECK(at < n);
	/* All columns of FOCUS 1.2, or of CUR 2.0. */
	CHECK(n == 57 || n == 114);
	money sum = 0, cost;
	while (csv_row(&c, row, 128)) {
		CHECK(money_parse(row[at], &cost));
		sum += cost;
		rows++;
	}
	CHECK(!c.broken && rows == b->n_lines + credit_rows && sum == b->total - b->credits_used);
}

static void check_exports(arena *mem, const bill *b, size_t credit_rows)
{
	buf focus = buf_in(mem, 1024, 1 << 20), cur = buf_in(mem, 1024, 1 << 20);
	bill_focus(&focus, mem, b);
	bill_cur(&cur, mem, b);
	check_export(mem, b, buf_str(&focus), S("BilledCost"), credit_rows);
	check_export(mem, b, buf_str(&cur), S("line_item_unblended_cost"), credit_rows);
}

TEST(bill_exports_add_up)
{
	scene s = { .calls_a_day = 700000, .database_from = NOVEMBER };
	bill_source source = { .usage = scene_usage, .tag = scene_tag, .context = &s };
	bill_query q = query_of();
	memcpy(q.by, export_by, sizeof export_by);
	q.n_by = 3;
	bill *b = bill_make(mem, &q, &source);
	check_exports(mem, b, 0);
}

/* What credits pay of a line is a row of its own. */
TEST(bill_exports_have_credits)
{
	scene s = { .calls_a_day = 0, .database_from = NOVEMBER };
	bill_source source = { .usage = scene_usage, .tag = scene_tag, .context = &s };
	bill_query q = query_of();
	memcpy(q.by, export_by, sizeof export_by);
	q.n_by = 3;
	q.profile = PROFILE_CREDITS;
	q.opened = NOVEMBER;
	q.credits = usd("0.5"); /* a day costs 0.384: one is paid whole, one in part */
	bill *b = bill_make(mem, &q, &source);
	CHECK(b->credits_used == usd("0.5"));
	check_exports(mem, b, 2);
}
