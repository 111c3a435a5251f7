#include "run/mariadb.h"
#include <stdatomic.h>
#include "run/postgres_parts.h"
#include "base/buf.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define STOP_MS 30000
#define FREEZE_MS 10000
#define HAND_OVER_SECONDS 30
#define LOG "log/mysql-error.log"
#define BUFFERS_MIN ((int64_t)16 << 20)
#define BUFFERS_MAX ((int64_t)128 << 20)
#define PASSWORD_LETTERS S("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
#define PASSWORD_LENGTH 32

struct mariadb {
	engine_process *engine;
	arena *mem;
	str data, name, password;
	atomic_bool rests; /* stopped while it is copied: it takes connections and answers nothing */
};

err mariadb_find(arena *a, str *program)
{
	static const char *const places[] = { "/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd" };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (file_exists(str_c(places[i])) && file_exists(S("/usr/bin/mariadb-install-db"))) {
			*program = str_c(places[i]);
			return OK;
		}
	return fault_new(a, &fault_system, "MariaDB is not installed: apt-get install mariadb-server-core");
}

err mariadb_version(arena *a, str program, str *version)
{
	const char *argv[] = { arena_str(a, program).p, "--no-defaults", "--version", NULL };
	str said;
	TRY(engine_run(a, STR_NONE, S("/"), argv, &said));
	/* mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12) */
	size_t at = str_find(said, S("Ver "));
	str rest = at == SIZE_MAX ? S("") : str_sub(said, at + 4, said.n);
	*version = str_trim(str_cut(&rest, '-'));
	return OK;
}

static err folders(arena *a, str root, str name)
{
	TRY(postgres_folders(a, root, name));
	return engine_folder(a, postgres_folder(a, root, name, "tmp"));
}

static pthread_mutex_t template_lock = PTHREAD_MUTEX_INITIALIZER;

/* The system tables; what lets anybody in without a password goes at once. */
static const char install[] =
	"exec /usr/bin/mariadb-install-db --no-defaults --datadir=\"$(pwd -P)\" --skip-name-resolve "
	"--skip-test-db --auth-root-authentication-method=normal --innodb-log-file-size=32M "
	"--innodb-buffer-pool-size=16M --extra-file=../extra.sql";

static err template_make(arena *a, str root, str name)
{
	if (file_exists(postgres_folder(a, root, name, "data/mysql_upgrade_info")))
		return OK;
	str half = arena_concat(a, name, S(".making"));
	postgres_remove(a, root, half);
	TRY(folders(a, root, half));
	TRY(postgres_file(a, postgres_folder(a, root, half, "extra.sql"),
	                  S("delete from mysql.global_priv where User in ('root', '');\n")));
	const char *argv[] = { "/bin/sh", "-c", install, NULL };
	TRY(engine_run(a, root, postgres_folder(a, root, half, "data"), argv, NULL));
	return engine_rename(a, root, half, name);
}

err mariadb_make(arena *a, str root, str name)
{
	pthread_mutex_lock(&template_lock);
	err e = template_make(a, root, S("template-mariadb"));
	pthread_mutex_unlock(&template_lock);
	return e ? e : postgres_copy(a, root, S("template-mariadb"), name);
}

/* Its own tables of time zones are empty: by name it knows only that of its environment. */
static bool zoned(arena *a, const mariadb_spec *s)
{
	return !str_empty(s->zone) && str_find(s->zone, S("..")) == SIZE_MAX &&
	       file_exists(path_join(a, S("/usr/share/zoneinfo"), s->zone));
}

static str configuration(arena *a, const mariadb_spec *s)
{
	int64_t buffers = s->memory_bytes / 4;
	buffers = buffers < BUFFERS_MIN ? BUFFERS_MIN : buffers > BUFFERS_MAX ? BUFFERS_MAX : buffers;
	/* Who wrote what: replicas count it per server. */
	unsigned id = (unsigned)str_hash(s->name) | 1;
	buf b = buf_in(a, 2048, (size_t)1 << 20);
	buf_fmt(&b,
	        "[mariadbd]\ndatadir=.\nsocket=mysql.sock\npid-file=mysqld.pid\nport=%d\nserver_id=%u\n"
	        "max_connections=%d\nextra_max_connections=1\ninnodb_buffer_pool_size=%lld\n",
	        s->port, id, s->max_connections, (long long)buffers);
	if (str_empty(s->addresses))
		buf_put(&b, S("skip-networking\n"));
	else
		buf_fmt(&b, "bind-address=%.*s\n", STR_ARG(s->addresses));
	buf_put(&b,
	        S("skip-name-resolve\nskip-symbolic-links\nskip-slave-start\ninit-file=../init.sql\n"
	          "tmpdir=../tmp\nsecure-file-priv=../tmp\nssl-cert=server.crt\nssl-key=server.key\n"
	          "performance_schema=0\nkey_buffer_size=8M\naria_pagecache_buffer_size=8M\n"
	          "innodb_log_file_size=32M\ninnodb_use_native_aio=0\ninnodb_flush_method=fsync\n"
	          "innodb_flush_log_at_trx_commit=1\nsync_binlog=1\nlog_bin=mysql-bin-changelog\n"
	          "log_slave_updates=1\nbinlog_format=MIXED\nmax_binlog_size=64M\n"
	          "binlog_expire_logs_seconds=86400\n"
	          "slow_query_log_file=../log/mysql-slowquery.log\ngeneral_log_file=../log/mysql-general.log\n"
	          "log_warnings=2\nlocal_infile=1\n"));
	buf_put(&b, s->settings);
	buf_fmt(&b, "default_time_zone=%s\n", zoned(a, s) ? "SYSTEM" : "+00:00");
	buf_fmt(&b, "read_only=%d\n", s->read_only);
	return buf_str(&b);
}

