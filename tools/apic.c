/* apic --out BUILD SERVICES: see tools/apic.h. */
#include "tools/apic.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64L << 20)
#define OUTPUT_MAX ((size_t)256 << 20)

err apic_read(arena *a, str path, str *out)
{
	FILE *f = fopen(path.p, "rb");
	struct stat st;
	if (!f || fstat(fileno(f), &st) != 0 || st.st_size > FILE_MAX) {
		err e = fault_new(a, &fault_system, "%.*s: %s", STR_ARG(path), strerror(errno));
		if (f)
			fclose(f);
		return e;
	}
	size_t n = (size_t)st.st_size;
	char *p = arena_bytes(a, n + 1);
	size_t got = fread(p, 1, n, f);
	fclose(f);
	p[got] = 0;
	*out = str_of(p, got);
	return OK;
}

err apic_write(arena *a, str path, str bytes)
{
	str old;
	if (access(path.p, F_OK) == 0 && apic_read(a, path, &old) == OK && str_eq(old, bytes))
		return OK;
	str fresh = arena_fmt(a, "%.*s.new", STR_ARG(path));
	FILE *f = fopen(fresh.p, "wb");
	bool ok = f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
	ok = f && fclose(f) == 0 && ok;
	if (!ok || rename(fresh.p, path.p) != 0)
		return fault_new(a, &fault_system, "%.*s: %s", STR_ARG(path), strerror(errno));
	return OK;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

err apic_list(arena *a, str path, const char ***names, size_t *n)
{
	DIR *d = opendir(path.p);
	if (!d)
		return fault_new(a, &fault_system, "%.*s: %s", STR_ARG(path), strerror(errno));
	size_t capacity = 64;
	const char **out = arena_array(a, const char *, capacity);
	*n = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if (*n == capacity) {
			const char **wider = arena_array(a, const char *, capacity * 2);
			memcpy(wider, out, capacity * sizeof *out);
			out = wider;
			capacity *= 2;
		}
		out[(*n)++] = arena_str(a, str_c(e->d_name)).p;
	}
	closedir(d);
	qsort(out, *n, sizeof *out, by_bytes);
	*names = out;
	return OK;
}

const char *apic_name(arena *a, const char *name)
{
	/* Keywords, and words that common headers define as macros. */
	static const char *const words[] = {
		"EOF", "NULL", "OK", "alignas", "alignof", "asm", "auto", "bool", "break", "case", "char",
		"const", "continue", "default", "do", "double", "else", "enum", "errno", "extern", "false",
		"float", "for", "goto", "if", "inline", "int", "linux", "long", "register", "restrict",
		"return", "short", "signed", "sizeof", "static", "stderr", "stdin", "stdout", "struct",
		"switch", "true", "typedef", "typeof", "union", "unix", "unsigned", "void", "volatile",
		"while",
	};
	if (bsearch(&name, words, sizeof words / sizeof *words, sizeof *words, by_bytes))
		return arena_fmt(a, "%s_", name).p;
	return name;
}

void apic_literal(buf *b, const char *text)
{
	buf_c(b, '"');
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\') {
			buf_c(b, '\\');
			buf_c(b, (char)*c);
		} else if (*c < 32 || *c == 127) {
			buf_fmt(b, "\\%03o", *c);
		} else {
			buf_c(b, (char)*c);
		}
	}
	buf_c(b, '"');
}

str apic_type(arena *a, const apic_service *s, const shape *t)
{
	switch ((shape_kind)t->kind) {
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return S("opt_i64");
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return S("opt_f64");
	case SHAPE_BOOLEAN:
		return S("opt_bool");
	case SHAPE_TIMESTAMP:
		return S("opt_time");
	case SHAPE_STRUCT:
	case SHAPE_LIST:
	case SHAPE_MAP:
		return arena_fmt(a, "%s_%s%s", s->prefix, t->name, t->fault ? "_error" : "");
	default:
		return S("str");
	}
}

static const char *prefix_of(arena *a, const char *folder)
{
	str prefix = arena_str(a, str_c(folder));
	for (char *c = (char *)(uintptr_t)prefix.p; *c; c++)
		if (*c == '-')
			*c = '_';
	return prefix.p;
}

