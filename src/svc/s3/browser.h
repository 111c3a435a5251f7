/*
 * Requests of browsers that are no operations: see browser.c and form.c.
 */
#pragma once
#include "wire/http.h"

#include "cloud/req.h"

/* Whether an object is put for a form: an event of its own. */
static inline bool browser_form(const req *rq)
{
	return rq->parent && !rq->parent->op && rq->parent->exchange;
}
/* The bucket that host or path name, or STR_NONE; *only: and nothing behind it. */
str browser_bucket(const http_exchange *x, bool *only);
