/*
 * Absent scalars: a value with a flag, as the API models know them.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct opt_i64 { int64_t v; bool set; } opt_i64;
typedef struct opt_f64 { double v; bool set; } opt_f64;
typedef struct opt_bool { bool v; bool set; } opt_bool;
/* Milliseconds since 1970. */
typedef struct opt_time { int64_t v; bool set; } opt_time;

#define I64(value) ((opt_i64){ .v = (value), .set = true })
#define F64(value) ((opt_f64){ .v = (value), .set = true })
#define BOOL(value) ((opt_bool){ .v = (value), .set = true })
#define TIME(value) ((opt_time){ .v = (value), .set = true })
