/* Hive's DDL: databases, tables, partitions, and what tells of them. */
#include "run.h"
#include "base/text.h"

#define COLUMNS_MAX 2000
#define PAIRS_MAX 1000
#define BATCH 100

typedef struct ddl {
	run *x;
	const sql_token *v;
	size_t i;
	buf out;
} ddl;

static err syntax(ddl *d)
{
	const sql_token *k = &d->v[d->i];
	str near = str_sub(d->x->sql.sql, k->at, k->end);
	return run_failed(d->x, "FAILED: ParseException %.*s cannot recognize input near '%.*s'",
	                  STR_ARG(sql_place(d->x->mem, d->x->sql.sql, k->at)), STR_ARG(near.n ? near :
		S("<EOF>")));
}

static bool take(ddl *d, const char *word)
{
	bool is = sql_is(&d->v[d->i], word);
	d->i += is;
	return is;
}

static bool take_sign(ddl *d, char c)
{
	bool is = sql_sign(&d->v[d->i], c);
	d->i += is;
	return is;
}

static bool take_text(ddl *d, str *out)
{
	const sql_token *k = &d->v[d->i];
	bool is = k->kind == SQL_TEXT || k->kind == SQL_NAME;
	if (is)
		*out = k->text;
	d->i += is;
	return is;
}

static bool take_name(ddl *d, str *out)
{
	const sql_token *k = &d->v[d->i];
	if (!sql_named(k))
		return false;
	*out = arena_lower(d->x->mem, k->text);
	d->i++;
	return true;
}

/* [database .] table */
static bool take_table(ddl *d, str *database, str *table)
{
	*database = d->x->database;
	if (!take_name(d, table))
		return false;
	if (!take_sign(d, '.'))
		return true;
	*database = *table;
	return take_name(d, table);
}

static bool at_end(const ddl *d) { return d->v[d->i].kind == SQL_END; }

static bool is_kind(err e, const char *name) { return e && strcmp(e->kind->name, name) == 0; }

static err ask(ddl *d, const char *what, const void *in, void *out)
{
	return run_ask(d->x, d->x->mem, "glue", what, in, out);
}

/* What the catalog refuses is told as Hive's front tells it. */
static err told(ddl *d, err e)
{
	return e ? run_failed(d->x, "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec."
	                      "DDLTask. %s(%.*s)", strcmp(e->kind->name, "AlreadyExistsException") == 0 ?
	                      "AlreadyExistsException" : strcmp(e->kind->name, "EntityNotFoundException") == 0 ?
	                      "NoSuchObjectException" : e->kind->name, STR_ARG(e->message)) : OK;
}

/* A pair of texts in a list in parentheses: 'a'='b' */
static bool pairs(ddl *d, glue_ParametersMap *m)
{
	if (m->n >= PAIRS_MAX)
		return false;
	size_t room = m->n + 8;
	glue_ParametersMap_entry *v = arena_array(d->x->mem, glue_ParametersMap_entry, room);
	if (m->n)
		memcpy(v, m->v, m->n * sizeof *v);
	m->v = v;
	if (!take_sign(d, '('))
		return false;
	do {
		str key, value;
		if (m->n >= PAIRS_MAX || !take_text(d, &key) || !take_sign(d, '=') || !take_text(d, &value))
			return false;
		if (m->n == room) {
			v = arena_array(d->x->mem, glue_ParametersMap_entry, room *= 2);
			memcpy(v, m->v, m->n * sizeof *v);
			m->v = v;
		}
		m->v[m->n++] = (glue_ParametersMap_entry){ key, value };
	} while (take_sign(d, ','));
	return take_sign(d, ')');
}

static bool columns(ddl *d, glue_ColumnList *c)
{
	if (!take_sign(d, '(') || c->v)
		return false;
	c->v = arena_array(d->x->mem, glue_Column, COLUMNS_MAX);
	do {
		glue_Column *one = &c->v[c->n];
		if (c->n == COLUMNS_MAX || !take_name(d, &one->Name) || !type_read(d->x->mem, &d->x->sql, &d->i,
			&one->Type))
			return false;
		c->n++;
		if (take(d, "comment") && !take_text(d, &one->Comment))
			return false;
	} while (take_sign(d, ','));
	return take_sign(d, ')');
}

typedef struct format {
	const char *name, *in, *out, *serde;
} format;
static const format formats[] = {
	{ "textfile", "org.apache.hadoop.mapred.TextInputFormat",
	  "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
	  "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe" },
	{ "parquet", "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
	  "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
	  "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" },
};

