#include "run/postgres_parts.h"
#include "run/engine_copy.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_NAME 24 /* timeline, and twice eight digits of where */
#define SEGMENT_BITS 24 /* 16 MiB each */
#define ARCHIVED_MS 30000 /* how long a segment may take into the archive */
#define FUNCTIONS_RENAMED 150000
#define CHAIN_SEGMENTS 4 /* of log between the first backup of a chain and the last: 64 MiB, which are kept */
#define MARK "backups"
#define MARK_LENGTH 24
#define MARK_MAX 64
#define LABEL_MAX 4096

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

static bool wanted(str name)
{
	if (str_starts(name, S(".s.PGSQL.")))
		return false;
	for (const char *const *l = left_out; *l; l++)
		if (str_eq(name, str_c(*l)))
			return false;
	return true;
}

static err copy_files(arena *a, str from, str like, str to)
{
	for (const char *const *e = empty_ones; *e; e++)
		TRY(engine_folder(a, path_join(a, to, str_c(*e))));
	return engine_copy(
		a, &(engine_copying){ .from = from, .to = to, .like = like, .wanted = wanted, .lives = true });
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

/* The segments from `first` to `last`, which are how their names end; of the last one so many bytes. */
static err copy_log(arena *a, str from, str to, str first, str last, int64_t bytes)
{
	str *names, folder = path_join(a, from, S("pg_wal"));
	size_t n;
	bool begins = false, ends = false;
	TRY(dir_list(a, folder, &names, &n));
	for (size_t i = 0; i < n; i++) {
		str place = names[i].n == SEGMENT_NAME ? str_sub(names[i], 8, SEGMENT_NAME) : STR_NONE;
		bool between = str_is(place) && str_cmp(place, first) >= 0 && str_cmp(place, last) <= 0;
		bool is_last = between && str_eq(place, last);
		begins = begins || (between && str_eq(place, first));
		ends = ends || is_last;
		if (between || str_ends(names[i], S(".history")))
			TRY(engine_copy_file(a, path_join(a, folder, names[i]),
			                     arena_fmt(a, "%.*s/pg_wal/%.*s", STR_ARG(to), STR_ARG(names[i])),
			                     is_last ? bytes : INT64_MAX));
	}
	if (!begins || !ends)
		return fault_new(a, &fault_system, "the log of the time of the backup is gone");
	return OK;
}

/* START WAL LOCATION: 0/2000028 (file ..) */
static str start_of(str label)
{
	size_t at = str_find(label, S("START WAL LOCATION: "));
	str rest = at == SIZE_MAX ? STR_NONE : str_sub(label, at + 20, label.n);
	return str_cut(&rest, ' ');
}

static err copy_running(arena *a, postgres_client *c, str from, str like, str to)
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
	TRY(copy_files(a, from, like, to));
	TRY(postgres_query(a, c,
	                   old ? S("select labelfile, lsn from pg_stop_backup(false, false)")
	                       : S("select labelfile, lsn from pg_backup_stop(false)"),
	                   &r));
	str label = postgres_cell(&r, 0, 0);
	TRY(copy_log(a, from, to, segment_of(a, start_of(label)), segment_of(a, postgres_cell(&r, 0, 1)),
	             INT64_MAX));
	return postgres_file(a, path_join(a, to, S("backup_label")), label);
}

/*
 * A backup is also an earlier one of the same folder and the log since then: replaying it, which a copy does
 * when it is started, leads to the same place. That needs no checkpoint, no new segment and no copy of the
 * data: while little is written a backup is its log, beside a base that it has in common with the others of
 * the chain. The base and the server's folder have the same mark in a file beside the data, which no copy
 * has: what comes after another beginning is another's log.
 */

/* Where the first backup of a chain begins; STR_NONE: no other can follow it. */
static str chain_start(arena *a, str root, str from, str last)
{
	str ours, its, label;
	if (!str_is(last) || str_empty(last))
		return STR_NONE;
	last = postgres_beneath(a, root, last);
	if (file_read(a, postgres_folder(a, root, from, MARK), MARK_MAX, &ours) ||
	    file_read(a, postgres_folder(a, root, last, MARK), MARK_MAX, &its) || !str_eq(ours, its) ||
	    file_read(a, postgres_folder(a, root, last, "data/backup_label"), LABEL_MAX, &label) ||
	    str_find(label, S("BACKUP FROM: primary")) == SIZE_MAX)
		return STR_NONE;
	return start_of(label);
}

static uint64_t segment_number(str place)
{
	return hex_of(str_sub(place, 0, 8)) << (32 - SEGMENT_BITS) | hex_of(str_sub(place, 8, 16));
}

/* The newest segment that the earlier backup has; how many it has, in *n. */
static str chain_newest(arena *a, str last, size_t *n)
{
	str *names, newest = STR_NONE;
	size_t all;
	*n = 0;
	if (dir_list(a, path_join(a, last, S("pg_wal")), &names, &all))
		return newest;
	for (size_t i = 0; i < all; i++)
		if (names[i].n == SEGMENT_NAME) {
			newest = names[i];
			++*n;
		}
	return newest;
}

