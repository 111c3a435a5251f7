#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "sys/file.h"
#include "wire/http_client.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define FILE_MAX 4096
#define ANSWER_MAX ((size_t)64 << 20)
#define ANSWER_MS 600000 /* the clock may be turned a long way */

static str file_of(arena *mem, str data)
{
	return path_join(mem, data, S("server.json"));
}

err running_write(arena *mem, str data, const running *r)
{
	buf b = buf_in(mem, 256, FILE_MAX);
	buf_fmt(&b, "{\"pid\":%lld,\"port\":%d,\"address\":", (long long)r->pid, r->port);
	json_put_string(&b, r->address);
	buf_put(&b, S(",\"endpoint\":"));
	json_put_string(&b, r->endpoint);
	buf_put(&b, S(",\"token\":"));
	json_put_string(&b, r->token);
	buf_fmt(&b, ",\"version\":\"%s\",\"strict\":%s}\n", FARTHING_VERSION, r->strict ? "true" : "false");
	return file_write(mem, file_of(mem, data), buf_str(&b), 0600);
}

void running_remove(arena *mem, str data)
{
	unlink(arena_str(mem, file_of(mem, data)).p);
}

static str text_of(const json_value *v, str key)
{
	const json_value *member = json_get(v, key);
	return member ? member->text : S("");
}

/* A process that has ended but whose parent has not looked yet counts as gone. */
static bool is_alive(arena *mem, int64_t pid)
{
	str stat;
	if (kill((pid_t)pid, 0) && errno == ESRCH)
		return false;
	if (file_read(mem, arena_fmt(mem, "/proc/%lld/stat", (long long)pid), FILE_MAX, &stat))
		return true;
	size_t name_end = stat.n;
	while (name_end > 0 && stat.p[name_end - 1] != ')')
		name_end--;
	return !str_starts(str_sub(stat, name_end, stat.n), S(" Z"));
}

bool running_find(arena *mem, str data, running *out)
{
	str text;
	if (file_read(mem, file_of(mem, data), FILE_MAX, &text))
		return false;
	const json_value *v = json_parse(mem, text);
	int64_t port = 0;
	*out = (running){ .address = text_of(v, S("address")), .endpoint = text_of(v, S("endpoint")),
		          .token = text_of(v, S("token")), .version = text_of(v, S("version")) };
	if (!str_to_i64(text_of(v, S("pid")), &out->pid) || !str_to_i64(text_of(v, S("port")), &port))
		return false;
	out->port = (int)port;
	out->strict = json_get(v, S("strict")) && json_get(v, S("strict"))->kind == JSON_TRUE;
	if (!is_alive(mem, out->pid)) {
		running_remove(mem, data);
		return false;
	}
	return true;
}

static int exchange(arena *mem, const running *r, wire_message *m, str path, str *body)
{
	wire_message answer = { .mem = mem };
	wire_header_add(m, S("x-farthing-token"), r->token);
	http_client_options o = { .total_ms = ANSWER_MS, .body_max = ANSWER_MAX };
	str url = arena_fmt(mem, "http://127.0.0.1:%d%.*s", r->port, STR_ARG(path));
	if (http_call(mem, url, m, &o, &answer))
		return 0;
	*body = answer.body;
	return answer.status;
}

int running_ask(arena *mem, const running *r, str method, str path, str *body)
{
	wire_message m = { .mem = mem, .method = method };
	return exchange(mem, r, &m, path, body);
}

int running_send(arena *mem, const running *r, str path, str content, str *body)
{
	wire_message m = { .mem = mem, .method = S("POST"), .body = content };
	return exchange(mem, r, &m, path, body);
}
