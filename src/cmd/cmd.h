/*
 * The farthing command: one verb a file. A verb gets what follows its name and returns the exit status:
 * 0 done, 1 failed (a sentence on standard error says why and what to do), 2 wrong usage.
 */
#pragma once
#include "base/err.h"

typedef struct verb {
	const char *name;
	const char *usage;   /* what follows "farthing " */
	const char *summary; /* one line */
	int (*run)(arena *mem, int argc, char **argv);
} verb;

#define VERB(id, usage_, summary_, run_) \
	static const verb verb_##id = { #id, usage_, summary_, run_ }; \
	__attribute__((section("farthing_verbs"), used)) static const verb *const verb_entry_##id = &verb_##id

/*
 * Options are --name VALUE, --name=VALUE or --name; a verb lists those it knows. Anything else is left in
 * order in `rest`.
 */
typedef struct option {
	const char *name;   /* without the dashes */
	bool takes_value;
	str value;          /* of the last one given; an empty string for a bare option */
	bool given;
} option;

/* false: a sentence has been printed. */
bool options_read(option *options, size_t n, int argc, char **argv, str *rest, size_t *n_rest);

/* Prints "farthing: ..." on standard error and returns 1. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int complain_fault(err e);
/* The same for wrong usage: returns 2 and names the help. */
int usage_error(const char *about, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The data folder when --data is not given: $FARTHING_DATA, else ~/.local/share/farthing. */
str default_data(arena *mem);

/* What a running server leaves in its data folder (server.json), for the other verbs. */
typedef struct running {
	int64_t pid;
	int port;
	str address, endpoint, token, version;
	bool strict;
} running;

err running_write(arena *mem, str data, const running *r);
void running_remove(arena *mem, str data);
/* false: no server runs on this folder (a stale file is taken away). */
bool running_find(arena *mem, str data, running *out);
/* Asks the running server: GET or POST /_farthing/... with its token. 0 when it does not answer. */
int running_ask(arena *mem, const running *r, str method, str path, str *body);
/* POST with a body. */
int running_send(arena *mem, const running *r, str path, str content, str *body);

#define FARTHING_VERSION "0.1.0"
