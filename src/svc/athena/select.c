/* A SELECT: objects are laid before the engine, views over them are written down, and it answers. */
#include "run.h"
#include "run/duckdb.h"
#include "run/query.h"
#include "sys/file.h"

#define PIECE_BYTES ((int64_t)16 << 20)
#define STAGED_BYTES_MAX ((int64_t)8 << 30)
#define OBJECTS_MAX 50000
#define SETUP_BYTES ((size_t)48 << 20)
#define MEMORY_BYTES ((int64_t)1200 << 20)
#define TIME_MS (30 * 60 * INT64_C(1000))

/* What Trino calls otherwise than DuckDB. */
static const char dialect[] =
	"ATTACH ':memory:' AS awsdatacatalog; USE awsdatacatalog;"
	"CREATE MACRO date_add(u, n, d) AS CASE lower(u) WHEN 'second' THEN d + to_seconds(n) WHEN 'minute' THEN "
	"d + to_minutes(n) WHEN 'hour' THEN d + to_hours(n) WHEN 'day' THEN d + to_days(n) WHEN 'week' THEN "
	"d + to_weeks(n) WHEN 'month' THEN d + to_months(n) WHEN 'year' THEN d + to_years(n) END;"
	"CREATE MACRO date_format(d, f) AS strftime(d, replace(replace(replace(f, '%i', '%M'), '%s', '%S'), "
	"'%T', '%H:%M:%S'));"
	"CREATE MACRO date_parse(t, f) AS strptime(t, f);"
	"CREATE MACRO from_unixtime(x) AS to_timestamp(x)::TIMESTAMP;"
	"CREATE MACRO to_unixtime(x) AS epoch(x);"
	"CREATE MACRO from_iso8601_timestamp(x) AS CAST(x AS TIMESTAMPTZ);"
	"CREATE MACRO from_iso8601_date(x) AS CAST(x AS DATE);"
	"CREATE MACRO approx_distinct(x) AS approx_count_distinct(x);"
	"CREATE MACRO approx_percentile(x, p) AS approx_quantile(x, p);"
	"CREATE MACRO json_extract_scalar(j, p) AS json_extract_string(j, p);"
	"CREATE MACRO json_parse(j) AS CAST(j AS JSON);"
	"CREATE MACRO json_format(j) AS CAST(j AS VARCHAR);"
	"CREATE MACRO cardinality(x) AS len(x);"
	"CREATE MACRO arbitrary(x) AS any_value(x);"
	"CREATE MACRO regexp_like(x, p) AS regexp_matches(x, p);"
	"CREATE MACRO day_of_week(x) AS isodow(x);"
	"CREATE MACRO day_of_month(x) AS day(x);"
	"CREATE MACRO day_of_year(x) AS dayofyear(x);"
	"CREATE MACRO to_utf8(x) AS encode(x);"
	"CREATE MACRO from_utf8(x) AS decode(x);"
	"CREATE MACRO array_join(x, s) AS array_to_string(x, s);"
	"CREATE MACRO element_at(x, i) AS x[i];"
	"CREATE MACRO every(x) AS bool_and(x);"
	"SET integer_division = true; SET memory_limit = '800MB'; SET temp_directory = '';"
	"SET default_null_order = 'nulls_last';";
/* Then nothing can be changed, and no file is read but those. */
static const char lock[] =
	"SET threads = 2; SET allowed_directories = ['" QUERY_INPUT "/']; SET enable_external_access = false; "
	"SET lock_configuration = true;";

typedef struct wanted_part {
	glue_ValueStringList Values;
	str location;          /* STR_NONE: it has nothing */
} wanted_part;

typedef struct source {
	run *x;
	arena *own;            /* what the catalog says of the table */
	const table_use *u;
	const glue_Table *t;
	size_t number;         /* of the table: its folder is tN */
	wanted_part *parts;    /* those that are wanted */
	size_t n_parts;
	buf *setup;
	buf files;             /* the list of their names */
	size_t n_files;
} source;

