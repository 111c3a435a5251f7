#include "base/err.h"
#include <stdio.h>
#include <stdlib.h>

const fault_kind fault_system = {
	.name = "InternalFailure",
	.code = "InternalFailure",
	.query_code = "InternalFailure",
	.status = 500,
	.server = true,
};

const fault_kind fault_syntax = {
	.name = "SerializationException",
	.code = "SerializationException",
	.query_code = "MalformedInput",
	.status = 400,
};

err fault_new(arena *a, const fault_kind *kind, const char *format, ...)
{
	fault *f = arena_new(a, fault);
	va_list args;
	va_start(args, format);
	f->message = arena_vfmt(a, format, args);
	va_end(args);
	f->kind = kind;
	return f;
}

void ensure_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "farthing: bug at %s:%d: %s does not hold\n", file, line, what);
	abort();
}
