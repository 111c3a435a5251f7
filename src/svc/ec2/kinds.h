/*
 * The kinds of resources, as data: where they are kept, what they are called in ids, tags and errors, and
 * which filters do not simply have the name of a member. Getting, describing, filtering and tagging them is
 * written once, over the shape tables.
 */
#pragma once
#include "cloud/record.h"
#include "cloud/req.h"
#include "gen/ec2.h"

/* A filter and the member it looks at: wire names with dots; lists are looked through. */
typedef struct filter_path {
	const char *filter, *path;
} filter_path;

typedef struct resource_kind {
	const record_kind *record; /* NULL: not kept (images) */
	const shape *shape;
	const char *type;             /* as tags name it: "vpc" */
	const char *prefix;           /* of its ids */
	const fault_kind *not_found;
	const char *missing;          /* "The vpc ID '%s' does not exist" */
	const char *id;               /* the member that holds the id */
	const filter_path *filters;   /* up to one without a name */
	/* What is worked out rather than kept, before anybody sees it; or NULL. */
	void (*fill)(const txn *tx, arena *mem, str account, str region, void *it);
	bool empties;                 /* lists without elements are shown */
	const char *malformed;        /* the code for an id without the prefix; NULL: it is not found */
} resource_kind;

extern const resource_kind kind_vpc, kind_subnet, kind_internet_gateway, kind_route_table,
	kind_security_group, kind_key_pair, kind_instance, kind_volume, kind_address, kind_image,
	kind_network_acl, kind_interface, kind_security_rule, kind_nat_gateway, kind_endpoint, kind_dhcp_options,
	kind_peering, kind_prefix_list, kind_egress_gateway, kind_template, kind_volume_change;
/* Of the prefix of an id; NULL: none of ours. */
const resource_kind *kind_of(str id);

/* The structure of a resource, or its NotFound. */
err kind_get(req *rq, const txn *tx, const resource_kind *k, str id, void *out);
/* NULL when there is none. */
void *kind_find(const txn *tx, arena *mem, const resource_kind *k, str account, str region, str id);
void kind_put(txn *tx, const resource_kind *k, str account, str region, str id, const void *it);
/* How many the account has in the region. */
size_t kind_count(const txn *tx, arena *mem, const resource_kind *k, str account, str region);
/* The first that has this text as the member of its wire name (vpcId); NULL: none. */
void *kind_first(const txn *tx, arena *mem, const resource_kind *k, str account, str region,
                 const char *path, str value);
/* With its tags. */
void kind_delete(txn *tx, arena *mem, const resource_kind *k, str account, str region, str id);

typedef struct list_of_str {
	str *v;
	size_t n;
} list_of_str;

typedef struct describe_request {
	const void *ids;                /* a list of strings, or NULL */
	const ec2_FilterList *filters;
	opt_i64 most;
	str token;
} describe_request;
/* Fills `out`, a list of the kind's structure by value, with what is asked for. */
err kind_describe(req *rq, const txn *tx, const resource_kind *k, const describe_request *d, void *out,
                  str *next_token);
#define DESCRIBE(in, ids_) \
	(&(describe_request){ .ids = (ids_), .filters = &(in)->Filters, .most = (in)->MaxResults, \
	                      .token = (in)->NextToken })

/* Whether a structure passes all filters; InvalidParameterValue for one that nobody knows. */
err filters_pass(req *rq, const resource_kind *k, const ec2_FilterList *filters, const void *it,
                 bool *passes);
/* Whether the member on this path (wire names with dots) is the text; lists are looked through. */
bool path_is(arena *mem, const shape *s, const void *it, const char *path, str text);
/* Where a structure has its tags; NULL: it bears none. */
const shape_member *tags_member(const shape *s);
