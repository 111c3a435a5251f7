#include "cloud/meter.h"
#include "base/time.h"
#include "sys/file.h"
#include "test/test.h"
#include <stdlib.h>
#include <unistd.h>

#define NOVEMBER INT64_C(1793491200000)
#define HERE S("us-east-1")
#define ACCOUNT S("000000000000")

static const meter_kind wru = { "dynamodb.wru", "AmazonDynamoDB", "dynamodb.wru", "write units", 0 };
static const meter_kind bytes = { "s3.standard", "AmazonS3", "s3.standard", "bytes", 1073741824 };

static void shut(void *subject)
{
	store_close(subject);
}

static void remove_folder(void *subject)
{
	arena *mem = arena_open(1 << 12);
	dir_remove(mem, str_c(subject));
	arena_close(mem);
}

static store *open_store(arena *mem)
{
	static const char template[] = "/tmp/farthing-meter-XXXXXX";
	char *path = arena_bytes(mem, sizeof template);
	memcpy(path, template, sizeof template);
	CHECK(mkdtemp(path));
	arena_hook(mem, remove_folder, path);
	store *s = NULL;
	store_options o = { .path = str_c(path), .map_bytes = (size_t)1 << 28, .format = 1 };
	CHECK_OK(store_open(mem, &o, &s));
	arena_hook(mem, shut, s);
	return s;
}

typedef struct seen {
	usage_line lines[64];
	size_t n;
	qty total, resident;
} seen;

static void see(void *context, const usage_line *l)
{
	seen *s = context;
	if (s->n < 64)
		s->lines[s->n] = *l;
	s->n++;
	s->total += l->quantity;
	s->resident += l->resident ? l->quantity : 0;
}

typedef struct step {
	str account, resource;
	int64_t when;
	const meter_kind *kind;
	qty quantity;
	enum { ADD, SET, CHANGE, END } what;
} step;

static bool write_step(void *context, txn *tx)
{
	const step *s = context;
	if (s->what == ADD)
		usage_add(tx, s->account, HERE, s->when, s->kind, s->resource, s->quantity);
	else if (s->what == END)
		resident_end(tx, s->account, HERE, s->when, s->kind, s->resource, s->quantity);
	else if (s->what == SET)
		resident_set(tx, s->account, HERE, s->when, s->kind, s->resource, s->quantity);
	else
		resident_add(tx, s->account, HERE, s->when, s->kind, s->resource, s->quantity);
	return true;
}

static void take(store *s, step st)
{
	if (!st.account.n)
		st.account = ACCOUNT;
	CHECK_OK(store_write(s, write_step, &st));
}

/* Copies nothing: the numbers are enough once the transaction is over. */
static seen look(store *s, str account, int64_t from, int64_t to, int64_t now)
{
	seen all = { .n = 0 };
	const txn *tx = store_read(s);
	usage_each(tx, account, from, to, now, see, &all);
	store_read_end(s, tx);
	return all;
}

TEST(meter_lines_are_sums_in_order_of_time)
{
	store *s = open_store(mem);
	take(s, (step){ .when = NOVEMBER + MS_HOUR + 5, .kind = &wru, .resource = S("t1"), .quantity = QTY(2) });
	take(s, (step){ .when = NOVEMBER + MS_HOUR + 9, .kind = &wru, .resource = S("t1"), .quantity = QTY(3) });
	take(s, (step){ .when = NOVEMBER + 1, .kind = &wru, .resource = S("t2"), .quantity = 1 });
	take(s, (step){ .account = S("111111111111"), .when = NOVEMBER, .kind = &wru, .quantity = QTY(7) });
	const txn *tx = store_read(s);
	seen all = { .n = 0 };
	usage_each(tx, ACCOUNT, NOVEMBER, NOVEMBER + MS_DAY, NOVEMBER + MS_DAY, see, &all);
	CHECK(all.n == 2 && all.total == QTY(5) + 1 && all.resident == 0);
	CHECK_I64(all.lines[0].hour, NOVEMBER);
	CHECK_STR(all.lines[0].resource, S("t2"));
	CHECK_STR(all.lines[1].resource, S("t1"));
	CHECK_STR(all.lines[1].meter, S("dynamodb.wru"));
	CHECK_STR(all.lines[1].region, HERE);
	store_read_end(s, tx);
	CHECK_I64(look(s, S(""), NOVEMBER, NOVEMBER + MS_DAY, NOVEMBER).total, QTY(12) + 1);
	CHECK_I64(look(s, S("111111111111"), NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).total, QTY(7));
	CHECK_I64(look(s, ACCOUNT, NOVEMBER + 2 * MS_HOUR, NOVEMBER + MS_DAY, NOVEMBER).n, 0);
}

