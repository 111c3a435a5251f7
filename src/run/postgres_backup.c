#include "run/postgres_parts.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/rand.h"
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX 4000 /* arguments of one cp */
#define SEGMENT_NAME 24 /* timeline, and twice eight digits of where */
#define SEGMENT_BITS 24 /* 16 MiB each */
#define ARCHIVED_MS 30000 /* how long a segment may take into the archive */
#define FUNCTIONS_RENAMED 150000

/* What a copy has to be without, or has empty. */
static const char *const left_out[] = {
	"pg_wal",       "pg_replslot", "pg_dynshmem",    "pg_notify",       "pg_serial",      "pg_snapshots",
	"pg_stat_tmp",  "pg_subtrans", "postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal",
	"backup_label", NULL
};
static const char *const empty_ones[] = {
	"pg_wal",    "pg_wal/archive_status", "pg_replslot", "pg_dynshmem", "pg_notify",
	"pg_serial", "pg_snapshots",          "pg_stat_tmp", "pg_subtrans", NULL
};

/* What cp says of files that went while it ran is no fault: the log brings the copy to what they came to. */
static bool only_vanished(str said)
{
	while (str_is(said)) {
		str line = str_cut(&said, '\n');
		if (!str_empty(line) && !str_ends(line, S("No such file or directory")))
			return false;
	}
	return true;
}

/* Into the folder `to`, with owners and holes; the files may change meanwhile. */
static err copy(arena *a, const char **words, size_t n, str to)
{
	str said;
	int status;
	if (n == 0)
		return OK;
	const char **argv = arena_array(a, const char *, n + 6);
	argv[0] = "/bin/cp";
	argv[1] = "-a";
	argv[2] = "--reflink=auto";
	argv[3] = "-t";
	argv[4] = to.p;
	for (size_t i = 0; i < n; i++)
		argv[5 + i] = words[i];
	TRY(proc_run(a, &(proc_spec){ .argv = argv, .in = -1, .out = -1, .err = -1 }, &status, &said));
	if (status && !only_vanished(said))
		return fault_new(a, &fault_system, "cp failed: %.*s", STR_ARG(said));
	return OK;
}

static bool wanted(str name)
{
	if (str_starts(name, S(".s.PGSQL.")))
		return false;
	for (const char *const *l = left_out; *l; l++)
		if (str_eq(name, str_c(*l)))
			return false;
	return true;
}

static err copy_files(arena *a, str from, str to)
{
	str *names;
	size_t n, k = 0;
	TRY(dir_list(a, from, &names, &n));
	const char **words = arena_array(a, const char *, n + 1);
	for (size_t i = 0; i < n && k < WORDS_MAX; i++)
		if (wanted(names[i]))
			words[k++] = path_join(a, from, names[i]).p;
	for (const char *const *e = empty_ones; *e; e++)
		TRY(engine_folder(a, path_join(a, to, str_c(*e))));
	return copy(a, words, k, to);
}

static uint64_t hex_of(str s)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 4 | (unsigned)(s.p[i] <= '9' ? s.p[i] - '0' : (s.p[i] | 0x20) - 'a' + 10);
	return v;
}

/* 0/2000028 -> 0000000000000002, how a segment's name ends. */
static str segment_of(arena *a, str lsn)
{
	uint64_t high = hex_of(str_cut(&lsn, '/')), low = hex_of(lsn);
	return arena_fmt(a, "%08llX%08llX", (unsigned long long)high, (unsigned long long)(low >> SEGMENT_BITS));
}

/* The segments in which the copy finds what happened while it was made. */
static err copy_log(arena *a, str from, str to, str first, str last)
{
	str *names, folder = path_join(a, from, S("pg_wal"));
	size_t n, k = 0;
	bool begins = false;
	TRY(dir_list(a, folder, &names, &n));
	const char **words = arena_array(a, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		str place = names[i].n == SEGMENT_NAME ? str_sub(names[i], 8, SEGMENT_NAME) : STR_NONE;
		bool between = str_is(place) && str_cmp(place, first) >= 0 && str_cmp(place, last) <= 0;
		begins = begins || (str_is(place) && str_eq(place, first));
		if ((between || str_ends(names[i], S(".history"))) && k < WORDS_MAX)
			words[k++] = path_join(a, folder, names[i]).p;
	}
	if (!begins)
		return fault_new(a, &fault_system, "the log from where the backup began is gone");
	return copy(a, words, k, path_join(a, to, S("pg_wal")));
}

/* START WAL LOCATION: 0/2000028 (file ..) */
static str start_of(str label)
{
	size_t at = str_find(label, S("START WAL LOCATION: "));
	str rest = at == SIZE_MAX ? STR_NONE : str_sub(label, at + 20, label.n);
	return str_cut(&rest, ' ');
}

