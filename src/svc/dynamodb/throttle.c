#include "base/time.h"
#include "svc/dynamodb/table_options.h"
#include "svc/dynamodb/usage.h"
#include <pthread.h>

#define BURST_SECONDS 300
#define MAX_BURST_SECONDS 2 /* of a maximum that the user has set */
#define PLACES 4096         /* of buckets; more tables at once than that share none, the oldest begins anew */
#define REACH 8

/* Of a table or index, for reads or writes. Units in millionths, times in milliseconds. */
typedef struct bucket {
	uint64_t table;
	int64_t key;    /* key_of */
	int64_t at;     /* up to here it is filled */
	qty tokens;
	int64_t minute; /* on demand: the minute that is counted */
	qty used, peak; /* in it; the highest one's units a second */
} bucket;

static struct {
	pthread_mutex_t lock;
	bucket v[PLACES];
} buckets = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* What a bucket fills at; 0: no bucket, there is no limit. */
typedef struct flow {
	qty rate; /* a second */
	int64_t seconds;
	bool provisioned;
} flow;

static bucket *bucket_of(const ddb_table *t, int64_t key, qty full, int64_t now)
{
	uint64_t h = (t->id * 256 + (uint64_t)key) * UINT64_C(0x9e3779b97f4a7c15);
	bucket *oldest = NULL;
	for (unsigned i = 0; i < REACH; i++) {
		bucket *b = &buckets.v[(h >> 32 | i << 1) % PLACES];
		if (b->table == t->id && b->key == key)
			return b;
		if (!oldest || b->at < oldest->at)
			oldest = b;
	}
	*oldest = (bucket){ .table = t->id, .key = key, .at = now, .tokens = full, .minute = now / MS_MINUTE };
	return oldest;
}

/* The rate that on-demand has come to: twice the highest minute, and what every table begins with. */
static qty grown(bucket *b, qty least, int64_t now)
{
	if (now / MS_MINUTE != b->minute) {
		qty rate = b->used / 60;
		b->peak = rate > b->peak ? rate : b->peak;
		b->minute = now / MS_MINUTE;
		b->used = 0;
	}
	return b->peak * 2 > least ? b->peak * 2 : least;
}

static void fill(bucket *b, flow f, int64_t now)
{
	qty rate = f.provisioned ? f.rate : grown(b, f.rate, now), full = rate * f.seconds;
	int64_t passed = now - b->at;
	if (passed > 0) {
		qty added = passed > f.seconds * MS_SECOND ? full : rate / MS_SECOND * passed;
		b->tokens = added >= full || b->tokens + added > full ? full : b->tokens + added;
		b->at = now;
	}
	if (b->tokens > full)
		b->tokens = full;
}

static flow flow_of(const ddb_table *t, const ddb_index *ix, bool write, bool maximum)
{
	const ddb_rates *r = ix ? &ix->rates : &t->rates;
	if (maximum)
		return (flow){ QTY(t->on_demand ? (write ? r->max_writes : r->max_reads) : 0), MAX_BURST_SECONDS,
			           true };
	if (t->on_demand) {
		int64_t least = write ? DDB_ON_DEMAND_WRITES : DDB_ON_DEMAND_READS;
		int64_t warm = write ? r->warm_writes : r->warm_reads;
		return (flow){ QTY(warm > least ? warm : least), BURST_SECONDS, false };
	}
	return (flow){ QTY(write ? r->writes : r->reads), BURST_SECONDS, true };
}

/* Another billing mode is another bucket: debts do not move. */
static int64_t key_of(const ddb_table *t, const ddb_index *ix, bool write, bool maximum)
{
	return (ix ? ix->id : 0) * INT64_C(8) + write * 4 + maximum * 2 + t->on_demand;
}

/* Whether there is anything left; takes `units`. */
static bool draw(const ddb_table *t, const ddb_index *ix, bool write, bool maximum, qty units, int64_t now)
{
	flow f = flow_of(t, ix, write, maximum);
	if (!f.rate)
		return true;
	pthread_mutex_lock(&buckets.lock);
	bucket *b = bucket_of(t, key_of(t, ix, write, maximum), f.rate * f.seconds, now);
	fill(b, f, now);
	bool left = b->tokens > 0;
	b->tokens -= units;
	b->used += units;
	pthread_mutex_unlock(&buckets.lock);
	return left;
}

#define RAISE "Consider increasing your provisioning level "

