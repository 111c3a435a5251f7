/*
 * The named statements of one client of a pool: what it calls by name is sent to the server as the unnamed
 * statement, with its text before it, and the answers to that are taken out. One thread.
 */
#pragma once
#include "base/arena.h"

#define STATEMENTS_MESSAGE_MAX ((size_t)64 << 20)

typedef struct statements statements;

statements *statements_open(void);
void statements_close(statements *s);
/* Whether a client's message of this kind names statements: Parse, Bind, Describe, Close. */
bool statements_look(char kind);
/* What to send to the server for it; STR_NONE: the client is beyond what it may keep. */
str statements_ask(arena *a, statements *s, char kind, str body);
/* A client's message of another kind goes by; false: more waits than can be followed. */
bool statements_pass(statements *s, char kind);
/* A server's message: whether the client is told of it. */
bool statements_answer(statements *s, char kind);
