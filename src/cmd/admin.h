/*
 * What the other verbs ask of a running server: /_farthing/..., with the token of server.json in
 * x-farthing-token (status alone needs none). Not an AWS API.
 */
#pragma once
#include "cloud/server.h"
#include "wire/http.h"

/* The clock turns up to here: a slip of the finger would otherwise fire what is due in thousands of years. */
#define CLOCK_END INT64_C(7258118400000) /* 2200-01-01 */

void admin_start(server *s, str token);
/* Whether the request carries the token; when not, it has been answered. For the other /_farthing planes. */
bool admin_allows(http_exchange *x);
