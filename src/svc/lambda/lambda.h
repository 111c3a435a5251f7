/*
 * Inside the Lambda service: naming functions, their packages, and running them.
 */
#pragma once
#include "gen/lambda.h"
#include "cloud/meter.h"
#include "cloud/req.h"
#include "run/function.h"

#define LATEST INT64_C(0) /* the version number of $LATEST */

/* A function as a request names it: by name, partial or whole ARN, with or without a qualifier. */
typedef struct function_name {
	str account, region, name;
	str qualifier; /* version, alias or $LATEST; STR_NONE when none was given */
} function_name;

/* `qualifier` is the parameter beside the name, or STR_NONE. */
err name_read(req *rq, str text, str qualifier, function_name *out);
/* arn:aws:lambda:..:function:NAME, with `:qualifier` when there is one. */
str name_arn(arena *mem, const function_name *f);
str name_arn_of(arena *mem, str account, str region, str name, str qualifier);
err name_not_found(req *rq, const function_name *f);
/* The same for operations that tell aliases from versions. */
err name_missing(req *rq, const function_name *f);
bool name_is_account(str s);
/* `given` is what a request expects the revision to be, or STR_NONE. */
err revision_check(req *rq, str given, str current);

/* What a name stands for. */
typedef struct target {
	function_name f;
	lambda_function *function;
	lambda_version *version;
	str alias;       /* its name when the qualifier is one */
	str invoked_arn; /* as the caller named it */
} target;
/* A qualifier that is an alias with weights chooses a version by chance. */
err target_find(req *rq, const txn *tx, str text, str qualifier, target *out);
err target_named(req *rq, const txn *tx, const function_name *f, target *out);
/* The function alone, whatever the qualifier. */
err function_find(req *rq, const txn *tx, const function_name *f, lambda_function **out);
err function_named(req *rq, const txn *tx, str name, function_name *f, lambda_function **fn);
lambda_version *version_get(const txn *tx, arena *mem, const lambda_function *fn, int64_t number);

/* "2026-11-21T06:14:12.123+0000", as Lambda writes moments. */
str time_text(arena *mem, int64_t ms);
str version_text(arena *mem, int64_t number);

/* Marks a change of $LATEST: a new revision, and new environments. */
void version_touch(req *rq, txn *tx, lambda_version *v);
/* What a create or update answers: the state AWS shows until the change has gone through. */
void show_pending(req *rq, lambda_FunctionConfiguration *c, bool created);
/* Without what lists leave out: states, and the runtime's version. */
lambda_FunctionConfiguration as_listed(const lambda_FunctionConfiguration *c);

/*
 * configure.c: settings of CreateFunction and UpdateFunctionConfiguration. Absent members leave `c` as it
 * is. What the model does not say is checked here.
 */
/* The packages of the version's layers, as Config names them; with the code they must not be too large. */
err layers_take(req *rq, const txn *tx, lambda_version *v);
err configure(req *rq, txn *tx, const lambda_UpdateFunctionConfigurationRequest *in,
              lambda_FunctionConfiguration *c);

/* Whether the machine has an interpreter for it. May start programs: never inside a transaction. */
err runtime_check(req *rq, str name);

/*
 * code.c: packages, kept under their SHA-256 in the data folder. The zip is durable; the unpacked folder is
 * made again when it is missing.
 */
typedef struct package {
	str hash;           /* hex */
	str hash_base64;    /* CodeSha256 */
	int64_t size, unzipped;
	lambda_ImageFacts *image; /* of a container image, else NULL */
} package;
err code_start(store *s, str folder);
/* Checks, keeps and unpacks. Held until code_release, so that it is not swept before a row names it. */
err code_keep(req *rq, str zip, package *out);
void code_release(const package *p);
/* image.c: finds the image in ECR, checks and unpacks it; as code_keep. */
err image_keep(req *rq, str uri, package *out);
/* The image's root, unpacked again when it is missing. */
err image_folder(arena *mem, const lambda_version *v, str *folder);
void image_run(arena *mem, const lambda_version *v, function_image *out);
/* code.c: makes the unpacked folder of `hash` by `fill`, whole or not at all; pinned meanwhile. */
void code_pin(str hash);
str code_unpacked(arena *mem, str hash);
str code_data_folder(void);
err code_install(arena *mem, str hash, err (*fill)(arena *mem, str folder, void *context), void *context);
/* What is known of a package from its hash alone. */
package *package_of(arena *mem, str hash, package *p);
void code_refer(txn *tx, str account, str region, str owner, const package *p);
void code_forget(txn *tx, str account, str region, str owner, str hash);
/* The same for the packages of a version's layers, which count as the layers' size, not the function's. */
void layers_refer(txn *tx, const lambda_version *v);
void layers_forget(txn *tx, const lambda_version *v);
/* The unpacked folder. */
err code_folder(arena *mem, str hash, str *folder);
err code_zip(arena *mem, str hash, str *zip);
str code_location(req *rq, str hash);
str function_owner(arena *mem, const lambda_version *v);
/* codesigning.c: whether an unsigned package may be deployed under the configuration; "": there is none. */
err codesigning_check(req *rq, const txn *tx, str arn);
err codesigning_find(req *rq, const txn *tx, str arn, lambda_codesigning **out);
/* functions.c: the package of a request, from whichever source it names. */
err code_given(req *rq, bool of_image, str zip, str bucket, str key, str version, str image, package *out);
/* s3.c */
err code_from_s3(req *rq, str bucket, str key, str version, package *out);
/* versions.c: $LATEST, given in *v, becomes a version, which is then in *v. */
err publish(req *rq, txn *tx, lambda_function *fn, str description, lambda_version *v);
/* Whether `more` bytes have room in the account's storage. */
err code_room(req *rq, const txn *tx, int64_t more);
int64_t code_stored(const txn *tx, arena *mem, str account, str region);

