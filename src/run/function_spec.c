#include "run/function_parts.h"
#include "sys/file.h"
#include <stdio.h>
#include <unistd.h>

#define RUNTIME_PORT 9001
#define FILES_MAX 1024
#define PIDS_MAX 1024
#define VARIABLES_OURS 40

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

str function_no_entry(arena *mem, const function_spec *s)
{
	str path;
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

static void set(variables *vs, const char *name, str value)
{
	if (str_is(value))
		vs->v[vs->n++] = arena_fmt(vs->mem, "%s=%.*s", name, STR_ARG(value)).p;
}

/* Only what AWS sets: nothing of the server's own environment gets in. */
static const char **environment(arena *mem, const function_spec *s, int port)
{
	variables vs = { mem, arena_array(mem, const char *, VARIABLES_OURS + s->n_variables + 1), 0 };
	bool node = str_starts(s->runtime, S("nodejs"));
	set(&vs, "_HANDLER", s->handler);
	set(&vs, "AWS_REGION", s->region);
	set(&vs, "AWS_DEFAULT_REGION", s->region);
	if (!s->interpreter->own)
		set(&vs, "AWS_EXECUTION_ENV", arena_concat(mem, S("AWS_Lambda_"), s->runtime));
	set(&vs, "AWS_LAMBDA_FUNCTION_NAME", s->name);
	set(&vs, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", arena_fmt(mem, "%lld", (long long)s->memory_mb));
	set(&vs, "AWS_LAMBDA_FUNCTION_VERSION", s->version);
	set(&vs, "AWS_LAMBDA_INITIALIZATION_TYPE", S("on-demand"));
	set(&vs, "AWS_LAMBDA_LOG_GROUP_NAME", s->log_group);
	set(&vs, "AWS_LAMBDA_LOG_STREAM_NAME", s->log_stream);
	set(&vs, "AWS_ACCESS_KEY_ID", s->access_key);
	set(&vs, "AWS_SECRET_ACCESS_KEY", s->secret_key);
	set(&vs, "AWS_SESSION_TOKEN", s->session_token);
	set(&vs, "AWS_LAMBDA_RUNTIME_API", arena_fmt(mem, "127.0.0.1:%d", port));
	set(&vs, "LAMBDA_TASK_ROOT", S("/var/task"));
	set(&vs, "LAMBDA_RUNTIME_DIR", S("/var/runtime"));
	set(&vs, "TZ", S(":UTC"));
	set(&vs, "LANG", S("en_US.UTF-8"));
	set(&vs, "PATH", S("/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"));
	set(&vs, "LD_LIBRARY_PATH", S("/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:"
	                              "/var/task/lib:/opt/lib"));
	set(&vs, "AWS_XRAY_CONTEXT_MISSING", S("LOG_ERROR"));
	set(&vs, "AWS_XRAY_DAEMON_ADDRESS", S("127.0.0.1:2000"));
	if (s->interpreter->python)
		set(&vs, "PYTHONPATH", S("/var/runtime"));
	if (node) {
		str rest = str_sub(s->runtime, 6, s->runtime.n), major = str_cut(&rest, '.');
		set(&vs, "NODE_PATH", arena_fmt(mem, "/opt/nodejs/node%.*s/node_modules:/opt/nodejs/node_modules:"
		    "/var/runtime/node_modules:/var/runtime:/var/task", STR_ARG(major)));
	}
	if (s->endpoint.n)
		set(&vs, "AWS_ENDPOINT_URL", s->endpoint);
	ensure(vs.n <= VARIABLES_OURS);
	for (size_t i = 0; i < s->n_variables; i++)
		set(&vs, arena_str(mem, s->variables[i].name).p, s->variables[i].value);
	return vs.v;
}

static const char **command(arena *mem, const function_spec *s)
{
	const interpreter *it = s->interpreter;
	const char **argv = arena_array(mem, const char *, 8);
	size_t n = 0;
	str path;
	if (it->own) {
		argv[n++] = own_entry(mem, s, &path);
		return argv;
	}
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

err function_sandbox(arena *mem, const function_spec *s, int output, sandbox **out)
{
	const interpreter *it = s->interpreter;
	sandbox_spec spec = {
		.directory = "/var/task", .memory_bytes = s->memory_mb << 20, .tmp_bytes = s->tmp_mb << 20,
		.pids = PIDS_MAX, .files = FILES_MAX, .output = output, .listen_port = RUNTIME_PORT,
		.reach = s->reach, .n_layers = s->n_layers,
	};
	spec.binds[spec.n_binds++] = (sandbox_bind){ arena_str(mem, s->code).p, "/var/task" };
	if (!it->own) {
		spec.binds[spec.n_binds++] = (sandbox_bind){ it->runtime.p, "/var/runtime" };
		if (it->prefix.n)
			spec.binds[spec.n_binds++] = (sandbox_bind){ it->prefix.p, it->prefix.p };
	}
	for (int i = 0; i < s->n_layers; i++)
		spec.layers[i] = arena_str(mem, s->layers[i]).p;
	spec.argv = command(mem, s);
	int port = RUNTIME_PORT;
	if (!sandbox_probe().private_network && (spec.listener = sandbox_shared_listener(&port)) < 0)
		return fault_new(mem, &fault_system, "function: no listener for the Runtime API");
	spec.env = environment(mem, s, port);
	return sandbox_open(mem, &spec, out);
}
