/*
 * What those ask and say besides who hand on the answers of others (wire/http.h has the rest).
 */
#pragma once
#include "wire/http.h"

/* The first request of its connection. */
bool http_is_first(const http_exchange *x);
/* In place of http_stream_end: what was sent is not all, and the client learns it by the connection's end
 * without a last chunk. */
void http_stream_break(http_exchange *x);
