#include "run/postgres.h"
#include "run/postgres_parts.h"
#include "run/engine_copy.h"
#include "base/buf.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define USUAL 15 /* what Debian has */
#define STOP_MS 20000
#define LOG "log/postgresql.log"
#define BUFFERS_MIN ((int64_t)16 << 20)
#define BUFFERS_MAX ((int64_t)128 << 20)

static err find_in(arena *a, str base, int major, str *bin, int *found)
{
	str *names = NULL;
	size_t n = 0;
	if (file_exists(base))
		TRY(dir_list(a, base, &names, &n));
	for (size_t i = 0; i < n; i++) {
		int64_t v;
		str path = arena_fmt(a, "%.*s/%.*s/bin", STR_ARG(base), STR_ARG(names[i]));
		if (!str_to_i64(names[i], &v) || v <= *found || (major && v != major)
		    || !file_exists(path_join(a, path, S("initdb"))))
			continue;
		*found = (int)v;
		*bin = path;
	}
	return OK;
}

err postgres_find(arena *a, int major, str *bin, int *found)
{
	*found = 0;
	TRY(find_in(a, S("/usr/lib/postgresql"), major, bin, found));
	TRY(find_in(a, S("/usr/local/lib/farthing/postgresql"), major, bin, found));
	if (*found)
		return OK;
	if (!major)
		return fault_new(a, &fault_system, "PostgreSQL is not installed: apt-get install postgresql-%d",
		                 USUAL);
	return fault_new(a, &fault_system, "PostgreSQL %d is not installed: %s%d", major,
	                 major == USUAL ? "apt-get install postgresql-" : "tools/install-packages postgresql-",
	                 major);
}

err postgres_version(arena *a, str bin, str *version)
{
	const char *argv[] = { arena_fmt(a, "%.*s/postgres", STR_ARG(bin)).p, "--version", NULL };
	str said;
	TRY(engine_run(a, STR_NONE, S("/"), argv, &said));
	/* postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1) */
	size_t at = str_find(said, S(") "));
	str rest = at == SIZE_MAX ? S("") : str_sub(said, at + 2, said.n);
	*version = str_trim(str_cut(&rest, ' '));
	return OK;
}

str postgres_folder(arena *a, str root, str name, const char *part)
{
	return arena_fmt(a, "%.*s/%.*s/%s", STR_ARG(root), STR_ARG(name), part);
}

static err run_in(arena *a, str top, str folder, str program, const char *const *words, str *said)
{
	const char *argv[24] = { program.p };
	for (int i = 0; words[i]; i++) {
		ensure(i < 22);
		argv[i + 1] = words[i];
	}
	return engine_run(a, top, folder, argv, said);
}

err postgres_folders(arena *a, str root, str name)
{
	TRY(dir_make(a, root, 0711));
	TRY(engine_folder(a, arena_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(name))));
	TRY(engine_folder(a, postgres_folder(a, root, name, "data")));
	return engine_folder(a, postgres_folder(a, root, name, "log"));
}

/* Roles as RDS has them: the owner's master is no superuser, but has what rds_superuser has. */
static const char template_sql[] =
	"create role rds_superuser nologin createdb createrole;"
	"create role rds_replication nologin; create role rds_password nologin; create role rds_iam nologin;"
	"grant pg_monitor, pg_signal_backend, pg_read_all_data, pg_write_all_data, rds_replication, rds_password"
	" to rds_superuser with admin option;"
	"grant pg_checkpoint to rds_superuser with admin option;";

static err template_fill(arena *a, str bin, str root, str name)
{
	postgres_spec spec = {
		.bin = bin, .root = root, .name = name, .addresses = STR_NONE, .port = 5432, .max_connections = 20
	};
	postgres *p;
	postgres_client *c;
	TRY(postgres_start(a, &spec, &p));
	err e = postgres_open(a, p, S("postgres"), 2000, &c);
	if (!e) {
		e = postgres_query(a, c, str_c(template_sql), NULL);
		if (!e)
			e = postgres_query(a, c, S("create database rdsadmin"), NULL);
		postgres_close(c);
	}
	postgres_stop(p);
	return e;
}

static pthread_mutex_t template_lock = PTHREAD_MUTEX_INITIALIZER;