TEST(meter_residents_accrue_to_the_millisecond)
{
	store *s = open_store(mem);
	int64_t born = NOVEMBER + 30 * MS_MINUTE;
	take(s, (step){ .when = born, .kind = &wru, .resource = S("vm"), .quantity = QTY(1), .what = SET });
	seen now = look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_DAY, NOVEMBER + 2 * MS_HOUR);
	CHECK(now.n == 2 && now.total == 1500000 && now.resident == now.total);
	/* Doubled at 02:15, ended at 03:00: half an hour, an hour, then 0.25 x 1 + 0.75 x 2. */
	int64_t changed = NOVEMBER + 2 * MS_HOUR + 15 * MS_MINUTE;
	take(s, (step){ .when = changed, .kind = &wru, .resource = S("vm"), .quantity = QTY(1), .what = CHANGE });
	take(s, (step){ .when = NOVEMBER + 3 * MS_HOUR, .kind = &wru, .resource = S("vm"), .what = SET });
	seen end = look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_DAY, NOVEMBER + MS_DAY);
	CHECK(end.n == 3 && end.total == 500000 + 1000000 + 1750000 && end.resident == end.total);
	/* A part of the month only. */
	take(s, (step){ .when = born, .kind = &bytes, .resource = S("b"), .quantity = 1000, .what = SET });
	int64_t second = NOVEMBER + MS_DAY;
	CHECK_I64(look(s, ACCOUNT, second, second + MS_DAY, NOVEMBER + 9 * MS_DAY).total, 24000);
}

/* Ten minutes at least: of one that ended after four at 01:58, six more are charged, all before 02:00. */
TEST(meter_residents_have_a_least_time)
{
	store *s = open_store(mem);
	int64_t born = NOVEMBER + 114 * MS_MINUTE, second = NOVEMBER + MS_HOUR;
	qty least = 10 * MS_MINUTE;
	take(s, (step){ .when = born, .kind = &wru, .resource = S("db"), .quantity = QTY(6), .what = SET });
	step end = { .when = born + 4 * MS_MINUTE, .kind = &wru, .resource = S("db"), .quantity = least,
		     .what = END };
	take(s, end);
	seen all = look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_DAY, NOVEMBER + MS_DAY);
	CHECK(all.total == QTY(1) && all.resident == all.total);
	CHECK_I64(look(s, ACCOUNT, second, second + MS_HOUR, NOVEMBER + MS_DAY).total, QTY(1));
	/* It is gone: ending it again costs nothing. One that had its time pays for that alone. */
	take(s, end);
	take(s, (step){ .when = born, .kind = &wru, .resource = S("old"), .quantity = QTY(6), .what = SET });
	take(s, (step){ .when = born + 2 * least, .kind = &wru, .resource = S("old"), .quantity = least,
	                .what = END });
	CHECK_I64(look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_DAY, NOVEMBER + MS_DAY).total, QTY(3));
}

TEST(meter_residents_lose_nothing_to_rounding)
{
	store *s = open_store(mem);
	int64_t when = NOVEMBER;
	/* 7 parts an hour, looked at and changed every 1,001 ms: what is less than a part is carried. */
	take(s, (step){ .when = when, .kind = &bytes, .resource = S("b"), .quantity = 7, .what = SET });
	for (int i = 0; i < 200; i++) {
		when += 1001 * 17;
		take(s, (step){ .when = when, .kind = &bytes, .resource = S("b"), .quantity = i % 2 ? 7 : 8,
		                .what = SET });
	}
	qty exact = 0;
	for (int i = 0; i < 200; i++)
		exact += i % 2 ? 8 * 1001 * 17 : 7 * 1001 * 17;
	qty got = look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_DAY, when).total;
	CHECK(got <= exact / MS_HOUR && got >= exact / MS_HOUR - 1);
}

