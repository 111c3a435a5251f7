/*
 * Where contents lie on the disk: private to content*.c.
 */
#pragma once
#include "content.h"

#define CONTENT_BLOCK ((size_t)128 << 10)

/* A new, empty file below objects/tmp, whose id is in use until `mem` ends. -1 and *why on failure. */
int content_create(arena *mem, str *id, err *why);
/* Moves a written file to its place, durably, and closes nothing. */
err content_keep(arena *mem, int fd, str id);
/* Another name for a whole file, durable; false when the file system refuses. */
bool content_link(arena *mem, str from, str to);
int content_open(arena *mem, str id);
void content_unlink(arena *mem, str id);
/* The id is in use until `mem` ends: no sweep and no removal touches what it names. */
void content_use(arena *mem, str id);
bool content_used(str id);
