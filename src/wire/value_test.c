#include "wire/value.h"
#include "base/buf.h"
#include "test/test.h"
#include "wire/codec.h"
#include "wire/value_json.h"
#include <stddef.h>

/* A structure that contains itself in every way there is. */
typedef struct nodes { struct node *v; size_t n; } nodes;
typedef struct named { struct named_entry *v; size_t n; } named;
typedef struct node {
	str S;
	opt_i64 I;
	opt_f64 F;
	opt_bool B;
	opt_time T;
	str Raw;
	str Doc;
	struct node *Next;
	nodes List;
	named Map;
	char wide[300]; /* so that a small message could ask for a lot of memory */
} node;
typedef struct named_entry { str key; node value; } named_entry;

static const shape node_shape; /* defined below: it contains itself */
#define PLAIN(id, kind_, type) \
	static const shape id##_shape = { .name = #id, .kind = kind_, .size = sizeof(type) }
PLAIN(string, SHAPE_STRING, str);
PLAIN(integer, SHAPE_INTEGER, opt_i64);
PLAIN(floating, SHAPE_DOUBLE, opt_f64);
PLAIN(boolean, SHAPE_BOOLEAN, opt_bool);
PLAIN(moment, SHAPE_TIMESTAMP, opt_time);
PLAIN(blob, SHAPE_BLOB, str);
PLAIN(document, SHAPE_DOCUMENT, str);
static const shape list_shape = { .name = "List", .kind = SHAPE_LIST, .size = sizeof(nodes),
	                          .element = &node_shape };
static const shape map_shape = { .name = "Map", .kind = SHAPE_MAP, .size = sizeof(named),
	                         .key = &string_shape, .element = &node_shape,
	                         .entry_size = sizeof(named_entry),
	                         .value_offset = offsetof(named_entry, value) };
#define MEMBER(id, of) { .name = #id, .wire_name = #id, .shape = &of, .offset = offsetof(node, id) }
static const shape_member members[] = {
	MEMBER(S, string_shape), MEMBER(I, integer_shape), MEMBER(F, floating_shape),
	MEMBER(B, boolean_shape), MEMBER(T, moment_shape), MEMBER(Raw, blob_shape),
	MEMBER(Doc, document_shape), MEMBER(Next, node_shape), MEMBER(List, list_shape),
	MEMBER(Map, map_shape),
};
static const shape node_shape = { .name = "Node", .kind = SHAPE_STRUCT, .size = sizeof(node),
	                          .n_members = sizeof members / sizeof *members, .members = members };

static str text_of(arena *mem, const node *n)
{
	buf b = buf_in(mem, 0, 1 << 20);
	json_encode_value(&b, &node_shape, n);
	return buf_str(&b);
}

#define WHOLE \
	"{\"S\":\"a\\\"\xe2\x82\xac\",\"I\":-7,\"F\":0.5,\"B\":false,\"T\":1398796238.123,\"Raw\":\"AAEC\"," \
	"\"Doc\":{\"x\":[1,null]},\"Next\":{\"Next\":{}},\"List\":[{\"S\":\"\"},{\"List\":[]}]," \
	"\"Map\":{\"k\":{\"I\":1},\"\":{}}}"

TEST(values_read_back_from_json)
{
	node n = { 0 };
	CHECK_OK(json_decode_value(mem, &node_shape, S(WHOLE), &n));
	CHECK_I64(n.T.v, INT64_C(1398796238123));
	CHECK(n.B.set && !n.B.v && n.List.n == 2 && n.Map.n == 2 && n.Next->Next);
	CHECK_STR(text_of(mem, &n), S(WHOLE));
}

TEST(values_take_their_members_in_any_order_and_the_last_of_two)
{
	node n = { 0 };
	CHECK_OK(json_decode_value(mem, &node_shape,
	                           S(" { \"I\" : 1 , \"S\" : \"x\" , \"Nobody\" : [ { } ] , \"I\" : 2 } "), &n));
	CHECK_STR(text_of(mem, &n), S("{\"S\":\"x\",\"I\":2}"));
}

