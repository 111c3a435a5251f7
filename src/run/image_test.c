#include "run/image.h"
#include "base/buf.h"
#include "sys/file.h"
#include "test/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One entry of a tar, as ustar writes it. */
static void add(buf *b, const char *name, char type, const char *link, const char *text)
{
	char h[512] = { 0 };
	unsigned sum = 0;
	size_t n = strlen(text);
	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "%07o", 04755u);
	snprintf(h + 108, 8, "%07o", 0u);
	snprintf(h + 116, 8, "%07o", 0u);
	snprintf(h + 124, 12, "%011o", (unsigned)n);
	snprintf(h + 136, 12, "%011o", 0u);
	h[156] = type;
	snprintf(h + 157, 100, "%s", link);
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_put(b, str_of(h, sizeof h));
	buf_put(b, str_c(text));
	for (; b->n % 512;)
		buf_c(b, 0);
}

typedef struct place {
	str top, root, layer;
	image_used used;
} place;

static place make(arena *mem)
{
	char name[] = "/tmp/farthing-image-XXXXXX";
	CHECK(mkdtemp(name));
	place p = { .top = arena_str(mem, str_c(name)) };
	p.root = path_join(mem, p.top, S("root"));
	p.layer = path_join(mem, p.top, S("layer.tar"));
	CHECK(!dir_make(mem, p.root, 0755));
	return p;
}

static err unpack(arena *mem, place *p, buf *tar)
{
	for (int i = 0; i < 1024; i++)
		buf_c(tar, 0);
	CHECK(!file_write(mem, p->layer, buf_str(tar), 0600));
	err e = image_unpack(mem, p->layer, p->root, NULL, &p->used);
	*tar = buf_in(mem, 4096, 1 << 20);
	return e;
}

static str read_back(arena *mem, const place *p, const char *name)
{
	str text;
	return file_read(mem, path_join(mem, p->root, str_c(name)), 4096, &text) ? STR_NONE : text;
}

TEST(image_layers_lie_over_each_other)
{
	place p = make(mem);
	struct stat st;
	buf t = buf_in(mem, 4096, 1 << 20);
	add(&t, "./a/b/one", '0', "", "1"), add(&t, "a/b/two", '0', "", "2"), add(&t, "c/x", '0', "", "x");
	add(&t, "a/hard", '1', "a/b/one", ""), add(&t, "a/soft", '2', "/etc/passwd", "");
	CHECK(!unpack(mem, &p, &t));
	CHECK_STR(read_back(mem, &p, "a/hard"), S("1"));
	CHECK(stat(path_join(mem, p.root, S("a/b/one")).p, &st) == 0 && (st.st_mode & 07777) == 0755);
	/* The opaque mark stands behind what its own layer puts there. */
	add(&t, "a/b/.wh.two", '0', "", ""), add(&t, "c/new", '0', "", "n");
	add(&t, "c/.wh..wh..opq", '0', "", "");
	add(&t, "a/soft", '0', "", "mine");
	CHECK(!unpack(mem, &p, &t));
	CHECK(!str_is(read_back(mem, &p, "a/b/two")) && !str_is(read_back(mem, &p, "c/x")));
	CHECK_STR(read_back(mem, &p, "c/new"), S("n"));
	CHECK_STR(read_back(mem, &p, "a/soft"), S("mine"));
	CHECK_STR(read_back(mem, &p, "a/b/one"), S("1"));
	CHECK(!dir_remove(mem, p.top));
}

TEST(image_layers_do_not_get_out)
{
	static const struct { const char *name; char type; const char *link; } bad[] = {
		{ "../out", '0', "" }, { "a/../../out", '0', "" }, { "up/out", '0', "" },
		{ "hard", '1', "up/secret" },
		{ "hard", '1', "../secret" }, { "up/.wh.secret", '0', "" }, { "up/.wh..wh..opq", '0', "" },
		{ "dev", '3', "" }, { "block", '4', "" }, { "pipe", '6', "" }, { ".wh...", '0', "" },
		{ "abs/out", '0', "" }, { "up/folder/", '5', "" }, { "soft", '1', "up" },
	};
	place p = make(mem);
	str secret = path_join(mem, p.top, S("secret")), text;
	CHECK(!file_write(mem, secret, S("kept"), 0600));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		buf t = buf_in(mem, 4096, 1 << 20);
		add(&t, "up", '2', "..", ""), add(&t, "abs", '2', p.top.p, "");
		CHECK(!unpack(mem, &p, &t));
		add(&t, bad[i].name, bad[i].type, bad[i].link, "");
		err e = unpack(mem, &p, &t);
		if (!e || e->kind != &fault_syntax)
			test_failed(__FILE__, __LINE__, "%s was taken", bad[i].name);
		CHECK(!file_exists(path_join(mem, p.top, S("out"))));
		CHECK(!file_exists(path_join(mem, p.top, S("folder"))));
	}
	CHECK(!file_read(mem, secret, 100, &text));
	CHECK_STR(text, S("kept"));
	CHECK(!dir_remove(mem, p.top));
}

TEST(image_layers_are_bounded)
{
	place p = make(mem);
	buf t = buf_in(mem, 4096, 1 << 20);
	add(&t, "a", '0', "", "12345"), add(&t, "b", '0', "", "12345");
	for (int i = 0; i < 1024; i++)
		buf_c(&t, 0);
	CHECK(!file_write(mem, p.layer, buf_str(&t), 0600));
	image_limits few = { .bytes = 9 }, one = { .entries = 1 };
	image_used used = { 0 };
	CHECK(image_unpack(mem, p.layer, p.root, &few, &used));
	used = (image_used){ 0 };
	CHECK(image_unpack(mem, p.layer, p.root, &one, &used));
	used = (image_used){ 0 };
	CHECK(!image_unpack(mem, p.layer, p.root, NULL, &used));
	CHECK_I64(used.bytes, 10);
	CHECK(!file_write(mem, p.layer, S("this is no tar archive"), 0600));
	CHECK(image_unpack(mem, p.layer, p.root, NULL, &used));
	CHECK(!dir_remove(mem, p.top));
}
