#include "run/runtime_api.h"
#include "base/json.h"

#define LINE_MAX_BYTES 4096
#define TRAILERS_MAX_BYTES 65536 /* an error object, in base64 */

enum { BODY_DATA, CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END, TRAILERS, DONE };

static bool token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void route_extension(rapi_request *r, str path)
{
	static const struct { const char *method, *path; rapi_kind kind; } routes[] = {
		{ "POST", "/2020-01-01/extension/register", RAPI_REGISTER },
		{ "GET", "/2020-01-01/extension/event/next", RAPI_EXTENSION_NEXT },
		{ "POST", "/2020-01-01/extension/init/error", RAPI_EXTENSION_INIT_ERROR },
		{ "POST", "/2020-01-01/extension/exit/error", RAPI_EXTENSION_EXIT_ERROR },
		{ "PUT", "/2022-07-01/telemetry", RAPI_TELEMETRY }, { "PUT", "/2020-08-15/logs", RAPI_TELEMETRY },
	};
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (str_eq(r->method, str_c(routes[i].method)) && str_eq(path, str_c(routes[i].path)))
			r->kind = routes[i].kind;
}

/* /2018-06-01/runtime/invocation/{id}/response and its like. */
static void route(rapi_request *r)
{
	str rest = r->path;
	bool post = str_eq(r->method, S("POST"));
	r->kind = RAPI_OTHER;
	size_t query = str_find_char(rest, '?');
	rest = str_sub(rest, 0, query);
	if (!str_starts(rest, S("/2018-06-01/runtime/"))) {
		route_extension(r, rest);
		return;
	}
	rest = str_sub(rest, 20, rest.n);
	if (str_eq(rest, S("init/error")) && post) {
		r->kind = RAPI_INIT_ERROR;
	} else if (str_eq(rest, S("invocation/next"))) {
		r->kind = str_eq(r->method, S("GET")) ? RAPI_NEXT : RAPI_OTHER;
	} else if (str_starts(rest, S("invocation/")) && post) {
		rest = str_sub(rest, 11, rest.n);
		str id = str_cut(&rest, '/');
		if (id.n == 0 || id.n > 64)
			return;
		r->id = id;
		if (str_eq(rest, S("response")))
			r->kind = RAPI_RESPONSE;
		else if (str_eq(rest, S("error")))
			r->kind = RAPI_ERROR;
	}
}

static bool has_token(str list, str token)
{
	while (str_is(list))
		if (str_eq_nocase(str_trim(str_cut(&list, ',')), token))
			return true;
	return false;
}

/* 0, or the status of a refusal. */
static int header(rapi_request *r, str name, str value, bool *has_length)
{
	if (str_eq_nocase(name, S("content-length"))) {
		int64_t n;
		if (!value.n || value.p[0] < '0' || value.p[0] > '9' || !str_to_i64(value, &n) || n < 0 ||
		    (*has_length && (uint64_t)n != r->body.left))
			return 400;
		r->body.left = (uint64_t)n;
		*has_length = true;
	} else if (str_eq_nocase(name, S("transfer-encoding"))) {
		if (!str_eq_nocase(value, S("chunked")))
			return 400;
		r->body.chunked = true;
	} else if (str_eq_nocase(name, S("connection"))) {
		r->close = r->close || has_token(value, S("close"));
	} else if (str_eq_nocase(name, S("expect"))) {
		r->expects_continue = str_eq_nocase(value, S("100-continue"));
	} else if (str_eq_nocase(name, S("content-type"))) {
		r->content_type = value;
	} else if (str_eq_nocase(name, S("lambda-runtime-function-error-type")) ||
	           str_eq_nocase(name, S("lambda-extension-function-error-type"))) {
		r->error_type = value;
	} else if (str_eq_nocase(name, S("lambda-extension-name")) ||
	           str_eq_nocase(name, S("lambda-extension-identifier"))) {
		r->extension = value;
	} else if (str_eq_nocase(name, S("lambda-runtime-function-response-mode"))) {
		r->streaming = str_eq_nocase(value, S("streaming"));
	}
	return 0;
}

static int request_line(rapi_request *r, str line)
{
	r->method = str_cut(&line, ' ');
	r->path = str_is(line) ? str_cut(&line, ' ') : STR_NONE;
	if (!r->method.n || !r->path.n || r->path.p[0] != '/')
		return 400;
	for (size_t i = 0; i < r->method.n; i++)
		if (!token_char(r->method.p[i]))
			return 400;
	if (str_eq(line, S("HTTP/1.0")))
		r->close = true;
	else if (!str_eq(line, S("HTTP/1.1")))
		return 400;
	return 0;
}

static int header_line(rapi_request *r, str line, bool *has_length)
{
	size_t colon = str_find_char(line, ':');
	if (colon == 0 || colon == SIZE_MAX)
		return 400;
	for (size_t i = 0; i < colon; i++)
		if (!token_char(line.p[i]))
			return 400;
	return header(r, str_sub(line, 0, colon), str_trim(str_sub(line, colon + 1, line.n)), has_length);
}

