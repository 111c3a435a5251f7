/*
 * MD5 and SHA-256 of eight messages side by side: a step waits for the one before it, so eight lanes of a
 * vector cost little more than one. Private to base/digest.c.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 8

typedef struct lane {
	uint32_t *state;        /* four words of MD5, eight of SHA-256 */
	const unsigned char *p;
	size_t blocks;          /* of 64 bytes */
} lane;

/* Whether this processor has what it takes. */
bool lanes_here(void);
/* At most LANES, while two of them have blocks; what is done is taken from them. */
void lanes_md5(lane *l, size_t n);
void lanes_sha256(lane *l, size_t n);
