/* Starts and stops the service with the server. */
#include "cloud/server.h"
#include "poll.h"
#include "pool.h"
#include "provision.h"
#include "sys/file.h"

static err start(store *s, str data_folder)
{
	arena *mem = arena_open(1024);
	err failed = interpreter_start(path_join(mem, data_folder, S("run")));
	if (!failed) {
		arena_close(mem);
		TRY(code_start(s, data_folder));
		pool_start(s);
		poll_start(s);
		provision_start(s);
		return OK;
	}
	return failed; /* its message lives in `mem` */
}

static void halt(void)
{
	provision_halt();
	poll_halt();
	pool_halt();
}

static void stop(void)
{
	provision_stop();
	poll_stop();
	pool_stop();
}
SERVER_PART_HALT(lambda, start, stop, halt);