static void keep_part(source *s, const glue_Partition *p, size_t *room)
{
	if (s->n_parts == *room) {
		wanted_part *more = arena_array(s->own, wanted_part, *room = *room ? *room * 2 : 64);
		if (s->n_parts)
			memcpy(more, s->parts, s->n_parts * sizeof *more);
		s->parts = more;
	}
	wanted_part *kept = &s->parts[s->n_parts++];
	kept->Values = (glue_ValueStringList){ arena_array(s->own, str, p->Values.n + 1), p->Values.n };
	for (size_t i = 0; i < p->Values.n; i++)
		kept->Values.v[i] = arena_str(s->own, p->Values.v[i]);
	if (p->StorageDescriptor)
		kept->location = arena_concat(s->own, p->StorageDescriptor->Location, S(""));
}

/* A page; only what is wanted of it stays. */
static err partitions_page(source *s, arena *page, str *token, size_t *room)
{
	run *x = s->x;
	glue_GetPartitions_in in = { .DatabaseName = s->t->DatabaseName, .TableName = s->t->Name,
		.NextToken = *token, .MaxResults = I64(1000) };
	glue_GetPartitions_out out = { 0 };
	TRY(run_ask(x, page, "glue", "GetPartitions", &in, &out));
	for (size_t i = 0; i < out.Partitions.n; i++) {
		if (!select_may(&x->sql, s->u, &s->t->PartitionKeys, &out.Partitions.v[i].Values))
			continue;
		if (++x->parts > OBJECTS_MAX)
			return run_failed(x, "EXCEEDED_LOCAL_LIMIT: Farthing's Athena reads at most %d partitions in a "
			                  "query", OBJECTS_MAX);
		keep_part(s, &out.Partitions.v[i], room);
	}
	*token = arena_str(s->own, out.NextToken);
	return OK;
}

static err wanted_partitions(source *s)
{
	run *x = s->x;
	size_t room = 0;
	str token = STR_NONE;
	do {
		arena *page = arena_open(1 << 16);
		err e = partitions_page(s, page, &token, &room);
		arena_close(page);
		TRY(e);
		if (!run_going(x))
			return run_failed(x, "Query cancelled");
	} while (str_is(token));
	return OK;
}

/* The end of a name by which DuckDB knows how it is compressed. */
static err ending(run *x, str key, const char **end)
{
	*end = str_ends(key, S(".gz")) ? ".gz" : str_ends(key, S(".zst")) ? ".zst" : "";
	if (str_ends(key, S(".bz2")) || str_ends(key, S(".snappy")) || str_ends(key, S(".lzo")))
		return run_failed(x, "NOT_SUPPORTED: Farthing's Athena reads gzip and zstd, not %.*s", STR_ARG(key));
	return OK;
}

static err copy_object(run *x, const run_object *o, str path)
{
	for (int64_t at = 0; at < o->size; at += PIECE_BYTES) {
		arena *own = arena_open(1 << 16);
		int64_t last = at + PIECE_BYTES < o->size ? at + PIECE_BYTES : o->size;
		s3_GetObject_in in = { .Bucket = o->bucket, .Key = o->key, .IfMatch = o->etag };
		s3_GetObject_out out = { 0 };
		in.Range = arena_fmt(own, "bytes=%lld-%lld", (long long)at, (long long)last - 1);
		err e = run_ask(x, own, "s3", "GetObject", &in, &out);
		if (!e)
			e = query_append(x->mem, path, out.Body);
		arena_close(own);
		TRY(e);
		x->scanned += last - at;
		if (!run_going(x))
			return run_failed(x, "Query cancelled");
	}
	return OK;
}

static err stage(source *s, size_t part, const run_object *first)
{
	run *x = s->x;
	str folder = arena_fmt(x->mem, "%.*s/in/t%zu/p%zu", STR_ARG(x->folder), s->number, part);
	size_t n = 0;
	TRY(dir_make(x->mem, folder, 0755));
	for (const run_object *o = first; o; o = o->next, n++) {
		const char *end;
		TRY(ending(x, o->key, &end));
		if (++x->objects > OBJECTS_MAX || x->scanned + o->size > STAGED_BYTES_MAX)
			return run_failed(x,
				"EXCEEDED_LOCAL_LIMIT: Farthing's Athena reads at most %d objects and 8 GiB in "
			                  "a query", OBJECTS_MAX);
		if (x->q->Cutoff && x->scanned + o->size > x->q->Cutoff) {
			x->over = true;
			x->scanned = x->q->Cutoff; /* so much was allowed */
			return run_failed(x, "Bytes scanned limit was exceeded");
		}
		TRY(copy_object(x, o, arena_fmt(x->mem, "%.*s/%zu%s", STR_ARG(folder), n, end)));
		buf_fmt(&s->files, "%s'" QUERY_INPUT "/t%zu/p%zu/%zu%s'", s->n_files++ ? "," : "", s->number, part,
			n, end);
	}
	return OK;
}

