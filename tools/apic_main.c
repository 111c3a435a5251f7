/* apic --out BUILD SERVICES: see tools/apic.h. */
#include "tools/apic.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)256 << 20)

static const char *prefix_of(arena *a, const char *folder)
{
	str prefix = arena_str(a, str_c(folder));
	for (char *c = (char *)(uintptr_t)prefix.p; *c; c++)
		if (*c == '-')
			*c = '_';
	return prefix.p;
}

/* *out is NULL where there is no folder. */
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
	return apic_write(a, arena_fmt(a, "%.*s/gen/%s.c", STR_ARG(build), s->folder),
	                  buf_str(&tables));
}

/* A folder that is gone must not leave a header behind that still compiles. */
static err remove_stale(arena *a, str dir, const char *suffix, apic_service *const *services,
                        size_t n)
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
	int status = e || !ok;
	arena_close(a);
	return status;
}