static void add(ddl *d, glue_ParametersMap *m, str key, str value)
{
	if (m->n >= PAIRS_MAX)
		return;
	glue_ParametersMap_entry *v = arena_array(d->x->mem, glue_ParametersMap_entry, m->n + 1);
	if (m->n)
		memcpy(v, m->v, m->n * sizeof *v);
	v[m->n] = (glue_ParametersMap_entry){ key, value };
	*m = (glue_ParametersMap){ v, m->n + 1 };
}

/* ROW FORMAT SERDE 'class' [WITH SERDEPROPERTIES (..)] | DELIMITED ... */
static bool row_format(ddl *d, glue_SerDeInfo *s)
{
	str value;
	if (take(d, "serde"))
		return take_text(d, &s->SerializationLibrary) &&
		       (!take(d, "with") || (take(d, "serdeproperties") && pairs(d, &s->Parameters)));
	if (!take(d, "delimited"))
		return false;
	for (;;) {
		if (take(d, "fields")) {
			if (!take(d, "terminated") || !take(d, "by") || !take_text(d, &value))
				return false;
			add(d, &s->Parameters, S("field.delim"), value);
			add(d, &s->Parameters, S("serialization.format"), value);
		} else if (take(d, "lines") || take(d, "escaped") || take(d, "collection") || take(d, "map")) {
			(void)(take(d, "items") || take(d, "keys"));
			(void)take(d, "terminated");
			if (!take(d, "by") || !take_text(d, &value))
				return false;
		} else if (take(d, "null")) {
			if (!take(d, "defined") || !take(d, "as") || !take_text(d, &value))
				return false;
		} else {
			return true;
		}
	}
}

static bool stored_as(ddl *d, glue_StorageDescriptor *s)
{
	str name;
	if (!take(d, "as"))
		return false;
	if (take(d, "inputformat"))
		return take_text(d, &s->InputFormat) && take(d, "outputformat") && take_text(d, &s->OutputFormat);
	if (!take_name(d, &name))
		return false;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (!str_eq(name, str_c(formats[i].name)))
			continue;
		s->InputFormat = str_c(formats[i].in);
		s->OutputFormat = str_c(formats[i].out);
		if (!str_is(s->SerdeInfo->SerializationLibrary))
			s->SerdeInfo->SerializationLibrary = str_c(formats[i].serde);
		return true;
	}
	return false;
}

static bool clauses(ddl *d, glue_TableInput *t)
{
	glue_StorageDescriptor *s = t->StorageDescriptor;
	while (!at_end(d)) {
		bool right;
		if (take(d, "comment"))
			right = take_text(d, &t->Description);
		else if (take(d, "partitioned"))
			right = take(d, "by") && columns(d, &t->PartitionKeys);
		else if (take(d, "row"))
			right = take(d, "format") && row_format(d, s->SerdeInfo);
		else if (take(d, "stored"))
			right = stored_as(d, s);
		else if (take(d, "with"))
			right = take(d, "serdeproperties") && pairs(d, &s->SerdeInfo->Parameters);
		else if (take(d, "location"))
			right = take_text(d, &s->Location);
		else
			right = take(d, "tblproperties") && pairs(d, &t->Parameters);
		if (!right)
			return false;
	}
	return true;
}

static err create_table(ddl *d, bool external)
{
	str database, name;
	bool quiet = take(d, "if") && take(d, "not") && take(d, "exists");
	glue_SerDeInfo serde = { 0 };
	glue_StorageDescriptor s = { .SerdeInfo = &serde, .NumberOfBuckets = I64(-1), .Compressed = BOOL(false),
		.StoredAsSubDirectories = BOOL(false) };
	glue_TableInput t = { .StorageDescriptor = &s, .TableType = S("EXTERNAL_TABLE"), .Owner = S("hadoop"),
		.Retention = I64(0) };
	if (!external)
		return run_failed(d->x, "NOT_SUPPORTED: Farthing's Athena makes external tables: "
			"CREATE EXTERNAL TABLE");
	if (!take_table(d, &database, &name) || !columns(d, &s.Columns))
		return syntax(d);
	add(d, &t.Parameters, S("EXTERNAL"), S("TRUE"));
	if (!clauses(d, &t))
		return syntax(d);
	str bucket, key;
	if (!run_location(s.Location, &bucket, &key))
		return run_failed(d->x, "FAILED: SemanticException A table needs a LOCATION in S3");
	if (!str_is(serde.SerializationLibrary))
		serde.SerializationLibrary = str_c(formats[0].serde);
	if (!str_is(s.InputFormat)) {
		s.InputFormat = str_c(formats[0].in);
		s.OutputFormat = str_c(formats[0].out);
	}
	t.Name = name;
	glue_CreateTable_in in = { .DatabaseName = database, .TableInput = &t };
	glue_CreateTable_out out;
	err e = ask(d, "CreateTable", &in, &out);
	return quiet && is_kind(e, "AlreadyExistsException") ? OK : told(d, e);
}

