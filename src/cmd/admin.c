#include "cmd/admin.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/charges_tags.h"
#include "cloud/handler.h"
#include "cloud/plane.h"
#include "cmd/cmd.h"
#include "sys/clock.h"
#include <unistd.h>

#define BODY_MAX ((size_t)1 << 20)

static struct {
	server *server;
	str token;
	int64_t started;
} admin;

void admin_start(server *s, str token)
{
	admin.server = s;
	admin.token = token;
	admin.started = clock_real();
}

static void answer(http_exchange *x, int status, str type, str body)
{
	wire_message reply = { .mem = x->mem, .status = status, .body = body };
	wire_header_add(&reply, S("content-type"), type);
	http_reply(x, &reply, NULL);
}

static void answer_fault(http_exchange *x, int status, const char *message)
{
	answer(x, status, S("text/plain; charset=utf-8"), arena_fmt(x->mem, "%s\n", message));
}

static str parameter(const http_exchange *x, str name) { return query_value(x->mem, x->in.query, name); }

static size_t operations_here(void)
{
	size_t n = 0;
	for (size_t i = 0; i < cloud_n_services; i++)
		for (size_t j = 0; j < cloud_services[i]->n_operations; j++)
			n += cloud_services[i]->operations[j].handler != NULL;
	return n;
}

static size_t services_here(void)
{
	size_t n = 0;
	for (size_t i = 0; i < cloud_n_services; i++) {
		const service *s = cloud_services[i];
		bool some = false;
		for (size_t j = 0; j < s->n_operations && !some; j++)
			some = s->operations[j].handler != NULL;
		n += some;
	}
	return n;
}

static void status_text(buf *b, arena *mem)
{
	store_stats st = store_stats_of(server_store(admin.server));
	buf_fmt(b, "Farthing %s, process %d, %.*s, %s mode\n", FARTHING_VERSION, (int)getpid(),
	        STR_ARG(server_endpoint()), server_strict(admin.server) ? "strict" : "open");
	buf_fmt(b, "  data       %.*s (%.1f MB)\n", STR_ARG(server_data(admin.server)),
	        (double)st.bytes_used / 1e6);
	buf_fmt(b, "  up for     %lld s\n", (long long)((clock_real() - admin.started) / 1000));
	str now = time_iso(mem, clock_now() / 1000 * 1000);
	int64_t speed = clock_course_now().speed;
	buf_fmt(b, "  clock      %.*s%s", STR_ARG(now), speed == 1 && clock_offset() ? " (turned)" : "");
	buf_fmt(b, speed > 1 ? " (%lld times as fast as real time)\n" : "\n", (long long)speed);
	buf_fmt(b, "  services   %zu, with %zu operations\n", services_here(), operations_here());
	buf_fmt(b, "  commits    %llu, of %llu writes\n", (unsigned long long)st.commits,
	        (unsigned long long)st.jobs);
}

static void status_json(buf *b, arena *mem)
{
	store_stats st = store_stats_of(server_store(admin.server));
	buf_fmt(b, "{\"version\":\"%s\",\"pid\":%d,\"endpoint\":", FARTHING_VERSION, (int)getpid());
	json_put_string(b, server_endpoint());
	buf_put(b, S(",\"data\":"));
	json_put_string(b, server_data(admin.server));
	buf_fmt(b, ",\"strict\":%s,\"clock\":", server_strict(admin.server) ? "true" : "false");
	json_put_string(b, time_iso_ms(mem, clock_now()));
	buf_fmt(b, ",\"clock_offset_ms\":%lld,\"clock_speed\":%lld", (long long)clock_offset(),
	        (long long)clock_course_now().speed);
	buf_fmt(b, ",\"services\":%zu,\"operations\":%zu,\"bytes_used\":%llu}\n", services_here(),
	        operations_here(), (unsigned long long)st.bytes_used);
}

static void serve_status(http_exchange *x)
{
	buf b = buf_in(x->mem, 1024, BODY_MAX);
	bool text = str_eq(parameter(x, S("form")), S("text"));
	if (text)
		status_text(&b, x->mem);
	else
		status_json(&b, x->mem);
	answer(x, 200, text ? S("text/plain; charset=utf-8") : S("application/json"), buf_str(&b));
}

static void answer_clock(http_exchange *x)
{
	int64_t speed = clock_course_now().speed;
	str now = time_iso(x->mem, clock_now() / 1000 * 1000);
	answer(x, 200, S("text/plain; charset=utf-8"),
	       speed == 1 ? arena_fmt(x->mem, "%.*s\n", STR_ARG(now))
	                  : arena_fmt(x->mem, "%.*s, %lld times as fast as real time\n", STR_ARG(now),
	                              (long long)speed));
}

/* GET: the time. POST ?advance=MS or ?to=MS: turns it; answers when all that was due has happened.
 * POST ?speed=N. */
static void serve_clock(http_exchange *x)
{
	int64_t to = 0, by, speed = 0, now = clock_now(), seen = now;
	str_to_i64(parameter(x, S("seen")), &seen);
	if (!str_eq(x->in.method, S("POST"))) {
		answer_clock(x);
	} else if (str_to_i64(parameter(x, S("speed")), &speed)) {
		bool fits = speed >= 1 && speed <= CLOCK_SPEED_MAX;
		err e = fits ? server_speed(admin.server, speed) : OK;
		if (!fits)
			answer_fault(x, 400, "speed is a whole number from 1 to 1000000");
		else if (e)
			answer(x, 500, S("text/plain; charset=utf-8"), e->message);
		else
			answer_clock(x);
	} else if (str_to_i64(parameter(x, S("advance")), &by)
	           ? __builtin_add_overflow(now, by, &to) : !str_to_i64(parameter(x, S("to")), &to)) {
		answer_fault(x, 400, "advance=MS, to=MS or speed=N is missing, or too large");
	} else if (to < now && to < seen) {
		answer_fault(x, 400, "the clock turns forward only");
	} else if (to >= CLOCK_END) {
		answer_fault(x, 400, "the clock does not turn beyond 2199");
	} else {
		/* What has been used until now keeps the tags that it has now. */
		charges_tags_look_all(server_store(admin.server));
		if (to > now)
			server_advance(admin.server, to);
		answer_clock(x);
	}
}

static bool match(const http_exchange *x)
{
	return str_eq(x->in.path, S("/_farthing/status")) || str_eq(x->in.path, S("/_farthing/clock"));
}

bool admin_allows(http_exchange *x)
{
	if (admin.server && secret_eq(wire_header(&x->in, S("x-farthing-token")), admin.token))
		return true;
	answer_fault(x, 403, "the x-farthing-token of the data folder's server.json is needed");
	return false;
}

static void serve(http_exchange *x, store *s)
{
	(void)s;
	if (str_eq(x->in.path, S("/_farthing/status")))
		serve_status(x);
	else if (admin_allows(x))
		serve_clock(x);
}

PLANE(admin, match, serve);
