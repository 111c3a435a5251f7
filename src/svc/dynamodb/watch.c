/*
 * AWS/DynamoDB's metrics. A request adds to a place in memory; what a place has gathered goes to CloudWatch
 * some hundred milliseconds later as few values with counts, whose sum and number are exact.
 */
#include "base/time.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "svc/dynamodb/usage.h"
#include "sys/clock.h"
#include <pthread.h>

#define WAIT_MS 200
#define PLACES 1024
#define REACH 16
#define STEPS 12 /* different values that a place tells apart: by powers of two */
#define NAME_MAX_BYTES 256

typedef struct step {
	double sum, count;
} step;

/* One metric of one table, index or operation. */
typedef struct place {
	uint64_t table;
	uint16_t index;
	const char *metric;
	const operation *op;
	int64_t when; /* of the first value; 0: the place is free */
	step steps[STEPS];
	char account[16], region[32], name[NAME_MAX_BYTES], index_name[NAME_MAX_BYTES];
} place;

static struct {
	pthread_mutex_t lock;
	later *later;
	bool told; /* that there is something to write */
	place v[PLACES];
} places = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void keep(char *to, size_t room, str text)
{
	size_t n = text.n < room - 1 ? text.n : room - 1;
	memcpy(to, text.p, n);
	to[n] = 0;
}

static place *place_of(req *rq, const ddb_table *t, const ddb_index *ix, const char *metric,
                       const operation *op)
{
	uint16_t index = ix ? ix->id : 0;
	uint64_t h = (t->id * 32 + index) ^ (uint64_t)(uintptr_t)metric * 31 ^ (uint64_t)(uintptr_t)op;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; i < REACH; i++) {
		place *p = &places.v[((h >> 40) + i) % PLACES];
		bool same = p->table == t->id && p->index == index && p->metric == metric && p->op == op;
		/* The clock may be turned while it waits. */
		if (p->when && same && p->when / MS_MINUTE == rq->now / MS_MINUTE)
			return p;
		if (p->when)
			continue;
		*p = (place){ .table = t->id, .index = index, .metric = metric, .op = op, .when = rq->now };
		keep(p->account, sizeof p->account, t->account);
		keep(p->region, sizeof p->region, t->region);
		keep(p->name, sizeof p->name, t->name);
		keep(p->index_name, sizeof p->index_name, ix ? ix->name : S(""));
		return p;
	}
	return NULL;
}

/* The writer is told once; it empties all places. */
static void tell(void)
{
	if (places.told || !places.later)
		return;
	arena *a = later_begin(places.later);
	if (!a)
		return;
	places.told = true;
	later_end(places.later, arena_new(a, later_item), sizeof(later_item));
}

static unsigned step_for(double v)
{
	unsigned i = 0;
	for (double edge = 0.5; i < STEPS - 1 && v > edge; edge *= 2)
		i++;
	return i;
}

static void add(req *rq, const ddb_table *t, const ddb_index *ix, const char *metric, const operation *op,
                double v)
{
	if (rq->again)
		return;
	pthread_mutex_lock(&places.lock);
	place *p = places.later ? place_of(rq, t, ix, metric, op) : NULL;
	if (p) {
		step *s = &p->steps[step_for(v)];
		s->sum += v;
		s->count += 1;
		tell();
	}
	pthread_mutex_unlock(&places.lock);
}

static const char *unit_of(const char *metric)
{
	return strcmp(metric, "SuccessfulRequestLatency") == 0 ? "Milliseconds" : "Count";
}

static void say(const place *p)
{
	metric_point point = { .account = str_c(p->account), .region = str_c(p->region),
		                   .name_space = S("AWS/DynamoDB"), .name = str_c(p->metric),
		                   .unit = str_c(unit_of(p->metric)), .when = p->when };
	point.dimensions[point.n_dimensions++] = (metric_dimension){ S("TableName"), str_c(p->name) };
	if (*p->index_name)
		point.dimensions[point.n_dimensions++] =
			(metric_dimension){ S("GlobalSecondaryIndexName"), str_c(p->index_name) };
	if (p->op)
		point.dimensions[point.n_dimensions++] = (metric_dimension){ S("Operation"), str_c(p->op->name) };
	for (unsigned i = 0; i < STEPS; i++) {
		point.value = p->steps[i].sum / (p->steps[i].count > 0 ? p->steps[i].count : 1);
		point.count = p->steps[i].count;
		if (point.count > 0)
			metric_later(&point);
	}
}

static void say_all(void)
{
	pthread_mutex_lock(&places.lock);
	for (unsigned i = 0; i < PLACES; i++) {
		if (places.v[i].when)
			say(&places.v[i]);
		places.v[i].when = 0;
	}
	pthread_mutex_unlock(&places.lock);
}
METRIC_SOURCE(dynamodb, say_all);

static void write_out(txn *tx, const later_item *items)
{
	(void)tx;
	(void)items;
	pthread_mutex_lock(&places.lock);
	places.told = false;
	pthread_mutex_unlock(&places.lock);
	say_all();
}

void ddb_watch_units(req *rq, const ddb_table *t, const ddb_units *u, bool write)
{
	const char *metric = write ? "ConsumedWriteCapacityUnits" : "ConsumedReadCapacityUnits";
	qty own = u->table;
	for (size_t i = 0; i < t->n_indexes; i++) {
		if (!t->indexes[i].global)
			own += u->index[i];
		else if (u->index[i])
			add(rq, t, &t->indexes[i], metric, NULL, (double)u->index[i] / 1e6);
	}
	if (own)
		add(rq, t, NULL, metric, NULL, (double)own / 1e6);
	if (rq->exchange)
		add(rq, t, NULL, "SuccessfulRequestLatency", rq->op,
		    (double)(clock_mono_us() - rq->exchange->received_us) / 1e3);
}

void ddb_watch_throttle(req *rq, const ddb_table *t, const ddb_index *ix, bool write)
{
	add(rq, t, ix, write ? "WriteThrottleEvents" : "ReadThrottleEvents", NULL, 1);
	add(rq, t, NULL, "ThrottledRequests", rq->op, 1);
}

void ddb_watch_count(req *rq, const ddb_table *t, const char *metric, double n, bool by_operation)
{
	add(rq, t, NULL, metric, by_operation ? rq->op : NULL, n);
}

static err start(store *s, str data)
{
	(void)data;
	pthread_mutex_lock(&places.lock);
	places.later = later_open(s, WAIT_MS, write_out);
	pthread_mutex_unlock(&places.lock);
	return OK;
}

static void stop(void)
{
	pthread_mutex_lock(&places.lock);
	later *l = places.later;
	places.later = NULL;
	pthread_mutex_unlock(&places.lock);
	later_close(l);
}
SERVER_PART(dynamodb_metrics, start, stop);
