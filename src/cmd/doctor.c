#include "base/buf.h"
#include "cmd/cmd.h"
#include "run/sandbox.h"
#include "sys/file.h"
#include "sys/proc.h"
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_WANTED_MB 1024

static bool healthy;

static void good(const char *what, str detail)
{
	printf("  ok       %-22s %.*s\n", what, STR_ARG(detail));
}

static void missing(const char *what, const char *remedy)
{
	printf("  missing  %-22s %s\n", what, remedy);
}

static void wrong(const char *what, const char *remedy)
{
	healthy = false;
	printf("  WRONG    %-22s %s\n", what, remedy);
}

/* The first line that a program says of its version; STR_NONE when it is not there. */
static str version_of(arena *mem, const char *name, const char *argument)
{
	const char *argv[] = { name, argument, NULL };
	proc_spec spec = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	int status;
	str output;
	if (proc_run(mem, &spec, &status, &output) || status)
		return STR_NONE;
	return str_trim(str_cut(&output, '\n'));
}

static void program(arena *mem, const char *what, const char *name, const char *argument, const char *remedy)
{
	str version = version_of(mem, name, argument);
	if (str_is(version))
		good(what, version);
	else
		missing(what, remedy);
}

static void data_folder(arena *mem, str data)
{
	struct statvfs v;
	running r;
	str folder = arena_str(mem, data);
	if (access(folder.p, F_OK))
		good("data folder", arena_fmt(mem, "%.*s (made at the first start)", STR_ARG(data)));
	else if (access(folder.p, W_OK | X_OK))
		wrong("data folder", "is not writable for you; choose another with --data");
	else
		good("data folder", data);
	if (statvfs(folder.p, &v) == 0) {
		uint64_t mb = (uint64_t)v.f_bavail * v.f_frsize >> 20;
		if (mb < ROOM_WANTED_MB)
			wrong("room on disk", "less than 1 GB is free");
		else
			good("room on disk", arena_fmt(mem, "%llu MB", (unsigned long long)mb));
	}
	if (running_find(mem, data, &r))
		good("server", arena_fmt(mem, "runs, process %lld, %.*s", (long long)r.pid, STR_ARG(r.endpoint)));
	else
		good("server", S("none runs on this folder"));
}

static void sandboxes(void)
{
	sandbox_status s = sandbox_probe();
	if (s.possible)
		good("sandbox", str_c(s.namespaces));
	else
		wrong("sandbox", s.namespaces);
	good("function network", str_c(s.network));
}

static int doctor_run(arena *mem, int argc, char **argv)
{
	option o = { .name = "data", .takes_value = true };
	str *rest = arena_array(mem, str, (size_t)argc + 1);
	size_t n_rest;
	if (!options_read(&o, 1, argc, argv, rest, &n_rest))
		return 2;
	healthy = true;
	data_folder(mem, o.given ? o.value : default_data(mem));
	sandboxes();
	program(mem, "Python functions", "python3", "--version", "apt-get install python3 python3-boto3");
	program(mem, "Node.js functions", "node", "--version", "apt-get install nodejs");
	program(mem, "aws CLI", "aws", "--version", "apt-get install awscli");
	program(mem, "RDS for PostgreSQL", "/usr/lib/postgresql/15/bin/postgres", "--version",
	        "apt-get install postgresql-15");
	program(mem, "RDS for MySQL, MariaDB", "mariadbd", "--version", "apt-get install mariadb-server-core");
	program(mem, "ElastiCache", "redis-server", "--version", "apt-get install redis-server");
	puts(healthy ? "Farthing can run here." : "Mend what is WRONG first.");
	return healthy ? 0 : 1;
}
VERB(doctor, "doctor [--data DIR]", "Look whether everything it needs is there", doctor_run);
