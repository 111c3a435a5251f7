/* tidy [--coverage FILE] ROOT: prints findings, then "N passed, N failed", counted in files and
 * findings. */
#include "tools/tidy.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (8L << 20)

static bool read_file(arena *a, str path, str *out)
{
	FILE *f = fopen(arena_str(a, path).p, "rb");
	struct stat st;
	if (!f)
		return false;
	bool ok = fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX;
	if (ok) {
		char *p = arena_bytes(a, (size_t)st.st_size + 1);
		*out = str_of(p, fread(p, 1, (size_t)st.st_size, f));
		p[out->n] = 0;
	}
	fclose(f);
	return ok;
}

static bool wanted(str name)
{
	static const char *const ends[] = { ".c",  ".h",  ".py", ".def", ".patch",
		                                ".md", ".sh", ".js", ".ts" };
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (str_ends(name, str_c(ends[i])))
			return true;
	return false;
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "node_modules") != 0;
}

static void walk(tidy *t, str root, str path)
{
	struct dirent **entries;
	str folder = path.n ? arena_fmt(t->mem, "%.*s/%.*s", STR_ARG(root), STR_ARG(path)) : root;
	int n = scandir(folder.p, &entries, visible, alphasort);
	for (int i = 0; i < n; i++) {
		str name =
			arena_fmt(t->mem, "%.*s%s%s", STR_ARG(path), path.n ? "/" : "", entries[i]->d_name);
		str full = arena_fmt(t->mem, "%.*s/%.*s", STR_ARG(root), STR_ARG(name)), text;
		struct stat st;
		bool found = lstat(full.p, &st) == 0;
		if (found && S_ISDIR(st.st_mode))
			walk(t, root, name);
		else if (found && S_ISREG(st.st_mode) && wanted(name) && read_file(t->mem, full, &text))
			tidy_add(t, name, text);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* What the build makes is never committed, COVERAGE.md apart. */
static void check_git(tidy *t, str root)
{
	str command = arena_fmt(t->mem, "git -C '%.*s' ls-files 2>/dev/null", STR_ARG(root));
	FILE *f = popen(command.p, "r");
	char line[4096];
	while (f && fgets(line, sizeof line, f)) {
		str path = str_trim(str_c(line));
		if (str_starts(path, S("build/")) || str_starts(path, S("gen/")) || str_ends(path, S(".o"))
		    || str_find(path, S("/gen/")) != SIZE_MAX)
			tidy_finding(t, arena_str(t->mem, path), 1, "a made file is in git");
	}
	if (f)
		pclose(f);
}

static void check_coverage(tidy *t, str root, str fresh)
{
	str have, want;
	if (!read_file(t->mem, fresh, &want))
		tidy_finding(t, fresh, 1, "cannot be read");
	else if (!read_file(t->mem, arena_fmt(t->mem, "%.*s/COVERAGE.md", STR_ARG(root)), &have)
	         || !str_eq(have, want))
		tidy_finding(t, S("COVERAGE.md"), 1, "not current: make coverage");
}

int main(int argc, char **argv)
{
	static const char *const folders[] = { "src", "tools", "test", "bench", "docs" };
	bool coverage = argc == 4 && strcmp(argv[1], "--coverage") == 0;
	if (argc != 2 && !coverage) {
		fprintf(stderr, "usage: tidy [--coverage FILE] ROOT\n");
		return 2;
	}
	arena *a = arena_open(1 << 20);
	tidy t = tidy_in(a);
	str root = str_c(argv[argc - 1]);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		walk(&t, root, str_c(folders[i]));
	tidy_finish(&t);
	check_git(&t, root);
	if (coverage)
		check_coverage(&t, root, str_c(argv[2]));
	fwrite(t.out.p ? t.out.p : "", 1, t.out.n, stdout);
	printf("%zu passed, %zu failed\n", t.n_files, t.findings);
	arena_close(a);
	return t.findings != 0;
}
