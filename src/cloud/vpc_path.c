#include "cloud/vpc_path.h"
#include "cloud/server.h"
#include "base/text.h"
#include "sys/rand.h"
#include <pthread.h>

extern vpc_residents *const __start_farthing_vpc_residents[] __attribute__((weak));
extern vpc_residents *const __stop_farthing_vpc_residents[] __attribute__((weak));
extern const vpc_rules *const __start_farthing_vpc_rules[] __attribute__((weak));
extern const vpc_rules *const __stop_farthing_vpc_rules[] __attribute__((weak));

#define GROUPS_MAX 16
#define SCOPE_MAX 256 /* of a signature */

/* While the server runs. */
static struct {
	pthread_rwlock_t lock;
	store *s;
} now = { .lock = PTHREAD_RWLOCK_INITIALIZER };

static err start(store *s, str data_folder)
{
	(void)data_folder;
	pthread_rwlock_wrlock(&now.lock);
	now.s = s;
	pthread_rwlock_unlock(&now.lock);
	return OK;
}

static void stop(void)
{
	start(NULL, STR_NONE);
}
SERVER_PART(vpc_path, start, stop);

static const vpc_rules *rules(void)
{
	const vpc_rules *const *first = __start_farthing_vpc_rules;
	return first < __stop_farthing_vpc_rules ? *first : NULL;
}

/* ACCOUNT REGION RESOURCE public|private SUBNET GROUP,GROUP.. */
const char *vpc_about(arena *mem, const vpc_side *from)
{
	buf b = buf_in(mem, 512, 8192);
	str subnet = from->n_subnets ? from->subnets[rand_below((uint32_t)from->n_subnets)] : S("");
	buf_fmt(&b, "%.*s %.*s %.*s %s %.*s ", STR_ARG(from->account), STR_ARG(from->region),
	        STR_ARG(from->resource), from->public_address ? "public" : "private", STR_ARG(subnet));
	for (size_t i = 0; i < from->n_groups && i < GROUPS_MAX; i++)
		buf_fmt(&b, "%s%.*s", i ? "," : "", STR_ARG(from->groups[i]));
	return arena_str(mem, buf_str(&b)).p;
}

static vpc_side side_of(arena *mem, const char *about)
{
	str rest = str_c(about), *subnet = arena_new(mem, str), *groups = arena_array(mem, str, GROUPS_MAX);
	vpc_side s = { .account = str_cut(&rest, ' '), .subnets = subnet, .groups = groups };
	s.region = str_cut(&rest, ' ');
	s.resource = str_cut(&rest, ' ');
	s.public_address = str_eq(str_cut(&rest, ' '), S("public"));
	*subnet = str_cut(&rest, ' ');
	s.n_subnets = subnet->n > 0;
	while (str_is(rest) && rest.n && s.n_groups < GROUPS_MAX)
		groups[s.n_groups++] = str_cut(&rest, ',');
	return s;
}

/* http://127.0.0.1:4566 */
static bool is_aws(str address, int port)
{
	str rest = server_endpoint();
	int64_t own;
	size_t at = str_find(rest, S("://"));
	if (at == SIZE_MAX)
		return false;
	rest = str_sub(rest, at + 3, rest.n);
	str host = str_cut(&rest, ':');
	return str_is(rest) && str_to_i64(rest, &own) && own == port && str_eq(host, address);
}

static bool open_to(const txn *tx, arena *mem, const vpc_side *from, vpc_goal *to, vpc_way *way)
{
	vpc_side sides[VPC_SIDES_MAX];
	size_t n = 0;
	to->kind = is_aws(to->address, to->port) ? GOAL_AWS : GOAL_OUTSIDE;
	vpc_residents *const *r = __start_farthing_vpc_residents;
	for (; to->kind == GOAL_OUTSIDE && !n && r < __stop_farthing_vpc_residents; r++)
		n = (*r)(tx, mem, to->address, to->port, sides);
	to->undecided = to->kind == GOAL_AWS;
	if (!n)
		return rules()->open(tx, mem, from, to, way);
	to->kind = GOAL_RESIDENT;
	for (size_t i = 0; i < n; i++) {
		to->side = sides[i];
		*way = (vpc_way){ 0 };
		if (rules()->open(tx, mem, from, to, way))
			return true;
	}
	return false;
}

