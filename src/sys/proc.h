/*
 * Child processes. Every child dies with the server (PR_SET_PDEATHSIG) unless stated otherwise,
 * has no inherited descriptors but those named, and is reaped by whoever started it.
 */
#pragma once
#include "base/err.h"
#include <sys/types.h>

typedef struct proc_spec {
	const char *const *argv;  /* argv[0] is the program, looked up in PATH */
	const char *const *env;   /* whole environment; NULL: PATH, HOME and LANG only */
	str directory;            /* empty: / */
	str user;                 /* run as this user; empty: as we are */
	int in, out, err;         /* descriptors to become 0, 1, 2; -1: /dev/null */
} proc_spec;

err proc_start(arena *a, const proc_spec *spec, pid_t *pid);
/* Runs to its end; *output (when wanted) is stdout and stderr together, at most 1 MiB. */
err proc_run(arena *a, const proc_spec *spec, int *exit_status, str *output);