/* Run by the server before it lets anybody in. */
static str first_words(arena *a, str password)
{
	str verifier = mariadb_verifier(a, password);
	return arena_fmt(a,
	                 "set session sql_log_bin=0;\n"
	                 "create or replace user rdsadmin@localhost identified via mysql_native_password using "
	                 "'%.*s';\n"
	                 "grant all privileges on *.* to rdsadmin@localhost with grant option;\n",
	                 STR_ARG(verifier));
}

static err configure(arena *a, const mariadb_spec *s, str data, str password)
{
	TRY(folders(a, s->root, s->name));
	TRY(postgres_file(a, postgres_folder(a, s->root, s->name, "my.cnf"), configuration(a, s)));
	TRY(postgres_file(a, postgres_folder(a, s->root, s->name, "init.sql"), first_words(a, password)));
	str certificate = path_join(a, data, S("server.crt"));
	if (file_exists(certificate))
		return OK;
	return postgres_certificate(a, certificate, path_join(a, data, S("server.key")));
}

/* It follows nobody yet. */
static err answers(arena *mem, void *context)
{
	return mariadb_sql(mem, context, S("stop all slaves; reset slave all"), NULL);
}

err mariadb_start(arena *a, const mariadb_spec *s, mariadb **out)
{
	str program, data = postgres_folder(a, s->root, s->name, "data");
	TRY(mariadb_find(a, &program));
	TRY(postgres_evict(a, data));
	arena *mem = arena_open(512);
	mariadb *m = arena_new(mem, mariadb);
	*m = (mariadb){ .mem = mem,
		            .data = arena_str(mem, data),
		            .name = arena_str(mem, s->name),
		            .password = rand_text(mem, PASSWORD_LENGTH, PASSWORD_LETTERS) };
	const char *zone = arena_fmt(a, "TZ=%.*s", STR_ARG(zoned(a, s) ? s->zone : S("UTC"))).p;
	const char *argv[] = { "/usr/bin/env", zone, program.p, "--defaults-file=../my.cnf", NULL };
	engine_spec es = { .argv = argv,
		               .top = s->root,
		               .folder = data,
		               .log = postgres_folder(a, s->root, s->name, LOG),
		               .memory_bytes = s->memory_bytes,
		               .cpu_milli = 0,
		               .death_signal = SIGKILL };
	err e = configure(a, s, data, m->password);
	if (!e)
		e = engine_start(a, &es, &m->engine);
	if (e) {
		arena_close(mem);
		return e;
	}
	e = engine_await(a, m->engine, &(engine_awaiting){ answers, m, es.log, "[ERROR] " });
	if (e) {
		mariadb_stop(m);
		return e;
	}
	engine_limit(m->engine, 0, s->cpu_milli);
	*out = m;
	return OK;
}

void mariadb_stop(mariadb *m)
{
	engine_limit(m->engine, 0, 0);
	engine_stop(m->engine, SIGTERM, STOP_MS);
	arena_close(m->mem);
}

err mariadb_open(arena *a, mariadb *m, int wait_ms, mariadb_client **out)
{
	return mariadb_connect(a, m->data, S("rdsadmin"), m->password, wait_ms, out);
}

err mariadb_sql(arena *a, mariadb *m, str sql, postgres_rows *rows)
{
	mariadb_client *c;
	TRY(mariadb_open(a, m, 0, &c));
	err e = mariadb_query(a, c, S("set session sql_log_bin = 0"), NULL, NULL);
	if (!e)
		e = mariadb_query(a, c, sql, rows, NULL);
	mariadb_close(c);
	return e;
}

engine_process *mariadb_engine(mariadb *m) { return m->engine; }