static err create_database(ddl *d)
{
	glue_DatabaseInput i = { 0 };
	bool quiet = take(d, "if") && take(d, "not") && take(d, "exists");
	if (!take_name(d, &i.Name))
		return syntax(d);
	while (!at_end(d)) {
		bool right = take(d, "comment") ? take_text(d, &i.Description) :
			take(d, "location") ? take_text(d, &i.LocationUri) :
			take(d, "with") && take(d, "dbproperties") && pairs(d, &i.Parameters);
		if (!right)
			return syntax(d);
	}
	glue_CreateDatabase_in in = { .DatabaseInput = &i };
	glue_CreateDatabase_out out;
	err e = ask(d, "CreateDatabase", &in, &out);
	return quiet && is_kind(e, "AlreadyExistsException") ? OK : told(d, e);
}

static err drop_table(ddl *d)
{
	str database, name;
	bool quiet = take(d, "if") && take(d, "exists");
	if (!take_table(d, &database, &name) || !at_end(d))
		return syntax(d);
	glue_DeleteTable_in in = { .DatabaseName = database, .Name = name };
	glue_DeleteTable_out out;
	err e = ask(d, "DeleteTable", &in, &out);
	if (is_kind(e, "EntityNotFoundException"))
		return quiet ? OK : run_failed(d->x,
			"FAILED: SemanticException [Error 10001]: Table not found %.*s.%.*s",
			STR_ARG(database), STR_ARG(name));
	return told(d, e);
}

static err drop_database(ddl *d)
{
	str name;
	bool quiet = take(d, "if") && take(d, "exists");
	if (!take_name(d, &name))
		return syntax(d);
	bool cascade = take(d, "cascade");
	if (!cascade)
		(void)take(d, "restrict");
	if (!at_end(d))
		return syntax(d);
	glue_GetTables_in ask_tables = { .DatabaseName = name, .MaxResults = I64(1) };
	glue_GetTables_out tables = { 0 };
	err e = ask(d, "GetTables", &ask_tables, &tables);
	if (is_kind(e, "EntityNotFoundException"))
		return quiet ? OK : run_failed(d->x,
			"FAILED: SemanticException [Error 10072]: Database does not exist: "
			"%.*s", STR_ARG(name));
	TRY(told(d, e));
	if (tables.TableList.n && !cascade)
		return run_failed(d->x, "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec."
			"DDLTask. InvalidOperationException(message:Database %.*s is not empty. "
			"One or more tables exist.)",
			STR_ARG(name));
	glue_DeleteDatabase_in in = { .Name = name };
	glue_DeleteDatabase_out out;
	return told(d, ask(d, "DeleteDatabase", &in, &out));
}

static err get_table(ddl *d, str database, str name, glue_Table **out)
{
	glue_GetTable_in in = { .DatabaseName = database, .Name = name };
	glue_GetTable_out got = { 0 };
	err e = ask(d, "GetTable", &in, &got);
	if (is_kind(e, "EntityNotFoundException"))
		return run_failed(d->x, "FAILED: SemanticException [Error 10001]: Table not found %.*s",
			STR_ARG(name));
	*out = got.Table;
	return e;
}

static glue_PartitionInput partition_at(ddl *d, const glue_Table *t, glue_ValueStringList values,
	str location)
{
	glue_StorageDescriptor *s = arena_new(d->x->mem, glue_StorageDescriptor);
	if (t->StorageDescriptor)
		*s = *t->StorageDescriptor;
	s->Location = location;
	return (glue_PartitionInput){ .Values = values, .StorageDescriptor = s };
}

