#include "run/image.h"

str image_blob_path(arena *mem, str data_folder, str digest)
{
	str hex = str_sub(digest, 7, digest.n);
	return arena_fmt(mem, "%.*s/ecr/blobs/%.2s/%.*s", STR_ARG(data_folder), hex.p, (int)hex.n - 2,
	                 hex.p + 2);
}
