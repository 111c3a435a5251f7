#include "base/json.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "svc/dynamodb/testing.h"
#include "sys/clock.h"
#include "test/test.h"

static void make_table(world *w, const char *name, bool ranged)
{
	str got = ask(w, "CreateTable",
	              "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\","
	              "\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}%s],"
	              "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}%s]}", name,
	              ranged ? ",{\"AttributeName\":\"c\",\"AttributeType\":\"N\"}" : "",
	              ranged ? ",{\"AttributeName\":\"c\",\"KeyType\":\"RANGE\"}" : "");
	CHECK(str_find(got, S("\"TableStatus\":\"CREATING\"")) != SIZE_MAX);
}

static bool has(str text, const char *part)
{
	return str_find(text, str_c(part)) != SIZE_MAX;
}

TEST(dynamodb_items_come_and_go)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", false);
	expect(w, "{}", "PutItem",
	       "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"1.50\"}}}");
	expect(w, "{\"Item\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"1.5\"}}}", "GetItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}}}");
	expect(w, "{}", "GetItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"b\"}}}");
	expect(w, "{\"Attributes\":{\"v\":{\"N\":\"2.5\"}}}", "UpdateItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}},\"UpdateExpression\":\"ADD v :o\","
	       "\"ExpressionAttributeValues\":{\":o\":{\"N\":\"1\"}},\"ReturnValues\":\"UPDATED_NEW\"}");
	expect(w, "ConditionalCheckFailedException: The conditional request failed", "DeleteItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}},\"ConditionExpression\":\"v = :o\","
	       "\"ExpressionAttributeValues\":{\":o\":{\"N\":\"1\"}}}");
	expect(w, "{\"Attributes\":{\"p\":{\"S\":\"a\"},\"v\":{\"N\":\"2.5\"}}}", "DeleteItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_OLD\"}");
	expect(w, "{}", "DeleteItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}}}");
	expect(w, "ResourceNotFoundException: Requested resource not found", "GetItem",
	       "{\"TableName\":\"none\",\"Key\":{\"p\":{\"S\":\"b\"}}}");
	CHECK(has(ask(w, "DescribeTable", "{\"TableName\":\"tab\"}"), "\"ItemCount\":0"));
}

TEST(dynamodb_keys_are_checked)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", true);
	static const struct { const char *item, *why; } puts[] = {
		{ "{\"p\":{\"S\":\"a\"}}", "Missing the key c in the item" },
		{ "{\"p\":{\"N\":\"1\"},\"c\":{\"N\":\"1\"}}",
		  "Type mismatch for key p expected: S actual: N" },
	};
	for (size_t i = 0; i < 2; i++) {
		str got = ask(w, "PutItem", "{\"TableName\":\"tab\",\"Item\":%s}", puts[i].item);
		CHECK_STR(got, arena_fmt(mem, "ValidationException: One or more parameter values were "
		                              "invalid: %s", puts[i].why));
	}
	expect(w, "ValidationException: One or more parameter values are not valid. The AttributeValue "
	          "for a key attribute cannot contain an empty string value. Key: p", "PutItem",
	       "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"\"},\"c\":{\"N\":\"1\"}}}");
	expect(w, "ValidationException: The provided key element does not match the schema", "GetItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}}}");
	expect(w, "ValidationException: One or more parameter values were invalid: Cannot update "
	          "attribute c. This attribute is part of the key", "UpdateItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},"
	       "\"UpdateExpression\":\"REMOVE c\"}");
}

#define ROWS 60

