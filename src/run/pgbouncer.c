#include "run/pgbouncer.h"
#include "run/pgbouncer_front.h"
#include "run/postgres_parts.h"
#include "run/postgres_wire.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROGRAM S("/usr/sbin/pgbouncer")
#define READY_MS 10000
#define STOP_MS 2000
#define CLIENTS_MAX 10000
#define DESCRIPTORS_KEPT 64 /* for what is neither a client nor a server */
#define LOGIN_RETRY_SECONDS 1

struct pgbouncer {
	arena *mem;
	engine_process *engine;
	pgbouncer_front *front;
	bool require_tls;
	str root, name, configuration, users;
};

err pgbouncer_find(arena *a, str *program)
{
	*program = PROGRAM;
	return file_exists(PROGRAM)
		? OK
		: fault_new(a, &fault_system, "PgBouncer is not installed: apt-get install pgbouncer");
}

/* In a value of the [databases] section a quote is doubled. */
static void put_quoted(buf *b, str s, char quote)
{
	buf_c(b, quote);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == quote)
			buf_c(b, quote);
		buf_c(b, s.p[i] == '\n' || s.p[i] == '\r' ? ' ' : s.p[i]);
	}
	buf_c(b, quote);
}

static int clients_of(int pool)
{
	struct rlimit limit;
	long most = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY
		? (long)limit.rlim_max - DESCRIPTORS_KEPT - pool
		: CLIENTS_MAX;
	return most < 1 ? 1 : most > CLIENTS_MAX ? CLIENTS_MAX : (int)most;
}

/* What one client sets is not what the next one finds: each transaction leaves a clean session behind. */
static str configuration_of(arena *a, const pgbouncer_spec *s)
{
	buf b = buf_in(a, 1024, (size_t)1 << 16);
	buf_fmt(&b, "[databases]\n* = host=%.*s port=%d", STR_ARG(s->address), s->server_port);
	if (!str_empty(s->init_query)) {
		buf_put(&b, S(" connect_query="));
		put_quoted(&b, s->init_query, '\'');
	}
	buf_fmt(&b, "\n[pgbouncer]\nlisten_port = %d\nunix_socket_dir = .\n", s->port);
	buf_fmt(&b, "auth_type = %s\nauth_file = users.txt\n", s->md5 ? "md5" : "scram-sha-256");
	buf_put(&b,
	        S("server_tls_sslmode = prefer\npool_mode = transaction\nserver_reset_query = DISCARD ALL\n"
	          "server_reset_query_always = 1\nignore_startup_parameters = extra_float_digits\n"));
	buf_fmt(&b, "default_pool_size = %d\nmax_db_connections = %d\nmax_client_conn = %d\n", s->pool, s->pool,
	        clients_of(s->pool));
	/* Behind server_port is somebody who waits for a server that is not there yet. */
	buf_fmt(&b, "query_wait_timeout = %d\nserver_connect_timeout = %d\nserver_login_retry = %d\n",
	        s->borrow_seconds, s->borrow_seconds + 1, LOGIN_RETRY_SECONDS);
	buf_fmt(&b, "client_idle_timeout = %d\nserver_idle_timeout = %d\n", s->idle_client_seconds,
	        s->idle_server_seconds);
	buf_fmt(&b, "log_connections = %d\nlog_disconnections = %d\nlog_stats = 0\nverbose = %d\n", s->verbose,
	        s->verbose, s->verbose);
	return buf_str(&b);
}

static str users_of(arena *a, const pgbouncer_spec *s)
{
	buf b = buf_in(a, 256, (size_t)1 << 20);
	for (size_t i = 0; i < s->n_users; i++) {
		put_quoted(&b, s->users[i].name, '"');
		buf_c(&b, ' ');
		put_quoted(&b, s->users[i].password, '"');
		buf_c(&b, '\n');
	}
	return buf_str(&b);
}

static err write_files(arena *a, const pgbouncer_spec *s, str folder)
{
	TRY(postgres_file(a, path_join(a, folder, S("pgbouncer.ini")), configuration_of(a, s)));
	return postgres_file(a, path_join(a, folder, S("users.txt")), users_of(a, s));
}

