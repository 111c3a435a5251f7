/*
 * What X-Ray's SDKs send: datagrams to the address in AWS_XRAY_DAEMON_ADDRESS, each a line that says
 * {"format":"json","version":1} and then one segment or subsegment. Loopback delivers them before sendto()
 * returns, so that whatever a handler sent is here when its answer is.
 */
#include "run/function_parts.h"
#include "base/json.h"
#include <sys/socket.h>

#define DATAGRAM_BYTES ((size_t)64 << 10)
#define HEADER_BYTES 256
#define AT_ONCE 256 /* a function that only sends must not keep us from all else */

static bool is_header(arena *mem, str line)
{
	const json_value *v = json_parse(mem, line), *format = json_get(v, S("format"));
	const json_value *version = json_get(v, S("version"));
	return format && str_eq(format->text, S("json")) && version && str_eq(version->text, S("1"));
}

void function_trace_drain(function_env *env)
{
	int fd = sandbox_datagrams(env->sb);
	arena *mem = NULL;
	char *bytes = NULL;
	for (int i = 0; fd >= 0 && i < AT_ONCE; i++) {
		char first;
		if (recv(fd, &first, 1, MSG_DONTWAIT | MSG_PEEK) < 0)
			break;
		if (!mem) { /* most functions never send any */
			mem = arena_open(DATAGRAM_BYTES * 2);
			bytes = arena_bytes(mem, DATAGRAM_BYTES);
		}
		ssize_t n = recv(fd, bytes, DATAGRAM_BYTES, MSG_DONTWAIT);
		str rest = str_of(bytes, n > 0 ? (size_t)n : 0), line = str_cut(&rest, '\n');
		if (env->segment && str_is(rest) && rest.n && line.n <= HEADER_BYTES && is_header(mem, line))
			env->segment(env->log.context, rest);
	}
	if (mem)
		arena_close(mem);
}
