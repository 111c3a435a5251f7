#include "run/interpreter.h"
#include "run/embedded.h"
#include "sys/file.h"
#include "sys/proc.h"
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOUND_MAX 32
#define CANDIDATES_MAX 64

static struct {
	pthread_mutex_t lock;
	arena *mem;  /* boot: what is found stays */
	str folder;
	struct { str runtime; interpreter it; } found[FOUND_MAX];
	int n;
} known = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Prints: version, prefix, package folders, botocore's version. Compiles the bootstrap. */
static const char python_probe[] =
	"import sys, site, os, re, py_compile\n"
	"folders = site.getsitepackages()\n"
	"version = '0'\n"
	"for f in folders:\n"
	"    p = os.path.join(f, 'botocore', '__init__.py')\n"
	"    if version == '0' and os.path.exists(p):\n"
	"        m = re.search(r\"__version__ = ['\\\"]([0-9.]+)\", open(p).read())\n"
	"        version = m.group(1) if m else '0'\n"
	"py_compile.compile(sys.argv[1], sys.argv[2], '/var/runtime/bootstrap.py', True,\n"
	"                   invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)\n"
	"print('%d.%d.%d' % sys.version_info[:3], sys.base_prefix, ':'.join(folders), version, sep='\\n')\n";

err interpreter_start(str folder)
{
	pthread_mutex_lock(&known.lock);
	if (!known.mem)
		known.mem = arena_open(4096);
	known.n = 0;
	known.folder = arena_str(known.mem, folder);
	err failed = dir_remove(known.mem, known.folder);
	if (!failed)
		failed = dir_make(known.mem, known.folder, 0755);
	pthread_mutex_unlock(&known.lock);
	return failed;
}

typedef struct candidates {
	arena *mem;
	str v[CANDIDATES_MAX];
	int n;
} candidates;

/* A program of its own, not a script that looks for one. */
static void consider(candidates *c, str path)
{
	char real[PATH_MAX], magic[4] = { 0 };
	int fd = open(arena_str(c->mem, path).p, O_RDONLY | O_CLOEXEC);
	bool elf = fd >= 0 && read(fd, magic, 4) == 4 && memcmp(magic, "\177ELF", 4) == 0;
	if (fd >= 0)
		close(fd);
	if (!elf || !realpath(arena_str(c->mem, path).p, real) || access(real, X_OK))
		return;
	for (int i = 0; i < c->n; i++)
		if (str_eq(c->v[i], str_c(real)))
			return;
	if (c->n < CANDIDATES_MAX)
		c->v[c->n++] = arena_str(c->mem, str_c(real));
}

/* FOLDER/<anything that begins with `start`>/bin/NAME, newest last in the listing and so tried first. */
static void consider_versions(candidates *c, str folder, str start, str name)
{
	str *names = NULL;
	size_t n = 0;
	if (dir_list(c->mem, folder, &names, &n))
		return;
	for (size_t i = n; i--;)
		if (str_starts(names[i], start))
			consider(c, arena_fmt(c->mem, "%.*s/%.*s/bin/%.*s", STR_ARG(folder), STR_ARG(names[i]),
			                      STR_ARG(name)));
}

static str home(arena *mem)
{
	struct passwd *p = getpwuid(geteuid());
	return arena_str(mem, str_c(p && p->pw_dir ? p->pw_dir : "/root"));
}

