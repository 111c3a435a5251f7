/*
 * What a message costs on its way in and out: DynamoDB's usual requests, decoded into structs, validated and
 * written again. CPU time, the median of 21 rounds; see docs/decisions for what it is compared with.
 */
#include "base/json.h"
#include "tools/apifile.h"
#include "wire/codec.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 21 };

static double cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* An item of some 900 bytes: strings, numbers, a nested map, a list, a set and a blob. */
static void put_item(buf *b, int i)
{
	buf_fmt(b, "{\"pk\":{\"S\":\"tenant#%04d\"},\"sk\":{\"S\":\"order#2026-11-21T06:14:12Z#%08d\"},", i % 37,
	        i);
	buf_fmt(b,
	        "\"customer\":{\"M\":{\"name\":{\"S\":\"Ada Lovelace\"},\"email\":{\"S\":\"ada.%d@example.com\"},"
	        "\"address\":{\"M\":{\"street\":{\"S\":\"12 St James's Square\"},\"city\":{\"S\":\"London\"},"
	        "\"zip\":{\"S\":\"SW1Y 4JH\"}}}}},",
	        i);
	buf_put(b, S("\"lines\":{\"L\":[{\"M\":{\"sku\":{\"S\":\"A-1001\"},\"qty\":{\"N\":\"2\"},"
	             "\"price\":{\"N\":\"19.99\"}}},{\"M\":{\"sku\":{\"S\":\"B-2002\"},\"qty\":{\"N\":\"1\"},"
	             "\"price\":{\"N\":\"249.00\"}}}]},"));
	buf_put(b, S("\"tags\":{\"SS\":[\"priority\",\"gift\",\"eu-west\"]},\"total\":{\"N\":\"288.98\"},"
	             "\"paid\":{\"BOOL\":true},\"note\":{\"S\":\"Leave it with the \\\"concierge\\\", please. "
	             "Fragile: contains glass and a long, otherwise unremarkable description.\"},"
	             "\"signature\":{\"B\":\"c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU=\"},"
	             "\"coupon\":{\"NULL\":true}}"));
}

static str put_request(arena *a)
{
	buf b = buf_in(a, 4096, 1 << 20);
	buf_put(&b, S("{\"TableName\":\"orders\",\"Item\":"));
	put_item(&b, 1);
	buf_put(&b,
	        S(",\"ConditionExpression\":\"attribute_not_exists(pk)\",\"ReturnConsumedCapacity\":\"TOTAL\"}"));
	return buf_str(&b);
}

static str get_request(void)
{
	return S("{\"TableName\":\"orders\",\"Key\":{\"pk\":{\"S\":\"tenant#0001\"},"
	         "\"sk\":{\"S\":\"order#2026-11-21T06:14:12Z#00000001\"}},\"ConsistentRead\":true,"
	         "\"ReturnConsumedCapacity\":\"TOTAL\"}");
}

static str batch_request(arena *a)
{
	buf b = buf_in(a, 4096, 1 << 20);
	buf_put(&b, S("{\"RequestItems\":{\"orders\":["));
	for (int i = 0; i < 25; i++) {
		buf_put(&b, i ? S(",{\"PutRequest\":{\"Item\":") : S("{\"PutRequest\":{\"Item\":"));
		put_item(&b, i);
		buf_put(&b, S("}}"));
	}
	buf_put(&b, S("]}}"));
	return buf_str(&b);
}

typedef struct timing {
	double decode, validate, encode;
	size_t bytes;
} timing;

static timing measure(const operation *op, str body, int loops)
{
	arena *a = arena_open(1 << 20);
	double decode[ROUNDS], valid[ROUNDS], encode[ROUNDS];
	timing t = { 0 };
	for (int round = 0; round < ROUNDS; round++) {
		double in = 0, check = 0, out = 0;
		for (int i = 0; i < loops; i++) {
			arena_reset(a);
			wire_message m = { .mem = a, .body = body };
			double start = cpu_ns();
			void *value = NULL;
			for (int k = 0; k < 8; k++) { /* the clock itself costs */
				arena_reset(a);
				value = arena_alloc(a, op->input->size);
				if (codec_json.decode(&m, op, value))
					abort();
			}
			t.bytes = arena_used(a);
			double decoded = cpu_ns();
			for (int k = 0; k < 8; k++)
				validate(a, op->input, value);
			double validated = cpu_ns();
			for (int k = 0; k < 8; k++) {
				buf b = buf_in(a, body.n * 2, body.n * 4);
				json_encode_value(&b, op->input, value);
			}
			double written = cpu_ns();
			in += (decoded - start) / 8;
			check += (validated - decoded) / 8;
			out += (written - validated) / 8;
		}
		decode[round] = in / loops;
		valid[round] = check / loops;
		encode[round] = out / loops;
	}
	qsort(decode, ROUNDS, sizeof *decode, by_value);
	qsort(valid, ROUNDS, sizeof *valid, by_value);
	qsort(encode, ROUNDS, sizeof *encode, by_value);
	t.decode = decode[ROUNDS / 2];
	t.validate = valid[ROUNDS / 2];
	t.encode = encode[ROUNDS / 2];
	arena_close(a);
	return t;
}

int main(void)
{
	arena *a = arena_open(1 << 20);
	err why;
	const service *s = apifile_load(a, S("src/svc/dynamodb/dynamodb.api"), &why);
	if (!s) {
		fprintf(stderr, "%.*s\n", STR_ARG(why->message));
		return 1;
	}
	const struct { const char *op; str body; int loops; } cases[] = {
		{ "GetItem", get_request(), 2000 },
		{ "PutItem", put_request(a), 1000 },
		{ "BatchWriteItem", batch_request(a), 20 },
	};
	printf("%-15s %8s %10s %12s %10s %12s\n", "", "bytes", "decode ns", "validate ns", "encode ns",
	       "arena bytes");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		timing t = measure(operation_find(s, str_c(cases[i].op)), cases[i].body, cases[i].loops);
		printf("%-15s %8zu %10.0f %12.0f %10.0f %12zu\n", cases[i].op, cases[i].body.n, t.decode,
		       t.validate, t.encode, t.bytes);
	}
	arena_close(a);
	return 0;
}