/* Pages of any size, in both directions and in segments, give the full listing. */
static int64_t walk(world *w, const char *verb, const char *more, int limit, str *seen)
{
	str last = S("");
	int64_t items = 0;
	buf all = buf_in(w->mem, 4096, 1 << 20);
	for (;;) {
		str start = last.n ? arena_fmt(w->mem, ",\"ExclusiveStartKey\":%.*s", STR_ARG(last)) : last;
		str got = ask(w, verb, "{\"TableName\":\"tab\",\"Limit\":%d%s%.*s}", limit, more,
		              STR_ARG(start));
		json_value *v = json_parse(w->mem, got);
		CHECK(v != NULL);
		for (const json_value *i = json_get(v, S("Items"))->first; i; i = i->next, items++)
			buf_fmt(&all, "%.*s ", STR_ARG(json_get(json_get(i, S("c")), S("N"))->text));
		const json_value *next = json_get(v, S("LastEvaluatedKey"));
		if (!next)
			break;
		buf key = buf_in(w->mem, 256, 4096);
		json_write(&key, next);
		last = buf_str(&key);
	}
	*seen = buf_str(&all);
	return items;
}

TEST(dynamodb_pages_make_the_whole)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", true);
	for (int i = 0; i < ROWS; i++)
		CHECK_STR(ask(w, "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"k%d\"},\"c\":"
		              "{\"N\":\"%d.%d\"}}}", i % 3, (i * 37) % 41 - 20, i % 7), S("{}"));
	static const char query[] = ",\"KeyConditionExpression\":\"p = :p\","
	                            "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"k1\"}}";
	static const char back[] = ",\"ScanIndexForward\":false,\"KeyConditionExpression\":\"p = :p\","
	                           "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"k1\"}}";
	str whole, part, backwards;
	int64_t n = walk(w, "Query", query, 1000, &whole);
	CHECK_I64(n, ROWS / 3);
	CHECK_I64(walk(w, "Query", back, 1000, &backwards), n);
	for (int limit = 1; limit < 25; limit += 4) {
		CHECK_I64(walk(w, "Query", query, limit, &part), n);
		CHECK_STR(part, whole);
		CHECK_I64(walk(w, "Query", back, limit, &part), n);
		CHECK_STR(part, backwards);
		CHECK_I64(walk(w, "Scan", "", limit, &part), ROWS);
	}
	for (int total = 1; total < 9; total += 3) {
		int64_t sum = 0;
		for (int i = 0; i < total; i++)
			sum += walk(w, "Scan", arena_fmt(mem, ",\"Segment\":%d,\"TotalSegments\":%d", i,
			                                 total).p, 7, &part);
		CHECK_I64(sum, ROWS);
	}
}

TEST(dynamodb_key_conditions_choose_a_range)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", true);
	for (int i = -3; i <= 3; i++)
		ask(w, "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"%d\"}}}",
		    i);
	static const struct { const char *keys, *want; } rows[] = {
		{ "p = :p AND c = :x", "-1 " }, { "p = :p AND c < :x", "-3 -2 " },
		{ "p = :p AND c <= :x", "-3 -2 -1 " }, { "p = :p AND c > :x", "0 1 2 3 " },
		{ "c >= :x AND p = :p", "-1 0 1 2 3 " }, { "p = :p AND c BETWEEN :x AND :y", "-1 0 1 2 " },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		str seen;
		const char *y = strstr(rows[i].keys, ":y") ? ",\":y\":{\"N\":\"2\"}" : "";
		walk(w, "Query", arena_fmt(mem, ",\"KeyConditionExpression\":\"%s\","
		     "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"},\":x\":{\"N\":\"-1\"}%s}",
		     rows[i].keys, y).p, 100, &seen);
		CHECK_STR(seen, str_c(rows[i].want));
	}
}

static const char with_indexes[] =
	"{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
	"{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"c\",\"AttributeType\":"
	"\"N\"},{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":"
	"\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"c\",\"KeyType\":\"RANGE\"}],"
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\","
	"\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}],"
	"\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\",\"KeySchema\":[{\"AttributeName\":\"p\","
	"\"KeyType\":\"HASH\"},{\"AttributeName\":\"g\",\"KeyType\":\"RANGE\"}],\"Projection\":"
	"{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"v\"]}}]}";

#define BY_G "\"KeyConditionExpression\":\"g = :g\",\"ExpressionAttributeValues\":{\":g\":{\"S\":" \
	"\"x\"}}"

