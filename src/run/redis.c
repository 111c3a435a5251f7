#include "run/redis_client.h"
#include "run/postgres_parts.h"
#include "base/buf.h"
#include "base/digest.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_MS 60000
#define SAVED_MS 20000 /* how long one of a killed server may take to write what it has */
#define SAVE_MS (10 * 60 * 1000)
#define LOOK_MS 10
#define LOG "log/redis.log"
#define DUMP "data/dump.rdb"
#define CONF_MAX ((size_t)1 << 20)
#define PEM_MAX ((size_t)64 << 10)
#define BUS 10000 /* from a node's port to that by which a cluster's nodes talk */

struct redis {
	engine_process *engine;
	arena *mem;
	str data, secret, dump;
};

err redis_find(arena *a, str *program)
{
	static const char *const places[] = { "/usr/bin/redis-server", "/usr/local/bin/redis-server" };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (file_exists(str_c(places[i]))) {
			*program = str_c(places[i]);
			return OK;
		}
	return fault_new(a, &fault_system, "Redis is not installed: apt-get install redis-server");
}

err redis_version(arena *a, str program, str *version)
{
	const char *argv[] = { arena_str(a, program).p, "--version", NULL };
	str said;
	TRY(engine_run(a, STR_NONE, S("/"), argv, &said));
	/* Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=.. */
	size_t at = str_find(said, S("v="));
	str rest = at == SIZE_MAX ? S("") : str_sub(said, at + 2, said.n);
	*version = str_trim(str_cut(&rest, ' '));
	return OK;
}

/* What nobody may call but we, under another name. */
static const char *const kept[] = { "CONFIG", "SAVE",    "BGSAVE",    "BGREWRITEAOF", "DEBUG",  "SHUTDOWN",
	                                "MODULE", "SLAVEOF", "REPLICAOF", "FAILOVER",     "MIGRATE" };
#define KEPT_N (sizeof kept / sizeof *kept)

static str other_name(arena *a, str secret, const char *name)
{
	str hex = sha256_hex(a, arena_fmt(a, "%.*s %s", STR_ARG(secret), name));
	return arena_fmt(a, "F%.24s", hex.p);
}

static str configuration(arena *a, const redis_spec *s)
{
	buf b = buf_in(a, 4096, CONF_MAX);
	buf_fmt(&b, "bind %.*s\nbind-source-addr %.*s\n", STR_ARG(s->addresses), STR_ARG(s->address));
	buf_fmt(&b, s->tls ? "port 0\ntls-port %d\n" : "port %d\n", s->port);
	if (s->tls)
		buf_put(&b,
		        S("tls-cert-file server.crt\ntls-key-file server.key\ntls-ca-cert-file server.crt\n"
		          "tls-auth-clients no\ntls-replication yes\n"));
	if (s->cluster)
		buf_fmt(&b,
		        "cluster-enabled yes\ncluster-config-file nodes.conf\ncluster-announce-ip %.*s\n"
		        "cluster-port %d\ncluster-node-timeout 15000\ncluster-replica-no-failover yes\n%s",
		        STR_ARG(s->address), s->port + BUS, s->tls ? "tls-cluster yes\n" : "");
	buf_put(&b,
	        S("unixsocket redis.sock\nunixsocketperm 700\nprotected-mode no\ndaemonize no\n"
	          "appendonly no\nsave \"\"\ndbfilename dump.rdb\nrdb-del-sync-files yes\n"
	          "shutdown-on-sigterm save\nset-proc-title no\nrepl-diskless-sync-delay 0\n"
	          "ignore-warnings ARM64-COW-BUG\nmaxclients 65000\n"));
	for (size_t i = 0; i < KEPT_N; i++)
		buf_fmt(&b, "rename-command %s %.*s\n", kept[i], STR_ARG(other_name(a, s->secret, kept[i])));
	buf_fmt(&b, "user farthing on >%.*s ~* &* +@all\nmasteruser farthing\nmasterauth %.*s\n",
	        STR_ARG(s->secret), STR_ARG(s->secret));
	buf_put(&b, s->users);
	buf_put(&b, s->settings);
	if (!str_empty(s->primary))
		buf_fmt(&b, "replicaof %.*s %d\n", STR_ARG(s->primary), s->port);
	return buf_str(&b);
}

static pthread_mutex_t certificate_lock = PTHREAD_MUTEX_INITIALIZER;

/* All nodes have the same certificate, signed by itself: so they trust each other. */
static err certify(arena *a, str root, str data)
{
	str crt = path_join(a, root, S("server.crt")), key = path_join(a, root, S("server.key")), bytes;
	pthread_mutex_lock(&certificate_lock);
	err e = file_exists(key) ? OK : postgres_certificate(a, crt, key); /* the key is written last */
	pthread_mutex_unlock(&certificate_lock);
	if (!e)
		e = file_read(a, key, PEM_MAX, &bytes);
	if (!e)
		e = postgres_file(a, path_join(a, data, S("server.key")), bytes);
	if (!e)
		e = file_read(a, crt, PEM_MAX, &bytes);
	return e ? e : postgres_file(a, path_join(a, data, S("server.crt")), bytes);
}

err redis_configure(arena *a, const redis_spec *s)
{
	str data = postgres_folder(a, s->root, s->name, "data");
	TRY(postgres_folders(a, s->root, s->name));
	TRY(postgres_file(a, postgres_folder(a, s->root, s->name, "redis.conf"), configuration(a, s)));
	if (!s->tls || file_exists(path_join(a, data, S("server.crt"))))
		return OK;
	return certify(a, s->root, data);
}

