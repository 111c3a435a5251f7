/*
 * Redis's protocol, as far as a client needs it that asks one thing at a time over a socket in a server's
 * folder.
 */
#pragma once
#include "run/redis.h"

/* FOLDER/redis.sock; -1: nobody listens. */
int redis_dial(arena *a, str folder);
bool redis_send(arena *a, int fd, const str *words, size_t n);
/* An error of the server's is a fault. */
err redis_receive(arena *a, int fd, redis_reply *out);