static err stage_place(source *s, size_t part, str location)
{
	str bucket, prefix;
	run_object *first;
	if (!run_location(location, &bucket, &prefix))
		return run_failed(s->x, "HIVE_METASTORE_ERROR: Table %.*s has no location", STR_ARG(s->t->Name));
	TRY(run_list(s->x, bucket, prefix, &first));
	return stage(s, part, first);
}

static str parameter(const glue_ParametersMap *m, str name)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq_nocase(m->v[i].key, name))
			return m->v[i].value;
	return STR_NONE;
}

static str serde_parameter(const source *s, str name, str otherwise)
{
	const glue_SerDeInfo *i = s->t->StorageDescriptor->SerdeInfo;
	str v = i ? parameter(&i->Parameters, name) : STR_NONE;
	return str_is(v) ? v : otherwise;
}

typedef enum written { AS_JSON, AS_TEXT, AS_CSV, AS_PARQUET, AS_UNKNOWN } written;

static written how(const source *s)
{
	const glue_SerDeInfo *i = s->t->StorageDescriptor->SerdeInfo;
	str serde = i && str_is(i->SerializationLibrary) ? arena_lower(s->x->mem, i->SerializationLibrary) :
		S("");
	if (str_find(serde, S("json")) != SIZE_MAX)
		return AS_JSON;
	if (str_find(serde, S("parquet")) != SIZE_MAX)
		return AS_PARQUET;
	if (str_find(serde, S("opencsv")) != SIZE_MAX)
		return AS_CSV;
	return str_find(serde, S("lazysimple")) != SIZE_MAX || !serde.n ? AS_TEXT : AS_UNKNOWN;
}

/* {"order_id": 'VARCHAR', ...} */
static void column_map(source *s)
{
	const glue_ColumnList *c = &s->t->StorageDescriptor->Columns;
	arena *mem = s->x->mem;
	buf_put(s->setup, S("{"));
	for (size_t i = 0; i < c->n; i++) {
		buf_fmt(s->setup, "%s%.*s: 'VARCHAR'", i ? ", " : "", STR_ARG(duckdb_name(mem, c->v[i].Name)));
	}
	buf_put(s->setup, S("}"));
}

static void put_reader(source *s, written w)
{
	arena *mem = s->x->mem;
	str files = buf_str(&s->files), delim = serde_parameter(s, S("field.delim"), STR_NONE), skip;
	int64_t lines = 0;
	if (w == AS_PARQUET) {
		buf_fmt(s->setup, "read_parquet([%.*s], union_by_name = true, filename = true)", STR_ARG(files));
		return;
	}
	if (w == AS_JSON) {
		bool lenient = str_eq_nocase(serde_parameter(s, S("ignore.malformed.json"), S("")), S("true"));
		buf_fmt(s->setup, "read_json([%.*s], format = 'nd', filename = true, ignore_errors = %s, "
		        "maximum_depth = 1, sample_size = -1)", STR_ARG(files), lenient ? "true" : "false");
		return;
	}
	if (!str_is(delim))
		delim = serde_parameter(s, S("serialization.format"), S("\x01"));
	skip = parameter(&s->t->Parameters, S("skip.header.line.count"));
	if (!str_is(skip))
		skip = serde_parameter(s, S("skip.header.line.count"), S("0"));
	if (!str_to_i64(skip, &lines) || lines < 0)
		lines = 0;
	str quote = w == AS_CSV ? serde_parameter(s, S("quoteChar"), S("\"")) : S("");
	if (w == AS_CSV)
		delim = serde_parameter(s, S("separatorChar"), S(","));
	if (str_eq(delim, S("1")))
		delim = S("\x01");
	if (str_eq(delim, S("\\t")))
		delim = S("\t");
	buf_fmt(s->setup, "read_csv([%.*s], auto_detect = false, header = false, skip = %lld, delim = %.*s, "
	        "quote = %.*s, escape = %.*s, %s null_padding = true, strict_mode = false, filename = true, "
	        "columns = ",
	        STR_ARG(files), (long long)lines, STR_ARG(duckdb_text(mem, delim)), STR_ARG(duckdb_text(mem,
		quote)),
	        STR_ARG(duckdb_text(mem, quote)), w == AS_TEXT ? "nullstr = '\\N'," : "");
	column_map(s);
	buf_c(s->setup, ')');
}

