/*
 * What is to be estimated: resources with their values, who refers to whom, and what is known of their usage.
 *
 * Three kinds of document are read, all JSON: what `terraform show -json` prints of a plan or of a state, and
 * {"region", "resources": [{"address", "type", "values"}], "references": {address: {path: [address, ...]}},
 * "usage": {address: {...}}, "type_usage": {type: {...}}}, as test/golden has them. Data sources are left
 * out. A reference is known from the configuration, also through variables and outputs of modules, or else by
 * a value that is another resource's id, ARN or name. Everything lives in the arena it was read into and only
 * points into the document.
 */
#pragma once
#include "base/err.h"
#include "plan/value.h"

typedef struct plan_reference {
	str path;                    /* in the resource, without indexes: launch_template.id */
	str target;                  /* an address without indexes; "[]": the path says count.index or each.key */
	str index;                   /* the target's last one: ["a"]; absent: whatever it is */
	struct plan_reference *next;
} plan_reference;

typedef struct plan_resource {
	str address, type, region;
	str index;                   /* the last one of the address, in its brackets */
	str config;                  /* the address without any: that of the configuration */
	const json_value *values;
	plan_reference *references;
	struct plan_resource *next;
} plan_resource;

typedef struct plan {
	arena *mem;
	str region;                  /* of what says none */
	bool guessed;                /* there is such, and the document does not say that region */
	plan_resource *first, *last;
	size_t n;
	const json_value *usage, *type_usage; /* may be NULL */
} plan;

/* `region` is taken where the document says none. */
err plan_read(arena *mem, str text, str region, plan **out);
/* A usage file, JSON or YAML: {"resource_usage": {address: {...}}, "resource_type_default_usage":
 * {type: {...}}}, or the addresses at the top. It replaces what the document itself says. */
err plan_read_usage(plan *p, str text);
/* A resource that the document lacks: what only the usage file names. */
plan_resource *plan_add(plan *p, str address);

/* A member of an object, of a resource's values, of the first of a list. */
value pval_member(value v, str name);
/* The value at a path of members: "root_block_device.volume_size". */
value plan_value(const plan_resource *r, str path);
const plan_resource *plan_find(const plan *p, str address);
/* What a resource's path refers to: a list of resources, empty when nothing is known. `path` may be a
 * pattern; `by_value`: look for resources with this id, ARN or name when the configuration tells nothing. */
value plan_refers(const plan *p, const plan_resource *r, str path, value by_value);
/* Resources of a type that refer to `r` by a path that fits the pattern. */
value plan_referrers(const plan *p, const plan_resource *r, str type, str path);
value plan_all(const plan *p, str type);
/* Those of a type in the resource's own module. */
value plan_siblings(const plan *p, const plan_resource *r, str type);
/* What is known of a resource's usage: its own, that of [*], that of its type. NULL: nothing. */
const json_value *plan_usage(const plan *p, const plan_resource *r, str key);
/* Whether usage is of a resource, of all with its index, or of a type that there is. */
bool plan_usage_fits(const plan *p, str key);
