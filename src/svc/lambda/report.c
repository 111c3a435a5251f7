#include "report.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "sys/clock.h"
#include <stdio.h>

#define TMP_FREE_MB 512

static str line_of(environment *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static str line_of(environment *e, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	/* The environment's scratch is for the line on its way out: this one is built in another place. */
	str s = arena_vfmt(e->scratch, format, args);
	va_end(args);
	return s;
}

static const char *text_ms(char out[32], int64_t us)
{
	snprintf(out, 32, "%lld.%02lld", (long long)(us / 1000), (long long)(us % 1000 / 10));
	return out;
}

static str now_text(environment *e)
{
	return time_iso_ms(e->scratch, clock_now());
}

/* python:3.11, nodejs:20.x: how INIT_START names a runtime. */
static str runtime_name(environment *e, str runtime)
{
	size_t digit = 0;
	while (digit < runtime.n && (runtime.p[digit] < '0' || runtime.p[digit] > '9'))
		digit++;
	str name = str_sub(runtime, 0, digit), number = str_sub(runtime, digit, runtime.n);
	if (str_starts(runtime, S("nodejs")) && str_ends(number, S(".x")))
		number.n -= 2;
	return arena_fmt(e->scratch, "%.*s:%.*s.v1", STR_ARG(name), STR_ARG(number));
}

void report_init_start(environment *e, const target *t)
{
	const lambda_FunctionConfiguration *c = t->version->Config;
	if (!str_is(c->Runtime))
		return; /* an image brings its own */
	str arn = c->RuntimeVersionConfig ? c->RuntimeVersionConfig->RuntimeVersionArn : S("");
	str name = runtime_name(e, c->Runtime);
	if (e->json_log)
		environment_log(e, line_of(e, "{\"time\":\"%.*s\",\"type\":\"platform.initStart\",\"record\":{"
		                "\"initializationType\":\"%s\",\"phase\":\"init\",\"runtimeVersion\":\"%.*s\","
		                "\"runtimeVersionArn\":\"%.*s\",\"functionName\":\"%.*s\","
		                "\"functionVersion\":\"%.*s\"}}",
		                STR_ARG(now_text(e)), e->initialization, STR_ARG(name), STR_ARG(arn),
		                STR_ARG(e->name),
		                STR_ARG(c->Version)));
	else
		environment_log(e, line_of(e, "INIT_START Runtime Version: %.*s\tRuntime Version ARN: %.*s",
		                STR_ARG(name), STR_ARG(arn)));
}

static const char *status_of(const function_result *r)
{
	return r->outcome == FUNCTION_TIMEOUT ? "timeout" : r->outcome == FUNCTION_OK ? "success" : "error";
}

void report_init(environment *e, const function_result *init, const char *phase)
{
	char ms[32];
	text_ms(ms, init->duration_us);
	if (e->json_log) {
		environment_log(e, line_of(e, "{\"time\":\"%.*s\",\"type\":\"platform.initReport\",\"record\":{"
		                "\"initializationType\":\"%s\",\"phase\":\"%s\","
		                "\"status\":\"%s\",\"metrics\":{"
		                "\"durationMs\":%s}}}", STR_ARG(now_text(e)), e->initialization, phase,
		                status_of(init), ms));
		return;
	}
	bool typed = init->outcome != FUNCTION_TIMEOUT;
	environment_log(e, line_of(e, "INIT_REPORT Init Duration: %s ms\tPhase: %s\tStatus: %s%s%.*s", ms, phase,
	                status_of(init), typed ? "\tError Type: " : "",
	                STR_ARG(typed ? init->error_type : S(""))));
}

void report_start(environment *e, const target *t, const invocation *i)
{
	str version = t->version->Config->Version;
	if (e->json_log)
		environment_log(e, line_of(e, "{\"time\":\"%.*s\",\"type\":\"platform.start\",\"record\":{"
		                "\"requestId\":\"%.*s\",\"version\":\"%.*s\"}}", STR_ARG(now_text(e)),
		                STR_ARG(i->request_id), STR_ARG(version)));
	else
		environment_log(e, line_of(e, "START RequestId: %.*s Version: %.*s", STR_ARG(i->request_id),
		                STR_ARG(version)));
}

void report_timeout(environment *e, const invocation *i, int64_t timeout_s)
{
	environment_log(e, line_of(e, "%.*s %.*s Task timed out after %lld.00 seconds\n", STR_ARG(now_text(e)),
	                STR_ARG(i->request_id), (long long)timeout_s));
}

int64_t billed_ms(const function_result *r, const function_result *init)
{
	int64_t us = r->duration_us + (init ? init->duration_us : 0);
	return us < 1000 ? 1 : (us + 999) / 1000;
}

static int64_t megabytes(int64_t bytes)
{
	return (bytes + (1 << 20) - 1) >> 20;
}

static void report_text(environment *e, const target *t, const invocation *i, const function_result *r,
                        const function_result *init)
{
	char ms[32], init_ms[64] = "", status[160] = "";
	if (init) {
		char number[32];
		snprintf(init_ms, sizeof init_ms, "Init Duration: %s ms\t", text_ms(number, init->duration_us));
	}
	if (r->outcome == FUNCTION_TIMEOUT)
		snprintf(status, sizeof status, "Status: timeout");
	else if (r->ended && r->outcome != FUNCTION_OK)
		snprintf(status, sizeof status, "Status: error\tError Type: %.*s", STR_ARG(r->error_type));
	environment_log(e, line_of(e, "END RequestId: %.*s", STR_ARG(i->request_id)));
	environment_log(e, line_of(e, "REPORT RequestId: %.*s\tDuration: %s ms\tBilled Duration: %lld ms\tMemory "
	                "Size: %lld MB\tMax Memory Used: %lld MB\t%s%s", STR_ARG(i->request_id),
	                text_ms(ms, r->duration_us), (long long)billed_ms(r, init),
	                (long long)t->version->Config->MemorySize.v, (long long)megabytes(r->peak_bytes), init_ms,
	                status));
}

static void report_json(environment *e, const target *t, const invocation *i, const function_result *r,
                        const function_result *init)
{
	char ms[32], init_ms[64] = "";
	if (init) {
		char number[32];
		snprintf(init_ms, sizeof init_ms, ",\"initDurationMs\":%s", text_ms(number, init->duration_us));
	}
	environment_log(e, line_of(e, "{\"time\":\"%.*s\",\"type\":\"platform.report\",\"record\":{\"requestId\":"
	                "\"%.*s\",\"metrics\":{\"durationMs\":%s,\"billedDurationMs\":%lld,\"memorySizeMB\":%lld,"
	                "\"maxMemoryUsedMB\":%lld%s},\"status\":\"%s\"}}", STR_ARG(now_text(e)),
	                STR_ARG(i->request_id), text_ms(ms, r->duration_us), (long long)billed_ms(r, init),
	                (long long)t->version->Config->MemorySize.v, (long long)megabytes(r->peak_bytes), init_ms,
	                status_of(r)));
}

void report_end(environment *e, const target *t, const invocation *i, const function_result *r,
                const function_result *init)
{
	if (e->json_log)
		report_json(e, t, i, r, init);
	else
		report_text(e, t, i, r, init);
}

/* By function, by qualifier where one was given, and over all functions. */
static void metric(const target *t, const char *name, const char *unit, double value)
{
	metric_point p = { .account = t->version->Account, .region = t->version->Region,
		.name_space = S("AWS/Lambda"), .name = str_c(name), .unit = str_c(unit), .when = clock_now(),
		.value = value };
	metric_later(&p);
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("FunctionName"), t->version->Name };
	metric_later(&p);
	if (!str_is(t->f.qualifier))
		return;
	char resource[256];
	int n = snprintf(resource, sizeof resource, "%.*s:%.*s", STR_ARG(t->version->Name),
	                 STR_ARG(t->f.qualifier));
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("Resource"), str_of(resource, (size_t)n) };
	metric_later(&p);
}