TEST(dynamodb_indexes_follow_their_items)
{
	world *w = world_open(mem, false);
	CHECK(has(ask(w, "CreateTable", "%s", with_indexes), "CREATING"));
	expect(w, "{\"ConsumedCapacity\":{\"TableName\":\"tab\",\"CapacityUnits\":3,\"Table\":"
	          "{\"CapacityUnits\":1},\"LocalSecondaryIndexes\":{\"lsi\":{\"CapacityUnits\":1}},"
	          "\"GlobalSecondaryIndexes\":{\"gsi\":{\"CapacityUnits\":1}}}}", "PutItem",
	       "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"},\"g\":{\"S\":\"x\"},"
	       "\"v\":{\"N\":\"7\"},\"w\":{\"N\":\"8\"}},\"ReturnConsumedCapacity\":\"INDEXES\"}");
	expect(w, "{\"Items\":[{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"},\"g\":{\"S\":\"x\"}}],\"Count\":1,"
	          "\"ScannedCount\":1}", "Query",
	       "{\"TableName\":\"tab\",\"IndexName\":\"gsi\"," BY_G "}");
	expect(w, "{\"Items\":[{\"v\":{\"N\":\"7\"}}],\"Count\":1,\"ScannedCount\":1}", "Query",
	       "{\"TableName\":\"tab\",\"IndexName\":\"lsi\",\"ProjectionExpression\":\"v\","
	       "\"KeyConditionExpression\":\"p = :p AND g = :g\",\"ExpressionAttributeValues\":{\":g\":"
	       "{\"S\":\"x\"},\":p\":{\"S\":\"a\"}}}");
	expect(w, "{\"Items\":[{\"w\":{\"N\":\"8\"}}],\"Count\":1,\"ScannedCount\":1}", "Query",
	       "{\"TableName\":\"tab\",\"IndexName\":\"lsi\",\"ProjectionExpression\":\"w\","
	       "\"KeyConditionExpression\":\"p = :p AND begins_with(g, :g)\","
	       "\"ExpressionAttributeValues\":{\":g\":{\"S\":\"x\"},\":p\":{\"S\":\"a\"}}}");
	expect(w, "ValidationException: One or more parameter values were invalid: Global secondary "
	          "index gsi does not project [w]", "Query",
	       "{\"TableName\":\"tab\",\"IndexName\":\"gsi\",\"ProjectionExpression\":\"w\"," BY_G "}");
	expect(w, "ValidationException: Consistent reads are not supported on global secondary indexes",
	       "Query", "{\"TableName\":\"tab\",\"IndexName\":\"gsi\",\"ConsistentRead\":true," BY_G "}");
	/* An attribute no index keeps changes: only the table is written. */
	expect(w, "{\"ConsumedCapacity\":{\"TableName\":\"tab\",\"CapacityUnits\":1,\"Table\":"
	          "{\"CapacityUnits\":1}}}", "UpdateItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},"
	       "\"UpdateExpression\":\"SET w = :g\",\"ExpressionAttributeValues\":{\":g\":{\"S\":\"n\"}},"
	       "\"ReturnConsumedCapacity\":\"INDEXES\"}");
	/* The index key changes: an entry goes, another comes. */
	str got = ask(w, "UpdateItem",
	              "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},"
	              "\"UpdateExpression\":\"SET g = :g\",\"ExpressionAttributeValues\":{\":g\":{\"S\":"
	              "\"y\"}},\"ReturnConsumedCapacity\":\"TOTAL\"}");
	CHECK(has(got, "\"CapacityUnits\":5"));
	expect(w, "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}", "Query",
	       "{\"TableName\":\"tab\",\"IndexName\":\"gsi\"," BY_G "}");
	ask(w, "UpdateItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},"
	    "\"UpdateExpression\":\"REMOVE g\"}");
	got = ask(w, "DescribeTable", "{\"TableName\":\"tab\"}");
	CHECK(has(got, "\"IndexSizeBytes\":0") && has(got, "\"ItemCount\":0") &&
	      has(got, "\"ItemCount\":1"));
	expect(w, "ValidationException: One or more parameter values were invalid: Type mismatch for "
	          "Index Key g Expected: S Actual: NULL IndexName: gsi", "PutItem",
	       "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"},\"g\":{\"NULL\":"
	       "true}}}");
}