static dynamodb_ThrottlingReasonList reasons(req *rq, const ddb_table *t, const ddb_index *ix,
                                             const char *what)
{
	dynamodb_ThrottlingReason *r = arena_new(rq->mem, dynamodb_ThrottlingReason);
	r->reason = str_c(what);
	r->resource = ix ? arena_fmt(rq->mem, "%.*s/index/%.*s", STR_ARG(t->arn), STR_ARG(ix->name)) : t->arn;
	return (dynamodb_ThrottlingReasonList){ r, 1 };
}

static err exceeded(req *rq, const ddb_table *t, const ddb_index *ix, bool write)
{
	static const char *const why[2][2] = {
		{ "TableReadProvisionedThroughputExceeded", "TableWriteProvisionedThroughputExceeded" },
		{ "IndexReadProvisionedThroughputExceeded", "IndexWriteProvisionedThroughputExceeded" },
	};
	dynamodb_ProvisionedThroughputExceededException_error *detail =
		arena_new(rq->mem, dynamodb_ProvisionedThroughputExceededException_error);
	detail->ThrottlingReasons = reasons(rq, t, ix, why[ix != NULL][write]);
	return fail_with(
		rq, &dynamodb_ProvisionedThroughputExceededException, detail, "%s",
		ix ? "The level of configured provisioned throughput for one or more global secondary indexes of "
			 "the table was exceeded. " RAISE "for the under-provisioned global secondary indexes with "
			 "the UpdateTable API"
		   : "The level of configured provisioned throughput for the table was exceeded. " RAISE
			 "with the UpdateTable API.");
}

static err throttled(req *rq, const ddb_table *t, const ddb_index *ix, bool write, bool maximum)
{
	static const char *const why[2][2] = {
		{ "TableReadKeyRangeThroughputExceeded", "TableWriteKeyRangeThroughputExceeded" },
		{ "TableReadMaxOnDemandThroughputExceeded", "TableWriteMaxOnDemandThroughputExceeded" },
	};
	static const char *const of_index[2][2] = {
		{ "IndexReadKeyRangeThroughputExceeded", "IndexWriteKeyRangeThroughputExceeded" },
		{ "IndexReadMaxOnDemandThroughputExceeded", "IndexWriteMaxOnDemandThroughputExceeded" },
	};
	dynamodb_ThrottlingException_error *detail = arena_new(rq->mem, dynamodb_ThrottlingException_error);
	detail->throttlingReasons = reasons(rq, t, ix, (ix ? of_index : why)[maximum][write]);
	return fail_with(
		rq, &dynamodb_ThrottlingException, detail, "%s",
		maximum ? "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
				: "Throughput exceeds the current capacity of your table or index. DynamoDB is "
				  "automatically scaling your table or index so please try again shortly. If exceptions "
				  "persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/"
				  "latest/developerguide/bp-partition-key-design.html");
}

static err admit(req *rq, const ddb_table *t, const ddb_index *ix, bool write)
{
	bool within = draw(t, ix, write, false, 0, rq->now);
	bool below = !t->on_demand || draw(t, ix, write, true, 0, rq->now);
	if (within && below)
		return OK;
	ddb_watch_throttle(rq, t, ix, write);
	return t->on_demand ? throttled(rq, t, ix, write, !below) : exceeded(rq, t, ix, write);
}

err ddb_admit_read(req *rq, const ddb_table *t, const ddb_index *ix)
{
	return admit(rq, t, ix && ix->global ? ix : NULL, false);
}

err ddb_admit_write(req *rq, const ddb_table *t)
{
	TRY(admit(rq, t, NULL, true));
	for (size_t i = 0; i < t->n_indexes; i++)
		if (t->indexes[i].global && !t->indexes[i].building)
			TRY(admit(rq, t, &t->indexes[i], true));
	return OK;
}

/* A local index lives from the table's capacity. */
void ddb_take(const ddb_table *t, const ddb_units *u, bool write, int64_t now)
{
	qty own = u->table;
	for (size_t i = 0; i < t->n_indexes; i++) {
		if (!t->indexes[i].global)
			own += u->index[i];
		else if (u->index[i])
			for (int maximum = 0; maximum <= t->on_demand; maximum++)
				draw(t, &t->indexes[i], write, maximum, u->index[i], now);
	}
	for (int maximum = 0; own && maximum <= t->on_demand; maximum++)
		draw(t, NULL, write, maximum, own, now);
}