TEST(meter_residents_add_and_say_their_rate)
{
	store *s = open_store(mem);
	step grow = { .when = NOVEMBER, .kind = &bytes, .resource = S("bucket"), .quantity = 500,
		      .what = CHANGE };
	take(s, grow);
	take(s, grow);
	grow.quantity = -5000;
	const txn *tx = store_read(s);
	CHECK_I64(resident_rate(tx, ACCOUNT, HERE, &bytes, S("bucket")), 1000);
	CHECK_I64(resident_rate(tx, ACCOUNT, HERE, &wru, S("bucket")), 0);
	seen rates = { .n = 0 };
	resident_each(tx, S(""), see, &rates);
	CHECK(rates.n == 1 && rates.total == 1000);
	store_read_end(s, tx);
	take(s, grow);
	tx = store_read(s);
	CHECK_I64(resident_rate(tx, ACCOUNT, HERE, &bytes, S("bucket")), 0);
	store_read_end(s, tx);
}

TEST(meter_batch_is_on_disk_after_a_flush)
{
	store *s = open_store(mem);
	meter_start(s);
	for (int i = 0; i < 1000; i++)
		usage_later(ACCOUNT, HERE, NOVEMBER + i, &wru, i % 2 ? S("a") : S("b"), QTY(1));
	CHECK_OK(meter_flush());
	CHECK_I64(look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).total, QTY(1000));
	CHECK_I64(look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).n, 2);
	usage_later(ACCOUNT, HERE, NOVEMBER, &wru, S("c"), QTY(5));
	meter_stop();
	CHECK_I64(look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).total, QTY(1005));
	CHECK_I64((int64_t)meter_lost(), 0);
	/* On its own within 100 ms, and again after a restart. */
	meter_start(s);
	usage_later(ACCOUNT, HERE, NOVEMBER, &wru, S("d"), QTY(1));
	for (int i = 0; i < 50 && look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).n < 4; i++)
		usleep(20000);
	CHECK_I64(look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).n, 4);
	meter_stop();
}

TEST(meter_of_a_request_is_a_list_that_a_rerun_can_drop)
{
	store *s = open_store(mem);
	req rq = { .mem = mem, .who = { .account = ACCOUNT }, .region = HERE, .now = NOVEMBER };
	meter_one(&rq, &wru, S("t"));
	struct usage *before = rq.usage;
	meter(&rq, &wru, QTY(2), S("t"));
	rq.usage = before;
	meter(&rq, &wru, QTY(4), S("t"));
	meter(&rq, &wru, 0, S("t"));
	meter_start(s);
	usage_settle_later(&rq);
	meter_stop();
	CHECK_I64(look(s, ACCOUNT, NOVEMBER, NOVEMBER + MS_HOUR, NOVEMBER).total, QTY(5));
}

TEST(meter_month_hours_follow_the_calendar)
{
	CHECK_I64(meter_month_hours(NOVEMBER + 12345), 720);
	CHECK_I64(meter_month_hours(NOVEMBER + 30 * MS_DAY), 744);
	CHECK_I64(meter_month_hours(NOVEMBER + 110 * MS_DAY), 672);
}

TEST(meter_for_a_sku_is_always_the_same)
{
	char name[] = "ec2.linux.t3.micro";
	const meter_kind *kind = meter_for("AmazonEC2", str_c(name));
	name[0] = 'x';
	CHECK(strcmp(kind->sku, "ec2.linux.t3.micro") == 0);
	CHECK(meter_for("AmazonEC2", S("ec2.linux.t3.micro")) == kind);
	CHECK(meter_named(S("ec2.linux.t3.micro")) == NULL);
}
