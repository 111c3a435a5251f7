/*
 * An engine: a database server of the machine's packages, run as an unprivileged user in a folder of its own,
 * watched, started again when it falls, and gone when we are gone.
 *
 * The folder may lie below one that its user cannot enter (a home of mode 0700): when we are root the child
 * sees `top`, a folder at or above it, at another place, by a mount of its own. Either way it stands in the
 * folder and knows it as /proc/self/cwd.
 *
 * Lifetime: from engine_start to engine_stop. Each engine has a thread, which is its parent: the kernel sends
 * `death_signal` when that thread ends, so nothing outlives a server that was killed. Any thread may call.
 */
#pragma once
#include "base/err.h"
#include <sys/types.h>

#define ENGINE_CWD "/proc/self/cwd"

typedef struct engine_process engine_process;

/* Who engines are: `postgres` if we are root (or `nobody` where there is no such user), else ourselves. */
typedef struct engine_user {
	uid_t uid;
	gid_t gid;
	bool change;      /* we are root and become it */
	const char *name; /* of uid */
	const char *own;  /* the name of the user that we are */
} engine_user;
const engine_user *engine_identity(void);

/* A folder that belongs to the engines' user; existing is fine. */
err engine_folder(arena *a, str path);

/* ROOT/FROM takes the name ROOT/TO. */
err engine_rename(arena *a, str root, str from, str to);

/*
 * A tool of the engine (initdb, a backup), as its user, to its end. *output is what it said, at most 64 KiB;
 * a fault has the end of it.
 */
err engine_run(arena *a, str top, str folder, const char *const *argv, str *output);

typedef struct engine_spec {
	const char *const *argv;  /* argv[0] is a path */
	str top, folder;          /* folder: to stand in */
	str log;                  /* file for what it says, appended to */
	int64_t memory_bytes;     /* limits; 0: none */
	int64_t cpu_milli;
	int death_signal;         /* when we die */
} engine_spec;

/* Everything in `spec` is copied. */
err engine_start(arena *a, const engine_spec *spec, engine_process **out);
typedef struct engine_awaiting {
	err (*answers)(arena *mem, void *context); /* OK as soon as it does */
	void *context;
	str log;
	const char *mark; /* what stands before words that say why it fell */
} engine_awaiting;
/* Until it answers. When it has fallen too often, or takes too long, the fault has its last words. */
err engine_await(arena *a, engine_process *e, const engine_awaiting *w);
/* 0 while it is down. */
pid_t engine_pid(engine_process *e);
/* The control group of its processes; NULL where there are none. */
const struct cgroup *engine_group(const engine_process *e);
/* How often it has been started; more than once means that it fell. */
unsigned engine_starts(engine_process *e);
void engine_signal(engine_process *e, int signal);
/* Sends the signal, waits, kills what is left, and frees the engine. */
void engine_stop(engine_process *e, int signal, int wait_ms);
void engine_limit(engine_process *e, int64_t memory_bytes, int64_t cpu_milli);
/* Between the two its CPU has no limit: for work that is not its own, such as a backup, which AWS's storage
 * does. Pairs may be nested; a limit that is set in between holds from the end on. */
void engine_lift(engine_process *e);
void engine_lift_end(engine_process *e);
/* What its processes have used so far, in milliseconds of one CPU; starts again with the engine. */
int64_t engine_cpu_ms(engine_process *e);
/* What they hold, in bytes. */
int64_t engine_memory(engine_process *e);
