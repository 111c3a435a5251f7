#include "base/text.h"
#include "checksum.h"
#include "cloud/virtual_host.h"
#include "listing.h"
#include "read.h"
#include "test/test.h"

static str sum_of(arena *mem, const checksum_kind *k, str bytes)
{
	digest *d = digest_open(mem, k->digest);
	digest_add(d, bytes.p, bytes.n);
	return digest_finish(mem, d);
}

TEST(s3_checksums_of_parts_combine)
{
	char text[5000];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 31 + i / 7);
	for (size_t i = 0; i < checksum_n_kinds; i++) {
		const checksum_kind *k = &checksum_kinds[i];
		for (size_t cut = 0; k->crc && cut <= sizeof text; cut += 625) {
			str a = str_of(text, cut), b = str_of(text + cut, sizeof text - cut);
			str both = checksum_combine(mem, k, sum_of(mem, k, a), sum_of(mem, k, b), (int64_t)b.n);
			CHECK(str_eq(both, sum_of(mem, k, str_of(text, sizeof text))));
		}
	}
}

TEST(s3_ranges)
{
	static const struct {
		const char *text;
		bool fits, part;
		int64_t first, length;
	} cases[] = {
		{ "bytes=0-0", true, true, 0, 1 },     { "bytes=2-", true, true, 2, 8 },
		{ "bytes=-3", true, true, 7, 3 },      { "bytes=-30", true, true, 0, 10 },
		{ "bytes=5-100", true, true, 5, 5 },   { "bytes=10-", false, false, 0, 10 },
		{ "bytes=-0", false, false, 0, 10 },   { "bytes=4-2", true, false, 0, 10 },
		{ "bytes=0-1,3-4", true, false, 0, 10 }, { "lines=1-2", true, false, 0, 10 },
		{ "bytes=x-2", true, false, 0, 10 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t first, length;
		bool part;
		CHECK(read_range(str_c(cases[i].text), 10, &first, &length, &part) == cases[i].fits);
		CHECK(part == cases[i].part);
		CHECK_I64(first, cases[i].first);
		CHECK_I64(length, cases[i].length);
	}
}

TEST(s3_hosts_name_buckets)
{
	static const char *const cases[][2] = {
		{ "b.s3.amazonaws.com", "b" }, { "b.s3.eu-west-1.amazonaws.com:443", "b" },
		{ "a.b.s3.localhost:4566", "a.b" }, { "b.s3-us-west-2.amazonaws.com", "b" },
		{ "x.s3.y.s3.us-east-1.localhost", "x.s3.y" }, { "s3.amazonaws.com", "" },
		{ "localhost:4566", "" }, { "b.s3-website-us-east-1.amazonaws.com", "" },
		{ "1.s3-control.us-east-1.amazonaws.com", "" }, { "b.s3.example.com", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		str got = virtual_host_bucket(str_c(cases[i][0]));
		CHECK(str_eq(str_is(got) ? got : S(""), str_c(cases[i][1])));
	}
}

/* Pages of every size must give the same entries, in order, without repetition, as one large page does. */
static size_t walk(arena *mem, const str *keys, size_t n_keys, int64_t max, str *entries)
{
	size_t n = 0;
	str after = STR_NONE;
	for (bool more = true; more;) {
		listing l = { .prefix = S(""), .delimiter = S("/"), .max = max, .after = after };
		l.groups.v = arena_array(mem, s3_CommonPrefix, (size_t)max + 1);
		for (size_t i = 0; i < n_keys; i++) {
			str seek;
			int64_t before = l.n;
			if (listing_key(mem, &l, keys[i], &seek) == LIST_STOP)
				break;
			if (l.n > before)
				entries[n++] = l.last;
		}
		more = l.truncated;
		after = l.last;
	}
	return n;
}

TEST(s3_pages_of_a_listing)
{
	const str keys[] = { S("a"), S("a/"), S("a/b"), S("a/b/c"), S("a0"), S("b"), S("c/d"), S("c/e"), S("d") };
	const str want[] = { S("a"), S("a/"), S("a0"), S("b"), S("c/"), S("d") };
	for (int64_t max = 1; max < 8; max++) {
		str got[64];
		size_t n = walk(mem, keys, sizeof keys / sizeof *keys, max, got);
		CHECK_I64((int64_t)n, 6);
		for (size_t i = 0; i < 6 && i < n; i++)
			CHECK(str_eq(got[i], want[i]));
	}
	CHECK(str_cmp(key_before(mem, S("b")), S("b")) < 0);
	CHECK(str_cmp(key_before(mem, S("b")), S("a~")) > 0);
}