TEST(values_read_back_from_cbor)
{
	node n = { 0 }, back = { 0 };
	CHECK_OK(json_decode_value(mem, &node_shape, S(WHOLE), &n));
	buf b = buf_in(mem, 0, 1 << 20);
	cbor_encode_value(&b, &node_shape, &n);
	CHECK(b.n < sizeof WHOLE);
	CHECK_OK(cbor_decode_value(mem, &node_shape, buf_str(&b), &back));
	CHECK_STR(text_of(mem, &back), S(WHOLE));
	for (size_t cut = 0; cut < b.n; cut++) {
		node part = { 0 };
		str bytes = arena_str(mem, str_sub(buf_str(&b), 0, cut));
		CHECK(cbor_decode_value(mem, &node_shape, bytes, &part) != OK);
	}
}

TEST(copies_do_not_depend_on_their_source)
{
	arena *other = arena_open(1024);
	node n = { 0 }, copy = { 0 };
	str text = arena_str(other, S(WHOLE));
	CHECK_OK(json_decode_value(other, &node_shape, text, &n));
	shape_copy(mem, &node_shape, &n, &copy);
	memset((char *)(uintptr_t)text.p, 'x', text.n);
	arena_close(other);
	CHECK_STR(text_of(mem, &copy), S(WHOLE));
}

TEST(a_failed_value_says_why)
{
	node n = { 0 };
	static const struct { const char *json, *why; } cases[] = {
		{ "{\"I\":\"1\"}", "STRING_VALUE can not be converted to an Integer" },
		{ "{\"I\":3e9}", "NUMBER_VALUE can not be converted to an Integer" },
		{ "{\"B\":1}", "NUMBER_VALUE can not be converted to a Boolean" },
		{ "{\"T\":\"soon\"}", "STRING_VALUE can not be converted to milliseconds since epoch" },
		{ "{\"Next\":[]}", "Start of list found where not expected" },
		{ "{\"Map\":1}", "Expected map or null" },
		{ "{\"S\":\"\xff\"}", "Unexpected token received from parser" },
		{ "{} {}", "Unexpected token received from parser" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		err e = json_decode_value(mem, &node_shape, str_c(cases[i].json), &n);
		CHECK(e && e->kind == &fault_syntax);
		CHECK_STR(e->message, str_c(cases[i].why));
	}
}

TEST(a_small_message_cannot_take_much_memory)
{
	buf b = buf_in(mem, 0, 1 << 20);
	node n = { 0 };
	buf_put(&b, S("{\"List\":[{}"));
	for (int i = 0; i < 100000; i++)
		buf_put(&b, S(",{}"));
	buf_put(&b, S("]}"));
	size_t before = arena_used(mem);
	err e = json_decode_value(mem, &node_shape, buf_str(&b), &n);
	CHECK(e && str_starts(e->message, S("The request takes more memory")));
	CHECK(arena_used(mem) - before < b.n * 64 + (3 << 20));
}

TEST(seconds_are_read_exactly)
{
	static const struct { const char *text; int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "1.5", 1500 },
		{ "-1.5", -1500 },
		{ "-0.25", -250 },
		{ "1398796238.1229999", 1398796238123 },
		{ "1.0004", 1000 },
		{ "1e3", 1000000 },
		{ "1.25E1", 12500 },
		{ "253402300799", 253402300799000 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms;
		CHECK(epoch_read(str_c(cases[i].text), &ms));
		CHECK_I64(ms, cases[i].ms);
	}
	int64_t ms;
	CHECK(!epoch_read(S("1e300"), &ms) && !epoch_read(S("9223372036854775807"), &ms));
	CHECK(!epoch_read(S("x"), &ms) && !epoch_read(S(""), &ms));
}