TEST(dynamodb_new_indexes_are_filled_in_the_background)
{
	world *w = world_open(mem, true);
	make_table(w, "tab", true);
	for (int i = 0; i < 450; i++)
		ask(w, "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"k%d\"},\"c\":{\"N\":\"1\"},"
		    "\"g\":{\"%s\":\"%s\"}}}", i, i % 3 ? "S" : "N", i % 3 ? "x" : "5");
	CHECK(has(ask(w, "UpdateTable",
	              "{\"TableName\":\"tab\",\"AttributeDefinitions\":[{\"AttributeName\":\"g\","
	              "\"AttributeType\":\"S\"}],\"GlobalSecondaryIndexUpdates\":[{\"Create\":{"
	              "\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}]"
	              ",\"Projection\":{\"ProjectionType\":\"ALL\"}}}]}"), "\"Backfilling\":true"));
	for (int i = 0; i < 500 && has(ask(w, "DescribeTable", "{\"TableName\":\"tab\"}"),
	                               "Backfilling"); i++)
		clock_sleep_ms(10);
	CHECK(has(ask(w, "Query", "{\"TableName\":\"tab\",\"IndexName\":\"gsi\",\"Select\":\"COUNT\","
	              BY_G "}"), "\"Count\":300,"));
	CHECK(has(ask(w, "DescribeTable", "{\"TableName\":\"tab\"}"), "\"ItemCount\":300"));
	CHECK(has(ask(w, "UpdateTable", "{\"TableName\":\"tab\",\"GlobalSecondaryIndexUpdates\":[{"
	              "\"Delete\":{\"IndexName\":\"gsi\"}}]}"), "UPDATING"));
	CHECK(!has(ask(w, "DescribeTable", "{\"TableName\":\"tab\"}"), "gsi"));
}

TEST(dynamodb_ttl_deletes_what_has_expired)
{
	world *w = world_open(mem, true);
	make_table(w, "tab", false);
	int64_t now = clock_now() / 1000;
	expect(w, "{\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"ttl\"}}",
	       "UpdateTimeToLive", "{\"TableName\":\"tab\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
	                           "\"AttributeName\":\"ttl\"}}");
	static const struct { const char *name, *type; int64_t in; } rows[] = {
		{ "soon", "N", 3600 }, { "later", "N", 86400 }, { "text", "S", 3600 },
		{ "ancient", "N", -6 * 365 * 86400 },
	};
	for (size_t i = 0; i < 4; i++)
		CHECK_STR(ask(w, "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"%s\"},\"ttl\":"
		              "{\"%s\":\"%lld\"}}}", rows[i].name, rows[i].type,
		              (long long)(now + rows[i].in)), S("{}"));
	world_advance(w, 2 * MS_HOUR);
	expect(w, "{}", "GetItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"soon\"}}}");
	CHECK(has(ask(w, "Scan", "{\"TableName\":\"tab\"}"), "\"Count\":3"));
	world_advance(w, 2 * MS_DAY);
	CHECK(has(ask(w, "Scan", "{\"TableName\":\"tab\"}"), "\"Count\":2"));
	expect(w, "ValidationException: TimeToLive is already enabled", "UpdateTimeToLive",
	       "{\"TableName\":\"tab\",\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":"
	       "\"ttl\"}}");
}