#define LOG "pg_wal"
#define SETTINGS "postgresql.auto.conf"
static bool is_log(str name) { return str_eq(name, S(LOG)); }
static bool is_common(str name) { return !is_log(name) && !str_eq(name, S(SETTINGS)); }

/* All that the last one has: its log as links, the rest by standing on the same base, which may have to be
 * made. */
static err follow(arena *a, str root, str last, str to)
{
	engine_copying log = { .from = postgres_folder(a, root, last, "data"),
		                   .to = postgres_folder(a, root, to, "data"),
		                   .wanted = is_log };
	engine_copying whole = log;
	log.like = whole.like = log.from;
	whole.to = postgres_folder(a, root, to, POSTGRES_WHOLE "/data");
	whole.wanted = is_common;
	TRY(engine_copy(a, &log));
	if (postgres_has_base(a, root, last))
		return postgres_base_share(a, root, last, to);
	TRY(engine_folder(a, postgres_folder(a, root, to, POSTGRES_WHOLE)));
	TRY(engine_copy(a, &whole));
	TRY(engine_copy_file(a, postgres_folder(a, root, last, MARK),
	                     postgres_folder(a, root, to, POSTGRES_WHOLE "/" MARK), INT64_MAX));
	return postgres_base_lay(a, root, to);
}

typedef struct chain {
	str root, from, last, to; /* folders of the root: the server, its last backup, and the one that follows */
	str start;
} chain;

/* *done says whether it could be done; what is there of one that could not is replaced. */
static err extend(arena *a, postgres_client *c, const chain *k, bool *done)
{
	postgres_rows r = { 0 };
	size_t had;
	str from = postgres_folder(a, k->root, k->from, "data"), to = postgres_folder(a, k->root, k->to, "data");
	str newest = chain_newest(a, postgres_folder(a, k->root, k->last, "data"), &had);
	/* A commit that is on disk has all others before it there too: this one waits for it, whatever the
	 * parameters say. */
	err e = postgres_query(a, c,
	                       S("set synchronous_commit = local; "
	                         "select pg_logical_emit_message(true, 'farthing', '')"),
	                       NULL);
	if (!e)
		e = postgres_query(a, c, S("select l, pg_walfile_name(l) from pg_current_wal_flush_lsn() l"), &r);
	str lsn = postgres_cell(&r, 0, 0), now = postgres_cell(&r, 0, 1);
	if (e || !str_is(newest) || now.n != SEGMENT_NAME ||
	    !str_eq(str_sub(now, 0, 8), str_sub(newest, 0, 8)))
		return OK; /* a standby, or on another timeline */
	str end = str_sub(now, 8, SEGMENT_NAME), place = str_sub(newest, 8, SEGMENT_NAME);
	uint64_t first = segment_number(segment_of(a, k->start));
	if (segment_number(end) - first >= CHAIN_SEGMENTS || segment_number(end) < segment_number(place) ||
	    segment_number(place) - first + 1 != had)
		return OK;
	TRY(follow(a, k->root, k->last, k->to));
	str rest = lsn;
	str_cut(&rest, '/');
	int64_t bytes = (int64_t)(hex_of(rest) & ((UINT64_C(1) << SEGMENT_BITS) - 1));
	TRY(engine_copy_file(a, path_join(a, from, S(SETTINGS)), path_join(a, to, S(SETTINGS)), INT64_MAX));
	*done = !copy_log(a, from, to, place, end, bytes ? bytes : INT64_MAX);
	return OK;
}

static err folders_for(arena *a, str root, str to)
{
	postgres_remove(a, root, to);
	return postgres_folders(a, root, to);
}

static err backup(arena *a, postgres_client *c, str root, str from, str last, str to)
{
	bool done = false;
	str earlier = STR_NONE, mark;
	chain k = { root, from, last, to, chain_start(a, root, from, last) };
	if (str_is(k.start) && !extend(a, c, &k, &done) && done)
		return OK;
	if (str_is(last) && !str_empty(last))
		earlier = postgres_folder(a, root, postgres_beneath(a, root, last), "data");
	TRY(folders_for(a, root, to));
	TRY(copy_running(a, c, postgres_folder(a, root, from, "data"), earlier,
	                 postgres_folder(a, root, to, "data")));
	mark = rand_text(a, MARK_LENGTH, S("abcdefghijklmnopqrstuvwxyz"));
	TRY(postgres_file(a, postgres_folder(a, root, to, MARK), mark));
	return postgres_file(a, postgres_folder(a, root, from, MARK), mark);
}

err postgres_backup(arena *a, str root, str from, int port, str last, str to)
{
	postgres_client *c;
	TRY(folders_for(a, root, to));
	TRY(postgres_connect(a, postgres_folder(a, root, from, "data"), port, S("postgres"), 2000, &c));
	err e = backup(a, c, root, from, last, to);
	postgres_close(c);
	return e;
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
