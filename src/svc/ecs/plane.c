/*
 * What containers ask 169.254.170.2 for: facts about themselves (/v4/KEY-NAME) and their task role's
 * credentials
 * (/v2/credentials/KEY). Connections to that address end here (run/sandbox.h). Keys are not to be guessed,
 * and end
 * with their tasks.
 */
#include "base/time.h"
#include "cloud/credential.h"
#include "cloud/plane.h"
#include "ecs.h"
#include "sys/clock.h"

#define HOST S("169.254.170.2")
#define SESSION_MS (6 * MS_HOUR)
#define KEY_LENGTH 32
#define REPLY_MAX ((size_t)1 << 20)

static bool match(const http_exchange *x)
{
	str host = x->host;
	return str_eq(str_cut(&host, ':'), HOST);
}

static ecs_task *task_of(const txn *tx, arena *mem, str key)
{
	ecs_key *k = key.n == KEY_LENGTH ? ecs_key_get(tx, mem, key) : NULL;
	return k ? ecs_task_get(tx, mem, k->Account, k->Region, k->Cluster, k->Id) : NULL;
}

static void member(buf *b, const char *name, str value)
{
	if (!str_is(value))
		return;
	buf_fmt(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", name);
	json_put_string(b, value);
}

static void moment(arena *mem, buf *b, const char *name, opt_time t)
{
	if (t.set)
		member(b, name, time_iso_ms(mem, t.v));
}

static const ecs_ContainerDefinition *definition_of(const txn *tx, arena *mem, const ecs_task *t, str name)
{
	ecs_definition *d = ecs_definition_get(tx, mem, t->Account, t->Region, t->Family, t->Revision);
	return d ? ecs_container_named(d->It, name) : NULL;
}

static void put_container(arena *mem, buf *b, const txn *tx, const ecs_task *t, const ecs_Container *c)
{
	const ecs_ContainerDefinition *d = definition_of(tx, mem, t, c->name);
	buf_c(b, '{');
	member(b, "DockerId", str_is(c->runtimeId) ? c->runtimeId : S(""));
	member(b, "Name", c->name);
	member(b, "DockerName", c->name);
	member(b, "Image", c->image);
	member(b, "ImageID", str_is(c->imageDigest) ? c->imageDigest : S(""));
	buf_put(b, S(",\"Labels\":{"));
	member(b, "com.amazonaws.ecs.cluster", t->It->clusterArn);
	member(b, "com.amazonaws.ecs.container-name", c->name);
	member(b, "com.amazonaws.ecs.task-arn", t->It->taskArn);
	member(b, "com.amazonaws.ecs.task-definition-family", t->Family);
	member(b, "com.amazonaws.ecs.task-definition-version", arena_fmt(mem, "%lld", (long long)t->Revision));
	buf_c(b, '}');
	member(b, "DesiredStatus", t->It->desiredStatus);
	member(b, "KnownStatus", c->lastStatus);
	buf_fmt(b, ",\"Limits\":{\"CPU\":%lld}", d ? (long long)d->cpu.v : 0LL);
	moment(mem, b, "CreatedAt", t->It->pullStoppedAt);
	moment(mem, b, "StartedAt", t->It->startedAt);
	member(b, "Type", S("NORMAL"));
	member(b, "ContainerARN", c->containerArn);
	buf_put(b, S(",\"Networks\":[{\"NetworkMode\":\"awsvpc\",\"IPv4Addresses\":["));
	json_put_string(b, t->Address);
	buf_fmt(b, "],\"AttachmentIndex\":0}],\"Snapshotter\":\"overlayfs\"}");
}

static void put_task(arena *mem, buf *b, const txn *tx, const ecs_task *t)
{
	int64_t cpu = 0, memory = 0;
	str_to_i64(t->It->cpu, &cpu);
	str_to_i64(t->It->memory, &memory);
	buf_c(b, '{');
	member(b, "Cluster", t->It->clusterArn);
	member(b, "TaskARN", t->It->taskArn);
	member(b, "Family", t->Family);
	member(b, "Revision", arena_fmt(mem, "%lld", (long long)t->Revision));
	member(b, "DesiredStatus", t->It->desiredStatus);
	member(b, "KnownStatus", t->It->lastStatus);
	buf_fmt(b, ",\"Limits\":{\"CPU\":%lld.%02lld,\"Memory\":%lld}", (long long)(cpu / 1024),
	        (long long)(cpu % 1024 * 100 / 1024), (long long)memory);
	moment(mem, b, "PullStartedAt", t->It->pullStartedAt);
	moment(mem, b, "PullStoppedAt", t->It->pullStoppedAt);
	member(b, "AvailabilityZone", t->It->availabilityZone);
	member(b, "LaunchType", S("FARGATE"));
	if (given(t->Service))
		member(b, "ServiceName", t->Service);
	buf_put(b, S(",\"Containers\":["));
	for (size_t i = 0; i < t->It->containers.n; i++) {
		if (i)
			buf_c(b, ',');
		put_container(mem, b, tx, t, &t->It->containers.v[i]);
	}
	buf_put(b, S("]}"));
}

static bool metadata(arena *mem, const txn *tx, str path, buf *b)
{
	str rest = path, name = str_cut(&rest, '/'), key = str_sub(name, 0, KEY_LENGTH);
	ecs_task *t = task_of(tx, mem, key);
	name = str_sub(name, KEY_LENGTH + 1, name.n);
	if (t && str_eq(rest, S("task"))) {
		put_task(mem, b, tx, t);
		return true;
	}
	for (size_t i = 0; t && !str_is(rest) && i < t->It->containers.n; i++)
		if (str_eq(t->It->containers.v[i].name, name)) {
			put_container(mem, b, tx, t, &t->It->containers.v[i]);
			return true;
		}
	return false;
}

static bool keep(void *context, txn *tx)
{
	credential_put_session(tx, context);
	return true;
}

static bool credentials(arena *mem, store *s, const ecs_task *t, str role, buf *b)
{
	int64_t now = clock_now();
	credential c = { .AccessKey = access_key_new(mem, "ASIA", t->Account), .Secret = secret_key_new(mem),
		.Token = session_token_new(mem), .Account = t->Account, .Role = role, .Created = now,
		.Expires = now + SESSION_MS };
	str name = ecs_last(role);
	c.Arn = arena_fmt(mem, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR_ARG(t->Account), STR_ARG(name),
	                  STR_ARG(t->Id));
	c.UserId = arena_fmt(mem, "%.*s:%.*s", STR_ARG(unique_id_new(mem, "AROA")), STR_ARG(t->Id));
	if (store_write(s, keep, &c))
		return false;
	buf_c(b, '{');
	member(b, "RoleArn", role);
	member(b, "AccessKeyId", c.AccessKey);
	member(b, "SecretAccessKey", c.Secret);
	member(b, "Token", c.Token);
	member(b, "Expiration", time_iso(mem, c.Expires));
	buf_c(b, '}');
	return true;
}

static str role_of(const txn *tx, arena *mem, const ecs_task *t)
{
	ecs_definition *d = ecs_definition_get(tx, mem, t->Account, t->Region, t->Family, t->Revision);
	const ecs_TaskOverride *o = t->It->overrides;
	return o && given(o->taskRoleArn) ? o->taskRoleArn : d ? d->It->taskRoleArn : STR_NONE;
}

static void serve(http_exchange *x, store *s)
{
	arena *mem = x->in.mem;
	str path = x->in.path, role = STR_NONE;
	bool good = false;
	ecs_task *t = NULL;
	buf b = buf_in(mem, 2048, REPLY_MAX);
	const txn *tx = store_read(s);
	if (str_starts(path, S("/v4/")))
		good = metadata(mem, tx, str_sub(path, 4, path.n), &b);
	else if (str_starts(path, S("/v2/credentials/")) && (t = task_of(tx, mem, str_sub(path, 16, path.n))))
		role = role_of(tx, mem, t);
	store_read_end(s, tx);
	if (given(role))
		good = credentials(mem, s, t, role, &b);
	wire_message out = { .mem = mem, .status = good ? 200 : 404, .body = good ? buf_str(&b)
		: S("{\"code\":\"NotFound\",\"message\":\"nothing is known by this name\",\"HTTPErrorCode\":404}") };
	wire_header_add(&out, S("Content-Type"), S("application/json"));
	http_reply(x, &out, NULL);
}

PLANE(ecs_metadata, match, serve);