TEST(dynamodb_transactions_are_all_or_nothing)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", false);
	static const char both[] =
		"{\"TransactItems\":[{\"Put\":{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"}}}},"
		"{\"Update\":{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"b\"}},\"UpdateExpression\":"
		"\"ADD n :o\",\"ExpressionAttributeValues\":{\":o\":{\"N\":\"1\"}}}}],"
		"\"ClientRequestToken\":\"t1\",\"ReturnConsumedCapacity\":\"TOTAL\"}";
	expect(w, "{\"ConsumedCapacity\":[{\"TableName\":\"tab\",\"CapacityUnits\":4,"
	          "\"WriteCapacityUnits\":4}]}", "TransactWriteItems", both);
	CHECK(has(ask(w, "TransactWriteItems", "%s", both), "ReadCapacityUnits"));
	CHECK(has(ask(w, "GetItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"b\"}}}"),
	          "\"n\":{\"N\":\"1\"}"));
	str got = ask(w, "TransactWriteItems",
	              "{\"TransactItems\":[{\"Put\":{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"c\"}}}}],"
	              "\"ClientRequestToken\":\"t1\"}");
	CHECK(str_starts(got, S("IdempotentParameterMismatchException")));
	expect(w, "TransactionCanceledException: Transaction cancelled, please refer cancellation "
	          "reasons for specific reasons [None, ConditionalCheckFailed]", "TransactWriteItems",
	       "{\"TransactItems\":[{\"Put\":{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"d\"}}}},"
	       "{\"ConditionCheck\":{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}},"
	       "\"ConditionExpression\":\"attribute_not_exists(p)\"}}]}");
	expect(w, "{}", "GetItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"d\"}}}");
	expect(w, "ValidationException: Transaction request cannot include multiple operations on one "
	          "item", "TransactWriteItems",
	       "{\"TransactItems\":[{\"Put\":{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"d\"}}}},"
	       "{\"Delete\":{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"d\"}}}}]}");
	expect(w, "{\"Responses\":[{\"Item\":{\"p\":{\"S\":\"a\"}}},{}]}", "TransactGetItems",
	       "{\"TransactItems\":[{\"Get\":{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"}}}},"
	       "{\"Get\":{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"zz\"}}}}]}");
}

TEST(dynamodb_batches)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", false);
	expect(w, "{\"UnprocessedItems\":{}}", "BatchWriteItem",
	       "{\"RequestItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{\"p\":{\"S\":\"a\"}}}},"
	       "{\"PutRequest\":{\"Item\":{\"p\":{\"S\":\"b\"}}}},{\"DeleteRequest\":{\"Key\":{\"p\":{\"S\":"
	       "\"c\"}}}}]}}");
	expect(w, "{\"Responses\":{\"tab\":[{\"p\":{\"S\":\"b\"}},{\"p\":{\"S\":\"a\"}}]},"
	          "\"UnprocessedKeys\":{}}", "BatchGetItem",
	       "{\"RequestItems\":{\"tab\":{\"Keys\":[{\"p\":{\"S\":\"b\"}},{\"p\":{\"S\":\"x\"}},{\"p\":"
	       "{\"S\":\"a\"}}]}}}");
	expect(w, "ValidationException: Provided list of item keys contains duplicates",
	       "BatchWriteItem",
	       "{\"RequestItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{\"p\":{\"S\":\"z\"}}}},"
	       "{\"DeleteRequest\":{\"Key\":{\"p\":{\"S\":\"z\"}}}}]}}");
	expect(w, "{}", "GetItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"z\"}}}");
}