static err open_service(arena *a, str root, const char *folder, apic_service **out)
{
	*out = NULL;
	apic_service *s = arena_new(a, apic_service);
	str dir = arena_fmt(a, "%.*s/%s", STR_ARG(root), folder);
	str facts = arena_fmt(a, "%.*s/%s.api", STR_ARG(dir), folder);
	struct stat st;
	if (stat(dir.p, &st) != 0 || !S_ISDIR(st.st_mode))
		return OK;
	s->folder = folder;
	s->prefix = prefix_of(a, folder);
	s->taken = map_in(a, 256);
	TRY(apifile_open(a, facts, &s->api));
	if (strcmp(s->api->service.name, folder) != 0)
		return fault_new(a, &fault_syntax, "%.*s:1: service %s in folder %s", STR_ARG(facts),
		                 s->api->service.name, folder);
	s->handlers = arena_array(a, apic_handler, s->api->service.n_operations + 1u);
	TRY(apic_scan(a, s, dir));
	TRY(apic_mark(a, s));
	*out = s;
	return OK;
}

static err write_service(arena *a, str build, apic_service *s)
{
	buf header = buf_in(a, 64 << 10, OUTPUT_MAX), tables = buf_in(a, 64 << 10, OUTPUT_MAX);
	apic_header(&header, s);
	apic_tables(&tables, s);
	ensure(!header.full && !tables.full);
	TRY(apic_write(a, arena_fmt(a, "%.*s/include/gen/%s.h", STR_ARG(build), s->folder),
	               buf_str(&header)));
	return apic_write(a, arena_fmt(a, "%.*s/gen/%s.c", STR_ARG(build), s->folder), buf_str(&tables));
}

/* A folder that is gone must not leave a header behind that still compiles. */
static err remove_stale(arena *a, str dir, const char *suffix, apic_service *const *services, size_t n)
{
	const char **names;
	size_t n_names;
	TRY(apic_list(a, dir, &names, &n_names));
	for (size_t i = 0; i < n_names; i++) {
		str name = str_c(names[i]);
		if (!str_ends(name, str_c(suffix)) || str_eq(name, S("registry.c")))
			continue;
		str folder = str_sub(name, 0, name.n - strlen(suffix));
		size_t k = 0;
		while (k < n && !str_eq(str_c(services[k]->folder), folder))
			k++;
		if (k == n)
			unlink(arena_fmt(a, "%.*s/%s", STR_ARG(dir), names[i]).p);
	}
	return OK;
}

/* Each service's first error is printed, so that one run shows them all. */
static err build_all(arena *a, str build, str root, bool *ok)
{
	const char **folders;
	size_t n_folders, n = 0;
	TRY(apic_list(a, root, &folders, &n_folders));
	apic_service **services = arena_array(a, apic_service *, n_folders + 1);
	bool failed = false;
	for (size_t i = 0; i < n_folders; i++) {
		err e = open_service(a, root, folders[i], &services[n]);
		if (e)
			fprintf(stderr, "%.*s\n", STR_ARG(e->message));
		failed |= e != OK;
		n += services[n] != NULL;
	}
	*ok = !failed;
	if (failed)
		return OK;
	for (size_t i = 0; i < n; i++)
		TRY(write_service(a, build, services[i]));
	buf registry = buf_in(a, 4 << 10, OUTPUT_MAX), coverage = buf_in(a, 16 << 10, OUTPUT_MAX);
	apic_registry(&registry, services, n);
	apic_coverage(&coverage, services, n);
	TRY(apic_write(a, arena_fmt(a, "%.*s/gen/registry.c", STR_ARG(build)), buf_str(&registry)));
	TRY(apic_write(a, arena_fmt(a, "%.*s/COVERAGE.md", STR_ARG(build)), buf_str(&coverage)));
	TRY(remove_stale(a, arena_fmt(a, "%.*s/gen", STR_ARG(build)), ".c", services, n));
	return remove_stale(a, arena_fmt(a, "%.*s/include/gen", STR_ARG(build)), ".h", services, n);
}

int main(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "--out") != 0) {
		fprintf(stderr, "usage: apic --out BUILD SERVICES\n");
		return 2;
	}
	arena *a = arena_open(1 << 20);
	str build = str_c(argv[2]);
	mkdir(arena_fmt(a, "%.*s/gen", STR_ARG(build)).p, 0777);
	mkdir(arena_fmt(a, "%.*s/include", STR_ARG(build)).p, 0777);
	mkdir(arena_fmt(a, "%.*s/include/gen", STR_ARG(build)).p, 0777);
	bool ok = false;
	err e = build_all(a, build, str_c(argv[3]), &ok);
	if (e)
		fprintf(stderr, "%.*s\n", STR_ARG(e->message));
	return e || !ok;
}