/* dt='2026-01-01', n=1 : in the table's order. */
static bool partition_values(ddl *d, const glue_Table *t, glue_ValueStringList *values)
{
	size_t given = 0;
	values->v = arena_array(d->x->mem, str, t->PartitionKeys.n + 1);
	values->n = t->PartitionKeys.n;
	if (!take_sign(d, '('))
		return false;
	do {
		str name;
		size_t k = 0;
		if (!take_name(d, &name) || !take_sign(d, '='))
			return false;
		while (k < values->n && !str_eq(t->PartitionKeys.v[k].Name, name))
			k++;
		const sql_token *v = &d->v[d->i];
		if (k == values->n || (v->kind != SQL_TEXT && v->kind != SQL_NUMBER && v->kind != SQL_NAME))
			return false;
		given += !str_is(values->v[k]);
		values->v[k] = v->text;
		d->i++;
	} while (take_sign(d, ','));
	return take_sign(d, ')') && given == values->n;
}

/* Where Hive would put it. */
static str usual_place(ddl *d, const glue_Table *t, const glue_ValueStringList *values)
{
	buf b = buf_in(d->x->mem, 256, 8192);
	str at = t->StorageDescriptor ? t->StorageDescriptor->Location : S("");
	buf_put(&b, at);
	if (!str_ends(at, S("/")))
		buf_c(&b, '/');
	for (size_t i = 0; i < values->n; i++)
		buf_fmt(&b, "%.*s=%.*s/", STR_ARG(t->PartitionKeys.v[i].Name),
		        STR_ARG(percent_encode(d->x->mem, values->v[i], false)));
	return buf_str(&b);
}

static err add_partitions(ddl *d, const glue_Table *t)
{
	bool quiet = take(d, "if") && take(d, "not") && take(d, "exists");
	while (take(d, "partition")) {
		glue_ValueStringList values = { 0 };
		str location;
		if (!partition_values(d, t, &values))
			return syntax(d);
		location = usual_place(d, t, &values);
		if (take(d, "location") && !take_text(d, &location))
			return syntax(d);
		glue_PartitionInput p = partition_at(d, t, values, location);
		glue_CreatePartition_in in = { .DatabaseName = t->DatabaseName, .TableName = t->Name,
			.PartitionInput = &p };
		glue_CreatePartition_out out;
		err e = ask(d, "CreatePartition", &in, &out);
		if (e && !(quiet && is_kind(e, "AlreadyExistsException")))
			return told(d, e);
	}
	return at_end(d) ? OK : syntax(d);
}

static err drop_partitions(ddl *d, const glue_Table *t)
{
	bool quiet = take(d, "if") && take(d, "exists");
	do {
		glue_ValueStringList values = { 0 };
		if (!take(d, "partition") || !partition_values(d, t, &values))
			return syntax(d);
		glue_DeletePartition_in in = { .DatabaseName = t->DatabaseName, .TableName = t->Name,
			.PartitionValues = values };
		glue_DeletePartition_out out;
		err e = ask(d, "DeletePartition", &in, &out);
		if (e && !(quiet && is_kind(e, "EntityNotFoundException")))
			return told(d, e);
	} while (take_sign(d, ','));
	return at_end(d) ? OK : syntax(d);
}

static err alter_table(ddl *d)
{
	str database, name;
	glue_Table *t;
	if (!take_table(d, &database, &name))
		return syntax(d);
	TRY(get_table(d, database, name, &t));
	if (take(d, "add") && sql_is(&d->v[d->i], "columns"))
		return run_failed(d->x, "NOT_SUPPORTED: Farthing's Athena does not change columns");
	if (d->v[d->i - 1].kind == SQL_WORD && sql_is(&d->v[d->i - 1], "add"))
		return add_partitions(d, t);
	return take(d, "drop") ? drop_partitions(d, t) : syntax(d);
}

/* The values that stand in a key behind the table's place; false: it is in no partition. */
static bool values_of(ddl *d, const glue_Table *t, str key, glue_ValueStringList *values, size_t *end)
{
	str rest = key;
	values->v = arena_array(d->x->mem, str, t->PartitionKeys.n + 1);
	values->n = 0;
	while (values->n < t->PartitionKeys.n) {
		if (str_find_char(rest, '/') == SIZE_MAX)
			return false;
		str part = str_cut(&rest, '/'), name = str_cut(&part, '=');
		if (!str_is(part) || !str_eq_nocase(name, t->PartitionKeys.v[values->n].Name))
			return false;
		values->v[values->n++] = percent_decode(d->x->mem, part, false);
	}
	*end = (size_t)(rest.p - key.p);
	return true;
}

static bool same_values(const glue_ValueStringList *a, const glue_ValueStringList *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = str_eq(a->v[i], b->v[i]);
	return same;
}

