#include "provision.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "sys/clock.h"
#include <pthread.h>
#include <time.h>

#define LOOK_AGAIN_S 30
#define STEP_MS (5 * MS_MINUTE)   /* AWS rounds what is billed up to it */
#define HOUR_MS MS_HOUR
#define PAGE 50

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	store *store;
	bool running, look;
} keeper = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static const meter_kind *meter_of(const lambda_provisioned *p)
{
	return p->Arm ? &LAMBDA_PC_ARM : &LAMBDA_PC;
}

/* From now on it costs this much; what was begun before is rounded up to five minutes. */
static void bill(txn *tx, lambda_provisioned *p, int64_t megabytes, bool arm, int64_t now)
{
	arena *mem = txn_arena(tx);
	str resource = name_arn_of(mem, p->Account, p->Region, p->Name, p->Qualifier);
	if (p->Megabytes) {
		int64_t rest = (STEP_MS - (now - p->Since) % STEP_MS) % STEP_MS;
		usage_add(tx, p->Account, p->Region, now, meter_of(p), resource, p->Megabytes * rest);
		resident_set(tx, p->Account, p->Region, now, meter_of(p), resource, 0);
	}
	p->Megabytes = megabytes;
	p->Arm = arm;
	p->Since = now;
	if (megabytes)
		resident_set(tx, p->Account, p->Region, now, meter_of(p), resource, megabytes * HOUR_MS);
}

static bool is_arm(const lambda_version *v)
{
	return v->Config->Architectures.n && str_eq(v->Config->Architectures.v[0], S("arm64"));
}

static void look(void *unused)
{
	(void)unused;
	provision_look();
}

/* What the row stands for now; NULL: its alias or version has gone. An alias's weights do not count. */
static lambda_version *version_of(const txn *tx, arena *mem, const lambda_function *fn, str qualifier)
{
	int64_t number;
	lambda_alias *a = lambda_alias_get(tx, mem, fn->Account, fn->Region, fn->Name, qualifier);
	if (a)
		qualifier = a->It->FunctionVersion;
	return str_to_i64(qualifier, &number) && number > 0 ? version_get(tx, mem, fn, number) : NULL;
}

static void drop(txn *tx, lambda_provisioned *p, int64_t now)
{
	bill(tx, p, 0, p->Arm, now);
	lambda_provisioned_delete(tx, p->Account, p->Region, p->Name, p->Qualifier);
	txn_on_commit(tx, look, NULL);
}

void provision_follow(req *rq, txn *tx, lambda_function *fn)
{
	int64_t total = 0;
	record_scan s = lambda_provisioned_scan(tx, rq->mem, 3, fn->Account, fn->Region, fn->Name, STR_NONE);
	for (lambda_provisioned *p; (p = lambda_provisioned_next(&s));) {
		lambda_version *v = version_of(tx, rq->mem, fn, p->Qualifier);
		if (!v) {
			drop(tx, p, rq->now);
			continue;
		}
		int64_t megabytes = p->Requested * v->Config->MemorySize.v;
		if (megabytes != p->Megabytes || is_arm(v) != p->Arm)
			bill(tx, p, megabytes, is_arm(v), rq->now);
		p->Failure = S("");
		lambda_provisioned_put(tx, p);
		total += p->Requested;
		txn_on_commit(tx, look, NULL);
	}
	if (fn->Provisioned != total) {
		fn->Provisioned = total;
		lambda_function_put(tx, fn);
	}
}

void provision_drop_all(req *rq, txn *tx, lambda_function *fn)
{
	record_scan s = lambda_provisioned_scan(tx, rq->mem, 3, fn->Account, fn->Region, fn->Name, STR_NONE);
	for (lambda_provisioned *p; (p = lambda_provisioned_next(&s));)
		drop(tx, p, rq->now);
}

static err invalid(req *rq, const char *text)
{
	return fail(rq, &lambda_InvalidParameterValueException, "%s", text);
}