/* Whether each of its threads has come to rest: what one of them was writing is written. */
static bool frozen(pid_t pid)
{
	char path[64];
	bool all = true;
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *d = opendir(path);
	for (struct dirent *entry; d && all && (entry = readdir(d));) {
		char stat[384], text[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(stat, sizeof stat, "%s/%s/stat", path, entry->d_name);
		FILE *f = fopen(stat, "re");
		size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
		if (f)
			fclose(f);
		text[n] = '\0';
		const char *state = strrchr(text, ')');
		all = !state || strlen(state) < 3 || state[2] == 'T' || state[2] == 't' || state[2] == 'Z';
	}
	if (d)
		closedir(d);
	return d && all;
}

err mariadb_backup(arena *a, mariadb *m, str root, str last, str to)
{
	pid_t pid = engine_pid(m->engine);
	if (!pid)
		return fault_new(a, &fault_system, "%.*s: the server is down", STR_ARG(m->name));
	m->rests = true;
	engine_signal(m->engine, SIGSTOP);
	bool rests = false;
	for (int ms = 0; ms < FREEZE_MS && !(rests = frozen(pid)); ms += 2)
		clock_sleep_ms(2);
	err e = rests ? postgres_copy_like(a, root, m->name, last, to)
				  : fault_new(a, &fault_system, "%.*s: the server does not rest", STR_ARG(m->name));
	engine_signal(m->engine, SIGCONT);
	m->rests = false;
	if (!e && engine_pid(m->engine) != pid)
		e = fault_new(a, &fault_system, "%.*s: the server fell while it was copied", STR_ARG(m->name));
	return e;
}

bool mariadb_rests(const mariadb *m) { return m->rests; }

/* What its copy of the data has is where it goes on; the name of its user says who it is. */
err mariadb_follow(arena *a, mariadb *m, mariadb *primary, str address, int port)
{
	str password = rand_text(a, PASSWORD_LENGTH, PASSWORD_LETTERS);
	str user = arena_fmt(a, "rdsrepladmin_%08x", (unsigned)str_hash(m->name));
	TRY(mariadb_sql(a, primary,
	                arena_fmt(a,
	                          "create or replace user %.*s@'%%' identified by '%.*s';"
	                          "grant replication slave on *.* to %.*s@'%%'",
	                          STR_ARG(user), STR_ARG(password), STR_ARG(user)),
	                NULL));
	return mariadb_sql(a, m,
	                   arena_fmt(a,
	                             "stop slave;"
	                             "set global gtid_slave_pos = @@gtid_binlog_pos;"
	                             "change master to master_host='%.*s', master_port=%d, master_user='%.*s', "
	                             "master_password='%.*s', master_use_gtid=slave_pos, master_connect_retry=1, "
	                             "master_ssl=1, master_ssl_verify_server_cert=0;"
	                             "start slave",
	                             STR_ARG(address), port, STR_ARG(user), STR_ARG(password)),
	                   NULL);
}

static str named(const postgres_rows *r, const str *names, const char *name)
{
	for (size_t k = 0; k < r->n_columns; k++)
		if (str_eq(names[k], str_c(name)))
			return postgres_cell(r, 0, k);
	return STR_NONE;
}

/* *names and the one row of what it says of its following; false: it follows nobody, or does not answer. */
static bool slave_status(arena *a, mariadb *m, postgres_rows *r, str **names)
{
	mariadb_client *c;
	if (mariadb_open(a, m, 0, &c))
		return false;
	err e = mariadb_query(a, c, S("show slave status"), r, names);
	mariadb_close(c);
	return !e && r->n_rows;
}

int64_t mariadb_behind(arena *a, mariadb *m)
{
	postgres_rows r = { 0 };
	str *names = NULL;
	int64_t behind = 0;
	if (slave_status(a, m, &r, &names) && str_is(named(&r, names, "Seconds_Behind_Master")))
		str_to_i64(named(&r, names, "Seconds_Behind_Master"), &behind);
	return behind;
}

bool mariadb_follows(arena *a, mariadb *m, str address, int port)
{
	postgres_rows r = { 0 };
	str *names = NULL;
	int64_t its_port = 0, refused = 0;
	if (!slave_status(a, m, &r, &names))
		return false;
	str_to_i64(named(&r, names, "Master_Port"), &its_port);
	str_to_i64(named(&r, names, "Last_IO_Errno"), &refused);
	/* Connecting is what it does by itself, again and again, also where nobody lets it in; No is what it gave
	 * up with. */
	str reads = named(&r, names, "Slave_IO_Running");
	return str_eq(named(&r, names, "Master_Host"), address) && its_port == port &&
	       !str_eq(named(&r, names, "Slave_SQL_Running"), S("No")) && !str_eq(reads, S("No")) &&
	       !(str_eq(reads, S("Connecting")) && refused);
}

err mariadb_hand_over(arena *a, mariadb *primary, mariadb *to)
{
	postgres_rows r;
	TRY(mariadb_sql(a, primary, S("set global read_only = 1; select @@gtid_binlog_pos"), &r));
	str position = postgres_cell(&r, 0, 0);
	if (str_empty(position))
		return OK;
	err e = mariadb_sql(a, to, arena_fmt(a, "select master_gtid_wait('%.*s', %d)", STR_ARG(position),
	                                     HAND_OVER_SECONDS), &r);
	if (!e && str_eq(postgres_cell(&r, 0, 0), S("0")))
		return OK;
	err undo = mariadb_sql(a, primary, S("set global read_only = 0"), NULL);
	(void)undo; /* the first fault says more */
	return e ? e
			 : fault_new(a, &fault_system, "%.*s: the second copy does not catch up", STR_ARG(primary->name));
}
