/*
 * A folder and all folders in it, watched for changes (inotify). Folders that appear are watched from then
 * on; what was put into one before it was watched counts as a change of the folder itself. One thread.
 */
#pragma once
#include "base/err.h"

typedef struct folder_watch folder_watch;

/* `skip` names folders that are not looked into (".git"); or NULL. */
err folder_watch_open(arena *a, str path, bool (*skip)(str name), folder_watch **out);
void folder_watch_close(folder_watch *w);

/* Waits for a change, then until nothing has changed for quiet_ms, at most ten times that. False: none came
 * within wait_ms (-1: for ever). */
bool folder_watch_wait(folder_watch *w, int wait_ms, int quiet_ms);
