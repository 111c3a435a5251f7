/*
 * The major general category of a code point: C other, L letter, M mark, N number, P punctuation, S symbol,
 * Z separator.
 */
#pragma once
#include "base/str.h"

char unicode_class(uint32_t code_point);
