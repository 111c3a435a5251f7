/*
 * AWS/S3 NumberOfObjects: at midnight, how many objects each bucket holds, with all their versions and delete
 * markers. Counted by a task, a piece at a time.
 */
#include "base/time.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "bucket.h"
#include "store/due.h"
#include "sys/clock.h"

#define PIECE 20000

TIMER(s3_count)
{
	task_add(tx, "s3_count_objects", arena_fmt(txn_arena(tx), "%lld", (long long)due), 0);
	timer_every(tx, "s3_count", MS_DAY, due);
}

/* Rows of a kind that a bucket has. */
static double rows_of(store *s, arena *mem, const record_kind *kind, str bucket)
{
	s3_version first = { .Bucket = bucket, .Key = S("") };
	double n = 0;
	/* What all keys of the bucket begin with: the kind, a zero byte, the bucket, its end. */
	str whole = record_key(mem, kind, &first);
	str from = str_sub(whole, 0, strlen(kind->name) + 1 + bucket.n + 2);
	str end = key_after_prefix(mem, from);
	for (bool more = true; more;) {
		size_t seen = 0;
		const txn *tx = store_read(s);
		cursor c = txn_scan(tx, from, end, false);
		while ((more = cursor_next(&c)) && ++seen < PIECE)
			;
		if (more)
			from = arena_concat(mem, c.key, str_of("\0", 1));
		cursor_close(&c);
		store_read_end(s, tx);
		n += (double)seen;
	}
	return n;
}

TASK(s3_count_objects)
{
	int64_t when;
	size_t n = 0, capacity = 64;
	ensure(str_to_i64(payload, &when));
	s3_bucket **all = arena_array(mem, s3_bucket *, capacity);
	const txn *tx = store_read(s);
	record_scan scan = s3_bucket_scan(tx, mem, 0, STR_NONE);
	for (s3_bucket *b; (b = s3_bucket_next(&scan));) {
		if (n == capacity) {
			s3_bucket **wider = arena_array(mem, s3_bucket *, capacity *= 2);
			memcpy(wider, all, n * sizeof *all);
			all = wider;
		}
		all[n++] = b;
	}
	store_read_end(s, tx);
	for (size_t i = 0; i < n; i++) {
		double objects = rows_of(s, mem, &s3_object_record, all[i]->Name) +
		                 rows_of(s, mem, &s3_version_record, all[i]->Name);
		metric_later(&(metric_point){ .account = all[i]->Account, .region = all[i]->Region,
			.name_space = S("AWS/S3"), .name = S("NumberOfObjects"), .unit = S("Count"), .when = when,
			.value = objects, .n_dimensions = 2, .dimensions = { { S("BucketName"), all[i]->Name },
				{ S("StorageType"), S("AllStorageTypes") } } });
	}
	return TASK_DONE;
}

static bool first_plan(void *context, txn *tx)
{
	(void)context;
	timer_every(tx, "s3_count", MS_DAY, clock_now());
	return true;
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	return store_write(s, first_plan, NULL);
}

static void stop(void) {}

SERVER_PART(s3_count, start, stop);
