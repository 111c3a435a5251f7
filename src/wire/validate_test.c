#include "test/test.h"
#include "wire/codec.h"
#include <stddef.h>

typedef struct inner {
	str Key;
	str Value;
} inner;

typedef struct names { str *v; size_t n; } names;
typedef struct inners { inner *v; size_t n; } inners;
typedef struct labels_entry { str key, value; } labels_entry;
typedef struct labels { labels_entry *v; size_t n; } labels;

typedef struct input {
	str Name;
	str Kind;
	opt_i64 Limit;
	str Data;
	str Secret, Path;
	names Names;
	inners Tags;
	labels Labels;
	inner *Choice;
} input;

static const char *const kinds[] = { "BLUE", "RED" };
static const shape name_shape = { .name = "Name", .kind = SHAPE_STRING, .size = sizeof(str), .has_min = true,
	                          .has_max = true, .min = 1, .max = 4, .pattern = "[a-z\xc3\xa9]+" };
static const shape kind_shape = { .name = "Kind", .kind = SHAPE_ENUM, .size = sizeof(str), .values = kinds,
	                          .n_values = 2 };
static const shape limit_shape = { .name = "Limit", .kind = SHAPE_INTEGER, .size = sizeof(opt_i64),
	                           .has_min = true, .has_max = true, .min = 1, .max = 100 };
static const shape data_shape = { .name = "Data", .kind = SHAPE_BLOB, .size = sizeof(str), .has_max = true,
	                          .max = 3 };
static const shape secret_shape = { .name = "Secret", .kind = SHAPE_STRING, .size = sizeof(str),
	                            .has_min = true, .min = 8, .sensitive = true };
static const shape path_shape = { .name = "Path", .kind = SHAPE_STRING, .size = sizeof(str), .has_max = true,
	                          .max = 5, .pattern = "/.*", .says = "It must begin with /." };
static const shape names_shape = { .name = "Names", .kind = SHAPE_LIST, .size = sizeof(names),
	                           .element = &name_shape, .has_max = true, .max = 2 };
static const shape_member inner_members[] = {
	{ .name = "Key", .wire_name = "Key", .shape = &name_shape, .offset = offsetof(inner, Key),
	  .required = true },
	{ .name = "Value", .wire_name = "Value", .shape = &kind_shape, .offset = offsetof(inner, Value) },
};
static const shape inner_shape = { .name = "Tag", .kind = SHAPE_STRUCT, .size = sizeof(inner), .n_members = 2,
	                           .members = inner_members };
static const shape choice_shape = { .name = "Choice", .kind = SHAPE_STRUCT, .size = sizeof(inner),
	                            .n_members = 2, .members = inner_members, .is_union = true };
static const shape tags_shape = { .name = "Tags", .kind = SHAPE_LIST, .size = sizeof(inners),
	                          .element = &inner_shape };
static const shape labels_shape = { .name = "Labels", .kind = SHAPE_MAP, .size = sizeof(labels),
	                            .key = &name_shape, .element = &kind_shape,
	                            .entry_size = sizeof(labels_entry),
	                            .value_offset = offsetof(labels_entry, value) };
#define MEMBER(id, of, ...) \
	{ .name = #id, .wire_name = #id, .shape = &of, .offset = offsetof(input, id), __VA_ARGS__ }
static const shape_member members[] = {
	MEMBER(Name, name_shape, .required = true), MEMBER(Kind, kind_shape), MEMBER(Limit, limit_shape),
	MEMBER(Data, data_shape), MEMBER(Secret, secret_shape), MEMBER(Path, path_shape),
	MEMBER(Names, names_shape),
	MEMBER(Tags, tags_shape), MEMBER(Labels, labels_shape), MEMBER(Choice, choice_shape),
};
static const shape input_shape = { .name = "Input", .kind = SHAPE_STRUCT, .size = sizeof(input),
	                           .n_members = sizeof members / sizeof *members, .members = members };

static str said(arena *mem, const char *json)
{
	input in = { 0 };
	err e = json_decode_value(mem, &input_shape, str_c(json), &in);
	return e ? e->message : validate(mem, &input_shape, &in);
}

TEST(validate_lets_good_values_pass)
{
	CHECK(!str_is(said(mem,
	                   "{\"Name\":\"a\xc3\xa9z\xc3\xa9\",\"Kind\":\"RED\",\"Limit\":100,\"Data\":\"AAAA\","
	                   "\"Names\":[\"a\"],\"Tags\":[{\"Key\":\"k\",\"Value\":\"BLUE\"}],"
	                   "\"Labels\":{\"l\":\"RED\"},\"Choice\":{\"Key\":\"k\"}}")));
}

TEST(validate_speaks_as_aws_does)
{
	CHECK_STR(said(mem, "{}"), S("1 validation error detected: Value null at 'name' failed to satisfy "
	                             "constraint: Member must not be null"));
	CHECK_STR(said(mem, "{\"Name\":\"\"}"),
	          S("2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must "
	            "satisfy regular expression pattern: [a-z\xc3\xa9]+; Value '' at 'name' failed to satisfy "
	            "constraint: Member must have length greater than or equal to 1"));
	CHECK_STR(said(mem, "{\"Name\":\"abcde\"}"),
	          S("1 validation error detected: Value 'abcde' at 'name' failed to satisfy constraint: Member "
	            "must have length less than or equal to 4"));
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Kind\":\"GREEN\",\"Limit\":0}"),
	          S("2 validation errors detected: Value 'GREEN' at 'kind' failed to satisfy constraint: Member "
	            "must satisfy enum value set: [BLUE, RED]; Value '0' at 'limit' failed to satisfy "
	            "constraint: Member must have value greater than or equal to 1"));
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Data\":\"AAAAAA==\"}"),
	          S("1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]' at 'data' "
	            "failed to satisfy constraint: Member must have length less than or equal to 3"));
}

