#include "cloud/record.h"
#include "test/test.h"
#include "base/buf.h"
#include "cloud/req.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct tag { str Key, Value; } tag;
typedef struct tag_list { tag *v; size_t n; } tag_list;
typedef struct note {
	str Account, Name;
	int64_t Version;
	str Text;
	int64_t When;
	bool Done;
	tag *Best;
	tag_list Tags;
	opt_i64 Size;
} note;

static const shape string_shape = { "String", SHAPE_STRING, .size = sizeof(str) };
static const shape long_shape = { "Long", SHAPE_LONG, .size = sizeof(opt_i64) };
static const shape_member tag_members[] = {
	{ "Key", "Key", .shape = &string_shape, .offset = offsetof(tag, Key) },
	{ "Value", "Value", .shape = &string_shape, .offset = offsetof(tag, Value) },
};
static const shape tag_shape = {
	"Tag", SHAPE_STRUCT, .size = sizeof(tag), .n_members = 2, .members = tag_members,
};
static const shape tags_shape = {
	"TagList", SHAPE_LIST, .size = sizeof(tag_list), .element = &tag_shape,
	.element_name = "member",
};
static const record_field note_fields[] = {
	{ 0, offsetof(note, Account), RECORD_STR, NULL, "Account" },
	{ 0, offsetof(note, Name), RECORD_STR, NULL, "Name" },
	{ 0, offsetof(note, Version), RECORD_I64, NULL, "Version" },
	{ 1, offsetof(note, Text), RECORD_STR, NULL, "Text" },
	{ 7, offsetof(note, When), RECORD_I64, NULL, "When" },
	{ 3, offsetof(note, Done), RECORD_BOOL, NULL, "Done" },
	{ 4, offsetof(note, Best), RECORD_SHAPE, &tag_shape, "Best" },
	{ 5, offsetof(note, Tags), RECORD_SHAPE, &tags_shape, "Tags" },
	{ 300, offsetof(note, Size), RECORD_SHAPE, &long_shape, "Size" },
};
static const record_kind note_kind = { "test.note", sizeof(note), 3, 9, note_fields };
/* What an older or a newer build knows of the same rows. */
static const record_field few_fields[] = {
	{ 0, offsetof(note, Account), RECORD_STR, NULL, "Account" },
	{ 0, offsetof(note, Name), RECORD_STR, NULL, "Name" },
	{ 0, offsetof(note, Version), RECORD_I64, NULL, "Version" },
	{ 3, offsetof(note, Done), RECORD_BOOL, NULL, "Done" },
	{ 9, offsetof(note, Text), RECORD_STR, NULL, "Comment" },
};
static const record_kind few_kind = { "test.note", sizeof(note), 3, 5, few_fields };

static bool parse(arena *mem, const record_kind *kind, str key, str value, note *row)
{
	str copy = arena_str(mem, key);
	return record_parse(mem, kind, (char *)(uintptr_t)copy.p, copy.n, value, row);
}

static void check_same(const note *got, const note *want)
{
	CHECK_STR(got->Account, want->Account);
	CHECK_STR(got->Name, want->Name);
	CHECK_I64(got->Version, want->Version);
	CHECK_STR(got->Text, want->Text);
	CHECK(str_is(got->Text) == str_is(want->Text));
	CHECK_I64(got->When, want->When);
	CHECK(got->Done == want->Done);
	CHECK((got->Best != NULL) == (want->Best != NULL));
	if (want->Best)
		CHECK_STR(got->Best->Value, want->Best->Value);
	CHECK((got->Tags.v != NULL) == (want->Tags.v != NULL));
	CHECK_I64(got->Tags.n, want->Tags.n);
	for (size_t i = 0; i < want->Tags.n; i++)
		CHECK_STR(got->Tags.v[i].Key, want->Tags.v[i].Key);
	CHECK(got->Size.set == want->Size.set);
	CHECK_I64(got->Size.v, want->Size.v);
}

