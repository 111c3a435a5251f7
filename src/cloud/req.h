/*
 * One request to the cloud: who calls, where, when, and what it has used so far. Handlers get it first.
 *
 * A request lives in its arena (rq->mem): everything a handler allocates there is gone when the reply
 * has been sent. Handlers never free.
 *
 * The kind of a handler is its signature, and the builder reads it from the source:
 *
 *     err ssm_PutParameter(req *rq, txn *tx, const ssm_PutParameter_in *in, ssm_PutParameter_out *out);
 *         writes: runs on the writer thread inside a group-committed transaction, may be run again, has
 *         no effect outside the transaction. A returned fault undoes what it wrote.
 *     err ssm_GetParameter(req *rq, const txn *tx, const ..._in *in, ..._out *out);
 *         reads: runs at once on the connection's thread, on a snapshot. Must not block.
 *     err lambda_Invoke(req *rq, const ..._in *in, ..._out *out);
 *         waits: runs on a pool thread, may block, opens short transactions itself (req_read, req_write).
 *
 * An operation without input or output has the generated empty struct all the same.
 */
#pragma once
#include "store/store.h"
#include "wire/codec.h"

/* Who calls. Strings live as long as the request. */
typedef struct caller {
	str account;    /* 12 digits */
	str arn;        /* arn:aws:iam::000000000000:user/x, ...:root, arn:aws:sts::..:assumed-role/R/S */
	str user_id;    /* AIDA.., AROA..:session, or the account for root */
	str access_key;
	bool root;      /* may do everything */
	bool internal;  /* one of our services acting on its own behalf (service principal in `arn`) */
	bool anonymous;
	const struct credential *key; /* what proved it (cloud/credential.h); NULL: nothing that we issued */
} caller;

typedef struct req {
	arena *mem;
	const operation *op;
	const codec *codec;
	caller who;
	str region;
	int64_t now;          /* Farthing's clock when the request began */
	str id;               /* x-amzn-RequestId */
	http_header *reply_headers; /* added by handlers beyond the model: use req_header */
	size_t n_reply_headers;
	const wire_message *http; /* NULL when called from inside */
	struct http_exchange *exchange; /* for the few that stream; NULL when called from inside */
	str host;             /* Host as received */
	bool enforce;         /* --iam enforce: policies decide (cloud/authorise.h) */
	const struct decision *decision; /* what they decided last, for the log; NULL when not asked */
	struct usage *usage;  /* metered so far, newest first */
	bool again;           /* a write runs once more: what it does in memory has been done */
	struct store *store;
	bool streaming;       /* set by a waiting handler that began a streamed reply; dispatch ends it */
	struct upload *upload; /* where the body went that was not held in memory (cloud/stream.h) */
	int reply_status; /* set by a handler: instead of the operation's own status of success */
	struct http_reply_body *reply_body; /* set by a handler: the reply's body is this part of a file */
	const struct req *parent; /* the request on whose behalf this one is made, or NULL */
	str source;           /* for which resource one of our services acts (cloud/call.h) */
	str trace;            /* tasks: X-Amzn-Trace-Id of what they go on with; absent: none (req_trace) */
} req;

/* A fault of this kind; the message is formatted into the request's arena. */
err fail(req *rq, const fault_kind *kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with the error structure's other members (a generated ..._error struct in rq->mem). */
err fail_with(req *rq, const fault_kind *kind, const void *detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What the operation's model does not allow, in the service's words. */
err input_check(req *rq, const operation *op, const void *in);

/* Faults every service shares; codes follow the protocol (cloud/faults.c has the table). */
extern const fault_kind aws_ValidationException, aws_AccessDenied, aws_MissingAuthenticationToken,
	aws_UnrecognizedClient, aws_InvalidSignature, aws_IncompleteSignature, aws_SignatureExpired,
	aws_ExpiredToken, aws_UnknownOperation, aws_NotImplemented, aws_Serialization, aws_Throttling,
	aws_InternalFailure, aws_ServiceUnavailable, aws_RequestTooLarge, aws_MissingParameter,
	aws_InvalidParameterValue;

/* Waiting handlers: a snapshot, or a transaction whose commit is on disk when this returns OK. */
const txn *req_read(req *rq);
void req_read_end(req *rq, const txn *tx);
/* `work` runs on the writer thread; its fault undoes it and is returned. What the handler has metered by then
 * goes into the same transaction. */
err req_write(req *rq, err (*work)(req *rq, txn *tx, void *context), void *context);

/* arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE of the request's region and account. */
str req_arn(const req *rq, const char *service, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void req_header(req *rq, str name, str value);
/* X-Amzn-Trace-Id of the request in which all this began; STR_NONE when it had none. Tasks keep it in their
 * rows and put it into their own request (req.trace), so that it reaches what they call. */
str req_trace(const req *rq);

/*
 * Pagination tokens: opaque to the client, tied to the operation, tamper-evident. A bad one decodes to
 * false.
 */
str page_token(req *rq, str position);
bool page_position(req *rq, str token, str *position);
