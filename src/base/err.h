/*
 * Errors are values: OK, or a fault that says what went wrong in AWS's terms. A fault lives in the
 * arena of whoever failed (or is static) and travels up unchanged; outputs are untouched on failure.
 *
 * Bad input is a fault. A broken invariant is a bug: ensure() ends the process, always, and the store
 * loses nothing by it.
 */
#pragma once
#include "base/arena.h"

/* What a fault is: one per error shape of a service (generated), plus the common ones. */
typedef struct fault_kind {
	const char *name;       /* the shape's name: ParameterNotFound */
	const char *code;       /* what JSON protocols put into __type */
	const char *query_code; /* what query protocols and x-amzn-query-error put into Code */
	int status;             /* HTTP status */
	bool server;            /* the server's fault: <Type>Receiver</Type> */
	const struct shape *shape; /* members beyond message, or NULL */
} fault_kind;

typedef struct fault {
	const fault_kind *kind;
	str message;
	const void *detail; /* the generated struct of kind->shape, or NULL */
} fault;

typedef const fault *err;
#define OK ((err)0)

#define TRY(expression) \
	do { \
		err try_err_ = (expression); \
		if (try_err_) \
			return try_err_; \
	} while (0)

err fault_new(arena *a, const fault_kind *kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Failures of the machine, not of the caller: a disk that is full, a file that cannot be opened. */
extern const fault_kind fault_system;
/* Malformed bytes below the level of a protocol; the codec above says it in its own terms. */
extern const fault_kind fault_syntax;

__attribute__((noreturn)) void ensure_failed(const char *what, const char *file, int line);
#define ensure(condition) \
	((condition) ? (void)0 : ensure_failed(#condition, __FILE__, __LINE__))