static err copy_running(arena *a, postgres_client *c, str from, str to, str *end)
{
	postgres_rows r = { 0 };
	int64_t version = 0;
	TRY(postgres_query(a, c, S("select current_setting('server_version_num')"), &r));
	str_to_i64(postgres_cell(&r, 0, 0), &version);
	bool old = version < FUNCTIONS_RENAMED;
	/* Keeps the log that is needed; goes with the connection. */
	TRY(postgres_query(a, c,
	                   arena_fmt(a, "select pg_create_physical_replication_slot('copy_%.*s', true, true)",
	                             STR_ARG(rand_text(a, 12, S("abcdefghijklmnopqrstuvwxyz")))),
	                   NULL));
	TRY(postgres_query(a, c,
	                   old ? S("select pg_start_backup('farthing', true, false)")
	                       : S("select pg_backup_start('farthing', true)"),
	                   NULL));
	TRY(copy_files(a, from, to));
	TRY(postgres_query(a, c,
	                   old ? S("select labelfile, lsn from pg_stop_backup(false, false)")
	                       : S("select labelfile, lsn from pg_backup_stop(false)"),
	                   &r));
	str label = postgres_cell(&r, 0, 0);
	*end = arena_fmt(a, "%.*s", STR_ARG(postgres_cell(&r, 0, 1)));
	TRY(copy_log(a, from, to, segment_of(a, start_of(label)), segment_of(a, postgres_cell(&r, 0, 1))));
	return postgres_file(a, path_join(a, to, S("backup_label")), label);
}

err postgres_backup(arena *a, str root, str from, int port, str to, str *end)
{
	postgres_client *c;
	str source = postgres_folder(a, root, from, "data");
	postgres_remove(a, root, to);
	TRY(postgres_folders(a, root, to));
	TRY(postgres_connect(a, source, port, S("postgres"), 2000, &c));
	err e = copy_running(a, c, source, postgres_folder(a, root, to, "data"), end);
	postgres_close(c);
	return e;
}

bool postgres_unchanged(arena *a, str root, str name, int port, str end)
{
	postgres_client *c;
	postgres_rows r = { 0 };
	if (postgres_connect(a, postgres_folder(a, root, name, "data"), port, S("postgres"), 0, &c))
		return false;
	/* The end of a backup ends a segment too: nothing follows but the head of the next one. */
	err e = postgres_query(a, c,
	                       arena_fmt(a,
	                                 "select case when pg_is_in_recovery() then 'f' else "
	                                 "(pg_current_wal_insert_lsn() - (('0/0'::pg_lsn + (div('%.*s'::pg_lsn - "
	                                 "'0/0'::pg_lsn - 1, 16777216) + 1) * 16777216)))::int in (0, 40) end",
	                                 STR_ARG(end)),
	                       &r);
	postgres_close(c);
	return !e && str_eq(postgres_cell(&r, 0, 0), S("t"));
}

err postgres_archive_now(arena *a, str root, str name, int port, str archive)
{
	postgres_client *c;
	postgres_rows r = { 0 };
	TRY(postgres_connect(a, postgres_folder(a, root, name, "data"), port, S("postgres"), 2000, &c));
	/* Something that has a time, so that recovery to any moment before it has where to stop. */
	err e = postgres_query(a, c, S("select txid_current()"), NULL);
	if (!e)
		e = postgres_query(a, c, S("select pg_walfile_name(pg_switch_wal())"), &r);
	postgres_close(c);
	TRY(e);
	str path =
		arena_fmt(a, "%.*s/%.*s/%.*s", STR_ARG(root), STR_ARG(archive), STR_ARG(postgres_cell(&r, 0, 0)));
	for (int ms = 0; !file_exists(path); ms += 20) {
		if (ms > ARCHIVED_MS)
			return fault_new(a, &fault_system, "%.*s: the log does not reach its archive", STR_ARG(name));
		clock_sleep_ms(20);
	}
	return OK;
}

void postgres_archive_drop(arena *a, str root, str archive, int64_t before_ms)
{
	str folder = arena_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(archive)), *names;
	size_t n;
	if (!file_exists(folder) || dir_list(a, folder, &names, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		str path = path_join(a, folder, names[i]);
		if (!str_ends(names[i], S(".history")) && stat(path.p, &st) == 0
		    && (int64_t)st.st_mtim.tv_sec * 1000 < before_ms)
			unlink(path.p);
	}
}

bool postgres_ended_early(arena *a, str root, str name)
{
	str text;
	if (file_read(a, postgres_folder(a, root, name, "log/postgresql.log"), (size_t)64 << 20, &text))
		return false;
	return str_find(text, S("recovery ended before configured recovery target")) != SIZE_MAX;
}
