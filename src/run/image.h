/*
 * Container images on disk: where the registry keeps blobs, and how layers become a root folder.
 *
 * Layers are hostile input. Unpacking stays inside the root: every step of a path is opened without
 * following links, hard links may only point at regular files already inside, devices, sockets and pipes
 * are refused, and sizes and counts are bounded. Owners are dropped (all belongs to the caller), modes keep
 * their permission bits without set-id. Whiteouts (.wh.NAME, .wh..wh..opq) take away what lower layers put.
 */
#pragma once
#include "base/err.h"

/* <data>/ecr/blobs/ab/cdef.. of sha256:abcdef.. ; the digest has been checked. */
str image_blob_path(arena *mem, str data_folder, str digest);

typedef struct image_limits {
	int64_t bytes;   /* of all files after unpacking; 0: 10 GiB, Lambda's own limit */
	int64_t entries; /* 0: a million */
} image_limits;

/* Unpacks one layer (tar, plain or compressed with gzip or zstd) over what stands in `root`, an existing
 * folder. Faults are of kind fault_syntax (the layer) or fault_system (the disk); what was written stays.
 * Layers of one image are applied in order, with the same `used`, which begins as zeroes. */
typedef struct image_used { int64_t bytes, entries; } image_used;
err image_unpack(arena *mem, str layer_file, str root, const image_limits *limits, image_used *used);

/* Makes an unpacked image fit for being a sandbox's root: what is mounted over (/proc, /dev, /tmp) becomes
 * real folders whatever stood there, and there is an /etc/hosts. */
err image_finish(arena *mem, str root);

/* The path inside of a program named without a slash, looked for in `path` (folders with ':' between), links
 * followed as they are inside; STR_NONE: there is none. */
str image_program(arena *mem, str root, str name, str path);
