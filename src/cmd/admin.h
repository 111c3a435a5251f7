/*
 * What the other verbs ask of a running server: /_farthing/..., with the token of server.json in
 * x-farthing-token (status alone needs none). Not an AWS API.
 */
#pragma once
#include "cloud/server.h"
#include "wire/http.h"

void admin_start(server *s, str token);
/* Whether the request carries the token; when not, it has been answered. For the other /_farthing planes. */
bool admin_allows(http_exchange *x);
