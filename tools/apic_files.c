/* Files and names. */
#include "tools/apic.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64L << 20)

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
