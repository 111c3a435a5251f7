#include "price/csv.h"
#include "test/test.h"

TEST(csv_reads_quotes_doubles_and_line_ends)
{
	str f[4];
	csv c = csv_of(mem, S("\xef\xbb\xbf" "a,b,c\r\n\r\n"
	                      "\"x, y\",\"he said \"\"no\"\"\",\n\"two\nlines\",2,3"));
	CHECK_I64(csv_row(&c, f, 4), 3);
	CHECK_STR(f[0], S("a"));
	CHECK_STR(f[2], S("c"));
	CHECK_I64(csv_row(&c, f, 4), 3);
	CHECK_STR(f[0], S("x, y"));
	CHECK_STR(f[1], S("he said \"no\""));
	CHECK_STR(f[2], S(""));
	CHECK_I64(c.line, 3);
	CHECK_I64(csv_row(&c, f, 4), 3);
	CHECK_STR(f[0], S("two\nlines"));
	CHECK_I64(csv_row(&c, f, 4), 0);
	CHECK(!c.broken);
}

TEST(csv_refuses_broken_rows)
{
	const char *bad[] = { "\"open", "\"x\"y,1", "1,2,3,4,5", "\"" };
	str f[4];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		csv c = csv_of(mem, str_c(bad[i]));
		CHECK_I64(csv_row(&c, f, 4), 0);
		CHECK(c.broken);
	}
}

TEST(csv_writes_what_it_reads)
{
	const char *fields[] = { "", "plain", "a,b", "say \"x\"", "two\r\nlines", "\"" };
	enum { N = sizeof fields / sizeof *fields };
	buf b = buf_in(mem, 64, 1024);
	for (size_t i = 0; i < N; i++) {
		if (i)
			buf_c(&b, ',');
		csv_put(&b, str_c(fields[i]));
	}
	str f[N];
	csv c = csv_of(mem, buf_str(&b));
	CHECK_I64(csv_row(&c, f, N), N);
	for (size_t i = 0; i < N; i++)
		CHECK_STR(f[i], str_c(fields[i]));
}