/* Two rows must not stand for the same version. */
static err check_twice(req *rq, const txn *tx, const lambda_function *fn, str qualifier,
                       const lambda_version *v)
{
	bool alias = lambda_alias_get(tx, rq->mem, fn->Account, fn->Region, fn->Name, qualifier) != NULL;
	record_scan s = lambda_provisioned_scan(tx, rq->mem, 3, fn->Account, fn->Region, fn->Name, STR_NONE);
	for (lambda_provisioned *p; (p = lambda_provisioned_next(&s));) {
		lambda_version *other = version_of(tx, rq->mem, fn, p->Qualifier);
		if (str_eq(p->Qualifier, qualifier) || !other || other->Number != v->Number)
			continue;
		cursor_close(&s.at);
		return fail(rq, &lambda_ResourceConflictException, alias
		            ? "Alias can't be used for Provisioned Concurrency configuration on an already "
		            "Provisioned version" : "Version is pointed by a Provisioned Concurrency alias");
	}
	return OK;
}

/* What all functions of the account and region hold, this one's row aside. */
static int64_t held(const txn *tx, arena *mem, const lambda_function *but)
{
	int64_t sum = 0;
	record_scan s = lambda_function_scan(tx, mem, 2, but->Account, but->Region, STR_NONE);
	for (lambda_function *f; (f = lambda_function_next(&s));)
		if (!str_eq(f->Name, but->Name))
			sum += f->Reserved ? f->Reserved - 1 : f->Provisioned;
	return sum;
}

static err check_room(req *rq, const txn *tx, const lambda_function *fn, int64_t others, int64_t wanted)
{
	if (fn->Reserved && others + wanted > fn->Reserved - 1)
		return invalid(rq, "Requested Provisioned Concurrency should not be greater than the "
		               "reservedConcurrentExecution for function");
	int64_t room = LAMBDA_CONCURRENCY - held(tx, rq->mem, fn) - others;
	if (!fn->Reserved && wanted > room)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Specified ConcurrentExecutions for function is greater than account's unreserved "
		            "concurrency [%lld].", (long long)room);
	if (!fn->Reserved && room - wanted < LAMBDA_UNRESERVED_MIN)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Specified ConcurrentExecutions for function decreases account's "
		            "UnreservedConcurrentExecution "
		            "below its minimum value of [%d].", LAMBDA_UNRESERVED_MIN);
	return OK;
}

static err find_function(req *rq, const txn *tx, str name, str qualifier, function_name *f,
                         lambda_function **fn)
{
	TRY(name_read(rq, name, qualifier, f));
	*fn = lambda_function_get(tx, rq->mem, f->account, f->region, f->name);
	return *fn ? OK : name_missing(rq, f);
}

