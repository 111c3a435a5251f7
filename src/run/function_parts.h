/*
 * What the files of a function environment share: its state, its connections, its log.
 */
#pragma once
#include "run/function.h"

#define CONNECTIONS_MAX 16
#define LOG_EVENT_MAX ((size_t)256 << 10)
#define INPUT_BYTES ((size_t)32 << 10)

typedef struct connection {
	int fd;
	char *in;              /* INPUT_BYTES, from accept to close */
	size_t n;
	bool in_body, waits;   /* waits: has asked for the next event */
	int extension;         /* it is an extension's that asked: its number, counted from 1; else 0 */
	int owed;              /* answers to posts, not sent yet */
	rapi_request request;
	char id[136], error_type[128], content_type[128]; /* copies: the head's bytes move on */
	bool keep;             /* the body is of interest */
	buf body;
	bool too_large;
	bool streams;          /* the body goes to env->sink */
	int64_t streamed;      /* bytes of it */
	buf trailers;
} connection;

typedef struct function_log {
	int fd;
	char *p;               /* what has come of the current event or line */
	size_t n, capacity;
	void (*sink)(void *context, str line);
	void *context;
} function_log;

typedef struct extension {
	char name[129], id[37];
	bool invoke, shutdown;      /* what it wants to hear of */
	bool internal;              /* a part of the runtime's process */
} extension;

typedef struct extensions {
	extension v[SANDBOX_EXTRA_MAX * 2];
	int n, external;            /* registered; of those that were started */
	int expected;
	char function[72], version[16], handler[136];
	char error_type[128];       /* one has reported that it failed, or has ended */
	bool leaving;
} extensions;

struct function_env {
	sandbox *sb;
	extensions *ext;       /* NULL while there are none: most functions have none */
	function_log log;
	void (*segment)(void *context, str document);
	connection connections[CONNECTIONS_MAX];
	int n;                 /* connections in use */
	arena *scratch;        /* for heads we write */
	bool initialised;      /* has asked for its first event */
	bool running;          /* has an event and has not answered */
	char id[72];           /* of that event */
	arena *mem;            /* of that invocation, for the answer */
	function_result *result;
	const function_sink *sink; /* of the invocation, or NULL */
	bool answered;         /* *result has an outcome from the runtime */
	bool ended, out_of_memory, timed_out, halted;
	int status;            /* wait status, when ended */
	int64_t rss_checked_us;
	int64_t peak_bytes, measured_us; /* memory as last measured */
	int measures;
	char directory[64];    /* an image's, as far as a message holds it */
};

/* function_log.c */
void function_log_open(function_log *l, int fd);
/* Takes everything that is there to be read. */
void function_log_drain(function_log *l);
/* The end: what stands without a line end is a line too. */
void function_log_close(function_log *l);

/* function_trace.c: takes every document that has come, as X-Ray's SDKs send them to the daemon. */
void function_trace_drain(function_env *env);

/* function_api.c: accept, read, answer. Nothing here waits, but sending to a slow runtime up to until_us. */
void function_accept(function_env *env);
void function_readable(function_env *env, connection *c, int64_t until_us);
bool function_send_event(function_env *env, connection *c, const rapi_event *e, int64_t until_us);
void function_disconnect(connection *c);

/* function_extension.c: the Extensions API, and what hangs on it. */
/* Whether the connection's request is one of it; then it has been answered, or waits. */
bool function_extension_act(function_env *env, connection *c, int64_t until_us);
/* All that have registered have asked for an event, and all that were started have registered. */
bool function_extensions_rest(const function_env *env);
bool function_extensions_registered(const function_env *env);
/* One of them has ended or said that it failed. */
bool function_extension_failed(function_env *env);
void function_extensions_invoke(function_env *env, const rapi_event *e, int64_t until_us);
/* True when nobody wants to hear of the end. */
bool function_extensions_shutdown(function_env *env, const char *reason, int64_t until_us);
/* function_api.c */
bool function_send(function_env *env, connection *c, buf *b, int64_t until_us);
void function_refuse(function_env *env, connection *c, int status, const char *type, const char *message,
                     int64_t until_us);

/* function_spec.c */
err function_sandbox(arena *mem, const function_spec *spec, int output, sandbox **out);
/* provided.*: AWS's sentence when the code has no program to run, else STR_NONE. */
str function_no_entry(arena *mem, const function_spec *spec);
