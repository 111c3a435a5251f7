#include "cloud/event_log.h"
#include "rds.h"
#include "sys/clock.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engines' logs in CloudWatch, for those that export them. */

#define PIECE_MAX ((size_t)1 << 20)
#define LINES_MAX 10000

/* What a log is called: by users, in its folder, and as a type of exported ones. */
typedef struct log_kind {
	const char *shown, *file, *type;
	bool mysql;
} log_kind;
static const log_kind log_kinds[] = {
	{ "error/postgresql.log", "postgresql.log", "postgresql", false },
	{ "error/mysql-error.log", "mysql-error.log", "error", true },
	{ "slowquery/mysql-slowquery.log", "mysql-slowquery.log", "slowquery", true },
	{ "general/mysql-general.log", "mysql-general.log", "general", true },
};
#define LOG_KINDS (sizeof log_kinds / sizeof *log_kinds)

const char *const *db_log_kinds(str engine)
{
	static const char *const of_postgres[] = { "postgresql", "upgrade", NULL },
							 *const of_aurora[] = { "postgresql", NULL },
							 *const of_mysql[] = { "audit", "error", "general", "slowquery", NULL };
	return db_engine_is_mysql(engine)    ? of_mysql
		   : db_engine_is_aurora(engine) ? of_aurora
										 : of_postgres;
}

static str path_of(arena *a, str folder, const log_kind *k)
{
	return arena_fmt(a, "%.*s/%.*s/log/%s", STR_ARG(db_engines_root()), STR_ARG(folder), k->file);
}

static int64_t size_of(arena *a, str folder, const log_kind *k, int64_t *written)
{
	struct stat st;
	if (stat(path_of(a, folder, k).p, &st) != 0)
		return -1;
	*written = (int64_t)st.st_mtim.tv_sec * 1000;
	return (int64_t)st.st_size;
}

void db_logs_begin(arena *a, str folder, int64_t at[DB_LOGS])
{
	int64_t written;
	_Static_assert(LOG_KINDS == DB_LOGS, "one place for each");
	for (size_t k = 0; k < LOG_KINDS; k++) {
		at[k] = size_of(a, folder, &log_kinds[k], &written);
		at[k] = at[k] < 0 ? 0 : at[k];
	}
}

static bool exported(const rds_LogTypeList *types, const log_kind *kind)
{
	for (size_t k = 0; k < types->n; k++)
		if (str_eq(types->v[k], str_c(kind->type)))
			return true;
	return false;
}

