/*
 * A function environment: one sandbox with one runtime in it, and the server's end of its Runtime API. It
 * handles one event at a time. The thread that invokes does the socket work itself.
 *
 *     function_start     builds the sandbox, starts the runtime, waits until it asks for its first event
 *     function_invoke    hands over an event, waits for the answer, the deadline or the end of the process
 *     function_rest      after every invoke: waits until the runtime asks again, then freezes it
 *     function_stop
 *
 * What the function writes to its output reaches the sink line by line, in order, while it runs.
 */
#pragma once
#include "run/interpreter.h"
#include "run/runtime_api.h"
#include "run/sandbox.h"

#define FUNCTION_RESPONSE_MAX 6291556 /* bytes; AWS's 6 MB and what surrounds it */

#define FUNCTION_STREAM_MAX (INT64_C(200) << 20) /* bytes of a streamed answer */

typedef struct function_env function_env;

/* Takes a streamed answer piece by piece, on the thread that invokes; it may wait for whoever reads. */
typedef struct function_sink {
	void *context;
	void (*begin)(void *context, str content_type); /* before the first piece */
	bool (*piece)(void *context, str bytes);        /* false: nobody reads any more, the rest is dropped */
} function_sink;

typedef struct function_pair { str name, value; } function_pair;

/* What a container image says of itself, as configured. */
typedef struct function_image {
	const str *argv;         /* the entry point and its arguments */
	size_t n_argv;
	const function_pair *environment;
	size_t n_environment;
	str directory;           /* to start in */
	bool foreign;            /* made for another architecture than the function's */
} function_image;

typedef struct function_spec {
	const interpreter *interpreter;
	str request_id;          /* of the invocation that initialisation is a part of, if it is */
	str runtime, handler, name, version, region, log_group, log_stream;
	str access_key, secret_key, session_token; /* of the function's role */
	str endpoint;            /* AWS_ENDPOINT_URL */
	str code;                /* folder that becomes /var/task; of an image, its root */
	const function_image *image; /* or NULL: then `interpreter` runs the code */
	str layers[SANDBOX_LAYERS_MAX];
	int n_layers;
	const str *extensions;   /* programs in /opt/extensions, which run beside the runtime */
	int n_extensions;
	const function_pair *variables; /* the user's */
	size_t n_variables;
	int64_t memory_mb, tmp_mb;
	const char *initialization; /* AWS_LAMBDA_INITIALIZATION_TYPE; NULL: on-demand */
	sandbox_reach reach;
	const sandbox_judge *judge; /* of its connections, or NULL */
	const char *about;
	/* One log event, without its line end. On the thread that runs the environment. */
	void (*log)(void *context, str line);
	/* One document that the function sends to where it finds X-Ray's daemon. NULL: nobody wants them. */
	void (*segment)(void *context, str document);
	void *log_context; /* of both */
} function_spec;

typedef enum function_outcome {
	FUNCTION_OK,
	FUNCTION_ERROR,         /* the runtime said so: payload is its error object */
	FUNCTION_TIMEOUT,
	FUNCTION_EXITED,        /* payload is AWS's Runtime.ExitError */
	FUNCTION_OUT_OF_MEMORY,
	FUNCTION_TOO_LARGE,     /* the answer was: payload is Function.ResponseSizeTooLarge */
	FUNCTION_GONE,          /* it had died before it could be given the event: try another */
	FUNCTION_HALTED,        /* the server stops: what became of the event is not known */
} function_outcome;

typedef struct function_result {
	function_outcome outcome;
	str payload;          /* in the caller's arena */
	str error_type;       /* when not FUNCTION_OK */
	str content_type;     /* of a streamed answer */
	bool streamed;        /* it was sent as a stream; with a sink, that has had it: payload is an error's */
	int64_t duration_us;  /* from handing over to the answer */
	int64_t peak_bytes;   /* of memory, so far */
	bool ended;           /* the environment is of no more use: stop it */
} function_result;

/*
 * `limit_us` bounds the initialisation. A fault is the machine's (no sandbox, no folder); the function's own
 * failures are in `init`, and then *out is NULL. The strings of `spec` are needed during the call only.
 */
err function_start(arena *mem, const function_spec *spec, int64_t limit_us, function_env **out,
                   function_result *init);

/* `until_us` on the monotonic clock is when it is killed; e->deadline_ms is what the function is told. */
void function_invoke(function_env *env, arena *mem, const rapi_event *e, int64_t until_us,
                     function_result *out);

/* Where the next invocation's answer goes if it is streamed; NULL: it is collected, up to
 * FUNCTION_RESPONSE_MAX. */
void function_stream_to(function_env *env, const function_sink *sink);

/* Waits up to wait_us for the runtime to ask for more, then freezes. False: not yet; call again. When
 * *ended is set it never will. */
bool function_rest(function_env *env, int64_t wait_us, bool *ended);

/* From now on whoever waits for a function waits no more, and nothing is started; until `false` is said. */
void function_halt(bool halt);

/* Whether it is still alive: for environments that have rested for a while. */
bool function_alive(function_env *env);
/* Extensions that want to know are told first, and have two seconds. */
void function_stop(function_env *env);
