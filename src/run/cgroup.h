/*
 * Control groups: memory, CPU and process limits, and freezing, for one sandbox each.
 *
 * Three back-ends, chosen once at start: version 2, version 1 (also the hybrid layout, where limits are
 * version 1 and freezing and killing are version 2), and none (then the sandbox falls back on rlimits and
 * on looking at resident sizes now and then). Groups are named after the server's process, so several
 * servers share a machine; those of a dead server are emptied and removed at the next start.
 *
 * Moving a process into a version 1 group can wait for an RCU grace period (14 ms seen). So it is never
 * done on the way of a launch: the launching thread sits in the group of the next sandbox beforehand, and
 * children are born in it.
 */
#pragma once
#include "base/err.h"
#include <sys/types.h>

typedef struct cgroup cgroup;

/* Once per process; later calls do nothing. */
void cgroup_start(void);
/* One sentence for `farthing doctor`. */
const char *cgroup_describe(void);
bool cgroup_limits_memory(void);
bool cgroup_limits_cpu(void);
bool cgroup_limits_pids(void);

/* NULL when there is no back-end at all. */
cgroup *cgroup_open(void);
/* The calling thread moves in (version 1): what it clones from now on is born inside. */
void cgroup_enter(const cgroup *g);
/* The calling thread returns to where the server was started. */
void cgroup_leave(void);
/* Its folder in version 2, to be born or to move into, or -1; the caller closes it. */
int cgroup_clone_fd(const cgroup *g);
/* Every process that is inside. False: there is no telling. */
bool cgroup_each(const cgroup *g, void (*visit)(void *context, pid_t pid), void *context);
/* Kills what is left and removes the group. False: something is still dying; call again later. */
bool cgroup_close(cgroup *g);

/*
 * `most` is never exceeded: what runs into it is killed or fails. Growing past `alarm` makes the
 * cgroup_oom_fd ready, once for each call.
 */
void cgroup_set_memory(cgroup *g, int64_t most);
void cgroup_set_alarm(cgroup *g, int64_t alarm);
/* Thousandths of one CPU; 0: no limit. */
void cgroup_set_cpu(cgroup *g, int64_t milli);
void cgroup_set_pids(cgroup *g, int count);
/* False: this back-end cannot; the caller stops and continues processes with signals. */
bool cgroup_freeze(cgroup *g, bool frozen);

typedef struct cgroup_memory {
	int64_t now, peak;
	int64_t cache;  /* part of `now` that can be had back: pages of files on disk */
	int64_t shared; /* part of `now`: tmpfs pages, which are not the function's memory on AWS */
} cgroup_memory;
cgroup_memory cgroup_memory_of(const cgroup *g);
/* Polls readable (POLLIN, or POLLPRI for version 2) after an alarm; -1 when there is none. */
int cgroup_oom_fd(const cgroup *g);
/* Takes the event back. */
void cgroup_oom_seen(const cgroup *g);
