/*
 * DynamoDB's numbers: decimals of up to 38 significant digits with magnitudes from 1E-130 to
 * 9.99..E+125. Exact: what does not fit is a fault, never rounded.
 *
 * A number is normalised: no trailing zeros in `digits`, zero is {0, 0, false}.
 */
#pragma once
#include "base/arena.h"

typedef struct number {
	unsigned __int128 digits;
	int exponent; /* value = digits * 10^exponent */
	bool negative;
} number;

typedef enum number_fault {
	NUMBER_OK,
	NUMBER_SYNTAX,
	NUMBER_OVERFLOW,
	NUMBER_UNDERFLOW,
	NUMBER_PRECISION,
} number_fault;

#define NUMBER_DIGITS_MAX 38
#define NUMBER_TEXT_MAX 176 /* sign, "0.", 129 zeros, 38 digits */
#define NUMBER_KEY_MAX 24
#define NUMBER_HASHED_MAX 24

number_fault number_parse(str text, number *out);
int number_cmp(number a, number b);
/* Results beyond 38 digits are NUMBER_OVERFLOW, as on AWS. */
number_fault number_add(number a, number b, number *out);
number_fault number_sub(number a, number b, number *out);
number number_of_i64(int64_t v);
/* Plain notation, no exponent, no trailing zeros. Returns the length. */
size_t number_print(number n, char out[NUMBER_TEXT_MAX]);
/* Bytes whose order is the numbers' order; no encoding is a prefix of another. */
size_t number_key(number n, unsigned char out[NUMBER_KEY_MAX]);
/* The bytes of which AWS makes the hash of a partition key. */
size_t number_hashed(number n, unsigned char out[NUMBER_HASHED_MAX]);
/* Bytes that AWS counts for it: one for two digits (aligned at the point), one more, one for a
 * sign. */
size_t number_size(number n);
/* The whole part, towards zero; false when it does not fit. */
bool number_whole(number n, int64_t *out);
/* The sentence of AWS for a fault; `text` is what was to be parsed. */
str number_why(arena *mem, number_fault fault, str text);