static err ask(arena *a, str folder, str secret, const str *words, size_t n, redis_reply *out)
{
	redis_reply unused;
	str *renamed = arena_array(a, str, n);
	for (size_t i = 0; i < n; i++)
		renamed[i] = words[i];
	for (size_t i = 0; i < KEPT_N; i++)
		if (str_eq(words[0], str_c(kept[i])))
			renamed[0] = other_name(a, secret, kept[i]);
	int fd = redis_dial(a, folder);
	if (fd < 0)
		return fault_new(a, &fault_system, "Redis is not running");
	err e = OK;
	if (!redis_send(a, fd, (const str[]){ S("AUTH"), S("farthing"), secret }, 3)
	    || !redis_send(a, fd, renamed, n))
		e = fault_new(a, &fault_system, "Redis: the connection has ended");
	if (!e)
		e = redis_receive(a, fd, &unused);
	if (!e)
		e = redis_receive(a, fd, out ? out : &unused);
	close(fd);
	return e;
}

err redis_ask(arena *a, redis *r, const str *words, size_t n, redis_reply *out)
{
	return ask(a, r->data, r->secret, words, n, out);
}

/* It answers PING when all is loaded. */
static err answers(arena *mem, void *context)
{
	redis *r = context;
	return REDIS_ASK(mem, r, NULL, S("PING"));
}

/* One whose Farthing was killed writes what it has: somebody stands in the folder while its socket is held.
 */
static void let_it_save(arena *a, str data)
{
	for (int ms = 0; ms < SAVED_MS; ms += LOOK_MS) {
		int fd = redis_dial(a, data);
		if (fd < 0)
			return;
		close(fd);
		clock_sleep_ms(LOOK_MS);
	}
}

err redis_start(arena *a, const redis_spec *s, redis **out)
{
	str program, data = postgres_folder(a, s->root, s->name, "data");
	TRY(redis_find(a, &program));
	TRY(redis_configure(a, s));
	let_it_save(a, data);
	TRY(postgres_evict(a, data));
	unlink(path_join(a, data, S("redis.sock")).p);
	arena *mem = arena_open(512);
	redis *r = arena_new(mem, redis);
	*r = (redis){ .mem = mem,
		          .data = arena_str(mem, data),
		          .dump = postgres_folder(mem, s->root, s->name, DUMP),
		          .secret = arena_str(mem, s->secret) };
	const char *argv[] = { arena_str(a, program).p, "../redis.conf", NULL };
	engine_spec es = { .argv = argv,
		               .top = s->root,
		               .folder = data,
		               .log = postgres_folder(a, s->root, s->name, LOG),
		               .memory_bytes = s->memory_bytes,
		               .cpu_milli = 0,
		               .death_signal = SIGTERM };
	err e = engine_start(a, &es, &r->engine);
	if (e) {
		arena_close(mem);
		return e;
	}
	e = engine_await(a, r->engine, &(engine_awaiting){ answers, r, es.log, "# " });
	if (e) {
		redis_stop(r, true);
		return e;
	}
	unlink(r->dump.p);
	engine_limit(r->engine, 0, s->cpu_milli);
	*out = r;
	return OK;
}

void redis_stop(redis *r, bool keep)
{
	engine_limit(r->engine, 0, 0);
	engine_stop(r->engine, keep ? SIGTERM : SIGKILL, STOP_MS);
	if (!keep)
		unlink(r->dump.p);
	arena_close(r->mem);
}

static err wait_for_save(arena *a, redis *r)
{
	for (int64_t until = clock_mono_us() + (int64_t)SAVE_MS * 1000; clock_mono_us() < until;) {
		redis_reply info;
		TRY(REDIS_ASK(a, r, &info, S("INFO"), S("persistence")));
		if (str_eq(redis_info_value(info.text, "rdb_bgsave_in_progress"), S("0")))
			return str_eq(redis_info_value(info.text, "rdb_last_bgsave_status"), S("ok"))
				? OK
				: fault_new(a, &fault_system, "Redis could not write its data");
		clock_sleep_ms(LOOK_MS);
	}
	return fault_new(a, &fault_system, "Redis does not get ready with writing its data");
}

err redis_save(arena *a, redis *r, str path, int64_t *bytes)
{
	struct stat st;
	TRY(wait_for_save(a, r));
	TRY(REDIS_ASK(a, r, NULL, S("BGSAVE")));
	TRY(wait_for_save(a, r));
	*bytes = stat(r->dump.p, &st) == 0 ? (int64_t)st.st_size : 0;
	return file_move(a, r->dump, path);
}

err redis_copy(arena *a, str from, str to, int64_t *bytes)
{
	char part[1 << 16];
	int in = open(arena_str(a, from).p, O_RDONLY | O_CLOEXEC);
	int out = in < 0 ? -1 : open(arena_str(a, to).p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = out < 0 ? -1 : 0;
	while (out >= 0 && (n = read(in, part, sizeof part)) > 0) {
		if (write(out, part, (size_t)n) != n) {
			n = -1;
			break;
		}
		*bytes += n;
	}
	const engine_user *u = engine_identity();
	if (n == 0 && (fsync(out) < 0 || (u->change && fchown(out, u->uid, u->gid) < 0)))
		n = -1;
	err e = n < 0 ? fault_new(a, &fault_system, "%.*s: %s", STR_ARG(to), strerror(errno)) : OK;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e;
}

err redis_fill(arena *a, str root, str name, str path)
{
	int64_t unused = 0;
	TRY(postgres_folders(a, root, name));
	return redis_copy(a, path, postgres_folder(a, root, name, DUMP), &unused);
}

engine_process *redis_engine(redis *r) { return r->engine; }