static err check_qualifier(req *rq, const txn *tx, const lambda_function *fn, const function_name *f,
                           lambda_version **v)
{
	lambda_alias *a = lambda_alias_get(tx, rq->mem, f->account, f->region, f->name, f->qualifier);
	if (str_eq(f->qualifier, S("$LATEST")) || (a && str_eq(a->It->FunctionVersion, S("$LATEST"))))
		return invalid(rq,
		               "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
	*v = version_of(tx, rq->mem, fn, f->qualifier);
	if (!*v)
		return name_missing(rq, f);
	if (str_eq((*v)->Config->SnapStart->ApplyOn, S("PublishedVersions")))
		return invalid(rq, "Provisioned Concurrency cannot be used together with SnapStart.");
	return OK;
}

typedef struct counts {
	int64_t available, allocated;
	str status;
} counts;

static counts counts_of(const lambda_provisioned *p, const lambda_function *fn, const lambda_version *v)
{
	counts c = { 0 };
	if (v)
		pool_provisioned(fn->Instance, v->Generation, &c.allocated, &c.available);
	c.status = p->Failure.n ? S("FAILED") : c.allocated >= p->Requested ? S("READY") : S("IN_PROGRESS");
	return c;
}

static str modified(arena *mem, const lambda_provisioned *p)
{
	return time_text(mem, p->Modified);
}

err lambda_PutProvisionedConcurrencyConfig(req *rq, txn *tx,
                                           const lambda_PutProvisionedConcurrencyConfig_in *in,
                                           lambda_PutProvisionedConcurrencyConfig_out *out)
{
	function_name f;
	lambda_function *fn;
	lambda_version *v = NULL;
	TRY(find_function(rq, tx, in->FunctionName, in->Qualifier, &f, &fn));
	TRY(check_qualifier(rq, tx, fn, &f, &v));
	TRY(check_twice(rq, tx, fn, f.qualifier, v));
	lambda_provisioned fresh = { .Account = f.account, .Region = f.region, .Name = f.name,
		.Qualifier = f.qualifier };
	lambda_provisioned *p = lambda_provisioned_get(tx, rq->mem, f.account, f.region, f.name, f.qualifier);
	p = p ? p : &fresh;
	int64_t wanted = in->ProvisionedConcurrentExecutions.v;
	TRY(check_room(rq, tx, fn, fn->Provisioned - p->Requested, wanted));
	p->Requested = wanted;
	p->Modified = rq->now;
	lambda_provisioned_put(tx, p);
	provision_follow(rq, tx, fn);
	*out = (lambda_PutProvisionedConcurrencyConfigResponse){
		.RequestedProvisionedConcurrentExecutions = I64(wanted),
		.AvailableProvisionedConcurrentExecutions = I64(0),
		.AllocatedProvisionedConcurrentExecutions = I64(0),
		.Status = S("IN_PROGRESS"), .LastModified = modified(rq->mem, p) };
	return OK;
}

static err find(req *rq, const txn *tx, str name, str qualifier, lambda_function **fn, lambda_provisioned **p)
{
	function_name f;
	TRY(name_read(rq, name, qualifier, &f));
	if (str_eq(f.qualifier, S("$LATEST")))
		return invalid(rq, "The function resource provided must be an alias or a published version.");
	TRY(find_function(rq, tx, name, qualifier, &f, fn));
	if (!version_of(tx, rq->mem, *fn, f.qualifier))
		return name_missing(rq, &f);
	*p = lambda_provisioned_get(tx, rq->mem, f.account, f.region, f.name, f.qualifier);
	return *p ? OK : fail(rq, &lambda_ProvisionedConcurrencyConfigNotFoundException,
	                      "No Provisioned Concurrency Config found for this function");
}

err lambda_GetProvisionedConcurrencyConfig(req *rq, const txn *tx,
                                           const lambda_GetProvisionedConcurrencyConfig_in *in,
                                           lambda_GetProvisionedConcurrencyConfig_out *out)
{
	lambda_function *fn;
	lambda_provisioned *p;
	TRY(find(rq, tx, in->FunctionName, in->Qualifier, &fn, &p));
	counts c = counts_of(p, fn, version_of(tx, rq->mem, fn, p->Qualifier));
	*out = (lambda_GetProvisionedConcurrencyConfigResponse){
		.RequestedProvisionedConcurrentExecutions = I64(p->Requested),
		.AvailableProvisionedConcurrentExecutions = I64(c.available),
		.AllocatedProvisionedConcurrentExecutions = I64(c.allocated), .Status = c.status,
		.StatusReason = p->Failure.n ? p->Failure : STR_NONE, .LastModified = modified(rq->mem, p) };
	return OK;
}

err lambda_ListProvisionedConcurrencyConfigs(req *rq, const txn *tx,
                                             const lambda_ListProvisionedConcurrencyConfigs_in *in,
                                             lambda_ListProvisionedConcurrencyConfigs_out *out)
{
	function_name f;
	lambda_function *fn;
	str after = STR_NONE, last = STR_NONE;
	TRY(find_function(rq, tx, in->FunctionName, STR_NONE, &f, &fn));
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return invalid(rq, "Invalid marker");
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	lambda_ProvisionedConcurrencyConfigListItem *v =
		arena_array(rq->mem, lambda_ProvisionedConcurrencyConfigListItem, most);
	record_scan s = lambda_provisioned_scan(tx, rq->mem, 3, f.account, f.region, f.name, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (lambda_provisioned *p; (p = lambda_provisioned_next(&s));) {
		if (n == most) {
			out->NextMarker = page_token(rq, last);
			cursor_close(&s.at);
			break;
		}
		last = p->Qualifier;
		counts c = counts_of(p, fn, version_of(tx, rq->mem, fn, p->Qualifier));
		v[n++] = (lambda_ProvisionedConcurrencyConfigListItem){
			.FunctionArn = name_arn_of(rq->mem, p->Account, p->Region, p->Name, p->Qualifier),
			.RequestedProvisionedConcurrentExecutions = I64(p->Requested),
			.AvailableProvisionedConcurrentExecutions = I64(c.available),
			.AllocatedProvisionedConcurrentExecutions = I64(c.allocated), .Status = c.status,
			.StatusReason = p->Failure.n ? p->Failure : STR_NONE, .LastModified = modified(rq->mem, p) };
	}
	out->ProvisionedConcurrencyConfigs = (lambda_ProvisionedConcurrencyConfigList){ v, n };
	return OK;
}

err lambda_DeleteProvisionedConcurrencyConfig(req *rq, txn *tx,
                                              const lambda_DeleteProvisionedConcurrencyConfig_in *in,
                                              lambda_DeleteProvisionedConcurrencyConfig_out *out)
{
	lambda_function *fn;
	lambda_provisioned *p;
	err none = find(rq, tx, in->FunctionName, in->Qualifier, &fn, &p);
	if (none)
		return none->kind == &lambda_ProvisionedConcurrencyConfigNotFoundException ? OK : none;
	drop(tx, p, rq->now);
	provision_follow(rq, tx, fn);
	return OK;
}

typedef struct wanted {
	lambda_provisioned *row;
	target t;
	int64_t left;   /* of those that may stay */
} wanted;

typedef struct wants {
	wanted *v;
	size_t n, room;
} wants;

static void add(arena *mem, wants *w, const wanted *one)
{
	if (w->n == w->room) {
		wanted *more = arena_array(mem, wanted, w->room * 2 + 8);
		if (w->n)
			memcpy(more, w->v, w->n * sizeof *more);
		w->v = more;
		w->room = w->room * 2 + 8;
	}
	w->v[w->n++] = *one;
}

static wants wants_now(arena *mem)
{
	wants w = { 0 };
	const txn *tx = store_read(keeper.store);
	record_scan s = lambda_provisioned_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (lambda_provisioned *p; (p = lambda_provisioned_next(&s));) {
		lambda_function *fn = lambda_function_get(tx, mem, p->Account, p->Region, p->Name);
		lambda_version *v = fn ? version_of(tx, mem, fn, p->Qualifier) : NULL;
		function_name f = { p->Account, p->Region, p->Name, p->Qualifier };
		wanted one = { .row = p, .left = p->Requested, .t = { .f = f, .function = fn, .version = v,
			.alias = STR_NONE, .invoked_arn = name_arn(mem, &f) } };
		if (v)
			add(mem, &w, &one);
	}
	store_read_end(keeper.store, tx);
	return w;
}

static bool still_wanted(void *context, const environment *e)
{
	wants *w = context;
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].t.version->Generation == e->generation && w->v[i].t.function->Instance == e->instance)
			return w->v[i].left-- > 0;
	return false;
}