/* How many run is a level, not an event: looked at when it is more than one, or once a second. */
static void metric_concurrency(const target *t)
{
	static _Atomic int64_t looked;
	int64_t second = clock_real() / 1000, running = pool_running(t);
	if (running <= 1 && looked == second)
		return;
	looked = second;
	metric(t, "ConcurrentExecutions", "Count", (double)running);
}

static str function_arn(const lambda_version *v, char out[256])
{
	int n = snprintf(out, 256, "arn:aws:lambda:%.*s:%.*s:function:%.*s", STR_ARG(v->Region),
	                 STR_ARG(v->Account), STR_ARG(v->Name));
	return str_of(out, (size_t)n);
}

void report_streamed(const target *t, size_t bytes)
{
	char arn[256];
	if (bytes > LAMBDA_STREAM_FREE_BYTES)
		usage_later(t->version->Account, t->version->Region, clock_now(), &LAMBDA_STREAM,
		            function_arn(t->version, arn), (qty)(bytes - LAMBDA_STREAM_FREE_BYTES));
}

/* How many of the provisioned environments of a version are at work; its own event is still counted. */
static void metric_provisioned(const target *t)
{
	int64_t live, idle;
	pool_provisioned(t->function->Instance, t->version->Generation, &live, &idle);
	if (live <= 0)
		return;
	metric(t, "ProvisionedConcurrentExecutions", "Count", (double)(live - idle));
	metric(t, "ProvisionedConcurrencyUtilization", "None", (double)(live - idle) / (double)live);
}

