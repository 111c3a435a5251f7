#include "container.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/event_log.h"
#include "cloud/server.h"
#include "run/container.h"
#include "run/image.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIDS 1024
#define FILES 65535
#define US INT64_C(1000000)
#define READS_MAX 256 /* at once: who never stops talking must not keep us from stopping it */
#define CHECK_TMP ((int64_t)64 << 20)
#define METADATA "169.254.170.2"
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct variables {
	arena *mem;
	const char **v;
	size_t n, room;
} variables;

/* The last one counts. A name with a zero byte ends there, as any text that a program is given. */
static void set(variables *vs, str name, str value)
{
	size_t at = 0;
	name = str_cut(&name, 0);
	while (at < vs->n && (strncmp(vs->v[at], name.p, name.n) != 0 || vs->v[at][name.n] != '='))
		at++;
	if (at + 1 >= vs->room) {
		size_t room = vs->room ? vs->room * 2 : 64;
		const char **more = arena_array(vs->mem, const char *, room);
		if (vs->n)
			memcpy(more, vs->v, vs->n * sizeof *more);
		vs->v = more;
		vs->room = room;
	}
	vs->v[at] = arena_fmt(vs->mem, "%.*s=%.*s", STR_ARG(name), STR_ARG(value)).p;
	vs->n += at == vs->n;
}

static void set_all(variables *vs, const ecs_EnvironmentVariables *l)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (given(l->v[i].name))
			set(vs, l->v[i].name, l->v[i].value);
}

str box_key(arena *mem, const box *b)
{
	return arena_fmt(mem, "%.*s-%.*s", STR_ARG(b->task->Key), STR_ARG(b->d->name));
}