static err template_make(arena *a, str bin, str root, str name)
{
	if (file_exists(postgres_folder(a, root, name, "data/PG_VERSION")))
		return OK;
	str half = arena_concat(a, name, S(".making"));
	postgres_remove(a, root, half);
	TRY(postgres_folders(a, root, half));
	str data = postgres_folder(a, root, half, "data");
	const char *words[] = { "-D",        ENGINE_CWD, "-U",   "rdsadmin",         "-A",
		                    "peer",      "-E",       "UTF8", "--locale=C.UTF-8", "--data-checksums",
		                    "--no-sync", NULL };
	TRY(run_in(a, root, data, arena_fmt(a, "%.*s/initdb", STR_ARG(bin)), words, NULL));
	TRY(postgres_certificate(a, path_join(a, data, S("server.crt")), path_join(a, data, S("server.key"))));
	TRY(template_fill(a, bin, root, half));
	return engine_rename(a, root, half, name);
}

err postgres_make(arena *a, str bin, str root, str name)
{
	str major = bin, last = STR_NONE;
	while (str_is(major)) {
		str part = str_cut(&major, '/');
		last = str_eq(part, S("bin")) ? last : part;
	}
	str template = arena_fmt(a, "template-%.*s", STR_ARG(last));
	pthread_mutex_lock(&template_lock);
	err e = template_make(a, bin, root, template);
	pthread_mutex_unlock(&template_lock);
	return e ? e : postgres_copy(a, root, template, name);
}

/* `like` is an earlier copy, or none. */
err postgres_copy_like(arena *a, str root, str from, str like, str to)
{
	postgres_remove(a, root, to);
	TRY(postgres_folders(a, root, to));
	engine_copying c = { .from = postgres_folder(a, root, from, "data"),
		                 .to = postgres_folder(a, root, to, "data") };
	if (str_is(like) && !str_empty(like))
		c.like = postgres_folder(a, root, postgres_beneath(a, root, like), "data");
	TRY(engine_copy(a, &c));
	if (!postgres_has_base(a, root, from))
		return OK;
	c.from = postgres_folder(a, root, postgres_beneath(a, root, from), "data");
	return engine_copy(a, &c);
}

err postgres_copy(arena *a, str root, str from, str to)
{
	return postgres_copy_like(a, root, from, STR_NONE, to);
}

void postgres_remove(arena *a, str root, str name)
{
	postgres_base_leave(a, root, name);
	err e = dir_remove(a, arena_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(name)));
	(void)e; /* what is left is replaced or removed the next time */
}

struct postgres {
	engine_process *engine;
	arena *mem;
	str data;
	int port;
};

/* A copy has its name only when it is whole. Paths are seen from the data folder. */
static void archiving(buf *b, const postgres_spec *s)
{
	buf_put(b, S("archive_mode = on\narchive_timeout = 300\n"));
	if (str_empty(s->archive))
		buf_put(b, S("archive_command = '/bin/true'\n"));
	else
		buf_fmt(b,
		        "archive_command = 'test -f ../../%.*s/%%f || "
		        "(cp %%p ../../%.*s/%%f.part && mv ../../%.*s/%%f.part ../../%.*s/%%f)'\n",
		        STR_ARG(s->archive), STR_ARG(s->archive), STR_ARG(s->archive), STR_ARG(s->archive));
	if (str_empty(s->recover_from))
		return;
	buf_fmt(b, "restore_command = 'cp ../../%.*s/%%f %%p'\nrecovery_target_action = promote\n",
	        STR_ARG(s->recover_from));
	buf_put(b, S("hot_standby = off\n"));
	if (!str_empty(s->recover_until))
		buf_fmt(b, "recovery_target_time = '%.*s'\n", STR_ARG(s->recover_until));
}

static str configuration(arena *a, const postgres_spec *s)
{
	int64_t buffers = s->memory_bytes / 4;
	buffers = buffers < BUFFERS_MIN ? BUFFERS_MIN : buffers > BUFFERS_MAX ? BUFFERS_MAX : buffers;
	buf b = buf_in(a, 2048, (size_t)1 << 20);
	buf_fmt(&b, "listen_addresses = '%.*s'\nport = %d\nunix_socket_directories = '.'\n",
	        STR_ARG(s->addresses), s->port);
	buf_fmt(&b, "max_connections = %d\nshared_buffers = %lldkB\n", s->max_connections,
	        (long long)buffers / 1024);
	buf_put(&b,
	        S("wal_level = replica\nmax_wal_senders = 20\nhot_standby = on\nmin_wal_size = 32MB\n"
	          "max_wal_size = 256MB\nwal_keep_size = 64MB\nhuge_pages = off\n"
	          "wal_retrieve_retry_interval = 100ms\n"
	          "password_encryption = scram-sha-256\nssl = on\nssl_cert_file = 'server.crt'\n"
	          "ssl_key_file = 'server.key'\nlog_timezone = UTC\ntimezone = UTC\nlog_line_prefix = "
	          "'%t:%r:%u@%d:[%p]:'\nlc_messages = 'C.UTF-8'\ndefault_text_search_config = "
	          "'pg_catalog.english'\nlogging_collector = off\nrestart_after_crash = on\n"));
	if (!str_empty(s->primary))
		buf_fmt(&b,
		        "primary_conninfo = 'host=" ENGINE_CWD "/../../%.*s/data port=%d user=rdsadmin "
		        "application_name=%.*s'\n",
		        STR_ARG(s->primary), s->primary_port, STR_ARG(s->name));
	archiving(&b, s);
	buf_put(&b, s->settings);
	return buf_str(&b);
}

