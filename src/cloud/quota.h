/*
 * The quotas that a service holds its customers to, under the codes and names AWS's Service Quotas has for
 * them. Every service says its own, with the very limits it enforces:
 *
 *     QUOTAS(ec2, "ec2", "Amazon Elastic Compute Cloud (Amazon EC2)", false,
 *         { "L-0263D0A3", "EC2-VPC Elastic IPs", EC2_ADDRESSES_MAX, true, NULL });
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct quota {
	const char *code, *name;
	int64_t value;
	bool adjustable;     /* AWS would raise it on request */
	const char *unit;    /* NULL: None */
} quota;

typedef struct quota_table {
	const char *service; /* the code Service Quotas has for it */
	const char *title;
	bool global;         /* of an account, whatever the Region */
	const quota *v;
	size_t n;
} quota_table;
#define QUOTAS(id, service_, title_, global_, ...) \
	static const quota quotas_##id[] = { __VA_ARGS__ }; \
	static const quota_table quota_table_##id = { service_, title_, global_, quotas_##id, \
		                                      sizeof quotas_##id / sizeof(quota) }; \
	__attribute__((section("farthing_quotas"), used)) \
	static const quota_table *const quota_table_entry_##id = &quota_table_##id

/* All of them, in no particular order; the number. */
size_t quota_tables(const quota_table *const **all);
