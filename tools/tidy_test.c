#include "tools/tidy.h"
#include "test/test.h"

typedef struct given { const char *path, *text; } given;

/* The findings for these files. */
static str found_in(arena *mem, const given *files, size_t n)
{
	tidy t = tidy_in(mem);
	for (size_t i = 0; i < n; i++)
		tidy_add(&t, str_c(files[i].path), str_c(files[i].text));
	tidy_finish(&t);
	return buf_str(&t.out);
}

static str one(arena *mem, const char *path, const char *text)
{
	return found_in(mem, &(given){ path, text }, 1);
}

#define FOUND(path, text, want) CHECK_STR(one(mem, path, text), S(want))

TEST(tidy_directions)
{
	FOUND("src/base/x.c", "#include \"cloud/req.h\"\n",
	      "src/base/x.c:1: base may not include cloud\n");
	FOUND("src/cloud/x.c", "\n#include \"svc/ssm/a.h\"\n",
	      "src/cloud/x.c:2: cloud may not include svc\n");
	FOUND("src/svc/ssm/x.c", "#include \"svc/kms/a.h\"\n",
	      "src/svc/ssm/x.c:1: svc/ssm may not include svc/kms: use cloud/call.h\n");
	FOUND("src/svc/ssm/x.c", "#include \"svc/ssm/a.h\"\n#include \"gen/kms.h\"\n#include \"a.h\"\n",
	      "");
	FOUND("src/price/x.c", "#include \"wire/shape.h\"\n",
	      "src/price/x.c:1: price may not include wire\n");
	FOUND("src/cmd/x.c", "#include \"svc/ssm/a.h\"\n", "");
	FOUND("src/base/x.c", "#include \"../cloud/a.h\"\n",
	      "src/base/x.c:1: an include names its path from src\n"
	      "src/base/x.c:1: base may not include ..\n");
	FOUND("src/base/x_test.c", "#include \"test/test.h\"\n", "");
	FOUND("src/base/x.c", "#include \"test/test.h\"\n",
	      "src/base/x.c:1: base may not include test\n");
	FOUND("src/base/x.c", "/* #include \"cloud/a.h\" */\n", "");
	FOUND("test/x.c", "#include \"cloud/a.h\"\n", "");
}

TEST(tidy_cycles)
{
	const given files[] = {
		{ "src/base/a.h", "/* a */\n#include \"base/b.h\"\n" },
		{ "src/base/b.h", "/* b */\n#include \"base/c.h\"\n" },
		{ "src/base/c.h", "/* c */\n#include \"base/a.h\"\n#include \"base/d.h\"\n" },
		{ "src/base/d.h", "/* d */\n" },
	};
	CHECK_STR(found_in(mem, files, 4), S("src/base/c.h:2: includes itself through base/a.h\n"));
	CHECK_STR(found_in(mem, files, 2), S(""));
}

TEST(tidy_words)
{
	FOUND("src/cloud/x.c", "int x = 1;\nvoid *p = malloc(3);\n",
	      "src/cloud/x.c:2: malloc() is banned here: use an arena\n");
	FOUND("src/wire/x.c", "void *p = malloc (3);\nint t = time(NULL);\n",
	      "src/wire/x.c:2: time() is banned here: use clock_now\n");
	FOUND("src/cloud/x.c", "\tx.free(p);\n\ty->time(p);\n\tmy_free(p);\n\tint time = 1;\n", "");
	FOUND("src/cloud/x.c", "/* free(p) */ // sprintf()\nchar *s = \"atoi(\\\"\";\nint c = '\"';\n",
	      "");
	FOUND("src/sys/x.c", "\tfree(p);\n", "");
	FOUND("src/cloud/x_test.c", "\tfree(p);\n", "");
	FOUND("src/base/x.c",
	      "int x; /* TO"
	      "DO: y */\n",
	      "src/base/x.c:1: a note to oneself: TO"
	      "DO\n");
}

TEST(tidy_lines)
{
	FOUND("src/base/x.c", "int x; \n", "src/base/x.c:1: white space at the end of the line\n");
	FOUND("src/base/x.c", "int f(int a,\n      int b);\n{\n    x;\n}",
	      "src/base/x.c:4: indented with spaces\nsrc/base/x.c:5: no newline at the end\n"
	      "src/base/x.c:1: f is declared in a .c file\n");
	FOUND("src/base/x.h", "int x;\n", "src/base/x.h:1: a header opens with what it is about\n");
	char line[122];
	memset(line, 'x', sizeof line);
	memcpy(line + 110, "\n", 2);
	FOUND("src/base/x.c", line, "");
	memcpy(line + 110, "x\n", 3);
	FOUND("src/base/x.c", line, "src/base/x.c:1: 111 columns, at most 110\n");
	memcpy(line, "\xc3\xa4", 2);
	FOUND("src/base/x.c", line, "");
}

TEST(tidy_sizes)
{
	buf b = buf_in(mem, 4096, 1 << 20);
	buf_put(&b, S("static void f(void)\n{\n"));
	for (int i = 0; i < 69; i++)
		buf_put(&b, S("\tx;\n"));
	buf_put(&b, S("}\n"));
	buf_c(&b, 0);
	FOUND("src/base/x.c", b.p, "src/base/x.c:2: a function of 71 lines, at most 70\n");
	b.n = 0;
	buf_put(&b, S("/* x */\n"));
	for (int i = 0; i < 300; i++)
		buf_put(&b, S("int x;\n"));
	buf_c(&b, 0);
	FOUND("src/base/x.h", b.p, "src/base/x.h:301: 301 lines, at most 300\n");
}

TEST(tidy_declarations)
{
	const given files[] = {
		{ "src/base/a.h",
		  "/* a */\nint one(int x,\n        int y);\nstatic inline int two(void)\n{\n}\n"
		  "__attribute__((noreturn)) void three(void);\ntypedef int (*four)(int);\n" },
		{ "src/base/b.h", "/* b */\nvoid one(void);\n" },
		{ "src/base/a.c",
		  "int one(int x, int y)\n{\n}\nstatic int\nfive(void)\n{\n}\nint six(void)\n{\n}\n"
		  "TEST(seven)\n{\n}\nint table[] = { f(1) };\n" },
		{ "src/svc/ssm/a.c", "err ssm_PutParameter(req *rq)\n{\n}\nerr\nssm_helper(void)\n{\n}\n" },
	};
	CHECK_STR(found_in(mem, files, 4),
	          S("src/base/b.h:2: one is declared already in src/base/a.h:2\n"
	            "src/base/a.c:8: six is neither static nor declared in a header\n"
	            "src/svc/ssm/a.c:4: ssm_helper is neither static nor declared in a header\n"));
}