static err mark(arena *a, str path, bool there)
{
	if (there)
		return postgres_file(a, path, S(""));
	unlink(path.p);
	return OK;
}

static err configure(arena *a, const postgres_spec *s, str data)
{
	const engine_user *u = engine_identity();
	TRY(postgres_file(a, path_join(a, data, S("postgresql.conf")), configuration(a, s)));
	const char *kind = s->force_tls ? "hostssl" : "host";
	str hba = arena_fmt(
		a,
		"local all rdsadmin peer map=farthing\nlocal replication rdsadmin peer map=farthing\n"
		"local all all scram-sha-256\n"
		"host all rdsadmin all reject\nhost rdsadmin all all reject\n%s all all all scram-sha-256\n",
		kind);
	TRY(postgres_file(a, path_join(a, data, S("pg_hba.conf")), hba));
	str ident =
		arena_fmt(a, "farthing %s rdsadmin\n%s%s%s", u->name, strcmp(u->name, u->own) ? "farthing " : "",
	              strcmp(u->name, u->own) ? u->own : "", strcmp(u->name, u->own) ? " rdsadmin\n" : "");
	TRY(postgres_file(a, path_join(a, data, S("pg_ident.conf")), ident));
	if (!str_empty(s->archive))
		TRY(engine_folder(a, arena_fmt(a, "%.*s/%.*s", STR_ARG(s->root), STR_ARG(s->archive))));
	TRY(mark(a, path_join(a, data, S("standby.signal")), !str_empty(s->primary)));
	return mark(a, path_join(a, data, S("recovery.signal")), !str_empty(s->recover_from));
}

static err answers(arena *mem, void *context)
{
	const postgres *p = context;
	postgres_client *c;
	TRY(postgres_connect(mem, p->data, p->port, S("postgres"), 0, &c));
	postgres_close(c);
	return OK;
}

err postgres_start(arena *a, const postgres_spec *s, postgres **out)
{
	str data = postgres_folder(a, s->root, s->name, "data");
	TRY(postgres_evict(a, data));
	TRY(configure(a, s, data));
	const char *argv[] = { arena_fmt(a, "%.*s/postgres", STR_ARG(s->bin)).p, "-D", ENGINE_CWD, NULL };
	engine_spec es = { .argv = argv,
		               .top = s->root,
		               .folder = data,
		               .log = postgres_folder(a, s->root, s->name, LOG),
		               .memory_bytes = s->memory_bytes,
		               .cpu_milli = 0,
		               .death_signal = SIGQUIT };
	arena *mem = arena_open(512);
	postgres *p = arena_new(mem, postgres);
	*p = (postgres){ .mem = mem, .data = arena_str(mem, data), .port = s->port };
	err e = engine_start(a, &es, &p->engine);
	if (e) {
		arena_close(mem);
		return e;
	}
	e = engine_await(a, p->engine, &(engine_awaiting){ answers, p, es.log, "FATAL:  " });
	if (e) {
		postgres_stop(p);
		return e;
	}
	engine_limit(p->engine, 0, s->cpu_milli);
	*out = p;
	return OK;
}

err postgres_reload(arena *a, const postgres_spec *s, postgres *p)
{
	TRY(configure(a, s, p->data));
	engine_signal(p->engine, SIGHUP);
	return OK;
}

void postgres_stop(postgres *p)
{
	engine_limit(p->engine, 0, 0);
	engine_stop(p->engine, SIGINT, STOP_MS);
	arena_close(p->mem);
}

err postgres_open(arena *a, postgres *p, str database, int wait_ms, postgres_client **out)
{
	return postgres_connect(a, p->data, p->port, database, wait_ms, out);
}

err postgres_enter(arena *a, postgres *p, str user, str password, str database, postgres_client **out)
{
	postgres_door door = { p->data, p->port, user, password, database };
	return postgres_login(a, &door, 0, out);
}

engine_process *postgres_engine(postgres *p) { return p->engine; }

bool postgres_address_free(str address, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	char text[64];
	snprintf(text, sizeof text, "%.*s", STR_ARG(address));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0 || inet_pton(AF_INET, text, &at.sin_addr) != 1) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	bool is_free = bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0;
	close(fd);
	return is_free;
}
