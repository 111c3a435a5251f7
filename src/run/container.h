/*
 * A container's own root folder: an image's layers unpacked for it alone, belonging to the user as whom its
 * programs run (run/sandbox.h), so that they may write anywhere in it.
 *
 * The layers are hostile, and so is what stands in the folder afterwards: nothing here follows a link in it.
 * Nothing may run in the root while these are called.
 */
#pragma once
#include "base/err.h"

/* `root` must not exist. Layers are files, the lowest first. */
err container_root(arena *mem, str root, const str *layers, size_t n, unsigned user);
/* Makes the folder `path` (absolute) of the root, over which something is to be mounted. */
err container_mount_point(arena *mem, str root, str path, unsigned user);
/* A folder of the machine's that belongs to the user; existing is fine. */
err container_volume(arena *mem, str folder, unsigned user);
