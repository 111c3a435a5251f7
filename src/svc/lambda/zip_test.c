#include "zip.h"
#include "base/digest.h"
#include "sys/file.h"
#include "test/test.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct made {
	buf data, directory;
	int n;
} made;

static void u16(buf *b, unsigned v)
{
	buf_c(b, (char)v);
	buf_c(b, (char)(v >> 8));
}

static void u32(buf *b, uint32_t v)
{
	u16(b, v & 0xffff);
	u16(b, v >> 16);
}

/* A stored entry; crc 0 stands for an empty one. */
static void add(made *m, const char *name, const char *text, unsigned mode, uint32_t crc)
{
	uint32_t size = (uint32_t)strlen(text), offset = (uint32_t)m->data.n;
	u32(&m->data, 0x04034b50);
	for (int i = 0; i < 5; i++)
		u16(&m->data, 0);
	u32(&m->data, crc), u32(&m->data, size), u32(&m->data, size);
	u16(&m->data, (unsigned)strlen(name)), u16(&m->data, 0);
	buf_put(&m->data, str_c(name)), buf_put(&m->data, str_c(text));
	u32(&m->directory, 0x02014b50);
	u16(&m->directory, 3 << 8);
	for (int i = 0; i < 5; i++)
		u16(&m->directory, 0);
	u32(&m->directory, crc), u32(&m->directory, size), u32(&m->directory, size);
	u16(&m->directory, (unsigned)strlen(name));
	for (int i = 0; i < 4; i++)
		u16(&m->directory, 0);
	u32(&m->directory, mode << 16), u32(&m->directory, offset);
	buf_put(&m->directory, str_c(name));
	m->n++;
}

static str finish(made *m)
{
	uint32_t at = (uint32_t)m->data.n, size = (uint32_t)m->directory.n;
	buf_put(&m->data, buf_str(&m->directory));
	u32(&m->data, 0x06054b50);
	u32(&m->data, 0);
	u16(&m->data, (unsigned)m->n), u16(&m->data, (unsigned)m->n);
	u32(&m->data, size), u32(&m->data, at);
	u16(&m->data, 0);
	return buf_str(&m->data);
}

static made begin(arena *mem)
{
	return (made){ buf_in(mem, 1024, 65536), buf_in(mem, 1024, 65536), 0 };
}

static str folder(arena *mem)
{
	char name[] = "/tmp/farthing-zip-XXXXXX";
	ensure(mkdtemp(name));
	return arena_str(mem, str_c(name));
}

TEST(zip_unpacks)
{
	made m = begin(mem);
	add(&m, "a/b/", "", 040755, 0);
	add(&m, "./a//b/c.txt", "hello", 0100750, 0x3610a686);
	add(&m, "link", "a/b/c.txt", 0120777, 0x1a9d485b);
	str z = finish(&m), to = folder(mem), text;
	const char *why = NULL;
	struct stat s;
	CHECK_I64(zip_unpacked_size(mem, z), 14);
	CHECK(zip_unpack(mem, z, to, 1000, &why));
	CHECK_OK(file_read(mem, path_join(mem, to, S("a/b/c.txt")), 100, &text));
	CHECK_STR(text, S("hello"));
	CHECK(stat(path_join(mem, to, S("a/b/c.txt")).p, &s) == 0);
	CHECK_I64(s.st_mode & 0777, 0754);
	CHECK_OK(dir_remove(mem, to));
}

TEST(zip_refuses_what_leads_outside)
{
	static const char *const names[] = { "/etc/x", "../x", "a/../../x", "a/..", ".." };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		made m = begin(mem);
		add(&m, names[i], "", 0100644, 0);
		CHECK_I64(zip_unpacked_size(mem, finish(&m)), -1);
	}
}

TEST(zip_does_not_follow_links)
{
	str outside = folder(mem), to = folder(mem);
	made m = begin(mem);
	const char *why = NULL;
	add(&m, "out", outside.p, 0120777, crc32_of(0, outside.p, outside.n));
	add(&m, "out/escaped", "", 0100644, 0);
	CHECK(!zip_unpack(mem, finish(&m), to, 1000, &why));
	CHECK(why);
	CHECK(symlink(outside.p, path_join(mem, to, S("own")).p) == 0);
	m = begin(mem);
	add(&m, "own/escaped", "", 0100644, 0);
	CHECK(!zip_unpack(mem, finish(&m), to, 1000, &why));
	CHECK(!file_exists(path_join(mem, outside, S("escaped"))));
	CHECK_OK(dir_remove(mem, to));
	CHECK_OK(dir_remove(mem, outside));
}

TEST(zip_checks_sums_and_sizes)
{
	str to = folder(mem);
	made m = begin(mem);
	const char *why = NULL;
	add(&m, "x", "hello", 0100644, 0x3610a687);
	str z = finish(&m);
	CHECK(!zip_unpack(mem, z, to, 1000, &why));
	m = begin(mem);
	add(&m, "x", "hello", 0100644, 0x3610a686);
	CHECK(!zip_unpack(mem, finish(&m), to, 4, &why));
	zip_archive a;
	for (size_t n = 0; n < z.n; n++)
		CHECK(!zip_open(mem, str_sub(z, 0, n), &a));
	CHECK_OK(dir_remove(mem, to));
}