static str bytes_of(arena *a, str folder, const log_kind *kind, int64_t from)
{
	int fd = open(path_of(a, folder, kind).p, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return S("");
	char *p = arena_bytes(a, PIECE_MAX);
	ssize_t n = pread(fd, p, PIECE_MAX, from);
	close(fd);
	return str_of(p, n > 0 ? (size_t)n : 0);
}

/* Of whole lines. */
static str piece_of(arena *a, str folder, const log_kind *kind, int64_t from)
{
	str piece = bytes_of(a, folder, kind, from);
	size_t whole = piece.n;
	while (whole > 0 && piece.p[whole - 1] != '\n')
		whole--;
	if (!whole && piece.n == PIECE_MAX) /* a line longer than a piece goes in pieces */
		whole = piece.n;
	return whole ? str_sub(piece, 0, whole) : STR_NONE;
}

static int64_t export(arena *a, const rds_instance *i, const rds_cluster *c, str folder, const log_kind *kind,
                      int64_t from, int64_t now)
{
	int64_t written, size = size_of(a, folder, kind, &written);
	if (!exported(c ? &c->It->EnabledCloudwatchLogsExports : &i->It->EnabledCloudwatchLogsExports, kind))
		return size < 0 ? 0 : size;
	if (size <= from)
		return size < from ? 0 : from;
	str rest = piece_of(a, folder, kind, from);
	int64_t to = from + (int64_t)rest.n;
	str group = arena_fmt(a, "/aws/rds/%s/%.*s/%s", c ? "cluster" : "instance", STR_ARG(c ? c->Id : i->Id),
	                      kind->type);
	while (str_is(rest)) {
		str line = str_cut(&rest, '\n');
		if (!str_empty(line))
			log_later(i->Account, i->Region, group, i->Id, now, line);
	}
	return to;
}

bool db_logs_export(arena *a, const rds_instance *i, const rds_cluster *c, str folder, int64_t at[DB_LOGS],
                    int64_t now)
{
	bool any = false, mysql = db_engine_is_mysql(i->It->Engine);
	for (size_t k = 0; k < LOG_KINDS; k++) {
		int64_t to = log_kinds[k].mysql == mysql ? export(a, i, c, folder, &log_kinds[k], at[k], now) : 0;
		any = any || to != at[k];
		at[k] = to;
	}
	return any;
}

static bool among(const rds_LogTypeList *list, str type)
{
	for (size_t k = 0; k < list->n; k++)
		if (str_eq(list->v[k], type))
			return true;
	return false;
}

static err known(req *rq, const rds_LogTypeList *types, str engine, str version)
{
	for (size_t k = 0; k < types->n; k++) {
		const char *const *all = db_log_kinds(engine);
		while (*all && !str_eq(types->v[k], str_c(*all)))
			all++;
		if (!*all)
			return fail(
				rq, &rds_InvalidParameterCombination,
				"You cannot use the log types '%.*s' with engine version %.*s %.*s. For supported log "
				"types, see the documentation.",
				STR_ARG(types->v[k]), STR_ARG(engine), STR_ARG(version));
	}
	return OK;
}

err db_log_types(req *rq, const rds_LogTypeList *add, const rds_LogTypeList *drop, str engine, str version,
                 rds_LogTypeList *now)
{
	TRY(known(rq, add, engine, version));
	str *all = arena_array(rq->mem, str, now->n + add->n + 1);
	size_t n = 0;
	for (size_t k = 0; k < now->n + add->n; k++) {
		str type = k < now->n ? now->v[k] : add->v[k - now->n];
		if (!among(drop, type) && !among(&(rds_LogTypeList){ all, n }, type))
			all[n++] = type;
	}
	*now = (rds_LogTypeList){ all, n };
	return OK;
}

err rds_DescribeDBLogFiles(req *rq, const txn *tx, const rds_DescribeDBLogFiles_in *in,
                           rds_DescribeDBLogFiles_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	out->DescribeDBLogFiles.v = arena_array(rq->mem, rds_DescribeDBLogFilesDetails, LOG_KINDS);
	for (size_t k = 0; k < LOG_KINDS; k++) {
		int64_t written, size = size_of(rq->mem, i->Folder, &log_kinds[k], &written);
		str name = str_c(log_kinds[k].shown);
		if (size < 0 || log_kinds[k].mysql != db_engine_is_mysql(i->It->Engine) ||
		    (str_is(in->FilenameContains) && str_find(name, in->FilenameContains) == SIZE_MAX) ||
		    (in->FileSize.set && size < in->FileSize.v))
			continue;
		written += clock_offset();
		if (in->FileLastWritten.set && written < in->FileLastWritten.v)
			continue;
		out->DescribeDBLogFiles.v[out->DescribeDBLogFiles.n++] = (rds_DescribeDBLogFilesDetails){
			.LogFileName = name, .LastWritten = I64(written), .Size = I64(size)
		};
	}
	return OK;
}

/* Where the last so many lines begin. */
static size_t tail_of(str text, int64_t lines)
{
	size_t at = text.n;
	while (at > 0 && lines >= 0) {
		at--;
		if (text.p[at] == '\n' && at + 1 < text.n && --lines == 0)
			return at + 1;
	}
	return 0;
}

static const log_kind *kind_named(str shown)
{
	for (size_t k = 0; k < LOG_KINDS; k++)
		if (str_eq(shown, str_c(log_kinds[k].shown)))
			return &log_kinds[k];
	return NULL;
}

static bool inside_character(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* Where the last character begins when its end is not there; else `end`. */
static size_t whole_characters(str text, size_t begin, size_t end)
{
	size_t lead = end;
	while (lead > begin && end - lead < 3 && inside_character(text.p[lead - 1]))
		lead--;
	if (lead <= begin + 1)
		return end;
	unsigned char c = (unsigned char)text.p[--lead];
	size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
	return end - lead < length ? lead : end;
}

/* Without a marker: the last lines; with 0 from the beginning, else from where an answer before ended. */
err rds_DownloadDBLogFilePortion(req *rq, const txn *tx, const rds_DownloadDBLogFilePortion_in *in,
                                 rds_DownloadDBLogFilePortion_out *out)
{
	rds_instance *i;
	int64_t from = 0, written, lines = in->NumberOfLines.set ? in->NumberOfLines.v : LINES_MAX;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	const log_kind *kind = kind_named(in->LogFileName);
	int64_t size = kind ? size_of(rq->mem, i->Folder, kind, &written) : -1;
	if (size < 0)
		return fail(rq, &rds_DBLogFileNotFoundFault, "DBLog File: %.*s, is not found on the DB instance",
		            STR_ARG(in->LogFileName));
	if (lines < 1 || lines > LINES_MAX)
		lines = LINES_MAX;
	str given = in->Marker;
	if (str_is(given) && (!str_to_i64(str_cut(&given, ':'), &from) || from < 0 || from > size))
		return fail(rq, &rds_InvalidParameterValue, "Invalid marker: %.*s", STR_ARG(in->Marker));
	if (!str_is(in->Marker))
		from = size > (int64_t)PIECE_MAX ? size - (int64_t)PIECE_MAX : 0;
	str text = bytes_of(rq->mem, i->Folder, kind, from);
	size_t begin = str_is(in->Marker) ? 0 : tail_of(text, lines), end = begin;
	while (end < text.n && lines > 0)
		lines -= text.p[end++] == '\n';
	if (end == text.n)
		end = whole_characters(text, begin, end);
	while (from > 0 && begin < end && begin < 3 && inside_character(text.p[begin]))
		begin++;
	out->LogFileData = str_sub(text, begin, end);
	out->Marker = arena_fmt(rq->mem, "%lld", (long long)from + (long long)end);
	out->AdditionalDataPending = BOOL(from + (int64_t)end < size);
	return OK;
}
