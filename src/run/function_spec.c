#include "run/function_parts.h"
#include "run/image.h"
#include "sys/file.h"
#include <stdio.h>
#include <unistd.h>

#define RUNTIME_PORT 9001
#define TRACE_PORT 2000   /* where X-Ray's daemon listens */
#define FILES_MAX 1024
#define PIDS_MAX 1024
#define VARIABLES_OURS 40
#define IMAGE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static str layer_entry(arena *mem, const function_spec *s)
{
	for (int i = s->n_layers; i--;) {
		str path = path_join(mem, s->layers[i], S("bootstrap"));
		if (file_exists(path))
			return path;
	}
	return STR_NONE;
}

/* provided.*: /var/task/bootstrap, or one that a layer brings. */
static const char *own_entry(arena *mem, const function_spec *s, str *on_machine)
{
	*on_machine = path_join(mem, s->code, S("bootstrap"));
	if (file_exists(*on_machine))
		return "/var/task/bootstrap";
	*on_machine = layer_entry(mem, s);
	return str_is(*on_machine) ? "/opt/bootstrap" : NULL;
}

static str image_no_entry(arena *mem, const function_image *i)
{
	if (!i->n_argv)
		return S("No entrypoint or command is given by the image or the function's ImageConfig");
	return i->foreign ? arena_fmt(mem, "fork/exec %.*s: exec format error", STR_ARG(i->argv[0])) : STR_NONE;
}

