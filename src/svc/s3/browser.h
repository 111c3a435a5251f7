/*
 * Requests of browsers that are no operations: see browser.c and form.c.
 */
#pragma once
#include "wire/http.h"

/* The bucket that host or path name, or STR_NONE; *only: and nothing behind it. */
str browser_bucket(const http_exchange *x, bool *only);
