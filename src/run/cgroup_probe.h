/*
 * Which control group hierarchies this machine has and which of them we may use.
 */
#pragma once
#include <stdbool.h>

typedef enum cgroup_place {
	CGROUP_NONE = -1,
	CGROUP_V1_MEMORY, CGROUP_V1_CPU, CGROUP_V1_PIDS,
	CGROUP_V2,
	CGROUP_HIERARCHIES,
} cgroup_place;

typedef struct cgroup_tree {
	bool any;
	int base[CGROUP_HIERARCHIES];      /* the folder in which groups are made; -1: not usable */
	cgroup_place memory, cpu, pids;    /* who limits what */
	char prefix[64];                   /* of the names of our groups */
	char description[256];
} cgroup_tree;

/* Finds hierarchies, tries them, and removes what dead servers left behind. */
void cgroup_probe(cgroup_tree *t);