TEST(dynamodb_legacy_parameters)
{
	world *w = world_open(mem, false);
	make_table(w, "tab", true);
	expect(w, "{\"Attributes\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"},\"x\":{\"N\":\"1\"},\"l\":{\"L\":["
	          "{\"N\":\"3\"}]}}}", "UpdateItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},"
	       "\"AttributeUpdates\":{\"x\":{\"Value\":{\"N\":\"1\"},\"Action\":\"PUT\"},\"l\":{\"Value\":"
	       "{\"L\":[{\"N\":\"3\"}]},\"Action\":\"ADD\"}},\"ReturnValues\":\"ALL_NEW\"}");
	expect(w, "ConditionalCheckFailedException: The conditional request failed", "PutItem",
	       "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},\"Expected\":{\"x\":"
	       "{\"Exists\":false}}}");
	expect(w, "{\"Items\":[{\"x\":{\"N\":\"1\"}}],\"Count\":1,\"ScannedCount\":1}", "Query",
	       "{\"TableName\":\"tab\",\"KeyConditions\":{\"p\":{\"AttributeValueList\":[{\"S\":\"a\"}],"
	       "\"ComparisonOperator\":\"EQ\"},\"c\":{\"AttributeValueList\":[{\"N\":\"0\"},{\"N\":\"2\"}],"
	       "\"ComparisonOperator\":\"BETWEEN\"}},\"QueryFilter\":{\"x\":{\"ComparisonOperator\":"
	       "\"NOT_NULL\"}},\"AttributesToGet\":[\"x\"]}");
	expect(w, "{\"Items\":[],\"Count\":0,\"ScannedCount\":1}", "Scan",
	       "{\"TableName\":\"tab\",\"ScanFilter\":{\"x\":{\"AttributeValueList\":[{\"N\":\"1\"}],"
	       "\"ComparisonOperator\":\"NE\"}}}");
	expect(w, "ValidationException: Can not use both expression and non-expression parameters in the "
	          "same request: Non-expression parameters: {AttributeUpdates} Expression parameters: "
	          "{ConditionExpression}", "UpdateItem",
	       "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}},"
	       "\"AttributeUpdates\":{\"x\":{\"Action\":\"DELETE\"}},\"ConditionExpression\":\"x = y\"}");
}

typedef struct bill {
	qty storage;
} bill;

static void add_storage(void *context, const usage_line *l)
{
	bill *b = context;
	if (str_eq(l->meter, S("dynamodb.storage")))
		b->storage += l->quantity;
}

/* Bytes over time, to the byte-hour, whatever the timers and steps in between. */
TEST(dynamodb_storage_is_billed_by_the_byte_hour)
{
	world *w = world_open(mem, true);
	make_table(w, "tab", false);
	int64_t start = clock_now() / MS_HOUR * MS_HOUR;
	world_advance(w, start + MS_HOUR - clock_now());
	for (int i = 0; i < 10; i++)
		ask(w, "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"%d\"},\"v\":{\"S\":\"%0898d\"}}}",
		    i, i);
	world_advance(w, 10 * MS_HOUR);
	for (int i = 0; i < 5; i++)
		ask(w, "DeleteItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"%d\"}}}", i);
	world_advance(w, 20 * MS_HOUR);
	bill b = { 0 };
	const txn *tx = store_read(w->s);
	usage_each(tx, S("000000000000"), 0, INT64_MAX, clock_now(), add_storage, &b);
	store_read_end(w->s, tx);
	/* 10 items of 1,001 bytes (100 of them AWS's) for 10 hours, then 5 for 20. */
	int64_t want = 10 * 1001 * 10 + 5 * 1001 * 20;
	CHECK(b.storage <= want && b.storage > want - 5);
}

TEST(dynamodb_tables_are_listed_and_deleted)
{
	world *w = world_open(mem, true);
	make_table(w, "b-table", false);
	make_table(w, "a-table", true);
	expect(w, "{\"TableNames\":[\"a-table\"],\"LastEvaluatedTableName\":\"a-table\"}", "ListTables",
	       "{\"Limit\":1}");
	expect(w, "{\"TableNames\":[\"b-table\"]}", "ListTables",
	       "{\"ExclusiveStartTableName\":\"a-table\"}");
	CHECK(str_starts(ask(w, "CreateTable", "%s", with_indexes), S("{\"TableDescription\"")));
	CHECK(str_starts(ask(w, "CreateTable", "%s", with_indexes),
	                 S("ResourceInUseException: Table already exists: tab")));
	CHECK(has(ask(w, "DeleteTable", "{\"TableName\":\"tab\"}"), "DELETING"));
	expect(w, "ResourceNotFoundException: Requested resource not found: Table: tab not found",
	       "DescribeTable", "{\"TableName\":\"tab\"}");
	expect(w, "{\"TableNames\":[\"a-table\",\"b-table\"]}", "ListTables", "{}");
}