static void consider_path(candidates *c, str name)
{
	const char *path = getenv("PATH");
	str rest = str_c(path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
	while (str_is(rest)) {
		str folder = str_cut(&rest, ':');
		if (str_starts(folder, S("/")))
			consider(c, path_join(c->mem, folder, name));
	}
	consider(c, path_join(c->mem, S("/usr/bin"), name));
	consider(c, path_join(c->mem, S("/usr/local/bin"), name));
}

static candidates python_candidates(arena *mem, str name, str minor)
{
	candidates c = { .mem = mem };
	str h = home(mem);
	const char *pyenv = getenv("PYENV_ROOT");
	consider_path(&c, name);
	str root = pyenv ? str_c(pyenv) : path_join(mem, h, S(".pyenv"));
	str dotted = arena_concat(mem, minor, S("."));
	consider_versions(&c, path_join(mem, root, S("versions")), dotted, name);
	consider_versions(&c, path_join(mem, h, S(".asdf/installs/python")), dotted, name);
	consider_versions(&c, path_join(mem, h, S(".local/share/uv/python")),
	                  arena_fmt(mem, "cpython-%.*s", STR_ARG(dotted)), name);
	return c;
}

static candidates node_candidates(arena *mem, str major)
{
	candidates c = { .mem = mem };
	str h = home(mem), start = arena_fmt(mem, "v%.*s.", STR_ARG(major));
	consider_path(&c, S("node"));
	consider_path(&c, S("nodejs"));
	consider_versions(&c, path_join(mem, h, S(".nvm/versions/node")), start, S("node"));
	consider_versions(&c, path_join(mem, h, S(".local/share/fnm/node-versions")), start,
	                  S("../installation/bin/node"));
	consider_versions(&c, path_join(mem, h, S(".asdf/installs/nodejs")),
	                  arena_fmt(mem, "%.*s.", STR_ARG(major)), S("node"));
	consider_versions(&c, S("/usr/local/n/versions/node"), arena_fmt(mem, "%.*s.", STR_ARG(major)),
	                  S("node"));
	return c;
}

/* Versions compare number by number. */
static int version_cmp(str a, str b)
{
	while (str_is(a) || str_is(b)) {
		int64_t x = 0, y = 0;
		if (str_is(a) && !str_to_i64(str_cut(&a, '.'), &x))
			x = 0;
		if (str_is(b) && !str_to_i64(str_cut(&b, '.'), &y))
			y = 0;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static str prefix_to_bind(arena *mem, str prefix)
{
	bool system = str_eq(prefix, S("/usr")) || str_starts(prefix, S("/usr/")) || prefix.n < 2;
	return system ? S("") : arena_str(mem, prefix);
}

/* Asks one Python what it is. Its bootstrap is compiled into a folder of its own. */
static bool ask_python(arena *mem, str path, int number, str runtime, interpreter *out, str *botocore)
{
	str folder = arena_fmt(mem, "%.*s/%.*s-%d", STR_ARG(known.folder), STR_ARG(runtime), number);
	str source = path_join(mem, folder, S("bootstrap.py"));
	str compiled = path_join(mem, folder, S("bootstrap.pyc"));
	const char *argv[] = { path.p, "-I", "-c", python_probe, source.p, compiled.p, NULL };
	proc_spec spec = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	str text;
	int status;
	if (dir_make(mem, folder, 0755) || file_write(mem, source, embedded_python(), 0644) ||
	    proc_run(mem, &spec, &status, &text) || status != 0)
		return false;
	chmod(compiled.p, 0644);
	str version = str_cut(&text, '\n'), prefix = str_cut(&text, '\n'), site = str_cut(&text, '\n');
	*botocore = arena_str(mem, str_trim(str_cut(&text, '\n')));
	*out = (interpreter){ .path = path, .prefix = prefix_to_bind(mem, prefix), .runtime = folder,
		.script = S("/var/runtime/bootstrap.pyc"), .site = arena_str(mem, site),
		.version = arena_str(mem, version), .python = true };
	return true;
}

static bool find_python(arena *mem, str runtime, interpreter *out)
{
	str minor = str_sub(runtime, 6, runtime.n), newest = STR_NONE;
	candidates c = python_candidates(mem, runtime, minor);
	for (int i = 0; i < c.n; i++) {
		interpreter it;
		str botocore;
		if (!ask_python(mem, c.v[i], i, runtime, &it, &botocore) ||
		    !str_starts(it.version, arena_concat(mem, minor, S("."))))
			continue;
		if (!str_is(newest) || version_cmp(botocore, newest) > 0) {
			*out = it;
			newest = botocore;
		}
	}
	return str_is(newest);
}

static bool find_node(arena *mem, str runtime, interpreter *out)
{
	str rest = str_sub(runtime, 6, runtime.n), major = str_cut(&rest, '.');
	candidates c = node_candidates(mem, major);
	str folder = path_join(mem, known.folder, S("nodejs"));
	for (int i = 0; i < c.n; i++) {
		const char *argv[] = { c.v[i].p, "--version", NULL };
		proc_spec spec = { .argv = argv, .in = -1, .out = -1, .err = -1 };
		str text;
		int status;
		if (proc_run(mem, &spec, &status, &text) || status != 0 ||
		    !str_starts(text, arena_fmt(mem, "v%.*s.", STR_ARG(major))))
			continue;
		if (dir_make(mem, folder, 0755) ||
		    file_write(mem, path_join(mem, folder, S("bootstrap.cjs")), embedded_node(), 0644))
			return false;
		size_t end = c.v[i].n;
		for (int slashes = 0; end && slashes < 2;)
			slashes += c.v[i].p[--end] == '/';
		*out = (interpreter){ .path = c.v[i], .prefix = prefix_to_bind(mem, str_sub(c.v[i], 0, end)),
			.runtime = folder, .script = S("/var/runtime/bootstrap.cjs"), .site = S(""),
			.version = arena_str(mem, str_trim(text)) };
		return true;
	}
	return false;
}

static const char *const names[] = {
	"python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "python3.10", "python3.11",
	"python3.12", "python3.13", "python3.14", "nodejs12.x", "nodejs14.x", "nodejs16.x", "nodejs18.x",
	"nodejs20.x", "nodejs22.x", "nodejs24.x", "provided", "provided.al2", "provided.al2023", "java8",
	"java8.al2", "java11", "java17", "java21", "java25", "dotnetcore3.1", "dotnet6", "dotnet8", "dotnet10",
	"go1.x", "ruby2.7", "ruby3.2", "ruby3.3", "ruby3.4",
};

bool interpreter_known(str runtime)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(runtime, str_c(names[i])))
			return true;
	return false;
}

static err absent(arena *mem, str runtime)
{
	if (str_starts(runtime, S("python3")))
		return fault_new(mem, &fault_system, "No %.*s interpreter is on this machine. Install %.*s (for "
		                 "example: pyenv install %.*s) so that it is in PATH, /usr/bin or ~/.pyenv/versions.",
		                 STR_ARG(runtime), STR_ARG(runtime), STR_ARG(str_sub(runtime, 6, runtime.n)));
	if (str_starts(runtime, S("nodejs"))) {
		str rest = str_sub(runtime, 6, runtime.n);
		str major = str_cut(&rest, '.');
		return fault_new(mem, &fault_system, "No Node.js %.*s is on this machine. Install it so that `node` "
		                 "of version %.*s is in PATH, /usr/bin or ~/.nvm/versions/node.", STR_ARG(major),
		                 STR_ARG(major));
	}
	return fault_new(mem, &fault_system, "The runtime %.*s cannot be run here: Python, Node.js and "
	                 "provided.* "
	                 "can.", STR_ARG(runtime));
}

err interpreter_find(arena *mem, str runtime, const interpreter **out)
{
	static const interpreter own = { .own = true };
	err failed = OK;
	if (str_eq(runtime, S("provided")) || str_starts(runtime, S("provided."))) {
		*out = &own;
		return OK;
	}
	pthread_mutex_lock(&known.lock);
	ensure(known.mem);
	const interpreter *it = NULL;
	for (int i = 0; i < known.n && !it; i++)
		if (str_eq(known.found[i].runtime, runtime))
			it = &known.found[i].it;
	if (!it && known.n < FOUND_MAX) {
		interpreter *fresh = &known.found[known.n].it;
		bool ok = str_starts(runtime, S("python3.")) ? find_python(known.mem, runtime, fresh)
			: str_starts(runtime, S("nodejs")) && find_node(known.mem, runtime, fresh);
		if (ok) {
			known.found[known.n++].runtime = arena_str(known.mem, runtime);
			it = fresh;
		}
	}
	pthread_mutex_unlock(&known.lock);
	if (!it)
		failed = absent(mem, runtime);
	else
		*out = it;
	return failed;
}