TEST(record_reads_what_it_wrote)
{
	tag best = { S("k"), S("v") }, tags[] = { { S("a"), S("1") }, { S("b"), S("2") } };
	char *large = arena_bytes(mem, 100000);
	memset(large, 'x', 100000);
	note notes[] = {
		{ .Account = S("000000000000"), .Name = S("n") },
		{ .Account = S(""), .Name = S(""), .Text = S(""), .When = INT64_MIN, .Done = true,
		  .Tags = { tags, 0 }, .Size = I64(0) },
		{ .Account = S("a\0b"), .Name = S("\0"), .Version = INT64_MIN, .Text = S("\0\xff\x01"),
		  .When = INT64_MAX, .Best = &best, .Tags = { tags, 2 }, .Size = I64(-5) },
		{ .Account = S("\xff\xff"), .Name = S("z"), .Version = INT64_MAX, .When = -1,
		  .Text = { large, 100000 }, .Best = &(tag){ .Value = { large, 70000 } } },
	};
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
		note got = { 0 };
		str key = record_key(mem, &note_kind, &notes[i]);
		CHECK(parse(mem, &note_kind, key, record_value(mem, &note_kind, &notes[i]), &got));
		check_same(&got, &notes[i]);
	}
}

TEST(record_fields_come_and_go)
{
	note old = { .Account = S("1"), .Name = S("n"), .Text = S("gone"), .Done = true,
	             .Best = &(tag){ .Key = S("k") } };
	note got = { 0 }, back = { 0 };
	str key = record_key(mem, &note_kind, &old);
	CHECK(parse(mem, &few_kind, key, record_value(mem, &note_kind, &old), &got));
	CHECK(got.Done && !str_is(got.Text) && !got.Best);
	got.Text = S("new");
	CHECK(parse(mem, &note_kind, key, record_value(mem, &few_kind, &got), &back));
	CHECK(back.Done && !str_is(back.Text));
}

static str random_part(arena *mem)
{
	size_t n = rand_below(4);
	char *p = arena_bytes(mem, n + 1);
	for (size_t i = 0; i < n; i++)
		p[i] = "\0\1\xff" "a"[rand_below(4)];
	return str_of(p, n);
}

static int sign(int64_t v)
{
	return (v > 0) - (v < 0);
}

TEST(record_keys_sort_by_their_parts)
{
	rand_seed(7);
	static const int64_t numbers[] = { INT64_MIN, -256, -1, 0, 1, 255, 256, INT64_MAX };
	for (int i = 0; i < 20000; i++) {
		note n[2] = { 0 };
		for (int k = 0; k < 2; k++) {
			n[k].Account = random_part(mem);
			n[k].Name = random_part(mem);
			n[k].Version = numbers[rand_below(8)];
		}
		int want = str_cmp(n[0].Account, n[1].Account);
		want = want ? want : str_cmp(n[0].Name, n[1].Name);
		want = want ? want : (n[0].Version > n[1].Version) - (n[0].Version < n[1].Version);
		int got = str_cmp(record_key(mem, &note_kind, &n[0]), record_key(mem, &note_kind, &n[1]));
		CHECK_I64(sign(got), sign(want));
	}
}

TEST(record_keys_that_are_too_long_are_none)
{
	char *p = arena_bytes(mem, 5000);
	memset(p, 'a', 5000);
	CHECK(!str_is(record_key(mem, &note_kind, &(note){ .Name = str_of(p, 5000) })));
	CHECK(str_is(record_key(mem, &note_kind, &(note){ .Name = str_of(p, 3000) })));
}

TEST(record_damaged_rows_are_refused)
{
	note row = { .Account = S("1"), .Name = S("n"), .Text = S("text"), .When = 5, .Done = true,
	             .Size = I64(7), .Best = &(tag){ .Key = S("k") } };
	str key = record_key(mem, &note_kind, &row), value = record_value(mem, &note_kind, &row);
	for (size_t n = 0; n < value.n; n++) {
		note got = { 0 };
		CHECK(!parse(mem, &note_kind, key, str_sub(value, 0, n), &got));
	}
	for (size_t n = 0; n < key.n; n++) {
		note got = { 0 };
		CHECK(!parse(mem, &note_kind, str_sub(key, 0, n), value, &got));
	}
	note got = { 0 };
	CHECK(!parse(mem, &note_kind, arena_concat(mem, key, S("x")), value, &got));
	CHECK(!parse(mem, &note_kind, key, arena_concat(mem, value, S("\1")), &got));
}

typedef struct shop { arena *mem; str path; store *store; } shop;

static void shop_open(shop *s, arena *mem)
{
	char name[] = "/tmp/farthing-record-XXXXXX";
	ensure(mkdtemp(name));
	s->mem = mem;
	s->path = arena_str(mem, str_c(name));
	store_options options = { .path = s->path, .map_bytes = (size_t)64 << 20 };
	CHECK_OK(store_open(mem, &options, &s->store));
}

