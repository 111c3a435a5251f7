#include "cloud/notice.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "test/test.h"
#include <stdatomic.h>
#include <unistd.h>

static _Atomic bool came_later;

TASK(notice_test_later)
{
	came_later = true;
	return TASK_DONE;
}

static bool add_both(void *context, txn *tx)
{
	(void)context;
	task_add(tx, "notice", S("no row of ours"), 0);
	task_add(tx, "notice_test_later", S(""), 0);
	return true;
}

/* What nobody can read is dropped, and what comes behind it is done. */
TEST(notice_that_is_none)
{
	store *s;
	str folder = arena_fmt(mem, "/tmp/farthing-notice-test-%d", (int)getpid());
	CHECK(!store_open(mem, &(store_options){ .path = folder }, &s));
	pool *workers = pool_open(1);
	due_start(s, workers);
	CHECK(!store_write(s, add_both, NULL));
	for (int i = 0; i < 6000 && !came_later; i++)
		clock_sleep_ms(10);
	CHECK(came_later);
	due_stop(s);
	pool_close(workers);
	store_close(s);
	CHECK(!dir_remove(mem, folder));
}