str function_no_entry(arena *mem, const function_spec *s)
{
	str path;
	if (s->image)
		return image_no_entry(mem, s->image);
	if (!s->interpreter->own)
		return STR_NONE;
	const char *entry = own_entry(mem, s, &path);
	if (!entry)
		return S("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
	if (access(path.p, X_OK))
		return arena_fmt(mem, "fork/exec %s: permission denied", entry);
	return STR_NONE;
}

typedef struct variables {
	arena *mem;
	const char **v;
	size_t n;
} variables;

/* The last one counts. */
static void set(variables *vs, const char *name, str value)
{
	size_t at = 0, n = strlen(name);
	if (!str_is(value))
		return;
	while (at < vs->n && (strncmp(vs->v[at], name, n) != 0 || vs->v[at][n] != '='))
		at++;
	vs->v[at] = arena_fmt(vs->mem, "%s=%.*s", name, STR_ARG(value)).p;
	vs->n += at == vs->n;
}

static void set_pairs(variables *vs, const function_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		set(vs, arena_str(vs->mem, pairs[i].name).p, pairs[i].value);
}

/* Where AWS's own runtimes are; an image says so itself. */
static void set_places(variables *vs, const function_spec *s)
{
	set(vs, "_HANDLER", s->handler);
	if (!s->interpreter->own)
		set(vs, "AWS_EXECUTION_ENV", arena_concat(vs->mem, S("AWS_Lambda_"), s->runtime));
	set(vs, "LAMBDA_TASK_ROOT", S("/var/task"));
	set(vs, "LAMBDA_RUNTIME_DIR", S("/var/runtime"));
	set(vs, "PATH", S("/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"));
	set(vs, "LD_LIBRARY_PATH", S("/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:"
	                             "/var/task/lib:/opt/lib"));
	if (s->interpreter->python)
		set(vs, "PYTHONPATH", S("/var/runtime"));
	if (str_starts(s->runtime, S("nodejs"))) {
		str rest = str_sub(s->runtime, 6, s->runtime.n), major = str_cut(&rest, '.');
		set(vs, "NODE_PATH", arena_fmt(vs->mem, "/opt/nodejs/node%.*s/node_modules:/opt/nodejs/node_modules:"
		    "/var/runtime/node_modules:/var/runtime:/var/task", STR_ARG(major)));
	}
}

/* Only what AWS sets: nothing of the server's own environment gets in. */
static const char **environment(arena *mem, const function_spec *s, int port, int trace_port)
{
	size_t more = s->n_variables + (s->image ? s->image->n_environment : 0);
	variables vs = { mem, arena_array(mem, const char *, VARIABLES_OURS + more + 1), 0 };
	set(&vs, "TZ", S(":UTC"));
	set(&vs, "LANG", S("en_US.UTF-8"));
	if (s->image) {
		set(&vs, "PATH", S(IMAGE_PATH));
		set_pairs(&vs, s->image->environment, s->image->n_environment);
	} else {
		set_places(&vs, s);
	}
	set(&vs, "AWS_REGION", s->region);
	set(&vs, "AWS_DEFAULT_REGION", s->region);
	set(&vs, "AWS_LAMBDA_FUNCTION_NAME", s->name);
	set(&vs, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", arena_fmt(mem, "%lld", (long long)s->memory_mb));
	set(&vs, "AWS_LAMBDA_FUNCTION_VERSION", s->version);
	set(&vs, "AWS_LAMBDA_INITIALIZATION_TYPE", s->initialization ? str_c(s->initialization) : S("on-demand"));
	set(&vs, "AWS_LAMBDA_LOG_GROUP_NAME", s->log_group);
	set(&vs, "AWS_LAMBDA_LOG_STREAM_NAME", s->log_stream);
	set(&vs, "AWS_ACCESS_KEY_ID", s->access_key);
	set(&vs, "AWS_SECRET_ACCESS_KEY", s->secret_key);
	set(&vs, "AWS_SESSION_TOKEN", s->session_token);
	set(&vs, "AWS_LAMBDA_RUNTIME_API", arena_fmt(mem, "127.0.0.1:%d", port));
	set(&vs, "AWS_XRAY_CONTEXT_MISSING", S("LOG_ERROR"));
	set(&vs, "AWS_XRAY_DAEMON_ADDRESS", arena_fmt(mem, "127.0.0.1:%d", trace_port));
	set(&vs, "_AWS_XRAY_DAEMON_ADDRESS", S("127.0.0.1"));
	set(&vs, "_AWS_XRAY_DAEMON_PORT", arena_fmt(mem, "%d", trace_port));
	if (s->endpoint.n)
		set(&vs, "AWS_ENDPOINT_URL", s->endpoint);
	ensure(vs.n <= VARIABLES_OURS + more);
	set_pairs(&vs, s->variables, s->n_variables);
	return vs.v;
}

static str variable(const char *const *env, const char *name)
{
	size_t n = strlen(name);
	for (; *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return str_c(*env + n + 1);
	return STR_NONE;
}

/* A program named without a slash is looked for inside, as a shell would. */
static const char **image_command(arena *mem, const function_spec *s, const char *const *env)
{
	const function_image *i = s->image;
	const char **argv = arena_array(mem, const char *, i->n_argv + 1);
	for (size_t n = 0; n < i->n_argv; n++)
		argv[n] = arena_str(mem, i->argv[n]).p;
	if (!strchr(argv[0], '/')) {
		str found = image_program(mem, s->code, i->argv[0], variable(env, "PATH"));
		argv[0] = str_is(found) ? found.p : argv[0];
	}
	return argv;
}

static const char **command(arena *mem, const function_spec *s, const char *const *env)
{
	const interpreter *it = s->interpreter;
	const char **argv = arena_array(mem, const char *, 9);
	size_t n = 0;
	str path, wrapper = variable(env, "AWS_LAMBDA_EXEC_WRAPPER");
	if (it->own) {
		argv[n++] = own_entry(mem, s, &path);
		return argv;
	}
	if (wrapper.n) /* a program of the user's that is to start the runtime */
		argv[n++] = wrapper.p;
	argv[n++] = it->path.p;
	if (it->python) {
		/* -S: packages' start-up hooks cost more than the rest of the start; -B: the code is read-only. */
		argv[n++] = "-S";
		argv[n++] = "-B";
		argv[n++] = it->script.p;
		argv[n++] = it->site.p;
	} else {
		argv[n++] = "--max-http-header-size=81920";
		argv[n++] = arena_fmt(mem, "--max-old-space-size=%lld", (long long)(s->memory_mb * 9 / 10)).p;
		argv[n++] = it->script.p;
	}
	return argv;
}

static void add_binds(arena *mem, const function_spec *s, sandbox_spec *spec)
{
	const interpreter *it = s->interpreter;
	if (s->image) {
		spec->root = arena_str(mem, s->code).p;
		spec->directory = s->image->directory.n ? arena_str(mem, s->image->directory).p : "/";
		return;
	}
	spec->binds[spec->n_binds++] = (sandbox_bind){ arena_str(mem, s->code).p, "/var/task" };
	if (!it->own) {
		spec->binds[spec->n_binds++] = (sandbox_bind){ it->runtime.p, "/var/runtime" };
		if (it->prefix.n)
			spec->binds[spec->n_binds++] = (sandbox_bind){ it->prefix.p, it->prefix.p };
	}
	for (int i = 0; i < s->n_layers; i++)
		spec->layers[i] = arena_str(mem, s->layers[i]).p;
	spec->n_layers = s->n_layers;
}

err function_sandbox(arena *mem, const function_spec *s, int output, sandbox **out)
{
	sandbox_spec spec = {
		.directory = "/var/task", .memory_bytes = s->memory_mb << 20, .tmp_bytes = s->tmp_mb << 20,
		.pids = PIDS_MAX, .files = FILES_MAX, .output = output, .listen_port = RUNTIME_PORT,
		.reach = s->reach, .judge = s->judge, .about = s->about, .datagram_port = TRACE_PORT,
	};
	add_binds(mem, s, &spec);
	for (int i = 0; i < s->n_extensions && spec.n_extra < SANDBOX_EXTRA_MAX; i++)
		spec.extra[spec.n_extra++] = arena_str(mem, s->extensions[i]).p;
	int port = RUNTIME_PORT, trace_port = TRACE_PORT;
	if (!sandbox_probe().private_network) {
		if ((spec.listener = sandbox_shared_socket(false, &port)) < 0)
			return fault_new(mem, &fault_system, "function: no listener for the Runtime API");
		if ((spec.datagrams = sandbox_shared_socket(true, &trace_port)) < 0)
			spec.datagram_port = 0;
	}
	spec.env = environment(mem, s, port, trace_port);
	spec.argv = s->image ? image_command(mem, s, spec.env) : command(mem, s, spec.env);
	return sandbox_open(mem, &spec, out);
}