typedef struct failure {
	lambda_provisioned *row;
	str why;
} failure;

static bool note_failure(void *context, txn *tx)
{
	failure *f = context;
	lambda_provisioned *p = lambda_provisioned_get(tx, txn_arena(tx), f->row->Account, f->row->Region,
	                                               f->row->Name, f->row->Qualifier);
	if (p && p->Modified == f->row->Modified) {
		p->Failure = f->why;
		lambda_provisioned_put(tx, p);
	}
	return true;
}

static bool running(void)
{
	pthread_mutex_lock(&keeper.lock);
	bool yes = keeper.running && !keeper.look;
	pthread_mutex_unlock(&keeper.lock);
	return yes;
}

static bool halting(void)
{
	pthread_mutex_lock(&keeper.lock);
	bool yes = !keeper.running;
	pthread_mutex_unlock(&keeper.lock);
	return yes;
}

/* Starts what is missing of one row, until something has changed. */
static void fill(arena *mem, wanted *w)
{
	int64_t live, idle;
	for (;;) {
		str why;
		pool_provisioned(w->t.function->Instance, w->t.version->Generation, &live, &idle);
		if (live >= w->row->Requested || w->row->Failure.n || !running())
			return;
		environment *e = environment_ready(mem, keeper.store, &w->t, "provisioned-concurrency", true, &why);
		if (e) {
			pool_add(e);
			continue;
		}
		if (!running()) /* it was not the function that ended it */
			return;
		failure f = { w->row, arena_fmt(mem, "FUNCTION_ERROR_INIT_FAILURE: %.*s",
		                                (int)(why.n < 500 ? why.n : 500), why.p ? why.p : "") };
		if (store_write(keeper.store, note_failure, &f))
			clock_sleep_ms(1000);
		return;
	}
}