static err keep_batch(ddl *d, const glue_Table *t, glue_PartitionInput *p, size_t n)
{
	glue_BatchCreatePartition_in in = { .DatabaseName = t->DatabaseName, .TableName = t->Name,
		.PartitionInputList = { p, n } };
	glue_BatchCreatePartition_out out = { 0 };
	TRY(told(d, ask(d, "BatchCreatePartition", &in, &out)));
	for (size_t i = 0; i < n; i++) {
		bool was = false;
		for (size_t k = 0; k < out.Errors.n && !was; k++)
			was = same_values(&out.Errors.v[k].PartitionValues, &p[i].Values);
		if (was)
			continue;
		buf_fmt(&d->out, "Repair: Added partition to metastore %.*s:", STR_ARG(t->Name));
		for (size_t k = 0; k < p[i].Values.n; k++)
			buf_fmt(&d->out, "%s%.*s=%.*s", k ? "/" : "", STR_ARG(t->PartitionKeys.v[k].Name),
			        STR_ARG(p[i].Values.v[k]));
		buf_c(&d->out, '\n');
	}
	return OK;
}

static err repair(ddl *d)
{
	str database, name, bucket, prefix, last = STR_NONE;
	glue_Table *t;
	run_object *o;
	if (!take(d, "repair") || !take(d, "table") || !take_table(d, &database, &name) || !at_end(d))
		return syntax(d);
	TRY(get_table(d, database, name, &t));
	if (!t->StorageDescriptor || !run_location(t->StorageDescriptor->Location, &bucket, &prefix))
		return run_failed(d->x, "FAILED: SemanticException Table %.*s has no location", STR_ARG(name));
	if (prefix.n && !str_ends(prefix, S("/")))
		prefix = arena_concat(d->x->mem, prefix, S("/"));
	TRY(run_list(d->x, bucket, prefix, &o));
	glue_PartitionInput *batch = arena_array(d->x->mem, glue_PartitionInput, BATCH);
	size_t n = 0, end = 0;
	for (; o && t->PartitionKeys.n; o = o->next) {
		glue_ValueStringList values;
		str tail = str_sub(o->key, prefix.n, o->key.n);
		if ((str_is(last) && str_starts(tail, last)) || !values_of(d, t, tail, &values, &end))
			continue;
		last = str_sub(tail, 0, end);
		batch[n++] = partition_at(d, t, values, arena_fmt(d->x->mem, "s3://%.*s/%.*s%.*s", STR_ARG(bucket),
			STR_ARG(prefix), STR_ARG(last)));
		if (n == BATCH) {
			TRY(keep_batch(d, t, batch, n));
			batch = arena_array(d->x->mem, glue_PartitionInput, BATCH);
			n = 0;
		}
	}
	return n ? keep_batch(d, t, batch, n) : OK;
}

static err show_tables(ddl *d)
{
	str database = d->x->database, pattern = STR_NONE, token = STR_NONE;
	if ((take(d, "in") || take(d, "from")) && !take_name(d, &database))
		return syntax(d);
	if (!at_end(d) && !take_text(d, &pattern))
		return syntax(d);
	do {
		glue_GetTables_in in = { .DatabaseName = database, .Expression = pattern, .NextToken = token };
		glue_GetTables_out out = { 0 };
		arena *page = arena_open(1 << 16);
		err e = run_ask(d->x, page, "glue", "GetTables", &in, &out);
		for (size_t i = 0; !e && i < out.TableList.n; i++)
			buf_fmt(&d->out, "%.*s\n", STR_ARG(out.TableList.v[i].Name));
		token = e ? STR_NONE : arena_str(d->x->mem, out.NextToken);
		arena_close(page);
		TRY(told(d, e));
	} while (str_is(token));
	return OK;
}

static err show_databases(ddl *d)
{
	str token = STR_NONE;
	if (!at_end(d))
		return syntax(d);
	do {
		glue_GetDatabases_in in = { .NextToken = token };
		glue_GetDatabases_out out = { 0 };
		TRY(told(d, ask(d, "GetDatabases", &in, &out)));
		for (size_t i = 0; i < out.DatabaseList.n; i++)
			buf_fmt(&d->out, "%.*s\n", STR_ARG(out.DatabaseList.v[i].Name));
		token = out.NextToken;
	} while (str_is(token));
	return OK;
}

static void put_partition(ddl *d, const glue_Table *t, const glue_ValueStringList *values)
{
	/* The table may have got other keys since. */
	for (size_t k = 0; k < t->PartitionKeys.n && k < values->n; k++)
		buf_fmt(&d->out, "%s%.*s=%.*s", k ? "/" : "", STR_ARG(t->PartitionKeys.v[k].Name),
		        STR_ARG(values->v[k]));
	buf_c(&d->out, '\n');
}

