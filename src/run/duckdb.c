#include "run/duckdb.h"
#include "base/buf.h"
#include <dlfcn.h>
#include <stdalign.h>

#define INSTALLED "/usr/local/lib/farthing/duckdb/libduckdb.so"
#define ANYWHERE "libduckdb.so"
#define QUOTED_MAX ((size_t)1 << 16)
#define RESULT_BYTES 256 /* DuckDB's own has 48 */

/* DuckDB's result is opaque here: read and freed by its own functions alone. */
typedef struct result {
	alignas(16) char bytes[RESULT_BYTES];
} result;

struct duckdb {
	void *database, *connection;
	int (*open)(const char *path, void **database);
	int (*connect)(void *database, void **connection);
	int (*query)(void *connection, const char *sql, result *out);
	const char *(*error)(result *r);
	void (*free_result)(result *r);
	void (*disconnect)(void **connection);
	void (*close)(void **database);
};

/* One part of the library; false: it is another library. */
static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);
	memcpy(function, &found, sizeof found);
	return found != NULL;
}

static bool find_all(void *library, duckdb *d)
{
	return find(library, "duckdb_open", &d->open) && find(library, "duckdb_connect", &d->connect) &&
	       find(library, "duckdb_query", &d->query) && find(library, "duckdb_result_error", &d->error) &&
	       find(library, "duckdb_destroy_result", &d->free_result) &&
	       find(library, "duckdb_disconnect", &d->disconnect) && find(library, "duckdb_close", &d->close);
}

err duckdb_start(arena *mem, duckdb **out)
{
	duckdb *d = arena_new(mem, duckdb);
	/* Never unloaded: its threads and destructors end with the process. */
	void *library = dlopen(INSTALLED, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		library = dlopen(ANYWHERE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		return fault_new(mem, &fault_system, "this needs DuckDB's library, which is not installed "
		                 "(%s): tools/install-packages duckdb", INSTALLED);
	if (!find_all(library, d))
		return fault_new(mem, &fault_system, "DuckDB's library lacks what is asked of it: %s", dlerror());
	if (d->open(NULL, &d->database) || d->connect(d->database, &d->connection)) {
		duckdb_end(d);
		return fault_new(mem, &fault_system, "DuckDB does not start");
	}
	err e = duckdb_run(mem, d, S("SET autoinstall_known_extensions = false; "
	                             "SET autoload_known_extensions = false; SET threads = 1"));
	if (e)
		duckdb_end(d);
	else
		*out = d;
	return e;
}

err duckdb_run(arena *mem, duckdb *d, str sql)
{
	result r = { { 0 } };
	err e = OK;
	if (d->query(d->connection, arena_str(mem, sql).p, &r)) {
		const char *why = d->error(&r);
		e = fault_new(mem, &fault_system, "DuckDB: %s", why ? why : "it does not say why");
	}
	d->free_result(&r);
	return e;
}

void duckdb_end(duckdb *d)
{
	if (d->connection)
		d->disconnect(&d->connection);
	if (d->database)
		d->close(&d->database);
}

static str quoted(arena *mem, str text, char quote)
{
	buf b = buf_in(mem, text.n + 8, QUOTED_MAX);
	buf_c(&b, quote);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == quote)
			buf_c(&b, quote);
		buf_c(&b, text.p[i]);
	}
	buf_c(&b, quote);
	ensure(!b.full);
	return buf_str(&b);
}

str duckdb_text(arena *mem, str text)
{
	return quoted(mem, text, '\'');
}

str duckdb_name(arena *mem, str name)
{
	return quoted(mem, name, '"');
}