static const char *const *environment(arena *mem, const box *b, const ecs_TaskDefinition *d)
{
	variables vs = { .mem = mem };
	str metadata = arena_fmt(mem, "http://" METADATA "/v4/%.*s", STR_ARG(box_key(mem, b)));
	const ecs_TaskOverride *over = b->task->It->overrides;
	set(&vs, S("PATH"), S(PATH_DEFAULT));
	set(&vs, S("HOME"), S("/root"));
	set(&vs, S("HOSTNAME"), S("localhost"));
	for (size_t i = 0; i < b->image.environment.n; i++) {
		str value = b->image.environment.v[i], name = str_cut(&value, '=');
		set(&vs, name, str_is(value) ? value : S(""));
	}
	set(&vs, S("AWS_EXECUTION_ENV"), S("AWS_ECS_FARGATE"));
	set(&vs, S("AWS_REGION"), b->task->Region);
	set(&vs, S("AWS_DEFAULT_REGION"), b->task->Region);
	set(&vs, S("AWS_ENDPOINT_URL"), server_endpoint());
	set(&vs, S("ECS_CONTAINER_METADATA_URI"), metadata);
	set(&vs, S("ECS_CONTAINER_METADATA_URI_V4"), metadata);
	if (given(d->taskRoleArn) || (over && given(over->taskRoleArn)))
		set(&vs, S("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		    arena_fmt(mem, "/v2/credentials/%.*s", STR_ARG(b->task->Key)));
	set_all(&vs, &b->d->environment);
	set_all(&vs, &b->secrets);
	set_all(&vs, b->o ? &b->o->environment : NULL);
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

/* An entry point of the definition's own takes the image's command away, as Docker has it. */
static const char **arguments(arena *mem, const box *b)
{
	const ecs_StringList *entry = b->d->entryPoint.n ? &b->d->entryPoint : &b->image.entry;
	const ecs_StringList *command = b->o && b->o->command.n ? &b->o->command : b->d->command.n
		? &b->d->command
		: b->d->entryPoint.n ? NULL : &b->image.command;
	const char **argv = arena_array(mem, const char *, entry->n + (command ? command->n : 0) + 1);
	size_t n = 0;
	for (size_t i = 0; i < entry->n; i++)
		argv[n++] = arena_str(mem, entry->v[i]).p;
	for (size_t i = 0; command && i < command->n; i++)
		argv[n++] = arena_str(mem, command->v[i]).p;
	return argv;
}

static err no_secret(req *own, str what, str why)
{
	return fault_new(own->mem, &fault_syntax, "ResourceInitializationError: unable to pull secrets or "
		"registry auth: "
	                 "execution resource retrieval failed: unable to retrieve secret from %.*s: %.*s",
	                 STR_ARG(what), STR_ARG(why));
}

static str json_text(const json_value *v)
{
	return !v ? STR_NONE : v->text;
}

/* arn:..:secret:NAME[:JSON-KEY[:STAGE[:VERSION]]] */
static err from_manager(req *own, str from, str *value)
{
	str rest = from, arn, answer;
	for (int i = 0; i < 6; i++)
		str_cut(&rest, ':');
	str name = str_cut(&rest, ':');
	arn = str_sub(from, 0, (size_t)(name.p + name.n - from.p));
	str key = str_is(rest) ? str_cut(&rest, ':') : S(""), stage = str_is(rest) ? str_cut(&rest, ':') : S("");
	str version = str_is(rest) ? rest : S("");
	buf b = buf_in(own->mem, 512, 16384);
	buf_put(&b, S("{\"SecretId\":"));
	json_put_string(&b, arn);
	if (given(stage)) {
		buf_put(&b, S(",\"VersionStage\":"));
		json_put_string(&b, stage);
	}
	if (given(version)) {
		buf_put(&b, S(",\"VersionId\":"));
		json_put_string(&b, version);
	}
	buf_c(&b, '}');
	err e = call_json(own, NULL, "secretsmanager", "GetSecretValue", buf_str(&b), &answer);
	if (e)
		return no_secret(own, S("asm"), arena_fmt(own->mem, "%s: %.*s", e->kind->code, STR_ARG(e->message)));
	*value = json_text(json_get(json_parse(own->mem, answer), S("SecretString")));
	if (!given(key))
		return OK;
	const json_value *v = json_get(json_parse(own->mem, *value), key);
	*value = json_text(v);
	return v ? OK : no_secret(own, S("asm"), arena_fmt(own->mem, "retrieved secret from Secrets Manager "
		"did not "
	                                                   "contain json key %.*s", STR_ARG(key)));
}

static err from_parameters(req *own, str from, str *value)
{
	str rest = from, answer;
	size_t at = str_find(from, S(":parameter/"));
	if (str_starts(from, S("arn:")) && at != SIZE_MAX) {
		rest = str_sub(from, at + 10, from.n); /* with its slash, which only a path has */
		if (str_find_char(str_sub(rest, 1, rest.n), '/') == SIZE_MAX)
			rest = str_sub(rest, 1, rest.n);
	}
	buf b = buf_in(own->mem, 512, 16384);
	buf_put(&b, S("{\"WithDecryption\":true,\"Name\":"));
	json_put_string(&b, rest);
	buf_c(&b, '}');
	err e = call_json(own, NULL, "ssm", "GetParameter", buf_str(&b), &answer);
	if (e)
		return no_secret(own, S("ssm"), arena_fmt(own->mem, "%s: %.*s", e->kind->code, STR_ARG(e->message)));
	const json_value *p = json_get(json_parse(own->mem, answer), S("Parameter"));
	*value = json_text(json_get(p, S("Value")));
	return OK;
}

err box_secrets(req *own, box *b)
{
	for (size_t i = 0; i < b->d->secrets.n; i++) {
		str from = b->d->secrets.v[i].valueFrom, value = STR_NONE;
		if (str_starts(from, S("arn:aws:secretsmanager:")))
			TRY(from_manager(own, from, &value));
		else
			TRY(from_parameters(own, from, &value));
		ECS_ADD(b->mem, &b->secrets, (ecs_KeyValuePair){ b->d->secrets.v[i].name, arena_str(b->mem, value) });
	}
	return OK;
}

static str option(const box *b, const char *name)
{
	const ecs_LogConfiguration *l = b->d->logConfiguration;
	for (size_t i = 0; l && i < l->options.n; i++)
		if (str_eq(l->options.v[i].key, str_c(name)))
			return l->options.v[i].value;
	return STR_NONE;
}

static err logs_call(req *own, const char *what, const box *b, bool stream)
{
	str answer;
	buf t = buf_in(own->mem, 512, 8192);
	buf_put(&t, S("{\"logGroupName\":"));
	json_put_string(&t, b->group);
	if (stream) {
		buf_put(&t, S(",\"logStreamName\":"));
		json_put_string(&t, b->stream);
	}
	buf_c(&t, '}');
	return call_json(own, NULL, "logs", what, buf_str(&t), &answer);
}

err box_log_open(req *own, box *b)
{
	if (!b->d->logConfiguration)
		return OK;
	b->group = option(b, "awslogs-group");
	b->log_region = option(b, "awslogs-region");
	b->stream = arena_fmt(b->mem, "%.*s/%.*s/%.*s", STR_ARG(option(b, "awslogs-stream-prefix")),
	                      STR_ARG(b->d->name), STR_ARG(b->task->Id));
	req there = *own;
	there.region = b->log_region;
	err e = logs_call(&there, "CreateLogStream", b, true);
	if (e && str_eq(str_c(e->kind->code), S("ResourceNotFoundException")) &&
	    str_eq(option(b, "awslogs-create-group"), S("true"))) {
		logs_call(&there, "CreateLogGroup", b, false);
		e = logs_call(&there, "CreateLogStream", b, true);
	}
	if (!e || str_eq(str_c(e->kind->code), S("ResourceAlreadyExistsException")))
		return OK;
	return fault_new(own->mem, &fault_syntax, "ResourceInitializationError: failed to validate logger "
		"args: create "
	                 "stream has been retried 1 times: failed to create Cloudwatch log stream: %s: %.*s : "
	                 "exit "
	                 "status 1", e->kind->code, STR_ARG(e->message));
}

static void say(box *b, str line)
{
	if (given(b->group) && line.n)
		log_later(b->task->Account, b->log_region, b->group, b->stream, clock_now(), line);
}

static void cut_lines(box *b)
{
	size_t from = 0;
	for (size_t i = 0; i < b->line_n; i++)
		if (b->line[i] == '\n') {
			size_t end = i > from && b->line[i - 1] == '\r' ? i - 1 : i;
			say(b, str_of(b->line + from, end - from));
			from = i + 1;
		}
	b->line_n -= from;
	memmove(b->line, b->line + from, b->line_n);
	if (b->line_n == sizeof b->line) {
		say(b, str_of(b->line, b->line_n));
		b->line_n = 0;
	}
}

void box_read(box *b)
{
	for (int i = 0; b->output >= 0 && i < READS_MAX; i++) {
		ssize_t n = read(b->output, b->line + b->line_n, sizeof b->line - b->line_n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		b->line_n += (size_t)n;
		cut_lines(b);
	}
}

static bool read_only(const box *b) { return b->d->readonlyRootFilesystem.v; }

static err mounts(arena *mem, const box *b, sandbox_spec *spec)
{
	for (size_t i = 0; i < b->d->mountPoints.n; i++) {
		const ecs_MountPoint *m = &b->d->mountPoints.v[i];
		str folder = path_join(mem, path_join(mem, ecs_task_folder(mem, b->task->Id), S("volumes")),
			m->sourceVolume);
		sandbox_bind at = { arena_str(mem, folder).p, arena_str(mem, m->containerPath).p };
		TRY(container_volume(mem, folder, b->user));
		TRY(container_mount_point(mem, b->root, m->containerPath, b->user));
		if (m->readOnly.v && spec->n_binds < SANDBOX_BINDS_MAX)
			spec->binds[spec->n_binds++] = at;
		else if (!m->readOnly.v && spec->n_volumes < SANDBOX_VOLUMES_MAX)
			spec->volumes[spec->n_volumes++] = at;
		else
			return fault_new(mem, &fault_syntax, "a container can have at most %d volumes",
				SANDBOX_VOLUMES_MAX);
	}
	return OK;
}

static int64_t files_of(const box *b)
{
	for (size_t i = 0; i < b->d->ulimits.n; i++)
		if (str_eq(b->d->ulimits.v[i].name, S("nofile")))
			return b->d->ulimits.v[i].softLimit.v;
	return FILES;
}

static int64_t memory_of(const box *b)
{
	int64_t mib = 0;
	str_to_i64(b->task->It->memory, &mib);
	if (b->d->memory.set && b->d->memory.v < mib)
		mib = b->d->memory.v;
	return mib << 20;
}

static err open_sandbox(arena *mem, const box *b, const ecs_TaskDefinition *d, const char **argv, int output,
                        sandbox **out)
{
	str rest = server_endpoint();
	size_t colon = rest.n;
	while (colon && rest.p[colon - 1] != ':')
		colon--;
	int64_t port = 0;
	str_to_i64(str_sub(rest, colon, rest.n), &port);
	str directory = given(b->d->workingDirectory) ? b->d->workingDirectory : b->image.directory;
	sandbox_spec spec = { .argv = argv, .env = environment(mem, b, d), .root = arena_str(mem, b->root).p,
		.directory = given(directory) ? arena_str(mem, directory).p : "/", .memory_bytes = memory_of(b),
		.tmp_bytes = read_only(b) ? CHECK_TMP : 0, .pids = PIDS, .files = (int)files_of(b), .output = output,
		.reach = REACH_LOOPBACK, .writable = !read_only(b), .user = b->user,
		.address = arena_str(mem, b->task->Address).p, .own_address = arena_str(mem, b->task->OwnAddress).p,
		.forward = { METADATA, 80, "127.0.0.1", (int)port } };
	if (!strchr(argv[0], '/')) {
		str found = image_program(mem, b->root, str_c(argv[0]), variable(spec.env, "PATH"));
		argv[0] = str_is(found) ? found.p : argv[0];
	}
	TRY(mounts(mem, b, &spec));
	return sandbox_open(mem, &spec, out);
}

static bool foreign(const box *b)
{
	return !str_eq(b->image.architecture, S("amd64"));
}

static err cannot_start(arena *mem, const char *program, const char *why)
{
	return fault_new(mem, &fault_syntax, "CannotStartContainerError: failed to create new container "
		"runtime task: "
	                 "unable to start container process: exec: \"%s\": %s", program, why);
}

err box_start(arena *mem, box *b, const ecs_TaskDefinition *d)
{
	int ends[2];
	const char **argv = arguments(mem, b), *what;
	if (!argv[0])
		return cannot_start(mem, "", "no command specified");
	if (!sandbox_probe().private_network)
		return cannot_start(mem, argv[0], "this machine's kernel gives containers no network of their own");
	if (foreign(b))
		return cannot_start(mem, argv[0], "exec format error");
	if (pipe2(ends, O_CLOEXEC))
		return fault_new(mem, &fault_system, "no pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	err e = open_sandbox(mem, b, d, argv, ends[1], &b->sb);
	close(ends[1]);
	b->output = ends[0];
	if (e) {
		/* The step that failed and why, of the sandbox's sentence. */
		close(ends[0]);
		b->output = -1;
		b->sb = NULL;
		return cannot_start(mem, argv[0], arena_str(mem, e->message).p);
	}
	int64_t units = 0;
	str_to_i64(b->task->It->cpu, &units);
	sandbox_set_cpu(b->sb, units * 1000 / 1024);
	b->state = BOX_RUNS;
	b->began_us = clock_mono_us();
	b->ready = !b->d->healthCheck || !b->d->healthCheck->command.n ||
		str_eq(b->d->healthCheck->command.v[0], S("NONE"));
	b->health = S("UNKNOWN");
	if (sandbox_start_error(b->sb, &what))
		return cannot_start(mem, what, strerror(sandbox_start_error(b->sb, &what)));
	return OK;
}

void box_look(box *b)
{
	int status = 0;
	const char *what;
	if (b->state != BOX_RUNS)
		return;
	if (!b->killed_for_memory && !sandbox_memory_ok(b->sb)) {
		b->killed_for_memory = true;
		sandbox_signal(b->sb, SIGKILL);
	}
	if (!sandbox_ended(b->sb, &status))
		return;
	box_read(b);
	b->state = BOX_ENDED;
	b->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !b->killed_for_memory)
		b->killed_for_memory = !sandbox_memory_ok(b->sb);
	if (b->killed_for_memory)
		b->reason = S("OutOfMemoryError: Container killed due to memory usage");
	int number = sandbox_start_error(b->sb, &what);
	if (number)
		b->reason = cannot_start(b->mem, what, strerror(number))->message;
}

static void check_end(box *b, bool good)
{
	const ecs_HealthCheck *h = b->d->healthCheck;
	int64_t now = clock_mono_us();
	bool grace = now - b->began_us < h->startPeriod.v * US;
	sandbox_close(b->check.sb);
	close(b->check.output);
	b->check.sb = NULL;
	b->check.next_us = now + h->interval.v * US;
	b->check.failures = good ? 0 : b->check.failures + !grace;
	if (good)
		b->health = S("HEALTHY");
	else if (b->check.failures >= h->retries.v)
		b->health = S("UNHEALTHY");
	b->ready = str_eq(b->health, S("HEALTHY"));
}

/* In a sandbox beside the container's, with its root and its network. */
static void check_begin(arena *mem, box *b)
{
	const ecs_StringList *c = &b->d->healthCheck->command;
	const char **argv = arena_array(mem, const char *, c->n + 4);
	size_t n = 0;
	if (str_eq(c->v[0], S("CMD-SHELL"))) {
		argv[n++] = "/bin/sh";
		argv[n++] = "-c";
	}
	for (size_t i = 1; i < c->n; i++)
		argv[n++] = arena_str(mem, c->v[i]).p;
	b->check.output = open("/dev/null", O_WRONLY | O_CLOEXEC);
	b->check.began_us = clock_mono_us();
	ecs_TaskDefinition none = { 0 };
	if (!argv[0] || open_sandbox(mem, b, &none, argv, b->check.output, &b->check.sb)) {
		b->check.sb = NULL;
		check_end(b, false);
	}
}

bool box_check_health(arena *mem, box *b, int64_t now)
{
	const ecs_HealthCheck *h = b->d->healthCheck;
	str before = b->health;
	int status = 0;
	if (b->state != BOX_RUNS || !h || !h->command.n || str_eq(h->command.v[0], S("NONE")))
		return false;
	if (!b->check.next_us)
		b->check.next_us = b->began_us + h->interval.v * US;
	if (b->check.sb && sandbox_ended(b->check.sb, &status))
		check_end(b, WIFEXITED(status) && WEXITSTATUS(status) == 0);
	else if (b->check.sb && now - b->check.began_us > h->timeout.v * US)
		check_end(b, false);
	else if (!b->check.sb && now >= b->check.next_us)
		check_begin(mem, b);
	return !str_eq(before, b->health);
}

void box_close(box *b)
{
	if (b->check.sb) {
		sandbox_close(b->check.sb);
		close(b->check.output);
	}
	b->check.sb = NULL;
	if (b->sb)
		sandbox_close(b->sb);
	b->sb = NULL;
	box_read(b);
	if (b->line_n)
		say(b, str_of(b->line, b->line_n));
	b->line_n = 0;
	if (b->output >= 0)
		close(b->output);
	b->output = -1;
}
