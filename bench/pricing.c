/*
 * How fast usage becomes a bill: a month of hourly lines of many resources, priced and grouped.
 *     bench-pricing [resources]
 */
#include "base/time.h"
#include "price/bill.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOVEMBER INT64_C(1793491200000)

static const char *const skus[] = { "lambda.x86.requests", "lambda.x86.gb_second", "dynamodb.wru",
	"dynamodb.rru", "dynamodb.storage", "rds.postgres.t4g.micro.single", "cw.logs.ingest", "sqs.standard" };

typedef struct scene {
	str *names;
	size_t resources, lines;
} scene;

static void usage(void *context, int64_t from, int64_t to, int64_t now,
                  void (*use)(void *, const price_use *), void *collector)
{
	scene *s = context;
	s->lines = 0;
	for (int64_t hour = from; hour < to && hour < now; hour += MS_HOUR)
		for (size_t r = 0; r < s->resources; r++, s->lines++) {
			price_use u = { .region = S("us-east-1"), .sku = str_c(skus[r % 8]),
				        .resource = s->names[r], .when = hour, .per = QTY_ONE,
				        .quantity = (int64_t)(r * 7919 + (size_t)(hour / MS_HOUR) % 977) * 1000 };
			use(collector, &u);
		}
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	arena *mem = arena_open(1 << 20);
	scene s = { .resources = argc > 1 ? (size_t)atol(argv[1]) : 1000 };
	s.names = arena_array(mem, str, s.resources);
	for (size_t i = 0; i < s.resources; i++)
		s.names[i] = arena_fmt(mem, "arn:aws:lambda:us-east-1:000000000000:function:handler-%zu", i);
	double before = seconds();
	const book *b = price_book();
	printf("price book: %zu prices in %.2f ms\n", book_items(b), (seconds() - before) * 1e3);
	static const bill_by ways[] = { BY_SERVICE, BY_RESOURCE, BY_DAY };
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		arena *once = arena_open(1 << 20);
		bill_query q = { .book = b, .account = S("000000000000"), .month = NOVEMBER, .by = { ways[i] },
			         .n_by = 1, .now = NOVEMBER + 60 * MS_DAY };
		bill_source source = { .usage = usage, .context = &s };
		before = seconds();
		bill *made = bill_make(once, &q, &source);
		double took = seconds() - before;
		printf("by %-8s %zu usage lines -> %zu bill lines in %.0f ms: %.2f million lines/s\n",
		       bill_by_name(ways[i]).p, s.lines, made->n_lines, took * 1e3,
		       (double)s.lines / took / 1e6);
		arena_close(once);
	}
	arena_close(mem);
	return 0;
}
