/*
 * Blocks of addresses. An IPv4 address is a number; of IPv6 only what prefixes need.
 */
#pragma once
#include "base/arena.h"

typedef struct cidr4 {
	uint32_t base; /* without the bits of hosts */
	int bits;
} cidr4;

/* Four decimal numbers; nothing around them. */
bool address4_parse(str text, uint32_t *out);
str address4_text(arena *mem, uint32_t address);
/* a.b.c.d/n. AWS forgets the bits of hosts, and so does this. */
bool cidr4_parse(str text, cidr4 *out);
str cidr4_text(arena *mem, cidr4 c);
bool cidr4_overlap(cidr4 a, cidr4 b);
bool cidr4_within(cidr4 inner, cidr4 outer);
static inline bool cidr4_holds(cidr4 c, uint32_t address)
{
	return cidr4_within((cidr4){ address, 32 }, c);
}

typedef struct cidr6 {
	uint8_t address[16];
	int bits;
} cidr6;
bool cidr6_parse(str text, cidr6 *out);
/* As inet_ntop has it: fe80::/64. */
str cidr6_text(arena *mem, const cidr6 *c);
bool cidr6_within(const cidr6 *inner, const cidr6 *outer);
/* An IPv4 or IPv6 block as AWS spells it; false: neither. */
bool cidr_canonical(arena *mem, str text, str *out);