/* A partition's value, by the folder in which the file lies. */
static void put_key(source *s, size_t key, str type)
{
	buf_put(s->setup, S(", TRY_CAST(list_extract(["));
	for (size_t i = 0; i < s->n_parts; i++) {
		str v = key < s->parts[i].Values.n ? s->parts[i].Values.v[key] : S("");
		if (i)
			buf_c(s->setup, ',');
		buf_put(s->setup, str_eq(v, S("__HIVE_DEFAULT_PARTITION__")) ? S("NULL") :
			duckdb_text(s->x->mem, str_sub(v, 0, 2048)));
	}
	buf_fmt(s->setup,
		"]::VARCHAR[], CAST(regexp_extract(filename, '/p([0-9]+)/', 1) AS INTEGER) + 1) AS %.*s) "
	        "AS %.*s", STR_ARG(type), STR_ARG(duckdb_name(s->x->mem, s->t->PartitionKeys.v[key].Name)));
}

/* What the file has for a column, as the table has it; values that do not fit are null. */
static void put_column(source *s, written w, str name, str type)
{
	bool text = str_eq(type, S("VARCHAR")), moment = str_eq(type, S("TIMESTAMP")) || str_eq(type, S("DATE"));
	if (w == AS_JSON && text)
		buf_fmt(s->setup, "(%.*s->>'$') AS %.*s", STR_ARG(name), STR_ARG(name));
	else
		buf_fmt(s->setup, "TRY_CAST(%s%.*s%s AS %.*s) AS %.*s", w == AS_JSON && moment ? "(" : "",
			STR_ARG(name),
		        w == AS_JSON && moment ? "->>'$')" : "", STR_ARG(type), STR_ARG(name));
}

static err put_columns(source *s, written w, bool files)
{
	const glue_ColumnList *c = &s->t->StorageDescriptor->Columns;
	arena *mem = s->x->mem;
	for (size_t i = 0; i < c->n + s->t->PartitionKeys.n; i++) {
		const glue_Column *one = i < c->n ? &c->v[i] : &s->t->PartitionKeys.v[i - c->n];
		str type, name = duckdb_name(mem, one->Name);
		if (!type_of_hive(mem, one->Type, &type))
			return run_failed(s->x, "HIVE_UNSUPPORTED_FORMAT: Column %.*s has the type %.*s",
			                  STR_ARG(one->Name), STR_ARG(one->Type));
		if (i < c->n && i)
			buf_put(s->setup, S(", "));
		if (!files)
			buf_fmt(s->setup, "%sNULL::%.*s AS %.*s", i >= c->n ? ", " : "", STR_ARG(type), STR_ARG(name));
		else if (i < c->n)
			put_column(s, w, name, type);
		else
			put_key(s, i - c->n, type);
	}
	return OK;
}

/* A column that no file has is null. */
static err put_nulls(source *s, written w)
{
	const glue_ColumnList *c = &s->t->StorageDescriptor->Columns;
	arena *mem = s->x->mem;
	buf_put(s->setup, S("(SELECT "));
	for (size_t i = 0; i < c->n; i++) {
		str type = S("JSON");
		if (w == AS_PARQUET)
			type_of_hive(mem, c->v[i].Type, &type);
		buf_fmt(s->setup, "NULL::%.*s AS %.*s, ", STR_ARG(type), STR_ARG(duckdb_name(mem, c->v[i].Name)));
	}
	buf_put(s->setup, S("NULL::VARCHAR AS filename WHERE false UNION ALL BY NAME SELECT * FROM "));
	return OK;
}

