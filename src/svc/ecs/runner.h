/*
 * What runs: a thread for each task that is up, with its containers in sandboxes.
 */
#pragma once
#include "ecs.h"

err ecs_runner_open(store *s, str data_folder);
/* Ends every wait. */
void ecs_runner_halt(void);
/* Kills what runs and waits for its threads. */
void ecs_runner_close(void);
/* false: there is no room for another thread now. */
bool ecs_runner_start(store *s, const ecs_task *t);
/* false: nothing of that id runs. */
bool ecs_runner_wake(str id);

str ecs_data_folder(void);
