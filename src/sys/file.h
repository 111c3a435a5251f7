/*
 * Files, for everything but the store's own pages. Paths are C strings inside str (arena_str makes
 * them so). Failures are faults of kind fault_system with the path and the system's reason.
 */
#pragma once
#include "base/err.h"

err file_read(arena *a, str path, size_t max_bytes, str *out);
/* Durable and atomic: temporary file, sync, rename, sync of the folder. */
err file_write(arena *a, str path, str bytes, unsigned mode);
/* To another name on the same disk, in place of what has it; durable. */
err file_move(arena *a, str from, str to);
bool file_exists(str path);
err dir_make(arena *a, str path, unsigned mode); /* parents too; existing is fine */
err dir_remove(arena *a, str path);              /* with everything in it; missing is fine */
/* Names in a folder without . and .., sorted. */
err dir_list(arena *a, str path, str **names, size_t *n);
str path_join(arena *a, str dir, str name);
/* From the root, as seen from the current folder. */
str path_absolute(arena *a, str path);
