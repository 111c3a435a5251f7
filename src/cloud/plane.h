/*
 * Data planes: HTTP that is not an API call. A function URL, an execute-api host, a website, a registry.
 * A plane claims requests by host or path before API dispatch; it registers itself:
 *
 *     PLANE(lambda_url, match, serve)
 *
 * `match` must be quick, sees only the head, and returns true to claim the request. `serve` runs on a pool
 * thread with the whole body and answers with http_reply, once.
 *
 * A host of somebody's own domain that DNS leads to a name of ours (cloud/foreign_host.h) goes to the plane
 * that says of this name that it is `named` so, and to no other; there plane_name is that name.
 *
 * A plane whose bodies are too large for memory is a PLANE_STREAM: `open` follows `match` on the connection's
 * thread, must not block, and may set x->sink (and find it again in `serve`, with what its context holds;
 * x->body_cut says that the body is not whole).
 */
#pragma once
#include "wire/http.h"
#include "store/store.h"

typedef struct plane {
	const char *name;
	bool (*match)(const http_exchange *x);
	void (*serve)(http_exchange *x, store *s);
	void (*open)(http_exchange *x, store *s); /* or NULL */
	bool (*named)(str name);                  /* or NULL */
} plane;
#define PLANE(id, match_, serve_) PLANE_STREAM(id, match_, serve_, NULL)
#define PLANE_STREAM(id, match_, serve_, open_) PLANE_NAMED(id, match_, serve_, open_, NULL)
#define PLANE_NAMED(id, match_, serve_, open_, named_) \
	static const plane plane_##id = { #id, match_, serve_, open_, named_ }; \
	__attribute__((section("farthing_planes"), used)) static const plane *const plane_entry_##id = &plane_##id

/* In a plane: the name by which the request got here, its host's unless DNS says otherwise. */
str plane_name(const http_exchange *x);