static void *keep(void *unused)
{
	pthread_mutex_lock(&keeper.lock);
	while (keeper.running) {
		keeper.look = false;
		pthread_mutex_unlock(&keeper.lock);
		arena *mem = arena_open(16384);
		wants w = wants_now(mem);
		pool_trim(still_wanted, &w);
		for (size_t i = 0; i < w.n; i++)
			fill(mem, &w.v[i]);
		arena_close(mem);
		struct timespec until = { clock_real() / 1000 + LOOK_AGAIN_S, 0 };
		pthread_mutex_lock(&keeper.lock);
		int late = 0;
		while (keeper.running && !keeper.look && !late)
			late = pthread_cond_timedwait(&keeper.changed, &keeper.lock, &until);
	}
	pthread_mutex_unlock(&keeper.lock);
	return unused;
}

void provision_halt(void)
{
	pthread_mutex_lock(&keeper.lock);
	keeper.running = false;
	pthread_cond_broadcast(&keeper.changed);
	pthread_mutex_unlock(&keeper.lock);
}

void provision_look(void)
{
	pthread_mutex_lock(&keeper.lock);
	keeper.look = true;
	pthread_cond_broadcast(&keeper.changed);
	pthread_mutex_unlock(&keeper.lock);
}

void provision_start(store *s)
{
	keeper.store = s;
	keeper.running = true;
	ensure(pthread_create(&keeper.thread, NULL, keep, NULL) == 0);
}

void provision_stop(void)
{
	provision_halt();
	pthread_join(keeper.thread, NULL);
}

/* A version that was published with SnapStart: its first invocation finds it initialised. */
TASK(lambda_snapstart)
{
	target t;
	str why, arn = arena_str(mem, payload), rest = arn;
	for (int i = 0; i < 3; i++)
		str_cut(&rest, ':');
	str region = str_cut(&rest, ':'), account = str_cut(&rest, ':');
	req *rq = req_internal(mem, s, "lambda.amazonaws.com", account, region);
	const txn *tx = store_read(s);
	err missing = target_find(rq, tx, arn, STR_NONE, &t);
	store_read_end(s, tx);
	environment *e = missing ? NULL : environment_ready(mem, s, &t, "snap-start", false, &why);
	if (e)
		pool_add(e);
	/* One that the end of the server has cut short is begun once more. */
	return !missing && !e && halting() ? clock_now() + MS_SECOND : TASK_DONE;
}
