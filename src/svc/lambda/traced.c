#include "traced.h"
#include "base/json.h"
#include "cloud/trace.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define SLOTS 1024
#define ONE_IN 20

static bool active(const target *t)
{
	const lambda_FunctionConfiguration *c = t->version->Config;
	return c->TracingConfig && str_eq(c->TracingConfig->Mode, S("Active"));
}

/* Functions that share a slot share its second. */
static bool sampled(const target *t)
{
	static _Atomic int64_t seconds[SLOTS];
	_Atomic int64_t *last = &seconds[str_hash(t->version->Config->FunctionArn) % SLOTS];
	int64_t second = clock_now() / 1000;
	if (*last != second) {
		*last = second;
		return true;
	}
	return rand_below(ONE_IN) == 0;
}

str traced_begin(arena *mem, const target *t, const invocation *i, environment *e)
{
	str root = trace_header_part(i->trace_id, S("Root"));
	bool asked = str_eq(trace_header_part(i->trace_id, S("Sampled")), S("1"));
	e->traced = root.n && active(t) && (asked || sampled(t));
	if (!e->traced)
		return i->trace_id;
	str id = trace_segment_id_new(mem);
	memcpy(e->trace_segment, id.p, sizeof e->trace_segment);
	return arena_fmt(mem, "Root=%.*s;Parent=%.*s;Sampled=1%.*s", STR_ARG(root), STR_ARG(id),
	                 STR_ARG(lineage_of(mem, i->trace_id)));
}

static void open_segment(buf *b, str trace, str id, str name, const char *origin, int64_t from, int64_t to)
{
	buf_fmt(b, "{\"trace_id\":\"%.*s\",\"id\":\"%.*s\",\"name\":", STR_ARG(trace), STR_ARG(id));
	json_put_string(b, name);
	buf_fmt(b, ",\"origin\":\"%s\",\"start_time\":%lld.%06lld,\"end_time\":%lld.%06lld", origin,
	        (long long)(from / 1000000), (long long)(from % 1000000), (long long)(to / 1000000),
	        (long long)(to % 1000000));
}

static void put_part(buf *b, arena *mem, const char *name, int64_t from, int64_t to)
{
	buf_fmt(b, "{\"id\":\"%.*s\",\"name\":\"%s\",\"start_time\":%lld.%06lld,\"end_time\":%lld.%06lld}",
	        STR_ARG(trace_segment_id_new(mem)), name, (long long)(from / 1000000),
	        (long long)(from % 1000000), (long long)(to / 1000000), (long long)(to % 1000000));
}

/* The function's own segment, with its initialisation when there was one. */
static str function_segment(arena *mem, const target *t, const environment *e, str trace, str parent,
                            const function_result *r, const function_result *init)
{
	buf b = buf_in(mem, 1024, 16384);
	int64_t to = clock_now() * 1000, from = to - r->duration_us;
	open_segment(&b, trace, str_of(e->trace_segment, sizeof e->trace_segment), t->version->Name,
	             "AWS::Lambda::Function", from, to);
	buf_fmt(&b, ",\"parent_id\":\"%.*s\",\"aws\":{\"function_arn\":", STR_ARG(parent));
	json_put_string(&b, t->invoked_arn);
	buf_put(&b, S("},\"resource_arn\":"));
	json_put_string(&b, t->invoked_arn);
	if (r->outcome != FUNCTION_OK) {
		buf_put(&b, S(",\"fault\":true,\"cause\":{\"exceptions\":[{\"type\":"));
		json_put_string(&b, r->error_type.n ? r->error_type : S("Sandbox.Timedout"));
		buf_put(&b, S("}]}"));
	}
	buf_put(&b, S(",\"subsegments\":["));
	if (init) {
		put_part(&b, mem, "Initialization", from - init->duration_us, from);
		buf_c(&b, ',');
	}
	put_part(&b, mem, "Invocation", from, to);
	buf_put(&b, S("]}"));
	return buf_str(&b);
}

void traced_end(arena *mem, const target *t, const invocation *i, environment *e,
                const function_result *r, const function_result *init)
{
	if (!e->traced)
		return;
	str trace = trace_header_part(i->trace_id, S("Root"));
	str above = trace_header_part(i->trace_id, S("Parent")), id = trace_segment_id_new(mem);
	int64_t to = clock_now() * 1000;
	int64_t from = to - r->duration_us - (init ? init->duration_us : 0);
	buf b = buf_in(mem, 1024, 16384);
	open_segment(&b, trace, id, t->version->Name, "AWS::Lambda", from, to);
	if (str_eq(trace_header_part(i->trace_id, S("Sampled")), S("1")) && above.n == 16)
		buf_fmt(&b, ",\"parent_id\":\"%.*s\"", STR_ARG(above));
	buf_put(&b, S(",\"http\":{\"response\":{\"status\":200}},\"aws\":{\"request_id\":"));
	json_put_string(&b, i->request_id);
	buf_put(&b, S("},\"resource_arn\":"));
	json_put_string(&b, t->invoked_arn);
	buf_c(&b, '}');
	trace_segment_later(t->version->Account, t->version->Region, buf_str(&b));
	trace_segment_later(t->version->Account, t->version->Region,
	                    function_segment(mem, t, e, trace, id, r, init));
	e->traced = false;
}
