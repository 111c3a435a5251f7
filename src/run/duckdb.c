#include "run/duckdb.h"
#include "base/buf.h"
#include <dlfcn.h>
#include <stdalign.h>

#define INSTALLED "/usr/local/lib/farthing/duckdb/libduckdb.so"
#define ANYWHERE "libduckdb.so"
#define RESULT_BYTES 256 /* DuckDB's own has 48 */

/* DuckDB's result is opaque here: read and freed by its own functions alone. */
typedef struct result {
	alignas(16) char bytes[RESULT_BYTES];
} result;

/* DuckDB's own result where it is handed over by value. */
typedef struct result_words {
	uint64_t w[6];
} result_words;

struct duckdb {
	void *database, *connection;
	int (*open)(const char *path, void **database);
	int (*connect)(void *database, void **connection);
	int (*query)(void *connection, const char *sql, result *out);
	const char *(*error)(result *r);
	void (*free_result)(result *r);
	void (*disconnect)(void **connection);
	void (*close)(void **database);
	uint64_t (*extract)(void *connection, const char *sql, void **statements);
	const char *(*extract_error)(void *statements);
	void (*free_statements)(void **statements);
	int (*prepare)(void *connection, void *statements, uint64_t at, void **prepared);
	const char *(*prepare_error)(void *prepared);
	void (*free_prepared)(void **prepared);
	int (*kind)(void *prepared);
	uint64_t (*n_columns)(void *prepared);
	const char *(*column_name)(void *prepared, uint64_t at);
	void *(*column_type)(void *prepared, uint64_t at);
	int (*type_id)(void *type);
	uint8_t (*precision)(void *type), (*scale)(void *type);
	void (*free_type)(void **type);
	void (*free)(void *text);
	void *(*fetch)(result_words r);
	void (*free_chunk)(void **chunk);
	uint64_t (*chunk_rows)(void *chunk);
	void *(*vector)(void *chunk, uint64_t at);
	void *(*data)(void *vector);
	uint64_t *(*valid)(void *vector);
	uint64_t (*result_columns)(result *r);
	int (*result_type)(result *r, uint64_t at);
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
	       find(library, "duckdb_disconnect", &d->disconnect) && find(library, "duckdb_close", &d->close) &&
	       find(library, "duckdb_extract_statements", &d->extract) &&
	       find(library, "duckdb_extract_statements_error", &d->extract_error) &&
	       find(library, "duckdb_destroy_extracted", &d->free_statements) &&
	       find(library, "duckdb_prepare_extracted_statement", &d->prepare) &&
	       find(library, "duckdb_prepare_error", &d->prepare_error) &&
	       find(library, "duckdb_destroy_prepare", &d->free_prepared) &&
	       find(library, "duckdb_prepared_statement_type", &d->kind) &&
	       find(library, "duckdb_prepared_statement_column_count", &d->n_columns) &&
	       find(library, "duckdb_prepared_statement_column_name", &d->column_name) &&
	       find(library, "duckdb_prepared_statement_column_logical_type", &d->column_type) &&
	       find(library, "duckdb_get_type_id", &d->type_id) &&
	       find(library, "duckdb_decimal_width", &d->precision) &&
	       find(library, "duckdb_decimal_scale", &d->scale) &&
	       find(library, "duckdb_destroy_logical_type", &d->free_type) &&
	       find(library, "duckdb_free", &d->free) && find(library, "duckdb_fetch_chunk", &d->fetch) &&
	       find(library, "duckdb_destroy_data_chunk", &d->free_chunk) &&
	       find(library, "duckdb_data_chunk_get_size", &d->chunk_rows) &&
	       find(library, "duckdb_data_chunk_get_vector", &d->vector) &&
	       find(library, "duckdb_vector_get_data", &d->data) &&
	       find(library, "duckdb_vector_get_validity", &d->valid) &&
	       find(library, "duckdb_column_count", &d->result_columns) &&
	       find(library, "duckdb_column_type", &d->result_type);
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

static void describe(arena *mem, duckdb *d, void *prepared, duckdb_column **columns, size_t *n)
{
	*n = d->n_columns(prepared);
	*columns = arena_array(mem, duckdb_column, *n + 1);
	for (size_t i = 0; i < *n; i++) {
		duckdb_column *c = &(*columns)[i];
		const char *name = d->column_name(prepared, i);
		void *type = d->column_type(prepared, i);
		c->name = arena_str(mem, name ? str_c(name) : S(""));
		c->type = d->type_id(type);
		if (c->type == DUCKDB_DECIMAL) {
			c->precision = d->precision(type);
			c->scale = d->scale(type);
		}
		d->free((void *)(uintptr_t)name);
		d->free_type(&type);
	}
}

#define SELECT 1 /* DuckDB's kind of statement */

err duckdb_columns(arena *mem, duckdb *d, str sql, duckdb_column **columns, size_t *n)
{
	void *statements = NULL, *prepared = NULL;
	err e = OK;
	uint64_t found = d->extract(d->connection, arena_str(mem, sql).p, &statements);
	if (found != 1) {
		const char *why = found ? NULL : d->extract_error(statements);
		e = fault_new(mem, &fault_syntax, "%s", why ? why : "Parser Error: Only one statement is allowed");
	} else if (d->prepare(d->connection, statements, 0, &prepared)) {
		const char *why = d->prepare_error(prepared);
		e = fault_new(mem, &fault_syntax, "%s", why ? why : "Parser Error: it cannot be prepared");
	} else if (d->kind(prepared) != SELECT) {
		e = fault_new(mem, &fault_syntax, "Parser Error: Only SELECT is allowed");
	} else {
		describe(mem, d, prepared, columns, n);
	}
	d->free_prepared(&prepared);
	d->free_statements(&statements);
	return e;
}

#define INLINE_MAX 12 /* bytes of a text that lie in the vector itself */

static duckdb_value value_at(duckdb *d, void *vector, bool number, uint64_t row)
{
	const uint64_t *valid = d->valid(vector);
	const char *data = d->data(vector);
	duckdb_value v = { .number = number };
	if (valid && !(valid[row / 64] >> (row % 64) & 1)) {
		v.null = true;
	} else if (number) {
		memcpy(&v.v, data + row * sizeof(double), sizeof v.v);
	} else {
		const char *at = data + row * 16, *far;
		uint32_t n;
		memcpy(&n, at, sizeof n);
		memcpy(&far, at + 8, sizeof far);
		v.text = str_of(n <= INLINE_MAX ? at + 4 : far, n);
	}
	return v;
}

err duckdb_rows(arena *mem, duckdb *d, str sql, void (*row)(void *context, const duckdb_value *v, size_t n),
                void *context)
{
	result r = { { 0 } };
	result_words words;
	if (d->query(d->connection, arena_str(mem, sql).p, &r)) {
		const char *why = d->error(&r);
		err e = fault_new(mem, &fault_syntax, "%s", why ? why : "it does not say why");
		d->free_result(&r);
		return e;
	}
	memcpy(&words, &r, sizeof words);
	uint64_t n = d->result_columns(&r);
	duckdb_value *values = arena_array(mem, duckdb_value, n + 1);
	bool *number = arena_array(mem, bool, n + 1);
	for (uint64_t i = 0; i < n; i++)
		number[i] = d->result_type(&r, i) == DUCKDB_DOUBLE;
	for (void *chunk; (chunk = d->fetch(words)); d->free_chunk(&chunk)) {
		for (uint64_t y = 0; y < d->chunk_rows(chunk); y++) {
			for (uint64_t x = 0; x < n; x++)
				values[x] = value_at(d, d->vector(chunk, x), number[x], y);
			row(context, values, n);
		}
	}
	d->free_result(&r);
	return OK;
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
	buf b = buf_in(mem, text.n + 8, 2 * text.n + 8);
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