int rapi_head(str bytes, rapi_request *out)
{
	rapi_request r = { .id = STR_NONE, .error_type = STR_NONE, .content_type = STR_NONE,
		.extension = STR_NONE };
	size_t end = str_find(str_sub(bytes, 0, RAPI_HEAD_MAX), S("\r\n\r\n"));
	if (end == SIZE_MAX)
		return bytes.n >= RAPI_HEAD_MAX ? -431 : 0;
	bool first = true, has_length = false;
	for (size_t at = 0; at < end;) {
		size_t n = str_find(str_sub(bytes, at, end + 2), S("\r\n"));
		str line = str_sub(bytes, at, at + n);
		int refused = first ? request_line(&r, line) : header_line(&r, line, &has_length);
		if (refused)
			return -refused;
		first = false;
		at += n + 2;
	}
	if (first || (has_length && r.body.chunked))
		return -400;
	r.body.state = r.body.chunked ? CHUNK_SIZE : r.body.left ? BODY_DATA : DONE;
	if (r.body.chunked)
		r.body.left = 0;
	route(&r);
	*out = r;
	return (int)end + 4;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of chunk framing. */
static int framing_byte(rapi_body *b, char c)
{
	if (++b->line > (b->state == TRAILERS ? TRAILERS_MAX_BYTES : LINE_MAX_BYTES))
		return -1;
	switch (b->state) {
	case CHUNK_SIZE:
		if (hex_digit(c) >= 0) {
			if (b->left >> 40)
				return -1;
			b->left = b->left << 4 | (uint64_t)hex_digit(c);
			return 0;
		}
		if (b->line == 1 || (c != ';' && c != ' ' && c != '\r'))
			return -1;
		b->state = CHUNK_EXTENSION;
		return 0;
	case CHUNK_EXTENSION:
		if (c == '\n') {
			b->state = b->left ? CHUNK_DATA : TRAILERS;
			b->line = 0;
		}
		return 0;
	case CHUNK_END:
		if (c == '\n') {
			b->state = CHUNK_SIZE;
			b->left = 0;
			b->line = 0;
			return 0;
		}
		return c == '\r' ? 0 : -1;
	default: /* TRAILERS: lines up to an empty one; `left` counts the current line's bytes */
		if (b->trailers)
			buf_c(b->trailers, c);
		if (c == '\n') {
			if (b->left == 0)
				b->state = DONE;
			b->left = 0;
		} else if (c != '\r') {
			b->left++;
		}
		return 0;
	}
}

int rapi_body_take(rapi_body *b, str bytes, size_t *used, str *piece)
{
	*piece = S("");
	*used = 0;
	while (b->state != DONE && *used < bytes.n) {
		if (b->state == BODY_DATA || b->state == CHUNK_DATA) {
			size_t n = bytes.n - *used < b->left ? bytes.n - *used : (size_t)b->left;
			*piece = str_sub(bytes, *used, *used + n);
			*used += n;
			b->left -= n;
			b->line = 0;
			if (b->left == 0)
				b->state = b->chunked ? CHUNK_END : DONE;
			break;
		}
		if (framing_byte(b, bytes.p[(*used)++]))
			return -1;
	}
	return b->state == DONE;
}

str rapi_trailer(str lines, str name)
{
	while (str_is(lines)) {
		str line = str_cut(&lines, '\n'), key = str_cut(&line, ':');
		if (str_is(line) && str_eq_nocase(key, name))
			return str_trim(line);
	}
	return STR_NONE;
}

void rapi_body_skip(rapi_body *b, size_t n)
{
	b->left -= n;
	if (b->left == 0)
		b->state = DONE;
}

static void put_header(buf *b, const char *name, str value)
{
	if (!str_is(value))
		return;
	buf_fmt(b, "%s: ", name);
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] >= ' ')
			buf_c(b, value.p[i]);
	buf_put(b, S("\r\n"));
}

void rapi_put_event(buf *b, const rapi_event *e)
{
	buf_put(b, S("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
	put_header(b, "Lambda-Runtime-Aws-Request-Id", e->request_id);
	buf_fmt(b, "Lambda-Runtime-Deadline-Ms: %lld\r\n", (long long)e->deadline_ms);
	put_header(b, "Lambda-Runtime-Invoked-Function-Arn", e->arn);
	put_header(b, "Lambda-Runtime-Trace-Id", e->trace_id);
	put_header(b, "Lambda-Runtime-Client-Context", e->client_context);
	put_header(b, "Lambda-Runtime-Cognito-Identity", e->cognito_identity);
	buf_fmt(b, "Content-Length: %zu\r\n\r\n", e->payload.n);
}

void rapi_put_json(buf *b, const char *header, str value, str body)
{
	buf_put(b, S("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
	put_header(b, header, value);
	buf_fmt(b, "Content-Length: %zu\r\n\r\n", body.n);
	buf_put(b, body);
}

void rapi_put_accepted(buf *b)
{
	buf_put(b, S("HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
	             "{\"status\":\"OK\"}\n"));
}

void rapi_put_refusal(buf *b, int status, str error_type, str message)
{
	const char *reason = status == 400 ? "Bad Request" : status == 403 ? "Forbidden"
		: status == 404 ? "Not Found" : status == 413 ? "Request Entity Too Large"
		: "Request Header Fields Too Large";
	buf body = buf_in(b->mem, 256, 4096);
	buf_put(&body, S("{\"errorMessage\":"));
	json_put_string(&body, message);
	buf_put(&body, S(",\"errorType\":"));
	json_put_string(&body, error_type);
	buf_put(&body, S("}\n"));
	buf_fmt(b, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	        status, reason,
	        body.n);
	buf_put(b, buf_str(&body));
}
