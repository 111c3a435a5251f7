/* COVERAGE.md: what is implemented, said by the sources themselves. */
#include "tools/apic.h"

/* Names wrap at the width of the sources. */
static void names(buf *b, const apic_service *s)
{
	size_t column = 0;
	bool first = true;
	for (size_t i = 0; i < s->api->service.n_operations; i++) {
		if (!s->handlers[i].kind || s->handlers[i].refuses)
			continue;
		const char *name = s->api->service.operations[i].name;
		if (!first)
			buf_put(b, column + strlen(name) > 96 ? S(",\n") : S(", "));
		column = !first && column + strlen(name) > 96 ? strlen(name) : column + strlen(name) + 2;
		buf_fmt(b, "%s", name);
		first = false;
	}
	buf_put(b, S("\n"));
}

void apic_coverage(buf *b, apic_service *const *services, size_t n)
{
	size_t done = 0, total = 0;
	for (size_t i = 0; i < n; i++) {
		done += services[i]->n_implemented;
		total += services[i]->api->service.n_operations;
	}
	buf_put(b,
	        S("# Coverage\n\nMade by `make coverage` from the sources. An operation that is not "
	          "here answers at once with an error that\nnames it, in the caller's protocol.\n\n"));
	buf_fmt(b, "%zu of %zu operations of %zu services.\n\n", done, total, n);
	buf_put(b, S("| service | | implemented | of |\n|---|---|---:|---:|\n"));
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "| %s | %s | %zu | %d |\n", services[i]->folder, services[i]->api->service.title,
		        services[i]->n_implemented, services[i]->api->service.n_operations);
	for (size_t i = 0; i < n; i++) {
		if (!services[i]->n_implemented)
			continue;
		buf_fmt(b, "\n## %s\n\n", services[i]->folder);
		names(b, services[i]);
	}
}
