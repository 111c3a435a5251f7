/*
 * How the tables of parameters are written, one file for each engine.
 */
#pragma once
#include "parameters.h"

#define INT "integer"
#define BOOLEAN "boolean"
#define ANY "string"
#define REAL "float"
#define STATIC true
#define DYNAMIC false
#define P(name, is_static, type, allowed, value, words) \
	{ \
		name, type, allowed, value, is_static, false, words \
	}