static void shop_close(shop *s)
{
	store_close(s->store);
	CHECK_OK(dir_remove(s->mem, s->path));
}

static bool fill(void *context, txn *tx)
{
	(void)context;
	static const char *const names[] = { "a", "b", "b/c", "c" };
	for (size_t i = 0; i < 4; i++)
		for (int64_t v = -1; v <= 1; v++) {
			note n = { .Account = S("1"), .Name = str_c(names[i]), .Version = v, .When = 10 + v };
			record_put(tx, &note_kind, &n);
		}
	record_put(tx, &note_kind, &(note){ .Account = S("2"), .Name = S("other"), .Done = true });
	bool gone =
		record_delete(tx, &note_kind, &(note){ .Account = S("1"), .Name = S("c"), .Version = 1 });
	bool again =
		record_delete(tx, &note_kind, &(note){ .Account = S("1"), .Name = S("c"), .Version = 1 });
	return gone && !again;
}

static bool put_too_long(void *context, txn *tx)
{
	str name = *(const str *)context;
	record_put(tx, &note_kind, &(note){ .Account = S("1"), .Name = S("short") });
	record_put(tx, &note_kind, &(note){ .Account = S("1"), .Name = name });
	return true;
}

/* The rows of a scan as text: "a-1 a0 a1". */
static str walked(arena *mem, record_scan s)
{
	buf b = buf_in(mem, 64, 4096);
	for (note *n; (n = record_scan_next(&s));)
		buf_fmt(&b, "%s%.*s%d", b.n ? " " : "", STR_ARG(n->Name), (int)n->Version);
	return buf_str(&b);
}

static void check_scans(arena *mem, const txn *tx)
{
	note key = { .Account = S("1"), .Name = S("b") };
	record_scan s = record_scan_open(tx, mem, &note_kind, 1, &key);
	CHECK_STR(walked(mem, s), S("a-1 a0 a1 b-1 b0 b1 b/c-1 b/c0 b/c1 c-1 c0"));
	record_scan_after(&s, S("b"));
	CHECK_STR(walked(mem, s), S("b/c-1 b/c0 b/c1 c-1 c0"));
	record_scan_reverse(&s);
	CHECK_STR(walked(mem, s), S("a1 a0 a-1"));
	s = record_scan_open(tx, mem, &note_kind, 2, &key);
	CHECK_STR(walked(mem, s), S("b-1 b0 b1"));
	record_scan_after(&s, S("-1"));
	CHECK_STR(walked(mem, s), S("b0 b1"));
	s = record_scan_open(tx, mem, &note_kind, 2, &key);
	record_scan_reverse(&s);
	CHECK_STR(walked(mem, s), S("b1 b0 b-1"));
	s = record_scan_open(tx, mem, &note_kind, 0, &key);
	CHECK_I64(walked(mem, s).n, sizeof "a-1 a0 a1 b-1 b0 b1 b/c-1 b/c0 b/c1 c-1 c0 other0" - 1);
	s = record_scan_open(tx, mem, &note_kind, 1, &(note){ .Account = S("") });
	CHECK_STR(walked(mem, s), S(""));
}

TEST(record_rows_in_the_store)
{
	shop s;
	shop_open(&s, mem);
	CHECK_OK(store_write(s.store, fill, NULL));
	const txn *tx = store_read(s.store);
	note *n = record_get(tx, mem, &note_kind,
	                     &(note){ .Account = S("1"), .Name = S("b"), .Version = -1 });
	CHECK(n && n->When == 9);
	CHECK(!record_get(tx, mem, &note_kind,
	                  &(note){ .Account = S("1"), .Name = S("c"), .Version = 1 }));
	CHECK(!record_get(tx, mem, &note_kind, &(note){ .Account = S("1"), .Name = S("bb") }));
	check_scans(mem, tx);
	store_read_end(s.store, tx);
	str endless = arena_str(mem, str_of(arena_bytes(mem, 5000), 5000));
	memset((char *)endless.p, 'x', endless.n);
	err refused = store_write(s.store, put_too_long, &endless);
	CHECK(refused && refused->kind == &aws_ValidationException);
	CHECK_OK(store_write(s.store, fill, NULL));
	tx = store_read(s.store);
	CHECK(!record_get(tx, mem, &note_kind, &(note){ .Account = S("1"), .Name = S("short") }));
	store_read_end(s.store, tx);
	shop_close(&s);
}