TEST(validate_lets_services_say_what_a_pattern_demands)
{
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Path\":\"x\"}"),
	          S("The specified value for path is invalid. It must begin with /."));
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Path\":\"xxxxxx\"}"),
	          S("1 validation error detected: Value 'xxxxxx' at 'path' failed to satisfy constraint: Member "
	            "must have length less than or equal to 5"));
	CHECK(!str_is(said(mem, "{\"Name\":\"a\",\"Path\":\"/x\"}")));
}

static str said_of_parameters(arena *mem, const char *json)
{
	input in = { 0 };
	err e = json_decode_value(mem, &input_shape, str_c(json), &in);
	return e ? e->message : validate_parameters(mem, &input_shape, &in);
}

TEST(validate_tells_parameters)
{
	CHECK_STR(said_of_parameters(mem, "{\"Name\":\"\",\"Limit\":0}"),
	          S("Invalid parameter at 'name' failed to satisfy constraint: 'Member must satisfy regular "
	            "expression pattern: [a-z\xc3\xa9]+'"));
	CHECK_STR(said_of_parameters(mem, "{\"Name\":\"a\",\"Path\":\"x\"}"),
	          S("Invalid parameter at 'path' failed to satisfy constraint: 'It must begin with /.'"));
	CHECK_STR(said_of_parameters(mem, "{\"Name\":\"a\",\"Path\":\"/xxxxx\"}"),
	          S("Invalid parameter at 'path' failed to satisfy constraint: 'must have length less than or "
	            "equal to 5'"));
	CHECK(!str_is(said_of_parameters(mem, "{\"Name\":\"a\"}")));
}

TEST(validate_does_not_tell_secrets)
{
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Secret\":\"hunter2\"}"),
	          S("1 validation error detected: Value at 'secret' failed to satisfy constraint: Member must "
	            "have length greater than or equal to 8"));
}

TEST(validate_goes_into_lists_and_maps)
{
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Tags\":[{\"Key\":\"k\"},{\"Value\":\"X\"}]}"),
	          S("2 validation errors detected: Value null at 'tags.2.member.key' failed to satisfy "
	            "constraint: Member must not be null; Value 'X' at 'tags.2.member.value' failed to satisfy "
	            "constraint: Member must satisfy enum value set: [BLUE, RED]"));
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Names\":[\"b\",\"C\",\"d\"]}"),
	          S("2 validation errors detected: Value '[b, C, d]' at 'names' failed to satisfy constraint: "
	            "Member must have length less than or equal to 2; Value '[b, C, d]' at 'names' failed to "
	            "satisfy constraint: Member must satisfy constraint: [Member must have length less than or "
	            "equal to 4, Member must have length greater than or equal to 1, Member must satisfy "
	            "regular expression pattern: [a-z\xc3\xa9]+]"));
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Labels\":{\"toolong\":\"RED\"}}"),
	          S("1 validation error detected: Value '{toolong=RED}' at 'labels' failed to satisfy "
	            "constraint: Map keys must satisfy constraint: [Member must have length less than or equal "
	            "to 4, Member must have length greater than or equal to 1, Member must satisfy regular "
	            "expression pattern: [a-z\xc3\xa9]+]"));
	CHECK_STR(said(mem, "{\"Name\":\"a\",\"Labels\":{\"l\":\"X\"}}"),
	          S("1 validation error detected: Value '{l=X}' at 'labels' failed to satisfy constraint: Map "
	            "value must satisfy constraint: [Member must satisfy enum value set: [BLUE, RED]]"));
}

TEST(validate_counts_union_members)
{
	CHECK(str_find(said(mem, "{\"Name\":\"a\",\"Choice\":{\"Key\":\"k\",\"Value\":\"RED\"}}"),
	               S("at 'choice' failed to satisfy constraint: Member must have exactly one")) != SIZE_MAX);
}

TEST(validate_stops_at_ten)
{
	buf b = buf_in(mem, 0, 4096);
	buf_put(&b, S("{\"Name\":\"a\",\"Tags\":[{}"));
	for (int i = 0; i < 30; i++)
		buf_put(&b, S(",{}"));
	buf_put(&b, S("]}"));
	CHECK(str_starts(said(mem, arena_str(mem, buf_str(&b)).p), S("10 validation errors detected: ")));
}
