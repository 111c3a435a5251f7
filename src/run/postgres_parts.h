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

/*
 * A base: a folder of the root with the files that several backups have in common, all but their log and
 * settings. These have no copies of them, not even links; it goes with the last one.
 */
#define POSTGRES_WHOLE "whole"
bool postgres_has_base(arena *a, str root, str name);
/* The folder with most of the data: its base, or itself. */
str postgres_beneath(arena *a, str root, str name);
/* Makes what was gathered in ROOT/NAME/whole the base of NAME. */
err postgres_base_lay(arena *a, str root, str name);
/* NAME stands on the base of `of` too. */
err postgres_base_share(arena *a, str root, str of, str name);
/* NAME is about to be removed: so is its base if nobody else stands on it. */
void postgres_base_leave(arena *a, str root, str name);