/* invoke.c */
typedef struct invocation {
	str request_id, payload, client_context, trace_id;
	bool tail;      /* collect the last 4 KB of the log */
	const function_sink *sink; /* takes the answer if the function streams it, or NULL */
} invocation;

typedef enum refusal { TAKEN, THROTTLED_RESERVED, THROTTLED_ACCOUNT, RECURSIVE, BROKEN } refusal;

typedef struct answer {
	refusal refused;
	str why;         /* BROKEN: a sentence */
	bool failed;     /* a function error: payload is its error object */
	str payload, content_type;
	bool streamed;
	str log;         /* the tail */
	int64_t duration_us;
} answer;
/* Runs the function and waits for its answer. `t` is only read; everything is copied into `mem`. */
void invoke_run(arena *mem, store *s, const target *t, const invocation *i, answer *out);
str trace_header(arena *mem, str given);
/* lineage.c: how often the chain of events behind this trace header has invoked the function; whether that is
 * a loop to be stopped; the header for what the function does next; ";Lineage=.." of a header, or "". */
int64_t lineage_count(arena *mem, const target *t, str header);
bool lineage_loops(arena *mem, const target *t, str header);
str lineage_next(arena *mem, const target *t, str header);
str lineage_of(arena *mem, str header);

/* The target and payload of an invocation, checked; and the fault of an answer that was refused. */
err invoke_check(req *rq, str payload, bool async);
err invoke_refused(req *rq, const answer *a);
err invoke_context(req *rq, str encoded, str *out);

/* async.c */
err async_take(req *rq, const target *t, str payload, str client_context, str trace_id);

/* deliver.c: where an event goes once it is done with. */
void deliver(arena *mem, store *s, const lambda_pending *p, const target *t, const answer *a, bool too_old);
/* Whether AWS delivers there. */
typedef enum destination_use { FOR_SUCCESS, FOR_FAILURE, FOR_DEAD_LETTERS, FOR_STREAM } destination_use;
err destination_check(req *rq, str arn, destination_use use);
bool destination_takes(destination_use use, str service);
/* invokeconfig.c: what is configured for the function, version or alias of a taken event; NULL: nothing. */
lambda_invokeconfig *invokeconfig_of(const txn *tx, arena *mem, const lambda_pending *p);
typedef struct destination {
	str arn, body;
	str attributes;    /* of queues' and topics' messages, as JSON; or STR_NONE */
	bool failed;       /* what the event bus is told */
	str function_arn, role;
	str key_prefix;    /* in a bucket */
	str trace;         /* the trace that goes on there; STR_NONE: none does */
} destination;
err destination_send(arena *mem, store *s, str account, str region, const destination *d);

/* policy.c: statements of resource policies. */
#define POLICY_STATEMENTS_MAX 256
typedef struct policy_text {
	size_t n;
	int64_t order[POLICY_STATEMENTS_MAX];
	str statement[POLICY_STATEMENTS_MAX];
} policy_text;
void policy_text_add(policy_text *p, int64_t order, str statement);
/* The document, statements in their order; STR_NONE when there are none. */
str policy_text_end(arena *mem, const policy_text *p);
str policy_document(const txn *tx, arena *mem, const function_name *f);
void policy_drop(txn *tx, arena *mem, str account, str region, str name);
/* What hangs on a version or an alias alone: its policy, URL and event invoke configuration. */
void qualifier_drop(txn *tx, arena *mem, const lambda_function *fn, str qualifier);