static err put_view(source *s)
{
	arena *mem = s->x->mem;
	written w = how(s);
	str schema = duckdb_name(mem, s->t->DatabaseName), name = duckdb_name(mem, s->t->Name);
	if (w == AS_UNKNOWN)
		return run_failed(s->x, "NOT_SUPPORTED: Farthing's Athena does not know the SerDe of table %.*s",
		                  STR_ARG(s->t->Name));
	bool named = w == AS_PARQUET || w == AS_JSON;
	buf_fmt(s->setup, "CREATE SCHEMA IF NOT EXISTS %.*s; CREATE OR REPLACE VIEW %.*s.%.*s AS SELECT ",
	        STR_ARG(schema), STR_ARG(schema), STR_ARG(name));
	TRY(put_columns(s, w, s->n_files > 0));
	if (!s->n_files) {
		buf_put(s->setup, S(" WHERE false;\n"));
		return OK;
	}
	buf_put(s->setup, S(" FROM "));
	if (named)
		TRY(put_nulls(s, w));
	put_reader(s, w);
	buf_put(s->setup, named ? S(");\n") : S(";\n"));
	return s->setup->full || s->files.full ? run_failed(s->x, "The query reads too many partitions") : OK;
}

static err lay_in(run *x, arena *own, const table_use *u, size_t number, buf *setup)
{
	source s = { .x = x, .own = own, .u = u, .number = number, .setup = setup };
	glue_GetTable_in in = { .DatabaseName = u->database, .Name = u->name };
	glue_GetTable_out out = { 0 };
	err e = run_ask(x, own, "glue", "GetTable", &in, &out);
	str low = arena_lower(x->mem, in.DatabaseName), name = arena_lower(x->mem, in.Name);
	if (e && str_eq(str_c(e->kind->name), S("EntityNotFoundException")))
		return run_failed(x, "TABLE_NOT_FOUND: %.*s: Table 'awsdatacatalog.%.*s.%.*s' does not exist",
		                  STR_ARG(sql_place(x->mem, x->sql.sql, x->sql.v[u->at].at)), STR_ARG(low),
			STR_ARG(name));
	TRY(e);
	s.t = out.Table;
	s.files = buf_in(x->mem, 256, SETUP_BYTES);
	if (!s.t->StorageDescriptor)
		return run_failed(x, "HIVE_METASTORE_ERROR: Table %.*s has no storage descriptor", STR_ARG(name));
	if (str_is(parameter(&s.t->Parameters, S("projection.enabled"))))
		return run_failed(x, "NOT_SUPPORTED: Farthing's Athena has no partition projection");
	if (!s.t->PartitionKeys.n) {
		TRY(stage_place(&s, 0, s.t->StorageDescriptor->Location));
	} else {
		TRY(wanted_partitions(&s));
		for (size_t i = 0; i < s.n_parts; i++)
			if (str_is(s.parts[i].location))
				TRY(stage_place(&s, i, s.parts[i].location));
	}
	return put_view(&s);
}

static err lay(run *x, const table_use *u, size_t number, buf *setup)
{
	arena *own = arena_open(1 << 16);
	err e = lay_in(x, own, u, number, setup);
	arena_close(own);
	return e;
}

static str after(str text, const char *mark)
{
	size_t at = str_find(text, str_c(mark));
	return at == SIZE_MAX ? STR_NONE : str_sub(text, at + strlen(mark), text.n);
}

static str place_of(run *x, str name)
{
	for (size_t i = 0; i < x->sql.n; i++)
		if (sql_named(&x->sql.v[i]) && str_eq_nocase(x->sql.v[i].text, name))
			return sql_place(x->mem, x->sql.sql, x->sql.v[i].at);
	return S("line 1:1");
}

/* DuckDB's sentence in Athena's words, as far as they are known. */
static err told(run *x, str message)
{
	str rest = after(message, "Referenced column \""), name;
	str first = str_cut(&(str){ message.p, message.n }, '\n');
	if (str_is(rest)) {
		name = str_cut(&rest, '"');
		return run_failed(x, "COLUMN_NOT_FOUND: %.*s: Column '%.*s' cannot be resolved or requester is not "
		                  "authorized to access requested resources", STR_ARG(place_of(x, name)),
			STR_ARG(name));
	}
	rest = after(message, "Function with name ");
	if (str_is(rest)) {
		name = str_cut(&rest, ' ');
		return run_failed(x, "FUNCTION_NOT_FOUND: %.*s: Function '%.*s' not registered",
		                  STR_ARG(place_of(x, name)), STR_ARG(name));
	}
	rest = after(message, "Table with name ");
	if (str_is(rest)) {
		name = str_cut(&rest, ' ');
		return run_failed(x, "TABLE_NOT_FOUND: %.*s: Table 'awsdatacatalog.%.*s.%.*s' does not exist",
		                  STR_ARG(place_of(x, name)), STR_ARG(x->database), STR_ARG(name));
	}
	rest = after(message, "syntax error at or near \"");
	if (str_is(rest)) {
		name = str_cut(&rest, '"');
		return run_failed(x, "SYNTAX_ERROR: %.*s: mismatched input '%.*s'", STR_ARG(place_of(x, name)),
		                  STR_ARG(name));
	}
	if (str_find(message, S("Out of Memory")) != SIZE_MAX)
		return run_failed(x, "EXCEEDED_MEMORY_LIMIT: Query exceeded per-node memory limit");
	bool read = str_find(message, S("JSON")) != SIZE_MAX && str_find(message, S("/input/")) != SIZE_MAX;
	return run_failed(x, "%s: %.*s", read ? "HIVE_CURSOR_ERROR" : "GENERIC_USER_ERROR", STR_ARG(first));
}