static bool listens(str folder, int port)
{
	arena *mem = arena_open(1024);
	int fd = postgres_socket(mem, folder, port);
	if (fd >= 0)
		close(fd);
	arena_close(mem);
	return fd >= 0;
}

static err folder_of(arena *a, const pgbouncer_spec *s, str folder)
{
	TRY(dir_make(a, s->root, 0711));
	TRY(engine_folder(a, arena_fmt(a, "%.*s/%.*s", STR_ARG(s->root), STR_ARG(s->name))));
	TRY(engine_folder(a, folder));
	TRY(postgres_evict(a, folder));
	str key = path_join(a, folder, S("server.key"));
	if (!file_exists(key))
		TRY(postgres_certificate(a, path_join(a, folder, S("server.crt")), key));
	return write_files(a, s, folder);
}

static err front_open(arena *a, const pgbouncer_spec *s, pgbouncer *p)
{
	p->require_tls = s->require_tls;
	return pgbouncer_front_open(a, s->address, s->port, postgres_folder(a, s->root, s->name, "data"),
	                            s->require_tls, &p->front);
}

err pgbouncer_start(arena *a, const pgbouncer_spec *s, pgbouncer **out)
{
	str program, folder = postgres_folder(a, s->root, s->name, "data");
	TRY(pgbouncer_find(a, &program));
	TRY(folder_of(a, s, folder));
	const char *argv[] = { program.p, "-q", "pgbouncer.ini", NULL };
	engine_spec es = { .argv = argv,
		               .top = s->root,
		               .folder = folder,
		               .log = arena_fmt(a, "%.*s/%.*s/pgbouncer.log", STR_ARG(s->root), STR_ARG(s->name)),
		               .death_signal = SIGKILL };
	arena *mem = arena_open(1024);
	pgbouncer *p = arena_new(mem, pgbouncer);
	*p = (pgbouncer){ .mem = mem,
		              .root = arena_str(mem, s->root),
		              .name = arena_str(mem, s->name),
		              .configuration = arena_str(mem, configuration_of(a, s)),
		              .users = arena_str(mem, users_of(a, s)) };
	err e = engine_start(a, &es, &p->engine);
	if (e) {
		arena_close(mem);
		return e;
	}
	for (int ms = 0; !listens(folder, s->port); ms += 5) {
		if (ms > READY_MS || engine_starts(p->engine) > 2) {
			pgbouncer_stop(p);
			return fault_new(a, &fault_system, "PgBouncer does not listen on %.*s:%d", STR_ARG(s->address),
			                 s->port);
		}
		clock_sleep_ms(5);
	}
	e = front_open(a, s, p);
	if (e) {
		pgbouncer_stop(p);
		return e;
	}
	*out = p;
	return OK;
}

err pgbouncer_reload(arena *a, const pgbouncer_spec *s, pgbouncer *p)
{
	str configuration = configuration_of(a, s), users = users_of(a, s);
	if (p->front && p->require_tls != s->require_tls) {
		pgbouncer_front_close(p->front);
		p->front = NULL;
	}
	if (!p->front)
		TRY(front_open(a, s, p));
	if (str_eq(configuration, p->configuration) && str_eq(users, p->users))
		return OK;
	TRY(write_files(a, s, postgres_folder(a, s->root, s->name, "data")));
	p->configuration = arena_str(p->mem, configuration);
	p->users = arena_str(p->mem, users);
	engine_signal(p->engine, SIGHUP);
	return OK;
}

void pgbouncer_stop(pgbouncer *p)
{
	arena *mem = p->mem;
	if (p->front)
		pgbouncer_front_close(p->front);
	engine_stop(p->engine, SIGTERM, STOP_MS);
	postgres_remove(mem, p->root, p->name);
	arena_close(mem);
}

unsigned pgbouncer_falls(pgbouncer *p) { return engine_starts(p->engine) - 1; }
