/*
 * Parts of run/postgres that are files of their own.
 */
#pragma once
#include "run/postgres.h"

/* ROOT/NAME/PART */
str postgres_folder(arena *a, str root, str name, const char *part);
err postgres_folders(arena *a, str root, str name);
/* Durable, of the engines' user, readable by it alone. */
err postgres_file(arena *a, str path, str bytes);
/* A key and a certificate signed by itself, both of the engines' user; ten years. */
err postgres_certificate(arena *a, str certificate_path, str key_path);
/* Nobody stands in the data folder any more, and no lock of a dead server lies there. */
err postgres_evict(arena *a, str data);