#define ANSWER_COLUMNS_MAX 20000
#define ANSWER_NAMES_BYTES ((size_t)4 << 20)

static err read_answer(run *x, str text)
{
	arena *mem = x->mem;
	size_t room = 16, names = 0;
	x->columns.v = arena_array(mem, athena_ColumnInfo, room);
	while (str_starts(text, S("C\t"))) {
		str line = str_cut(&text, '\n'), field[5];
		int64_t precision = 0, scale = 0;
		for (size_t i = 0; i < 5; i++)
			field[i] = str_is(line) ? str_cut(&line, '\t') : S("");
		names += field[1].n;
		if (x->columns.n == ANSWER_COLUMNS_MAX || names > ANSWER_NAMES_BYTES)
			return run_failed(x, "EXCEEDED_LOCAL_LIMIT: Farthing's Athena answers with at most %d columns",
			                  ANSWER_COLUMNS_MAX);
		str_to_i64(field[3], &precision);
		str_to_i64(field[4], &scale);
		if (x->columns.n == room) {
			athena_ColumnInfo *more = arena_array(mem, athena_ColumnInfo, room * 2);
			memcpy(more, x->columns.v, room * sizeof *more);
			x->columns.v = more;
			room *= 2;
		}
		bool letters = str_eq(field[2], S("varchar"));
		x->columns.v[x->columns.n++] = (athena_ColumnInfo){ .CatalogName = S("hive"), .SchemaName = S(""),
			.TableName = S(""), .Name = field[1], .Label = field[1], .Type = field[2],
			.Precision = I64(precision), .Scale = I64(scale), .Nullable = athena_ColumnNullable_UNKNOWN,
			.CaseSensitive = BOOL(letters) };
	}
	if (str_starts(text, S("R\n")))
		text = str_sub(text, 2, text.n);
	if (str_starts(text, S("\nE")))
		return told(x, str_trim(str_sub(text, 2, text.n)));
	buf b = buf_in(mem, text.n + 4096, ATHENA_RESULT_BYTES + (1 << 20));
	for (size_t i = 0; i < x->columns.n; i++)
		buf_fmt(&b, "%s%.*s", i ? "," : "", STR_ARG(duckdb_name(mem, x->columns.v[i].Name)));
	buf_c(&b, '\n');
	buf_put(&b, text);
	x->answer = buf_str(&b);
	x->table = true;
	return OK;
}

static bool going(void *context) { return run_going(context); }

static err ask_engine(run *x)
{
	query_end end;
	str out = path_join(x->mem, x->folder, S("out")), text;
	query_spec spec = { .folder = path_join(x->mem, x->folder, S("in")), .output = out,
		.memory_bytes = MEMORY_BYTES, .time_ms = TIME_MS, .output_bytes = ATHENA_RESULT_BYTES,
		.going = going, .context = x };
	TRY(query_run(x->mem, &spec, &end));
	switch (end) {
	case QUERY_ANSWERED:
		TRY(file_read(x->mem, out, ATHENA_RESULT_BYTES * 2, &text));
		return read_answer(x, text);
	case QUERY_STOPPED:
		return run_failed(x, "Query cancelled");
	case QUERY_TOO_LONG:
		return run_failed(x, "Query timeout");
	case QUERY_TOO_LARGE:
		return run_failed(x, "EXCEEDED_LOCAL_LIMIT: Farthing's Athena answers with at most 64 MiB");
	case QUERY_DIED:
		break;
	}
	return run_failed(x, "EXCEEDED_MEMORY_LIMIT: Query exceeded per-node memory limit");
}

