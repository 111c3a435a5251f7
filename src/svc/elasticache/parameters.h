/*
 * The engine's parameters as ElastiCache describes them. What a group sets ends up in redis.conf under the
 * same name, or in the memory that the data may take.
 */
#pragma once
#include "cache.h"

typedef struct cache_parameter {
	const char *name, *value, *type, *allowed;
	const char *since; /* version */
	bool fixed; /* shown, not to be changed */
	bool reboot; /* takes effect with the next start */
	bool ours; /* no directive of the engine's by this name */
	bool old; /* of the versions before 7 */
	const char *description;
} cache_parameter;
extern const cache_parameter cache_parameters[];
extern const size_t cache_parameters_n;
/* Whether a family (redis7) has it. */
bool cache_parameter_of(const cache_parameter *p, str family);
bool cache_parameter_allows(const cache_parameter *p, str value);

typedef struct cache_pair {
	str name, value;
	bool reboot;
} cache_pair;
/* Directives of the engine by the node's group and type; at most CACHE_PAIRS_MAX. */
#define CACHE_PAIRS_MAX 96
size_t cache_parameter_pairs(const txn *tx, arena *mem, const elasticache_cluster *c, cache_pair *out);