/* Writes down what is metered. */
static sandbox_verdict counted(arena *mem, const vpc_side *from, const vpc_way *way,
                               char path[SANDBOX_PATH_MAX])
{
	str text = arena_fmt(mem, "%.*s %.*s %.*s %.*s %.*s", STR_ARG(from->account), STR_ARG(from->region),
	                     STR_ARG(way->nat), STR_ARG(way->endpoint), STR_ARG(way->transfer));
	if ((!way->nat.n && !way->endpoint.n && !way->transfer.n) || text.n >= SANDBOX_PATH_MAX)
		return PATH_OPEN;
	memcpy(path, text.p, text.n + 1);
	return PATH_COUNTED;
}

static sandbox_verdict judge(const char *about, const char *address, int port, char path[SANDBOX_PATH_MAX])
{
	arena *mem = arena_open(16384);
	vpc_side from = side_of(mem, about);
	vpc_goal to = { .address = str_c(address), .port = port };
	vpc_way way = { 0 };
	sandbox_verdict v = PATH_DROPPED;
	pthread_rwlock_rdlock(&now.lock);
	if (now.s && rules()) {
		const txn *tx = store_read(now.s);
		if (open_to(tx, mem, &from, &to, &way))
			v = to.undecided ? PATH_ASKED : counted(mem, &from, &way, path);
		store_read_end(now.s, tx);
	}
	pthread_rwlock_unlock(&now.lock);
	arena_close(mem);
	return v;
}

/* Credential=AKID/20261122/us-east-1/s3/aws4_request, in a header or (with %2F) in a query; only of this
 * region. */
static str signed_for(arena *mem, str head, str region)
{
	size_t at = str_find(head, S("Credential="));
	str rest = at == SIZE_MAX ? S("") : str_sub(head, at, at + SCOPE_MAX < head.n ? at + SCOPE_MAX : head.n);
	if (!rest.n)
		return rest;
	bool query = str_find(rest, S("%2F")) < str_find_char(rest, '/');
	str parts[4];
	for (int i = 0; i < 4; i++) {
		size_t n = query ? str_find(rest, S("%2F")) : str_find_char(rest, '/');
		if (n == SIZE_MAX)
			return S("");
		parts[i] = str_sub(rest, 0, n);
		rest = str_sub(rest, n + (query ? 3 : 1), rest.n);
	}
	return str_eq(parts[2], region) ? arena_str(mem, parts[3]) : S("");
}

static sandbox_verdict heard(const char *about, const char *bytes, size_t n, bool is_all,
                             char path[SANDBOX_PATH_MAX])
{
	str head = str_of((char *)bytes, n);
	size_t end = str_find(head, S("\r\n\r\n"));
	if (end == SIZE_MAX && !is_all)
		return PATH_ASKED;
	arena *mem = arena_open(16384);
	vpc_side from = side_of(mem, about);
	vpc_way way = { 0 };
	sandbox_verdict v = PATH_DROPPED;
	vpc_goal to = { .kind = GOAL_AWS, .address = S(""),
		.service = signed_for(mem, str_sub(head, 0, end == SIZE_MAX ? n : end), from.region) };
	path[0] = 0;
	pthread_rwlock_rdlock(&now.lock);
	if (now.s && rules()) {
		const txn *tx = store_read(now.s);
		if (rules()->open(tx, mem, &from, &to, &way))
			v = counted(mem, &from, &way, path);
		store_read_end(now.s, tx);
	}
	pthread_rwlock_unlock(&now.lock);
	arena_close(mem);
	return v;
}

static void carried(const char *path, int64_t sent, int64_t received)
{
	str rest = str_c(path), account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	vpc_way way = { .nat = str_cut(&rest, ' ') };
	way.endpoint = str_cut(&rest, ' ');
	way.transfer = rest;
	pthread_rwlock_rdlock(&now.lock);
	if (now.s && rules())
		rules()->carried(account, region, &way, sent, received);
	pthread_rwlock_unlock(&now.lock);
}

const sandbox_judge vpc_judge = { judge, heard, carried };
