/* The process in which one query runs (run/query.h): the server starts it, nobody else has a use for it. */
#include "cmd/cmd.h"
#include "run/query.h"

static int engine_run(arena *mem, int argc, char **argv)
{
	(void)argc, (void)argv;
	return query_engine(mem);
}

__attribute__((section("farthing_verbs"), used)) static const verb *const verb_entry_query_engine =
	&(const verb){ "query-engine", "query-engine", "(the server's own: one query in a sandbox)", engine_run };
