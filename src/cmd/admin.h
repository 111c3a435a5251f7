/*
 * What the other verbs ask of a running server: /_farthing/..., with the token of server.json in
 * x-farthing-token (status alone needs none). Not an AWS API.
 */
#pragma once
#include "cloud/server.h"

void admin_start(server *s, str token);