void report_throttle(const target *t)
{
	metric(t, "Throttles", "Count", 1);
}

void report_loop(const target *t)
{
	metric(t, "RecursiveInvocationsDropped", "Count", 1);
}

/* A GB-second is 1,024,000 MB-milliseconds, the parts in which it is metered: nothing is rounded. */
static qty gb_seconds(int64_t ms, int64_t mb)
{
	return ms * mb;
}

void report_usage(const target *t, const environment *e, const function_result *r,
                  const function_result *init)
{
	const lambda_version *v = t->version;
	const lambda_FunctionConfiguration *c = v->Config;
	int64_t now = clock_now(), ms = billed_ms(r, init);
	bool arm = c->Architectures.n && str_eq(c->Architectures.v[0], S("arm64"));
	char arn[256];
	str resource = function_arn(v, arn);
	usage_later(v->Account, v->Region, now, arm ? &LAMBDA_REQUESTS_ARM : &LAMBDA_REQUESTS, resource, QTY(1));
	const meter_kind *duration = e->provisioned ? arm ? &LAMBDA_PC_DURATION_ARM : &LAMBDA_PC_DURATION
		: arm ? &LAMBDA_DURATION_ARM : &LAMBDA_DURATION;
	usage_later(v->Account, v->Region, now, duration, resource, gb_seconds(ms, c->MemorySize.v));
	int64_t extra = c->EphemeralStorage->Size.v - TMP_FREE_MB;
	if (extra > 0)
		usage_later(v->Account, v->Region, now, &LAMBDA_EPHEMERAL, resource, gb_seconds(ms, extra));
	metric(t, "Invocations", "Count", 1);
	if (e->provisioned) {
		metric(t, "ProvisionedConcurrencyInvocations", "Count", 1);
		metric_provisioned(t);
	} else if (t->function->Provisioned)
		metric(t, "ProvisionedConcurrencySpilloverInvocations", "Count", 1);
	metric(t, "Errors", "Count", r->outcome == FUNCTION_OK ? 0 : 1);
	metric(t, "Duration", "Milliseconds", (double)r->duration_us / 1000.0);
	metric_concurrency(t);
}
