/*
 * Zip archives as Lambda takes them: read whole from memory, by their central directory. Stored and
 * deflated entries, Unix modes, symbolic links; no encryption, no parts, no 64-bit sizes (a package is
 * smaller). Every name is checked, every size bounded, and nothing is written through a link.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"

typedef struct zip_entry {
	str name;            /* relative, without empty, . or .. parts; folders end in '/' */
	unsigned mode;       /* permission bits, 0 when the archive has none */
	bool folder, link;
	uint32_t size, packed, crc;
	int method;          /* 0 or 8 */
	size_t offset;       /* of the local header */
} zip_entry;

typedef struct zip_archive {
	arena *mem;
	str bytes;
	size_t n, at;        /* entries, and the next one's place in the directory */
	size_t next;
} zip_archive;

/* False: not a zip archive. */
bool zip_open(arena *mem, str bytes, zip_archive *out);
/* 1: an entry; 0: no more; -1: malformed. */
int zip_next(zip_archive *z, zip_entry *out);
/* Gives the content piece by piece; false when it is not what the directory says, or `put` said so. */
bool zip_content(const zip_archive *z, const zip_entry *e, bool (*put)(void *context, const char *p,
                                                                       size_t n),
                 void *context);

/* Sum of the sizes, or -1 when malformed. */
int64_t zip_unpacked_size(arena *mem, str bytes);
/* Into a folder that exists and is empty. False: *why says what is wrong. */
bool zip_unpack(arena *mem, str bytes, str folder, int64_t most, const char **why);