/* FROM f(..) would be a function that makes a table: ours are none of Athena's. */
static err no_functions(run *x, const table_use *u)
{
	const sql_token *k = &x->sql.v[u->at];
	while (sql_named(k) && sql_sign(k + 1, '.'))
		k += 2;
	if (k->kind != SQL_END && sql_sign(k + 1, '('))
		return run_failed(x, "FUNCTION_NOT_FOUND: %.*s: Table function '%.*s' not registered",
		                  STR_ARG(sql_place(x->mem, x->sql.sql, k->at)), STR_ARG(k->text));
	return OK;
}

/* DuckDB wants strptime's format as it stands, in its own letters. */
static str in_dialect(run *x)
{
	static const char *const letters[][2] = { { "%i", "%M" }, { "%s", "%S" }, { "%T", "%H:%M:%S" } };
	buf b = buf_in(x->mem, x->sql.sql.n + 64, (size_t)1 << 20);
	size_t done = 0;
	int depth = -1;
	for (size_t i = 0; i + 1 < x->sql.n; i++) {
		const sql_token *k = &x->sql.v[i];
		if (sql_is(k, "date_parse") && sql_sign(k + 1, '('))
			depth = k->depth + 1;
		else if (k->depth < depth && !sql_sign(k, '('))
			depth = -1;
		if (depth < 0 || k->kind != SQL_TEXT)
			continue;
		buf_put(&b, str_sub(x->sql.sql, done, k->at));
		for (size_t at = k->at; at < k->end; at++) {
			size_t n = 0;
			while (n < 3 && !str_starts(str_sub(x->sql.sql, at, k->end), str_c(letters[n][0])))
				n++;
			if (n == 3)
				buf_c(&b, x->sql.sql.p[at]);
			else
				buf_put(&b, str_c(letters[n][1]));
			at += n < 3;
		}
		done = k->end;
	}
	buf_put(&b, str_sub(x->sql.sql, done, x->sql.sql.n));
	return buf_str(&b);
}

err run_select(run *x)
{
	table_use *uses;
	size_t n = select_tables(x->mem, &x->sql, &uses);
	buf setup = buf_in(x->mem, 8192, SETUP_BYTES);
	if (n > SELECT_TABLES_MAX)
		return run_failed(x, "QUERY_HAS_TOO_MANY_STAGES: more than %d tables are named", SELECT_TABLES_MAX);
	if (!query_possible())
		return run_failed(x, "%s", QUERY_ABSENT);
	TRY(dir_make(x->mem, path_join(x->mem, x->folder, S("in")), 0755));
	buf_put(&setup, str_c(dialect));
	for (size_t i = 0; i < n; i++) {
		size_t seen = 0;
		TRY(no_functions(x, &uses[i]));
		if (!str_is(uses[i].database))
			uses[i].database = x->database;
		while (seen < i && !(str_eq_nocase(uses[seen].name, uses[i].name) &&
		                     str_eq_nocase(uses[seen].database, uses[i].database)))
			seen++;
		if (seen < i)
			uses[seen].alias = STR_NONE;
	}
	for (size_t i = 0; i < n; i++) {
		bool again = false;
		for (size_t k = 0; k < i; k++)
			again = again || (str_eq_nocase(uses[k].name, uses[i].name) &&
			                  str_eq_nocase(uses[k].database, uses[i].database));
		if (!again)
			TRY(lay(x, &uses[i], i, &setup));
	}
	str schema = duckdb_name(x->mem, x->database);
	buf_fmt(&setup, "CREATE SCHEMA IF NOT EXISTS %.*s; SET search_path = %.*s;\n%s", STR_ARG(schema),
	        STR_ARG(duckdb_text(x->mem, arena_fmt(x->mem, "awsdatacatalog.%.*s,awsdatacatalog.main",
	        STR_ARG(schema)))), lock);
	if (setup.full) /* without the lock */
		return run_failed(x, "The query reads too many partitions");
	TRY(query_append(x->mem, path_join(x->mem, x->folder, S("in/setup.sql")), buf_str(&setup)));
	TRY(query_append(x->mem, path_join(x->mem, x->folder, S("in/query.sql")), in_dialect(x)));
	return ask_engine(x);
}
