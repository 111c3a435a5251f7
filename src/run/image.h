/*
 * Container images on disk: where the registry keeps blobs.
 */
#pragma once
#include "base/err.h"

/* <data>/ecr/blobs/ab/cdef.. of sha256:abcdef.. ; the digest has been checked. */
str image_blob_path(arena *mem, str data_folder, str digest);
