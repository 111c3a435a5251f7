/*
 * Parts of run/postgres that are files of their own.
 */
#pragma once
#include "run/postgres.h"

/* ROOT/NAME/PART */
str postgres_folder(arena *a, str root, str name, const char *part);
/* A key and a certificate signed by itself, both of the engines' user; ten years. */
err postgres_certificate(arena *a, str certificate_path, str key_path);
