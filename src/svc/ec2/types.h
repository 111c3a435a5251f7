/*
 * Instance types: the facts of types.csv, as AWS describes them. Those are known of which the price book has
 * the price.
 */
#pragma once
#include "base/arena.h"

typedef struct instance_type {
	str name, architectures, network, hypervisor, manufacturer, boot_modes; /* several: a|b */
	int64_t vcpus, cores, threads, memory_mib, ebs_baseline_mbps, ebs_baseline_iops, ebs_maximum_mbps,
		ebs_maximum_iops, interfaces, addresses;
	double clock_ghz, baseline_gbps, peak_gbps;
	bool burstable, current, free_tier;
} instance_type;

/* Live for ever. */
size_t instance_types(const instance_type **all);
const instance_type *instance_type_find(str name); /* NULL: unknown */