static err show_partitions(ddl *d)
{
	str database, name, token = STR_NONE;
	glue_Table *t;
	if (!take_table(d, &database, &name) || !at_end(d))
		return syntax(d);
	TRY(get_table(d, database, name, &t));
	do {
		glue_GetPartitions_in in = { .DatabaseName = database, .TableName = name, .NextToken = token };
		glue_GetPartitions_out out = { 0 };
		arena *page = arena_open(1 << 16);
		err e = run_ask(d->x, page, "glue", "GetPartitions", &in, &out);
		for (size_t i = 0; !e && i < out.Partitions.n; i++)
			put_partition(d, t, &out.Partitions.v[i].Values);
		token = e ? STR_NONE : arena_str(d->x->mem, out.NextToken);
		arena_close(page);
		TRY(told(d, e));
	} while (str_is(token));
	return OK;
}

static void put_column(ddl *d, const glue_Column *c, bool type)
{
	if (type)
		buf_fmt(&d->out, "%-20.*s\t%-20.*s\t%-20.*s\n", STR_ARG(c->Name), STR_ARG(c->Type),
			STR_ARG(c->Comment));
	else
		buf_fmt(&d->out, "%-20.*s\n", STR_ARG(c->Name));
}

static err describe(ddl *d, bool types)
{
	str database, name;
	glue_Table *t;
	if (!take_table(d, &database, &name) || !at_end(d))
		return syntax(d);
	TRY(get_table(d, database, name, &t));
	for (size_t i = 0; t->StorageDescriptor && i < t->StorageDescriptor->Columns.n; i++)
		put_column(d, &t->StorageDescriptor->Columns.v[i], types);
	for (size_t i = 0; i < t->PartitionKeys.n; i++)
		put_column(d, &t->PartitionKeys.v[i], types);
	if (types && t->PartitionKeys.n) {
		buf_put(&d->out,
			S("\t \t \n# Partition Information\t \t \n# col_name            \tdata_type           \t"
			"comment             \n\t \t \n"));
		for (size_t i = 0; i < t->PartitionKeys.n; i++)
			put_column(d, &t->PartitionKeys.v[i], true);
	}
	return OK;
}

static err show(ddl *d)
{
	if (take(d, "tables"))
		return show_tables(d);
	if (take(d, "databases") || take(d, "schemas"))
		return show_databases(d);
	if (take(d, "partitions"))
		return show_partitions(d);
	if (take(d, "columns") && (take(d, "in") || take(d, "from")))
		return describe(d, false);
	return syntax(d);
}

static err statement(ddl *d)
{
	if (take(d, "create")) {
		if (take(d, "database") || take(d, "schema"))
			return create_database(d);
		bool external = take(d, "external");
		return take(d, "table") ? create_table(d, external) :
			run_failed(d->x, "NOT_SUPPORTED: Farthing's Athena creates databases and external tables");
	}
	if (take(d, "drop"))
		return take(d, "table") ? drop_table(d) :
			take(d, "database") || take(d, "schema") ? drop_database(d) : syntax(d);
	if (take(d, "alter"))
		return take(d, "table") ? alter_table(d) : syntax(d);
	if (take(d, "msck"))
		return repair(d);
	if (take(d, "describe") || take(d, "desc"))
		return describe(d, true);
	if (take(d, "show"))
		return show(d);
	return run_failed(d->x, "NOT_SUPPORTED: Farthing's Athena does not know this statement: %.*s",
	                  STR_ARG(d->v[0].text));
}

err run_ddl(run *x)
{
	ddl d = { .x = x, .v = x->sql.v, .out = buf_in(x->mem, 256, (size_t)16 << 20) };
	TRY(statement(&d));
	x->answer = buf_str(&d.out);
	x->columns.v = arena_new(x->mem, athena_ColumnInfo);
	if (!d.out.n)
		return OK;
	x->columns.v[x->columns.n++] = (athena_ColumnInfo){ .CatalogName = S("hive"), .SchemaName = S(""),
		.TableName = S(""), .Name = S("result"), .Label = S("result"), .Type = S("string"),
			.Precision = I64(0),
		.Scale = I64(0), .Nullable = athena_ColumnNullable_UNKNOWN, .CaseSensitive = BOOL(false) };
	return OK;
}
