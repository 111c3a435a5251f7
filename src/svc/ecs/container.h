/*
 * One container of a task that runs: what it is made of, and its sandbox. Lives in its task's arena; one
 * thread
 * at a time uses it.
 */
#pragma once
#include "image.h"
#include "run/sandbox.h"

typedef enum box_state { BOX_WAITS, BOX_RUNS, BOX_ENDED } box_state;

typedef struct box_check {
	sandbox *sb;
	int64_t began_us, next_us;
	int64_t failures;
	int output;
} box_check;

typedef struct box {
	arena *mem;                       /* the task's */
	const ecs_task *task;             /* as it was when it began */
	const ecs_ContainerDefinition *d;
	const ecs_ContainerOverride *o;   /* NULL: none */
	ecs_image image;
	ecs_EnvironmentVariables secrets;
	str root, stream, group, log_region;
	unsigned user;
	box_state state;
	bool ready;                       /* HEALTHY, or it has no check */
	bool killed_for_memory;
	sandbox *sb;
	int output;                       /* what it says, or -1 */
	char line[16384];                 /* that has not ended yet */
	size_t line_n;
	int exit_code;
	str reason, health, runtime_id;
	int64_t began_us, stopping_us;
	box_check check;
} box;

/* A fault's message is what stoppedReason says. `own` is asked in the execution role's name. */
err box_secrets(req *own, box *b);
err box_log_open(req *own, box *b);
err box_start(arena *scratch, box *b, const ecs_TaskDefinition *d);
/* What it has said goes to its log. */
void box_read(box *b);
/* Notes that it has ended. */
void box_look(box *b);
/* Begins, follows and ends its health checks; true: `health` is another one. */
bool box_check_health(arena *scratch, box *b, int64_t now_us);
void box_close(box *b);
str box_key(arena *mem, const box *b);
