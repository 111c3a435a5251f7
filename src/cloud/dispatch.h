/*
 * From an HTTP exchange to a handler and back: identify, authenticate, decode, validate, authorise, run on
 * the right thread, meter, encode, reply, and one line in the request log.
 */
#pragma once
#include "store/store.h"
#include "wire/http.h"

struct pool;

typedef struct dispatcher {
	store *store;
	struct pool *workers;
	bool strict;      /* only requests signed by a key that Farthing issued */
	bool enforce_iam;
} dispatcher;

/* The application for http_serve; its context is the dispatcher. */
extern const http_app dispatch_app;
