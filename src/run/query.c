#include "run/query.h"
#include "run/sandbox.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "/var/query/farthing"
#define LIBRARY "/usr/local/lib/farthing/duckdb/libduckdb.so"
#define TMP_BYTES ((int64_t)4 << 20)
#define PIDS 32
#define FILES 4096
#define LOOK_MS 100

bool query_possible(void) { return file_exists(S(LIBRARY)); }

/* The program is bound by its folder: the file itself, as it is now. */
static err own_folder(arena *mem, str *folder)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0 || n >= (ssize_t)sizeof path - 1)
		return fault_new(mem, &fault_system, "query: the program does not find itself");
	while (n > 1 && path[n - 1] != '/')
		n--;
	*folder = arena_str(mem, str_of(path, n > 1 ? (size_t)n - 1 : 1));
	return OK;
}

/* What others need of the disk stays theirs. */
#define LARGE ((size_t)1 << 16)
#define DISK_LEFT ((uint64_t)256 << 20)

static bool room_for(int fd, size_t bytes)
{
	struct statvfs v;
	return bytes < LARGE || fstatvfs(fd, &v) || (uint64_t)v.f_bavail * v.f_frsize > DISK_LEFT + bytes;
}

err query_append(arena *mem, str path, str bytes)
{
	int fd = open(arena_str(mem, path).p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	size_t done = 0;
	if (fd >= 0 && !room_for(fd, bytes.n)) {
		close(fd);
		return fault_new(mem, &fault_system, "the disk has no room for what the query reads");
	}
	while (fd >= 0 && done < bytes.n) {
		ssize_t n = write(fd, bytes.p + done, bytes.n - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return done == bytes.n && fd >= 0 ? OK :
		fault_new(mem, &fault_system, "%.*s cannot be written: %s", STR_ARG(path), strerror(errno));
}

static query_end wait_for(const query_spec *s, sandbox *sb, int output)
{
	int64_t until = clock_mono_us() / 1000 + s->time_ms;
	int status = 0;
	for (;;) {
		struct pollfd p[2] = { { .fd = sandbox_end_fd(sb), .events = POLLIN },
			                   { .fd = sandbox_oom_fd(sb), .events = (short)sandbox_oom_events(sb) } };
		struct stat st;
		poll(p, p[1].fd >= 0 ? 2 : 1, LOOK_MS);
		if (sandbox_ended(sb, &status))
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? QUERY_ANSWERED : QUERY_DIED;
		if (!sandbox_memory_ok(sb))
			return QUERY_DIED;
		if (clock_mono_us() / 1000 > until)
			return QUERY_TOO_LONG;
		if (!fstat(output, &st) && st.st_size > s->output_bytes)
			return QUERY_TOO_LARGE;
		if (!s->going(s->context))
			return QUERY_STOPPED;
	}
}

err query_run(arena *mem, const query_spec *s, query_end *end)
{
	static const char *const env[] = { "LANG=C.UTF-8", "TZ=UTC", "PATH=/usr/bin:/bin", NULL };
	const char *argv[] = { PROGRAM, "query-engine", NULL };
	str own;
	sandbox *sb;
	TRY(own_folder(mem, &own));
	int output = open(arena_str(mem, s->output).p, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output < 0)
		return fault_new(mem, &fault_system, "query: %.*s cannot be written", STR_ARG(s->output));
	sandbox_spec spec = { .argv = argv, .env = env, .directory = "/", .memory_bytes = s->memory_bytes,
		.tmp_bytes = TMP_BYTES, .pids = PIDS, .files = FILES, .output = output, .reach = REACH_NOTHING };
	spec.binds[spec.n_binds++] = (sandbox_bind){ own.p, "/var/query" };
	spec.binds[spec.n_binds++] = (sandbox_bind){ arena_str(mem, s->folder).p, QUERY_INPUT };
	err e = sandbox_open(mem, &spec, &sb);
	if (!e) {
		*end = wait_for(s, sb, output);
		sandbox_close(sb);
	}
	close(output);
	return e;
}
